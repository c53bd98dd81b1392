"""Any sequence of what is done to a log, and of what happens to it, leaves what a plain dict would have."""

from __future__ import annotations

import errno
from contextlib import suppress
from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from smppgw.store.errors import StoreError
from smppgw.store.log import SPARES
from tests.store.logs import SEGMENT_OCTETS, Book, recovered
from tests.store.simulated_disk import Effect, SimulatedDisk

records = st.lists(st.binary(max_size=30) | st.integers(0, 900).map(bytes), max_size=4)
seeds = st.integers(0, 2**32)


class LogMachine(RuleBasedStateMachine):
    """One log, through its gateways' lives."""

    @initialize()
    def first_start(self) -> None:
        self.disk = SimulatedDisk()
        self.book = Book()
        self.failed = False
        self.start(1)

    def start(self, seed: int) -> None:
        self.log, found = recovered(self.disk, seed=seed)
        self.book.check(found)
        self.book.took_up(self.log)
        self.failed = False

    @precondition(lambda self: not self.failed)
    @rule(batch=records)
    def write(self, batch: list[bytes]) -> None:
        self.book.write(self.log, batch)

    @precondition(lambda self: not self.failed)
    @rule(batch=records, error=st.sampled_from((errno.EIO, errno.ENOSPC, 0)), effect=st.sampled_from(Effect))
    def fail_to_write(self, batch: list[bytes], error: int, effect: Effect) -> None:
        self.disk.fail(len(self.disk.calls) + 1, error, effect=effect)
        with pytest.raises(OSError, match="Errno"):
            self.book.write(self.log, batch)
        self.failed = True

    @precondition(lambda self: not self.failed)
    @rule(batch=records)
    def fail_to_sync(self, batch: list[bytes]) -> None:
        self.disk.fail(self.disk.count("sync") + 1, errno.EIO, kind="sync")
        with pytest.raises(OSError, match="Errno"):
            self.book.write(self.log, batch)
        self.failed = True

    @precondition(lambda self: self.failed)
    @rule(batch=records)
    def write_after_an_error(self, batch: list[bytes]) -> None:
        with pytest.raises(StoreError):
            self.log.write(batch)

    @rule()
    def build_spare(self) -> None:
        assert self.log.build_spare() == (self.log.spares < SPARES)

    @rule(further=st.integers(1, 12), error=st.sampled_from((errno.EIO, errno.ENOSPC, 0)))
    def fail_to_build_a_spare(self, further: int, error: int) -> None:
        spares = self.log.spares
        self.disk.fail(len(self.disk.calls) + further, error)
        with suppress(OSError):
            self.log.build_spare()
        self.disk.forgive()
        assert self.log.spares in (spares, spares + 1)

    @precondition(lambda self: not self.failed)
    @rule(part=st.floats(0, 1))
    def forget(self, part: float) -> None:
        lsn = self.book.forgotten + int(part * (self.book.promised - self.book.forgotten))
        self.book.forget(self.log, lsn)

    @rule(seed=seeds)
    def stop_and_start(self, seed: int) -> None:
        self.log.close()
        assert self.disk.open_files == 0
        self.start(seed)

    @rule(seed=seeds)
    def kill_and_start(self, seed: int) -> None:
        self.disk = self.disk.killed()
        self.start(seed)

    @rule(seed=seeds, kept=st.sampled_from((0.0, 0.5, 1.0)))
    def lose_power_and_start(self, seed: int, kept: float) -> None:
        self.disk = self.disk.after_power_loss(Random(seed), kept)
        self.start(seed)

    @invariant()
    def nothing_is_left_over(self) -> None:
        used = 1 + self.log.spares
        assert used * (SEGMENT_OCTETS - 512) >= self.log.room >= self.log.spares * (SEGMENT_OCTETS - 512)
        assert self.log.octets % SEGMENT_OCTETS == 0
        assert self.log.last_lsn == self.book.promised


TestLogMachine = LogMachine.TestCase
TestLogMachine.settings = settings(max_examples=200, stateful_step_count=30, deadline=None, derandomize=True)
