"""What a start finds on the disk, and what it refuses: each refusal says where, why and what can be done."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from smppgw.store.errors import StoreDamaged
from smppgw.store.files import File, OsFiles
from smppgw.store.frame import SECTOR_OCTETS, Scan, SegmentHeader, decode_header, encode_frame
from smppgw.store.segments import Survey, segment_name, segment_numbers, unfinished
from tests.store.test_log import SEGMENT_OCTETS, begun, change, records_in, written

FILES = OsFiles()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Two full segments, one that is not full, and two spares."""
    log = begun(tmp_path / "log")
    for number in range(1, 8):
        log.write([b"%d" % number * 1000])
    while log.build_spare():
        pass
    log.close()
    return tmp_path / "log"


def segment(log: Path, number: int) -> Path:
    return log / segment_name(number)


def frame_offsets(path: Path) -> list[int]:
    octets = path.read_bytes()
    header = decode_header(octets)
    assert isinstance(header, SegmentHeader)
    return [span.offset for span in Scan(octets, header.seed)]


def flip(path: Path, offset: int) -> None:
    change(path, offset, bytes((path.read_bytes()[offset] ^ 1,)))


def refusal(log: Path) -> StoreDamaged:
    before = {path.name: path.read_bytes() for path in log.iterdir()}
    with pytest.raises(StoreDamaged) as caught:
        Survey(FILES, log)
    assert "store salvage --accept-loss" in str(caught.value)
    assert str(caught.value.path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_status == 70
    assert {path.name: path.read_bytes() for path in log.iterdir()} == before
    return caught.value


def test_a_log_that_is_well_is_taken_as_it_is(log: Path) -> None:
    survey = Survey(FILES, log)
    assert (survey.first_lsn, survey.last_lsn, survey.last_batch, survey.torn) == (1, 7, 7, None)
    assert [found.header.number for found in survey.segments] == [1, 2, 3, 4, 5]
    assert [found.last_lsn for found in survey.segments] == [3, 6, 7, 7, 7]
    assert [found.has_frames for found in survey.segments] == [True, True, True, False, False]


@pytest.mark.parametrize(("number", "frame"), [(1, 0), (1, 2), (2, 1), (2, 2)])
def test_damage_with_a_whole_batch_behind_it_is_refused(log: Path, number: int, frame: int) -> None:
    path = segment(log, number)
    offset = frame_offsets(path)[frame]
    flip(path, offset + 500)
    damaged = refusal(log)
    assert (damaged.path, damaged.offset) == (path, offset)
    assert "the checksum of a batch does not fit" in damaged.reason


def test_damage_names_the_batch_behind_it(log: Path) -> None:
    first, second, _ = frame_offsets(segment(log, 1))
    flip(segment(log, 1), first)
    assert f"a whole batch is behind it at octet {second}" in refusal(log).reason


def test_damage_in_the_last_segment_is_refused_where_a_whole_batch_is_behind_it(log: Path) -> None:
    written(log, [b"a"], [])
    damaged, behind = frame_offsets(segment(log, 4))
    flip(segment(log, 4), damaged + 40)
    assert f"a whole batch is behind it at octet {behind}" in refusal(log).reason


def test_the_last_batch_alone_may_be_torn(log: Path) -> None:
    path = segment(log, 3)
    (offset,) = frame_offsets(path)
    flip(path, offset + 500)
    survey = Survey(FILES, log)
    assert survey.torn is not None
    assert (survey.torn.path, survey.torn.offset) == (path, offset)
    assert survey.last_lsn == 6


def test_a_batch_after_the_last_one_closes_the_gap(log: Path) -> None:
    path = segment(log, 3)
    (offset,) = frame_offsets(path)
    written(log, [])  # also in a fresh segment
    flip(path, offset + 500)
    assert refusal(log).offset == offset


def test_garbage_behind_the_batches_of_a_sealed_segment_is_refused(log: Path) -> None:
    flip(segment(log, 1), SEGMENT_OCTETS - 1)
    assert refusal(log).path == segment(log, 1)


def test_garbage_in_two_segments_is_refused(log: Path) -> None:
    """A crash leaves one batch unfinished, not two."""
    flip(segment(log, 3), frame_offsets(segment(log, 3))[0] + 500)
    flip(segment(log, 4), SECTOR_OCTETS + 500)
    assert refusal(log).path == segment(log, 3)


def test_garbage_behind_the_last_batch_may_be_torn(log: Path) -> None:
    change(segment(log, 3), 3000, b"sector of a batch")
    survey = Survey(FILES, log)
    assert survey.torn is not None
    assert survey.torn.offset + survey.torn.octets == 3017
    assert survey.last_lsn == 7


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_damaged_header_before_batches_is_refused(log: Path, number: int) -> None:
    flip(segment(log, number), 9)
    damaged = refusal(log)
    assert (damaged.path, damaged.offset) == (segment(log, number), 0)


@pytest.mark.parametrize("number", [4, 5])
def test_a_damaged_header_of_a_spare_is_borne_and_the_spare_built_again(log: Path, number: int) -> None:
    flip(segment(log, number), 9)
    written(log, [b"more"])
    again = begun(log)
    while again.build_spare():
        pass
    for _ in range(9):
        again.write([b"x" * 3000])
    again.close()
    assert len(records_in(log)) == 17


def test_an_emptied_segment_is_no_spare(log: Path) -> None:
    segment(log, 3).write_bytes(bytes(SEGMENT_OCTETS))
    assert refusal(log).path == segment(log, 3)


def test_a_spare_that_was_emptied_is_borne_where_it_is_the_last(log: Path) -> None:
    segment(log, 5).write_bytes(bytes(SEGMENT_OCTETS))
    assert Survey(FILES, log).last_lsn == 7


@pytest.mark.parametrize("number", [2, 3])
def test_a_missing_segment_is_refused(log: Path, number: int) -> None:
    segment(log, number).unlink()
    damaged = refusal(log)
    assert (damaged.path, damaged.reason) == (segment(log, number), "this segment is missing")


def test_a_missing_batch_is_refused(log: Path) -> None:
    """The whole last frame of a sealed segment, turned to zeros."""
    offset = frame_offsets(segment(log, 1))[2]
    change(segment(log, 1), offset, bytes(SEGMENT_OCTETS - offset))
    damaged = refusal(log)
    assert damaged.path == segment(log, 2)
    assert damaged.reason == "batch 4 stands where batch 3 should"


def test_a_record_that_comes_twice_is_refused(log: Path) -> None:
    path = segment(log, 3)
    octets = path.read_bytes()
    header = decode_header(octets)
    assert isinstance(header, SegmentHeader)
    (span,) = Scan(octets, header.seed)
    change(path, span.end, encode_frame(header.seed, 8, 7, [b"seven again"]))
    damaged = refusal(log)
    assert (damaged.offset, damaged.reason) == (span.end, "record 7 comes behind 7")


def test_a_segment_under_another_name_is_refused(log: Path) -> None:
    shutil.copy(segment(log, 1), segment(log, 2))
    assert refusal(log).reason == "its header is that of segment 1"


def test_a_segment_of_another_log_is_refused(log: Path, tmp_path: Path) -> None:
    written(tmp_path / "other", *([b"x" * 3000] for _ in range(3)))
    shutil.copy(segment(tmp_path / "other", 2), segment(log, 2))
    assert refusal(log).reason == "it belongs to another log"


@pytest.mark.parametrize("octets", [100, SECTOR_OCTETS, SEGMENT_OCTETS - 1])
def test_a_segment_cut_short_is_refused(log: Path, octets: int) -> None:
    with segment(log, 1).open("r+b") as file:
        file.truncate(octets)
    assert refusal(log).offset == octets


def test_a_segment_that_the_disk_cannot_read_is_refused(log: Path) -> None:
    class Bad(OsFiles):
        def open(self, path: Path, *, write: bool) -> File:
            file = super().open(path, write=write)
            if path == segment(log, 2):
                file.read = _fail_to_read  # type: ignore[method-assign]
            return file

    with pytest.raises(
        StoreDamaged, match=r"00000002\.log is damaged at octet 0: it cannot be read \(Input/output"
    ):
        Survey(Bad(), log)


def _fail_to_read(count: int, offset: int) -> bytes:
    raise OSError(5, "Input/output error")


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch])
def test_what_is_not_the_log_s_is_left_alone(log: Path, make: Callable[[Path], None]) -> None:
    for name in ("1.log", "0000000x.log", "notes.txt", "00000009.log.old", "ledger.db", "salvaged-001"):
        make(log / name)
    assert Survey(FILES, log).last_lsn == 7


def test_names_are_told_apart() -> None:
    assert segment_name(7) == "00000007.log"
    assert segment_numbers(["00000010.log", "00000009.log", "123456789.log", "٠٠٠٠٠٠٠٧.log"]) == [
        9,
        10,
        123456789,
    ]
    names = [
        "00000001.log",
        "00000002.log.tmp",
        "torn-00000001-512.bin",
        "torn-00000001-512.bin.tmp",
        "x.tmp",
    ]
    assert unfinished(names) == ["00000002.log.tmp", "torn-00000001-512.bin.tmp"]
