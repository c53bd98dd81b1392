from __future__ import annotations

from fractions import Fraction
from random import Random
from typing import Final, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.throttle.bucket import NS, Bucket, Rate

BURST_SECONDS: Final = 0.05
MS: Final = NS // 1000


class Taken(NamedTuple):
    at_ns: int
    tokens: int


class Phase(NamedTuple):
    """From when a rate is in force."""

    from_ns: int
    rate: Rate


def at(per_second: float, burst_seconds: float = BURST_SECONDS) -> Rate:
    return Rate.of(per_second, burst_seconds=burst_seconds)


def burst_of(rate: Rate) -> Fraction:
    return 1 + Fraction(rate.tolerance_ns, rate.interval_ns)


def assert_never_above(taken: list[Taken], phases: list[Phase]) -> None:
    """Over every window: at most the largest burst, or number taken at once, and what came at the rates in force."""
    ends = [phase.from_ns for phase in phases[1:]] + [taken[-1].at_ns if taken else 0]
    for first, start in enumerate(taken):
        total, largest = 0, Fraction(0)
        for last in taken[first:]:
            total += last.tokens
            come = Fraction(0)
            burst = largest = max(largest, Fraction(last.tokens))
            for phase, end_ns in zip(phases, ends, strict=True):
                part_ns = min(end_ns, last.at_ns) - max(phase.from_ns, start.at_ns)
                if part_ns >= 0:
                    come += Fraction(part_ns, phase.rate.interval_ns)
                    burst = max(burst, burst_of(phase.rate))
            # What the level of a bucket loses to whole nanoseconds is less than a millionth of a token.
            assert total <= burst + come + Fraction(1, 1_000_000), (start, last, float(burst), float(come))


rates = st.one_of(st.floats(0.2, 2000), st.sampled_from([0.25, 1, 1.25, 4, 40, 75, 500]))
bursts = st.sampled_from([0, 0.01, BURST_SECONDS, 1])
loads = st.lists(
    st.tuples(st.one_of(st.just(0), st.integers(0, 20 * MS), st.integers(0, NS)), st.integers(1, 5)),
    min_size=1,
    max_size=25,
)


def test_a_new_bucket_is_empty() -> None:
    bucket = Bucket(at(10), 7)
    assert bucket.available(7) == 0
    assert bucket.ready_at(7) == 7 + NS // 10
    assert bucket.available(7 + NS // 10 - 1) == 0
    assert bucket.available(7 + NS // 10) == 1


def test_no_more_is_taken_than_there_is() -> None:
    bucket = Bucket(at(10, 0.4), 0)
    assert bucket.take(7, 10 * NS) == 5
    assert bucket.take(1, 10 * NS) == 0
    assert bucket.granted == 5


def test_tokens_come_at_the_rate() -> None:
    bucket = Bucket(at(10, 0.4), 0)
    bucket.take(5, NS)
    assert bucket.available(NS + NS // 10 - 1) == 0
    assert bucket.available(NS + NS // 10) == 1
    assert bucket.available(NS + NS) == 5


def test_it_never_holds_more_than_the_burst() -> None:
    bucket = Bucket(at(10, 0.4), 0)
    assert bucket.available(3600 * NS) == 5 == at(10, 0.4).burst


def test_it_says_when_so_many_tokens_are_there() -> None:
    bucket = Bucket(at(4, 1), 0)
    assert bucket.ready_at(0, 3) == 3 * NS // 4
    assert bucket.take(3, 3 * NS // 4) == 3
    assert bucket.ready_at(NS * 3 // 4) == NS
    assert bucket.ready_at(5 * NS, 3) == 5 * NS


def test_more_than_it_ever_holds_may_be_taken_when_it_is_full_and_is_made_up_for() -> None:
    bucket = Bucket(at(10, 0.1), 0)
    assert bucket.ready_at(10 * NS, 5) == 10 * NS
    bucket.spend(5, 10 * NS)
    assert bucket.ready_at(10 * NS) == 10 * NS + 4 * NS // 10
    assert bucket.ready_at(10 * NS, 5) == 10 * NS + 5 * NS // 10


def test_more_than_it_ever_holds_has_to_come_as_a_whole_after_the_start() -> None:
    assert Bucket(at(10, 0.1), 3 * NS).ready_at(3 * NS, 5) == 3 * NS + 5 * NS // 10


@pytest.mark.parametrize(
    ("tokens", "seconds", "interval_ns"),
    [(75, 60, 800_000_000), (4500, 60, 13_333_334), (0.1, 1, 10 * NS), (3, 1, 333_333_334), (5e9, 1, 1)],
)
def test_a_rate_is_never_above_what_was_asked_for(tokens: float, seconds: int, interval_ns: int) -> None:
    rate = Rate.of(tokens, seconds=seconds, burst_seconds=0)
    assert rate.interval_ns == interval_ns
    assert rate.burst == 1


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    per_second=rates,
    burst_seconds=bursts,
    runs=st.lists(st.tuples(st.integers(0, 3 * NS), loads), min_size=1, max_size=3),
)
def test_over_every_window_at_most_burst_and_rate_also_across_restarts(
    per_second: float, burst_seconds: float, runs: list[tuple[int, list[tuple[int, int]]]]
) -> None:
    rate = at(per_second, burst_seconds)
    now_ns, taken = 0, []
    for down_ns, load in runs:
        now_ns += down_ns
        bucket = Bucket(rate, now_ns)
        for pause_ns, tokens in load:
            now_ns = bucket.ready_at(now_ns + pause_ns, tokens)
            bucket.spend(tokens, now_ns)
            taken.append(Taken(now_ns, tokens))
    assert_never_above(taken, [Phase(0, rate)])


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    first=rates,
    burst_seconds=bursts,
    steps=st.lists(
        st.tuples(st.integers(0, NS), st.integers(1, 5), st.none() | st.tuples(rates, bursts)),
        min_size=1,
        max_size=30,
    ),
)
def test_over_every_window_at_most_the_largest_burst_and_the_rates_in_force(
    first: float, burst_seconds: float, steps: list[tuple[int, int, tuple[float, float] | None]]
) -> None:
    phases = [Phase(0, at(first, burst_seconds))]
    bucket = Bucket(phases[0].rate, 0)
    now_ns, taken = 0, []
    for pause_ns, tokens, change in steps:
        now_ns += pause_ns
        if change is not None:
            phases.append(Phase(now_ns, at(*change)))
            bucket.change(phases[-1].rate, now_ns)
        if bucket.ready_at(now_ns, tokens) == now_ns:
            bucket.spend(tokens, now_ns)
            taken.append(Taken(now_ns, tokens))
        else:
            taken.append(Taken(now_ns, bucket.take(tokens, now_ns)))
    assert_never_above(taken, phases)


def test_a_change_keeps_what_there_was_and_what_was_wanting() -> None:
    bucket = Bucket(at(10, 1), 0)
    bucket.change(at(1, 10), 5 * NS)
    assert bucket.available(5 * NS) == 11
    bucket.spend(11, 5 * NS)
    assert bucket.ready_at(5 * NS) == 6 * NS
    bucket.change(at(100, 1), 5 * NS + NS // 2)
    assert bucket.ready_at(0) == 5 * NS + NS // 2 + NS // 200
    bucket.change(at(100, 1), 5 * NS + NS // 2)
    assert bucket.ready_at(0) == 5 * NS + NS // 2 + NS // 200


def test_a_change_wins_nothing_of_what_was_not_taken() -> None:
    bucket = Bucket(at(10, 0), 0)
    bucket.change(at(10, 10), 3600 * NS)
    assert bucket.available(3600 * NS) == 1


def test_a_smaller_burst_is_not_made_up_for_by_more_at_once_than_it_holds() -> None:
    bucket = Bucket(at(10, 1), 0)
    assert bucket.take(20, 60 * NS) == 11
    bucket.change(at(10, 0), 60 * NS)
    assert bucket.ready_at(60 * NS, 5) == 60 * NS + 5 * NS // 10


@pytest.mark.parametrize("per_second", [1, 1.25, 4, 12, 40, 75, 100, 225, 333, 500])
@pytest.mark.parametrize("segments", [1, 2])
def test_a_backlog_uses_the_rate_though_its_caller_comes_late(per_second: float, segments: int) -> None:
    bucket = Bucket(at(per_second), 0)
    chance = Random(4)
    now_ns, taken = 0, 0
    largest_late_ns = 20 * MS if (segments - 1) * bucket.interval_ns <= 30 * MS else MS // 2
    while True:
        now_ns = bucket.ready_at(now_ns, segments) + chance.randrange(largest_late_ns + 1)
        if now_ns > 60 * NS + largest_late_ns:
            break
        while bucket.ready_at(now_ns, segments) == now_ns:
            bucket.spend(segments, now_ns)
            taken += segments
    assert taken + segments > 0.99 * 60 * per_second
    assert taken <= 60.02 * per_second + at(per_second).burst
