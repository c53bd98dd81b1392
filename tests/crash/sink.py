"""A carrier's SMSC that keeps books: it outlives the gateway, and sends each receipt until it is answered."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from itertools import count
from random import Random
from typing import Final, NamedTuple

from smppgw.pdu._generated import SubmitSm
from smppgw.pdu.codec import decode, encode
from smppgw.pdu.constants import HEADER_OCTETS, RESPONSE_BIT, CommandId, CommandStatus
from smppgw.pdu.framing import Frame
from tests.crash.book import Book
from tests.crash.messages import (
    fails_at_first,
    from_handset,
    is_hopeless,
    receipt,
    segments,
    serial_in,
    text_in,
    text_of,
)
from tests.crash.wire import Wire, header, with_body

BINDS: Final = frozenset({CommandId.BIND_TRANSCEIVER, CommandId.BIND_TRANSMITTER, CommandId.BIND_RECEIVER})
RECEIPT_WINDOW: Final = 40
"""Unanswered receipts of one bind."""
REPLIES: Final = 20
"""A handset replies to one message in so many."""
EARLY: Final = 16
"""One receipt in so many is sent before its message is answered."""
AGAIN_SECONDS: Final = 0.05
"""Before a receipt that was refused is sent again."""


class _Owed(NamedTuple):
    """A receipt, or a message of a handset."""

    serial: int
    carrier_id: bytes
    """Of the message that a receipt is about; empty for a message of a handset."""


class _Bind:
    """What the sink knows of one bind."""

    def __init__(self, life: int, window: int) -> None:
        self.life = life
        self.receives = False
        self.sequence_number = 0
        self.recent: deque[int] = deque(maxlen=window)
        """What may still be in the gateway's window: it settles in the order in which it was answered."""
        self.unanswered: dict[int, tuple[_Owed, float]] = {}
        """By their sequence_number, and when they were sent."""
        self.answers: list[bytes] = []
        """To the messages that have arrived together."""
        self.receipts: list[_Owed] = []
        """Of those messages, to be sent behind the answers."""


class Sink:
    """Takes all but the hopeless messages, and answers after `latency` seconds; some receipts do not wait for that."""

    def __init__(self, book: Book, rng: Random, *, window: int, octets: int, latency: float = 0.0) -> None:
        """`window` is that of one bind of the gateway, `octets` the length of the load's longest text."""
        self.port = 0
        self.latency = latency
        self.away = False
        """Nobody is let in."""
        self.quickest = math.inf
        """Seconds from a receipt to its answer, at the least."""
        self._book = book
        self._rng = rng
        self._window = window
        self._octets = octets
        self._ids = count(1)
        self._tried: set[int] = set()
        """Messages that are taken now that they have come before."""
        self._wires: list[Wire] = []
        self._waiting: deque[_Owed] = deque()
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

    @property
    def idle(self) -> bool:
        """Whether everything that it sent is answered."""
        return not self._waiting and not any(wire.state.unanswered for wire in self._wires)

    # ---- what connections bring -----------------------------------------------------------------------------

    def on_connected(self, wire: Wire) -> None:
        wire.state = _Bind(self._book.life, self._window)
        self._wires.append(wire)

    def on_frame(self, wire: Wire, frame: Frame) -> None:
        command_id, command_status, sequence_number, octets = frame
        if command_id == CommandId.SUBMIT_SM:
            self._take(wire, sequence_number, octets)
        elif command_id == CommandId.DELIVER_SM_RESP:
            self._settle(*wire.state.unanswered.pop(sequence_number), command_status)
        elif command_id in BINDS and self.away:
            wire.send(header(command_id | RESPONSE_BIT, sequence_number, CommandStatus.ESME_RBINDFAIL))
            wire.close()
        elif command_id in BINDS:
            wire.state.receives = command_id != CommandId.BIND_TRANSMITTER
            wire.send(with_body(command_id | RESPONSE_BIT, sequence_number, b"sink\0"))
            self._book.count("bound")
        else:
            self._book.oddities.append(f"the carrier got {octets[:HEADER_OCTETS].hex()}")

    def on_read(self, wire: Wire) -> None:
        bind: _Bind = wire.state
        if bind.answers:
            answers, receipts = bind.answers, bind.receipts
            bind.answers, bind.receipts = [], []
            if self.latency:
                asyncio.get_running_loop().call_later(self.latency, self._answer, wire, answers, receipts)
            else:
                self._answer(wire, answers, receipts)
        self._send_receipts()

    def on_lost(self, wire: Wire) -> None:
        self._wires.remove(wire)
        self._book.exposed.update(wire.state.recent)
        self._waiting.extendleft(about for about, _ in reversed(wire.state.unanswered.values()))
        self._send_receipts()

    def _take(self, wire: Wire, sequence_number: int, octets: bytes) -> None:
        pdu = decode(octets)
        assert isinstance(pdu, SubmitSm)
        serial = serial_in(pdu.destination_addr)
        if text_in(pdu) != text_of(serial, self._octets):
            self._book.oddities.append(f"message {serial} came to the carrier with another text")
        bind: _Bind = wire.state
        self._book.count("sent", segments(text_in(pdu)))
        status = self._refusal(serial)
        if status:
            bind.answers.append(header(CommandId.SUBMIT_SM_RESP, sequence_number, status))
            return
        bind.recent.append(serial)
        self._book.arrivals[serial].append(bind.life)
        about = _Owed(serial, b"c%09d" % next(self._ids))
        bind.answers.append(with_body(CommandId.SUBMIT_SM_RESP, sequence_number, about.carrier_id + b"\0"))
        if self._rng.randrange(EARLY):
            bind.receipts.append(about)
        else:
            self._waiting.append(about)
        if serial % REPLIES == 0:
            self._waiting.append(_Owed(serial, b""))
        self._book.count("arrived")

    def _refusal(self, serial: int) -> int:
        if is_hopeless(serial):
            self._book.rejected.add(serial)
            return CommandStatus.ESME_RINVDSTADR
        if fails_at_first(serial) and serial not in self._tried:
            self._tried.add(serial)
            return CommandStatus.ESME_RSYSERR
        return CommandStatus.ESME_ROK

    def _answer(self, wire: Wire, answers: list[bytes], receipts: list[_Owed]) -> None:
        for answer in answers:
            wire.send(answer)
        self._waiting.extend(receipts)
        self._send_receipts()

    # ---- receipts -------------------------------------------------------------------------------------------

    def _settle(self, about: _Owed, sent_at: float, command_status: int) -> None:
        if not command_status:
            self.quickest = min(self.quickest, time.monotonic() - sent_at)
            if about.carrier_id:
                self._book.kept[about.carrier_id] = about.serial
                self._book.count("kept")
            else:
                self._book.replies_kept.add(about.serial)
            return

        def again() -> None:
            self._waiting.append(about)
            self._send_receipts()

        asyncio.get_running_loop().call_later(AGAIN_SECONDS, again)

    def _send_receipts(self) -> None:
        for wire in self._wires:
            bind: _Bind = wire.state
            while self._waiting and bind.receives and len(bind.unanswered) < RECEIPT_WINDOW:
                about = self._waiting.popleft()
                bind.sequence_number += 1
                bind.unanswered[bind.sequence_number] = (about, time.monotonic())
                pdu = receipt(*about) if about.carrier_id else from_handset(about.serial)
                pdu.sequence_number = bind.sequence_number
                wire.send(encode(pdu))
