"""The day cap of a brand: kept to the segment by a gateway that is killed, and whose calendar goes back and forth.

What counts is what came to the carrier, and every time that it came: what a crash has sent again, too.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from tests.crash.rounds import BINDS, Rounds
from tests.event_loop import run_test
from tests.support import until

LOS_ANGELES: Final = ZoneInfo("America/Los_Angeles")
NOON: Final = datetime(2027, 3, 10, 12, tzinfo=LOS_ANGELES)
HOUR: Final = timedelta(hours=1)

CAP: Final = 2000
CHUNK: Final = CAP // 100
LONGEST: Final = 2
"""Segments of the longest message."""
OCTETS: Final = 200
"""Of the longest text; some of them are one segment."""
WINDOW: Final = 5
"""Of a carrier's bind: a kill finds no more than that in the gateway's hands, used and not yet in the kernel's."""
UNUSED: Final = CHUNK + BINDS * WINDOW * LONGEST
"""Segments that a kill may cost at most."""
MANY: Final = 3 * CAP
"""Messages of the load: more than all days of a test can take, and fewer than may be queued."""
LOOK_SECONDS: Final = 1.2
"""For more than the cap to come, were there more: longer than it takes a gateway to look after its caps twice."""
KILLS: Final = 5
"""Of the 20 rounds that the other crash tests have."""


class Days(Rounds):
    """Gateways whose numbers belong to one brand; each begins at a moment of its own."""

    def __init__(self, folder: Path, seed: int) -> None:
        store = "segment_bytes = 1048576\ncheckpoint_seconds = 0.2"
        super().__init__(folder, seed, octets=OCTETS, backend="wal", store=store, window=WINDOW)
        self.cap = CAP
        self.limits = 'registration = "required"'
        self.load.last = MANY

    def tables(self) -> str:
        """See `Gateways.tables`."""
        numbers = ", ".join(f'"1206555000{last}"' for last in range(10))
        return f"""{super().tables()}
            [[brand]]
            id = "brand"
            status = "approved"
            segments_per_day = {self.cap}
            [[campaign]]
            id = "campaign"
            brand = "brand"
            status = "approved"
            segments_per_minute = "unlimited"
            numbers = [{numbers}]
            """

    async def start_at(self, moment: datetime) -> None:
        """Start a gateway whose calendar says so."""
        await self.start("--clock-ahead", str((moment - datetime.now(LOS_ANGELES)).total_seconds()))

    async def kill_at(self, sent: int) -> None:
        """Kill the gateway as soon as so many segments have been sent, by all of them."""
        self.kill_when("sent", sent - self.sent)
        await self.ended(-signal.SIGKILL)

    async def sent_at_least(self, segments: int) -> None:
        """Wait until so many have been sent."""
        try:
            await until(lambda: self.sent >= segments)
        except TimeoutError:
            raise AssertionError(self.told(f"{self.sent} segments were sent, {segments} may be")) from None

    async def come_to(self, least: int, most: int) -> None:
        """Wait until so many have been sent at least, and a moment longer; never are there more than `most`."""
        await self.sent_at_least(least)
        await asyncio.sleep(LOOK_SECONDS)
        print(f"{self.sent} segments were sent, {least} to {most} may be")
        assert self.sent <= most, self.told(f"{self.sent} segments were sent, and {most} may be")

    @property
    def sent(self) -> int:
        """Segments that have come to the carrier."""
        return self.book.counted("sent")


@asynccontextmanager
async def days(folder: Path, seed: int) -> AsyncIterator[Days]:
    """A load and a sink that run, and no gateway yet."""
    gateways = Days(folder, seed)
    await gateways.sink.start()
    gateways.load.start()
    try:
        yield gateways
    finally:
        await gateways.end()
        await gateways.load.close()
        await gateways.sink.close()


async def test_a_kill_near_the_cap_and_a_clock_one_hour_back_win_nobody_a_segment(
    tmp_path: Path, seed: int
) -> None:
    async with days(tmp_path, seed) as gateways:
        await gateways.start_at(NOON)
        await gateways.kill_at(CAP * 9 // 10)
        await gateways.start_at(NOON - HOUR)
        await gateways.come_to(CAP - UNUSED - LONGEST + 1, CAP)


async def test_a_day_is_not_begun_again_by_a_clock_that_goes_back_over_midnight(
    tmp_path: Path, seed: int
) -> None:
    async with days(tmp_path, seed) as gateways:
        half_past_midnight = NOON.replace(hour=0, minute=30)
        await gateways.start_at(half_past_midnight)
        await gateways.kill_at(CAP // 2)
        await gateways.start_at(half_past_midnight - HOUR)
        await gateways.come_to(CAP - UNUSED - LONGEST + 1, CAP)
        await gateways.stop()
        await gateways.start_at(half_past_midnight + HOUR)
        await gateways.come_to(CAP - UNUSED - LONGEST + 1, CAP)


def test_a_cap_is_kept_however_often_the_gateway_is_killed_and_whatever_the_clock_says(
    tmp_path: Path, kill_rounds: int, seed: int
) -> None:
    kills = max(KILLS, kill_rounds // 4)

    async def test() -> None:
        async with days(tmp_path, seed) as gateways:
            rng = gateways.rng
            moment = NOON
            for sent in sorted(rng.sample(range(1, CAP - kills * UNUSED - 1), kills)):
                if sent > gateways.sent:
                    await gateways.start_at(moment)
                    await gateways.kill_at(sent)
                    moment = NOON + HOUR * rng.uniform(-24, 11.9)
            await gateways.start_at(NOON - HOUR)
            await gateways.come_to(CAP - kills * UNUSED - LONGEST + 1, CAP)

    run_test(test(), seconds=60 + 10 * kills)


async def test_a_gateway_that_is_stopped_and_started_loses_a_chunk_at_most(tmp_path: Path, seed: int) -> None:
    async with days(tmp_path, seed) as gateways:
        for part in (4, 2):
            await gateways.start_at(NOON)
            await gateways.sent_at_least(CAP // part)
            await gateways.stop()
        await gateways.start_at(NOON)
        await gateways.come_to(CAP - 2 * CHUNK - LONGEST + 1, CAP)


async def test_what_a_cap_holds_back_leaves_on_the_next_day_and_nothing_is_lost(
    tmp_path: Path, seed: int
) -> None:
    async with days(tmp_path, seed) as gateways:
        gateways.load.last = CAP  # messages, so that there are more segments than a day takes
        await gateways.start_at(NOON)
        await gateways.kill_at(CAP * 9 // 10)
        await gateways.start_at(NOON - HOUR)
        await gateways.come_to(CAP - UNUSED - LONGEST + 1, CAP)
        gateways.kill()
        await gateways.ended(-signal.SIGKILL)
        before = gateways.sent
        await gateways.start_at(NOON + 24 * HOUR)
        await gateways.settle()
        assert CAP // 4 < gateways.sent - before <= CAP


async def test_the_next_day_begins_at_midnight_of_los_angeles(tmp_path: Path, seed: int) -> None:
    async with days(tmp_path, seed) as gateways:
        midnight = (NOON + 24 * HOUR).replace(hour=0)
        ahead = midnight - timedelta(seconds=4) - datetime.now(LOS_ANGELES)
        await gateways.start("--clock-ahead", str(ahead.total_seconds()))
        sent = 0
        while datetime.now(LOS_ANGELES) + ahead < midnight:
            sent = gateways.sent  # what has come by now was sent before
            await asyncio.sleep(0.01)
        assert sent <= CAP
        await gateways.come_to(sent + CAP - LONGEST + 1, 2 * CAP)


async def test_a_cap_that_is_changed_counts_what_was_sent_before(tmp_path: Path, seed: int) -> None:
    async with days(tmp_path, seed) as gateways:
        await gateways.start_at(NOON)
        await gateways.come_to(CAP - LONGEST + 1, CAP)
        gateways.cap = CAP * 3 // 2
        await gateways.reload()
        await gateways.come_to(gateways.cap - LONGEST + 1, gateways.cap)
        sent, gateways.cap = gateways.sent, CAP
        await gateways.reload()
        await gateways.come_to(sent, sent)


async def test_a_cap_is_changed_while_messages_leave(tmp_path: Path, seed: int) -> None:
    async with days(tmp_path, seed) as gateways:
        gateways.sink.latency = 0.02  # so that it takes a while
        await gateways.start_at(NOON)
        for more, cap in ((CAP // 4, CAP * 2), (CAP // 2, CAP // 2 * 3), (CAP * 3 // 4, CAP)):
            await gateways.sent_at_least(more)
            gateways.cap = cap
            await gateways.reload()
        # What left before it took up the last cap has left; what came since then is in the carrier's windows.
        most = max(CAP, gateways.sent + BINDS * WINDOW * LONGEST)
        await gateways.come_to(CAP - LONGEST + 1, most)
