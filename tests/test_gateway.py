"""The gateway as a whole: what it shows of itself, how it stops."""

from __future__ import annotations

import asyncio

from smppgw import Smsc
from smppgw.bound import BoundEsme
from smppgw.pdu._generated import (
    SubmitSm,
)
from smppgw.pdu.constants import CommandStatus
from tests.peers import client, submit_sm
from tests.support import a_carrier, an_esme, running, settings_of, until

OK = CommandStatus.ESME_ROK


async def test_a_gateway_that_stops_sends_what_it_holds_and_unbinds() -> None:
    async def slow(esme: BoundEsme, pdu: SubmitSm) -> str:
        await release.wait()
        got.append(pdu.short_message)
        return f"id-{len(got)}"

    release = asyncio.Event()
    got: list[bytes] = []
    ended: list[str] = []
    async with Smsc(port=0, on_submit=slow, on_closed=lambda _, reason: ended.append(reason)) as smsc:
        settings = settings_of(an_esme(), carriers=(a_carrier(smsc.port, window=2),))
        async with running(settings) as gateway:
            async with client(gateway.server.port, reconnect=False) as esme:
                for number in range(10):
                    await esme.request(submit_sm(number, registered_delivery=0))
                stopping = asyncio.create_task(gateway.stop())
                await until(lambda: gateway.not_ready() == ["draining"])
                late = await esme.request(submit_sm(11))
                assert late.command_status == CommandStatus.ESME_RSYSERR
                release.set()
                await stopping
                await until(lambda: not esme.bound)
            assert len(got) == 10
        await until(lambda: ended)
        assert ended == ["the peer unbound"]
