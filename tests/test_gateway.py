"""The gateway as a whole: what it shows of itself, how it stops."""

from __future__ import annotations

import asyncio

from structlog.testing import LogCapture

from smppgw import Smsc
from smppgw.library.bound import LATER, BoundEsme, Later
from smppgw.pdu._generated import SubmitSm
from smppgw.pdu.constants import CommandStatus
from smppgw.settings import GatewaySettings, StoreSettings
from tests.peers import Recorder, client, submit_sm
from tests.support import a_carrier, an_esme, running, settings_of, until

OK = CommandStatus.ESME_ROK
IMPATIENT = GatewaySettings(drain_timeout=0.1)


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


async def test_a_gateway_that_stops_waits_for_a_carrier_that_comes_back() -> None:
    recorder = Recorder(receipts=False)
    async with Smsc(port=0) as reserved:
        port = reserved.port
    settings = settings_of(an_esme(), carriers=(a_carrier(port),))
    async with running(settings, bound=False) as gateway:
        async with client(gateway.server.port, reconnect=False) as esme:
            await esme.request(submit_sm(registered_delivery=0))
            stopping = asyncio.create_task(gateway.stop())
            await until(lambda: gateway.not_ready() == ["draining"])
            async with Smsc(port=port, on_submit=recorder):
                await stopping
    assert len(recorder.got) == 1


async def test_a_drain_ends_in_time_and_says_what_is_lost() -> None:
    log = LogCapture()
    settings = settings_of(an_esme(), carriers=(a_carrier(1),), gateway=IMPATIENT)
    async with running(settings, bound=False, log=log) as gateway:
        async with client(gateway.server.port, reconnect=False) as esme:
            await esme.request(submit_sm())
            await gateway.stop()
    [finished, _] = [entry for entry in log.entries if entry["event"] == "drain_finished"]
    assert finished["lost"] == 1


async def test_status_shows_binds_queues_and_lanes() -> None:
    unanswered: list[tuple[BoundEsme, SubmitSm]] = []
    looked = False

    def answer(esme: BoundEsme, pdu: SubmitSm) -> str | Later:
        if looked:
            return "at once"
        unanswered.append((esme, pdu))
        return LATER

    async with Smsc(port=0, on_submit=answer) as smsc:
        settings = settings_of(an_esme(), carriers=(a_carrier(smsc.port, window=2),))
        async with running(settings) as gateway, client(gateway.server.port) as esme:
            for number in range(5):
                await esme.request(submit_sm(number, priority_flag=1))
            await until(lambda: gateway.dispatch.in_flight == 2)
            status = gateway.status()
            assert status["ready"] is True
            assert status["lanes"] == {"otp": 0, "transactional": 3, "promotional": 0}
            assert status["esmes"]["app"]["binds"] == {"tx": 0, "rx": 0, "trx": 1}
            assert status["esmes"]["app"]["queued"] == 5
            assert status["carriers"]["carrier"]["up"] is True
            assert status["carriers"]["carrier"]["in_flight"] == 2
            assert status["store"]["octets"] > 0
            metrics = gateway.metrics.render().decode()
            for line in (
                'smppgw_messages_accepted_total{esme="app"} 5.0',
                'smppgw_queue_messages{lane="transactional"} 3.0',
                'smppgw_esme_sessions{esme="app",mode="trx"} 1.0',
                'smppgw_carrier_sessions{carrier="carrier",mode="trx"} 1.0',
                'smppgw_window_in_use{peer="carrier",side="carrier"} 2.0',
                "smppgw_accept_duration_seconds_count 5.0",
                "smppgw_store_healthy 1.0",
            ):
                assert line in metrics, line
            assert "smppgw_queue_oldest_message_age_seconds" in metrics
            looked = True
            for bound, pdu in unanswered:
                bound.answer(pdu, "at last")
            await until(lambda: not gateway.store.queued("app"))


async def test_a_full_store_takes_nothing_more_and_says_so() -> None:
    small = StoreSettings(backend="unsafe-memory", max_bytes=300)
    settings = settings_of(an_esme(), carriers=(a_carrier(1),), store=small, gateway=IMPATIENT)
    async with running(settings, bound=False) as gateway, client(gateway.server.port) as esme:
        while (await esme.request(submit_sm())).command_status == OK:
            pass
        refused = await esme.request(submit_sm())
        assert refused.command_status == CommandStatus.ESME_RMSGQFUL
        assert gateway.not_ready() == ["the store is full"]
        assert "smppgw_store_healthy 0.0" in gateway.metrics.render().decode()


async def test_a_gateway_that_stops_sends_nothing_twice_and_waits_for_no_carrier_longer_than_it_may() -> None:
    got: list[bytes] = []

    def silent(esme: BoundEsme, pdu: SubmitSm) -> Later:
        got.append(pdu.short_message)
        return LATER

    async with Smsc(port=0, on_submit=silent) as one, Smsc(port=0, on_submit=silent) as two:
        carriers = (a_carrier(one.port, "one", binds=3), a_carrier(two.port, "two", binds=3))
        settings = settings_of(an_esme(), carriers=carriers, gateway=IMPATIENT)
        async with running(settings) as gateway:
            async with client(gateway.server.port, reconnect=False) as esme:
                for number in range(5):
                    await esme.request(submit_sm(number))
                await until(lambda: len(got) == 5)
                started = asyncio.get_running_loop().time()
                await gateway.stop()
                assert asyncio.get_running_loop().time() - started < 9
        assert len(got) == 5
