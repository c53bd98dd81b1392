from __future__ import annotations

from typing import Any

from smppgw.store.entries import Lane
from smppgw.store.page import Page
from smppgw.store.state import State, counted
from tests.store.test_contract import DELIVERED, EXPIRED, UNDELIVERABLE, delivery, envelope_of, message


def test_messages_are_counted_in_and_out() -> None:
    state = State(0, envelope_of)
    messages = [message(key, esme="acme" if key < 4 else "other") for key in range(1, 6)]
    esmes = [each.esme for each in messages]
    state.accepted(messages, esmes)
    assert (state.queued, state.highest_key) == ({"acme": 3, "other": 2}, 5)
    state.submitted("sink", messages[:2], [b"x", b""], esmes[:2])
    state.ended(messages[2:4], esmes[2:4], [UNDELIVERABLE, EXPIRED])
    state.submitted("sink", [], [], [])
    state.ended([], [], [])
    assert state.queued == {"acme": 0, "other": 1}
    assert list(state.sent["sink"].young) == [b"x"]
    assert [each.body for each in messages[:4]] == [b""] * 4
    assert [each.envelope for each in messages[:2]] == [b"4 of body 1", b""]
    finished = [(b"x", DELIVERED), (b"never there", DELIVERED)]
    assert state.finish("sink", finished) == ([messages[0]], [b"x"], [DELIVERED])
    assert state.finished["sink"].envelope(b"x") == messages[0].envelope
    assert state.finished["sink"].envelope(b"never there") is None
    assert state.finish("sink", []) == ([], [], [])
    assert state.counters == {
        "accepted/acme": 3,
        "accepted/other": 2,
        "submitted/sink": 2,
        "state/5": 1,
        "state/3": 1,
        "state/2": 1,
    }


def test_deliveries_get_rising_keys() -> None:
    state = State(0)
    owed = [delivery(number) for number in range(3)]
    state.received(owed[:2])
    state.received(owed[2:])
    assert [each.key for each in owed] == [1, 2, 3]
    state.delivered(owed[:2])
    assert list(state.undelivered) == [3]
    state.received([delivery(9)])
    assert state.delivery_key == 4


def test_what_goes_from_memory_goes_by_queue() -> None:
    state = State(0)
    messages = [message(1, "a", due_ns=5), message(2, "b", due_ns=5)]
    [owed] = [delivery(1)]
    owed.due_ns = 5
    state.live = {each.key: each for each in messages}
    state.returned = {1, 2}
    state.undelivered = {1: owed}
    pages = {}
    queues: list[Any] = [*(state.queue_in(each.lane) for each in messages), state.owed_to("acme")]
    owed.key = 1
    for number, (entry, queue) in enumerate(zip([*messages, owed], queues, strict=True)):
        page = entry.page = Page(number, queue.name, aside=True)
        page.add(b"", [entry], 1)
        page.gone, page.queue = None, queue
        pages[page] = (entry.key,)
        queue.defer([entry])
    state.evict(pages)
    assert (state.live, state.undelivered, state.returned) == ({}, {}, set())
    assert [(queue.deferred, list(queue)) for queue in queues] == [(1, [])] * 3


def test_the_queue_of_a_lane_is_there_as_long_as_something_is_in_it() -> None:
    state = State(0)
    lane = Lane("lane")
    queue = state.queue_in(lane)
    assert (lane.queue, list(state.lanes)) == (queue, [lane])
    queue.give_back([message(1)])
    state.let_go(queue)
    assert state.queue_in(lane) is queue
    queue.head.popleft()
    state.let_go(queue)
    assert (lane.queue, list(state.lanes)) == (None, [])
    other = state.queue_in(lane)
    state.let_go(queue)
    assert lane.queue is other, "an earlier one of the same lane"


def test_values_are_counted() -> None:
    assert dict(counted(["a", "a"])) == {"a": 2}
    assert dict(counted([EXPIRED, DELIVERED, EXPIRED])) == {EXPIRED: 2, DELIVERED: 1}
