from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.store.entries import Outcome
from smppgw.store.outcomes import outcome_of, text_of


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.integers(0, 255), st.from_regex(r"[a-z-]*", fullmatch=True), st.text(max_size=8))
def test_an_outcome_is_read_as_it_was_written(state: int, error_class: str, err: str) -> None:
    outcome = Outcome(state, error_class, err)
    assert outcome_of(text_of(outcome)) == outcome


@pytest.mark.parametrize("text", ["", "2", "2\tdelivered", "x\tdelivered\t000"])
def test_what_is_no_outcome_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not enough values|invalid literal"):
        outcome_of(text)
