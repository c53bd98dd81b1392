"""The rates of numbers and campaigns on real time: never above them, and what is urgent first.

The carrier's window is 1: the gateway sends a message only after the one before was answered, so that what has come
between two moments at the carrier was also sent between them, however busy this machine is. That rates are reached is
for `test_neutral_rates` to show, over a minute and with a sink that nobody here has written.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from smppgw import Esme, Smsc, config
from smppgw.library.bound import BoundEsme
from smppgw.pdu._generated import SubmitSm
from smppgw.pdu.constants import CommandStatus
from tests.crash.rates import CLASSES, FAST, PRIORITY_OTP, Paced, configuration, most_above
from tests.peers import client, submit_sm
from tests.support import running, until

SECONDS: Final = 2.0
"""As long as that, a backlog is looked at."""
BACKLOG: Final = 2000
OTP_BACKLOG: Final = 1000
OTPS: Final = 5
QUICK: Final = Paced("12065550107", 20)


class Till:
    """A carrier that notes what came, and when, before it answers."""

    def __init__(self) -> None:
        self.moments: defaultdict[str, list[float]] = defaultdict(list)
        """By number."""
        self.texts: list[bytes] = []

    def __call__(self, _: BoundEsme, pdu: SubmitSm) -> str:
        self.moments[pdu.source_addr.decode()].append(time.monotonic())
        self.texts.append(pdu.short_message)
        return str(len(self.texts))


@asynccontextmanager
async def sending(folder: Path, *numbers: Paced) -> AsyncIterator[tuple[Till, Esme]]:
    """A carrier, and an ESME of the gateway in front of it."""
    till = Till()
    async with (
        Smsc(port=0, on_submit=till) as smsc,
        running(config.load(configuration(folder, numbers, smsc=smsc.port, window=1))) as gateway,
        client(gateway.server.port) as esme,
    ):
        yield till, esme


async def submit(esme: Esme, number: Paced, *texts: bytes, **fields: int) -> None:
    """Submit so many messages from a number."""
    pdus = (
        submit_sm(
            short_message=text,
            source_addr=number.number.encode(),
            source_addr_ton=1,
            registered_delivery=0,
            **fields,
        )
        for text in texts
    )
    async for result in esme.submit_many(pdus):
        assert result.command_status == CommandStatus.ESME_ROK


@pytest.mark.parametrize("number", [*CLASSES, FAST], ids=lambda number: number.class_ or "500")
def test_the_table_of_tiers_says_what_is_tested_here(number: Paced, tmp_path: Path) -> None:
    settings = config.load(configuration(tmp_path, [number], smsc=1, window=1))
    assert settings.tiers is not None
    rates = {rate.name: rate.segments_per_minute for rate in settings.tiers.classes}
    assert not number.class_ or rates[settings.campaigns[0].class_] == number.per_second * 60


async def test_no_number_is_ever_above_the_rate_of_its_class(tmp_path: Path) -> None:
    numbers = (*CLASSES, FAST)
    async with sending(tmp_path, *numbers) as (till, esme):
        backlog = [b"%d" % number for number in range(BACKLOG)]
        await asyncio.gather(*(submit(esme, number, *backlog) for number in numbers))
        await asyncio.sleep(SECONDS)
        await until(lambda: all(till.moments[number.number] for number in numbers))
        for number in numbers:
            above = most_above(till.moments[number.number], number.per_second)
            assert above <= number.burst, number


async def test_one_time_codes_leave_with_the_next_tokens(tmp_path: Path) -> None:
    async with sending(tmp_path, QUICK) as (till, esme):
        await submit(esme, QUICK, *(b"promotion %d" % number for number in range(OTP_BACKLOG)))
        for number in range(OTPS):
            code = b"code %d" % number
            before = len(till.texts)
            await submit(esme, QUICK, code, priority_flag=PRIORITY_OTP)
            await until(lambda code=code: code in till.texts)  # type: ignore[misc]
            # One that left before it was taken in; the one whose token had come, and was on its way.
            assert till.texts.index(code) - before <= 2
        assert most_above(till.moments[QUICK.number], QUICK.per_second) <= QUICK.burst
