from __future__ import annotations

import asyncio
import time

from smppgw.pump import Pump
from smppgw.session.timers import NS
from tests.support import until


class Work:
    """Counts how often it was done."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


async def test_many_kicks_in_one_turn_of_the_loop_are_one_piece_of_work() -> None:
    work = Work()
    pump = Pump(work, time.monotonic_ns)
    for _ in range(5):
        pump.kick()
    assert work.times == 0
    await asyncio.sleep(0)
    assert work.times == 1
    pump.kick()
    await asyncio.sleep(0)
    assert work.times == 2


async def test_the_earliest_moment_is_kept() -> None:
    work = Work()
    pump = Pump(work, time.monotonic_ns)
    now_ns = time.monotonic_ns()
    pump.at(now_ns + 3600 * NS)
    pump.at(now_ns + NS // 50)
    pump.at(now_ns + 1800 * NS)
    await until(lambda: work.times)
    assert time.monotonic_ns() >= now_ns + NS // 50
    assert work.times == 1


async def test_a_moment_that_is_over_is_now() -> None:
    work = Work()
    pump = Pump(work, time.monotonic_ns)
    pump.at(0)
    await until(lambda: work.times)


async def test_work_may_ask_for_more() -> None:
    pump: Pump
    done = []

    def work() -> None:
        done.append(1)
        if len(done) < 3:
            pump.kick()

    pump = Pump(work, time.monotonic_ns)
    pump.kick()
    await until(lambda: len(done) == 3)


async def test_a_closed_pump_does_nothing_more() -> None:
    work = Work()
    pump = Pump(work, time.monotonic_ns)
    pump.kick()
    pump.at(time.monotonic_ns())
    pump.close()
    pump.kick()
    pump.at(0)
    await asyncio.sleep(0.01)
    assert work.times == 0
