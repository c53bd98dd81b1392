"""Looking into a store leaves no trace, and is not misled by a gateway that writes meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from smppgw.store import inspection
from smppgw.store.errors import StoreDamaged, StoreError
from smppgw.store.inspection import TIMES, NoStore, Reading, inspect, is_in_use
from tests.store.lived import KEY, contents, killed, ledger_of, live, lived
from tests.store.stores import opened
from tests.store.test_segments import flip, frame_offsets


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "PAUSE_SECONDS", 0.0)


def last_lsn(reading: Reading) -> int:
    return reading.log.last_lsn


@pytest.mark.parametrize("make", [lived, killed])
async def test_nothing_is_changed(tmp_path: Path, make: Callable[[Path], object]) -> None:
    directory = tmp_path / "data"
    await make(directory)  # type: ignore[misc]
    before = contents(directory)
    assert inspect(directory, last_lsn) > 0
    assert contents(directory) == before


async def test_a_stopped_store_is_read_where_nothing_can_be_written(tmp_path: Path) -> None:
    directory = await lived(tmp_path / "data")
    directory.chmod(0o500)
    try:
        assert inspect(directory, last_lsn) > 0
    finally:
        directory.chmod(0o700)


async def test_a_running_gateway_is_seen_and_not_kept_out(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    async with opened(directory) as store:
        await live(store)
        assert is_in_use(directory)
        assert inspect(directory, lambda reading: reading.in_use)
    assert not is_in_use(directory)
    assert not inspect(directory, lambda reading: reading.in_use)
    async with opened(directory) as store:
        assert store.highest_key == KEY + 5


async def test_what_is_folded_meanwhile_is_not_seen(tmp_path: Path) -> None:
    directory = await lived(tmp_path / "data")

    async with opened(directory) as store:
        tail = asyncio.get_running_loop()

        def look(reading: Reading) -> tuple[int, int]:
            async def fold() -> None:
                await live(store, KEY + 6)
                store._checkpoints.take()
                await store._checkpoints._idle.wait()

            assert reading.ledger is not None
            asyncio.run_coroutine_threadsafe(fold(), tail).result()
            return reading.found.lsn, reading.ledger.state().lsn

        before, after = await asyncio.to_thread(inspect, directory, look)
        assert before == after
        assert inspect(directory, lambda reading: reading.found.lsn) > before


async def test_damage_in_a_stopped_store_is_believed_at_once(tmp_path: Path) -> None:
    directory = await killed(tmp_path / "data")
    segment = directory / "00000001.log"
    flip(segment, frame_offsets(segment)[0] + 50)
    looks = []
    with pytest.raises(StoreDamaged, match="a whole batch is behind it"):
        inspect(directory, looks.append)
    assert not looks


async def test_damage_in_a_running_store_is_looked_at_again_before_it_is_believed(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await live(store)
        looks = []

        def something_else_each_time(reading: Reading) -> int:
            looks.append(reading)
            if len(looks) < 10:
                raise StoreDamaged(tmp_path, len(looks), "as it seems")
            return len(looks)

        assert inspect(tmp_path, something_else_each_time) == 10
        looks.clear()

        def always_the_same(reading: Reading) -> None:
            looks.append(reading)
            raise StoreDamaged(tmp_path, 0, "as it is")

        with pytest.raises(StoreDamaged):
            inspect(tmp_path, always_the_same)
        assert len(looks) == TIMES


async def test_a_busy_gateway_is_never_called_damaged(tmp_path: Path) -> None:
    """Small segments and checkpoints all the time: files go, and the log moves on, while it is read."""
    async with opened(tmp_path, segment_bytes=32 * 1024, checkpoint_seconds=0.01) as store:
        stop = asyncio.Event()
        await live(store)

        async def work() -> None:
            first = KEY + 6
            while not stop.is_set():
                await live(store, first, messages=40)
                first += 40
                store._checkpoints.take()

        working = asyncio.create_task(work())
        try:
            for _ in range(30):
                assert await asyncio.to_thread(inspect, tmp_path, last_lsn) > 0
        finally:
            stop.set()
            await working


@pytest.mark.parametrize("make", [lambda path: None, Path.mkdir, lambda path: path.write_bytes(b"")])
def test_a_directory_without_a_store_is_said_to_be_one(
    tmp_path: Path, make: Callable[[Path], object]
) -> None:
    directory = tmp_path / "data"
    make(directory)
    with pytest.raises(NoStore, match="data_dir") as caught:
        inspect(directory, last_lsn)
    assert str(directory) in str(caught.value)


async def test_a_store_without_a_ledger_is_read_where_the_log_has_it_all(tmp_path: Path) -> None:
    directory = await killed(tmp_path / "data")
    for path in directory.glob("ledger.sqlite*"):
        path.unlink()
    assert inspect(directory, lambda reading: reading.ledger) is None
    ledger_of(directory).touch()
    assert inspect(directory, lambda reading: reading.found.lsn) == 0


async def test_parts_that_do_not_belong_together_are_refused_as_at_a_start(tmp_path: Path) -> None:
    directory = await lived(tmp_path / "data")
    other = await lived(tmp_path / "other")

    async def refusal() -> str:
        with pytest.raises(StoreError) as caught:
            inspect(directory, last_lsn)
        with pytest.raises(StoreError) as at_start:
            async with opened(directory):
                pass
        assert str(at_start.value) == str(caught.value)
        return str(caught.value)

    ledger_of(directory).replace(tmp_path / "kept")
    async with opened(other) as store:
        await live(store, KEY + 6)
    ledger_of(other).replace(ledger_of(directory))
    assert "belongs to the log" in await refusal()
    (tmp_path / "kept").replace(ledger_of(directory))
    for segment in directory.glob("*.log"):
        segment.unlink()
    assert "its log is not" in await refusal()
