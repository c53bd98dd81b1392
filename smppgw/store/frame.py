"""How the octets of the write-ahead log are laid out: the header of a segment, and the frames behind it.

A segment begins with one sector of 512 octets that says whose it is, then come frames, each at a multiple of
8 octets, then zeros. A frame is one group commit: all its records were made durable by the same sync. All integers
are little-endian.

    frame:  seed of the segment 8 | crc32 u32 | length u32 | batch u64 | first lsn u64 | count u32 | 0 u32 | body
    body:   length u32 | octets, for each record; then zeros up to a multiple of 8, which `length` does not count

The seed is drawn at random for each segment. It marks where frames begin and starts their checksums, so neither
octets of a file's earlier life nor anything a peer may write into a message can be taken for a frame.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

SECTOR_OCTETS: Final = 512
"""What a disk writes whole or not at all; also where the first frame of a segment begins."""
ALIGNMENT: Final = 8
FRAME_OVERHEAD: Final = 40
"""Octets of a frame that has no records."""
RECORD_OVERHEAD: Final = 4
SEED_OCTETS: Final = 8
LOG_ID_OCTETS: Final = 16

MAGIC: Final = b"smppgwal"
FORMAT_VERSION: Final = 3

_SEGMENT: Final = struct.Struct("<8sI16sQ8sQ")
_CRC: Final = struct.Struct("<I")
_FIELDS: Final = struct.Struct("<IQQII")
_FIELDS_AT: Final = SEED_OCTETS + _CRC.size
_LENGTH: Final = struct.Struct("<I")
_NO_FRAME: Final = bytes(SEED_OCTETS)
_PADDING: Final = tuple(bytes(-length % ALIGNMENT) for length in range(ALIGNMENT))
_ZEROS: Final = bytes(1 << 18)


class SegmentHeader(NamedTuple):
    """Whose a segment is."""

    log_id: bytes
    """16 octets, drawn at random when the log was begun: the same in all its segments."""
    number: int
    """1 and up, as in the name of the file."""
    seed: bytes
    """8 octets, drawn at random for this segment; the first is never 0."""
    octets: int
    """Size of the segment, with this header."""

    def encode(self) -> bytes:
        """Return the sector that a segment begins with."""
        fields = _SEGMENT.pack(MAGIC, FORMAT_VERSION, *self).ljust(SECTOR_OCTETS - _CRC.size, b"\0")
        return fields + _CRC.pack(zlib.crc32(fields))


class Frame(NamedTuple):
    """One group commit."""

    batch: int
    """Counts the frames of a log, without gaps."""
    first_lsn: int
    """Number of the first record; the one at index i has `first_lsn` + i. A frame without records: the next one's."""
    records: list[bytes]


class Span(NamedTuple):
    """Where a valid frame is, and what it holds, without its records."""

    offset: int
    end: int
    """Where the next frame would begin."""
    batch: int
    first_lsn: int
    record_count: int

    @property
    def last_lsn(self) -> int:
        """The lsn of its last record; the one before `first_lsn` when there are none."""
        return self.first_lsn + self.record_count - 1


class Scan:
    """The valid frames of a segment, from the first; and, when they have been gone through, what is behind them."""

    __slots__ = ("_octets", "_seed", "end", "reason")

    def __init__(self, octets: bytes, seed: bytes) -> None:
        """`octets`: of a whole segment, with its header."""
        self._octets = octets
        self._seed = seed
        self.end = SECTOR_OCTETS
        """Where the valid frames end."""
        self.reason: str | None = None
        """What is wrong with what is behind them; None when there are only zeros."""

    def __iter__(self) -> Iterator[Span]:
        octets, seed = self._octets, self._seed
        view = memoryview(octets)
        while isinstance(found := _frame_at(octets, view, seed, self.end), Span):
            self.end = found.end
            yield found
        if found is None and not is_zero(octets, self.end):
            found = "no batch begins here, but there is something behind"
        self.reason = found


def make_seed(random_octets: bytes) -> bytes:
    """Return a seed made of 8 octets drawn at random."""
    return (
        bytes((random_octets[0] | 1,)) + random_octets[1:SEED_OCTETS]
    )  # 8 zeros mean that there is no frame


def decode_header(octets: bytes) -> SegmentHeader | str:
    """Read the first sector of a segment; a string says what is wrong with it."""
    sector = octets[:SECTOR_OCTETS]
    if (
        len(sector) < SECTOR_OCTETS
        or zlib.crc32(sector[: -_CRC.size]) != _CRC.unpack(sector[-_CRC.size :])[0]
    ):
        return "the header's checksum does not fit"
    magic, version, *fields = _SEGMENT.unpack_from(sector)
    if magic != MAGIC:
        return "this is no segment of a log"
    if version != FORMAT_VERSION:
        return f"written in format {version}, this smppgw knows format {FORMAT_VERSION}"
    return SegmentHeader(*fields)


def encode_frame(seed: bytes, batch: int, first_lsn: int, records: Sequence[bytes]) -> bytes:
    """Return one frame; its size is a multiple of 8 octets."""
    count = len(records)
    length = sum(map(len, records)) + RECORD_OVERHEAD * count
    fields = _FIELDS.pack(length, batch, first_lsn, count, 0)
    crc = zlib.crc32(fields, zlib.crc32(seed))
    parts = [seed, b"", fields]
    for record in records:  # joined once: a second copy costs more than checksums of pieces
        prefix = _LENGTH.pack(len(record))
        parts += (prefix, record)
        crc = zlib.crc32(record, zlib.crc32(prefix, crc))
    padding = _PADDING[length % ALIGNMENT]
    parts.append(padding)
    parts[1] = _CRC.pack(zlib.crc32(padding, crc))
    return b"".join(parts)


def read_frame(octets: bytes, span: Span) -> Frame:
    """Cut the records out of a valid frame. `octets`: of the segment that `span` was found in."""
    records = []
    at = span.offset + FRAME_OVERHEAD
    for _ in range(span.record_count):
        (length,) = _LENGTH.unpack_from(octets, at)
        at += RECORD_OVERHEAD
        records.append(octets[at : at + length])
        at += length
    return Frame(span.batch, span.first_lsn, records)


def find_frame(octets: bytes, seed: bytes, start: int) -> Span | None:
    """Return the first valid frame that begins at `start` or later, whatever is before it."""
    view = memoryview(octets)
    at = octets.find(seed, start)
    while at >= 0:
        if at % ALIGNMENT == 0 and isinstance(found := _frame_at(octets, view, seed, at), Span):
            return found
        at = octets.find(seed, at + 1)
    return None


def is_zero(octets: bytes, start: int) -> bool:
    """Whether there is nothing but zeros from there on."""
    return written_end(octets, start) == start


def written_end(octets: bytes, start: int) -> int:
    """Return where the zeros begin that the octets end with; `start` when there is nothing else from there on."""
    end = len(octets)
    while end > start:
        piece = octets[max(start, end - len(_ZEROS)) : end]
        if piece != _ZEROS[: len(piece)]:
            return end - len(piece) + len(piece.rstrip(b"\0"))
        end -= len(piece)
    return start


def _frame_at(octets: bytes, view: memoryview, seed: bytes, at: int) -> Span | str | None:
    """Read the frame there; None where none begins, a string for what is wrong with it."""
    marker = octets[at : at + SEED_OCTETS]
    if marker != seed:
        if marker.strip(b"\0"):
            return "what should be a batch does not begin as one"
        return None
    if len(octets) - at < FRAME_OVERHEAD:
        return "a batch begins too close to the end of the segment"
    length, batch, first_lsn, count, _ = _FIELDS.unpack_from(octets, at + _FIELDS_AT)
    end = at + FRAME_OVERHEAD + length + -length % ALIGNMENT
    if end > len(octets):
        return f"a batch of {length} octets does not fit into the segment"
    (crc,) = _CRC.unpack_from(octets, at + SEED_OCTETS)
    if zlib.crc32(view[at + _FIELDS_AT : end], zlib.crc32(seed)) != crc:
        return "the checksum of a batch does not fit"
    return Span(at, end, batch, first_lsn, count)
