"""One look at limits, at one moment: what each allows, what is used of it, what waits, and how long that will take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from functools import cached_property
from typing import Any, Final

from smppgw.backlog_view import Tally
from smppgw.drain_time import Shares, over_days
from smppgw.registered import Registered
from smppgw.routing import LANES
from smppgw.throttle.bucket import NS
from smppgw.throttle.day_cap import DayCap, day_ends
from smppgw.throttle.limit import Limit
from smppgw.throttle.limits import Limits
from smppgw.usage import Rates

Entry = dict[str, Any]
"""As JSON can write it."""

_NOTHING: Final = Tally()
_AFTERNOON: Final = time(20, tzinfo=UTC)
"""A time of day at which it is the same date in Los Angeles."""


class Look:
    """Describes numbers, campaigns and brands, as they are at a moment."""

    def __init__(
        self,
        registered: Registered,
        limits: Limits,
        tallies: Mapping[str, Tally],
        rates: Rates,
        *,
        now_ns: int,
        now: datetime,
    ) -> None:
        """`tallies` say what waits, by source address."""
        self._registered = registered
        self._limits = limits
        self._tallies = tallies
        self._rates = rates
        self._now_ns = now_ns
        self._now = now
        self._sources: dict[str, list[str]] = {}
        """The numbers of each campaign of which something waits."""
        self._campaigns: dict[str, Tally] = {}
        """What waits of each campaign of which something does."""
        self._brands: dict[str, Tally] = {}
        for source, tally in tallies.items():
            campaign = registered.campaign_of.get(source)
            if campaign is not None:
                self._sources.setdefault(campaign, []).append(source)
                self._campaigns.setdefault(campaign, Tally()).add(tally)
        for campaign, tally in self._campaigns.items():
            self._brands.setdefault(registered.campaigns[campaign].brand, Tally()).add(tally)
        self._turns: dict[str, Shares] = {}

    # ---- who waits ------------------------------------------------------------------------------------------

    @property
    def used_over_seconds(self) -> float:
        """Over how long a time "used" is."""
        return round(self._rates.seconds, 1)

    @property
    def sources_waiting(self) -> int:
        """How many source addresses have something waiting."""
        return len(self._tallies)

    def waits(self, source: str) -> bool:
        """Whether anything of a source address waits."""
        return source in self._tallies

    def brands_by_waiting(self, brands: Iterable[str]) -> list[str]:
        """Return brands, those of which most waits first."""
        return _by_waiting(brands, self._brands)

    def campaigns_by_waiting(self, campaigns: Iterable[str]) -> list[str]:
        """Return campaigns, those of which most waits first."""
        return _by_waiting(campaigns, self._campaigns)

    def numbers_by_waiting(self, numbers: Iterable[str]) -> list[str]:
        """Return numbers, those of which most waits first."""
        return _by_waiting(numbers, self._tallies)

    # ---- entries --------------------------------------------------------------------------------------------

    def number(self, number: str) -> Entry:
        """Describe a number."""
        limit = self._limits.numbers.get(number)
        tally = self._tallies.get(number, _NOTHING)
        campaign = self._registered.campaign_of.get(number)
        return {
            "number": number,
            "campaign": campaign,
            **self._rate(limit),
            "used_per_second": None if limit is None else self._used(limit),
            **_waiting(tally),
            "drain_seconds": _rounded(self._number_seconds(tally, limit, campaign)),
        }

    def campaign(self, campaign: str) -> Entry:
        """Describe a campaign."""
        settings = self._registered.campaigns[campaign]
        tally = self._campaigns.get(campaign, _NOTHING)
        return {
            "campaign": campaign,
            "brand": settings.brand,
            "status": settings.status,
            "class": settings.class_,
            "pools": self._registered.pools_of.get(campaign, []),
            "numbers": len(self._registered.numbers_of[campaign]),
            **self._rate(self._limits.campaigns.get(campaign)),
            "used_per_second": self._campaign_used(campaign),
            **_waiting(tally),
            "drain_seconds": _rounded(self._campaign_seconds(campaign, tally)),
        }

    def brand(self, brand: str) -> Entry:
        """Describe a brand."""
        tally = self._brands.get(brand, _NOTHING)
        used = [self._campaign_used(campaign) for campaign in self._registered.campaigns_of[brand]]
        known = [each for each in used if each is not None]
        return {
            "brand": brand,
            "status": self._registered.brands[brand].status,
            **self._day(self._limits.caps.get(brand)),
            "used_per_second": round(sum(known), 3) if known else None,
            **_waiting(tally),
            "drain_seconds": _rounded(self._brand_seconds(brand, tally)),
        }

    # ---- what is allowed, and used --------------------------------------------------------------------------

    def _rate(self, limit: Limit | None) -> Entry:
        if limit is None:
            return {"segments_per_second": None, "next_token_seconds": None}
        return {
            "segments_per_second": round(NS / limit.interval_ns, 4),
            "next_token_seconds": round((limit.ready_at(self._now_ns) - self._now_ns) / NS, 3),
        }

    def _used(self, *limits: Limit) -> float:
        return round(self._rates.of(*limits), 3)

    def _campaign_used(self, campaign: str) -> float | None:
        """Return what a campaign, or where it has no rate of its own each of its numbers, has used."""
        limit = self._limits.campaigns.get(campaign)
        if limit is not None:
            return self._used(limit)
        numbers = self._limits.numbers
        limits = [numbers[number] for number in self._registered.numbers_of[campaign] if number in numbers]
        return self._used(*limits) if limits else None

    def _day(self, cap: DayCap | None) -> Entry:
        if cap is None:
            names = ("segments_per_day", "used_today", "left_today", "day", "day_ends", "day_ends_seconds")
            return {**dict.fromkeys(names), "brands_sharing_cap": 0}
        ends = self._ends(cap)
        return {
            "segments_per_day": cap.segments_per_day,
            "used_today": cap.used,
            "left_today": cap.left,
            "day": date.fromordinal(cap.day).isoformat(),
            "day_ends": ends.isoformat(),
            "day_ends_seconds": round((ends - self._now).total_seconds()),
            "brands_sharing_cap": len(self._sharing[cap]),
        }

    def _ends(self, cap: DayCap) -> datetime:
        """Return when the day of a cap ends; that may be a later one than the clock's, if that was set back."""
        return day_ends(datetime.combine(date.fromordinal(cap.day), _AFTERNOON))

    @cached_property
    def _sharing(self) -> dict[DayCap, list[str]]:
        """The brands of each cap."""
        sharing: dict[DayCap, list[str]] = {}
        for brand, cap in self._limits.caps.items():
            sharing.setdefault(cap, []).append(brand)
        return sharing

    # ---- how long it will take ------------------------------------------------------------------------------

    def _number_seconds(self, tally: Tally, limit: Limit | None, campaign: str | None) -> float | None:
        if campaign is None:
            return _seconds(tally, limit)
        seconds = _seconds(tally, limit)
        shared = self._limits.campaigns.get(campaign)
        if shared is not None and tally.segments:
            turns = self._turns.get(campaign)
            if turns is None:
                turns = Shares(self._tallies[source].segments for source in self._sources[campaign])
                self._turns[campaign] = turns
            together = turns.before_end_of(tally.segments) * shared.interval_ns / NS
            seconds = max(seconds or 0.0, together)
        cap = self._cap_of(campaign)
        if cap is None or not tally.day_segments:
            return seconds
        return self._with_cap(seconds, cap, self._day_turns_of_numbers[cap].before_end_of(tally.day_segments))

    def _campaign_seconds(self, campaign: str, tally: Tally) -> float | None:
        seconds = self._campaign_seconds_by_rate(campaign, tally)
        cap = self._cap_of(campaign)
        if cap is None or not tally.day_segments:
            return seconds
        return self._with_cap(
            seconds, cap, self._day_turns_of_campaigns[cap].before_end_of(tally.day_segments)
        )

    def _campaign_seconds_by_rate(self, campaign: str, tally: Tally) -> float | None:
        numbers = self._limits.numbers
        found = [_seconds(tally, self._limits.campaigns.get(campaign))]
        found += [
            _seconds(self._tallies[source], numbers.get(source)) for source in self._sources.get(campaign, ())
        ]
        return max((each for each in found if each is not None), default=None)

    def _brand_seconds(self, brand: str, tally: Tally) -> float | None:
        found = [
            self._campaign_seconds_by_rate(campaign, waiting)
            for campaign in self._registered.campaigns_of[brand]
            if (waiting := self._campaigns.get(campaign)) is not None
        ]
        seconds = max((each for each in found if each is not None), default=None if tally.messages else 0.0)
        cap = self._limits.caps.get(brand)
        if cap is None or not tally.day_segments:
            return seconds
        everybody = sum(
            [self._brands[each].day_segments for each in self._sharing[cap] if each in self._brands]
        )
        return self._with_cap(seconds, cap, everybody)

    def _with_cap(self, seconds: float | None, cap: DayCap, day_segments: int) -> float | None:
        if day_segments <= cap.left:
            return seconds
        return over_days(
            seconds or 0.0,
            day_segments,
            left=cap.left,
            per_day=cap.segments_per_day,
            day_left_seconds=max(0.0, (self._ends(cap) - self._now).total_seconds()),
        )

    def _cap_of(self, campaign: str) -> DayCap | None:
        return self._limits.caps.get(self._registered.campaigns[campaign].brand)

    @cached_property
    def _day_turns_of_campaigns(self) -> dict[DayCap, Shares]:
        return self._day_turns((campaign, tally) for campaign, tally in self._campaigns.items())

    @cached_property
    def _day_turns_of_numbers(self) -> dict[DayCap, Shares]:
        return self._day_turns(
            (campaign, self._tallies[source])
            for campaign, sources in self._sources.items()
            for source in sources
        )

    def _day_turns(self, waiting: Iterable[tuple[str, Tally]]) -> dict[DayCap, Shares]:
        found: dict[DayCap, list[int]] = {}
        for campaign, tally in waiting:
            cap = self._cap_of(campaign)
            if cap is not None:
                found.setdefault(cap, []).append(tally.day_segments)
        return {cap: Shares(segments) for cap, segments in found.items()}


def _by_waiting(names: Iterable[str], tallies: Mapping[str, Tally]) -> list[str]:
    """Return names in the order of what waits, those of which nothing does in their own."""

    def waiting(name: str) -> int:
        tally = tallies.get(name)
        return 0 if tally is None else tally.messages + tally.aside

    return sorted(names, key=waiting, reverse=True)


def _seconds(tally: Tally, limit: Limit | None) -> float | None:
    """Return how long a rate keeps what waits; None where there is none to tell."""
    if not tally.segments:
        return 0.0
    return None if limit is None else tally.segments * limit.interval_ns / NS


def _waiting(tally: Tally) -> Entry:
    return {
        "waiting": tally.messages,
        "waiting_segments": tally.segments,
        "aside": tally.aside,
        "lanes": dict(zip(LANES, tally.lanes, strict=True)),
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
