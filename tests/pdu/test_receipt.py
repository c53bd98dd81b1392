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
    parse_receipt,
    receipt_class,
    receipt_date,
    state_of_stat,
)

COUNTS = "id:0123456789 sub:001 dlvrd:001"
DATES = "submit date:2611221000 done date:2611221001"
STRAIGHT = f"{COUNTS} {DATES} stat:DELIVRD err:000 text:Hello"
READ = Receipt("0123456789", "001", "001", "2611221000", "2611221001", "DELIVRD", "000", "Hello")


@pytest.mark.parametrize(
    ("text", "receipt"),
    [
        (STRAIGHT, READ),
        (STRAIGHT.replace("text:", "Text:"), READ),
        (STRAIGHT + "\0", READ),
        (STRAIGHT.replace("text:Hello", "text:"), READ._replace(text="")),
        (STRAIGHT.replace(" text:Hello", ""), READ._replace(text="")),
        (STRAIGHT.replace("Hello", "see id:5 stat:EXPIRED"), READ._replace(text="see id:5 stat:EXPIRED")),
        (STRAIGHT.replace("Hello", "a: b: c\nd"), READ._replace(text="a: b: c\nd")),
        (STRAIGHT.replace("0123456789", ""), READ._replace(id="")),
        (STRAIGHT.replace("0123456789", "0x1F-aB.9@s"), READ._replace(id="0x1F-aB.9@s")),
        (
            STRAIGHT.replace("0123456789", "550e8400-e29b-41d4-a716-446655440000"),
            READ._replace(id="550e8400-e29b-41d4-a716-446655440000"),
        ),
        (STRAIGHT.replace("err:000", "err:00A1"), READ._replace(err="00A1")),
        (STRAIGHT.replace("err:000", "err:null"), READ._replace(err="null")),
        (STRAIGHT.replace("err:000", "err:..."), READ._replace(err="...")),
        (STRAIGHT.replace("err:000", "err:"), READ._replace(err="")),
        (STRAIGHT.replace("DELIVRD", "delivrd"), READ._replace(stat="delivrd")),
        (STRAIGHT.replace("2611221001", "261122100159"), READ._replace(done_date="261122100159")),
        (STRAIGHT.replace("2611221001", "202611221001"), READ._replace(done_date="202611221001")),
        (STRAIGHT.replace("2611221001", "20261122100159"), READ._replace(done_date="20261122100159")),
        (STRAIGHT.replace("2611221001", "261122100100004+"), READ._replace(done_date="261122100100004+")),
        (
            STRAIGHT.replace("2611221001", "2026-11-22 10:01:59"),
            READ._replace(done_date="2026-11-22 10:01:59"),
        ),
        (STRAIGHT.replace("2611221001", ""), READ._replace(done_date="")),
        (STRAIGHT.upper(), READ._replace(text="HELLO")),
        (STRAIGHT.replace("submit date", "submitdate").replace("done date", "donedate"), READ),
        (STRAIGHT.replace("submit date", "submit_date").replace("done date", "Done_Date"), READ),
        (STRAIGHT.replace("submit date", "Submit Date").replace("done date", "Done-Date"), READ),
        (STRAIGHT.replace(":", ": "), READ._replace(text=" Hello")),
        (STRAIGHT.replace(":", " :"), READ),
        (STRAIGHT.replace(" ", "  ").replace("  date", " date"), READ),
        (STRAIGHT.replace(" sub", ", sub").replace(" done", ", done").replace(" err", ";err"), READ),
        (STRAIGHT.replace(" sub:001 dlvrd:001", ""), READ._replace(sub="", dlvrd="")),
        (STRAIGHT.replace("sub:001 dlvrd:001", "sub:000 dlvrd:000"), READ._replace(sub="000", dlvrd="000")),
        (STRAIGHT.replace(" text:", " IMSI:310150123456789 msc:12065550100 text:"), READ),
        (STRAIGHT.replace(" stat:", " mccmnc:310260 stat:"), READ),
        (
            f"stat:DELIVRD err:000 {DATES} dlvrd:001 sub:001 id:0123456789 text:Hello",
            READ,
        ),
        (
            f"{COUNTS} text:Hello {DATES} stat:DELIVRD err:000",
            READ,
        ),
        ("id:7 stat:UNDELIV", Receipt("7", "", "", "", "", "UNDELIV", "", "")),
        (
            "id:7 stat:UNDELIV text:Your order id: 9",
            Receipt("7", "", "", "", "", "UNDELIV", "", "Your order id: 9"),
        ),
        (
            "stat:UNDELIV err:001 text:order id: 9",
            Receipt("", "", "", "", "", "UNDELIV", "001", "order id: 9"),
        ),
        ("id:7 done date:2611221001 err:000", Receipt("7", "", "", "", "2611221001", "", "000", "")),
        ("\n id:7\nsub:001\nstat:EXPIRED\n", Receipt("7", "001", "", "", "", "EXPIRED", "", "")),
    ],
)
def test_a_receipt_says_what_is_written_in_it(text: str, receipt: Receipt) -> None:
    assert parse_receipt(text) == receipt
    assert parse_receipt(text.encode("latin-1")) == receipt


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hello",
        "362d9701 2",
        "ACK/",
        "id:5",
        "stat:DELIVRD",
        "id:5 text:hello",
        "sub:001 dlvrd:001",
        "paid:5 thermostat:on",
        "My id is 5, and my stat is fine",
        "submit date:2611221000 done date:2611221001 err:000",
        "text:id: 5 stat: 6",
    ],
)
def test_another_text_is_no_receipt(text: str) -> None:
    assert parse_receipt(text) is None


@given(
    st.text(max_size=200)
    | st.lists(
        st.sampled_from(
            [
                "id:",
                "sub:",
                "dlvrd:",
                "submit date:",
                "done date:",
                "stat:",
                "err:",
                "text:",
                " ",
                "DELIVRD",
                "5",
                "\0",
                "é",
            ]
        ),
        max_size=30,
    ).map("".join)
)
@settings(max_examples=400, deadline=None, derandomize=True)
def test_reading_any_text_raises_nothing(text: str) -> None:
    receipt = parse_receipt(text)
    assert receipt is None or isinstance(receipt.message_state, MessageState)


@pytest.mark.parametrize(
    "filling", [" ", " ,", "a", " a", "id:", "id: ", "submit ", "text:", "\0", "stat:x "]
)
@pytest.mark.parametrize("label", ["", "id:5 stat:", "id:5 done date:", "id:5 stat:DELIVRD text:"])
def test_a_text_of_64_kib_costs_no_more_than_its_length(label: str, filling: str) -> None:
    parse_receipt((label + filling * 65_535)[:65_535])  # with anything quadratic this would run for minutes


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


def test_the_text_of_a_receipt_does_not_end_in_half_a_character() -> None:
    written = format_receipt(
        b"42", submit_date=b"", done_date=b"", state=MessageState.DELIVERED, text=b"a" * 19 + b"\x1be"
    )
    assert written.endswith(b"text:" + b"a" * 19)


def test_dates_are_written_to_the_minute_in_the_zone_they_have() -> None:
    assert receipt_date(datetime.fromisoformat("2026-01-02T03:04:59+05:30")) == b"2601020304"


@pytest.mark.parametrize(
    ("stat", "state", "class_"),
    [
        ("DELIVRD", MessageState.DELIVERED, "delivered"),
        ("DELIVERD", MessageState.DELIVERED, "delivered"),
        ("delivered", MessageState.DELIVERED, "delivered"),
        ("ENROUTE", MessageState.ENROUTE, "pending"),
        ("ACCEPTD", MessageState.ACCEPTED, "pending"),
        ("Accepted", MessageState.ACCEPTED, "pending"),
        ("SCHEDULED", MessageState.SCHEDULED, "pending"),
        ("EXPIRED", MessageState.EXPIRED, "temporary"),
        ("UNDELIV", MessageState.UNDELIVERABLE, "temporary"),
        ("UNDELIVERABLE", MessageState.UNDELIVERABLE, "temporary"),
        ("FAILED", MessageState.UNDELIVERABLE, "temporary"),
        ("DELETED", MessageState.DELETED, "permanent"),
        ("REJECTD", MessageState.REJECTED, "permanent"),
        ("rejected", MessageState.REJECTED, "permanent"),
        ("SKIPPED", MessageState.SKIPPED, "permanent"),
        ("UNKNOWN", MessageState.UNKNOWN, "unknown"),
        ("0", MessageState.UNKNOWN, "unknown"),
        ("", MessageState.UNKNOWN, "unknown"),
        ("VENDORX", MessageState.UNKNOWN, "unknown"),
    ],
)
def test_a_stat_word_has_a_state_and_a_class(stat: str, state: MessageState, class_: str) -> None:
    assert state_of_stat(stat) is state
    assert READ._replace(stat=stat).message_state is state
    assert receipt_class(stat) == class_


@pytest.mark.parametrize("state", [state for state in MessageState if state is not MessageState.SCHEDULED])
def test_every_state_but_scheduled_is_read_back_from_its_word(state: MessageState) -> None:
    assert len(STAT_OF_STATE[state]) == 7
    assert state_of_stat(STAT_OF_STATE[state]) is state


def test_scheduled_is_told_as_enroute() -> None:
    assert STAT_OF_STATE[MessageState.SCHEDULED] == "ENROUTE"
    assert set(STAT_OF_STATE) == set(MessageState)
