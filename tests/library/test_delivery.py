from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.library.delivery import DeliveryReceipt, MoMessage, read_delivery
from smppgw.pdu._generated import DataSm, DeliverSm
from smppgw.pdu.codec import decode, encode
from smppgw.pdu.constants import EsmClass, MessageState, TlvTag

APPENDIX_B = (
    b"id:17a4 sub:001 dlvrd:000 submit date:2601021504 done date:2601021505 "
    b"stat:UNDELIV err:001 text:Your code"
)
RECEIPTED = (TlvTag.RECEIPTED_MESSAGE_ID, b"0x17A4\0")
STATE = (TlvTag.MESSAGE_STATE, b"\x02")


def delivered(**fields: Any) -> DeliverSm:
    """A deliver_sm from a handset."""
    return DeliverSm(source_addr=b"12065550199", destination_addr=b"12065550100", **fields)


def test_a_receipt_is_read_from_its_text() -> None:
    found = read_delivery(delivered(esm_class=EsmClass.DELIVERY_RECEIPT, short_message=APPENDIX_B))
    assert isinstance(found, DeliveryReceipt)
    assert (found.message_id, found.state, found.err) == ("17a4", MessageState.UNDELIVERABLE, "001")
    assert (found.source, found.destination, found.final) == ("12065550199", "12065550100", True)
    assert found.fields is not None
    assert found.fields.text == "Your code"


def test_the_tlvs_of_a_receipt_come_before_its_text() -> None:
    pdu = delivered(esm_class=EsmClass.DELIVERY_RECEIPT, short_message=APPENDIX_B, tlvs=(RECEIPTED, STATE))
    found = read_delivery(pdu)
    assert isinstance(found, DeliveryReceipt)
    assert (found.message_id, found.state) == ("0x17A4", MessageState.DELIVERED)


@pytest.mark.parametrize(
    "fields",
    [
        {"short_message": APPENDIX_B},
        {"short_message": b"anything", "tlvs": (RECEIPTED,)},
        {"esm_class": EsmClass.INTERMEDIATE_NOTIFICATION, "short_message": b"anything"},
        {"tlvs": ((TlvTag.MESSAGE_PAYLOAD, APPENDIX_B),)},
        {"data_coding": 8, "esm_class": 4, "short_message": APPENDIX_B[:100].decode().encode("utf-16-be")},
    ],
    ids=["by its text", "by its TLV", "intermediate", "in message_payload", "in UCS-2"],
)
def test_what_says_it_is_a_receipt_is_one(fields: dict[str, Any]) -> None:
    assert isinstance(read_delivery(delivered(**fields)), DeliveryReceipt)


def test_a_receipt_may_come_in_data_sm() -> None:
    found = read_delivery(DataSm(esm_class=4, tlvs=(RECEIPTED, STATE)))
    assert isinstance(found, DeliveryReceipt)
    assert found.state is MessageState.DELIVERED


def test_a_receipt_without_a_word_on_the_state_is_not_final() -> None:
    found = read_delivery(delivered(tlvs=(RECEIPTED,)))
    assert isinstance(found, DeliveryReceipt)
    assert (found.state, found.final, found.fields) == (MessageState.UNKNOWN, False, None)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"short_message": b"caf\x05 \x1be5"}, "café €5"),
        ({"short_message": "诊所".encode("utf-16-be"), "data_coding": 8}, "诊所"),
        ({"tlvs": ((TlvTag.MESSAGE_PAYLOAD, b"x" * 300),)}, "x" * 300),
        ({"short_message": b"\x05\x00\x03\x09\x02\x01Hello", "esm_class": EsmClass.UDHI}, "Hello"),
        ({"short_message": b"id: 5 people", "esm_class": 0}, "id: 5 people"),
    ],
    ids=["GSM", "UCS-2", "message_payload", "behind a header", "like a receipt"],
)
def test_a_message_of_a_handset_is_text(fields: dict[str, Any], text: str) -> None:
    found = read_delivery(delivered(**fields))
    assert isinstance(found, MoMessage)
    assert (found.source, found.destination, found.text) == ("12065550199", "12065550100", text)


def test_data_coding_0_means_what_was_agreed() -> None:
    found = read_delivery(delivered(short_message=b"caf\xe9"), alphabet="latin1")
    assert isinstance(found, MoMessage)
    assert found.text == "café"


def test_a_part_says_which_it_is_by_its_header_or_its_tlvs() -> None:
    by_header = delivered(short_message=b"\x05\x00\x03\x09\x02\x01Hello", esm_class=EsmClass.UDHI)
    numbers = ((TlvTag.SAR_MSG_REF_NUM, b"\0\x09"), (TlvTag.SAR_TOTAL_SEGMENTS, b"\x02"))
    by_tlvs = delivered(short_message=b"Hello", tlvs=(*numbers, (TlvTag.SAR_SEGMENT_SEQNUM, b"\x01")))
    for pdu in (by_header, by_tlvs):
        found = read_delivery(pdu)
        assert isinstance(found, MoMessage)
        assert found.concatenation == (9, 2, 1)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.binary(max_size=254),
    st.integers(0, 255),
    st.integers(0, 255),
    st.sampled_from(["gsm7", "latin1", "ascii"]),
)
def test_whatever_is_delivered_can_be_read(text: bytes, coding: int, esm_class: int, alphabet: Any) -> None:
    pdu = decode(encode(DeliverSm(short_message=text, data_coding=coding, esm_class=esm_class)))
    assert isinstance(pdu, DeliverSm)
    assert isinstance(read_delivery(pdu, alphabet=alphabet), DeliveryReceipt | MoMessage)


def test_no_text_of_a_person_is_in_a_repr() -> None:
    assert "secret" not in repr(read_delivery(delivered(short_message=b"secret")))
