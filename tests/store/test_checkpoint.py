"""What a checkpoint takes to the ledger, and what it leaves out."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from smppgw.store import checkpoint, columns, history, page_codec, record
from smppgw.store.checkpoint import CORRELATION_NS, HISTORY_OCTETS, PAGE_ENTRIES, Snapshot, snapshot
from smppgw.store.entries import Lane, Message
from smppgw.store.record import MS, What
from smppgw.store.rows import PageRow
from smppgw.store.state import State
from tests.store.test_contract import SHELF, UNDELIVERABLE, delivery, held, keys_of, message

NOW_NS = 1000 * MS


def state_with(messages: Iterable[Message], *, epoch_ns: int = 0) -> State:
    state = State(epoch_ns)
    for each in messages:
        state.live[each.key] = each
    return state


def pages_of(taken: Snapshot) -> list[PageRow]:
    return list(taken.fold().pages)


def test_what_lives_in_memory_goes_to_pages_of_its_queue_by_key_and_by_moment() -> None:
    lanes = [Lane("a"), Lane("b")]
    messages = [message(key, due_ns=(70 - key) * MS if key > 6 else 0) for key in range(1, 25)]
    for each in messages:
        each.lane = lanes[each.key % 2]
    state = state_with(reversed(messages))
    for lane in lanes:
        state.queue_in(lane)
    state.received([delivery(1), delivery(2)])
    taken = snapshot(state, NOW_NS)
    rows = {(row.queue, row.due_ms): columns.unpacked(row.keys) for row in pages_of(taken)}
    assert rows == {
        ("lanes", 0): [6, 5, 4, 3, 2, 1],
        ("lane:a", 46): [24, 22, 20, 18, 16, 14, 12, 10, 8],
        ("lane:b", 47): [23, 21, 19, 17, 15, 13, 11, 9, 7],
        ("esme:acme", 0): [1, 2],
    }
    assert set(taken.aside.values()) == {(*range(24, 6, -2),), (*range(23, 6, -2),)}
    [row] = [row for row in pages_of(taken) if row.queue == "lanes"]
    read = page_codec.messages_of(page_codec.chunks_of(row.body), Lane, 0)
    assert [(each.key, each.lane.name, each.body) for each in read] == [
        (key, "ab"[key % 2], b"body %d" % key) for key in range(6, 0, -1)
    ]
    assert len({row.id for row in pages_of(taken)}) == 4


def test_lanes_in_which_few_are_aside_share_pages() -> None:
    state = state_with(message(key, f"lane {key}", due_ns=9 * MS) for key in range(1, 2 * PAGE_ENTRIES))
    for each in state.live.values():
        state.queue_in(each.lane)
    taken = snapshot(state, NOW_NS)
    assert [(row.queue, row.due_ms, row.count) for row in pages_of(taken)] == [
        ("lanes", 0, PAGE_ENTRIES),
        ("lanes", 0, PAGE_ENTRIES - 1),
    ]
    assert taken.aside == {}, "they stay in memory"


def test_nothing_is_taken_twice() -> None:
    state = state_with([message(1)])
    state.received([delivery(1)])
    state.sent["sink"].young[b"x"] = message(2)
    state.shelves[SHELF].put([held(b"y")])
    state.remember(5, history.of_ended(5, [message(3)], ["acme"], [UNDELIVERABLE], 0))
    fold = snapshot(state, NOW_NS).fold()
    assert [len(list(each)) for each in (fold.pages, fold.sent, fold.held, fold.history)] == [2, 1, 1, 1]
    fold = snapshot(state, NOW_NS).fold()
    assert [len(list(each)) for each in (fold.pages, fold.sent, fold.held, fold.history)] == [0, 0, 0, 0]


def test_what_has_died_since_is_told_until_the_whole_page_has() -> None:
    messages = [message(key) for key in (1, 2, 3)]
    state = state_with(messages)
    [page] = [page for page, _ in snapshot(state, NOW_NS).pages]
    state.ended(messages[1:2], ["acme"], [UNDELIVERABLE])
    fold = snapshot(state, NOW_NS).fold()
    assert (fold.dead, fold.dropped) == ([(page.id, columns.packed([2]))], [])
    state.submitted("sink", [messages[0]], [b"x"], ["acme"])
    state.unpage(messages[2:])
    taken = snapshot(state, NOW_NS)
    assert (taken.dead, taken.dropped) == ([], [page.id])
    assert [columns.unpacked(row.keys) for row in pages_of(taken)] == [[3]], "as it is now"


def test_a_page_of_a_long_lane_is_taken_unless_all_in_it_is_dead_already() -> None:
    state = State(0)
    queue = state.queue_in(Lane("lane"))
    for keys in (range(1, PAGE_ENTRIES + 1), range(501, 503)):
        messages = [message(key) for key in keys]
        octets = record.of_messages(What.ACCEPTED, messages, 0)
        state.spill(queue, octets, messages, 1, PAGE_ENTRIES)
    full, begun = queue.pages
    for key in (501, 502):
        dead = message(key)
        queue.withdraw(begun, [key])
        dead.page = begun
        state.ended([dead], ["acme"], [UNDELIVERABLE])
    some = message(7)
    queue.withdraw(full, [7])
    some.page = full
    state.ended([some], ["acme"], [UNDELIVERABLE])
    taken = snapshot(state, NOW_NS)
    assert [page for page, _ in taken.pages] == [full]
    assert (taken.dead, taken.dropped) == ([(full.id, (7,))], [])
    assert full.is_full(PAGE_ENTRIES)
    assert state.spilled == []


def test_pages_are_cut_by_entries_and_by_octets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "PAGE_ENTRIES", 4)
    monkeypatch.setattr(checkpoint, "PAGE_OCTETS", 1000)
    small = state_with(message(key) for key in range(1, 11))
    assert [row.count for row in pages_of(snapshot(small, NOW_NS))] == [4, 4, 2]
    large = state_with(message(key, body=b"x" * 600) for key in range(1, 6))
    assert [row.count for row in pages_of(snapshot(large, NOW_NS))] == [2, 2, 1]


def test_a_receipt_is_awaited_from_when_a_carrier_has_the_message_or_from_the_end_of_its_validity() -> None:
    state = State(7 * MS)
    sent = state.sent["sink"].young
    sent[b"x"], sent[b"y"] = message(1), message(2, expires_ns=NOW_NS + 500 * MS)
    sent[b"x"].accepted_ns, sent[b"x"].parts, sent[b"x"].envelope = 3 * MS, 3, b"env"
    x, y = snapshot(state, NOW_NS).fold().sent
    assert (x.carrier, x.carrier_id, x.key, x.message_id, x.esme) == ("sink", b"x", 1, b"00000001", "acme")
    assert (x.registered_delivery, x.accepted_ms, x.parts, x.envelope) == (1, 10, 3, b"env")
    assert x.expires_ms == 1007 + CORRELATION_NS // MS
    assert y.expires_ms == 1507 + CORRELATION_NS // MS
    state.sent["sink"].young[b"z"] = message(3)
    [z] = snapshot(state, NOW_NS, 5 * MS).fold().sent
    assert z.expires_ms == 1012


def test_the_history_is_put_together_to_rows_that_tell_their_keys() -> None:
    state = State(0)
    chunks = [
        history.of_ended(
            moment_ms,
            [message(moment_ms * 7 % 1000), message(moment_ms)],
            ["acme"] * 2,
            [UNDELIVERABLE] * 2,
            0,
        )
        for moment_ms in range(4000)
    ]
    state.history = list(enumerate(chunks))
    rows = snapshot(state, NOW_NS).fold().history
    assert len(rows) > 1
    assert [chunk for row in rows for chunk in page_codec.chunks_of(row.body)] == chunks
    for row in rows:
        inside = page_codec.chunks_of(row.body)
        keys = [key for chunk in inside for key in history.keys_of(chunk)]
        assert (row.first_key, row.last_key) == (min(keys), max(keys))
        assert row.at_ms == history.ended_of(inside[0]).at_ms
        assert sum(map(len, inside)) <= HISTORY_OCTETS


def test_a_snapshot_stays_as_it_was_taken() -> None:
    messages = [message(key) for key in (1, 2)]
    state = state_with(messages)
    state.counters["accepted/acme"] = 2
    state.highest_key = 2
    taken = snapshot(state, NOW_NS)
    state.submitted("sink", messages, [b"x", b"y"], ["acme"] * 2)
    state.highest_key = 9
    fold = taken.fold()
    assert (fold.highest_key, fold.counters, fold.sent) == (2, {"accepted/acme": 2}, [])
    [row] = fold.pages
    assert keys_of(page_codec.messages_of(page_codec.chunks_of(row.body), Lane, 0)) == [1, 2]
