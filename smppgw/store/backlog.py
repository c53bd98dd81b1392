"""One queue of the durable store: its head in memory, the rest of it on disk, in pages.

The head is what is handed out next. Once it is long, what comes behind it is kept as octets only: chunks of the log's
own records gather in a page, which stays in memory until a checkpoint has it in the ledger. A page comes back when
the head runs short. So memory holds some thousand entries of a queue of any length.

What is in memory, and belongs behind what is still on disk, waits beside the head until that is back.

What is aside until its moment stands in a heap, or, when that moment is far, in pages too.
"""

from __future__ import annotations

import sys
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from operator import attrgetter
from typing import Final, TypeVar

from smppgw.store.columns import packed
from smppgw.store.entries import Delivery, Message
from smppgw.store.queue import Queue

EntryT = TypeVar("EntryT", bound=Message | Delivery)
_KEY: Final = attrgetter("key")
_FIRST_KEY: Final = attrgetter("first_key")
_DUE: Final = attrgetter("due_ns")

HEAD_MOST: Final = 4096
"""Entries of the head, as far as it is filled from the end of the queue or from pages..."""
MEMORY_MOST: Final = 40_000
"""...once so many entries of all queues of its kind are in memory: some 20 MiB."""
HEAD_LEAST: Final = 2048
"""Below it, the next page is called for."""
PAGE_ENTRIES: Final = 256
PAGE_OCTETS: Final = 64 * 1024
"""A page is closed when it has that much, whichever comes first."""


class Page:
    """Entries of one queue that stand on disk together."""

    __slots__ = (
        "aside",
        "chunks",
        "closed",
        "count",
        "dead",
        "due_ns",
        "esmes",
        "expires_ns",
        "first_key",
        "folded",
        "gone",
        "id",
        "kept_as",
        "keys",
        "last_key",
        "lsn",
        "octets",
        "queue",
    )

    def __init__(self, page_id: int, queue: str, *, aside: bool = False) -> None:
        self.id = page_id
        """Its number in the ledger."""
        self.queue = self.kept_as = queue
        """The queue's name, now and in the ledger."""
        self.aside = aside
        """Whether what is in it waits for its moment."""
        self.first_key = self.last_key = 0
        self.keys = bytearray()
        """Packed, of all its entries, as long as some are still to be read back: the ranges of pages overlap."""
        self.count = 0
        self.octets = 0
        self.due_ns = self.expires_ns = 0
        """The lowest of its entries that are still to be read back; 0 where none has one."""
        self.esmes: dict[str, int] = {}
        """How many of its entries each ESME has."""
        self.chunks: list[bytes] | None = []
        """Its records while it is in memory; None when they are in the ledger alone."""
        self.closed = False
        """Whether it is being read back: what comes after goes into another."""
        self.lsn = 0
        """It is durable when the log is, up to here."""
        self.folded = False
        """Whether the ledger has it, or is about to."""
        self.gone: set[int] | None = set()
        """Keys of entries that are not to be read back: they are in memory, or dead. None: that is all of them."""
        self.dead: set[int] = set()
        """Keys of entries that are no more."""

    @property
    def left(self) -> int:
        """How many entries are still to be read back."""
        return 0 if self.gone is None else self.count - len(self.gone)

    @property
    def is_full(self) -> bool:
        """Whether nothing more goes into it."""
        return self.closed or self.folded or self.count >= PAGE_ENTRIES or self.octets >= PAGE_OCTETS

    def add(self, octets: bytes, entries: Sequence[Message | Delivery], lsn: int) -> None:
        """Put a record of entries at its end."""
        assert self.chunks is not None, "a page that is in memory"
        self.chunks.append(octets)
        self.octets += len(octets)
        keys = [entry.key for entry in entries]
        self.first_key = min(self.first_key or keys[0], *keys)
        self.last_key = max(self.last_key, *keys)
        self.keys += packed(keys)
        self.count += len(entries)
        self.lsn = lsn
        esmes = self.esmes
        for entry in entries:
            esmes[entry.esme] = esmes.get(entry.esme, 0) + 1
            if self.aside:
                self.due_ns = min(self.due_ns or entry.due_ns, entry.due_ns)
            if isinstance(entry, Message) and entry.expires_ns:
                self.expires_ns = min(self.expires_ns or entry.expires_ns, entry.expires_ns)

    def holds(self, key: int) -> bool:
        """Whether an entry of this key may still be read back from here."""
        if self.gone is None or not self.first_key <= key <= self.last_key or key in self.gone:
            return False
        needle = packed([key])
        at = self.keys.find(needle)
        while at % len(needle):  # the end of one key and the beginning of the next
            if at < 0:
                return False
            at = self.keys.find(needle, at + 1)
        return True


class Backlog(Queue[EntryT]):
    """One queue, in the order of its entries' keys."""

    __slots__ = (
        "_behind",
        "_came_back",
        "_in_later_pages",
        "_in_pages",
        "_new_page",
        "coming",
        "later_pages",
        "loading",
        "name",
        "pages",
    )

    def __init__(self, name: str, new_page: Callable[[str, bool], Page]) -> None:
        """`new_page(queue, aside)` makes an empty page."""
        super().__init__()
        self.name = name
        self.pages: deque[Page] = deque()
        """Those that are still to be read back, behind the head, in the order of their first keys."""
        self._behind: list[EntryT] = []
        """Entries in memory whose keys are above the first page's first, in order."""
        self.later_pages: list[Page] = []
        """Those aside that are still to be read back, the one that is due first in front."""
        self.loading = False
        """Whether its next pages are being read."""
        self.coming = 0
        """Batches that are to stand at the end of the head once they are durable: pages come behind them."""
        self._came_back: set[int] = set()
        """Keys of what is aside in memory and was read back, since it is due soon."""
        self._new_page = new_page
        self._in_pages = self._in_later_pages = 0

    def __iter__(self) -> Iterator[EntryT]:
        """All entries in memory, with those aside."""
        return chain(super().__iter__(), self._behind)

    @property
    def waiting(self) -> int:
        """Entries that stand in the queue."""
        return len(self._head) + len(self._behind) + self._in_pages

    @property
    def deferred(self) -> int:
        """Entries that stand aside."""
        return len(self._aside) + self._in_later_pages

    @property
    def aside_in_memory(self) -> int:
        """Entries that stand aside in memory and in no page: a checkpoint could let them go."""
        return sum([entry.page is None for entry in self._aside.values()])

    def is_long(self, in_memory: int) -> bool:
        """Whether what comes to its end is kept as octets only; `in_memory`: how many entries of its kind are."""
        return bool(self.pages) or (in_memory >= MEMORY_MOST and len(self._head) >= HEAD_MOST)

    def spill(self, octets: bytes, entries: Sequence[EntryT], lsn: int) -> None:
        """Put entries at the end, as octets."""
        if not self.pages or self.pages[-1].is_full or self.pages[-1].chunks is None:
            self.pages.append(self._new_page(self.name, False))
        self.pages[-1].add(octets, entries, lsn)
        self._in_pages += len(entries)

    def give_back(self, entries: Iterable[EntryT]) -> None:
        """See `Queue.give_back`."""
        returned = list(entries)
        if self._came_back:
            self._came_back.difference_update([entry.key for entry in returned])
        if self.pages:
            first_key = self.pages[0].first_key
            behind = [entry for entry in returned if entry.key > first_key]
            if behind:
                self._behind = sorted([*self._behind, *behind], key=_KEY)
                returned = [entry for entry in returned if entry.key <= first_key]
        super().give_back(returned)

    def remove(self, keys: Collection[int]) -> list[EntryT]:
        """See `Queue.remove`; for those in memory."""
        removed = super().remove(keys)
        if self._behind:
            wanted = frozenset(keys)
            removed += [entry for entry in self._behind if entry.key in wanted]
            self._behind = [entry for entry in self._behind if entry.key not in wanted]
        if self._came_back:
            self._came_back.difference_update(keys)
        return removed

    def wake(self, now_ns: int, most: int = sys.maxsize) -> int | None:
        """See `Queue.wake`; the head grows no further than it may."""
        room = HEAD_MOST - len(self._head) - len(self._behind)
        next_ns = super().wake(now_ns, max(0, min(most, room)))
        if self.later_pages:
            due_ns = self.later_pages[0].due_ns
            next_ns = due_ns if next_ns is None else min(next_ns, due_ns)
        return next_ns

    # ---- pages ----------------------------------------------------------------------------------------------

    def wanted(self, durable_lsn: int, most: int) -> list[Page]:
        """Return the pages to be read back now: the head runs short, they are durable, and so is all before them."""
        if self.coming or len(self._head) >= HEAD_LEAST:
            return []
        wanted: list[Page] = []
        for page in self.pages:
            if len(wanted) == most or page.lsn > durable_lsn:
                break
            page.closed = True
            wanted.append(page)
        return wanted

    def wanted_aside(self, before_ns: int, most: int) -> list[Page]:
        """Return the pages aside that have something due by that moment, while little that is due soon came back."""
        if len(self._came_back) >= HEAD_MOST:
            return []
        return [page for page in self.later_pages[:most] if page.due_ns <= before_ns]

    def restore(self, page: Page, entries: Sequence[EntryT], before_ns: int) -> list[EntryT]:
        """Take a page back into memory, whose entries were read; return those that are not gone.

        Of a page aside only what is due by `before_ns`: the others stay on disk.
        """
        gone = page.gone
        assert gone is not None, "a page that is still to be read back"
        left = [entry for entry in entries if entry.key not in gone]
        due = [entry for entry in left if entry.due_ns <= before_ns] if page.aside else left
        for entry in due:
            entry.page = page
        if page.aside:
            self._restore_aside(page, due, [entry.due_ns for entry in left if entry.due_ns > before_ns])
        else:
            self._behind = sorted([*self._behind, *due], key=_KEY)
            self.drop_page(page)
        return due

    def _restore_aside(self, page: Page, due: list[EntryT], later_ns: list[int]) -> None:
        if later_ns:
            self.withdraw(page, [entry.key for entry in due])
            self.later_pages.remove(page)
            page.due_ns = min(later_ns)
            insort(self.later_pages, page, key=_DUE)
        else:
            self.drop_page(page)
        self.defer(due)
        self._came_back.update([entry.key for entry in due])

    def add_page(self, page: Page) -> None:
        """Take in a page that is still to be read back, where it belongs."""
        self._count(page, page.left)
        if page.aside:
            insort(self.later_pages, page, key=_DUE)
        else:
            insort(self.pages, page, key=_FIRST_KEY)

    def drop_page(self, page: Page) -> None:
        """Forget a page: nothing more is to be read back from it."""
        self._count(page, -page.left)
        page.gone = None
        page.keys.clear()
        if page.aside:
            self.later_pages.remove(page)
            return
        self.pages.remove(page)
        if self._behind:  # no page is in front of some of these any more
            count = bisect_left(self._behind, self.pages[0].first_key, key=_KEY) if self.pages else None
            self._head.extend(self._behind[:count])
            del self._behind[:count]

    def withdraw(self, page: Page, keys: Collection[int]) -> None:
        """Let entries of a page not be read back with it."""
        assert page.gone is not None, "a page that is still to be read back"
        before = page.left
        page.gone.update(keys)
        self._count(page, page.left - before)
        if not page.left:
            self.drop_page(page)

    def _count(self, page: Page, entries: int) -> None:
        if page.aside:
            self._in_later_pages += entries
        else:
            self._in_pages += entries

    def page_of(self, key: int) -> Page | None:
        """Return the page from which the entry of this key is still to be read back."""
        for page in (*self.pages, *self.later_pages):
            if page.holds(key):
                return page
        return None

    def evict(self, pages: Mapping[Page, Collection[int]]) -> list[EntryT]:
        """Let what is aside and stands in these pages, with all their keys, go from memory; return it."""
        evicted = [entry for entry in self._aside.values() if entry.page in pages]
        for entry in evicted:
            del self._aside[entry.key]
        for page, keys in pages.items():
            page.gone = set(keys)
        for entry in evicted:
            entry.page.gone.remove(entry.key)
        for page in pages:
            if page.left:
                self.add_page(page)
            else:
                page.gone = None
        return evicted
