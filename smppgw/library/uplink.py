"""The one bind of an ESME: dialled, kept up, waited for, and what happens on it handed on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from smppgw.library.inbox import Inbox
from smppgw.library.outbox import Outbox
from smppgw.session import events as ev
from smppgw.session.client import Client
from smppgw.session.connection import Connection
from smppgw.session.errors import ConnectionFailed, SessionError


class Uplink:
    """The owner of an ESME's connection.

    What was sent on a connection that is lost raises Unanswered; what was not waits in the outbox, `bind_timeout`
    seconds at most from the loss on, for the next one.
    """

    def __init__(
        self,
        outbox: Outbox,
        inbox: Inbox,
        *,
        reconnect: bool,
        bind_timeout: float,
        on_failure: Callable[[SessionError, float], None] | None,
    ) -> None:
        self.bound = False
        self._outbox = outbox
        self._inbox = inbox
        self._reconnect = reconnect
        self._bind_timeout = bind_timeout
        self._on_failure = on_failure
        self._client: Client | None = None
        self._first_bind: asyncio.Future[None] | None = None
        self._decided = asyncio.Event()  # there is a bind, or there will be none
        self._over = False
        self._why_not = "there is no connection yet"
        self._outage: asyncio.TimerHandle | None = None

    async def open(self, client: Client) -> None:
        """Connect and bind. Raises BindRefused, ConnectionFailed."""
        self._client = client
        if not self._reconnect:
            await client.connect()
            return
        self._first_bind = asyncio.get_running_loop().create_future()
        client.start()
        await self._first_bind

    async def close(self) -> None:
        """Unbind and close."""
        self._outbox.flush()
        self._over = True
        self.bound = False
        self._why_not = "closed by us"
        if self._client is not None:
            await self._client.close()
        self._end("closed by us")

    async def until_bound(self) -> None:
        """Wait for a bind. Raises ConnectionFailed when there is none in time, or will be none."""
        if not self.bound:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._bind_timeout):
                    await self._decided.wait()
        if not self.bound:
            raise self._no_bind()

    # ---- the owner of the connection ------------------------------------------------------------------------

    def on_connected(self, connection: Connection) -> None:
        """The client introduces us."""

    def on_event(self, connection: Connection, event: ev.Event) -> None:
        """Hand on what happened."""
        match event:
            case ev.Responses(answered):
                self._outbox.on_answered(answered)
            case ev.Requests(frames):
                self._inbox.take_in(frames)
            case ev.Expired(contexts):
                self._outbox.on_unanswered(contexts, "no response in time")
            case ev.Bound():
                self._on_bound(connection)
            case ev.PeerUnbound():
                self._lose("the SMSC has unbound us")
            case ev.Closed(reason, unanswered):
                self._lose(reason)
                self._inbox.forget()
                self._outbox.close(reason, unanswered)
                if self._over or not self._reconnect:
                    self._end(reason)
            case _:
                pass

    def on_attempt_failed(self, error: SessionError, delay: float) -> None:
        """The client has lost its bind or got none, and tries again after `delay` seconds."""
        self._why_not = str(error)
        if self._first_bind is not None and not self._first_bind.done():
            self._first_bind.set_exception(error)
        elif self._on_failure is not None:
            self._on_failure(error, delay)

    def _on_bound(self, connection: Connection) -> None:
        self._cancel_outage()
        self.bound = True
        self._decided.set()
        self._outbox.open(connection)
        if self._first_bind is not None and not self._first_bind.done():
            self._first_bind.set_result(None)

    def _lose(self, reason: str) -> None:
        self.bound = False
        self._why_not = reason
        if not self._over:
            self._decided.clear()
            if self._outage is None:
                loop = asyncio.get_running_loop()
                self._outage = loop.call_later(self._bind_timeout, self._on_outage)

    def _on_outage(self) -> None:
        """What waits has waited long enough."""
        self._outage = None
        self._outbox.give_up(self._no_bind())

    def _end(self, reason: str) -> None:
        """There will be no bind any more."""
        self._over = True
        self._why_not = reason
        self._decided.set()
        self._cancel_outage()
        self._outbox.give_up(self._no_bind())
        self._inbox.end()

    def _cancel_outage(self) -> None:
        if self._outage is not None:
            self._outage.cancel()
            self._outage = None

    def _no_bind(self) -> ConnectionFailed:
        address = self._client.address if self._client is not None else "esme"
        return ConnectionFailed(address, f"not sent, there is no bind: {self._why_not}")
