"""What the load and the sink know together: who promised what to whom, and what has come of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Literal, NamedTuple, TypeAlias

Event: TypeAlias = Literal["bound", "accepted", "refused", "sent", "arrived", "kept", "reported", "replied"]
"""bound: a carrier's bind stands; accepted, refused: the gateway answered a submit_sm; sent: one segment came to the
carrier, whatever it answered; arrived: the carrier took a message; kept: the gateway answered a receipt with ESME_ROK;
reported: a receipt came to the ESME; replied: so did a message of a handset."""


class Accepted(NamedTuple):
    """A message that the gateway has answered with ESME_ROK."""

    message_id: bytes
    life: int


class Book:
    """The book of one data directory, over all lives of the gateway. Messages go by their serial numbers."""

    def __init__(self) -> None:
        self.life = 0
        """How often a gateway was started; what happens on a connection belongs to the life that it was made in."""
        self.accepted: dict[int, Accepted] = {}
        self.refused: dict[int, int] = {}
        """The command_status of each."""
        self.doubtful: set[int] = set()
        """Sent, and not answered when the connection ended. They are not sent again."""
        self.arrivals: defaultdict[int, list[int]] = defaultdict(list)
        """The life of the gateway at each arrival at the carrier."""
        self.rejected: set[int] = set()
        """What the carrier has refused for good."""
        self.exposed: Counter[int] = Counter()
        """How often a message was the carrier's and still in its window, as far as it could tell, at an end."""
        self.kept: dict[bytes, int] = {}
        """The carrier's ids of the receipts that the gateway has answered with ESME_ROK, and their messages."""
        self.reported: defaultdict[int, Counter[bytes]] = defaultdict(Counter)
        """The message_ids that receipts at the ESME had."""
        self.replies_kept: set[int] = set()
        """The messages of handsets that the gateway has answered with ESME_ROK."""
        self.replies: Counter[int] = Counter()
        """How often each came to the ESME."""
        self.oddities: list[str] = []
        """What was seen that must never be, in a sentence each."""
        self._counts: Counter[Event] = Counter()
        self._watches: list[tuple[Event, int, Callable[[], object]]] = []

    def count(self, event: Event, times: int = 1) -> None:
        """Something has happened once more, or so many times at once."""
        self._counts[event] += times
        for watch in self._watches:
            if watch[0] == event and watch[1] <= self._counts[event]:
                self._watches.remove(watch)
                watch[2]()
                break

    def counted(self, event: Event) -> int:
        """How often it has happened."""
        return self._counts[event]

    def when(self, event: Event, more: int, do: Callable[[], object]) -> None:
        """Do something at once, in the middle of whatever goes on, when it has happened so often from now on."""
        self._watches.append((event, self._counts[event] + more, do))

    def forget(self) -> None:
        """Do nothing of what was asked for by `when` and has not come about."""
        self._watches.clear()

    @property
    def complete(self) -> bool:
        """Whether all that was promised has come about."""
        return (
            all(serial in self.reported for serial in self.accepted)
            and all(serial in self.arrivals or serial in self.rejected for serial in self.accepted)
            and self.replies_kept <= self.replies.keys()
        )

    def summary(self) -> str:
        """The figures in a line."""
        copies = sum(map(len, self.arrivals.values())) - len(self.arrivals)
        repeats = sum(ids.total() for ids in self.reported.values()) - len(self.reported)
        return (
            f"lives {self.life}, accepted {len(self.accepted)}, refused {len(self.refused)}, "
            f"in doubt {len(self.doubtful)}, arrived {len(self.arrivals)} and {copies} copies, "
            f"rejected {len(self.rejected)}, replies kept {len(self.replies_kept)}, "
            f"receipts kept {len(self.kept)}, reported {len(self.reported)} and {repeats} repeats"
        )
