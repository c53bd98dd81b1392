"""What is shown of a PDU in a store."""

from __future__ import annotations

import pytest

from smppgw.cli.contents import Contents, frame_of
from smppgw.pdu._generated import DataSm, SubmitSm
from smppgw.pdu.codec import decode, encode
from smppgw.pdu.constants import HEADER_OCTETS, TlvTag
from smppgw.pdu.tlv import make_tlv
from smppgw.telling import envelope_of
from tests.peers import submit_sm

CLEAR, MASKED = Contents(clear=True), Contents(clear=False)


def body_of(pdu: SubmitSm | DataSm) -> bytes:
    return encode(pdu)[HEADER_OCTETS:]


def test_a_text_in_message_payload_is_a_text() -> None:
    pdu = DataSm(
        source_addr=b"ACME",
        destination_addr=b"16665550123",
        tlvs=[make_tlv(TlvTag.MESSAGE_PAYLOAD, b"long")],
    )
    assert CLEAR.of(0x103, body_of(pdu)) == {
        "source_addr": "ACME",
        "destination_addr": "16665550123",
        "data_coding": 0,
        "text_octets": 4,
        "text": "long",
    }


def test_a_number_looks_the_same_in_all_and_a_name_is_shown() -> None:
    first, second = (
        MASKED.of(4, body_of(submit_sm(source_addr=b"ACME", short_message=text))) for text in (b"a", b"b")
    )
    assert first == second
    assert first["source_addr"] == "ACME"
    assert first["destination_addr"].startswith("1*00#")
    assert "text" not in first


@pytest.mark.parametrize("octets", [20, 40])
def test_an_envelope_has_the_addresses_as_they_were(octets: int) -> None:
    """Of a data_sm, whose addresses may be longer, too."""
    pdu = DataSm(source_addr=b"1" * octets, destination_addr=b"16665550123", data_coding=8)
    assert CLEAR.of_envelope(envelope_of(0x103, body_of(pdu))) == {
        "source_addr": "1" * octets,
        "destination_addr": "16665550123",
        "data_coding": 8,
    }
    found = CLEAR.of_envelope(envelope_of(4, body_of(submit_sm(7, data_coding=8))))
    assert found["destination_addr"] == "16660000007"
    assert found["data_coding"] == 8


@pytest.mark.parametrize("envelope", [b"", b"none"])
def test_what_is_no_envelope_says_nothing(envelope: bytes) -> None:
    assert CLEAR.of_envelope(envelope) == {}


def test_a_frame_is_a_whole_pdu() -> None:
    assert decode(frame_of(4, body_of(submit_sm()))) == submit_sm(sequence_number=1)
