"""Long queues of deliveries, which stand on disk; what every store does is in test_contract.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from smppgw.store import checkpoints
from smppgw.store.entries import Delivery
from smppgw.store.wal import WalStore
from tests.store.lanes import take_from
from tests.store.restarts import (
    HEAD_MOST,
    NOW_NS,
    PAGE_ENTRIES,
    SECOND_NS,
    Pause,
    each_pause,
    first_run,
    killed,
    shrink,
    take_checkpoint,
)
from tests.store.store_book import until
from tests.store.test_contract import SHELF, accept, bodies, delivery, held, message, receive, submit

FEW = HEAD_MOST + 4 * 2 * PAGE_ENTRIES


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    shrink(monkeypatch)


async def receive_each(store: WalStore, numbers: range) -> None:
    for at in numbers[::3]:
        await receive(store, *map(delivery, range(at, min(at + 3, numbers.stop))))


async def take_all(store: WalStore, count: int) -> list[Delivery]:
    taken: list[Delivery] = []
    await until(lambda: taken.extend(store.take_deliveries("acme", 4)) or len(taken) == count)
    return taken


def numbers_of(deliveries: list[Delivery]) -> list[int]:
    return [int(each.body.split()[1]) for each in deliveries]


@each_pause
async def test_a_long_queue_leaves_in_order_and_little_of_it_is_in_memory(
    tmp_path: Path, pause: Pause
) -> None:
    async with first_run(tmp_path / "data") as store:
        await receive_each(store, range(200))
        await pause(store)
        assert store.waiting_deliveries("acme") == 200
        assert len(store._state.undelivered) <= FEW
        first = await take_all(store, 60)
        store.delivered(first[::2])
        store.give_back_deliveries(first[1::2])
        await pause(store)
        assert store.waiting_deliveries("acme") == 170
        rest = await take_all(store, 170)
        assert numbers_of(rest) == [*range(1, 60, 2), *range(60, 200)]
        store.delivered(rest)
        await take_checkpoint(store)
        await take_checkpoint(store)
        assert store._state.undelivered == {}


async def test_what_an_esme_refuses_again_and_again_waits_on_disk_with_its_moment_and_attempts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though nothing of that is written to the log."""
    monkeypatch.setattr(checkpoints, "ASIDE_MOST", 30)
    monkeypatch.setattr(checkpoints, "PRESSED_NS", 0)
    monkeypatch.setattr(checkpoints, "TICK_SECONDS", 0.001)
    now_ns = NOW_NS
    async with first_run(tmp_path / "data", clock=lambda: now_ns) as store:
        await receive_each(store, range(300))
        most = 0
        for attempt in range(1, 4):
            deferred = 0
            while deferred < 300:
                store.wake(now_ns)
                deliveries = store.take_deliveries("acme", 10)
                for each in deliveries:
                    each.attempts += 1
                    assert each.attempts == attempt
                    each.due_ns = now_ns + 300 * SECOND_NS + int(each.body.split()[1]) * SECOND_NS // 300
                store.defer_deliveries(deliveries)
                deferred += len(deliveries)
                most = max(most, len(store._state.undelivered))
                if store._state.put_aside > 30:
                    await until(lambda: store._state.put_aside <= 30)
                elif not deliveries:
                    await until(lambda: not store._state.owed["acme"].loading)
            assert store.waiting_deliveries("acme") == 300
            store.wake(now_ns + 299 * SECOND_NS)
            assert store.take_deliveries("acme", 99) == []
            now_ns += 302 * SECOND_NS
        assert most < 150


async def test_what_makes_room_is_released_in_the_log_too(tmp_path: Path) -> None:
    async with first_run(tmp_path / "data") as store:
        assert store.hold(SHELF, [], 3) == []
        assert store.hold(SHELF, [held(b"%d" % number) for number in range(3)], 3) == []
        await receive(store)
        gone = store.hold(SHELF, [held(b"3"), held(b"1"), held(b"4")], 3)
        assert [each.under for each in gone] == [b"0", b"1", b"1"]
        await receive(store)
        async with killed(store, tmp_path / "data") as again:
            assert again.holds(SHELF) == 3
            left = again.release(SHELF, [b"%d" % number for number in range(5)])
            assert [each.under for each in left] == [b"2", b"3", b"4"]


async def test_what_is_said_of_shelves_waits_for_what_comes_of_it(tmp_path: Path) -> None:
    """A crash between the two leaves things as they were, whatever else is written meanwhile."""
    async with first_run(tmp_path / "data") as store:
        store.hold(SHELF, [held(b"a", 10, b"1"), held(b"b", 20, b"2"), held(b"c", 30, b"3")], 9)
        await receive(store)
        [expired] = store.expire_held(SHELF, 11)
        [released] = store.release(SHELF, [b"b"])
        store.hold(SHELF, [held(b"d", 40, b"4")], 9)
        await accept(store, message(1))
        [taken] = take_from(store, "lane", 1)
        taken.due_ns = NOW_NS + SECOND_NS
        store.defer([taken])
        await accept(store, message(2))
        async with killed(store, tmp_path / "data") as again:
            assert bodies(again.release(SHELF, [b"a", b"b", b"c", b"d"])) == [b"1", b"2", b"3"]
            assert (again.waiting_deliveries(""), again.queued("acme")) == (0, 2)
        await receive(store, delivery(1, ""), delivery(2, ""))
        assert bodies([expired, released]) == [b"1", b"2"]
        async with killed(store, tmp_path / "data") as again:
            assert bodies(again.release(SHELF, [b"a", b"b", b"c", b"d"])) == [b"3", b"4"]
            assert again.waiting_deliveries("") == 2


async def test_what_is_said_of_shelves_goes_with_what_carriers_have(tmp_path: Path) -> None:
    async with first_run(tmp_path / "data") as store:
        store.hold(SHELF, [held(b"x"), held(b"y")], 9)
        await accept(store, message(1))
        assert len(store.release(SHELF, [b"x"])) == 1
        await submit(store, (take_from(store, "lane", 1)[0], b"x"))
        async with killed(store, tmp_path / "data") as again:
            assert (again.holds(SHELF), len(again.held(SHELF, b"y"))) == (1, 1)
