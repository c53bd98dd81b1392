"""A token bucket in integers and nanoseconds: no clock, no task, exact over every window."""

from __future__ import annotations

import math
from typing import Final

NS: Final = 1_000_000_000


class TokenBucket:
    """How many messages may pass now, and when the next one may.

    Over every window of length w at most burst + w / interval tokens are taken (GCRA in its virtual scheduling form,
    ITU-T I.371). It starts full.
    """

    __slots__ = ("_burst_ns", "_full_at_ns", "_interval_ns")

    def __init__(self, *, per_second: float, burst: int) -> None:
        """`per_second` tokens a second, above 0; `burst` of them at once, at least 1."""
        self._interval_ns = math.ceil(
            NS / per_second
        )  # rounded so that the rate is never above the one asked for
        self._burst_ns = burst * self._interval_ns
        self._full_at_ns = 0

    def available(self, now_ns: int) -> int:
        """Return how many tokens could be taken now."""
        debt_ns = max(0, self._full_at_ns - now_ns)
        return max(0, (self._burst_ns - debt_ns) // self._interval_ns)

    def take(self, wanted: int, now_ns: int) -> int:
        """Take up to `wanted` tokens; return how many there were."""
        taken = min(wanted, self.available(now_ns))
        if taken > 0:
            self._full_at_ns = max(self._full_at_ns, now_ns) + taken * self._interval_ns
        return taken

    def ready_at(self, now_ns: int) -> int:
        """Return when there is a token: now, or later (monotonic nanoseconds)."""
        return max(now_ns, self._full_at_ns - self._burst_ns + self._interval_ns)
