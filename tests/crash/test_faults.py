"""A disk that fails, is full, or belongs to another gateway."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Final

import pytest

from smppgw.pdu.constants import CommandStatus
from tests.crash.failpoint import REACHED
from tests.crash.gateways import ROOT, WAIT_SECONDS, lasting_port
from tests.crash.rounds import Rounds, rounds
from tests.support import until

LONG_TEXTS: Final = 2000
LONGER_TEXTS: Final = 16_000
STORE_FAILED: Final = 70
EXIT_SECONDS: Final = 1.0
"""From an error of the disk to the end of the process."""
GRACE_SECONDS: Final = 0.2
"""From the error to the loop's having heard of it."""

FAULTS: Final = (
    "EIO at write *.log 1",
    "EIO at write *.log 30",
    "EIO at sync *.log 1",
    "EIO at sync *.log 30",
    "EIO at create *.log.tmp 5",
    "EIO at write *.log.tmp 10",
    "EIO at sync *.log.tmp 5",
    "EIO at rename *.log.tmp 5",
    "EIO at sync_directory data* 8",
    "EIO at remove *.log 2",
    "ENOSPC at sync *.log 20",
)


@pytest.mark.parametrize("fault", FAULTS)
async def test_an_error_of_the_disk_is_the_end_and_loses_nothing(
    fault: str, tmp_path: Path, seed: int
) -> None:
    async with rounds(tmp_path, seed, octets=LONG_TEXTS) as gateways:
        await gateways.start("--failpoint", fault)
        watching = asyncio.create_task(_readiness(gateways))
        ended_at = await gateways.ended(STORE_FAILED)
        seen = await watching
        (failed,) = gateways.lines(REACHED)
        assert ended_at - failed["monotonic"] < EXIT_SECONDS
        said = _said_of(gateways, Path(failed["path"]).name)
        assert any("error" in line.lower() or "space" in line.lower() for line in said), gateways.told(
            "no line"
        )
        ready_after = [
            at for at, status in seen if status == 200 and at > failed["monotonic"] + GRACE_SECONDS
        ]
        assert not ready_after, "/readyz was green after the error"
        await gateways.start()
        await gateways.until("accepted", 100)
        await gateways.settle()


async def test_a_full_disk_stops_what_comes_in_until_there_is_room(tmp_path: Path, seed: int) -> None:
    full = tmp_path / "full"
    store = "segment_bytes = 8388608"
    async with rounds(tmp_path, seed, octets=LONGER_TEXTS, store=store) as gateways:
        book = gateways.book
        await gateways.start("--full-while", str(full))
        await gateways.until("accepted", 500)
        full.touch()
        await gateways.until("refused", 1)
        assert set(book.refused.values()) == {CommandStatus.ESME_RMSGQFUL}
        status, body = await gateways.get("/readyz")
        assert (status, b"full" in body) == (503, True)
        await until(lambda: book.accepted.keys() <= book.arrivals.keys() | book.rejected)
        full.unlink()
        await gateways.until("accepted", 500)
        assert (await gateways.get("/readyz"))[0] == 200
        await gateways.settle()


async def test_a_second_gateway_is_kept_out_of_the_directory(tmp_path: Path, seed: int) -> None:
    async with rounds(tmp_path, seed) as gateways:
        await gateways.start()
        await gateways.until("accepted", 10)
        text = gateways.config.read_text("utf-8")
        for port in (gateways.port, gateways.admin_port):
            text = text.replace(f"port = {port}\n", f"port = {lasting_port(gateways.rng)}\n")
        second = tmp_path / "second.toml"
        second.write_text(text, "utf-8")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "smppgw", "serve", "--config", str(second)),
            cwd=ROOT,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(WAIT_SECONDS):
            _, stderr = await process.communicate()
        assert process.returncode == 1
        (line,) = stderr.decode().splitlines()
        assert f"{gateways.data_dir} is in use by another gateway" in line
        await gateways.until("accepted", 100)
        await gateways.settle()


def _said_of(gateways: Rounds, name: str) -> list[str]:
    """The lines on stderr, but for the launcher's own, that name a file."""
    lines = gateways.log.read_text("utf-8").splitlines()
    return [line for line in lines if name in line and REACHED not in line]


async def _readiness(gateways: Rounds) -> list[tuple[float, int]]:
    """Ask /readyz over and over until the gateway has ended; return when it answered, and what."""
    seen = []
    while gateways.process is not None:
        asked_at = time.monotonic()
        try:
            status, _ = await gateways.get("/readyz")
        except OSError:
            await asyncio.sleep(0.01)
        else:
            seen.append((asked_at, status))
    return seen
