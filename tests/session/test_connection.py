"""The asyncio shell on real sockets: it feeds, writes, bounds what waits, and ends once, whatever its owner does."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from smppgw.pdu.constants import TlvTag
from smppgw.session import events as ev
from smppgw.session.connection import Connection, Hold, Owner, reason_of
from smppgw.session.machine import Session
from smppgw.session.settings import SessionSettings
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
    esme_bind,
    header,
    pdu,
    request,
    run,
    run_with_failures,
)

GENEROUS = replace(SETTINGS, window=1000, inbound_window=1000)


@asynccontextmanager
async def serving(
    owner: Owner,
    settings: SessionSettings = GENEROUS,
    *,
    role: Role = Role.SMSC,
    write_buffer_octets: int = 1_048_576,
) -> AsyncIterator[tuple[int, list[Connection]]]:
    """Listen with that owner; yields the port and the connections made."""
    made: list[Connection] = []

    def accept() -> Connection:
        session = Session(role, settings, time.monotonic_ns())
        made.append(Connection(session, owner, write_buffer_octets=write_buffer_octets))
        return made[-1]

    listener = await asyncio.get_running_loop().create_server(accept, "127.0.0.1", 0)
    try:
        yield listener.sockets[0].getsockname()[1], made
    finally:
        listener.close()
        for connection in made:
            connection.abort("the test is over")
            await connection.wait_closed()
        await asyncio.sleep(0)


async def bound_peer(port: int, state: S = S.BOUND_TRX) -> Peer:
    peer = await Peer.dial(port)
    peer.send(bind_pdu(state))
    assert await peer.read() == (bind_response(state), 0, 1)
    return peer


def bind_response(state: S) -> int:
    return {S.BOUND_TX: C.BIND_TRANSMITTER_RESP, S.BOUND_RX: C.BIND_RECEIVER_RESP}.get(
        state, C.BIND_TRANSCEIVER_RESP
    )


@both_loops
def test_a_peer_binds_is_answered_and_unbinds(with_uvloop: bool) -> None:
    async def main() -> None:
        owner = Recorder()
        async with serving(owner) as (port, made):
            peer = await Peer.dial(port)
            peer.send(bind_pdu() + pdu(C.SUBMIT_SM, 2) + pdu(C.SUBMIT_SM, 3) + header(C.UNBIND, 4))
            answers = [await peer.read() for _ in range(4)]
            assert answers == [
                (C.BIND_TRANSCEIVER_RESP, 0, 1),
                (C.SUBMIT_SM_RESP, 0, 2),
                (C.SUBMIT_SM_RESP, 0, 3),
                (C.UNBIND_RESP, 0, 4),
            ]
            assert await peer.read_to_the_end() == b""
            await peer.close()
            await made[0].wait_closed()
            assert made[0].peer_host == "127.0.0.1"
        assert [type(event) for event in owner.events] == [
            ev.BindRequested,
            ev.Bound,
            ev.Requests,
            ev.PeerUnbound,
            ev.Closed,
        ]

    run(main, with_uvloop=with_uvloop)


@both_loops
def test_a_fault_is_answered_before_the_connection_is_closed(with_uvloop: bool) -> None:
    async def main() -> None:
        async with serving(Recorder()) as (port, _):
            peer = await Peer.dial(port)
            peer.send(b"\0\0\0\0")
            assert await peer.read() == (C.GENERIC_NACK, E.ESME_RINVCMDLEN, 0)
            assert await peer.read_to_the_end() == b""
            await peer.close()

    run(main, with_uvloop=with_uvloop)


@both_loops
def test_a_peer_that_goes_away_is_told_to_the_owner_once(with_uvloop: bool) -> None:
    async def main() -> None:
        owner = Recorder()
        async with serving(owner) as (port, made):
            peer = await bound_peer(port)
            made[0].session.send_requests([request(C.DELIVER_SM, "mo")], time.monotonic_ns())
            made[0].flush()
            assert await peer.read() == (C.DELIVER_SM, 0, 1)
            await peer.close()
            await made[0].wait_closed()
        assert owner.of(ev.Closed) == [ev.Closed("the peer closed the connection", ["mo"])]

    run(main, with_uvloop=with_uvloop)


def test_a_reset_is_named_as_the_reason() -> None:
    async def main() -> None:
        owner = Recorder()
        async with serving(owner) as (port, made):
            peer = await bound_peer(port)
            peer.writer.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"
            )
            peer.writer.transport.abort()
            await made[0].wait_closed()
        (closed,) = owner.of(ev.Closed)
        assert closed.reason == "Connection reset by peer"

    run(main)


@both_loops
def test_nothing_is_read_while_a_bind_waits_for_its_verdict(with_uvloop: bool) -> None:
    class Hesitant(Recorder):
        def on_event(self, connection: Connection, event: ev.Event) -> None:
            if isinstance(event, ev.BindRequested):
                self.events.append(event)
                self._changed.set()
            else:
                super().on_event(connection, event)

    async def main() -> None:
        owner = Hesitant()
        async with serving(owner) as (port, made):
            peer = await Peer.dial(port)
            peer.send(bind_pdu())
            await owner.until(lambda: owner.events)
            (connection,) = made
            assert connection._transport is not None
            assert not connection._transport.is_reading()
            peer.send(pdu(C.SUBMIT_SM, 2))
            connection.session.accept_bind(b"smsc", 0)
            connection.flush()
            assert connection._transport.is_reading()
            assert [await peer.read() for _ in range(2)] == [
                (C.BIND_TRANSCEIVER_RESP, 0, 1),
                (C.SUBMIT_SM_RESP, 0, 2),
            ]
            await peer.close()

    run(main, with_uvloop=with_uvloop)


@both_loops
def test_a_connection_that_never_binds_is_closed_in_time(with_uvloop: bool) -> None:
    timers = TimerSettings.of_seconds(session_init=0.02)

    async def main() -> None:
        owner = Recorder()
        async with serving(owner, replace(GENEROUS, timers=timers)) as (port, _):
            peer = await Peer.dial(port)
            assert await peer.read_to_the_end() == b""
            await peer.close()
        assert owner.of(ev.Closed) == [ev.Closed("not bound in time", [])]

    run(main, with_uvloop=with_uvloop)


@both_loops
def test_a_silent_peer_is_asked_again_and_again(with_uvloop: bool) -> None:
    timers = TimerSettings.of_seconds(session_init=0, enquire_link=0.02)

    async def main() -> None:
        async with serving(Recorder(), replace(GENEROUS, timers=timers)) as (port, _):
            peer = await bound_peer(port)
            for number in (1, 2, 3):
                assert await peer.read() == (C.ENQUIRE_LINK, 0, number)
                peer.send(header(C.ENQUIRE_LINK_RESP, number))
            await peer.close()

    run(main, with_uvloop=with_uvloop)


@both_loops
def test_a_peer_that_does_not_answer_enquire_link_is_closed(with_uvloop: bool) -> None:
    timers = TimerSettings.of_seconds(session_init=0, enquire_link=0.02, response=0.02)

    async def main() -> None:
        owner = Recorder()
        async with serving(owner, replace(GENEROUS, timers=timers)) as (port, _):
            peer = await bound_peer(port)
            assert await peer.read() == (C.ENQUIRE_LINK, 0, 1)
            assert await peer.read_to_the_end() == b""
            await peer.close()
        (closed,) = owner.of(ev.Closed)
        assert closed.reason == "enquire_link, bind or unbind was not answered in time"

    run(main, with_uvloop=with_uvloop)


@both_loops
def test_a_peer_that_sends_no_more_has_ended_the_session_and_gets_what_is_written(with_uvloop: bool) -> None:
    async def main() -> None:
        owner = Recorder()
        async with serving(owner) as (port, made):
            peer = await bound_peer(port)
            peer.send(pdu(C.SUBMIT_SM, 2))
            peer.writer.write_eof()
            assert await peer.read() == (C.SUBMIT_SM_RESP, 0, 2)
            assert await peer.read_to_the_end() == b""
            await peer.close()
            await made[0].wait_closed()
        assert owner.of(ev.Closed) == [ev.Closed("the peer closed the connection", [])]

    run(main, with_uvloop=with_uvloop)


@both_loops
def test_a_peer_that_sends_no_more_gets_what_it_is_owed_and_then_the_end(with_uvloop: bool) -> None:
    async def main() -> None:
        owner = Recorder(answer=False)
        async with serving(owner) as (port, made):
            peer = await bound_peer(port)
            peer.send(pdu(C.SUBMIT_SM, 2))
            peer.writer.write_eof()
            (connection,) = made
            while not connection._peer_done:  # noqa: ASYNC110 - nobody is told
                await asyncio.sleep(0)
            connection.hold(Hold.WRITING)
            connection.release(Hold.WRITING)
            connection.session.send_responses([pdu(C.SUBMIT_SM_RESP, 2)])
            connection.flush()
            assert await peer.read() == (C.SUBMIT_SM_RESP, 0, 2)
            assert await peer.read_to_the_end() == b""
            await connection.wait_closed()
            await peer.close()
        assert owner.of(ev.Closed) == [ev.Closed("the peer closed the connection", [])]

    run(main, with_uvloop=with_uvloop)


def test_a_peer_that_sends_no_more_on_tls_has_closed() -> None:
    async def main() -> None:
        connection = Connection(Session(Role.SMSC, SETTINGS, time.monotonic_ns()), Recorder(answer=False))
        connection.connection_made(Pretended(can_write_eof=False))
        connection.data_received(bind_pdu() + pdu(C.SUBMIT_SM, 2))
        assert not connection.eof_received()
        connection.connection_lost(None)
        assert not connection.eof_received()

    run(main)


@both_loops
def test_a_peer_is_read_again_when_every_reason_not_to_is_gone(with_uvloop: bool) -> None:
    async def main() -> None:
        async with serving(Recorder()) as (port, made):
            peer = await bound_peer(port)
            connection = made[0]
            transport = connection._transport
            assert transport is not None
            for why in (Hold.WRITING, Hold.VERDICT):
                connection.hold(why)
                assert not transport.is_reading()
            connection.release(Hold.VERDICT)
            assert not transport.is_reading()
            connection.release(Hold.WRITING)
            assert transport.is_reading()
            await peer.close()
            await connection.wait_closed()
            connection.hold(Hold.WRITING)
            connection.release(Hold.WRITING)

    run(main, with_uvloop=with_uvloop)


def test_one_timer_is_armed_for_the_earliest_deadline_and_not_again_for_a_later_one() -> None:
    timers = replace(GENEROUS.timers, session_init_ns=0)

    async def main() -> None:
        async with serving(Recorder(), replace(GENEROUS, timers=timers)) as (port, made):
            peer = await bound_peer(port)
            connection = made[0]
            armed = connection._timer
            assert armed is not None
            connection.flush()
            assert connection._timer is armed
            connection.session.send_requests([request(C.DELIVER_SM)], time.monotonic_ns())
            connection.flush()  # a response in 20 s is due before an enquire_link in 30 s
            assert connection._timer is not armed
            assert armed.cancelled()
            await peer.close()

    run(main)


# ---- what waits is bounded ---------------------------------------------------------------------------------


def payloads(count: int, octets: int = 60_000) -> list[tuple[int, bytes, object]]:
    return [request(C.DELIVER_SM, tlvs=((TlvTag.MESSAGE_PAYLOAD, b"x" * octets),))] * count


@both_loops
def test_an_owner_that_minds_the_congestion_of_a_peer_keeps_little_for_it(with_uvloop: bool) -> None:
    limit = 100_000
    largest = 0
    timers = TimerSettings.of_seconds(enquire_link=0, response=0.2)

    async def main() -> None:
        nonlocal largest
        owner = Recorder()
        async with serving(owner, replace(GENEROUS, timers=timers), write_buffer_octets=limit) as (
            port,
            made,
        ):
            peer = await bound_peer(port)
            peer.reader._transport.pause_reading()  # type: ignore[attr-defined]
            (connection,) = made
            assert connection.write_room == limit
            while not connection.congested:
                connection.session.send_requests(payloads(1, 20_000), time.monotonic_ns())
                connection.flush()
                largest = max(largest, limit - connection.write_room)
                await asyncio.sleep(0)
            await connection.wait_closed()
            assert connection.write_room == 0
            await peer.close()
        (closed,) = owner.of(ev.Closed)
        assert closed.reason == "the peer does not read"

    run(main, with_uvloop=with_uvloop)
    assert limit // 2 < largest <= limit // 2 + 21_000


@both_loops
def test_a_full_window_of_large_messages_at_once_is_read_by_a_peer_that_reads(with_uvloop: bool) -> None:
    async def main() -> None:
        owner = Recorder()
        async with serving(owner) as (port, made):
            peer = await bound_peer(port)
            (connection,) = made
            connection.session.send_requests(payloads(200), time.monotonic_ns())
            connection.flush()
            assert (connection.congested, connection.write_room) == (True, 0)
            for number in range(1, 201):
                assert await peer.read() == (C.DELIVER_SM, 0, number)
            await owner.until(lambda: owner.of(ev.Writable))
            assert not connection.congested
            await peer.close()
            await connection.wait_closed()
        assert owner.of(ev.Writable) == [ev.Writable()]

    run(main, with_uvloop=with_uvloop)


@both_loops
def test_more_than_all_that_may_wait_for_a_peer_is_the_end(with_uvloop: bool) -> None:
    settings = replace(GENEROUS, window=1)

    async def main() -> None:
        owner = Recorder(answer=False)
        async with serving(owner, settings, write_buffer_octets=1000) as (port, made):
            peer = await bound_peer(port)
            peer.reader._transport.pause_reading()  # type: ignore[attr-defined]
            peer.send(pdu(C.SUBMIT_SM, 2))
            await owner.until(lambda: owner.of(ev.Requests))
            made[0].session.send_responses([header(C.SUBMIT_SM_RESP, 2, body=b"x" * 50_000_000)])
            made[0].flush()
            assert owner.of(ev.Closed) == [ev.Closed("the peer does not read", [])]
            await peer.close()

    run(main, with_uvloop=with_uvloop)


def test_a_peer_that_reads_slowly_is_waited_for_as_long_as_it_reads() -> None:
    timers = replace(TimerSettings.of_seconds(enquire_link=0, response=30), session_init_ns=0)

    async def main() -> None:
        owner = Recorder()
        connection = Connection(
            Session(Role.SMSC, replace(GENEROUS, timers=timers), time.monotonic_ns()), owner
        )
        transport = Pretended(can_write_eof=False)
        connection.connection_made(transport)
        connection.data_received(bind_pdu())
        transport.waiting = 1000
        connection.pause_writing()
        first = connection._stall
        assert first is not None
        connection.pause_writing()
        assert connection._stall is first
        transport.waiting = 500
        first._run()
        assert connection._stall not in (None, first)
        assert owner.of(ev.Closed) == []
        connection._stall._run()
        assert owner.of(ev.Closed) == [ev.Closed("the peer does not read", [])]
        connection.resume_writing()
        connection.connection_lost(None)
        await asyncio.sleep(0)
        assert owner.of(ev.Writable) == []

    run(main)


def test_nobody_is_told_to_write_to_a_peer_that_is_congested_again() -> None:
    async def main() -> None:
        owner = Recorder()
        connection = Connection(Session(Role.SMSC, GENEROUS, time.monotonic_ns()), owner)
        connection.connection_made(Pretended(can_write_eof=False))
        connection.pause_writing()
        connection.resume_writing()
        connection.pause_writing()
        await asyncio.sleep(0)
        assert owner.of(ev.Writable) == []
        connection.resume_writing()
        await asyncio.sleep(0)
        assert owner.of(ev.Writable) == [ev.Writable()]
        connection.connection_lost(None)

    run(main)


@both_loops
def test_a_peer_that_does_not_read_its_answers_is_not_read_and_closed_in_time(with_uvloop: bool) -> None:
    timers = TimerSettings.of_seconds(enquire_link=0, response=0.1)
    asked = 0

    class Generous(Recorder):
        def on_event(self, connection: Connection, event: ev.Event) -> None:
            nonlocal asked
            if isinstance(event, ev.Requests):
                asked += len(event.frames)
                body = b"x" * 20_000
                connection.session.send_responses(
                    [header(frame[0] | 0x80000000, frame[2], 0, body) for frame in event.frames]
                )
            else:
                super().on_event(connection, event)

    async def main() -> None:
        owner = Generous()
        async with serving(owner, replace(GENEROUS, timers=timers), write_buffer_octets=50_000_000) as (
            port,
            made,
        ):
            peer = await bound_peer(port)
            peer.reader._transport.pause_reading()  # type: ignore[attr-defined]
            transport = made[0]._transport
            assert transport is not None
            transport.set_write_buffer_limits(high=100_000)
            number = 2
            while transport.is_reading() and number < 5000:
                peer.send(pdu(C.SUBMIT_SM, number))
                number += 1
                await asyncio.sleep(0)
            assert not transport.is_reading()
            await made[0].wait_closed()
            await peer.close()
        (closed,) = owner.of(ev.Closed)
        assert closed.reason == "the peer does not read"

    run(main, with_uvloop=with_uvloop)
    assert asked < 4999


@both_loops
@pytest.mark.parametrize("response", [0.0, 30.0])
def test_a_peer_that_reads_late_gets_everything_and_is_read_again(with_uvloop: bool, response: float) -> None:
    timers = TimerSettings.of_seconds(enquire_link=0, response=response)

    async def main() -> None:
        owner = Recorder()
        async with serving(owner, replace(GENEROUS, timers=timers), write_buffer_octets=20_000_000) as (
            port,
            made,
        ):
            peer = await bound_peer(port)
            peer.reader._transport.pause_reading()  # type: ignore[attr-defined]
            connection = made[0]
            transport = connection._transport
            assert transport is not None
            transport.set_write_buffer_limits(high=50_000)
            count = 0
            while transport.is_reading():
                connection.session.send_requests(
                    [request(C.DELIVER_SM, tlvs=((TlvTag.MESSAGE_PAYLOAD, b"x" * 60_000),))],
                    time.monotonic_ns(),
                )
                connection.flush()
                count += 1
            assert (connection._stall is not None) is bool(response)
            peer.reader._transport.resume_reading()  # type: ignore[attr-defined]
            for number in range(1, count + 1):
                assert await peer.read() == (C.DELIVER_SM, 0, number)
            peer.send(header(C.ENQUIRE_LINK, 7))
            assert await peer.read() == (C.ENQUIRE_LINK_RESP, 0, 7)
            assert connection._stall is None
            assert transport.is_reading()
            await peer.close()

    run(main, with_uvloop=with_uvloop)


# ---- the end -----------------------------------------------------------------------------------------------


@both_loops
def test_the_last_answer_arrives_although_more_was_on_its_way(with_uvloop: bool) -> None:
    """Closing a socket with unread octets resets it, and takes from the peer what it has not read yet."""

    async def main() -> None:
        owner = Recorder()
        async with serving(owner) as (port, made):
            peer = await bound_peer(port)
            peer.send(pdu(C.SUBMIT_SM, 2))
            await owner.until(lambda: owner.of(ev.Requests))
            peer.send(b"\0\0\0\0" + b"junk" * 100_000)
            await owner.until(lambda: owner.closed)
            peer.send(b"junk" * 100_000)
            assert await peer.read() == (C.SUBMIT_SM_RESP, 0, 2)
            assert (await peer.read())[:2] == (C.GENERIC_NACK, E.ESME_RINVCMDLEN)
            assert await peer.read_to_the_end() == b""
            assert not made[0]._lost.done()
            await peer.close()
            await made[0].wait_closed()

    run(main, with_uvloop=with_uvloop)


def test_a_refused_bind_is_read_although_more_stood_behind_it() -> None:
    async def main() -> None:
        async with serving(Recorder(refuse=E.ESME_RINVPASWD)) as (port, _):
            peer = await Peer.dial(port)
            peer.send(bind_pdu())
            await asyncio.sleep(0)
            peer.send(pdu(C.SUBMIT_SM, 2) * 1000)
            assert await peer.read() == (C.BIND_TRANSCEIVER_RESP, E.ESME_RINVPASWD, 1)
            assert await peer.read_to_the_end() == b""
            await peer.close()

    run(main)


@both_loops
def test_a_peer_that_does_not_close_is_reset_in_time(
    with_uvloop: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smppgw.session.connection.LINGER_SECONDS", 0.02)

    async def main() -> None:
        async with serving(Recorder()) as (port, made):
            peer = await bound_peer(port)
            peer.send(header(C.UNBIND, 2))
            assert await peer.read() == (C.UNBIND_RESP, 0, 2)
            await made[0].wait_closed()
            await peer.close()

    run(main, with_uvloop=with_uvloop)


class Pretended(asyncio.Transport):
    """A transport that cannot say that no more comes, or fails to."""

    def __init__(self, *, can_write_eof: bool) -> None:
        super().__init__()
        self.done: list[str] = []
        self.waiting = 0
        self._can_write_eof = can_write_eof

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.done.append("write")

    def is_closing(self) -> bool:
        return False

    def can_write_eof(self) -> bool:
        return self._can_write_eof

    def write_eof(self) -> None:
        raise OSError(107, "Transport endpoint is not connected")

    def close(self) -> None:
        self.done.append("close")

    def abort(self) -> None:
        self.done.append("abort")


@pytest.mark.parametrize(("can_write_eof", "end"), [(False, "close"), (True, "abort")], ids=["TLS", "gone"])
def test_a_transport_that_cannot_be_half_closed_is_closed(can_write_eof: bool, end: str) -> None:
    async def main() -> None:
        connection = Connection(Session(Role.SMSC, SETTINGS, time.monotonic_ns()), Recorder())
        transport = Pretended(can_write_eof=can_write_eof)
        connection.connection_made(transport)
        connection.data_received(b"\0\0\0\0")
        assert transport.done == ["write", end]
        assert connection.peer_host == ""
        connection.connection_lost(None)

    run(main)


# ---- the owner ---------------------------------------------------------------------------------------------


class Failing(Recorder):
    """An owner that raises at one kind of event."""

    def __init__(self, at: type[ev.Event] | None, act: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self.at = at
        self.act = act

    def on_connected(self, connection: Connection) -> None:
        super().on_connected(connection)
        if self.at is None:
            raise RuntimeError("the owner's fault")

    def on_event(self, connection: Connection, event: ev.Event) -> None:
        super().on_event(connection, event)
        if type(event) is self.at:
            self.at = type(None)  # type: ignore[assignment]
            raise RuntimeError("the owner's fault")


@both_loops
@pytest.mark.parametrize("at", [None, ev.BindRequested, ev.Bound, ev.Requests, ev.Responses, ev.Closed])
def test_an_owner_that_raises_loses_that_connection_and_no_other(
    with_uvloop: bool, at: type[ev.Event] | None
) -> None:
    async def main() -> Failing:
        owner = Failing(at)
        bystander = Recorder()
        async with serving(bystander) as (other_port, _), serving(owner) as (port, made):
            other = await bound_peer(other_port)
            peer = await Peer.dial(port)
            peer.send(bind_pdu())
            await owner.until(lambda: owner.closed or owner.of(ev.Bound))
            if not owner.closed:
                made[0].session.send_requests(
                    [request(C.DELIVER_SM, n) for n in range(3)], time.monotonic_ns()
                )
                made[0].flush()
                # In one read: the answers to two of them and a message, so that events stand behind the one that fails.
                peer.send(pdu(C.DELIVER_SM_RESP, 1) + pdu(C.DELIVER_SM_RESP, 2) + pdu(C.SUBMIT_SM, 2))
                await owner.until(lambda: owner.of(ev.Requests))
                if at is ev.Closed:
                    peer.send(pdu(C.DELIVER_SM_RESP, 3) + header(C.UNBIND, 3))
            await peer.read_to_the_end()
            await peer.close()
            await made[0].wait_closed()
            other.send(header(C.ENQUIRE_LINK, 5))
            assert await other.read() == (C.ENQUIRE_LINK_RESP, 0, 5)
            await other.close()
        return owner

    owner, failures = run_with_failures(main, with_uvloop=with_uvloop)
    assert failures == [
        'the owner of a connection failed, which is closed: RuntimeError("the owner\'s fault")'
    ]
    (closed,) = owner.of(ev.Closed)
    assert owner.events[-1] is closed
    if at is not ev.Closed:
        assert closed.reason == "an error of ours"
    answered = [context for event in owner.of(ev.Responses) for context, *_ in event.answered]
    if owner.of(ev.Responses):
        assert answered + closed.unanswered == [0, 1, 2]


@both_loops
def test_an_owner_may_flush_from_inside_an_event(with_uvloop: bool) -> None:
    order: list[str] = []

    class Eager(Recorder):
        def on_event(self, connection: Connection, event: ev.Event) -> None:
            name = type(event).__name__
            order.append(f"{name} begins")
            super().on_event(connection, event)
            connection.flush()
            connection.flush()
            order.append(f"{name} ends")

    async def main() -> None:
        owner = Eager()
        async with serving(owner) as (port, made):
            peer = await Peer.dial(port)
            peer.send(bind_pdu() + pdu(C.SUBMIT_SM, 2) + header(C.UNBIND, 3))
            assert [(await peer.read())[2] for _ in range(3)] == [1, 2, 3]
            await peer.close()
            await made[0].wait_closed()

    run(main, with_uvloop=with_uvloop)
    assert order == [
        f"{name} {what}"
        for name in ("BindRequested", "Bound", "Requests", "PeerUnbound", "Closed")
        for what in ("begins", "ends")
    ]


@both_loops
def test_an_owner_may_act_on_another_connection_from_inside_an_event(with_uvloop: bool) -> None:
    class Relay(Recorder):
        """Sends a message that came on one connection out on the other, and ends both when told to."""

        def on_event(self, connection: Connection, event: ev.Event) -> None:
            super().on_event(connection, event)
            if isinstance(event, ev.Requests):
                for other in self.connections:
                    if other is not connection:
                        other.session.send_requests([request(C.DELIVER_SM, "relayed")], time.monotonic_ns())
                        other.flush()
                        connection.flush()
            elif isinstance(event, ev.Responses):
                for each in self.connections:
                    each.abort("all is done")

    async def main() -> None:
        owner = Relay()
        async with serving(owner) as (port, _):
            sender = await bound_peer(port, S.BOUND_TX)
            receiver = await bound_peer(port, S.BOUND_RX)
            sender.send(pdu(C.SUBMIT_SM, 2))
            assert await sender.read() == (C.SUBMIT_SM_RESP, 0, 2)
            assert await receiver.read() == (C.DELIVER_SM, 0, 1)
            receiver.send(pdu(C.DELIVER_SM_RESP, 1))
            await owner.until(lambda: len(owner.closed) == 2)
            await sender.close()
            await receiver.close()
        assert owner.of(ev.Closed) == [ev.Closed("all is done", [])] * 2

    run(main, with_uvloop=with_uvloop)


@both_loops
def test_an_aborted_connection_is_told_at_once_and_once(with_uvloop: bool) -> None:
    async def main() -> None:
        owner = Recorder()
        async with serving(owner) as (port, made):
            peer = await bound_peer(port)
            made[0].abort("enough")
            assert owner.of(ev.Closed) == [ev.Closed("enough", [])]
            made[0].abort("again")
            made[0].flush()
            assert await peer.read_to_the_end() == b""
            await peer.close()
            await made[0].wait_closed()
            made[0].abort("after the end")
            made[0].flush()
        assert owner.of(ev.Closed) == [ev.Closed("enough", [])]

    run(main, with_uvloop=with_uvloop)


@both_loops
def test_what_comes_after_the_end_is_not_written(with_uvloop: bool) -> None:
    """A store that is done with a message late answers on a connection that is closing."""

    async def main() -> None:
        owner = Recorder(answer=False)
        async with serving(owner) as (port, made):
            peer = await bound_peer(port)
            peer.send(pdu(C.SUBMIT_SM, 2))
            await owner.until(lambda: owner.of(ev.Requests))
            made[0].session.close("enough")
            made[0].flush()
            made[0].session.send_responses([pdu(C.SUBMIT_SM_RESP, 2)])
            made[0].flush()
            assert await peer.read_to_the_end() == b""
            await peer.close()

    run(main, with_uvloop=with_uvloop)


def test_a_peer_that_does_not_take_the_last_octets_is_reset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smppgw.session.connection.LINGER_SECONDS", 0.05)

    async def main() -> None:
        owner = Recorder()
        async with serving(owner, write_buffer_octets=50_000_000) as (port, made):
            peer = await bound_peer(port)
            peer.reader._transport.pause_reading()  # type: ignore[attr-defined]
            big = [request(C.DELIVER_SM, tlvs=((TlvTag.MESSAGE_PAYLOAD, b"x" * 60_000),))] * 200
            made[0].session.send_requests(big, time.monotonic_ns())
            made[0].session.close("enough")
            made[0].flush()
            await made[0].wait_closed()
            await peer.close()

    run(main)


@both_loops
def test_an_esme_that_listens_binds_when_it_is_called(with_uvloop: bool) -> None:
    class Called(Recorder):
        def on_event(self, connection: Connection, event: ev.Event) -> None:
            super().on_event(connection, event)
            if isinstance(event, ev.Outbound):
                connection.session.bind(esme_bind(S.BOUND_RX), time.monotonic_ns())

    async def main() -> None:
        owner = Called()
        async with serving(owner, role=Role.ESME) as (port, _):
            smsc = await Peer.dial(port)
            smsc.send(OUTBIND)
            assert await smsc.read() == (C.BIND_RECEIVER, 0, 1)
            smsc.send(pdu(C.BIND_RECEIVER_RESP, 1, system_id=b"smsc") + pdu(C.DELIVER_SM, 2))
            assert await smsc.read() == (C.DELIVER_SM_RESP, 0, 2)
            await smsc.close()
        assert owner.of(ev.Bound) == [ev.Bound(S.BOUND_RX, b"smsc")]

    run(main, with_uvloop=with_uvloop)


# ---- reasons -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (
            OSError(98, "error while attempting to bind on address ('127.0.0.1', 2775)"),
            "Address already in use",
        ),
        (ConnectionRefusedError(111, "Connect call failed ('127.0.0.1', 1)"), "Connection refused"),
        (socket.gaierror(-2, "Name or service not known"), "Name or service not known"),
        (ssl.SSLCertVerificationError(1, "certificate verify failed"), "certificate verify failed"),
        (OSError("Multiple exceptions: a, b"), "Multiple exceptions: a, b"),
    ],
)
def test_a_reason_is_a_few_words(error: OSError, reason: str) -> None:
    assert reason_of(error) == reason
