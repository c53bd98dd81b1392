"""sequence_number: counts up, wraps to 1, and leaves out what is still outstanding."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smppgw.session.sequence import SequenceNumbers

MAX = 0x7FFFFFFF


def take(numbers: SequenceNumbers, count: int, *outstanding: set[int]) -> list[int]:
    taken = list(numbers.following(count, *outstanding))
    if taken:
        numbers.use(taken[-1])
    return taken


def test_the_first_number_is_1() -> None:
    assert take(SequenceNumbers(), 3) == [1, 2, 3]


def test_numbers_that_were_only_looked_at_come_again() -> None:
    numbers = SequenceNumbers()
    assert list(numbers.following(3)) == [1, 2, 3]
    assert list(numbers.following(2)) == [1, 2]


def test_no_number_is_taken_for_nothing() -> None:
    numbers = SequenceNumbers()
    assert take(numbers, 0) == []
    assert take(numbers, 1) == [1]


def test_after_the_highest_number_comes_1() -> None:
    numbers = SequenceNumbers()
    numbers.use(MAX - 2)
    assert take(numbers, 4) == [MAX - 1, MAX, 1, 2]
    assert take(numbers, 2) == [3, 4]


def test_the_highest_number_is_used() -> None:
    numbers = SequenceNumbers()
    numbers.use(MAX - 1)
    assert take(numbers, 1) == [MAX]
    assert take(numbers, 1) == [1]


def test_a_number_that_is_outstanding_is_left_out_after_a_wrap() -> None:
    numbers = SequenceNumbers()
    numbers.use(MAX)
    assert take(numbers, 3, {1, 3}, {4}) == [2, 5, 6]
    assert take(numbers, 1, {7}) == [8]


@given(
    st.integers(0, MAX),
    st.lists(st.tuples(st.integers(0, 6), st.sets(st.integers(1, 12), max_size=6)), max_size=8),
)
def test_numbers_are_legal_fresh_and_in_order(start: int, steps: list[tuple[int, set[int]]]) -> None:
    numbers = SequenceNumbers()
    numbers.use(start)
    wrapped = False
    last = start
    for count, low in steps:
        outstanding = low if wrapped else set()
        taken = take(numbers, count, outstanding)
        assert len(taken) == len(set(taken)) == count
        assert not outstanding.intersection(taken)
        for number in taken:
            assert 1 <= number <= MAX
            assert number > last or not wrapped
            wrapped = wrapped or number < last
            last = number
