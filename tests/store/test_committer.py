"""Group commit: what shares a sync, who is told when, and what happens when the disk does not play along."""

from __future__ import annotations

import asyncio
import errno
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from smppgw.store import committer as module
from smppgw.store.committer import BATCH_OCTETS, IDLE_SECONDS, STALLED_NS, Committer
from smppgw.store.files import File, OsFiles
from smppgw.store.frame import RECORD_OVERHEAD, Frame
from smppgw.store.log import SPARES, Log
from tests.support import until

SEGMENT_OCTETS = 1 << 16


class GatedFiles(OsFiles):
    """A disk whose syncs of the log wait to be let through, while the gate is closed, and fail when told to."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.entered = 0
        """How many syncs of the log have begun."""
        self.second = threading.Event()
        """Set when the second of them has begun."""
        self.writes = 0
        self.fails: OSError | None = None
        self.create_fails: OSError | None = None
        self.creates = 0

    def open(self, path: Path, *, write: bool) -> File:
        file = super().open(path, write=write)
        return _Gated(file, self) if write else file

    def create(self, path: Path) -> File:
        self.creates += 1
        if self.create_fails is not None:
            raise self.create_fails
        return super().create(path)


class _Gated:
    def __init__(self, file: File, files: GatedFiles) -> None:
        self._file = file
        self._files = files
        self.read = file.read
        self.size = file.size
        self.close = file.close

    def write(self, octets: bytes, offset: int) -> None:
        self._files.writes += 1
        self._file.write(octets, offset)

    def sync(self) -> None:
        self._files.entered += 1
        if self._files.entered == 2:
            self._files.second.set()
        assert self._files.gate.wait(20)
        if self._files.fails is not None:
            raise self._files.fails
        self._file.sync()


class Commits:
    """A committer on a log in a directory, and what it says."""

    def __init__(self, directory: Path, *, segment_octets: int) -> None:
        self.files = GatedFiles()
        self.log = Log(self.files, directory, segment_octets=segment_octets)
        self.log.scan()
        self.log.begin()
        self.now_ns = 0
        self.failures: list[Exception] = []
        self.rooms = 0
        self.slow: list[float] = []
        self.observed: list[tuple[float, int]] = []
        self.committer = Committer(
            self.log,
            clock=lambda: self.now_ns,
            on_failed=self.failures.append,
            on_room=self.on_room,
            on_slow=self.slow.append,
            observe=lambda seconds, records: self.observed.append((seconds, records)),
        )
        self.told: list[object] = []

    def on_room(self) -> None:
        self.rooms += 1

    def append(self, *records: bytes, name: object = None) -> int:
        """Append them, as one; `told` gets the name when they are durable."""
        return self.committer.append(records, lambda: self.told.append(name))

    async def hold(self) -> None:
        """Have one append in flight, and keep it there until the gate is opened."""
        self.files.gate.clear()
        self.append(b"held", name="held")
        await until(lambda: self.files.entered == 1)

    def release(self) -> None:
        self.files.gate.set()


@asynccontextmanager
async def committing(directory: Path, *, segment_octets: int = SEGMENT_OCTETS) -> AsyncIterator[Commits]:
    commits = Commits(directory, segment_octets=segment_octets)
    try:
        await until(lambda: commits.log.spares == SPARES)
        yield commits
    finally:
        commits.release()
        await commits.committer.close()
        commits.log.close()


def frames_in(directory: Path) -> list[Frame]:
    log = Log(OsFiles(), directory)
    log.scan()
    return list(log.frames(0))


async def test_appends_of_one_turn_share_a_frame(tmp_path: Path) -> None:
    async with committing(tmp_path) as commits:
        assert commits.append(b"a", b"b", name=1) == 2
        assert commits.append(b"c", name=2) == 3
        assert commits.told == []
        await until(lambda: commits.told)
        assert commits.told == [1, 2]
        assert commits.committer.durable_lsn == 3
    assert [frame.records for frame in frames_in(tmp_path)] == [[b"a", b"b", b"c"]]


async def test_what_is_appended_while_the_disk_is_busy_shares_the_next_frame(tmp_path: Path) -> None:
    async with committing(tmp_path) as commits:
        await commits.hold()
        for number in range(3):
            commits.append(b"%d" % number, name=number)
            await asyncio.sleep(0)
        assert commits.told == []
        assert commits.committer.durable_lsn == 0
        commits.release()
        await until(lambda: len(commits.told) == 4)
        assert commits.told == ["held", 0, 1, 2]
    assert [frame.records for frame in frames_in(tmp_path)] == [[b"held"], [b"0", b"1", b"2"]]


async def test_the_disk_has_the_next_batch_before_anybody_is_told_of_the_last(tmp_path: Path) -> None:
    async with committing(tmp_path) as commits:
        seen = []

        def durable() -> None:
            assert commits.files.second.wait(20)
            seen.append(commits.files.entered)

        commits.files.gate.clear()
        commits.committer.append([b"a"], durable)
        await until(lambda: commits.files.entered == 1)
        commits.append(b"b")
        commits.release()
        await until(lambda: commits.told)
        assert seen == [2]


async def test_a_batch_takes_whole_appends_up_to_its_bound(tmp_path: Path) -> None:
    async with committing(tmp_path, segment_octets=4 * BATCH_OCTETS) as commits:
        await commits.hold()
        half = bytes(BATCH_OCTETS // 2 - RECORD_OVERHEAD)
        for _ in range(3):
            commits.append(half)
        commits.append(bytes(2 * BATCH_OCTETS))
        commits.append(half)
        commits.release()
        await until(lambda: len(commits.told) == 6)
    assert [[len(record) // len(half) for record in frame.records] for frame in frames_in(tmp_path)] == [
        [0],
        [1, 1],
        [1],
        [4],
        [1],
    ]


async def test_nobody_need_be_told(tmp_path: Path) -> None:
    async with committing(tmp_path) as commits:
        commits.committer.append([b"a"], None)
        await until(lambda: commits.committer.durable_lsn == 1)


async def test_no_records_are_durable_after_all_before_them(tmp_path: Path) -> None:
    async with committing(tmp_path) as commits:
        await commits.hold()
        assert commits.append(name="empty") == 1
        commits.release()
        await until(lambda: "empty" in commits.told)
        assert commits.told == ["held", "empty"]


async def test_one_that_fails_does_not_keep_the_others_from_being_told(tmp_path: Path) -> None:
    complaints: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    async with committing(tmp_path) as commits:
        loop.set_exception_handler(lambda _, context: complaints.append(context))
        commits.append(b"a", name=1)
        commits.committer.append([b"b"], lambda: [][0])
        commits.append(b"c", name=2)
        await until(lambda: len(commits.told) == 2)
        commits.append(b"d", name=3)
        await until(lambda: len(commits.told) == 3)
    assert [type(context["exception"]) for context in complaints] == [IndexError]


async def test_the_end_is_marked_once_when_nothing_comes_any_more(tmp_path: Path) -> None:
    async with committing(tmp_path) as commits:
        commits.append(b"a")
        await until(lambda: commits.told)
        await asyncio.sleep(2 * IDLE_SECONDS)
        assert commits.log.last_batch == 1  # by the clock no time has gone by
        commits.now_ns += int(IDLE_SECONDS * 1e9)
        await until(lambda: commits.log.last_batch == 2)
        commits.now_ns += int(IDLE_SECONDS * 1e9)
        await asyncio.sleep(2 * IDLE_SECONDS)
        assert commits.log.last_batch == 2
        assert commits.observed[1][1] == 0
    log = Log(OsFiles(), tmp_path)
    log.scan()
    assert (log.last_batch, log.last_lsn) == (2, 1)


async def test_an_end_marks_what_was_not_yet(tmp_path: Path) -> None:
    async with committing(tmp_path) as commits:
        await commits.hold()
        commits.append(b"b")
        asyncio.get_running_loop().call_later(0.01, commits.release)
        await commits.committer.close()
        assert len(commits.told) == 2
        assert commits.log.last_batch == 3
    assert len(frames_in(tmp_path)) == 2


async def test_threads_are_gone_after_the_end(tmp_path: Path) -> None:
    def running() -> list[str]:
        return [thread.name for thread in threading.enumerate() if thread.name.startswith("smppgw-")]

    async with committing(tmp_path):
        assert sorted(running()) == ["smppgw-log", "smppgw-spares"]
    assert running() == []


async def test_a_disk_that_hangs_is_stalled(tmp_path: Path) -> None:
    async with committing(tmp_path) as commits:
        commits.now_ns = 5
        await commits.hold()
        commits.now_ns += STALLED_NS
        assert not commits.committer.stalled
        commits.now_ns += 1
        assert commits.committer.stalled
        commits.release()
        await until(lambda: commits.told)
        assert not commits.committer.stalled
        assert commits.slow == [10.000000001]
        assert commits.observed[0] == (10.000000001, 1)


async def test_a_commit_of_a_second_is_not_slow(tmp_path: Path) -> None:
    async with committing(tmp_path) as commits:
        await commits.hold()
        commits.now_ns += 1_000_000_000
        commits.release()
        await until(lambda: commits.told)
        assert commits.observed == [(1.0, 1)]
        assert commits.slow == []


async def test_after_a_failed_sync_nobody_is_told_anything_and_the_disk_is_not_asked_again(
    tmp_path: Path,
) -> None:
    async with committing(tmp_path) as commits:
        await commits.hold()
        commits.append(b"b")
        commits.files.fails = OSError(errno.EIO, "Input/output error", "the file")
        commits.release()
        await until(lambda: commits.failures)
        commits.files.fails = None
        assert commits.append(b"c") == 3
        await asyncio.sleep(2 * IDLE_SECONDS)
        assert commits.failures == [commits.log._failed]
        assert commits.told == []
        assert commits.committer.durable_lsn == 0
        assert (commits.files.writes, commits.files.entered) == (1, 1)


async def test_what_can_never_fit_is_a_failure(tmp_path: Path) -> None:
    async with committing(tmp_path) as commits:
        commits.append(bytes(SEGMENT_OCTETS))
        await until(lambda: commits.failures)
        assert "does not fit" in str(commits.failures[0])
        assert commits.told == []


async def test_a_close_does_not_wait_for_a_disk_that_has_failed(tmp_path: Path) -> None:
    async with committing(tmp_path) as commits:
        await commits.hold()
        commits.files.create_fails = OSError(errno.EIO, "Input/output error", "the spare")
        commits.log._spares.clear()
        commits.committer._orders.put(True)
        await until(lambda: commits.failures)
        await commits.committer.close()
        commits.release()
        await asyncio.sleep(0.05)
        assert commits.told == []


async def test_a_full_disk_is_asked_again_until_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ROOM_SECONDS", 0.01)
    async with committing(tmp_path) as commits:
        commits.files.create_fails = OSError(errno.ENOSPC, "No space left on device", "the spare")
        commits.append(bytes(SEGMENT_OCTETS - 2000))
        commits.append(bytes(SEGMENT_OCTETS - 2000))
        await until(lambda: commits.committer.full)
        asked = commits.files.creates
        await until(lambda: commits.files.creates > asked + 3)
        commits.append(b"on the spare", name="still")
        await until(lambda: "still" in commits.told)
        assert (commits.rooms, commits.failures) == (0, [])
        commits.files.create_fails = None
        await until(lambda: commits.rooms)
        assert not commits.committer.full
        assert commits.log.spares == SPARES
        assert commits.rooms == 1


@pytest.mark.parametrize("number", [errno.EIO, errno.EROFS])
async def test_any_other_error_of_a_spare_is_final(tmp_path: Path, number: int) -> None:
    async with committing(tmp_path) as commits:
        commits.files.create_fails = OSError(number, "some error", "the spare")
        commits.append(bytes(SEGMENT_OCTETS - 2000))
        commits.append(bytes(SEGMENT_OCTETS - 2000))
        await until(lambda: commits.failures)
        assert commits.failures == [commits.files.create_fails]
        assert not commits.committer.full


async def test_spares_are_built_as_they_are_used(tmp_path: Path) -> None:
    async with committing(tmp_path) as commits:
        for _ in range(5):
            commits.append(bytes(SEGMENT_OCTETS - 2000))
            told = len(commits.told)
            await until(lambda told=told: len(commits.told) > told)  # type: ignore[misc]
            await until(lambda: commits.log.spares == SPARES)
    assert len(frames_in(tmp_path)) == 5
