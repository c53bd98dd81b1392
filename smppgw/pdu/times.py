"""Times as schedule_delivery_time, validity_period and final_date write them: `YYMMDDhhmmsstnnp`.

Sixteen characters or none (SMPP v3.4 section 7.1.1). Absolute with `+` or `-`: a local time and its quarter
hours from UTC; years 00 to 37 are 2000 to 2037, 38 to 99 are 1938 to 1999. Relative with `R`: a span counted
from the moment the PDU came, of which years and months are steps of the calendar.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from typing import Final

from smppgw.pdu.constants import CommandId, CommandStatus
from smppgw.pdu.errors import EncodeError, FieldError

_TIME_OCTETS: Final = 16
_WITHOUT_TAIL: Final = (10, 12)  # YYMMDDhhmm and YYMMDDhhmmss, as v3.3 peers write final_date
_FIRST_YEAR: Final = 1938
_LAST_YEAR: Final = 2037
_QUARTERS_MAX: Final = 48
_RELATIVE_SECONDS_MAX: Final = 100 * 86_400 - 1
_QUARTER: Final = timedelta(minutes=15)

_STATUS: Final = {
    "schedule_delivery_time": CommandStatus.ESME_RINVSCHED,
    "validity_period": CommandStatus.ESME_RINVEXPIRY,
}


class TimeFormatError(FieldError):
    """A time that is not written as section 7.1.1 has it, or that no calendar has."""


def parse_time(
    value: bytes,
    *,
    now: datetime,
    field: str = "validity_period",
    command_id: int = CommandId.SUBMIT_SM,
) -> datetime | None:
    """Return the moment that a time field without its NUL names, in UTC; None when it is empty.

    `now` is the moment the PDU came, with its zone; relative times count from it. Whether a moment that has
    passed is an error is for the caller to say. Hours, minutes and seconds of a relative time may be up to
    99, and its tenths and quarter hours are ignored. As final_date, YYMMDDhhmm and YYMMDDhhmmss are read too,
    as UTC.
    Raises: TimeFormatError with ESME_RINVSCHED for schedule_delivery_time, ESME_RINVEXPIRY for
    validity_period and ESME_RINVCMDLEN for others; ValueError when `now` has no zone.
    """
    if not value:
        return None
    if len(value) in _WITHOUT_TAIL and field == "final_date":
        value = value.ljust(_TIME_OCTETS - 1, b"0") + b"+"
    digits, sign = value[:-1], value[-1:]
    if len(value) != _TIME_OCTETS or not digits.isdigit() or sign not in (b"+", b"-", b"R"):
        raise _error(command_id, field, "is not YYMMDDhhmmsstnn and +, - or R")
    year, month, day, hour, minute, second = (int(digits[at : at + 2]) for at in range(0, 12, 2))
    if sign == b"R":
        if now.tzinfo is None:
            raise ValueError("now must have a zone")
        span = timedelta(days=day, hours=hour, minutes=minute, seconds=second)
        return _months_later(now.astimezone(UTC), 12 * year + month) + span
    quarters = int(digits[13:])
    if quarters > _QUARTERS_MAX:
        raise _error(command_id, field, f"is {quarters} quarter hours from UTC; at most {_QUARTERS_MAX}")
    year += 1900 if year > _LAST_YEAR % 100 else 2000
    try:
        local = datetime(year, month, day, hour, minute, second, 100_000 * (digits[12] - 0x30), UTC)
    except ValueError as error:
        raise _error(command_id, field, f"is no time of the calendar: {error}") from None
    return local - quarters * _QUARTER if sign == b"+" else local + quarters * _QUARTER


def format_absolute(moment: datetime, *, offset_quarters: int = 0) -> bytes:
    """Return a moment, which has a zone, as an absolute time; tenths are cut, never rounded up.

    `offset_quarters` is the zone to write it in: quarter hours ahead of UTC, -48 to 48.
    Raises: EncodeError outside 1938 to 2037 or that range of zones; ValueError for a moment without a zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment must have a zone")
    if abs(offset_quarters) > _QUARTERS_MAX:
        raise EncodeError("time", "offset_quarters", offset_quarters, "-48 to 48")
    try:
        local = moment.astimezone(UTC) + offset_quarters * _QUARTER
    except OverflowError:
        local = moment
    if not _FIRST_YEAR <= local.year <= _LAST_YEAR:
        raise EncodeError("time", "year", local.year, f"{_FIRST_YEAR} to {_LAST_YEAR}")
    sign = "-" if offset_quarters < 0 else "+"
    tenth = local.microsecond // 100_000
    return f"{local:%y%m%d%H%M%S}{tenth}{abs(offset_quarters):02}{sign}".encode()


def format_relative(span: timedelta) -> bytes:
    """Return a span as a relative time of days, hours, minutes and seconds, rounded up to a whole second.

    Never months or years: peers do not agree how long those are.
    Raises: EncodeError for a negative span or one of 100 days and more.
    """
    seconds = span.days * 86_400 + span.seconds + (span.microseconds > 0)
    if span.days < 0 or seconds > _RELATIVE_SECONDS_MAX:
        raise EncodeError("time", "span", str(span), "0 to 99 days 23:59:59")
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    day, hour = divmod(hours, 24)
    return f"0000{day:02}{hour:02}{minute:02}{second:02}000R".encode()


def _months_later(moment: datetime, months: int) -> datetime:
    """Step over the calendar; a day that the month does not have becomes its last."""
    if not months:
        return moment
    years, month = divmod(moment.month - 1 + months, 12)
    year, month = moment.year + years, month + 1
    return moment.replace(year=year, month=month, day=min(moment.day, monthrange(year, month)[1]))


def _error(command_id: int, field: str, reason: str) -> TimeFormatError:
    return TimeFormatError(command_id, field, reason, _STATUS.get(field, CommandStatus.ESME_RINVCMDLEN))
