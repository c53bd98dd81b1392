"""Who is next among those who wait: by rank, but never none of the last; in equal shares within a rank."""

from __future__ import annotations

from collections import deque
from typing import Final, Generic, Protocol, TypeVar

RANKS: Final = 3
FLOOR: Final = 10
"""Of so many turns one is of a lower rank, where somebody of a lower rank waits."""


class Waiting(Protocol):
    """What takes turns."""

    rank: int
    """0 leaves before 1, and 1 before 2."""
    esme: str
    """Of one rank, each of these has as many turns as any other."""


WaitingT = TypeVar("WaitingT", bound=Waiting)


class _Ring(Generic[WaitingT]):
    """Those of one rank: ESMEs in turn, and of each ESME its own in turn."""

    __slots__ = ("count", "esmes", "of")

    def __init__(self) -> None:
        self.esmes: deque[str] = deque()
        self.of: dict[str, deque[WaitingT]] = {}
        self.count = 0

    def add(self, each: WaitingT) -> None:
        own = self.of.get(each.esme)
        if own is None:
            self.of[each.esme] = deque((each,))
            self.esmes.append(each.esme)
        else:
            own.append(each)
        self.count += 1

    def first(self) -> WaitingT:
        return self.of[self.esmes[0]][0]

    def pop(self) -> WaitingT:
        esme = self.esmes[0]
        own = self.of[esme]
        each = own.popleft()
        if not own:
            del self.of[esme]
            self.esmes.popleft()
        elif len(self.esmes) > 1:
            self.esmes.rotate(-1)
        self.count -= 1
        return each


class Turns(Generic[WaitingT]):
    """Those who wait for one thing. Each is in it once at most, which is for the caller to see to."""

    __slots__ = ("_passed", "_rings")

    def __init__(self) -> None:
        self._rings: tuple[_Ring[WaitingT], ...] = tuple(_Ring() for _ in range(RANKS))
        self._passed = [0] * RANKS
        """By rank: turns of higher ones while somebody of this one waited, since it had one itself."""

    def __len__(self) -> int:
        return sum([ring.count for ring in self._rings])

    def __bool__(self) -> bool:
        first, second, third = self._rings
        return bool(first.count or second.count or third.count)

    def add(self, each: WaitingT) -> None:
        """Let one wait, behind the others of its rank and ESME."""
        self._rings[each.rank].add(each)

    def count(self, rank: int) -> int:
        """Return how many of a rank wait."""
        return self._rings[rank].count

    def peek(self) -> WaitingT | None:
        """Return who is next; None where nobody waits."""
        ring = self._next()
        return None if ring is None else self._rings[ring].first()

    def pop(self) -> WaitingT:
        """Take out who is next. Raises IndexError where nobody waits."""
        rank = self._next()
        if rank is None:
            raise IndexError("nobody waits")
        passed = self._passed
        passed[rank] = 0
        for lower in range(rank + 1, RANKS):
            if self._rings[lower].count:
                passed[lower] += 1
        return self._rings[rank].pop()

    def _next(self) -> int | None:
        """Return the rank that is next: one that was passed over often, the lowest first, else the highest."""
        rings, passed = self._rings, self._passed
        for rank in range(RANKS - 1, 0, -1):
            if passed[rank] >= FLOOR - 1 and rings[rank].count:
                return rank
        for rank, ring in enumerate(rings):
            if ring.count:
                return rank
        return None
