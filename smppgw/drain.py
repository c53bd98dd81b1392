"""What a stopping gateway waits for, and what it leaves behind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from smppgw.accounts import Account
from smppgw.dispatch import Dispatch
from smppgw.inbound import Inbound
from smppgw.session.timers import NS
from smppgw.store.api import Store

CHECK_SECONDS: Final = 0.02


class Drain:
    """Counts what is not done with."""

    def __init__(
        self,
        store: Store,
        accounts: Mapping[str, Account],
        dispatch: Dispatch,
        inbound: Inbound,
        *,
        keeps: bool,
        clock: Callable[[], int],
    ) -> None:
        """`keeps`: whether what the store has outlives the process."""
        self._store = store
        self._accounts = accounts
        self._dispatch = dispatch
        self._inbound = inbound
        self._keeps = keeps
        self._clock = clock

    def left(self) -> dict[str, int]:
        """Return what is not done with, by kind: a store in memory loses it with the process."""
        return {
            "messages": sum(map(self._store.queued, self._accounts)),
            "deliveries": sum(map(self._store.waiting_deliveries, self._accounts)) + self._inbound.in_flight,
        }

    def remaining(self) -> dict[str, int]:
        """Return what a drain waits for, by kind.

        A store that keeps what it has is left as soon as nothing is on its way. Where it forgets, messages wait for
        a carrier to come back, and deliveries for ESMEs that are bound, since nobody may bind any more.
        """
        if self._keeps:
            return {"sending": self._dispatch.in_flight, "delivering": self._inbound.in_flight}
        return {
            "messages": sum(map(self._store.queued, self._accounts)),
            "deliveries": sum(
                self._store.waiting_deliveries(account.name)
                for account in self._accounts.values()
                if account.receivers
            ),
            "delivering": self._inbound.in_flight,
        }

    async def until(self, done: Callable[[], bool], seconds: float) -> None:
        """Wait until something is so, but no longer than that."""
        deadline_ns = self._clock() + int(seconds * NS)
        while not done() and self._clock() < deadline_ns:  # noqa: ASYNC110 - nobody signals an empty gateway
            await asyncio.sleep(CHECK_SECONDS)

    async def until_empty(self, seconds: float) -> None:
        """Wait until nothing remains, but no longer than that."""
        await self.until(lambda: not any(self.remaining().values()), seconds)
