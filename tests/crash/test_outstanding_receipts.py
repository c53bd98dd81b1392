"""kill -9 while thousands of receipts are outstanding: each comes to its ESME, and hardly any twice."""

from __future__ import annotations

import asyncio
import math
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final

import pytest

from tests.crash.failpoint import REACHED
from tests.crash.outstanding import WINDOW, Outstanding, outstanding
from tests.crash.owing import ID_FORMS, RECEIPT_WINDOW, IdForm
from tests.event_loop import run_test

COUNT: Final = 3_000
"""Receipts of each test, unless `--receipts` says otherwise."""
LEARNT_FROM: Final = 100
"""Receipts that come before the kill, for the form of ids to be learnt from."""
SLOW_DISK: Final = ("--sync-delay-ms", "5")
"""What an ESME has answered is on the disk long after its next receipts could have been sent."""


@pytest.fixture
def count(receipts: int | None) -> int:
    """How many receipts are outstanding."""
    return receipts or COUNT


def run(test: Coroutine[Any, Any, None], count: int) -> None:
    """Run a test that takes long where there is much."""
    run_test(test, seconds=60 + count / 100)


async def killed(gateways: Outstanding) -> None:
    """Wait for the end that was asked for."""
    await gateways.ended(-signal.SIGKILL)


async def with_all_kept(gateways: Outstanding, count: int, *options: str) -> None:
    """Start a gateway that has every receipt, and none of them told, while its ESME is away."""
    await gateways.start(*options)
    await gateways.submit(count)
    gateways.esme.leave()
    gateways.carrier.send(math.inf)
    await gateways.until("kept", count, seconds=gateways.seconds)


@pytest.mark.parametrize("ids", ID_FORMS)
def test_receipts_find_the_messages_of_an_earlier_life(
    ids: IdForm, tmp_path: Path, count: int, seed: int
) -> None:
    async def test() -> None:
        async with outstanding(tmp_path, seed, ids=ids, tlvs=False) as gateways:
            await gateways.start()
            await gateways.submit(count)
            gateways.kill()
            await killed(gateways)
            await gateways.start()
            await gateways.settle(repeats=0)

    run(test(), count)


def test_the_form_of_ids_is_learnt_again(tmp_path: Path, count: int, seed: int) -> None:
    async def test() -> None:
        async with outstanding(tmp_path, seed, ids="hex-dec", message_id="auto") as gateways:
            await gateways.start()
            await gateways.submit(count)
            gateways.carrier.send(LEARNT_FROM)
            await gateways.until("reported", LEARNT_FROM)
            gateways.kill()
            await killed(gateways)
            await gateways.start()
            await gateways.settle(repeats=WINDOW, in_order=False)
            assert len(gateways.lines("carrier_message_id_learnt")) == 2

    run(test(), count)


def test_receipts_come_once_when_it_is_killed_while_they_come_in(
    tmp_path: Path, count: int, seed: int
) -> None:
    async def test() -> None:
        async with outstanding(tmp_path, seed) as gateways:
            await gateways.start()
            await gateways.submit(count)
            gateways.esme.leave()
            gateways.carrier.deaf_to = RECEIPT_WINDOW // 2
            gateways.carrier.send(math.inf)
            gateways.kill_when("kept", gateways.rng.randrange(1, count // 2))
            await killed(gateways)
            await gateways.start()
            gateways.kill_when("kept", gateways.rng.randrange(1, count // 2))
            await killed(gateways)
            await gateways.start()
            await gateways.until("kept", len(gateways.carrier.owed), seconds=gateways.seconds)
            gateways.esme.come_back()
            await gateways.settle(repeats=0, in_order=False)

    run(test(), count)


@pytest.mark.parametrize("disk", [(), SLOW_DISK], ids=["disk", "slow-disk"])
@pytest.mark.parametrize("binds", [1, 3])
def test_one_window_comes_twice_when_it_is_killed_while_its_esme_fetches_them(
    binds: int, disk: tuple[str, ...], tmp_path: Path, count: int, seed: int
) -> None:
    async def test() -> None:
        async with outstanding(tmp_path, seed, binds=binds) as gateways:
            await with_all_kept(gateways, count, *disk)
            gateways.esme.come_back()
            gateways.kill_when("reported", gateways.rng.randrange(1, count))
            await killed(gateways)
            await gateways.start(*disk)
            await gateways.settle(repeats=binds * WINDOW)
            assert gateways.esme.most_unanswered <= WINDOW

    run(test(), count)


@pytest.mark.parametrize("point", ["before sql COMMIT* 2", "before sql BEGIN* 3"])
def test_each_comes_when_it_is_killed_around_a_checkpoint(
    point: str, tmp_path: Path, count: int, seed: int
) -> None:
    async def test() -> None:
        async with outstanding(tmp_path, seed) as gateways:
            await gateways.start()
            await gateways.submit(count)
            gateways.kill()
            await killed(gateways)
            await gateways.start("--failpoint", f"kill {point}")
            sending = asyncio.create_task(gateways.carrier.send_at(count, count))  # for a second
            await killed(gateways)
            assert len(gateways.lines(REACHED)) == 1, gateways.told("it died of something else")
            await gateways.start()
            await sending
            await gateways.settle(repeats=WINDOW, in_order=False)

    run(test(), count)
