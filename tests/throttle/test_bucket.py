from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.throttle.bucket import NS, TokenBucket


def test_a_new_bucket_is_full() -> None:
    assert TokenBucket(per_second=10, burst=5).available(0) == 5


def test_no_more_is_taken_than_there_is() -> None:
    bucket = TokenBucket(per_second=10, burst=5)
    assert bucket.take(7, NS) == 5
    assert bucket.take(1, NS) == 0


def test_tokens_come_back_at_the_rate() -> None:
    bucket = TokenBucket(per_second=10, burst=5)
    bucket.take(5, NS)
    assert bucket.available(NS + NS // 10 - 1) == 0
    assert bucket.available(NS + NS // 10) == 1
    assert bucket.available(NS + NS) == 5


def test_it_never_holds_more_than_the_burst() -> None:
    bucket = TokenBucket(per_second=10, burst=5)
    bucket.take(1, 0)
    assert bucket.available(3600 * NS) == 5


def test_it_says_when_the_next_token_is_there() -> None:
    bucket = TokenBucket(per_second=4, burst=1)
    assert bucket.ready_at(7) == 7
    bucket.take(1, 0)
    assert bucket.ready_at(0) == NS // 4
    assert bucket.available(NS // 4) == 1


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    per_second=st.floats(0.1, 5000),
    burst=st.integers(1, 50),
    steps=st.lists(st.tuples(st.integers(0, NS // 2), st.integers(1, 80)), min_size=1, max_size=60),
)
def test_over_every_window_at_most_burst_and_rate(
    per_second: float, burst: int, steps: list[tuple[int, int]]
) -> None:
    bucket = TokenBucket(per_second=per_second, burst=burst)
    now_ns = 0
    taken: list[tuple[int, int]] = []
    for pause_ns, wanted in steps:
        now_ns += pause_ns
        got = bucket.take(wanted, now_ns)
        assert 0 <= got <= wanted
        taken.append((now_ns, got))
    for first, (start_ns, _) in enumerate(taken):
        total = 0
        for end_ns, got in taken[first:]:
            total += got
            assert total <= burst + (end_ns - start_ns) * per_second / NS + 1e-6


@settings(max_examples=100, deadline=None, derandomize=True)
@given(per_second=st.floats(0.5, 1000), burst=st.integers(1, 20))
def test_a_backlog_uses_the_whole_rate(per_second: float, burst: int) -> None:
    bucket = TokenBucket(per_second=per_second, burst=burst)
    now_ns, taken = 0, 0
    while now_ns <= 20 * NS:
        taken += bucket.take(1_000_000, now_ns)
        now_ns = max(now_ns + 1, bucket.ready_at(now_ns))
    assert taken >= per_second * 20 * 0.999
