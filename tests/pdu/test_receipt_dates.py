"""Dates of receipts, as operators write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.pdu.receipt import receipt_date
from smppgw.pdu.receipt_dates import read_date

NOW = datetime(2026, 11, 22, 10, 5, tzinfo=UTC)


def naive(written: str) -> datetime:
    return datetime.fromisoformat(written)


def utc(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        # ten digits: YYMMDDhhmm, or seconds since 1970
        ("2611221000", naive("2026-11-22 10:00")),
        (" 2611221000 ", naive("2026-11-22 10:00")),
        ("2602281000", naive("2026-02-28 10:00")),
        ("2802291000", naive("2028-02-29 10:00")),
        ("3712312359", naive("2037-12-31 23:59")),
        ("9912312359", naive("1999-12-31 23:59")),
        ("1795341600", utc("2026-11-22 10:00")),
        ("1795341659", utc("2026-11-22 10:00:59")),
        ("1711221000", utc("2024-03-23 19:10")),  # or 2017-11-22 10:00, which is farther away
        # twelve: YYMMDDhhmmss or YYYYMMDDhhmm
        ("261122100059", naive("2026-11-22 10:00:59")),
        ("202611221000", naive("2026-11-22 10:00")),
        ("201112101112", naive("2020-11-12 10:11:12")),  # or 2011-12-10 11:12
        ("200912312359", naive("2009-12-31 23:59")),  # the 31st of 2020-09 has no hour 23:59 with 59 seconds
        # thirteen: with tenths, or milliseconds since 1970
        ("2611221000599", naive("2026-11-22 10:00:59")),
        ("1795341600123", utc("2026-11-22 10:00")),
        # more
        ("20261122100059", naive("2026-11-22 10:00:59")),
        ("2026112210005912", naive("2026-11-22 10:00:59")),
        ("20261122100059123", naive("2026-11-22 10:00:59")),
        ("1795341600123456", utc("2026-11-22 10:00")),
        ("1795341600123456789", utc("2026-11-22 10:00")),
        # with tenths and quarter hours from UTC, as in SMPP v3.4 section 7.1.1
        ("261122100000000+", utc("2026-11-22 10:00")),
        ("261122100000004+", utc("2026-11-22 09:00")),
        ("261122130000008+", utc("2026-11-22 11:00")),
        ("261122080000020-", utc("2026-11-22 13:00")),
        ("261122153000022+", utc("2026-11-22 10:00")),
        ("261122154500023+", utc("2026-11-22 10:00")),
        ("270101235959948-", utc("2027-01-02 11:59:59")),
        ("261123000000048+", utc("2026-11-22 12:00")),
        ("280229120000000+", utc("2028-02-29 12:00")),
        # with another zone
        ("2611221000Z", utc("2026-11-22 10:00")),
        ("261122100000000Z", utc("2026-11-22 10:00")),
        ("2611221530+05:30", utc("2026-11-22 10:00")),
        ("2611221530+0530", utc("2026-11-22 10:00")),
        ("2611221530 +0530", utc("2026-11-22 10:00")),
        ("20261122020000-08", utc("2026-11-22 10:00")),
        ("202611221000+00:00", utc("2026-11-22 10:00")),
        # with separators
        ("2026-11-22 10:00:59", naive("2026-11-22 10:00:59")),
        ("2026-11-22 10:00", naive("2026-11-22 10:00")),
        ("2026-11-22T10:00:59", naive("2026-11-22 10:00:59")),
        ("2026-11-22T10:00:59Z", utc("2026-11-22 10:00:59")),
        ("2026-11-22T10:00:59.123456Z", utc("2026-11-22 10:00:59")),
        ("2026-11-22T15:30:59+05:30", utc("2026-11-22 10:00:59")),
        ("2026-11-22 02:00:59,5 -0800", utc("2026-11-22 10:00:59")),
        ("2026-11-22 10:00:59 UTC", utc("2026-11-22 10:00:59")),
        ("2026/11/22 10:00:59", naive("2026-11-22 10:00:59")),
        ("2026.11.22 10.00.59", naive("2026-11-22 10:00:59")),
        ("2026-11-22-10.00.59", naive("2026-11-22 10:00:59")),
        ("26/11/22 10:00", naive("2026-11-22 10:00")),
        ("20261122T100059", naive("2026-11-22 10:00:59")),
        ("20261122T100059Z", utc("2026-11-22 10:00:59")),
        ("20261122 1000", naive("2026-11-22 10:00")),
        ("261122 100059", naive("2026-11-22 10:00:59")),
    ],
)
def test_a_date_is_read_however_it_is_written(written: str, moment: datetime) -> None:
    assert read_date(written, NOW) == moment


@pytest.mark.parametrize(
    "written",
    [
        "",
        " ",
        "0",
        "0000000000",
        "000000000000",
        "00000000000000",
        "null",
        "...",
        "N/A",
        "261122",
        "20261122",
        "26112210005",
        "2611311000",  # 31 November
        "2702291000",  # no leap year
        "2613011000",
        "2600221000",
        "2611222400",
        "2611221060",
        "261122100060",
        "20261122100060",
        "261131100000000+",
        "261122100000049+",
        "26112210000000A+",
        "000000010000000R",
        "261122100000000++",
        "2611 221000",
        "2611221000+15:00",
        "2611221000+05:60",
        "2026-11-31 10:00",
        "2026-11/22 10:00",
        "2026-11-22",
        "22.11.2026 10:00",
        "9999-12-31 23:59",
        "0001-01-01 00:00",
        "9999999999",
        "99999999999999",
        "1795341600Z",
        "٢٦١١٢٢١٠٠٠",
        "2026112210015",
        "1" * 41,
        "1" * 60_000,
    ],
)
def test_what_is_no_date_is_none(written: str) -> None:
    assert read_date(written, NOW) is None


@pytest.mark.parametrize(
    ("year", "read"), [(2011, naive("2011-12-10 11:12")), (2020, naive("2020-11-12 10:11:12"))]
)
def test_of_two_readings_the_one_nearer_to_now_is_meant(year: int, read: datetime) -> None:
    assert read_date("201112101112", datetime(year, 12, 1, tzinfo=UTC)) == read
    assert read_date("201112101112", datetime(year, 12, 1)) == read  # noqa: DTZ001


def test_seconds_since_1970_are_meant_where_they_are_nearer_than_a_date() -> None:
    at_the_time = read_date("1711221000", datetime(2017, 11, 22, tzinfo=UTC))
    assert at_the_time == naive("2017-11-22 10:00")
    assert read_date("1711221000", datetime(2024, 3, 24, tzinfo=UTC)) == utc("2024-03-23 19:10")


def test_seconds_since_1970_are_never_of_the_future() -> None:
    written = "2613221000"  # 2052 by them; no month 13
    assert read_date(written, NOW) is None
    assert read_date(written, datetime(2052, 10, 23, tzinfo=UTC)) == utc("2052-10-22 14:43:20")


@given(
    st.text(max_size=25)
    | st.text("0123456789", max_size=20)
    | st.text("0123456789-+:TZ ./", max_size=30)
    | st.from_regex(r"\d{12,16}[+-]?\d{0,4}", fullmatch=True),
    st.datetimes(min_value=naive("1971-01-01"), max_value=naive("2098-01-01")),
)
@settings(max_examples=500, deadline=None, derandomize=True)
def test_reading_any_date_raises_nothing(written: str, now: datetime) -> None:
    moment = read_date(written, now)
    assert moment is None or moment.utcoffset() in (None, timedelta(0))


@given(st.datetimes(min_value=naive("2000-01-01"), max_value=naive("2037-12-31")))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_a_date_just_written_is_read_back(moment: datetime) -> None:
    to_the_minute = moment.replace(second=0, microsecond=0)
    to_the_second = moment.replace(microsecond=0)
    for written, expected in (
        (receipt_date(moment).decode(), to_the_minute),
        (f"{moment:%Y%m%d%H%M}", to_the_minute),
        (f"{moment:%y%m%d%H%M%S}", to_the_second),
        (f"{moment:%Y%m%d%H%M%S}", to_the_second),
        (f"{moment:%Y-%m-%d %H:%M:%S}", to_the_second),
    ):
        assert read_date(written, moment + timedelta(minutes=3)) == expected, written
