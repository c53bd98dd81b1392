"""Brands, campaigns, numbers and pools go together, or the configuration is refused."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from smppgw.config import check

TIERS = Path(__file__).parents[1] / "config" / "tiers" / "us-10dlc.toml"
PEERS = """
[gateway]
data_dir = "data"
[[carrier]]
name = "one"
host = "smsc.example.net"
system_id = "us"
password = "secret"
"""
ESME = '[[esme]]\nsystem_id = "acme"\npassword = "secret"\n'
BRAND = '[[brand]]\nid = "b"\n'
FIRST, SECOND, THIRD = "+12065550100", "+12065550101", "+12065550102"

ProblemsOf = Callable[[str], list[str]]


def campaign(name: str, *numbers: str, brand: str = "b", more: str = "") -> str:
    """A `[[campaign]]`."""
    return f'[[campaign]]\nid = "{name}"\nbrand = "{brand}"\nnumbers = {list(numbers)}\n{more}\n'


def pool(name: str, *numbers: str, campaign: str = "c") -> str:
    """A `[[pool]]`."""
    return f'[[pool]]\nname = "{name}"\ncampaign = "{campaign}"\nnumbers = {list(numbers)}\n'


@pytest.fixture
def problems_of(tmp_path: Path) -> ProblemsOf:
    def problems_of(tables: str) -> list[str]:
        path = tmp_path / "smppgw.toml"
        esme = "" if "[[esme]]" in tables else ESME
        path.write_text(f"{PEERS}{esme}{tables}", encoding="utf-8")
        return [str(problem).removeprefix(f"{path}: ") for problem in check(path)]

    return problems_of


# Campaigns.


def test_a_number_belongs_to_one_campaign(problems_of: ProblemsOf) -> None:
    once = 'has 12065550100, which "c" has; expected a number in one campaign'
    for number in (FIRST, "12065550100", "2065550100"):
        assert problems_of(BRAND + campaign("c", FIRST) + campaign("d", number)) == [
            f'[[campaign]] "d": numbers: {once}'
        ]


def test_a_campaign_has_a_number_once(problems_of: ProblemsOf) -> None:
    assert problems_of(BRAND + campaign("c", FIRST, SECOND, "2065550100")) == [
        '[[campaign]] "c": numbers: has a number twice; expected each once'
    ]


def test_a_campaign_is_of_a_brand_that_is_there(problems_of: ProblemsOf) -> None:
    assert problems_of(campaign("c", FIRST)) == [
        '[[campaign]] "c": brand: names "b"; expected the id of a [[brand]]'
    ]


def test_more_than_49_numbers_need_a_pool(problems_of: ProblemsOf) -> None:
    numbers = [f"+120655501{place:02}" for place in range(50)]
    assert problems_of(BRAND + campaign("c", *numbers[:49])) == []
    tables = BRAND + campaign("c", *numbers)
    assert problems_of(tables) == [
        '[[campaign]] "c": numbers: has 50 numbers; expected at most 49, or a [[pool]] of this campaign'
    ]
    assert problems_of(tables + pool("west")) == []


def test_the_table_of_tiers_says_how_many_numbers_a_campaign_may_have(
    problems_of: ProblemsOf, tmp_path: Path
) -> None:
    (tmp_path / "tiers.toml").write_text("[campaigns]\nnumbers = 1\nsource = 's'\n")
    limits = "[limits]\ntiers = 'tiers.toml'\n"
    assert problems_of(limits + BRAND + campaign("c", FIRST)) == []
    (problem,) = problems_of(limits + BRAND + campaign("c", FIRST, SECOND))
    assert "has 2 numbers; expected at most 1" in problem


# Sole proprietors.

BY_TIER = f'[limits]\ntiers = "{TIERS}"\n{BRAND}tier = "sole_proprietor"\n'
BY_CLASS = f'[limits]\ntiers = "{TIERS}"\n{BRAND}'


@pytest.mark.parametrize(("brand", "class_"), [(BY_TIER, ""), (BY_CLASS, "class = 'W'")])
def test_a_sole_proprietor_has_one_campaign_with_one_number(
    problems_of: ProblemsOf, brand: str, class_: str
) -> None:
    assert problems_of(brand + campaign("c", FIRST, more=class_)) == []
    second = 'has 12065550101 beside 12065550100, and "b" is a sole proprietor; expected one number'
    assert problems_of(brand + campaign("c", FIRST, SECOND, more=class_)) == [
        f'[[campaign]] "c": numbers: {second}'
    ]
    assert problems_of(brand + campaign("c", FIRST, more=class_) + campaign("d", SECOND)) == [
        '[[campaign]] "d": brand: is "b", a sole proprietor with the campaign "c"; expected one campaign'
    ]


# Pools.

CAMPAIGNS = BRAND + campaign("c", FIRST, SECOND) + campaign("d", THIRD) + campaign("empty")


def test_a_pool_is_of_numbers_of_its_campaign(problems_of: ProblemsOf) -> None:
    assert problems_of(CAMPAIGNS + pool("west", FIRST) + pool("east")) == []


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        (pool("west", campaign="x"), 'campaign: names "x"; expected the id of a [[campaign]]'),
        (
            pool("west", campaign="empty"),
            'campaign: names "empty", which has no numbers; expected one that has some',
        ),
        (pool("west", THIRD), 'numbers: has 12065550102; expected numbers of the campaign "c"'),
        (pool("west", FIRST, FIRST), "numbers: has a number twice; expected each once"),
        (pool("west") + pool("west"), "name: stands twice; expected one [[pool]] of a name"),
        (pool("d"), "name: is the id of a [[campaign]]; expected a name that nothing else has"),
        (
            pool("2065550102"),
            "name: is a number of the configuration; expected a name that nothing else has",
        ),
        (
            pool("72345") + '[[number]]\nnumber = "72345"\n',
            "name: is a number of the configuration; expected a name that nothing else has",
        ),
        (pool("p" * 21), "name: has 21 characters; expected 1 to 20 printable ASCII characters"),
    ],
)
def test_a_pool_that_cannot_be_is_told(problems_of: ProblemsOf, table: str, problem: str) -> None:
    (found,) = problems_of(CAMPAIGNS + table)
    assert found.startswith("[[pool]] ")
    assert found.endswith(problem)


# Numbers, and who may use them.


def test_a_number_stands_once(problems_of: ProblemsOf) -> None:
    number = '[[number]]\nnumber = "{}"\n'
    assert problems_of(number.format(FIRST) + number.format("2065550100")) == [
        '[[number]] "2065550100": number: stands twice; expected one [[number]] of a name'
    ]


def test_only_a_toll_free_number_is_verified(problems_of: ProblemsOf) -> None:
    number = '[[number]]\nnumber = "{}"\nverified = true\n'
    assert problems_of(number.format("+18335550100")) == []
    assert problems_of(number.format(FIRST) + 'type = "toll_free"\n') == []
    (problem,) = problems_of(number.format(FIRST))
    assert problem.startswith(
        '[[number]] "12065550100": verified: is true, and the number is not toll-free; '
    )


def test_an_application_sends_for_campaigns_that_are_there(problems_of: ProblemsOf) -> None:
    assert problems_of(f'{ESME}campaigns = ["c"]\n{CAMPAIGNS}') == []
    assert problems_of(f'{ESME}campaigns = ["c", "x"]\n{CAMPAIGNS}') == [
        '[[esme]] "acme": campaigns: names "x"; expected the id of a [[campaign]]'
    ]


# Tiers and classes.

LOW = '[[brand]]\nid = "b"\ntier = "low"\n'
CLASS_A = campaign("c", FIRST, more="class = 'A'")


def test_a_tier_and_a_class_are_of_the_table(problems_of: ProblemsOf, tmp_path: Path) -> None:
    table = tmp_path / "tiers.toml"
    table.write_text(
        "[[tier]]\nname = 'top'\nsegments_per_day = 1\nsource = 's'\n"
        "[[class]]\nname = 'B'\nsegments_per_minute = 1\nscope = 'campaign'\nsource = 's'\n"
    )
    assert problems_of("[limits]\ntiers = 'tiers.toml'\n" + LOW + CLASS_A) == [
        f'[[brand]] "b": tier: is "low"; expected a [[tier]] of {table}: top',
        f'[[campaign]] "c": class: is "A"; expected a [[class]] of {table}: B',
    ]


def test_a_tier_and_a_class_need_a_table_or_a_figure(problems_of: ProblemsOf) -> None:
    expected = "of no table; expected [limits] tiers to name a table that has it, or"
    assert problems_of(LOW + CLASS_A) == [
        f'[[brand]] "b": tier: is "low" {expected} segments_per_day',
        f'[[campaign]] "c": class: is "A" {expected} segments_per_minute',
    ]
    with_figures = f"{LOW}segments_per_day = 7\n{CLASS_A}segments_per_minute = 7\n"
    assert problems_of(with_figures) == []


def test_a_table_of_tiers_that_cannot_be_read_is_one_problem(problems_of: ProblemsOf) -> None:
    (problem,) = problems_of("[limits]\ntiers = 'none.toml'\n" + LOW + CLASS_A)
    assert problem.endswith("none.toml: cannot be read: No such file or directory")


def test_a_hundred_thousand_numbers_are_checked_in_seconds(problems_of: ProblemsOf) -> None:
    tables = [f'[limits]\ntiers = "{TIERS}"\n', BRAND]
    for place in range(2_100):
        numbers = [f"+1206{number:07}" for number in range(place * 48, place * 48 + 48)]
        tables.append(campaign(f"c{place}", *numbers, more="class = 'A'"))
    text = "".join(tables)
    began = time.process_time()
    assert problems_of(text) == []
    assert time.process_time() - began < 3
