"""What an ESME is owed reaches it: later, again, on another connection."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import LogCapture

from smppgw import Smsc
from smppgw.gateway import Gateway
from smppgw.library.delivery import DeliveryReceipt, MoMessage
from smppgw.pdu import codec
from smppgw.pdu._generated import DeliverSm
from smppgw.pdu.constants import HEADER_OCTETS, CommandId, CommandStatus, TlvTag
from smppgw.pdu.tlv import make_tlv, tlv_value
from smppgw.session.timers import NS
from smppgw.settings import EsmeSettings, GatewaySettings, ListenSettings, Settings, StoreSettings
from smppgw.store.entries import Delivery
from tests.peers import PickyEsme, Recorder, client, submit_sm
from tests.support import a_carrier, an_esme, running, settings_of, until

OK = CommandStatus.ESME_ROK


class Ahead:
    """The clock of a gateway that can be put forward: monotonic nanoseconds."""

    def __init__(self) -> None:
        self.ahead_ns = 0

    def __call__(self) -> int:
        return time.monotonic_ns() + self.ahead_ns


class House:
    """A gateway whose clock can be put forward, and what it owes."""

    def __init__(self, gateway: Gateway, clock: Ahead) -> None:
        self.gateway = gateway
        self.port = gateway.server.port
        self._clock = clock

    def owe(self, *texts: bytes, source: bytes = b"1666", **fields: object) -> None:
        """A message from a handset to "app" for each text."""
        pdus = [DeliverSm(source_addr=source, short_message=text, **fields) for text in texts]
        bodies = [codec.encode(pdu)[HEADER_OCTETS:] for pdu in pdus]
        plain = [codec.encode(DeliverSm(source_addr=source, short_message=text)) for text in texts]
        ends = [len(octets) - HEADER_OCTETS for octets in plain]
        deliveries = [
            Delivery("app", "mo", CommandId.DELIVER_SM, body, end, self._clock())
            for body, end in zip(bodies, ends, strict=True)
        ]
        self.gateway.store.receive("carrier", deliveries, (), self.gateway.inbound.kick)

    @property
    def waiting(self) -> int:
        """What waits for "app", without what is in flight."""
        return self.gateway.store.waiting_deliveries("app")

    def put_forward(self, seconds: float) -> None:
        """Let it be so much later."""
        self._clock.ahead_ns += int(seconds * NS)
        self.gateway.inbound.kick()

    def sweep(self) -> None:
        self.gateway.inbound.sweep(self._clock())

    async def until_later(self, condition: Callable[[], object]) -> None:
        """Wait until something is so, while time passes faster than it does."""

        def later() -> object:
            self.put_forward(0.25)
            return condition()

        await until(later)

    async def until_aside(self, count: int) -> None:
        """Wait until so many deliveries stand aside, and no others wait."""
        store = self.gateway.store
        await until(lambda: self.waiting == count and not store.ready_deliveries("app"))


PATIENT = ListenSettings(port=0, response_timeout=86_400.0, enquire_link=0.0)
"""For a gateway whose clock runs ahead: nobody has to answer sooner than the test does."""


def house_of(esme: EsmeSettings, **tables: Any) -> Settings:
    return settings_of(esme, **{"listen": PATIENT, **tables})


@asynccontextmanager
async def house(settings: Settings | None = None, *, log: LogCapture | None = None) -> AsyncIterator[House]:
    """A gateway for "app" until the end of the block."""
    clock = Ahead()
    logger = structlog.wrap_logger(None, processors=[log or LogCapture()])
    gateway = Gateway(settings or house_of(an_esme()), logger, clock=clock)
    await gateway.start()
    try:
        yield House(gateway, clock)
    finally:
        await gateway.stop()


class Binds:
    """Receivers of one ESME, and what they have accepted from each source, in order."""

    def __init__(self, answers: Callable[[DeliverSm], int | None] = lambda _: OK) -> None:
        self.accepted: defaultdict[bytes, list[bytes]] = defaultdict(list)
        self.tried: Counter[bytes] = Counter()
        self._answers = answers

    def __call__(self, pdu: DeliverSm) -> int | None:
        self.tried[pdu.short_message] += 1
        status = self._answers(pdu)
        if status == OK:
            self.accepted[pdu.source_addr].append(pdu.short_message)
        return status

    @property
    def count(self) -> int:
        """How many have been accepted, those that came twice twice."""
        return sum(map(len, self.accepted.values()))


def in_turns(statuses: Sequence[int | None]) -> Callable[[DeliverSm], int | None]:
    """Answers by turns."""
    turns = iter(statuses)
    return lambda _: next(turns)


def texts(count: int, first: int = 0) -> list[bytes]:
    return [b"%03d" % number for number in range(first, first + count)]


def drop(*esmes: PickyEsme) -> None:
    """Reset their connections: one that answers nothing takes its time to part."""
    for esme in esmes:
        assert esme.client.connection is not None
        esme.client.connection.abort("dropped")


def got_by(esme: PickyEsme) -> list[bytes]:
    return [each.short_message for each in esme.got]


async def test_receipts_wait_for_an_esme_that_is_away() -> None:
    async with Smsc(port=0, on_submit=Recorder()) as smsc:
        async with running(settings_of(an_esme(), carriers=(a_carrier(smsc.port),))) as gateway:
            async with client(gateway.server.port, bind="tx") as esme:
                ids = [(await esme.request(submit_sm(number))).message_id for number in range(5)]
            await until(lambda: gateway.store.waiting_deliveries("app") == 5)
            async with client(gateway.server.port, bind="rx") as esme:
                receipts = [await anext(esme) for _ in range(5)]
            assert [each.message_id for each in receipts if isinstance(each, DeliveryReceipt)] == [
                each.decode() for each in ids
            ]


@pytest.mark.parametrize(
    "status", [CommandStatus.ESME_RX_T_APPN, CommandStatus.ESME_RMSGQFUL, CommandStatus.ESME_RTHROTTLED]
)
async def test_a_delivery_that_the_esme_cannot_take_now_comes_again(status: CommandStatus) -> None:
    answers = iter([status, OK])
    async with Smsc(port=0, on_submit=Recorder()) as smsc:
        async with running(settings_of(an_esme(), carriers=(a_carrier(smsc.port),))) as gateway:
            async with client(gateway.server.port, bind="tx") as sender:
                response = await sender.request(submit_sm())
                async with PickyEsme(gateway.server.port, lambda _: next(answers), mode="rx") as esme:
                    await until(lambda: len(esme.got) == 2)
                    for each in esme.got:
                        assert tlv_value(each.tlvs, TlvTag.RECEIPTED_MESSAGE_ID) == response.message_id
                    await until(lambda: not gateway.store.octets)
            metrics = gateway.metrics.render().decode()
    for each in (status, OK):
        counted = f'smppgw_delivers_total{{esme="app",kind="receipt",status="{each.name}"}} 1.0'
        assert counted in metrics


async def test_a_delivery_that_the_esme_refuses_for_good_is_closed() -> None:
    async with Smsc(port=0, on_submit=Recorder()) as smsc:
        async with running(settings_of(an_esme(), carriers=(a_carrier(smsc.port),))) as gateway:
            async with client(gateway.server.port, bind="tx") as sender:
                await sender.request(submit_sm())
                refuse = CommandStatus.ESME_RX_P_APPN
                async with PickyEsme(gateway.server.port, lambda _: refuse, mode="rx") as esme:
                    await until(lambda: esme.got)
                    await until(lambda: not gateway.store.octets)
                    assert len(esme.got) == 1
                    assert not gateway.store.waiting_deliveries("app")


async def test_what_a_lost_receiver_has_not_answered_goes_to_the_next_one_in_order() -> None:
    async with Smsc(port=0, on_submit=Recorder()) as smsc:
        async with running(settings_of(an_esme(), carriers=(a_carrier(smsc.port),))) as gateway:
            async with client(gateway.server.port, bind="tx") as sender:
                async with PickyEsme(gateway.server.port, lambda _: None, mode="rx") as mute:
                    for number in range(5):
                        await sender.request(submit_sm(number))
                    await until(lambda: len(mute.got) == 5)
                    drop(mute)
                    async with PickyEsme(gateway.server.port, lambda _: OK, mode="rx") as esme:
                        await until(lambda: len(esme.got) == 5)
                        assert [each.source_addr for each in esme.got] == [
                            each.source_addr for each in mute.got
                        ]


async def test_a_delivery_that_is_not_answered_in_time_comes_again() -> None:
    answers = iter([None, OK])
    async with Smsc(port=0, on_submit=Recorder()) as smsc:
        listen = ListenSettings(port=0, response_timeout=0.2)
        settings = settings_of(an_esme(), carriers=(a_carrier(smsc.port),), listen=listen)
        async with running(settings) as gateway, client(gateway.server.port, bind="tx") as sender:
            await sender.request(submit_sm())
            async with PickyEsme(gateway.server.port, lambda _: next(answers), mode="rx") as esme:
                await until(lambda: len(esme.got) == 2)
                await until(lambda: not gateway.store.octets)


async def test_deliveries_are_shared_among_the_receivers_of_an_esme() -> None:
    async with Smsc(port=0, on_submit=Recorder()) as smsc:
        async with running(settings_of(an_esme(), carriers=(a_carrier(smsc.port, window=50),))) as gateway:
            port = gateway.server.port
            async with client(port, bind="tx") as sender:
                async for result in sender.submit_many(submit_sm(number) for number in range(40)):
                    assert result.ok
                await until(lambda: gateway.store.waiting_deliveries("app") == 40)
                async with (
                    PickyEsme(port, lambda _: OK, mode="rx") as one,
                    PickyEsme(port, lambda _: OK, mode="rx") as two,
                ):
                    async for result in sender.submit_many(submit_sm(number) for number in range(200)):
                        assert result.ok
                    await until(lambda: len(one.got) + len(two.got) == 240)
                    assert one.got
                    assert two.got


async def test_idle_binds_take_turns() -> None:
    async with house() as it, AsyncExitStack() as stack:
        esmes = [PickyEsme(it.port, lambda _: OK, mode="rx") for _ in range(3)]
        for esme in esmes:
            await stack.enter_async_context(esme)
        await until(lambda: len(it.gateway.accounts["app"].links) == 3)
        for text in texts(9):
            it.owe(text)
            await until(lambda: not it.gateway.store.octets)
        assert all(esme.got for esme in esmes)


async def test_what_has_been_put_off_is_sent_when_it_is_due() -> None:
    async with house() as it:
        it.owe(*texts(3))
        store = it.gateway.store
        put_off = store.take_deliveries("app", 2)
        for number, delivery in enumerate(put_off):
            delivery.due_ns = time.monotonic_ns() + (2 - number) * NS // 20
        store.defer_deliveries(put_off)
        async with client(it.port) as esme:
            got = [await anext(esme) for _ in range(3)]
    assert [each.text for each in got if isinstance(each, MoMessage)] == ["002", "001", "000"]


# ---- in order -----------------------------------------------------------------------------------------------


async def test_a_source_keeps_its_order_over_several_binds_that_refuse() -> None:
    refusals = {
        b"%03d" % number: [*statuses]
        for number, statuses in {
            0: [CommandStatus.ESME_RX_T_APPN],
            3: [CommandStatus.ESME_RSYSERR, CommandStatus.ESME_RUNKNOWNERR],
            4: [CommandStatus.ESME_RMSGQFUL],
            9: [CommandStatus.ESME_RTHROTTLED, CommandStatus.ESME_RX_T_APPN],
        }.items()
    }

    def answer(pdu: DeliverSm) -> int:
        left = refusals.get(pdu.short_message)
        return left.pop() if left and pdu.source_addr != b"16660" else OK

    binds = Binds(answer)
    async with house(house_of(an_esme(window=1))) as it, AsyncExitStack() as stack:
        for source in range(4):
            it.owe(*texts(12), source=b"1666%d" % source)
        for _ in range(3):
            await stack.enter_async_context(PickyEsme(it.port, binds, mode="rx"))
        await it.until_later(lambda: binds.count == 48)
        await until(lambda: not it.gateway.store.octets)
    assert all(accepted == texts(12) for accepted in binds.accepted.values())


async def test_what_one_bind_has_in_flight_of_a_source_keeps_the_rest_there() -> None:
    async with house() as it, AsyncExitStack() as stack:
        esmes = [PickyEsme(it.port, lambda _: None, mode="rx") for _ in range(3)]
        for esme in esmes:
            await stack.enter_async_context(esme)
        for batch in range(4):
            for source in range(5):
                it.owe(*texts(2, 2 * batch), source=b"1666%d" % source)
            await until(lambda: sum(len(esme.got) for esme in esmes) == 10 * (batch + 1))  # noqa: B023
        got = [Counter(each.source_addr for each in esme.got) for esme in esmes]
        drop(*esmes)
    assert all(count == 8 for counts in got for count in counts.values())
    assert sum(map(len, got)) == 5
    assert all(got), "every bind had something"


async def test_a_second_bind_does_not_overtake_what_the_first_one_has_in_flight() -> None:
    async with house() as it:
        async with PickyEsme(it.port, lambda _: None, mode="rx") as one:
            it.owe(b"000", source=b"1666")
            await until(lambda: one.got)
            async with PickyEsme(it.port, lambda _: OK, mode="rx") as two:
                it.owe(b"001", source=b"1666")
                it.owe(*texts(4, 100), source=b"1777")
                await until(lambda: len(one.got) + len(two.got) == 6)
            assert b"001" in got_by(one)
            drop(one)


async def test_a_bind_that_answers_nothing_holds_up_its_own_sources_alone() -> None:
    binds = Binds()
    async with house(house_of(an_esme(window=2))) as it:
        async with PickyEsme(it.port, lambda _: None, mode="rx") as mute:
            it.owe(b"000", source=b"16660")
            it.owe(b"000", source=b"16661")
            await until(lambda: len(mute.got) == 2)
            async with PickyEsme(it.port, binds, mode="rx"):
                for source in range(6):
                    it.owe(*texts(9, 1), source=b"1666%d" % source)
                await it.until_later(lambda: binds.count == 36)
                assert not {b"16660", b"16661"} & binds.accepted.keys()
                drop(mute)
                await it.until_later(lambda: binds.count == 56)
    for source, accepted in binds.accepted.items():
        assert accepted == texts(10)[source not in (b"16660", b"16661") :]


async def test_a_bind_that_has_just_been_filled_is_waited_for_a_while() -> None:
    async with house(house_of(an_esme(window=1))) as it, AsyncExitStack() as stack:
        esmes = [PickyEsme(it.port, lambda _: None, mode="rx") for _ in range(2)]
        for esme in esmes:
            await stack.enter_async_context(esme)
        it.owe(b"000", source=b"1666")
        await until(lambda: it.gateway.inbound.in_flight == 1)
        it.owe(b"001", source=b"1666")
        it.owe(b"000", source=b"1777")
        await asyncio.sleep(0)
        assert it.gateway.store.ready_deliveries("app") == 2
        it.put_forward(1)
        await until(lambda: it.gateway.inbound.in_flight == 2)
        assert it.gateway.store.ready_deliveries("app") == 0
        drop(*esmes)


async def test_what_is_answered_is_remembered_no_more() -> None:
    async with house() as it:
        async with PickyEsme(it.port, Binds(in_turns([OK, CommandStatus.ESME_RX_P_APPN, OK])), mode="rx"):
            it.owe(*texts(3))
            await until(lambda: not it.gateway.store.octets)
            [link] = it.gateway.accounts["app"].links
            assert not link.connection.session.window.contexts()


async def test_with_one_bind_the_others_of_a_source_wait_for_one_that_was_refused() -> None:
    async with house() as it:
        binds = Binds(in_turns([CommandStatus.ESME_RX_T_APPN, OK, OK, OK, OK]))
        async with PickyEsme(it.port, binds, mode="rx") as esme:
            it.owe(b"000")
            await it.until_aside(1)
            it.owe(*texts(2, 1))
            it.owe(b"999", source=b"1777")
            await until(lambda: got_by(esme) == [b"000", b"999"])
            await it.until_later(lambda: binds.count == 4)
    assert got_by(esme) == [b"000", b"999", b"000", b"001", b"002"]


async def test_one_that_was_not_answered_in_time_is_not_overtaken() -> None:
    async with house(house_of(an_esme(), listen=ListenSettings(port=0, response_timeout=0.1))) as it:
        binds = Binds(in_turns([None, OK, OK]))
        async with PickyEsme(it.port, binds, mode="rx") as esme:
            it.owe(b"000")
            await it.until_aside(1)
            it.owe(b"001")
            await it.until_later(lambda: binds.count == 2)
    assert got_by(esme) == [b"000", b"000", b"001"]


async def test_what_an_earlier_run_has_left_is_delivered_in_order(tmp_path: Path) -> None:
    settings = house_of(
        an_esme(window=1),
        gateway=GatewaySettings(data_dir=tmp_path, drain_timeout=0.1),
        store=StoreSettings(backend="wal"),
    )
    answers = {b"005": None}
    binds = Binds(lambda pdu: answers.get(pdu.short_message, OK))
    for run in range(2):
        async with house(settings) as it, AsyncExitStack() as stack:
            if run:
                answers.clear()
            else:
                for source in range(3):
                    it.owe(*texts(10), source=b"1666%d" % source)
            esmes = [PickyEsme(it.port, binds, mode="rx") for _ in range(2)]
            for esme in esmes:
                await stack.enter_async_context(esme)
            if not run:
                await until(lambda: it.gateway.inbound.in_flight == 2 and binds.tried[b"005"] == 2)
                drop(*esmes)
            else:
                await it.until_later(lambda: not it.waiting and not it.gateway.inbound.in_flight)
    assert binds.accepted == {b"1666%d" % source: texts(10) for source in range(3)}


# ---- what ESMEs answer --------------------------------------------------------------------------------------


async def test_a_bind_that_wants_less_gets_less_and_others_take_over() -> None:
    async with house(house_of(an_esme())) as it:
        async with PickyEsme(it.port, lambda _: CommandStatus.ESME_RTHROTTLED, mode="rx") as slow:
            it.owe(b"000")
            await it.until_aside(1)
            assert it.gateway.status()["esmes"]["app"]["slowed_binds"] == 1
            async with PickyEsme(it.port, lambda _: OK, mode="rx") as other:
                for source in range(8):
                    it.owe(b"001", source=b"1777%d" % source)
                await until(lambda: len(other.got) == 8)
            assert len(slow.got) == 1


async def test_refusals_for_good_are_logged_together_once_a_minute() -> None:
    log = LogCapture()
    async with house(log=log) as it:
        async with PickyEsme(it.port, lambda _: CommandStatus.ESME_RX_P_APPN, mode="rx"):
            for number in range(4):
                it.owe(b"%d" % number, source=b"1777%d" % number)
                await until(lambda: not it.gateway.store.octets)
            it.put_forward(60)
            it.sweep()
            it.sweep()
            metrics = it.gateway.metrics.delivers("app", "mo", "ESME_RX_P_APPN")
            await until(lambda: metrics.value == 4)
    lines = [entry for entry in log.entries if entry["event"] == "delivery_refused"]
    assert [line["count"] for line in lines] == [1, 3]
    assert lines[1]["statuses"] == {"ESME_RX_P_APPN": 3}
    assert lines[1]["system_id"] == "app"


async def test_what_a_3_3_receiver_cannot_be_told_goes_to_one_that_can() -> None:
    payload = (make_tlv(TlvTag.MESSAGE_PAYLOAD, b"x" * 300),)
    async with house() as it:
        async with PickyEsme(it.port, lambda _: OK, mode="rx", interface_version=0x33) as old:
            async with PickyEsme(it.port, lambda _: OK, mode="rx") as new:
                for source in range(6):
                    it.owe(b"", source=b"1666%d" % source, tlvs=payload)
                    it.owe(b"short", source=b"1777%d" % source)
                await it.until_later(lambda: len(old.got) + len(new.got) == 12)
            assert got_by(new).count(b"") == 6
            assert set(got_by(old)) == {b"short"}
            it.owe(b"", tlvs=payload)
            await until(lambda: not it.gateway.store.octets)
            assert b"" not in got_by(old)
            assert it.gateway.metrics.delivers("app", "mo", "ESME_RINVMSGLEN").value == 1


# ---- ESMEs that are away ------------------------------------------------------------------------------------


async def test_what_has_waited_too_long_is_not_sent() -> None:
    async with house(house_of(an_esme(delivery_validity=60.0))) as it:
        it.owe(*texts(2))
        it.put_forward(60)
        it.owe(*texts(2, 2))
        async with PickyEsme(it.port, lambda _: OK, mode="rx") as esme:
            await until(lambda: len(esme.got) == 2)
            await until(lambda: not it.gateway.store.octets)
        assert got_by(esme) == texts(2, 2)
        assert it.gateway.metrics.delivers_expired("app", "mo").value == 2


async def test_what_waits_too_long_for_an_esme_that_is_away_is_swept() -> None:
    async with house(house_of(an_esme(delivery_validity=60.0))) as it:
        it.owe(*texts(3))
        it.put_forward(60)
        it.sweep()
        assert not it.waiting
        assert it.gateway.metrics.delivers_expired("app", "mo").value == 3


async def test_one_that_waits_for_its_next_try_expires_with_what_waits_behind_it() -> None:
    async with house(house_of(an_esme(delivery_validity=60.0))) as it:
        async with PickyEsme(it.port, lambda _: CommandStatus.ESME_RX_T_APPN, mode="rx"):
            it.owe(b"000")
            await it.until_aside(1)
            it.owe(b"001")
            it.put_forward(60)
            await it.until_later(lambda: not it.gateway.store.octets)
            assert it.gateway.metrics.delivers_expired("app", "mo").value == 2
            assert not it.gateway.accounts["app"].order.waiting


async def test_what_waited_leaves_at_the_pace_of_the_window_of_the_next_bind() -> None:
    async with house(house_of(an_esme(window=3))) as it:
        it.owe(*texts(10))
        async with PickyEsme(it.port, lambda _: None, mode="rx") as mute:
            await until(lambda: len(mute.got) == 3)
            assert it.waiting == 7
            drop(mute)
        binds = Binds()
        async with PickyEsme(it.port, binds, mode="rx"):
            await until(lambda: binds.count == 10)
        assert binds.accepted[b"1666"] == texts(10)


async def test_the_answer_to_the_carrier_does_not_wait_for_the_esme() -> None:
    async with Smsc(port=0) as smsc:
        async with running(settings_of(an_esme(), carriers=(a_carrier(smsc.port),))) as gateway:
            pdu = DeliverSm(source_addr=b"1666", destination_addr=b"12065550100", short_message=b"hello")
            [carrier] = smsc.bound
            assert (await carrier.deliver(pdu)).command_status == OK
            async with PickyEsme(gateway.server.port, lambda _: None, mode="rx") as mute:
                await until(lambda: mute.got)
                assert (await carrier.deliver(pdu)).command_status == OK
                await until(lambda: len(mute.got) == 2)
                assert gateway.inbound.in_flight == 2
                drop(mute)
