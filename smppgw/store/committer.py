"""Group commit: what is appended in one turn of the event loop, or while the disk is busy, shares one sync.

One batch is in flight at a time. A thread of its own writes it; when it is durable one call comes back to the loop,
which first hands the thread the next batch, gathered meanwhile, and then tells everybody of the one that is done.
"""

from __future__ import annotations

import asyncio
import errno
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

from smppgw.store.frame import RECORD_OVERHEAD
from smppgw.store.log import SPARES, Log

BATCH_OCTETS: Final = 1 << 20
"""What a batch takes, unless one append alone is more."""
IDLE_SECONDS: Final = 0.05
"""So long after the last commit its end is marked. Before, damage to it would look like a batch never finished."""
SLOW_SECONDS: Final = 1.0
STALLED_NS: Final = 10_000_000_000
ROOM_SECONDS: Final = 1.0
"""How often a full disk is asked for room."""

_NS: Final = 1_000_000_000
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


class _Batch:
    __slots__ = ("callbacks", "last_lsn", "octets", "records")

    def __init__(self, last_lsn: int) -> None:
        self.records: list[bytes] = []
        self.octets = 0
        self.last_lsn = last_lsn
        self.callbacks: list[Callable[[], None]] = []


class Committer:
    """Gives a log, which blocks, to an event loop, which must not. To be made inside the running loop."""

    def __init__(
        self,
        log: Log,
        *,
        clock: Callable[[], int],
        on_failed: Callable[[Exception], None],
        on_room: Callable[[], None],
        on_slow: Callable[[float], None],
        observe: Callable[[float, int], None],
    ) -> None:
        """`log`: begun. `clock`: monotonic nanoseconds, also asked for in another thread. All others on the loop.

        `on_failed`: once, with the error after which nothing is promised any more. `on_room`: a full disk has room
        again. `on_slow`: seconds of a commit above `SLOW_SECONDS`. `observe`: of each commit, seconds and how many
        records.
        """
        self._log = log
        self._clock = clock
        self._on_failed = on_failed
        self._on_room = on_room
        self._on_slow = on_slow
        self._observe = observe
        self._loop = asyncio.get_running_loop()

        self.durable_lsn = log.last_lsn
        """All records up to this one are on the disk."""
        self.full = False
        """Whether the disk has no room for the segments that should stand ready."""
        self._failed = False
        self._lsn = log.last_lsn
        self._batch_octets = min(BATCH_OCTETS, log.batch_octets)
        self._waiting: deque[_Batch] = deque()
        self._in_flight: _Batch | None = None
        self._since_ns = 0  # of what is in flight
        self._committed_ns = 0
        self._marked = True
        self._timer: asyncio.TimerHandle | None = None
        self._closing = False
        self._settled: asyncio.Future[None] | None = None

        self._batches: queue.SimpleQueue[list[bytes] | None] = queue.SimpleQueue()
        self._orders: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._threads = (
            threading.Thread(target=self._write_batches, name="smppgw-log", daemon=True),
            threading.Thread(target=self._build_spares, name="smppgw-spares", daemon=True),
        )
        for thread in self._threads:
            thread.start()
        self._orders.put(True)

    @property
    def stalled(self) -> bool:
        """Whether the disk has been at one batch for more than `STALLED_NS`."""
        return self._in_flight is not None and self._clock() - self._since_ns > STALLED_NS

    def append(self, records: Sequence[bytes], durable: Callable[[], None] | None) -> int:
        """Take records that are to be durable together; return the lsn of the last.

        `durable` is called on the loop when they are, and all before them; never after a failure.
        """
        self._lsn += len(records)
        if self._failed:
            return self._lsn
        octets = sum(map(len, records)) + RECORD_OVERHEAD * len(records)
        waiting = self._waiting
        if waiting and waiting[-1].octets + octets <= self._batch_octets:
            batch = waiting[-1]
        else:
            if not waiting and self._in_flight is None:
                self._loop.call_soon(self._start)
            batch = _Batch(self._lsn)
            waiting.append(batch)
        batch.records += records
        batch.octets += octets
        batch.last_lsn = self._lsn
        if durable is not None:
            batch.callbacks.append(durable)
        return self._lsn

    def when_durable(self, durable: Callable[[], None]) -> None:
        """Call `durable` when everything is durable that has been appended up to now; at once where it is."""
        if self._failed:
            return
        batch = self._waiting[-1] if self._waiting else self._in_flight
        if batch is None:
            durable()
        else:
            batch.callbacks.append(durable)

    async def close(self) -> None:
        """Wait until all is durable, mark the end, and stop the threads; after a failure only tell them to stop."""
        self._closing = True
        await self._settle()
        if not self._failed and not self._marked:
            self._waiting.append(_Batch(self._lsn))
            self._start()
            await self._settle()
        if self._timer is not None:
            self._timer.cancel()
        self._batches.put(None)
        self._orders.put(False)
        if not self._failed:  # else one may hang where the disk does
            for thread in self._threads:
                await asyncio.to_thread(thread.join)

    # ---- on the loop ----------------------------------------------------------------------------------------

    def _start(self) -> None:
        if self._in_flight is None and self._waiting:
            self._hand_over(self._clock())

    def _hand_over(self, now_ns: int) -> None:
        self._in_flight = self._waiting.popleft()
        self._since_ns = now_ns
        self._batches.put(self._in_flight.records)

    def _committed(self, took_ns: int) -> None:
        batch = self._in_flight
        if self._failed or batch is None:
            return
        self._in_flight = None
        self._committed_ns = now_ns = self._clock()
        if self._waiting:
            self._hand_over(now_ns)
        self.durable_lsn = batch.last_lsn
        self._tell(iter(batch.callbacks))
        self._marked = not batch.records
        if batch.records and self._timer is None:
            self._timer = self._loop.call_later(IDLE_SECONDS, self._mark_if_idle)
        if self._log.spares < SPARES and not self.full and self._orders.empty():
            self._orders.put(True)
        seconds = took_ns / _NS
        self._observe(seconds, len(batch.records))
        if seconds > SLOW_SECONDS:
            self._on_slow(seconds)
        self._settle_if_idle()

    def _tell(self, callbacks: Iterator[Callable[[], None]]) -> None:
        try:
            for durable in callbacks:
                durable()
        except BaseException:  # one that fails must not keep the others from what is theirs
            self._loop.call_soon(self._tell, callbacks)
            raise

    def _mark_if_idle(self) -> None:
        self._timer = None
        if self._failed or self._closing or self._marked:
            return
        left_ns = self._committed_ns + int(IDLE_SECONDS * _NS) - self._clock()
        if self._in_flight is not None or self._waiting:
            left_ns = int(IDLE_SECONDS * _NS)
        if left_ns > 0:
            self._timer = self._loop.call_later(left_ns / _NS, self._mark_if_idle)
            return
        self._waiting.append(_Batch(self._lsn))
        self._start()

    def _fail(self, error: Exception) -> None:
        if self._failed:
            return
        self._failed = True
        self._waiting.clear()
        self._on_failed(error)
        self._settle_if_idle()

    def _set_full(self, full: bool) -> None:
        self.full = full
        if not full:
            self._on_room()

    async def _settle(self) -> None:
        if not self._failed and (self._in_flight is not None or self._waiting):
            self._settled = self._loop.create_future()
            await self._settled

    def _settle_if_idle(self) -> None:
        idle = self._failed or (self._in_flight is None and not self._waiting)
        if idle and self._settled is not None and not self._settled.done():
            self._settled.set_result(None)

    # ---- in the threads -------------------------------------------------------------------------------------

    def _call(self, call: Callable[..., None], argument: Any) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody wants to know any more
            self._loop.call_soon_threadsafe(call, argument)

    def _write_batches(self) -> None:
        clock, write, take = self._clock, self._log.write, self._batches.get
        while (records := take()) is not None:
            began_ns = clock()
            try:
                write(records)
            except Exception as error:  # noqa: BLE001 - whatever it is, nothing may be promised after it
                self._call(self._fail, error)
                return
            self._call(self._committed, clock() - began_ns)

    def _build_spares(self) -> None:
        full = False
        while True:
            with suppress(queue.Empty):
                if not self._orders.get(timeout=ROOM_SECONDS if full else None):
                    return
            try:
                while self._log.build_spare():
                    pass
            except Exception as error:  # noqa: BLE001 - as above
                if not isinstance(error, OSError) or error.errno not in _FULL:
                    self._call(self._fail, error)
                    return
                if not full:
                    self._call(self._set_full, True)
                full = True
            else:
                if full:
                    self._call(self._set_full, False)
                full = False
