"""The octets of the log: what is written is read again, and nothing else is taken for a frame."""

from __future__ import annotations

import struct
import zlib

from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.store.frame import (
    ALIGNMENT,
    FORMAT_VERSION,
    FRAME_OVERHEAD,
    SECTOR_OCTETS,
    Frame,
    Scan,
    SegmentHeader,
    decode_header,
    encode_frame,
    find_frame,
    is_zero,
    make_seed,
    read_frame,
    written_end,
)

SEED = b"\x11seedling"[:8]
HEADER = SegmentHeader(b"sixteen octets!!", 7, SEED, 4096)
BATCHES = ([b"first"], [], [b"", b"x" * 300, b"third"])

each_octets = st.lists(st.binary(max_size=100), max_size=5)


def segment_of(*batches: list[bytes], octets: int = 4096) -> bytes:
    """A segment with these batches, numbered from 1."""
    parts = [HEADER.encode()]
    lsn = 1
    for batch, records in enumerate(batches, 1):
        parts.append(encode_frame(SEED, batch, lsn, records))
        lsn += len(records)
    return b"".join(parts).ljust(octets, b"\0")


def frames_of(octets: bytes) -> tuple[list[Frame], int, str | None]:
    """The frames; where they end, and what is wrong behind them."""
    scan = Scan(octets, SEED)
    frames = [read_frame(octets, span) for span in scan]
    return frames, scan.end, scan.reason


def flipped(octets: bytes, at: int, bit: int = 0) -> bytes:
    return octets[:at] + bytes((octets[at] ^ 1 << bit,)) + octets[at + 1 :]


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.lists(each_octets, max_size=5))
def test_what_is_written_is_read(batches: list[list[bytes]]) -> None:
    frames, end, reason = frames_of(segment_of(*batches, octets=8192))
    assert reason is None
    assert [frame.records for frame in frames] == batches
    assert [frame.batch for frame in frames] == list(range(1, len(batches) + 1))
    assert end % ALIGNMENT == 0
    lsn = 1
    for frame in frames:
        assert frame.first_lsn == lsn
        lsn += len(frame.records)


def test_a_frame_without_records_knows_the_next_lsn() -> None:
    frame = encode_frame(SEED, 3, 9, [])
    assert len(frame) == FRAME_OVERHEAD
    (span,) = Scan(HEADER.encode() + frame, SEED)
    assert (span.first_lsn, span.last_lsn, span.record_count) == (9, 8, 0)


def test_a_flipped_bit_anywhere_in_a_frame_is_found() -> None:
    octets = segment_of(*BATCHES)
    whole, end, _ = frames_of(octets)
    _, first_end, _ = frames_of(segment_of(BATCHES[0]))
    for at in range(first_end, end):
        frames, good, reason = frames_of(flipped(octets, at, at % 8))
        assert reason is not None, at
        assert frames == whole[: len(frames)]
        assert good <= at, at


def test_a_flipped_bit_behind_the_last_frame_is_found() -> None:
    octets = segment_of(*BATCHES)
    frames, end, reason = frames_of(flipped(octets, 4095))
    assert len(frames) == 3
    assert reason == "no batch begins here, but there is something behind"
    assert frames_of(flipped(octets, end))[2] == "what should be a batch does not begin as one"


def test_a_frame_cut_short_is_none() -> None:
    octets = segment_of(*BATCHES)
    frames, end, _ = frames_of(octets)
    for cut in range(SECTOR_OCTETS, end):
        found, good, reason = frames_of(octets[:cut])
        assert found == frames[: len(found)]
        assert len(found) < 3
        assert reason is not None or good == cut


def test_frames_of_another_seed_are_none() -> None:
    octets = segment_of(*BATCHES)
    other = b"\x13" + SEED[1:]
    scan = Scan(octets, other)
    assert list(scan) == []
    assert scan.reason is not None
    assert find_frame(octets, other, 0) is None


def test_a_frame_behind_damage_is_found() -> None:
    octets = segment_of(*BATCHES)
    first, second, third = Scan(octets, SEED)
    damaged = flipped(octets, first.offset + 12)
    assert list(Scan(damaged, SEED)) == []
    assert find_frame(damaged, SEED, SECTOR_OCTETS) == second
    assert find_frame(octets, SEED, second.offset) == second
    assert find_frame(octets, SEED, second.offset + 1) == third
    assert find_frame(octets, SEED, third.offset + 1) is None


def test_a_frame_in_a_record_is_none() -> None:
    """A peer that knew the seed would still not hit the alignment; and it does not know the seed."""
    inner = encode_frame(SEED, 9, 9, [b"inner"])
    octets = flipped(segment_of([b"", inner]), SECTOR_OCTETS + 12)
    assert (octets.index(inner) - SECTOR_OCTETS) % ALIGNMENT == 0
    assert find_frame(octets, SEED, SECTOR_OCTETS) is not None  # so all rests on the seed
    other = encode_frame(b"\x13" + SEED[1:], 9, 9, [b"inner"])
    assert find_frame(flipped(segment_of([b"", other]), SECTOR_OCTETS + 12), SEED, SECTOR_OCTETS) is None


def test_a_header_is_read_again_and_any_flip_in_it_is_found() -> None:
    sector = HEADER.encode()
    assert len(sector) == SECTOR_OCTETS
    assert decode_header(sector + b"more") == HEADER
    for at in range(SECTOR_OCTETS):
        assert isinstance(decode_header(flipped(sector, at, at % 8)), str), at
    assert isinstance(decode_header(sector[:-1]), str)
    assert isinstance(decode_header(b""), str)


def test_a_header_of_a_later_format_says_so() -> None:
    sector = HEADER.encode()
    fields = sector[:8] + struct.pack("<I", FORMAT_VERSION + 1) + sector[12:508]
    later = fields + struct.pack("<I", zlib.crc32(fields))
    assert decode_header(later) == "written in format 4, this smppgw knows format 3"
    fields = b"not ours" + sector[8:508]
    assert decode_header(fields + struct.pack("<I", zlib.crc32(fields))) == "this is no segment of a log"


def test_a_seed_is_never_zeros() -> None:
    assert make_seed(bytes(8)) == b"\1" + bytes(7)
    assert make_seed(b"\xf0seedling")[1:] == b"seedlin"


def test_the_end_of_what_is_written_is_found() -> None:
    for start, written, end in (
        (0, 0, 600_000),
        (5, 5, 5),
        (3, 300_000, 700_000),
        (0, 262_144, 524_288),
        (1, 9, 9),
    ):
        octets = (b"\0" * (written - 1) + b"x" if written > start else b"").ljust(end, b"\0")
        assert written_end(octets, start) == max(start, written)
        assert is_zero(octets, start) == (written <= start)
