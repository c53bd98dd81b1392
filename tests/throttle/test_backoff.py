from __future__ import annotations

from itertools import pairwise

from smppgw.throttle.backoff import PAUSE_NS, Pace
from smppgw.throttle.bucket import NS


def sent_in_a_second(pace: Pace, start_ns: int) -> int:
    return sum(pace.take(1000, start_ns + step * NS // 100) for step in range(100))


def test_a_bind_that_nobody_complains_about_is_not_limited() -> None:
    pace = Pace()
    assert pace.take(100_000, 5) == 100_000
    assert not pace.limited
    assert pace.ready_at(9) == 9


def test_a_complaint_pauses_the_bind_and_then_halves_its_speed() -> None:
    pace = Pace()
    for step in range(10):
        pace.take(10, step * NS // 10)
    pace.throttled(NS)
    assert pace.limited
    assert pace.take(10, NS + PAUSE_NS - 1) == 0
    assert pace.ready_at(NS) == NS + PAUSE_NS + NS // 50
    assert 40 <= sent_in_a_second(pace, NS + PAUSE_NS) <= 65


def test_complaints_of_one_pause_count_as_one() -> None:
    pace, other = Pace(), Pace()
    for each in (pace, other):
        each.take(1000, 0)
        each.throttled(NS)
    other.throttled(NS + 1)
    assert sent_in_a_second(pace, 2 * NS) == sent_in_a_second(other, 2 * NS)


def test_speed_comes_back_step_by_step_until_the_bind_is_free() -> None:
    pace = Pace()
    pace.take(1000, 0)
    pace.throttled(NS)
    speeds = []
    second = 2
    while pace.limited:
        speeds.append(sent_in_a_second(pace, second * NS))
        second += 1
        assert second < 120
    assert all(later >= earlier * 0.9 for earlier, later in pairwise(speeds))
    assert 20 <= second <= 90


def test_even_the_slowest_bind_sends_one_a_second() -> None:
    pace = Pace()
    pace.take(1, 0)
    for second in range(1, 20, 3):
        pace.throttled(second * NS)
    assert sent_in_a_second(pace, 40 * NS) >= 1
