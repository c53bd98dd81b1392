"""What every PDU has in common: comparing, printing, and the names of its fields."""

from __future__ import annotations

import pytest

from smppgw.pdu._generated import (
    BindTransceiver,
    DeliverSm,
    DistributionList,
    EnquireLink,
    SmeAddress,
    SubmitMulti,
    SubmitSm,
)


def test_pdus_are_equal_when_all_their_fields_are() -> None:
    assert SubmitSm(source_addr=b"1") == SubmitSm(source_addr=b"1")
    assert SubmitSm(source_addr=b"1") != SubmitSm(source_addr=b"2")
    assert SubmitSm(sequence_number=1) != SubmitSm(sequence_number=2)
    assert SubmitSm(command_status=1) != SubmitSm(command_status=2)
    assert SubmitSm() != DeliverSm()
    assert SubmitSm() != "submit_sm"


def test_a_list_equals_a_tuple_of_the_same_items() -> None:
    assert SubmitSm(tlvs=[(5, b"1")]) == SubmitSm(tlvs=((5, b"1"),))
    assert SubmitSm(tlvs=[(5, b"1")]) != SubmitSm(tlvs=((5, b"2"),))
    assert SubmitMulti(dest_address=[DistributionList(b"a")]) == SubmitMulti(
        dest_address=(DistributionList(b"a"),)
    )


def test_a_pdu_can_be_changed_and_so_is_no_key() -> None:
    with pytest.raises(TypeError):
        hash(SubmitSm())


def test_a_pdu_has_no_fields_but_its_own() -> None:
    with pytest.raises(AttributeError):
        SubmitSm().source_address = b""  # type: ignore[attr-defined]


def test_fields_come_by_name_in_the_order_of_the_wire() -> None:
    names = [name for name, _ in SubmitMulti().fields()]
    assert names[:5] == ["service_type", "source_addr_ton", "source_addr_npi", "source_addr", "dest_address"]
    assert names[-1] == "short_message"


def test_a_repr_is_one_short_line_of_what_is_set() -> None:
    pdu = SubmitSm(
        source_addr=b"12065550100",
        short_message=b"x" * 200,
        tlvs=[(0x0204, b"\0\1"), (0x1400, b"vendor")],
        sequence_number=7,
    )
    assert repr(pdu) == (
        "<submit_sm #7 ESME_ROK source_addr=b'12065550100' "
        "short_message=b'xxxxxxxxxxxxxxxxxxxxxxxx'... (200 octets) "
        "user_message_reference=b'\\x00\\x01' 0x1400=b'vendor'>"
    )
    assert repr(SubmitSm(data_coding=8)) == "<submit_sm #0 ESME_ROK data_coding=8>"
    assert repr(EnquireLink(command_status=8)) == "<enquire_link #0 ESME_RSYSERR>"
    assert "dest_address=1 items" in repr(SubmitMulti(dest_address=[SmeAddress()]))


def test_a_repr_never_tells_a_password() -> None:
    assert "secret" not in repr(BindTransceiver(system_id=b"demo", password=b"secret"))
