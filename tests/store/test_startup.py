"""How a store is opened: what belongs together is, what does not is refused with what a person can do."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import LogCapture

from smppgw.store.errors import StoreError, StoreInUse
from smppgw.store.log import SPARES
from smppgw.store.startup import LEDGER
from smppgw.store.wal import WalStore
from tests.store.lanes import take_from
from tests.store.restarts import drain, first_run, next_run, take_checkpoint
from tests.store.stores import wal_store
from tests.store.test_contract import accept, fail, message
from tests.support import until

HALF_SEGMENT = 400_000
"""Octets of a body: two of them fill a segment."""


def segments(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.log"))


def remove_ledger(directory: Path) -> None:
    for path in directory.glob(f"{LEDGER}*"):
        path.unlink()


async def copy(store: WalStore, directory: Path, name: str) -> Path:
    """What a kill at this moment would leave."""
    await until(lambda: store._committer._log.spares == SPARES)
    return shutil.copytree(directory, directory.with_name(name))


async def refused(directory: Path, why: str) -> None:
    """It is, and would be again: nothing is held, and the log is as it was."""
    before = [(path.name, path.read_bytes()) for path in segments(directory)]
    for _ in range(2):
        store = wal_store(directory)
        with pytest.raises(StoreError, match=why):
            await store.open()
        assert not store.healthy
        assert await store.close() == 0
    assert [(path.name, path.read_bytes()) for path in segments(directory)] == before


async def test_a_ledger_may_be_deleted_while_the_log_still_says_all(tmp_path: Path) -> None:
    async with first_run(tmp_path / "data") as store:
        await accept(store, *map(message, range(1, 20)))
        await fail(store, *take_from(store, "lane", 4))
        await take_checkpoint(store)
    remove_ledger(tmp_path / "data")
    async with next_run(tmp_path / "data") as again:
        assert (again.queued("acme"), again.highest_key) == (15, 19)
        assert await drain(again) == list(range(5, 20))


async def with_full_segments(directory: Path) -> WalStore:
    """Three segments are full, and no checkpoint was taken."""
    store = wal_store(directory)
    await store.open()
    for key in range(1, 8):
        await accept(store, message(key, body=b"x" * HALF_SEGMENT))
    return store


async def test_a_ledger_that_was_deleted_after_segments_were_is_missed(tmp_path: Path) -> None:
    store = await with_full_segments(tmp_path / "data")
    before = len(segments(tmp_path / "data"))
    await take_checkpoint(store)
    assert len(segments(tmp_path / "data")) < before
    await store.close()
    remove_ledger(tmp_path / "data")
    await refused(tmp_path / "data", r"segments between them, or the ledger itself, are missing; restore")


@pytest.mark.parametrize(
    ("remove", "why"),
    [
        (lambda paths: paths[:1], r"begins with record \d+.*are missing; restore the directory"),
        (lambda paths: paths[1:2], r"00000002\.log.*is missing; restore the directory"),
        (lambda paths: paths[3:4], r"00000004\.log.*is missing; restore the directory"),
    ],
    ids=["the first", "one between", "the current one"],
)
async def test_a_missing_segment_is_missed(
    tmp_path: Path, remove: Callable[[list[Path]], list[Path]], why: str
) -> None:
    store = await with_full_segments(tmp_path / "data")
    left = await copy(store, tmp_path / "data", "left")
    await store.close()
    for path in remove(segments(left)):
        path.unlink()
    await refused(left, why)


async def test_segments_that_are_missing_at_the_end_are_missed(tmp_path: Path) -> None:
    store = await with_full_segments(tmp_path / "data")
    left = await copy(store, tmp_path / "data", "left")
    await take_checkpoint(store)
    await store.close()
    remove_ledger(left)
    shutil.copy(tmp_path / "data" / LEDGER, left)
    await refused(left, r"segments are missing at its end; restore the directory from one copy")


async def test_a_ledger_without_its_log_is_refused(tmp_path: Path) -> None:
    async with first_run(tmp_path / "data") as store:
        await accept(store, message(1))
    for path in segments(tmp_path / "data"):
        path.unlink()
    await refused(
        tmp_path / "data", r"its log is not: restore .*, or move the ledger away to begin with nothing"
    )
    assert segments(tmp_path / "data") == []
    remove_ledger(tmp_path / "data")
    async with next_run(tmp_path / "data") as fresh:
        assert fresh.highest_key == 0


async def test_a_ledger_of_another_log_is_refused(tmp_path: Path) -> None:
    for name in ("one", "other"):
        async with first_run(tmp_path / name) as store:
            await accept(store, message(1))
    shutil.copy(tmp_path / "one" / LEDGER, tmp_path / "other" / LEDGER)
    await refused(
        tmp_path / "other", r"belongs to the log .* put the files of one data directory together again"
    )


async def test_a_ledger_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    async with first_run(tmp_path / "data") as store:
        await accept(store, message(1))
    (tmp_path / "data" / LEDGER).write_bytes(b"no database" * 1000)
    await refused(tmp_path / "data", r"the ledger is damaged .*restore the directory")


async def test_a_store_in_use_is_refused_until_it_is_closed(tmp_path: Path) -> None:
    async with first_run(tmp_path / "data"):
        second = wal_store(tmp_path / "data")
        with pytest.raises(StoreInUse, match="is in use by another gateway"):
            await second.open()
    await second.open()
    await second.close()


async def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(StoreError, match=r"data.*(Not a directory|File exists)"):
        await wal_store(tmp_path / "data").open()


async def test_what_was_recovered_is_logged(tmp_path: Path) -> None:
    log = LogCapture()
    async with first_run(tmp_path / "data", log=log) as store:
        await accept(store, *map(message, range(1, 4)))
        left = await copy(store, tmp_path / "data", "left")
    assert log.entries == []
    async with next_run(left, log=log):
        pass
    [line] = log.entries
    assert (line["event"], line["records"], line["messages"], line["torn_octets"]) == (
        "store_recovered",
        2,
        3,
        0,
    )
    assert line["directory"] == str(left)
