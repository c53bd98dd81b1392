"""The event loop that commands run on, and the signals it hears."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

try:
    import uvloop
except ImportError:  # Windows, PyPy
    uvloop = None  # type: ignore[assignment]


def event_loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes the quickest event loop there is here; None: asyncio's own."""
    return None if uvloop is None else uvloop.new_event_loop


def on_signal(
    loop: asyncio.AbstractEventLoop, number: signal.Signals, callback: Callable[[], object]
) -> None:
    """Call back on the event loop when the signal comes, also where the loop itself knows no signals."""
    try:
        loop.add_signal_handler(number, callback)
    except NotImplementedError:  # Windows
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(callback))
