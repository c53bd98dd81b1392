"""What the commands' options have in common: the parser, and the types of numbers."""

from __future__ import annotations

import argparse
from typing import Final, NoReturn

from smppgw.cli.lines import one_line

_PORT_MAX: Final = 65_535
_SYSTEM_ID_OCTETS: Final = 15
"""Without the NUL (SMPP v3.4 section 5.2.1)."""


class Parser(argparse.ArgumentParser):
    """argparse, with its complaints on one line."""

    def error(self, message: str) -> NoReturn:
        """Leave with status 2."""
        self.exit(2, one_line(f"{self.prog}: {message}; see {self.prog} --help") + "\n")


def port(text: str) -> int:
    """Read a TCP port, 0 (any free one) to 65535."""
    return _whole(text, 0, _PORT_MAX)


def host(text: str) -> str:
    """Read a host name or address that can be looked up."""
    try:
        text.encode("idna")
    except UnicodeError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a host name or address") from None
    return text


def system_id(text: str) -> str:
    """Read a system_id: at most 15 characters of Latin-1."""
    try:
        fits = len(text.encode("latin-1")) <= _SYSTEM_ID_OCTETS
    except UnicodeError:
        fits = False
    if not fits:
        raise argparse.ArgumentTypeError(f"{text!r} is not at most {_SYSTEM_ID_OCTETS} characters of Latin-1")
    return text


def password(text: str) -> str:
    """Read a password as a bind can carry it, in Latin-1; it is not shown in the complaint."""
    try:
        text.encode("latin-1")
    except UnicodeError:
        raise argparse.ArgumentTypeError("has characters that are not in Latin-1") from None
    return text


def count(text: str) -> int:
    """Read a whole number from 1."""
    return _whole(text, 1, None)


def whole(text: str) -> int:
    """Read a whole number from 0."""
    return _whole(text, 0, None)


def octet(text: str) -> int:
    """Read the value of one octet, decimal or with 0x."""
    return _whole(text, 0, 0xFF)


def number(text: str) -> float:
    """Read a finite number from 0."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0")
    return value


def percent(text: str) -> float:
    """Read a share of 0 to 100."""
    value = number(text)
    if value > 100:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 100")
    return value


def _whole(text: str, lowest: int, highest: int | None) -> int:
    allowed = f"from {lowest}" if highest is None else f"from {lowest} to {highest}"
    try:
        value = int(text, 0)
    except ValueError:
        value = lowest - 1
    if value < lowest or (highest is not None and value > highest):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number {allowed}")
    return value
