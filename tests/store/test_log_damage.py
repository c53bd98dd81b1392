"""A damaged log is refused, or has lost nothing that was promised; no error of the disk is taken for a promise."""

from __future__ import annotations

import errno
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import NamedTuple, TypeAlias

import pytest

from smppgw.store.errors import StoreDamaged, StoreError, StoreInUse
from smppgw.store.frame import SECTOR_OCTETS
from smppgw.store.log import Log
from smppgw.store.segments import segment_name
from tests.store.logs import PLACE, Book, check_survivor, log_on, read, recovered
from tests.store.simulated_disk import Effect, SimulatedDisk

SMALL_OCTETS = 1536
"""Of a segment: so small that a log can be cut at each of its octets."""
FIRST, SECOND, THIRD = (PLACE / segment_name(number) for number in (1, 2, 3))

Contents: TypeAlias = "dict[Path, bytes | None]"
"""Of some files; None for one that is not there."""


class Written(NamedTuple):
    """A frame, where it is, and the lsn of the last record when it was written."""

    path: Path
    offset: int
    end: int
    last_lsn: int


class Sample:
    """A healthy log of a run that has ended: two segments with frames, and the spares behind them."""

    def __init__(self, segment_octets: int, *, marker: bool) -> None:
        self.disk = SimulatedDisk()
        log, _ = recovered(self.disk, segment_octets=segment_octets)
        while log.build_spare():
            pass
        self.frames: list[Written] = []
        random = Random(3)
        while not self.frames or self.frames[-1].path == FIRST or self.frames[-1].end < segment_octets - 200:
            self._write(log, [random.randbytes(random.randint(1, 60)) for _ in range(random.randint(1, 3))])
        if marker:
            self._write(log, [])
        log.close()
        self.records = read(self.disk)
        self.segments = [PLACE / name for name in self.disk.names(PLACE) if name.endswith(".log")]

    def _write(self, log: Log, records: list[bytes]) -> None:
        log.write(records)
        call = next(call for call in reversed(self.disk.calls) if call.kind == "write")
        path = call.path.with_suffix("") if call.path.suffix == ".tmp" else call.path
        self.frames.append(Written(path, call.offset, call.offset + call.octets, log.last_lsn))

    def changed(self, files: Contents) -> SimulatedDisk:
        """A copy with some files replaced, or taken away."""
        disk = self.disk.killed()
        for path, octets in files.items():
            if octets is None:
                disk.remove(path)
            else:
                disk.put(path, octets)
        return disk

    def promise(self, disk: SimulatedDisk) -> tuple[dict[int, bytes], bool]:
        """The records up to the first frame that is not as it was; and whether a frame behind that one is."""
        names = disk.names(PLACE)
        files = {path: disk.octets_of(path) for path in (FIRST, SECOND) if path.name in names}
        intact = [
            files.get(frame.path, b"")[:SECTOR_OCTETS] == self.disk.octets_of(frame.path)[:SECTOR_OCTETS]
            and files[frame.path][frame.offset : frame.end]
            == self.disk.octets_of(frame.path)[frame.offset : frame.end]
            for frame in self.frames
        ]
        first = intact.index(False) if False in intact else len(intact)
        last_lsn = self.frames[first - 1].last_lsn if first else 0
        return {lsn: record for lsn, record in self.records.items() if lsn <= last_lsn}, any(intact[first:])


def read_or_damage(disk: SimulatedDisk) -> dict[int, bytes] | StoreDamaged:
    try:
        return read(disk)
    except StoreDamaged as damage:
        return damage


def zeros_behind(sample: Sample, path: Path, cut: int) -> Contents:
    octets = sample.disk.octets_of(path)
    return {path: octets[:cut].ljust(len(octets), b"\0")}


def zeros_to_the_end(sample: Sample, path: Path, cut: int) -> Contents:
    behind = {other: bytes(SMALL_OCTETS) for other in sample.segments if other > path}
    return {**zeros_behind(sample, path, cut), **behind}


def shorter(sample: Sample, path: Path, cut: int) -> Contents:
    return {path: sample.disk.octets_of(path)[:cut]}


def shorter_and_the_last(sample: Sample, path: Path, cut: int) -> Contents:
    return {
        **shorter(sample, path, cut),
        **{other: None for other in sample.segments if other > path},
    }


Cut = Callable[[Sample, Path, int], Contents]


@pytest.mark.parametrize("cut", [zeros_behind, zeros_to_the_end])
def test_zeros_from_any_octet_on_leave_the_frames_before_or_are_refused(cut: Cut) -> None:
    sample = Sample(SMALL_OCTETS, marker=False)
    refused = 0
    for path in (FIRST, SECOND):
        for at in range(SMALL_OCTETS + 1):
            disk = sample.changed(cut(sample, path, at))
            promise, goes_on = sample.promise(disk)
            if (cut, path, at) == (zeros_behind, FIRST, SECTOR_OCTETS):
                continue  # as if it had been forgotten: the next test
            if goes_on or (cut, at) == (
                zeros_behind,
                0,
            ):  # a segment with nothing, before one that was built later
                with pytest.raises(StoreDamaged):
                    read(disk)
                refused += 1
            else:
                assert read(disk) == promise, f"{path.name} cut at {at}"
                if at % 50 == 0:
                    check_survivor(disk, Book(promise), Random(at))
    assert bool(refused) == (cut is zeros_behind)


def test_a_log_without_its_beginning_says_where_it_begins() -> None:
    """What came before may have been forgotten; whoever remembers from where on it is needed has to compare."""
    sample = Sample(SMALL_OCTETS, marker=False)
    last_of_first = max(frame.last_lsn for frame in sample.frames if frame.path == FIRST)
    gone: Contents = {FIRST: None}
    for change in (zeros_behind(sample, FIRST, SECTOR_OCTETS), gone):
        log = log_on(sample.changed(change))
        log.scan()
        assert log.first_lsn == last_of_first + 1


@pytest.mark.parametrize("cut", [shorter, shorter_and_the_last])
def test_a_segment_that_is_too_short_is_refused(cut: Cut) -> None:
    sample = Sample(SMALL_OCTETS, marker=False)
    for path in (FIRST, SECOND):
        for at in range(SMALL_OCTETS):
            with pytest.raises(StoreDamaged) as refused:
                read(sample.changed(cut(sample, path, at)))
            assert refused.value.path == path
    assert read(sample.changed(shorter(sample, SECOND, SMALL_OCTETS))) == sample.records


@pytest.mark.parametrize("marker", [True, False])
def test_a_flipped_bit_is_found_or_has_cost_nothing(marker: bool) -> None:
    """Nothing behind the last frame says whether it was promised: that is what a marker is written for."""
    sample = Sample(4096, marker=marker)
    *_, before, last = sample.frames
    found, torn, harmless = 0, 0, 0
    for path in (FIRST, SECOND, THIRD):
        octets = sample.disk.octets_of(path)
        for at in range(0, len(octets), 7):
            flipped = bytearray(octets)
            flipped[at] ^= 1 << at % 8
            disk = sample.changed({path: bytes(flipped)})
            in_frames = path < last.path or (path == last.path and at < last.end)
            records = read_or_damage(disk)
            if isinstance(records, StoreDamaged):
                assert records.path == path
                assert records.offset <= at
                assert in_frames, "what nobody has written to may be refused, but is not"
                found += 1
                continue
            if records == sample.records:
                assert path > last.path or (path == last.path and at >= last.offset)
                harmless += 1
            else:
                assert not marker
                assert (path, last.offset <= at < last.end) == (last.path, True)
                assert max(records) == before.last_lsn
                torn += 1
            if harmless % 100 == 0:
                check_survivor(disk, Book(records), Random(at))
    assert found > 1000
    assert bool(torn) == (not marker)


def test_a_healthy_log_is_never_refused() -> None:
    for marker in (True, False):
        sample = Sample(SMALL_OCTETS, marker=marker)
        log, records = recovered(sample.changed({}), segment_octets=SMALL_OCTETS)
        assert records == sample.records
        assert log.torn is None


def swapped(sample: Sample) -> Contents:
    return {FIRST: sample.disk.octets_of(SECOND), SECOND: sample.disk.octets_of(FIRST)}


def damaged_twice(sample: Sample) -> Contents:
    """Each by itself could be of a batch that was never finished; but there was never more than one."""
    last = sample.frames[-1]
    second, third = bytearray(sample.disk.octets_of(SECOND)), bytearray(sample.disk.octets_of(THIRD))
    second[last.end - 1] ^= 1
    third[SECTOR_OCTETS] = 1
    return {SECOND: bytes(second), THIRD: bytes(third)}


def of_another_log(sample: Sample) -> Contents:
    disk = SimulatedDisk()
    log, _ = recovered(disk, segment_octets=SMALL_OCTETS, seed=99)
    log.write([b"of somebody else"])
    while log.build_spare():
        pass
    return {SECOND: disk.octets_of(SECOND)}


@pytest.mark.parametrize(
    ("change", "named", "reason"),
    [
        (
            lambda sample: {FIRST: None, SECOND: None, THIRD: sample.disk.octets_of(SECOND)},
            THIRD,
            "segment 2",
        ),
        (lambda sample: {SECOND: None}, SECOND, "missing"),
        (of_another_log, SECOND, "another log"),
        (swapped, FIRST, "segment 2"),
        (damaged_twice, SECOND, "checksum"),
        (lambda sample: {SECOND: sample.disk.octets_of(FIRST)}, SECOND, "segment 1"),
        (lambda sample: {THIRD: Random(1).randbytes(SMALL_OCTETS)}, THIRD, "checksum"),
        (lambda sample: {FIRST: Random(1).randbytes(SMALL_OCTETS)}, FIRST, "checksum"),
        (lambda sample: {SECOND: b""}, SECOND, "header"),
        (lambda sample: {FIRST: sample.disk.octets_of(FIRST) + b"\0"}, FIRST, "size"),
    ],
)
def test_what_is_not_the_log_s_is_refused_by_name(
    change: Callable[[Sample], Contents], named: Path, reason: str
) -> None:
    sample = Sample(SMALL_OCTETS, marker=True)
    with pytest.raises(StoreDamaged, match=reason) as refused:
        read(sample.changed(change(sample)))
    assert refused.value.path == named
    assert str(named) in str(refused.value)
    assert "smppgw store salvage --accept-loss" in str(refused.value)


def test_a_second_gateway_is_kept_out() -> None:
    disk = SimulatedDisk()
    log, _ = recovered(disk)
    with pytest.raises(StoreInUse, match=str(PLACE)):
        log_on(disk).lock()
    log.close()
    recovered(disk)


def a_life(disk: SimulatedDisk, book: Book) -> str:
    """A gateway's, up to the first error; returns what it was doing then."""
    log = log_on(disk, seed=11)
    doing = "start"
    try:
        log.lock()
        log.scan()
        book.check(
            {
                lsn: record
                for frame in log.frames(0)
                for lsn, record in enumerate(frame.records, frame.first_lsn)
            }
        )
        log.begin()
        book.took_up(log)
        random = Random(12)
        for step in range(30):
            doing = "write"
            book.write(log, [random.randbytes(random.randint(1, 400)) for _ in range(3)])
            if step % 5 == 1:
                with suppress(OSError):  # not the end: there are spares, and it may be tried again
                    log.build_spare()
            if step % 10 == 9:
                doing = "forget"
                book.forget(log, book.promised - 20)
        doing = "close"
        log.close()
    except StoreDamaged as damage:  # it may be so in truth, as far as this start knows
        doing = f"{doing}: {damage.reason}"
    except OSError:
        if doing in ("write", "forget"):
            for _ in range(2):
                with pytest.raises(StoreError):
                    log.write([b"never promised"])
    with suppress(OSError):
        log.close()
    return doing


@pytest.mark.parametrize(
    ("error", "effect"),
    [
        (errno.EIO, Effect.NOTHING),
        (errno.EIO, Effect.ALL),
        (errno.ENOSPC, Effect.NOTHING),
        (errno.ENOSPC, Effect.HALF),
        (0, Effect.HALF),
    ],
    ids=["EIO", "EIO, but done", "ENOSPC", "ENOSPC, half done", "short write"],
)
def test_after_an_error_of_any_call_nothing_is_promised_and_all_that_was_is_kept(
    error: int, effect: Effect
) -> None:
    sample = Sample(4096, marker=False)
    octets = bytearray(sample.disk.octets_of(SECOND))
    octets[sample.frames[-1].end - 50] ^= 1
    start = sample.changed({SECOND: bytes(octets)})
    promised = sample.promise(start)[0]
    random = Random(13)
    ended = set()
    calls = 0
    while calls < 400:
        calls += 1
        disk = start.killed()
        disk.fail(calls, error, effect=effect)
        book = Book(promised)
        ended.add(a_life(disk, book))
        if len(disk.calls) < calls:
            break
        for clone in (disk.killed(), *disk.crash_clones(random, 3)):
            check_survivor(clone, book.copy(), random)
    assert 50 < calls < 400
    assert ended - {"start: it cannot be read (Input/output error)"} == {"start", "write", "forget", "close"}
