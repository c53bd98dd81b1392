"""Keeping what can still be read of a damaged log, for a person who has accepted that the rest is lost.

The batches that are still valid, also those behind damage, are written into fresh segments behind the old ones; only
when all of these are on the disk are the old ones taken away. Records keep their lsn. A log with old and fresh segments
is therefore refused by every gateway, as its lsns go back, and can be salvaged again, as each record is kept once.
"""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

from smppgw.store.errors import StoreDamaged
from smppgw.store.files import File, Files
from smppgw.store.frame import (
    LOG_ID_OCTETS,
    SECTOR_OCTETS,
    SEED_OCTETS,
    SegmentHeader,
    Span,
    decode_header,
    encode_frame,
    find_frame,
    is_zero,
    read_frame,
    written_end,
)
from smppgw.store.segments import (
    SEGMENT_OCTETS,
    build_segment,
    new_header,
    segment_name,
    segment_numbers,
    unfinished,
)

PAGE_OCTETS: Final = 4096
"""What is given up at once where a disk cannot read."""


class Damage(NamedTuple):
    """Octets of a segment that are no valid batches."""

    segment: str
    offset: int
    octets: int


class Salvaged(NamedTuple):
    """What became of a log."""

    frames: int
    """How many were kept; the frames without records are not."""
    records: int
    damaged: list[Damage]
    lost: list[tuple[int, int]]
    """The first and the last lsn of the records that are missing between kept ones. How many are missing before the
    first kept one, and behind the last, nobody can tell."""
    aside: Path | None
    """Where the damaged segments are now, as they were."""


class _Old(NamedTuple):
    """A segment as it was found."""

    path: Path
    seed: bytes
    spans: list[Span]
    damaged: list[Damage]


def salvage(
    files: Files,
    directory: Path,
    *,
    log_id: bytes | None = None,
    after_lsn: int = 0,
    random: Callable[[int], bytes] = os.urandom,
) -> Salvaged:
    """Make a log that can be used of whatever is in the directory, which must be locked.

    `log_id`: which log it is to be; else the one that most segments are of. `after_lsn`: no new record is to have an
    lsn up to this one, though none of the log's may be so high. When this is cut short, it can be called again.
    Raises: OSError.
    """
    names = files.names(directory)
    for name in unfinished(names):
        files.remove(directory / name)
    numbers = segment_numbers(names)
    paths = [directory / segment_name(number) for number in numbers]
    headers = [_header(files, path) for path in paths]
    ids = Counter(header.log_id for header in headers if header is not None)
    if log_id is None:
        log_id = ids.most_common(1)[0][0] if ids else random(LOG_ID_OCTETS)
    octets = max((header.octets for header in headers if header is not None), default=SEGMENT_OCTETS)

    old = [_examine(files, path, log_id) for path in paths]
    kept = _rising((span, segment) for segment in old for span in segment.spans)
    batch = max((span.batch for segment in old for span in segment.spans), default=0) + 1
    last_lsn = kept[-1][0].last_lsn if kept else 0

    fresh = _Fresh(files, directory, log_id, numbers[-1] + 1 if numbers else 1, octets, batch, random)
    for first_lsn, records in _frames(files, kept):
        fresh.write(first_lsn, records)
    fresh.write(max(last_lsn, after_lsn) + 1, [])  # from here the log goes on
    fresh.finish()

    return Salvaged(
        len(kept),
        sum(span.record_count for span, _ in kept),
        [damage for segment in old for damage in segment.damaged],
        [
            (before.last_lsn + 1, span.first_lsn - 1)
            for (before, _), (span, _) in pairwise(kept)
            if span.first_lsn > before.last_lsn + 1
        ],
        _take_away(files, directory, old, names),
    )


def _header(files: Files, path: Path) -> SegmentHeader | None:
    header = decode_header(_read(files, path, SECTOR_OCTETS))
    return header if isinstance(header, SegmentHeader) else None


def _examine(files: Files, path: Path, log_id: bytes) -> _Old:
    """Find all that is valid in a segment, and all that is not."""
    octets = _read(files, path)
    header = decode_header(octets)
    spans: list[Span] = []
    damaged: list[Damage] = []
    if isinstance(header, SegmentHeader):
        seed = header.seed
        if header.log_id != log_id:
            return _Old(path, seed, [], [Damage(path.name, 0, len(octets))])
    else:
        seed = octets[SECTOR_OCTETS : SECTOR_OCTETS + SEED_OCTETS]  # the first batch begins with it too
        damaged.append(Damage(path.name, 0, SECTOR_OCTETS))
    at = SECTOR_OCTETS
    if len(seed) == SEED_OCTETS and seed[0]:
        while (span := find_frame(octets, seed, at)) is not None:
            if span.offset > at:
                damaged.append(Damage(path.name, at, span.offset - at))
            spans.append(span)
            at = span.end
    if not is_zero(octets, at):
        damaged.append(Damage(path.name, at, written_end(octets, at) - at))
    if isinstance(header, SegmentHeader) and len(octets) != header.octets:
        damaged.append(Damage(path.name, len(octets), abs(header.octets - len(octets))))
    return _Old(path, seed, spans, damaged)


def _rising(found: Iterator[tuple[Span, _Old]]) -> list[tuple[Span, _Old]]:
    """Those with records, by their lsn, each record once: what an interrupted salvage has copied is there twice."""
    kept: list[tuple[Span, _Old]] = []
    for span, segment in sorted(found, key=lambda pair: pair[0].first_lsn):
        if span.record_count and (not kept or span.first_lsn > kept[-1][0].last_lsn):
            kept.append((span, segment))
    return kept


def _frames(files: Files, kept: Sequence[tuple[Span, _Old]]) -> Iterator[tuple[int, list[bytes]]]:
    """Read what is kept: the lsn of the first record, and the records."""
    path: Path | None = None
    octets = b""
    for span, segment in kept:
        if segment.path != path:
            path = segment.path
            octets = _read(files, path)
        if find_frame(octets, segment.seed, span.offset) != span:
            raise StoreDamaged(segment.path, span.offset, "it is read differently each time")
        frame = read_frame(octets, span)
        yield frame.first_lsn, frame.records


class _Fresh:
    """Segments that are filled one after another."""

    def __init__(
        self,
        files: Files,
        directory: Path,
        log_id: bytes,
        number: int,
        octets: int,
        batch: int,
        random: Callable[[int], bytes],
    ) -> None:
        self._files = files
        self._directory = directory
        self._random = random
        self._batch = batch
        self._begin(new_header(log_id, number, octets, random))

    def _begin(self, header: SegmentHeader) -> None:
        self._header = header
        self._file: File = build_segment(self._files, self._directory, header)
        self._at = SECTOR_OCTETS

    def write(self, first_lsn: int, records: Sequence[bytes]) -> None:
        frame = encode_frame(self._header.seed, self._batch, first_lsn, records)
        if self._at + len(frame) > self._header.octets:
            self.finish()
            log_id, number, _, octets = self._header
            self._begin(new_header(log_id, number + 1, octets, self._random))
            frame = encode_frame(self._header.seed, self._batch, first_lsn, records)
        self._file.write(frame, self._at)
        self._at += len(frame)
        self._batch += 1

    def finish(self) -> None:
        self._file.sync()
        self._file.close()


def new_aside(files: Files, directory: Path, names: Sequence[str]) -> Path:
    """Make a directory for what is damaged; `names` are those there are. Raises: OSError."""
    aside = next(
        directory / name
        for number in range(1, len(names) + 2)
        if (name := f"salvaged-{number:03d}") not in names
    )
    files.make_directory(aside)
    return aside


def _take_away(files: Files, directory: Path, old: Sequence[_Old], names: Sequence[str]) -> Path | None:
    """Remove the old segments; the damaged ones only from where a gateway would find them."""
    aside = None
    if any(segment.damaged for segment in old):
        aside = new_aside(files, directory, names)
    for segment in old:
        if aside is not None and segment.damaged:
            files.rename(segment.path, aside / segment.path.name)
        else:
            files.remove(segment.path)
    if aside is not None:
        files.sync_directory(aside)
    files.sync_directory(directory)
    return aside


def _read(files: Files, path: Path, count: int | None = None) -> bytes:
    """Return what a file begins with, all of it by default; zeros where the disk cannot read it."""
    with closing(files.open(path, write=False)) as file:
        size = file.size() if count is None else min(count, file.size())
        try:
            return file.read(size, 0)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
        octets = bytearray(size)
        for offset in range(0, size, PAGE_OCTETS):
            page = slice(offset, min(offset + PAGE_OCTETS, size))
            with suppress(OSError):
                octets[page] = file.read(page.stop - offset, offset)
        return bytes(octets)
