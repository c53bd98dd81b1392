from __future__ import annotations

from smppgw.store.fresh import Fresh
from tests.store.test_contract import keys_of, message


def fresh_with(*keys: int) -> Fresh:
    fresh = Fresh()
    fresh.messages += [message(key) for key in keys]
    return fresh


def test_what_is_fresh_is_taken_once() -> None:
    fresh = fresh_with(1, 2)
    taken = fresh.take()
    fresh.messages += [message(3)]
    assert (keys_of(taken), keys_of(fresh.take()), fresh.take()) == ([1, 2], [3], [])


def test_what_somebody_has_is_fresh_no_more() -> None:
    fresh = fresh_with(3, 4, 5)
    fresh.claim([message(1), message(2)])
    fresh.claim([])
    assert keys_of(fresh.messages) == [3, 4, 5]
    fresh.claim([message(1), message(4), message(9)])
    assert keys_of(fresh.messages) == [3, 5]
