"""Long texts in parts: how many, how long each, and whole again."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.pdu.errors import EncodeError
from smppgw.pdu.gsm7 import BASIC, ESC, EXTENSION
from smppgw.pdu.segments import Segmented, concatenation_of, count_segments, segment_text
from smppgw.pdu.text import decode_text
from smppgw.pdu.udh import build_concat, build_udh, parse_udh
from smppgw.settings import Alphabet
from tests.pdu.test_text import CHINESE, ENGLISH

UDHI = 0x40
GSM_CHARACTERS = BASIC.replace("\x1b", "") + "".join(EXTENSION.values()) * 4
GSM_TEXTS = st.text(st.sampled_from(GSM_CHARACTERS), max_size=700)
ANY_TEXTS = st.text(st.one_of(st.characters(codec="utf-16"), st.sampled_from("😀🎉é€[a")), max_size=400)


def bodies(segmented: Segmented) -> list[bytes]:
    """The parts without their headers, which must number them rightly."""
    if segmented.segments == 1:
        return list(segmented.parts)
    found = []
    for number, part in enumerate(segmented.parts, 1):
        udh = parse_udh(part)
        assert udh.concatenation is not None
        assert udh.concatenation[1:] == (segmented.segments, number)
        found.append(part[udh.octets :])
    return found


def radio_octets(part: bytes, body: bytes, *, septets: bool) -> int:
    """What a part takes on the radio interface, where septets are packed behind the header's fill bits."""
    header = len(part) - len(body)
    return -(-(-(-header * 8 // 7) * 7 + 7 * len(body)) // 8) if septets else len(part)


def check(segmented: Segmented, text: str) -> None:
    septets = segmented.data_coding == 0
    found = bodies(segmented)
    assert decode_text(b"".join(found), segmented.data_coding) == text
    assert "".join(decode_text(body, segmented.data_coding) for body in found) == text  # nothing was parted
    assert segmented.octets == sum(map(len, found))
    assert segmented.characters == len(text)
    for part, body in zip(segmented.parts, found, strict=True):
        assert radio_octets(part, body, septets=septets) <= 140


@pytest.mark.parametrize(
    ("text", "data_coding", "segments"),
    [
        ("", 0, 1),
        ("a" * 160, 0, 1),
        ("a" * 161, 0, 2),
        ("a" * 306, 0, 2),
        ("a" * 307, 0, 3),
        ("a" * 459, 0, 3),
        ("a" * 460, 0, 4),
        ("a" * 158 + "€", 0, 1),
        ("a" * 159 + "€", 0, 2),
        ("€" * 80, 0, 1),
        ("€" * 81, 0, 2),
        ("€" * 152, 0, 2),  # 76 in each part of 153 septets
        ("€" * 153, 0, 3),
        ("a" * 152 + "€" + "a" * 152, 0, 3),  # 306 septets, but the escape will not be parted
        ("a" * 151 + "€" + "a" * 153, 0, 2),
        ("é" * 160, 0, 1),
        ("ç" * 70, 8, 1),
        ("ç" * 71, 8, 2),
        ("在" * 134, 8, 2),
        ("在" * 135, 8, 3),
        ("😀" * 35, 8, 1),
        ("😀" * 36, 8, 2),
        ("😀" * 66, 8, 2),  # 33 pairs in each part of 67 units
        ("😀" * 67, 8, 3),
        ("在" * 66 + "😀" + "在" * 66, 8, 3),  # 134 units, but the pair will not be parted
        ("在" * 65 + "😀" + "在" * 67, 8, 2),
        ("a" * 159 + "ç", 8, 3),
    ],
)
def test_a_text_takes_as_many_segments_as_the_standard_says(
    text: str, data_coding: int, segments: int
) -> None:
    segmented = segment_text(text)
    assert (segmented.data_coding, segmented.segments) == (data_coding, segments)
    check(segmented, text)


@pytest.mark.parametrize(
    ("character", "data_coding", "single", "short_parts", "long_parts"),
    [
        ("a", 0, 160, 153, 152),
        ("a", 8, 70, 67, 66),
        ("a", 3, 140, 134, 133),
        ("a", 4, 140, 134, 133),
        ("a", 1, 160, 153, 152),
    ],
)
def test_a_part_holds_what_its_header_leaves(
    character: str, data_coding: int, single: int, short_parts: int, long_parts: int
) -> None:
    def counts(characters: int, bits: int) -> int:
        return segment_text(character * characters, data_coding=data_coding, reference_bits=bits).segments

    assert [counts(single, 8), counts(single + 1, 8), counts(single, 16), counts(single + 1, 16)] == [
        1,
        2,
        1,
        2,
    ]
    assert [counts(3 * short_parts, 8), counts(3 * short_parts + 1, 8)] == [3, 4]
    assert [counts(3 * long_parts, 16), counts(3 * long_parts + 1, 16)] == [3, 4]


@pytest.mark.parametrize(
    ("text", "segments"), [("{" * 80, 1), ("{" * 81, 2), ("a" * 152 + "{" + "a" * 152, 3), ("`" * 160, 1)]
)
def test_ascii_is_counted_as_the_septets_it_becomes(text: str, segments: int) -> None:
    segmented = segment_text(text, alphabet="ascii")
    assert segmented.segments == segments
    assert b"".join(bodies(segmented)) == text.encode()
    assert count_segments(text.encode(), 0, alphabet="ascii") == count_segments(text.encode(), 1) == segments


@pytest.mark.parametrize("bits", [8, 16])
def test_every_real_message_and_all_of_them_at_a_stretch_come_back_whole(bits: int) -> None:
    for texts in (ENGLISH, CHINESE):
        stretches = ["\n".join(texts[at : at + 40]) for at in range(0, len(texts), 40)]
        for text in texts + stretches:
            check(segment_text(text, reference=77, reference_bits=bits), text)


@given(st.one_of(GSM_TEXTS, ANY_TEXTS))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_any_text_comes_back_whole_in_parts_that_fit(text: str) -> None:
    check(segment_text(text), text)


@given(st.one_of(GSM_TEXTS, ANY_TEXTS))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_no_part_could_have_taken_the_first_character_of_the_next(text: str) -> None:
    segmented = segment_text(text)
    found = bodies(segmented)
    septets = segmented.data_coding == 0
    for part, body, following in zip(segmented.parts, found, found[1:], strict=False):
        if septets:
            character = following[: 2 if following[0] == ESC else 1]
        else:
            character = following[: 4 if following[0] & 0xFC == 0xD8 else 2]
        assert radio_octets(part + character, body + character, septets=septets) > 140


@given(st.one_of(GSM_TEXTS, ANY_TEXTS), st.sampled_from(["gsm7", "latin1", "ascii"]))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_a_payload_is_counted_as_its_text_would_be_cut(text: str, alphabet: Alphabet) -> None:
    segmented = segment_text(text, alphabet=alphabet, concatenation="sar")
    payload = b"".join(segmented.parts)
    assert count_segments(payload, segmented.data_coding, alphabet=alphabet) == segmented.segments


@given(
    st.one_of(
        st.binary(max_size=600),
        st.text(st.sampled_from("\x1ba\xd8\xdc\x00"), max_size=600).map(lambda t: t.encode("latin-1")),
    ),
    st.integers(0, 255),
    st.booleans(),
)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_counting_any_octets_raises_nothing_and_is_in_proportion(
    octets: bytes, data_coding: int, udhi: bool
) -> None:
    segments = count_segments(octets, data_coding, udhi=udhi)
    assert 1 <= segments <= 1 + len(octets)


@pytest.mark.parametrize(
    ("body_octets", "data_coding", "segments"),
    [
        (152, 0, 1),
        (153, 0, 2),
        (2 * 146, 0, 2),
        (2 * 146 + 1, 0, 3),
        (132, 8, 1),
        (134, 8, 2),
        (133, 4, 1),
        (134, 4, 2),
    ],
)
def test_each_part_of_a_payload_repeats_its_header(body_octets: int, data_coding: int, segments: int) -> None:
    header = build_udh(((0x05, b"\x0b\x84\x23\xf0"),))
    assert count_segments(header + bytes(body_octets), data_coding, udhi=True) == segments


@pytest.mark.parametrize("header_octets", [131, 132, 133, 140, 200, 255])
def test_a_header_that_leaves_no_room_is_counted_as_text(header_octets: int) -> None:
    pairs = "😀".encode("utf-16-be") * 100
    assert count_segments(bytes([header_octets]) + pairs, 8, udhi=True) >= 3


def test_a_short_message_too_long_for_the_radio_interface_is_more_than_one_segment() -> None:
    assert [count_segments(bytes(octets), 0) for octets in (160, 161, 254)] == [1, 2, 2]
    assert [count_segments(bytes(octets), 4) for octets in (140, 141, 254)] == [1, 2, 2]


def test_a_payload_of_64_kib_is_counted() -> None:
    assert count_segments(b"a" * 65_535, 0) == -(-65_535 // 153)
    assert count_segments(b"\x1b" * 65_535, 0) == -(-65_535 // 152)


def test_255_parts_are_made_and_256_refused() -> None:
    assert segment_text("a" * 255 * 153).segments == 255
    with pytest.raises(EncodeError, match="parts is 256"):
        segment_text("a" * (255 * 153 + 1))


@pytest.mark.parametrize(("reference", "bits"), [(256, 8), (-1, 8), (65_536, 16)])
def test_a_reference_out_of_range_is_refused_even_for_one_part(reference: int, bits: int) -> None:
    with pytest.raises(EncodeError, match="reference"):
        segment_text("a", reference=reference, reference_bits=bits)


def test_parts_for_the_sar_tlvs_have_no_header_but_leave_its_room() -> None:
    text = "a" * 152 + "€" + "a" * 152
    assert segment_text(text, concatenation="sar").parts == tuple(bodies(segment_text(text)))


def test_parts_bear_the_reference_asked_for() -> None:
    part = segment_text("a" * 161, reference=0x1234, reference_bits=16).parts[1]
    assert concatenation_of(part, UDHI) == (0x1234, 2, 2)


@pytest.mark.parametrize(
    ("short_message", "esm_class", "sar", "expected"),
    [
        (build_concat(9, 2, 1), UDHI | 0x03, (None, None, None), (9, 2, 1)),
        (build_concat(9, 2, 1), 0x00, (None, None, None), None),
        (b"text", 0x00, (513, 3, 2), (513, 3, 2)),
        (b"text", 0x00, (513, 3, None), None),
        (b"text", 0x00, (513, 3, 4), None),
        (build_concat(9, 2, 1), UDHI, (513, 3, 2), (9, 2, 1)),
        (build_udh(((5, b"\x0b\x84\x23\xf0"),)), UDHI, (513, 3, 2), (513, 3, 2)),
        (b"\xff", UDHI, (None, None, None), None),
        (b"", UDHI, (1, 1, 1), (1, 1, 1)),
    ],
)
def test_a_part_is_known_by_its_header_and_else_by_its_sar_tlvs(
    short_message: bytes,
    esm_class: int,
    sar: tuple[int | None, int | None, int | None],
    expected: tuple[int, int, int] | None,
) -> None:
    reference, total, number = sar
    found = concatenation_of(
        short_message,
        esm_class,
        sar_msg_ref_num=reference,
        sar_total_segments=total,
        sar_segment_seqnum=number,
    )
    assert found == expected
