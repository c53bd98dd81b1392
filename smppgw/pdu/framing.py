"""Cut whole PDUs out of a stream of octets, and bound what a peer can make us hold."""

from __future__ import annotations

import sys
from itertools import repeat
from struct import Struct
from typing import Final

from smppgw.pdu.constants import HEADER_OCTETS
from smppgw.pdu.errors import CommandLengthError

Frame = tuple[int, int, int, bytes]
"""command_id, command_status, sequence_number, octets of the whole PDU with its header."""

_LENGTH_OCTETS: Final = 4
_unpack_header = Struct(">IIII").unpack_from


class FrameBuffer:
    """The octets a connection has read and not yet handed on as frames.

    `limit` is the highest command_length accepted, in octets; it may be changed between calls.
    """

    __slots__ = ("_at", "_head", "_need", "_tail", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._head = b""  # frames are cut from here, beginning at _at; empty only when nothing is held
        self._at = 0
        self._tail = bytearray()  # what arrived behind _head
        self._need = _LENGTH_OCTETS  # octets without which the front can not be judged or handed out

    @property
    def pending(self) -> int:
        """Octets held that no `take` has handed out yet."""
        return len(self._head) - self._at + len(self._tail)

    def feed(self, data: bytes) -> None:
        """Hold octets that arrived. Whole frames are not copied, the parts of one are joined once."""
        if not self._head:
            self._head = data
        elif not self._tail and self.pending < self._need <= self.pending + len(data):
            self._head = self._head[self._at :] + data
            self._at = 0
        else:
            self._tail += data

    def take(self, most: int = sys.maxsize) -> list[Frame]:
        """Return whole frames in the order they arrived, at most `most`.

        Raises: CommandLengthError when the fault stands at the very front, now and at each call after that;
        frames before it are returned first. It is seen as soon as the command_length's four octets are there.
        """
        frames: list[Frame] = []
        append = frames.append
        while self._head and len(frames) < most:
            octets, at, limit = self._head, self._at, self.limit
            end = len(octets)
            last_header = end - HEADER_OCTETS
            for _ in repeat(None, most - len(frames)):
                if at > last_header:
                    break
                command_length, command_id, command_status, sequence_number = _unpack_header(octets, at)
                stop = at + command_length
                if stop > end or not HEADER_OCTETS <= command_length <= limit:
                    break
                append((command_id, command_status, sequence_number, octets[at:stop]))
                at = stop
            if at == end:
                self._head, self._at = bytes(self._tail), 0
                self._tail.clear()
                self._need = _LENGTH_OCTETS
            else:
                self._at = at
                if len(frames) < most and not self._complete_front(raises=not frames):
                    break
        return frames

    def _complete_front(self, *, raises: bool) -> bool:
        """Judge the PDU at the front, not whole in `_head`; join the two parts if that makes it whole."""
        if self._at:
            self._head, self._at, self._need = self._head[self._at :], 0, _LENGTH_OCTETS
        held = len(self._head) + len(self._tail)
        if held < self._need <= self.limit:
            return False
        front = self._head[:HEADER_OCTETS] + self._tail[:HEADER_OCTETS]
        command_length = int.from_bytes(front[:_LENGTH_OCTETS], "big")
        if not HEADER_OCTETS <= command_length <= self.limit:
            if not raises:
                return False
            sequence_number = int.from_bytes(front[12:16], "big") if held >= HEADER_OCTETS else 0
            raise CommandLengthError(command_length, self.limit, sequence_number)
        self._need = command_length
        if held < command_length:
            return False
        self._head += self._tail
        self._tail.clear()
        return True
