"""How a session ends once both sides have their answers (SMPP v3.4 section 4.2)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Parting:
    """An end that waits for answers, for at most the response timer."""

    since_ns: int
    """Monotonic nanoseconds."""
    reason: str
    unbind: int | None = None
    """The sequence_number of the peer's unbind, which is answered last."""
    answers_come: bool = True
    """Whether the peer can still answer us; if not, only what it is owed is waited for."""

    def settled(self, owed: int, in_flight: int) -> bool:
        """Return whether nothing is waited for any more."""
        return owed <= 0 and not (self.answers_come and in_flight)
