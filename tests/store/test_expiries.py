from __future__ import annotations

import pytest

from smppgw.store import expiries
from smppgw.store.expiries import Expiries
from tests.store.test_contract import keys_of, message


def test_what_is_over_and_lives_is_told_again_and_again_the_soonest_first() -> None:
    live = {key: message(key, expires_ns=(0, 50, 40, 60, 30)[key]) for key in range(5)}
    watched = Expiries(live)
    watched.watch(live.values())
    del live[4]
    assert watched.over(39) == []
    for _ in range(2):
        assert keys_of(watched.over(50)) == [2, 1]
    live[1].body = b""
    assert keys_of(watched.over(99)) == [2, 3], "a carrier has the other"


def test_the_last_word_counts() -> None:
    live = {1: message(1, expires_ns=50)}
    watched = Expiries(live)
    watched.watch(live.values())
    live[1].expires_ns = 70
    watched.watch(live.values())
    assert watched.over(69) == []
    assert keys_of(watched.over(70)) == [1]


def test_moments_are_kept_for_messages_that_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiries, "_SLACK", 5)
    live = {key: message(key, expires_ns=50 - key) for key in (1, 2)}
    watched = Expiries(live)
    for _ in range(20):
        watched.watch(live.values())
    assert len(watched._moments) <= 10
    assert keys_of(watched.over(50)) == [2, 1]
