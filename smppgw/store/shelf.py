"""Reading what has gone to disk, off the event loop: pages, correlation, history."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from smppgw.store.errors import StoreError
from smppgw.store.ledger_reader import LedgerReader
from smppgw.store.page import Page
from smppgw.store.page_codec import chunks_of

T = TypeVar("T")


class Shelf:
    """The ledger's reader, in a thread of its own. Made inside a running loop."""

    def __init__(self, reader: LedgerReader, on_failed: Callable[[BaseException], None]) -> None:
        self._reader = reader
        self._on_failed = on_failed
        self._loop = asyncio.get_running_loop()
        self._pool = ThreadPoolExecutor(1, "smppgw-shelf")
        self._closed = False

    def ask(self, question: Callable[[LedgerReader], T], then: Callable[[T], None]) -> None:
        """Ask the ledger; `then` gets the answer, on the loop, in the order of the questions."""
        if not self._closed:
            self._pool.submit(question, self._reader).add_done_callback(partial(self._answered, then))

    def _answered(self, then: Callable[[T], None], future: Future[T]) -> None:
        self._loop.call_soon_threadsafe(self._pass_on, then, future)

    def _pass_on(self, then: Callable[[T], None], future: Future[T]) -> None:
        if self._closed:
            return
        error = future.exception()
        if error is not None:
            self._on_failed(error)
        else:
            then(future.result())

    def read(self, pages: Sequence[Page], then: Callable[[list[list[bytes]]], None]) -> None:
        """Read the records of pages; those that memory still has are at hand."""
        chunks = {page.id: list(page.chunks) for page in pages if page.chunks is not None}
        asked = [page.id for page in pages if page.id not in chunks]

        def found(bodies: dict[int, list[bytes]]) -> None:
            chunks.update(bodies)
            for page in pages:
                if page.id not in chunks and len(page.dead) < page.count:
                    self._on_failed(
                        StoreError(f"page {page.id} of the ledger is not there: run `smppgw store verify`")
                    )
                    return
            then([chunks.get(page.id, []) for page in pages])  # one that has died meanwhile may be gone

        if asked:
            self.ask(
                lambda reader: {each: chunks_of(body) for each, body in reader.pages_there(asked).items()},
                found,
            )
        else:
            found({})

    async def close(self) -> None:
        """Answer nothing more."""
        self._closed = True
        await self._loop.run_in_executor(None, self._pool.shutdown)
        self._reader.close()
