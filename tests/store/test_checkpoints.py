"""When checkpoints are taken, what they leave in memory and on the disk, and what a full disk does."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import LogCapture

from smppgw.store import checkpoints
from smppgw.store.ledger import LedgerFull
from smppgw.store.page import PAGE_ENTRIES
from smppgw.store.startup import LEDGER
from smppgw.store.wal import WalStore
from tests.store.lanes import take_from
from tests.store.restarts import (
    NOW_NS,
    SECOND_NS,
    accept_each,
    drain,
    first_run,
    killed,
    next_run,
    shrink,
    take_checkpoint,
    take_out,
)
from tests.store.stores import opened
from tests.store.test_committer import GatedFiles
from tests.store.test_contract import (
    DELIVERED,
    Told,
    accept,
    delivery,
    fail,
    look_up,
    message,
    receive,
    submit,
)
from tests.support import until


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "TICK_SECONDS", 0.001)
    monkeypatch.setattr(checkpoints, "RETRY_NS", 1_000_000)
    monkeypatch.setattr(checkpoints, "PRESSED_NS", 0)


def lsn_of(directory: Path) -> int:
    """Up to which record the ledger has what the log said."""
    connection = sqlite3.connect(f"file:{directory / LEDGER}?mode=ro", uri=True)
    try:
        [(lsn,)] = connection.execute("SELECT value FROM meta WHERE name = 'lsn'").fetchall()
    finally:
        connection.close()
    return int(lsn)


def count(directory: Path, table: str) -> int:
    connection = sqlite3.connect(f"file:{directory / LEDGER}?mode=ro", uri=True)
    try:
        [(rows,)] = connection.execute(f"SELECT count(*) FROM {table}").fetchall()
    finally:
        connection.close()
    return int(rows)


async def test_a_checkpoint_is_taken_after_so_many_seconds_if_something_has_happened(tmp_path: Path) -> None:
    now_ns = NOW_NS
    async with first_run(tmp_path / "data", clock=lambda: now_ns, checkpoint_seconds=30) as store:
        await accept(store, message(1))
        now_ns += 29 * SECOND_NS
        told = Told()
        store._checkpoints._loop.call_later(0.02, told)
        await told.told()
        assert lsn_of(tmp_path / "data") == 0
        now_ns += SECOND_NS
        await until(lambda: lsn_of(tmp_path / "data") == 3)
        assert store._state.lsn == 3
        now_ns += 60 * SECOND_NS
        await until(lambda: store._checkpoints._last_ns == now_ns)
        assert store._state.lsn == 3, "the second one had nothing to take"


async def test_small_pages_grow_until_they_take_much_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shrink(monkeypatch)
    monkeypatch.setattr(checkpoints, "SPILLED_OCTETS", 2000)
    monkeypatch.setattr(checkpoints, "SPILLED_WAITS", 20_000)
    async with first_run(tmp_path / "data") as store:
        while not store._checkpoints._presses():
            assert store._state.spilled_octets <= 20_000
            first = store.highest_key + 1
            await accept_each(store, range(first, first + 3))
        assert store._state.spilled_octets > 20_000


@pytest.mark.parametrize("bound", ["SPILLED_OCTETS", "YOUNG_MOST", "HISTORY_MOST", "ASIDE_MOST"])
async def test_what_takes_too_much_memory_calls_for_a_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    shrink(monkeypatch)
    monkeypatch.setattr(checkpoints, bound, 2000 if bound in ("SPILLED_OCTETS", "HISTORY_MOST") else 20)
    monkeypatch.setattr(checkpoints, "SMALL_OCTETS", 100)
    async with first_run(tmp_path / "data") as store:
        aside = {"due_ns": NOW_NS + 3600 * SECOND_NS} if bound == "ASIDE_MOST" else {}
        await accept_each(store, range(1, 301), **aside)
        if not aside:
            for _ in range(30):
                await submit(store, *((each, b"%d" % each.key) for each in await take_out(store, 10)))
        await until(lambda: store._checkpoints._running is None and not store._checkpoints._presses())
        assert lsn_of(tmp_path / "data") > 0
        if aside:
            assert len(store._state.live) <= 20


async def test_what_a_few_seconds_saw_come_and_go_never_gets_to_the_ledger(tmp_path: Path) -> None:
    async with first_run(tmp_path / "data") as store:
        await accept(store, *map(message, range(1, 400)))
        await submit(store, *((each, b"%d" % each.key) for each in take_from(store, "lane", 999)))
        deliveries = [delivery(key) for key in range(1, 400)]
        await receive(store, *deliveries, finished=[(b"%d" % key, DELIVERED) for key in range(1, 400)])
        store.delivered(store.take_deliveries("acme", 999))
        await take_checkpoint(store)
        assert [count(tmp_path / "data", table) for table in ("page", "page_body", "sent", "held")] == [0] * 4
        standing = await look_up(store, 7)
        assert standing is not None
        assert standing.outcome == DELIVERED


async def test_pages_leave_the_ledger_when_all_in_them_are_gone(tmp_path: Path) -> None:
    async with first_run(tmp_path / "data") as store:
        await accept(store, *map(message, range(1, 3 * PAGE_ENTRIES + 1)))
        await take_checkpoint(store)
        assert count(tmp_path / "data", "page") == 3
        await fail(store, *take_from(store, "lane", 2 * PAGE_ENTRIES))
        await take_checkpoint(store)
        assert count(tmp_path / "data", "page") == count(tmp_path / "data", "page_body") == 1
        assert await drain(store) == list(range(2 * PAGE_ENTRIES + 1, 3 * PAGE_ENTRIES + 1))


async def test_a_last_checkpoint_is_taken_at_the_end_and_waited_for(tmp_path: Path) -> None:
    async with first_run(tmp_path / "data") as store:
        await accept(store, *map(message, range(1, 400)))
        store._checkpoints.take()  # one is under way
        await accept(store, message(400))
    assert count(tmp_path / "data", "page") == 3
    async with next_run(tmp_path / "data") as again:
        assert again._state.lsn == lsn_of(tmp_path / "data") + 1, "that a run began; no more"
        assert await drain(again) == list(range(1, 401))


# ---- full ---------------------------------------------------------------------------------------------------

BODY = b"x" * 20_000


async def test_a_store_is_full_at_its_bound_and_takes_more_when_it_has_drained(tmp_path: Path) -> None:
    async with opened(tmp_path / "data", max_bytes=6 << 20) as store:
        key = 0
        while not store.full:
            key += 1
            await accept(store, message(key, body=BODY))
            assert key < 400
        assert store.octets >= 6 << 20
        assert key > 100
        await fail(store, *await take_out(store, key, most=99))
        await take_checkpoint(store)
        assert not store.full
        assert store.octets < 6 << 20


async def test_history_gives_way_before_anything_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "TICK_SECONDS", 3600)
    async with opened(tmp_path / "data", max_bytes=5 << 20) as store:
        key = 0
        for _ in range(40):
            batch = [message(key + number, esme="e" * 200 + str(number)) for number in range(1, 501)]
            key += 500
            await accept(store, *batch)
            await submit(store, *((each, b"") for each in await take_out(store, 500, most=500)))
            await take_checkpoint(store)
            assert not store.full
        assert await look_up(store, 1) is None
        assert await look_up(store, key) is not None


def ledger_of(store: WalStore) -> sqlite3.Connection:
    return store._checkpoints._ledger.connection


def fill(store: WalStore) -> None:
    [pages] = ledger_of(store).execute("PRAGMA page_count").fetchone()
    ledger_of(store).execute(f"PRAGMA max_page_count = {pages}")


def make_room(store: WalStore) -> None:
    ledger_of(store).execute("PRAGMA max_page_count = 1000000")


async def test_a_ledger_without_room_makes_the_store_full_until_there_is_some(tmp_path: Path) -> None:
    log = LogCapture()
    async with opened(tmp_path / "data", log=log) as store:
        await accept(store, message(1))
        await take_checkpoint(store)
        fill(store)
        await accept(store, *(message(key, body=BODY) for key in range(2, 30)))
        await take_checkpoint(store)
        assert store.full
        assert store.healthy
        await submit(store, *((each, b"%d" % each.key) for each in await take_out(store, 10)))
        await receive(store, delivery(1))
        async with killed(store, tmp_path / "data", wall_ns=store._tail.now_ms() * 1_000_000) as left:
            assert (left.queued("acme"), left.waiting_deliveries("acme")) == (19, 1)
        make_room(store)
        await until(lambda: not store.full)
        assert await drain(store) == list(range(11, 30))
        await take_checkpoint(store)
    [line] = log.entries
    assert line["event"] == "store_full"
    assert "no room on the disk" in line["error"]
    async with next_run(tmp_path / "data") as again:
        assert await drain(again) == list(range(11, 30))


async def test_history_gives_way_to_a_ledger_without_room(tmp_path: Path) -> None:
    async with opened(tmp_path / "data") as store:
        for key in range(1, 20_001, 1000):
            await accept(store, *map(message, range(key, key + 1000)))
            await fail(store, *await take_out(store, 1000, most=1000))
            await take_checkpoint(store)
        had = store._checkpoints._ledger.history_octets
        fill(store)
        await accept(store, *(message(key, body=BODY) for key in range(30_001, 30_005)))
        await take_checkpoint(store)
        await until(lambda: not store.full)
        assert store._checkpoints._ledger.history_octets < had
        make_room(store)


async def test_a_checkpoint_is_not_taken_twice_because_old_history_could_not_be_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path / "data") as store:
        ledger = store._checkpoints._ledger
        prune = ledger.prune

        def no_room(**bounds: Any) -> int:
            monkeypatch.setattr(ledger, "prune", prune)
            raise LedgerFull("no room")

        monkeypatch.setattr(ledger, "prune", no_room)
        await accept(store, *map(message, range(1, 10)))
        await take_checkpoint(store)
        await accept(store, message(10))
        await take_checkpoint(store)
        assert store.healthy
        assert not store.full
        assert count(tmp_path / "data", "page") == 2


# ---- failure ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("running", [False, True], ids=["of the last checkpoint", "of one that is under way"])
async def test_a_store_that_fails_while_it_is_closed_ends(tmp_path: Path, running: bool) -> None:
    failures: list[BaseException] = []
    files = GatedFiles()
    async with opened(tmp_path / "data", files=files, on_failed=failures.append) as store:
        await accept(store, message(1))
        files.fails = OSError(errno.EIO, "broken")
        if running:
            store._checkpoints.take()
        await store.close()
        assert failures == [files.fails]


async def test_an_error_of_the_ledger_is_final(tmp_path: Path) -> None:
    failures: list[BaseException] = []
    async with opened(tmp_path / "data", on_failed=failures.append) as store:
        await accept(store, message(1))
        ledger_of(store).execute("DROP TABLE page")
        await take_checkpoint(store)
        assert not store.healthy
        [error] = failures
        assert LEDGER in str(error)


async def test_what_is_aside_in_pages_and_due_soon_calls_for_no_further_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It can not go from memory: checkpoint after checkpoint would change nothing."""
    monkeypatch.setattr(checkpoints, "ASIDE_MOST", 20)
    async with first_run(tmp_path / "data") as store:
        await accept_each(store, range(1, 61), due_ns=NOW_NS + SECOND_NS)
        await take_checkpoint(store)
        assert len(store._state.live) == 60
        assert not store._checkpoints._presses()
