"""One data directory, and the gateways that live and die on it, between a load and a sink that keep books."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from tests.crash.audit import audit
from tests.crash.gateways import WAIT_SECONDS, Gateways
from tests.crash.load import PASSWORD, SYSTEM_ID, Load
from tests.crash.sink import Sink

QUIET_SECONDS: Final = 1.0
"""A gateway with nothing left to do that stays so for this long brings nothing more."""
_POLL_SECONDS: Final = 0.02

BINDS: Final = 2
LOAD_WINDOW: Final = 50
CARRIER_WINDOW: Final = 30
WINDOWS: Final = BINDS * CARRIER_WINDOW
"""The sum of the carrier's windows."""


class Rounds(Gateways):
    """Gateways under load, as many as one likes; then `settle`."""

    def __init__(
        self, folder: Path, seed: int, *, octets: int, backend: str, store: str, window: int = CARRIER_WINDOW
    ) -> None:
        """`octets`: the length of the longest text; `store`: further lines of `[store]`; `window`: a carrier bind's."""
        super().__init__(folder, seed)
        self.window = window
        self.sink = Sink(self.book, self.rng, window=window, octets=octets)
        self.load = Load(self.book, self.port, binds=BINDS, window=LOAD_WINDOW, octets=octets)
        self.limits = 'registration = "off"'
        """The lines of `[limits]`."""
        self._store = f'backend = "{backend}"\n{store}'

    def tables(self) -> str:
        """See `Gateways.tables`."""
        return f"""
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
            window = {self.window}
            message_id = "text"
            reconnect_min = 0.05
            reconnect_max = 0.2
            [limits]
            {self.limits}
            [store]
            {self._store}
            """

    # ---- the verdict ----------------------------------------------------------------------------------------

    async def settle(self) -> None:
        """Let the gateway that runs send all it has, end it, and hold it to what all of them have promised."""
        self.load.submitting = False
        self.sink.latency = 0.0
        await self._drained()
        await self.stop()
        findings = audit(self.book, windows=BINDS * self.window)
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
        raise AssertionError(self.told(f"not drained within {WAIT_SECONDS:g} s; {await self.status()}"))

    async def _is_empty(self) -> bool:
        status = await self.status()
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
        await gateways.end()
        await gateways.load.close()
        await gateways.sink.close()
