"""What operators see of a running gateway: `/status`, and the gauges that are read when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from importlib.metadata import version
from typing import Any, Final, cast

from smppgw.accounts import Account
from smppgw.backlog_view import Depths
from smppgw.carriers import Carrier
from smppgw.limits_view import LimitsView
from smppgw.lines import Line
from smppgw.metrics import OTHER, Metrics
from smppgw.routing import LANES
from smppgw.session.timers import NS
from smppgw.settings import Settings
from smppgw.store.api import Store
from smppgw.throttle.limits import Limits

MODES: Final = ("tx", "rx", "trx")


class Overview:
    """Reads what there is from those who have it."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        limits: Limits,
        accounts: Mapping[str, Account],
        carriers: Mapping[str, Carrier],
        metrics: Metrics,
        *,
        clock: Callable[[], int],
        wall_clock: Callable[[], datetime],
        not_ready: Callable[[], list[str]],
    ) -> None:
        """`metrics` are told where to read their gauges; `not_ready` says why no new traffic should come here."""
        self._settings = settings
        self._store = store
        self._accounts = accounts
        self._carriers = carriers
        self._clock = clock
        self.limits = LimitsView(settings, limits, store, metrics, clock=clock, wall_clock=wall_clock)
        self._not_ready = not_ready
        self._started_ns = clock()
        self._waiting: dict[tuple[str, ...], float] = {}
        self._ages: dict[tuple[str, ...], float] = {}
        """By lane: what a scrape shows."""
        self._expose(metrics)

    def status(self) -> dict[str, Any]:
        """Return what `/status` shows, without the limits; no number, no text, no address."""
        not_ready = self._not_ready()
        depths = self._depths()
        return {
            "name": self._settings.gateway.name,
            "version": version("smppgw"),
            "uptime_seconds": round((self._clock() - self._started_ns) / NS, 1),
            "ready": not not_ready,
            "not_ready": not_ready,
            "store": {
                "backend": self._settings.store.backend,
                "octets": self._store.octets,
                "max_octets": self._settings.store.max_bytes,
            },
            "esmes": {
                account.name: {
                    "binds": {mode: account.sessions(mode) for mode in MODES},
                    "queued": self._store.queued(account.name),
                    "waiting_deliveries": self._store.waiting_deliveries(account.name),
                    "unanswered_deliveries": account.in_flight(),
                    "slowed_binds": sum(1 for link in account.links if link.pace.limited),
                }
                for account in self._accounts.values()
            },
            "carriers": {
                carrier.name: {
                    "up": carrier.up,
                    "binds": {mode: carrier.sessions(mode) for mode in MODES},
                    "in_flight": carrier.in_flight(),
                    "slowed_binds": sum(1 for link in carrier.links if link.pace.limited),
                }
                for carrier in self._carriers.values()
            },
            "lanes": dict(zip(LANES, depths.waiting, strict=True)),
            "retrying": depths.deferred,
            "kept_deliveries": self._store.waiting_deliveries(""),
            "deliveries_of_others": self._unconfigured(),
        }

    def _unconfigured(self) -> int:
        """How many deliveries wait for ESMEs that the configuration has no more."""
        gone = [name for name in self._store.owing() if name and name not in self._accounts]
        return sum(map(self._store.waiting_deliveries, gone))

    def _depths(self) -> Depths:
        """Walk over the lanes in which something stands."""
        series = self.limits.series
        campaigns = series.campaigns if series is not None else {}
        return Depths(cast("Collection[Line]", self._store.lanes()), campaigns)

    def _look(self) -> None:
        """Look up what several gauges show, once for all of them."""
        depths = self._depths()
        now_ns = self._clock()
        self._waiting = {(name,): waiting for name, waiting in zip(LANES, depths.waiting, strict=True)}
        self._ages = {
            (name,): 0.0 if oldest_ns is None else (now_ns - oldest_ns) / NS
            for name, oldest_ns in zip(LANES, depths.oldest_ns, strict=True)
        }
        if self.limits.series is not None:
            self.limits.series.count(depths.of_campaigns)

    def _expose(self, metrics: Metrics) -> None:
        """Tell the metrics where to read the gauges."""
        accounts, carriers = self._accounts.values(), self._carriers.values()
        metrics.before_scrape(self._look)
        metrics.queue_messages.read_from(lambda: self._waiting)
        metrics.queue_oldest_message_age.read_from(lambda: self._ages)
        metrics.delivers_waiting.read_from(
            lambda: {(account.name,): self._store.waiting_deliveries(account.name) for account in accounts}
        )
        metrics.delivers_waiting.read_from(lambda: {(OTHER,): self._unconfigured()})
        metrics.kept.read_from(lambda: {(): self._store.waiting_deliveries("")})
        metrics.esme_sessions.read_from(
            lambda: {(account.name, mode): account.sessions(mode) for account in accounts for mode in MODES}
        )
        metrics.carrier_sessions.read_from(
            lambda: {(carrier.name, mode): carrier.sessions(mode) for carrier in carriers for mode in MODES}
        )
        metrics.window_in_use.read_from(
            lambda: {
                **{("esme", account.name): account.in_flight() for account in accounts},
                **{("carrier", carrier.name): carrier.in_flight() for carrier in carriers},
            }
        )
        metrics.store_bytes.read_from(lambda: {(): self._store.octets})
        metrics.store_healthy.read_from(lambda: {(): int(self._store.healthy and not self._store.full)})
