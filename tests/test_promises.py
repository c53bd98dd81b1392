from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from smppgw.promises import promise
from smppgw.session.timers import NS
from smppgw.settings import LimitsSettings, NumberSettings
from smppgw.throttle.limits import Terms
from tests.desk import NOW_NS, NUMBERS, Desk, registered

LATER_NS = NOW_NS + 100 * NS


def terms_of(*, number: float = 1, campaign: int = 60, cap: int = 1_000) -> Terms:
    """Limits that were made 100 s before `LATER_NS`: segments a second, a minute, a day; a burst of 10 s."""
    desk = Desk(
        registered(
            brand={"segments_per_day": cap},
            campaign={"segments_per_minute": campaign},
            numbers=(NumberSettings(NUMBERS[0], number),),
            limits=LimitsSettings(burst_seconds=10),
        )
    )
    return desk.limits.of(NUMBERS[0])


def promised(terms: Terms) -> tuple[int, int, int]:
    assert terms.number is not None
    assert terms.campaign is not None
    assert terms.cap is not None
    return terms.number.promised_ns, terms.campaign.promised_ns, terms.cap.promised


@pytest.mark.parametrize(
    ("limits", "kind", "promises"),
    [
        ({"number": 0.1}, "number", 2),
        ({"campaign": 6}, "campaign", 2),
        ({"cap": 3}, "brand_day", 3),
        ({}, "number", 11),
    ],
)
def test_as_many_are_promised_as_could_leave_now(limits: dict[str, float], kind: str, promises: int) -> None:
    terms = terms_of(**limits)  # type: ignore[arg-type]
    answers = [promise(terms, 1, 1, LATER_NS) for _ in range(20)]
    assert answers == [None] * promises + [kind] * (20 - promises)


@pytest.mark.parametrize("limits", [{"number": 0.1}, {"campaign": 6}, {"cap": 3}])
def test_where_one_limit_says_no_nothing_is_promised(limits: dict[str, float]) -> None:
    terms = terms_of(**limits)  # type: ignore[arg-type]
    assert promise(terms, 1, 1, LATER_NS) is None
    before = promised(terms)
    assert promise(terms, 5, 5, LATER_NS) is not None
    assert promised(terms) == before


def test_what_does_not_count_to_the_day_takes_nothing_of_it() -> None:
    terms = terms_of(cap=1)
    assert promise(terms, 2, 0, LATER_NS) is None
    assert promise(terms, 1, 1, LATER_NS) is None
    assert promise(terms, 1, 0, LATER_NS) is None
    assert promise(terms, 1, 1, LATER_NS) == "brand_day"
    assert terms.cap is not None
    terms.cap.close()
    assert promise(terms, 1, 0, LATER_NS) is None, "nor does it matter that the day is over"


def test_without_limits_everything_is_promised() -> None:
    assert promise(Terms(None, None, None), 1_000, 1_000, LATER_NS) is None


@hypothesis_settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(1, 8), st.booleans(), st.integers(0, 5 * NS)), max_size=30))
def test_of_many_messages_no_limit_promises_more_than_it_has(asked: list[tuple[int, bool, int]]) -> None:
    terms = terms_of(number=1, campaign=30, cap=40)
    now_ns = LATER_NS
    granted = day = 0
    for segments, counts, later_ns in asked:
        now_ns += later_ns
        if promise(terms, segments, segments if counts else 0, now_ns) is None:
            granted += segments
            day += segments if counts else 0
        # The campaign is the stricter of the two rates: 6 at once, or a larger message alone, and one each 2 s.
        assert granted <= 8 + (now_ns - LATER_NS) // (2 * NS)
        assert day <= 40
