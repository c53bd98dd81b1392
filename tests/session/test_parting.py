"""An end that waits for the answers of both sides, or only for ours."""

from __future__ import annotations

import pytest

from smppgw.session.parting import Parting
from smppgw.session.timers import NS


@pytest.mark.parametrize(
    ("answers_come", "owed", "in_flight", "settled"),
    [
        (True, 0, 0, True),
        (True, 1, 0, False),
        (True, 0, 1, False),
        (False, 0, 1, True),
        (False, 1, 1, False),
        (True, -1, 0, True),
    ],
)
def test_it_is_settled_when_no_answer_is_waited_for(
    answers_come: bool, owed: int, in_flight: int, settled: bool
) -> None:
    assert Parting(0, "why", answers_come=answers_come).settled(owed, in_flight) is settled


@pytest.mark.parametrize(
    ("owed", "response_ns", "until_ns"),
    [
        (1, 20 * NS, 27 * NS),
        (1, 0, None),
        (0, 20 * NS, 8 * NS),
        (0, 0, 8 * NS),
        (0, NS // 2, 7 * NS + NS // 2),
    ],
)
def test_the_peer_is_owed_for_as_long_as_a_response_may_take_and_owes_us_for_a_moment(
    owed: int, response_ns: int, until_ns: int | None
) -> None:
    assert Parting(7 * NS, "why").until_ns(owed, response_ns) == until_ns
