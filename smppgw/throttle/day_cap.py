"""The cap of a brand: so many segments a day, from midnight to midnight in Los Angeles, durable before they are used.

What may leave has been reserved on disk before, a piece at a time: after a crash all that was reserved counts as used,
so that the cap is never exceeded, and less than a piece is lost.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from smppgw.throttle.limit import Kind
from smppgw.throttle.turns import Turns

PACIFIC: Final = ZoneInfo("America/Los_Angeles")
"""Where carriers' days begin (docs.bird.com throughput-and-daily-caps; support.aloware.com 6958138)."""

PIECES: Final = 100
"""Of a day's cap one piece is this part, within these bounds."""
LEAST_PIECE: Final = 2
LARGEST_PIECE: Final = 10_000


def pacific_day(now: datetime) -> int:
    """Return the day that it is in Los Angeles at a moment (with its time zone), as an ordinal date."""
    return now.astimezone(PACIFIC).toordinal()


def day_ends(now: datetime) -> datetime:
    """Return when the day ends that it is in Los Angeles at a moment, in UTC: 23, 24 or 25 hours after it began."""
    tomorrow = now.astimezone(PACIFIC).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), PACIFIC).astimezone(UTC)


class DayCap:
    """What may be used of a day, by all brands of one tax id. Its days never go back."""

    __slots__ = (
        "_old_promises",
        "brands",
        "closed",
        "day",
        "kind",
        "name",
        "out",
        "promised",
        "reserved",
        "room",
        "segments_per_day",
        "tax_id",
        "used",
        "waiting",
    )

    def __init__(self, brands: tuple[str, ...], segments_per_day: int, day: int, *, tax_id: str = "") -> None:
        """`brands` are all of `tax_id`; or one that has none."""
        self.kind: Kind = "brand_day"
        self.brands = brands
        """Their ids."""
        self.tax_id = tax_id
        self.name = ", ".join(brands)
        self.segments_per_day = segments_per_day
        self.day = day
        """An ordinal date."""
        self.used = 0
        """Segments of that day; those of earlier runs as they were reserved."""
        self.reserved = 0
        """Up to so many used ones are durable."""
        self.room = 0
        """Reserved and not used: so many may leave now. Hot paths read it."""
        self.closed = False
        """Whether the day is so near its end that no more leaves."""
        self.promised = 0
        """What ESMEs that do not queue have been promised lately."""
        self._old_promises = 0
        self.waiting: Turns[Any] | None = None
        """Lanes that wait for it; None for none."""
        self.out = 0
        """Lanes that it has let go on, and that have not been sent of yet."""

    @property
    def left(self) -> int:
        """Segments of the day that are not used."""
        return max(0, self.segments_per_day - self.used)

    def spend(self, segments: int) -> None:
        """Use what there is `room` for. A promise is kept by it, whoever's it was."""
        self.used += segments
        self.room -= segments
        if self.promised:
            self.promised = max(0, self.promised - segments)
            self._old_promises = max(0, self._old_promises - segments)

    def promise(self, segments: int) -> bool:
        """Return whether the day has so many left, beside what was promised before; if so, that is promised.

        It promises nothing while lanes wait for more than the next piece. A promise is no grant: it is over when so
        much is used, or when `forget_promises` says so.
        """
        waits = self.waiting is not None and self.reserved >= self.segments_per_day
        if waits or self.closed or self.left < self.promised + segments:
            return False
        self.promised += segments
        return True

    def forget_promises(self) -> None:
        """Forget what had been promised when this was called last: by now it has left, or waits."""
        self.promised -= self._old_promises
        self._old_promises = self.promised

    # ---- days -----------------------------------------------------------------------------------------------

    def begin(self, day: int) -> None:
        """Begin a day, or go on with one that was closed; never with an earlier one."""
        if day > self.day:
            self.day = day
            self.used = self.reserved = 0
        self.closed = False
        self._make_room()

    def close(self) -> None:
        """Let no more leave of this day: the carrier would count it to the next."""
        self.closed = True
        self._make_room()

    # ---- what is durable ------------------------------------------------------------------------------------

    def wanted(self, first: int = 0) -> int | None:
        """Return the total of the day to be made durable next; None where there is enough, or no more.

        What is reserved and not used is never more than a piece, or `first`: segments of the message that leaves next.
        """
        piece = max(LEAST_PIECE, min(LARGEST_PIECE, self.segments_per_day // PIECES))
        if self.closed or (self.room >= first and 2 * self.room > piece):
            return None
        total = min(self.segments_per_day, self.used + max(piece, first))
        return total if total > max(self.used, self.reserved) else None

    def reserved_to(self, day: int, total: int) -> None:
        """So many segments of a day, in all, are durable: up to that they may be used."""
        if day == self.day and total > self.reserved:
            self.reserved = total
            self._make_room()

    def count(self, segments: int) -> None:
        """Count as used what was used of the day elsewhere: in an earlier run, or under another tax id."""
        self.used += segments
        self._make_room()

    def change(self, brands: tuple[str, ...], segments_per_day: int) -> None:
        """Go on with another cap, or with other brands; what was used of the day stays used."""
        self.segments_per_day = segments_per_day
        self.brands = brands
        self.name = ", ".join(brands)
        self._make_room()

    def _make_room(self) -> None:
        allowed = 0 if self.closed else min(self.reserved, self.segments_per_day)
        self.room = max(0, allowed - self.used)
