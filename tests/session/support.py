"""Sessions brought into any state, what they answered in words, and a pretend wire between two of them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections.abc import Callable, Coroutine, Iterable
from struct import Struct
from typing import Any, Final, TypeVar

import pytest
import uvloop

from smppgw.pdu import codec
from smppgw.pdu._generated import CLASS_BY_ID, SmeAddress, UnsuccessSme
from smppgw.pdu.constants import CommandId, CommandStatus
from smppgw.pdu.framing import FrameBuffer
from smppgw.session import events as ev
from smppgw.session.client import bind_octets
from smppgw.session.connection import Connection
from smppgw.session.machine import Session
from smppgw.session.settings import SessionSettings
from smppgw.session.states import BOUND, Role, SessionState
from smppgw.session.timers import NS, TimerSettings

E = CommandStatus
C = CommandId
S = SessionState
OK: Final = CommandStatus.ESME_ROK

MODES: Final = {S.BOUND_TX: "tx", S.BOUND_RX: "rx", S.BOUND_TRX: "trx"}
BINDS: Final = {
    S.BOUND_TX: C.BIND_TRANSMITTER,
    S.BOUND_RX: C.BIND_RECEIVER,
    S.BOUND_TRX: C.BIND_TRANSCEIVER,
}
TIMERS: Final = TimerSettings.of_seconds(session_init=10, enquire_link=30, inactivity=0, response=20, read=15)
SETTINGS: Final = SessionSettings(window=10, inbound_window=10, timers=TIMERS)
_pack_header = Struct(">IIII").pack


def seconds(number: float) -> int:
    return int(number * NS)


def header(command_id: int, sequence_number: int = 1, status: int = 0, body: bytes = b"") -> bytes:
    return _pack_header(16 + len(body), command_id, status, sequence_number) + body


def pdu(command_id: int, sequence_number: int = 1, status: int = 0, **fields: Any) -> bytes:
    """A valid PDU of that command."""
    if command_id == C.SUBMIT_MULTI:
        fields.setdefault("dest_address", (SmeAddress(1, 1, b"12065550100"),))
    if command_id == C.SUBMIT_MULTI_RESP:
        fields.setdefault("unsuccess_sme", (UnsuccessSme(1, 1, b"12065550100", 8),))
    made: Any = CLASS_BY_ID[command_id](**fields)
    made.sequence_number, made.command_status = sequence_number, status
    return codec.encode(made)


OUTBIND: Final = pdu(C.OUTBIND, system_id=b"smsc", password=b"pw")


def request(command_id: int, context: object = None, **fields: Any) -> tuple[int, bytes, object]:
    """A message to send, as `send_requests` takes it."""
    return command_id, pdu(command_id, **fields)[16:], context


def bind_pdu(
    state: SessionState = S.BOUND_TRX,
    sequence_number: int = 1,
    system_id: bytes = b"esme",
    interface_version: int = 0x34,
    **fields: Any,
) -> bytes:
    return pdu(
        BINDS[state],
        sequence_number,
        system_id=system_id,
        password=b"pw",
        interface_version=interface_version,
        **fields,
    )


def frames(octets: bytes | Iterable[bytes]) -> list[tuple[int, int, int, bytes]]:
    buffer = FrameBuffer(1 << 20)
    buffer.feed(octets if isinstance(octets, bytes) else b"".join(octets))
    cut = buffer.take()
    assert not buffer.pending, "what is sent is whole PDUs"
    return cut


def sent(session: Session) -> list[tuple[int, int, int]]:
    """What the session has sent since: command_id, command_status, sequence_number."""
    said = frames(session.octets_to_send())
    for *_, octets in said:
        codec.decode(octets)
    return [frame[:3] for frame in said]


def told(session: Session) -> list[ev.Event]:
    return session.take_events()


def kinds(session: Session) -> list[type]:
    return [type(event) for event in told(session)]


def opened(role: Role = Role.SMSC, settings: SessionSettings = SETTINGS, now_ns: int = 0) -> Session:
    return Session(role, settings, now_ns)


def esme_bind(state: SessionState = S.BOUND_TRX) -> bytes:
    return bind_octets(MODES[state], system_id="esme", password="pw")  # type: ignore[arg-type]


def session_in(
    state: SessionState, role: Role = Role.SMSC, settings: SessionSettings = SETTINGS, now_ns: int = 0
) -> Session:
    """A session in that state, with nothing left to send or to tell."""
    session = opened(role, settings, now_ns)
    if state in BOUND:
        if role is Role.SMSC:
            session.receive_octets(bind_pdu(state), now_ns)
            session.accept_bind(b"smsc", now_ns)
        else:
            session.bind(esme_bind(state), now_ns)
            session.receive_octets(pdu(BINDS[state] | 0x80000000, 1, system_id=b"smsc"), now_ns)
    elif state is S.OUTBOUND:
        if role is Role.SMSC:
            session.outbind(OUTBIND)
        else:
            session.receive_octets(OUTBIND, now_ns)
    elif state is S.UNBOUND:
        session = session_in(S.BOUND_TRX, role, settings, now_ns)
        session.receive_octets(message_of_peer(role, 70) + header(C.UNBIND, 71), now_ns)
    elif state is S.CLOSED:
        session.close("the test")
    session.octets_to_send()
    session.take_events()
    assert session.state is state
    return session


def message_of_peer(role: Role, sequence_number: int) -> bytes:
    """A message that the peer of that role may send."""
    return pdu(C.SUBMIT_SM if role is Role.SMSC else C.DELIVER_SM, sequence_number)


class Wire:
    """An ESME and an SMSC joined by a pretend wire; each binds, accepts and answers everything."""

    def __init__(self, settings: SessionSettings = SETTINGS) -> None:
        self.esme = opened(Role.ESME, settings)
        self.smsc = opened(Role.SMSC, settings)
        self.events: dict[Role, list[ev.Event]] = {Role.ESME: [], Role.SMSC: []}
        self.now_ns = 0

    def settle(self, *, answer: bool = True) -> None:
        """Carry octets to and fro until both are silent."""
        moving = True
        while moving:
            moving = False
            for here, there in ((self.esme, self.smsc), (self.smsc, self.esme)):
                for event in here.take_events():
                    self.events[here.role].append(event)
                    self._react(here, event, answer=answer)
                octets = b"".join(here.octets_to_send())
                if octets:
                    moving = True
                    there.receive_octets(octets, self.now_ns)

    def _react(self, session: Session, event: ev.Event, *, answer: bool) -> None:
        if isinstance(event, ev.BindRequested):
            session.accept_bind(b"smsc", self.now_ns)
        elif isinstance(event, ev.Requests) and answer:
            session.send_responses(
                [pdu(command_id | 0x80000000, number) for command_id, _, number, _ in event.frames]
            )


class Recorder:
    """An owner that writes down what happens, accepts every bind and answers every message at once."""

    def __init__(self, *, refuse: CommandStatus | None = None, answer: bool = True) -> None:
        self.refuse = refuse
        self.answer = answer
        self.events: list[ev.Event] = []
        self.connections: list[Connection] = []
        self.closed: list[Connection] = []
        self._changed = asyncio.Event()

    def on_connected(self, connection: Connection) -> None:
        self.connections.append(connection)
        self._changed.set()

    def on_event(self, connection: Connection, event: ev.Event) -> None:
        assert connection not in self.closed, "Closed is the last event"
        self.events.append(event)
        self._changed.set()
        session = connection.session
        if isinstance(event, ev.BindRequested):
            if self.refuse is None:
                session.accept_bind(b"smsc", time.monotonic_ns())
            else:
                session.refuse_bind(self.refuse, time.monotonic_ns())
        elif isinstance(event, ev.Requests) and self.answer:
            session.send_responses([pdu(frame[0] | 0x80000000, frame[2]) for frame in event.frames])
        elif isinstance(event, ev.Closed):
            self.closed.append(connection)

    def of(self, kind: type[ev.Event]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, done: Callable[[], object]) -> None:
        """Wait until something that happened here has made it true."""
        while not done():
            self._changed.clear()
            await self._changed.wait()


class Peer:
    """The other end of a connection, octet by octet."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def dial(cls, port: int) -> Peer:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    def send(self, octets: bytes) -> None:
        self.writer.write(octets)

    async def read(self) -> tuple[int, int, int]:
        """The next PDU: command_id, command_status, sequence_number."""
        head = await self.reader.readexactly(16)
        await self.reader.readexactly(int.from_bytes(head[:4], "big") - 16)
        return tuple(int.from_bytes(head[at : at + 4], "big") for at in (4, 8, 12))  # type: ignore[return-value]

    async def read_to_the_end(self) -> bytes:
        """What still comes until the connection ends, in whichever way."""
        octets = b""
        with contextlib.suppress(ConnectionError):
            while chunk := await self.reader.read(65536):
                octets += chunk
        return octets

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


T = TypeVar("T")


def run(main: Callable[[], Coroutine[Any, Any, T]], *, with_uvloop: bool = False) -> T:
    """Run to the end in debug mode; fail when something is left behind or went to the exception handler."""
    result, failures = run_with_failures(main, with_uvloop=with_uvloop)
    assert failures == []
    return result


def run_with_failures(
    main: Callable[[], Coroutine[Any, Any, T]], *, with_uvloop: bool = False
) -> tuple[T, list[str]]:
    """The same, with what went to the exception handler."""
    failures: list[str] = []

    async def guarded() -> T:
        loop = asyncio.get_running_loop()
        loop.slow_callback_duration = 5.0
        loop.set_exception_handler(
            lambda _, context: failures.append(f"{context['message']}: {context.get('exception')!r}")
        )
        result = await asyncio.wait_for(main(), 15)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, f"tasks are left: {left}"
        return result

    factory = uvloop.new_event_loop if with_uvloop else None
    with asyncio.Runner(debug=True, loop_factory=factory) as runner:
        result = runner.run(guarded())
    gc.collect()
    return result, failures


both_loops = pytest.mark.parametrize("with_uvloop", [False, True], ids=["asyncio", "uvloop"])
