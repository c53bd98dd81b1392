"""One bind that is kept up: connect, bind, and after a loss or a refusal again, with jittered backoff."""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from smppgw.pdu import codec
from smppgw.pdu._generated import CLASS_BY_ID
from smppgw.pdu.constants import HEADER_OCTETS, CommandId, CommandStatus, InterfaceVersion, command_name
from smppgw.pdu.errors import EncodeError
from smppgw.session import events as ev
from smppgw.session.connection import WRITE_BUFFER_OCTETS, Clock, Connection, Owner, reason_of
from smppgw.session.errors import BindRefused, ConnectionFailed, SessionError
from smppgw.session.machine import Session
from smppgw.session.settings import SessionSettings
from smppgw.session.states import Role
from smppgw.session.timers import NS

BindMode: TypeAlias = Literal["tx", "rx", "trx"]

_BINDS: Final = {
    "tx": CommandId.BIND_TRANSMITTER,
    "rx": CommandId.BIND_RECEIVER,
    "trx": CommandId.BIND_TRANSCEIVER,
}
STEADY_SECONDS: Final = 5.0
"""A bind that stood for less has not gone well: the next attempt waits longer."""

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
    command = CLASS_BY_ID[_BINDS[mode]]
    fields: Any = command()
    for name, text in (
        ("system_id", system_id),
        ("password", "" if long_password else password),
        ("system_type", system_type),
        ("address_range", address_range),
    ):
        setattr(fields, name, _latin1(mode, name, text))
    fields.interface_version = interface_version
    octets = codec.encode(fields)
    if not long_password:
        return octets
    at = HEADER_OCTETS + len(fields.system_id) + 1
    octets = octets[:at] + _latin1(mode, "password", password) + octets[at:]
    return len(octets).to_bytes(4, "big") + octets[4:]


def _latin1(mode: BindMode, name: str, text: str) -> bytes:
    try:
        octets = text.encode("latin-1")
    except UnicodeEncodeError:
        octets = b"\0"
    if 0 in octets:
        raise EncodeError(command_name(_BINDS[mode]), name, text, "characters of Latin-1 without a NUL")
    return octets


def binding(octets: bytes) -> Callable[[Session, int], None]:
    """Return the introduction of an ESME: it sends this bind."""
    return lambda session, now_ns: session.bind(octets, now_ns)


def _retrieve(bound: asyncio.Future[Connection]) -> None:
    """Nobody may wait for it any more: an exception that is never asked for would be reported as lost."""
    if not bound.cancelled():
        bound.exception()


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

    def ended(self, stood_seconds: float) -> None:
        """A bind ended: if it stood for `STEADY_SECONDS`, begin with the shortest step again."""
        if stood_seconds >= STEADY_SECONDS:
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
        on_failure: Callable[[SessionError, float], None] = lambda _error, _delay: None,
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
        self._bound: asyncio.Future[Connection] | None = None
        self._reason = ""
        self._made: set[Connection] = set()  # all that are not yet gone: one that has ended may take its time
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
                bound_ns = self._clock()
                await self._closed.wait()
                self._backoff.ended((self._clock() - bound_ns) / NS)
                error = ConnectionFailed(self.address, self._reason)
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
        bound: asyncio.Future[Connection] = loop.create_future()
        bound.add_done_callback(_retrieve)
        self._bound = bound
        try:
            async with asyncio.timeout(self._connect_timeout):
                await loop.create_connection(
                    self._make_connection,
                    self._host,
                    self._port,
                    ssl=self._tls,
                    ssl_handshake_timeout=self._connect_timeout if self._tls else None,
                )
        except BaseException as error:
            self._closed.set()
            if self.connection is not None:
                # Given up between the connection and its first octet: uvloop then tells nobody that it is lost.
                self.connection.session.close("connecting was given up")
                self.connection.connection_lost(None)
            if isinstance(error, TimeoutError):
                raise ConnectionFailed(self.address, "no connection in time") from None
            if isinstance(error, (OSError, UnicodeError, OverflowError)):
                raise ConnectionFailed(self.address, reason_of(error)) from None
            raise
        try:
            return await bound
        except SessionError:
            await self._abort_all("the bind failed")
            raise

    async def close(self, grace_seconds: float = 5.0) -> None:
        """Unbind, wait for the answer, close. Nothing is kept up from now on."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        connection = self.connection
        if connection is not None:
            connection.session.unbind(self._clock())
            if not connection.session.bound:
                connection.session.close("closed by us")
            connection.flush()
        try:
            async with asyncio.timeout(grace_seconds):
                for made in list(self._made):
                    await made.wait_closed()
        except TimeoutError:
            await self._abort_all("unbind was not answered in time")

    async def _abort_all(self, reason: str) -> None:
        for made in list(self._made):
            made.abort(reason)
            await made.wait_closed()

    def _make_connection(self) -> Connection:
        session = Session(self._role, self._settings, self._clock())
        return Connection(session, self, write_buffer_octets=self._write_buffer_octets, clock=self._clock)

    def on_connected(self, connection: Connection) -> None:
        """The connection is up: introduce ourselves."""
        self.connection = connection
        self._made.add(connection)
        connection.when_lost(self._made.discard)
        self._owner.on_connected(connection)
        self._introduce(connection.session, self._clock())

    def on_event(self, connection: Connection, event: ev.Event) -> None:
        """Follow the bind, and hand the event on."""
        kind = type(event)
        if kind is ev.Bound:
            self._settle(connection)
        elif kind is ev.Refused:
            assert isinstance(event, ev.Refused)
            self._settle(BindRefused(self.address, event.command_status))
            connection.session.close("the bind was refused")
        elif kind is ev.Closed:
            assert isinstance(event, ev.Closed)
            self._reason = event.reason
            self._settle(ConnectionFailed(self.address, event.reason))
            self.connection = None
            self._closed.set()
        self._owner.on_event(connection, event)

    def _settle(self, outcome: Connection | SessionError) -> None:
        if self._bound is None or self._bound.done():
            return
        if isinstance(outcome, Connection):
            self._bound.set_result(outcome)
        else:
            self._bound.set_exception(outcome)
