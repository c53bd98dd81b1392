"""What `make demo` sends: the real messages of bench/data, English and Chinese, with their receipts."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import cycle
from pathlib import Path
from typing import Final

from bench.parts import Ports
from smppgw import Esme
from smppgw.library.delivery import DeliveryReceipt
from smppgw.pdu.constants import MessageState

DATA: Final = Path(__file__).resolve().parent / "data"
NUMBERS: Final = tuple(f"+120655501{last:02}" for last in range(10))
"""Those of config/loopback.toml."""
RECEIPT_SECONDS: Final = 30.0
"""How long receipts may take once everything is submitted."""
_PROGRESS_SECONDS: Final = 2.0
_TERMINAL_PROGRESS_SECONDS: Final = 0.2

Message = tuple[str, str, str]


def texts() -> list[str]:
    """Return every text of bench/data."""
    english = (DATA / "sms_en.tsv").read_text("utf-8").splitlines()
    chinese = (DATA / "sms_zh.txt").read_text("utf-8").splitlines()
    return [line.partition("\t")[2] for line in english] + chinese


class Outcomes:
    """What became of the messages; a long one is delivered when each of its segments is."""

    def __init__(self) -> None:
        self.sent = self.segments = self.refused = self.delivered = self.failed = 0
        self._left: dict[str, int] = {}
        self._message_of: dict[str, str] = {}
        self._broken: set[str] = set()
        self._early: dict[str, bool] = {}
        self._submitting = True
        self.complete = asyncio.Event()
        """Everything is submitted and has its receipts."""

    @property
    def waiting(self) -> int:
        """Messages that still want a receipt."""
        return len(self._left)

    def accepted(self, message_ids: tuple[str, ...]) -> None:
        """Count a message that the gateway has taken, with the message_id of each segment."""
        self.sent += 1
        self.segments += len(message_ids)
        first = message_ids[0]
        self._left[first] = len(message_ids)
        for message_id in message_ids:
            self._message_of[message_id] = first
            if message_id in self._early:
                self.receipt(message_id, delivered=self._early.pop(message_id))

    def receipt(self, message_id: str, *, delivered: bool) -> None:
        """Count the receipt of one segment; it may come before the answer that names the message."""
        first = self._message_of.pop(message_id, None)
        if first is None:
            self._early[message_id] = delivered
            return
        if not delivered:
            self._broken.add(first)
        self._left[first] -= 1
        if not self._left[first]:
            del self._left[first]
            if first in self._broken:
                self.failed += 1
            else:
                self.delivered += 1
        self._look()

    def expect_no_more(self) -> None:
        """Everything is submitted."""
        self._submitting = False
        self._look()

    def _look(self) -> None:
        if not self._submitting and not self._left:
            self.complete.set()


async def send_all(messages: list[str], ports: Ports) -> int:
    """Send the texts and wait for their receipts; print a table; return 0 when every message has its outcome."""
    outcomes = Outcomes()
    started = time.perf_counter()
    async with Esme("127.0.0.1", ports.smpp, system_id="demo", password="demo") as esme:
        tasks = [
            asyncio.ensure_future(_take_receipts(esme, outcomes)),
            asyncio.ensure_future(_show_progress(outcomes, len(messages))),
        ]
        async for result in esme.submit_many(_addressed(messages)):
            if result.ok:
                outcomes.accepted(result.message_ids)
            else:
                outcomes.refused += 1
        submitted_seconds = time.perf_counter() - started
        outcomes.expect_no_more()
        with suppress(TimeoutError):
            async with asyncio.timeout(RECEIPT_SECONDS):
                await outcomes.complete.wait()
        seconds = time.perf_counter() - started
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for name, figure in (
        ("messages sent", f"{outcomes.sent:,}"),
        ("segments", f"{outcomes.segments:,}"),
        ("delivered", f"{outcomes.delivered:,}"),
        ("failed", f"{outcomes.failed:,}"),
        ("refused", f"{outcomes.refused:,}"),
        ("without a receipt", f"{outcomes.waiting:,}"),
        ("accepted per second", f"{outcomes.sent / submitted_seconds:,.0f}"),
        ("with receipt per second", f"{(outcomes.delivered + outcomes.failed) / seconds:,.0f}"),
    ):
        print(f"{name:<24}{figure:>8}")
    return 1 if outcomes.refused or outcomes.waiting else 0


def _addressed(messages: list[str]) -> Iterator[Message]:
    for serial, (text, source) in enumerate(zip(messages, cycle(NUMBERS), strict=False)):
        yield source, f"+1666{serial:07}", text


async def _take_receipts(esme: Esme, outcomes: Outcomes) -> None:
    async for delivery in esme:
        if isinstance(delivery, DeliveryReceipt) and delivery.final:
            outcomes.receipt(delivery.message_id, delivered=delivery.state is MessageState.DELIVERED)


async def _show_progress(outcomes: Outcomes, total: int) -> None:
    terminal = sys.stderr.isatty()
    try:
        while True:
            await asyncio.sleep(_TERMINAL_PROGRESS_SECONDS if terminal else _PROGRESS_SECONDS)
            line = (
                f"{outcomes.sent:,} of {total:,} sent, {outcomes.delivered + outcomes.failed:,} with receipt"
            )
            shown, end = (f"\r{line}\033[K", "") if terminal else (line, "\n")
            print(shown, end=end, file=sys.stderr, flush=True)
    finally:
        if terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
