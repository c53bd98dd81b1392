"""A queue of a store in memory: first in, first out, in the order of keys, with what stands aside until its moment.

There may be very many of them, most with little in them: what is empty takes next to nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from heapq import heapify, heappop, heappush
from itertools import chain
from operator import attrgetter
from typing import Any, Final, Generic, TypeVar

from smppgw.store.entries import Delivery, Lane, Message

EntryT = TypeVar("EntryT", bound=Message | Delivery)
T = TypeVar("T", bound=Hashable)
_KEY: Final = attrgetter("key")

_FEW: Final = 8
"""So many entries are put into, or taken out of, the middle of a queue one by one; more of them in one pass."""

_SLACK: Final = 64
"""So many moments of entries that stand aside no more may be kept beside as many as there are of the others."""

_NOTHING: Final[deque[Any]] = deque(maxlen=0)
"""The head of queues that never had one; nothing can be put into it."""


def grouped(entries: Sequence[EntryT], owner_of: Callable[[EntryT], T]) -> Mapping[T, Sequence[EntryT]]:
    """Return entries by whose they are, in their order; hot path: what comes together is often of one."""
    owners = set(map(owner_of, entries))
    if len(owners) == 1:
        return {owners.pop(): entries}
    groups: defaultdict[T, list[EntryT]] = defaultdict(list)
    for entry in entries:
        groups[owner_of(entry)].append(entry)
    return groups


class Queue(Generic[EntryT]):
    """Messages of one lane, or what one ESME is owed."""

    __slots__ = ("_aside", "_moments", "_roused", "alarm_ns", "head", "lane")

    def __init__(self, lane: Lane | None = None, roused: list[Lane] | None = None) -> None:
        """`roused` gets the lane, which `roused` comes with, whenever the head has become other than empty."""
        self.lane = lane
        self._roused = roused
        self.head: deque[EntryT] = _NOTHING
        """What can be taken now, in order. It may be another object after whatever is done with the queue."""
        self._aside: dict[int, EntryT] = {}
        self._moments: list[tuple[int, int]] = []
        """A heap of (due_ns, key); also of entries that were taken out, or put aside anew, since."""
        self.alarm_ns = 0
        """Of `Alarms`: when the queue is to be looked at; 0 for never."""

    def __len__(self) -> int:
        """How many entries can be taken."""
        return len(self.head)

    def __iter__(self) -> Iterator[EntryT]:
        """All entries, with those aside."""
        return chain(self.head, self._aside.values())

    @property
    def waiting(self) -> int:
        """How many entries stand in the queue, without those aside."""
        return len(self.head)

    @property
    def deferred(self) -> int:
        """How many entries stand aside."""
        return len(self._aside)

    @property
    def is_empty(self) -> bool:
        """Whether nothing stands in it, nor aside."""
        return not self.head and not self._aside

    @property
    def first(self) -> EntryT | None:
        """The entry that leaves next."""
        return self.head[0] if self.head else None

    def add(self, entries: Collection[EntryT]) -> None:
        """Put entries at the end: their keys are above those of all others."""
        if self.head:
            self.head.extend(entries)
        elif entries:
            self._fill(entries)

    def take(self, most: int) -> list[EntryT]:
        """Take out the first entries, at most `most`."""
        head = self.head
        if len(head) <= most:
            taken = list(head)
            head.clear()
            return taken
        return [head.popleft() for _ in range(most)]

    def give_back(self, entries: Iterable[EntryT]) -> None:
        """Put entries where their keys belong: at the end, where these are above those of all others."""
        coming = sorted(entries, key=_KEY)
        if not coming:
            return
        head = self.head
        if not head:
            self._fill(coming)
        elif coming[0].key > head[-1].key:
            head.extend(coming)
        elif coming[-1].key < head[0].key:
            head.extendleft(reversed(coming))
        elif len(coming) <= _FEW:
            for entry in coming:
                head.insert(bisect_left(head, entry.key, key=_KEY), entry)
        else:
            self.head = deque(sorted(chain(head, coming), key=_KEY))

    def _fill(self, entries: Iterable[EntryT]) -> None:
        if self.head is _NOTHING:
            self.head = deque(entries)
        else:
            self.head.extend(entries)
        self._rouse()

    def _rouse(self) -> None:
        if self._roused is not None and self.lane is not None:
            self._roused.append(self.lane)

    def defer(self, entries: Iterable[EntryT]) -> None:
        """Put entries aside until their `due_ns`."""
        for entry in entries:
            self._aside[entry.key] = entry
            heappush(self._moments, (entry.due_ns, entry.key))
        if len(self._moments) > 2 * len(self._aside) + _SLACK:
            self._moments = [(entry.due_ns, entry.key) for entry in self._aside.values()]
            heapify(self._moments)

    def next_ns(self) -> int | None:
        """Return when the next entry aside is due; None when nothing is aside."""
        moments, aside = self._moments, self._aside
        while moments:
            due_ns, key = moments[0]
            entry = aside.get(key)
            if entry is not None and entry.due_ns == due_ns:
                return due_ns
            heappop(moments)
        return None

    def wake(self, now_ns: int) -> int | None:
        """Put what is due where its key belongs; return when the next is due, None when nothing is aside."""
        due: list[EntryT] = []
        while (next_ns := Queue.next_ns(self)) is not None and next_ns <= now_ns:
            _, key = heappop(self._moments)
            entry = self._aside.pop(key)
            entry.due_ns = 0
            due.append(entry)
        if due:
            self.give_back(due)
        return next_ns

    def remove(self, keys: Collection[int]) -> list[EntryT]:
        """Take out the entries of these keys, aside or not, as far as they are here."""
        removed = [entry for key in keys if (entry := self._aside.pop(key, None)) is not None]
        head = self.head
        positions = set()
        for key in keys:
            position = bisect_left(head, key, key=_KEY)
            if position < len(head) and head[position].key == key:
                positions.add(position)
        removed += [head[position] for position in sorted(positions)]
        if 0 in positions:
            self._rouse()
        if len(positions) <= _FEW:
            for position in sorted(positions, reverse=True):
                del head[position]
        else:
            self.head = deque(entry for position, entry in enumerate(head) if position not in positions)
        return removed
