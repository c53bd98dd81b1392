"""Keeps on disk what brands may use of a day: reserves it a piece at a time, and begins days when Los Angeles does.

What the brands of a tax id have used is written for each of them twice: under its id with the tax id, then under its id
alone. Within a day neither becomes smaller, so that the second is the larger one only where a brand has used something
under another tax id since: that it takes along to whichever it has now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from smppgw.lines import Line
from smppgw.store.api import Store
from smppgw.throttle.day_cap import DayCap, day_ends, pacific_day
from smppgw.throttle.limits import Limits

CLOSED: Final = timedelta(seconds=2)
"""Before the end of a day, when nothing leaves that counts to it: longer than from one `keep` to the next, and than a
message takes to the carrier, who would count it to the next day."""

_NEVER: Final = datetime.min.replace(tzinfo=UTC)


class Quotas:
    """Gives day caps their room. Before `keep` has been called once, they have none."""

    def __init__(
        self,
        store: Store,
        limits: Limits,
        *,
        wall_clock: Callable[[], datetime],
        on_room: Callable[[DayCap], None],
    ) -> None:
        """`on_room` is called with a cap that lanes wait for, when more may leave."""
        self._store = store
        self._limits = limits
        self._wall_clock = wall_clock
        self._on_room = on_room
        self._brands: dict[DayCap, tuple[str, ...]] = {}
        """Every cap there is, with the brands whose use has been taken up."""
        self._asked: dict[DayCap, tuple[int, int]] = {}
        """What is being written: the day and the total."""
        self._looked_at = self._next_look = _NEVER
        """From the one to the other nothing changes by the calendar."""

    def keep(self) -> None:
        """Look after all caps: to be called twice a second, and at once after a reload. The store is open."""
        self._brands = {cap: self._brands.get(cap, ()) for cap in self._limits.caps.values()}
        self._next_look = _NEVER
        self.look_at_clock()
        for cap, brands in self._brands.items():
            if cap.brands != brands:
                self._take_up(cap, brands)
                self._brands[cap] = cap.brands
            cap.forget_promises()
            self._tell(cap)
        self.top_up(self._brands)

    def look_at_clock(self) -> None:
        """Begin a day, or close it, where it is time for that; else it costs next to nothing."""
        now = self._wall_clock()
        if self._looked_at <= now < self._next_look:
            return
        ends = day_ends(now)
        closed = now >= ends - CLOSED
        self._looked_at, self._next_look = now, ends if closed else ends - CLOSED
        today = pacific_day(now)
        for cap in self._brands:
            cap.begin(today)
            if closed and cap.day == today:
                cap.close()

    def top_up(self, caps: Iterable[DayCap]) -> None:
        """Reserve the next piece of those caps that have little room left."""
        for cap in caps:
            asked = self._asked.get(cap)
            if cap not in self._brands or (asked is not None and asked[0] == cap.day):
                continue
            total = cap.wanted(_first(cap))
            if total is not None:
                self._reserve(cap, cap.day, total)

    def _reserve(self, cap: DayCap, day: int, total: int) -> None:
        self._asked[cap] = day, total
        names = [name for brand in cap.brands for name in dict.fromkeys(_names(brand, cap.tax_id))]
        left = len(names)

        def durable() -> None:
            nonlocal left
            left -= 1
            if not left:
                self._reserved(cap, day, total)

        for name in names:
            self._store.reserve(name, day, total, durable)

    def _reserved(self, cap: DayCap, day: int, total: int) -> None:
        if self._asked.get(cap) == (day, total):
            del self._asked[cap]
        cap.reserved_to(day, total)
        if cap in self._brands:
            self._tell(cap)
            self.top_up((cap,))

    def _tell(self, cap: DayCap) -> None:
        if cap.waiting is not None and cap.room:
            self._on_room(cap)

    def _take_up(self, cap: DayCap, known: tuple[str, ...]) -> None:
        """Count what has been reserved of the day for brands that are new here, in earlier runs or elsewhere."""
        records = [
            [self._store.reserved(name) for name in _names(brand, cap.tax_id)]
            for brand in cap.brands
            if brand not in known
        ]
        latest = max([day for pair in records for day, _ in pair], default=0)
        if latest > cap.day:
            cap.begin(latest)
        uses = [[total if day == cap.day else 0 for day, total in pair] for pair in records]
        if not known:  # as in memory it goes on from there
            cap.count(max([here for here, _ in uses]))
        cap.count(sum([anywhere for here, anywhere in uses if anywhere > here]))


def _names(brand: str, tax_id: str) -> tuple[str, str]:
    """Return what the use of a brand's group is written under: the brand in the group, and the brand itself."""
    return (f"{brand}\t{tax_id}" if tax_id else brand), brand


def _first(cap: DayCap) -> int:
    """Return how many segments the message needs that leaves next by a cap that lanes wait for; 0 for none."""
    line: Line | None = cap.waiting.peek() if cap.waiting is not None else None
    head = line.queue.head if line is not None and line.queue is not None else None
    return head[0].day_segments if head else 0
