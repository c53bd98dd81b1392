"""`submit date` and `done date` of a receipt's text, as operators write them.

Appendix B of SMPP v3.4 has YYMMDDhhmm; carriers add seconds, a four-digit year, a zone, or write seconds since 1970.
What has two readings means the one that is nearer to the moment the receipt came.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

_DIGITS: Final = re.compile(r"(\d{10}|\d{12,19}) ?(Z|[+-]\d\d(?::?\d\d)?)?", re.ASCII)
_SEPARATED: Final = re.compile(
    r"(\d{4}|\d\d)([-/.]?)(\d\d)\2(\d\d)[T _.-]{1,2}(\d\d)([:.]?)(\d\d)(?:\6(\d\d)(?:[.,]\d{1,9})?)?"
    r" ?(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII,
)
_WITH_QUARTERS: Final = re.compile(r"(\d{12})\d(\d\d)([+-])", re.ASCII)
"""YYMMDDhhmmsstnnp of SMPP v3.4 section 7.1.1."""

_QUARTERS_MAX: Final = 48
_ZONE_MINUTES_MAX: Final = 14 * 60
_FIRST_YEAR: Final = 1970
_LAST_YEAR: Final = 2099
_PIVOT: Final = 38
"""Years of two digits below it are of this century, as in every time of SMPP."""
_NEAR: Final = timedelta(days=31)
"""A reading so near is not doubted, and one by seconds since 1970 is not believed that much after now."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS_OF_EPOCH: Final = {10: 1, 13: 10**3, 16: 10**6, 19: 10**9}
"""How many digits a moment since 1970 has, and how many of its units are a second."""


def read_date(written: str, now: datetime) -> datetime | None:
    """Return the moment that a date of a receipt names; None for one that is absent, all zeros or none at all.

    It has a zone, UTC, where the text says one; else it is naive, in whatever zone the carrier writes. `now` is when
    the receipt came, in UTC if it is naive: of two readings the nearer one is meant. Fractions of seconds are cut.
    Raises: nothing.
    """
    written = written.strip()
    digits = _DIGITS.fullmatch(written)
    if digits is not None:
        return _nearest(_readings(digits[1], now), digits[2], now)
    with_quarters = _WITH_QUARTERS.fullmatch(written)
    if with_quarters is not None:
        quarters = int(with_quarters[2])
        if quarters > _QUARTERS_MAX:
            return None
        local = _compact(with_quarters[1], 2)
        minutes = 15 * quarters * (-1 if with_quarters[3] == "-" else 1)
        return _in_zone(local, minutes) if local is not None else None
    separated = _SEPARATED.fullmatch(written)
    if separated is not None:
        year, _, month, day, hour, _, minute, second, zone = separated.groups()
        moment = _moment(year, month, day, hour, minute, second or "00")
        return _nearest(iter((moment,)), zone, now)
    return None


def _nearest(readings: Iterator[datetime | None], zone: str | None, now: datetime) -> datetime | None:
    minutes = _zone_minutes(zone) if zone else 0
    if minutes is None:
        return None
    at = _naive(now)
    best: datetime | None = None
    least = timedelta.max
    for moment in readings:
        if moment is None or (zone and moment.tzinfo is not None):
            continue
        away = abs(_naive(moment) - at)
        if away < least:
            best, least = moment, away
        if away < _NEAR:
            break
    return _in_zone(best, minutes) if zone and best is not None else best


def _readings(digits: str, now: datetime) -> Iterator[datetime | None]:
    """Yield what digits without separators can mean, the likeliest first; None for a reading that is no moment."""
    if not digits.strip("0"):
        return
    yield _compact(digits, 2)
    if len(digits) >= len("YYYYMMDDhhmm"):
        yield _compact(digits, 4)
    units = _UNITS_OF_EPOCH.get(len(digits))
    if units is not None:
        moment = _EPOCH + timedelta(seconds=int(digits) // units)  # at most 10**10 seconds: the year 2286
        yield moment if _naive(moment) - _naive(now) < _NEAR else None


def _compact(digits: str, year_digits: int) -> datetime | None:
    """Read a year of so many digits, month, day, hour, minute, and the seconds if there are any."""
    month, day, hour, minute, second = (digits[at : at + 2] for at in range(year_digits, year_digits + 10, 2))
    if len(second) == 1:
        return None
    return _moment(digits[:year_digits], month, day, hour, minute, second or "00")


def _moment(year: str, month: str, day: str, hour: str, minute: str, second: str) -> datetime | None:
    full_year = int(year)
    if len(year) == 2:
        full_year += 2000 if full_year < _PIVOT else 1900
    if not _FIRST_YEAR <= full_year <= _LAST_YEAR:
        return None
    try:
        return datetime(full_year, int(month), int(day), int(hour), int(minute), int(second))  # noqa: DTZ001
    except ValueError:
        return None


def _zone_minutes(zone: str) -> int | None:
    """Return how many minutes a zone is ahead of UTC; None for one that is nowhere."""
    if zone[0] not in "+-":
        return 0
    hours, minutes = int(zone[1:3]), int(zone[3:].lstrip(":") or "0")
    if minutes >= 60 or 60 * hours + minutes > _ZONE_MINUTES_MAX:
        return None
    return (60 * hours + minutes) * (-1 if zone[0] == "-" else 1)


def _in_zone(moment: datetime, minutes: int) -> datetime:
    return moment.replace(tzinfo=UTC) - timedelta(minutes=minutes)


def _naive(moment: datetime) -> datetime:
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)
