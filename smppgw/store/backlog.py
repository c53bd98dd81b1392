"""One queue of the durable store: its head in memory, the rest of it on disk, in pages.

The head is what is handed out next. Once it is long, what comes behind it is kept as octets only: chunks of the log's
own records gather in a page, which stays in memory until a checkpoint has it in the ledger. A page comes back when
the head runs short. So memory holds some thousand entries of a queue of any length; of each of very many, a few.

What is in memory, and belongs behind what is still on disk, waits beside the head until that is back.

What is aside until its moment stands in a heap, or, when that moment is far, in pages too.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from operator import attrgetter
from typing import Final, TypeVar

from smppgw.store.entries import Delivery, Lane, Message
from smppgw.store.page import ESME, LANE, Page
from smppgw.store.queue import Queue

EntryT = TypeVar("EntryT", bound=Message | Delivery)
_KEY: Final = attrgetter("key")
_FIRST_KEY: Final = attrgetter("first_key")
_DUE: Final = attrgetter("due_ns")

MEMORY_MOST: Final = 40_000
"""With so many entries of a kind in memory, some 20 MiB, what comes to a long queue goes to disk."""
HEAD_MOST: Final = 4096
HEAD_LEAST: Final = 8
"""Of what is in memory, each queue in which something stands has the same share, within these bounds: a head that is
longer is not added to, and one of half of it is filled up from pages."""


READ_MOST: Final = 1024
"""Entries that are read back in one go, and pages aside of which..."""
LATER_PAGES_MOST: Final = 4
"""...only some entries may be due."""


def share_of(queues: int) -> int:
    """Return how many entries of each of so many queues may be in memory where queues are long."""
    return max(HEAD_LEAST, min(HEAD_MOST, MEMORY_MOST // max(1, queues)))


class Backlog(Queue[EntryT]):
    """One queue, in the order of its entries' keys."""

    __slots__ = (
        "_behind",
        "_came_back",
        "_in_later_pages",
        "_in_pages",
        "_kept_as",
        "later_pages",
        "loading",
        "pages",
    )

    def __init__(self, of: Lane | str, roused: list[Lane] | None = None) -> None:
        """`of`: a lane, or an ESME; `roused`: see `Queue`."""
        super().__init__(of if isinstance(of, Lane) else None, roused)
        self._kept_as = ESME + of if isinstance(of, str) else ""
        self.pages: list[Page] = []
        """Those that are still to be read back, behind the head, in the order of their first keys."""
        self._behind: list[EntryT] = []
        """Entries in memory whose keys are above the first page's first, in order."""
        self.later_pages: list[Page] = []
        """Those aside that are still to be read back, the one that is due first in front."""
        self.loading = False
        """Whether its next pages are being read."""
        self._came_back: set[int] | None = None
        """Keys of what is aside in memory and was read back, since it is due soon."""
        self._in_pages = self._in_later_pages = 0

    def __iter__(self) -> Iterator[EntryT]:
        """All entries in memory, with those aside."""
        return chain(super().__iter__(), self._behind)

    @property
    def name(self) -> str:
        """What its pages are called in the ledger."""
        return self._kept_as if self.lane is None else LANE + self.lane.name

    @property
    def waiting(self) -> int:
        """See `Queue.waiting`; also those on disk."""
        return len(self.head) + len(self._behind) + self._in_pages

    @property
    def deferred(self) -> int:
        """See `Queue.deferred`; also those on disk."""
        return len(self._aside) + self._in_later_pages

    @property
    def is_empty(self) -> bool:
        """See `Queue.is_empty`."""
        return not (self.head or self._aside or self._behind or self.pages or self.later_pages)

    def is_long(self, share: int, *, full: bool) -> bool:
        """Whether what comes to its end is kept as octets only; `full`: so much is in memory that shares count."""
        return bool(self.pages) or (full and len(self.head) >= share)

    def give_back(self, entries: Iterable[EntryT]) -> None:
        """See `Queue.give_back`; what belongs behind pages stands beside them."""
        if self._came_back or self.pages:
            entries = list(entries)
        if self._came_back:
            self._came_back.difference_update([entry.key for entry in entries])
        if self.pages:
            first_key = self.pages[0].first_key
            behind = [entry for entry in entries if entry.key > first_key]
            if behind:
                self._behind = sorted([*self._behind, *behind], key=_KEY)
                entries = [entry for entry in entries if entry.key <= first_key]
        super().give_back(entries)

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

    def next_ns(self) -> int | None:
        """See `Queue.next_ns`."""
        next_ns = super().next_ns()
        if self.later_pages:
            due_ns = self.later_pages[0].due_ns
            return due_ns if next_ns is None else min(next_ns, due_ns)
        return next_ns

    # ---- pages ----------------------------------------------------------------------------------------------

    def spill(self, page: Page, octets: bytes, entries: Sequence[EntryT], lsn: int) -> None:
        """Put entries at the end, as octets, into a page that is the last one, or is to be."""
        page.add(octets, entries, lsn)
        self._in_pages += len(entries)
        if not self.pages or self.pages[-1] is not page:
            page.queue = self
            self.pages.append(page)

    def wanted(self, durable_lsn: int, share: int) -> list[Page]:
        """Return the pages to be read back now: the head runs short, they are durable, and so is all before them."""
        head = len(self.head)
        if head >= (share + 1) // 2:
            return []
        entries = min(share - head, READ_MOST)
        wanted: list[Page] = []
        for page in self.pages:
            if entries <= 0 or page.lsn > durable_lsn:
                break
            page.closed = True
            wanted.append(page)
            entries -= page.left
        return wanted

    def wanted_aside(self, before_ns: int, share: int) -> list[Page]:
        """Return the pages aside that have something due by that moment, while little that is due soon came back."""
        room = share - len(self.head) - len(self._behind) - len(self._came_back or ())
        wanted: list[Page] = []
        for page in self.later_pages:
            if room <= 0 or page.due_ns > before_ns or len(wanted) == LATER_PAGES_MOST:
                break
            wanted.append(page)
            room -= page.left
        return wanted

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
        if self._came_back is None:
            self._came_back = set()
        self._came_back.update([entry.key for entry in due])

    def add_page(self, page: Page) -> None:
        """Take in a page that is still to be read back, where it belongs."""
        page.queue = self
        self._count(page, page.left)
        if page.aside:
            insort(self.later_pages, page, key=_DUE)
        else:
            insort(self.pages, page, key=_FIRST_KEY)

    def drop_page(self, page: Page) -> None:
        """Forget a page: nothing more is to be read back from it."""
        self._count(page, -page.left)
        page.gone = None
        page.keys = b""
        if page.aside:
            self.later_pages.remove(page)
            return
        self.pages.remove(page)
        if self._behind:  # no page is in front of some of these any more
            count = bisect_left(self._behind, self.pages[0].first_key, key=_KEY) if self.pages else None
            self.add(self._behind[:count])
            del self._behind[:count]

    def withdraw(self, page: Page, keys: Collection[int]) -> None:
        """Let entries of a page not be read back with it."""
        before = page.left
        page.withdraw(keys)
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
        left = {page: set(keys) for page, keys in pages.items()}
        for entry in evicted:
            left[entry.page].remove(entry.key)
        for page, gone in left.items():
            page.gone = gone
            if page.left:
                self.add_page(page)
            else:
                page.gone = None
        return evicted
