"""What waits in lanes, added up in one walk over those in which something stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Final

from smppgw.lines import Line
from smppgw.routing import LANES

_LOOKED_AT: Final = 16
"""So many messages of a lane say how many segments those behind them have."""


class Depths:
    """What waits in the three lanes of all senders together, and of campaigns."""

    __slots__ = ("deferred", "of_campaigns", "oldest_ns", "waiting")

    def __init__(self, lines: Iterable[Line], campaigns: Mapping[str, str]) -> None:
        """`campaigns` are the ids of those that are to be counted, by their numbers; it may be empty."""
        self.waiting = [0] * len(LANES)
        """By rank. Without what stands aside."""
        self.oldest_ns: list[int | None] = [None] * len(LANES)
        """By rank: when the oldest of what leaves next was accepted."""
        self.deferred = 0
        """How many messages stand aside until they are due."""
        self.of_campaigns: dict[str, int] = {}
        """By id, with what stands aside; campaigns of which nothing waits are not among them."""
        waiting, oldest_ns, of_campaigns = self.waiting, self.oldest_ns, self.of_campaigns
        for line in lines:
            queue = line.queue
            if queue is None:
                continue
            count, aside, first, rank = queue.waiting, queue.deferred, queue.first, line.rank
            waiting[rank] += count
            self.deferred += aside
            if first is not None:
                oldest = oldest_ns[rank]
                if oldest is None or first.accepted_ns < oldest:
                    oldest_ns[rank] = first.accepted_ns
            if campaigns and (campaign := campaigns.get(line.source)) is not None:
                of_campaigns[campaign] = of_campaigns.get(campaign, 0) + count + aside


class Tally:
    """What waits of one number, or of several."""

    __slots__ = ("aside", "day_segments", "lanes", "messages", "segments")

    def __init__(self) -> None:
        self.messages = 0
        """Without those aside."""
        self.segments = 0
        """Of these messages, as far as the first of each lane tell."""
        self.day_segments = 0
        """Likewise, what counts to a day's cap."""
        self.aside = 0
        """Messages that stand aside until they are due."""
        self.lanes = [0] * len(LANES)
        """Messages by rank."""

    def add(self, other: Tally) -> None:
        """Count what another has too."""
        self.messages += other.messages
        self.segments += other.segments
        self.day_segments += other.day_segments
        self.aside += other.aside
        for rank, messages in enumerate(other.lanes):
            self.lanes[rank] += messages

    def count(self, line: Line) -> None:
        """Count what stands in a lane."""
        queue = line.queue
        if queue is None:
            return
        messages = queue.waiting
        self.aside += queue.deferred
        if not messages:
            return
        self.messages += messages
        self.lanes[line.rank] += messages
        some = list(islice(queue.head, _LOOKED_AT)) or [
            first for first in (queue.first,) if first is not None
        ]
        if some:
            self.segments += round(messages * sum([each.segments for each in some]) / len(some))
            self.day_segments += round(messages * sum([each.day_segments for each in some]) / len(some))
        else:
            self.segments += messages
            self.day_segments += messages


def by_source(lines: Iterable[Line]) -> dict[str, Tally]:
    """Return what waits of each source address of which something does."""
    tallies: dict[str, Tally] = {}
    for line in lines:
        tally = tallies.get(line.source)
        if tally is None:
            tally = tallies[line.source] = Tally()
        tally.count(line)
    return tallies
