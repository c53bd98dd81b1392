"""What a person who has accepted the loss gets back of a damaged log."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smppgw.store.errors import StoreDamaged
from smppgw.store.files import File, OsFiles
from smppgw.store.frame import SECTOR_OCTETS
from smppgw.store.log import Log
from smppgw.store.salvage import Damage, Salvaged, salvage
from tests.store.test_log import SEGMENT_OCTETS, begun, change, names, records_in, scanned, written
from tests.store.test_segments import flip, frame_offsets, segment

RECORDS = {number: b"%d" % number * 1000 for number in range(1, 11)}
"""Three of them fill a segment."""


class Killed(BaseException):
    """The process ends here."""


class KillingFiles(OsFiles):
    """A disk on which the process is killed before the call of that number."""

    def __init__(self, lives: int) -> None:
        self.lives = lives

    def _live(self) -> None:
        self.lives -= 1
        if self.lives < 0:
            raise Killed

    def create(self, path: Path) -> File:
        self._live()
        return _Killing(super().create(path), self)

    def open(self, path: Path, *, write: bool) -> File:
        return _Killing(super().open(path, write=write), self)

    def rename(self, path: Path, new: Path) -> None:
        self._live()
        super().rename(path, new)

    def remove(self, path: Path) -> None:
        self._live()
        super().remove(path)


class _Killing:
    def __init__(self, file: File, files: KillingFiles) -> None:
        self._file = file
        self._files = files
        self.read = file.read
        self.size = file.size
        self.sync = file.sync
        self.close = file.close

    def write(self, octets: bytes, offset: int) -> None:
        self._files._live()
        self._file.write(octets, offset)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Three full segments, one that is not full, and two spares."""
    log = begun(tmp_path / "log")
    for record in RECORDS.values():
        log.write([record])
    log.write([])
    while log.build_spare():
        pass
    log.close()
    return tmp_path / "log"


def salvaged(directory: Path, **settings: Any) -> Salvaged:
    """Salvage, and see that a gateway can start on what is left and write more to it."""
    result = salvage(OsFiles(), directory, **settings)
    kept = records_in(directory)
    assert len(kept) == result.records
    assert scanned(directory).torn is None
    written(directory, [b"more"])
    assert records_in(directory) == {**kept, scanned(directory).last_lsn: b"more"}
    return result


def without(*lsns: int) -> dict[int, bytes]:
    return {lsn: record for lsn, record in RECORDS.items() if lsn not in lsns}


def test_of_a_log_that_is_well_nothing_is_lost(log: Path) -> None:
    log_id = scanned(log).id
    assert salvaged(log) == Salvaged(10, 10, [], [], None)
    assert records_in(log) == {**RECORDS, 11: b"more"}
    assert scanned(log).id == log_id
    assert min(names(log)) == "00000007.log"


def test_what_is_behind_damage_is_kept(log: Path) -> None:
    first, second, third = frame_offsets(segment(log, 2))
    original = segment(log, 2)
    flip(original, second + 500)
    damaged = original.read_bytes()
    with pytest.raises(StoreDamaged):
        scanned(log)
    result = salvaged(log)
    assert result == Salvaged(
        9, 9, [Damage("00000002.log", second, third - second)], [(5, 5)], log / "salvaged-001"
    )
    assert records_in(log) == {**without(5), 11: b"more"}
    assert names(log / "salvaged-001") == ["00000002.log"]
    assert (log / "salvaged-001" / "00000002.log").read_bytes() == damaged
    assert first < second


def test_the_batches_of_a_segment_whose_header_is_damaged_are_kept(log: Path) -> None:
    flip(segment(log, 2), 40)
    result = salvaged(log)
    assert result.damaged == [Damage("00000002.log", 0, SECTOR_OCTETS)]
    assert (result.records, result.lost) == (10, [])


def test_a_segment_without_header_and_first_batch_is_lost(log: Path) -> None:
    change(segment(log, 2), 0, b"?" * (SECTOR_OCTETS + 40))
    result = salvaged(log)
    assert [damage.offset for damage in result.damaged] == [0, SECTOR_OCTETS]
    assert (result.records, result.lost) == (7, [(4, 6)])


def test_a_missing_segment_and_one_cut_short_are_counted(log: Path) -> None:
    segment(log, 2).unlink()
    with segment(log, 3).open("r+b") as file:
        file.truncate(frame_offsets(segment(log, 3))[1])
    result = salvaged(log)
    assert (result.records, result.lost) == (5, [(4, 6), (8, 9)])
    assert [(damage.segment, damage.octets) for damage in result.damaged] == [
        ("00000003.log", SEGMENT_OCTETS - frame_offsets(log / "salvaged-001" / "00000003.log")[-1] - 1048)
    ]


def test_a_segment_of_another_log_is_put_aside(log: Path, tmp_path: Path) -> None:
    written(tmp_path / "other", *([b"x" * 3000] for _ in range(3)))
    shutil.copy(segment(tmp_path / "other", 2), segment(log, 2))
    result = salvaged(log)
    assert result.damaged == [Damage("00000002.log", 0, SEGMENT_OCTETS)]
    assert result.lost == [(4, 6)]


def test_what_was_torn_is_dropped(log: Path) -> None:
    path = segment(log, 4)
    record, marker = frame_offsets(path)
    flip(path, record + 500)
    flip(path, marker)
    result = salvaged(log)
    assert (result.records, result.lost) == (9, [])
    assert [(damage.segment, damage.offset) for damage in result.damaged] == [("00000004.log", record)]


def test_the_numbering_goes_on_behind_what_the_ledger_has(log: Path) -> None:
    segment(log, 4).unlink()
    result = salvage(OsFiles(), log, after_lsn=25)
    assert result.records == 9
    survivor = scanned(log)
    assert (survivor.first_lsn, survivor.last_lsn) == (1, 25)
    written(log, [b"more"])
    assert records_in(log) == {**without(10), 26: b"more"}


def test_of_nothing_comes_an_empty_log(tmp_path: Path) -> None:
    assert salvaged(tmp_path, after_lsn=7) == Salvaged(0, 0, [], [], None)
    assert scanned(tmp_path).last_lsn == 8


def test_what_the_disk_cannot_read_is_given_up_a_page_at_a_time(tmp_path: Path) -> None:
    log = begun_with(tmp_path, 65536)
    offsets = frame_offsets(segment(tmp_path, 1))
    bad = offsets[20]

    class Bad(OsFiles):
        def open(self, path: Path, *, write: bool) -> File:
            file = super().open(path, write=write)
            if path == segment(tmp_path, 1):
                file.read = reading(file.read)  # type: ignore[method-assign]
            return file

    def reading(read: Callable[[int, int], bytes]) -> Callable[[int, int], bytes]:
        def read_around(count: int, offset: int) -> bytes:
            if offset <= bad < offset + count:
                raise OSError(errno.EIO, "Input/output error")
            return read(count, offset)

        return read_around

    result = salvage(Bad(), tmp_path)
    assert result.lost
    first, last = result.lost[0]
    assert first <= 21 <= last
    assert last - first <= 5
    assert records_in(tmp_path) == {lsn: record for lsn, record in log.items() if not first <= lsn <= last}


def begun_with(directory: Path, octets: int) -> dict[int, bytes]:
    """One segment of that size with forty records of a kilobyte; the last is followed by a marker."""
    records = {number: b"%02d" % number * 500 for number in range(1, 41)}
    log = Log(OsFiles(), directory, segment_octets=octets)
    log.scan()
    log.begin()
    for record in records.values():
        log.write([record])
    log.write([])
    log.close()
    return records


@pytest.mark.parametrize("damaged", [True, False])
def test_a_salvage_that_was_killed_at_any_call_can_be_made_again(
    log: Path, tmp_path: Path, damaged: bool
) -> None:
    if damaged:
        flip(segment(log, 1), frame_offsets(segment(log, 1))[0] + 500)
        flip(segment(log, 3), frame_offsets(segment(log, 3))[2] + 500)
    expected = without(1, 9) if damaged else RECORDS
    lives = 0
    while True:
        copy = tmp_path / f"killed-{lives}"
        shutil.copytree(log, copy)
        try:
            salvage(KillingFiles(lives), copy)
        except Killed:
            still_refused_or_whole(copy, expected)
            salvage(KillingFiles(1 << 30), copy)
            assert records_in(copy) == expected, lives
        else:
            assert records_in(copy) == expected
            break
        shutil.rmtree(copy)
        lives += 1
    assert lives > 20


def still_refused_or_whole(directory: Path, expected: dict[int, bytes]) -> None:
    """A gateway that starts on a salvage half done takes all that can be kept, or nothing."""
    try:
        found = records_in(directory)
    except StoreDamaged:
        return
    assert found == expected
