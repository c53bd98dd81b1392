from __future__ import annotations

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
    for entry, name in ((messages[0], "lane:a"), (messages[1], "lane:b"), (owed, "esme:acme")):
        page = entry.page = state.new_page(name, True)
        owed.key = 1
        page.add(b"", [entry], 1)
        page.gone = None
        pages[page] = (entry.key,)
        state.queue_of(page).defer([entry])  # type: ignore[list-item]
    assert state.aside_in_memory == 0, "a checkpoint would change nothing: they stand in pages already"
    state.evict(pages)
    assert (state.live, state.undelivered, state.returned, state.aside_in_memory) == ({}, {}, set(), 0)
    assert (state.lane("a").deferred, state.lane("b").deferred, state.owed_to("acme").deferred) == (1, 1, 1)


def test_values_are_counted() -> None:
    assert dict(counted(["a", "a"])) == {"a": 2}
    assert dict(counted([EXPIRED, DELIVERED, EXPIRED])) == {EXPIRED: 2, DELIVERED: 1}
