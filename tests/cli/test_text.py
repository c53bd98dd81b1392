from __future__ import annotations

from pathlib import Path

import pytest

from smppgw.pdu.segments import segment_text
from tests.cli.run import run

RECEIPT = (
    "id:0123456789 sub:001 dlvrd:001 submit date:2611221000 done date:2611221001 stat:DELIVRD err:000 text:Hi"
)


def test_a_text_is_shown_as_it_would_be_sent() -> None:
    done = run("segments", "--json", "Hello")
    assert (done.status, done.err) == (0, "")
    assert done.objects == [
        {"data_coding": 0, "characters": 5, "octets": 5, "segments": 1, "parts": ["48656c6c6f"]}
    ]


@pytest.mark.parametrize("text", ["€" * 200, "在家" * 60, "", "x" * 161])
def test_the_parts_are_those_of_the_segmenter(text: str) -> None:
    expected = segment_text(text)
    [shown] = run("segments", "--json", text).objects
    assert shown["parts"] == [part.hex() for part in expected.parts]
    assert (shown["data_coding"], shown["octets"]) == (expected.data_coding, expected.octets)
    assert shown["segments"] == len(shown["parts"])


def test_stdin_gives_a_text_a_line_and_an_empty_line_is_an_empty_text() -> None:
    shown = run("segments", "--json", "-", stdin="a\n\n在\r\n".encode()).objects
    assert [found["characters"] for found in shown] == [1, 0, 1]


def test_octets_that_are_no_text_are_refused_and_the_next_line_is_read() -> None:
    done = run("segments", "--json", "-", stdin=b"\xff\nb\n")
    assert done.status == 1
    assert ["error" in found for found in done.objects] == [True, False]


def test_a_text_of_too_many_parts_is_one_line_on_stderr() -> None:
    done = run("segments", "x" * 40_000)
    assert (done.status, done.out) == (1, "")
    assert done.err == "smppgw: text: parts is 262; allowed: at most 255\n"


def test_for_people_the_segments_are_a_table() -> None:
    lines = [line.split() for line in run("segments", "Hi").out.splitlines()]
    assert lines == [
        ["data_coding", "0", "(gsm7)"],
        ["characters", "2"],
        ["octets", "2"],
        ["segments", "1"],
        ["part", "1", "4869"],
    ]


def test_a_receipt_is_shown_field_by_field() -> None:
    done = run("receipt", "--json", RECEIPT)
    assert (done.status, done.err) == (0, "")
    [shown] = done.objects
    assert list(shown) == [
        "id", "sub", "dlvrd", "submit_date", "done_date", "stat", "err", "text", "class",
    ]  # fmt: skip
    assert (shown["id"], shown["stat"], shown["class"], shown["text"]) == (
        "0123456789",
        "DELIVRD",
        "delivered",
        "Hi",
    )


def test_for_people_a_receipt_is_a_table() -> None:
    lines = [line.split() for line in run("receipt", RECEIPT).out.splitlines()]
    assert ["done_date", "2611221001"] in lines
    assert ["class", "delivered"] in lines


def test_for_people_the_class_is_said_in_words() -> None:
    lines = run("receipt", RECEIPT.replace("DELIVRD", "EXPIRED")).out.splitlines()
    assert lines[-2].split() == ["class", "expired"]
    assert lines[-1].strip() == "its validity ended before it could be delivered"


@pytest.mark.parametrize(
    ("text", "id_", "stat", "error_class"),
    [
        ("ACK/362d9701", "362d9701", "ACCEPTD", "pending"),
        ("16665550100;DELIVRD", "16665550100", "DELIVRD", "delivered"),
        ("362d9701 2", "362d9701", "2", "delivered"),
    ],
)
def test_a_receipt_in_no_known_form_is_made_out(text: str, id_: str, stat: str, error_class: str) -> None:
    [shown] = run("receipt", "--json", text).objects
    assert (shown["id"], shown["stat"], shown["class"]) == (id_, stat, error_class)


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    path = tmp_path / "carrier.toml"
    path.write_text("[[err]]\nerr = ['042']\nclass = 'opted_out'\nsource = 'the list'\n")
    return path


def test_a_profile_says_what_an_err_means(profile: Path) -> None:
    text = RECEIPT.replace("DELIVRD", "UNDELIV").replace("err:000", "err:42")
    [shown] = run("receipt", "--json", text).objects
    assert shown["class"] == "temporary"
    [shown] = run("receipt", "--json", "--profile", str(profile), text).objects
    assert shown["class"] == "opted_out"
    assert "no more messages are wanted (STOP)" in run("receipt", "--profile", str(profile), text).out


def test_a_profile_that_cannot_be_used_is_a_wrong_configuration(profile: Path) -> None:
    profile.write_text("[[err]]\nerr = ['1']\nclass = 'opted-out'\nsource = 's'\n")
    done = run("receipt", "--profile", str(profile), RECEIPT)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(
        f'smppgw: {profile}: [[err]] #1: class: is "opted-out"; expected "delivered" or '
    )
    missing = run("receipt", "--profile", f"{profile}.none", RECEIPT)
    assert (missing.status, missing.err.count("\n")) == (2, 1)


@pytest.mark.parametrize("text", ["See you at ten", "See you 2morrow", ""])
def test_what_is_no_receipt_is_one_line_on_stderr(text: str) -> None:
    done = run("receipt", text)
    assert (done.status, done.out) == (1, "")
    assert done.err.count("\n") == 1


def test_stdin_gives_a_receipt_a_line_and_an_error_names_its_line() -> None:
    done = run("receipt", "-", stdin=f"{RECEIPT}\nno\n".encode())
    assert done.status == 1
    assert done.err.startswith("smppgw: line 2: ")
    [_, shown] = run("receipt", "--json", "-", stdin=f"{RECEIPT}\nno\n".encode()).objects
    assert list(shown) == ["error"]
