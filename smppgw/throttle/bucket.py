"""A token bucket in integers and nanoseconds: no clock, no task, exact over every window."""

from __future__ import annotations

from typing import Final, NamedTuple

NS: Final = 1_000_000_000


class Rate(NamedTuple):
    """How fast tokens come, and how far ahead of that they may be taken."""

    interval_ns: int
    """Between two tokens."""
    tolerance_ns: int
    """So much worth of tokens that were not taken in time may be taken at once, beside the one that is due."""

    @classmethod
    def of(cls, tokens: float, *, seconds: int = 1, burst_seconds: float) -> Rate:
        """So many `tokens`, above 0, in so many `seconds`; never above that: the interval is rounded up."""
        numerator, denominator = tokens.as_integer_ratio()
        return cls(-(-seconds * NS * denominator // numerator), int(burst_seconds * NS))

    @property
    def burst(self) -> int:
        """The most tokens that are there at once."""
        return 1 + self.tolerance_ns // self.interval_ns


class Bucket:
    """How many tokens may be taken now, and when the next one may.

    Over every window of length w at most 1 + (tolerance + w) / interval tokens are taken (GCRA in its virtual
    scheduling form, ITU-T I.371). More at once than it ever holds may be taken when it is full, and who comes later
    waits until they have been made up for; then the bound is as many + w / interval.

    It starts empty, and since its start never more have been taken than have come: what is taken beyond what it holds
    comes first, then, unless it was idle before. So all this holds across a restart, too.
    """

    __slots__ = ("begun_ns", "gate_ns", "granted", "interval_ns", "tolerance_ns")

    def __init__(self, rate: Rate, now_ns: int) -> None:
        self.interval_ns, self.tolerance_ns = rate
        self.gate_ns = now_ns + self.interval_ns
        """When there is a token, or was; hot paths read it."""
        self.granted = 0
        """Tokens that were taken, in all."""
        self.begun_ns = now_ns
        """When the first of them would have begun to come at this rate, had each been taken when it was there."""

    def available(self, now_ns: int) -> int:
        """Return how many tokens could be taken now, one by one."""
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
        """Return when so many tokens may be taken at once: now, or later (monotonic nanoseconds)."""
        ahead_ns = (tokens - 1) * self.interval_ns
        if ahead_ns <= self.tolerance_ns:
            return max(now_ns, self.gate_ns + ahead_ns)
        come_ns = self.begun_ns + (self.granted + tokens) * self.interval_ns
        return max(now_ns, self.gate_ns + self.tolerance_ns, come_ns)

    def spend(self, tokens: int, now_ns: int) -> None:
        """Take tokens that are there: `ready_at` has said so."""
        self.gate_ns = max(self.gate_ns, now_ns - self.tolerance_ns) + tokens * self.interval_ns
        self.granted += tokens

    def change(self, rate: Rate, now_ns: int) -> None:
        """Go on at another rate, with as much as there was, or was wanting: parts of a token, too.

        Over every window at most the largest burst, and what has come at the rate of each moment, are taken.
        """
        if rate == (self.interval_ns, self.tolerance_ns):
            return
        unused_ns = min(now_ns - self.gate_ns, self.tolerance_ns) * rate.interval_ns // self.interval_ns
        self.gate_ns = now_ns - unused_ns
        self.interval_ns, self.tolerance_ns = rate
        self.begun_ns = self.gate_ns - (self.granted + 1) * self.interval_ns
