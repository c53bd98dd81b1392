"""Moments and spans of time."""

from __future__ import annotations

import pytest

from smppgw.cli.moments import iso, span


def test_a_moment_is_utc_to_the_millisecond() -> None:
    assert iso(1_800_000_000_007) == "2027-01-15T08:00:00.007Z"


def test_no_moment_is_none() -> None:
    assert iso(0) is None


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (-5, "0 ms"),
        (0, "0 ms"),
        (999, "999 ms"),
        (1000, "1.0 s"),
        (4199, "4.1 s"),
        (59_999, "59.9 s"),
        (60_000, "1 min 0 s"),
        (3_599_999, "59 min 59 s"),
        (3_600_000, "1 h 0 min"),
        (86_399_999, "23 h 59 min"),
        (86_400_000, "1 d 0 h"),
        (10 * 86_400_000 + 7_200_000, "10 d 2 h"),
    ],
)
def test_a_span_has_its_two_largest_units(ms: int, words: str) -> None:
    assert span(ms) == words
