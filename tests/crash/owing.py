"""A carrier that sends no receipt before it is told to."""

from __future__ import annotations

import asyncio
import re
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from itertools import count
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, TypeAlias

from smppgw.pdu._generated import DeliverSm
from smppgw.pdu.codec import encode
from smppgw.pdu.constants import HEADER_OCTETS, RESPONSE_BIT, CommandId, EsmClass, MessageState, TlvTag
from smppgw.pdu.framing import Frame
from smppgw.pdu.receipt import format_receipt
from tests.crash.book import Book
from tests.crash.sink import BINDS
from tests.crash.wire import Wire, with_body

IdForm: TypeAlias = Literal["hex", "dec", "uuid", "hex-dec", "dec-hex"]
_Writer: TypeAlias = Callable[[int], bytes]


def _hex(number: int) -> bytes:
    return b"%x" % number


def _dec(number: int) -> bytes:
    return b"%d" % number


def _uuid(number: int) -> bytes:
    digits = b"%032x" % (number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % (1 << 128))
    return b"-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


ID_FORMS: Final[Mapping[IdForm, tuple[_Writer, _Writer]]] = MappingProxyType(
    {
        "hex": (_hex, _hex),
        "dec": (_dec, _dec),
        "uuid": (_uuid, _uuid),
        "hex-dec": (_hex, _dec),
        "dec-hex": (_dec, _hex),
    }
)
"""How ids are written in responses, and in receipts."""
FIRST_ID: Final = 0x5F000000
RECEIPT_WINDOW: Final = 200
"""Unanswered receipts of one bind."""
TICK_SECONDS: Final = 0.01
"""Between two lots of receipts that are sent at a rate."""

_SUBMITTED: Final = re.compile(rb".{16}[^\0]*\0..([^\0]*)\0..([^\0]*)\0.*(message \d+)", re.DOTALL)
_DATE: Final = b"2611221000"


def fails(serial: int) -> bool:
    """Whether the receipt of a message says that it was not delivered."""
    return serial % 10 == 7


class _Receipt(NamedTuple):
    """What a carrier owes for a message."""

    serial: int
    number: int
    """Of its id."""
    source: bytes
    destination: bytes
    text: bytes


_Owed: TypeAlias = "_Receipt | DeliverSm"


class _Bind:
    """What the carrier knows of one bind."""

    def __init__(self) -> None:
        self.receives = False
        self.sequence_number = 0
        self.unanswered: dict[int, tuple[_Owed, float]] = {}
        """By their sequence_number, and when they were sent."""


class Carrier:
    """Takes every message and answers at once; what it owes leaves in the order of the messages' serial numbers."""

    def __init__(self, book: Book, ids: IdForm, *, tlvs: bool) -> None:
        """`tlvs`: receipts have receipted_message_id and message_state."""
        self.port = 0
        self.owed: deque[_Owed] = deque()
        """What is to be sent, once or again."""
        self.waits: list[float] = []
        """Seconds from each deliver_sm to its answer."""
        self.answered: defaultdict[bytes, list[int]] = defaultdict(list)
        """By the handset, the serials of the messages whose receipts have been answered, in that order."""
        self.deaf_to = 0
        """So many answers, those that come next, it does not hear: it sends again what they answer, on another bind."""
        self._may_send = 0.0
        self._response, self._receipt = ID_FORMS[ids]
        self._tlvs = tlvs
        self._book = book
        self._numbers = count(FIRST_ID)
        self._wires: list[Wire] = []
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.get_running_loop().create_server(lambda: Wire(self), "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """End every connection."""
        assert self._server is not None
        self._server.close()
        lost = [wire.lost for wire in self._wires]
        for wire in self._wires:
            wire.close()
        await asyncio.gather(*lost)

    def send(self, most: float) -> None:
        """Send so many more, as its window takes them, and again what was not answered."""
        if not self._may_send:
            receipts = [each for each in self.owed if isinstance(each, _Receipt)]
            others = [each for each in self.owed if not isinstance(each, _Receipt)]
            self.owed = deque((*others, *sorted(receipts)))
        self._may_send += most
        self._fill()

    async def send_at(self, rate: float, number: int) -> None:
        """Send so many at a rate a second."""
        begun = time.monotonic()
        sent = 0
        while sent < number:
            await asyncio.sleep(TICK_SECONDS)
            due = min(number, int((time.monotonic() - begun) * rate))
            self.send(due - sent)
            sent = due

    def bring(self, pdus: Iterable[DeliverSm]) -> None:
        """Send these now."""
        new = list(pdus)
        self.owed.extend(new)
        self._may_send += len(new)
        self._fill()

    # ---- what connections bring -----------------------------------------------------------------------------

    def on_connected(self, wire: Wire) -> None:
        wire.state = _Bind()
        self._wires.append(wire)

    def on_frame(self, wire: Wire, frame: Frame) -> None:
        command_id, command_status, sequence_number, octets = frame
        if command_id == CommandId.SUBMIT_SM:
            self._take(wire, sequence_number, octets)
        elif command_id == CommandId.DELIVER_SM_RESP:
            if self.deaf_to:
                self.deaf_to -= 1
                return
            owed, sent_at = wire.state.unanswered.pop(sequence_number)
            self.waits.append(time.monotonic() - sent_at)
            if command_status:
                self._book.oddities.append(f"the carrier was answered {command_status:#x} to {owed}")
            elif isinstance(owed, _Receipt):
                self.answered[owed.destination].append(owed.serial)
            self._book.count("kept")
        elif command_id in BINDS:
            wire.state.receives = command_id != CommandId.BIND_TRANSMITTER
            wire.send(with_body(command_id | RESPONSE_BIT, sequence_number, b"carrier\0"))
            self._book.count("bound")
        else:
            self._book.oddities.append(f"the carrier got {octets[:HEADER_OCTETS].hex()}")

    def on_read(self, wire: Wire) -> None:
        self._fill()

    def on_lost(self, wire: Wire) -> None:
        self._wires.remove(wire)
        unanswered = [owed for owed, _ in wire.state.unanswered.values()]
        self.owed.extendleft(reversed(unanswered))
        self._may_send += len(unanswered)

    def _take(self, wire: Wire, sequence_number: int, octets: bytes) -> None:
        number = next(self._numbers)
        wire.send(with_body(CommandId.SUBMIT_SM_RESP, sequence_number, self._response(number) + b"\0"))
        match = _SUBMITTED.match(octets)
        assert match is not None, octets
        source, destination, text = match.groups()
        self.owed.append(_Receipt(int(text.split()[1]), number, source, destination, text))
        self._book.count("arrived")

    def _fill(self) -> None:
        for wire in self._wires:
            bind: _Bind = wire.state
            while self.owed and self._may_send and bind.receives and len(bind.unanswered) < RECEIPT_WINDOW:
                owed = self.owed.popleft()
                self._may_send -= 1
                bind.sequence_number += 1
                bind.unanswered[bind.sequence_number] = (owed, time.monotonic())
                pdu = self._written(owed) if isinstance(owed, _Receipt) else owed
                pdu.sequence_number = bind.sequence_number
                wire.send(encode(pdu))

    def _written(self, owed: _Receipt) -> DeliverSm:
        state = MessageState.UNDELIVERABLE if fails(owed.serial) else MessageState.DELIVERED
        carrier_id = self._receipt(owed.number)
        return DeliverSm(
            source_addr=owed.destination,
            destination_addr=owed.source,
            esm_class=EsmClass.DELIVERY_RECEIPT,
            short_message=format_receipt(
                carrier_id, submit_date=_DATE, done_date=_DATE, state=state, text=owed.text
            ),
            tlvs=(
                (TlvTag.RECEIPTED_MESSAGE_ID, carrier_id + b"\0"),
                (TlvTag.MESSAGE_STATE, bytes((state,))),
            )
            if self._tlvs
            else (),
        )
