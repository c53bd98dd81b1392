"""The requests we sent that have no response yet.

Hot path: `entries` is read and written directly by `machine`, one dict operation a message. The dict keeps the order
of sending, so the first entry is the oldest and tells when the response timer expires.
"""

from __future__ import annotations

from typing import TypeAlias

Entry: TypeAlias = tuple[int, int, object]
"""command_id of the response that is waited for, when the request was sent (monotonic ns), the owner's context."""


class Window:
    """Outstanding requests by sequence_number (SMPP v3.4 section 2.8)."""

    __slots__ = ("entries", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self.entries: dict[int, Entry] = {}

    @property
    def free(self) -> int:
        """How many more requests may be sent now."""
        return self.size - len(self.entries)

    def oldest_sent_ns(self) -> int | None:
        """When the oldest outstanding request was sent; None when there is none."""
        for _, sent_ns, _ in self.entries.values():
            return sent_ns
        return None

    def expire(self, sent_before_ns: int) -> list[object]:
        """Take out the requests sent at or before that moment; return their contexts, oldest first."""
        expired = []
        for sequence_number, (_, sent_ns, context) in self.entries.items():
            if sent_ns > sent_before_ns:
                break
            expired.append((sequence_number, context))
        for sequence_number, _ in expired:
            del self.entries[sequence_number]
        return [context for _, context in expired]

    def clear(self) -> list[object]:
        """Take out everything; return the contexts in the order of sending."""
        contexts = [context for _, _, context in self.entries.values()]
        self.entries.clear()
        return contexts
