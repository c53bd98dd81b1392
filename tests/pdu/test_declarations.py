"""The declarations say what the specification as data says, but for the exceptions that are listed here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smppgw.pdu.declarations import COMMANDS
from smppgw.pdu.fields import (
    COctetString,
    Command,
    CountedItems,
    CountedOctets,
    Flagged,
    Integer,
    Named,
    Time,
)
from tests.pdu.samples import command_named

SPEC: dict[str, Any] = {
    entry["name"]: entry
    for entry in json.loads(
        (Path(__file__).parents[1] / "data" / "spec" / "commands.json").read_text(encoding="utf-8")
    )["commands"]
}
MOST_SENT = {
    ("submit_sm", "short_message"): 254,
    ("deliver_sm", "short_message"): 254,
    ("submit_multi", "short_message"): 254,
    ("replace_sm", "short_message"): 254,
    ("submit_multi", "dest_address"): 254,
}
"""What v3.4 bounds one lower than v5.0 is sent by the lower bound and read by the higher."""
LENIENT = {("query_sm_resp", "final_date")}
"""v3.3 peers report a time of other lengths there; read, never written."""
BODY_OPTIONAL = {"deliver_sm_resp"}
"""Real ESMEs answer with a header alone."""

every_command = pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)


def test_every_command_of_3_4_and_5_0_is_declared_once() -> None:
    names = [command.name for command in COMMANDS]
    assert len(names) == len(set(names))
    assert set(names) == {name for name, entry in SPEC.items() if entry["versions"] != ["3.3"]}


def declared(fields: Any) -> Iterator[tuple[Any, ...]]:
    """Each field as (name, kind, bounds, error_status), counts as the fields they are."""
    for field in fields:
        kind, name, status = field.subcon, field.name, field.subcon.status.name
        if isinstance(kind, Integer):
            yield name, f"int{kind.octets}", None, status
        elif isinstance(kind, Time):
            yield name, "coctet", [1, 17], status
        elif isinstance(kind, COctetString):
            yield name, "coctet", kind.bound, status
        elif isinstance(kind, CountedOctets):
            yield kind.count.name, "int1", None, status
            yield name, "octet", 255, status
        else:
            yield kind.count.name, "int1", kind.fewest, status
            yield name, "list", items_of(kind), "ESME_RINVCMDLEN"


def items_of(kind: CountedItems) -> Any:
    if isinstance(kind.item, Flagged):
        cases = {
            str(int(flag)): list(declared(struct.subcon.subcons)) for flag, struct in kind.item.kinds.items()
        }
        return kind.item.flag, kind.item.status.name, cases
    return list(declared(kind.item.subcon.subcons))


def specified(fields: Any) -> Iterator[tuple[Any, ...]]:
    for field in fields:
        name, kind, status = field["name"], field["type"], field.get("error_status", "ESME_RINVCMDLEN")
        if kind == "coctet":
            yield name, kind, field["sizes"] if field["mode"] == "fixed" else field["max"], status
        elif kind == "octet":
            yield name, kind, field["max"], status
        elif kind.startswith("int"):
            is_count = name in ("number_of_dests", "no_unsuccess")
            yield name, kind, field.get("min_value", 0) if is_count else None, status
        elif "switch" in field["item"]:
            item = field["item"]
            cases = {flag: list(specified(case)) for flag, case in item["cases"].items()}
            yield name, "list", (item["switch"], item["error_status"], cases), "ESME_RINVCMDLEN"
        else:
            yield name, "list", list(specified(field["item"]["fields"])), "ESME_RINVCMDLEN"


@every_command
def test_a_command_has_the_specified_fields_in_order_with_their_bounds_and_statuses(command: Command) -> None:
    assert list(declared(command.fields)) == list(specified(SPEC[command.name].get("fields", [])))


def test_what_we_send_is_bounded_lower_only_where_it_is_listed() -> None:
    lower = {
        (command.name, field.name): field.subcon.most_sent
        for command in COMMANDS
        for field in command.fields
        if isinstance(field.subcon, CountedOctets | CountedItems) and field.subcon.most_sent < 255
    }
    assert lower == MOST_SENT


def test_a_time_is_read_leniently_only_where_it_is_listed() -> None:
    def is_lenient(field: Named) -> bool:
        return isinstance(field.subcon, Time) and bool(field.subcon.lenient)

    assert {(c.name, field.name) for c in COMMANDS for field in c.fields if is_lenient(field)} == LENIENT


def test_a_body_may_be_left_out_only_where_it_is_listed() -> None:
    assert {command.name for command in COMMANDS if command.body_optional} == BODY_OPTIONAL


def test_every_request_has_its_response_and_the_3_3_commands_are_unknown() -> None:
    for name in command_named:
        response = SPEC[name].get("response")
        assert response is None or response in command_named
    assert "param_retrieve" not in command_named
