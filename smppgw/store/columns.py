"""Columns of a record: one field of a whole batch, as octets.

A column whose values are all equal is written once. Integers are little-endian.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Callable, Hashable, Iterable
from typing import Final, Literal, TypeVar

T = TypeVar("T")
NamedT = TypeVar("NamedT", bound=Hashable)

Code = Literal["Q", "I", "H", "B"]

HEAD: Final = struct.Struct("<BI")
"""What begins a record: its kind, and how many values each column has."""
DISTINCT_MOST: Final = 0xFFFF
"""So many different names go into one column."""
UNIFORM: Final = b"\0"
EACH: Final = b"\1"
_SWAPPED: Final = sys.byteorder == "big"
CODES: Final[dict[Code, struct.Struct]] = {
    "Q": struct.Struct("<Q"),
    "I": struct.Struct("<I"),
    "H": struct.Struct("<H"),
    "B": struct.Struct("<B"),
}


def packed(values: Iterable[int]) -> bytes:
    """Write keys, eight octets each."""
    return column("Q", values)


def unpacked(octets: bytes) -> list[int]:
    """Read what `packed` wrote."""
    return values_of("Q", octets)


def column(code: Code, values: Iterable[int]) -> bytes:
    """Write integers, each by itself."""
    each = array(code, values)
    if _SWAPPED:
        each.byteswap()
    return each.tobytes()


def values_of(code: Code, octets: bytes) -> list[int]:
    """Read what `column` wrote."""
    each = array(code)
    each.frombytes(octets)
    if _SWAPPED:
        each.byteswap()
    return each.tolist()


def integers(code: Code, values: list[int]) -> bytes:
    """Write integers, once where they are all equal."""
    first = values[0]
    if values.count(first) == len(values):
        return UNIFORM + CODES[code].pack(first)
    return EACH + column(code, values)


def names(values: list[str]) -> bytes:
    """Write a few different names: the different ones, then which of them each is."""
    return named(values, str)


def named(values: list[NamedT], name_of: Callable[[NamedT], str]) -> bytes:
    """Write a few different values as `names`."""
    first = values[0]
    if values.count(first) == len(values):
        return b"\1\0" + name(name_of(first))
    distinct = list(dict.fromkeys(values))
    number = {each: index for index, each in enumerate(distinct)}
    return (
        CODES["H"].pack(len(distinct))
        + b"".join([name(name_of(each)) for each in distinct])
        + column("H", [number[value] for value in values])
    )


def name(value: str) -> bytes:
    """Write one name."""
    octets = value.encode()
    return CODES["H"].pack(len(octets)) + octets


def strings(values: list[bytes]) -> bytes:
    """Write octet strings."""
    return integers("I", [len(value) for value in values]) + b"".join(values)


class Reader:
    """Reads the columns of one record, in their order."""

    __slots__ = ("_at", "_count", "_octets")

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        _, self._count = HEAD.unpack_from(octets)
        self._at = HEAD.size

    def keys(self) -> list[int]:
        """Read keys, or moments, each by itself."""
        return self.many("Q")

    def integers(self, code: Code) -> list[int]:
        """Read what `integers` wrote."""
        kind = self._octets[self._at]
        self._at += 1
        return self.many(code) if kind else [self.integer(code)] * self._count

    def integer(self, code: Code) -> int:
        """Read one integer that stands for all."""
        form = CODES[code]
        (value,) = form.unpack_from(self._octets, self._at)
        self._at += form.size
        return int(value)

    def many(self, code: Code) -> list[int]:
        """Read what `column` wrote."""
        end = self._at + CODES[code].size * self._count
        values = values_of(code, self._octets[self._at : end])
        self._at = end
        return values

    def name(self) -> str:
        """Read one name."""
        octets = self.integer("H")
        self._at += octets
        return self._octets[self._at - octets : self._at].decode()

    def names(self) -> list[str]:
        """Read what `names` wrote."""
        return self.named(str)

    def named(self, of: Callable[[str], T]) -> list[T]:
        """Read what `named` wrote."""
        count = self.integer("H")
        distinct = [of(self.name()) for _ in range(count)]
        return distinct * self._count if count == 1 else [distinct[number] for number in self.many("H")]

    def strings(self) -> list[bytes]:
        """Read what `strings` wrote."""
        octets, at = self._octets, self._at
        values = []
        lengths = self.integers("I")
        at = self._at
        for length in lengths:
            end = at + length
            values.append(octets[at:end])
            at = end
        self._at = at
        return values
