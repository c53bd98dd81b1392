"""The disk under test: what a gateway that is killed leaves on it, and how it fails."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from smppgw.store.files import OsFiles
from tests.crash.disk import Disk
from tests.crash.failpoint import Failpoint, Trap


def a_disk(failpoint: str | None = None, *, full_while: Path | None = None) -> Disk:
    return Disk(Trap(Failpoint.parse(failpoint) if failpoint else None), full_while=full_while)


def left_behind(path: Path) -> bytes:
    """What is there once the process is gone."""
    file = OsFiles().open(path, write=False)
    try:
        return file.read(file.size(), 0)
    finally:
        file.close()


def test_what_was_not_synced_is_forgotten(tmp_path: Path) -> None:
    file = a_disk().create(tmp_path / "a.log")
    file.write(b"synced", 0)
    file.sync()
    file.write(b"SYN", 0)
    file.write(b"more", 6)
    file.close()
    assert left_behind(tmp_path / "a.log") == b"synced"


def test_what_was_not_synced_is_seen_by_whoever_reads_also_under_another_name(tmp_path: Path) -> None:
    disk = a_disk()
    writer = disk.create(tmp_path / "a.log.tmp")
    writer.write(b"first", 0)
    writer.sync()
    writer.write(b"second", 8)
    disk.rename(tmp_path / "a.log.tmp", tmp_path / "a.log")
    writer.write(b"F", 0)
    reader = disk.open(tmp_path / "a.log", write=True)
    assert reader.size() == 14
    assert reader.read(100, 0) == b"First\0\0\0second"
    assert reader.read(4, 7) == b"\0sec"
    reader.sync()
    assert left_behind(tmp_path / "a.log") == b"First\0\0\0second"
    for file in (writer, reader):
        file.close()


def test_the_nth_call_fails_and_a_sync_that_fails_loses_what_it_was_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = a_disk("EIO at sync *.log 2").create(tmp_path / "a.log")
    file.write(b"one", 0)
    file.sync()
    file.write(b"two", 3)
    with pytest.raises(OSError, match=r"a\.log") as failed:
        file.sync()
    assert failed.value.errno == errno.EIO
    file.sync()
    file.close()
    assert left_behind(tmp_path / "a.log") == b"one"
    assert '"failpoint": "EIO at sync *.log 2"' in capsys.readouterr().err


def test_a_full_disk_takes_what_makes_nothing_longer(tmp_path: Path) -> None:
    full = tmp_path / "full"
    disk = a_disk(full_while=full)
    file = disk.create(tmp_path / "a.log")
    file.write(bytes(8), 0)
    file.sync()
    full.touch()
    file.write(b"fits", 4)
    file.sync()
    with pytest.raises(OSError, match=r"a\.log") as failed:
        file.write(b"does not", 4)
    assert failed.value.errno == errno.ENOSPC
    with pytest.raises(OSError, match=r"b\.log"):
        disk.create(tmp_path / "b.log")
    full.unlink()
    file.write(b"does now", 4)
    file.sync()
    file.close()
    assert left_behind(tmp_path / "a.log") == b"\0\0\0\0does now"
