"""A queue of a store in memory: first in, first out, in the order of keys, with what stands aside until its moment."""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from heapq import heapify, heappop, heappush
from itertools import chain
from operator import attrgetter
from typing import Final, Generic, TypeVar

from smppgw.store.entries import Delivery, Message

EntryT = TypeVar("EntryT", bound=Message | Delivery)
_KEY: Final = attrgetter("key")

_FEW: Final = 8
"""So many entries are put into, or taken out of, the middle of a queue one by one; more of them in one pass."""

_SLACK: Final = 64
"""So many moments of entries that stand aside no more may be kept beside as many as there are of the others."""


class Queue(Generic[EntryT]):
    """Messages of one lane, or what one ESME is owed."""

    __slots__ = ("_aside", "_head", "_moments")

    def __init__(self) -> None:
        self._head: deque[EntryT] = deque()
        self._aside: dict[int, EntryT] = {}
        self._moments: list[tuple[int, int]] = []
        """A heap of (due_ns, key); also of entries that were taken out, or put aside anew, since."""

    def __len__(self) -> int:
        """How many entries can be taken."""
        return len(self._head)

    def __iter__(self) -> Iterator[EntryT]:
        """All entries, with those aside."""
        return chain(self._head, self._aside.values())

    @property
    def deferred(self) -> int:
        """How many entries stand aside."""
        return len(self._aside)

    @property
    def first(self) -> EntryT | None:
        """The entry that leaves next."""
        return self._head[0] if self._head else None

    def add(self, entries: Iterable[EntryT]) -> None:
        """Put entries at the end: their keys are above those of all others."""
        self._head.extend(entries)

    def take(self, most: int) -> list[EntryT]:
        """Take out the first entries, at most `most`."""
        head = self._head
        if len(head) <= most:
            taken = list(head)
            head.clear()
            return taken
        return [head.popleft() for _ in range(most)]

    def give_back(self, entries: Iterable[EntryT]) -> None:
        """Put entries where their keys belong."""
        returned = sorted(entries, key=_KEY)
        head = self._head
        if not head or not returned or returned[-1].key < head[0].key:
            head.extendleft(reversed(returned))
        elif len(returned) <= _FEW:
            for entry in returned:
                head.insert(bisect_left(head, entry.key, key=_KEY), entry)
        else:
            self._head = deque(sorted(chain(head, returned), key=_KEY))

    def defer(self, entries: Iterable[EntryT]) -> None:
        """Put entries aside until their `due_ns`."""
        for entry in entries:
            self._aside[entry.key] = entry
            heappush(self._moments, (entry.due_ns, entry.key))
        if len(self._moments) > 2 * len(self._aside) + _SLACK:
            self._moments = [(entry.due_ns, entry.key) for entry in self._aside.values()]
            heapify(self._moments)

    def wake(self, now_ns: int, most: int = sys.maxsize) -> int | None:
        """Put what is due where its key belongs, at most so many; return when the next is due.

        None when nothing is aside.
        """
        moments, aside = self._moments, self._aside
        due: list[EntryT] = []
        while moments:
            due_ns, key = moments[0]
            entry = aside.get(key)
            if entry is not None and entry.due_ns == due_ns:
                if due_ns > now_ns or len(due) == most:
                    break
                del aside[key]
                entry.due_ns = 0
                due.append(entry)
            heappop(moments)
        if due:
            self.give_back(due)
        return moments[0][0] if moments else None

    def remove(self, keys: Collection[int]) -> list[EntryT]:
        """Take out the entries of these keys, aside or not, as far as they are here."""
        removed = [entry for key in keys if (entry := self._aside.pop(key, None)) is not None]
        head = self._head
        positions = set()
        for key in keys:
            position = bisect_left(head, key, key=_KEY)
            if position < len(head) and head[position].key == key:
                positions.add(position)
        removed += [head[position] for position in sorted(positions)]
        if len(positions) <= _FEW:
            for position in sorted(positions, reverse=True):
                del head[position]
        else:
            self._head = deque(entry for position, entry in enumerate(head) if position not in positions)
        return removed
