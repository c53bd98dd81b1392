"""The field kinds for construct: what each reads and writes, and what it refuses."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from construct import Struct

from smppgw.pdu.constants import CommandId, CommandStatus
from smppgw.pdu.errors import EncodeError, FieldError, FrameLengthError, TlvError
from smppgw.pdu.fields import (
    COctetString,
    Command,
    CountedItems,
    CountedOctets,
    FieldBoundsError,
    Flagged,
    Int1,
    Integer,
    Time,
)

STATUS = CommandStatus.ESME_RINVSRCADR


@pytest.mark.parametrize(
    ("kind", "value", "octets"),
    [
        (Int1(), 255, b"\xff"),
        (Integer(4), 0x01020304, b"\1\2\3\4"),
        (COctetString(4), b"abc", b"abc\0"),
        (COctetString(4), b"", b"\0"),
        (Time(), b"", b"\0"),
        (Time(), b"261122100000000+", b"261122100000000+\0"),
        (CountedOctets("sm_length", 254, STATUS), b"\0a", b"\2\0a"),
        (CountedItems("count", 0, 255, STATUS, COctetString(3)), [b"a", b""], b"\2a\0\0"),
    ],
)
def test_a_kind_reads_what_it_writes(kind: Any, value: Any, octets: bytes) -> None:
    assert kind.build(value) == octets
    assert kind.parse(octets) == value


@pytest.mark.parametrize(
    ("kind", "octets"),
    [
        (Int1(STATUS), b""),
        (Integer(4, STATUS), b"\0\0\0"),
        (COctetString(4, STATUS), b"abcd\0"),
        (COctetString(4, STATUS), b"abc"),
        (Time(STATUS), b"1\0"),
        (Time(STATUS), b"x" * 17 + b"\0"),
        (CountedOctets("sm_length", 254, STATUS), b"\2a"),
        (CountedOctets("sm_length", 254, STATUS), b""),
        (CountedItems("count", 1, 255, STATUS, COctetString(3, STATUS)), b"\0"),
        (CountedItems("count", 1, 255, STATUS, COctetString(3, STATUS)), b"\2a\0"),
    ],
)
def test_a_kind_refuses_octets_with_its_status(kind: Any, octets: bytes) -> None:
    with pytest.raises(FieldBoundsError) as caught:
        kind.parse(octets)
    assert caught.value.status is STATUS


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Int1(), 256),
        (Int1(), -1),
        (Int1(), "1"),
        (COctetString(4), b"abcd"),
        (COctetString(4), b"a\0"),
        (COctetString(4), "abc"),
        (Time(), b"1"),
        (CountedOctets("sm_length", 254, STATUS), b"x" * 255),
        (CountedItems("count", 1, 2, STATUS, COctetString(3)), []),
        (CountedItems("count", 1, 2, STATUS, COctetString(3)), [b"", b"", b""]),
    ],
)
def test_a_kind_refuses_a_value_that_does_not_fit(kind: Any, value: Any) -> None:
    with pytest.raises(FieldBoundsError):
        kind.build(value)


def test_an_item_is_told_apart_by_its_flag() -> None:
    kind = Flagged(
        "flag", STATUS, {1: "One" / Struct("a" / Int1()), 2: "Two" / Struct("b" / COctetString(3))}
    )
    for value, octets in (({"flag": 1, "a": 5}, b"\1\5"), ({"flag": 2, "b": b"x"}, b"\2x\0")):
        assert kind.build(value) == octets
        assert kind.parse(octets) == value
    with pytest.raises(FieldBoundsError):
        kind.parse(b"\3")
    for wrong in ({"flag": 3}, {"a": 5}, b"\1"):
        with pytest.raises(FieldBoundsError):
            kind.build(wrong)


def test_a_lenient_time_is_read_at_other_sizes_and_written_at_none_of_them() -> None:
    kind = Time(lenient=True)
    assert kind.parse(b"2611221000\0") == b"2611221000"
    with pytest.raises(FieldBoundsError):
        kind.build(b"2611221000")


COMMAND = Command(CommandId.SUBMIT_SM_RESP, "message_id" / COctetString(65, STATUS), "flag" / Int1())


def framed(body: bytes, command_status: int = 0) -> bytes:
    return struct.pack(">IIII", 16 + len(body), COMMAND.command_id, command_status, 7) + body


def values(**changes: Any) -> dict[str, Any]:
    return {"message_id": b"id", "flag": 1, "tlvs": [], "command_status": 0, "sequence_number": 7} | changes


def test_a_command_is_its_header_its_fields_and_its_tlvs() -> None:
    octets = framed(b"id\0\1\x14\0\0\1x")
    assert COMMAND.build(values(tlvs=[(0x1400, b"x")])) == octets
    assert COMMAND.parse(octets) == values(tlvs=[(0x1400, b"x")])


def test_a_fault_in_a_command_names_the_field_and_its_status() -> None:
    with pytest.raises(FieldError) as caught:
        COMMAND.parse(framed(b"id"))
    assert (caught.value.field, caught.value.command_status) == ("message_id", STATUS)
    for tlv, status in (
        (b"\x14\0\0\2x", CommandStatus.ESME_RINVTLVSTREAM),
        (b"\0\5\0\2xx", CommandStatus.ESME_RINVTLVLEN),
    ):
        with pytest.raises(TlvError) as broken:
            COMMAND.parse(framed(b"id\0\1" + tlv))
        assert broken.value.command_status is status
    with pytest.raises(EncodeError) as refused:
        COMMAND.build(values(flag=256))
    assert (refused.value.command, refused.value.field) == ("submit_sm_resp", "flag")


def test_a_frame_of_another_length_is_out_of_step() -> None:
    for octets in (b"", framed(b"id\0\1") + b"x", framed(b"id\0\1")[:-1]):
        with pytest.raises(FrameLengthError):
            COMMAND.parse(octets)


def test_an_error_response_has_no_body_unless_it_says_something() -> None:
    bare = values(message_id=b"", flag=0, command_status=8)
    assert COMMAND.build(bare) == framed(b"", 8)
    assert COMMAND.build(bare | {"flag": 1}) == framed(b"\0\1", 8)
    assert "message_id" not in COMMAND.parse(framed(b"garbage", 8))
