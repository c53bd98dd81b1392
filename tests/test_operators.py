"""Numbers are T-Mobile's, or another operator's, or nobody knows."""

from __future__ import annotations

import tracemalloc

import pytest

from smppgw.operators import Operators, OperatorsError


def test_the_longest_beginning_that_fits_decides() -> None:
    operators = Operators(["+1206555,t-mobile", "+12065550199,verizon", "1206,att"])
    assert operators.is_t_mobile("12065550198") is True
    assert operators.is_t_mobile("12065550199") is False
    assert operators.is_t_mobile("12066660000") is False
    assert len(operators) == 3


@pytest.mark.parametrize("number", ["12076660000", "1206", "", "ACME", "+12065550100"])
def test_what_is_not_in_the_file_is_not_known(number: str) -> None:
    assert Operators(["1206555,t-mobile"]).is_t_mobile(number) is None
    assert Operators([]).is_t_mobile(number) is None


@pytest.mark.parametrize(
    ("name", "is_t_mobile"),
    [
        ("t-mobile", True),
        ("T-Mobile", True),
        ("tmobile", True),
        ("T Mobile USA", True),
        ("Metro", True),
        ("METRO by T-Mobile", True),
        ("sprint", True),
        ("Verizon", False),
        ("us cellular", False),
        ("at&t", False),
    ],
)
def test_names_of_t_mobile_are_known_however_they_are_written(name: str, is_t_mobile: bool) -> None:
    assert Operators([f"1206,{name}"]).is_t_mobile("12065550100") is is_t_mobile


def test_comments_spaces_and_empty_lines_are_left_out() -> None:
    operators = Operators(["# a list\n", "\n", "  +1206 , sprint  # was 1207\r\n", "\t\n"])
    assert len(operators) == 1
    assert operators.is_t_mobile("12065550100") is True


def test_a_whole_number_may_stand_without_its_1() -> None:
    assert Operators(["2065550100,sprint"]).is_t_mobile("12065550100") is True


@pytest.mark.parametrize(
    "line",
    [
        "1206",
        "1206,",
        ",sprint",
        "1206,a,b",
        "1206x,sprint",
        "++1206,sprint",
        "1206;sprint",
        "1" * 16 + ",att",
    ],
)
def test_any_other_line_is_told_with_its_place(line: str) -> None:
    with pytest.raises(OperatorsError, match=r"^line 3: is .*; expected such as"):
        Operators(["# numbers", "1207,att", line])


def test_a_beginning_is_of_one_operator() -> None:
    assert len(Operators(["1206,att", "+1206,verizon", "1207,sprint", "1207,metro"])) == 2
    with pytest.raises(
        OperatorsError, match=r"^1206: is T-Mobile's and another operator's; expected one of them$"
    ):
        Operators(["1206,sprint", "1205,att", "+1206,verizon"])


def test_an_entry_takes_little_more_than_eight_octets() -> None:
    tracemalloc.start()
    try:
        operators = Operators(f"+1206{number:07},att" for number in range(50_000))
        assert tracemalloc.get_traced_memory()[0] < 50_000 * 10
    finally:
        tracemalloc.stop()
    assert operators.is_t_mobile("12060049999") is False
