"""The GSM 7 bit default alphabet, against the table of an independent library."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smpplib.gsm import GSM_CHARACTER_TABLE

from smppgw.pdu.gsm7 import BASIC, ESC, EXTENSION, decode, encode


def test_the_basic_table_is_the_one_smpplib_has_but_for_its_missing_section_sign() -> None:
    theirs = GSM_CHARACTER_TABLE[:128]
    differing = {
        septet: (BASIC[septet], theirs[septet]) for septet in range(128) if BASIC[septet] != theirs[septet]
    }
    assert differing == {0x5F: ("§", "`")}


def test_the_extension_table_is_the_one_smpplib_has_and_the_form_feed() -> None:
    theirs = {
        septet: character for septet, character in enumerate(GSM_CHARACTER_TABLE[128:]) if character != "`"
    }
    assert {0x0A: "\f", **theirs} == EXTENSION


def test_no_character_has_two_places() -> None:
    characters = BASIC.replace("\x1b", "") + "".join(EXTENSION.values())
    assert len(characters) == len(set(characters)) == 137


@pytest.mark.parametrize("septet", [septet for septet in range(128) if septet != ESC])
def test_each_septet_of_the_basic_table_goes_both_ways(septet: int) -> None:
    assert encode(BASIC[septet]) == bytes([septet])
    assert decode(bytes([septet])) == BASIC[septet]


@pytest.mark.parametrize(("septet", "character"), EXTENSION.items())
def test_each_character_of_the_extension_table_goes_both_ways_behind_an_escape(
    septet: int, character: str
) -> None:
    assert encode(character) == bytes([ESC, septet])
    assert decode(bytes([ESC, septet])) == character


@pytest.mark.parametrize("character", ["ç", "ê", "`", "\x1b", "\t", "’", "在", "😀", "\x00", "\x80"])
def test_a_character_outside_both_tables_is_refused_where_it_stands(character: str) -> None:
    with pytest.raises(UnicodeEncodeError) as caught:
        encode(f"[{character}")
    assert caught.value.start == 1


def test_only_the_capital_c_cedilla_has_octet_9() -> None:
    assert encode("Ç") == b"\x09"


def test_a_character_outside_both_tables_is_a_question_mark_where_replacing_is_asked_for() -> None:
    assert encode("a`{", "replace") == b"a?\x1b("


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"\x1bA", "A"),  # not in the extension table: the basic table's
        (b"\x1b\x00", "@"),
        (b"\x1b\n", "\f"),
        (b"\x1b\x1bA", " A"),  # a further extension table, of which there is none
        (b"\x1b\x1b\x1b<", " ["),
        (b"a\x1b", "a�"),
        (b"\x1b\xff", "�"),
        (b"a\x80\xff", "a��"),
    ],
)
def test_octets_that_no_encoder_writes_are_read_as_the_standard_says(octets: bytes, text: str) -> None:
    assert decode(octets) == text


@given(st.binary(max_size=300))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_reading_raises_nothing_and_gives_no_more_characters_than_octets(octets: bytes) -> None:
    assert len(decode(octets)) <= len(octets)


@given(st.text(st.sampled_from(BASIC.replace("\x1b", "") + "".join(EXTENSION.values())), max_size=300))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_what_is_written_is_read_back(text: str) -> None:
    assert decode(encode(text)) == text
