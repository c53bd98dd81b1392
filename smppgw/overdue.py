"""Closes what has waited for its ESME too long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from smppgw.accounts import Account
from smppgw.metrics import OTHER, Metrics
from smppgw.session.timers import NS
from smppgw.store.api import Store
from smppgw.store.entries import Delivery

UNCONFIGURED_VALIDITY: Final = 259_200.0
"""Seconds that something waits for an ESME that the configuration has no more."""

SWEPT_AT_ONCE: Final = 500
"""Deliveries of one queue that a sweep looks at, at most."""

_DAY_NS: Final = 86_400 * NS


class Overdue:
    """Knows how long each delivery may wait."""

    def __init__(
        self, store: Store, accounts: Mapping[str, Account], metrics: Metrics, *, retention_days: int
    ) -> None:
        """What belongs to nobody is kept for `retention_days`."""
        self._store = store
        self._accounts = accounts
        self._metrics = metrics
        self._retention_ns = retention_days * _DAY_NS

    def sweep(self, now_ns: int) -> None:
        """Close some of what is overdue for ESMEs that are away, or gone.

        A queue is in the order in which its deliveries came: where its first one is young, all are. Those that are
        still on disk come into reach when those before them are gone, those aside when they are due.
        """
        store = self._store
        for name in tuple(store.owing()):
            first = store.take_deliveries(name, 1) if store.ready_deliveries(name) else []
            if first and first[0].received_ns <= self._horizon_ns(name, now_ns):
                batch = [*first, *store.take_deliveries(name, SWEPT_AT_ONCE - 1)]
                first = self.close(name, batch, now_ns)
            store.give_back_deliveries(first)

    def close(self, name: str, batch: list[Delivery], now_ns: int) -> list[Delivery]:
        """Close, and count, what is overdue of what was handed out for one ESME; return the others."""
        horizon_ns = self._horizon_ns(name, now_ns)
        expired = [delivery for delivery in batch if delivery.received_ns <= horizon_ns]
        if not expired:
            return batch
        account = self._accounts.get(name)
        for kind, count in Counter(delivery.kind for delivery in expired).items():
            self._metrics.delivers_expired(name if account else OTHER, kind).add(count)
        if account:
            account.order.gone(expired)
        self._store.delivered(expired)
        return [delivery for delivery in batch if delivery.received_ns > horizon_ns]

    def _horizon_ns(self, name: str, now_ns: int) -> int:
        """Return the moment before which what is overdue now was received."""
        if not name:
            return now_ns - self._retention_ns
        account = self._accounts.get(name)
        seconds = account.settings.delivery_validity if account else UNCONFIGURED_VALIDITY
        return now_ns - int(seconds * NS)
