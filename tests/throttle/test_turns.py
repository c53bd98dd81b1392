from __future__ import annotations

import tracemalloc
from collections import Counter, deque
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.throttle.turns import FLOOR, RANKS, Turns


class Waiter:
    __slots__ = ("esme", "name", "rank")

    def __init__(self, rank: int, esme: str = "app", name: str = "") -> None:
        self.rank = rank
        self.esme = esme
        self.name = name

    def __repr__(self) -> str:
        return f"{self.rank}{self.esme}{self.name}"


def turns_of(*waiters: Waiter) -> Turns[Waiter]:
    turns: Turns[Waiter] = Turns()
    for waiter in waiters:
        turns.add(waiter)
    return turns


def next_of(turns: Turns[Waiter], count: int) -> list[Waiter]:
    """Let so many have a turn; each waits again afterwards."""
    had = []
    for _ in range(count):
        waiter = turns.pop()
        had.append(waiter)
        turns.add(waiter)
    return had


def test_nobody_is_next_where_nobody_waits() -> None:
    turns = turns_of()
    assert not turns
    assert len(turns) == 0
    assert turns.peek() is None
    with pytest.raises(IndexError):
        turns.pop()


def test_a_higher_rank_is_first() -> None:
    low, middle, high = Waiter(2), Waiter(1), Waiter(0)
    turns = turns_of(low, middle, high)
    assert [turns.pop() for _ in range(3)] == [high, middle, low]
    assert not turns


def test_those_of_one_rank_and_esme_are_in_the_order_in_which_they_came() -> None:
    waiters = [Waiter(1, name=str(place)) for place in range(30)]
    turns = turns_of(*waiters)
    assert next_of(turns, 60) == waiters * 2


def test_esmes_of_one_rank_have_as_many_turns_each_whatever_waits_for_them() -> None:
    many = [Waiter(2, "many", str(place)) for place in range(50)]
    turns = turns_of(*many, Waiter(2, "one"), Waiter(2, "another"))
    had = next_of(turns, 300)
    assert Counter(waiter.esme for waiter in had) == {"many": 100, "one": 100, "another": 100}
    assert Counter(waiter.name for waiter in had if waiter.esme == "many") == {
        str(place): 2 for place in range(50)
    }


def test_of_many_esmes_with_one_line_each_everyone_has_a_turn_before_anyone_has_two() -> None:
    waiters = [Waiter(2, f"app{place}") for place in range(1_000)]
    had = next_of(turns_of(*waiters), 3_000)
    assert had == waiters * 3


def test_of_so_many_turns_one_is_of_a_lower_rank() -> None:
    had = next_of(turns_of(Waiter(2), Waiter(0)), 10 * FLOOR)
    assert [waiter.rank for waiter in had] == ([0] * (FLOOR - 1) + [2]) * 10


def test_lower_ranks_share_the_turns_of_the_floor() -> None:
    had = next_of(turns_of(Waiter(2), Waiter(1), Waiter(0)), 4 * FLOOR)
    zeros = [0] * (FLOOR - 1)
    assert [waiter.rank for waiter in had] == [*zeros, 2, *zeros, 1, *zeros, 2, *zeros, 1]


def test_who_comes_with_the_first_rank_waits_for_one_turn_of_the_floor_at_most() -> None:
    for before in range(3 * FLOOR):
        turns = turns_of(Waiter(2), Waiter(1))
        next_of(turns, before)
        first = Waiter(0)
        turns.add(first)
        assert first in next_of(turns, 2)


def test_turns_of_the_first_rank_count_only_while_somebody_else_waits() -> None:
    turns = turns_of(Waiter(0), Waiter(0))
    next_of(turns, 100)
    turns.add(Waiter(2))
    assert [waiter.rank for waiter in next_of(turns, FLOOR)] == [0] * (FLOOR - 1) + [2]


def test_it_counts_those_who_wait_by_rank() -> None:
    turns = turns_of(Waiter(1))
    assert (len(turns), turns.count(0), turns.count(1)) == (1, 0, 1)
    turns.add(Waiter(2))
    turns.add(Waiter(2, "other"))
    assert (len(turns), turns.count(1), turns.count(2)) == (3, 1, 2)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.lists(
        st.one_of(st.none(), st.tuples(st.integers(0, RANKS - 1), st.sampled_from("abcdefghijklmnopqrst"))),
        max_size=200,
    )
)
def test_who_is_next_is_who_is_taken_out_and_nobody_is_lost(steps: list[tuple[int, str] | None]) -> None:
    turns: Turns[Waiter] = Turns()
    inside: dict[tuple[int, str], deque[Waiter]] = {}
    waited = dict.fromkeys(range(RANKS), 0)
    for step in steps:
        if step is not None:
            waiter = Waiter(*step)
            turns.add(waiter)
            inside.setdefault(step, deque()).append(waiter)
        elif turns:
            expected = turns.peek()
            waiter = turns.pop()
            assert waiter is expected
            own = inside[waiter.rank, waiter.esme]
            assert own.popleft() is waiter
            for rank in range(RANKS):
                waits = any(queue for (of, _), queue in inside.items() if of == rank)
                waited[rank] = waited[rank] + 1 if waits and rank != waiter.rank else 0
                assert waited[rank] < 3 * FLOOR, "nobody starves"
        assert len(turns) == sum(map(len, inside.values()))
        assert bool(turns) == (len(turns) > 0)


def test_a_turn_costs_the_same_however_many_wait() -> None:
    def seconds(waiting: int, esmes: int) -> float:
        turns = turns_of(
            *(Waiter(place % RANKS, f"app{place % esmes}", str(place)) for place in range(waiting))
        )
        best = float("inf")
        for _ in range(5):
            began = perf_counter()
            next_of(turns, 2_000)
            best = min(best, perf_counter() - began)
        return best

    few = seconds(10, 2)
    assert seconds(50_000, 1) < 5 * few
    assert seconds(50_000, 50_000) < 5 * few


def test_one_that_waits_alone_takes_little_memory() -> None:
    waiters = [Waiter(place % RANKS) for place in range(1_000)]
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    kept = [turns_of(waiter) for waiter in waiters]
    octets = (tracemalloc.get_traced_memory()[0] - before) / len(kept)
    tracemalloc.stop()
    assert octets < 100
