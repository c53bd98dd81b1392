"""TLVs: the table is the specification's; reading is strict, keeping is verbatim, typing is on request."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.pdu.constants import CommandStatus, TlvTag
from smppgw.pdu.errors import EncodeError, TlvError
from smppgw.pdu.tlv import TLVS, make_tlv, name_of, read_tlvs, tlv_value, write_tlvs

SPEC = {
    entry["tag_int"]: entry
    for entry in json.loads(
        (Path(__file__).parents[1] / "data" / "spec" / "tlvs.json").read_text(encoding="utf-8")
    )["tlvs"]
}
ACCEPTED = {
    "additional_status_info_text": range(257),  # some peers leave the NUL out
    "receipted_message_id": range(66),  # likewise
    "broadcast_end_time": (1, 16, 17),  # not set; v5.0 prints 16; a time has 17
    "ms_validity": (1, 4),  # 1 in v3.4
}
"""Every TLV that is not read at all sizes from min to max."""
SENT = {"dest_addr_np_information": (10,), "broadcast_end_time": (1, 17)}
"""Every TLV that is sent at fewer sizes than it is read at."""

every_tag = pytest.mark.parametrize("tag", sorted(SPEC), ids=lambda tag: SPEC[tag]["name"])


def test_the_table_holds_every_tag_of_the_specification() -> None:
    assert TLVS.keys() == SPEC.keys()


@every_tag
def test_a_tag_is_of_the_specified_type_and_size(tag: int) -> None:
    entry, known = SPEC[tag], TLVS[tag]
    kind = "int" if entry["type"].startswith("int") else entry["type"]
    assert (known.name, known.kind, known.min, known.max) == (entry["name"], kind, entry["min"], entry["max"])
    assert known.repeatable == entry.get("repeatable", False)
    everything = range(known.min, known.max + 1)
    assert list(known.accepted) == list(ACCEPTED.get(known.name, everything))
    assert known.sent == SENT.get(known.name, ())
    for sizes in entry.get("lengths_by_version", {}).values():
        assert set(sizes) <= set(known.accepted)


def test_a_name_is_the_specification_s_and_an_unknown_tag_is_told_in_hexadecimal() -> None:
    assert name_of(TlvTag.MESSAGE_PAYLOAD) == "message_payload"
    assert name_of(0x1400) == "0x1400"


def values_of(tag: int) -> st.SearchStrategy[Any]:
    known = TLVS[tag]
    if known.kind == "int":
        return st.integers(0, (1 << 8 * known.max) - 1)
    sizes = sorted(known.sent or known.sizes or range(known.min, known.max + 1))[:300]
    if known.kind == "octet":
        return st.sampled_from(sizes).flatmap(lambda size: st.binary(min_size=size, max_size=size))
    return st.sampled_from(sizes).flatmap(
        lambda size: st.binary(min_size=size - 1, max_size=size - 1).map(lambda o: o.replace(b"\0", b"\1"))
    )


@given(st.sampled_from(sorted(TLVS)).flatmap(lambda tag: st.tuples(st.just(tag), values_of(tag))))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_a_typed_value_survives_the_wire(pair: tuple[int, Any]) -> None:
    tag, value = pair
    octets = write_tlvs([make_tlv(tag, value)], "submit_sm")
    assert tlv_value(read_tlvs(octets, 0, 4), tag) == value


def test_tlvs_are_kept_verbatim_in_order_and_twice() -> None:
    tlvs = ((0x1400, b"a"), (0x0204, b"\0\1"), (0x1400, b""), (0x0204, b"\0\2"))
    assert read_tlvs(write_tlvs(tlvs, "submit_sm"), 0, 4) == tlvs


def test_reading_begins_where_it_is_told() -> None:
    assert read_tlvs(b"header\x14\0\0\1x", 6, 4) == ((0x1400, b"x"),)


@pytest.mark.parametrize(
    ("octets", "field", "status"),
    [
        (b"\x14\0\0\2x", "0x1400", CommandStatus.ESME_RINVTLVSTREAM),
        (b"\4\x24\xff\xffx", "message_payload", CommandStatus.ESME_RINVTLVSTREAM),
        (b"\x14\0\0\0x", "tlvs", CommandStatus.ESME_RINVTLVSTREAM),
        (b"\0\0", "tlvs", CommandStatus.ESME_RINVTLVSTREAM),
        (b"\2\4\0\1x", "user_message_reference", CommandStatus.ESME_RINVTLVLEN),
        (b"\x12\4\0\2xx", "ms_validity", CommandStatus.ESME_RINVTLVLEN),
    ],
)
def test_what_is_no_tlv_is_refused_with_the_status_to_answer(
    octets: bytes, field: str, status: CommandStatus
) -> None:
    with pytest.raises(TlvError) as caught:
        read_tlvs(octets, 0, 4)
    assert (caught.value.field, caught.value.command_status, caught.value.command_id) == (field, status, 4)


def test_one_nul_behind_the_last_tlv_is_ignored() -> None:
    assert read_tlvs(b"\x14\0\0\0\0", 0, 4) == ((0x1400, b""),)


@pytest.mark.parametrize(
    ("tag", "octets", "value"),
    [
        (TlvTag.SOURCE_TELEMATICS_ID, b"\7", 7),
        (TlvTag.SOURCE_TELEMATICS_ID, b"\0\7", 7),
        (TlvTag.MS_VALIDITY, b"\4\0\0\1", b"\4\0\0\1"),
        (TlvTag.ALERT_ON_MESSAGE_DELIVERY, b"", b""),
        (TlvTag.ALERT_ON_MESSAGE_DELIVERY, b"\2", b"\2"),
        (TlvTag.RECEIPTED_MESSAGE_ID, b"5f3a\0", b"5f3a"),
        (TlvTag.RECEIPTED_MESSAGE_ID, b"5f3a", b"5f3a"),
        (TlvTag.RECEIPTED_MESSAGE_ID, b"", b""),
        (TlvTag.BROADCAST_END_TIME, b"261122100000000+", b"261122100000000+"),
        (TlvTag.BROADCAST_END_TIME, b"261122100000000+\0", b"261122100000000+"),
        (TlvTag.QOS_TIME_TO_LIVE, b"\0\1\0\0", 65536),
        (TlvTag.NETWORK_ERROR_CODE, b"\3\0\x22", b"\3\0\x22"),
        (0x1400, b"vendor", b"vendor"),
    ],
)
def test_a_value_is_typed_by_its_tag(tag: int, octets: bytes, value: int | bytes) -> None:
    assert tlv_value([(0x1402, b""), (tag, octets), (tag, b"second")], tag) == value


def test_an_absent_tlv_has_no_value() -> None:
    assert tlv_value([], TlvTag.SOURCE_PORT) is None


def test_a_value_of_the_wrong_size_is_refused() -> None:
    with pytest.raises(TlvError) as caught:
        tlv_value([(TlvTag.SOURCE_PORT, b"\1")], TlvTag.SOURCE_PORT)
    assert caught.value.command_status is CommandStatus.ESME_RINVTLVLEN
    assert str(caught.value) == "source_port has 1 octets; allowed: 2"


@pytest.mark.parametrize(
    ("tag", "value", "octets"),
    [
        (TlvTag.SOURCE_TELEMATICS_ID, 7, b"\7"),
        (TlvTag.SOURCE_TELEMATICS_ID, 256, b"\1\0"),
        (TlvTag.RECEIPTED_MESSAGE_ID, b"5f3a", b"5f3a\0"),
        (TlvTag.BROADCAST_END_TIME, b"261122100000000+", b"261122100000000+\0"),
        (TlvTag.MESSAGE_PAYLOAD, b"x" * 65535, b"x" * 65535),
        (TlvTag.MESSAGE_STATE, 2, b"\2"),
        (0x1400, b"vendor", b"vendor"),
    ],
)
def test_a_tlv_is_made_from_a_typed_value(tag: int, value: int | bytes, octets: bytes) -> None:
    assert make_tlv(tag, value) == (tag, octets)


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        (-1, b""),
        (0x10000, b""),
        (TlvTag.MESSAGE_STATE, 256),
        (TlvTag.MESSAGE_STATE, -1),
        (TlvTag.MESSAGE_STATE, b"\2"),
        (TlvTag.SOURCE_PORT, 65536),
        (TlvTag.RECEIPTED_MESSAGE_ID, b"x" * 65),
        (TlvTag.RECEIPTED_MESSAGE_ID, b"a\0b"),
        (TlvTag.RECEIPTED_MESSAGE_ID, "5f3a"),
        (TlvTag.BROADCAST_END_TIME, b"2611221000"),
        (TlvTag.DEST_ADDR_NP_INFORMATION, b"123456789"),
        (TlvTag.MS_VALIDITY, b"\4\0"),
        (TlvTag.MESSAGE_PAYLOAD, b"x" * 65536),
        (0x1400, b"x" * 65536),
        (0x1400, 5),
    ],
)
def test_a_value_that_does_not_fit_its_tag_is_refused(tag: int, value: Any) -> None:
    with pytest.raises(EncodeError):
        make_tlv(tag, value)


@pytest.mark.parametrize(
    ("tlv", "field"),
    [
        ((0x1400, b"x" * 65536), "tlvs[1]"),
        ((0x1400, "text"), "tlvs[1]"),
        ((0x1400, [1]), "tlvs[1]"),
        ((0x10000, b""), "tlvs[1]"),
        ((0x1400,), "tlvs[1]"),
        (5, "tlvs[1]"),
        ((TlvTag.SOURCE_PORT, b"x"), "tlvs[1].source_port"),
    ],
)
def test_what_is_no_tlv_is_not_written(tlv: Any, field: str) -> None:
    with pytest.raises(EncodeError) as caught:
        write_tlvs([(0x1400, b""), tlv], "submit_sm")
    assert (caught.value.command, caught.value.field) == ("submit_sm", field)
