"""What writing both functions has in common."""

from __future__ import annotations

import pytest

from smppgw.pdu.codegen_functions import class_name, fused, id_of, split, wrapped
from smppgw.pdu.fields import Int1, Time
from tests.pdu.samples import command_named


def test_names_are_made_from_the_specification_s() -> None:
    assert class_name(command_named["submit_sm_resp"]) == "SubmitSmResp"
    assert id_of(command_named["submit_sm_resp"]) == "0x80000004"


@pytest.mark.parametrize(
    ("kinds", "layout", "first"),
    [
        ([Int1()] * 3, "3B", 3),
        ([Int1(), Time(), Time(), Int1(), Int1()], "B2x2B", 1),
        ([Time(), Int1()], "xB", 0),
    ],
)
def test_a_run_is_fused_as_if_its_times_were_empty(kinds: list[object], layout: str, first: int) -> None:
    run = [f"field_{number}" / kind for number, kind in enumerate(kinds)]
    assert fused(run) == layout
    assert split(run) == (run[:first], run[first:])


def test_a_list_stays_on_one_line_where_it_fits() -> None:
    assert wrapped(4, "f(", ["a", "b"], ")") == ["    f(a, b)"]


def test_a_list_too_long_has_one_line_for_each_item() -> None:
    items = [f"argument_{number:030}" for number in range(4)]
    assert wrapped(0, "f(", items, ")") == ["f(", *(f"    {item}," for item in items), ")"]
    assert wrapped(0, "f((", items, "))") == [
        "f(",
        "    (",
        *(f"        {item}," for item in items),
        "    )",
        ")",
    ]
