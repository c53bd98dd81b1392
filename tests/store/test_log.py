"""The log on the real disk, with small segments."""

from __future__ import annotations

import errno
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from smppgw.store.errors import StoreDamaged, StoreError, StoreInUse
from smppgw.store.files import File, OsFiles
from smppgw.store.frame import FRAME_OVERHEAD, RECORD_OVERHEAD, SECTOR_OCTETS
from smppgw.store.log import SPARES, Log

SEGMENT_OCTETS = 4096


class FailingFiles(OsFiles):
    """A disk one of whose calls fails, when it is told to."""

    def __init__(self) -> None:
        self.fails: dict[str, OSError] = {}

    def rename(self, path: Path, new: Path) -> None:
        self._call("rename")
        super().rename(path, new)

    def sync_directory(self, directory: Path) -> None:
        self._call("sync_directory")
        super().sync_directory(directory)

    def create(self, path: Path) -> File:
        return FailingFile(super().create(path), self)

    def open(self, path: Path, *, write: bool) -> File:
        return FailingFile(super().open(path, write=write), self)

    def _call(self, name: str) -> None:
        if name in self.fails:
            raise self.fails[name]


class FailingFile:
    def __init__(self, file: File, files: FailingFiles) -> None:
        self._file = file
        self._files = files
        self.read = file.read
        self.size = file.size
        self.close = file.close

    def write(self, octets: bytes, offset: int) -> None:
        self._files._call("write")
        self._file.write(octets, offset)

    def sync(self) -> None:
        self._files._call("sync")
        self._file.sync()


def log_in(directory: Path, files: OsFiles | None = None, *, segment_octets: int = SEGMENT_OCTETS) -> Log:
    return Log(files or OsFiles(), directory, segment_octets=segment_octets)


def scanned(directory: Path) -> Log:
    log = log_in(directory)
    log.scan()
    return log


def begun(directory: Path, files: OsFiles | None = None) -> Log:
    log = log_in(directory, files)
    log.lock()
    log.scan()
    log.begin()
    return log


def written(directory: Path, *batches: Sequence[bytes]) -> None:
    """One run that writes these."""
    log = begun(directory)
    for records in batches:
        log.write(records)
    log.close()


def records_in(directory: Path, after_lsn: int = 0) -> dict[int, bytes]:
    return {
        lsn: record
        for frame in scanned(directory).frames(after_lsn)
        for lsn, record in enumerate(frame.records, frame.first_lsn)
    }


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def change(path: Path, offset: int, octets: bytes) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:offset] + octets + whole[offset + len(octets) :])


def test_an_empty_directory_is_a_log_without_anything(tmp_path: Path) -> None:
    log = scanned(tmp_path)
    assert (log.id, log.first_lsn, log.last_lsn, log.last_batch, log.torn) == (None, 1, 0, 0, None)
    assert list(log.frames(0)) == []
    assert names(tmp_path) == []


def test_a_run_goes_on_where_the_last_one_ended(tmp_path: Path) -> None:
    written(tmp_path, [b"a", b"b"], [b"c"])
    first = scanned(tmp_path)
    written(tmp_path, [], [b"d"])
    log = scanned(tmp_path)
    assert log.id is not None
    assert log.id == first.id
    assert (log.first_lsn, log.last_lsn, log.last_batch) == (1, 4, 4)
    assert records_in(tmp_path) == {1: b"a", 2: b"b", 3: b"c", 4: b"d"}
    assert names(tmp_path) == ["00000001.log", "00000002.log", "lock"]


def test_frames_are_read_from_the_lsn_asked_for(tmp_path: Path) -> None:
    written(tmp_path, [b"a", b"b"], [], [b"c"], [b"d"])
    assert records_in(tmp_path, 1) == {2: b"b", 3: b"c", 4: b"d"}
    assert [frame.batch for frame in scanned(tmp_path).frames(2)] == [3, 4]
    assert records_in(tmp_path, 4) == {}


def test_frames_never_cross_segments(tmp_path: Path) -> None:
    batches = [[b"%d" % number * 700] for number in range(9)]
    written(tmp_path, *batches)
    assert names(tmp_path) == ["00000001.log", "00000002.log", "00000003.log", "lock"]
    assert list(records_in(tmp_path).values()) == [batch[0] for batch in batches]
    assert {path.stat().st_size for path in tmp_path.glob("*.log")} == {SEGMENT_OCTETS}


def test_a_batch_that_fills_a_segment_is_taken_and_one_octet_more_is_not(tmp_path: Path) -> None:
    most = SEGMENT_OCTETS - SECTOR_OCTETS - FRAME_OVERHEAD - RECORD_OVERHEAD
    log = begun(tmp_path)
    log.write([b"before"])
    log.write([b"x" * most])
    with pytest.raises(StoreError, match="does not fit"):
        log.write([b"x" * (most + 1)])
    log.write([b"after"])
    assert log.next_lsn == 4
    log.close()
    assert records_in(tmp_path) == {1: b"before", 2: b"x" * most, 3: b"after"}


def test_a_second_gateway_is_kept_out_until_the_first_is_gone(tmp_path: Path) -> None:
    log = begun(tmp_path / "log")
    with pytest.raises(StoreInUse, match=r"log is in use by another gateway$") as caught:
        log_in(tmp_path / "log").lock()
    assert caught.value.exit_status == 1
    log.close()
    begun(tmp_path / "log").close()


def test_two_spares_are_built_and_used_in_their_order(tmp_path: Path) -> None:
    log = begun(tmp_path)
    assert log.octets == SEGMENT_OCTETS
    assert log.build_spare()
    assert not log.build_spare()
    assert not log.build_spare()
    assert log.spares == SPARES
    room = log.room
    assert room == 3 * (SEGMENT_OCTETS - SECTOR_OCTETS)
    log.write([b"x" * 3000])
    assert log.room < room - 3000
    log.write([b"y" * 3000])
    assert log.spares == 1
    assert not log.build_spare()
    assert log.octets == 4 * SEGMENT_OCTETS
    log.close()
    assert names(tmp_path) == [f"0000000{number}.log" for number in (1, 2, 3, 4)] + ["lock"]


def test_a_run_begins_in_a_spare_of_the_last_one(tmp_path: Path) -> None:
    log = begun(tmp_path)
    while log.build_spare():
        pass
    log.write([b"a"])
    log.close()
    log = begun(tmp_path)
    assert log.spares == 1
    log.write([b"b"])
    log.close()
    assert len(names(tmp_path)) == 4
    assert b"b" in (tmp_path / "00000002.log").read_bytes()[SECTOR_OCTETS:]


def test_runs_that_write_nothing_need_no_more_segments(tmp_path: Path) -> None:
    for _ in range(3):
        written(tmp_path)
    assert names(tmp_path) == ["00000001.log", "lock"]


def test_a_spare_of_another_size_is_built_again(tmp_path: Path) -> None:
    log = begun(tmp_path)
    log.build_spare()
    log.write([b"a"])
    log.close()
    larger = log_in(tmp_path, segment_octets=2 * SEGMENT_OCTETS)
    larger.lock()
    larger.scan()
    larger.begin()
    larger.write([b"x" * 5000])
    larger.close()
    assert records_in(tmp_path) == {1: b"a", 2: b"x" * 5000}


def test_a_spare_can_be_built_while_another_thread_writes(tmp_path: Path) -> None:
    log = begun(tmp_path)
    done = threading.Event()

    def build() -> None:
        while not done.is_set():
            log.build_spare()

    thread = threading.Thread(target=build)
    thread.start()
    for number in range(60):
        log.write([b"%03d" % number * 400])
    done.set()
    thread.join()
    log.close()
    assert len(records_in(tmp_path)) == 60
    numbers = [int(name[:8]) for name in names(tmp_path) if name != "lock"]
    assert numbers == list(range(1, len(numbers) + 1))


def test_what_lies_below_an_lsn_is_forgotten_a_segment_at_a_time(tmp_path: Path) -> None:
    log = begun(tmp_path)
    for number in range(4):
        log.write([b"%d" % number * 3000])
    log.forget(1)
    assert names(tmp_path) == ["00000002.log", "00000003.log", "00000004.log", "lock"]
    assert log.octets == 3 * SEGMENT_OCTETS
    log.forget(99)
    assert names(tmp_path) == ["00000004.log", "lock"]
    log.write([b"more"])
    log.close()
    log = scanned(tmp_path)
    assert (log.first_lsn, log.last_lsn, log.last_batch) == (4, 5, 5)


def test_the_numbering_is_never_forgotten(tmp_path: Path) -> None:
    written(tmp_path, [b"a", b"b"], [b"c"])
    log = begun(tmp_path)
    log.forget(99)
    log.close()
    log = begun(tmp_path)
    assert log.next_lsn == 4
    log.write([])
    log.forget(3)
    log.close()
    log = scanned(tmp_path)
    assert names(tmp_path) == ["00000002.log", "lock"]
    assert (log.first_lsn, log.last_lsn, log.last_batch) == (4, 3, 3)


def test_a_batch_that_was_never_finished_is_put_aside_and_the_rest_is_kept(tmp_path: Path) -> None:
    written(tmp_path, [b"a"], [b"b" * 100])
    path = tmp_path / "00000001.log"
    offset = path.read_bytes().index(b"b" * 100)
    change(path, offset + 50, b"\0" * 50)
    log = log_in(tmp_path)
    log.lock()
    log.scan()
    assert log.torn is not None
    assert (log.torn.path, log.last_lsn, log.last_batch) == (path, 1, 1)
    torn = path.read_bytes()[log.torn.offset : log.torn.offset + log.torn.octets]
    assert torn.endswith(b"b" * 50)
    log.begin()
    log.write([b"c"])
    log.close()
    assert (tmp_path / f"torn-00000001-{log.torn.offset}.bin").read_bytes() == torn
    assert scanned(tmp_path).torn is None
    assert records_in(tmp_path) == {1: b"a", 2: b"c"}
    assert path.read_bytes()[log.torn.offset :].strip(b"\0") == b""


def test_the_copy_of_what_was_torn_outlives_a_start_that_was_cut_short(tmp_path: Path) -> None:
    written(tmp_path, [b"a"], [b"b" * 100])
    path = tmp_path / "00000001.log"
    change(path, path.read_bytes().index(b"b" * 100), b"\0")
    torn = scanned(tmp_path).torn
    assert torn is not None
    aside = tmp_path / f"torn-00000001-{torn.offset}.bin"
    aside.write_bytes(b"all of it")
    (tmp_path / "00000002.log.tmp").write_bytes(b"half")
    (tmp_path / "torn-00000001-9.bin.tmp").write_bytes(b"half")
    written(tmp_path, [b"c"])
    assert aside.read_bytes() == b"all of it"
    assert [name for name in names(tmp_path) if name.endswith(".tmp")] == []


def test_a_first_batch_of_a_segment_may_be_the_torn_one(tmp_path: Path) -> None:
    written(tmp_path, [b"a" * 3000], [b"b" * 3000])
    change(tmp_path / "00000002.log", 2000, b"?")
    written(tmp_path, [b"c"])
    assert records_in(tmp_path) == {1: b"a" * 3000, 2: b"c"}
    log = begun(tmp_path)
    log.forget(99)
    log.close()
    assert scanned(tmp_path).last_lsn == 2


def test_a_change_between_scan_and_reading_is_found(tmp_path: Path) -> None:
    written(tmp_path, [b"a"], [b"b"])
    log = scanned(tmp_path)
    change(tmp_path / "00000001.log", SECTOR_OCTETS + FRAME_OVERHEAD, b"?")
    with pytest.raises(StoreDamaged, match="well a moment ago"):
        list(log.frames(0))


@pytest.mark.parametrize("call", ["write", "sync"])
def test_after_an_error_nothing_is_written_any_more(tmp_path: Path, call: str) -> None:
    files = FailingFiles()
    log = begun(tmp_path, files)
    log.write([b"a"])
    files.fails[call] = OSError(errno.EIO, "Input/output error", "the file")
    with pytest.raises(OSError, match="Input/output error"):
        log.write([b"b"])
    files.fails.clear()
    with pytest.raises(
        StoreError, match=r"nothing is written any more after: .*Input/output error: 'the file'"
    ):
        log.write([b"c"])
    assert log.next_lsn == 2
    log.close()


def test_an_error_of_the_directory_ends_writing_too(tmp_path: Path) -> None:
    files = FailingFiles()
    log = begun(tmp_path, files)
    for _ in range(2):
        log.write([b"x" * 3000])
    files.fails["sync_directory"] = OSError(errno.EIO, "Input/output error", "the directory")
    with pytest.raises(OSError, match="Input/output error"):
        log.forget(1)
    files.fails.clear()
    with pytest.raises(StoreError):
        log.write([b"c"])
    log.close()


@pytest.mark.parametrize("call", ["write", "sync", "rename", "sync_directory"])
def test_a_spare_that_cannot_be_built_can_be_built_later(tmp_path: Path, call: str) -> None:
    files = FailingFiles()
    log = begun(tmp_path, files)
    files.fails[call] = OSError(errno.ENOSPC, "No space left on device", "the file")
    with pytest.raises(OSError, match="No space"):
        log.build_spare()
    assert log.spares == 0
    assert [name for name in names(tmp_path) if name.endswith(".tmp")] == []
    files.fails.clear()
    log.write([b"a" * 3000])
    assert log.build_spare()
    log.write([b"b" * 3000])
    log.close()
    assert len(records_in(tmp_path)) == 2


def test_a_segment_that_cannot_be_built_when_it_is_needed_is_an_error_of_the_write(tmp_path: Path) -> None:
    files = FailingFiles()
    log = begun(tmp_path, files)
    log.write([b"a" * 3000])
    files.fails["rename"] = OSError(errno.ENOSPC, "No space left on device", "the file")
    with pytest.raises(OSError, match="No space"):
        log.write([b"b" * 3000])
    files.fails.clear()
    with pytest.raises(StoreError):
        log.write([b"c"])
    log.close()
    assert len(records_in(tmp_path)) == 1


def test_the_seeds_and_the_id_are_drawn(tmp_path: Path) -> None:
    drawn: list[int] = []

    def random(count: int) -> bytes:
        drawn.append(count)
        return bytes([len(drawn)]) * count

    log = Log(OsFiles(), tmp_path, segment_octets=SEGMENT_OCTETS, random=random)
    log.scan()
    log.begin()
    log.build_spare()
    assert log.id == b"\1" * 16
    log.close()
    assert drawn == [16, 8, 8]
