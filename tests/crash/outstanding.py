"""Gateways between an ESME and a carrier that owes much: receipts that are outstanding, and parts of messages."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from smppgw.settings import MessageIdFormat
from tests.crash.gateways import WAIT_SECONDS, Gateways
from tests.crash.load import PASSWORD, SYSTEM_ID
from tests.crash.owing import Carrier, IdForm
from tests.crash.taking import Esme

WINDOW: Final = 50
"""Of the ESME's binds, and of the carrier's."""
STORE: Final = "[store]\nsegment_bytes = 1048576\ncheckpoint_seconds = 0.2"
"""Much happens on the disk."""
SLOWEST: Final = 500
"""Messages, or receipts, a second on a machine with much else to do."""
_POLL_SECONDS: Final = 0.02


class Outstanding(Gateways):
    """`start`, `submit`, then end a gateway and start another as one likes; `settle` at the end."""

    def __init__(
        self,
        folder: Path,
        seed: int,
        *,
        ids: IdForm,
        message_id: MessageIdFormat,
        tlvs: bool,
        binds: int,
        latency: float,
        tables: str,
    ) -> None:
        super().__init__(folder, seed)
        self.binds = binds
        self.carrier = Carrier(self.book, ids, tlvs=tlvs)
        self.esme = Esme(self.book, self.port, binds=binds, window=WINDOW, latency=latency)
        self.count = 0
        """Messages that were submitted."""
        self._message_id = message_id
        self.more = tables
        """Further tables of the configuration, from the next start on."""

    def tables(self) -> str:
        """See `Gateways.tables`."""
        return f"""
            [[esme]]
            system_id = "{SYSTEM_ID}"
            password = "{PASSWORD}"
            window = {WINDOW}
            [[carrier]]
            name = "carrier"
            host = "127.0.0.1"
            port = {self.carrier.port}
            system_id = "gateway"
            password = "secret"
            window = {WINDOW}
            message_id = "{self._message_id}"
            reconnect_min = 0.05
            reconnect_max = 0.2
            [limits]
            registration = "off"
            {self.more}
            """

    @property
    def seconds(self) -> float:
        """How long anything with all the messages may take."""
        return WAIT_SECONDS + self.count / SLOWEST

    async def submit(self, count: int) -> None:
        """Have the carrier take so many messages, and the gateway know that it has."""
        self.count += count
        self.esme.submit(count)
        await self.until("arrived", count, seconds=self.seconds)
        await self.while_any(lambda esme, carrier: (esme["queued"], carrier["in_flight"]))

    async def all_reported(self) -> None:
        """Wait until each message has a receipt at the ESME."""
        left = self.count - len(self.book.reported)
        deadline = time.monotonic() + self.seconds
        while len(self.book.reported) < self.count:
            assert time.monotonic() < deadline, self.told(f"{left} of {self.count} receipts have not come")
            await asyncio.sleep(_POLL_SECONDS)

    async def while_any(self, figures: Callable[[Any, Any], tuple[int, ...]]) -> None:
        """Wait while any of some figures of /status, of those about the ESME and the carrier, is not 0."""
        deadline = time.monotonic() + self.seconds
        while True:
            status = await self.status()
            if status is not None:
                esme, carrier = status["esmes"][SYSTEM_ID], status["carriers"]["carrier"]
                if carrier["up"] and not any(figures(esme, carrier)):
                    return
            assert time.monotonic() < deadline, self.told(f"it is not done; {status}")
            await asyncio.sleep(_POLL_SECONDS)

    async def settle(self, *, repeats: int, in_order: bool = True) -> None:
        """Let the carrier send all that it owes; hold the gateways to what they have promised, and end the last one.

        `repeats` is how many receipts may have come to the ESME a second time. `in_order`: those of one handset have
        come in the order in which the carrier was answered.
        """
        self.carrier.send(math.inf)
        await self.all_reported()
        await self.while_any(lambda esme, _: (esme["waiting_deliveries"], esme["unanswered_deliveries"]))
        metrics = await self.metrics()
        print(self.book.summary())
        assert not self.book.oddities, self.told(str(self.book.oddities[:5]))
        assert not self.carrier.owed
        assert metrics.get("smppgw_receipts_orphaned_total", 0) == 0, self.told("there are orphans")
        assert len(self.book.reported) == self.count
        assert self.repeats <= repeats, self.told(f"{self.repeats} repeats")
        assert not in_order or self.esme.came == self.carrier.answered, self.told("they came out of order")
        await self.stop()

    @property
    def repeats(self) -> int:
        """Receipts that the ESME had before."""
        return sum(ids.total() for ids in self.book.reported.values()) - len(self.book.reported)


@asynccontextmanager
async def outstanding(
    folder: Path,
    seed: int,
    *,
    ids: IdForm = "hex-dec",
    message_id: MessageIdFormat = "auto",
    tlvs: bool = True,
    binds: int = 1,
    latency: float = 0.0,
    tables: str = STORE,
) -> AsyncIterator[Outstanding]:
    """An ESME and a carrier that run, and no gateway yet; whatever runs at the end of the block is ended.

    `ids` is how the carrier writes them, `message_id` what the gateway is told of it; `binds` are the ESME's, `latency`
    the seconds that it takes to answer, `tables` further ones of the configuration.
    """
    gateways = Outstanding(
        folder, seed, ids=ids, message_id=message_id, tlvs=tlvs, binds=binds, latency=latency, tables=tables
    )
    await gateways.carrier.start()
    gateways.esme.start()
    try:
        yield gateways
    finally:
        await gateways.end()
        await gateways.esme.close()
        await gateways.carrier.close()
