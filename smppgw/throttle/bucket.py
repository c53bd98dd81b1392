"""A token bucket in integers and nanoseconds: no clock, no task, exact over every window."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

NS: Final = 1_000_000_000


class Rate(NamedTuple):
    """How fast tokens come, and how far ahead of that they may be taken."""

    interval_ns: int
    """Between two tokens."""
    tolerance_ns: int
    """So much worth of tokens that were not taken in time may be taken at once, beside the one that is due."""

    @classmethod
    def of(cls, tokens: float, *, seconds: float = 1, burst_seconds: float) -> Rate:
        """So many `tokens`, above 0, in so many `seconds`; never above that: what does not divide is rounded down."""
        return cls(math.ceil(seconds * NS / tokens), int(burst_seconds * NS))

    @property
    def burst(self) -> float:
        """The most tokens that are taken at once."""
        return 1 + self.tolerance_ns / self.interval_ns


class Bucket:
    """How many tokens may be taken now, and when the next one may.

    Over every window of length w at most burst + w / interval tokens are taken, or as many as the largest number that
    is taken at once, in the place of burst (GCRA in its virtual scheduling form, ITU-T I.371). It starts empty, so
    that this holds across a restart, too.
    """

    __slots__ = ("gate_ns", "interval_ns", "tolerance_ns")

    def __init__(self, rate: Rate, now_ns: int) -> None:
        self.interval_ns, self.tolerance_ns = rate
        self.gate_ns = now_ns + self.interval_ns
        """When there is a token, or was; hot paths read it."""

    def available(self, now_ns: int) -> int:
        """Return how many tokens could be taken now."""
        unused_ns = now_ns - self.gate_ns
        if unused_ns < 0:
            return 0
        return 1 + min(unused_ns, self.tolerance_ns) // self.interval_ns

    def take(self, wanted: int, now_ns: int) -> int:
        """Take up to `wanted` tokens; return how many there were."""
        taken = min(wanted, self.available(now_ns))
        if taken > 0:
            self.spend(taken, now_ns)
        return taken

    def ready_at(self, now_ns: int, tokens: int = 1) -> int:
        """Return when there are so many tokens: now, or later (monotonic nanoseconds).

        More than it ever holds may be spent once it is full.
        """
        return max(now_ns, self.gate_ns + min((tokens - 1) * self.interval_ns, self.tolerance_ns))

    def spend(self, tokens: int, now_ns: int) -> None:
        """Take tokens that are there: `ready_at` has said so."""
        self.gate_ns = max(self.gate_ns, now_ns - self.tolerance_ns) + tokens * self.interval_ns

    def change(self, rate: Rate, now_ns: int) -> None:
        """Go on at another rate; what was taken stays taken, and what was not is not won by it."""
        if rate == (self.interval_ns, self.tolerance_ns):
            return
        ahead_ns = self.gate_ns - now_ns
        if ahead_ns > 0:
            tokens = -(-ahead_ns // self.interval_ns)
            self.gate_ns = now_ns + tokens * rate.interval_ns
        else:
            # As many tokens as there were, and no more of the next one than there was.
            unused_ns = min(-ahead_ns, self.tolerance_ns)
            self.gate_ns = now_ns - min(unused_ns * rate.interval_ns // self.interval_ns, rate.tolerance_ns)
        self.interval_ns, self.tolerance_ns = rate
