from __future__ import annotations

from typing import Any

import pytest

from smppgw import CommandStatus, DeliveryReceipt, Esme, SubmitSm
from smppgw.library.loopback import LoopbackSettings, LoopbackSmsc
from smppgw.pdu.constants import EsmClass, TlvTag
from smppgw.pdu.tlv import tlv_value
from tests.support import until


def a_loopback(**settings: Any) -> LoopbackSmsc:
    return LoopbackSmsc(LoopbackSettings(port=0, **settings))


def an_esme(port: int, **settings: Any) -> Esme:
    return Esme(port=port, **{"system_id": "app", "reconnect_min": 0.01, **settings})


async def the_receipt(esme: Esme) -> DeliveryReceipt:
    receipt = await anext(esme)
    assert isinstance(receipt, DeliveryReceipt)
    return receipt


async def test_a_receipt_has_the_text_of_appendix_b_and_the_three_tlvs() -> None:
    message = SubmitSm(
        source_addr_ton=1,
        source_addr_npi=1,
        source_addr=b"12065550100",
        dest_addr_ton=2,
        dest_addr_npi=8,
        destination_addr=b"12065550199",
        registered_delivery=1,
        short_message=b"A text of more than twenty octets",
    )
    async with a_loopback() as smsc, an_esme(smsc.port) as esme:
        message_id = (await esme.request(message)).message_id
        receipt = await the_receipt(esme)
    pdu = receipt.pdu
    assert pdu.esm_class == EsmClass.DELIVERY_RECEIPT
    assert (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr) == (2, 8, b"12065550199")
    assert (pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr) == (1, 1, b"12065550100")
    assert receipt.fields is not None
    assert receipt.fields.text == "A text of more than "
    assert len(receipt.fields.submit_date) == len(receipt.fields.done_date) == 10
    assert tlv_value(pdu.tlvs, TlvTag.RECEIPTED_MESSAGE_ID) == message_id
    assert tlv_value(pdu.tlvs, TlvTag.MESSAGE_STATE) == 2
    assert tlv_value(pdu.tlvs, TlvTag.NETWORK_ERROR_CODE) == b"\x03\0\0"


@pytest.mark.parametrize(
    ("registered_delivery", "receipts"), [(0, 0), (1, 5), (2, 0), (3, 5), (0x10, 0), (0x11, 5)]
)
async def test_receipts_are_made_where_they_are_asked_for(registered_delivery: int, receipts: int) -> None:
    messages = [SubmitSm(registered_delivery=registered_delivery) for _ in range(5)]
    async with a_loopback() as smsc, an_esme(smsc.port) as esme:
        assert all([result.ok async for result in esme.submit_many(messages)])
        for _ in range(receipts):
            await the_receipt(esme)
    assert smsc.summary()["receipts_made"] == receipts


async def test_only_failures_are_reported_to_whoever_asks_for_failures() -> None:
    messages = [SubmitSm(registered_delivery=2) for _ in range(300)]
    async with a_loopback(receipts="mixed", seed=1) as smsc, an_esme(smsc.port) as esme:
        assert all([result.ok async for result in esme.submit_many(messages)])
        made = smsc.summary()["receipts_made"]
        assert 5 < made < 90
        for _ in range(made):
            assert (await the_receipt(esme)).err != "000"


async def test_a_transmitter_s_receipts_go_to_the_receiver_of_the_same_name_and_wait_for_it() -> None:
    async with a_loopback() as smsc, an_esme(smsc.port, system_id="other"):
        async with an_esme(smsc.port, bind="tx") as transmitter:
            early = await transmitter.submit("1", "2", "before there is a receiver")
            async with an_esme(smsc.port, bind="rx") as receiver:
                assert (await the_receipt(receiver)).message_id in early.message_ids
                late = await transmitter.submit("1", "2", "while there is one")
                assert (await the_receipt(receiver)).message_id in late.message_ids


async def test_a_receipt_without_an_answer_comes_again_on_the_next_bind() -> None:
    async with a_loopback() as smsc, an_esme(smsc.port) as esme:
        submitted = await esme.submit("1", "2", "Hi")
        there = smsc.bound[0]
        there.drop()
        await until(lambda: smsc.bound and smsc.bound[0] is not there)
        assert (await the_receipt(esme)).message_id in submitted.message_ids
        await until(lambda: smsc.summary()["receipts_answered"] == 1)
    assert smsc.summary()["receipts_made"] == 1


async def test_with_too_many_receipts_waiting_no_more_messages_are_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("smppgw.library.loopback_receipts.WAITING", 3)
    messages = [SubmitSm(registered_delivery=1) for _ in range(5)]
    async with a_loopback(receipt_delay_ms=60_000) as smsc, an_esme(smsc.port) as esme:
        statuses = [result.command_status async for result in esme.submit_many(messages)]
    assert statuses == [0, 0, 0, CommandStatus.ESME_RMSGQFUL, CommandStatus.ESME_RMSGQFUL]
    assert smsc.summary()["queue_full"] == 2


@pytest.mark.parametrize(
    "message",
    [
        SubmitSm(data_coding=8, short_message=b"\x8b\xca", registered_delivery=1),
        SubmitSm(esm_class=0x40, short_message=b"\x05\x00\x03\x09\x02\x01Hi", registered_delivery=1),
    ],
    ids=["UCS-2", "a header"],
)
async def test_octets_that_are_no_text_of_the_default_alphabet_are_not_repeated(message: SubmitSm) -> None:
    async with a_loopback() as smsc, an_esme(smsc.port) as esme:
        await esme.request(message)
        receipt = await the_receipt(esme)
    assert receipt.fields is not None
    assert receipt.fields.text == ""
