"""A disk in memory that loses what a real one may lose: what nobody has waited for.

Each file has two images: what a reader sees, and what is on the disk for good. A write changes the first; the second
follows when the file is synced. So it is with the names in a directory, and `sync_directory`. At a power loss any of
the sectors and names in between may be on the disk, or not.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum, auto
from pathlib import Path
from random import Random
from threading import RLock
from typing import Final, NamedTuple

from smppgw.store.files import File
from tests.store.disk_images import Directory, Inode

KEPT: Final = (0.0, 1.0, 0.5, 0.1, 0.9)
"""How likely an unsynced sector or name survives, from clone to clone: first the two extremes."""


class Call(NamedTuple):
    """Something that was asked of the disk."""

    kind: str
    """The method's name: of `Files`, or of `File`."""
    path: Path
    offset: int = 0
    octets: int = 0


class Effect(Enum):
    """How much of a failed call has been done all the same. A failed sync leaves that open to the power loss."""

    NOTHING = auto()
    HALF = auto()
    ALL = auto()


class Fault(NamedTuple):
    """A call that is to fail."""

    number: int
    """Which of the disk's calls, or of those of the kind; from 1."""
    error: int
    kind: str | None
    effect: Effect


class SimulatedFile:
    """A `File` of a `SimulatedDisk`."""

    def __init__(self, disk: SimulatedDisk, path: Path, inode: Inode, *, write: bool, locks: bool) -> None:
        self._disk = disk
        self._path = path
        self._inode = inode
        self._may_write = write
        self._locks = locks
        self._open = True
        disk.open_files += 1

    def write(self, octets: bytes, offset: int) -> None:
        with self._disk.asked(Call("write", self._path, offset, len(octets))) as effect:
            self._check(self._may_write)
            if effect is Effect.HALF:
                self._inode.write(octets[: len(octets) // 2], offset)
                return
            end = offset + len(octets)
            room = self._disk.room_of(self._inode)
            if end <= room:
                self._inode.write(octets, offset)
                return
            self._inode.write(octets[: max(room - offset, 0)], offset)
            raise _error(errno.ENOSPC, self._path)

    def read(self, count: int, offset: int) -> bytes:
        with self._disk.asked(Call("read", self._path, offset, count)):
            self._check()
            return bytes(self._inode.seen[offset : offset + count])

    def size(self) -> int:
        with self._disk.asked(Call("size", self._path)):
            self._check()
            return len(self._inode.seen)

    def sync(self) -> None:
        try:
            with self._disk.asked(Call("sync", self._path)):
                self._check()
                self._inode.sync()
        except OSError:
            if self._disk.forgets_after_failed_sync:
                self._inode.fail_to_sync()
            raise

    def close(self) -> None:
        """A file is closed even if that fails."""
        try:
            with self._disk.asked(Call("close", self._path)):
                self._check()
        finally:
            self._disk.open_files -= self._open
            self._open = False
            if self._locks:
                self._inode.locked = False

    def _check(self, permitted: bool = True) -> None:
        if not (self._open and permitted):
            raise _error(errno.EBADF, self._path)


def _error(number: int, path: Path) -> OSError:
    return OSError(number, os.strerror(number) if number else "short write", str(path))


class SimulatedDisk:
    """A `Files` in memory. `capacity` is in octets, None for no bound."""

    def __init__(self, capacity: int | None = None, *, forgets_after_failed_sync: bool = True) -> None:
        self.capacity = capacity
        self.forgets_after_failed_sync = forgets_after_failed_sync
        """As Linux does: what a sync has failed on is not tried again by the next one."""
        self.calls: list[Call] = []
        self.before_call: Callable[[Call], None] = lambda call: None
        """Told of each call before it is done: the moment to take clones."""
        self.open_files = 0
        self._faults: list[Fault] = []
        self._guard = RLock()
        self._directories: dict[Path, Directory] = {}

    # ---- a `Files` ------------------------------------------------------------------------------------------

    def make_directory(self, directory: Path) -> None:
        """It is there for good."""
        with self.asked(Call("make_directory", directory)):
            for path in (directory, *directory.parents):
                self._directories.setdefault(path, Directory())

    def names(self, directory: Path) -> list[str]:
        with self.asked(Call("names", directory)):
            below = [path.name for path in self._directories if path.name and path.parent == directory]
            return sorted([*self._directory(directory).seen, *below])

    def create(self, path: Path) -> File:
        with self.asked(Call("create", path)):
            inode = self._found_or_made(path)
            inode.empty()
        return SimulatedFile(self, path, inode, write=True, locks=False)

    def open(self, path: Path, *, write: bool) -> File:
        with self.asked(Call("open", path)):
            inode = self._inode(path)
        return SimulatedFile(self, path, inode, write=write, locks=False)

    def rename(self, path: Path, new: Path) -> None:
        """Within one directory a power loss leaves it done or not, never half."""
        with self.asked(Call("rename", path)):
            inode = self._inode(path)
            if path.parent == new.parent:
                self._directory(path.parent).change({path.name: None, new.name: inode})
            else:
                self._directory(new.parent).change({new.name: inode})
                self._directory(path.parent).change({path.name: None})

    def remove(self, path: Path) -> None:
        with self.asked(Call("remove", path)):
            self._inode(path)
            self._directory(path.parent).change({path.name: None})

    def sync_directory(self, directory: Path) -> None:
        with self.asked(Call("sync_directory", directory)):
            self._directory(directory).sync()

    def lock(self, path: Path) -> File | None:
        with self.asked(Call("lock", path)):
            inode = self._found_or_made(path)
            if inode.locked:
                return None
        inode.locked = True
        return SimulatedFile(self, path, inode, write=True, locks=True)

    # ---- what goes wrong ------------------------------------------------------------------------------------

    def fail(
        self, number: int, error: int, *, kind: str | None = None, effect: Effect = Effect.NOTHING
    ) -> None:
        """Let the call of that number (from 1; of that kind, if there is one) raise an OSError.

        An `error` of 0 is a short write.
        """
        self._faults.append(Fault(number, error, kind, effect))

    def forgive(self) -> None:
        """Take back what has not failed yet."""
        self._faults.clear()

    def crash_clones(self, random: Random, count: int) -> Iterator[SimulatedDisk]:
        """Disks as they may be found after a power loss at this moment; the first two have lost all, and nothing."""
        for number in range(count):
            yield self.after_power_loss(random, KEPT[number % len(KEPT)])

    def after_power_loss(self, random: Random, kept: float) -> SimulatedDisk:
        """The disk after a power loss; `kept` is how likely each unsynced sector and name is there."""
        images: dict[Inode, Inode] = {}
        clone = self._blank()
        with self._guard:
            for path, directory in self._directories.items():
                names = directory.after_power_loss(random, kept)
                for inode in names.values():
                    if inode not in images:
                        images[inode] = inode.after_power_loss(random, kept)
                clone._directories[path] = Directory({name: images[inode] for name, inode in names.items()})
        return clone

    def killed(self) -> SimulatedDisk:
        """The disk as the next process finds it if this one is killed now: all that was written, synced or not."""
        twins: dict[Inode, Inode] = {}

        def twin(inode: Inode) -> Inode:
            if inode not in twins:
                twins[inode] = inode.copy()
            return twins[inode]

        clone = self._blank()
        with self._guard:
            for path, directory in self._directories.items():
                clone._directories[path] = directory.copy(twin)
        return clone

    # ---- for tests to look at, and to damage ----------------------------------------------------------------

    def octets_of(self, path: Path) -> bytes:
        """What a file holds; not a call."""
        return bytes(self._inode(path).seen)

    def put(self, path: Path, octets: bytes) -> None:
        """Make or replace a file, for good; not a call."""
        directory = self._directory(path.parent)
        directory.seen[path.name] = directory.durable[path.name] = Inode(octets)

    def move_all_to(self, directory: Path) -> None:
        """Let all files be found in that directory alone, as if it had been moved there; not a call."""
        moved = [each for each in self._directories.values() if each.seen or each.durable]
        assert len(moved) <= 1, "one directory that has files"
        self._directories = {path: Directory() for path in directory.parents}
        self._directories[directory] = moved[0] if moved else Directory()

    def count(self, kind: str) -> int:
        """How many calls of that kind there were."""
        return sum(call.kind == kind for call in self.calls)

    # ---- its own --------------------------------------------------------------------------------------------

    @contextmanager
    def asked(self, call: Call) -> Iterator[Effect]:
        """Do a call: nobody else meanwhile, written down before, its fault raised before or after."""
        with self._guard:
            self.before_call(call)
            self.calls.append(call)
            fault = self._fault_of(call)
            if fault is None:
                yield Effect.ALL
                return
            if fault.effect is not Effect.NOTHING:
                yield fault.effect
            raise _error(fault.error, call.path)

    def room_of(self, inode: Inode) -> int:
        """How large a file may be now; what it has, it keeps."""
        if self.capacity is None:
            return 1 << 60
        inodes = {each for directory in self._directories.values() for each in directory.seen.values()}
        others = sum(len(each.seen) for each in inodes - {inode})
        return max(len(inode.seen), self.capacity - others)

    def _blank(self) -> SimulatedDisk:
        return SimulatedDisk(self.capacity, forgets_after_failed_sync=self.forgets_after_failed_sync)

    def _fault_of(self, call: Call) -> Fault | None:
        for fault in self._faults:
            if fault.kind is None and fault.number == len(self.calls):
                return fault
            if fault.kind == call.kind and fault.number == self.count(call.kind):
                return fault
        return None

    def _directory(self, path: Path) -> Directory:
        if path not in self._directories:
            raise _error(errno.ENOENT, path)
        return self._directories[path]

    def _inode(self, path: Path) -> Inode:
        inode = self._directory(path.parent).seen.get(path.name)
        if inode is None:
            raise _error(errno.ENOENT, path)
        return inode

    def _found_or_made(self, path: Path) -> Inode:
        directory = self._directory(path.parent)
        inode = directory.seen.get(path.name)
        if inode is None:
            inode = Inode()
            directory.change({path.name: inode})
        return inode
