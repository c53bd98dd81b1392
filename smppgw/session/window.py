"""What is unanswered on a session: requests of ours, and requests of the peer.

Hot path: `Window.entries` is read and written directly by `machine`. The dict keeps the order of sending, so the first
entry is the oldest and tells when the response timer expires.
"""

from __future__ import annotations

from typing import TypeAlias

from smppgw.pdu.framing import Frame
from smppgw.session.states import ONE_WAY

Entry: TypeAlias = tuple[int, int, object]
"""command_id of the response that is waited for, when the request was sent (monotonic ns), the owner's context."""


class Window:
    """Outstanding messages of ours by sequence_number (SMPP v3.4 section 2.8)."""

    __slots__ = ("entries", "expired", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self.entries: dict[int, Entry] = {}
        self.expired: dict[int, Entry] = {}
        """Those that have expired, at most `size`, the newest: their response may yet come."""

    @property
    def free(self) -> int:
        """How many more requests may be sent now; never below 0."""
        return max(0, self.size - len(self.entries))

    def contexts(self) -> list[object]:
        """What the owner gave with each outstanding request, in the order of sending."""
        return [context for _, _, context in self.entries.values()]

    def oldest_sent_ns(self) -> int | None:
        """When the oldest outstanding request was sent; None when there is none."""
        for _, sent_ns, _ in self.entries.values():
            return sent_ns
        return None

    def expire(self, sent_before_ns: int) -> list[object]:
        """Move the requests sent at or before that moment to `expired`; return their contexts, oldest first."""
        expired = []
        for sequence_number, (_, sent_ns, context) in self.entries.items():
            if sent_ns > sent_before_ns:
                break
            expired.append((sequence_number, context))
        for sequence_number, _ in expired:
            self.expired.pop(sequence_number, None)
            self.expired[sequence_number] = self.entries.pop(sequence_number)
        while len(self.expired) > self.size:
            del self.expired[next(iter(self.expired))]
        return [context for _, context in expired]

    def clear(self) -> list[object]:
        """Take out everything; return the contexts of what has not expired in the order of sending."""
        contexts = self.contexts()
        self.entries.clear()
        self.expired.clear()
        return contexts


class Owed:
    """Messages of the peer that were handed up and that we have not answered: at most `limit`."""

    __slots__ = ("_one_way", "count", "limit")

    def __init__(self, limit: int, *, one_way: bool) -> None:
        """`one_way` says whether the peer may send messages that are never answered."""
        self.limit = limit
        self.count = 0
        self._one_way = one_way

    def admit(self, requests: list[Frame]) -> tuple[list[Frame], list[Frame]]:
        """Count requests in; return those that are handed up, and those above the limit."""
        owed = len(requests)
        if self._one_way:
            owed -= sum(1 for frame in requests if frame[0] in ONE_WAY)
        room = max(0, self.limit - self.count)
        if owed <= room:
            self.count += owed
            return requests, []
        admitted: list[Frame] = []
        excess: list[Frame] = []
        for frame in requests:
            if frame[0] in ONE_WAY:
                admitted.append(frame)
            elif room:
                room -= 1
                self.count += 1
                admitted.append(frame)
            else:
                excess.append(frame)
        return admitted, excess
