"""Everything the write-ahead log does to a disk, in one small place: tests put a simulated disk here.

All calls block, and raise OSError. Files are 0600, directories 0700.
"""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Protocol


class File(Protocol):
    """An open file."""

    def write(self, octets: bytes, offset: int) -> None:
        """Write all of it there. A short write is an OSError."""

    def read(self, count: int, offset: int) -> bytes:
        """Read at most that many octets; fewer only at the end of the file."""

    def size(self) -> int:
        """How many octets it has."""

    def sync(self) -> None:
        """Wait until what was written is on the disk, with what it takes to find it again (fdatasync)."""

    def close(self) -> None:
        """Let go of it."""


class Files(Protocol):
    """A disk."""

    def make_directory(self, directory: Path) -> None:
        """Make it with its parents, if it is not there."""

    def names(self, directory: Path) -> list[str]:
        """The names of what is in a directory, sorted."""

    def create(self, path: Path) -> File:
        """Make an empty file, or empty the one that is there, and open it."""

    def open(self, path: Path, *, write: bool) -> File:
        """Open a file that is there."""

    def rename(self, path: Path, new: Path) -> None:
        """Give a file another name, in the place of what has that name."""

    def remove(self, path: Path) -> None:
        """Take a name away."""

    def sync_directory(self, directory: Path) -> None:
        """Wait until the names in a directory are on the disk."""

    def lock(self, path: Path) -> File | None:
        """Make and open a file that nobody else has locked, and lock it until it is closed; None if another has."""


class OsFile:
    """A file of the operating system."""

    def __init__(self, descriptor: int, path: Path) -> None:
        self._descriptor = descriptor
        self._path = path

    def write(self, octets: bytes, offset: int) -> None:
        """See `File.write`."""
        try:
            written = os.pwrite(self._descriptor, octets, offset)
            if written != len(octets):
                # the rest says why, as a rule: a full disk
                os.pwrite(self._descriptor, octets[written:], offset + written)
                raise OSError(errno.EIO, f"short write: {written} of {len(octets)} octets")
        except OSError as error:
            raise self._named(error) from None

    def read(self, count: int, offset: int) -> bytes:
        """See `File.read`."""
        try:
            return os.pread(self._descriptor, count, offset)
        except OSError as error:
            raise self._named(error) from None

    def size(self) -> int:
        """See `File.size`."""
        return os.fstat(self._descriptor).st_size

    def sync(self) -> None:
        """See `File.sync`."""
        try:
            os.fdatasync(self._descriptor)
        except OSError as error:
            raise self._named(error) from None

    def close(self) -> None:
        """See `File.close`."""
        try:
            os.close(self._descriptor)
        except OSError as error:
            raise self._named(error) from None

    def _named(self, error: OSError) -> OSError:
        """A descriptor's errors do not say of which file they are."""
        error.filename = str(self._path)
        return error


class OsFiles:
    """The disk of the operating system."""

    def make_directory(self, directory: Path) -> None:
        """See `Files.make_directory`."""
        missing = []
        path = directory
        while not path.is_dir():
            missing.append(path)
            path = path.parent
        for path in reversed(missing):
            path.mkdir(mode=0o700)
            self.sync_directory(path.parent)

    def names(self, directory: Path) -> list[str]:
        """See `Files.names`."""
        return sorted(path.name for path in directory.iterdir())

    def create(self, path: Path) -> File:
        """See `Files.create`."""
        return self._opened(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)

    def open(self, path: Path, *, write: bool) -> File:
        """See `Files.open`."""
        return self._opened(path, os.O_RDWR if write else os.O_RDONLY)

    def rename(self, path: Path, new: Path) -> None:
        """See `Files.rename`."""
        path.replace(new)

    def remove(self, path: Path) -> None:
        """See `Files.remove`."""
        path.unlink()

    def sync_directory(self, directory: Path) -> None:
        """See `Files.sync_directory`."""
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        except OSError as error:
            error.filename = str(directory)
            raise
        finally:
            os.close(descriptor)

    def lock(self, path: Path) -> File | None:
        """See `Files.lock`."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except BaseException:
            with suppress(OSError):
                os.close(descriptor)
            raise
        return OsFile(descriptor, path)

    def _opened(self, path: Path, flags: int) -> File:
        return OsFile(os.open(path, flags | os.O_CLOEXEC, 0o600), path)
