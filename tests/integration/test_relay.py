"""Messages through a whole gateway, between our own ESME and our own SMSC, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from smppgw import Esme, Smsc
from smppgw.bound import BoundEsme
from smppgw.delivery import DeliveryReceipt, MoMessage
from smppgw.pdu._generated import (
    BroadcastSm,
    CancelSm,
    DataSm,
    DeliverSm,
    DistributionList,
    QuerySm,
    ReplaceSm,
    SmeAddress,
    SubmitMulti,
    SubmitSm,
)
from smppgw.pdu.constants import CommandId, CommandStatus, MessageState, TlvTag
from smppgw.pdu.receipt import format_receipt
from smppgw.pdu.tlv import make_tlv, tlv_value
from smppgw.settings import (
    CampaignSettings,
    CarrierSettings,
    EsmeSettings,
    GatewaySettings,
    RouteSettings,
)
from tests.support import Tap, a_carrier, an_esme, bodies, running, settings_of, until

OK = CommandStatus.ESME_ROK


def submit_sm(number: int = 0, **fields: Any) -> SubmitSm:
    usual: dict[str, Any] = {
        "source_addr": b"12065550100",
        "destination_addr": b"1666%07d" % number,
        "registered_delivery": 1,
        "short_message": b"message %d" % number,
    }
    return SubmitSm(**{**usual, **fields})


def receipt_for(pdu: SubmitSm, message_id: bytes, state: MessageState = MessageState.DELIVERED) -> DeliverSm:
    text = format_receipt(message_id, submit_date=b"2611221000", done_date=b"2611221001", state=state)
    return DeliverSm(
        source_addr=pdu.destination_addr,
        destination_addr=pdu.source_addr,
        esm_class=4,
        short_message=text,
    )


class Recorder:
    """An SMSC's memory: what it got, in order; what it answers; and receipts, if it sends them."""

    def __init__(self, *, receipts: bool = True, answers: Callable[[SubmitSm], int] = lambda _: OK) -> None:
        self.got: list[bytes] = []
        self._receipts = receipts
        self._answers = answers

    def __call__(self, esme: BoundEsme, pdu: SubmitSm) -> str | int:
        status = self._answers(pdu)
        if status:
            return status
        self.got.append(pdu.short_message)
        message_id = f"id-{len(self.got)}"
        if self._receipts and pdu.registered_delivery:
            receipt = receipt_for(pdu, message_id.encode())
            asyncio.get_running_loop().call_soon(esme.deliver_nowait, receipt)
        return message_id


def client(port: int, system_id: str = "app", **settings: Any) -> Esme:
    return Esme("127.0.0.1", port, system_id=system_id, password="secret", **settings)


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
    ("limits", "statuses"),
    [
        ({"window": 10}, {OK: 10, CommandStatus.ESME_RTHROTTLED: 15}),
        ({"messages_per_second": 5.0}, {OK: 5, CommandStatus.ESME_RTHROTTLED: 20}),
        ({"max_queued": 8}, {OK: 8, CommandStatus.ESME_RMSGQFUL: 17}),
        ({"sources": ("+12065550199",)}, {CommandStatus.ESME_RINVSRCADR: 25}),
    ],
)
async def test_what_is_above_a_limit_is_answered_with_its_status(
    limits: dict[str, Any], statuses: dict[int, int]
) -> None:
    settings = settings_of(an_esme(**{"window": 100, **limits}), carriers=(a_carrier(1),))
    async with running(settings, bound=False) as gateway:
        async with client(gateway.server.port) as esme:
            answers = [
                result.command_status
                async for result in esme.submit_many(submit_sm(number) for number in range(25))
            ]
        assert {status: answers.count(status) for status in set(answers)} == statuses
        metrics = gateway.metrics.render().decode()
        for status, count in statuses.items():
            if status:
                name = CommandStatus(status).name
                rejected = f'smppgw_messages_rejected_total{{esme="app",status="{name}"}} {count}.0'
                # What the window refuses, the session refuses before it is anybody's message.
                assert "window" in limits or rejected in metrics


async def test_messages_wait_for_a_carrier_that_is_away_and_leave_in_order() -> None:
    recorder = Recorder(receipts=False)
    async with Smsc(port=0) as reserved:
        port = reserved.port
    settings = settings_of(an_esme(), carriers=(a_carrier(port),))
    async with running(settings, bound=False) as gateway:
        async with client(gateway.server.port) as esme:
            async for result in esme.submit_many(submit_sm(number) for number in range(50)):
                assert result.ok
            assert gateway.status()["lanes"]["promotional"] == 50
            async with Smsc(port=port, on_submit=recorder):
                await until(lambda: len(recorder.got) == 50)
                assert recorder.got == [b"message %d" % number for number in range(50)]
                await until(lambda: gateway.accounts["app"].queued == 0)


async def test_what_a_broken_connection_leaves_unanswered_goes_back_to_its_lane_in_order() -> None:
    seen: list[bytes] = []
    drops = 3

    def drop_some(esme: BoundEsme, pdu: SubmitSm) -> Any:
        nonlocal drops
        if drops and len(seen) % 10 == 9:
            drops -= 1
            seen.append(b"dropped")
            asyncio.get_running_loop().call_soon(esme.drop)
            return LATER
        if seen and seen[-1] == b"dropped" and esme not in smsc.bound:
            return LATER
        seen.append(pdu.short_message)
        return f"id-{len(seen)}"

    from smppgw.bound import LATER

    async with Smsc(port=0, on_submit=drop_some) as smsc:
        carriers = (a_carrier(smsc.port, window=5),)
        async with running(settings_of(an_esme(), carriers=carriers)) as gateway:
            async with client(gateway.server.port) as esme:
                async for result in esme.submit_many(submit_sm(number) for number in range(60)):
                    assert result.ok
                await until(lambda: gateway.accounts["app"].queued == 0)
        first_times = list(dict.fromkeys(text for text in seen if text != b"dropped"))
        assert first_times == [b"message %d" % number for number in range(60)]
        assert len(seen) - 3 - 60 <= 3 * 5  # at most a window of repeats for each connection lost


async def test_a_carrier_that_says_too_fast_gets_everything_later_and_in_order() -> None:
    refusals = 5

    def busy(_: SubmitSm) -> int:
        nonlocal refusals
        refusals -= refusals > 0
        return CommandStatus.ESME_RTHROTTLED if refusals else OK

    recorder = Recorder(receipts=False, answers=busy)
    async with Smsc(port=0, on_submit=recorder) as smsc:
        async with running(settings_of(an_esme(), carriers=(a_carrier(smsc.port),))) as gateway:
            async with client(gateway.server.port) as esme:
                async for result in esme.submit_many(submit_sm(number) for number in range(6)):
                    assert result.ok
                await until(lambda: len(recorder.got) == 6)
                assert sorted(recorder.got) == [b"message %d" % number for number in range(6)]
            assert 'smppgw_throttled_total{limit="carrier"} 4.0' in gateway.metrics.render().decode()


@pytest.mark.parametrize(
    ("status", "attempts"), [(CommandStatus.ESME_RINVDSTADR, 1), (CommandStatus.ESME_RSYSERR, 3)]
)
async def test_a_message_that_no_carrier_takes_is_reported_as_undeliverable(
    status: CommandStatus, attempts: int
) -> None:
    tried: list[bytes] = []

    def refuse(pdu: SubmitSm) -> int:
        tried.append(pdu.short_message)
        return status

    async with Smsc(port=0, on_submit=Recorder(answers=refuse)) as smsc:
        settings = settings_of(
            an_esme(),
            carriers=(a_carrier(smsc.port),),
            gateway=GatewaySettings(max_attempts=3, retry_delay=0.02, drain_timeout=5),
        )
        async with running(settings) as gateway:
            async with client(gateway.server.port) as esme:
                response = await esme.request(submit_sm(1))
                receipt = await anext(esme)
            assert isinstance(receipt, DeliveryReceipt)
            assert receipt.message_id == response.message_id.decode()
            assert receipt.state == MessageState.UNDELIVERABLE
            assert receipt.err == f"{status:03X}"
            assert (receipt.source, receipt.destination) == ("16660000001", "12065550100")
            assert len(tried) == attempts
            assert gateway.accounts["app"].queued == 0
            assert gateway.store.octets == 0


async def test_the_next_carrier_takes_over_when_one_is_down() -> None:
    recorder = Recorder(receipts=False)
    async with Smsc(port=0, on_submit=recorder) as smsc:
        carriers = (a_carrier(1, "away"), a_carrier(smsc.port, "there"))
        async with running(settings_of(an_esme(), carriers=carriers), bound=False) as gateway:
            async with client(gateway.server.port) as esme:
                await esme.request(submit_sm())
                await until(lambda: recorder.got)


async def test_routes_choose_the_carrier() -> None:
    north, south = Recorder(receipts=False), Recorder(receipts=False)
    async with Smsc(port=0, on_submit=north) as one, Smsc(port=0, on_submit=south) as two:
        settings = settings_of(
            an_esme(),
            carriers=(a_carrier(one.port, "north"), a_carrier(two.port, "south")),
            routes=(
                RouteSettings(("south",), destination="44"),
                RouteSettings(("north",), destination="1"),
            ),
        )
        async with running(settings) as gateway:
            async with client(gateway.server.port) as esme:
                for destination in (b"441", b"12", b"+442", b"33"):
                    response = await esme.request(
                        submit_sm(destination_addr=destination, short_message=destination)
                    )
                assert response.command_status == CommandStatus.ESME_RINVDSTADR
                await until(lambda: len(north.got) + len(south.got) == 3)
        assert (north.got, south.got) == ([b"12"], [b"441", b"+442"])


async def test_one_time_codes_leave_before_promotions() -> None:
    recorder = Recorder(receipts=False)
    async with Smsc(port=0) as reserved:
        port = reserved.port
    settings = settings_of(
        an_esme(),
        carriers=(a_carrier(port, window=1),),
        campaigns=(
            CampaignSettings("codes", "brand", status="approved", lane="otp", numbers=("+12065550199",)),
        ),
    )
    async with running(settings, bound=False) as gateway:
        async with client(gateway.server.port) as esme:
            await esme.request(submit_sm(1))
            await esme.request(submit_sm(2, priority_flag=1))
            await esme.request(submit_sm(3, source_addr=b"12065550199"))
            await esme.request(submit_sm(4, priority_flag=200))
            async with Smsc(port=port, on_submit=recorder):
                await until(lambda: len(recorder.got) == 4)
    assert recorder.got == [b"message 3", b"message 4", b"message 2", b"message 1"]


async def test_a_submit_multi_is_one_message_for_each_address_under_one_id() -> None:
    recorder = Recorder()
    async with Smsc(port=0, on_submit=recorder) as smsc:
        async with running(settings_of(an_esme(), carriers=(a_carrier(smsc.port),))) as gateway:
            async with client(gateway.server.port) as esme:
                addresses = [SmeAddress(1, 1, b"1666%d" % number) for number in range(3)]
                response = await esme.request(
                    SubmitMulti(
                        source_addr=b"12065550100",
                        dest_address=[*addresses, DistributionList(b"friends")],
                        registered_delivery=1,
                        short_message=b"to many",
                    )
                )
                assert response.command_status == OK
                [unsuccess] = response.unsuccess_sme
                assert unsuccess.destination_addr == b"friends"
                assert unsuccess.error_status_code == CommandStatus.ESME_RINVDLNAME
                receipts = [await anext(esme) for _ in range(3)]
                assert {
                    (each.message_id, each.source) for each in receipts if isinstance(each, DeliveryReceipt)
                } == {(response.message_id.decode(), f"1666{number}") for number in range(3)}
                lists_only = await esme.request(
                    SubmitMulti(dest_address=[DistributionList(b"friends")], short_message=b"x")
                )
                assert lists_only.command_status == CommandStatus.ESME_RINVDLNAME
        assert recorder.got == [b"to many"] * 3


async def test_a_data_sm_travels_as_one() -> None:
    got: list[Any] = []

    def take(esme: BoundEsme, pdu: Any) -> str:
        got.append(pdu)
        return "data-1"

    async with Smsc(port=0, on_request=take) as smsc:
        async with running(settings_of(an_esme(), carriers=(a_carrier(smsc.port),))) as gateway:
            async with client(gateway.server.port) as esme:
                payload = make_tlv(TlvTag.MESSAGE_PAYLOAD, b"data" * 100)
                response = await esme.request(
                    DataSm(source_addr=b"12065550100", destination_addr=b"1666", tlvs=(payload,))
                )
                assert response.command_status == OK
                assert len(response.message_id) == 16
                await until(lambda: got)
                assert got[0].tlvs == (payload,)


@pytest.mark.parametrize(
    ("pdu", "status"),
    [
        (QuerySm(message_id=b"unknown"), CommandStatus.ESME_RINVMSGID),
        (CancelSm(message_id=b"unknown"), CommandStatus.ESME_RCANCELFAIL),
        (ReplaceSm(message_id=b"unknown"), CommandStatus.ESME_RINVMSGID),
        (
            BroadcastSm(
                tlvs=(
                    make_tlv(TlvTag.BROADCAST_AREA_IDENTIFIER, b"\0area"),
                    make_tlv(TlvTag.BROADCAST_CONTENT_TYPE, b"\0\0\0"),
                    make_tlv(TlvTag.BROADCAST_REP_NUM, 1),
                    make_tlv(TlvTag.BROADCAST_FREQUENCY_INTERVAL, b"\0\0\0"),
                )
            ),
            CommandStatus.ESME_RINVCMDID,
        ),
        (submit_sm(destination_addr=b""), CommandStatus.ESME_RINVDSTADR),
        (submit_sm(validity_period=b"261131100000000+"), CommandStatus.ESME_RINVEXPIRY),
        (submit_sm(schedule_delivery_time=b"261131100000000+"), CommandStatus.ESME_RINVSCHED),
    ],
)
async def test_what_cannot_be_done_is_answered_with_the_right_status(pdu: Any, status: CommandStatus) -> None:
    settings = settings_of(an_esme(), carriers=(a_carrier(1),))
    async with running(settings, bound=False) as gateway, client(gateway.server.port) as esme:
        response = await esme.request(pdu)
        assert response.command_status == status


async def test_a_3_3_esme_gets_short_ids_and_no_optional_parameters() -> None:
    async with Smsc(port=0, on_submit=Recorder()) as smsc:
        async with running(settings_of(an_esme(), carriers=(a_carrier(smsc.port),))) as gateway:
            async with (
                Tap(gateway.server.port) as wire,
                client(wire.port, interface_version=0x33, bind="tx") as sender,
                client(wire.port, interface_version=0x33, bind="rx") as receiver,
            ):
                response = await sender.request(submit_sm())
                assert len(response.message_id) == 8
                receipt = await anext(receiver)
                assert isinstance(receipt, DeliveryReceipt)
                assert receipt.message_id == response.message_id.decode()
                assert receipt.pdu.tlvs == ()
                assert bodies(wire.back, CommandId.BIND_TRANSMITTER_RESP) == [b"smppgw\0"]


async def test_a_3_3_carrier_gets_no_optional_parameters() -> None:
    got: list[SubmitSm] = []

    def take(esme: BoundEsme, pdu: SubmitSm) -> str:
        got.append(pdu)
        return "id"

    async with Smsc(port=0, on_submit=take, interface_version=0x33) as smsc:
        carriers = (a_carrier(smsc.port, interface_version=0x33, bind="tx+rx"),)
        async with running(settings_of(an_esme(), carriers=carriers)) as gateway:
            async with client(gateway.server.port) as esme:
                reference = make_tlv(TlvTag.USER_MESSAGE_REFERENCE, 1)
                await esme.request(submit_sm(1, tlvs=(reference,)))
                payload = make_tlv(TlvTag.MESSAGE_PAYLOAD, b"long")
                long = await esme.request(submit_sm(2, short_message=b"", tlvs=(payload,)))
                receipt = await anext(esme)
                assert isinstance(receipt, DeliveryReceipt)
                assert receipt.message_id == long.message_id.decode()
                assert receipt.state == MessageState.UNDELIVERABLE
    assert [(pdu.short_message, pdu.tlvs) for pdu in got] == [(b"message 1", ())]


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


def test_the_settings_of_a_test_are_those_of_a_configuration() -> None:
    assert an_esme() == EsmeSettings("app", "secret", max_binds=10)
    assert isinstance(a_carrier(1), CarrierSettings)
