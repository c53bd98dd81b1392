"""Any octets give a PDU or a PduError, never another exception; what does not fit is refused by name."""

from __future__ import annotations

import struct
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.pdu._generated import (
    BindTransceiver,
    BindTransceiverResp,
    CancelSmResp,
    DataSm,
    DataSmResp,
    DeliverSm,
    DeliverSmResp,
    EnquireLink,
    GenericNack,
    QuerySm,
    QuerySmResp,
    ReplaceSm,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
    SubmitSmResp,
    Unbind,
    UnbindResp,
    UnsuccessSme,
)
from smppgw.pdu.codec import Pdu, decode, encode
from smppgw.pdu.constants import CommandId
from smppgw.pdu.constants import CommandStatus as E
from smppgw.pdu.declarations import COMMANDS
from smppgw.pdu.errors import EncodeError, FrameLengthError, PduError, TlvError, UnknownCommandError
from smppgw.pdu.fields import Command
from tests.pdu.samples import TIME, pdu_of, sample_values

every_command = pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
SUBMIT_SM = SubmitSm(
    source_addr_ton=1,
    source_addr=b"12065550100",
    destination_addr=b"12065550199",
    short_message=b"hello",
    sequence_number=7,
)


def framed(command_id: int, body: bytes, command_status: int = 0, sequence_number: int = 7) -> bytes:
    return struct.pack(">IIII", 16 + len(body), command_id, command_status, sequence_number) + body


def fault_of(octets: bytes) -> PduError:
    with pytest.raises(PduError) as caught:
        decode(octets)
    return caught.value


def refusal_of(pdu: Pdu) -> EncodeError:
    with pytest.raises(EncodeError) as caught:
        encode(pdu)
    return caught.value


@given(st.binary(max_size=120))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_any_octets_give_a_pdu_or_a_pdu_error(octets: bytes) -> None:
    _pdu_or_error(octets)


@given(st.sampled_from(list(CommandId)), st.integers(0, 0xFF), st.binary(max_size=200))
@settings(max_examples=400, deadline=None, derandomize=True)
def test_any_body_gives_a_pdu_or_an_error_after_which_the_stream_is_in_step(
    command_id: CommandId, command_status: int, body: bytes
) -> None:
    fault = _pdu_or_error(framed(command_id, body, command_status))
    assert fault is None or fault.recoverable


def _pdu_or_error(octets: bytes) -> PduError | None:
    try:
        decode(octets)
    except PduError as fault:
        return fault
    return None


@every_command
def test_every_prefix_of_every_command_gives_a_pdu_or_a_pdu_error(command: Command) -> None:
    whole = encode(pdu_of(command, sample_values(command)))
    for end in range(len(whole)):
        assert not fault_of(whole[:end]).recoverable
        _pdu_or_error(framed(command.command_id, whole[16:end]))


@every_command
def test_every_command_is_decoded_as_it_was_encoded(command: Command) -> None:
    pdu = pdu_of(command, sample_values(command))
    assert decode(encode(pdu)) == pdu
    assert type(decode(encode(pdu))) is type(pdu)


def test_a_submit_sm_is_the_octets_of_the_specification() -> None:
    body = b"\0\1\00012065550100\0\0\00012065550199\0\0\0\0\0\0\0\0\0\0\5hello"
    assert encode(SUBMIT_SM) == framed(4, body)


def test_the_codec_does_not_import_construct() -> None:
    code = "import sys, smppgw.pdu.codec; sys.exit('construct' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


# What is not one whole frame of a known command


@pytest.mark.parametrize("octets", [b"", b"\0\0", framed(4, b"")[:15], framed(4, b"") + b"x"])
def test_octets_that_are_not_one_frame_are_out_of_step(octets: bytes) -> None:
    fault = fault_of(octets)
    assert isinstance(fault, FrameLengthError)
    assert (fault.command_status, fault.recoverable) == (E.ESME_RINVCMDLEN, False)


@pytest.mark.parametrize("command_id", [0, 0xFF, 0x22, 0x80000022, 0x01000001, 0x8000000B])
def test_an_unknown_command_is_told_from_a_broken_one(command_id: int) -> None:
    fault = fault_of(framed(command_id, b""))
    assert isinstance(fault, UnknownCommandError)
    assert (fault.command_status, fault.recoverable) == (E.ESME_RINVCMDID, True)


# Bodies


def changed(octets: bytes, old: bytes, new: bytes) -> bytes:
    assert octets.count(old) == 1
    octets = octets.replace(old, new)
    return struct.pack(">I", len(octets)) + octets[4:]


WHOLE = encode(SUBMIT_SM)


@pytest.mark.parametrize(
    ("octets", "field", "status"),
    [
        (framed(4, b""), "service_type", E.ESME_RINVSERTYP),
        (framed(4, b"CMTABC\0"), "service_type", E.ESME_RINVSERTYP),
        (framed(4, b"\0"), "source_addr_ton", E.ESME_RINVSRCTON),
        (changed(WHOLE, b"12065550100", b"1" * 21), "source_addr", E.ESME_RINVSRCADR),
        (changed(WHOLE, b"12065550199", b"1" * 21), "destination_addr", E.ESME_RINVDSTADR),
        (changed(WHOLE, b"\5hello", b"\6hello"), "short_message", E.ESME_RINVMSGLEN),
        (changed(WHOLE, b"\5hello", b""), "sm_length", E.ESME_RINVMSGLEN),
        (changed(WHOLE, b"0199\0\0\0\0", b"0199\0\0\0\0" + b"1"), "schedule_delivery_time", E.ESME_RINVSCHED),
        (framed(0x21, b"\0\0\0\0\0"), "number_of_dests", E.ESME_RINVNUMDESTS),
        (framed(0x21, b"\0\0\0\0\1\3"), "dest_address[0].dest_flag", E.ESME_RINVDESTFLAG),
        (framed(0x21, b"\0\0\0\0\1\2"), "dest_address[0].dl_name", E.ESME_RINVDLNAME),
        (framed(9, b"demo\0ninechars\0"), "password", E.ESME_RINVPASWD),
        (framed(0x80000004, b""), "message_id", E.ESME_RINVMSGID),
        (framed(0x80000103, b""), "message_id", E.ESME_RINVMSGID),
    ],
)
def test_a_field_at_fault_is_named_with_the_status_to_answer(octets: bytes, field: str, status: E) -> None:
    fault = fault_of(octets)
    assert (fault.field, fault.command_status, fault.recoverable) == (field, status, True)


def test_times_are_read_at_1_or_17_octets() -> None:
    for schedule, validity in ((b"", b""), (TIME, b""), (b"", TIME), (TIME, TIME)):
        pdu = SubmitSm(schedule_delivery_time=schedule, validity_period=validity, short_message=b"x")
        assert decode(encode(pdu)) == pdu


def test_a_final_date_is_read_at_any_length_and_written_at_two() -> None:
    pdu = decode(framed(0x80000003, b"id\0002611221000\0\2\0"))
    assert isinstance(pdu, QuerySmResp)
    assert (pdu.final_date, pdu.message_state) == (b"2611221000", 2)
    assert refusal_of(pdu).field == "final_date"


def test_255_octets_of_text_are_read_and_254_written() -> None:
    octets = changed(WHOLE, b"\5hello", b"\xff" + b"x" * 255)
    pdu = decode(octets)
    assert isinstance(pdu, SubmitSm)
    assert pdu.short_message == b"x" * 255
    assert refusal_of(pdu).field == "short_message"
    assert decode(encode(SubmitSm(short_message=b"x" * 254))) == SubmitSm(short_message=b"x" * 254)


def test_a_stray_nul_behind_the_last_field_is_ignored() -> None:
    assert decode(framed(4, WHOLE[16:] + b"\0")) == SUBMIT_SM


@pytest.mark.parametrize("stub", [b"x", b"\0\0", b"\0\0\0"])
def test_a_stub_behind_the_last_field_is_no_tlv(stub: bytes) -> None:
    fault = fault_of(framed(4, WHOLE[16:] + stub))
    assert isinstance(fault, TlvError)
    assert (fault.field, fault.command_status) == ("tlvs", E.ESME_RINVTLVSTREAM)


def test_short_message_and_message_payload_may_come_together() -> None:
    pdu = DeliverSm(short_message=b"text", tlvs=((0x0424, b"payload"),))
    assert decode(encode(pdu)) == pdu


def test_unknown_and_repeated_tlvs_are_kept_in_order() -> None:
    tlvs = ((0x1400, b"a"), (0x8081, b""), (0x1400, b"b"), (0x0204, b"\0\1"), (0x0204, b"\0\2"))
    assert decode(encode(DataSm(tlvs=tlvs))).tlvs == tlvs


# Responses and header-only PDUs


@pytest.mark.parametrize(
    ("pdu", "body"),
    [
        (SubmitSmResp(command_status=8), b""),
        (SubmitSmResp(command_status=8, message_id=b"5"), b"5\0"),
        (SubmitSmResp(command_status=8, tlvs=((0x1400, b""),)), b"\0\x14\0\0\0"),
        (SubmitMultiResp(command_status=8), b""),
        (SubmitMultiResp(unsuccess_sme=(UnsuccessSme(1, 1, b"5", 11),)), b"\0\1\1\0015\0\0\0\0\x0b"),
        (BindTransceiverResp(command_status=14), b""),
        (DeliverSmResp(), b"\0"),
        (DataSmResp(), b"\0"),
        (UnbindResp(command_status=4), b""),
        (CancelSmResp(tlvs=((0x0428, b"\x50"),)), b"\x04\x28\0\1\x50"),
    ],
)
def test_an_error_response_has_a_body_only_where_it_says_something(pdu: Pdu, body: bytes) -> None:
    octets = framed(pdu.command_id, body, pdu.command_status, 0)
    assert encode(pdu) == octets
    assert decode(octets) == pdu


@pytest.mark.parametrize("body", [b"no NUL", b"id\0\4\x24\0\x09short", b"x" * 80 + b"\0"])
def test_a_body_that_can_not_be_read_does_not_spoil_an_error_response(body: bytes) -> None:
    pdu = decode(framed(0x80000004, body, 0x58))
    assert pdu == SubmitSmResp(command_status=0x58, sequence_number=7)


def test_a_deliver_sm_resp_may_be_a_header_alone() -> None:
    assert decode(framed(0x80000005, b"")) == DeliverSmResp(sequence_number=7)


@pytest.mark.parametrize("pdu_class", [EnquireLink, Unbind, UnbindResp, GenericNack])
def test_a_body_where_none_belongs_is_ignored(pdu_class: type[Pdu]) -> None:
    expected = pdu_class()
    expected.sequence_number = 7
    for body in (b"", b"\0", b"garbage", b"\0\5\0\x09cut"):
        assert decode(framed(pdu_class.command_id, body)) == expected


def test_the_header_is_kept_whatever_it_says() -> None:
    for sequence_number in (0, 0x80000000, 0xFFFFFFFF):
        pdu = EnquireLink(sequence_number=sequence_number, command_status=0x58)
        assert decode(encode(pdu)) == pdu


# What does not fit


@pytest.mark.parametrize(
    ("pdu", "field"),
    [
        (SubmitSm(service_type=b"sixsix"), "service_type"),
        (SubmitSm(source_addr=b"1" * 21), "source_addr"),
        (SubmitSm(destination_addr=b"1\x002"), "destination_addr"),
        (SubmitSm(short_message=b"x" * 255), "short_message"),
        (SubmitSm(validity_period=b"2611"), "validity_period"),
        (SubmitSm(esm_class=256), "esm_class"),
        (SubmitSm(data_coding=-1), "data_coding"),
        (SubmitSm(sequence_number=1 << 32), "sequence_number"),
        (SubmitSm(command_status=-1), "command_status"),
        (SubmitSm(tlvs=((0x0204, b"\1"),)), "tlvs[0].user_message_reference"),
        (SubmitMulti(), "dest_address"),
        (BindTransceiver(password=b"ninechars"), "password"),
        (DataSm(source_addr=b"1" * 65), "source_addr"),
        (QuerySm(message_id=b"x" * 65), "message_id"),
        (ReplaceSm(schedule_delivery_time=b"1" * 17), "schedule_delivery_time"),
        (EnquireLink(sequence_number=-1), "sequence_number"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(pdu: Pdu, field: str) -> None:
    refused = refusal_of(pdu)
    assert (refused.command, refused.field) == (type(pdu).__doc__, field)
    assert refused.allowed


@pytest.mark.parametrize(
    "wrong",
    [
        {"source_addr": "12065550100"},
        {"short_message": "hello"},
        {"schedule_delivery_time": ""},
        {"validity_period": None},
        {"esm_class": "0"},
        {"esm_class": None},
        {"sequence_number": 1.0},
        {"service_type": [49]},
        {"tlvs": 5},
        {"tlvs": [(1,)]},
        {"tlvs": [(0x1400, "text")]},
    ],
)
def test_a_value_of_another_type_is_refused(wrong: dict[str, Any]) -> None:
    assert refusal_of(SubmitSm(**wrong)).field.startswith(next(iter(wrong)))
