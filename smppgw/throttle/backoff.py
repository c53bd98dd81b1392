"""How fast a bind may go once its carrier has complained: half at once, a little more each second, then free again."""

from __future__ import annotations

from typing import Final

from smppgw.throttle.bucket import NS, Bucket, Rate

PAUSE_NS: Final = NS
"""Nothing is sent for one second after ESME_RTHROTTLED or ESME_RMSGQFUL."""

STEPS_UP: Final = 20
"""Seconds of growth from half the speed at which the carrier complained to that speed, and as many beyond it."""

BURST_SECONDS: Final = 0.1
"""Of a slowed bind that had nothing to send for a while, so many seconds' worth may leave at once."""


class Pace:
    """Additive increase, multiplicative decrease for one bind. Unlimited until the carrier complains."""

    __slots__ = (
        "_bucket",
        "_complained_at",
        "_grow_at_ns",
        "_paused_until_ns",
        "_rate",
        "_second_ns",
        "_sent",
    )

    def __init__(self) -> None:
        self._rate = 0.0
        self._complained_at = 0.0
        self._bucket: Bucket | None = None
        self._paused_until_ns = 0
        self._grow_at_ns = 0
        self._second_ns = 0
        self._sent = 0

    @property
    def limited(self) -> bool:
        """Whether a complaint still slows this bind down."""
        return self._bucket is not None

    def throttled(self, now_ns: int) -> None:
        """The carrier complained: pause, then go on at half the speed. Complaints of one pause count as one."""
        if now_ns < self._paused_until_ns:
            return
        elapsed_ns = max(now_ns - self._second_ns, NS // 10)
        speed = self._rate or max(1.0, self._sent * NS / elapsed_ns)
        self._complained_at = speed
        self._paused_until_ns = now_ns + PAUSE_NS
        self._rate = max(1.0, speed / 2)
        self._bucket = Bucket(_rate_of(self._rate), self._paused_until_ns)
        self._grow_at_ns = self._paused_until_ns + NS

    def take(self, wanted: int, now_ns: int) -> int:
        """Return how many of `wanted` messages may be sent now, and count them as sent."""
        if self._bucket is not None:
            if now_ns < self._paused_until_ns:
                return 0
            if now_ns >= self._grow_at_ns:
                self._grow(self._bucket, now_ns)
        granted = wanted if self._bucket is None else self._bucket.take(wanted, now_ns)
        if now_ns - self._second_ns >= NS:
            self._second_ns = now_ns
            self._sent = 0
        self._sent += granted
        return granted

    def ready_at(self, now_ns: int) -> int:
        """Return when something may be sent again (monotonic nanoseconds)."""
        if self._bucket is None:
            return now_ns
        return max(self._paused_until_ns, self._bucket.ready_at(now_ns))

    def _grow(self, bucket: Bucket, now_ns: int) -> None:
        self._rate += max(1.0, self._complained_at / 2 / STEPS_UP)
        if self._rate >= 2 * self._complained_at:
            self._rate = 0.0
            self._bucket = None
        else:
            bucket.change(_rate_of(self._rate), now_ns)
            self._grow_at_ns = now_ns + NS


def _rate_of(per_second: float) -> Rate:
    return Rate.of(per_second, burst_seconds=BURST_SECONDS)
