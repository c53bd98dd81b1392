"""Which carriers a message may take, which of the three lanes is its own, and whose a number is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from smppgw.settings import CampaignSettings, EsmeSettings, Lane, RouteSettings, Settings
from smppgw.splitting import Form
from smppgw.throttle.registry import Registry

LANES: Final[tuple[Lane, ...]] = ("otp", "transactional", "promotional")
"""In the order in which they leave."""

LANE_OF_PRIORITY: Final[tuple[Lane, ...]] = ("promotional", "transactional", "transactional", "otp")
"""priority_flag 0 to 3 (SMPP v3.4 section 5.2.14: bulk, normal, urgent, very urgent); above 3 as 3."""


def digits(address: str) -> str:
    """Return an address as it is compared: telephone numbers by their digits, others as they are."""
    bare = address.removeprefix("+")
    return bare if bare.isdigit() else address


@dataclass(frozen=True, slots=True)
class Route:
    """A set of carriers in order of preference."""

    name: str
    carriers: tuple[str, ...]
    splits: Form | None = None
    """How long messages on it are split; None: they are not."""


def _names_of(routes: Sequence[RouteSettings]) -> list[str]:
    """Name routes by what they match, so that a lane on disk is the same one when another route is put before it."""
    names: list[str] = []
    seen: Counter[str] = Counter()
    for route in routes:
        conditions = {
            "esme": route.esme,
            "source": route.source,
            "destination": route.destination,
            "campaign": route.campaign,
        }
        said = [f"{key}={value}" for key, value in conditions.items() if value is not None]
        name = " ".join(said) or "any"
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name} #{seen[name]}")
    return names


def _splits(carriers: Sequence[str], forms: Mapping[str, Literal["whole", "udh", "sar"]]) -> Form | None:
    """How long messages on a route are split: as the first of its carriers wants it that does not take them whole."""
    found = [forms[carrier] for carrier in carriers if carrier in forms]
    return next((form for form in found if form != "whole"), None)


class Router:
    """Answers from what the configuration says of ESMEs, carriers, routes and numbers."""

    def __init__(self, settings: Settings, registry: Registry) -> None:
        self.carriers = tuple(carrier.name for carrier in settings.carriers)
        forms = {carrier.name: carrier.long_messages for carrier in settings.carriers}
        names = _names_of(settings.routes)
        self._routes = [
            (match, Route(name, match.carriers, _splits(match.carriers, forms)))
            for match, name in zip(settings.routes, names, strict=True)
        ]
        self._default = Route("default", self.carriers, _splits(self.carriers, forms))
        self.needs_destination = any(match.destination is not None for match in settings.routes)
        """Whether the route depends on where a message goes."""
        self.adopt(settings, registry)

    def adopt(self, settings: Settings, registry: Registry) -> None:
        """Go by what another configuration says of numbers, and of whose they are; the routes stay."""
        self.campaign_of: Callable[[str], CampaignSettings | None] = registry.campaign_of
        """The campaign that a source address belongs to."""
        self._canonical = registry.canonical
        self._owners: dict[str, str] = {}
        for esme in settings.esmes:
            for number in registry.numbers_of(esme):
                self._owners.setdefault(number, esme.system_id)
        for esme in settings.esmes:  # what one names itself is not another's by way of a campaign
            self._owners.update((registry.canonical(source), esme.system_id) for source in esme.sources)
        self._prefix_owners = {
            digits(prefix): esme.system_id for esme in settings.esmes for prefix in esme.prefixes
        }
        self._prefix_lengths = sorted({len(prefix) for prefix in self._prefix_owners}, reverse=True)
        sole = settings.esmes[0].system_id if len(settings.esmes) == 1 else None
        self._default_owner = settings.inbound.default_esme or sole

    @property
    def routes(self) -> list[Route]:
        """Every route there is."""
        return [route for _, route in self._routes] + ([] if self._routes else [self._default])

    def route(self, esme: EsmeSettings, source: str, destination: str) -> Route | None:
        """Return the first route that matches; None where routes are configured and none does."""
        if not self._routes:
            return self._default
        campaign = self.campaign_of(source)
        for match, route in self._routes:
            if (
                (match.esme is None or match.esme == esme.system_id)
                and (match.source is None or digits(source).startswith(digits(match.source)))
                and (match.destination is None or digits(destination).startswith(digits(match.destination)))
                and (match.campaign is None or (campaign is not None and campaign.id == match.campaign))
            ):
                return route
        return None

    def lanes(self, esme: EsmeSettings, source: str) -> tuple[Lane, ...]:
        """Return the lane for each priority_flag from 0 to 3: the campaign's, the ESME's, or by the flag."""
        campaign = self.campaign_of(source)
        fixed = (campaign.lane if campaign is not None else None) or esme.lane
        return LANE_OF_PRIORITY if fixed is None else (fixed,) * len(LANE_OF_PRIORITY)

    def owner(self, number: str) -> str | None:
        """Return the system_id that a message to this number belongs to; None where it is nobody's.

        Whose `sources` have it, or whose `campaigns`; else whose `prefixes` fit it best; else `[inbound] default_esme`;
        else the only ESME.
        """
        owner = self._owners.get(self._canonical(number))
        if owner is not None:
            return owner
        number = digits(number)
        if number.isdigit():
            for length in self._prefix_lengths:
                owner = self._prefix_owners.get(number[:length])
                if owner is not None:
                    return owner
        return self._default_owner
