from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.id_spelling import (
    AS_WRITTEN,
    Spelling,
    between,
    canonical,
    hyphenated,
    hyphens_in,
    number,
    without_zeros,
)

octets = st.binary(max_size=65) | st.text("0123456789abcdefABCDEF-x", max_size=40).map(str.encode)


@pytest.mark.parametrize(
    ("written", "base", "value"),
    [
        (b"0175", 10, 175),
        (b"00aF", 16, 0xAF),
        (b"0xAF", 16, 0xAF),
        (b"00-af", 16, 0xAF),
        (b"1-2", 10, None),
        (b"0xAF", 10, None),
        (b"1_0", 10, None),
        (b"1_0", 16, None),
        (b" 10", 16, None),
        (b"+10", 10, None),
        (b"", 10, None),
        (b"-", 16, None),
        ("\u0661".encode(), 10, None),
        (b"1" * 65, 10, int("1" * 65)),
        (b"1" * 66, 10, None),
        (b"f" * 9999, 16, None),
    ],
)
def test_a_number_is_read_and_nothing_else_is(
    written: bytes, base: Literal[10, 16], value: int | None
) -> None:
    assert number(written, base) == value


@pytest.mark.parametrize(
    "written", [b"00AF-0C", b"af0c", b"AF0C", b"000000AF0C", b"a-f-0-c", b"0000-0000-af0c"]
)
def test_spellings_of_the_same_digits_have_one_canonical_form(written: bytes) -> None:
    assert canonical(written) == b"af0c"


@pytest.mark.parametrize(("written", "form"), [(b"000", b"0"), (b"0", b"0"), (b"", b""), (b"--", b"--")])
def test_a_canonical_form_is_never_nothing(written: bytes, form: bytes) -> None:
    assert canonical(written) == form


@settings(max_examples=200, deadline=None, derandomize=True)
@given(octets)
def test_a_canonical_form_is_its_own(written: bytes) -> None:
    assert canonical(canonical(written)) == canonical(written)


def test_zeros_in_front_go_but_for_the_last() -> None:
    assert [without_zeros(w) for w in (b"007", b"000", b"70", b"")] == [b"7", b"0", b"70", b""]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(octets)
def test_hyphens_are_put_back_where_they_stood(written: bytes) -> None:
    assert hyphenated(written.replace(b"-", b""), hyphens_in(written)) == written


@pytest.mark.parametrize(
    ("receipt", "response", "spelling"),
    [
        (b"a1", b"a1", AS_WRITTEN),
        (b"A1", b"a1", Spelling("same", "lower")),
        (b"12", b"0012", Spelling("same", "", 4)),
        (b"0012", b"12", Spelling("same", "", 0)),
        (b"00A1", b"a1", Spelling("same", "lower", 0)),
        (b"a1b2", b"a1-b2", Spelling("same", "", -1, (2,), 4)),
        (b"A1-b2", b"a1b2", Spelling("same", "lower", -1, (), 4)),
        (b"16", b"10", Spelling("hex-dec", "upper", 0, (), 2)),
        (b"26", b"1a", Spelling("hex-dec", "lower", 0, (), 2)),
        (b"0026", b"001A", Spelling("hex-dec", "upper", 4, (), 4)),
        (b"10", b"16", Spelling("dec-hex", "", 0)),
        (b"1A", b"000026", Spelling("dec-hex", "", 6)),
        (b"A1", b"aA1", None),
        (b"AB", b"aB", None),
        (b"", b"7", None),
    ],
)
def test_what_is_between_two_ids_is_found(receipt: bytes, response: bytes, spelling: Spelling | None) -> None:
    assert between(receipt, response, "upper") == spelling


@settings(max_examples=500, deadline=None, derandomize=True)
@given(octets, octets | st.none())
def test_a_spelling_does_what_it_was_found_from_and_reads_anything(
    receipt: bytes, other: bytes | None
) -> None:
    response = canonical(receipt).upper() if other is None else other
    spelling = between(receipt, response, "lower")
    if spelling is not None:
        assert spelling.reads(receipt)
        assert spelling.speller()(receipt) == response
        spelling.speller()(response)
        assert spelling.words


@pytest.mark.parametrize(
    ("spelling", "written"),
    [
        (Spelling("hex-dec", "lower", 0, ()), b"1a"),
        (Spelling("hex-dec", "lower", 0, ()), b"9" * 66),
        (Spelling("dec-hex"), b"msg-1"),
        (Spelling("same", "", -1, (8,), 16), b"1234"),
    ],
)
def test_what_a_spelling_cannot_read_is_left_as_it_is(spelling: Spelling, written: bytes) -> None:
    assert spelling.speller()(written) == written
