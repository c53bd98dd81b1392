"""The disk of the operating system."""

from __future__ import annotations

import errno
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from smppgw.store.files import OsFiles

FILES = OsFiles()


@contextmanager
def small_files() -> Iterator[None]:
    """No file of this process may grow above 1000 octets."""
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)


def test_a_file_keeps_what_is_written_where_it_is_written(tmp_path: Path) -> None:
    file = FILES.create(tmp_path / "a")
    file.write(b"there", 10)
    file.write(b"here", 0)
    file.sync()
    assert file.size() == 15
    assert file.read(100, 2) == b"re\0\0\0\0\0\0there"
    file.close()
    again = FILES.open(tmp_path / "a", write=False)
    assert again.read(4, 0) == b"here"
    again.close()


def test_files_and_directories_are_nobody_else_s(tmp_path: Path) -> None:
    directory = tmp_path / "a" / "b"
    FILES.make_directory(directory)
    FILES.make_directory(directory)
    FILES.create(directory / "file").close()
    lock = FILES.lock(directory / "lock")
    assert lock is not None
    lock.close()
    assert [path.stat().st_mode & 0o777 for path in (tmp_path / "a", directory)] == [0o700, 0o700]
    assert [path.stat().st_mode & 0o777 for path in sorted(directory.iterdir())] == [0o600, 0o600]


def test_names_come_and_go(tmp_path: Path) -> None:
    for name in ("b", "a", "c"):
        FILES.create(tmp_path / name).close()
    FILES.rename(tmp_path / "a", tmp_path / "c")
    FILES.sync_directory(tmp_path)
    assert FILES.names(tmp_path) == ["b", "c"]
    FILES.remove(tmp_path / "b")
    assert FILES.names(tmp_path) == ["c"]


def test_a_lock_is_one_s_until_it_is_closed(tmp_path: Path) -> None:
    lock = FILES.lock(tmp_path / "lock")
    assert lock is not None
    assert FILES.lock(tmp_path / "lock") is None
    lock.close()
    again = FILES.lock(tmp_path / "lock")
    assert again is not None
    again.close()


def test_a_short_write_is_an_error_that_says_why_and_where(tmp_path: Path) -> None:
    file = FILES.create(tmp_path / "small")
    with small_files(), pytest.raises(OSError, match=r"File too large: '.*small'") as caught:
        file.write(bytes(1500), 0)
    assert caught.value.errno == errno.EFBIG
    file.close()


def test_errors_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    FILES.create(path).close()
    read_only = FILES.open(path, write=False)
    for attempt in (
        lambda: read_only.write(b"x", 0),
        lambda: FILES.open(tmp_path / "none", write=False),
        lambda: FILES.remove(tmp_path / "none"),
        lambda: FILES.rename(tmp_path / "none", path),
        lambda: FILES.names(tmp_path / "none"),
        lambda: FILES.sync_directory(tmp_path / "none"),
        lambda: FILES.lock(tmp_path / "none" / "lock"),
        lambda: FILES.make_directory(path),
    ):
        with pytest.raises(OSError) as caught:  # noqa: PT011 - which one is the system's affair
            attempt()
        assert str(tmp_path) in str(caught.value.filename)
    read_only.close()
    for attempt in (read_only.sync, lambda: read_only.read(1, 0), read_only.close):
        with pytest.raises(OSError, match=os.strerror(errno.EBADF)) as caught:
            attempt()
        assert caught.value.filename == str(path)
