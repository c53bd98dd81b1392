"""kill -9 under load: nothing that was answered is lost, and hardly anything comes twice."""

from __future__ import annotations

import signal
from pathlib import Path
from random import Random
from typing import Final

from tests.crash.book import Event
from tests.crash.rounds import rounds
from tests.event_loop import run_test

ROUND_SECONDS: Final = 10.0
"""How long a round may take on a machine with much else to do; it needs less than one."""
LATENCIES: Final = (0.0, 0.002, 0.01)
"""Seconds that the carrier takes to answer: the slower, the more is in flight when the gateway dies."""
MOMENTS: Final[dict[Event, int]] = {
    "bound": 2,
    "accepted": 3000,
    "arrived": 2500,
    "kept": 2000,
    "reported": 2000,
    "replied": 100,
}
"""What a round ends with, and how many of it at the most."""
BACKLOG: Final = 20_000


def a_moment(rng: Random) -> tuple[Event, int]:
    """When to kill: soon after the start as often as late."""
    event = rng.choice(list(MOMENTS))
    return event, round(MOMENTS[event] ** rng.random())


def test_nothing_that_was_answered_is_lost_whenever_the_gateway_is_killed(
    tmp_path: Path, kill_rounds: int, seed: int
) -> None:
    async def test() -> None:
        async with rounds(tmp_path, seed) as gateways:
            for _ in range(kill_rounds):
                gateways.sink.latency = gateways.rng.choice(LATENCIES)
                await gateways.start()
                gateways.kill_when(*a_moment(gateways.rng))
                await gateways.ended(-signal.SIGKILL)
            await gateways.start()
            await gateways.settle()
            print(gateways.book.summary())

    run_test(test(), seconds=60 + kill_rounds * ROUND_SECONDS)


async def test_a_backlog_outlives_the_gateway_and_leaves_once(tmp_path: Path, seed: int) -> None:
    async with rounds(tmp_path, seed) as gateways:
        gateways.sink.away = True
        await gateways.start()
        gateways.kill_when("accepted", BACKLOG)
        await gateways.ended(-signal.SIGKILL)
        await gateways.start()
        await gateways.until("accepted", 100)
        gateways.sink.away = False
        await gateways.settle()
        assert all(len(lives) == 1 for lives in gateways.book.arrivals.values())


async def test_receipts_outlive_the_gateway_while_their_esme_is_away(tmp_path: Path, seed: int) -> None:
    async with rounds(tmp_path, seed) as gateways:
        gateways.sink.latency = LATENCIES[-1]
        await gateways.start()
        await gateways.until("accepted", 3000)
        gateways.load.leave()
        gateways.kill_when("kept", 500)
        await gateways.ended(-signal.SIGKILL)
        await gateways.start()
        gateways.kill_when("kept", 500)
        await gateways.ended(-signal.SIGKILL)
        await gateways.start()
        await gateways.until("kept", 500)
        gateways.load.come_back()
        await gateways.settle()
