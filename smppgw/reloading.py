"""Taking up another configuration while the gateway runs: who may send, and how much, without dropping a bind.

What is not of that kind (peers, routes, the store, where we listen) is taken up at the next start.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Final

from smppgw.lines import Lines
from smppgw.pacing import Pacing
from smppgw.quotas import Quotas
from smppgw.senders import Senders
from smppgw.settings import Settings
from smppgw.throttle.limits import Limits
from smppgw.throttle.pools import Pools
from smppgw.throttle.registry import Registry

RELOADED: Final = frozenset(
    {"brands", "campaigns", "numbers", "pools", "limits", "tiers", "countries", "operators"}
)
"""Fields of `Settings` that are taken up at once."""


class Reloading:
    """Hands a new registry to all that go by it."""

    def __init__(
        self,
        settings: Settings,
        limits: Limits,
        lines: Lines,
        senders: Senders,
        quotas: Quotas,
        pacing: Pacing,
        *,
        clock: Callable[[], int],
        on_registry: Callable[[Registry], None],
    ) -> None:
        """`on_registry` gets each new one."""
        self._settings = settings
        self._limits = limits
        self._lines = lines
        self._senders = senders
        self._quotas = quotas
        self._pacing = pacing
        self._clock = clock
        self._on_registry = on_registry

    def reload(self, settings: Settings) -> list[str]:
        """Take up what is taken up at once; return the tables whose changes need a restart."""
        now_ns = self._clock()
        registry = Registry(settings)
        self._on_registry(registry)
        self._limits.reload(settings, now_ns)
        self._quotas.keep()
        self._lines.replace(registry)
        self._senders.replace(registry, self._limits, Pools(settings))
        self._pacing.begin_anew(now_ns)
        return [
            f"[{each.metadata.get('key', each.name)}]"
            for each in fields(Settings)
            if each.name not in RELOADED
            and getattr(settings, each.name) != getattr(self._settings, each.name)
        ]
