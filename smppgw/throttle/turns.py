"""Who is next among those who wait: by rank, but never none of the last; in equal shares within a rank.

Every number may have its own, so those of one or a few who wait are small; a turn costs the same however many wait.
"""

from __future__ import annotations

from collections import deque
from typing import Final, Generic, Protocol, TypeAlias, TypeVar

RANKS: Final = 3
FLOOR: Final = 10
"""Of so many turns one is of a lower rank, where somebody of a lower rank waits."""

FEW: Final = 8
"""As many are kept in a list: it is a tenth of an empty deque's size, and as quick."""


class Waiting(Protocol):
    """What takes turns."""

    rank: int
    """0 leaves before 1, and 1 before 2."""
    esme: str
    """Of one rank, each of these has as many turns as any other."""


WaitingT = TypeVar("WaitingT", bound=Waiting)
ItemT = TypeVar("ItemT")

_Row: TypeAlias = list[ItemT] | deque[ItemT]
"""First in, first out: both kinds give up their first by `del row[0]`."""


def _joined(row: _Row[ItemT], item: ItemT) -> _Row[ItemT]:
    """Put one at the end; return the row, which becomes a deque when it is long."""
    row.append(item)
    return deque(row) if len(row) > FEW and isinstance(row, list) else row


class _Ring(Generic[WaitingT]):
    """Those of one rank: ESMEs in turn, and of each ESME its own in turn."""

    __slots__ = ("count", "esmes", "of")

    def __init__(self) -> None:
        self.esmes: _Row[str] = []
        self.of: dict[str, _Row[WaitingT]] = {}
        self.count = 0

    def add(self, each: WaitingT) -> None:
        esme = each.esme
        own = self.of.get(esme)
        if own is None:
            self.esmes = _joined(self.esmes, esme)
            self.of[esme] = [each]
        else:
            self.of[esme] = _joined(own, each)
        self.count += 1

    def first(self) -> WaitingT:
        return self.of[self.esmes[0]][0]

    def pop(self) -> WaitingT:
        esme = self.esmes[0]
        own = self.of[esme]
        each = own[0]
        del self.esmes[0]
        if len(own) > 1:
            del own[0]
            self.esmes.append(esme)
        else:
            del self.of[esme]
        self.count -= 1
        return each


class Turns(Generic[WaitingT]):
    """Those who wait for one thing. Each is in it once at most, which is for the caller to see to."""

    __slots__ = ("_floored", "_only", "_passed", "_rings")

    def __init__(self) -> None:
        self._only: WaitingT | None = None
        """Who waits, as long as nobody else has; then there are no rings."""
        self._rings: tuple[_Ring[WaitingT], ...] | None = None
        """By rank."""
        self._passed = 0
        """How many of the first rank have had a turn one after another while somebody of a lower one waited."""
        self._floored = 0
        """Which lower rank had a turn last before its time: where two wait, the other one is next."""

    def __len__(self) -> int:
        if self._rings is None:
            return int(self._only is not None)
        return sum([ring.count for ring in self._rings])

    def __bool__(self) -> bool:
        return self._only is not None or self._rings is not None

    def add(self, each: WaitingT) -> None:
        """Let one wait, behind the others of its rank and ESME."""
        if self._rings is None:
            if self._only is None:
                self._only = each
                return
            self._rings = tuple([_Ring() for _ in range(RANKS)])
            self._rings[self._only.rank].add(self._only)
            self._only = None
        self._rings[each.rank].add(each)

    def count(self, rank: int) -> int:
        """Return how many of a rank wait."""
        if self._rings is None:
            return int(self._only is not None and self._only.rank == rank)
        return self._rings[rank].count

    def peek(self) -> WaitingT | None:
        """Return who is next; None where nobody waits."""
        if self._rings is None:
            return self._only
        return self._rings[self._next(self._rings)[0]].first()

    def pop(self) -> WaitingT:
        """Take out who is next. Raises IndexError where nobody waits."""
        rings = self._rings
        if rings is None:
            if self._only is None:
                raise IndexError("nobody waits")
            each, self._only = self._only, None
            return each
        rank, lower = self._next(rings)
        if lower is None:
            self._passed = 0
        elif rank == lower:
            self._passed, self._floored = 0, rank
        else:
            self._passed += 1
        each = rings[rank].pop()
        if not (rings[0].count or rings[1].count or rings[2].count):
            self._rings, self._passed, self._floored = None, 0, 0
        return each

    def _next(self, rings: tuple[_Ring[WaitingT], ...]) -> tuple[int, int | None]:
        """Return the rank that is next, and the lower one that is after FLOOR - 1 turns of the first; None for none."""
        first = 0
        while not rings[first].count:
            first += 1
        lower = [rank for rank in range(RANKS - 1, first, -1) if rings[rank].count]
        if not lower:
            return first, None
        chosen = lower[-1] if lower[0] == self._floored else lower[0]
        return (chosen if self._passed >= FLOOR - 1 else first), chosen
