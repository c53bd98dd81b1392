"""Receipts and replies of carriers find their message, their ESME and their way home."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from structlog.testing import LogCapture

from smppgw import Esme, Smsc
from smppgw.accounts import Account
from smppgw.carriers import Carrier
from smppgw.library.bound import BoundEsme
from smppgw.library.delivery import DeliveryReceipt, MoMessage
from smppgw.metrics import Metrics
from smppgw.pdu import codec
from smppgw.pdu._generated import (
    AlertNotification,
    DeliverSm,
    SubmitSm,
)
from smppgw.pdu.constants import CommandId, CommandStatus, MessageState, TlvTag
from smppgw.pdu.framing import Frame
from smppgw.pdu.tlv import make_tlv, tlv_value
from smppgw.receipts import Receipts
from smppgw.routing import Router
from smppgw.session.timers import NS
from smppgw.store.api import Durable
from smppgw.store.entries import Delivery, Message
from smppgw.store.memory import MemoryStore
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
                assert answer.command_status == CommandStatus.ESME_RX_P_APPN


class SlowStore(MemoryStore):
    """A store in which deliveries stand, and are promised, only when `settle` is called."""

    def __init__(self) -> None:
        super().__init__(1_000_000)
        self.pending: list[tuple[Any, ...]] = []
        self.asked: list[list[bytes]] = []
        self.slow_to_recall = False
        self._away: dict[bytes, Message] = {}
        self._then: list[Callable[[], None]] = []

    def find(self, carrier: str, carrier_id: bytes) -> Message | None:
        assert carrier_id, "an empty id is nobody's"
        return super().find(carrier, carrier_id)

    def receive(
        self,
        carrier: str,
        deliveries: Sequence[Delivery],
        finished: Sequence[tuple[bytes, int]],
        durable: Durable,
    ) -> None:
        self.pending.append((carrier, deliveries, finished, durable))

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


def a_message(key: int = 1, *, esme: str = "app", registered_delivery: int = 1) -> Message:
    body = codec.encode(submit_sm())[16:]
    return Message(
        key, b"%016x" % key, esme, "default/otp", CommandId.SUBMIT_SM, body, registered_delivery, 0
    )


class Desk:
    """`Receipts` with one carrier, one ESME "app" that owns 12065550100, a slow store and a clock set by hand."""

    def __init__(self) -> None:
        self.carrier = Carrier(a_carrier(1))
        self.store = SlowStore()
        self.metrics = Metrics()
        self.log = LogCapture()
        self.now_ns = NS
        self.waiting_at_kick: list[int] = []
        self.answers: list[bytes] = []
        session = SimpleNamespace(send_responses=self.answers.extend)
        connection = SimpleNamespace(session=session, flush=lambda: None)
        self.link: Any = SimpleNamespace(carrier=self.carrier, connection=connection)
        settings = settings_of(
            an_esme(sources=("+12065550100",)), an_esme("other"), carriers=(self.carrier.settings,)
        )
        self.receipts = Receipts(
            Router(settings),
            self.store,
            {esme.system_id: Account(esme, self.metrics) for esme in settings.esmes},
            self.metrics,
            structlog.wrap_logger(None, processors=[self.log]),
            clock=lambda: self.now_ns,
            wall_clock=lambda: datetime(2026, 11, 22, 10, 0, tzinfo=UTC),
            on_deliveries=lambda: self.waiting_at_kick.append(self.store.waiting_deliveries("app")),
        )

    def submitted(self, carrier_id: bytes, message: Message | None = None) -> None:
        """The carrier knows this message, else one of "app", under this id."""
        self.store.submitted("carrier", [(message or a_message(), carrier_id)], (), (), lambda: None)

    def take_in(self, *pdus: codec.Pdu) -> None:
        """One read of the carrier's."""
        frames: list[Frame] = []
        for pdu in pdus:
            octets = codec.encode(pdu)
            frames.append((int.from_bytes(octets[4:8], "big"), 0, 1, octets))
        self.receipts.take_in(self.link, frames)

    def lines(self, event: str) -> list[dict[str, Any]]:
        return [dict(line) for line in self.log.entries if line["event"] == event]

    def orphaned(self) -> int:
        counted = 'smppgw_receipts_orphaned_total{carrier="carrier"} '
        text = self.metrics.render().decode()
        return int(float(text.partition(counted)[2].partition("\n")[0])) if counted in text else 0


def test_a_receipt_without_an_id_finds_no_message() -> None:
    desk = Desk()
    nameless = DeliverSm(esm_class=4, short_message=b"stat:DELIVRD err:000 text:somebody's")
    desk.take_in(nameless, nameless)
    desk.store.settle()
    assert [answer[4:12].hex() for answer in desk.answers] == ["8000000500000000"] * 2
    assert desk.store.waiting_deliveries("app") == 0
    assert desk.orphaned() == 2
    [line] = desk.lines("receipt_without_id")
    assert (line["carrier"], line["count"]) == ("carrier", 2)


def test_a_final_receipt_that_comes_three_times_in_one_read_is_forwarded_once() -> None:
    desk = Desk()
    desk.submitted(b"A1")
    receipt = receipt_for(submit_sm(), b"A1")
    desk.take_in(receipt, receipt, receipt)
    desk.store.settle()
    assert len(desk.answers) == 3
    assert desk.store.waiting_deliveries("app") == 1
    assert desk.orphaned() == 2


def test_esmes_are_served_when_their_deliveries_stand_in_the_store() -> None:
    desk = Desk()
    desk.submitted(b"A1")
    desk.take_in(receipt_for(submit_sm(), b"A1"))
    assert desk.waiting_at_kick == []
    assert desk.answers == []
    desk.store.settle()
    assert desk.waiting_at_kick == [1]


@pytest.mark.parametrize(
    ("command_status", "state", "err"),
    [
        (CommandStatus.ESME_RINVDSTADR, MessageState.UNDELIVERABLE, b"err:00B"),
        (0, MessageState.EXPIRED, b"err:000"),
        (0x12345678, MessageState.UNDELIVERABLE, b"err:000"),
    ],
)
def test_who_asked_for_it_is_told_how_a_message_ended_here(
    command_status: int, state: MessageState, err: bytes
) -> None:
    desk = Desk()
    ended = [(a_message(key, registered_delivery=key % 2), command_status) for key in (1, 2, 3)]
    first, third = desk.receipts.own(ended, state)
    assert (first.esme, first.kind) == ("app", "receipt")
    assert b"id:%016x " % 1 in first.body
    assert b"id:%016x " % 3 in third.body
    assert err in first.body


def test_receipts_that_were_held_become_deliveries_of_their_messages() -> None:
    desk = Desk()
    desk.take_in(receipt_for(submit_sm(), b"A1"), receipt_for(submit_sm(), b"B2"))
    desk.store.settle()
    assert len(desk.answers) == 2
    held = desk.store.release("carrier", [b"A1"])
    answered = [(a_message(7), b"A1"), (a_message(8), b"C3")]
    [delivery], finished = desk.receipts.early(desk.carrier, answered, held)
    assert b"id:%016x " % 7 in delivery.body
    assert finished == [(b"A1", MessageState.DELIVERED)]
    assert 'smppgw_receipts_total{carrier="carrier",state="DELIVRD"} 1.0' in desk.metrics.render().decode()


def test_receipts_wait_until_the_store_has_looked_for_their_messages() -> None:
    desk = Desk()
    desk.store.slow_to_recall = True
    desk.submitted(b"A1", a_message(1))
    desk.submitted(b"B2", a_message(2))
    desk.store.let_go(b"B2")
    desk.take_in(*[receipt_for(submit_sm(), carrier_id) for carrier_id in (b"B2", b"A1", b"C3")])
    desk.store.settle()
    assert len(desk.answers) == 1
    [at_hand] = desk.store.take_deliveries("app", 9)
    assert b"id:%016x " % 1 in at_hand.body
    assert desk.store.asked == [[b"B2", b"C3"]]
    desk.store.recalled()
    assert len(desk.answers) == 1
    desk.store.settle()
    assert len(desk.answers) == 3
    [recalled] = desk.store.take_deliveries("app", 9)
    assert b"id:%016x " % 2 in recalled.body
    assert [each.carrier_id for each in desk.store.release("carrier", [b"B2", b"C3"])] == [b"C3"]


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


def test_a_receipt_for_an_esme_that_is_configured_no_more_waits_for_it() -> None:
    desk = Desk()
    desk.submitted(b"A1", a_message(esme="gone"))
    desk.take_in(receipt_for(submit_sm(), b"A1"))
    desk.store.settle()
    assert len(desk.answers) == 1
    assert desk.store.waiting_deliveries("gone") == 1


def test_messages_for_numbers_that_are_nobodys_are_one_line_a_minute() -> None:
    desk = Desk()
    stray = DeliverSm(source_addr=b"1666", destination_addr=b"999", short_message=b"?")
    desk.take_in(*[stray] * 3)
    desk.now_ns += 59 * NS
    desk.take_in(*[stray] * 3)
    assert [line["count"] for line in desk.lines("mo_unowned")] == [1]
    desk.now_ns += NS
    desk.take_in(*[stray] * 3)
    assert [line["count"] for line in desk.lines("mo_unowned")] == [1, 6]
    assert [answer[8:12] for answer in desk.answers] == [
        int(CommandStatus.ESME_RX_P_APPN).to_bytes(4, "big")
    ] * 9


def test_alert_notifications_are_one_line_a_read() -> None:
    desk = Desk()
    desk.take_in(*[AlertNotification(source_addr=b"16665550100", esme_addr=b"12065550100")] * 4)
    assert [line["count"] for line in desk.lines("alert_notification")] == [4]
    assert desk.answers == []


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
