"""Text by data_coding, with every real message of the project's data."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.pdu.errors import EncodeError
from smppgw.pdu.text import codec_of, decode_text, encode_text
from smppgw.settings import Alphabet

DATA = Path(__file__).parents[2] / "bench" / "data"
ENGLISH = [line.partition("\t")[2] for line in (DATA / "sms_en.tsv").read_text("utf-8").split("\n") if line]
CHINESE = [line for line in (DATA / "sms_zh.txt").read_text("utf-8").split("\n") if line]
ALPHABETS: list[Alphabet] = ["gsm7", "latin1", "ascii"]


def test_the_real_messages_are_all_there() -> None:
    assert (len(ENGLISH), len(CHINESE)) == (5574, 2987)


@pytest.mark.parametrize("alphabet", ALPHABETS)
def test_every_real_message_is_read_as_it_was_written(alphabet: Alphabet) -> None:
    for text in ENGLISH + CHINESE:
        data_coding, octets = encode_text(text, alphabet=alphabet)
        assert decode_text(octets, data_coding, alphabet=alphabet) == text


def test_most_real_english_messages_need_no_ucs_2_and_chinese_ones_do() -> None:
    assert sum(encode_text(text)[0] == 0 for text in ENGLISH) > 0.98 * len(ENGLISH)
    assert sum(encode_text(text)[0] == 8 for text in CHINESE) > 0.8 * len(CHINESE)


@pytest.mark.parametrize(
    ("text", "alphabet", "data_coding", "octets"),
    [
        ("", "gsm7", 0, b""),
        ("Hi @5", "gsm7", 0, b"Hi \x005"),
        ("€", "gsm7", 0, b"\x1be"),
        ("Ç", "gsm7", 0, b"\x09"),
        ("ç", "gsm7", 8, b"\x00\xe7"),
        ("😀", "gsm7", 8, b"\xd8\x3d\xde\x00"),
        ("ç", "latin1", 0, b"\xe7"),
        ("€", "latin1", 8, b"\x20\xac"),
        ("`{", "ascii", 0, b"`{"),
        ("é", "ascii", 8, b"\x00\xe9"),
    ],
)
def test_the_default_alphabet_is_taken_when_it_has_every_character_and_else_ucs_2(
    text: str, alphabet: Alphabet, data_coding: int, octets: bytes
) -> None:
    assert encode_text(text, alphabet=alphabet) == (data_coding, octets)
    assert decode_text(octets, data_coding, alphabet=alphabet) == text


@pytest.mark.parametrize(
    ("text", "data_coding", "octets"),
    [
        ("a~", 1, b"a~"),
        ("\x00\xff", 2, b"\x00\xff"),
        ("é", 3, b"\xe9"),
        ("\x00\xff", 4, b"\x00\xff"),
        ("Привет", 6, "Привет".encode("iso8859-5")),
        ("שלום", 7, "שלום".encode("iso8859-8")),
        ("a", 8, b"\x00a"),
        ("€", 0x10, b"\x1be"),  # flash, GSM
        ("é", 0x14, b"\xe9"),  # flash, binary
        ("a", 0x18, b"\x00a"),  # flash, UCS-2
        ("€", 0x00 | 0x40, b"\x1be"),  # to be deleted by itself
        ("€", 0xC8, b"\x1be"),  # a voice mail waits
        ("€", 0xD0, b"\x1be"),
        ("a", 0xE0, b"\x00a"),
        ("€", 0xF0, b"\x1be"),
        ("€", 0xF3, b"\x1be"),
        ("é", 0xF5, b"\xe9"),
    ],
)
def test_a_data_coding_that_is_given_is_obeyed(text: str, data_coding: int, octets: bytes) -> None:
    assert encode_text(text, data_coding=data_coding) == (data_coding, octets)
    assert decode_text(octets, data_coding) == text


@pytest.mark.parametrize("data_coding", [0x10, 0xF0])
def test_an_agreement_about_data_coding_0_leaves_the_message_classes_alone(data_coding: int) -> None:
    assert encode_text("é", data_coding=data_coding, alphabet="latin1")[1] == b"\x05"


@pytest.mark.parametrize(
    ("text", "data_coding", "field", "value"),
    [
        ("façade", 0, "character 3", "ç"),
        ("né", 1, "character 2", "é"),
        ("5 €", 3, "character 3", "€"),
        ("在", 4, "character 1", "在"),
        ("a\ud800", 8, "character 2", "\ud800"),
        ("a", 5, "data_coding", 5),
        ("a", 10, "data_coding", 10),
        ("a", 14, "data_coding", 14),
        ("a", 256, "data_coding", 256),
        ("a", -1, "data_coding", -1),
    ],
)
def test_what_a_given_data_coding_cannot_write_is_named(
    text: str, data_coding: int, field: str, value: object
) -> None:
    with pytest.raises(EncodeError) as caught:
        encode_text(text, data_coding=data_coding)
    assert (caught.value.field, caught.value.value) == (field, value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("octets", "data_coding", "text"),
    [
        (b"\x80", 1, "�"),
        (b"\x00", 8, "�"),
        (b"\xd8\x3d\x00a", 8, "�a"),
        (b"\x82\xb1", 5, "こ"),
        ("日本".encode("iso2022_jp"), 10, "日本"),
        ("한국".encode("euc_kr"), 14, "한국"),
        (b"\xff\x00", 0x30, "ÿ\x00"),  # compressed
    ],
)
def test_foreign_octets_are_read_as_far_as_they_mean_anything(
    octets: bytes, data_coding: int, text: str
) -> None:
    assert decode_text(octets, data_coding) == text


@pytest.mark.parametrize("alphabet", ALPHABETS)
@given(octets=st.binary(max_size=160), data_coding=st.integers(0, 255))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_reading_never_raises(alphabet: Alphabet, octets: bytes, data_coding: int) -> None:
    assert isinstance(decode_text(octets, data_coding, alphabet=alphabet), str)


@given(st.text(max_size=200), st.integers(0, 255))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_what_can_be_written_is_read_back(text: str, data_coding: int) -> None:
    try:
        _, octets = encode_text(text, data_coding=data_coding)
    except EncodeError:
        return
    assert decode_text(octets, data_coding) == text


@pytest.mark.parametrize("data_coding", range(256))
def test_every_data_coding_has_a_codec(data_coding: int) -> None:
    assert decode_text(b"", data_coding) == ""
    assert codec_of(data_coding)
