"""After a rescue a gateway starts, and has all that could be read."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from smppgw.store.errors import StoreError, StoreInUse
from smppgw.store.files import OsFiles
from smppgw.store.inspection import NoStore
from smppgw.store.rescue import Rescued, rescue
from smppgw.store.stats import stats
from smppgw.store.verification import verify
from tests.store.lived import KEY, contents, killed, ledger_of, live, lived
from tests.store.stores import opened
from tests.store.test_log import change
from tests.store.test_salvage import Killed, KillingFiles
from tests.store.test_segments import flip, frame_offsets


async def rescued(directory: Path) -> Rescued:
    """Rescue, and see that the store is well, that a gateway works on it, and that nothing is left to do."""
    with pytest.raises(StoreError):
        verify(directory)
    found = rescue(OsFiles(), directory)
    verify(directory)
    again = rescue(OsFiles(), directory)
    assert again == Rescued(None, None, None, False, None, [])
    image = directory.with_name("image")
    shutil.copytree(directory, image)
    async with opened(image) as store:
        await live(store, KEY + 100)
    verify(image)
    return found


def spoil_page(directory: Path) -> None:
    with closing(sqlite3.connect(ledger_of(directory))) as connection:
        connection.execute("UPDATE page_body SET body = zeroblob(length(body)) WHERE id = 2")
        connection.commit()


def spoil_all(directory: Path) -> None:
    path = ledger_of(directory)
    for beside in directory.glob(f"{path.name}-*"):
        beside.unlink()
    change(path, 0, b"\xff" * path.stat().st_size)


async def test_a_store_that_is_well_is_not_touched(tmp_path: Path) -> None:
    directory = await lived(tmp_path / "data")
    before = contents(directory)
    assert rescue(OsFiles(), directory) == Rescued(None, None, None, False, None, [])
    assert {**contents(directory), "ledger.sqlite-wal": b""} == {**before, "ledger.sqlite-wal": b""}


async def test_a_damaged_batch_is_given_up(tmp_path: Path) -> None:
    directory = await killed(tmp_path / "data", checkpoint=True)
    segment = sorted(directory.glob("*.log"))[-3]
    flip(segment, frame_offsets(segment)[2] + 50)
    found = await rescued(directory)
    assert found.log is not None
    assert [damage.segment for damage in found.log.damaged] == [segment.name]
    assert found.ledger_damage is None
    assert [path.name for path in found.aside] == ["salvaged-001"]
    assert stats(directory).lanes["otp\tr\tacme\t15550100"].queued >= 1


async def test_a_log_that_ends_before_its_ledger_goes_on_behind_it(tmp_path: Path) -> None:
    directory = await lived(tmp_path / "data")
    whole = stats(directory)
    for segment in sorted(directory.glob("*.log")):
        octets = segment.read_bytes()
        segment.write_bytes(octets[:512] + bytes(len(octets) - 512))
    found = await rescued(directory)
    assert found.log is not None
    assert found.skipped is None
    assert stats(directory).lanes == whole.lanes


async def test_the_ledger_lives_on_when_its_log_is_gone(tmp_path: Path) -> None:
    directory = await lived(tmp_path / "data")
    whole = stats(directory)
    for segment in directory.glob("*.log"):
        segment.unlink()
    await rescued(directory)
    assert stats(directory).lanes == whole.lanes
    assert stats(directory).esmes == whole.esmes


async def test_records_that_neither_has_are_named(tmp_path: Path) -> None:
    directory = await lived(tmp_path / "data")
    older = tmp_path / "older.sqlite"
    shutil.copy(ledger_of(directory), older)
    before = verify(directory).last_lsn
    for number in (1, 2, 3):
        async with opened(directory) as store:
            await live(store, KEY + 10 * number)
    shutil.copy(older, ledger_of(directory))
    found = await rescued(directory)
    assert found.log is None
    assert found.skipped is not None
    first, last = found.skipped
    assert before - 1 <= first <= before + 1 < last


async def test_a_ledger_that_the_log_makes_anew_is_no_loss(tmp_path: Path) -> None:
    directory = await killed(tmp_path / "data")
    whole = stats(directory)
    spoil_all(directory)
    found = await rescued(directory)
    assert (found.log, found.ledger, found.whole_log, found.skipped) == (None, None, True, None)
    assert (found.aside[0] / "ledger.sqlite").is_file()
    after = stats(directory)
    assert (after.lanes, after.esmes, after.carriers) == (whole.lanes, whole.esmes, whole.carriers)


async def test_a_damaged_page_is_given_up_alone(tmp_path: Path) -> None:
    directory = await lived(tmp_path / "data")
    whole = stats(directory)
    spoil_page(directory)
    damaged = ledger_of(directory).read_bytes()
    found = await rescued(directory)
    assert found.ledger_damage is not None
    assert "page 2" in found.ledger_damage
    assert found.ledger is not None
    assert [head.id for head in found.ledger.lost] == [2]
    assert (found.aside[0] / "ledger.sqlite").read_bytes() == damaged
    after = stats(directory)
    [lost] = [name for name in whole.esmes if after.esmes.get(name) != whole.esmes[name]]
    assert lost == found.ledger.lost[0].queue.removeprefix("esme:")
    assert (after.lanes, after.carriers, after.ended) == (whole.lanes, whole.carriers, whole.ended)


async def test_a_ledger_of_which_nothing_can_be_read_is_begun_anew(tmp_path: Path) -> None:
    directory = await lived(tmp_path / "data")
    spoil_all(directory)
    found = await rescued(directory)
    assert (found.ledger, found.whole_log) == (None, False)
    assert found.skipped is not None
    assert found.skipped[0] == 1
    assert stats(directory).lanes == {}


async def test_both_may_be_damaged(tmp_path: Path) -> None:
    directory = await killed(tmp_path / "data", checkpoint=True)
    segment = sorted(directory.glob("*.log"))[-3]
    flip(segment, frame_offsets(segment)[2] + 50)
    spoil_page(directory)
    found = await rescued(directory)
    assert found.log is not None
    assert found.ledger is not None
    assert {path.name for path in found.aside[0].iterdir()} >= {segment.name, "ledger.sqlite"}


async def test_it_can_be_cut_short_anywhere_and_done_again(tmp_path: Path) -> None:
    directory = await lived(tmp_path / "data")
    spoil_page(directory)
    lives = 0
    while True:
        image = tmp_path / f"image-{lives}"
        shutil.copytree(directory, image)
        try:
            rescue(KillingFiles(lives), image)
        except Killed:
            lives += 1
        else:
            break
        rescue(OsFiles(), image)
        verify(image)
        assert stats(image).esmes["acme"].accepted == 5
        assert stats(image).carriers["sink"].awaiting_receipt == 1
        shutil.rmtree(image)
    assert lives > 1


async def test_a_running_gateway_keeps_it_out(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await live(store)
        before = contents(tmp_path)
        with pytest.raises(StoreInUse):
            rescue(OsFiles(), tmp_path)
        assert contents(tmp_path) == before


async def test_the_ledger_of_another_log_is_not_mended(tmp_path: Path) -> None:
    directory, other = await lived(tmp_path / "data"), await lived(tmp_path / "other")
    shutil.copy(ledger_of(other), ledger_of(directory))
    before = contents(directory)
    with pytest.raises(StoreError, match="belongs to the log"):
        rescue(OsFiles(), directory)
    assert contents(directory).keys() - before.keys() <= {"ledger.sqlite-wal"}


def test_nothing_is_made_where_no_store_is(tmp_path: Path) -> None:
    with pytest.raises(NoStore):
        rescue(OsFiles(), tmp_path)
    assert not list(tmp_path.iterdir())
