"""What must hold between brands, campaigns, numbers, pools and the applications that use them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from smppgw.config_reader import Breach, named, no_such
from smppgw.settings import BrandSettings, CampaignSettings, Settings
from smppgw.tables import CampaignRules, CountryTable
from smppgw.throttle import nanp

SOLE_PROPRIETOR: Final = "sole_proprietor"
"""The tier of a brand that may have one campaign with one number (help.salesmessage.com 6209896)."""
SOLE_PROPRIETOR_CLASS: Final = "W"


def registration_breaches(settings: Settings) -> Iterator[Breach]:
    """Yield everything there that does not go together."""
    yield from _campaigns(settings)
    yield from _sole_proprietors(settings)
    yield from _pools(settings)
    yield from _numbers(settings)
    yield from _senders(settings)
    yield from _tiers(settings)


def _campaigns(settings: Settings) -> Iterator[Breach]:
    brands = {brand.id for brand in settings.brands}
    pooled = {pool.campaign for pool in settings.pools}
    most = (settings.tiers.campaigns if settings.tiers is not None else CampaignRules()).numbers
    owner: dict[str, str] = {}
    for campaign in settings.campaigns:
        where = named("campaign", campaign.id)
        if campaign.brand and campaign.brand not in brands:
            yield f"{where} brand", no_such("brand", "id", campaign.brand)
        for number in campaign.numbers:
            first = owner.setdefault(number, campaign.id)
            if first != campaign.id:
                yield (
                    f"{where} numbers",
                    f'has {number}, which "{first}" has; expected a number in one campaign',
                )
        if len(set(campaign.numbers)) < len(campaign.numbers):
            yield f"{where} numbers", "has a number twice; expected each once"
        if len(campaign.numbers) > most and campaign.id not in pooled:
            yield (
                f"{where} numbers",
                f"has {len(campaign.numbers)} numbers; expected at most {most}, or a [[pool]] of this campaign",
            )


def _sole_proprietors(settings: Settings) -> Iterator[Breach]:
    campaigns: defaultdict[str, list[CampaignSettings]] = defaultdict(list)
    for campaign in settings.campaigns:
        campaigns[campaign.brand].append(campaign)
    for brand in settings.brands:
        own = campaigns[brand.id]
        if not _is_sole_proprietor(brand, own):
            continue
        for campaign in own[1:]:
            found = f'is "{brand.id}", a sole proprietor with the campaign "{own[0].id}"'
            yield f"{named('campaign', campaign.id)} brand", f"{found}; expected one campaign"
        for campaign in own:
            if len(campaign.numbers) > 1:
                found = f'has {campaign.numbers[1]} beside {campaign.numbers[0]}, and "{brand.id}" is'
                yield (
                    f"{named('campaign', campaign.id)} numbers",
                    f"{found} a sole proprietor; expected one number",
                )


def _is_sole_proprietor(brand: BrandSettings, campaigns: list[CampaignSettings]) -> bool:
    return brand.tier == SOLE_PROPRIETOR or any(each.class_ == SOLE_PROPRIETOR_CLASS for each in campaigns)


def _pools(settings: Settings) -> Iterator[Breach]:
    campaigns = {campaign.id: campaign for campaign in settings.campaigns}
    ids = {nanp.canonical(campaign.id) for campaign in settings.campaigns}
    numbers = {number for campaign in settings.campaigns for number in campaign.numbers}
    numbers.update(each.number for each in settings.numbers)
    for pool in settings.pools:
        where = named("pool", pool.name)
        if pool.name in ids:
            yield f"{where} name", "is the id of a [[campaign]]; expected a name that nothing else has"
        if pool.name in numbers:
            yield f"{where} name", "is a number of the configuration; expected a name that nothing else has"
        campaign = campaigns.get(pool.campaign)
        if campaign is None:
            if pool.campaign:
                yield f"{where} campaign", no_such("campaign", "id", pool.campaign)
            continue
        if not campaign.numbers:
            yield (
                f"{where} campaign",
                f'names "{campaign.id}", which has no numbers; expected one that has some',
            )
        own = set(campaign.numbers)
        for number in pool.numbers:
            if number not in own:
                yield f"{where} numbers", f'has {number}; expected numbers of the campaign "{campaign.id}"'
        if len(set(pool.numbers)) < len(pool.numbers):
            yield f"{where} numbers", "has a number twice; expected each once"


def _numbers(settings: Settings) -> Iterator[Breach]:
    for each in settings.numbers:
        if each.verified and (each.type or nanp.number_type(each.number)) != "toll_free":
            yield (
                f"{named('number', each.number)} verified",
                'is true, and the number is not toll-free; expected a toll-free one, or type = "toll_free"',
            )


def _senders(settings: Settings) -> Iterator[Breach]:
    campaigns = {campaign.id for campaign in settings.campaigns}
    for esme in settings.esmes:
        for campaign in esme.campaigns:
            if campaign not in campaigns:
                yield f"{named('esme', esme.system_id)} campaigns", no_such("campaign", "id", campaign)


def _tiers(settings: Settings) -> Iterator[Breach]:
    file = settings.limits.tiers
    if settings.tiers is None:
        if file is None:
            yield from _without_tiers(settings)
        return
    tiers = {tier.name for tier in settings.tiers.tiers}
    classes: set[str] = {rate.name for rate in settings.tiers.classes}
    for brand in settings.brands:
        if brand.tier is not None and brand.tier not in tiers:
            allowed = f"a [[tier]] of {file}: {', '.join(each.name for each in settings.tiers.tiers)}"
            yield f"{named('brand', brand.id)} tier", f'is "{brand.tier}"; expected {allowed}'
    for campaign in settings.campaigns:
        if campaign.class_ is not None and campaign.class_ not in classes:
            allowed = f"a [[class]] of {file}: {', '.join(each.name for each in settings.tiers.classes)}"
            yield f"{named('campaign', campaign.id)} class", f'is "{campaign.class_}"; expected {allowed}'


def _without_tiers(settings: Settings) -> Iterator[Breach]:
    """A tier or class stands for a figure; without a table it would stand for no limit at all."""
    for brand in settings.brands:
        if brand.tier is not None and brand.segments_per_day is None:
            allowed = "[limits] tiers to name a table that has it, or segments_per_day"
            yield f"{named('brand', brand.id)} tier", f'is "{brand.tier}" of no table; expected {allowed}'
    for campaign in settings.campaigns:
        if campaign.class_ is not None and campaign.segments_per_minute is None:
            allowed = "[limits] tiers to name a table that has it, or segments_per_minute"
            yield (
                f"{named('campaign', campaign.id)} class",
                f'is "{campaign.class_}" of no table; expected {allowed}',
            )


def country_breaches(table: CountryTable) -> Iterator[Breach]:
    """Yield everything in a table of countries that does not go together."""
    for rules in table.countries:
        where = named("country", rules.prefix)
        if rules.prefix[:1] == "1" and rules.prefix[1:] and nanp.country_of(rules.prefix[1:]) != "NANP":
            yield f"{where} prefix", 'is of the US or Canada; expected "CA" for Canada, and none for the US'
        if rules.min_characters > rules.max_characters:
            allowed = f"at most max_characters, {rules.max_characters}"
            yield f"{where} min_characters", f"is {rules.min_characters}; expected {allowed}"
