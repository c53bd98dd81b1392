"""One data directory, and the gateways that live and die on it, one after the other."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any, Final

from tests.crash.book import Book, Event
from tests.support import until

ROOT: Final = Path(__file__).parents[2]
WAIT_SECONDS: Final = 20.0
"""How long any one thing may take on a machine with much else to do."""
LASTING_PORTS: Final = (15_000, 32_000)
"""Below those that operating systems give to connections."""

_SAMPLE: Final = re.compile(r"^(\w+)(?:\{[^}]*\})? (\S+)$", re.MULTILINE)


class Gateways:
    """Start a gateway, end it in some way, again and again."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.seed = seed
        self.rng = Random(seed)
        self.folder = folder
        self.book = Book()
        self.port, self.admin_port = lasting_port(self.rng), lasting_port(self.rng)
        self.process: asyncio.subprocess.Process | None = None

    def tables(self) -> str:
        """The configuration, but for `[gateway]`, `[listen]` and `[admin]`."""
        raise NotImplementedError

    # ---- the gateway ----------------------------------------------------------------------------------------

    async def start(self, *options: str) -> None:
        """Start a gateway with these options of the launcher; the one before has ended."""
        assert self.process is None
        self.book.life += 1
        command = [sys.executable, "-m", "tests.crash.launcher", "--config", str(self._configure()), *options]
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *command, cwd=ROOT, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log
            )

    async def reload(self) -> None:
        """Have the gateway take up what `tables` says now; return when it has."""
        assert self.process is not None
        before = len(self.lines("reloaded"))
        self._configure()
        self.process.send_signal(signal.SIGHUP)
        await until(lambda: len(self.lines("reloaded")) > before)

    async def ended(self, expected: int) -> float:
        """Wait for the gateway's end with this exit status (minus a signal); return when it was, in seconds."""
        assert self.process is not None
        async with asyncio.timeout(WAIT_SECONDS):
            status = await self.process.wait()
        now = time.monotonic()
        self.process = None
        self.book.forget()
        assert status == expected, self.told(f"the gateway ended with {status}, not with {expected}")
        return now

    async def stop(self) -> None:
        """Have the gateway drain, and end."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        await self.ended(0)

    async def end(self) -> None:
        """End whatever still runs, one way or the other."""
        if self.process is not None and self.process.returncode is None:
            self.kill()
            await self.process.wait()

    def kill_when(self, event: Event, more: int) -> None:
        """Kill the gateway at once when something has happened so many times more."""
        self.book.when(event, more, self.kill)

    def kill(self) -> None:
        """Kill the gateway that runs now."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGKILL)

    async def until(self, event: Event, more: int, *, seconds: float = WAIT_SECONDS) -> None:
        """Wait until something has happened so many times more; the gateway is to live until then."""
        happened = asyncio.Event()
        self.book.when(event, more, happened.set)
        assert self.process is not None
        ended = asyncio.ensure_future(self.process.wait())
        waiting = asyncio.ensure_future(happened.wait())
        await asyncio.wait((ended, waiting), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in (ended, waiting):
            task.cancel()
        assert happened.is_set(), self.told(f"{event} has not happened {more} times")

    async def get(self, path: str) -> tuple[int, bytes]:
        """Ask the gateway's admin endpoint; return the HTTP status and the body. Raises: OSError."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.admin_port)
        try:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        finally:
            writer.transport.abort()
        if not head:
            raise ConnectionResetError("no answer")
        return int(head.split()[1]), body

    def lines(self, event: str) -> list[dict[str, Any]]:
        """What all gateways have written to stderr under the name of an event."""
        return [
            line
            for line in map(_json, self.log.read_text("utf-8").splitlines())
            if line.get("event") == event
        ]

    async def status(self) -> Any:
        """What /status says; None where nobody answers."""
        try:
            return json.loads((await self.get("/status"))[1])
        except OSError:
            return None

    async def metrics(self) -> dict[str, float]:
        """What /metrics says, by name: the sum over all labels."""
        sums: dict[str, float] = {}
        for name, value in _SAMPLE.findall((await self.get("/metrics"))[1].decode()):
            sums[name] = sums.get(name, 0.0) + float(value)
        return sums

    def told(self, what: str) -> str:
        """A failure with all that is needed to look into it."""
        log = "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-30:])
        return f"{what}\nseed {self.seed}: --crash-seed {self.seed}\n{self.book.summary()}\n{log}"

    # ---- files ----------------------------------------------------------------------------------------------

    @property
    def log(self) -> Path:
        """What the gateways write to stderr."""
        return self.folder / "gateway.log"

    @property
    def data_dir(self) -> Path:
        """Where they keep what is to outlive them."""
        return self.folder / "data"

    @property
    def config(self) -> Path:
        """Their configuration."""
        return self.folder / "gateway.toml"

    def _configure(self) -> Path:
        self.config.write_text(
            f"""
            [gateway]
            data_dir = "{self.data_dir}"
            retry_delay = 0.05
            [listen]
            port = {self.port}
            failed_bind_delay = 0.0
            [admin]
            port = {self.admin_port}
            {self.tables()}
            """,
            "utf-8",
        )
        return self.config


def lasting_port(rng: Random) -> int:
    """A free port for one who listens on it again and again: no connection is given one of these as its own."""
    while True:
        with suppress(OSError):
            port = rng.randrange(*LASTING_PORTS)
            socket.create_server(("127.0.0.1", port)).close()
            return port


def _json(line: str) -> dict[str, Any]:
    try:
        return dict(json.loads(line))
    except ValueError:
        return {}
