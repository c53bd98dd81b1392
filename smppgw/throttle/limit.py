"""What keeps messages back: a rate, or the cap of a day; and the lanes that wait for it."""

from __future__ import annotations

from typing import Any, Literal

from smppgw.throttle.bucket import Bucket, Rate
from smppgw.throttle.turns import Turns

Kind = Literal["number", "campaign", "brand_day"]


class Limit(Bucket):
    """The rate of a number, or of a campaign, in segments. There are as many as numbers: it is kept small."""

    __slots__ = ("granted", "kind", "name", "out", "promised_ns", "waiting")

    def __init__(self, kind: Kind, name: str, rate: Rate, now_ns: int) -> None:
        super().__init__(rate, now_ns)
        self.kind = kind
        self.name = name
        self.granted = 0
        """Segments that have left, in this run."""
        self.waiting: Turns[Any] | None = None
        """Lanes that wait for it; None for none."""
        self.out = 0
        """Lanes that it has let go on, and that have not been sent of yet."""
        self.promised_ns = 0
        """As `gate_ns`, with what ESMEs that do not queue have been promised and has not left."""

    def promise(self, segments: int, now_ns: int) -> bool:
        """Return whether so many more could leave now, beside what was promised before; if so, that is promised.

        It promises nothing while lanes wait. A promise is no grant: it is over when its time is.
        """
        gate_ns = max(self.gate_ns, self.promised_ns)
        ahead_ns = min((segments - 1) * self.interval_ns, self.tolerance_ns)
        if self.waiting is not None or gate_ns + ahead_ns > now_ns:
            return False
        self.promised_ns = max(gate_ns, now_ns - self.tolerance_ns) + segments * self.interval_ns
        return True
