"""What writing an encode and a decode function has in common: a command's fields, taken run by run.

Runs of integers are fused into one `struct` call. Times are nearly always empty, so a run is read and written as
if they were, and the long way is taken when one is not.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

from smppgw.pdu.fields import (
    Command,
    CountedItems,
    CountedOctets,
    Flagged,
    Integer,
    Named,
    Time,
)

WIDTH: Final = 110


def class_name(command: Command) -> str:
    """Return the name of a command's class, e.g. SubmitSm."""
    return "".join(word.capitalize() for word in command.name.split("_"))


def id_of(command: Command) -> str:
    """Return a command_id as it stands in the text."""
    return f"0x{command.command_id:08X}"


def kinds_of(items: CountedItems) -> list[tuple[int | None, Named]]:
    """Return the kinds of item of a list, each with its flag where there is one."""
    if isinstance(items.item, Flagged):
        return [(int(flag), struct) for flag, struct in items.item.kinds.items()]
    return [(None, items.item)]


def wrapped(indent: int, before: str, items: Iterable[str], after: str) -> list[str]:
    """Lay a bracketed list out as the formatter does: on one line, or on one line for each item.

    Two brackets around it, as `after` tells, each get an indent of their own.
    """
    items = list(items)
    pad = " " * indent
    line = f"{pad}{before}{', '.join(items)}{after}"
    if len(line) <= WIDTH:
        return [line]
    if after == "))":
        outer, inner = before[:-1].rsplit("(", 1)
        return [f"{pad}{outer}(", *wrapped(indent + 4, f"{inner}(", items, ")"), f"{pad})"]
    lines = [f"{pad}{before}"]
    for item in items:
        if len(item) + indent + 5 > WIDTH:
            call, _, arguments = item[:-1].partition("(")
            lines += wrapped(indent + 4, f"{call}(", arguments.split(", "), "),")
        else:
            lines.append(f"{pad}    {item},")
    return [*lines, f"{pad}{after}"]


class Function(ABC):
    """What the two directions share: the fields of a command, taken run by run."""

    def __init__(self, command: Command, structs: set[str]) -> None:
        self.command = command
        self.structs = structs
        self.counted = {
            field.subcon.count.name: field.name
            for field in command.fields
            if isinstance(field.subcon, CountedOctets | CountedItems)
        }
        self.out: list[str] = []
        self.indent = 8

    def line(self, text: str) -> None:
        self.out.append(" " * self.indent + text)

    def wrapped(self, before: str, items: Iterable[str], after: str) -> None:
        self.out += wrapped(self.indent, before, items, after)

    def struct(self, way: str, layout: str) -> str:
        """Return the name of a bound Struct method; it is made at the top of the module."""
        self.structs.add(f"{way} {layout}")
        return f"_{way}_{layout.lower()}"

    def walk(self) -> None:
        """Hand each run of integers and times on, then the field that ends it.

        A field with a count puts that at the end of the run.
        """
        run: list[Named] = []
        for field in self.command.fields:
            kind = field.subcon
            if isinstance(kind, Integer | Time):
                run.append(field)
                continue
            if isinstance(kind, CountedOctets | CountedItems):
                run.append(kind.count)
            if run:
                self.run(run)
                run = []
            if isinstance(kind, CountedOctets):
                self.octets(field)
            elif isinstance(kind, CountedItems):
                self.items(field)
            else:
                self.c_string(field)
        if run:
            self.run(run)

    @abstractmethod
    def run(self, run: list[Named]) -> None:
        """Integers and times in a row, the count of the next field at their end."""

    @abstractmethod
    def c_string(self, field: Named) -> None:
        """A C-Octet String that is no time."""

    @abstractmethod
    def octets(self, field: Named) -> None:
        """Octets whose count is known."""

    @abstractmethod
    def items(self, field: Named) -> None:
        """A list whose count is known."""


def fused(run: Iterable[Named]) -> str:
    """Return the struct layout of a run whose times are empty, e.g. 3B2x5B."""
    codes = groupby("x" if isinstance(field.subcon, Time) else "B" for field in run)
    counts = [(len(list(same)), code) for code, same in codes]
    return "".join(f"{count if count > 1 else ''}{code}" for count, code in counts)


def split(run: Sequence[Named]) -> tuple[list[Named], list[Named]]:
    """Return the integers a run begins with, and the rest, which begins with a time."""
    first = next((i for i, field in enumerate(run) if isinstance(field.subcon, Time)), len(run))
    return list(run[:first]), list(run[first:])
