"""The listener: a session for each connection, a bound on how many, one clear line when it cannot listen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from smppgw.session import events as ev
from smppgw.session.client import Client
from smppgw.session.errors import ConnectionFailed
from smppgw.session.server import Server
from tests.session.support import SETTINGS, C, Peer, Recorder, bind_pdu, both_loops, header, pdu, run


@asynccontextmanager
async def listening(owner: Recorder, *, max_connections: int = 10, **more: object) -> AsyncIterator[Server]:
    server = Server(
        owner,
        host="127.0.0.1",
        port=0,
        settings=SETTINGS,
        max_connections=max_connections,
        **more,  # type: ignore[arg-type]
    )
    await server.start()
    try:
        yield server
    finally:
        server.stop_listening()
        await server.abort_all("the test is over")
        await asyncio.sleep(0)


@both_loops
def test_each_peer_has_a_session_of_its_own(with_uvloop: bool) -> None:
    async def main() -> None:
        owner = Recorder()
        async with listening(owner) as server:
            peers = [await Peer.dial(server.port) for _ in range(3)]
            for number, peer in enumerate(peers, 1):
                peer.send(bind_pdu(sequence_number=number))
            for number, peer in enumerate(peers, 1):
                assert await peer.read() == (C.BIND_TRANSCEIVER_RESP, 0, number)
            peers[0].send(b"\0\0\0\0")
            assert (await peers[0].read())[0] == C.GENERIC_NACK
            await owner.until(lambda: owner.closed)
            peers[1].send(pdu(C.SUBMIT_SM, 9))
            assert await peers[1].read() == (C.SUBMIT_SM_RESP, 0, 9)
            assert len(server.connections) == 2
            for peer in peers:
                await peer.close()
            await owner.until(lambda: len(owner.closed) == 3)
            assert not server.connections

    run(main, with_uvloop=with_uvloop)


@both_loops
def test_one_connection_too_many_is_closed_at_once_and_only_counted(with_uvloop: bool) -> None:
    turned_away = 0

    def count() -> None:
        nonlocal turned_away
        turned_away += 1

    async def main() -> None:
        owner = Recorder()
        async with listening(owner, max_connections=2, on_overflow=count) as server:
            first, second = await Peer.dial(server.port), await Peer.dial(server.port)
            third = await Peer.dial(server.port)
            assert await third.read_to_the_end() == b""
            await third.close()
            assert len(owner.connections) == len(server.connections) == 2
            assert owner.events == []
            await first.close()
            await owner.until(lambda: owner.closed)
            fourth = await Peer.dial(server.port)
            fourth.send(header(C.ENQUIRE_LINK, 4))
            assert await fourth.read() == (C.ENQUIRE_LINK_RESP, 0, 4)
            for peer in (second, fourth):
                await peer.close()

    run(main, with_uvloop=with_uvloop)
    assert turned_away == 1


def test_nobody_need_be_told_of_one_too_many() -> None:
    async def main() -> None:
        async with listening(Recorder(), max_connections=0) as server:
            peer = await Peer.dial(server.port)
            assert await peer.read_to_the_end() == b""
            await peer.close()

    run(main)


@both_loops
def test_a_port_in_use_is_one_clear_line(with_uvloop: bool) -> None:
    async def main() -> None:
        async with listening(Recorder()) as server:
            second = Server(
                Recorder(), host="127.0.0.1", port=server.port, settings=SETTINGS, max_connections=1
            )
            with pytest.raises(ConnectionFailed) as failed:
                await second.start()
            assert str(failed.value) == f"127.0.0.1:{server.port}: cannot listen: Address already in use"
            second.stop_listening()

    run(main, with_uvloop=with_uvloop)


@both_loops
def test_a_host_that_cannot_be_one_is_one_clear_line(with_uvloop: bool) -> None:
    async def main() -> None:
        server = Server(Recorder(), host="a..b", port=0, settings=SETTINGS, max_connections=1)
        with pytest.raises(ConnectionFailed) as failed:
            await server.start()
        assert str(failed.value).startswith("a..b:0: cannot listen: ")
        assert "\n" not in str(failed.value)
        client = Client(Recorder(), host="a..b", port=1, introduce=lambda *_: None, settings=SETTINGS)
        with pytest.raises(ConnectionFailed):
            await client.connect()

    run(main, with_uvloop=with_uvloop)


@both_loops
def test_those_that_are_there_stay_when_it_stops_listening(with_uvloop: bool) -> None:
    async def main() -> None:
        owner = Recorder()
        async with listening(owner) as server:
            peer = await Peer.dial(server.port)
            peer.send(bind_pdu())
            await peer.read()
            server.stop_listening()
            await asyncio.sleep(0)
            with pytest.raises(ConnectionRefusedError):
                await Peer.dial(server.port)
            peer.send(header(C.ENQUIRE_LINK, 4) + header(C.UNBIND, 5))
            assert [(await peer.read())[0] for _ in range(2)] == [C.ENQUIRE_LINK_RESP, C.UNBIND_RESP]
            await peer.close()
            await owner.until(lambda: owner.closed)
        assert owner.of(ev.Closed) == [ev.Closed("the peer unbound", [])]

    run(main, with_uvloop=with_uvloop)


def test_one_that_has_ended_and_is_not_yet_gone_takes_a_place() -> None:
    async def main() -> None:
        owner = Recorder()
        async with listening(owner, max_connections=1) as server:
            lingering = await Peer.dial(server.port)
            lingering.send(b"\0\0\0\0")
            await lingering.read()
            assert not server.connections
            another = await Peer.dial(server.port)
            assert await another.read_to_the_end() == b""
            await server.abort_all("enough")
            third = await Peer.dial(server.port)
            third.send(header(C.ENQUIRE_LINK, 3))
            assert await third.read() == (C.ENQUIRE_LINK_RESP, 0, 3)
            for peer in (lingering, another, third):
                await peer.close()

    run(main)
