"""A listener: every connection it accepts gets a session in the SMSC role and an owner."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable

from smppgw.session import events as ev
from smppgw.session.connection import WRITE_BUFFER_OCTETS, Clock, Connection, Owner, reason_of
from smppgw.session.errors import ConnectionFailed
from smppgw.session.machine import Session
from smppgw.session.settings import SessionSettings
from smppgw.session.states import Role

__all__ = ["Server"]


class Server:
    """Listens on one address and keeps at most `max_connections` connections."""

    def __init__(
        self,
        owner: Owner,
        *,
        host: str,
        port: int,
        settings: SessionSettings,
        max_connections: int,
        write_buffer_octets: int = WRITE_BUFFER_OCTETS,
        tls: ssl.SSLContext | None = None,
        clock: Clock = time.monotonic_ns,
        on_overflow: Callable[[], None] = lambda: None,
    ) -> None:
        self._owner = owner
        self._host = host
        self._port = port
        self._settings = settings
        self._max_connections = max_connections
        self._write_buffer_octets = write_buffer_octets
        self._tls = tls
        self._clock = clock
        self._on_overflow = on_overflow
        self._listener: asyncio.Server | None = None
        self.connections: set[Connection] = set()
        """Those whose session has not ended."""
        self._open: set[Connection] = set()  # all that are not yet gone: one that has ended may take its time

    @property
    def port(self) -> int:
        """The port that is listened on; of use when 0 was asked for."""
        return self._port

    async def start(self) -> None:
        """Listen. Raises ConnectionFailed with the address and the reason when that cannot be done."""
        loop = asyncio.get_running_loop()
        try:
            self._listener = await loop.create_server(
                self._accept, self._host, self._port, ssl=self._tls, backlog=1024
            )
        except (OSError, UnicodeError, OverflowError) as error:
            address = f"{self._host}:{self._port}"
            raise ConnectionFailed(address, f"cannot listen: {reason_of(error)}") from None
        self._port = self._listener.sockets[0].getsockname()[1]

    def stop_listening(self) -> None:
        """Accept no more connections; those that are there stay."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    async def abort_all(self, reason: str) -> None:
        """Drop every connection at once, whatever it is still owed."""
        for connection in list(self._open):
            connection.abort(reason)
            await connection.wait_closed()

    def _accept(self) -> Connection:
        session = Session(Role.SMSC, self._settings, self._clock())
        return Connection(session, self, write_buffer_octets=self._write_buffer_octets, clock=self._clock)

    def on_connected(self, connection: Connection) -> None:
        """A peer is there; above `max_connections` it is turned away at once."""
        if len(self._open) >= self._max_connections:
            connection.abort("too many connections")
            self._on_overflow()
            return
        self.connections.add(connection)
        self._open.add(connection)
        connection.when_lost(self._open.discard)
        self._owner.on_connected(connection)

    def on_event(self, connection: Connection, event: ev.Event) -> None:
        """Hand an event on to the owner."""
        if connection not in self.connections:
            return
        if type(event) is ev.Closed:
            self.connections.discard(connection)
        self._owner.on_event(connection, event)
