"""A store that is well is called so, and each kind of damage is found and named."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from smppgw.store import inspection
from smppgw.store.errors import StoreDamaged, StoreError
from smppgw.store.ledger_file import LedgerDamaged
from smppgw.store.verification import verify
from tests.store.lived import KEY, killed, ledger_of, live, lived
from tests.store.stores import opened
from tests.store.test_log import change
from tests.store.test_segments import flip, frame_offsets


async def test_a_store_that_is_well_is_counted(tmp_path: Path) -> None:
    directory = await lived(tmp_path / "data")
    found = verify(directory)
    assert not found.in_use
    assert found.torn is None
    assert (found.pages, found.history) == (3, 1)
    assert found.segments == len(list(directory.glob("*.log")))
    assert found.last_lsn > 10 > found.records > 0


async def test_a_gateway_that_was_killed_left_its_store_well(tmp_path: Path) -> None:
    found = verify(await killed(tmp_path / "data", checkpoint=True))
    assert not found.in_use
    assert found.last_lsn > found.records > 10


async def test_a_torn_tail_is_well_and_is_named(tmp_path: Path) -> None:
    directory = await killed(tmp_path / "data")
    segment = directory / "00000001.log"
    last = frame_offsets(segment)[-1]
    flip(segment, last + 50)
    found = verify(directory)
    assert found.torn is not None
    assert (found.torn.path, found.torn.offset) == (segment, last)


async def test_damage_in_the_log_is_named(tmp_path: Path) -> None:
    directory = await killed(tmp_path / "data")
    segment = directory / "00000001.log"
    offset = frame_offsets(segment)[1]
    flip(segment, offset + 50)
    with pytest.raises(StoreDamaged) as caught:
        verify(directory)
    assert (caught.value.path, caught.value.offset) == (segment, offset)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ("UPDATE page_body SET body = zeroblob(length(body)) WHERE id = 2", "page 2"),
        ("UPDATE page_body SET keys = zeroblob(length(keys)) WHERE id = 2", "page 2"),
        ("UPDATE page SET count = count + 1 WHERE id = 2", "page 2"),
        ("UPDATE page SET first_key = first_key + 1 WHERE id = 2", "page 2"),
        ("UPDATE page SET dead = x'0101010101010101' WHERE id = 2", "page 2"),
        ("UPDATE page SET dead = x'01' WHERE id = 2", "page 2"),
        ("UPDATE page SET esmes = '{}' WHERE id = 2", "page 2"),
        ("DELETE FROM page_body WHERE id = 2", "page 2"),
        ("UPDATE page SET esmes = 'x' WHERE id = 2", "unreadable"),
        ("UPDATE history SET body = zeroblob(length(body))", "row 1 of the history"),
        ("DELETE FROM meta WHERE name = 'lsn'", "notes"),
    ],
)
async def test_damage_in_the_ledger_is_named(tmp_path: Path, changed: str, named: str) -> None:
    directory = await lived(tmp_path / "data")
    with closing(sqlite3.connect(ledger_of(directory))) as connection:
        connection.execute(changed)
        connection.commit()
    with pytest.raises(StoreError, match=named) as caught:
        verify(directory)
    assert str(ledger_of(directory)) in str(caught.value)


async def test_what_sqlite_calls_damaged_is_damaged(tmp_path: Path) -> None:
    directory = await lived(tmp_path / "data")
    change(ledger_of(directory), 8192, b"\xff" * 8192)
    with pytest.raises(LedgerDamaged):
        verify(directory)


async def test_octets_that_change_in_the_ledger_never_come_to_another_error(tmp_path: Path) -> None:
    directory = await lived(tmp_path / "data", messages=300)
    path = ledger_of(directory)
    whole = path.read_bytes()
    random = Random(1)
    found = 0
    for _ in range(150):
        change(path, random.randrange(len(whole) - 8), random.randbytes(8))
        try:
            verify(directory)
        except StoreError:
            found += 1
        path.write_bytes(whole)
    assert found > 15


async def test_a_busy_gateway_is_never_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small segments and checkpoints all the time: files go, and the log moves on, while it is read."""
    monkeypatch.setattr(inspection, "PAUSE_SECONDS", 0.01)
    async with opened(tmp_path, segment_bytes=32 * 1024, checkpoint_seconds=0.01) as store:
        await live(store)
        stop = asyncio.Event()

        async def work() -> None:
            first = KEY + 6
            while not stop.is_set():
                await live(store, first, messages=40)
                first += 40
                store._checkpoints.take()

        working = asyncio.create_task(work())
        try:
            for _ in range(40):
                found = await asyncio.to_thread(verify, tmp_path)
                assert found.in_use
                assert found.torn is None
        finally:
            stop.set()
            await working
