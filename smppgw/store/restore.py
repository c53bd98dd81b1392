"""Brings entries back from disk when their queue runs short of them, or their moment is near."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sized
from typing import Final, Generic, TypeVar

from smppgw.store.alarms import Alarms
from smppgw.store.backlog import Backlog, share_of
from smppgw.store.entries import Delivery, Message
from smppgw.store.page import Page
from smppgw.store.shelf import Shelf

EntryT = TypeVar("EntryT", Message, Delivery)

ASIDE_AHEAD_NS: Final = 2_000_000_000
"""What is aside on disk may come back so long before it is due."""
RECHECK_NS: Final = 20_000_000
"""Pages aside that are being read, or were not, for want of room in memory, are looked at again after this..."""
ROOM_NS: Final = 1_000_000_000
"""...or this, unless somebody makes room."""


class Restorer(Generic[EntryT]):
    """For all queues of one kind."""

    def __init__(
        self,
        queues: Sized,
        in_memory: dict[int, EntryT],
        decode: Callable[[Page, list[bytes]], list[EntryT]],
        shelf: Shelf,
        *,
        durable_lsn: Callable[[], int],
        on_ready: Callable[[], None],
        on_less: Callable[[Backlog[EntryT]], None],
    ) -> None:
        """`decode` reads the entries of a page from its records. `queues`: all in which something stands.

        `on_less` hears of each queue that was looked through, and may be empty.
        """
        self._queues = queues
        self._in_memory: dict[int, EntryT] = in_memory
        self._decode: Callable[[Page, list[bytes]], list[EntryT]] = decode
        self._shelf = shelf
        self._durable_lsn = durable_lsn
        self._on_ready = on_ready
        self._on_less: Callable[[Backlog[EntryT]], None] = on_less
        self._alarms: Alarms[Backlog[EntryT]] = Alarms()
        self._now_ns = 0
        """As the last `wake` said."""

    def begin(self, queues: Iterable[Backlog[EntryT]]) -> None:
        """Take up what an earlier run has left."""
        for queue in queues:
            self.defers(queue)
            self.refill(queue)

    def defers(self, queue: Backlog[EntryT]) -> None:
        """Something of that queue stands aside now."""
        self._alarms.set(queue, queue.next_ns())

    def refill(self, queue: Backlog[EntryT]) -> None:
        """Have the next pages of a queue read back, if it runs short and they are not on their way."""
        if queue.pages and not queue.loading:
            self._read(queue, queue.wanted(self._durable_lsn(), share_of(len(self._queues))), 0)
        if queue.later_pages and not queue.loading:
            self._read_later(queue)

    def _read_later(self, queue: Backlog[EntryT]) -> None:
        before_ns = self._now_ns + ASIDE_AHEAD_NS
        self._read(queue, queue.wanted_aside(before_ns, share_of(len(self._queues))), before_ns)

    def wake(self, now_ns: int) -> int | None:
        """Let what is due stand in its queue; return when to look again."""
        self._now_ns = now_ns
        for queue in self._alarms.over(now_ns):
            queue.wake(now_ns)
            if queue.later_pages and not queue.loading:
                self._read_later(queue)
            due_ns = queue.next_ns()
            if due_ns is not None and due_ns <= now_ns:
                due_ns = now_ns + (RECHECK_NS if queue.loading else ROOM_NS)
            self._alarms.set(queue, due_ns)
        return self._alarms.next_ns()

    def _read(self, queue: Backlog[EntryT], pages: list[Page], before_ns: int) -> None:
        if pages:
            queue.loading = True
            self._shelf.read(pages, lambda chunks: self._restored(queue, pages, before_ns, chunks))

    def _restored(
        self, queue: Backlog[EntryT], pages: list[Page], before_ns: int, chunks: list[list[bytes]]
    ) -> None:
        queue.loading = False
        for page, records in zip(pages, chunks, strict=True):
            if page.gone is None:
                continue  # all of it has died meanwhile
            found = queue.restore(page, self._decode(page, records), before_ns)
            self._in_memory.update([(entry.key, entry) for entry in found])
        if before_ns:
            self.defers(queue)
        self._on_ready()
        self.refill(queue)
        self._on_less(queue)
