"""A pool gives each recipient a number, always the same one, and moves no recipient without need."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from typing import Final

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from smppgw.settings import (
    AdminSettings,
    CampaignSettings,
    GatewaySettings,
    InboundSettings,
    LimitsSettings,
    ListenSettings,
    NumberSettings,
    PoolSettings,
    Settings,
    StoreSettings,
)
from smppgw.throttle.pools import Pools

NUMBERS: Final = tuple(f"1206555{place:04}" for place in range(49))
RECIPIENTS: Final = tuple(f"1415{place * 37 % 10_000_000:07}" for place in range(50_000))


def pools(
    *campaigns: CampaignSettings, pools: tuple[PoolSettings, ...] = (), numbers: tuple[str, ...] = ()
) -> Pools:
    """The pools of a configuration."""
    return Pools(
        Settings(
            gateway=GatewaySettings(),
            listen=ListenSettings(),
            admin=AdminSettings(),
            esmes=(),
            carriers=(),
            routes=(),
            brands=(),
            campaigns=campaigns,
            numbers=tuple(NumberSettings(number) for number in numbers),
            pools=pools,
            limits=LimitsSettings(),
            inbound=InboundSettings(),
            store=StoreSettings(),
        )
    )


def of(*numbers: str) -> Pools:
    """The campaign `c` with these numbers."""
    return pools(CampaignSettings("c", "b", numbers=numbers))


def picks(pool: Pools, name: str = "c") -> list[str | None]:
    return [pool.pick(name, recipient) for recipient in RECIPIENTS]


# What is a pool.


def test_a_campaign_s_id_stands_for_its_numbers() -> None:
    both = pools(
        CampaignSettings("c", "b", numbers=NUMBERS[:3]), CampaignSettings("d", "b", numbers=NUMBERS[3:5])
    )
    assert {both.pick("c", recipient) for recipient in RECIPIENTS[:200]} == set(NUMBERS[:3])
    assert {both.pick("d", recipient) for recipient in RECIPIENTS[:200]} == set(NUMBERS[3:5])


def test_a_pool_stands_for_those_of_its_campaign_s_numbers_that_it_names_or_all() -> None:
    some, all_ = PoolSettings("some", "c", NUMBERS[:2]), PoolSettings("all", "c")
    found = pools(CampaignSettings("c", "b", numbers=NUMBERS[:4]), pools=(some, all_))
    assert {found.pick("some", recipient) for recipient in RECIPIENTS[:200]} == set(NUMBERS[:2])
    assert {found.pick("all", recipient) for recipient in RECIPIENTS[:200]} == set(NUMBERS[:4])


@pytest.mark.parametrize("name", ["d", "", "empty", NUMBERS[0], "72345"])
def test_what_is_no_pool_gives_no_number(name: str) -> None:
    found = pools(
        CampaignSettings("c", "b", numbers=NUMBERS),
        CampaignSettings("empty", "b"),
        CampaignSettings(NUMBERS[0], "b", numbers=("12065559999",)),  # which is a number of the first
        CampaignSettings("72345", "b", numbers=("12065559998",)),
        numbers=("72345",),
    )
    assert found.pick(name, RECIPIENTS[0]) is None


def test_names_and_recipients_compare_as_addresses_do() -> None:
    found = pools(CampaignSettings("2065559999", "b", numbers=NUMBERS))
    number = found.pick("12065559999", "14155550100")
    assert number is not None
    for name in ("+12065559999", "2065559999"):
        for recipient in ("+14155550100", "4155550100"):
            assert found.pick(name, recipient) == number


# Which number.


def test_a_recipient_has_the_same_number_in_another_process() -> None:
    code = "from tests.throttle.test_pools import *; print(*picks(of(*NUMBERS))[:100])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == picks(of(*NUMBERS))[:100]


def test_a_recipient_has_the_same_number_whatever_the_order_and_the_form_of_numbers() -> None:
    reordered = [f"+{number}" if place % 2 else number[1:] for place, number in enumerate(reversed(NUMBERS))]
    assert picks(of(*reordered))[:1_000] == picks(of(*NUMBERS))[:1_000]


def test_the_numbers_of_a_pool_have_even_shares() -> None:
    shares = Counter(picks(of(*NUMBERS)))
    mean = len(RECIPIENTS) / len(NUMBERS)
    assert set(shares) == set(NUMBERS)
    assert 0.75 * mean <= min(shares.values()) <= max(shares.values()) <= 1.25 * mean


def test_when_a_number_goes_only_its_recipients_move() -> None:
    before, after = picks(of(*NUMBERS)), picks(of(*NUMBERS[:20], *NUMBERS[21:]))
    gone = NUMBERS[20]
    moved = {was for was, is_ in zip(before, after, strict=True) if was != is_}
    assert moved == {gone}
    new_ones = {is_ for was, is_ in zip(before, after, strict=True) if was == gone}
    assert len(new_ones) > len(NUMBERS) // 2, "they are not all with one other number"


@given(st.sets(st.sampled_from(NUMBERS), min_size=2, max_size=8), st.data())
@examples(max_examples=30, deadline=None, derandomize=True)
def test_when_a_number_comes_recipients_move_to_no_other(numbers: set[str], data: st.DataObject) -> None:
    new = data.draw(st.sampled_from(sorted(numbers)))
    before, after = of(*sorted(numbers - {new})), of(*sorted(numbers))
    for recipient in RECIPIENTS[:200]:
        is_ = after.pick("c", recipient)
        assert is_ in {before.pick("c", recipient), new}
