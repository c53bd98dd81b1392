"""The rates of numbers over a minute (`--rate-seconds`), counted by a sink that nobody here has written.

The sink tells how many have come, and how many at most within a second; it has no clock in its log, so that a tap in
front of it notes the moments.
"""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest

from smppgw import Esme
from smppgw.pdu._generated import SubmitSm
from smppgw.pdu.codec import decode
from smppgw.pdu.constants import CommandId, CommandStatus
from tests.crash.gateways import ROOT, lasting_port
from tests.crash.rates import CLASSES, FAST, PRIORITY_OTP, Paced, configuration, most_above, rate_of
from tests.event_loop import run_test
from tests.peers import client, submit_sm
from tests.support import Tap, command_id, until

WIRE_SECONDS: Final = 0.005
"""A message may come so much later than another that left before it, on a machine with other things to do."""
WITHIN: Final = 0.01
"""Of the rate that is allowed."""
PROMOTIONS: Final = 100_000
OTPS: Final = 20
OTP_NUMBERS: Final = (CLASSES[2], CLASSES[1])
"""Four and forty a second."""


class Moments(list[bytes]):
    """Frames, and when each came."""

    def __init__(self) -> None:
        super().__init__()
        self.at: list[float] = []

    def append(self, frame: bytes) -> None:
        """Note a frame."""
        self.at.append(time.monotonic())
        super().append(frame)

    def messages(self) -> Iterable[tuple[float, SubmitSm]]:
        """Each submit_sm, and when it came."""
        for moment, frame in zip(self.at, self, strict=True):
            if command_id(frame) == CommandId.SUBMIT_SM:
                pdu = decode(frame)
                assert isinstance(pdu, SubmitSm)
                yield moment, pdu


class Bench:
    """A gateway whose carrier is not there before `open`."""

    def __init__(self, tools: Path, smsc: int, port: int, seen: Moments) -> None:
        self.port = port
        self.seen = seen
        self._tools = tools
        self._smsc = smsc
        self._sink: asyncio.subprocess.Process | None = None

    async def load(self, number: Paced, count: int) -> None:
        """Submit so many messages from a number."""
        load = await asyncio.create_subprocess_exec(
            *(str(self._tools / "smppblast"), "--port", str(self.port), "--json"),
            *("--system-id", "app", "--password", "secret", "--src", number.number, "--count", str(count)),
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await load.communicate()
        assert json.loads(said)["ok"] == count, said

    async def open(self) -> None:
        """Let the carrier take messages."""
        self._sink = await asyncio.create_subprocess_exec(
            *(str(self._tools / "smppsink"), "--port", str(self._smsc), "--top", "100"),
            stdout=asyncio.subprocess.PIPE,
        )

    async def report(self) -> dict[str, dict[str, Any]]:
        """What the sink has counted, by source address; it ends."""
        assert self._sink is not None
        self._sink.send_signal(signal.SIGTERM)
        said, _ = await self._sink.communicate()
        self._sink = None
        return {each["source"]: each for each in json.loads(said)["top_sources"]}

    async def end(self) -> None:
        """End the sink, if there is one."""
        if self._sink is not None:
            self._sink.kill()
            await self._sink.wait()


@asynccontextmanager
async def bench(tools: Path, folder: Path, seed: int, numbers: Iterable[Paced]) -> AsyncIterator[Bench]:
    """A gateway and its tap."""
    rng = Random(seed)
    smsc, port, admin = (lasting_port(rng) for _ in range(3))
    seen = Moments()
    tap = Tap(smsc)
    tap.forward = seen
    made = Bench(tools, smsc, port, seen)
    async with tap:
        file = configuration(folder, numbers, smsc=tap.port, port=port, admin=admin, window=100)
        serve = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.crash.launcher", "--config", str(file)),
            cwd=ROOT,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            await until(lambda: listens(port))
            yield made
        finally:
            serve.kill()
            await serve.wait()
            await made.end()


def listens(port: int) -> bool:
    """Whether somebody is there."""
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def test_every_class_has_the_rate_it_is_allowed_and_never_more(
    tools: Path, tmp_path: Path, rate_seconds: float, seed: int
) -> None:
    numbers = (*CLASSES, FAST)

    async def test() -> None:
        async with bench(tools, tmp_path, seed, numbers) as gateway:
            for number in numbers:
                await gateway.load(number, 10 + int(1.5 * rate_seconds * number.per_second))
            await gateway.open()
            await asyncio.sleep(rate_seconds + 2 * max(number.interval for number in numbers))
            report = await gateway.report()
            moments: defaultdict[str, list[float]] = defaultdict(list)
            for moment, pdu in gateway.seen.messages():
                moments[pdu.source_addr.decode()].append(moment)
        failures = []
        print("\nclass  allowed/s  sent/s  of it  above in any window  burst  most within 1 s (sink)")
        for number in numbers:
            said = report[number.number]
            at = moments[number.number][: said["received"]]  # what came later found the sink gone
            above, rate = most_above(at, number.per_second), rate_of(at)
            print(
                f"{number.class_ or '-':5}  {number.per_second:9}  {rate:6.2f}  {rate / number.per_second:.4f}"
                f"  {above:19.2f}  {number.burst:5.2f}  {said['peak_1s']}"
            )
            most = number.burst + WIRE_SECONDS * number.per_second
            if (
                said["received"] != len(at)
                or abs(rate / number.per_second - 1) > WITHIN
                or above > most
                or said["peak_1s"] > most + number.per_second
            ):
                failures.append((number, said))
        assert not failures

    run_test(test(), seconds=2 * rate_seconds + 120)


@pytest.mark.parametrize("number", OTP_NUMBERS, ids=lambda number: number.class_)
def test_one_time_codes_leave_within_two_token_intervals(
    number: Paced, tools: Path, tmp_path: Path, seed: int
) -> None:
    async def test() -> None:
        async with bench(tools, tmp_path, seed, [number]) as gateway:
            await gateway.load(number, PROMOTIONS)
            await gateway.open()
            await until(lambda: len(gateway.seen) > number.burst + 3)
            async with client(gateway.port) as esme:
                waits = [await wait_of_otp(gateway, esme, number, nth) for nth in range(OTPS)]
        print(
            f"\nseconds that one-time codes took, {number.interval} between two tokens: {max(waits):.4f} at most"
        )
        assert max(waits) <= 2 * number.interval + WIRE_SECONDS

    run_test(test(), seconds=180)


async def wait_of_otp(gateway: Bench, esme: Esme, number: Paced, nth: int) -> float:
    """Submit a one-time code; return how many seconds later it came to the carrier."""
    text = b"code %d" % nth
    asked = time.monotonic()
    result = await esme.request(
        submit_sm(short_message=text, source_addr=number.number.encode(), priority_flag=PRIORITY_OTP)
    )
    assert result.command_status == CommandStatus.ESME_ROK
    found: list[float] = []

    def came() -> bool:
        found[:] = [moment for moment, pdu in gateway.seen.messages() if pdu.short_message == text]
        return bool(found)

    await until(came)
    return found[0] - asked
