"""SMPP times, both ways: the 37 examples first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.pdu.constants import CommandId, CommandStatus
from smppgw.pdu.errors import EncodeError, FieldError
from smppgw.pdu.times import TimeFormatError, format_absolute, format_relative, parse_time

NOW = datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("261122100000000+", "2026-11-22T10:00:00"),
        ("261122100000004+", "2026-11-22T09:00:00"),
        ("261122130000008+", "2026-11-22T11:00:00"),
        ("261122080000020-", "2026-11-22T13:00:00"),
        ("261122153000022+", "2026-11-22T10:00:00"),
        ("261122154500023+", "2026-11-22T10:00:00"),
        ("270101235959948-", "2027-01-02T11:59:59.9"),
        ("261123000000048+", "2026-11-22T12:00:00"),
        ("280229120000000+", "2028-02-29T12:00:00"),
        ("371231235959900+", "2037-12-31T23:59:59.9"),
        ("380101000000000+", "1938-01-01T00:00:00"),
        ("000000000100000R", "2026-11-22T10:01:00"),
        ("000000010000000R", "2026-11-22T11:00:00"),
        ("000002000000000R", "2026-11-24T10:00:00"),
        ("000100000000000R", "2026-12-22T10:00:00"),
        ("010000000000000R", "2027-11-22T10:00:00"),
        ("020610233429000R", "2029-06-02T09:34:29"),
        ("000000480000000R", "2026-11-24T10:00:00"),
        ("000000000000000R", "2026-11-22T10:00:00"),
        ("000000010000012R", "2026-11-22T11:00:00"),
        ("991399999999900R", "2127-04-04T14:40:39"),  # every part at its most
    ],
)
def test_a_valid_time_names_its_moment(value: str, moment: str) -> None:
    found = parse_time(value.encode(), now=NOW)
    assert found == datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert found is not None
    assert found.tzinfo is UTC


def test_an_empty_time_is_not_set() -> None:
    assert parse_time(b"", now=NOW) is None


INVALID = [
    b"261131100000000+",
    b"270229120000000+",
    b"261301000000000+",
    b"260022100000000+",
    b"261122240000000+",
    b"261122106000000+",
    b"261122100060000+",
    b"261122100000049+",
    b"261122100000000Z",
    b"2611221000",
    b"261122100000000",
    b"261122100000000++",
    b"26112210000000A+",
    b"2611 2210000000+",
    b"000000010000000r",
    bytes(16),
    b"261100100000000+",
    b"+261122100000000",
    b"261122100000000\xb2",
    b"R",
]


@pytest.mark.parametrize("value", INVALID)
@pytest.mark.parametrize(
    ("field", "status"),
    [
        ("schedule_delivery_time", CommandStatus.ESME_RINVSCHED),
        ("validity_period", CommandStatus.ESME_RINVEXPIRY),
    ],
)
def test_an_invalid_time_is_refused_with_its_field_s_status(
    value: bytes, field: str, status: CommandStatus
) -> None:
    with pytest.raises(TimeFormatError) as caught:
        parse_time(value, now=NOW, field=field, command_id=CommandId.REPLACE_SM)
    assert isinstance(caught.value, FieldError)
    assert caught.value.command_status == status
    assert (caught.value.command_id, caught.value.field) == (CommandId.REPLACE_SM, field)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("now", "value", "moment"),
    [
        ("2027-01-31", "000100000000000R", "2027-02-28"),
        ("2028-01-31", "000100000000000R", "2028-02-29"),
        ("2028-02-29", "010000000000000R", "2029-02-28"),
        ("2028-02-29", "010100000000000R", "2029-03-29"),  # one step of thirteen months
        ("2026-12-15", "000100000000000R", "2027-01-15"),
        ("2026-11-30", "000300000000000R", "2027-02-28"),
        ("2026-01-31", "001400000000000R", "2027-03-31"),  # months above twelve
        ("2027-01-31", "000101000000000R", "2027-03-01"),  # months first, then days
    ],
)
def test_months_and_years_are_steps_of_the_calendar(now: str, value: str, moment: str) -> None:
    found = parse_time(value.encode(), now=datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert found == datetime.fromisoformat(moment).replace(tzinfo=UTC)


def test_now_may_be_in_any_zone_but_must_have_one() -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=-8)))
    assert parse_time(b"000100000000000R", now=elsewhere) == parse_time(b"000100000000000R", now=NOW)
    with pytest.raises(ValueError, match="zone"):
        parse_time(b"000100000000000R", now=NOW.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (b"2611221000", datetime(2026, 11, 22, 10, 0, tzinfo=UTC)),
        (b"261122100059", datetime(2026, 11, 22, 10, 0, 59, tzinfo=UTC)),
        (b"261122130000008+", datetime(2026, 11, 22, 11, 0, tzinfo=UTC)),
    ],
)
def test_a_final_date_may_lack_its_tail(value: bytes, moment: datetime) -> None:
    assert parse_time(value, now=NOW, field="final_date") == moment


@pytest.mark.parametrize("value", [b"26112210", b"2611221000+", b"26112210005A", b"2611311000"])
def test_a_final_date_that_is_no_date_is_refused(value: bytes) -> None:
    with pytest.raises(TimeFormatError) as caught:
        parse_time(value, now=NOW, field="final_date")
    assert caught.value.command_status == CommandStatus.ESME_RINVCMDLEN


@given(st.binary(max_size=20) | st.text("0123456789+-R", max_size=17).map(str.encode))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_any_octets_give_a_moment_or_a_time_format_error(value: bytes) -> None:
    try:
        found = parse_time(value, now=NOW)
    except TimeFormatError:
        return
    assert (found is None) == (value == b"")


@pytest.mark.parametrize(
    ("moment", "offset_quarters", "value"),
    [
        (NOW, 0, b"261122100000000+"),
        (NOW, 22, b"261122153000022+"),
        (NOW, -20, b"261122050000020-"),
        (NOW.replace(microsecond=999_999), 0, b"261122100000900+"),
        (NOW.astimezone(timezone(timedelta(hours=9))), 0, b"261122100000000+"),
        (datetime(1938, 1, 1, tzinfo=UTC), 0, b"380101000000000+"),
        (datetime(2037, 12, 31, 23, 59, 59, tzinfo=UTC), 0, b"371231235959000+"),
    ],
)
def test_a_moment_is_written_in_the_zone_asked_for(
    moment: datetime, offset_quarters: int, value: bytes
) -> None:
    assert format_absolute(moment, offset_quarters=offset_quarters) == value


@given(
    st.datetimes(datetime(1938, 1, 2), datetime(2037, 12, 30), timezones=st.just(UTC)),  # noqa: DTZ001
    st.integers(-48, 48),
)
@settings(max_examples=200, deadline=None, derandomize=True)
def test_a_moment_is_read_back_to_the_tenth(moment: datetime, offset_quarters: int) -> None:
    tenth = moment.replace(microsecond=moment.microsecond // 100_000 * 100_000)
    assert parse_time(format_absolute(moment, offset_quarters=offset_quarters), now=NOW) == tenth


@pytest.mark.parametrize(
    ("moment", "offset_quarters"),
    [
        (NOW, 49),
        (NOW, -49),
        (datetime(2038, 1, 1, tzinfo=UTC), 0),
        (datetime(2037, 12, 31, 23, 0, tzinfo=UTC), 4),
        (datetime(1937, 12, 31, tzinfo=UTC), 0),
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))), 0),
        (datetime.min.replace(tzinfo=UTC), -1),
    ],
)
def test_a_moment_two_digits_cannot_name_is_refused(moment: datetime, offset_quarters: int) -> None:
    with pytest.raises(EncodeError):
        format_absolute(moment, offset_quarters=offset_quarters)


def test_a_moment_without_a_zone_is_not_written() -> None:
    with pytest.raises(ValueError, match="zone"):
        format_absolute(NOW.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("span", "value"),
    [
        (timedelta(), b"000000000000000R"),
        (timedelta(minutes=1), b"000000000100000R"),
        (timedelta(hours=48), b"000002000000000R"),
        (timedelta(microseconds=1), b"000000000001000R"),  # never zero, which means at once or over
        (timedelta(days=99, hours=23, minutes=59, seconds=59), b"000099235959000R"),
    ],
)
def test_a_span_is_written_in_days_and_less(span: timedelta, value: bytes) -> None:
    assert format_relative(span) == value


@pytest.mark.parametrize(
    "span",
    [
        timedelta(days=100),
        timedelta(days=99, seconds=86_399, microseconds=1),
        timedelta.max,
        timedelta.min,
        -timedelta(microseconds=1),
    ],
)
def test_a_span_that_days_cannot_say_is_refused(span: timedelta) -> None:
    with pytest.raises(EncodeError):
        format_relative(span)


@given(st.integers(0, 100 * 86_400 - 1))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_a_span_is_read_back_from_now_on(seconds: int) -> None:
    span = timedelta(seconds=seconds)
    assert parse_time(format_relative(span), now=NOW) == NOW + span
