"""How an outcome is written wherever the store writes one: as one text."""

from __future__ import annotations

from typing import Final

from smppgw.store.entries import Outcome

_BETWEEN: Final = "\t"


def text_of(outcome: Outcome) -> str:
    """Write an outcome; the name of its class has no tabs in it."""
    return _BETWEEN.join((str(outcome.state), outcome.error_class, outcome.err))


def outcome_of(text: str) -> Outcome:
    """Read what `text_of` wrote. Raises: ValueError."""
    state, error_class, err = text.split(_BETWEEN, 2)
    return Outcome(int(state), error_class, err)
