"""Receipts and replies of carriers find their message, their ESME and their way home."""

from __future__ import annotations

import asyncio

from smppgw import Esme, Smsc
from smppgw.library.bound import BoundEsme
from smppgw.library.delivery import DeliveryReceipt, MoMessage
from smppgw.pdu._generated import (
    DeliverSm,
    SubmitSm,
)
from smppgw.pdu.constants import CommandId, CommandStatus, MessageState, TlvTag
from smppgw.pdu.tlv import make_tlv, tlv_value
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
