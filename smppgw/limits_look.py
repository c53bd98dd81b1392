"""One look at limits, at one moment: what each allows, what is used of it, what waits, and how long that will take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from typing import Any, Final, Literal

from smppgw.backlog_view import Backlog, Tally
from smppgw.drain_time import Shares, over_days
from smppgw.registered import Registered
from smppgw.routing import LANES
from smppgw.throttle.bucket import NS
from smppgw.throttle.day_cap import PACIFIC, DayCap, day_ends
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
        backlog: Backlog,
        rates: Rates,
        *,
        now_ns: int,
        now: datetime,
    ) -> None:
        """`backlog` has the numbers that are to be described."""
        self._registered = registered
        self._limits = limits
        self._backlog = backlog
        self._rates = rates
        self._now_ns = now_ns
        self._now = now
        self._brands: dict[str, Tally] = {}
        self._by_rate: dict[str, float | None] = {}
        self._turns: dict[str, Shares] = {}
        self._day_turns: dict[str, Shares] = {}

    # ---- who waits ------------------------------------------------------------------------------------------

    @property
    def used_over_seconds(self) -> float:
        """Over how long a time "used" is."""
        return round(self._rates.seconds, 1)

    @property
    def sources_waiting(self) -> int:
        """How many source addresses have something waiting."""
        return len(self._backlog.segments)

    def brands_by_waiting(self, brands: Iterable[str]) -> list[str]:
        """Return brands, those of which most waits first."""
        waiting: dict[str, int] = {}
        campaigns = self._registered.campaigns
        for campaign, tally in self._backlog.campaigns.items():
            brand = campaigns[campaign].brand
            waiting[brand] = waiting.get(brand, 0) + tally.messages + tally.aside
        return _by_waiting(brands, waiting)

    def campaigns_by_waiting(self, campaigns: Iterable[str]) -> list[str]:
        """Return campaigns, those of which most waits first."""
        tallies = self._backlog.campaigns
        return _by_waiting(campaigns, {name: tally.messages + tally.aside for name, tally in tallies.items()})

    def numbers_by_waiting(self, numbers: Iterable[str]) -> list[str]:
        """Return numbers, those of which most waits first."""
        tallies = self._backlog.numbers
        return _by_waiting(numbers, {name: tally.messages + tally.aside for name, tally in tallies.items()})

    # ---- entries --------------------------------------------------------------------------------------------

    def number(self, number: str) -> Entry:
        """Describe a number."""
        limit = self._limits.numbers.get(number)
        tally = self._backlog.numbers.get(number, _NOTHING)
        return {
            "number": number,
            "campaign": self._registered.campaign_of.get(number),
            **self._rate(limit),
            "used_per_second": None if limit is None else self._used(limit),
            **_waiting(tally),
            "drain_seconds": _rounded(self._number_seconds(number, tally)),
        }

    def campaign(self, campaign: str) -> Entry:
        """Describe a campaign."""
        settings = self._registered.campaigns[campaign]
        tally = self._backlog.campaigns.get(campaign, _NOTHING)
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
        tally = self._brand_tally(brand)
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

    def _brand_tally(self, brand: str) -> Tally:
        """Return what waits of a brand."""
        tally = self._brands.get(brand)
        if tally is None:
            tally = self._brands[brand] = Tally()
            for campaign in self._registered.campaigns_of.get(brand, ()):
                if campaign in self._backlog.campaigns:
                    tally.add(self._backlog.campaigns[campaign])
        return tally

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
            "day_ends": ends.astimezone(PACIFIC).isoformat(),
            "day_ends_seconds": round((ends - self._now).total_seconds()),
            "brands_sharing_cap": len(cap.brands),
        }

    def _ends(self, cap: DayCap) -> datetime:
        """Return when the day of a cap ends; that may be a later one than the clock's, if that was set back."""
        return day_ends(datetime.combine(date.fromordinal(cap.day), _AFTERNOON))

    # ---- how long it will take ------------------------------------------------------------------------------

    def _number_seconds(self, number: str, tally: Tally) -> float | None:
        seconds = _seconds(tally.segments, self._limits.numbers.get(number))
        campaign = self._registered.campaign_of.get(number)
        if campaign is None:
            return seconds
        shared = self._limits.campaigns.get(campaign)
        if shared is not None:
            together = self._turns_of(campaign).before_end_of(tally.segments)
            seconds = max(seconds or 0.0, together * shared.interval_ns / NS)
        cap = self._cap_of(campaign)
        if cap is None or not tally.day_segments:
            return seconds
        turns = self._day_turns_of(cap, "numbers")
        return self._with_cap(seconds, cap, turns.before_end_of(tally.day_segments))

    def _campaign_seconds(self, campaign: str, tally: Tally) -> float | None:
        seconds = self._campaign_seconds_by_rate(campaign, tally)
        cap = self._cap_of(campaign)
        if cap is None or not tally.day_segments:
            return seconds
        turns = self._day_turns_of(cap, "campaigns")
        return self._with_cap(seconds, cap, turns.before_end_of(tally.day_segments))

    def _campaign_seconds_by_rate(self, campaign: str, tally: Tally) -> float | None:
        """Return how long the rates of a campaign and of its numbers keep it; None where they do not."""
        if campaign in self._by_rate:
            return self._by_rate[campaign]
        numbers, waiting = self._limits.numbers, self._backlog.segments
        found = [_seconds(tally.segments, self._limits.campaigns.get(campaign))]
        if tally.segments and numbers:
            found += [
                _seconds(segments, numbers.get(number))
                for number in self._registered.numbers_of[campaign]
                if (segments := waiting.get(number))
            ]
        seconds = max((each for each in found if each is not None), default=None)
        self._by_rate[campaign] = seconds
        return seconds

    def _brand_seconds(self, brand: str, tally: Tally) -> float | None:
        campaigns = self._backlog.campaigns
        found = [
            self._campaign_seconds_by_rate(campaign, campaigns[campaign])
            for campaign in self._registered.campaigns_of[brand]
            if campaign in campaigns
        ]
        seconds = max((each for each in found if each is not None), default=None if tally.messages else 0.0)
        cap = self._limits.caps.get(brand)
        if cap is None or not tally.day_segments:
            return seconds
        everybody = sum([self._brand_tally(each).day_segments for each in cap.brands])
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

    def _turns_of(self, campaign: str) -> Shares:
        """Return what the numbers of a campaign have waiting for its rate."""
        turns = self._turns.get(campaign)
        if turns is None:
            waiting = self._backlog.segments
            turns = Shares(waiting.get(number, 0) for number in self._registered.numbers_of[campaign])
            self._turns[campaign] = turns
        return turns

    def _day_turns_of(self, cap: DayCap, kind: Literal["campaigns", "numbers"]) -> Shares:
        """Return what campaigns, or numbers, have waiting for a cap."""
        turns = self._day_turns.get(f"{kind} of {cap.name}")
        if turns is None:
            known = self._registered
            campaigns = [each for brand in cap.brands for each in known.campaigns_of.get(brand, ())]
            if kind == "campaigns":
                tallies = self._backlog.campaigns
                turns = Shares(tallies[each].day_segments for each in campaigns if each in tallies)
            else:
                waiting = self._backlog.day_segments
                turns = Shares(
                    waiting.get(number, 0) for each in campaigns for number in known.numbers_of[each]
                )
            self._day_turns[f"{kind} of {cap.name}"] = turns
        return turns


def _by_waiting(names: Iterable[str], waiting: Mapping[str, int]) -> list[str]:
    """Return names in the order of what waits, those of which nothing does in their own."""
    names = list(names)
    first = sorted((name for name in names if waiting.get(name)), key=waiting.__getitem__, reverse=True)
    return first + [name for name in names if not waiting.get(name)]


def _seconds(segments: int, limit: Limit | None) -> float | None:
    """Return how long a rate keeps so many segments; None where there is none to tell."""
    if not segments:
        return 0.0
    return None if limit is None else segments * limit.interval_ns / NS


def _waiting(tally: Tally) -> Entry:
    return {
        "waiting": tally.messages,
        "waiting_segments": tally.segments,
        "aside": tally.aside,
        "lanes": dict(zip(LANES, tally.lanes, strict=True)),
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
