"""One bind that is kept up: connect, bind, and after a loss or a refusal again, with jittered backoff."""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from smppgw.pdu import codec
from smppgw.pdu.constants import HEADER_OCTETS, CommandId, CommandStatus, InterfaceVersion
from smppgw.session import events as ev
from smppgw.session.connection import WRITE_BUFFER_OCTETS, Clock, Connection, Owner
from smppgw.session.errors import BindRefused, ConnectionFailed, SessionError
from smppgw.session.machine import Session
from smppgw.session.settings import SessionSettings
from smppgw.session.states import Role

BindMode: TypeAlias = Literal["tx", "rx", "trx"]

_BINDS: Final = {
    "tx": CommandId.BIND_TRANSMITTER,
    "rx": CommandId.BIND_RECEIVER,
    "trx": CommandId.BIND_TRANSCEIVER,
}
_HOPELESS: Final = frozenset({CommandStatus.ESME_RINVPASWD, CommandStatus.ESME_RINVSYSID})
"""Refusals that another try will not change: wait the longest step at once."""


def bind_octets(
    mode: BindMode,
    *,
    system_id: str,
    password: str,
    system_type: str = "",
    interface_version: int = InterfaceVersion.V3_4,
    address_range: str = "",
    long_password: bool = False,
) -> bytes:
    """Return an encoded bind (SMPP v3.4 section 4.1).

    Raises EncodeError for a value that does not fit. `long_password` lets a password of more than 8 characters
    through, which some SMSCs want and the specification does not know.
    """
    plain = b"" if long_password else password.encode("latin-1")
    octets = codec.encode(
        codec.CLASS_BY_ID[_BINDS[mode]](
            system_id=system_id.encode("latin-1"),
            password=plain,
            system_type=system_type.encode("latin-1"),
            interface_version=interface_version,
            address_range=address_range.encode("latin-1"),
        )
    )
    if long_password:
        at = HEADER_OCTETS + len(system_id) + 1
        octets = octets[:at] + password.encode("latin-1") + octets[at:]
    return octets


def binding(octets: bytes) -> Callable[[Session, int], None]:
    """Return the introduction of an ESME: it sends this bind."""
    return lambda session, now_ns: session.bind(octets, now_ns)


@dataclass(slots=True)
class Backoff:
    """Seconds to wait before each attempt: doubling, between half and the whole of the step."""

    minimum: float = 1.0
    maximum: float = 60.0
    _step: float = 0.0

    def next_delay(self, rng: random.Random, *, hopeless: bool = False) -> float:
        """Return how long to wait now."""
        self._step = self.maximum if hopeless else min(self.maximum, max(self.minimum, self._step * 2))
        return self._step * rng.uniform(0.5, 1.0)

    def reset(self) -> None:
        """It went well: begin with the shortest step again."""
        self._step = 0.0


class Client:
    """Dials one address and introduces itself: with a bind as an ESME, with an outbind as an SMSC.

    Every event of the connection goes to `owner`; `on_failure` hears of attempts that failed.
    """

    def __init__(
        self,
        owner: Owner,
        *,
        host: str,
        port: int,
        introduce: Callable[[Session, int], None],
        settings: SessionSettings,
        role: Role = Role.ESME,
        connect_timeout: float = 10.0,
        backoff: Backoff | None = None,
        write_buffer_octets: int = WRITE_BUFFER_OCTETS,
        tls: ssl.SSLContext | None = None,
        clock: Clock = time.monotonic_ns,
        rng: random.Random | None = None,
        on_failure: Callable[[SessionError, float], None] = lambda error, delay: None,
    ) -> None:
        self.connection: Connection | None = None
        self._owner = owner
        self._host = host
        self._port = port
        self._introduce = introduce
        self._settings = settings
        self._role = role
        self._connect_timeout = connect_timeout
        self._backoff = backoff or Backoff()
        self._write_buffer_octets = write_buffer_octets
        self._tls = tls
        self._clock = clock
        self.rng = rng or random.Random()  # noqa: S311 - jitter, not a secret
        self._on_failure = on_failure
        self._bound: asyncio.Future[None] | None = None
        self._closed = asyncio.Event()
        self._closed.set()
        self._task: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """Where it dials."""
        return f"{self._host}:{self._port}"

    def start(self) -> None:
        """Keep a bind up from now on, in a task of its own."""
        self._task = asyncio.get_running_loop().create_task(self.run())

    async def run(self) -> None:
        """Keep a bind up until cancelled."""
        while True:
            hopeless = False
            error: SessionError
            try:
                await self.connect()
                self._backoff.reset()
                await self._closed.wait()
                error = ConnectionFailed(self.address, "the connection ended")
            except BindRefused as refused:
                error, hopeless = refused, refused.command_status in _HOPELESS
            except ConnectionFailed as failed:
                error = failed
            delay = self._backoff.next_delay(self.rng, hopeless=hopeless)
            self._on_failure(error, delay)
            await asyncio.sleep(delay)

    async def connect(self) -> Connection:
        """Connect and bind once.

        Raises ConnectionFailed when there is no connection or it ends, BindRefused when the peer says no.
        """
        loop = asyncio.get_running_loop()
        self._closed.clear()
        self._bound = loop.create_future()
        try:
            async with asyncio.timeout(self._connect_timeout):
                await loop.create_connection(
                    self._make_connection,
                    self._host,
                    self._port,
                    ssl=self._tls,
                    ssl_handshake_timeout=self._connect_timeout if self._tls else None,
                )
        except TimeoutError:
            self._closed.set()
            raise ConnectionFailed(self.address, "no connection in time") from None
        except OSError as error:
            self._closed.set()
            raise ConnectionFailed(self.address, error.strerror or str(error)) from None
        await self._bound
        assert self.connection is not None
        return self.connection

    async def close(self, grace_seconds: float = 5.0) -> None:
        """Unbind, wait for the answer, close. Nothing is kept up from now on."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        connection = self.connection
        if connection is None:
            return
        connection.session.unbind(self._clock())
        if not connection.session.bound:
            connection.session.close("closed by us")
        connection.flush()
        try:
            async with asyncio.timeout(grace_seconds):
                await self._closed.wait()
        except TimeoutError:
            connection.abort("unbind was not answered in time")
            await self._closed.wait()

    def _make_connection(self) -> Connection:
        session = Session(self._role, self._settings, self._clock())
        return Connection(
            session, self, write_buffer_octets=self._write_buffer_octets, clock=self._clock
        )

    def on_connected(self, connection: Connection) -> None:
        """The connection is up: introduce ourselves."""
        self.connection = connection
        self._owner.on_connected(connection)
        self._introduce(connection.session, self._clock())

    def on_event(self, connection: Connection, event: ev.Event) -> None:
        """Follow the bind, and hand the event on."""
        kind = type(event)
        if kind is ev.Bound:
            self._settle(None)
        elif kind is ev.Refused:
            assert isinstance(event, ev.Refused)
            self._settle(BindRefused(self.address, event.command_status))
            connection.session.close("the bind was refused")
        elif kind is ev.Closed:
            assert isinstance(event, ev.Closed)
            self._settle(ConnectionFailed(self.address, event.reason))
            self.connection = None
            self._closed.set()
        self._owner.on_event(connection, event)

    def _settle(self, error: SessionError | None) -> None:
        if self._bound is None or self._bound.done():
            return
        if error is None:
            self._bound.set_result(None)
        else:
            self._bound.set_exception(error)
