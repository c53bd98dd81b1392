"""What a run finds of an earlier one: after a stop and after a kill, with checkpoints between and without."""

from __future__ import annotations

from pathlib import Path

import pytest

from smppgw.store.entries import Lane, Message
from tests.store.lanes import deferred_in, lanes_of, queue_in, take_from, waiting_in
from tests.store.restarts import (
    HOUR_NS,
    LATER_NS,
    NOW_NS,
    SECOND_NS,
    SHIFT_NS,
    Pause,
    Restart,
    accept_each,
    drain,
    each_pause,
    each_restart,
    first_run,
    killed,
    next_run,
    recall,
    shrink,
    stopped,
    take_checkpoint,
    take_out,
)
from tests.store.store_book import until
from tests.store.test_contract import (
    DELIVERED,
    EXPIRED,
    SHELF,
    UNDELIVERABLE,
    Standing,
    Told,
    accept,
    bodies,
    delivery,
    envelope_of,
    fail,
    held,
    keys_of,
    look_up,
    message,
    picked,
    receive,
    replace,
    submit,
)


def everything_of(each: Message) -> tuple[object, ...]:
    return (
        each.key,
        each.message_id,
        each.esme,
        each.lane.name,
        each.command_id,
        each.body,
        each.registered_delivery,
        each.attempts,
        each.parts,
    )


@each_restart
@each_pause
async def test_messages_stand_in_their_lanes_again(tmp_path: Path, restart: Restart, pause: Pause) -> None:
    async with first_run(tmp_path / "data") as store:
        accepted = [
            message(key, "ab"[key % 2], esme=f"esme {key % 3}", registered_delivery=key % 2, body=b"x" * key)
            for key in range(1, 20)
        ]
        for each in accepted:
            each.accepted_ns, each.expires_ns = NOW_NS - SECOND_NS, (NOW_NS + SECOND_NS) * (each.key % 2)
            each.parts = 1 + each.key // 10
        written = [everything_of(each) for each in accepted]
        await accept(store, *accepted[:10])
        await pause(store)
        await accept(store, *accepted[10:])
        take_from(store, "a", 5)  # is on its way: whether a carrier has it will not be known
        await pause(store)
        async with restart(store, tmp_path / "data") as again:
            assert [again.queued(f"esme {number}") for number in range(3)] == [6, 7, 6]
            assert (waiting_in(again, "a"), waiting_in(again, "b"), again.highest_key) == (9, 10, 19)
            taken = await take_out(again, 9, "a") + await take_out(again, 10, "b")
            assert [everything_of(each) for each in taken] == written[1::2] + written[::2]
            for each in taken:
                assert each.accepted_ns == NOW_NS - SECOND_NS - SHIFT_NS
                assert each.expires_ns == (NOW_NS + SECOND_NS - SHIFT_NS) * (each.key % 2)
                assert (each.due_ns, each.carrier) == (0, "")


@each_restart
@each_pause
async def test_what_stands_aside_waits_for_its_moment_again(
    tmp_path: Path, restart: Restart, pause: Pause
) -> None:
    async with first_run(tmp_path / "data") as store:
        await accept(store, message(1, due_ns=NOW_NS + 50 * SECOND_NS), message(2), message(3), message(4))
        await pause(store)
        second, third = take_from(store, "lane", 2)
        for each in (second, third):
            each.attempts, each.due_ns = each.key, NOW_NS + each.key * SECOND_NS
        store.defer([second, third])
        await pause(store)
        assert store.wake(NOW_NS + SECOND_NS) == NOW_NS + 2 * SECOND_NS
        await accept(store)  # what is deferred is promised to nobody
        await store._committer._settle()
        async with restart(store, tmp_path / "data") as again:
            assert (waiting_in(again, "lane"), deferred_in(again, "lane"), again.queued("acme")) == (1, 3, 4)
            assert again.wake(LATER_NS) == LATER_NS + 2 * SECOND_NS
            again.wake(LATER_NS + 3 * SECOND_NS)
            await until(lambda: again.wake(LATER_NS + 3 * SECOND_NS) == LATER_NS + 50 * SECOND_NS)
            taken = take_from(again, "lane", 9)
            assert [(each.key, each.attempts, each.due_ns) for each in taken] == [
                (2, 2, 0),
                (3, 3, 0),
                (4, 0, 0),
            ]
            await until(lambda: again.wake(LATER_NS + 50 * SECOND_NS) is None)
            assert keys_of(take_from(again, "lane", 9)) == [1]


@each_restart
@each_pause
async def test_what_esmes_are_owed_waits_for_them_again(
    tmp_path: Path, restart: Restart, pause: Pause
) -> None:
    async with first_run(tmp_path / "data") as store:
        owed = [delivery(number, received_ns=NOW_NS - number * SECOND_NS) for number in range(5)]
        await receive(store, *owed, delivery(90, "other"), delivery(91, ""))
        await pause(store)
        first, second, _ = store.take_deliveries("acme", 3)
        store.delivered([second])
        first.due_ns, first.attempts = NOW_NS + 600 * SECOND_NS, 4
        store.defer_deliveries([first])
        await pause(store)
        await receive(store, delivery(5))
        store.delivered(store.take_deliveries("acme", 1)[:0])
        async with restart(store, tmp_path / "data") as again:
            assert [again.waiting_deliveries(esme) for esme in ("acme", "other", "")] == [5, 1, 1]
            assert set(again.owing()) == {"acme", "other", ""}
            await until(lambda: again.wake(LATER_NS + 600 * SECOND_NS) is None)
            await until(lambda: again.ready_deliveries("acme") == 5)
            owed = again.take_deliveries("acme", 9)
            assert bodies(owed) == [b"receipt %d" % number for number in (0, 2, 3, 4, 5)]
            assert [(each.kind, each.command_id, each.tlv_at) for each in owed] == [("receipt", 5, 9)] * 5
            ages_ns = [LATER_NS - each.received_ns for each in owed[:4]]
            assert ages_ns == [0, 2 * SECOND_NS, 3 * SECOND_NS, 4 * SECOND_NS]
            assert [(each.esme, each.body) for each in again.take_deliveries("", 9)] == [("", b"receipt 91")]
            await receive(again, delivery(6))
            [new] = again.take_deliveries("acme", 9)
            assert new.key > max(each.key for each in owed)


@each_restart
@each_pause
async def test_receipts_find_their_messages_again(tmp_path: Path, restart: Restart, pause: Pause) -> None:
    async with first_run(tmp_path / "data") as store:
        await accept(store, *map(message, range(1, 7)))
        taken = take_from(store, "lane", 9)
        await submit(store, *((each, b"id %d" % each.key) for each in taken[:3]))
        await pause(store)
        await submit(store, *((each, b"id %d" % each.key) for each in taken[3:5]))
        await receive(store, finished=[(b"id 1", DELIVERED), (b"id 4", DELIVERED)])
        await pause(store)
        assert await recall(store, b"id 2") == [2]
        await receive(store, finished=[(b"id 2", UNDELIVERABLE)])
        async with restart(store, tmp_path / "data") as again:
            assert (again.queued("acme"), waiting_in(again, "lane")) == (1, 1)
            ids = [b"id %d" % key for key in range(1, 7)]
            assert await recall(again, *ids) == [None, None, 3, None, 5, None]
            found = again.find("sink", b"id 3")
            assert found is not None
            assert (found.message_id, found.esme, found.registered_delivery) == (b"00000003", "acme", 1)
            assert found.carrier == "sink"
            await receive(again, finished=[(b"id 3", DELIVERED), (b"id 5", DELIVERED)])
            assert await recall(again, *ids) == [None] * 6


@each_restart
@each_pause
async def test_what_is_kept_of_a_message_is_there_again(
    tmp_path: Path, restart: Restart, pause: Pause
) -> None:
    """Made anew of what the log has, or as the ledger has it."""
    async with first_run(tmp_path / "data", envelope_of=envelope_of) as store:
        await accept(store, *(message(key, parts=3) for key in (1, 2)))
        await pause(store)
        first, second = take_from(store, "lane", 9)
        await submit(store, (first, b"x"))
        await pause(store)
        await submit(store, (second, b"y"))
        async with restart(store, tmp_path / "data", envelope_of=envelope_of) as again:
            assert await recall(again, b"x", b"y") == [1, 2]
            for key, carrier_id in ((1, b"x"), (2, b"y")):
                found = again.find("sink", carrier_id)
                assert found is not None
                assert (found.envelope, found.parts, found.body) == (b"4 of body %d" % key, 3, b"")


async def test_what_was_finished_is_known_again_as_far_as_the_log_tells(tmp_path: Path) -> None:
    async with first_run(tmp_path / "data") as store:
        await accept(store, message(1), message(2))
        first, second = take_from(store, "lane", 9)
        await submit(store, (first, b"x"), (second, b"y"))
        await take_checkpoint(store)
        await receive(store, finished=[(b"x", DELIVERED), (b"never there", DELIVERED)])
        async with killed(store, tmp_path / "data") as again:
            assert again.finished_envelope("sink", b"x") is not None
            assert again.finished_envelope("sink", b"y") is None
            assert again.finished_envelope("sink", b"never there") is None


@each_restart
@each_pause
async def test_what_is_held_is_held_again_in_its_order(
    tmp_path: Path, restart: Restart, pause: Pause
) -> None:
    async with first_run(tmp_path / "data") as store:
        store.hold(SHELF, [held(b"%d" % number, NOW_NS, b"first") for number in range(5)], 99)
        store.hold("other", [held(b"1", NOW_NS, b"other")], 99)
        await receive(store)
        await pause(store)
        assert len(store.release(SHELF, [b"0"])) == 1
        store.hold(SHELF, [held(b"1", NOW_NS + SECOND_NS, b"second"), held(b"2", NOW_NS)], 99)
        assert len(store.release(SHELF, [b"2"])) == 2
        await receive(store)
        await pause(store)
        assert len(store.release(SHELF, [b"3"])) == 1
        store.hold(SHELF, [held(b"1", NOW_NS, b"third"), held(b"3", NOW_NS, b"anew")], 99)
        await receive(store)
        async with restart(store, tmp_path / "data") as again:
            assert (again.holds(SHELF), again.holds("other")) == (5, 1)
            entries = again.release(SHELF, [b"%d" % number for number in range(5)])
            assert [(each.under, each.body) for each in entries] == [
                (b"1", b"first"),
                (b"1", b"second"),
                (b"1", b"third"),
                (b"3", b"anew"),
                (b"4", b"first"),
            ]
            assert [each.received_ns - LATER_NS for each in entries] == [0, SECOND_NS, 0, 0, 0]
            assert entries[0].command_id == 5
            assert bodies(again.held("other", b"1")) == [b"other"]
            assert bodies(again.hold(SHELF, [held(b"5")], 0)) == [b"body"]
            await receive(again)


@each_restart
@each_pause
async def test_what_has_ended_is_looked_up_again(tmp_path: Path, restart: Restart, pause: Pause) -> None:
    async with first_run(tmp_path / "data") as store:
        await accept(store, *map(message, range(1, 6)))
        first, second, third, fourth = take_from(store, "lane", 4)
        await submit(store, (first, b"x"), (second, b"y"))
        await pause(store)
        await receive(store, finished=[(b"x", DELIVERED)])
        await fail(store, third)
        await pause(store)
        await fail(store, fourth, outcome=EXPIRED)
        async with restart(store, tmp_path / "data") as again:
            assert await look_up(again, 1) == Standing("acme", DELIVERED, LATER_NS, None)
            assert await look_up(again, 2) == Standing("acme", None, 0, None)
            assert await look_up(again, 3) == Standing("acme", UNDELIVERABLE, LATER_NS, None)
            assert await look_up(again, 4) == Standing("acme", EXPIRED, LATER_NS, None)
            standing = await look_up(again, 5)
            assert standing is not None
            assert standing.message is not None
            assert standing.message.body == b"body 5"
            assert await look_up(again, 6) is None
            assert again.highest_key == 5


@each_restart
@each_pause
async def test_what_was_replaced_leaves_once_as_it_is_now(
    tmp_path: Path, restart: Restart, pause: Pause
) -> None:
    async with first_run(tmp_path / "data") as store:
        await accept(store, *map(message, range(1, 6)))
        await pause(store)
        second, fourth = await picked(lambda then: store.pick([2, 4], then))
        second.body, fourth.body = b"new", b"later"
        fourth.due_ns = NOW_NS + SECOND_NS
        await replace(store, second, fourth)
        await pause(store)
        async with restart(store, tmp_path / "data") as again:
            assert (waiting_in(again, "lane"), deferred_in(again, "lane"), again.queued("acme")) == (4, 1, 5)
            taken = await take_out(again, 4)
            assert [each.body for each in taken] == [b"body 1", b"new", b"body 3", b"body 5"]
            await until(lambda: again.wake(LATER_NS + SECOND_NS) is None)
            assert [each.body for each in take_from(again, "lane", 9)] == [b"later"]


@each_restart
async def test_what_dies_between_checkpoints_stays_dead(
    tmp_path: Path, restart: Restart, monkeypatch: pytest.MonkeyPatch
) -> None:
    shrink(monkeypatch)
    async with first_run(tmp_path / "data") as store:
        alive = set(range(1, 61))
        await accept_each(store, sorted(alive))
        for number in range(5):
            await take_checkpoint(store)
            taken = await take_out(store, 7)
            await submit(store, *((each, b"%d" % each.key) for each in taken[number % 3 :: 3]))
            alive.difference_update(keys_of(taken[number % 3 :: 3]))
            store.give_back([each for each in taken if each.key in alive])
        async with restart(store, tmp_path / "data") as again:
            assert again.queued("acme") == len(alive)
            assert await drain(again) == sorted(alive)
        async with next_run(tmp_path / "other") as fresh:
            assert fresh.queued("acme") == 0


@each_restart
@each_pause
async def test_a_long_lane_is_in_order_again(
    tmp_path: Path, restart: Restart, pause: Pause, monkeypatch: pytest.MonkeyPatch
) -> None:
    shrink(monkeypatch)
    async with first_run(tmp_path / "data") as store:
        await accept_each(store, range(1, 101))
        await pause(store)
        gone = await take_out(store, 30)
        await submit(store, *((each, b"%d" % each.key) for each in gone))
        await accept_each(store, range(101, 151))
        [changed] = await picked(lambda then: store.pick([120], then))
        changed.body = b"new"
        await replace(store, changed)
        await pause(store)
        async with restart(store, tmp_path / "data") as again:
            assert len(again._state.live) < 60
            assert await drain(again) == list(range(31, 151))


@each_pause
@each_restart
async def test_what_stood_in_many_lanes_stands_there_again(
    tmp_path: Path, restart: Restart, pause: Pause, monkeypatch: pytest.MonkeyPatch
) -> None:
    shrink(monkeypatch)
    async with first_run(tmp_path / "data") as store:
        for key in range(1, 301, 5):
            batch = [message(each, f"lane {each % 20}") for each in range(key, key + 5)]
            for each in batch:
                each.segments, each.day_segments = each.key % 3 + 1, each.key % 2
            await accept(store, *batch)
            store.stand(store.fresh())
            if key == 151:
                await pause(store)
        assert any(queue_in(store, lane.name).pages for lane in store.lanes())
        await submit(store, *((each, b"%d" % each.key) for each in await take_out(store, 10, "lane 7")))
        async with restart(store, tmp_path / "data") as again:
            assert len(again.lanes()) == len(set(again.roused()) | set(again.lanes())) == 20
            assert again.queued("acme") == 290
            for number in range(20):
                keys = range(number or 20, 301, 20)
                taken = await take_out(again, len(keys) - 10 * (number == 7), f"lane {number}")
                assert keys_of(taken) == list(keys)[10 * (number == 7) :]
                assert all(
                    (each.segments, each.day_segments) == (each.key % 3 + 1, each.key % 2) for each in taken
                )
            assert list(again.lanes()) == []


@each_pause
@each_restart
async def test_what_was_reserved_of_a_quota_is_known_again(
    tmp_path: Path, restart: Restart, pause: Pause
) -> None:
    async with first_run(tmp_path / "data") as store:
        for quota, day, segments in (("a", 739_000, 10), ("b", 739_000, 5), ("a", 739_000, 20)):
            told = Told()
            store.reserve(quota, day, segments, told)
            await told.told()
            await pause(store)
        async with restart(store, tmp_path / "data") as again:
            assert [again.reserved(quota) for quota in "abc"] == [(739_000, 20), (739_000, 5), (0, 0)]


@each_pause
async def test_lanes_may_have_other_names_now(
    tmp_path: Path, pause: Pause, monkeypatch: pytest.MonkeyPatch
) -> None:
    shrink(monkeypatch)
    async with first_run(tmp_path / "data") as store:
        for key in range(1, 91):
            await accept(store, message(key, "ab"[key % 2]))
            store.stand(store.fresh())
        await pause(store)
        [changed] = await picked(lambda then: store.pick([70], then))
        changed.body = b"new"
        await replace(store, changed)
        moved = Lane("c")
        async with killed(store, tmp_path / "data", lane_of=lambda _: moved) as again:
            lanes_of(again)["c"] = moved
            assert list(again.lanes()) == [moved]
            assert waiting_in(again, "c") == 90
            found = await picked(lambda then: again.pick_beginning("acme", b"body 80", then))
            assert [(each.key, each.lane.name) for each in found] == [(80, "c")]
            again.give_back(found)
            assert await drain(again, "c") == list(range(1, 91))


@each_pause
async def test_what_expired_before_the_machine_started_is_picked(tmp_path: Path, pause: Pause) -> None:
    async with first_run(tmp_path / "data") as store:
        await accept(store, message(1, expires_ns=NOW_NS - LATER_NS - SECOND_NS), message(2))
        await pause(store)
        async with stopped(store, tmp_path / "data") as again:
            found: list[Message] = []
            await until(lambda: again.pick_expired(LATER_NS, found.extend) or bool(found))
            assert keys_of(found) == [1]
            assert found[0].expires_ns < 0


@pytest.mark.parametrize(
    ("hours", "days", "found"),
    [(73, 7, True), (167, 7, True), (169, 7, False), (95, 1, True), (97, 1, False)],
)
async def test_a_receipt_finds_its_message_for_as_long_as_messages_are_remembered(
    tmp_path: Path, hours: int, days: int, found: bool
) -> None:
    """And for four days at least."""
    now_ns = NOW_NS
    settings = {"clock": lambda: now_ns, "retention_days": days, "envelope_of": envelope_of}
    async with first_run(tmp_path / "data", **settings) as store:
        await accept(store, message(1), message(2, expires_ns=NOW_NS + 200 * HOUR_NS))
        first, second = take_from(store, "lane", 9)
        await submit(store, (first, b"x"), (second, b"y"))
        await take_checkpoint(store)
        now_ns += hours * HOUR_NS
        for key in (3, 4, 5):
            await accept(store, message(key))
            await take_checkpoint(store)
        assert await recall(store, b"x", b"y") == [1 if found else None, 2]


async def test_a_store_that_is_opened_again_and_again_stays_as_large_as_it_was(tmp_path: Path) -> None:
    async with first_run(tmp_path / "data") as store:
        await accept_each(store, range(1, 20))
    sizes = []
    for _ in range(6):
        async with next_run(tmp_path / "data") as store:
            assert waiting_in(store, "lane") == 19
        sizes.append(sum(path.stat().st_size for path in (tmp_path / "data").iterdir()))
    assert len(set(sizes[1:])) == 1
