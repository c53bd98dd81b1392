"""The segments of a log on a disk: their names, how one is built, and what a gateway that starts finds in them.

What is found is judged by one rule. Batch n + 1 is written only after batch n is synced, so a valid batch anywhere
behind damage proves that the damage is in what was promised to somebody: nobody goes on with that. Only damage with
nothing valid behind it can be the batch that was being written when the power failed.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

from smppgw.store.errors import StoreDamaged
from smppgw.store.files import File, Files
from smppgw.store.frame import (
    SECTOR_OCTETS,
    SEED_OCTETS,
    Scan,
    SegmentHeader,
    Span,
    decode_header,
    find_frame,
    is_zero,
    make_seed,
    written_end,
)

SEGMENT_OCTETS: Final = 64 << 20
SUFFIX: Final = ".log"
BUILDING: Final = ".tmp"
"""Ends the name of a file that is not finished."""

_NAME_DIGITS: Final = 8
_PIECE: Final = bytes(1 << 20)


class Torn(NamedTuple):
    """The rest of a batch that was being written when the last run ended; it was promised to nobody."""

    path: Path
    offset: int
    octets: int


class Found(NamedTuple):
    """A segment that is well, as far as its valid frames go."""

    path: Path
    header: SegmentHeader
    end: int
    """Where its valid frames end."""
    last_lsn: int
    """The lsn of its last record; where it has none, of the last one before."""

    @property
    def has_frames(self) -> bool:
        """Whether anything was ever written to it."""
        return self.end > SECTOR_OCTETS


class Survey:
    """What the segments in a directory hold, read once. Changes nothing."""

    def __init__(self, files: Files, directory: Path) -> None:
        """Read them all. Raises: StoreDamaged for whatever a crash cannot have left; OSError."""
        self.segments: list[Found] = []
        """Those with a good header, by their number."""
        self.log_id: bytes | None = None
        self.first_lsn: int | None = None
        """What the oldest frame begins with."""
        self.last_lsn = 0
        self.last_batch = 0
        self.torn: Torn | None = None
        self.numbers = segment_numbers(files.names(directory))
        self._doubt: StoreDamaged | None = None  # what can only be borne where nothing is behind it
        self._wiped: StoreDamaged | None = None
        for before, number in pairwise(self.numbers):
            if number != before + 1:
                raise StoreDamaged(directory / segment_name(before + 1), 0, "this segment is missing")
        for number in self.numbers:
            self._read(files, directory / segment_name(number), number)

    def _read(self, files: Files, path: Path, number: int) -> None:
        octets = read_segment(files, path)
        if len(octets) < SECTOR_OCTETS:
            raise StoreDamaged(path, len(octets), "it ends within its header")
        header = decode_header(octets)
        if isinstance(header, str):
            damage = StoreDamaged(path, 0, header)
            if not is_zero(octets, SECTOR_OCTETS):
                raise damage
            self._doubt = self._doubt or damage  # built half, as it seems
            if is_zero(octets, 0):
                self._wiped = damage
            return
        if (
            self._wiped is not None
        ):  # spares are built one after another: this was built, and has been emptied
            raise self._wiped
        if header.number != number:
            raise StoreDamaged(path, 0, f"its header is that of segment {header.number}")
        if self.log_id not in (None, header.log_id):
            raise StoreDamaged(path, 0, "it belongs to another log")
        if len(octets) != header.octets:
            raise StoreDamaged(path, len(octets), f"its size should be {header.octets} octets")
        self.log_id = header.log_id
        scan = Scan(octets, header.seed)
        for span in scan:
            self._follow(path, span)
        if scan.reason is not None:
            self._judge(path, octets, header.seed, scan.end, scan.reason)
        self.segments.append(Found(path, header, scan.end, self.last_lsn))

    def _follow(self, path: Path, span: Span) -> None:
        """Take a frame that is to be the one after the last."""
        if self._doubt is not None:
            raise StoreDamaged(
                self._doubt.path,
                self._doubt.offset,
                f"{self._doubt.reason}, and {path.name} goes on behind it",
            )
        if self.first_lsn is None:
            self.first_lsn = span.first_lsn
        elif span.batch != self.last_batch + 1:
            raise StoreDamaged(
                path, span.offset, f"batch {span.batch} stands where batch {self.last_batch + 1} should"
            )
        elif span.first_lsn <= self.last_lsn:
            raise StoreDamaged(path, span.offset, f"record {span.first_lsn} comes behind {self.last_lsn}")
        self.last_batch = span.batch
        self.last_lsn = span.last_lsn

    def _judge(self, path: Path, octets: bytes, seed: bytes, offset: int, reason: str) -> None:
        """Bear octets that are no frames, where they can be of a batch that was never finished."""
        if self._doubt is not None:
            raise self._doubt
        behind = find_frame(octets, seed, offset)
        if behind is not None:
            raise StoreDamaged(
                path, offset, f"{reason}, and a whole batch is behind it at octet {behind.offset}"
            )
        self._doubt = StoreDamaged(path, offset, reason)
        self.torn = Torn(path, offset, written_end(octets, offset) - offset)


def segment_name(number: int) -> str:
    """The name of a segment's file."""
    return f"{number:0{_NAME_DIGITS}}{SUFFIX}"


def segment_numbers(names: Iterable[str]) -> list[int]:
    """The numbers of the segments among the names of a directory, lowest first."""
    return sorted(
        int(stem)
        for name in names
        if name.endswith(SUFFIX)
        and (stem := name.removesuffix(SUFFIX)).isascii()
        and stem.isdecimal()
        and len(stem) >= _NAME_DIGITS
    )


def unfinished(names: Iterable[str]) -> list[str]:
    """The names of what was being built when a run ended."""
    return [name for name in names if name.endswith((SUFFIX + BUILDING, ".bin" + BUILDING))]


def new_header(log_id: bytes, number: int, octets: int, random: Callable[[int], bytes]) -> SegmentHeader:
    """Return the header of a segment that is to be built."""
    return SegmentHeader(log_id, number, make_seed(random(SEED_OCTETS)), octets)


def build_segment(files: Files, directory: Path, header: SegmentHeader) -> File:
    """Make an empty segment, in the place of what has its name; return it open.

    It is zeros all through, so that no later sync has to wait for the file system to write down where its octets are.
    Raises: OSError; what was built so far is then removed, if it can be.
    """

    def fill(file: File) -> None:
        file.write(header.encode(), 0)
        for offset, zeros in _pieces(SECTOR_OCTETS, header.octets):
            file.write(zeros, offset)
            file.sync()  # a few at a time: synced all at once, 64 MiB keep the log's own syncs waiting for 25 ms

    path = directory / segment_name(header.number)
    write_file(files, path, fill)
    return files.open(path, write=True)


def write_file(files: Files, path: Path, fill: Callable[[File], None]) -> None:
    """Make a file that has its name only when all of it is on the disk. Raises: OSError."""
    building = path.with_name(path.name + BUILDING)
    try:
        with closing(files.create(building)) as file:
            fill(file)
            file.sync()
        files.rename(building, path)
        files.sync_directory(path.parent)
    except OSError:
        with suppress(OSError):
            files.remove(building)
        raise


def read_segment(files: Files, path: Path) -> bytes:
    """Return all octets of a segment. Raises: StoreDamaged where the disk cannot read them; OSError."""
    with closing(files.open(path, write=False)) as file:
        try:
            return file.read(file.size(), 0)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            raise StoreDamaged(path, 0, f"it cannot be read ({error.strerror})") from error


def write_again(files: Files, segment: Found) -> None:
    """Write a segment's valid octets where they are, and zeros behind them. Raises: OSError.

    When a sync has failed, a file can read as if all were well though the disk never got it: only what is written
    anew is surely asked of the disk again.
    """
    with closing(files.open(segment.path, write=True)) as file:
        for offset, zeros in _pieces(0, segment.end):
            file.write(file.read(len(zeros), offset), offset)
        for offset, zeros in _pieces(segment.end, segment.header.octets):
            file.write(zeros, offset)
        file.sync()


def _pieces(start: int, end: int) -> Iterator[tuple[int, bytes]]:
    for offset in range(start, end, len(_PIECE)):
        yield offset, _PIECE[: end - offset]
