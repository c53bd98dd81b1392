"""Work that is done once, however often it is asked for: at the end of this turn of the loop, or at a moment.

What makes batches: everything that happens in one turn of the loop is handled by one call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from smppgw.session.timers import NS


class Pump:
    """Calls `work` when it was asked to; it keeps one timer, for the earliest moment."""

    def __init__(self, work: Callable[[], None], clock: Callable[[], int]) -> None:
        """`clock` returns monotonic nanoseconds."""
        self._work = work
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._soon: asyncio.Handle | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_ns = 0
        self._closed = False

    def kick(self) -> None:
        """Work once this turn of the loop is over."""
        if self._soon is None and not self._closed:
            self._soon = self._loop.call_soon(self._run)

    def at(self, moment_ns: int) -> None:
        """Work at that moment, or before."""
        if self._closed:
            return
        if self._timer is not None:
            if self._timer_ns <= moment_ns:
                return
            self._timer.cancel()
        self._timer_ns = moment_ns
        self._timer = self._loop.call_later(max(0, moment_ns - self._clock()) / NS, self._on_timer)

    def close(self) -> None:
        """Forget what was asked for, and what will be."""
        self._closed = True
        for handle in (self._soon, self._timer):
            if handle is not None:
                handle.cancel()
        self._soon = self._timer = None

    def _on_timer(self) -> None:
        self._timer = None
        self.kick()

    def _run(self) -> None:
        self._soon = None
        self._work()
