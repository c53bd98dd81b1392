"""Calls an ESME that is owed something and has no receiver bound, where the configuration says where it listens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from smppgw.accounts import Account
from smppgw.pdu import codec
from smppgw.pdu._generated import Outbind
from smppgw.session.client import Backoff, Client
from smppgw.session.connection import Owner
from smppgw.session.errors import SessionError
from smppgw.session.machine import Session
from smppgw.session.settings import SessionSettings
from smppgw.session.states import Role
from smppgw.session.timers import NS


class Outbinder:
    """One call at a time to each ESME; the ESME answers with its bind on the same connection (v3.4 2.2.1).

    A call lasts until its connection is gone, and the next one waits, longer each time unless the bind stood for a
    while: an ESME that hangs up at once, or binds under another name, is not called in a circle.
    """

    def __init__(
        self,
        logger: Any,
        *,
        system_id: str,
        settings: SessionSettings,
        clock: Callable[[], int],
        on_settled: Callable[[], None],
    ) -> None:
        """`on_settled` is called after a call and the wait behind it: time to look whether another one is needed."""
        self._log = logger
        self._system_id = system_id
        self._settings = settings
        self._clock = clock
        self._on_settled = on_settled
        self._calls: dict[str, asyncio.Task[None]] = {}
        self._backoffs: dict[str, Backoff] = {}

    @property
    def calling(self) -> bool:
        """Whether a call is under way, stands, or waits for the next attempt."""
        return bool(self._calls)

    def call(self, account: Account, owner: Owner) -> None:
        """Call this ESME, unless that is going on or it has no address."""
        if account.settings.outbind is not None and account.name not in self._calls:
            self._calls[account.name] = asyncio.get_running_loop().create_task(self._call(account, owner))

    async def _call(self, account: Account, owner: Owner) -> None:
        target = account.settings.outbind
        assert target is not None
        octets = codec.encode(
            Outbind(
                system_id=(target.system_id or self._system_id).encode("latin-1"),
                password=target.password.encode("latin-1"),
            )
        )

        def introduce(session: Session, _now_ns: int) -> None:
            session.outbind(octets)

        backoff = self._backoffs.setdefault(account.name, Backoff())
        client = Client(
            owner,
            host=target.host,
            port=target.port,
            introduce=introduce,
            settings=self._settings,
            role=Role.SMSC,
            clock=self._clock,
        )
        try:
            try:
                connection = await client.connect()
            except SessionError as error:
                delay = backoff.next_delay(client.rng)
                self._log.warning("outbind_failed", system_id=account.name, error=str(error), retry_in=delay)
            else:
                bound_ns = self._clock()
                await connection.wait_closed()
                backoff.ended((self._clock() - bound_ns) / NS)
                delay = backoff.next_delay(client.rng)
            await asyncio.sleep(delay)
        finally:
            del self._calls[account.name]
        self._on_settled()

    async def close(self) -> None:
        """Call nobody any more."""
        calls = list(self._calls.values())
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
