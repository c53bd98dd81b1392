"""Estimates of how long it takes until what waits has left."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.drain_time import DAY_SECONDS, Shares, over_days


def test_who_has_little_waiting_need_not_wait_for_who_has_much() -> None:
    assert Shares([1, 100_000]).before_end_of(1) == 2
    assert Shares([1, 100_000]).before_end_of(100_000) == 100_001


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.lists(st.integers(1, 12), min_size=1, max_size=8))
def test_shares_are_those_of_taking_turns(waiting: list[int]) -> None:
    left = list(waiting)
    gone = 0
    ends = [0] * len(left)
    while any(left):
        for place, own in enumerate(left):
            if own:
                left[place] -= 1
                gone += 1
                ends[place] = gone
    shares = Shares(waiting)
    for own, end in zip(waiting, ends, strict=True):
        # In the last round those behind it in turn are counted too.
        assert 0 <= shares.before_end_of(own) - end < len(waiting)


def test_what_fits_into_the_day_takes_as_long_as_its_rate_says() -> None:
    assert over_days(30, 100, left=100, per_day=2000, day_left_seconds=10) == 30


def test_what_does_not_fit_waits_for_the_next_day() -> None:
    assert over_days(100, 200, left=100, per_day=2000, day_left_seconds=3600) == 3600 + 50


def test_several_days_are_waited_for_where_it_takes_several() -> None:
    seconds = over_days(5001, 5001, left=1000, per_day=2000, day_left_seconds=3600)
    assert seconds == 3600 + 2 * DAY_SECONDS + 1


@pytest.mark.parametrize(("segments", "days"), [(2000, 0), (2001, 1), (4000, 1), (4001, 2)])
def test_a_day_takes_its_whole_cap(segments: int, days: int) -> None:
    seconds = over_days(0, segments, left=0, per_day=2000, day_left_seconds=60)
    assert seconds == 60 + days * DAY_SECONDS


def test_a_rate_that_is_slower_than_the_cap_decides() -> None:
    assert over_days(10 * DAY_SECONDS, 200, left=100, per_day=2000, day_left_seconds=3600) == 10 * DAY_SECONDS
