"""How a session ends once both sides have their answers (SMPP v3.4 section 4.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from smppgw.session.timers import NS

ANSWERS_NS: Final = NS
"""How long a peer that unbinds is waited for to answer us: it has asked to go, and waits for our unbind_resp."""


@dataclass(frozen=True, slots=True)
class Parting:
    """An end that waits for answers: ours to the peer, and for a short while the peer's to us."""

    since_ns: int
    """Monotonic nanoseconds."""
    reason: str
    unbind: int | None = None
    """The sequence_number of the peer's unbind, which is answered last."""
    answers_come: bool = True
    """Whether the peer can still answer us; if not, only what it is owed is waited for."""

    def until_ns(self, owed: int, response_ns: int) -> int | None:
        """Return when it is over whatever is missing; `response_ns` is the response timer, 0 when that is off."""
        if owed > 0:
            return self.since_ns + response_ns if response_ns else None
        return self.since_ns + min(ANSWERS_NS, response_ns or ANSWERS_NS)

    def settled(self, owed: int, in_flight: int) -> bool:
        """Return whether nothing is waited for any more."""
        return owed <= 0 and not (self.answers_come and in_flight)
