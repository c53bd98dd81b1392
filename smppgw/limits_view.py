"""What operators see of limits: brands and campaigns, or one of them with its numbers.

Of 100,000 numbers that takes a while: it is done piece by piece, so that messages do not wait for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, Final, cast

from smppgw.backlog_view import Backlog
from smppgw.campaign_series import CampaignSeries
from smppgw.limits_look import Entry, Look
from smppgw.lines import Line
from smppgw.metrics import Metrics
from smppgw.registered import Registered
from smppgw.settings import Settings
from smppgw.store.api import Store
from smppgw.throttle.limit import Limit
from smppgw.throttle.limits import Limits
from smppgw.throttle.nanp import canonical
from smppgw.usage import Usage

SHOWN: Final = 1_000
"""So many brands, campaigns and numbers are shown at most: those of which most waits."""
_LANES_AT_ONCE: Final = 5_000
_ENTRIES_AT_ONCE: Final = 10
"""What the event loop waits for."""


class LimitsView:
    """Describes limits as they are when it is asked."""

    def __init__(
        self,
        settings: Settings,
        limits: Limits,
        store: Store,
        metrics: Metrics,
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
        most = settings.admin.campaign_series
        self.series = CampaignSeries(most, self.registered, limits, metrics) if most else None
        """What is counted by campaign, where that is asked for."""
        self._usage = Usage(self._all(), clock())

    def reload(self, settings: Settings) -> None:
        """Go by another configuration; the limits have been told of it."""
        self.registered = Registered.of(settings)
        if self.series is not None:
            self.series.reload(self.registered)

    def sample(self, now_ns: int) -> None:
        """Note how much of each limit has been used so far; to be called every 5 seconds."""
        self._usage.sample(self._all(), now_ns)

    async def page(self, name: str | None) -> dict[str, Any] | None:
        """Return what `/limits` shows, with a name or without; None where nothing is called so."""
        return await self.overview() if name is None else await self.named(name)

    async def overview(self) -> dict[str, Any]:
        """Return brands and campaigns, and of numbers how many there are; none of them is named."""
        known = self.registered
        look = await self._look(known)
        return {
            "used_over_seconds": look.used_over_seconds,
            **await _shown("brands", look.brands_by_waiting(known.brands), look.brand),
            **await _shown("campaigns", look.campaigns_by_waiting(known.campaigns), look.campaign),
            "numbers_limited": len(self._limits.numbers),
            "sources_waiting": look.sources_waiting,
        }

    async def named(self, name: str) -> dict[str, Any] | None:
        """Return a brand, a campaign, a pool or a number, with what belongs to it; None where nothing is called so."""
        known = self.registered
        name = name.strip()
        if name in known.brands:
            campaigns = known.campaigns_of[name]
            numbers = [number for campaign in campaigns for number in known.numbers_of[campaign]]
            return await self._of(known, "brand", name, (name,), campaigns, numbers)
        if name in known.campaigns:
            return await self._of_campaign(known, "campaign", name, name, known.numbers_of[name])
        if name in known.pools:
            pool = known.pools[name]
            return await self._of_campaign(known, "pool", name, pool.campaign, known.numbers_of_pool[name])
        number = canonical(name)
        if number in known.campaign_of:
            return await self._of_campaign(known, "number", number, known.campaign_of[number], (number,))
        if number in self._limits.numbers or any(line.source == number for line in self._lines()):
            return await self._of(known, "number", number, (), (), (number,))
        return None

    async def _of_campaign(
        self, known: Registered, kind: str, name: str, campaign: str, numbers: Collection[str]
    ) -> dict[str, Any]:
        brand = known.campaigns[campaign].brand
        return await self._of(known, kind, name, (brand,), (campaign,), numbers)

    async def _of(
        self,
        known: Registered,
        kind: str,
        name: str,
        brands: Collection[str],
        campaigns: Collection[str],
        numbers: Collection[str],
    ) -> dict[str, Any]:
        look = await self._look(known, numbers)
        return {
            "kind": kind,
            "name": name,
            "used_over_seconds": look.used_over_seconds,
            **await _shown("brands", look.brands_by_waiting(brands), look.brand),
            **await _shown("campaigns", look.campaigns_by_waiting(campaigns), look.campaign),
            **await _shown("numbers", look.numbers_by_waiting(numbers), look.number),
        }

    async def _look(self, known: Registered, numbers: Collection[str] = ()) -> Look:
        backlog = Backlog(known.campaign_of, numbers)
        lines = self._lines()
        for start in range(0, len(lines), _LANES_AT_ONCE):
            if start:
                await asyncio.sleep(0)
            backlog.count(lines[start : start + _LANES_AT_ONCE])
        now_ns = self._clock()
        return Look(
            known,
            self._limits,
            backlog,
            self._usage.rates(now_ns),
            now_ns=now_ns,
            now=self._wall_clock(),
        )

    def _lines(self) -> list[Line]:
        return cast("list[Line]", list(self._store.lanes()))

    def _all(self) -> Iterable[Limit]:
        return chain(self._limits.numbers.values(), self._limits.campaigns.values())


async def _shown(kind: str, names: Sequence[str], describe: Callable[[str], Entry]) -> dict[str, Any]:
    """Describe the first of some, and say how many are not among them."""
    entries = []
    for name in names[:SHOWN]:
        entries.append(describe(name))
        if not len(entries) % _ENTRIES_AT_ONCE:
            await asyncio.sleep(0)
    return {kind: entries, f"{kind}_not_shown": max(0, len(names) - SHOWN)}
