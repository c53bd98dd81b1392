"""A disk that takes its time to sync: answers wait for it, and nothing is lost by a kill."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.crash.rounds import rounds

KILLS = 3


@pytest.mark.parametrize("milliseconds", [2, 5])
async def test_answers_wait_for_a_slow_disk(milliseconds: int, tmp_path: Path, seed: int) -> None:
    slowly = ("--sync-delay-ms", str(milliseconds))
    async with rounds(tmp_path, seed) as gateways:
        for _ in range(KILLS):
            await gateways.start(*slowly)
            gateways.kill_when("accepted", gateways.rng.randrange(1, 1500))
            await gateways.ended(-signal.SIGKILL)
        await gateways.start(*slowly)
        await gateways.until("kept", 500)
        await gateways.settle()
        assert gateways.load.quickest > milliseconds / 1000
        assert gateways.sink.quickest > milliseconds / 1000
