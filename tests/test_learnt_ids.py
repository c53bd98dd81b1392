from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.learnt_ids import LearntIds
from tests.spelled_ids import AN_ID, NUMBERS

octets = st.binary(max_size=65)
quick = settings(max_examples=150, deadline=None, derandomize=True)

each_pair = pytest.mark.parametrize(
    ("of_response", "of_receipt"), [(one, other) for one in NUMBERS for other in NUMBERS]
)
numbers = st.integers(0, 1 << 48) | st.integers(0, 300)


def auto_after(spelled: Callable[[int], bytes]) -> LearntIds:
    """Ids learnt from nothing, with a few responses seen, one with letters among them."""
    ids = LearntIds()
    for number in (AN_ID, AN_ID + 0xB):
        ids.response(spelled(number))
    return ids


@each_pair
@settings(max_examples=20, deadline=None, derandomize=True)
@given(number=numbers)
def test_the_right_key_is_among_those_tried(of_response: str, of_receipt: str, number: int) -> None:
    ids = auto_after(NUMBERS[of_response])
    key = ids.response(NUMBERS[of_response](number))
    written = NUMBERS[of_receipt](number)
    assert key in [ids.receipt(written), *ids.candidates(written)]


@each_pair
@settings(max_examples=20, deadline=None, derandomize=True)
@given(number=numbers)
def test_what_is_held_is_found_by_the_response(of_response: str, of_receipt: str, number: int) -> None:
    ids = auto_after(NUMBERS[of_response])
    response = NUMBERS[of_response](number)
    ids.response(response)
    assert ids.hold_under(NUMBERS[of_receipt](number)) in ids.held_under(response)


@pytest.mark.parametrize(
    ("response", "receipt"),
    [
        (b"65f1a2b3", b"1710334643"),
        (b"65F1A2B3", b"0001710334643"),
        (b"0000a2b3", b"41651"),
        (b"1710334643", b"65F1A2B3"),
        (b"0000041651", b"a2b3"),
        (b"6b29fc40-ca47-1067-b31d-00dd010662da", b"6B29FC40CA471067B31D00DD010662DA"),
        (b"6b29fc40ca471067b31d00dd010662da", b"6b29fc40-ca47-1067-b31d-00dd010662da"),
        (b"007", b"7"),
        (b"MSG-00A1", b"msg-00a1"),
        (b"2.16.9", b"2.16.9"),
    ],
)
def test_after_a_restart_an_id_of_a_usual_length_is_found_before_any_response(
    response: bytes, receipt: bytes
) -> None:
    ids = LearntIds()
    if response == b"007":  # of no usual length
        ids.response(b"008")
    assert response in [ids.receipt(receipt), *ids.candidates(receipt)]


@quick
@given(seen=st.lists(octets, max_size=40), written=octets)
def test_while_nothing_is_learnt_the_exact_id_comes_first(seen: list[bytes], written: bytes) -> None:
    ids = LearntIds()
    for response in seen:
        ids.response(response)
    assert ids.receipt(written) == written
    assert ids.response(written) == written


# ---- what is learnt ----------------------------------------------------------------------------------


def matched(ids: LearntIds, written: bytes, key: bytes) -> str | None:
    ids.response(key)
    assert key in [ids.receipt(written), *ids.candidates(written)]
    return ids.found(written, key)


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ([(b"65f1a2b%x" % n, b"65f1a2b%x" % n) for n in range(3)], "the same in responses and receipts"),
        ([(b"1710%03d" % n, b"1710%03d" % n) for n in range(3)], "the same in responses and receipts"),
        ([(b"%x" % n, b"%d" % n) for n in range(9999, 10002)], "hex in responses, dec in receipts"),
        (
            [(b"%08X" % n, b"%010d" % n) for n in range(9999, 10002)],
            "hex in responses, dec in receipts, upper case in responses, padded to 8 digits in responses",
        ),
        ([(b"%d" % n, b"%08X" % n) for n in range(9999, 10002)], "dec in responses, hex in receipts"),
        ([(b"a%d" % n, b"A%d" % n) for n in range(3)], "the same digits in both, lower case in responses"),
        ([(b"A%d" % n, b"a%d" % n) for n in range(3)], "the same digits in both, upper case in responses"),
        (
            [(b"%08d" % n, b"%d" % n) for n in range(97, 100)],
            "the same digits in both, padded to 8 digits in responses",
        ),
        (
            [(b"%d" % n, b"%08d" % n) for n in range(97, 100)],
            "the same digits in both, without zeros in front in responses",
        ),
        (
            [(NUMBERS["uuid"](n), b"%032x" % n) for n in range(AN_ID, AN_ID + 3)],
            "the same digits in both, with hyphens in responses",
        ),
        (
            [(b"%032X" % n, NUMBERS["uuid"](n)) for n in range(AN_ID, AN_ID + 3)],
            "the same digits in both, upper case in responses, without hyphens in responses",
        ),
    ],
)
def test_three_matches_teach_and_it_is_said_once(pairs: list[tuple[bytes, bytes]], words: str) -> None:
    ids = LearntIds()
    assert [matched(ids, receipt, response) for response, receipt in pairs] == [None, None, words]
    assert ids.is_sure
    assert [ids.receipt(receipt) for _, receipt in pairs] == [response for response, _ in pairs]
    assert [matched(ids, receipt, response) for response, receipt in pairs] == [None] * len(pairs)


def test_digits_found_as_written_beside_responses_with_letters_teach_nothing() -> None:
    ids = LearntIds()
    ids.response(b"1f")
    for number in range(10, 99):
        assert ids.found(b"%d" % number, b"%d" % number) is None
    assert not ids.is_sure


def test_digits_that_are_the_same_in_every_base_teach_nothing() -> None:
    ids = LearntIds()
    for number in range(10):
        assert ids.found(b"%d" % number, b"%d" % number) is None
    assert not ids.is_sure


def taught(form: str) -> LearntIds:
    ids = LearntIds()
    response, receipt = form.split("-")
    for number in range(AN_ID, AN_ID + 3):
        matched(ids, NUMBERS[receipt](number), NUMBERS[response](number))
    assert ids.is_sure
    return ids


@pytest.mark.parametrize("before", ["hex-dec", "dec-hex", "hex-hex", "dec-dec", "upper-hex"])
@pytest.mark.parametrize("after", ["hex-dec", "dec-hex", "hex-hex", "dec-dec", "upper-hex"])
def test_a_carrier_that_changes_its_ways_is_followed_and_that_is_said_once(before: str, after: str) -> None:
    ids = taught(before)
    response, receipt = (NUMBERS[word] for word in after.split("-"))
    said = [matched(ids, receipt(n), response(n)) for n in range(AN_ID + 9, AN_ID + 209)]
    unchanged = {(before, before), ("hex-hex", "dec-dec"), ("dec-dec", "hex-hex"), ("upper-hex", "dec-dec")}
    assert len([words for words in said if words]) == (0 if (before, after) in unchanged else 1)
    assert ids.is_sure
    assert ids.receipt(receipt(AN_ID)) == response(AN_ID)


@pytest.mark.parametrize("other", ["dec-hex", "hex-hex", "upper-dec"])
def test_two_ways_by_turns_change_nothing(other: str) -> None:
    ids = taught("hex-dec")
    for number in range(AN_ID + 9, AN_ID + 200):
        response, receipt = (NUMBERS[word] for word in (other if number % 2 else "hex-dec").split("-"))
        assert matched(ids, receipt(number), response(number)) is None
    assert ids.receipt(b"%d" % AN_ID) == b"%x" % AN_ID


def test_more_matches_are_wanted_to_change_than_to_learn() -> None:
    ids = taught("hex-dec")
    said = [matched(ids, b"%X" % n, b"%x" % n) for n in range(0xABCDEF0, 0xABCDEF8)]
    assert [words is not None for words in said] == [False] * 7 + [True]


def test_once_learnt_a_response_is_not_given_what_is_held_for_another_base() -> None:
    assert list(taught("hex-dec").held_under(b"10")) == [b"16"]
    assert list(taught("hex-hex").held_under(b"0A")) == [b"a"]
    assert list(taught("dec-hex").held_under(b"16")) == [b"10"]


def test_digits_are_hexadecimal_for_what_is_held_once_a_response_had_letters() -> None:
    ids = LearntIds()
    ids.response(b"10")
    assert b"16" not in ids.held_under(b"10")
    ids.response(b"1f")
    assert b"16" in ids.held_under(b"10")


def test_what_responses_look_like_is_kept_within_bounds() -> None:
    ids = LearntIds()
    for length in range(1, 66):
        for octet in (b"1", b"a", b"A", b"-"):
            ids.response(octet * length)
    assert len(ids._shapes) == 16
    assert b"1".rjust(65, b"0") in ids.candidates(b"1")
