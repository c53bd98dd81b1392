"""Moments and spans of time as people and scripts read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

_1970: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS: Final = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))


def iso(ms: int) -> str | None:
    """Return a moment, milliseconds since 1970, as ISO 8601, UTC; None for 0, which is none."""
    if not ms:
        return None
    return (_1970 + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def span(ms: int) -> str:
    """Return how long it is in its two largest units, rounded down: "12 ms", "4.1 s", "3 min 12 s", "2 d 0 h".

    Of clocks that disagree a span may come out below 0: it is then none.
    """
    ms = max(0, ms)
    seconds = ms // 1000
    if seconds < 1:
        return f"{ms} ms"
    if seconds < 60:
        return f"{ms // 100 / 10:.1f} s"
    largest = next(index for index, (_, each) in enumerate(_UNITS) if seconds >= each)
    (unit, each), (next_unit, next_each) = _UNITS[largest : largest + 2]
    return f"{seconds // each} {unit} {seconds % each // next_each} {next_unit}"
