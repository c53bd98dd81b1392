"""Messages of handsets go to whom their number belongs, long ones whole."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any, Literal

import pytest
import structlog
from structlog.testing import LogCapture

from smppgw import Smsc
from smppgw.accounts import Account
from smppgw.gateway import Gateway
from smppgw.handsets import UNOWNED_LINE_SECONDS, Handsets, Taken
from smppgw.library.delivery import MoMessage
from smppgw.metrics import Metrics
from smppgw.notice import FromHandset, read
from smppgw.orphans import NOBODY
from smppgw.pdu import codec
from smppgw.pdu._generated import DeliverSm
from smppgw.pdu.constants import HEADER_OCTETS, CommandId, CommandStatus, EsmClass, TlvTag
from smppgw.pdu.segments import segment_text
from smppgw.pdu.text import decode_text
from smppgw.pdu.tlv import make_tlv, tlv_value
from smppgw.pdu.udh import build_concat, parse_udh
from smppgw.routing import Router
from smppgw.session.timers import NS
from smppgw.settings import EsmeSettings, InboundSettings, StoreSettings
from smppgw.store.api import Store
from smppgw.store.entries import Delivery
from smppgw.store.memory import MemoryStore
from smppgw.throttle.registry import Registry
from tests.peers import PickyEsme, client
from tests.store.stores import opened
from tests.support import WAIT_SECONDS, a_carrier, an_esme, running, settings_of, until

OK = CommandStatus.ESME_ROK
SHELF = "parts/carrier"

OURS = b"12065550100"
OTHERS = b"12065550199"


def mo(text: bytes = b"hello", *, to: bytes = OURS, **fields: Any) -> DeliverSm:
    return DeliverSm(
        **{"source_addr": b"16665550123", "destination_addr": to, "short_message": text, **fields}
    )


def part(number: int, total: int, text: bytes | None = None, *, reference: int = 7, **more: Any) -> DeliverSm:
    text = b"<%d>" % number if text is None else text
    return mo(build_concat(reference, total, number) + text, esm_class=EsmClass.UDHI, **more)


def body_of(pdu: DeliverSm) -> bytes:
    return codec.encode(pdu)[HEADER_OCTETS:]


def pdu_of(delivery: Delivery) -> DeliverSm:
    length = HEADER_OCTETS + len(delivery.body)
    pdu = codec.decode(
        length.to_bytes(4, "big") + delivery.command_id.to_bytes(4, "big") + bytes(8) + delivery.body
    )
    assert isinstance(pdu, DeliverSm)
    return pdu


def text_of(delivery: Delivery) -> bytes:
    """The text of one that was joined, else the whole short_message."""
    pdu = pdu_of(delivery)
    payload = tlv_value(pdu.tlvs, TlvTag.MESSAGE_PAYLOAD)
    if not isinstance(payload, bytes):
        return pdu.short_message
    assert pdu.short_message == b""
    assert delivery.tlv_at < len(delivery.body)
    return payload


class World:
    """What `Handsets` work with, a clock of its own, and a carrier's part of it."""

    def __init__(self, store: Store, *esmes: EsmeSettings, **inbound: Any) -> None:
        self.store = store
        self.now_ns = time.monotonic_ns()
        self.log = LogCapture()
        self.metrics = Metrics()
        self.deliveries_told = 0
        settings = settings_of(
            *(esmes or (an_esme(sources=("12065550100",)), an_esme("other", sources=("1999",)))),
            carriers=(a_carrier(1), a_carrier(2, "second")),
            inbound=InboundSettings(**inbound),
        )
        self.handsets = Handsets(
            Router(settings, Registry(settings)),
            store,
            {esme.system_id: Account(esme, self.metrics, 0) for esme in settings.esmes},
            self.metrics,
            structlog.wrap_logger(None, processors=[self.log]),
            settings.inbound,
            clock=lambda: self.now_ns,
            on_deliveries=self._on_deliveries,
        )

    def _on_deliveries(self) -> None:
        self.deliveries_told += 1

    def advance(self, seconds: float) -> None:
        self.now_ns += int(seconds * NS)

    async def bring(self, *pdus: DeliverSm, carrier: str = "carrier") -> list[int]:
        """Take a batch in as the carrier's connection does; return what it is answered when that is durable."""
        taken = Taken(carrier, self.now_ns)
        statuses = []
        for pdu in pdus:
            body = body_of(pdu)
            said = read(CommandId.DELIVER_SM, body)
            assert isinstance(said, FromHandset)
            statuses.append(self.handsets.take(taken, said, CommandId.DELIVER_SM, body))
        self.handsets.report(taken)
        durable = asyncio.Event()
        self.store.receive(carrier, taken.deliveries, (), durable.set)
        async with asyncio.timeout(WAIT_SECONDS):
            await durable.wait()
        return statuses

    def got(self, esme: str = "app") -> list[bytes]:
        """The texts that wait for an ESME, which are then taken."""
        deliveries = self.store.take_deliveries(esme, 1_000)
        assert {each.kind for each in deliveries} <= {"mo"}
        return [text_of(each) for each in deliveries]

    def counted(self, name: str, carrier: str = "carrier") -> int:
        counter: Any = getattr(self.metrics, name)
        return int(counter(carrier).value)


MakeStore = Callable[[], AbstractAsyncContextManager[Store]]


@pytest.fixture(params=["memory", "wal"])
def a_store(request: pytest.FixtureRequest, tmp_path: Path) -> MakeStore:
    @asynccontextmanager
    async def made() -> AsyncIterator[Store]:
        if request.param == "memory":
            yield MemoryStore(1 << 30)
        else:
            async with opened(tmp_path / "data") as store:
                yield store

    return made


async def test_a_message_goes_to_the_owner_of_its_number_as_it_came(a_store: MakeStore) -> None:
    async with a_store() as store:
        world = World(store)
        pdu = mo(b"hello", data_coding=3, tlvs=(make_tlv(TlvTag.USER_MESSAGE_REFERENCE, 9),))
        assert await world.bring(pdu, mo(b"yo", to=b"+1999")) == [OK, OK]
        [delivery] = store.take_deliveries("app", 9)
        assert (delivery.kind, delivery.body) == ("mo", body_of(pdu))
        assert delivery.body[: delivery.tlv_at].endswith(b"\x05hello")
        assert delivery.received_ns == world.now_ns
        assert world.got("other") == [b"yo"]
        assert world.counted("mo") == 2


# ---- joined -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", list(permutations((1, 2, 3))))
async def test_parts_are_one_message_once_the_last_is_there(a_store: MakeStore, order: Sequence[int]) -> None:
    async with a_store() as store:
        world = World(store)
        for number in order[:-1]:
            assert await world.bring(part(number, 3)) == [OK]
            assert store.waiting_deliveries("app") == 0
        assert store.holds(SHELF) == 2
        world.advance(5)
        assert await world.bring(part(order[-1], 3)) == [OK]
        [delivery] = store.take_deliveries("app", 9)
        assert text_of(delivery) == b"<1><2><3>"
        assert delivery.received_ns == world.now_ns
        assert store.holds(SHELF) == 0
        assert (world.counted("mo"), world.counted("mo_joined"), world.counted("mo_incomplete")) == (3, 1, 0)


async def test_parts_that_come_in_one_batch_are_one_message(a_store: MakeStore) -> None:
    async with a_store() as store:
        world = World(store)
        batch = [part(n, 3, reference=reference) for n in (3, 1, 2) for reference in (1, 2)]
        assert await world.bring(*batch, mo(b"whole")) == [OK] * 7
        assert world.got() == [b"<1><2><3>", b"<1><2><3>", b"whole"]
        assert store.holds(SHELF) == 0
        assert world.counted("mo_joined") == 2


async def test_many_long_messages_mixed_together_come_whole_once_each(a_store: MakeStore) -> None:
    chance = random.Random(4)
    texts = {number: f"{number}: " + "x{" * chance.randint(100, 400) for number in range(20)}
    parts = []
    for number, text in texts.items():
        cut = segment_text(text, reference=number // 2, reference_bits=16)
        source = b"1666555%04d" % number
        parts += [mo(each, esm_class=EsmClass.UDHI, source_addr=source) for each in cut.parts]
    parts += chance.sample(parts, 10)
    chance.shuffle(parts)
    async with a_store() as store:
        world = World(store)
        while parts:
            batch = [parts.pop() for _ in range(min(len(parts), chance.randint(1, 9)))]
            assert set(await world.bring(*batch)) == {OK}
        got = [decode_text(each, 0) for each in world.got()]
        assert sorted(got) == sorted(texts.values())
        assert world.counted("mo_joined") == 20


async def test_a_part_that_comes_again_is_answered_and_dropped(a_store: MakeStore) -> None:
    async with a_store() as store:
        world = World(store)
        again = part(1, 3, tlvs=((0x1500, b"sent again"),))
        assert await world.bring(part(1, 3), part(1, 3)) == [OK, OK]
        assert await world.bring(again) == [OK]
        assert store.holds(SHELF) == 1
        await world.bring(part(3, 3), part(3, 3), part(2, 3))
        assert world.got() == [b"<1><2><3>"]
        assert world.counted("mo_incomplete") == 0


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_reference_that_is_used_again_starts_anew(a_store: MakeStore, at_once: bool) -> None:
    async with a_store() as store:
        world = World(store)
        parts = [part(1, 3), part(2, 3), part(2, 3, b"other"), part(1, 3, b"an"), part(3, 3, b" one")]
        for batch in [parts] if at_once else [[each] for each in parts]:
            await world.bring(*batch)
        assert world.got() == [parts[0].short_message, parts[1].short_message, b"another one"]
        assert (world.counted("mo_incomplete"), world.counted("mo_joined")) == (2, 1)


async def test_parts_of_two_carriers_are_no_fellows(a_store: MakeStore) -> None:
    async with a_store() as store:
        world = World(store)
        await world.bring(part(1, 2))
        await world.bring(part(2, 2), carrier="second")
        assert (store.holds(SHELF), store.holds("parts/second")) == (1, 1)
        assert world.got() == []
        await world.bring(part(1, 2), carrier="second")
        assert world.got() == [b"<1><2>"]
        assert (world.counted("mo_joined", "second"), store.holds(SHELF)) == (1, 1)


async def test_parts_that_make_no_whole_are_passed_on_as_they_came(a_store: MakeStore) -> None:
    async with a_store() as store:
        world = World(store)
        language = bytes((8, 0, 3, 7, 2, 2, 0x24, 1, 1))
        parts = [part(1, 2), mo(language + b"x", esm_class=EsmClass.UDHI)]
        await world.bring(*parts)
        assert world.got() == [each.short_message for each in parts]
        assert (store.holds(SHELF), world.counted("mo_joined")) == (0, 0)


async def test_an_esme_that_asks_for_parts_gets_them_as_they_come(a_store: MakeStore) -> None:
    async with a_store() as store:
        world = World(store, an_esme(long_mo="parts"))
        parts = [part(2, 2), part(1, 2)]
        await world.bring(*parts)
        assert world.got() == [each.short_message for each in parts]
        assert (store.holds(SHELF), world.counted("mo_joined"), world.counted("mo_incomplete")) == (0, 0, 0)


async def test_what_only_looks_like_a_part_is_passed_on_as_it_came(a_store: MakeStore) -> None:
    async with a_store() as store:
        world = World(store)
        broken = mo(b"\x05\x00\x03\x07\x02\x05 five of two", esm_class=EsmClass.UDHI)
        await world.bring(broken, part(1, 1))
        assert world.got() == [broken.short_message, part(1, 1).short_message]


# ---- never complete -----------------------------------------------------------------------------------------


async def test_parts_that_never_complete_are_passed_on_after_a_time(a_store: MakeStore) -> None:
    async with a_store() as store:
        world = World(store, hold_parts=30.0)
        parts = [part(3, 3), part(1, 3)]
        await world.bring(parts[0])
        first_ns = world.now_ns
        world.advance(20)
        await world.bring(parts[1], part(1, 2, reference=8))
        world.advance(9)
        world.handsets.expire()
        assert store.holds(SHELF) == 3
        world.advance(2)
        world.handsets.expire()
        await until(lambda: world.deliveries_told)
        [first, second] = store.take_deliveries("app", 9)
        assert [text_of(first), text_of(second)] == [each.short_message for each in parts]
        assert first.received_ns == first_ns  # its validity is counted from when it came
        assert first.body[: first.tlv_at] == first.body
        assert store.holds(SHELF) == 1
        assert (world.counted("mo_incomplete"), world.counted("mo")) == (2, 3)
        world.handsets.expire()
        assert world.deliveries_told == 1


async def test_parts_of_what_was_held_too_long_are_not_joined_with_later_ones(a_store: MakeStore) -> None:
    """After a standstill, a reference may have come round before anybody has looked for what is old."""
    async with a_store() as store:
        world = World(store, hold_parts=30.0)
        old = part(1, 2, b"old")
        await world.bring(old)
        world.advance(31)
        await world.bring(part(2, 2, b"new"))
        assert world.got() == [old.short_message]
        assert (store.holds(SHELF), world.counted("mo_incomplete")) == (1, 1)


async def test_the_oldest_parts_make_room_and_are_passed_on(a_store: MakeStore) -> None:
    async with a_store() as store:
        world = World(store, max_held=3)
        oldest = [part(1, 3, reference=1), part(2, 3, reference=1)]
        await world.bring(*oldest)
        assert await world.bring(part(1, 2, reference=2), part(1, 2, reference=3)) == [OK, OK]
        assert world.got() == [each.short_message for each in oldest]
        assert (store.holds(SHELF), world.counted("mo_incomplete")) == (2, 2)
        await world.bring(part(2, 2, reference=2), part(2, 2, reference=3))
        assert world.got() == [b"<1><2>", b"<1><2>"]


async def test_a_message_of_more_parts_than_may_be_held_is_passed_on_in_parts(a_store: MakeStore) -> None:
    async with a_store() as store:
        world = World(store, max_held=2)
        parts = [part(n, 4) for n in range(1, 5)]
        for each in parts:
            assert await world.bring(each) == [OK]
        world.advance(100)
        world.handsets.expire()
        await until(lambda: world.deliveries_told)
        assert world.got() == [each.short_message for each in parts]


# ---- a restart in between -----------------------------------------------------------------------------------


async def test_parts_before_and_after_a_restart_are_one_message(tmp_path: Path) -> None:
    async with opened(tmp_path / "data") as store:
        await World(store).bring(part(1, 4), part(3, 4))
    async with opened(tmp_path / "data") as store:
        world = World(store)
        await world.bring(part(3, 4), part(2, 4))
        assert world.got() == []
    async with opened(tmp_path / "data") as store:
        world = World(store)
        await world.bring(part(4, 4))
        assert world.got() == [b"<1><2><3><4>"]
    async with opened(tmp_path / "data") as store:
        assert store.holds(SHELF) == 0


async def test_parts_of_an_earlier_run_are_passed_on_after_their_time(tmp_path: Path) -> None:
    async with opened(tmp_path / "data") as store:
        await World(store).bring(part(1, 2))
    async with opened(tmp_path / "data") as store:
        world = World(store, hold_parts=60.0)
        world.handsets.expire()
        assert store.holds(SHELF) == 1
        world.advance(61)
        world.handsets.expire()
        await until(lambda: world.deliveries_told)
        assert world.got() == [part(1, 2).short_message]


async def test_parts_go_to_whom_their_number_belongs_by_then(tmp_path: Path) -> None:
    async with opened(tmp_path / "data") as store:
        await World(store).bring(part(1, 2))
    esmes = (an_esme("new", sources=("12065550100",)), an_esme("other", sources=("1999",)))
    async with opened(tmp_path / "data") as store:
        world = World(store, *esmes)
        world.advance(61)
        world.handsets.expire()
        await until(lambda: world.deliveries_told)
        assert world.got("new") == [part(1, 2).short_message]


# ---- refused, or nobody's -----------------------------------------------------------------------------------


async def test_an_esme_for_which_too_much_waits_leaves_the_rest_with_the_carrier(a_store: MakeStore) -> None:
    async with a_store() as store:
        world = World(store, an_esme(max_waiting=2, sources=("12065550100",)), an_esme("other"))
        assert await world.bring(mo(), mo()) == [OK, OK]
        full = CommandStatus.ESME_RMSGQFUL
        assert await world.bring(mo(), part(1, 2), part(2, 2)) == [full] * 3
        assert store.holds(SHELF) == 0
        assert len(world.got()) == 2
        assert await world.bring(part(2, 2), part(1, 2)) == [OK, OK]
        assert world.got() == [b"<1><2>"]


async def test_whether_too_much_waits_is_asked_once_for_a_batch() -> None:
    store = MemoryStore(1 << 30)
    world = World(store, an_esme(max_waiting=2))
    taken = Taken("carrier", world.now_ns)
    assert not world.handsets.is_overfull(taken, "app")
    assert await world.bring(mo(), mo(), mo()) == [OK] * 3
    assert not world.handsets.is_overfull(taken, "app")
    assert world.handsets.is_overfull(Taken("carrier", world.now_ns), "app")
    assert not world.handsets.is_overfull(taken, "configured no more")


async def test_what_is_nobody_s_is_kept_and_counted(a_store: MakeStore) -> None:
    async with a_store() as store:
        world = World(store)
        parts = [part(1, 2, to=OTHERS), part(2, 2, to=OTHERS)]
        assert await world.bring(mo(b"hi", to=OTHERS), *parts) == [OK] * 3
        assert (store.waiting_deliveries(NOBODY), store.holds(SHELF)) == (3, 0)
        assert world.got(NOBODY) == [b"hi", *(each.short_message for each in parts)]
        assert (world.counted("mo_unowned"), world.counted("mo")) == (3, 3)


async def test_what_is_nobody_s_is_refused_where_too_much_is_kept(a_store: MakeStore) -> None:
    async with a_store() as store:
        world = World(store, max_kept=2)
        assert await world.bring(mo(to=OTHERS), mo(to=OTHERS), mo()) == [OK] * 3
        assert await world.bring(mo(to=OTHERS), mo()) == [CommandStatus.ESME_RX_P_APPN, OK]
        assert store.waiting_deliveries(NOBODY) == 2
        assert world.counted("mo_unowned") == 3


async def test_what_is_nobody_s_is_logged_now_and_then_with_a_count() -> None:
    world = World(MemoryStore(1 << 30))

    def lines() -> list[tuple[str, str, int]]:
        unowned = [each for each in world.log.entries if each["event"] == "mo_unowned"]
        return [(each["carrier"], each["destination_addr"], each["count"]) for each in unowned]

    await world.bring(mo(to=b"12065550198"), mo(to=OTHERS))
    await world.bring(mo(to=OTHERS), mo(to=OTHERS), mo())
    assert lines() == [("carrier", "12065550199", 2)]
    await world.bring(mo(to=OTHERS), carrier="second")
    world.advance(UNOWNED_LINE_SECONDS - 1)
    await world.bring(mo(to=OTHERS))
    assert len(lines()) == 2
    world.advance(1)
    await world.bring(mo(to=b"5550"))
    assert lines()[1:] == [("second", "12065550199", 1), ("carrier", "5550", 4)]


# ---- over sockets -------------------------------------------------------------------------------------------


def settings_for(smsc: Smsc, *esmes: EsmeSettings, **tables: Any) -> Any:
    return settings_of(*(esmes or (an_esme(),)), carriers=(a_carrier(smsc.port, binds=2),), **tables)


@pytest.mark.parametrize("way", ["udh8", "udh16", "sar"])
async def test_a_long_text_comes_whole_over_two_binds(way: Literal["udh8", "udh16", "sar"]) -> None:
    text = "Grüße aus Wien: €{[~]}, " * 40
    cut = segment_text(
        text, reference_bits=16 if way == "udh16" else 8, concatenation="sar" if way == "sar" else "udh"
    )
    assert cut.segments > 4
    pdus = []
    for number, octets in enumerate(cut.parts, 1):
        tlvs = (
            make_tlv(TlvTag.SAR_MSG_REF_NUM, 77),
            make_tlv(TlvTag.SAR_TOTAL_SEGMENTS, cut.segments),
            make_tlv(TlvTag.SAR_SEGMENT_SEQNUM, number),
        )
        in_header = way != "sar"
        pdus.append(mo(octets, esm_class=EsmClass.UDHI * in_header, tlvs=() if in_header else tlvs))
    random.Random(7).shuffle(pdus)
    async with Smsc(port=0) as smsc:
        async with running(settings_for(smsc)) as gateway, client(gateway.server.port) as esme:
            for number, pdu in enumerate(pdus):
                answer = await smsc.bound[number % 2].deliver(pdu)
                assert answer.command_status == OK
            got = await anext(esme)
            assert isinstance(got, MoMessage)
            assert (got.text, got.concatenation) == (text, None)
            assert (got.source, got.destination) == ("16665550123", "12065550100")
            await until(lambda: not gateway.store.octets)
            metrics = gateway.metrics.render().decode()
    assert 'smppgw_mo_joined_total{carrier="carrier"} 1.0' in metrics
    assert f'smppgw_mo_total{{carrier="carrier"}} {cut.segments}.0' in metrics


async def test_an_esme_gets_parts_where_it_says_so() -> None:
    async with Smsc(port=0) as smsc:
        settings = settings_for(smsc, an_esme(long_mo="parts"))
        async with running(settings) as gateway, client(gateway.server.port) as esme:
            for number in (2, 1):
                await smsc.bound[0].deliver(part(number, 2))
            got = [await anext(esme) for _ in range(2)]
    assert [
        each.concatenation and each.concatenation.number for each in got if isinstance(each, MoMessage)
    ] == [
        2,
        1,
    ]


async def test_parts_are_passed_on_where_only_receivers_of_3_3_are_bound() -> None:
    async with Smsc(port=0) as smsc:
        async with running(settings_for(smsc)) as gateway:
            port, account = gateway.server.port, gateway.accounts["app"]
            async with PickyEsme(port, lambda _: OK, mode="rx", interface_version=0x33) as old:
                await until(lambda: account.receivers)
                for number in (2, 1):
                    await smsc.bound[0].deliver(part(number, 2))
                await until(lambda: len(old.got) == 2)
                assert [parse_udh(each.short_message).concatenation[2] for each in old.got] == [2, 1]  # type: ignore[index]
                async with client(port, bind="tx"):  # it receives nothing
                    await smsc.bound[0].deliver(part(1, 2, reference=8))
                    await until(lambda: len(old.got) == 3)
                async with PickyEsme(port, lambda _: OK, mode="rx"):
                    await until(lambda: len(account.receivers) == 2)
                    await smsc.bound[0].deliver(part(1, 2, reference=9))
                    assert gateway.store.holds(SHELF) == 1
            await until(lambda: not account.receivers)
            await smsc.bound[0].deliver(part(1, 2, reference=10))
            assert gateway.store.holds(SHELF) == 2


async def test_parts_reach_the_esme_when_the_others_do_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smppgw.gateway.LOOK_THROUGH_EVERY", 1)
    ahead_ns = 0
    async with Smsc(port=0) as smsc:
        settings = settings_for(smsc, inbound=InboundSettings(hold_parts=20.0))
        gateway = Gateway(
            settings,
            structlog.wrap_logger(None, processors=[LogCapture()]),
            clock=lambda: time.monotonic_ns() + ahead_ns,
        )
        await gateway.start()
        try:
            await until(lambda: smsc.bound)
            async with client(gateway.server.port) as esme:
                await smsc.bound[0].deliver(part(2, 2))
                await smsc.bound[0].deliver(mo(b"later"))
                later = await anext(esme)
                assert isinstance(later, MoMessage)
                assert later.text == "later"  # it does not wait behind the part
                ahead_ns = 20 * NS
                got = await anext(esme)
                assert isinstance(got, MoMessage)
                assert got.pdu == part(2, 2, sequence_number=got.pdu.sequence_number)
        finally:
            await gateway.stop()


async def test_a_gateway_that_is_restarted_between_the_parts_joins_them(tmp_path: Path) -> None:
    async with Smsc(port=0) as smsc:
        settings = settings_for(smsc, store=StoreSettings(segment_bytes=1 << 20))
        settings = replace(settings, gateway=replace(settings.gateway, data_dir=tmp_path / "data"))
        async with running(settings):
            await smsc.bound[0].deliver(part(2, 2))
        await until(lambda: not smsc.bound)
        async with running(settings) as gateway:
            await smsc.bound[0].deliver(part(1, 2))
            async with client(gateway.server.port) as esme:
                got = await anext(esme)
                assert isinstance(got, MoMessage)
                assert (got.text, got.concatenation) == ("<1><2>", None)


async def test_what_is_nobody_s_is_answered_and_kept() -> None:
    async with Smsc(port=0) as smsc:
        settings = settings_for(smsc, an_esme(sources=("1",)), an_esme("other", sources=("2",)))
        async with running(settings) as gateway:
            answer = await smsc.bound[0].deliver(mo())
            assert answer.command_status == OK
            assert gateway.store.waiting_deliveries(NOBODY) == 1
