from __future__ import annotations

import asyncio

import pytest

from smppgw import ConnectionFailed, Esme, Smsc
from smppgw.session.errors import SessionError
from tests.support import until


async def test_a_bind_that_is_lost_again_and_again_comes_back_each_time() -> None:
    async with Smsc(port=0) as smsc, Esme(port=smsc.port, system_id="app", reconnect_min=0.01) as esme:
        for _ in range(3):
            there = smsc.bound[0]
            there.drop()
            await until(lambda there=there: smsc.bound and smsc.bound[0] is not there)
            assert (await esme.submit("1", "2", "Hi")).message_ids


async def test_why_there_is_no_bind_is_told_with_the_seconds_to_the_next_attempt() -> None:
    told: list[tuple[SessionError, float]] = []

    def hear(error: SessionError, delay: float) -> None:
        told.append((error, delay))

    async with Smsc(port=0) as smsc:
        quick = {"reconnect_min": 0.01, "reconnect_max": 0.02}
        esme = await Esme(port=smsc.port, system_id="app", on_failure=hear, **quick).__aenter__()  # type: ignore[arg-type]
    await until(lambda: len(told) >= 3)
    await esme.__aexit__()
    assert all(isinstance(error, ConnectionFailed) and 0 < delay <= 0.02 for error, delay in told)


async def test_who_waits_for_a_bind_is_told_when_there_will_be_none() -> None:
    async with Smsc(port=0) as smsc:
        esme = await Esme(port=smsc.port, system_id="app", reconnect_min=60).__aenter__()
        smsc.bound[0].drop()
        await until(lambda: not esme.bound)
        waiting = asyncio.ensure_future(esme.submit("1", "2", "Hi"))
        await asyncio.sleep(0)
        await esme.__aexit__()
        with pytest.raises(ConnectionFailed, match="closed by us"):
            await waiting


async def test_one_that_is_cancelled_while_it_binds_leaves_nothing_behind() -> None:
    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(hold, "127.0.0.1", 0) as server:
        esme = Esme(port=server.sockets[0].getsockname()[1], system_id="app")
        entering = asyncio.ensure_future(esme.__aenter__())
        await asyncio.sleep(0.01)
        entering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await entering
        await until(lambda: asyncio.all_tasks() == {asyncio.current_task()})


async def test_an_esme_that_was_never_entered_says_so() -> None:
    esme = Esme(system_id="app", bind_timeout=0.01)
    with pytest.raises(ConnectionFailed, match="no connection yet"):
        await esme.submit("1", "2", "Hi")
