"""One data directory, and the gateway that lives and dies on it, between a load and a sink that keep books."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any, Final

from tests.crash.audit import audit
from tests.crash.book import Book, Event
from tests.crash.load import PASSWORD, SYSTEM_ID, Load
from tests.crash.sink import Sink

ROOT: Final = Path(__file__).parents[2]
WAIT_SECONDS: Final = 20.0
"""How long any one thing may take on a machine with much else to do."""
QUIET_SECONDS: Final = 1.0
"""A gateway with nothing left to do that stays so for this long brings nothing more."""
_POLL_SECONDS: Final = 0.02

LASTING_PORTS: Final = (15_000, 32_000)
"""Below those that operating systems give to connections."""
BINDS: Final = 2
LOAD_WINDOW: Final = 50
CARRIER_WINDOW: Final = 30
WINDOWS: Final = BINDS * CARRIER_WINDOW
"""The sum of the carrier's windows."""


class Rounds:
    """Start a gateway, end it in some way, again and again; then `settle`."""

    def __init__(self, folder: Path, seed: int, *, octets: int, backend: str, store: str) -> None:
        """`octets` is the length of the longest text; `store` are further lines of `[store]`."""
        self.seed = seed
        self.rng = Random(seed)
        self.folder = folder
        self.book = Book()
        self.sink = Sink(self.book, self.rng, window=CARRIER_WINDOW, octets=octets)
        self.port, self.admin_port = lasting_port(self.rng), lasting_port(self.rng)
        self.load = Load(self.book, self.port, binds=BINDS, window=LOAD_WINDOW, octets=octets)
        self.process: asyncio.subprocess.Process | None = None
        self._store = f'backend = "{backend}"\n{store}'

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

    def kill_when(self, event: Event, more: int) -> None:
        """Kill the gateway at once when something has happened so many times more."""
        self.book.when(event, more, self.kill)

    def kill(self) -> None:
        """Kill the gateway that runs now."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGKILL)

    async def until(self, event: Event, more: int) -> None:
        """Wait until something has happened so many times more; the gateway is to live until then."""
        happened = asyncio.Event()
        self.book.when(event, more, happened.set)
        assert self.process is not None
        ended = asyncio.ensure_future(self.process.wait())
        waiting = asyncio.ensure_future(happened.wait())
        await asyncio.wait((ended, waiting), timeout=WAIT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
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

    # ---- the verdict ----------------------------------------------------------------------------------------

    async def settle(self) -> None:
        """Let the gateway that runs send all it has, end it, and hold it to what all of them have promised."""
        self.load.submitting = False
        self.sink.latency = 0.0
        await self._drained()
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        await self.ended(0)
        findings = audit(self.book, windows=WINDOWS)
        assert not findings, self.told("\n".join(findings))

    async def _drained(self) -> None:
        """Wait until the books are complete; or until the gateway has nothing more to do, and they never will be."""
        deadline = time.monotonic() + WAIT_SECONDS
        quiet_since = None
        while time.monotonic() < deadline:
            empty = not self.load.in_flight and self.sink.idle and await self._is_empty()
            if empty and self.book.complete:
                return
            if not empty:
                quiet_since = None
            elif quiet_since is None:
                quiet_since = time.monotonic()
            elif time.monotonic() > quiet_since + QUIET_SECONDS:
                return
            await asyncio.sleep(_POLL_SECONDS)
        raise AssertionError(self.told(f"not drained within {WAIT_SECONDS:g} s; {await self._status()}"))

    async def _is_empty(self) -> bool:
        status = await self._status()
        if status is None:
            return False
        esme = status["esmes"][SYSTEM_ID]
        carrier = status["carriers"]["carrier"]
        return carrier["up"] and not any(
            (
                esme["queued"],
                esme["waiting_deliveries"],
                esme["unanswered_deliveries"],
                carrier["in_flight"],
                status["retrying"],
            )
        )

    async def _status(self) -> Any:
        try:
            return json.loads((await self.get("/status"))[1])
        except OSError:
            return None

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
            [[esme]]
            system_id = "{SYSTEM_ID}"
            password = "{PASSWORD}"
            [[carrier]]
            name = "carrier"
            host = "127.0.0.1"
            port = {self.sink.port}
            system_id = "gateway"
            password = "secret"
            binds = {BINDS}
            window = {CARRIER_WINDOW}
            message_id = "text"
            reconnect_min = 0.05
            reconnect_max = 0.2
            [limits]
            registration = "off"
            [store]
            {self._store}
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


@asynccontextmanager
async def rounds(
    folder: Path,
    seed: int,
    *,
    octets: int = 120,
    backend: str = "wal",
    store: str = "segment_bytes = 1048576\ncheckpoint_seconds = 0.2",
) -> AsyncIterator[Rounds]:
    """A load and a sink that run, and no gateway yet; whatever runs at the end of the block is ended."""
    gateways = Rounds(folder, seed, octets=octets, backend=backend, store=store)
    await gateways.sink.start()
    gateways.load.start()
    try:
        yield gateways
    finally:
        if gateways.process is not None and gateways.process.returncode is None:
            gateways.kill()
            await gateways.process.wait()
        await gateways.load.close()
        await gateways.sink.close()
