"""The gateway as a whole: what it shows of itself, how it stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import structlog
from structlog.testing import LogCapture

from smppgw import Smsc
from smppgw.errors import SmppgwError
from smppgw.gateway import Gateway
from smppgw.library.bound import LATER, BoundEsme, Later
from smppgw.library.delivery import DeliveryReceipt
from smppgw.pdu import codec
from smppgw.pdu._generated import SubmitSm
from smppgw.pdu.constants import HEADER_OCTETS, CommandStatus
from smppgw.session.errors import BindRefused
from smppgw.session.timers import NS
from smppgw.settings import GatewaySettings, ListenSettings, Settings, StoreSettings
from smppgw.store.entries import Message
from smppgw.store.errors import StoreError
from smppgw.store.memory import MemoryStore
from smppgw.telling import envelope_of
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


class Kept(MemoryStore):
    """A store in memory in the place of one that keeps what it has: it takes its time to open, and may be slow."""

    def __init__(self) -> None:
        super().__init__(1_000_000, envelope_of=envelope_of)
        self.opened = asyncio.Event()
        self.slow = False
        self.kept: list[Message] = []

    @property
    def stalled(self) -> bool:
        return self.slow

    async def open(self) -> None:
        await self.opened.wait()
        self.accept(self.kept, lambda: None)

    async def close(self) -> int:
        await super().close()
        return 0


@asynccontextmanager
async def keeping(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Gateway, Kept]]:
    """A gateway that is being started, with a `Kept` store."""
    store = Kept()
    monkeypatch.setattr(Gateway, "_store", lambda *_: store)
    settings = replace(settings, store=StoreSettings(backend="wal"))
    gateway = Gateway(settings, structlog.wrap_logger(None, processors=[LogCapture()]))
    starting = asyncio.create_task(gateway.start())
    try:
        yield gateway, store
    finally:
        store.opened.set()
        await starting
        await gateway.stop()


async def test_a_gateway_says_that_it_recovers_and_lets_esmes_in_afterwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recorder = Recorder()
    async with Smsc(port=0, on_submit=recorder) as smsc:
        settings = settings_of(an_esme(), carriers=(a_carrier(smsc.port),))
        async with keeping(settings, monkeypatch) as (gateway, store):
            await until(lambda: gateway.admin.port)
            assert gateway.not_ready() == ["recovering"]
            assert gateway.server.port == 0
            later = 1 << 60
            pdu = codec.encode(submit_sm(7))[HEADER_OCTETS:]
            lane = gateway.lines.named("otp\tdefault\tapp\t12065550100")
            store.kept.append(Message(later, b"kept", "app", lane, 4, pdu, 1, -NS))
            store.opened.set()
            await until(lambda: not gateway.not_ready())
            async with client(gateway.server.port) as esme:
                receipt = await anext(esme)
                assert isinstance(receipt, DeliveryReceipt)
                assert receipt.message_id == "kept"
                response = await esme.request(submit_sm(8))
                assert int(response.message_id, 16) > later
            assert recorder.got[0] == b"message 7"


async def test_a_drain_leaves_what_is_queued_to_a_store_that_keeps_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unanswered: list[tuple[BoundEsme, SubmitSm]] = []

    def slow(esme: BoundEsme, pdu: SubmitSm) -> Later:
        unanswered.append((esme, pdu))
        return LATER

    async with Smsc(port=0, on_submit=slow) as smsc:
        settings = settings_of(an_esme(), carriers=(a_carrier(smsc.port, window=2),))
        async with keeping(settings, monkeypatch) as (gateway, store):
            store.opened.set()
            await until(lambda: not gateway.not_ready() and gateway.carriers["carrier"].up)
            async with client(gateway.server.port, reconnect=False) as esme:
                for number in range(5):
                    await esme.request(submit_sm(number))
                await until(lambda: len(unanswered) == 2)
                stopping = asyncio.create_task(gateway.stop())
                await until(lambda: gateway.not_ready() == ["draining"])
                assert not stopping.done()
                for bound, pdu in unanswered:
                    bound.answer(pdu, "an id")
                await stopping
            assert store.queued("app") == 3
    assert len(unanswered) == 2


async def test_nothing_is_read_from_esmes_while_the_store_is_too_slow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with keeping(settings_of(an_esme()), monkeypatch) as (gateway, store):
        store.opened.set()
        await until(lambda: not gateway.not_ready())
        port = gateway.server.port
        async with client(port) as esme:
            await esme.request(submit_sm())
            store.slow = True
            await until(lambda: gateway.esme_side.held)
            async with client(port) as another:
                waiting = [esme.request(submit_sm()), another.request(submit_sm())]
                for _ in range(3):  # whoever is not bound yet is read: what came before would be too
                    with pytest.raises(BindRefused):
                        async with client(port, "nobody"):
                            pass
                assert store.queued("app") == 1
                store.slow = False
                assert [(await each).command_status for each in waiting] == [OK, OK]
                assert store.queued("app") == 3


async def test_a_gateway_whose_store_does_not_open_or_whose_port_is_taken_lets_everything_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with Smsc(port=0) as taken:
        settings = settings_of(an_esme(), listen=ListenSettings(port=taken.port))
        with pytest.raises(SmppgwError, match=str(taken.port)):
            async with running(settings):
                pass

    async def fail(_: MemoryStore) -> None:
        raise StoreError("damaged")

    monkeypatch.setattr(MemoryStore, "open", fail)
    gateway = Gateway(settings_of(an_esme()), structlog.wrap_logger(None, processors=[LogCapture()]))
    with pytest.raises(StoreError, match="damaged"):
        await gateway.start()
    assert gateway.server.port == 0
    assert gateway.admin.port == 0
