from __future__ import annotations

import random
from itertools import permutations
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.joining import joined, place_of
from smppgw.pdu import codec
from smppgw.pdu._generated import DataSm, DeliverSm
from smppgw.pdu.codec import Pdu
from smppgw.pdu.constants import HEADER_OCTETS, CommandId, DataCoding, EsmClass, TlvTag
from smppgw.pdu.gsm7 import BASIC, EXTENSION
from smppgw.pdu.segments import segment_text
from smppgw.pdu.text import decode_text
from smppgw.pdu.tlv import Tlv, make_tlv, tlv_value
from smppgw.pdu.udh import ReferenceBits, build_concat, parse_udh

Part = tuple[int, bytes]

PORTS = bytes((0x05, 4, 0x23, 0xF0, 0x0B, 0x84))
TURKISH = bytes((0x24, 1, 1))


def body_of(pdu: Pdu) -> Part:
    return pdu.command_id, codec.encode(pdu)[HEADER_OCTETS:]


def deliver(**fields: Any) -> Part:
    usual: dict[str, Any] = {
        "source_addr_ton": 1,
        "source_addr_npi": 1,
        "source_addr": b"16665550123",
        "dest_addr_ton": 1,
        "dest_addr_npi": 1,
        "destination_addr": b"12065550100",
    }
    return body_of(DeliverSm(**{**usual, **fields}))


def with_header(header: bytes, text: bytes, **fields: Any) -> Part:
    """A deliver_sm whose user data header is these elements."""
    return deliver(
        **{"esm_class": EsmClass.UDHI, "short_message": bytes((len(header),)) + header + text, **fields}
    )


def part(number: int, total: int, text: bytes, *, reference: int = 7, **fields: Any) -> Part:
    return with_header(build_concat(reference, total, number)[1:], text, **fields)


def sar(reference: int, total: int, number: int) -> tuple[Tlv, ...]:
    return (
        make_tlv(TlvTag.SAR_MSG_REF_NUM, reference),
        make_tlv(TlvTag.SAR_TOTAL_SEGMENTS, total),
        make_tlv(TlvTag.SAR_SEGMENT_SEQNUM, number),
    )


def whole(parts: list[Part]) -> Any:
    """The PDU that parts make, decoded by the strict codec."""
    made = joined(parts)
    assert made is not None
    command_id, body, tlv_at = made
    head = (HEADER_OCTETS + len(body)).to_bytes(4, "big") + command_id.to_bytes(4, "big") + bytes(8)
    pdu: Any = codec.decode(head + body)
    without: Any = codec.decode(
        (HEADER_OCTETS + tlv_at).to_bytes(4, "big") + head[4:] + body[:tlv_at]
    )  # tlv_at is where they begin: what stands before is a PDU of its own
    assert list(without.tlvs) == []
    return pdu


def payload(pdu: DeliverSm | DataSm) -> bytes:
    value = tlv_value(pdu.tlvs, TlvTag.MESSAGE_PAYLOAD)
    assert isinstance(value, bytes)
    return value


def parts_of(
    text: str,
    data_coding: int | None,
    way: Literal["udh8", "udh16", "sar"],
    *,
    in_payload: bool = False,
    data_sm: bool = False,
) -> tuple[int, list[Part]]:
    """The data_coding of a text and its parts as a carrier delivers them."""
    bits: ReferenceBits = 16 if way == "udh16" else 8
    cut = segment_text(
        text,
        reference=201,
        reference_bits=bits,
        data_coding=data_coding,
        concatenation="sar" if way == "sar" else "udh",
    )
    parts = []
    for number, octets in enumerate(cut.parts, 1):
        tlvs = sar(201, cut.segments, number) if way == "sar" else ()
        esm_class = 0 if way == "sar" else EsmClass.UDHI
        fields: dict[str, Any] = {"esm_class": esm_class, "data_coding": cut.data_coding}
        if data_sm or in_payload:
            tlvs = (*tlvs, (int(TlvTag.MESSAGE_PAYLOAD), octets))
        if data_sm:
            made = body_of(
                DataSm(source_addr=b"16665550123", destination_addr=b"12065550100", tlvs=tlvs, **fields)
            )
        else:
            made = deliver(short_message=b"" if in_payload else octets, tlvs=tlvs, **fields)
        parts.append(made)
    return cut.data_coding, parts


LETTERS = {
    DataCoding.DEFAULT: BASIC.replace("\x1b", "") + "".join(EXTENSION.values()),
    DataCoding.ASCII: "".join(map(chr, range(128))),
    DataCoding.LATIN_1: "".join(map(chr, range(256))),
    4: "".join(map(chr, range(256))),  # binary
    DataCoding.CYRILLIC: "".join(map(chr, range(0x410, 0x450))),
    DataCoding.HEBREW: "".join(map(chr, range(0x5D0, 0x5EB))),
    DataCoding.UCS_2: "añ€\u4e2d\U0001f600\U0001f44d",
}


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.data(),
    st.sampled_from(sorted(LETTERS)),
    st.sampled_from(["udh8", "udh16", "sar"]),
    st.booleans(),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_the_parts_of_a_text_make_it_again_in_any_order_and_with_repeats(
    data: st.DataObject,
    data_coding: int,
    way: Literal["udh8", "udh16", "sar"],
    in_payload: bool,
    data_sm: bool,
    chance: random.Random,
) -> None:
    text = data.draw(st.text(LETTERS[data_coding], min_size=1, max_size=60)) * 20
    said, parts = parts_of(text, data_coding, way, in_payload=in_payload, data_sm=data_sm)
    if len(parts) == 1:
        assert place_of(*parts[0]) is None
        return
    arrived = parts + chance.choices(parts, k=3)
    chance.shuffle(arrived)
    pdu = whole(arrived)
    assert decode_text(payload(pdu), said) == text
    assert pdu.data_coding == said
    assert not pdu.esm_class & EsmClass.UDHI
    assert place_of(*joined(arrived)[:2]) is None  # type: ignore[index]


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.data())
def test_no_octets_raise(data: st.DataObject) -> None:
    """Parts whose octets are changed, cut or lengthened anywhere are parts still or none."""
    _, parts = parts_of("x" * 400, None, data.draw(st.sampled_from(["udh8", "udh16", "sar"])))
    changed = []
    for command_id, body in parts:
        at = data.draw(st.integers(0, len(body)))
        put = data.draw(st.binary(max_size=4))
        gone = data.draw(st.integers(0, 4))
        changed.append((command_id, body[:at] + put + body[at + gone :]))
        place_of(*changed[-1])
        place_of(int(CommandId.DATA_SM), body)
    joined(changed)


def test_the_whole_has_everything_of_part_1_but_its_place() -> None:
    first = part(
        1,
        2,
        b"one ",
        service_type=b"CMT",
        esm_class=EsmClass.UDHI | 0x80,
        protocol_id=3,
        priority_flag=2,
        registered_delivery=1,
        data_coding=3,
        tlvs=(make_tlv(TlvTag.USER_MESSAGE_REFERENCE, 99), *sar(9, 2, 1), (0x1500, b"vendor")),
    )
    second = part(2, 2, b"two", esm_class=EsmClass.UDHI, data_coding=3, tlvs=((0x1501, b"other"),))
    pdu = whole([second, first])
    assert pdu == DeliverSm(
        service_type=b"CMT",
        source_addr_ton=1,
        source_addr_npi=1,
        source_addr=b"16665550123",
        dest_addr_ton=1,
        dest_addr_npi=1,
        destination_addr=b"12065550100",
        esm_class=0x80,
        protocol_id=3,
        priority_flag=2,
        registered_delivery=1,
        data_coding=3,
        tlvs=(
            make_tlv(TlvTag.USER_MESSAGE_REFERENCE, 99),
            (0x1500, b"vendor"),
            make_tlv(TlvTag.MESSAGE_PAYLOAD, b"one two"),
        ),
    )


@pytest.mark.parametrize("elements", [PORTS, TURKISH, PORTS + TURKISH])
def test_what_a_header_says_beside_the_place_stays_in_front_of_the_text(elements: bytes) -> None:
    place = [build_concat(7, 2, number)[1:] for number in (1, 2)]
    pdu = whole([with_header(elements + place[0], b"one "), with_header(place[1] + elements, b"two")])
    assert pdu.esm_class == EsmClass.UDHI
    assert payload(pdu) == bytes((len(elements),)) + elements + b"one two"
    header = parse_udh(payload(pdu))
    assert header.concatenation is None
    assert header.octets == 1 + len(elements)


def test_headers_beside_sar_stay_too() -> None:
    parts = [with_header(PORTS, text, tlvs=sar(300, 2, n)) for n, text in ((1, b"one "), (2, b"two"))]
    assert payload(whole(parts)) == bytes((len(PORTS),)) + PORTS + b"one two"


def test_parts_whose_letters_mean_different_things_are_not_joined() -> None:
    """The language of a national shift table is that of the part it stands in."""
    assert joined([part(1, 2, b"one "), with_header(build_concat(7, 2, 2)[1:] + TURKISH, b"two")]) is None


def test_an_address_that_fits_no_deliver_sm_leaves_a_data_sm() -> None:
    parts = [
        body_of(
            DataSm(
                source_addr=b"1" * 30,
                destination_addr=b"12065550100",
                tlvs=(*sar(1, 2, n), (int(TlvTag.MESSAGE_PAYLOAD), b"%d" % n)),
            )
        )
        for n in (1, 2)
    ]
    pdu = whole(parts)
    assert isinstance(pdu, DataSm)
    assert (pdu.source_addr, payload(pdu)) == (b"1" * 30, b"12")


def test_every_order_of_arrival_makes_the_same() -> None:
    parts = [part(n, 4, b"%d" % n) for n in range(1, 5)]
    assert len({joined(order) for order in permutations(parts)}) == 1


def test_of_two_parts_of_one_number_the_first_counts() -> None:
    parts = [part(2, 2, b"two"), part(1, 2, b"one "), part(1, 2, b"other "), part(2, 2, b"more")]
    assert payload(whole(parts)) == b"one two"


def test_the_most_parts_there_can_be_are_joined() -> None:
    parts = [part(n, 255, b"%03d" % n) for n in range(1, 256)]
    assert payload(whole(parts[::-1])) == b"".join(b"%03d" % n for n in range(1, 256))


def test_what_is_longer_than_a_payload_is_not_joined() -> None:
    def parts(last: int) -> list[Part]:
        texts = (b"x" * 65_000, b"x" * last)
        return [
            deliver(tlvs=(*sar(1, 2, n), (int(TlvTag.MESSAGE_PAYLOAD), text)))
            for n, text in enumerate(texts, 1)
        ]

    assert len(payload(whole(parts(535)))) == 65_535
    assert joined(parts(536)) is None


def test_what_is_longer_than_a_pdu_is_not_joined() -> None:
    much = (0x1500, b"v" * 40_000)
    parts = [
        deliver(tlvs=(much, *sar(1, 2, n), (int(TlvTag.MESSAGE_PAYLOAD), b"x" * 29_000))) for n in (1, 2)
    ]
    assert joined(parts) is None


def test_what_is_no_whole_is_not_joined() -> None:
    parts = [part(n, 3, b"x") for n in (1, 2, 3)]
    assert joined([]) is None
    assert joined(parts[:2]) is None
    assert joined(parts[1:]) is None
    assert joined([*parts[:2], part(3, 3, b"x", reference=8)]) is None
    assert joined([*parts[:2], part(3, 3, b"x", source_addr=b"16665550124")]) is None
    assert joined([*parts[:2], deliver(short_message=b"whole")]) is None


def test_a_part_says_where_it_belongs() -> None:
    place = place_of(*part(2, 3, b"text", reference=7, tlvs=((0x1500, b""),)))
    assert place is not None
    assert (place.number, place.total, place.destination) == (2, 3, b"12065550100")
    command_id, body = part(2, 3, b"text")
    assert place.tlv_at == len(body)
    assert place.octets == build_concat(7, 3, 2) + b"text"
    assert place_of(command_id, body) == place


ONE = with_header(build_concat(7, 3, 2)[1:], b"text")


@pytest.mark.parametrize(
    "other",
    [
        part(2, 3, b"text", reference=8),
        part(2, 4, b"text"),
        part(2, 3, b"text", data_coding=8),
        part(2, 3, b"text", source_addr=b"1666555012"),
        part(2, 3, b"text", source_addr_ton=0),
        part(2, 3, b"text", source_addr_npi=0),
        part(2, 3, b"text", destination_addr=b"12065550101"),
        part(2, 3, b"text", dest_addr_ton=5),
        part(2, 3, b"text", dest_addr_npi=0),
        with_header(build_concat(7, 3, 2, reference_bits=16)[1:], b"text"),
        deliver(short_message=b"text", tlvs=sar(7, 3, 2)),
    ],
)
def test_parts_of_other_messages_have_other_keys(other: Part) -> None:
    mine, theirs = place_of(*ONE), place_of(*other)
    assert mine is not None
    assert theirs is not None
    assert mine.key != theirs.key


@pytest.mark.parametrize(
    "fellow",
    [
        part(1, 3, b"another text"),
        part(3, 3, b"text", service_type=b"WAP", protocol_id=1, registered_delivery=1),
        part(3, 3, b"", tlvs=((0x1500, b"vendor"),)),
        with_header(PORTS + build_concat(7, 3, 1)[1:], b"text"),
        with_header(build_concat(7, 3, 1)[1:], b"text", tlvs=sar(1, 5, 5)),  # the header holds
        body_of(
            DataSm(
                source_addr_ton=1,
                source_addr_npi=1,
                source_addr=b"16665550123",
                dest_addr_ton=1,
                dest_addr_npi=1,
                destination_addr=b"12065550100",
                esm_class=EsmClass.UDHI,
                tlvs=((int(TlvTag.MESSAGE_PAYLOAD), build_concat(7, 3, 1) + b"text"),),
            )
        ),
    ],
)
def test_parts_of_one_message_have_one_key(fellow: Part) -> None:
    mine, theirs = place_of(*ONE), place_of(*fellow)
    assert mine is not None
    assert theirs is not None
    assert mine.key == theirs.key


@pytest.mark.parametrize(
    "pdu",
    [
        deliver(short_message=b"a whole message"),
        deliver(short_message=build_concat(7, 2, 1) + b"no UDHI"),
        with_header(PORTS, b"ports alone"),
        part(1, 1, b"all of it"),
        deliver(short_message=b"all of it", tlvs=sar(1, 1, 1)),
        with_header(bytes((0, 3, 7, 2, 3)), b"number above the total"),
        with_header(bytes((0, 3, 7, 2, 0)), b"number 0"),
        with_header(bytes((0, 3, 7, 0, 1)), b"total 0"),
        with_header(bytes((0, 2, 7, 2)), b"element cut short"),
        with_header(bytes((0, 9, 7, 2, 1)), b"element over the end"),
        deliver(esm_class=EsmClass.UDHI, short_message=b"\xc8too short for its header"),
        deliver(esm_class=EsmClass.UDHI, tlvs=sar(1, 2, 1)),
        deliver(
            esm_class=EsmClass.UDHI, short_message=bytes((150, 0x70, 148)) + bytes(148), tlvs=sar(1, 2, 1)
        ),
        deliver(short_message=b"two of three", tlvs=sar(1, 2, 1)[:2]),
        deliver(short_message=b"two of three", tlvs=sar(1, 2, 1)[1:]),
        deliver(short_message=b"number 3 of 2", tlvs=sar(1, 2, 3)),
        deliver(short_message=b"number 0 of 2", tlvs=sar(1, 2, 0)),
    ],
)
def test_what_says_no_place_is_no_part(pdu: Part) -> None:
    assert place_of(*pdu) is None


def test_a_part_with_broken_optional_parameters_is_none() -> None:
    command_id, body = deliver(short_message=b"text", tlvs=sar(1, 2, 1))
    assert place_of(command_id, body) is not None
    assert place_of(command_id, body + b"\0") is not None  # one NUL too many is a known fault
    assert place_of(command_id, body + b"\x15\x00\x00\x09x") is None
    assert place_of(command_id, body + b"\x02\x0e\x00\x02\0\0") is None
    assert place_of(command_id, body + b"xx") is None


def test_a_text_beyond_the_end_is_no_part() -> None:
    command_id, body = part(1, 2, b"text")
    assert place_of(command_id, body[:-1]) is None
    assert place_of(command_id, body[:10]) is None
    assert place_of(int(CommandId.DATA_SM), b"CMT") is None
