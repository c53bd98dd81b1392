"""What one side sends: answers, and requests, each under its own sequence_number until it is answered.

Hot path: `messages` writes a whole batch with one header, one dict entry and no check of its own for each message.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from struct import Struct

from smppgw.pdu.constants import HEADER_OCTETS, RESPONSE_BIT, CommandId
from smppgw.pdu.framing import Frame
from smppgw.session.control import Control
from smppgw.session.errors import WindowFull
from smppgw.session.sequence import SequenceNumbers
from smppgw.session.window import Entry, Window

_header = Struct(">IIII").pack


class Outgoing:
    """The octets to write, in order, and the requests among them that wait for a response."""

    __slots__ = ("_numbers", "control", "octets", "window")

    def __init__(self, window: int) -> None:
        self.window = Window(window)
        self.control = Control()
        self.octets: list[bytes] = []
        self._numbers = SequenceNumbers()

    def take(self) -> list[bytes]:
        """Return, and forget, the octets to write."""
        octets, self.octets = self.octets, []
        return octets

    def answer(self, command_id: int, command_status: int, sequence_number: int) -> None:
        """Answer a request with its own response, header only."""
        self.octets.append(_header(HEADER_OCTETS, command_id | RESPONSE_BIT, command_status, sequence_number))

    def refuse(self, requests: Iterable[Frame], command_status: int) -> None:
        """Answer requests with that status."""
        for command_id, _, sequence_number, _ in requests:
            self.answer(command_id, command_status, sequence_number)

    def nack(self, command_status: int, sequence_number: int) -> None:
        """Answer with a generic_nack."""
        self.octets.append(_header(HEADER_OCTETS, CommandId.GENERIC_NACK, command_status, sequence_number))

    def messages(
        self, requests: Sequence[tuple[int, bytes, object]], awaited: Mapping[int, int], now_ns: int
    ) -> None:
        """Send messages, (command_id, body, context) each; `awaited` names the response of each command, 0 for none.

        Raises WindowFull, and KeyError with the command_id that is not in `awaited`; then nothing is sent.
        """
        if len(requests) > self.window.free:
            raise WindowFull(len(requests), self.window.free)
        numbers = self._numbers.following(len(requests), self.window.entries, self.control)
        pack, header_octets = _header, HEADER_OCTETS
        octets: list[bytes] = []
        entries: dict[int, Entry] = {}
        for sequence_number, (command_id, body, context) in zip(numbers, requests, strict=True):
            response_id = awaited[command_id]
            octets.append(pack(header_octets + len(body), command_id, 0, sequence_number) + body)
            if response_id:
                entries[sequence_number] = (response_id, now_ns, context)
        if octets:
            self._numbers.use(numbers[-1])
            self.octets += octets
            self.window.entries.update(entries)

    def request(self, command_id: int, now_ns: int, octets: bytes = b"") -> None:
        """Send a control request, the body of these whole octets, and wait for its response."""
        self.control.add(self.one_way(command_id, octets), command_id | RESPONSE_BIT, now_ns)

    def one_way(self, command_id: int, octets: bytes) -> int:
        """Send a request that has no response, the body of these whole octets; return its number."""
        body = octets[HEADER_OCTETS:]
        (sequence_number,) = self._numbers.following(1, self.window.entries, self.control)
        self._numbers.use(sequence_number)
        self.octets.append(_header(HEADER_OCTETS + len(body), command_id, 0, sequence_number) + body)
        return sequence_number
