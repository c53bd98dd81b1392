"""One queue of the durable store: its head in memory, the rest of it on disk, in pages.

The head is what is handed out next. Once it is long, what comes behind it is kept as octets only: chunks of the log's
own records gather in a page, which stays in memory until a checkpoint has it in the ledger. A page comes back when
the head runs short. So memory holds some thousand entries of a queue of any length.

What is aside until its moment stands in a heap, or, when that moment is far, in pages too.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Final, Generic, TypeVar

from smppgw.store.entries import Delivery, Message

EntryT = TypeVar("EntryT", Message, Delivery)

HEAD_MOST: Final = 4096
"""Entries of the head, as far as it is filled from the end of the queue or from pages."""
HEAD_LEAST: Final = 2048
"""Below it, the next page is called for."""
PAGE_ENTRIES: Final = 256
PAGE_OCTETS: Final = 64 * 1024
"""A page is closed when it has that much, whichever comes first."""

_KEY: Final = attrgetter("key")


class Page:
    """Entries of one queue that stand on disk together."""

    __slots__ = (
        "aside",
        "chunks",
        "count",
        "dead",
        "due_ns",
        "esmes",
        "expires_ns",
        "first_key",
        "folded",
        "gone",
        "id",
        "last_key",
        "lsn",
        "octets",
        "queue",
    )

    def __init__(self, page_id: int, queue: str, *, aside: bool = False) -> None:
        self.id = page_id
        """Its number in the ledger."""
        self.queue = queue
        """The queue's name in the ledger."""
        self.aside = aside
        """Whether what is in it waits for its moment."""
        self.first_key = self.last_key = 0
        self.count = 0
        self.octets = 0
        self.due_ns = self.expires_ns = 0
        """The lowest of its entries; 0 where none has one."""
        self.esmes: dict[str, int] = {}
        """How many of its entries each ESME has."""
        self.chunks: list[bytes] | None = []
        """Its records while it is in memory; None when they are in the ledger alone."""
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
        return self.folded or self.count >= PAGE_ENTRIES or self.octets >= PAGE_OCTETS

    def add(self, octets: bytes, entries: Sequence[Message] | Sequence[Delivery], lsn: int) -> None:
        """Put a record of entries at its end."""
        assert self.chunks is not None, "a page that is in memory"
        self.chunks.append(octets)
        self.octets += len(octets)
        self.first_key = self.first_key or entries[0].key
        self.last_key = entries[-1].key
        self.count += len(entries)
        self.lsn = lsn
        esmes = self.esmes
        for entry in entries:
            esmes[entry.esme] = esmes.get(entry.esme, 0) + 1
            if entry.due_ns:
                self.due_ns = min(self.due_ns or entry.due_ns, entry.due_ns)
            if isinstance(entry, Message) and entry.expires_ns:
                self.expires_ns = min(self.expires_ns or entry.expires_ns, entry.expires_ns)

    def holds(self, key: int) -> bool:
        """Whether an entry of this key may still be read back from here."""
        return self.gone is not None and self.first_key <= key <= self.last_key and key not in self.gone


class Backlog(Generic[EntryT]):
    """One queue, in the order of its entries' keys."""

    def __init__(self, name: str, new_page: Callable[[str, bool], Page]) -> None:
        """`new_page(queue, aside)` makes an empty page."""
        self.name = name
        self.head: deque[EntryT] = deque()
        self.pages: deque[Page] = deque()
        """Those that are still to be read back, behind the head."""
        self.later: list[tuple[int, int, EntryT]] = []
        """A heap of what is aside: (due_ns, key, entry)."""
        self.later_pages: list[Page] = []
        """Those aside that are still to be read back, the one that is due first in front."""
        self.loading = False
        """Whether its next pages are being read."""
        self._new_page = new_page
        self._in_pages = self._in_later_pages = 0

    # ---- counts ---------------------------------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        """Entries that stand in the queue."""
        return len(self.head) + self._in_pages

    @property
    def deferred(self) -> int:
        """Entries that stand aside."""
        return len(self.later) + self._in_later_pages

    @property
    def is_long(self) -> bool:
        """Whether what comes to its end is kept as octets only."""
        return bool(self.pages) or len(self.head) >= HEAD_MOST

    # ---- entries in memory ----------------------------------------------------------------------------------

    def add(self, entries: Iterable[EntryT]) -> None:
        """Put entries at the end."""
        self.head.extend(entries)

    def spill(self, octets: bytes, entries: Sequence[EntryT], lsn: int) -> None:
        """Put entries at the end, as octets."""
        if not self.pages or self.pages[-1].is_full or self.pages[-1].chunks is None:
            self.pages.append(self._new_page(self.name, False))
        self.pages[-1].add(octets, entries, lsn)
        self._in_pages += len(entries)

    def take(self, most: int) -> list[EntryT]:
        """Hand out entries of the head, at most so many."""
        head = self.head
        if len(head) <= most:
            taken = list(head)
            head.clear()
            return taken
        return [head.popleft() for _ in range(most)]

    def give_back(self, entries: list[EntryT]) -> None:
        """Put entries that were handed out back where they stood."""
        entries.sort(key=_KEY)
        head = self.head
        ahead: list[EntryT] = []
        while head and head[0].key < entries[-1].key:
            ahead.append(head.popleft())
        head.extendleft(reversed(list(heapq.merge(ahead, entries, key=_KEY))))

    def defer(self, entries: Iterable[EntryT]) -> None:
        """Put entries aside until they are due."""
        for entry in entries:
            heapq.heappush(self.later, (entry.due_ns, entry.key, entry))

    def wake(self, now_ns: int) -> None:
        """Put what is due back in its place, as far as the head has room."""
        due: list[EntryT] = []
        room = HEAD_MOST - len(self.head)
        while self.later and self.later[0][0] <= now_ns and len(due) < room:
            entry = heapq.heappop(self.later)[2]
            entry.due_ns = 0
            due.append(entry)
        if due:
            self.give_back(due)

    def discard(self, keys: Collection[int]) -> list[EntryT]:
        """Take entries out wherever in memory they stand; return them."""
        found = [entry for entry in self.head if entry.key in keys]
        if found:
            self.head = deque([entry for entry in self.head if entry.key not in keys])
        aside = [entry for _, key, entry in self.later if key in keys]
        if aside:
            self.later = [each for each in self.later if each[1] not in keys]
            heapq.heapify(self.later)
        return found + aside

    # ---- pages ----------------------------------------------------------------------------------------------

    def wanted(self, durable_lsn: int, most: int) -> list[Page]:
        """Return the pages to be read back now: the head runs short, and they are durable."""
        if len(self.head) >= HEAD_LEAST:
            return []
        wanted: list[Page] = []
        for page in self.pages:
            if len(wanted) == most or page.lsn > durable_lsn:
                break
            wanted.append(page)
        return wanted

    def wanted_aside(self, before_ns: int, most: int) -> list[Page]:
        """Return the pages aside that have something due before that moment, while few are in memory."""
        if len(self.later) >= HEAD_MOST:
            return []
        return [page for page in self.later_pages[:most] if page.due_ns <= before_ns]

    def restore(self, page: Page, entries: list[EntryT]) -> list[EntryT]:
        """Take a page back into memory, whose entries were read; return those that are not gone."""
        gone = page.gone
        assert gone is not None, "a page that is still to be read back"
        left = [entry for entry in entries if entry.key not in gone] if gone else entries
        for entry in left:
            entry.page = page
        self.drop_page(page)
        if page.aside:
            self.defer(left)
        else:
            self.head.extend(left)
        return left

    def add_page(self, page: Page) -> None:
        """Take in a page that is still to be read back, where it belongs."""
        self._count(page, page.left)
        if page.aside:
            self.later_pages.append(page)
            self.later_pages.sort(key=lambda each: each.due_ns)
        elif self.pages and self.pages[-1].first_key > page.first_key:
            self.pages = deque(sorted([*self.pages, page], key=lambda each: each.first_key))
        else:
            self.pages.append(page)

    def drop_page(self, page: Page) -> None:
        """Forget a page: nothing more is to be read back from it."""
        self._count(page, -page.left)
        page.gone = None
        (self.later_pages if page.aside else self.pages).remove(page)

    def withdraw(self, page: Page, keys: Collection[int]) -> None:
        """Let entries of a page not be read back with it."""
        assert page.gone is not None, "a page that is still to be read back"
        before = page.left
        page.gone.update(keys)
        self._count(page, page.left - before)
        if not page.left and page.is_full:
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
        kept: list[tuple[int, int, EntryT]] = []
        evicted: list[EntryT] = []
        for each in self.later:
            if each[2].page in pages:
                evicted.append(each[2])
            else:
                kept.append(each)
        self.later = kept
        heapq.heapify(self.later)
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
