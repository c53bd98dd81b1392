"""How long it will take until what waits has left, as far as limits tell: an estimate for people."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate
from typing import Final

DAY_SECONDS: Final = 86_400


class Shares:
    """What several have waiting for one limit that lets them go on in turn, one segment each."""

    def __init__(self, segments: Iterable[int]) -> None:
        self._sorted = sorted(segments)
        self._sums = [0, *accumulate(self._sorted)]

    def before_end_of(self, own: int) -> int:
        """Return how many segments leave, of all of them together, until one who has `own` waiting has none left."""
        smaller = bisect_right(self._sorted, own)
        return self._sums[smaller] + own * (len(self._sorted) - smaller)


def over_days(seconds: float, segments: int, *, left: int, per_day: int, day_left_seconds: float) -> float:
    """Return how long `segments` take that count to a day's cap, of which `left` are left today, then `per_day` a day.

    They would take `seconds` without a cap; `day_left_seconds` is how long today lasts.
    """
    if segments <= left:
        return seconds
    full_days, rest = divmod(segments - left - 1, per_day)
    until_then = day_left_seconds + full_days * DAY_SECONDS
    return max(seconds, until_then + (rest + 1) * seconds / segments)
