"""Log lines are JSON, bounded, and hold nothing personal."""

from __future__ import annotations

import io
import json
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from smppgw import logs
from smppgw.logs import ADDRESS_FIELDS, SECRET_FIELDS, Redactor

NUMBER = "+12065550147"


class Lines:
    """What was logged."""

    def __init__(self) -> None:
        self.file = io.StringIO()

    def configure(self, level: logs.Level = "info", *, human: bool = False) -> Any:
        logs.configure(level, human=human, file=self.file)
        return structlog.get_logger()

    @property
    def text(self) -> str:
        return self.file.getvalue()

    def json(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture
def lines() -> Iterator[Lines]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    yield Lines()
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


def redacted(**fields: object) -> dict[str, Any]:
    return dict(Redactor(b"a key")(None, "info", {"event": "tested", **fields}))


# Lines.


def test_a_line_is_json_with_time_level_event_and_fields(lines: Lines) -> None:
    lines.configure().info("bind_ok", system_id="acme", binds=2)
    (line,) = lines.json()
    written = datetime.fromisoformat(line.pop("timestamp"))
    assert written.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - written) < timedelta(minutes=1)
    assert line == {"event": "bind_ok", "level": "info", "system_id": "acme", "binds": 2}


def test_levels_below_the_one_set_are_not_written(lines: Lines) -> None:
    log = lines.configure("warning")
    log.info("quiet")
    log.warning("loud")
    assert [line["event"] for line in lines.json()] == ["loud"]


def test_a_person_gets_key_and_value(lines: Lines) -> None:
    lines.configure(human=True).info("bind_ok", system_id="acme", source_addr=NUMBER)
    assert re.fullmatch(
        r"\S+Z \[info     \] bind_ok +source_addr=1\*47#[0-9a-f]{8} system_id=acme\n", lines.text
    )


def test_lines_go_to_stderr(lines: Lines) -> None:
    script = (
        "import structlog; from smppgw import logs; logs.configure(); structlog.get_logger().info('here')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == ""
    assert json.loads(done.stderr)["event"] == "here"


@pytest.mark.parametrize("human", [False, True])
def test_a_traceback_is_part_of_the_line_and_hides_numbers(lines: Lines, human: bool) -> None:
    log = lines.configure(human=human)
    try:
        int(f"number {NUMBER}")
    except ValueError:
        log.exception("failed")
    assert "Traceback" in lines.text
    assert "'number 1*47#" in lines.text
    assert NUMBER[1:] not in lines.text


@pytest.mark.parametrize("human", [False, True])
def test_what_asyncio_warns_of_is_a_line_too(lines: Lines, human: bool) -> None:
    lines.configure(human=human)
    logging.getLogger("asyncio").warning("task for %s was destroyed", NUMBER)
    assert "task for 1*47#" in lines.text
    if not human:
        (line,) = lines.json()
        assert (line["level"], line["logger"]) == ("warning", "asyncio")


def test_configuring_again_does_not_write_twice(lines: Lines) -> None:
    lines.configure()
    lines.configure()
    logging.getLogger("asyncio").warning("once")
    assert len(lines.json()) == 1


# Redaction.


@pytest.mark.parametrize("field", sorted(ADDRESS_FIELDS))
@pytest.mark.parametrize(
    "value", [NUMBER, NUMBER[1:], NUMBER.encode(), int(NUMBER), [NUMBER], {"ton": NUMBER}]
)
def test_an_address_is_masked_whatever_carries_it(field: str, value: object) -> None:
    shown = str(redacted(**{field: value}))
    assert re.search(r"1\*47#[0-9a-f]{8}", shown)
    assert "2065550" not in shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+12065550147", "1*47"),
        ("447700900123", "44*23"),
        ("2065550147", "20*47"),
        ("5550147", "*47"),
        ("24273", "*73"),
        ("tel:+1-206-555-0147", "1*47"),
    ],
)
def test_a_number_is_shown_by_country_and_two_digits(number: str, shown: str) -> None:
    assert redacted(number=number)["number"].partition("#")[0] == shown


def test_a_number_has_the_same_hash_however_it_is_written_and_another_has_another() -> None:
    assert redacted(number=NUMBER) == redacted(number=NUMBER[1:].encode())
    assert redacted(number="+12065550147") != redacted(number="+12065551147")


def test_the_hash_needs_the_key() -> None:
    assert Redactor(b"one").mask(NUMBER) != Redactor(b"two").mask(NUMBER)


def test_a_sender_of_letters_is_shown() -> None:
    assert redacted(source_addr="ACME 24")["source_addr"] == "ACME 24"


@pytest.mark.parametrize("field", sorted(SECRET_FIELDS))
@pytest.mark.parametrize("value", ["hunter2", b"hunter2", ["hunter2"], {"a": "hunter2"}])
def test_a_secret_is_not_shown(field: str, value: object) -> None:
    assert redacted(**{field: value})[field] == "[hidden]"


def test_a_secret_inside_a_field_is_not_shown_either() -> None:
    assert redacted(bind={"system_id": "acme", "password": "hunter2", "address": NUMBER})["bind"] == {
        "system_id": "acme",
        "password": "[hidden]",
        "address": redacted(address=NUMBER)["address"],
    }


@pytest.mark.parametrize("field", ["error", "reason", "event"])
def test_a_number_in_a_sentence_is_masked(field: str) -> None:
    assert re.fullmatch(r"to 1\*47#[0-9a-f]{8} in 30 s", redacted(**{field: f"to {NUMBER} in 30 s"})[field])


def test_a_number_is_masked_wherever_a_peer_writes_it() -> None:
    shown = redacted(system_id=NUMBER, mode=f"as {NUMBER}", names=[NUMBER], inner={"system_type": NUMBER})
    assert NUMBER[1:] not in str(shown)
    assert shown["system_id"] == redacted(number=NUMBER)["number"]


def test_a_number_is_masked_before_a_long_field_is_cut() -> None:
    assert "206" not in redacted(system_id="x" * 58 + NUMBER)["system_id"]


def test_32_bits_in_hexadecimal_are_no_telephone_number() -> None:
    for line in (
        "command_length is 0x31323334; allowed: 16 to 70000 octets",
        "command_id 0x00000022 is unknown",
    ):
        assert redacted(error=line)["error"] == line


def test_what_a_peer_wrote_is_cut() -> None:
    assert redacted(system_id="x" * 1_000)["system_id"] == "x" * 64
    assert redacted(system_id=b"x" * 1_000)["system_id"] == "x" * 64


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("a\r\nfake", r"a\r\nfake"),
        ("\x1b[31mred", r"\x1b[31mred"),
        (b"\x00\xff", r"\x00ÿ"),
        ("\u202eback", r"\u202eback"),
        ("\ud800", r"\ud800"),
        ("Zoë", "Zoë"),
    ],
)
def test_control_characters_are_escaped(written: object, shown: str) -> None:
    assert redacted(system_id=written)["system_id"] == shown


def test_a_peer_cannot_begin_a_line_of_its_own(lines: Lines) -> None:
    lines.configure(human=True).info("bind_refused", system_id="x\n2026-01-01T00:00:00Z [info] bind_ok")
    assert lines.text.count("\n") == 1


def test_numbers_flags_and_nothing_stay_what_they_are() -> None:
    assert redacted(count=7, rate=0.5, ready=True, lane=None) == {
        "event": "tested",
        "count": 7,
        "rate": 0.5,
        "ready": True,
        "lane": None,
    }


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=80) | st.binary(max_size=80),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(ADDRESS_FIELDS | SECRET_FIELDS | {"system_id", "error"})), ANYTHING)
def test_any_field_becomes_one_line_of_json(field: str, value: object) -> None:
    line = json.dumps(redacted(**{field: value}))
    assert "\n" not in line


@given(st.sampled_from(sorted(ADDRESS_FIELDS)), st.from_regex(r"\+?[1-9][0-9]{6,14}", fullmatch=True))
def test_no_more_than_two_digits_at_either_end_of_a_number_are_shown(field: str, number: str) -> None:
    shown = redacted(**{field: number})[field]
    assert sum(character.isdecimal() for character in shown.partition("#")[0]) <= 4
