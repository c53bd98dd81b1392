"""Messages that are asked for and stand on disk; what every store does is in test_contract.py."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from smppgw.store import search
from smppgw.store.entries import Message, Standing
from smppgw.store.wal import WalStore
from tests.store.lanes import queue_in, take_from
from tests.store.restarts import (
    NOW_NS,
    SECOND_NS,
    Pause,
    accept_each,
    drain,
    each_pause,
    first_run,
    recall,
    shrink,
    take_checkpoint,
    take_out,
)
from tests.store.store_book import until
from tests.store.test_contract import (
    DELIVERED,
    UNDELIVERABLE,
    Told,
    accept,
    fail,
    keys_of,
    look_up,
    message,
    pick,
    picked,
    receive,
    submit,
)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    shrink(monkeypatch)


def in_memory(store: WalStore) -> set[int]:
    return set(store._state.live)


@each_pause
async def test_messages_are_picked_wherever_they_stand(tmp_path: Path, pause: Pause) -> None:
    async with first_run(tmp_path / "data") as store:
        await accept_each(store, range(1, 101))
        await accept(store, message(101, due_ns=NOW_NS + 60 * SECOND_NS))
        await pause(store)
        out = keys_of(await take_out(store, 3))
        wanted = {2, 30, 50, 51, 99, 101, 500}
        assert not wanted <= in_memory(store)
        assert set(await pick(store, *wanted)) == wanted - {500} - set(out)
        assert await pick(store, *wanted) == []
        assert store.queued("acme") == 101
        assert await drain(store) == [key for key in range(4, 101) if key not in wanted]


@each_pause
async def test_messages_are_picked_by_their_beginning_wherever_they_stand(
    tmp_path: Path, pause: Pause
) -> None:
    async with first_run(tmp_path / "data") as store:
        await accept_each(store, range(1, 101))
        await pause(store)
        find = partial(store.pick_beginning, "acme", b"body 7")
        found = await picked(find)
        assert sorted(keys_of(found)) == [7, *range(70, 80)]
        assert await picked(find) == []
        assert await picked(partial(store.pick_beginning, "other", b"body 9")) == []
        assert sorted(keys_of(await picked(partial(store.pick_beginning, "acme", b"y 8", behind=3)))) == [
            8,
            *range(80, 90),
        ]


@each_pause
async def test_what_expires_is_picked_wherever_it_stands(
    tmp_path: Path, pause: Pause, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "PAGES_AT_ONCE", 3)
    async with first_run(tmp_path / "data") as store:
        for key in range(1, 121):
            await accept(
                store, message(key, expires_ns=(NOW_NS + key * SECOND_NS * (key % 3)) if key % 3 else 0)
            )
            store.stand(store.fresh())
        await pause(store)
        found: list[Message] = []
        most = 0

        def expire(messages: list[Message]) -> None:
            nonlocal most
            most = max(most, len(messages))
            found.extend(messages)

        for second in (0, 50, 300):
            now_ns = NOW_NS + second * SECOND_NS
            expected = [key for key in range(1, 121) if key % 3 and key * (key % 3) <= second]
            for _ in range(3):  # again, while it is at it
                store.pick_expired(now_ns, expire)
            await until(lambda expected=expected: len(found) >= len(expected))  # type: ignore[misc]
            assert sorted(keys_of(found)) == expected
        assert most <= 40, "not all at once"
        await fail(store, *found)
        assert await drain(store) == list(range(3, 121, 3))


async def while_being_read(store: WalStore, ask: Callable[[Told], None]) -> Told:
    """Ask while the pages that may hold the answer are being read back."""
    take_from(store, "lane", 99)
    assert queue_in(store, "lane").loading
    told = Told()
    ask(told)
    await told.told()
    return told


@pytest.mark.parametrize("way", ["key", "beginning", "expiry"])
async def test_what_is_being_read_back_is_picked_once(tmp_path: Path, way: str) -> None:
    async with first_run(tmp_path / "data") as store:
        for key in range(1, 101):
            await accept(store, message(key, expires_ns=NOW_NS if key == 42 else 0))
            store.stand(store.fresh())
        await take_checkpoint(store)
        held = in_memory(store)
        assert 42 not in held
        ask: dict[str, Callable[[Told], None]] = {
            "key": lambda told: store.pick([42], told),
            "beginning": lambda told: store.pick_beginning("acme", b"body 42", told),
            "expiry": lambda told: store.pick_expired(NOW_NS, lambda each: told(each) if each else None),
        }
        told = await while_being_read(store, ask[way])
        assert keys_of(told.answers[0]) == [42]
        assert await drain(store) == sorted(set(range(1, 101)) - held - {42})


async def test_a_message_is_looked_up_wherever_it_stands(tmp_path: Path) -> None:
    async with first_run(tmp_path / "data") as store:
        await accept_each(store, range(1, 101))

        async def is_there(key: int) -> None:
            standing = await look_up(store, key)
            assert standing is not None
            assert (standing.esme, standing.outcome, standing.final_ns) == ("acme", None, 0)
            assert standing.message is not None
            assert (standing.message.key, standing.message.body) == (key, b"body %d" % key)

        for key in (1, 60, 100):
            await is_there(key)
        await take_checkpoint(store)
        assert 60 not in in_memory(store)
        for key in (1, 60, 100):
            await is_there(key)
        told = await while_being_read(store, lambda told: store.look_up(45, told))
        assert told.answers[0].message.key == 45
        assert await look_up(store, 101) is None


async def test_what_has_ended_is_known_before_a_checkpoint_has_it_while_it_does_and_after(
    tmp_path: Path,
) -> None:
    async with first_run(tmp_path / "data") as store:
        await accept(store, *map(message, range(1, 4)))
        first, second, third = take_from(store, "lane", 3)
        await submit(store, (first, b"x"), (second, b"y"))
        await fail(store, third)

        async def known() -> list[Standing | None]:
            return [await look_up(store, key) for key in range(1, 4)]

        before = await known()
        assert before[0] == before[1] == Standing("acme", None, 0, None)
        assert before[2] == Standing("acme", UNDELIVERABLE, NOW_NS, None)
        store._checkpoints.take()
        assert await known() == before
        await store._checkpoints._idle.wait()
        assert await known() == before
        await receive(store, finished=[(b"x", DELIVERED)])
        assert (await known())[0] == Standing("acme", DELIVERED, NOW_NS, None)
        await take_checkpoint(store)
        assert await known() == [Standing("acme", DELIVERED, NOW_NS, None), *before[1:]]


async def test_a_message_that_a_carrier_has_is_recalled_until_it_is_finished(tmp_path: Path) -> None:
    async with first_run(tmp_path / "data") as store:
        await accept(store, *map(message, range(1, 4)))
        await submit(store, *((each, b"id %d" % each.key) for each in take_from(store, "lane", 9)))
        for key in range(4, 7):
            await accept(store, message(key))
            await take_checkpoint(store)
        assert store.find("sink", b"id 1") is None
        ids = [b"id 1", b"id 2", b"id 3", b"no such id"]
        assert await recall(store, *ids) == [1, 2, 3, None]
        await receive(store, finished=[(b"id 2", DELIVERED)])
        for _ in range(3):
            assert await recall(store, *ids) == [1, None, 3, None]
            await accept(store, message(store.highest_key + 1))
            await take_checkpoint(store)
        standing = await look_up(store, 2)
        assert standing is not None
        assert standing.outcome == DELIVERED
