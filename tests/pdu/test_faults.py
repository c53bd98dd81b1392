"""The slow path finds the field and says in words what is wrong with it."""

from __future__ import annotations

import struct

import pytest

from smppgw.pdu._generated import DistributionList, SmeAddress, SubmitMulti, SubmitSm, SubmitSmResp
from smppgw.pdu.errors import EncodeError, FieldError
from smppgw.pdu.faults import length_fault, refuse, unreadable
from smppgw.pdu.layout import Pdu


def framed(body: bytes, command_status: int = 0) -> bytes:
    return struct.pack(">IIII", 16 + len(body), 4, command_status, 7) + body


@pytest.mark.parametrize(
    ("pdu_class", "body", "reason"),
    [
        (SubmitSm, b"CMTABC\0", "submit_sm: service_type has no NUL within 6 octets (octet 16)"),
        (SubmitSm, b"\0", "submit_sm: source_addr_ton needs 1 octets, 0 are left (octet 17)"),
        (
            SubmitSm,
            b"\0\0\0\0\0\0\0\0\0\0001\0",
            "submit_sm: schedule_delivery_time has 2 octets; allowed: 1 or 17 (octet 28)",
        ),
        (SubmitMulti, b"\0\0\0\0\0", "submit_multi: number_of_dests is 0; allowed: 1 to 255 (octet 21)"),
        (
            SubmitMulti,
            b"\0\0\0\0\1\3",
            "submit_multi: dest_address[0].dest_flag is 3; allowed: 1 or 2 (octet 22)",
        ),
        (
            SubmitMulti,
            b"\0\0\0\0\2\2a\0\1\1",
            "submit_multi: dest_address[1].dest_addr_npi needs 1 octets, 0 are left (octet 26)",
        ),
    ],
)
def test_a_fault_is_told_with_its_field_and_place(pdu_class: type[Pdu], body: bytes, reason: str) -> None:
    with pytest.raises(FieldError) as caught:
        unreadable(pdu_class, framed(body))
    assert str(caught.value) == reason


def test_an_error_response_needs_no_body() -> None:
    pdu = unreadable(SubmitSmResp, framed(b"", 8))
    assert pdu == SubmitSmResp(command_status=8, sequence_number=7)


def test_a_frame_of_its_announced_length_has_no_fault() -> None:
    assert length_fault(framed(b"")) is None
    fault = length_fault(framed(b"") + b"x")
    assert fault is not None
    assert (fault.command_length, fault.limit, fault.sequence_number) == (16, 17, 7)


@pytest.mark.parametrize(
    ("pdu", "line"),
    [
        (
            SubmitSm(source_addr=b"1" * 21),
            "source_addr is b'111111111111111111111'; allowed: bytes, 0 to 20 octets",
        ),
        (SubmitSm(esm_class=256), "esm_class is 256; allowed: an int of 0 to 255"),
        (
            SubmitMulti(dest_address=[SmeAddress(256)]),
            "dest_address[0].dest_addr_ton is 256; allowed: an int",
        ),
        (
            SubmitMulti(dest_address=[SmeAddress(), DistributionList(b"x" * 21)]),
            "dest_address[1].dl_name is b'xxxxxxxxxxxxxxxxxxxxx'; allowed: bytes, 0 to 20 octets",
        ),
        (
            SubmitMulti(dest_address=[b"12065550100"]),  # type: ignore[list-item]
            "dest_address[0] is b'12065550100'; allowed: a SmeAddress or DistributionList",
        ),
        (SubmitMulti(dest_address=7), "dest_address is 7; allowed: 1 to 254 items"),  # type: ignore[arg-type]
    ],
)
def test_a_refusal_says_field_value_and_what_is_allowed(pdu: Pdu, line: str) -> None:
    with pytest.raises(EncodeError) as caught:
        refuse(pdu)
    assert line in str(caught.value)
