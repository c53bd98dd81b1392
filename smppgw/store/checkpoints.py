"""When checkpoints are taken, and how: one at a time, off the event loop.

A checkpoint is taken every so many seconds, and at once when what waits for one takes too much memory. Its snapshot
is made as a record of its own is appended to the log; when that is durable the ledger takes the snapshot in, in one
transaction, and what the log needs no more is deleted. A full disk is no failure: the same snapshot is tried again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final

from smppgw.settings import StoreSettings
from smppgw.store import record
from smppgw.store.checkpoint import CORRELATION_NS, Snapshot, snapshot
from smppgw.store.ledger import Ledger, LedgerFull
from smppgw.store.log import Log
from smppgw.store.record import MS, What
from smppgw.store.state import State
from smppgw.store.tail import Tail

TICK_SECONDS: Final = 0.1
RETRY_NS: Final = 1_000_000_000
"""A checkpoint that found no room on the disk is tried again after this."""
PRESSED_NS: Final = 1_000_000_000
"""What takes too much memory calls for a checkpoint no sooner after the last one."""
SPILLED_OCTETS: Final = 8 * 1024 * 1024
"""Of pages that only memory has: more of them call for a checkpoint..."""
SPILLED_WAITS: Final = 24 * 1024 * 1024
"""...but where they are small, as there are very many queues, this: until then they grow."""
SMALL_OCTETS: Final = 4096
"""Of pages, on average."""
YOUNG_MOST: Final = 50_000
"""Likewise, messages that wait for a receipt and are in no ledger."""
ASIDE_MOST: Final = 20_000
"""Likewise, entries that were put aside since."""
HISTORY_MOST: Final = 8 * 1024 * 1024
"""Likewise, octets of the history."""
ASIDE_STAYS_NS: Final = 5_000_000_000
"""What is aside stays in memory when it is due before this is over."""
PRUNED_AT_ONCE: Final = 50_000
DAY_MS: Final = 86_400_000
NS_PER_SECOND: Final = 1_000_000_000


class Checkpoints:
    """Made inside a running loop, over a recovered state."""

    def __init__(
        self,
        state: State,
        log: Log,
        ledger: Ledger,
        tail: Tail,
        *,
        clock: Callable[[], int],
        logger: Any,
        on_failed: Callable[[BaseException], None],
        on_eased: Callable[[], None],
        settings: StoreSettings,
        carriers: set[str] | None,
    ) -> None:
        """`carriers`: those of which the ledger may know messages; None for any."""
        self._state = state
        self._log_files = log
        self._ledger = ledger
        self._tail = tail
        self._clock = clock
        self._log = logger
        self._on_failed = on_failed
        self._on_eased = on_eased
        self._every_ns = int(settings.checkpoint_seconds * NS_PER_SECOND)
        self._retention_ms = settings.retention_days * DAY_MS
        self._correlation_ns = max(CORRELATION_NS, self._retention_ms * MS)
        self._max_octets = settings.max_bytes
        self._loop = asyncio.get_running_loop()
        self._pool = ThreadPoolExecutor(1, "smppgw-ledger")
        self._running: Snapshot | None = None
        self._retry_ns: int | None = None
        """When a snapshot that found no room is tried again."""
        self._last_ns = clock()
        self._last_lsn = state.lsn
        self._timer: asyncio.TimerHandle | None = None
        self._idle = asyncio.Event()
        self._idle.set()
        self._ledger_octets = ledger.octets
        self._carriers = carriers
        self._abandoned = False
        self.full = False
        """Whether the last checkpoint found no room."""

    def start(self, *, at_once: bool) -> None:
        """Begin; with a checkpoint, if so."""
        if at_once:
            self.take()
        self._tick()

    @property
    def octets(self) -> int:
        """What log and ledger take on the disk."""
        return self._log_files.octets + self._ledger_octets

    def knows(self, carrier: str) -> bool:
        """Whether the ledger may know messages of a carrier."""
        return self._carriers is None or carrier in self._carriers

    def history_on_its_way(self) -> Iterable[bytes]:
        """The records of the history that the running checkpoint has taken."""
        return [octets for _, octets in self._running.history] if self._running is not None else ()

    def _tick(self) -> None:
        self._timer = self._loop.call_later(TICK_SECONDS, self._tick)
        now_ns = self._clock()
        if self._retry_ns is not None and now_ns >= self._retry_ns:
            self._retry_ns = None
            self._idle.clear()
            self._write()
        elif self._running is None:
            since_ns = now_ns - self._last_ns
            if since_ns >= self._every_ns or (since_ns >= PRESSED_NS and self._presses()):
                self.take()

    def _presses(self) -> bool:
        """Whether memory asks for a checkpoint."""
        state = self._state
        return (
            self._spilled_much()
            or sum([len(sent.young) for sent in state.sent.values()]) > YOUNG_MOST
            or state.put_aside > ASIDE_MOST
            or state.history_octets > HISTORY_MOST
        )

    def _spilled_much(self) -> bool:
        state = self._state
        small = state.spilled_octets < SMALL_OCTETS * len(state.spilled)
        return state.spilled_octets > (SPILLED_WAITS if small else SPILLED_OCTETS)

    def take(self) -> None:
        """Take a checkpoint now, unless one is being taken or nothing has happened."""
        self._last_ns = self._clock()
        # What ESMEs are owed goes aside without a record.
        nothing_new = self._state.lsn == self._last_lsn and not self._presses()
        if self._running is not None or self._abandoned or nothing_new:
            return
        self._idle.clear()
        taken = self._running = snapshot(self._state, self._last_ns, self._correlation_ns)
        octets = record.of_moment(What.CHECKPOINT, self._tail.now_ms())
        self._last_lsn = taken.lsn = self._tail.append([octets], self._write, added=True)

    def _write(self) -> None:
        taken = self._running
        assert taken is not None, "a snapshot that is to be written"
        self._pool.submit(self._apply, taken).add_done_callback(
            lambda future: self._loop.call_soon_threadsafe(self._applied, taken, future)
        )

    def _apply(self, taken: Snapshot) -> None:
        """In the ledger's thread."""
        ledger = self._ledger
        try:
            ledger.apply(taken.fold())
        except LedgerFull:
            if not ledger.history_octets:
                raise
            ledger.trim_history(ledger.history_octets // 4 + 1)
            ledger.apply(taken.fold())
        self._log_files.forget(taken.lsn)
        with suppress(LedgerFull):  # the next one tries again; this one is done
            self._forget_old()

    def _forget_old(self) -> None:
        ledger = self._ledger
        now_ms = self._tail.now_ms()
        ledger.prune(
            history_before_ms=now_ms - self._retention_ms, sent_before_ms=now_ms, most=PRUNED_AT_ONCE
        )
        # The history is a convenience: it gives way before a message is refused.
        too_much = self._log_files.octets + ledger.octets - self._max_octets * 3 // 4
        if too_much > 0 and ledger.history_octets:
            ledger.trim_history(too_much)

    def _applied(self, taken: Snapshot, future: Future[None]) -> None:
        error = future.exception()
        if isinstance(error, LedgerFull):
            if not self.full:
                self._log.error("store_full", error=str(error))
            self.full = True
            self._retry_ns = self._clock() + RETRY_NS
            self._idle.set()
            self._on_eased()
            return
        self._running = None
        self._idle.set()
        if error is not None:
            self._on_failed(error)
            return
        self.full = False
        self._ledger_octets = self._ledger.octets
        if self._carriers is not None:
            self._carriers.update(carrier for carrier, messages in taken.sent if messages)
        self._let_go(taken)
        self._on_eased()
        if self._timer is not None and self._spilled_much():
            self.take()

    def _let_go(self, taken: Snapshot) -> None:
        """What the ledger has now need not be in memory."""
        for page, _ in taken.pages:
            page.chunks = None
            page.esmes = self._state.shared(page.esmes)
        self._state.spilled_octets -= taken.spilled_octets
        stays_ns = self._clock() + ASIDE_STAYS_NS
        self._state.evict({page: keys for page, keys in taken.aside.items() if page.due_ns > stays_ns})

    async def close(self) -> None:
        """Take a last checkpoint, unless the disk is full; nothing is appended any more."""
        if self._timer is not None:
            self._timer.cancel()
        await self._idle.wait()
        self.take()
        await self._idle.wait()

    def abandon(self) -> None:
        """Take no more: the store has failed."""
        self._abandoned = True
        if self._timer is not None:
            self._timer.cancel()
        self._idle.set()

    def release(self) -> None:
        """Let go of log and ledger. Blocks, for as long as a checkpoint takes."""
        self._pool.shutdown()
        self._ledger.close()
        self._log_files.close()
