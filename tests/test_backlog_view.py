"""What waits, added up over lanes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import cast

from smppgw.backlog_view import Backlog, Depths
from smppgw.lines import Line
from tests.paced import Paced, number, registered

FIRST, SECOND = number(1), number(2)


def a_backlog() -> Paced:
    """Lanes in which messages stand, with nobody to take them."""
    paced = Paced(registered(numbers=(FIRST, SECOND)))
    for source, count, lane, segments in (
        (FIRST, 3, "otp", 1),
        (FIRST, 2, "promotional", 3),
        (SECOND, 40, "promotional", 2),
    ):
        paced.now_ns += 1000
        paced.submit(source, count=count, lane=lane, segments=segments)
    paced.store.stand(paced.store.fresh())
    return paced


def lines_of(paced: Paced) -> Collection[Line]:
    return cast("Collection[Line]", paced.store.lanes())


def counted(lines: Collection[Line], campaign_of: dict[str, str], numbers: Sequence[str] = ()) -> Backlog:
    backlog = Backlog(campaign_of, numbers)
    backlog.count(lines)
    return backlog


def test_depths_are_by_rank_over_all_senders() -> None:
    depths = Depths(lines_of(a_backlog()), {})
    assert depths.waiting == [3, 0, 42]
    assert depths.deferred == 0
    assert depths.of_campaigns == {}


def test_the_oldest_of_a_rank_is_that_of_all_its_lanes() -> None:
    assert Depths(lines_of(a_backlog()), {}).oldest_ns == [1001, None, 2001]


def test_what_stands_aside_is_counted_by_itself() -> None:
    paced = a_backlog()
    line = next(line for line in lines_of(paced) if line.source == SECOND)
    assert line.queue is not None
    aside = [line.queue.head.popleft() for _ in range(4)]
    paced.store.took(aside)
    for message in aside:
        message.due_ns = paced.now_ns + 10**12
    paced.store.defer(aside)
    depths = Depths(lines_of(paced), {SECOND: "campaign"})
    assert (depths.waiting, depths.deferred) == ([3, 0, 38], 4)
    assert depths.of_campaigns == {"campaign": 40}
    assert counted(lines_of(paced), {}, [SECOND]).numbers[SECOND].aside == 4


def test_campaigns_are_counted_only_where_they_are_asked_for() -> None:
    lines = lines_of(a_backlog())
    assert Depths(lines, {FIRST: "one", SECOND: "two"}).of_campaigns == {"one": 5, "two": 40}
    assert Depths(lines, {SECOND: "two"}).of_campaigns == {"two": 40}


def test_a_tally_is_of_all_lanes_of_a_source() -> None:
    tally = counted(lines_of(a_backlog()), {}, [FIRST]).numbers[FIRST]
    assert (tally.messages, tally.lanes) == (5, [3, 0, 2])
    assert (tally.segments, tally.day_segments) == (9, 9)


def test_a_campaign_is_of_all_its_numbers() -> None:
    backlog = counted(lines_of(a_backlog()), {FIRST: "one", SECOND: "one"})
    assert backlog.campaigns["one"].messages == 45
    assert backlog.numbers == {}
    assert backlog.segments == backlog.day_segments == {FIRST: 9, SECOND: 80}


def test_segments_of_what_is_far_behind_are_as_those_of_the_first() -> None:
    assert counted(lines_of(a_backlog()), {}, [SECOND]).numbers[SECOND].segments == 80


def test_where_nothing_waits_there_is_nothing() -> None:
    paced = a_backlog()
    paced.settle()
    backlog = counted(lines_of(paced), {FIRST: "one"}, [FIRST])
    assert (backlog.campaigns, backlog.segments) == ({}, {})
    assert backlog.numbers[FIRST].messages == 0
