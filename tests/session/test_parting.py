"""An end that waits for the answers of both sides, or only for ours."""

from __future__ import annotations

import pytest

from smppgw.session.parting import Parting


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
