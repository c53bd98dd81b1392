"""The limits of every number, campaign and brand of a configuration, kept through each reload of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from smppgw.settings import BrandSettings, CampaignSettings, NumberSettings, Settings
from smppgw.tables import NumberType
from smppgw.throttle.bucket import Rate
from smppgw.throttle.day_cap import DayCap
from smppgw.throttle.limit import NOTHING_SHARED, Kind, Limit
from smppgw.throttle.nanp import number_type

MINUTE: Final = 60
"""Seconds."""


class Terms(NamedTuple):
    """What keeps the messages of one source address back."""

    number: Limit | None
    campaign: Limit | None
    cap: DayCap | None


NO_TERMS: Final = Terms(None, None, None)


class Limits:
    """Every limit that there is. A source address that the configuration does not name has none."""

    def __init__(self, settings: Settings, now_ns: int, today: int) -> None:
        """`today` as `pacific_day` says it. What caps have used of it is for `Quotas` to find out."""
        self.numbers: dict[str, Limit] = {}
        """By number, canonical."""
        self.campaigns: dict[str, Limit] = {}
        """By id."""
        self.caps: dict[str, DayCap] = {}
        """By the id of each brand; those of one tax id have one."""
        self._today = today
        self._shared: dict[str, tuple[Limit | None, DayCap | None]] = {}
        """By number that has no limit of its own, what it shares with the others of its campaign."""
        self.reload(settings, now_ns)

    def of(self, source: str) -> Terms:
        """Return what keeps the messages of a source address, canonical, back."""
        number = self.numbers.get(source)
        if number is not None:
            return Terms(number, *number.shared)
        shared = self._shared.get(source)
        return NO_TERMS if shared is None else Terms(None, *shared)

    def reload(self, settings: Settings, now_ns: int) -> None:
        """Go by another configuration. What is limited under the same name goes on with what it had left."""
        rates = _Rates(settings)
        self.caps = self._caps_of(settings)
        campaigns: dict[str, Limit] = {}
        numbers: dict[str, Limit] = {}
        for number, number_rate in rates.of_numbers(settings):
            _go_on(self.numbers, numbers, "number", number, number_rate, now_ns)
            numbers[number].shared = NOTHING_SHARED
        shared: dict[str, tuple[Limit | None, DayCap | None]] = {}
        for campaign in settings.campaigns:
            rate = rates.of_campaign(campaign)
            if rate is not None:
                _go_on(self.campaigns, campaigns, "campaign", campaign.id, rate, now_ns)
            both = campaigns.get(campaign.id), self.caps.get(campaign.brand)
            if both != NOTHING_SHARED:
                for number in campaign.numbers:
                    if number in numbers:
                        numbers[number].shared = both
                    else:
                        shared[number] = both
        self.campaigns, self.numbers, self._shared = campaigns, numbers, shared

    def _caps_of(self, settings: Settings) -> dict[str, DayCap]:
        tiers = {tier.name: tier.segments_per_day for tier in settings.tiers.tiers} if settings.tiers else {}
        groups: defaultdict[tuple[str, str], list[BrandSettings]] = defaultdict(list)
        for brand in settings.brands:
            tax_id = _plain(brand.tax_id)
            groups[tax_id, "" if tax_id else brand.id].append(brand)
        before = {(cap.tax_id, "" if cap.tax_id else cap.brands[0]): cap for cap in self.caps.values()}
        caps: dict[str, DayCap] = {}
        for group, brands in groups.items():
            said = [
                tiers.get(brand.tier or "") if brand.segments_per_day is None else brand.segments_per_day
                for brand in brands
            ]
            lowest = min([each for each in said if isinstance(each, int)], default=None)
            if lowest is None:
                continue
            ids = tuple([brand.id for brand in brands])
            cap = before.get(group)
            if cap is None:
                cap = DayCap(ids, lowest, self._today, tax_id=group[0])
            else:
                cap.change(ids, lowest)
            caps.update(dict.fromkeys(ids, cap))
        return caps


def _go_on(
    before: dict[str, Limit], limits: dict[str, Limit], kind: Kind, name: str, rate: Rate, now_ns: int
) -> None:
    """Put a limit where it belongs: the one that was there, at its rate of now, or an empty one."""
    limit = before.get(name)
    if limit is None:
        limit = Limit(kind, name, rate, now_ns)
    else:
        limit.change(rate, now_ns)
    limits[limit.name] = limit


def _plain(tax_id: str) -> str:
    """A tax id as it is compared: with or without hyphens and spaces, in any case, it is the same one."""
    return "".join(filter(str.isalnum, tax_id)).casefold()


class _Rates:
    """The rates that a configuration states, or leaves to the table of tiers. Equal ones are one object."""

    def __init__(self, settings: Settings) -> None:
        self._burst_seconds = settings.limits.burst_seconds
        self._made: dict[tuple[float, int], Rate] = {}
        table = settings.tiers
        self._classes = {each.name: each for each in table.classes} if table else {}
        rates = table.number_rates if table else ()
        self._of_type: dict[NumberType, Rate] = {
            each.type: self._rate(each.segments_per_second) for each in rates
        }

    def of_campaign(self, campaign: CampaignSettings) -> Rate | None:
        """Return the rate that all numbers of a campaign share."""
        return self._of_class(campaign) if self._scope(campaign) == "campaign" else None

    def of_numbers(self, settings: Settings) -> Iterator[tuple[str, Rate]]:
        """Yield every number that has a rate of its own."""
        own = {each.number: each for each in settings.numbers}
        for campaign in settings.campaigns:
            of_class = self._of_class(campaign) if self._scope(campaign) == "number" else None
            defaults = self._defaults_in(campaign)
            for number in campaign.numbers:
                rate = _stricter(self._of_number(number, own.pop(number, None), defaults), of_class)
                if rate is not None:
                    yield number, rate
        for number, each in own.items():
            rate = self._of_number(number, each, self._of_type)
            if rate is not None:
                yield number, rate

    def _of_number(
        self, number: str, own: NumberSettings | None, defaults: dict[NumberType, Rate]
    ) -> Rate | None:
        if own is None:
            return defaults.get(number_type(number))
        if own.segments_per_second is not None:
            return self._rate(own.segments_per_second)
        return defaults.get(own.type or number_type(number))

    def _defaults_in(self, campaign: CampaignSettings) -> dict[NumberType, Rate]:
        """The rates by type for the numbers of a campaign: none is below what is stated for the whole of it."""
        if campaign.segments_per_minute is None:
            return self._of_type
        if campaign.segments_per_minute == "unlimited":
            return {}
        stated = self._rate(campaign.segments_per_minute, MINUTE)
        return {type_: min(rate, stated) for type_, rate in self._of_type.items()}

    def _of_class(self, campaign: CampaignSettings) -> Rate | None:
        """The rate of a campaign, or of each of its numbers: the one it states, in the place of its class's."""
        stated = campaign.segments_per_minute
        if stated is None and campaign.class_ in self._classes:
            stated = self._classes[campaign.class_].segments_per_minute
        return self._rate(stated, MINUTE) if isinstance(stated, int) else None

    def _scope(self, campaign: CampaignSettings) -> Literal["campaign", "number"]:
        return self._classes[campaign.class_].scope if campaign.class_ in self._classes else "campaign"

    def _rate(self, segments: float, seconds: int = 1) -> Rate:
        key = segments, seconds
        if key not in self._made:
            self._made[key] = Rate.of(segments, seconds=seconds, burst_seconds=self._burst_seconds)
        return self._made[key]


def _stricter(one: Rate | None, other: Rate | None) -> Rate | None:
    """The slower of two rates, which have one tolerance: the one with the longer interval."""
    if one is None or other is None:
        return one or other
    return max(one, other)
