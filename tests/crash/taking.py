"""An ESME that submits what it is told to, and can be slow to answer what it gets."""

from __future__ import annotations

import asyncio
import re
from collections import Counter, defaultdict
from typing import Final

from smppgw.pdu._generated import DeliverSm, SubmitSm
from smppgw.pdu.codec import decode
from smppgw.pdu.constants import CommandId
from tests.crash.book import Book
from tests.crash.load import Load
from tests.crash.owing import fails
from tests.crash.wire import Wire, with_body

HANDSETS: Final = 20
"""Messages go to so many, in turns: each is the source of several receipts in any window."""

_RECEIPT: Final = re.compile(
    rb".{16}[^\0]*\0..([^\0]*)\0..[^\0]*\0\x04.*id:(\S+) sub:001 .* stat:(\w+) .* text:message (\d+)",
    re.DOTALL,
)
"""A deliver_sm: its source, and what the text says."""


class Esme(Load):
    """Its messages go to `HANDSETS` numbers; what a receipt says is held against the book."""

    def __init__(self, book: Book, port: int, *, binds: int, window: int, latency: float = 0.0) -> None:
        """`latency`: seconds before a deliver_sm is answered."""
        super().__init__(book, port, binds=binds, window=window, octets=0)
        self.last = 0
        self.most_unanswered = 0
        """Of deliver_sm, on any one bind at any time."""
        self.came: defaultdict[bytes, list[int]] = defaultdict(list)
        """By the source of receipts, the serials of their messages in order; those that came again stand there once."""
        self.messages: list[DeliverSm] = []
        """Of handsets."""
        self._latency = latency
        self._unanswered: Counter[Wire] = Counter()
        self._taken: defaultdict[Wire, list[int]] = defaultdict(list)
        """The sequence_numbers of what has arrived together."""

    def submit(self, number: int) -> None:
        """Submit so many more."""
        self.last += number
        self.resume()

    def on_read(self, wire: Wire) -> None:
        taken = self._taken.pop(wire, [])
        if taken and self._latency:
            asyncio.get_running_loop().call_later(self._latency, self._answer, wire, taken)
        else:
            self._answer(wire, taken)
        super().on_read(wire)

    def _answer(self, wire: Wire, taken: list[int]) -> None:
        self._unanswered[wire] -= len(taken)
        for sequence_number in taken:
            wire.send(with_body(CommandId.DELIVER_SM_RESP, sequence_number, b"\0"))

    def _take(self, wire: Wire, sequence_number: int, octets: bytes) -> None:
        self._taken[wire].append(sequence_number)
        self._unanswered[wire] += 1
        self.most_unanswered = max(self.most_unanswered, self._unanswered[wire])
        match = _RECEIPT.match(octets)
        if match is None:
            pdu = decode(octets)
            assert isinstance(pdu, DeliverSm)
            self.messages.append(pdu)
            self._book.count("replied")
            return
        source, message_id, stat, digits = match.groups()
        serial = int(digits)
        if (stat == b"UNDELIV") != fails(serial) or source != _handset(serial):
            self._book.oddities.append(f"the receipt of message {serial} says {stat!r} of {source!r}")
        if message_id != self._book.accepted[serial].message_id:
            self._book.oddities.append(f"the receipt of message {serial} has the id {message_id!r}")
        if serial not in self._book.reported:
            self.came[source].append(serial)
        self._book.reported[serial][message_id] += 1
        self._book.count("reported")

    def _message(self, serial: int) -> SubmitSm:
        return SubmitSm(
            source_addr=b"12065550100",
            destination_addr=_handset(serial),
            registered_delivery=1,
            short_message=b"message %d" % serial,
        )


def _handset(serial: int) -> bytes:
    return b"1666555%04d" % (serial % HANDSETS)
