"""Receipt texts: the form of Appendix B, and what operators write instead."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.pdu.constants import MessageState
from smppgw.pdu.receipt import (
    STAT_OF_STATE,
    Receipt,
    _parse_loose,
    format_receipt,
    guess_receipt,
    is_receipt_alone,
    parse_receipt,
    receipt_date,
    state_of_stat,
)
from tests.pdu.receipt_texts import (
    ADDRESSES,
    GUESSED,
    NO_GUESS,
    NO_RECEIPTS,
    OF_PEOPLE,
    STRAIGHT,
    TEXTS,
    Case,
)


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=f"{group} {number}")
        for group, cases in TEXTS.items()
        for number, case in enumerate(cases, 1)
    ],
)
def test_a_receipt_says_what_is_written_in_it(case: Case) -> None:
    assert parse_receipt(case.text) == case.receipt
    assert parse_receipt(case.text.encode("latin-1")) == case.receipt
    assert case.receipt.message_state is case.state


@pytest.mark.parametrize("text", NO_RECEIPTS)
def test_another_text_is_no_receipt(text: str) -> None:
    assert parse_receipt(text) is None


@pytest.mark.parametrize("case", GUESSED, ids=[case.text for case in GUESSED])
def test_an_id_and_a_state_are_made_out_in_a_text_of_another_form(case: Case) -> None:
    assert guess_receipt(case.text, ADDRESSES) == case.receipt
    assert case.receipt.message_state is case.state


@pytest.mark.parametrize("text", NO_GUESS)
def test_a_text_without_an_id_is_no_guess(text: str) -> None:
    assert guess_receipt(text, ADDRESSES) is None


@pytest.mark.parametrize("text", OF_PEOPLE)
def test_what_people_write_is_no_receipt_by_itself(text: str) -> None:
    receipt = parse_receipt(text)
    assert receipt is None or not is_receipt_alone(text, receipt)


@pytest.mark.parametrize(
    "text",
    [
        STRAIGHT,
        STRAIGHT.replace("DELIVRD", "ODDWORD"),
        STRAIGHT.replace("0123456789", "abc"),
        STRAIGHT.replace("submit date", "submitdate"),
        "id:77 stat:UNDELIV err:011",
        " ID:77 STAT:failed SUB:001",
        "stat:EXPIRED id:77 done date:261122100159",
    ],
)
def test_a_text_of_appendix_b_is_a_receipt_by_itself(text: str) -> None:
    receipt = parse_receipt(text)
    assert receipt is not None
    assert is_receipt_alone(text, receipt)


LABELS = ["id:", "sub:", "dlvrd:", "submit date:", "done date:", "stat:", "err:", "text:"]


@given(
    st.text(max_size=200)
    | st.lists(st.sampled_from([*LABELS, " ", "DELIVRD", "5", "\0", "é", "İ", ",", '"']), max_size=30).map(
        "".join
    )
)
@settings(max_examples=400, deadline=None, derandomize=True)
def test_reading_any_text_raises_nothing(text: str) -> None:
    for receipt in (parse_receipt(text), guess_receipt(text)):
        assert receipt is None or isinstance(receipt.message_state, MessageState)


def test_a_capital_that_grows_in_lower_case_moves_no_field() -> None:
    receipt = parse_receipt("İİİ id:77 stat:DELIVRD text:İstanbul")
    assert receipt is not None
    assert (receipt.id, receipt.stat, receipt.text) == ("77", "DELIVRD", "İstanbul")


@pytest.mark.parametrize(
    "filling",
    [" ", " ,", "a", " a", "id:", "id: ", "submit ", "text:", "text: ", "\0", "stat:x ", "message_"],
)
@pytest.mark.parametrize("label", ["", "id:5 stat:", "id:5 done date:", "id:5 stat:DELIVRD text:"])
def test_a_text_of_64_kib_costs_no_more_than_its_length(label: str, filling: str) -> None:
    text = (label + filling * 65_535)[:65_535]
    parse_receipt(text)  # with anything quadratic this would run for minutes
    guess_receipt(text)


@given(st.binary(max_size=200))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_reading_any_octets_raises_nothing(octets: bytes) -> None:
    parse_receipt(octets)


@given(
    st.from_regex(r"[0-9A-Za-z.@-]{0,20}", fullmatch=True),
    st.sampled_from(MessageState),
    st.from_regex(r"[0-9A-Z]{0,4}", fullmatch=True),
    st.text("Hello: idstaer20", max_size=20),
)
@settings(max_examples=200, deadline=None, derandomize=True)
def test_the_fast_and_the_tolerant_way_read_our_own_receipts_alike(
    message_id: str, state: MessageState, err: str, text: str
) -> None:
    written = format_receipt(
        message_id.encode(),
        submit_date=b"2611221000",
        done_date=b"2611221001",
        state=state,
        err=err.encode(),
        text=text.encode(),
    ).decode()
    delivered = "001" if state is MessageState.DELIVERED else "000"
    expected = Receipt(
        message_id, "001", delivered, "2611221000", "2611221001", STAT_OF_STATE[state], err, text
    )
    assert parse_receipt(written) == _parse_loose(written) == expected


def test_our_receipts_have_the_form_of_appendix_b() -> None:
    written = format_receipt(
        b"42",
        submit_date=b"2611221000",
        done_date=b"2611221001",
        state=MessageState.UNDELIVERABLE,
        err=b"034",
        text=b"A text of more than twenty octets",
    )
    assert written == (
        b"id:42 sub:001 dlvrd:000 submit date:2611221000 done date:2611221001 "
        b"stat:UNDELIV err:034 text:A text of more than "
    )


@pytest.mark.parametrize(
    ("parts", "delivered", "state", "counts"),
    [
        (3, None, MessageState.DELIVERED, b" sub:003 dlvrd:003 "),
        (3, None, MessageState.EXPIRED, b" sub:003 dlvrd:000 "),
        (3, 2, MessageState.UNDELIVERABLE, b" sub:003 dlvrd:002 "),
        (255, 0, MessageState.REJECTED, b" sub:255 dlvrd:000 "),
    ],
)
def test_a_receipt_of_several_parts_counts_them(
    parts: int, delivered: int | None, state: MessageState, counts: bytes
) -> None:
    written = format_receipt(
        b"42", submit_date=b"", done_date=b"", state=state, parts=parts, delivered=delivered
    )
    assert written.startswith(b"id:42" + counts)


def test_the_text_of_a_receipt_does_not_end_in_half_a_character() -> None:
    written = format_receipt(
        b"42", submit_date=b"", done_date=b"", state=MessageState.DELIVERED, text=b"a" * 19 + b"\x1be"
    )
    assert written.endswith(b"text:" + b"a" * 19)


def test_dates_are_written_to_the_minute_in_the_zone_they_have() -> None:
    assert receipt_date(datetime.fromisoformat("2026-01-02T03:04:59+05:30")) == b"2601020304"


@pytest.mark.parametrize("state", [state for state in MessageState if state is not MessageState.SCHEDULED])
def test_every_state_but_scheduled_is_read_back_from_its_word(state: MessageState) -> None:
    assert len(STAT_OF_STATE[state]) == 7
    assert state_of_stat(STAT_OF_STATE[state]) is state


@pytest.mark.parametrize("state", MessageState)
def test_every_state_is_read_from_its_name_and_its_number(state: MessageState) -> None:
    assert state_of_stat(state.name.title()) is state
    assert state_of_stat(str(state.value)) is state


def test_scheduled_is_told_as_enroute() -> None:
    assert STAT_OF_STATE[MessageState.SCHEDULED] == "ENROUTE"
    assert set(STAT_OF_STATE) == set(MessageState)
