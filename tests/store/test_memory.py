"""What is the memory store's own; what every store does is in test_contract.py."""

from __future__ import annotations

import pytest

from smppgw.store import memory
from smppgw.store.memory import MemoryStore
from tests.store.lanes import take_from, waiting_in
from tests.store.test_contract import accept, delivery, fail, look_up, message, picked, receive, submit


async def test_closing_says_what_is_lost() -> None:
    store = MemoryStore(1000)
    await store.open()
    await accept(store, message(1), message(2, due_ns=9), message(3))
    await receive(store, delivery(1), delivery(2))
    [owed] = store.take_deliveries("acme", 1)
    owed.due_ns = 9
    store.defer_deliveries([owed])
    await submit(store, (take_from(store, "lane", 1)[0], b"x"))
    assert await store.close() == 4
    assert waiting_in(store, "lane") == 0


async def test_octets_are_those_of_bodies() -> None:
    store = MemoryStore(1000)
    await accept(store, message(1, body=b"x" * 10), message(2, body=b"x" * 20))
    [second] = await picked(lambda then: store.pick([2], then))
    second.body = b"x" * 5
    store.replace([second], lambda: None)
    assert store.octets == 15
    [first] = await picked(lambda then: store.pick([1], then))
    await fail(store, first)
    assert store.octets == 5


async def test_the_oldest_messages_that_wait_for_a_receipt_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MAX_CORRELATIONS", 3)
    store = MemoryStore(1000)
    await accept(store, *map(message, range(1, 6)))
    await submit(store, *((each, b"%d" % each.key) for each in take_from(store, "lane", 9)))
    assert [store.find("sink", b"%d" % key) is None for key in range(1, 6)] == [
        True,
        True,
        False,
        False,
        False,
    ]
    standing = await look_up(store, 1)
    assert standing is not None
    assert (standing.outcome, standing.final_ns) == (None, 0)


async def test_messages_that_ended_are_remembered_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MAX_ENDED", 10)
    store = MemoryStore(1000, clock=lambda: 42)
    for key in range(1, 31):
        await accept(store, message(key))
        await fail(store, *take_from(store, "lane", 1))
    known = [key for key in range(1, 31) if await look_up(store, key) is not None]
    assert known == list(range(known[0], 31))
    assert 5 <= len(known) <= 10
    standing = await look_up(store, 30)
    assert standing is not None
    assert standing.final_ns == 42


async def test_octets_are_counted_until_a_message_is_somebody_else_s() -> None:
    store = MemoryStore(1000)
    assert not store.full
    await accept(store, message(1, body=b"x" * 400), message(2, body=b"x" * 600))
    assert store.octets >= 1000
    assert store.full
    first, second = take_from(store, "lane", 2)
    assert store.full
    await submit(store, (first, b"id"))
    assert 600 <= store.octets < 1000
    assert not store.full
    await fail(store, second)
    assert store.octets == 0
    await receive(store, delivery(1))
    assert store.octets >= len(delivery(1).body)
    store.delivered(store.take_deliveries("acme", 1))
    assert store.octets == 0
