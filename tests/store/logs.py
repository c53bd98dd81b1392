"""Logs on a simulated disk, small enough to be broken in thousands of ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Final

from smppgw.store.log import Log
from tests.store.simulated_disk import SimulatedDisk

PLACE = Path("/data/log")
SEGMENT_OCTETS = 4096
MORE_RECORDS: Final[Sequence[Sequence[bytes]]] = ([b"after the crash"], [], [b"", b"and more" * 40])


def log_on(disk: SimulatedDisk, *, segment_octets: int = SEGMENT_OCTETS, seed: int = 1) -> Log:
    return Log(disk, PLACE, segment_octets=segment_octets, random=Random(seed).randbytes)


def read(disk: SimulatedDisk) -> dict[int, bytes]:
    """What a log holds, by lsn, read as a running gateway's is; changes nothing."""
    log = log_on(disk)
    log.scan()
    return records_of(log)


def records_of(log: Log) -> dict[int, bytes]:
    """The records of a log that was scanned. They stand in order, without a gap, from the first lsn to the last."""
    found: dict[int, bytes] = {}
    batch = 0
    for frame in log.frames(0):
        assert frame.batch > batch, "batches in order"
        batch = frame.batch
        for lsn, record in enumerate(frame.records, frame.first_lsn):
            assert not found or lsn == max(found) + 1, "no gap"
            found[lsn] = record
    assert list(found) == list(range(log.first_lsn, log.last_lsn + 1))
    return found


def recovered(disk: SimulatedDisk, *, seed: int = 2, **settings: int) -> tuple[Log, dict[int, bytes]]:
    """Start as a gateway does: the log, ready to write, and what an earlier run has left in it."""
    log = log_on(disk, seed=seed, **settings)
    log.lock()
    log.scan()
    found = records_of(log)
    log.begin()
    return log, found


class Book:
    """What a log was asked to keep, and what it has promised."""

    def __init__(self, promised: Mapping[int, bytes] | None = None) -> None:
        self.attempted: dict[int, bytes] = dict(promised or {})
        """By lsn, with those of the frame that is being written."""
        self.promised = max(self.attempted, default=0)
        """The lsn up to which `write` has returned."""
        self.forgotten = 0

    def write(self, log: Log, records: Sequence[bytes]) -> None:
        """Write a frame, and keep books."""
        self.attempted = {lsn: record for lsn, record in self.attempted.items() if lsn <= self.promised}
        first = log.next_lsn
        assert first == self.promised + 1
        self.attempted |= dict(enumerate(records, first))
        log.write(records)
        self.promised += len(records)
        assert log.last_lsn == self.promised

    def forget(self, log: Log, lsn: int) -> None:
        """Let go of what is not above `lsn`."""
        self.forgotten = max(lsn, self.forgotten)
        log.forget(lsn)

    def check(self, found: dict[int, bytes]) -> None:
        """All that was promised and not forgotten is there; the frame being written whole or not at all; no more."""
        for lsn, record in found.items():
            assert self.attempted.get(lsn) == record, f"record {lsn} was never written"
        missing = set(range(self.forgotten + 1, self.promised + 1)) - found.keys()
        assert not missing, f"lost: {sorted(missing)}"
        assert max(found, default=self.promised) in (self.promised, max(self.attempted, default=0)), (
            "half a frame"
        )

    def took_up(self, log: Log) -> None:
        """What a start has found is as good as promised from then on."""
        self.promised = log.last_lsn
        self.attempted = {lsn: record for lsn, record in self.attempted.items() if lsn <= self.promised}

    def copy(self) -> Book:
        """An independent one."""
        book = Book(self.attempted)
        book.promised = self.promised
        book.forgotten = self.forgotten
        return book


def check_survivor(clone: SimulatedDisk, book: Book, random: Random) -> None:
    """A disk after a power loss: all is there, more can be written, and is there after the next power loss."""
    log, found = recovered(clone, seed=random.getrandbits(32))
    book.check(found)
    book.took_up(log)
    for records in MORE_RECORDS:
        book.write(log, records)
    again, found_again = recovered(clone.after_power_loss(random, 0), seed=random.getrandbits(32))
    book.check(found_again)
    assert found_again.items() >= found.items()
    assert again.torn is None, "a frame that was promised is no torn tail"
