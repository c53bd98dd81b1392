"""A bind that is kept up: the first attempt, refusals, losses, backoff, and a clean end."""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from smppgw.pdu import codec
from smppgw.pdu.errors import EncodeError
from smppgw.session import events as ev
from smppgw.session.client import STEADY_SECONDS, Backoff, Client, bind_octets, binding
from smppgw.session.connection import Connection
from smppgw.session.errors import BindRefused, ConnectionFailed, SessionError
from smppgw.session.server import Server
from smppgw.session.states import Role
from smppgw.session.timers import TimerSettings
from tests.session.support import (
    OUTBIND,
    SETTINGS,
    C,
    E,
    Peer,
    Recorder,
    S,
    bind_pdu,
    both_loops,
    header,
    pdu,
    request,
    run,
)

QUICK = Backoff(0.01, 0.02)


@asynccontextmanager
async def smsc(owner: Recorder) -> AsyncIterator[Server]:
    server = Server(owner, host="127.0.0.1", port=0, settings=SETTINGS, max_connections=10)
    await server.start()
    try:
        yield server
    finally:
        server.stop_listening()
        await server.abort_all("the test is over")
        await asyncio.sleep(0)


@asynccontextmanager
async def scripted(script: Callable[[Peer], Any]) -> AsyncIterator[int]:
    """Listen, and let `script` play the SMSC on each connection; yields the port."""
    tasks: set[asyncio.Task[None]] = set()

    async def play(peer: Peer) -> None:
        try:
            await script(peer)
        finally:
            await peer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.get_running_loop().create_task(play(Peer(reader, writer))))

    listener = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()
        await asyncio.gather(*tasks)
        await asyncio.sleep(0)


def esme(owner: Recorder, port: int, **more: Any) -> Client:
    more.setdefault("introduce", binding(bind_octets("trx", system_id="esme", password="pw")))
    more.setdefault("settings", SETTINGS)
    return Client(owner, host="127.0.0.1", port=port, **more)


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Failures(list[tuple[SessionError, float]]):
    """What `on_failure` hears of."""

    def __init__(self) -> None:
        super().__init__()
        self._heard = asyncio.Event()

    def __call__(self, error: SessionError, delay: float) -> None:
        self.append((error, delay))
        self._heard.set()

    async def until(self, count: int) -> None:
        while len(self) < count:
            self._heard.clear()
            await self._heard.wait()


# ---- one attempt -------------------------------------------------------------------------------------------


@both_loops
def test_it_connects_binds_sends_and_unbinds(with_uvloop: bool) -> None:
    async def main() -> None:
        ours, theirs = Recorder(), Recorder()
        async with smsc(theirs) as server:
            client = esme(ours, server.port)
            connection = await client.connect()
            assert connection is client.connection
            assert connection.session.bound
            connection.session.send_requests([request(C.SUBMIT_SM, "mt")], time.monotonic_ns())
            connection.flush()
            await ours.until(lambda: ours.of(ev.Responses))
            await client.close()
            assert client.connection is None
            assert ours.events[-1] == ev.Closed("unbound", [])
            await theirs.until(lambda: theirs.closed)
            assert theirs.events[-1] == ev.Closed("the peer unbound", [])
            await client.close()

    run(main, with_uvloop=with_uvloop)


@both_loops
def test_a_refused_bind_is_raised_with_its_status(with_uvloop: bool) -> None:
    async def main() -> None:
        ours = Recorder()
        async with smsc(Recorder(refuse=E.ESME_RINVPASWD)) as server:
            client = esme(ours, server.port)
            with pytest.raises(BindRefused) as refused:
                await client.connect()
            assert refused.value.command_status == E.ESME_RINVPASWD
            assert str(refused.value).endswith("the bind was refused with ESME_RINVPASWD")
            assert ours.events == [ev.Refused(E.ESME_RINVPASWD), ev.Closed("the bind was refused", [])]
            assert client.connection is None
            await ours.connections[0].wait_closed()

    run(main, with_uvloop=with_uvloop)


@both_loops
def test_where_nobody_listens_is_one_clear_line(with_uvloop: bool) -> None:
    async def main() -> None:
        port = unused_port()
        client = esme(Recorder(), port)
        with pytest.raises(ConnectionFailed) as failed:
            await client.connect()
        assert str(failed.value) == f"127.0.0.1:{port}: Connection refused"
        await client.close()

    run(main, with_uvloop=with_uvloop)


def test_a_name_that_is_not_known_is_one_line() -> None:
    async def main() -> None:
        client = Client(
            Recorder(),
            host="nowhere.invalid",
            port=2775,
            introduce=binding(b""),
            settings=SETTINGS,
        )
        with pytest.raises(ConnectionFailed, match=r"^nowhere\.invalid:2775: [^\n]+$"):
            await client.connect()

    run(main)


def test_a_connection_that_is_not_there_in_time_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()

        async def never(*args: object, **kwargs: object) -> None:
            await asyncio.Event().wait()

        monkeypatch.setattr(loop, "create_connection", never)
        client = esme(Recorder(), 2775, connect_timeout=0.01)
        with pytest.raises(ConnectionFailed, match="no connection in time"):
            await client.connect()

    run(main)


@both_loops
def test_a_peer_that_hangs_up_instead_of_binding_is_a_failure(with_uvloop: bool) -> None:
    async def hang_up(peer: Peer) -> None:
        await peer.read()

    async def main() -> None:
        async with scripted(hang_up) as port:
            with pytest.raises(ConnectionFailed, match="the peer closed the connection"):
                await esme(Recorder(), port).connect()

    run(main, with_uvloop=with_uvloop)


def test_a_peer_that_does_not_answer_the_bind_is_a_failure() -> None:
    async def silence(peer: Peer) -> None:
        await peer.read_to_the_end()

    async def main() -> None:
        timers = TimerSettings.of_seconds(session_init=0.03)
        async with scripted(silence) as port:
            with pytest.raises(ConnectionFailed, match="not bound in time"):
                await esme(Recorder(), port, settings=replace(SETTINGS, timers=timers)).connect()

    run(main)


@both_loops
def test_a_peer_that_binds_and_unbinds_in_one_write_was_bound(with_uvloop: bool) -> None:
    async def short(peer: Peer) -> None:
        await peer.read()
        peer.send(pdu(C.BIND_TRANSCEIVER_RESP, 1) + header(C.UNBIND, 2))
        await peer.read_to_the_end()

    async def main() -> None:
        ours = Recorder()
        async with scripted(short) as port:
            connection = await esme(ours, port).connect()
            assert not connection.session.bound
            await connection.wait_closed()
        assert [type(event) for event in ours.events] == [ev.Bound, ev.PeerUnbound, ev.Closed]

    run(main, with_uvloop=with_uvloop)


def test_an_smsc_calls_with_an_outbind_and_is_bound_to() -> None:
    async def called(peer: Peer) -> None:
        assert await peer.read() == (C.OUTBIND, 0, 1)
        peer.send(bind_pdu(S.BOUND_RX))
        assert await peer.read() == (C.BIND_RECEIVER_RESP, 0, 1)
        assert await peer.read() == (C.UNBIND, 0, 2)
        peer.send(header(C.UNBIND_RESP, 2))
        await peer.read_to_the_end()

    async def main() -> None:
        ours = Recorder()
        async with scripted(called) as port:
            client = esme(
                ours, port, role=Role.SMSC, introduce=lambda session, _now_ns: session.outbind(OUTBIND)
            )
            connection = await client.connect()
            assert connection.session.state is S.BOUND_RX
            await client.close()
        assert ours.events[-1] == ev.Closed("unbound", [])

    run(main)


# ---- kept up -----------------------------------------------------------------------------------------------


@both_loops
def test_it_binds_again_after_a_loss(with_uvloop: bool) -> None:
    async def main() -> None:
        ours, theirs, failures = Recorder(), Recorder(), Failures()
        async with smsc(theirs) as server:
            client = esme(ours, server.port, backoff=Backoff(0.01, 0.02), on_failure=failures)
            client.start()
            await ours.until(lambda: ours.of(ev.Bound))
            theirs.connections[0].abort("a loss")
            await ours.until(lambda: len(ours.of(ev.Bound)) == 2)
            theirs.connections[1].session.unbind(time.monotonic_ns())
            theirs.connections[1].flush()
            await ours.until(lambda: len(ours.of(ev.Bound)) == 3)
            await client.close()
        assert len(failures) == 2
        assert all(isinstance(error, ConnectionFailed) for error, _ in failures)
        assert str(failures[1][0]).endswith(": the peer unbound")
        assert len(ours.of(ev.Closed)) == 3

    run(main, with_uvloop=with_uvloop)


def test_it_tries_until_somebody_listens() -> None:
    async def main() -> None:
        ours, failures = Recorder(), Failures()
        port = unused_port()
        client = esme(ours, port, backoff=Backoff(0.01, 0.02), on_failure=failures)
        client.start()
        await failures.until(3)
        assert {str(error) for error, _ in failures} == {f"127.0.0.1:{port}: Connection refused"}
        await client.close()
        assert ours.events == []

    run(main)


def test_a_bind_that_ends_at_once_is_tried_later_and_later_and_one_that_stood_soon() -> None:
    async def main() -> None:
        ours, theirs, failures = Recorder(), Recorder(), Failures()
        clock_ns = time.monotonic_ns()
        async with smsc(theirs) as server:
            client = esme(
                ours, server.port, backoff=Backoff(0.01, 1), on_failure=failures, clock=lambda: clock_ns
            )
            client.start()
            for number in range(1, 5):
                await ours.until(lambda expected=number: len(ours.of(ev.Bound)) == expected)
                await asyncio.sleep(0)
                if number == 4:
                    clock_ns += 5_000_000_000
                theirs.connections[-1].abort("hung up")
                await failures.until(number)
            await client.close()
        for (_, delay), step in zip(failures, [0.01, 0.02, 0.04, 0.01], strict=True):
            assert step / 2 <= delay <= step

    run(main)


@pytest.mark.parametrize(
    ("status", "longest"), [(E.ESME_RINVPASWD, True), (E.ESME_RINVSYSID, True), (E.ESME_RALYBND, False)]
)
def test_a_refusal_that_will_not_change_waits_the_longest_step_at_once(status: E, longest: bool) -> None:
    async def main() -> None:
        ours, failures = Recorder(), Failures()
        async with smsc(Recorder(refuse=status)) as server:
            client = esme(ours, server.port, backoff=Backoff(1, 60), on_failure=failures)
            client.start()
            await failures.until(1)
            await client.close()
        ((error, delay),) = failures
        assert isinstance(error, BindRefused)
        assert (30 <= delay <= 60) if longest else (0.5 <= delay <= 1)

    run(main)


def test_it_is_silent_about_failures_where_nobody_asks() -> None:
    async def main() -> None:
        theirs = Recorder(refuse=E.ESME_RALYBND)
        async with smsc(theirs) as server:
            client = esme(Recorder(), server.port, backoff=Backoff(0.01, 0.01))
            client.start()
            await theirs.until(lambda: len(theirs.closed) >= 2)
            await client.close()

    run(main)


# ---- the end -----------------------------------------------------------------------------------------------


@both_loops
def test_an_unbind_that_is_not_answered_is_aborted(with_uvloop: bool) -> None:
    async def deaf(peer: Peer) -> None:
        await peer.read()
        peer.send(pdu(C.BIND_TRANSCEIVER_RESP, 1))
        await peer.read_to_the_end()

    async def main() -> None:
        ours = Recorder()
        async with scripted(deaf) as port:
            client = esme(ours, port)
            connection = await client.connect()
            connection.session.send_requests([request(C.SUBMIT_SM, "mt")], time.monotonic_ns())
            await client.close(grace_seconds=0.02)
        assert ours.events[-1] == ev.Closed("unbind was not answered in time", ["mt"])

    run(main, with_uvloop=with_uvloop)


@both_loops
def test_it_can_be_closed_before_it_is_bound(with_uvloop: bool) -> None:
    async def main() -> None:
        asked = asyncio.Event()

        async def silence(peer: Peer) -> None:
            await peer.read()
            asked.set()
            await peer.read_to_the_end()

        ours = Recorder()
        async with scripted(silence) as port:
            client = esme(ours, port)
            client.start()
            await asked.wait()
            await client.close()
            assert ours.events == [ev.Closed("closed by us", [])]

    run(main, with_uvloop=with_uvloop)


@both_loops
def test_it_can_be_closed_at_the_moment_it_is_connected(with_uvloop: bool) -> None:
    async def listen(peer: Peer) -> None:
        await peer.read_to_the_end()

    async def main() -> None:
        ours = Recorder()
        async with scripted(listen) as port:
            client = esme(ours, port)
            client.start()
            await ours.until(lambda: ours.connections)
            await client.close()
            assert [type(event) for event in ours.events] == [ev.Closed]
            await ours.connections[0].wait_closed()

    run(main, with_uvloop=with_uvloop)


@both_loops
def test_it_can_be_closed_while_it_is_connecting(with_uvloop: bool) -> None:
    async def main() -> None:
        ours = Recorder()
        async with smsc(Recorder()) as server:
            client = esme(ours, server.port)
            client.start()
            await asyncio.sleep(0)
            await client.close()
            assert client.connection is None

    run(main, with_uvloop=with_uvloop)


def test_a_client_that_was_never_started_has_nothing_to_close() -> None:
    async def main() -> None:
        await esme(Recorder(), 1).close()

    run(main)


def test_an_owner_that_fails_at_the_connection_fails_the_attempt() -> None:
    class Failing(Recorder):
        def on_connected(self, connection: Connection) -> None:
            raise RuntimeError("the owner's fault")

    async def main() -> None:
        loop = asyncio.get_running_loop()
        heard: list[dict[str, Any]] = []
        loop.set_exception_handler(lambda _, context: heard.append(context))
        async with smsc(Recorder()) as server:
            with pytest.raises(ConnectionFailed, match="an error of ours"):
                await esme(Failing(), server.port).connect()
        assert len(heard) == 1

    run(main)


# ---- what it says ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "command"),
    [("tx", C.BIND_TRANSMITTER), ("rx", C.BIND_RECEIVER), ("trx", C.BIND_TRANSCEIVER)],
)
def test_a_bind_carries_what_it_is_given(mode: Any, command: C) -> None:
    octets = bind_octets(
        mode,
        system_id="ésme",
        password="secret",
        system_type="vms",
        interface_version=0x50,
        address_range="^1206",
    )
    bound: Any = codec.decode(octets)
    assert bound.command_id == command
    assert (bound.system_id, bound.password, bound.system_type) == (
        "ésme".encode("latin-1"),
        b"secret",
        b"vms",
    )
    assert (bound.interface_version, bound.address_range) == (0x50, b"^1206")


def test_a_password_longer_than_8_is_refused_unless_asked_for() -> None:
    with pytest.raises(EncodeError, match="password is withheld"):
        bind_octets("tx", system_id="esme", password="ninechars")
    octets = bind_octets("tx", system_id="esme", password="ninechars", long_password=True)
    assert octets[:4] == len(octets).to_bytes(4, "big")
    assert octets[16:] == b"esme\0ninechars\0\0\x34\0\0\0"


@pytest.mark.parametrize(
    ("field", "value"),
    [("system_id", "sixteen chars id"), ("system_id", "名"), ("password", "a\0b"), ("system_type", "x" * 13)],
)
@pytest.mark.parametrize("long_password", [False, True])
def test_a_value_that_does_not_fit_is_refused(field: str, value: str, long_password: bool) -> None:
    values = {"system_id": "esme", "password": "pw"} | {field: value}
    with pytest.raises(EncodeError, match=f"bind_receiver: {field}"):
        bind_octets("rx", long_password=long_password, **values)


def test_the_steps_double_up_to_the_longest_with_jitter() -> None:
    rng = random.Random(1)
    backoff = Backoff(1, 60)
    delays = [backoff.next_delay(rng) for _ in range(9)]
    for delay, step in zip(delays, [1, 2, 4, 8, 16, 32, 60, 60, 60], strict=True):
        assert step / 2 <= delay <= step
    backoff.ended(STEADY_SECONDS * 0.99)
    assert backoff.next_delay(rng) >= 30
    backoff.ended(STEADY_SECONDS)
    assert backoff.next_delay(rng) <= 1
    assert backoff.next_delay(rng, hopeless=True) >= 30
    assert backoff.next_delay(rng) >= 30
