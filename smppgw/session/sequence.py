"""sequence_number: 1 to 0x7FFFFFFF, one up for each request, then 1 again (SMPP v3.4 section 5.1.4)."""

from __future__ import annotations

from collections.abc import Container, Sequence

from smppgw.pdu.constants import SEQUENCE_NUMBER_MAX


class SequenceNumbers:
    """The numbers of our requests on one connection; `last` is the one used last, 0 before the first."""

    __slots__ = ("_wrapped", "last")

    def __init__(self) -> None:
        self.last = 0
        self._wrapped = False

    def following(self, count: int, *outstanding: Container[int]) -> Sequence[int]:
        """Return the next `count` numbers; one that is still outstanding is left out.

        They count as used only when `use` is told the last of them.
        """
        first, end = self.last + 1, self.last + 1 + count
        if end - 1 <= SEQUENCE_NUMBER_MAX and not self._wrapped:
            return range(first, end)  # nothing this high has been used before
        numbers: list[int] = []
        number = self.last
        while len(numbers) < count:
            number = number + 1 if number < SEQUENCE_NUMBER_MAX else 1
            if not any(number in taken for taken in outstanding):
                numbers.append(number)
        return numbers

    def use(self, number: int) -> None:
        """Take the numbers up to this one."""
        self._wrapped = self._wrapped or number <= self.last
        self.last = number
