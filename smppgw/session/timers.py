"""The timers of a session, as deadlines (SMPP v3.4 section 2.9, v5.0 section 2.7): no clock, no task."""

from __future__ import annotations

from dataclasses import dataclass

NS: int = 1_000_000_000


@dataclass(frozen=True, slots=True)
class TimerSettings:
    """How long each timer runs, in nanoseconds; 0 switches one off."""

    session_init_ns: int = 10 * NS
    enquire_link_ns: int = 30 * NS
    inactivity_ns: int = 0
    response_ns: int = 30 * NS
    read_ns: int = 30 * NS

    @classmethod
    def of_seconds(
        cls,
        *,
        session_init: float = 10.0,
        enquire_link: float = 30.0,
        inactivity: float = 0.0,
        response: float = 30.0,
        read: float = 30.0,
    ) -> TimerSettings:
        """Make them from seconds."""
        return cls(
            int(session_init * NS),
            int(enquire_link * NS),
            int(inactivity * NS),
            int(response * NS),
            int(read * NS),
        )


def earliest(*deadlines_ns: int | None) -> int | None:
    """Return the first of the deadlines that are set; None when none is."""
    return min((deadline for deadline in deadlines_ns if deadline is not None), default=None)
