"""The simulated disk loses what a real one may lose, and nothing else."""

from __future__ import annotations

import errno
from pathlib import Path
from random import Random

import pytest

from smppgw.store.files import File, Files, OsFiles
from tests.store.disk_images import SECTOR
from tests.store.simulated_disk import Call, Effect, SimulatedDisk

PLACE = Path("/data/log")
ONE = PLACE / "one"
TWO = PLACE / "two"


def disk_with(octets: bytes = b"", **settings: bool) -> SimulatedDisk:
    disk = SimulatedDisk(**settings)
    disk.make_directory(PLACE)
    if octets:
        disk.put(ONE, octets)
    return disk


def contents(disk: SimulatedDisk) -> dict[str, bytes]:
    return {name: disk.octets_of(PLACE / name) for name in disk.names(PLACE)}


def outcomes(disk: SimulatedDisk) -> list[dict[str, bytes]]:
    found: list[dict[str, bytes]] = []
    for clone in disk.crash_clones(Random(1), 200):
        if (each := contents(clone)) not in found:
            found.append(each)
    return found


def written(disk: SimulatedDisk, octets: bytes, offset: int = 0) -> File:
    file = disk.open(ONE, write=True)
    file.write(octets, offset)
    return file


@pytest.mark.parametrize("simulated", [True, False], ids=["simulated", "real"])
def test_it_does_what_a_real_disk_does(simulated: bool, tmp_path: Path) -> None:
    disk: Files = SimulatedDisk() if simulated else OsFiles()
    place = tmp_path / "data" / "log"
    disk.make_directory(place)
    disk.make_directory(place)
    assert disk.names(place.parent) == ["log"]
    file = disk.create(place / "b")
    file.write(b"octets", 3)
    file.write(b"O", 3)
    assert (file.size(), file.read(99, 0), file.read(2, 4), file.read(5, 50)) == (
        9,
        b"\0\0\0Octets",
        b"ct",
        b"",
    )
    file.sync()
    disk.create(place / "a").close()
    assert disk.names(place) == ["a", "b"]
    disk.rename(place / "b", place / "a")
    disk.sync_directory(place)
    assert disk.names(place) == ["a"]
    reader = disk.open(place / "a", write=False)
    assert reader.read(99, 0) == b"\0\0\0Octets"
    with pytest.raises(OSError, match="Bad file descriptor"):
        reader.write(b"", 0)
    disk.create(place / "a").close()
    assert (reader.size(), file.size()) == (0, 0), "the same file, emptied"
    file.write(b"x", 0)
    disk.remove(place / "a")
    assert (disk.names(place), reader.read(9, 0)) == ([], b"x"), "a file outlives its name"
    reader.close()
    file.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        file.size()
    for refused in (
        lambda: disk.open(place / "a", write=True),
        lambda: disk.remove(place / "a"),
        lambda: disk.rename(place / "a", place / "c"),
        lambda: disk.create(place / "none" / "a"),
    ):
        with pytest.raises(FileNotFoundError):
            refused()
    lock = disk.lock(place / "lock")
    assert lock is not None
    assert disk.lock(place / "lock") is None
    lock.close()
    again = disk.lock(place / "lock")
    assert again is not None
    again.close()


def test_what_is_synced_survives() -> None:
    disk = disk_with(bytes(3 * SECTOR))
    file = written(disk, b"new" * 700)
    file.sync()
    assert outcomes(disk) == [{"one": b"new" * 700}], "also what the file has grown by"


def test_any_of_the_unsynced_sectors_may_be_lost() -> None:
    disk = disk_with(bytes(3 * SECTOR))
    written(disk, b"x" * (3 * SECTOR))
    found = {
        tuple(octets[at : at + SECTOR] for at in range(0, 3 * SECTOR, SECTOR))
        for octets in (each["one"] for each in outcomes(disk))
    }
    assert len(found) == 8, "each sector is there or not, whole"
    assert {sector for sectors in found for sector in sectors} == {bytes(SECTOR), b"x" * SECTOR}


def test_a_sector_may_hold_what_was_written_before_the_last() -> None:
    disk = disk_with(b"old")
    file = written(disk, b"mid")
    file.write(b"new", 0)
    assert {each["one"] for each in outcomes(disk)} == {b"old", b"mid", b"new"}


def test_a_file_that_grew_may_end_after_any_sector() -> None:
    disk = disk_with(b"old")
    written(disk, b"x" * (2 * SECTOR), SECTOR)
    assert {len(each["one"]) for each in outcomes(disk)} == {3, SECTOR, 2 * SECTOR, 3 * SECTOR}


def test_a_file_that_was_emptied_may_still_have_what_it_had() -> None:
    disk = disk_with(b"old")
    disk.create(ONE).write(b"n", 0)
    assert {each["one"] for each in outcomes(disk)} == {b"old", b"", b"\0", b"o", b"n", b"nld"}


def test_names_are_lost_until_their_directory_is_synced() -> None:
    disk = disk_with(b"1")
    disk.create(TWO).sync()
    disk.rename(ONE, PLACE / "three")
    names = {tuple(each) for each in outcomes(disk)}
    assert names == {("one",), ("one", "two"), ("three",), ("three", "two")}
    disk.sync_directory(PLACE)
    assert {tuple(each) for each in outcomes(disk)} == {("three", "two")}
    disk.remove(PLACE / "three")
    assert {tuple(each) for each in outcomes(disk)} == {("three", "two"), ("two",)}


def test_a_file_keeps_its_octets_under_whatever_name_survives() -> None:
    disk = disk_with()
    file = disk.create(TWO)
    file.write(b"octets", 0)
    file.sync()
    disk.rename(TWO, ONE)
    assert outcomes(disk) == [{}, {"one": b"octets"}, {"two": b"octets"}]


def test_the_first_clones_lose_all_and_nothing() -> None:
    disk = disk_with(b"old")
    written(disk, b"new")
    disk.create(TWO)
    lost, kept = disk.crash_clones(Random(1), 2)
    assert contents(lost) == {"one": b"old"}
    assert contents(kept) == {"one": b"new", "two": b""}
    assert contents(disk) == {"one": b"new", "two": b""}, "the disk itself is as it was"


def test_a_kill_loses_nothing_but_what_a_power_loss_then_loses() -> None:
    disk = disk_with(b"old")
    file = written(disk, b"new")
    disk.create(TWO)
    killed = disk.killed()
    file.write(b"later", 0)
    assert contents(killed) == {"one": b"new", "two": b""}
    assert contents(killed.after_power_loss(Random(1), 0)) == {"one": b"old"}


@pytest.mark.parametrize("forgets", [True, False])
def test_after_a_failed_sync_the_next_one_may_say_too_much(forgets: bool) -> None:
    disk = disk_with(b"old", forgets_after_failed_sync=forgets)
    file = written(disk, b"new")
    disk.fail(1, errno.EIO, kind="sync")
    with pytest.raises(OSError, match="Input/output error"):
        file.sync()
    file.sync()
    assert file.read(9, 0) == b"new"
    assert {each["one"] for each in outcomes(disk)} == ({b"old", b"new"} if forgets else {b"new"})
    file.write(b"new", 0)
    file.sync()
    assert {each["one"] for each in outcomes(disk)} == {b"new"}


@pytest.mark.parametrize(
    ("effect", "found"), [(Effect.NOTHING, b"old"), (Effect.HALF, b"ned"), (Effect.ALL, b"new!")]
)
def test_a_failed_write_may_have_written(effect: Effect, found: bytes) -> None:
    disk = disk_with(b"old")
    disk.fail(1, 0, kind="write", effect=effect)
    with pytest.raises(OSError, match="short write"):
        written(disk, b"new!")
    assert disk.octets_of(ONE) == found


def test_the_call_of_that_number_fails_and_no_other() -> None:
    disk = disk_with(b"old")
    calls = len(disk.calls)
    disk.fail(calls + 2, errno.ENOSPC)
    file = disk.open(ONE, write=True)
    with pytest.raises(OSError, match="No space left"):
        file.write(b"x", 0)
    file.write(b"y", 0)
    assert disk.calls[calls:] == [
        Call("open", ONE),
        Call("write", ONE, 0, 1),
        Call("write", ONE, 0, 1),
    ]
    assert disk.count("write") == 2


def test_a_failed_rename_may_have_been_done() -> None:
    disk = disk_with(b"1")
    disk.fail(2, errno.EIO, kind="rename", effect=Effect.ALL)
    disk.rename(ONE, TWO)
    with pytest.raises(OSError, match="Input/output error"):
        disk.rename(TWO, ONE)
    assert contents(disk) == {"one": b"1"}


def test_a_full_disk_takes_what_fits_and_lets_rewrite() -> None:
    disk = disk_with(b"12345678")
    disk.capacity = 10
    file = disk.create(TWO)
    with pytest.raises(OSError, match="No space left"):
        file.write(b"abc", 0)
    assert disk.octets_of(TWO) == b"ab"
    written(disk, b"87654321")
    disk.remove(ONE)
    file.write(b"abcdefghij", 0)


def test_a_lock_ends_with_the_process() -> None:
    disk = disk_with()
    assert disk.lock(PLACE / "lock") is not None
    assert disk.lock(PLACE / "lock") is None
    assert disk.killed().lock(PLACE / "lock") is not None
    (clone,) = disk.crash_clones(Random(1), 1)
    assert clone.lock(PLACE / "lock") is not None


def test_clones_can_be_taken_before_a_call() -> None:
    disk = disk_with(b"old")
    seen = []
    disk.before_call = lambda call: seen.append((call.kind, contents(disk.killed())))
    written(disk, b"new").sync()
    assert seen == [("open", {"one": b"old"}), ("write", {"one": b"old"}), ("sync", {"one": b"new"})]


def test_open_files_are_counted() -> None:
    disk = disk_with(b"old")
    file, lock = disk.open(ONE, write=False), disk.lock(TWO)
    assert lock is not None
    assert disk.open_files == 2
    disk.fail(1, errno.EIO, kind="close")
    with pytest.raises(OSError, match="Input/output error"):
        file.close()
    lock.close()
    assert disk.open_files == 0
