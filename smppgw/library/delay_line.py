"""Things that are to happen a fixed time after they were put in: one queue and one timer for all of them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, Generic, TypeVar

ItemT = TypeVar("ItemT")

RESOLUTION_SECONDS: Final = 0.001
"""What is due within this goes together."""


class DelayLine(Generic[ItemT]):
    """A queue whose items come out after `delay` seconds, in the order they went in."""

    def __init__(self, delay: float, release: Callable[[ItemT], None]) -> None:
        self._delay = delay
        self._release = release
        self._items: deque[tuple[float, ItemT]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: ItemT) -> None:
        """Have it released after the delay; without one at once."""
        if self._delay <= 0:
            self._release(item)
            return
        loop = asyncio.get_running_loop()
        due = loop.time() + self._delay
        self._items.append((due, item))
        if self._timer is None:
            self._timer = loop.call_at(due, self._on_timer)

    def clear(self) -> None:
        """Forget everything that is in it."""
        self._items.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _on_timer(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        now = loop.time() + RESOLUTION_SECONDS
        while self._items and self._items[0][0] <= now:
            self._release(self._items.popleft()[1])
        if self._items and self._timer is None:  # a release may have put something in
            self._timer = loop.call_at(self._items[0][0], self._on_timer)
