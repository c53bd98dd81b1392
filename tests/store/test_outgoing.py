"""Long lanes, whose messages stand on disk; what every store does is in test_contract.py."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from smppgw.store import checkpoints, outgoing
from smppgw.store.entries import Message
from smppgw.store.wal import WalStore
from tests.store.lanes import at_home, deferred_in, queue_in, ready_in, take_from, waiting_in
from tests.store.restarts import (
    HEAD_MOST,
    NOW_NS,
    PAGE_ENTRIES,
    SECOND_NS,
    Pause,
    accept_each,
    drain,
    each_pause,
    first_run,
    shrink,
    take_checkpoint,
    take_out,
)
from tests.store.store_book import until
from tests.store.test_contract import Told, accept, fail, keys_of, message, picked, replace, submit

FEW = HEAD_MOST + 4 * 2 * PAGE_ENTRIES
"""Above what memory holds of a lane, with the pages that are read back at once."""


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    shrink(monkeypatch)


def in_memory(store: WalStore) -> int:
    return len(store._state.live)


@each_pause
async def test_a_long_lane_leaves_in_order_and_little_of_it_is_in_memory(
    tmp_path: Path, pause: Pause
) -> None:
    async with first_run(tmp_path / "data") as store:
        await accept_each(store, range(1, 201))
        await pause(store)
        assert (waiting_in(store, "lane"), store.queued("acme")) == (200, 200)
        assert ready_in(store, "lane") <= FEW
        assert in_memory(store) <= FEW
        left: list[int] = []
        for key in range(201, 291, 3):  # more comes while others leave
            taken = await take_out(store, 8)
            left += keys_of(taken)
            await submit(store, *((each, b"%d" % each.key) for each in taken))
            await accept_each(store, range(key, key + 3))
            assert in_memory(store) <= FEW + 8
            if key % 5 == 0:
                await pause(store)
        assert left + await drain(store) == list(range(1, 291))


@each_pause
async def test_what_comes_back_stands_in_order_in_a_long_lane(tmp_path: Path, pause: Pause) -> None:
    async with first_run(tmp_path / "data") as store:
        await accept_each(store, range(1, 101))
        taken = await take_out(store, 30)
        await pause(store)
        store.give_back(taken[::2])
        store.give_back(taken[1::2])
        assert await drain(store) == list(range(1, 101))


@each_pause
async def test_what_was_picked_from_the_midst_of_a_long_lane_stands_there_again(
    tmp_path: Path, pause: Pause
) -> None:
    async with first_run(tmp_path / "data") as store:
        await accept_each(store, range(1, 101))
        await pause(store)
        some = await picked(lambda then: store.pick([2, 40, 41, 77, 78, 99], then))
        assert sorted(keys_of(some)) == [2, 40, 41, 77, 78, 99]
        assert waiting_in(store, "lane") == 94
        store.give_back([each for each in some if each.key % 2])
        changed = [each for each in some if each.key % 2 == 0]
        for each in changed:
            each.body = b"new"
        await replace(store, *changed)
        assert waiting_in(store, "lane") == 100
        await pause(store)
        taken = await take_out(store, 100)
        assert keys_of(taken) == list(range(1, 101))
        assert {each.key for each in taken if each.body == b"new"} == {2, 40, 78}


async def test_what_is_woken_stands_where_its_key_belongs_in_a_long_lane(tmp_path: Path) -> None:
    async with first_run(tmp_path / "data") as store:
        await accept_each(store, range(1, 80))
        await accept(store, message(80, due_ns=NOW_NS))
        await accept_each(store, range(81, 101))
        taken = await take_out(store, 35)
        assert store.wake(NOW_NS) is None
        store.give_back(taken)
        assert (deferred_in(store, "lane"), waiting_in(store, "lane")) == (0, 100)
        assert await drain(store) == list(range(1, 101))


@each_pause
async def test_a_late_answer_ends_a_message_of_a_long_lane_where_it_stands(
    tmp_path: Path, pause: Pause
) -> None:
    async with first_run(tmp_path / "data") as store:
        await accept_each(store, range(1, 91))
        taken = await take_out(store, 45)
        store.give_back(taken)
        await pause(store)
        late = taken[3::4]
        await submit(store, *((each, b"%d" % each.key) for each in late))
        assert store.queued("acme") == 90 - len(late)
        left = await drain(store)
        assert left == sorted(set(range(1, 91)) - set(keys_of(late)))


async def put_to_disk(store: WalStore, message_: Message, seconds: int) -> None:
    """Defer a message, and let it go from memory."""
    message_.due_ns = NOW_NS + seconds * SECOND_NS
    store.defer([message_])
    await take_checkpoint(store)
    assert message_.key not in store._state.live


async def test_a_late_answer_ends_a_message_that_went_to_disk_to_wait(tmp_path: Path) -> None:
    async with first_run(tmp_path / "data") as store:
        await accept(store, message(1), message(2))
        first, _ = take_from(store, "lane", 2)
        await put_to_disk(store, first, 60)
        await submit(store, (first, b"x"))
        assert (store.queued("acme"), deferred_in(store, "lane")) == (1, 0)
        assert store.wake(NOW_NS + 60 * SECOND_NS) is None
        await take_checkpoint(store)
        assert take_from(store, "lane", 9) == []


@pytest.mark.parametrize("is_out", [False, True], ids=["in its lane", "handed out"])
async def test_a_late_answer_ends_a_message_that_came_back_from_disk(tmp_path: Path, is_out: bool) -> None:
    async with first_run(tmp_path / "data") as store:
        await accept(store, message(1), message(2))
        first, _ = take_from(store, "lane", 2)
        await put_to_disk(store, first, 60)
        await until(lambda: store.wake(NOW_NS + 60 * SECOND_NS) is None)
        again = take_from(store, "lane", 9) if is_out else []
        assert keys_of(again) == [1] * is_out
        await submit(store, (first, b"x"))
        assert store.queued("acme") == 1
        assert take_from(store, "lane", 9) == []
        for each in again:  # what comes of the second time it was sent
            assert each.body == b""
            await submit(store, (each, b"y"))
            each.due_ns = NOW_NS
            store.defer([each])
            store.give_back([each])
        assert (store.queued("acme"), deferred_in(store, "lane"), waiting_in(store, "lane")) == (1, 0, 0)


async def test_what_is_deferred_far_ahead_is_on_disk_until_it_is_due(tmp_path: Path) -> None:
    async with first_run(tmp_path / "data") as store:
        dues = {key: NOW_NS + (10 + key * 37 % 100) * SECOND_NS for key in range(1, 101)}
        await accept(store, *(message(key, due_ns=due_ns) for key, due_ns in dues.items()))
        assert in_memory(store) == 100
        await take_checkpoint(store)
        assert (in_memory(store), deferred_in(store, "lane"), store.queued("acme")) == (0, 100, 100)
        assert store.wake(NOW_NS) == min(dues.values())
        came: list[int] = []
        for second in range(9, 111):
            now_ns = NOW_NS + second * SECOND_NS
            expected = [key for key, due_ns in dues.items() if due_ns <= now_ns]

            def woken(now_ns: int = now_ns, expected: list[int] = expected) -> bool:
                store.wake(now_ns)
                came.extend(keys_of(take_from(store, "lane", 9)))
                return len(came) >= len(expected)

            await until(woken)
            assert sorted(came) == expected
            assert in_memory(store) <= len(came) + 8, "what is due later stays on disk"
            assert deferred_in(store, "lane") == 100 - len(came)
        assert store.wake(NOW_NS) is None


async def test_what_is_due_all_at_once_comes_to_memory_as_there_is_room(tmp_path: Path) -> None:
    async with first_run(tmp_path / "data") as store:
        due_ns = NOW_NS + 60 * SECOND_NS
        await accept(store, *(message(key, due_ns=due_ns) for key in range(1, 301)))
        await take_checkpoint(store)
        came: list[int] = []

        async def take_some(now_ns: int) -> None:
            for _ in range(20):
                store.wake(now_ns)
                await until(lambda: not queue_in(store, "lane").loading)
            assert in_memory(store) - len(came) <= 2 * HEAD_MOST + 4 * PAGE_ENTRIES
            came.extend(keys_of(take_from(store, "lane", 50)))

        await take_some(due_ns - SECOND_NS)
        assert came == []
        while len(came) < 300:
            await take_some(due_ns)
        assert sorted(came) == list(range(1, 301))


async def test_a_carrier_that_refuses_a_long_lane_again_and_again_fills_no_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "ASIDE_MOST", 30)
    monkeypatch.setattr(checkpoints, "PRESSED_NS", 0)
    monkeypatch.setattr(checkpoints, "TICK_SECONDS", 0.001)
    now_ns = NOW_NS
    async with first_run(tmp_path / "data", clock=lambda: now_ns) as store:
        await accept_each(store, range(1, 301))
        most = refused = 0
        while refused < 900:
            store.wake(now_ns)
            messages = take_from(store, "lane", 10)
            for each in messages:
                each.attempts += 1
                each.due_ns = now_ns + 30 * SECOND_NS
            store.defer(messages)
            refused += len(messages)
            most = max(most, in_memory(store))
            if store._state.put_aside > 30:
                await until(lambda: store._state.put_aside <= 30)
            if not messages:
                now_ns += SECOND_NS
                await until(lambda: not queue_in(store, "lane").loading)
        assert most < 170
        assert (store.queued("acme"), deferred_in(store, "lane") + waiting_in(store, "lane")) == (300, 300)
        assert not store._state.returned - store._state.live.keys()
        now_ns += 60 * SECOND_NS
        came: list[Message] = []

        def all_came() -> bool:
            store.wake(now_ns)
            came.extend(take_from(store, "lane", 10))
            return len(came) == 300

        await until(all_came)
        assert {each.key for each in came} == set(range(1, 301))
        assert sum(each.attempts for each in came) == refused


async def test_a_lane_whose_head_expires_goes_on_with_what_is_on_disk(tmp_path: Path) -> None:
    async with first_run(tmp_path / "data") as store:
        for key in range(1, 101):
            await accept(store, message(key, expires_ns=NOW_NS if key <= 60 else 0))
            store.stand(store.fresh())
        await take_checkpoint(store)
        found: list[Message] = []
        store.pick_expired(NOW_NS, found.extend)
        await until(lambda: len(found) == 60)
        await fail(store, *found)
        assert waiting_in(store, "lane") == 40
        await until(lambda: ready_in(store, "lane") > 0)
        assert await drain(store) == list(range(61, 101))


@each_pause
async def test_little_of_very_many_lanes_is_in_memory_and_each_leaves_in_order(
    tmp_path: Path, pause: Pause, monkeypatch: pytest.MonkeyPatch
) -> None:
    lanes, each_has, share = 200, 50, 4
    shrink(monkeypatch, memory_most=400, head_least=share)
    async with first_run(tmp_path / "data") as store:
        for key in range(0, lanes * each_has, 50):  # one after the other to each lane
            await accept(store, *(message(1 + each, f"lane {each % lanes}") for each in range(key, key + 50)))
            store.stand(store.fresh())
            if key % 1000 == 0:
                await pause(store)
        assert store.queued("acme") == lanes * each_has
        assert in_memory(store) <= 400 + lanes * share
        left: dict[str, list[int]] = {}
        most = out = 0
        ready = store.roused()
        while out < lanes * each_has:
            for lane in ready:
                if lane.queue is not None and lane.queue.head:
                    taken = [lane.queue.head.popleft()]
                    store.took(taken)
                    left.setdefault(lane.name, []).extend(keys_of(taken))
                    store.submitted("sink", [(taken[0], b"%d" % taken[0].key)], (), (), lambda: None)
                    out += 1
            most = max(most, in_memory(store))
            await asyncio.sleep(0)
            ready = list(store.lanes())
        assert most <= 400 + lanes * 2 * share
        assert left == {f"lane {each}": list(range(1 + each, 10_001, lanes)) for each in range(lanes)}


async def test_a_lane_whose_pages_come_back_is_roused(tmp_path: Path) -> None:
    async with first_run(tmp_path / "data") as store:
        await accept_each(store, range(1, 101))
        await take_checkpoint(store)
        store.roused()
        while taken := take_from(store, "lane", 99):
            pass
        assert (taken, store.roused()) == ([], [])
        await until(lambda: not queue_in(store, "lane").loading)
        assert [lane.name for lane in store.roused()] == ["lane"]


async def test_what_is_fresh_when_its_lane_gets_long_leaves_before_what_comes_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shrink(monkeypatch, memory_most=HEAD_MOST + 3)
    async with first_run(tmp_path / "data") as store:
        await accept_each(store, range(1, HEAD_MOST + 1))
        await accept(store, *map(message, (100, 101, 102)))  # fresh, and nobody asks
        told = Told()
        for key in range(103, 110):
            store.accept(at_home(store, [message(key)]), told)
        await told.told(7)
        assert queue_in(store, "lane").pages
        assert keys_of(list(queue_in(store, "lane"))) == [*range(1, HEAD_MOST + 1), 100, 101, 102]
        assert store.fresh() == []
        assert await drain(store) == [*range(1, HEAD_MOST + 1), *range(100, 110)]


async def test_what_becomes_durable_with_pages_behind_it_leaves_before_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever takes first: everything below is told of in one commit."""
    shrink(monkeypatch, memory_most=HEAD_MOST + 2)
    async with first_run(tmp_path / "data") as store:
        await accept_each(store, range(1, HEAD_MOST + 1))
        told = Told()
        taken: list[int] = []

        def durable() -> None:
            head = queue_in(store, "lane").head
            while head:
                message_ = head.popleft()
                store.took([message_])
                taken.append(message_.key)
                head = queue_in(store, "lane").head
            told()

        for each in (message(100, "other"), message(101), message(102)):
            store.accept(at_home(store, [each]), durable)
        assert queue_in(store, "lane").pages
        await told.told(3)
        await until(lambda: not queue_in(store, "lane").pages)
        durable()
        assert taken == [*range(1, HEAD_MOST + 1), 101, 102]


async def test_nothing_stands_in_a_long_lane_before_it_is_durable(tmp_path: Path) -> None:
    async with first_run(tmp_path / "data") as store:
        await accept_each(store, range(1, 31))
        await take_out(store, 30)
        told = Told()
        order: list[int] = []

        def taking(then: Callable[[], None]) -> Callable[[], None]:
            def durable() -> None:
                order.extend(keys_of(take_from(store, "lane", 99)))
                then()

            return durable

        store.accept(at_home(store, [message(31)]), taking(told))
        assert (ready_in(store, "lane"), waiting_in(store, "lane")) == (0, 0)
        for key in range(32, 80):
            store.accept(at_home(store, [message(key)]), taking(told))
        assert ready_in(store, "lane") == 0
        await told.told(49)
        order += await drain(store)
        assert order == list(range(31, 80))


async def test_answers_wait_where_messages_come_faster_than_the_ledger_takes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "SPILLED_MOST", 2_000)
    async with first_run(tmp_path / "data") as store:
        await accept_each(store, range(1, FEW))
        told = Told()
        store.accept(at_home(store, [message(FEW, body=b"x" * 4_000)]), told)
        store.accept(at_home(store, [message(FEW + 1)]), told)
        await until(lambda: store._committer.durable_lsn == store._state.lsn)
        assert told.times == 0
        await take_checkpoint(store)
        await told.told(2)
        assert store._state.spilled_octets == 0


async def test_what_comes_while_the_last_page_is_read_back_is_not_forgotten_with_it(tmp_path: Path) -> None:
    async with first_run(tmp_path / "data") as store:
        await accept_each(store, range(1, FEW))
        await take_checkpoint(store)
        key = FEW
        taken = []
        while (
            True
        ):  # one more message whenever pages are on their way, as long as an open one may be the last of them
            if queue_in(store, "lane").loading and key < FEW + 200:
                store.accept(at_home(store, [message(key)]), lambda: None)
                key += 1
            elif key < FEW + 200 and not queue_in(store, "lane").pages:
                await accept_each(store, range(key, key + FEW))
                key += FEW
            batch = take_from(store, "lane", 3)
            taken += keys_of(batch)
            if not batch and key >= FEW + 200 and not waiting_in(store, "lane"):
                break
            await asyncio.sleep(0)
        assert taken == list(range(1, key))


async def test_a_scheduled_message_leaves_whoever_looks_before_it_is_durable(tmp_path: Path) -> None:
    async with first_run(tmp_path / "data") as store:
        told = Told()
        store.accept(at_home(store, [message(1, due_ns=NOW_NS + SECOND_NS)]), told)
        assert store.wake(NOW_NS) is None
        await told.told()
        assert store.wake(NOW_NS) == NOW_NS + SECOND_NS
        store.wake(NOW_NS + SECOND_NS)
        assert keys_of(take_from(store, "lane", 9)) == [1]
