"""Receipts and replies of carriers find their message, their ESME and their way home."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, Final
from uuid import UUID

import pytest
import structlog
from structlog.testing import LogCapture

from smppgw import Esme, Smsc
from smppgw.accounts import Account
from smppgw.carriers import Carrier
from smppgw.early import EarlyReceipts
from smppgw.finding import Finding
from smppgw.handsets import Handsets
from smppgw.library.bound import BoundEsme
from smppgw.library.delivery import DeliveryReceipt, MoMessage
from smppgw.metrics import Metrics
from smppgw.orphans import Orphans
from smppgw.parts import Parts
from smppgw.pdu import codec
from smppgw.pdu._generated import (
    AlertNotification,
    DataSm,
    DeliverSm,
    SubmitSm,
)
from smppgw.pdu.constants import CommandId, CommandStatus, MessageState, TlvTag
from smppgw.pdu.framing import Frame
from smppgw.pdu.tlv import make_tlv, tlv_value
from smppgw.receipts import Receipts
from smppgw.routing import Router
from smppgw.session.timers import NS
from smppgw.settings import InboundSettings
from smppgw.settling import Settling
from smppgw.store.api import Durable
from smppgw.store.entries import Delivery, Held, Lane, Message, Outcome
from smppgw.store.memory import MemoryStore
from smppgw.telling import envelope_of
from smppgw.throttle.registry import Registry
from tests.peers import Recorder, client, receipt_for, submit_sm
from tests.support import Tap, a_carrier, an_esme, bodies, running, settings_of, until

OK = CommandStatus.ESME_ROK


async def test_a_message_travels_to_the_octet_and_its_receipt_comes_home() -> None:
    recorder = Recorder()
    async with Smsc(port=0, on_submit=recorder) as smsc, Tap(smsc.port) as carrier_wire:
        settings = settings_of(an_esme(), carriers=(a_carrier(carrier_wire.port),))
        async with running(settings) as gateway, Tap(gateway.server.port) as esme_wire:
            async with client(esme_wire.port) as esme:
                pdu = submit_sm(
                    7,
                    service_type=b"CMT",
                    esm_class=0x40,
                    protocol_id=5,
                    data_coding=4,
                    short_message=b"\x05\x00\x03\x07\x02\x01 octets \x00\xff",
                    tlvs=(make_tlv(TlvTag.USER_MESSAGE_REFERENCE, 99), (0x1500, b"vendor")),
                )
                response = await esme.request(pdu)
                assert response.command_status == OK
                receipt = await anext(esme)
            assert isinstance(receipt, DeliveryReceipt)
            assert receipt.message_id == response.message_id.decode()
            assert receipt.state == MessageState.DELIVERED
            assert (receipt.source, receipt.destination) == ("16660000007", "12065550100")
            assert tlv_value(receipt.pdu.tlvs, TlvTag.RECEIPTED_MESSAGE_ID) == response.message_id
            assert tlv_value(receipt.pdu.tlvs, TlvTag.MESSAGE_STATE) == MessageState.DELIVERED
            assert bodies(carrier_wire.forward, CommandId.SUBMIT_SM) == bodies(
                esme_wire.forward, CommandId.SUBMIT_SM
            )
            assert gateway.store.octets == 0


async def test_hundreds_of_messages_over_several_binds_all_arrive_and_report_once() -> None:
    recorder = Recorder()
    async with Smsc(port=0, on_submit=recorder) as smsc:
        carriers = (a_carrier(smsc.port, binds=3, window=7),)
        async with running(settings_of(an_esme(), carriers=carriers)) as gateway:
            async with client(gateway.server.port) as esme, client(gateway.server.port) as other:
                ids = [
                    result.message_id
                    async for result in esme.submit_many(submit_sm(number) for number in range(500))
                ]
                reported: list[str] = []

                async def listen(one: Esme) -> None:
                    async for delivery in one:
                        assert isinstance(delivery, DeliveryReceipt)
                        reported.append(delivery.message_id)

                listening = [asyncio.create_task(listen(each)) for each in (esme, other)]
                await until(lambda: len(reported) >= 500)
            assert len(set(ids)) == 500
            assert sorted(reported) == sorted(ids)
            assert len(recorder.got) == len(set(recorder.got)) == 500
            await asyncio.gather(*listening)


async def test_who_asked_for_no_receipt_gets_none() -> None:
    async with Smsc(port=0, on_submit=Recorder()) as smsc:
        async with running(settings_of(an_esme(), carriers=(a_carrier(smsc.port),))) as gateway:
            async with client(gateway.server.port) as esme:
                await esme.request(submit_sm(1, registered_delivery=0))
                told = await esme.request(submit_sm(2, registered_delivery=1))
                receipt = await anext(esme)
                assert isinstance(receipt, DeliveryReceipt)
                assert receipt.message_id == told.message_id.decode()


async def test_a_receipt_that_overtakes_the_response_finds_its_message() -> None:
    async def receipt_first(esme: BoundEsme, pdu: SubmitSm) -> str:
        answer = await esme.deliver(receipt_for(pdu, b"early"))
        assert answer.command_status == OK
        return "early"

    async with Smsc(port=0, on_submit=receipt_first) as smsc:
        async with running(settings_of(an_esme(), carriers=(a_carrier(smsc.port),))) as gateway:
            async with client(gateway.server.port) as esme:
                response = await esme.request(submit_sm())
                receipt = await anext(esme)
                assert isinstance(receipt, DeliveryReceipt)
                assert receipt.message_id == response.message_id.decode()


async def test_a_reply_goes_to_the_esme_that_owns_the_number() -> None:
    async with Smsc(port=0) as smsc:
        settings = settings_of(
            an_esme("one", sources=("+12065550100",)),
            an_esme("two", sources=("+12065550101",)),
            carriers=(a_carrier(smsc.port),),
        )
        async with running(settings) as gateway:
            async with (
                client(gateway.server.port, "one") as one,
                client(gateway.server.port, "two") as two,
            ):
                [carrier] = smsc.bound
                for number in (b"12065550101", b"12065550100"):
                    reply = DeliverSm(
                        source_addr=b"1666", destination_addr=number, short_message=b"to " + number
                    )
                    answer = await carrier.deliver(reply)
                    assert answer.command_status == OK
                for esme, number in ((one, "12065550100"), (two, "12065550101")):
                    mo = await anext(esme)
                    assert isinstance(mo, MoMessage)
                    assert mo.text == f"to {number}"
                nobody = DeliverSm(source_addr=b"1666", destination_addr=b"999", short_message=b"?")
                answer = await carrier.deliver(nobody)
                assert answer.command_status == OK
                assert gateway.store.waiting_deliveries("") == 1


class SlowStore(MemoryStore):
    """A store in which deliveries stand, and are promised, only when `settle` is called."""

    def __init__(self) -> None:
        super().__init__(1_000_000, envelope_of=envelope_of)
        self.pending: list[tuple[Any, ...]] = []
        self.asked: list[list[bytes]] = []
        self.slow_to_recall = False
        self.is_full = False
        self._away: dict[bytes, Message] = {}
        self._then: list[Callable[[], None]] = []

    def receive(
        self,
        carrier: str,
        deliveries: Sequence[Delivery],
        finished: Sequence[tuple[bytes, Outcome]],
        durable: Durable,
    ) -> None:
        self.pending.append((carrier, deliveries, finished, durable))

    @property
    def full(self) -> bool:
        return self.is_full

    def let_go(self, carrier_id: bytes) -> None:
        """Keep a message where only `recall` finds it."""
        self._away[carrier_id] = self._sent["carrier"].pop(carrier_id)

    def recall(self, carrier: str, carrier_ids: Sequence[bytes], then: Callable[[], None]) -> None:
        self.asked.append(list(carrier_ids))
        self._then.append(then)
        if not self.slow_to_recall:
            self.recalled()

    def recalled(self) -> None:
        """Have found what there is of all that was asked for."""
        self._sent["carrier"].update(self._away)
        self._away.clear()
        for then in self._then:
            then()
        self._then.clear()

    def settle(self) -> None:
        for each in self.pending:
            super().receive(*each)
        self.pending.clear()


def a_message(
    key: int = 1, *, esme: str = "app", registered_delivery: int = 1, parts: int = 1, first: int = 0
) -> Message:
    """Make a message to 16660000000; a part has the id of the first one."""
    body = codec.encode(submit_sm())[16:]
    message_id = b"%016x" % (first or key)
    return Message(
        key,
        message_id,
        esme,
        Lane("otp"),
        CommandId.SUBMIT_SM,
        body,
        registered_delivery,
        0,
        parts=parts,
    )


class Desk:
    """`Receipts` with one carrier, one ESME "app" that owns 12065550100, a slow store and a clock set by hand."""

    def __init__(self, *, message_id: str = "text", max_waiting: int = 1_000_000, **inbound: Any) -> None:
        self.carrier = Carrier(a_carrier(1, message_id=message_id), now_ns=0, burst_seconds=0.05)
        self.store = SlowStore()
        self.metrics = Metrics()
        self.log = LogCapture()
        self.now_ns = NS
        self.waiting_at_kick: list[int] = []
        self.answers: list[bytes] = []
        session = SimpleNamespace(send_responses=self.answers.extend)
        connection = SimpleNamespace(session=session, flush=lambda: None)
        self.link: Any = SimpleNamespace(carrier=self.carrier, connection=connection)
        tables = settings_of(
            an_esme(sources=("+12065550100",), max_waiting=max_waiting),
            an_esme("other"),
            carriers=(self.carrier.settings,),
        )
        accounts = {esme.system_id: Account(esme, self.metrics, 0) for esme in tables.esmes}
        logger = structlog.wrap_logger(None, processors=[self.log])
        settings = InboundSettings(**inbound)
        self.parts = Parts(self.store)
        settling = Settling(
            accounts,
            self.parts,
            self.metrics,
            clock=lambda: self.now_ns,
            wall_clock=lambda: datetime(2026, 11, 22, 10, 0, tzinfo=UTC),
        )
        handsets = Handsets(
            Router(tables, Registry(tables)),
            self.store,
            accounts,
            self.metrics,
            logger,
            settings,
            clock=lambda: self.now_ns,
            on_deliveries=lambda: None,
        )
        orphans = Orphans(self.store, self.metrics, logger, settings)
        finding = Finding(self.store, logger)
        self.early = EarlyReceipts(
            self.store,
            {"carrier": self.carrier},
            finding,
            settling,
            handsets,
            orphans,
            settings,
            clock=lambda: self.now_ns,
            on_deliveries=self._on_deliveries,
        )
        self.receipts = Receipts(
            self.store,
            settling,
            finding,
            self.early,
            handsets,
            orphans,
            self.metrics,
            logger,
            clock=lambda: self.now_ns,
            on_deliveries=self._on_deliveries,
        )

    def _on_deliveries(self) -> None:
        self.waiting_at_kick.append(self.store.waiting_deliveries("app"))

    def submitted(self, carrier_id: bytes, message: Message | None = None) -> None:
        """The carrier answers for this message, else one of "app", with this id, as `Dispatch` takes it."""
        answered = [(message or a_message(), self.carrier.ids.response(carrier_id))]
        deliveries, finished = self.early.take(self.carrier, answered, [carrier_id])
        self.store.submitted("carrier", answered, deliveries, finished, lambda: None)

    def take_in(self, *pdus: codec.Pdu) -> None:
        """One read of the carrier's."""
        frames: list[Frame] = []
        for pdu in pdus:
            octets = codec.encode(pdu)
            frames.append((int.from_bytes(octets[4:8], "big"), 0, 1, octets))
        self.receipts.take_in(self.link, frames)

    def take(self, *pdus: codec.Pdu) -> list[int]:
        """One read of the carrier's, and all that comes of it; return what it is answered."""
        count = len(self.answers)
        self.take_in(*pdus)
        self.store.settle()
        return [int.from_bytes(answer[8:12], "big") for answer in self.answers[count:]]

    def pass_seconds(self, seconds: float) -> None:
        """Let time go by, and have the gateway look through what is held."""
        self.now_ns += int(seconds * NS)
        self.early.expire()
        self.store.settle()

    def held(self) -> int:
        return self.store.holds("receipts/carrier")

    def told(self, esme: str = "app") -> list[str]:
        """Take what waits for an ESME; return the ids of receipts, and the first word of other texts."""
        heard = []
        for delivery in self.store.take_deliveries(esme, 99):
            header = (16 + len(delivery.body)).to_bytes(4, "big") + delivery.command_id.to_bytes(4, "big")
            pdu: Any = codec.decode(header + b"\0\0\0\0\0\0\0\1" + delivery.body)
            heard.append(f"{delivery.kind} {pdu.short_message.split()[0].decode()}")
        return heard

    def lines(self, event: str) -> list[dict[str, Any]]:
        return [dict(line) for line in self.log.entries if line["event"] == event]

    def counted(self, metric: str) -> int:
        sample = f'smppgw_{metric}_total{{carrier="carrier"}} '
        text = self.metrics.render().decode()
        return int(float(text.partition(sample)[2].partition("\n")[0])) if sample in text else 0


def our(key: int = 1) -> str:
    return f"receipt id:{key:016x}"


# ---- one after the other ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "nameless",
    [
        DeliverSm(esm_class=4, short_message=b"stat:DELIVRD err:000 text:somebody's"),
        DeliverSm(esm_class=4),
        DeliverSm(esm_class=4, short_message=b"\xff\xfe\x00", data_coding=8),
        DataSm(esm_class=4, source_addr=b"1" * 60),
    ],
)
def test_a_receipt_without_an_id_is_kept_as_it_came(nameless: codec.Pdu) -> None:
    desk = Desk()
    assert desk.take(nameless, nameless) == [OK, OK]
    assert desk.store.waiting_deliveries("app") == 0
    kept = desk.store.take_deliveries("", 9)
    assert [each.body for each in kept] == [codec.encode(nameless)[16:]] * 2
    assert desk.counted("receipts_orphaned") == 2
    [line] = desk.lines("receipt_orphaned")
    assert (line["carrier"], line["count"], line["why"]) == ("carrier", 2, "no_id")


def test_no_more_receipts_without_an_id_are_kept_than_may_be() -> None:
    desk = Desk(max_kept=3)
    nameless = DeliverSm(esm_class=4, short_message=b"what?")
    assert desk.take(*[nameless] * 2) == [OK] * 2
    assert desk.take(*[nameless] * 2) == [OK] * 2
    assert desk.store.waiting_deliveries("") == 3
    assert desk.counted("receipts_orphaned") == 4
    desk.now_ns += 60 * NS
    desk.take(nameless)
    lines = [(line["count"], line["dropped"]) for line in desk.lines("receipt_orphaned")]
    assert lines == [(2, 0), (3, 2)], "a line a minute, with all that there was"


def test_a_final_receipt_that_comes_three_times_in_one_read_is_forwarded_once() -> None:
    desk = Desk()
    desk.submitted(b"A1")
    receipt = receipt_for(submit_sm(), b"A1")
    assert desk.take(receipt, receipt, receipt) == [OK] * 3
    assert desk.told() == [our()]
    assert (desk.counted("receipts_repeated"), desk.counted("receipts_orphaned")) == (2, 0)


def test_a_final_receipt_that_comes_again_later_is_a_repeat_and_no_orphan() -> None:
    desk = Desk()
    desk.submitted(b"A1")
    receipt = receipt_for(submit_sm(), b"A1")
    for _ in range(3):
        assert desk.take(receipt) == [OK]
    assert desk.store.asked == []
    assert desk.told() == [our()]
    assert desk.held() == 0
    assert desk.counted("receipts_repeated") == 2


def test_one_that_comes_again_while_the_first_is_on_its_way_to_the_disk_is_a_repeat() -> None:
    desk = Desk()
    desk.submitted(b"A1")
    enroute = receipt_for(submit_sm(), b"A1", MessageState.ENROUTE)
    assert desk.take(enroute, enroute) == [OK] * 2
    assert desk.told() == []
    assert desk.counted("receipts_repeated") == 1


def test_esmes_are_served_when_their_deliveries_stand_in_the_store() -> None:
    desk = Desk()
    desk.submitted(b"A1")
    desk.take_in(receipt_for(submit_sm(), b"A1"))
    assert desk.waiting_at_kick == []
    assert desk.answers == []
    desk.store.settle()
    assert desk.waiting_at_kick == [1]


@pytest.mark.parametrize("esm_class", [0, 4])
@pytest.mark.parametrize("source", [b"16660000000", b"+16660000000", b"6660000000", b"19990000000"])
def test_what_only_its_text_calls_a_receipt_is_one_if_it_comes_from_where_the_message_went(
    esm_class: int, source: bytes
) -> None:
    desk = Desk()
    desk.submitted(b"7001")
    text = receipt_for(submit_sm(), b"7001").short_message
    pdu = DeliverSm(
        source_addr=source, destination_addr=b"12065550100", esm_class=esm_class, short_message=text
    )
    assert desk.take(pdu) == [OK]
    is_receipt = esm_class == 4 or source != b"19990000000"
    assert desk.told() == ([our()] if is_receipt else ["mo id:7001"])
    assert desk.counted("mo") == (0 if is_receipt else 1)


def test_a_receipt_for_an_esme_that_is_configured_no_more_waits_for_it() -> None:
    desk = Desk()
    desk.submitted(b"A1", a_message(esme="gone"))
    assert desk.take(receipt_for(submit_sm(), b"A1")) == [OK]
    assert desk.store.waiting_deliveries("gone") == 1


def test_messages_for_numbers_that_are_nobodys_are_kept_and_are_one_line_a_minute() -> None:
    desk = Desk(max_kept=7)
    stray = DeliverSm(source_addr=b"1666", destination_addr=b"999", short_message=b"?")
    assert desk.take(*[stray] * 3) == [OK] * 3
    desk.now_ns += 59 * NS
    desk.take(*[stray] * 3)
    assert [line["count"] for line in desk.lines("mo_unowned")] == [3]
    desk.now_ns += NS
    desk.take(*[stray] * 3)
    assert [line["count"] for line in desk.lines("mo_unowned")] == [3, 6]
    assert (
        desk.store.waiting_deliveries("") == 9
    )  # what comes with one read is let in by what stood there before
    assert desk.take(stray) == [CommandStatus.ESME_RX_P_APPN]


def test_alert_notifications_are_one_line_a_read() -> None:
    desk = Desk()
    assert desk.take(*[AlertNotification(source_addr=b"16665550100", esme_addr=b"12065550100")] * 4) == []
    assert [line["count"] for line in desk.lines("alert_notification")] == [4]


def test_what_cannot_be_read_at_all_is_refused_as_the_codec_says() -> None:
    desk = Desk()
    octets = codec.encode(receipt_for(submit_sm(), b"A1"))
    desk.receipts.take_in(desk.link, [(5, 0, 1, octets[:40])])
    desk.store.settle()
    [answer] = desk.answers
    assert int.from_bytes(answer[8:12], "big") not in (0, CommandStatus.ESME_RSYSERR)


def test_an_esme_for_whom_too_much_waits_gets_its_receipts_later() -> None:
    desk = Desk(max_waiting=1)
    for key in (1, 2):
        desk.submitted(b"A%d" % key, a_message(key))
    assert desk.take(receipt_for(submit_sm(), b"A1")) == [OK]
    assert desk.take(*[receipt_for(submit_sm(), b"A2")] * 2) == [CommandStatus.ESME_RMSGQFUL] * 2
    assert desk.told() == [our(1)]
    assert desk.take(receipt_for(submit_sm(), b"A2")) == [OK]
    assert desk.told() == [our(2)]


def test_a_full_store_takes_no_receipts_and_loses_none() -> None:
    desk = Desk()
    desk.submitted(b"A1")
    desk.store.is_full = True
    receipt = receipt_for(submit_sm(), b"A1")
    assert desk.take(receipt) == [CommandStatus.ESME_RMSGQFUL]
    desk.store.is_full = False
    assert desk.take(receipt) == [OK]
    assert desk.told() == [our()]


# ---- before the response ------------------------------------------------------------------------------------


def test_receipts_that_were_held_become_deliveries_of_their_messages() -> None:
    desk = Desk()
    assert desk.take(receipt_for(submit_sm(), b"A1"), receipt_for(submit_sm(), b"B2")) == [OK] * 2
    assert (desk.held(), desk.told()) == (2, [])
    desk.submitted(b"A1", a_message(7))
    desk.submitted(b"C3", a_message(8))
    assert (desk.held(), desk.told()) == (1, [our(7)])
    assert desk.store.find("carrier", b"A1") is None
    sample = 'smppgw_receipts_total{carrier="carrier",class="delivered",state="DELIVRD"} 1.0'
    assert sample in desk.metrics.render().decode()
    assert desk.take(receipt_for(submit_sm(), b"A1")) == [OK]
    assert desk.counted("receipts_repeated") == 1


def test_what_was_held_of_one_message_is_told_in_its_order_and_once() -> None:
    desk = Desk()
    enroute = receipt_for(submit_sm(), b"A1", MessageState.ENROUTE)
    delivered = receipt_for(submit_sm(), b"A1")
    desk.take(enroute)
    desk.take(enroute, delivered)
    desk.take(delivered)
    desk.submitted(b"A1", a_message(7, registered_delivery=0x11))
    texts = [delivery.body for delivery in desk.store.take_deliveries("app", 9)]
    assert [text.partition(b"stat:")[2][:7] for text in texts] == [b"ENROUTE", b"DELIVRD"]
    assert desk.counted("receipts_repeated") == 2


@pytest.mark.parametrize("orphans_to", ["", "other"])
def test_what_nobody_answers_for_is_kept_or_passed_on_after_a_while_as_it_came(orphans_to: str) -> None:
    desk = Desk(hold_receipts=600.0, orphans_to=orphans_to)
    receipt = receipt_for(submit_sm(), b"A1")
    desk.take(receipt)
    desk.pass_seconds(599)
    desk.take(receipt_for(submit_sm(), b"B2"))
    assert (desk.held(), desk.lines("receipt_orphaned")) == (2, [])
    desk.pass_seconds(2)
    assert desk.held() == 1
    [delivery] = desk.store.take_deliveries(orphans_to, 9)
    assert (delivery.kind, delivery.body) == ("receipt", codec.encode(receipt)[16:])
    [line] = desk.lines("receipt_orphaned")
    assert (line["count"], line["why"], line["passed_on_to"]) == (1, "unknown", orphans_to or None)
    assert desk.counted("receipts_orphaned") == 1
    assert desk.waiting_at_kick == [0]
    desk.submitted(b"A1")
    assert desk.told() == []


def test_what_is_held_longest_makes_room() -> None:
    desk = Desk(max_held=2)
    for carrier_id in (b"A1", b"B2", b"C3"):
        desk.take(receipt_for(submit_sm(), carrier_id))
    assert desk.held() == 2
    [line] = desk.lines("receipt_orphaned")
    assert (line["count"], line["why"]) == (1, "no_room")
    assert desk.told("") == ["receipt id:A1"]
    desk.submitted(b"B2", a_message(2))
    assert desk.told() == [our(2)]


def test_an_id_given_anew_is_no_repeat_where_the_receipt_comes_from_another_handset() -> None:
    desk = Desk()
    desk.submitted(b"A1", a_message(7))
    desk.take(receipt_for(submit_sm(), b"A1"))
    assert desk.told() == [our(7)]
    other = submit_sm(8)
    assert desk.take(receipt_for(other, b"A1")) == [OK], "before its response"
    body = codec.encode(other)[16:]
    again = Message(8, b"%016x" % 8, "app", Lane("otp"), CommandId.SUBMIT_SM, body, 1, 0)
    desk.submitted(b"A1", again)
    assert desk.told() == [our(8)]
    assert desk.counted("receipts_repeated") == 0


def test_a_short_id_in_an_unknown_spelling_is_only_as_good_as_its_address() -> None:
    desk = Desk(hold_receipts=600.0, message_id="auto")
    for number in range(20):
        pdu = submit_sm(number)
        desk.take(receipt_for(pdu, b"%d" % (16 + number)))
    for number in range(20):
        pdu = submit_sm(number)
        body = codec.encode(pdu)[16:]
        key = number + 1
        message = Message(key, b"%016x" % key, "app", Lane("otp"), CommandId.SUBMIT_SM, body, 1, 0)
        desk.submitted(b"%x" % (16 + number), message)
    told = desk.told()
    desk.pass_seconds(601)
    assert sorted(told + desk.told()) == [our(number + 1) for number in range(20)]
    assert desk.counted("receipts_orphaned") == 0


def test_a_receipt_whose_response_was_not_known_to_be_its_own_finds_its_message_at_last() -> None:
    desk = Desk(hold_receipts=600.0, message_id="auto")
    for number in range(4):
        desk.submitted(b"abcdef%02x" % number, a_message(number + 1))
        desk.take(receipt_for(submit_sm(), b"abcdef%02x" % number))
    assert desk.carrier.ids.settled
    desk.told()
    desk.take(receipt_for(submit_sm(), b"%d" % 0xABCDEF42))  # it writes decimal now, and too early
    desk.submitted(b"abcdef42", a_message(9))
    assert desk.told() == []
    desk.pass_seconds(601)
    assert desk.told() == [our(9)]
    assert desk.counted("receipts_orphaned") == 0


@pytest.mark.parametrize("early", [False, True])
def test_a_receipt_that_nobody_asked_for_is_answered_and_goes_no_further(early: bool) -> None:
    desk = Desk()
    receipt = receipt_for(submit_sm(), b"A1")
    if early:
        assert desk.take(receipt) == [OK]
    desk.submitted(b"A1", a_message(7, registered_delivery=0))
    assert desk.take(receipt) == [OK]
    assert (desk.told(), desk.told(""), desk.held()) == ([], [], 0)
    assert (desk.counted("receipts_repeated"), desk.counted("receipts_orphaned")) == (1, 0)


def test_receipts_of_a_carrier_that_is_configured_no_more_are_let_go_of_in_time() -> None:
    desk = Desk(hold_receipts=600.0)
    octets = codec.encode(receipt_for(submit_sm(), b"A1"))[16:]
    desk.store.hold("receipts/gone", [Held(b"a1", CommandId.DELIVER_SM, octets, desk.now_ns)], 9)
    desk.pass_seconds(601)
    assert desk.told("") == ["receipt id:A1"]
    assert desk.store.shelves() == []


def test_a_text_of_a_handset_that_was_held_as_a_receipt_is_a_message_after_all() -> None:
    desk = Desk(hold_receipts=600.0)
    text = receipt_for(submit_sm(), b"7001").short_message
    quoted = DeliverSm(source_addr=b"19990000000", destination_addr=b"12065550100", short_message=text)
    desk.take(quoted)
    desk.submitted(b"7001", a_message(7))
    assert (desk.told(), desk.held()) == ([], 1)
    desk.pass_seconds(601)
    assert desk.told() == ["mo id:7001"]
    assert (desk.counted("mo"), desk.counted("receipts_orphaned")) == (1, 0)
    assert desk.take(receipt_for(submit_sm(), b"7001")) == [OK]
    assert desk.told() == [our(7)]


def test_a_receipt_that_its_text_alone_calls_one_finds_its_message_later() -> None:
    desk = Desk()
    receipt = receipt_for(submit_sm(), b"7001")
    receipt.esm_class = 0
    desk.take(receipt)
    desk.submitted(b"7001", a_message(7))
    assert desk.told() == [our(7)]


def test_a_message_of_a_handset_that_its_owner_has_no_room_for_is_kept_when_it_was_held() -> None:
    desk = Desk(hold_receipts=600.0, max_waiting=3)
    text = receipt_for(submit_sm(), b"7001").short_message
    desk.take(DeliverSm(source_addr=b"1999", destination_addr=b"12065550100", short_message=text))
    full = [Delivery("app", "mo", 5, b"", 0, 0) for _ in range(3)]
    desk.store.receive("carrier", full, (), lambda: None)
    desk.store.settle()
    desk.pass_seconds(601)
    assert desk.told("") == ["receipt id:7001"]
    assert desk.counted("receipts_orphaned") == 1


# ---- what the store has to look for -------------------------------------------------------------------------


def test_receipts_wait_until_the_store_has_looked_for_their_messages() -> None:
    desk = Desk()
    desk.store.slow_to_recall = True
    desk.submitted(b"A1", a_message(1))
    desk.submitted(b"B2", a_message(2))
    desk.store.let_go(b"B2")
    desk.take_in(*[receipt_for(submit_sm(), carrier_id) for carrier_id in (b"B2", b"A1", b"C3")])
    desk.store.settle()
    assert len(desk.answers) == 1
    assert desk.told() == [our(1)]
    assert desk.store.asked == [[b"B2", b"C3"]]
    desk.store.recalled()
    assert len(desk.answers) == 1
    desk.store.settle()
    assert len(desk.answers) == 3
    assert desk.told() == [our(2)]
    held = desk.store.release("receipts/carrier", [b"B2", b"C3"])
    assert [each.under for each in held] == [b"C3"]


def test_receipts_about_one_message_keep_their_order_while_the_store_looks_for_it() -> None:
    desk = Desk()
    desk.store.slow_to_recall = True
    desk.submitted(b"A1", a_message(registered_delivery=0x11))
    desk.store.let_go(b"A1")
    enroute = receipt_for(submit_sm(), b"A1", MessageState.ENROUTE)
    accepted = receipt_for(submit_sm(), b"A1", MessageState.ACCEPTED)
    desk.take_in(enroute, accepted)
    # It is at hand now, but what came before is still to be taken in.
    desk.submitted(b"A1", a_message(registered_delivery=0x11))
    desk.take_in(receipt_for(submit_sm(), b"A1"))
    desk.store.settle()
    assert desk.answers == []
    assert desk.store.asked == [[b"A1"]]
    desk.store.recalled()
    desk.store.settle()
    assert len(desk.answers) == 3
    texts = [bytes(delivery.body) for delivery in desk.store.take_deliveries("app", 9)]
    assert [text.partition(b"stat:")[2][:7] for text in texts] == [b"ENROUTE", b"ACCEPTD", b"DELIVRD"]


def test_a_usual_receipt_does_not_overtake_what_waits_about_the_same_message() -> None:
    desk = Desk()
    desk.store.slow_to_recall = True
    desk.submitted(b"B2", a_message(2))
    desk.submitted(b"C3", a_message(3))
    desk.submitted(b"A1", a_message(registered_delivery=0x11))
    desk.store.let_go(b"A1")
    desk.take_in(receipt_for(submit_sm(), b"A1", MessageState.ENROUTE))
    desk.store._sent["carrier"].update(desk.store._away)  # at hand, before it is said that it was looked for
    # The first is read the long way, the others might go the quick one.
    desk.take_in(*[receipt_for(submit_sm(), carrier_id) for carrier_id in (b"B2", b"C3", b"A1")])
    desk.store.settle()
    assert desk.told() == [our(2), our(3)]
    desk.store.recalled()
    desk.store.settle()
    texts = [delivery.body for delivery in desk.store.take_deliveries("app", 9)]
    assert [text.partition(b"stat:")[2][:7] for text in texts] == [b"ENROUTE", b"DELIVRD"]


def test_a_part_of_an_earlier_run_waits_until_the_store_has_told_of_the_others() -> None:
    desk = Desk()
    late: list[Callable[[], None]] = []
    look_up = desk.store.look_up
    desk.store.look_up = lambda key, then: late.append(lambda: look_up(key, then))  # type: ignore[method-assign]
    for key in (1, 2):
        desk.submitted(b"A%d" % key, a_message(key, parts=2, first=1))
    desk.parts.unknown_up_to = 9
    desk.take_in(receipt_for(submit_sm(), b"A1"), receipt_for(submit_sm(), b"A2"))
    desk.store.settle()
    assert (desk.answers, desk.told()) == ([], [])
    for each in late:
        each()
    desk.store.settle()
    assert len(desk.answers) == 2
    assert desk.told() == [our(1)]


def test_a_held_receipt_of_a_part_waits_until_the_store_has_told_of_the_others() -> None:
    desk = Desk()
    late: list[Callable[[], None]] = []
    look_up = desk.store.look_up
    one, other = a_message(1, parts=2), a_message(2, parts=2, first=1)
    desk.submitted(b"A1", one)
    assert desk.take(receipt_for(submit_sm(), b"A1")) == [OK]
    desk.store.look_up = lambda key, then: late.append(lambda: look_up(key, then))  # type: ignore[method-assign]
    # A run later:
    desk.parts._ended.clear()
    desk.parts.unknown_up_to = 9
    desk.store.accept([other], lambda: None)
    desk.take(receipt_for(submit_sm(), b"A2"))
    desk.submitted(b"A2", other)
    assert (desk.held(), desk.told()) == (1, [])
    for each in late:
        each()
    desk.store.settle()
    assert (desk.held(), desk.told()) == (0, [our(1)])
    assert desk.take(receipt_for(submit_sm(), b"A2")) == [OK]
    assert desk.counted("receipts_repeated") == 1


# ---- how carriers write their ids ---------------------------------------------------------------------------

SPELLINGS: Final[dict[str, tuple[Callable[[int], str], Callable[[int], str], str]]] = {
    "as it is": (lambda n: f"SMS-{n}x", lambda n: f"SMS-{n}x", "text"),
    "hex in another case, padded": (lambda n: f"{n:012X}", lambda n: f"{n:x}", "hex"),
    "dec, padded": (lambda n: f"{n:015d}", lambda n: f"{n}", "dec"),
    "dec, padded in the receipt": (lambda n: f"{n}", lambda n: f"{n:010d}", "dec"),
    "hex, then dec": (lambda n: f"{n:x}", lambda n: f"{n}", "hex-dec"),
    "hex of 10, then dec of 12": (lambda n: f"{n:010X}", lambda n: f"{n:012d}", "hex-dec"),
    "dec, then hex": (lambda n: f"{n}", lambda n: f"{n:X}", "dec-hex"),
    "uuid without its hyphens": (
        lambda n: str(UUID(int=n << 70)),
        lambda n: str(UUID(int=n << 70)).replace("-", ""),
        "hex",
    ),
}
"""What the response says, what the receipt says, and the setting that goes with them."""


@pytest.mark.parametrize("when", ["after", "before", "first before, then after"])
@pytest.mark.parametrize("is_auto", [False, True])
@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_receipts_find_their_messages_however_a_carrier_writes_its_ids(
    spelling: str, is_auto: bool, when: str
) -> None:
    response, receipt, form = SPELLINGS[spelling]
    count = 0x3A00_1000

    async def answer(esme: BoundEsme, pdu: SubmitSm) -> str:
        nonlocal count
        count += 7
        own = count
        number = int(pdu.short_message.split()[1])
        said = receipt_for(pdu, receipt(own).encode())
        others = [each for each in smsc.bound if each is not esme]
        if when == "before" or (when.startswith("first") and number < 10):
            assert (await others[0].deliver(said)).command_status == OK
        else:
            asyncio.get_running_loop().call_soon(others[0].deliver_nowait, said)
        return response(own)

    log = LogCapture()
    async with Smsc(port=0, on_submit=answer) as smsc:
        carriers = (a_carrier(smsc.port, binds=2, message_id="auto" if is_auto else form),)
        async with running(settings_of(an_esme(), carriers=carriers), log=log) as gateway:
            async with client(gateway.server.port) as esme:
                ids = [
                    result.message_id
                    async for result in esme.submit_many(submit_sm(number) for number in range(40))
                ]
                async with asyncio.timeout(10):
                    told = [await anext(esme) for _ in ids]
            assert sorted(each.message_id for each in told if isinstance(each, DeliveryReceipt)) == sorted(
                ids
            )
            numbers = {message_id: f"1666{number:07d}" for number, message_id in enumerate(ids)}
            assert all(numbers[each.message_id] == each.source for each in told)  # type: ignore[union-attr]
            assert gateway.store.holds("receipts/carrier") == 0
            assert gateway.store.octets == 0
    learnt = [entry for entry in log.entries if entry["event"] == "carrier_message_id_learnt"]
    assert len(learnt) == (1 if is_auto else 0)


def test_what_is_learnt_of_a_carriers_ids_is_said_in_the_log() -> None:
    desk = Desk(message_id="auto")
    for key in range(1, 9):
        desk.submitted(b"%x" % (0x6500A + key), a_message(key))
        desk.take(receipt_for(submit_sm(), b"%d" % (0x6500A + key)))
    assert desk.told() == [our(key) for key in range(1, 9)]
    [line] = desk.lines("carrier_message_id_learnt")
    assert line["carrier"] == "carrier"
    assert "hex" in line["form"]


def test_a_carriers_ids_are_learnt_from_receipts_that_come_together_too() -> None:
    desk = Desk(message_id="auto")
    for key in range(1, 6):
        desk.submitted(b"SMS-%dx" % key, a_message(key))
    desk.take(*[receipt_for(submit_sm(), b"SMS-%dx" % key) for key in range(1, 6)])
    assert desk.told() == [our(key) for key in range(1, 6)]
    assert len(desk.lines("carrier_message_id_learnt")) == 1


def test_nothing_is_learnt_from_what_its_text_alone_calls_a_receipt() -> None:
    desk = Desk(message_id="auto")
    for key in range(1, 9):
        desk.submitted(b"%x" % (0x6500A + key), a_message(key))
        receipt = receipt_for(submit_sm(), b"%d" % (0x6500A + key))
        receipt.esm_class = 0
        desk.take(receipt)
    assert desk.told() == [our(key) for key in range(1, 9)]
    assert desk.lines("carrier_message_id_learnt") == []


@pytest.mark.parametrize("number", [0, 1])
def test_an_id_in_another_spelling_is_that_of_a_message_to_the_same_handset_only(number: int) -> None:
    desk = Desk(message_id="auto")
    desk.submitted(b"6500A", a_message(7))
    assert desk.take(receipt_for(submit_sm(number), b"413706")) == [OK]
    assert desk.told() == ([our(7)] if number == 0 else [])
    assert desk.held() == number


# ---- an ESME that is away -----------------------------------------------------------------------------------


async def test_an_esme_that_fetches_nothing_fills_its_own_room_and_nobody_else_s() -> None:
    async with Smsc(port=0, on_submit=Recorder()) as smsc:
        settings = settings_of(
            an_esme("app", max_waiting=3, sources=("12065550100",)),
            an_esme("other", sources=("12065550101",)),
            carriers=(a_carrier(smsc.port),),
        )
        async with running(settings) as gateway:
            async with (
                client(gateway.server.port, bind="tx") as app,
                client(gateway.server.port, "other") as other,
            ):
                for number in range(3):
                    await app.request(submit_sm(number))
                await until(lambda: gateway.store.waiting_deliveries("app") == 3)
                assert (await app.request(submit_sm())).command_status == CommandStatus.ESME_RMSGQFUL
                reply = DeliverSm(source_addr=b"1666", destination_addr=b"12065550100", short_message=b"hi")
                answer = await smsc.bound[0].deliver(reply)
                assert answer.command_status == CommandStatus.ESME_RMSGQFUL
                assert (await other.submit("12065550101", "1666", "hello")).message_ids
                await anext(other)
            async with client(gateway.server.port, bind="trx") as app:
                for _ in range(3):
                    await anext(app)
                assert (await app.request(submit_sm(9))).command_status == OK
                await anext(app)
