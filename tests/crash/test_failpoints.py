"""kill -9 at every step of what the store does to its disk: before it, and after it."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Final

import pytest

from tests.crash.failpoint import REACHED
from tests.crash.rounds import rounds

LONG_TEXTS: Final = 2000
"""Octets: a segment of the log is full after some hundred messages."""

RUNNING: Final = (
    "kill before write *.log 1",
    "kill after write *.log 1",
    "kill before sync *.log 1",
    "kill after sync *.log 1",
    "kill before write *.log 40",
    "kill after write *.log 41",
    "kill before sync *.log 42",
    "kill after sync *.log 43",
    "kill before create *.log.tmp 1",
    "kill after create *.log.tmp 1",
    "kill after write *.log.tmp 1",
    "kill before sync *.log.tmp 1",
    "kill before rename *.log.tmp 1",
    "kill after rename *.log.tmp 1",
    "kill after sync_directory * 2",
    "kill before create *.log.tmp 5",
    "kill after write *.log.tmp 6",
    "kill after sync *.log.tmp 5",
    "kill before rename *.log.tmp 5",
    "kill after rename *.log.tmp 5",
    "kill before remove *.log 1",
    "kill after remove *.log 1",
    "kill before remove *.log 3",
    "kill after remove *.log 3",
    "kill before sql BEGIN* 1",
    "kill before sql COMMIT* 1",
    "kill before sql COMMIT* 2",
    "kill before sql INSERT_INTO_history* 2",
    "kill before sql DELETE* 2",
    "kill before sql BEGIN* 4",
    "kill before sql PRAGMA_wal_checkpoint* 2",
)
"""While a gateway runs on a directory that was empty."""

STARTING: Final = (
    "kill after lock lock 1",
    "kill before open *.log 1",
    "kill after read *.log 2",
    "kill before sql BEGIN* 1",
    "kill before sql COMMIT* 1",
    "kill before write *.log 1",
    "kill after write *.log 1",
    "kill before sync *.log 1",
    "kill after sync *.log 1",
    "kill before create *.log.tmp 1",
    "kill before rename *.log.tmp 1",
    "kill after rename *.log.tmp 1",
    "kill before sync_directory * 1",
)
"""While one starts on what another has left that was killed."""


@pytest.mark.parametrize("failpoint", RUNNING)
async def test_nothing_is_lost_by_a_kill_there(failpoint: str, tmp_path: Path, seed: int) -> None:
    async with rounds(tmp_path, seed, octets=LONG_TEXTS) as gateways:
        gateways.sink.latency = 0.002
        await gateways.start("--failpoint", failpoint)
        await gateways.ended(-signal.SIGKILL)
        assert len(gateways.lines(REACHED)) == 1, gateways.told("it died of something else")
        await gateways.start()
        await gateways.until("accepted", 100)
        await gateways.settle()


@pytest.mark.parametrize("failpoint", STARTING)
async def test_nothing_is_lost_by_a_kill_there_while_it_recovers(
    failpoint: str, tmp_path: Path, seed: int
) -> None:
    async with rounds(tmp_path, seed, octets=LONG_TEXTS) as gateways:
        gateways.sink.latency = 0.002
        await gateways.start()
        gateways.kill_when("accepted", gateways.rng.randrange(600, 1200))
        await gateways.ended(-signal.SIGKILL)
        for _ in range(2):
            await gateways.start("--failpoint", failpoint)
            await gateways.ended(-signal.SIGKILL)
        assert len(gateways.lines(REACHED)) == 2, gateways.told("it died of something else")
        await gateways.start()
        await gateways.until("accepted", 100)
        await gateways.settle()
