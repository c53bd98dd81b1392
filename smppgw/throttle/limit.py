"""What keeps messages back: a rate, or the cap of a day; and the lanes that wait for it."""

from __future__ import annotations

from typing import Any, Final, Literal

from smppgw.throttle.bucket import Bucket, Rate
from smppgw.throttle.turns import Turns

Kind = Literal["number", "campaign", "brand_day"]

NOTHING_SHARED: Final = (None, None)


class Limit(Bucket):
    """The rate of a number, or of a campaign, in segments. There are as many as numbers: it is kept small."""

    __slots__ = ("kind", "name", "out", "promised_ns", "shared", "waiting")

    def __init__(self, kind: Kind, name: str, rate: Rate, now_ns: int) -> None:
        super().__init__(rate, now_ns)
        self.kind = kind
        self.name = name
        self.waiting: Turns[Any] | None = None
        """Lanes that wait for it; None for none."""
        self.out = 0
        """Lanes that it has let go on, and that have not been sent of yet."""
        self.promised_ns = 0
        """As `gate_ns`, with what ESMEs that do not queue have been promised and has not left."""
        self.shared: tuple[Limit | None, Any] = NOTHING_SHARED
        """Of a number: the limit of its campaign, and the `DayCap` of its brand."""

    def promise(self, segments: int, now_ns: int) -> bool:
        """Return whether so many more could leave now, beside what was promised before; if so, that is promised.

        It promises nothing while lanes wait. A promise is no grant: it is over when its time is.
        """
        ahead_ns = max(0, self.promised_ns - self.gate_ns)
        without_ns = now_ns - ahead_ns
        if self.waiting is not None or self.ready_at(without_ns, segments) > without_ns:
            return False
        gate_ns = max(self.gate_ns + ahead_ns, now_ns - self.tolerance_ns)
        self.promised_ns = gate_ns + segments * self.interval_ns
        return True

    def change(self, rate: Rate, now_ns: int) -> None:
        """Go on at another rate, as a bucket does; what was promised stays promised."""
        ahead_ns = max(0, self.promised_ns - max(self.gate_ns, now_ns - self.tolerance_ns))
        interval_ns = self.interval_ns
        super().change(rate, now_ns)
        self.promised_ns = self.gate_ns + ahead_ns * self.interval_ns // interval_ns
