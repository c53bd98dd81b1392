from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.throttle.bucket import NS, Rate
from smppgw.throttle.limit import Limit
from smppgw.throttle.turns import Turns


def limit_of(per_second: float = 10, burst_seconds: float = 0.0) -> Limit:
    return Limit("number", "12065550100", Rate.of(per_second, burst_seconds=burst_seconds), 0)


def test_what_is_promised_is_not_promised_again() -> None:
    limit = limit_of(10, 0.2)
    assert [limit.promise(1, NS) for _ in range(4)] == [True, True, True, False]


def test_what_is_promised_can_be_taken() -> None:
    limit = limit_of(10, 0.2)
    assert limit.promise(2, NS)
    assert limit.promise(1, NS)
    assert limit.take(3, NS) == 3
    assert not limit.promise(1, NS)


def test_a_promise_is_over_when_its_time_is() -> None:
    limit = limit_of(10)
    assert limit.promise(1, NS)
    assert not limit.promise(1, NS + NS // 10 - 1)
    assert limit.promise(1, NS + NS // 10)


def test_nothing_is_promised_of_a_bucket_that_is_empty() -> None:
    assert not limit_of(10).promise(1, NS // 10 - 1)
    assert limit_of(10).promise(1, NS // 10)


def test_nothing_is_promised_while_lanes_wait() -> None:
    limit = limit_of()
    limit.waiting = Turns()
    assert not limit.promise(1, NS)


def test_a_message_larger_than_the_burst_is_promised_once_it_could_leave() -> None:
    limit = limit_of(10)
    assert not limit.promise(5, 5 * NS // 10 - 1)
    assert limit.promise(5, 5 * NS // 10)
    assert not limit.promise(1, 9 * NS // 10)
    assert limit.promise(1, NS)


def test_what_was_promised_stays_promised_through_a_change() -> None:
    limit = limit_of(10, 0.3)
    assert limit.promise(4, NS)
    limit.change(Rate.of(1, burst_seconds=3), NS)
    assert not limit.promise(1, 2 * NS - 1)
    assert limit.promise(1, 2 * NS)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    burst_seconds=st.sampled_from([0, 0.1, 0.5, 2]),
    steps=st.lists(st.tuples(st.integers(0, NS // 2), st.integers(1, 5)), max_size=40),
)
def test_what_was_promised_leaves_at_once(burst_seconds: float, steps: list[tuple[int, int]]) -> None:
    limit = limit_of(10, burst_seconds)
    now_ns = 0
    for pause_ns, segments in steps:
        now_ns += pause_ns
        if limit.promise(segments, now_ns):
            assert limit.ready_at(now_ns, segments) == now_ns
            limit.spend(segments, now_ns)
