"""Durable stores that are stopped, or killed, and run again."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final, Protocol

import pytest

from smppgw.store import backlog, checkpoint, incoming, outgoing, recovery, state
from smppgw.store.entries import Message
from smppgw.store.log import SPARES
from smppgw.store.wal import WalStore
from tests.store.lanes import take_from, waiting_in
from tests.store.store_book import until
from tests.store.stores import opened
from tests.store.test_contract import Told, accept, keys_of, message

SECOND_NS: Final = 1_000_000_000
HOUR_NS: Final = 3600 * SECOND_NS
NOW_NS: Final = 5_000 * SECOND_NS
"""By the first run's clock."""
WALL_NS: Final = 1_700_000_000 * SECOND_NS
"""Nanoseconds since 1970, then."""
LATER_NS: Final = 10 * SECOND_NS
"""By the clock of the next run, on a machine that has just started."""
SHIFT_NS: Final = NOW_NS - LATER_NS
"""What a moment of the first run is more than the same of the next."""
HEAD_MOST, HEAD_LEAST, PAGE_ENTRIES, MEMORY_MOST = 40, 4, 4, 40


class Restart(Protocol):
    """Runs what a store has left; the block has the store of the next run."""

    def __call__(
        self, store: WalStore, directory: Path, **more: Any
    ) -> AbstractAsyncContextManager[WalStore]:
        """`more`: as for `wal_store`."""


def first_run(directory: Path, **more: Any) -> AbstractAsyncContextManager[WalStore]:
    return opened(directory, **{"clock": lambda: NOW_NS, "wall_ns": WALL_NS, **more})


def next_run(directory: Path, **more: Any) -> AbstractAsyncContextManager[WalStore]:
    return opened(directory, **{"clock": lambda: LATER_NS, "wall_ns": WALL_NS, **more})


@asynccontextmanager
async def stopped(store: WalStore, directory: Path, **more: Any) -> AsyncIterator[WalStore]:
    assert await store.close() == 0
    async with next_run(directory, **more) as again:
        yield again


@asynccontextmanager
async def killed(store: WalStore, directory: Path, **more: Any) -> AsyncIterator[WalStore]:
    """What is on the disk at that moment; the first store runs on beside it."""
    await until(lambda: store._committer._log.spares == SPARES)  # else names change while they are copied
    left = Path(mkdtemp(prefix="left-", dir=directory.parent)) / directory.name
    shutil.copytree(directory, left)
    async with next_run(left, **more) as again:
        yield again


each_restart = pytest.mark.parametrize("restart", [stopped, killed])


async def take_checkpoint(store: WalStore) -> None:
    store._checkpoints.take()
    await store._checkpoints._idle.wait()


async def take_none(store: WalStore) -> None:
    pass


Pause = Callable[[WalStore], Any]
each_pause = pytest.mark.parametrize(
    "pause", [take_checkpoint, take_none], ids=["checkpoints", "no checkpoint"]
)


def shrink(
    monkeypatch: pytest.MonkeyPatch,
    *,
    head_most: int = HEAD_MOST,
    head_least: int = HEAD_LEAST,
    page_entries: int = PAGE_ENTRIES,
    memory_most: int = MEMORY_MOST,
) -> None:
    """Let memory be full with a few entries, and let pages be small."""
    monkeypatch.setattr(backlog, "HEAD_LEAST", head_least)
    monkeypatch.setattr(checkpoint, "HEAD_LEAST", 1)
    for module in (backlog, recovery):
        monkeypatch.setattr(module, "HEAD_MOST", head_most)
    for module in (state, checkpoint, recovery, incoming):
        monkeypatch.setattr(module, "PAGE_ENTRIES", page_entries)
    for module in (backlog, outgoing, recovery, incoming):
        monkeypatch.setattr(module, "MEMORY_MOST", memory_most)


async def accept_each(store: WalStore, keys: Sequence[int], **more: Any) -> None:
    """In batches of three, so that there is more than one record in a page."""
    for at in range(0, len(keys), 3):
        await accept(store, *(message(key, **more) for key in keys[at : at + 3]))
        store.stand(store.fresh())


async def take_out(store: WalStore, count: int, lane: str = "lane", most: int = 3) -> list[Message]:
    """Take that many messages, as they come."""
    taken: list[Message] = []
    await until(
        lambda: taken.extend(take_from(store, lane, min(most, count - len(taken)))) or len(taken) == count
    )
    return taken


async def drain(store: WalStore, lane: str = "lane") -> list[int]:
    """The keys of all that stand in a lane, as they come; nothing else does."""
    taken = await take_out(store, waiting_in(store, lane), lane)
    assert take_from(store, lane, 9) == []
    assert waiting_in(store, lane) == 0
    return keys_of(taken)


async def recall(store: WalStore, *ids: bytes) -> list[int | None]:
    """The keys of the messages that a carrier knows under these ids."""
    told = Told()
    store.recall("sink", ids, told)
    await told.told()
    found = [store.find("sink", carrier_id) for carrier_id in ids]
    return [each.key if each is not None else None for each in found]
