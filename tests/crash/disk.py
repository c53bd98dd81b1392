"""The disk of a gateway under test: forgets what was not synced when the gateway is killed, may be slow, full or bad.

What is written is held in this process until it is synced, so that kill -9 is to the log what a power cut is to a
machine. Everything else is done on the disk of the operating system.
"""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from smppgw.store.files import File, OsFiles
from tests.crash.failpoint import Trap


class _Inode:
    """A file, whatever handles it has: its name, and what was written to it and is not on the disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.writes: list[tuple[int, bytes]] = []
        self.lock = threading.RLock()

    @property
    def end(self) -> int:
        return max((offset + len(octets) for offset, octets in self.writes), default=0)


class Disk(OsFiles):
    """See `smppgw.store.files.Files`."""

    def __init__(self, trap: Trap, *, sync_delay: float = 0.0, full_while: Path | None = None) -> None:
        """`sync_delay` seconds are added to each sync of a file; no file grows while `full_while` exists."""
        self.trap = trap
        self.sync_delay = sync_delay
        self._full_while = full_while
        self._inodes: dict[Path, _Inode] = {}

    @contextmanager
    def at(self, operation: str, path: Path) -> Iterator[None]:
        """Around each operation: what is to happen, happens."""
        sprung = self.trap.is_sprung(operation, path.name)
        if sprung:
            self.trap.before(str(path))
        yield
        if sprung:
            self.trap.after(str(path))

    def check_space(self, path: Path) -> None:
        """Raise OSError when there is none."""
        if self._full_while is not None and self._full_while.exists():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    def create(self, path: Path) -> File:
        with self.at("create", path):
            self.check_space(path)
            inode = self._inodes[path] = _Inode(path)
            return _DiskFile(self, inode, super().create(path))

    def open(self, path: Path, *, write: bool) -> File:
        with self.at("open", path):
            inode = self._inodes.setdefault(path, _Inode(path))
            return _DiskFile(self, inode, super().open(path, write=write))

    def lock(self, path: Path) -> File | None:
        with self.at("lock", path):
            return super().lock(path)

    def rename(self, path: Path, new: Path) -> None:
        with self.at("rename", path):
            super().rename(path, new)
            if path in self._inodes:
                inode = self._inodes[new] = self._inodes.pop(path)
                inode.path = new

    def remove(self, path: Path) -> None:
        with self.at("remove", path):
            super().remove(path)
            self._inodes.pop(path, None)

    def sync_directory(self, directory: Path) -> None:
        with self.at("sync_directory", directory):
            super().sync_directory(directory)


class _DiskFile:
    """See `smppgw.store.files.File`."""

    def __init__(self, disk: Disk, inode: _Inode, file: File) -> None:
        self._disk = disk
        self._inode = inode
        self._file = file

    def write(self, octets: bytes, offset: int) -> None:
        inode = self._inode
        with self._disk.at("write", inode.path), inode.lock:
            if offset + len(octets) > self.size():
                self._disk.check_space(inode.path)
            inode.writes.append((offset, bytes(octets)))

    def read(self, count: int, offset: int) -> bytes:
        inode = self._inode
        with self._disk.at("read", inode.path), inode.lock:
            if not inode.writes:
                return self._file.read(count, offset)
            there = max(0, min(count, self.size() - offset))
            seen = bytearray(self._file.read(count, offset).ljust(there, b"\0"))
            for at, octets in inode.writes:
                first, last = max(at, offset), min(at + len(octets), offset + count)
                if first < last:
                    seen[first - offset : last - offset] = octets[first - at : last - at]
            return bytes(seen)

    def size(self) -> int:
        return max(self._file.size(), self._inode.end)

    def sync(self) -> None:
        inode = self._inode
        with inode.lock:
            writes, inode.writes = inode.writes, []  # a sync that fails has lost them as well
            with self._disk.at("sync", inode.path):
                for offset, octets in writes:
                    self._file.write(octets, offset)
                self._file.sync()
        if self._disk.sync_delay:
            time.sleep(self._disk.sync_delay)

    def close(self) -> None:
        self._file.close()
