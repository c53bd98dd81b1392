"""Durable stores for tests, in a directory of their own."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import structlog
from structlog.testing import LogCapture

from smppgw.settings import StoreSettings
from smppgw.store.files import Files, OsFiles
from smppgw.store.wal import WalStore
from tests.store.lanes import lanes_of


def wal_store(
    directory: Path,
    *,
    files: Files | None = None,
    log: LogCapture | None = None,
    on_failed: Callable[[BaseException], None] | None = None,
    max_bytes: int = 1 << 30,
    segment_bytes: int = 1 << 20,
    checkpoint_seconds: float = 3600.0,
    retention_days: int = 7,
    **more: Any,
) -> WalStore:
    """A store that is not open yet; small segments, and checkpoints only when asked for."""

    def fail(error: BaseException) -> None:
        raise error

    usual: dict[str, Any] = {
        "clock": time.monotonic_ns,
        "wall_ns": time.time_ns(),
        "lane_of": lambda name: lanes_of(made)[name],
        "observe_commit": lambda seconds, records: None,
    }
    store = StoreSettings(
        max_bytes=max_bytes,
        segment_bytes=segment_bytes,
        checkpoint_seconds=checkpoint_seconds,
        retention_days=retention_days,
    )
    made = WalStore(
        directory,
        files=files or OsFiles(),
        logger=structlog.wrap_logger(None, processors=[log or LogCapture()]),
        on_failed=on_failed or fail,
        settings=store,
        **{**usual, **more},
    )
    return made


@asynccontextmanager
async def opened(directory: Path, **more: Any) -> AsyncIterator[WalStore]:
    """An open store, until the end of the block."""
    store = wal_store(directory, **more)
    await store.open()
    try:
        yield store
    finally:
        await store.close()
