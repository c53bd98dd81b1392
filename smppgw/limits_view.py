"""What operators see of limits: brands and campaigns, or one of them with its numbers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, Final, cast

from smppgw.backlog_view import by_source
from smppgw.limits_look import Entry, Look
from smppgw.lines import Line
from smppgw.registered import Registered
from smppgw.settings import Settings
from smppgw.store.api import Store
from smppgw.throttle.limit import Limit
from smppgw.throttle.limits import Limits
from smppgw.throttle.nanp import canonical
from smppgw.usage import Usage

SHOWN: Final = 1_000
"""So many brands, campaigns and numbers are shown at most: those of which most waits."""


class LimitsView:
    """Describes limits as they are when it is asked."""

    def __init__(
        self,
        settings: Settings,
        limits: Limits,
        store: Store,
        *,
        clock: Callable[[], int],
        wall_clock: Callable[[], datetime],
    ) -> None:
        self._limits = limits
        self._store = store
        self._clock = clock
        self._wall_clock = wall_clock
        self.registered = Registered.of(settings)
        """Who belongs to whom, as the configuration says."""
        self._usage = Usage(self._all(), clock())

    def reload(self, settings: Settings) -> None:
        """Go by another configuration; the limits have been told of it."""
        self.registered = Registered.of(settings)

    def sample(self, now_ns: int) -> None:
        """Note how much of each limit has been used so far; to be called every `usage.SAMPLE_SECONDS`."""
        self._usage.sample(self._all(), now_ns)

    def overview(self) -> dict[str, Any]:
        """Return brands and campaigns, and of numbers how many there are; none of them is named."""
        look = self._look()
        return {
            "used_over_seconds": look.used_over_seconds,
            **_shown("brands", look.brands_by_waiting(self.registered.brands), look.brand),
            **_shown("campaigns", look.campaigns_by_waiting(self.registered.campaigns), look.campaign),
            "numbers_limited": len(self._limits.numbers),
            "sources_waiting": look.sources_waiting,
        }

    def named(self, name: str) -> dict[str, Any] | None:
        """Return a brand, a campaign, a pool or a number, with what belongs to it; None where nothing is called so."""
        known = self.registered
        name = name.strip()
        if name in known.brands:
            campaigns = known.campaigns_of[name]
            numbers = [number for campaign in campaigns for number in known.numbers_of[campaign]]
            return self._of(self._look(), "brand", name, (name,), campaigns, numbers)
        if name in known.campaigns:
            return self._of_campaign("campaign", name, name, known.numbers_of[name])
        if name in known.pools:
            return self._of_campaign("pool", name, known.pools[name].campaign, known.numbers_of_pool[name])
        number = canonical(name)
        if number in known.campaign_of:
            return self._of_campaign("number", number, known.campaign_of[number], (number,))
        look = self._look()
        if number in self._limits.numbers or look.waits(number):
            return self._of(look, "number", number, (), (), (number,))
        return None

    def _of_campaign(self, kind: str, name: str, campaign: str, numbers: Collection[str]) -> dict[str, Any]:
        brand = self.registered.campaigns[campaign].brand
        return self._of(self._look(), kind, name, (brand,), (campaign,), numbers)

    def _of(
        self,
        look: Look,
        kind: str,
        name: str,
        brands: Collection[str],
        campaigns: Collection[str],
        numbers: Collection[str],
    ) -> dict[str, Any]:
        return {
            "kind": kind,
            "name": name,
            "used_over_seconds": look.used_over_seconds,
            **_shown("brands", look.brands_by_waiting(brands), look.brand),
            **_shown("campaigns", look.campaigns_by_waiting(campaigns), look.campaign),
            **_shown("numbers", look.numbers_by_waiting(numbers), look.number),
        }

    def _look(self) -> Look:
        now_ns = self._clock()
        lines = cast("Collection[Line]", self._store.lanes())
        return Look(
            self.registered,
            self._limits,
            by_source(lines),
            self._usage.rates(now_ns),
            now_ns=now_ns,
            now=self._wall_clock(),
        )

    def _all(self) -> Iterable[Limit]:
        return chain(self._limits.numbers.values(), self._limits.campaigns.values())


def _shown(kind: str, names: Sequence[str], describe: Callable[[str], Entry]) -> dict[str, Any]:
    """Describe the first of some, and say how many are not among them."""
    return {
        kind: [describe(name) for name in names[:SHOWN]],
        f"{kind}_not_shown": max(0, len(names) - SHOWN),
    }
