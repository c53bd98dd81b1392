"""Lines in and out: what a command reads from stdin, what it prints, how it complains."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

STDIN: Final = "-"
"""The argument that stands for the lines of stdin."""


def given(argument: str) -> Iterator[str]:
    """Yield the argument itself, or the lines of stdin as they come, without their line ends.

    Octets that are not UTF-8 stay apart from every character (surrogateescape), so that they are refused
    later on and not replaced.
    """
    if argument != STDIN:
        yield argument
        return
    for line in sys.stdin.buffer:
        yield line.rstrip(b"\r\n").decode("utf-8", "surrogateescape")


def say(line: str) -> None:
    """Print a line now, since whoever reads it may be waiting for it."""
    print(line, flush=True)


def say_json(document: Mapping[str, Any]) -> None:
    """Print an object on one line, in ASCII."""
    say(json.dumps(document))


def complain(message: str) -> None:
    """Say on stderr what went wrong, on one line."""
    print(one_line(f"smppgw: {message}"), file=sys.stderr, flush=True)


def one_line(text: str) -> str:
    """Return the text with nothing in it that ends a line or that a terminal would act on."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def table(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Yield rows of text with their columns aligned, two spaces apart."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()
