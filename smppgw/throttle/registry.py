"""Who may send: brands, campaigns and numbers as they are registered, and what countries ask of a source address.

A US destination takes a number of an approved campaign of an approved brand, a verified toll-free number, or a short
code; nothing else, so no alphanumeric address and no other country's number, which cannot be registered. A number
that needs no campaign and is in one still has to wait until that campaign is approved.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from smppgw.settings import CampaignSettings, EsmeSettings, Settings
from smppgw.tables import CountryRules, NumberType
from smppgw.throttle import nanp
from smppgw.throttle.pools import Pool, pools_of

Reason = Literal[
    "source_not_allowed",
    "unregistered",
    "campaign_not_approved",
    "brand_not_approved",
    "toll_free_unverified",
    "alphanumeric",
    "country",
]
"""Why an address may not send."""

Refusals = Mapping[str, Reason]
"""By region; `ANYWHERE` for all of them."""

US: Final = "US"
ANYWHERE: Final = "*"

ALPHANUMERIC: Final = 5
"""The type of number (TON) of an address that is none (SMPP v3.4 section 5.2.5)."""

PREFIX_DIGITS: Final = 4
"""Of a destination, which decide its region: a calling code, or the 1 and an area code."""

NOT_ALLOWED: Final[Refusals] = MappingProxyType({ANYWHERE: "source_not_allowed"})
NONE: Final[Refusals] = MappingProxyType({})


class _Own(NamedTuple):
    """What an ESME may use, to be looked up."""

    esme: EsmeSettings
    sources: frozenset[str]
    """Canonical; with a pool, its numbers."""
    campaigns: frozenset[str]


class Registry:
    """What the configuration says of senders. It does not change: a reload makes another one."""

    def __init__(self, settings: Settings) -> None:
        self._required = settings.limits.registration == "required"
        self._brands = {brand.id: brand for brand in settings.brands}
        self._campaigns = {
            nanp.canonical(number): campaign for campaign in settings.campaigns for number in campaign.numbers
        }
        self._of_campaign = {campaign.id: campaign.numbers for campaign in settings.campaigns}
        self._numbers = {nanp.canonical(each.number): each for each in settings.numbers}
        self._pools = {pool.name: pool for pool in pools_of(settings)}
        self._own = {esme.system_id: self._own_of(esme) for esme in settings.esmes}
        self._operators = settings.operators
        rules = settings.countries.countries if settings.countries is not None else ()
        self._countries = {each.prefix: each for each in rules}
        self._longest_prefix = max((len(prefix) for prefix in self._countries), default=0)
        self._shared: dict[frozenset[tuple[str, Reason]], Refusals] = {frozenset(): NONE}
        """Each different answer there is, once."""

    # Who is who.

    def canonical(self, source: str) -> str:
        """Return a source address as it is compared: see `nanp.canonical`."""
        return nanp.canonical(source)

    def campaign_of(self, source: str) -> CampaignSettings | None:
        """Return the campaign that a number belongs to, or that a pool is of."""
        source = nanp.canonical(source)
        campaign = self._campaigns.get(source)
        if campaign is None and source in self._pools:
            return self._pools[source].campaign
        return campaign

    def type_of(self, number: str) -> NumberType:
        """Return what a number is: as its `[[number]]` says, else by its digits."""
        number = nanp.canonical(number)
        said = self._numbers.get(number)
        return (said.type if said is not None else None) or nanp.number_type(number)

    def numbers_of(self, esme: EsmeSettings) -> Iterator[str]:
        """Yield every number that is an ESME's own, canonical: its `sources`, and the numbers of its `campaigns`.

        In the place of a pool in its `sources`, the numbers of that pool. A number may come twice.
        """
        for source in esme.sources:
            name = nanp.canonical(source)
            pool = self._pools.get(name)
            yield from (name,) if pool is None else map(nanp.canonical, pool.numbers)
        for id_ in esme.campaigns:
            yield from map(nanp.canonical, self._of_campaign.get(id_, ()))

    # Where a message goes.

    def region_of(self, destination: str) -> str:
        """Return "US", "CA", "NANP" (the rest of +1), the prefix of a `[[country]]`, or "" for any other destination.

        Ten digits without a + are a number of +1, since messages often come so. Otherwise the first five characters
        decide. What is not an international number by them (other characters than digits, a 0 in front) is taken for
        the US, whose rules are the strictest: carriers may make a number of the US of it.
        """
        if nanp.is_national(destination) and destination.isdigit():
            digits = f"1{destination[:3]}"
        else:
            at = 1 if destination[:1] == "+" else 0
            digits = destination[at : PREFIX_DIGITS + at]
            if digits and not (digits.isdigit() and digits.isascii() and digits[0] != "0"):
                return US
        country: str = ""
        if digits[:1] == "1":
            country = nanp.country_of(digits[1:])
            if country != "NANP":
                return country
        for length in range(self._longest_prefix, 0, -1):
            if digits[:length] in self._countries:
                return digits[:length]
        return country

    def counts_to_day(self, destination: str) -> bool:
        """Return whether a message there counts against the day cap of its brand.

        That is T-Mobile's: it counts what goes to the US and is not known to be another operator's.
        """
        if self.region_of(destination) != US:
            return False
        return (
            self._operators is None or self._operators.is_t_mobile(nanp.canonical(destination)) is not False
        )

    # Who may send there.

    def refusal(self, esme: EsmeSettings, source: str, ton: int, destination: str) -> Reason | None:
        """Return why an ESME's message from this address may not go there; None where it may."""
        refusals = self.refusals(esme, source, ton)
        if not refusals:
            return None
        return refusals.get(ANYWHERE) or refusals.get(self.region_of(destination))

    def refusals(self, esme: EsmeSettings, source: str, ton: int) -> Refusals:
        """Return the regions an ESME may not send to from this address, and why; `ANYWHERE` for all of them.

        Of what a pool's numbers are refused, the whole pool is.
        """
        name = nanp.canonical(source)
        pool = self._pools.get(name)
        if not self._may_use(esme, name, pool):
            return NOT_ALLOWED
        if not self._required:
            return NONE
        if pool is None:
            return self._share(self._of_source(name, ton))
        found: dict[str, Reason] = {}
        for number in pool.numbers:
            found.update(self._of_source(nanp.canonical(number), 0))
        return self._share(found)

    def _may_use(self, esme: EsmeSettings, name: str, pool: Pool | None) -> bool:
        if not esme.sources and not esme.campaigns:
            return True
        own = self._own.get(esme.system_id)
        if own is None or own.esme is not esme:
            own = self._own[esme.system_id] = self._own_of(esme)
        campaign = pool.campaign if pool is not None else self._campaigns.get(name)
        return name in own.sources or (campaign is not None and campaign.id in own.campaigns)

    def _own_of(self, esme: EsmeSettings) -> _Own:
        sources = {nanp.canonical(source) for source in esme.sources}
        pools = [self._pools[name] for name in sources if name in self._pools]
        sources.update(nanp.canonical(number) for pool in pools for number in pool.numbers)
        return _Own(esme, frozenset(sources), frozenset(esme.campaigns))

    def _of_source(self, source: str, ton: int) -> dict[str, Reason]:
        is_number = ton != ALPHANUMERIC and source.isdigit() and source.isascii()
        found: dict[str, Reason] = {}
        american = self._american(source) if is_number else "alphanumeric"
        if american is not None:
            found[US] = american
        for prefix, rules in self._countries.items():
            reason = _forbidden_number(rules, source) if is_number else _forbidden_name(rules, source)
            if reason is not None:
                found[prefix] = reason
        return found

    def _american(self, number: str) -> Reason | None:
        """Return why a number may not send to the US."""
        campaign = self._campaigns.get(number)
        if campaign is not None:
            brand = self._brands.get(campaign.brand)
            if brand is None or brand.status != "approved":
                return "brand_not_approved"
            if campaign.status != "approved":
                return "campaign_not_approved"
        match self.type_of(number):
            case "toll_free":
                said = self._numbers.get(number)
                return None if said is not None and said.verified else "toll_free_unverified"
            case "short_code":
                return None
            case "long_code":
                return None if campaign is not None else "unregistered"

    def _share(self, found: dict[str, Reason]) -> Refusals:
        key = frozenset(found.items())
        shared = self._shared.get(key)
        if shared is None:
            shared = self._shared[key] = MappingProxyType(found)
        return shared


def _forbidden_number(rules: CountryRules, number: str) -> Reason | None:
    return "country" if number.startswith(rules.forbidden_sources) else None


def _forbidden_name(rules: CountryRules, name: str) -> Reason | None:
    if not rules.alphanumeric:
        return "alphanumeric"
    fits = (
        rules.min_characters <= len(name) <= rules.max_characters
        and (rules.characters == "any" or (name.isascii() and name.isalnum()))
        and (rules.digits_only or not name.isdigit())
        and name.casefold() not in [word.casefold() for word in rules.forbidden_words]
    )
    return None if fits else "country"
