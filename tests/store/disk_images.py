"""The two images of a file, and of the names in a directory: what is seen, and what is on the disk for good."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

SECTOR: Final = 512
"""What is on the disk whole or not at all, in octets."""


class Inode:
    """What a file is, whatever its names are."""

    def __init__(self, octets: bytes = b"") -> None:
        self.seen = bytearray(octets)
        self.durable = bytearray(octets)
        self.emptied = False
        """Whether the file was emptied since it was synced."""
        self.unsynced: dict[int, list[bytes]] = {}
        """What a sector has held, one after the other, since it was synced."""
        self.doubtful: dict[int, list[bytes]] = {}
        """The same of sectors whose sync has failed: no later sync looks at them."""
        self.locked = False

    def copy(self) -> Inode:
        inode = Inode()
        inode.seen[:] = self.seen
        inode.durable[:] = self.durable
        inode.emptied = self.emptied
        inode.unsynced = {sector: list(held) for sector, held in self.unsynced.items()}
        inode.doubtful = {sector: list(held) for sector, held in self.doubtful.items()}
        return inode

    def empty(self) -> None:
        self.seen.clear()
        self.unsynced.clear()
        self.doubtful.clear()
        self.emptied = True

    def write(self, octets: bytes, offset: int) -> None:
        if not octets:
            return
        end = offset + len(octets)
        first = min(offset, len(self.seen)) // SECTOR
        if end > len(self.seen):
            self.seen.extend(bytes(end - len(self.seen)))
        self.seen[offset:end] = octets
        for sector in range(first, (end - 1) // SECTOR + 1):
            self.doubtful.pop(sector, None)
            held = self.unsynced.setdefault(sector, [])
            held.append(bytes(self.seen[sector * SECTOR : (sector + 1) * SECTOR]))

    def sync(self) -> None:
        if self.emptied:
            self.durable.clear()
            self.emptied = False
        for sector, held in self.unsynced.items():
            _put(self.durable, sector, held[-1])
        _resize(self.durable, len(self.seen))
        self.unsynced.clear()

    def fail_to_sync(self) -> None:
        for sector, held in self.unsynced.items():
            self.doubtful.setdefault(sector, []).extend(held)
        self.unsynced.clear()

    def after_power_loss(self, random: Random, kept: float) -> Inode:
        image = bytearray() if self.emptied and random.random() < kept else bytearray(self.durable)
        if random.random() < kept:
            _resize(image, len(self.seen))
        for sector, held in (*self.doubtful.items(), *self.unsynced.items()):
            if random.random() < kept:
                _put(image, sector, held[-1] if random.random() < 0.8 else random.choice(held))
        return Inode(bytes(image))


def _put(image: bytearray, sector: int, octets: bytes) -> None:
    at = sector * SECTOR
    if len(image) < at + len(octets):
        _resize(image, at + len(octets))
    image[at : at + len(octets)] = octets


def _resize(image: bytearray, size: int) -> None:
    if len(image) < size:
        image.extend(bytes(size - len(image)))
    else:
        del image[size:]


class Directory:
    """The names in a directory."""

    def __init__(self, names: dict[str, Inode] | None = None) -> None:
        self.seen = dict(names or {})
        self.durable = dict(names or {})
        self.unsynced: list[dict[str, Inode | None]] = []
        """What has changed since the directory was synced, step by step; None for a name that went."""

    def change(self, changes: dict[str, Inode | None]) -> None:
        _apply(self.seen, changes)
        self.unsynced.append(changes)

    def copy(self, twin: Callable[[Inode], Inode]) -> Directory:
        directory = Directory({name: twin(inode) for name, inode in self.durable.items()})
        for changes in self.unsynced:
            directory.change({name: inode and twin(inode) for name, inode in changes.items()})
        return directory

    def sync(self) -> None:
        self.durable = dict(self.seen)
        self.unsynced.clear()

    def after_power_loss(self, random: Random, kept: float) -> dict[str, Inode]:
        names = dict(self.durable)
        for changes in self.unsynced:
            if random.random() < kept:
                _apply(names, changes)
        return names


def _apply(names: dict[str, Inode], changes: dict[str, Inode | None]) -> None:
    for name, inode in changes.items():
        if inode is None:
            names.pop(name, None)
        else:
            names[name] = inode
