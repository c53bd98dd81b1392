"""The class of a receipt and of a refusal: by the specification's words, and by a carrier's profile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.error_classes import ERR_CHARACTERS, Meanings, class_of_stat, class_of_status, words
from smppgw.pdu.constants import CommandStatus, MessageState
from smppgw.pdu.receipt import STAT_OF_STATE, state_of_stat
from smppgw.store.entries import Outcome
from smppgw.tables import ErrMeaning, ErrorClass, ErrorProfile, StatMeaning, StatusMeaning

STATUSES = json.loads((Path(__file__).parent / "data" / "spec" / "statuses.json").read_text())["statuses"]
FAILURES = ("UNDELIV", "FAILED", "REJECTD", "EXPIRED", "DELETED", "UNKNOWN", "SKIPPED")

PROFILE = ErrorProfile(
    errs=(
        ErrMeaning(("001", "05B"), "permanent_number", "s"),
        ErrMeaning(("603",), "opted_out", "s"),
        ErrMeaning(("0", "114"), "unknown", "s"),
    ),
    stats=(
        StatMeaning(("NACK", "UNDELIV"), "permanent_sender", "s"),
        StatMeaning(("BUFFRED",), "pending", "s"),
    ),
    statuses=(
        StatusMeaning(("ESME_RSUBMITFAIL",), "opted_out", "s"),
        StatusMeaning((0x401, 0x12345), "cap", "s"),
    ),
)


def class_of(stat: str, err: str = "", profile: ErrorProfile | None = PROFILE) -> str:
    return Meanings(profile).receipt(int(state_of_stat(stat)), stat, err).error_class


# ---- receipts without a profile -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stat", "expected"),
    [
        ("DELIVRD", "delivered"),
        ("DELIVERD", "delivered"),
        ("delivrd", "delivered"),
        ("ENROUTE", "pending"),
        ("SCHEDULED", "pending"),
        ("ACCEPTD", "pending"),
        ("EXPIRED", "expired"),
        ("DELETED", "permanent_message"),
        ("REJECTD", "permanent_message"),
        ("SKIPPED", "permanent_message"),
        ("UNDELIV", "temporary"),
        ("FAILED", "temporary"),
        ("UNKNOWN", "unknown"),
        ("no word", "unknown"),
        ("", "unknown"),
    ],
)
def test_without_a_profile_the_word_decides(stat: str, expected: str) -> None:
    assert class_of_stat(stat, int(state_of_stat(stat))) == expected
    assert class_of(stat, "001", None) == expected


@pytest.mark.parametrize("state", list(MessageState))
def test_a_state_counts_where_its_word_is_not_known(state: MessageState) -> None:
    assert class_of_stat("NACK", state) == class_of_stat(STAT_OF_STATE[state], state)


def test_a_state_of_a_tlv_counts_before_a_word_that_says_something_else() -> None:
    assert class_of_stat("UNDELIV", MessageState.DELIVERED) == "delivered"
    assert class_of_stat("DELIVRD", MessageState.EXPIRED) == "expired"


@pytest.mark.parametrize("state", [MessageState.UNKNOWN, 10, 255, -1])
def test_a_word_counts_where_the_state_says_nothing(state: int) -> None:
    assert class_of_stat("REJECTD", state) == "permanent_message"


# ---- receipts with a profile --------------------------------------------------------------------------------


@pytest.mark.parametrize("stat", FAILURES)
def test_err_decides_about_a_failure(stat: str) -> None:
    assert class_of(stat, "001") == "permanent_number"
    assert class_of(stat, "603") == "opted_out"


@pytest.mark.parametrize("err", ["1", "01", "001", "0001"])
def test_leading_zeros_of_err_do_not_matter(err: str) -> None:
    assert class_of("REJECTD", err) == "permanent_number"


@pytest.mark.parametrize("err", ["5B", "05b", "5b", "005B"])
def test_the_case_of_err_does_not_matter(err: str) -> None:
    assert class_of("REJECTD", err) == "permanent_number"


@pytest.mark.parametrize("stat", ["DELIVRD", "DELIVERD", "ENROUTE", "SCHEDULED", "ACCEPTD", "BUFFRED"])
def test_no_err_makes_a_failure_of_what_is_delivered_or_pending(stat: str) -> None:
    expected = "delivered" if stat.startswith("DELIV") else "pending"
    assert {class_of(stat, err) for err in ("001", "603", "114", "000", "")} == {expected}


def test_no_word_of_a_profile_makes_a_failure_of_what_its_state_calls_delivered() -> None:
    outcome = Meanings(PROFILE).receipt(MessageState.DELIVERED, "NACK", "001")
    assert outcome == (MessageState.DELIVERED, "delivered", "001")


@pytest.mark.parametrize("err", ["", "002", "999", "null", "..."])
def test_an_err_that_is_not_listed_leaves_it_to_the_word(err: str) -> None:
    assert class_of("EXPIRED", err) == "expired"
    assert class_of("NACK", err) == "permanent_sender"
    assert class_of("nack", err) == "permanent_sender"
    assert class_of("UNDELIV", err) == "permanent_sender"
    assert class_of("FAILED", err) == "temporary"


def test_zeros_decide_nothing_unless_they_are_listed() -> None:
    unlisted = ErrorProfile((ErrMeaning(("1",), "opted_out", "s"),), (), ())
    assert class_of("FAILED", "000", unlisted) == "temporary"
    assert class_of("FAILED", "000") == "unknown"
    assert class_of("FAILED", "") == "temporary"


@pytest.mark.parametrize(
    ("stat", "expected"),
    [("EXPIRED", "expired"), ("REJECTD", "permanent_message"), ("DELETED", "permanent_message")],
)
def test_an_err_that_says_unknown_does_not_hide_what_the_word_says(stat: str, expected: str) -> None:
    assert class_of(stat, "114") == expected
    assert class_of("FAILED", "114") == "unknown"


# ---- refusals -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", STATUSES, ids=lambda status: status["name"])
def test_what_the_specification_would_send_again_is_no_permanent_error(status: dict[str, str]) -> None:
    error_class = class_of_status(int(status["code"], 16))
    if status["name"] == "ESME_ROK":
        assert error_class == "pending"
    elif status["retry"] == "never":
        assert error_class in ("permanent_message", "permanent_number", "permanent_sender")
    else:
        assert error_class in ("temporary", "rate")


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (CommandStatus.ESME_RTHROTTLED, "rate"),
        (CommandStatus.ESME_RMSGQFUL, "rate"),
        (CommandStatus.ESME_RSYSERR, "temporary"),
        (CommandStatus.ESME_RSUBMITFAIL, "temporary"),
        (CommandStatus.ESME_RINVDSTADR, "permanent_number"),
        (CommandStatus.ESME_RINVDSTTON, "permanent_message"),
        (CommandStatus.ESME_RINVSRCADR, "permanent_sender"),
        (CommandStatus.ESME_RPROHIBITED, "permanent_sender"),
        (CommandStatus.ESME_RINVMSGLEN, "permanent_message"),
        (CommandStatus.ESME_RX_P_APPN, "permanent_message"),
        (0x09, "unknown"),
        (0x400, "unknown"),
        (0x4FF, "unknown"),
        (0xFFFFFFFF, "unknown"),
    ],
)
def test_without_a_profile_the_specification_decides_about_a_status(status: int, expected: str) -> None:
    assert class_of_status(status) == expected
    assert Meanings(None).status(status, 5).error_class == expected


def test_a_profile_decides_about_the_statuses_it_lists_by_name_or_number() -> None:
    meanings = Meanings(PROFILE)
    assert meanings.status(CommandStatus.ESME_RSUBMITFAIL, 5) == (5, "opted_out", "045")
    assert meanings.status(0x401, 5) == (5, "cap", "401")
    assert meanings.status(CommandStatus.ESME_RSYSERR, 8) == (8, "temporary", "008")


def test_a_status_too_long_for_a_receipt_is_written_as_none() -> None:
    assert Meanings(PROFILE).status(0x12345, 5) == (5, "cap", "000")
    assert Meanings(PROFILE).status(0xFFF, 5) == (5, "unknown", "FFF")


# ---- what is kept -------------------------------------------------------------------------------------------


def test_the_same_words_give_the_same_object() -> None:
    meanings = Meanings(PROFILE)
    assert meanings.receipt(5, "UNDELIV", "001") is meanings.receipt(5, "UNDELIV", "001")
    assert meanings.receipt(5, "UNDELIV", "001") == Outcome(5, "permanent_number", "001")
    assert meanings.status(8, 5) is meanings.status(8, 5)
    assert meanings.status(8, 5) is not meanings.status(8, 8)


def test_a_peer_that_makes_up_errs_and_statuses_does_not_fill_the_memory() -> None:
    meanings = Meanings(None)
    for number in range(20_000):
        meanings.receipt(5, "UNDELIV", str(number))
        meanings.status(number, 5)
    assert len(meanings._of_receipts) <= 4096
    assert len(meanings._of_statuses) <= 4096


def test_of_an_err_without_end_the_beginning_is_kept() -> None:
    assert Meanings(PROFILE).receipt(5, "UNDELIV", "x" * 200).err == "x" * ERR_CHARACTERS


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.integers(0, 255), st.text(max_size=20), st.text(max_size=20), st.sampled_from([None, PROFILE]))
def test_any_receipt_has_a_class_and_keeps_its_state(
    state: int, stat: str, err: str, profile: ErrorProfile | None
) -> None:
    outcome = Meanings(profile).receipt(state, stat, err)
    assert outcome.error_class in get_args(ErrorClass)
    assert (outcome.state, outcome.err) == (state, err)


def test_every_class_is_said_in_words_and_a_foreign_name_stands_for_itself() -> None:
    said = [words(error_class) for error_class in get_args(ErrorClass)]
    assert len({*said}) == len(said)
    assert not {*said} & {*get_args(ErrorClass)}
    assert words("of-another-version") == "of-another-version"
