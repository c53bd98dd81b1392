from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from smppgw.throttle.day_cap import DayCap, day_ends, pacific_day
from smppgw.throttle.turns import Turns

LOS_ANGELES: Final = ZoneInfo("America/Los_Angeles")
SECOND: Final = timedelta(seconds=1)
TODAY: Final = date(2026, 11, 22).toordinal()


def utc(*moment: int) -> datetime:
    return datetime(*moment, tzinfo=UTC)  # type: ignore[misc,arg-type]


def cap_of(segments_per_day: int = 1_000, *, day: int = TODAY) -> DayCap:
    return DayCap(("brand",), segments_per_day, day)


def reserve(cap: DayCap, first: int = 0) -> int | None:
    """Let what is wanted be durable."""
    total = cap.wanted(first)
    if total is not None:
        cap.reserved_to(cap.day, total)
    return total


@pytest.mark.parametrize(
    ("begins", "ends", "hours"),
    [
        pytest.param(utc(2026, 11, 22, 8), utc(2026, 11, 23, 8), 24, id="in winter"),
        pytest.param(utc(2026, 7, 4, 7), utc(2026, 7, 5, 7), 24, id="in summer"),
        pytest.param(utc(2026, 3, 8, 8), utc(2026, 3, 9, 7), 23, id="when clocks go forward"),
        pytest.param(utc(2026, 11, 1, 7), utc(2026, 11, 2, 8), 25, id="when clocks go back"),
        pytest.param(utc(2026, 12, 31, 8), utc(2027, 1, 1, 8), 24, id="at the end of a year"),
    ],
)
def test_a_day_is_from_midnight_to_midnight_in_los_angeles(
    begins: datetime, ends: datetime, hours: int
) -> None:
    day = pacific_day(begins)
    assert begins.astimezone(LOS_ANGELES).date() == date.fromordinal(day)
    assert pacific_day(begins - SECOND) == day - 1
    assert day_ends(begins - SECOND) == begins
    for passed in range(hours * 60):
        assert pacific_day(begins + timedelta(minutes=passed)) == day
        assert day_ends(begins + timedelta(minutes=passed)) == ends
    assert pacific_day(ends - SECOND) == day
    assert pacific_day(ends) == day + 1
    assert ends - begins == timedelta(hours=hours)


def test_a_moment_of_any_time_zone_will_do() -> None:
    moment = datetime(2026, 11, 23, 16, 30, tzinfo=ZoneInfo("Asia/Tokyo"))
    assert pacific_day(moment) == date(2026, 11, 22).toordinal()
    assert day_ends(moment) == utc(2026, 11, 23, 8)


def test_nothing_may_leave_before_it_is_durable() -> None:
    cap = cap_of()
    assert (cap.room, cap.left) == (0, 1_000)
    assert cap.wanted() == 10
    assert cap.room == 0
    cap.reserved_to(TODAY, 10)
    assert (cap.room, cap.left) == (10, 1_000)


def test_the_next_piece_is_wanted_before_the_last_is_used_up() -> None:
    cap = cap_of()
    reserve(cap)
    cap.spend(4)
    assert cap.wanted() is None
    cap.spend(1)
    assert (cap.room, cap.wanted()) == (5, 15)


@pytest.mark.parametrize(
    ("segments_per_day", "piece"),
    [(1, 1), (3, 2), (250, 2), (1_000, 10), (6_000, 60), (200_000, 2_000), (5_000_000, 10_000)],
)
def test_what_is_reserved_and_not_used_is_never_more_than_a_piece(segments_per_day: int, piece: int) -> None:
    cap = cap_of(segments_per_day)
    used = 0
    while reserve(cap) is not None or cap.room:
        assert 0 < cap.room <= piece
        cap.spend(1)
        used += 1
        if used > 3_000:
            return
    assert used == segments_per_day


def test_a_message_larger_than_a_piece_gets_what_it_needs() -> None:
    cap = cap_of(200)
    reserve(cap)
    assert cap.room == 2
    assert reserve(cap, 7) == 7
    assert cap.room == 7
    assert cap.wanted(7) is None
    assert cap_of(5).wanted(7) == 5


def test_a_day_begins_with_nothing_used_and_nothing_reserved() -> None:
    cap = cap_of()
    reserve(cap)
    cap.spend(7)
    cap.begin(TODAY + 1)
    assert (cap.day, cap.used, cap.room, cap.left) == (TODAY + 1, 0, 0, 1_000)
    cap.reserved_to(TODAY, 20)
    assert cap.room == 0
    cap.reserved_to(TODAY + 1, 10)
    assert cap.room == 10


def test_days_do_not_go_back() -> None:
    cap = cap_of()
    reserve(cap)
    cap.spend(7)
    cap.begin(TODAY - 1)
    assert (cap.day, cap.used, cap.room) == (TODAY, 7, 3)


def test_nothing_leaves_of_a_day_that_is_closed() -> None:
    cap = cap_of()
    reserve(cap)
    cap.spend(6)
    cap.close()
    assert (cap.room, cap.wanted()) == (0, None)
    cap.reserved_to(TODAY, 20)
    assert cap.room == 0
    cap.begin(TODAY)
    assert cap.room == 14
    cap.close()
    cap.begin(TODAY + 1)
    assert (cap.room, cap.wanted()) == (0, 10)


def test_what_was_used_elsewhere_counts() -> None:
    cap = cap_of()
    reserve(cap)
    cap.count(995)
    assert (cap.room, cap.left, cap.wanted()) == (0, 5, 1_000)
    cap.count(50)
    assert (cap.room, cap.left, cap.wanted()) == (0, 0, None)


def test_a_smaller_cap_holds_at_once_and_a_larger_one_lets_more_leave() -> None:
    cap = cap_of()
    reserve(cap)
    cap.spend(4)
    cap.change(("brand",), 6)
    assert (cap.room, cap.left, cap.wanted()) == (2, 2, None)
    cap.change(("brand",), 3)
    assert (cap.room, cap.left, cap.wanted()) == (0, 0, None)
    cap.change(("brand", "other"), 2_000)
    assert (cap.room, cap.left, cap.name) == (6, 1_996, "brand, other")


def test_what_is_promised_is_not_promised_again() -> None:
    cap = cap_of(10)
    assert cap.promise(6)
    assert not cap.promise(5)
    assert cap.promise(4)
    assert not cap.promise(1)


def test_a_promise_that_was_not_kept_is_forgotten() -> None:
    cap = cap_of(10)
    assert cap.promise(6)
    cap.forget_promises()
    assert not cap.promise(5)
    assert cap.promise(1)
    cap.forget_promises()
    assert cap.promised == 1
    cap.forget_promises()
    assert cap.promised == 0


def test_a_promise_is_over_when_it_is_kept() -> None:
    cap = cap_of(10)
    assert cap.promise(6)
    cap.reserved_to(cap.day, 10)
    cap.spend(6)
    assert cap.promised == 0
    assert cap.promise(4)
    assert not cap.promise(1)


def test_nothing_is_promised_while_lanes_wait_for_the_next_day() -> None:
    cap = cap_of(10)
    turns: Turns[Any] = Turns()
    cap.waiting = turns
    assert cap.promise(1), "they wait for the next piece"
    cap.reserved_to(cap.day, 10)
    assert not cap.promise(1)


def test_nothing_is_promised_of_a_day_that_is_closed() -> None:
    cap = cap_of(10)
    cap.close()
    assert not cap.promise(1)
