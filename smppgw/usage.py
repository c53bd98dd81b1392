"""How fast limits have been used lately: what they have granted, looked at every few seconds."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from smppgw.throttle.bucket import NS
from smppgw.throttle.limit import Limit

_KEPT: Final = 2
"""With a sample every five seconds a rate is one over the last 5 to 10."""


class _Sample(NamedTuple):
    at_ns: int
    limits: Sequence[Limit]
    granted: Sequence[int]


class Usage:
    """Remembers what limits had granted a few seconds ago. Nothing is done for a single message."""

    def __init__(self, limits: Iterable[Limit], now_ns: int) -> None:
        self._samples: deque[_Sample] = deque(maxlen=_KEPT)
        self.sample(limits, now_ns)

    def sample(self, limits: Iterable[Limit], now_ns: int) -> None:
        """Note what every limit has granted so far."""
        limits = list(limits)
        self._samples.append(_Sample(now_ns, limits, [limit.granted for limit in limits]))

    def rates(self, now_ns: int) -> Rates:
        """Return the rates since the oldest sample that is kept."""
        return Rates(self._samples[0], now_ns)


class Rates:
    """Rates of one look, in segments a second."""

    def __init__(self, since: _Sample, now_ns: int) -> None:
        self.seconds = max(1.0, (now_ns - since.at_ns) / NS)
        """Over how long they are: no less than a second, so that one segment after the start is no storm."""
        self._before = dict(zip(since.limits, since.granted, strict=True))

    def of(self, *limits: Limit) -> float:
        """Return the rate of some limits together. One that was not there at the time had granted nothing then."""
        before = self._before
        return sum([limit.granted - before.get(limit, 0) for limit in limits]) / self.seconds
