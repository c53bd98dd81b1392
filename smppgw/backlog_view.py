"""What waits in lanes, added up over those in which something stands.

There may be 100,000 of them, and the event loop waits meanwhile: no more is done for each than has to be.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Final

from smppgw.lines import Line
from smppgw.routing import LANES
from smppgw.store.entries import LaneQueue

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
    """What waits of a number, a campaign or a brand."""

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
        self.lanes = [own + more for own, more in zip(self.lanes, other.lanes, strict=True)]


class Backlog:
    """What waits of each campaign and, as far as they are asked for, of numbers."""

    __slots__ = ("_campaign_of", "campaigns", "day_segments", "numbers", "segments")

    def __init__(self, campaign_of: Mapping[str, str], numbers: Iterable[str] = ()) -> None:
        """`campaign_of` tells the campaign of each number; `numbers` are those to be described."""
        self._campaign_of = campaign_of
        self.campaigns: dict[str, Tally] = {}
        """By id; campaigns of which nothing waits are not among them."""
        self.numbers = {number: Tally() for number in numbers}
        self.segments: dict[str, int] = {}
        """Of every source address of which something waits."""
        self.day_segments: dict[str, int] = {}
        """Likewise, what counts to a day's cap."""

    def count(self, lines: Iterable[Line]) -> None:
        """Count what stands in some lanes."""
        campaign_of, campaigns, wanted = self._campaign_of, self.campaigns, self.numbers
        all_segments, all_day_segments = self.segments, self.day_segments
        for line in lines:
            queue = line.queue
            if queue is None:
                continue
            messages, aside, rank, source = queue.waiting, queue.deferred, line.rank, line.source
            segments, day_segments = _segments(queue, messages) if messages else (0, 0)
            all_segments[source] = all_segments.get(source, 0) + segments
            all_day_segments[source] = all_day_segments.get(source, 0) + day_segments
            tallies = []
            if (campaign := campaign_of.get(source)) is not None:
                tally = campaigns.get(campaign)
                if tally is None:
                    tally = campaigns[campaign] = Tally()
                tallies.append(tally)
            if source in wanted:
                tallies.append(wanted[source])
            for tally in tallies:
                tally.messages += messages
                tally.aside += aside
                tally.segments += segments
                tally.day_segments += day_segments
                tally.lanes[rank] += messages


def _segments(queue: LaneQueue, messages: int) -> tuple[int, int]:
    """Return the segments of so many messages of a lane, and those that count to a day, as the first of them tell."""
    head = queue.head
    if messages == 1 and head:
        first = head[0]
        return first.segments, first.day_segments
    some = list(islice(head, _LOOKED_AT))
    if not some:
        return messages, messages
    share = messages / len(some)
    return (
        round(share * sum([each.segments for each in some])),
        round(share * sum([each.day_segments for each in some])),
    )
