"""What is held on a shelf, and what of it goes to the ledger; what every store does is in test_contract.py."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.store.entries import Held
from smppgw.store.holding import Holding, KnownHolding
from tests.store.test_contract import bodies, held

NAMES = [b"a", b"b", b"c"]


def test_what_has_to_go_for_the_rest_to_be_few_enough_is_the_oldest() -> None:
    holding = Holding()
    holding.put([held(name) for name in (b"a", b"b", b"a", b"c")])
    assert [holding.above(most) for most in (4, 3, 2, 1, 0)] == [
        [],
        [b"a"],
        [b"a"],
        [b"a", b"b"],
        [b"a", b"b", b"c"],
    ]


def test_one_that_came_before_a_moment_is_enough_though_clocks_may_have_gone_back() -> None:
    holding = Holding()
    holding.put([held(b"a", 30), held(b"b", 20), held(b"a", 10)])
    assert holding.before(10) == []
    assert holding.before(11) == [b"a"]
    assert holding.before(21) == [b"a", b"b"]


def test_what_is_held_goes_to_the_ledger_once() -> None:
    holding = KnownHolding()
    first, second, third = held(b"x"), held(b"y"), held(b"x")
    holding.put([first])
    assert holding.checkpoint() == ([first], [])
    holding.put([second, third])
    assert holding.checkpoint() == ([second, third], [])
    assert holding.checkpoint() == ([], [])
    assert holding.release([b"x", b"z"]) == [first, third]
    assert holding.checkpoint() == ([], [b"x"])


def test_what_is_released_before_a_checkpoint_is_no_matter_of_the_ledger() -> None:
    holding = KnownHolding()
    holding.put([held(b"x")])
    holding.release([b"x"])
    assert holding.checkpoint() == ([], [])


def test_what_comes_under_the_same_again_is_new_to_the_ledger() -> None:
    holding = KnownHolding()
    holding.take_over(held(b"x", 1))
    assert holding.checkpoint() == ([], [])
    newer = held(b"x", 2)
    holding.release([b"x"])
    holding.put([newer])
    assert holding.checkpoint() == ([newer], [b"x"])
    holding.release([b"x"])
    assert holding.checkpoint() == ([], [b"x"]), "neither is to come back"


steps = st.one_of(
    st.tuples(st.just("put"), st.lists(st.sampled_from(NAMES), max_size=4)),
    st.tuples(st.just("release"), st.lists(st.sampled_from(NAMES), max_size=2)),
    st.tuples(st.just("room"), st.integers(0, 5)),
    st.tuples(st.just("checkpoint"), st.none()),
    st.tuples(st.just("restart"), st.none()),
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(steps, max_size=30))
def test_the_ledger_has_what_is_held(done: list[tuple[str, object]]) -> None:
    """As rows that only come behind the others, or go by what they are under."""
    holding = KnownHolding()
    model: list[Held] = []
    ledger: list[Held] = []
    serial = 0
    for what, how in done:
        if what == "put":
            assert isinstance(how, list)
            entries = []
            for name in how:
                serial += 1
                entries.append(held(name, body=b"%d" % serial))
            holding.put(entries)
            model += entries
        elif what in ("release", "room"):
            names = how if isinstance(how, list) else holding.above(how if isinstance(how, int) else 0)
            gone = holding.release(names)
            assert gone == [each for name in dict.fromkeys(names) for each in model if each.under == name]
            model = [each for each in model if each.under not in names]
            if isinstance(how, int):
                assert len(model) <= how
        else:
            new, released = holding.checkpoint()
            ledger = [each for each in ledger if each.under not in released] + new
            if what == "restart":
                holding = KnownHolding()
                for each in ledger:
                    holding.take_over(each)
                model = [
                    each
                    for name in dict.fromkeys(each.under for each in ledger)
                    for each in ledger
                    if each.under == name
                ]
        assert holding.count == len(model)
        for name in NAMES:
            assert bodies(holding.under(name)) == [each.body for each in model if each.under == name]
