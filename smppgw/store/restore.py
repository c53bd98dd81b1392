"""Brings entries back from disk when their queue runs short of them, or their moment is near."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Generic, TypeVar

from smppgw.store.backlog import HEAD_LEAST, Backlog, Page
from smppgw.store.entries import Delivery, Message
from smppgw.store.shelf import Shelf

EntryT = TypeVar("EntryT", Message, Delivery)

PAGES_AT_ONCE: Final = 4
"""Read back in one go: about a thousand entries."""
ASIDE_AHEAD_NS: Final = 2_000_000_000
"""What is aside on disk may come back so long before it is due."""
RECHECK_NS: Final = 20_000_000
"""What is due and cannot stand in its queue yet is looked at again after this."""


class Restorer(Generic[EntryT]):
    """For all queues of one kind."""

    def __init__(
        self,
        queues: Mapping[str, Backlog[EntryT]],
        in_memory: dict[int, EntryT],
        decode: Callable[[str, list[bytes]], list[EntryT]],
        shelf: Shelf,
        *,
        durable_lsn: Callable[[], int],
        on_ready: Callable[[], None],
    ) -> None:
        """`decode` reads the entries of a page from its queue's name and its records."""
        self._queues: Mapping[str, Backlog[EntryT]] = queues
        self._in_memory: dict[int, EntryT] = in_memory
        self._decode: Callable[[str, list[bytes]], list[EntryT]] = decode
        self._shelf = shelf
        self._durable_lsn = durable_lsn
        self._on_ready = on_ready
        self._aside: set[str] = {name for name, queue in queues.items() if queue.deferred}
        """Names of queues in which something stands aside."""

    def defers(self, name: str) -> None:
        """Something of that queue stands aside now."""
        self._aside.add(name)

    def refill(self, queue: Backlog[EntryT]) -> None:
        """Have the next pages of a queue read back, if it runs short and they are not on their way."""
        if queue.pages and len(queue) < HEAD_LEAST:
            self._read(queue, queue.wanted(self._durable_lsn(), PAGES_AT_ONCE), 0)

    def wake(self, now_ns: int) -> int | None:
        """Let what is due stand in its queue; return when to look again."""
        next_ns: int | None = None
        for name in list(self._aside):
            queue = self._queues[name]
            due_ns = queue.wake(now_ns)
            if due_ns is None:
                self._aside.discard(name)
                continue
            if queue.later_pages:
                before_ns = now_ns + ASIDE_AHEAD_NS
                self._read(queue, queue.wanted_aside(before_ns, PAGES_AT_ONCE), before_ns)
            if due_ns <= now_ns:
                due_ns = now_ns + RECHECK_NS
            next_ns = due_ns if next_ns is None else min(next_ns, due_ns)
        return next_ns

    def _read(self, queue: Backlog[EntryT], pages: list[Page], before_ns: int) -> None:
        if pages and not queue.loading:
            queue.loading = True
            self._shelf.read(pages, lambda chunks: self._restored(queue, pages, before_ns, chunks))

    def _restored(
        self, queue: Backlog[EntryT], pages: list[Page], before_ns: int, chunks: list[list[bytes]]
    ) -> None:
        queue.loading = False
        for page, records in zip(pages, chunks, strict=True):
            if page.gone is None:
                continue  # all of it has died meanwhile
            found = queue.restore(page, self._decode(page.queue, records), before_ns)
            self._in_memory.update([(entry.key, entry) for entry in found])
        self._on_ready()
        self.refill(queue)
