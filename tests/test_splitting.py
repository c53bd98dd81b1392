"""A long text becomes the parts that a carrier wants in its place, and they make the same text again."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.joining import joined, place_of
from smppgw.pdu import codec, peek
from smppgw.pdu._generated import DataSm, DeliverSm, SubmitMulti, SubmitSm
from smppgw.pdu.constants import CommandId, EsmClass, TlvTag
from smppgw.pdu.errors import PduError
from smppgw.pdu.text import ASCII, UCS2, codec_of
from smppgw.pdu.tlv import make_tlv, tlv_value
from smppgw.pdu.udh import Concatenation, build_concat, build_udh, parse_udh
from smppgw.splitting import (
    SHORT_ASCII_OCTETS,
    SHORT_OCTETS,
    Form,
    bodies_of,
    parts_of,
    segments_in,
    segments_of,
)

REFERENCE = 0xA7
PORTS = (5, b"\x0b\x84\x0b\x84")
"""An element for an application's port, as a WAP push has it."""
GSM7, LATIN1, BINARY, UCS2_CODING = 0, 3, 4, 8

forms = pytest.mark.parametrize("form", ["udh", "sar"])


def long(text: bytes, *, payload: bool = False, **fields: Any) -> SubmitSm:
    usual: dict[str, Any] = {
        "service_type": b"CMT",
        "source_addr": b"12065550100",
        "destination_addr": b"16665550100",
        "registered_delivery": 0x11,
        "validity_period": b"261123100000000+",
        "protocol_id": 3,
        "priority_flag": 2,
    }
    if payload:
        tlvs = (*fields.pop("tlvs", ()), make_tlv(TlvTag.MESSAGE_PAYLOAD, text))
        return SubmitSm(**{**usual, **fields, "tlvs": tlvs})
    return SubmitSm(**{**usual, **fields, "short_message": text})


def place(part: SubmitSm, form: Form) -> Concatenation | None:
    if form == "udh":
        return parse_udh(part.short_message).concatenation
    reference, total, number = (
        tlv_value(part.tlvs, tag)
        for tag in (TlvTag.SAR_MSG_REF_NUM, TlvTag.SAR_TOTAL_SEGMENTS, TlvTag.SAR_SEGMENT_SEQNUM)
    )
    assert isinstance(reference, int)
    assert isinstance(total, int)
    assert isinstance(number, int)
    return Concatenation(reference, total, number)


def texts(parts: list[SubmitSm]) -> list[bytes]:
    return [
        part.short_message[parse_udh(part.short_message).octets :]
        if part.esm_class & EsmClass.UDHI
        else part.short_message
        for part in parts
    ]


@forms
@pytest.mark.parametrize(
    ("text", "data_coding", "payload", "sizes"),
    [
        (b"x" * 161, GSM7, False, [153, 8]),
        (b"x" * 254, GSM7, False, [153, 101]),
        (b"x" * 161, GSM7, True, [153, 8]),
        (b"x" * 1000, GSM7, True, [153] * 6 + [82]),
        (b"x" * 152 + b"\x1b\x65" * 10, GSM7, False, [152, 20]),
        (b"\x041" * 71, UCS2_CODING, False, [134, 8]),
        (b"\x041" * 66 + b"\xd8\x3d\xde\x00" + b"\x041" * 10, UCS2_CODING, False, [132, 24]),
        (b"\x041" * 300, UCS2_CODING, True, [134] * 4 + [64]),
        (b"\xe9" * 141, LATIN1, False, [134, 7]),
        (b"\xe9" * 300, LATIN1, True, [134, 134, 32]),
        (bytes(range(141)), BINARY, False, [134, 7]),
        (bytes(range(256)) * 2, BINARY, True, [134, 134, 134, 110]),
    ],
)
def test_a_long_text_is_cut_where_messages_end(
    form: Form, text: bytes, data_coding: int, payload: bool, sizes: list[int]
) -> None:
    pdu = long(text, payload=payload, data_coding=data_coding)
    parts = parts_of(pdu, form, REFERENCE)
    assert [len(each) for each in texts(parts)] == sizes
    assert b"".join(texts(parts)) == text
    total = len(sizes)
    assert [place(part, form) for part in parts] == [
        Concatenation(REFERENCE, total, number) for number in range(1, total + 1)
    ]


@forms
@pytest.mark.parametrize(
    "pdu",
    [
        long(b"x" * 160),
        long(b""),
        long(b"\x041" * 70, data_coding=UCS2_CODING),
        long(b"\xe9" * 140, data_coding=LATIN1),
        long(b"x" * 160, payload=True),
        long(build_udh((PORTS,)) + b"x" * 133, esm_class=EsmClass.UDHI, data_coding=BINARY),
    ],
)
def test_what_fits_one_message_stays_as_it_is(form: Form, pdu: SubmitSm) -> None:
    assert parts_of(pdu, form, REFERENCE) == [pdu]
    body = codec.encode(pdu)[16:]
    assert bodies_of(body, form, REFERENCE) == [body]


def test_so_many_octets_fit_one_message_in_every_coding() -> None:
    for data_coding in range(256):
        most = SHORT_ASCII_OCTETS if codec_of(data_coding) == ASCII else SHORT_OCTETS
        for character in (b"\x1b", b"[", b"x", b"\xff"):
            pdu = long(character * most, data_coding=data_coding)
            assert parts_of(pdu, "udh", REFERENCE) == [pdu]
            assert segments_of(pdu) == 1
    assert [data_coding for data_coding in range(256) if codec_of(data_coding) == ASCII] == [1]
    assert segments_of(SubmitSm(data_coding=1, short_message=b"[" * (SHORT_ASCII_OCTETS + 1))) == 2


# ---- segments -----------------------------------------------------------------------------------------------

SAR = (
    make_tlv(TlvTag.SAR_MSG_REF_NUM, 1),
    make_tlv(TlvTag.SAR_TOTAL_SEGMENTS, 2),
    make_tlv(TlvTag.SAR_SEGMENT_SEQNUM, 1),
)


@pytest.mark.parametrize(
    ("fields", "segments"),
    [
        ({}, 1),
        ({"short_message": b"x" * 160}, 1),
        ({"short_message": b"x" * 161}, 2),
        ({"short_message": b"x" * 254}, 2),
        ({"short_message": b"[" * 81, "data_coding": 1}, 2),
        ({"short_message": b"x" * 160, "data_coding": 1}, 1),
        ({"short_message": b"\0x" * 70, "data_coding": 8}, 1),
        ({"short_message": b"\0x" * 71, "data_coding": 8}, 2),
        ({"short_message": b"x" * 141, "data_coding": 4}, 2),
        ({"short_message": b"x" * 160, "data_coding": 3}, 2),
        ({"short_message": b"x" * 160, "data_coding": 0xF0}, 1),
        ({"short_message": build_udh((PORTS,)) + b"x" * 152, "esm_class": EsmClass.UDHI}, 1),
        ({"short_message": build_udh((PORTS,)) + b"x" * 153, "esm_class": EsmClass.UDHI}, 2),
        ({"short_message": build_concat(7, 2, 1) + b"x" * 153, "esm_class": EsmClass.UDHI}, 1),
        (
            {
                "short_message": build_concat(700, 2, 1, reference_bits=16) + b"x" * 153,
                "esm_class": EsmClass.UDHI,
                "data_coding": 3,
            },
            1,
        ),
        ({"short_message": build_concat(7, 2, 1) + b"x" * 200, "esm_class": EsmClass.UDHI}, 2),
        ({"short_message": b"x" * 160, "data_coding": 3, "tlvs": SAR}, 1),
        ({"short_message": b"x" * 254, "tlvs": SAR}, 2),
        ({"short_message": b"x" * 160, "data_coding": 3, "tlvs": SAR[:2]}, 2),
    ],
)
def test_segments_are_what_a_message_is_on_the_radio_interface(fields: dict[str, Any], segments: int) -> None:
    pdu = SubmitSm(destination_addr=b"1666", **fields)
    assert segments_of(pdu) == segments
    octets = codec.encode(pdu)
    ends = peek.plain_ends(octets)
    if ends is not None:
        assert segments_in(octets, ends[2]) == segments


@pytest.mark.parametrize(("octets", "data_coding", "segments"), [(161, 0, 2), (140, 8, 1), (141, 4, 2)])
def test_a_payload_counts_as_a_text_does(octets: int, data_coding: int, segments: int) -> None:
    tlvs = (make_tlv(TlvTag.MESSAGE_PAYLOAD, b"x" * octets),)
    assert segments_of(SubmitSm(data_coding=data_coding, tlvs=tlvs)) == segments
    assert segments_of(DataSm(data_coding=data_coding, tlvs=tlvs)) == segments
    assert segments_of(SubmitMulti(data_coding=data_coding, tlvs=tlvs)) == segments


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.binary(max_size=254), st.integers(0, 255), st.sampled_from([0, EsmClass.UDHI]), st.booleans())
def test_a_text_is_as_many_segments_as_it_has_parts(
    text: bytes, data_coding: int, esm_class: int, as_payload: bool
) -> None:
    fields: dict[str, Any] = {"data_coding": data_coding, "esm_class": esm_class}
    if as_payload:
        fields["tlvs"] = (make_tlv(TlvTag.MESSAGE_PAYLOAD, text),)
    else:
        fields["short_message"] = text
    pdu = SubmitSm(**fields)
    parts = parts_of(pdu, "udh", REFERENCE)
    if len(parts) > 1:
        assert segments_of(pdu) == len(parts)
        assert {segments_of(part) for part in parts} == {1}


@forms
@pytest.mark.parametrize(
    "fields",
    [
        {"short_message": build_concat(7, 2, 1) + b"x" * 200, "esm_class": EsmClass.UDHI},
        {
            "short_message": build_concat(700, 3, 2, reference_bits=16) + b"x" * 200,
            "esm_class": EsmClass.UDHI,
        },
        {
            "short_message": b"x" * 254,
            "tlvs": (
                make_tlv(TlvTag.SAR_MSG_REF_NUM, 1),
                make_tlv(TlvTag.SAR_TOTAL_SEGMENTS, 2),
                make_tlv(TlvTag.SAR_SEGMENT_SEQNUM, 1),
            ),
        },
    ],
)
def test_what_is_a_part_already_is_left_alone(form: Form, fields: dict[str, Any]) -> None:
    pdu = SubmitSm(**fields)
    assert parts_of(pdu, form, REFERENCE) == [pdu]


@forms
def test_a_broken_header_is_left_to_the_carrier(form: Form) -> None:
    pdu = long(b"\xff" * 200, esm_class=EsmClass.UDHI)
    assert parts_of(pdu, form, REFERENCE) == [pdu]


@forms
def test_no_message_has_more_than_255_parts(form: Form) -> None:
    assert len(parts_of(long(b"x" * 153 * 255, payload=True), form, REFERENCE)) == 255
    pdu = long(b"x" * (153 * 255 + 1), payload=True)
    assert parts_of(pdu, form, REFERENCE) == [pdu]


@forms
def test_all_but_the_text_is_the_same_in_each_part(form: Form) -> None:
    vendor = (0x1500, b"vendor")
    pdu = long(b"x" * 400, payload=True, esm_class=0x02, tlvs=(vendor,))
    for part in parts_of(pdu, form, REFERENCE):
        assert part.esm_class == 0x02 | (EsmClass.UDHI if form == "udh" else 0)
        assert part.tlvs[0] == vendor
        assert tlv_value(part.tlvs, TlvTag.MESSAGE_PAYLOAD) is None
        for name in (
            "service_type",
            "source_addr",
            "destination_addr",
            "registered_delivery",
            "validity_period",
            "protocol_id",
            "priority_flag",
            "data_coding",
        ):
            assert getattr(part, name) == getattr(pdu, name)


@forms
def test_a_header_stands_in_front_of_each_part(form: Form) -> None:
    text = bytes(range(200))
    pdu = long(build_udh((PORTS,)) + text, esm_class=EsmClass.UDHI, data_coding=BINARY)
    parts = parts_of(pdu, form, REFERENCE)
    assert len(parts) == 2
    for part in parts:
        assert part.esm_class & EsmClass.UDHI
        header = parse_udh(part.short_message)
        assert header.elements[0] == PORTS
        assert len(part.short_message) <= SHORT_OCTETS
    assert b"".join(texts(parts)) == text


def test_the_bodies_are_those_of_the_parts() -> None:
    pdu = long(b"x" * 400, payload=True)
    bodies = bodies_of(codec.encode(pdu)[16:], "udh", REFERENCE)
    header = CommandId.SUBMIT_SM.to_bytes(4, "big") + b"\0\0\0\0\0\0\0\1"
    read = [codec.decode((16 + len(body)).to_bytes(4, "big") + header + body) for body in bodies]
    parts = parts_of(pdu, "udh", REFERENCE)
    assert [each.short_message for each in read if isinstance(each, SubmitSm)] == [
        each.short_message for each in parts
    ]
    with pytest.raises(PduError):
        bodies_of(b"no submit_sm", "udh", REFERENCE)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    text=st.text(
        st.characters(codec="utf-8", exclude_categories=("Cs",)) | st.sampled_from("\U0001f600é"), min_size=1
    ),
    repeats=st.integers(1, 60),
    data_coding=st.sampled_from([GSM7, 1, LATIN1, BINARY, UCS2_CODING, 0xF5]),
    form=st.sampled_from(["udh", "sar"]),
    reference=st.integers(0, 255),
    ports=st.booleans(),
    shuffled=st.randoms(use_true_random=False),
)
def test_parts_make_the_same_text_again(
    text: str, repeats: int, data_coding: int, form: Form, reference: int, ports: bool, shuffled: Any
) -> None:
    octets = text.encode(UCS2 if data_coding == UCS2_CODING else "utf-8") * repeats
    if data_coding == GSM7:
        octets = bytes(octet & 0x7F for octet in octets)
    octets = octets[: 2 * (len(octets) // 2)]
    header = build_udh((PORTS,)) if ports else b""
    pdu = long(
        header + octets, payload=True, data_coding=data_coding, esm_class=EsmClass.UDHI if ports else 0
    )
    parts = parts_of(pdu, form, reference)
    if len(parts) == 1:
        assert parts == [pdu]
        return
    in_octets = codec_of(data_coding) not in ("gsm7", "ascii")
    for part in parts:
        own = part.short_message
        assert len(own) <= (SHORT_OCTETS if in_octets else 254)
        if not in_octets:
            header_octets = parse_udh(own).octets if part.esm_class & EsmClass.UDHI else 0
            septets = len(own) - header_octets
            assert header_octets + -(-septets * 7 // 8) <= SHORT_OCTETS
        codec.encode(part)
    handsets = [
        codec.encode(
            DeliverSm(
                source_addr=b"1206",
                destination_addr=b"1666",
                esm_class=part.esm_class,
                data_coding=part.data_coding,
                short_message=part.short_message,
                tlvs=part.tlvs,
            )
        )[16:]
        for part in parts
    ]
    shuffled.shuffle(handsets)
    assert all(place_of(CommandId.DELIVER_SM, body) for body in handsets)
    whole = joined([(int(CommandId.DELIVER_SM), body) for body in handsets])
    assert whole is not None
    command_id, body, _ = whole
    again = codec.decode(
        (16 + len(body)).to_bytes(4, "big") + command_id.to_bytes(4, "big") + b"\0\0\0\0\0\0\0\x01" + body
    )
    assert isinstance(again, DeliverSm)
    assert tlv_value(again.tlvs, TlvTag.MESSAGE_PAYLOAD) == header + octets
