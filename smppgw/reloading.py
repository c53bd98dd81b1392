"""Taking up another configuration while the gateway runs: who may send, and how much, without dropping a bind.

What is not of that kind (peers, routes, the store, where we listen) is taken up at the next start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Final, NamedTuple

from smppgw.accounts import Account
from smppgw.limits_view import LimitsView
from smppgw.lines import Lines
from smppgw.pacing import Pacing
from smppgw.quotas import Quotas
from smppgw.routing import Router
from smppgw.senders import Senders
from smppgw.settings import Settings
from smppgw.throttle.limits import Limits
from smppgw.throttle.pools import Pools
from smppgw.throttle.registry import Registry

RELOADED: Final = frozenset(
    {"esmes", "brands", "campaigns", "numbers", "pools", "limits", "tiers", "countries", "operators"}
)
"""Fields of `Settings` that are taken up at once: of `esmes`, those that are there before and after."""


class Ready(NamedTuple):
    """A configuration, with what is made of it alone: that takes a while, and touches nothing that runs."""

    settings: Settings
    registry: Registry
    pools: Pools

    @classmethod
    def of(cls, settings: Settings) -> Ready:
        """Make it; for any thread."""
        return cls(settings, Registry(settings), Pools(settings))


class Reloading:
    """Hands what is new to all that go by it."""

    def __init__(
        self,
        settings: Settings,
        limits: Limits,
        router: Router,
        lines: Lines,
        senders: Senders,
        accounts: Mapping[str, Account],
        quotas: Quotas,
        pacing: Pacing,
        view: LimitsView,
        *,
        clock: Callable[[], int],
        on_reloaded: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._limits = limits
        self._router = router
        self._lines = lines
        self._senders = senders
        self._accounts = accounts
        self._quotas = quotas
        self._pacing = pacing
        self._view = view
        self._clock = clock
        self._on_reloaded = on_reloaded

    def reload(self, settings: Settings) -> list[str]:
        """As `adopt`, at once."""
        return self.adopt(Ready.of(settings))

    def adopt(self, ready: Ready) -> list[str]:
        """Take up what is taken up at once; return the tables whose changes need a restart."""
        settings, registry = ready.settings, ready.registry
        now_ns = self._clock()
        esmes = {esme.system_id: esme for esme in settings.esmes}
        for name, account in self._accounts.items():
            account.change(esmes.get(name, account.settings), now_ns)
        # One that the file has no more is still bound, and one that is new is not there before a restart.
        bound = replace(settings, esmes=tuple(account.settings for account in self._accounts.values()))
        self._limits.reload(settings, now_ns)
        self._quotas.keep()
        self._router.adopt(bound, registry)
        self._lines.replace(bound.esmes, registry)
        self._senders.replace(registry, ready.pools, operators_known=settings.operators is not None)
        self._pacing.begin_anew(now_ns)
        self._view.reload(settings)
        self._on_reloaded()
        return self._need_restart(settings)

    def _need_restart(self, settings: Settings) -> list[str]:
        needed = [
            each.metadata.get("key", each.name)
            for each in fields(Settings)
            if each.name not in RELOADED
            and getattr(settings, each.name) != getattr(self._settings, each.name)
        ]
        if {esme.system_id for esme in settings.esmes} != set(self._accounts):
            needed.insert(0, "esme")
        return needed
