"""The same with a load and a sink that nobody here has written: only where their folder is named (`--smpp-tools`)."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import urllib.request
from pathlib import Path
from random import Random
from typing import Any, Final

from tests.cli.processes import ended, started
from tests.crash.gateways import ROOT, lasting_port
from tests.event_loop import run_test
from tests.support import until

WINDOW: Final = 100
BINDS: Final = 2
RATE: Final = 4000
"""Messages a second."""
LIFE_SECONDS: Final = (0.1, 0.9)
"""From the first message of a life to its end."""
START_SECONDS: Final = 2.0
DRAIN_SECONDS: Final = 60.0


def test_others_books_agree(tools: Path, tmp_path: Path, kill_rounds: int, seed: int) -> None:
    rng = Random(seed)
    smsc, port, admin = (lasting_port(rng) for _ in range(3))
    config = _config(tmp_path, port=port, smsc=smsc, admin=admin)
    accepted, arrived = tmp_path / "accepted.log", tmp_path / "arrived.log"
    sink = (str(tools / "smppsink"), "--port", str(smsc), "--dlr", "success", "--log", str(arrived))
    seconds = kill_rounds * (LIFE_SECONDS[1] + START_SECONDS)
    load = (
        *(str(tools / "smppblast"), "--port", str(port), "--system-id", "demo", "--password", "demo"),
        *("--binds", str(BINDS), "--window", str(WINDOW), "--rate", str(RATE), "--reconnect"),
        *("--seconds", str(seconds), "--timeout", "30", "--registered-delivery", "1", "--wait-dlr", "5"),
        *("--accept-log", str(accepted), "--json"),
    )
    gateway = (sys.executable, "-m", "tests.crash.launcher", "--config", str(config))

    async def rounds() -> dict[str, Any]:
        with started(*sink) as smppsink:
            blast = None
            for _ in range(kill_rounds):
                life = await asyncio.create_subprocess_exec(
                    *gateway, cwd=ROOT, stderr=asyncio.subprocess.DEVNULL
                )
                await until(lambda: _status(admin))
                if blast is None:
                    blast = await asyncio.create_subprocess_exec(*load, stdout=asyncio.subprocess.PIPE)
                await asyncio.sleep(rng.uniform(*LIFE_SECONDS))
                life.kill()
                assert await life.wait() == -signal.SIGKILL
            assert blast is not None
            last = await asyncio.create_subprocess_exec(*gateway, cwd=ROOT, stderr=asyncio.subprocess.DEVNULL)
            await blast.communicate()
            await until(lambda: _is_drained(admin), seconds=DRAIN_SECONDS)
            last.send_signal(signal.SIGTERM)
            assert await last.wait() == 0
            ended(smppsink, signal.SIGTERM)
        audit = await asyncio.create_subprocess_exec(
            *(sys.executable, str(tools / "smppaudit.py"), str(accepted), str(arrived)),
            stdout=asyncio.subprocess.PIPE,
        )
        verdict, _ = await audit.communicate()
        return dict(json.loads(verdict))

    verdict = run_test(rounds(), seconds=seconds + 2 * DRAIN_SECONDS)
    print(verdict)
    assert (verdict["lost"], verdict["refused_but_delivered"]) == (0, 0), f"{verdict}, seed {seed}"
    assert verdict["accepted"] > kill_rounds * WINDOW
    assert verdict["extra_copies"] <= kill_rounds * BINDS * WINDOW, f"{verdict}, seed {seed}"


def _status(admin: int) -> dict[str, Any]:
    """What /status says; empty where nobody answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{admin}/status", timeout=5) as answer:
            return dict(json.load(answer))
    except OSError:
        return {}


def _is_drained(admin: int) -> bool:
    status = _status(admin)
    return bool(status) and not (
        status["esmes"]["demo"]["queued"] or status["carriers"]["loopback"]["in_flight"]
    )


def _config(folder: Path, *, port: int, smsc: int, admin: int) -> Path:
    file = folder / "gateway.toml"
    file.write_text(
        f"""
        [gateway]
        data_dir = "data"
        [listen]
        port = {port}
        [admin]
        port = {admin}
        [[esme]]
        system_id = "demo"
        password = "demo"
        [[carrier]]
        name = "loopback"
        host = "127.0.0.1"
        port = {smsc}
        system_id = "smppgw"
        password = "loopback"
        binds = {BINDS}
        window = {WINDOW}
        reconnect_min = 0.05
        reconnect_max = 0.2
        [limits]
        registration = "off"
        [store]
        backend = "wal"
        segment_bytes = 1048576
        checkpoint_seconds = 0.2
        """,
        "utf-8",
    )
    return file
