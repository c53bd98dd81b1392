"""What is held on one shelf: requests of carriers that wait for something else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from smppgw.store.entries import Held


class Holding:
    """Entries by what they are held under, those under the same together, the oldest first."""

    __slots__ = ("_groups", "count")

    def __init__(self) -> None:
        self._groups: dict[bytes, list[Held]] = {}
        """In the order in which the first of each came."""
        self.count = 0
        """How many entries there are."""

    def put(self, entries: Sequence[Held]) -> None:
        """Keep entries."""
        groups = self._groups
        for entry in entries:
            group = groups.get(entry.under)
            if group is None:
                groups[entry.under] = [entry]
            else:
                group.append(entry)
        self.count += len(entries)

    def under(self, name: bytes) -> Sequence[Held]:
        """Return what is held under that, the oldest first."""
        return self._groups.get(name, ())

    def release(self, names: Iterable[bytes]) -> list[Held]:
        """Take out what is held under these, for each the oldest first."""
        released: list[Held] = []
        if self._groups:
            for name in names:
                released += self._groups.pop(name, ())
            self.count -= len(released)
        return released

    def above(self, most: int) -> list[bytes]:
        """Return under what stands that which has to go for no more than `most` to be left, the oldest first."""
        names: list[bytes] = []
        left = self.count
        for name, group in self._groups.items():
            if left <= most:
                break
            names.append(name)
            left -= len(group)
        return names

    def oldest(self, before_ns: int, most: int) -> list[Held]:
        """Return what is held under the same as an entry that came before that moment, until it is `most` or more."""
        entries: list[Held] = []
        for name in self.before(before_ns):
            if len(entries) >= most:
                break
            entries += self._groups[name]
        return entries

    def before(self, moment_ns: int) -> list[bytes]:
        """Return under what there are entries that came before that moment."""
        return [
            name
            for name, group in self._groups.items()
            if any([entry.received_ns < moment_ns for entry in group])  # noqa: C419 - faster so
        ]


class KnownHolding(Holding):
    """What is held on one shelf, and what the ledger knows of it."""

    __slots__ = ("_folded", "_grown", "_released")

    def __init__(self) -> None:
        super().__init__()
        self._folded: dict[bytes, int] = {}
        """How many of those under the same the ledger has: they are the oldest."""
        self._grown: dict[bytes, None] = {}
        """Under what there are some that it does not have."""
        self._released: list[bytes] = []
        """Under what it has some that it is to forget."""

    def put(self, entries: Sequence[Held]) -> None:
        """See `Holding.put`."""
        super().put(entries)
        self._grown.update(dict.fromkeys([entry.under for entry in entries]))

    def take_over(self, entry: Held) -> None:
        """Keep one that the ledger has."""
        super().put([entry])
        self._folded[entry.under] = self._folded.get(entry.under, 0) + 1

    def release(self, names: Iterable[bytes]) -> list[Held]:
        """See `Holding.release`."""
        released = super().release(names)
        for name in dict.fromkeys([entry.under for entry in released]):
            self._grown.pop(name, None)
            if self._folded.pop(name, 0):
                self._released.append(name)
        return released

    def checkpoint(self) -> tuple[list[Held], list[bytes]]:
        """Hand out what the ledger is to take in, and, before that, what it is to forget."""
        new: list[Held] = []
        for name in self._grown:
            group = self._groups[name]
            new += group[self._folded.get(name, 0) :]
            self._folded[name] = len(group)
        self._grown = {}
        released, self._released = self._released, []
        return new, released


class Shelves:
    """What is held, by shelf; see `Store` for what each method does."""

    __slots__ = ("_shelves",)

    def __init__(self) -> None:
        self._shelves: defaultdict[str, Holding] = defaultdict(Holding)

    def shelves(self) -> list[str]:
        """See `Store.shelves`."""
        return [name for name, holding in self._shelves.items() if holding.count]

    def hold(self, shelf: str, entries: Sequence[Held], most: int) -> list[Held]:
        """See `Store.hold`."""
        holding = self._shelves[shelf]
        holding.put(entries)
        return holding.release(holding.above(most))

    def held(self, shelf: str, under: bytes) -> Sequence[Held]:
        """See `Store.held`."""
        return self._shelves[shelf].under(under)

    def holds(self, shelf: str) -> int:
        """See `Store.holds`."""
        return self._shelves[shelf].count

    def held_before(self, shelf: str, before_ns: int, most: int) -> list[Held]:
        """See `Store.held_before`."""
        return self._shelves[shelf].oldest(before_ns, most)

    def release(self, shelf: str, under: Sequence[bytes]) -> list[Held]:
        """See `Store.release`."""
        return self._shelves[shelf].release(under)

    def expire_held(self, shelf: str, before_ns: int) -> list[Held]:
        """See `Store.expire_held`."""
        holding = self._shelves[shelf]
        return holding.release(holding.before(before_ns))
