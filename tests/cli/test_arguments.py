from __future__ import annotations

import argparse
from collections.abc import Callable

import pytest

from smppgw.cli import arguments


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (arguments.port, "0", 0),
        (arguments.port, "65535", 65535),
        (arguments.count, "1", 1),
        (arguments.whole, "0", 0),
        (arguments.octet, "0xF5", 0xF5),
        (arguments.number, "0.5", 0.5),
        (arguments.percent, "100", 100.0),
    ],
)
def test_a_number_in_its_bounds_is_read(read: Callable[[str], float], text: str, value: float) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (arguments.port, "65536"),
        (arguments.port, "-1"),
        (arguments.port, "2775.0"),
        (arguments.count, "0"),
        (arguments.whole, "-1"),
        (arguments.octet, "256"),
        (arguments.number, "-0.1"),
        (arguments.number, "inf"),
        (arguments.number, "nan"),
        (arguments.number, "ten"),
        (arguments.percent, "100.1"),
    ],
)
def test_any_other_is_refused_with_what_would_be_right(read: Callable[[str], float], text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="number"):
        read(text)


def test_a_host_is_one_that_can_be_looked_up() -> None:
    assert arguments.host("smsc.example.net") == "smsc.example.net"
    assert arguments.host("::1") == "::1"
    for text in ("a..b", "x" * 300, "\udcff"):
        with pytest.raises(argparse.ArgumentTypeError, match="host name"):
            arguments.host(text)


def test_a_system_id_fits_its_field() -> None:
    assert arguments.system_id("x" * 15) == "x" * 15
    for text in ("x" * 16, "在"):
        with pytest.raises(argparse.ArgumentTypeError, match="15 characters"):
            arguments.system_id(text)


def test_a_password_is_latin_1_and_a_complaint_does_not_show_it() -> None:
    assert arguments.password("schlüsse") == "schlüsse"
    with pytest.raises(argparse.ArgumentTypeError, match="Latin-1") as caught:
        arguments.password("secret在")
    assert "secret" not in str(caught.value)
