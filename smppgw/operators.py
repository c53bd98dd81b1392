"""Which numbers are T-Mobile's: a look-up by the longest beginning that is known, small enough for a million of them.

The file is text: one line a beginning of a number, or a whole number, and the operator it belongs to, such as
`+1206555,t-mobile`. Empty lines and what follows a `#` are left out.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from typing import Final

from smppgw.errors import SmppgwError

T_MOBILE: Final = ("tmobile", "metro", "sprint")
"""Names begin so, in any case and without hyphens and spaces, of operators that share T-Mobile's day cap."""

NATIONAL_DIGITS: Final = 10
"""Of a number of +1, which may stand without its 1; a beginning has it."""

_LINE: Final = re.compile(r"(\+?)([0-9]{1,15})\s*,\s*([^,]*[^,\s])")
_UNSAID: Final = re.compile(r"[-\s]")


class OperatorsError(SmppgwError):
    """What such a file may not say."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(where, reason)
        self.where = where
        """The line, from 1, or the number."""
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


class Operators:
    """Beginnings of numbers, and whether they are T-Mobile's; eight octets each."""

    __slots__ = ("_by_length",)

    def __init__(self, lines: Iterable[str]) -> None:
        """Read the lines of a file. Raises: OperatorsError."""
        found: dict[int, array[int]] = {}
        for place, line in enumerate(lines, start=1):
            said = line.partition("#")[0].strip()
            if not said:
                continue
            match = _LINE.fullmatch(said)
            if match is None:
                raise OperatorsError(f"line {place}", f"is {said[:60]!r}; expected such as +1206555,t-mobile")
            plus, digits, name = match.groups()
            if len(digits) == NATIONAL_DIGITS and digits[0] > "1" and not plus:
                digits = f"1{digits}"
            entries = found.get(len(digits))
            if entries is None:
                entries = found[len(digits)] = array("Q")
            entries.append(int(digits) << 1 | _UNSAID.sub("", name).casefold().startswith(T_MOBILE))
        self._by_length = [
            (length, _in_order(length, found[length])) for length in sorted(found, reverse=True)
        ]

    def __len__(self) -> int:
        return sum(len(entries) for _, entries in self._by_length)

    def is_t_mobile(self, number: str) -> bool | None:
        """Return whether a number, digits only and with its calling code, is T-Mobile's; None where that is not known.

        The longest beginning that fits decides.
        """
        if not (number.isdigit() and number.isascii()):
            return None
        for length, entries in self._by_length:
            if length <= len(number):
                wanted = int(number[:length]) << 1
                place = bisect_left(entries, wanted)
                if place < len(entries) and entries[place] >> 1 == wanted >> 1:
                    return bool(entries[place] & 1)
        return None


def _in_order(length: int, entries: array[int]) -> array[int]:
    """Return entries sorted, each once. Raises: OperatorsError where one is T-Mobile's and is not."""
    ordered = array("Q")
    before = -1
    for entry in sorted(entries):
        if entry >> 1 == before >> 1:
            if entry != before:
                number = f"{entry >> 1:0{length}}"
                raise OperatorsError(number, "is T-Mobile's and another operator's; expected one of them")
            continue
        ordered.append(entry)
        before = entry
    return ordered
