"""The ids that a carrier gives messages, as its responses and its receipts write them.

The store finds a message by a key, which is made of the id of the response. That of the receipt may be spelled another
way (interop quirks 1 and 2); how, the carrier's `message_id` setting says, or it is learnt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from smppgw.id_spelling import number
from smppgw.learnt_ids import LearntIds
from smppgw.settings import MessageIdFormat

LONG_ID: Final = 8
"""An id of fewer octets may be that of one message in one spelling, and that of another in another."""

SAMPLE: Final = 2
"""Ids of a batch that `auto` looks at."""

_Reader: TypeAlias = Callable[[bytes], bytes]


def _as_written(written: bytes) -> bytes:
    return written


def _number(base: Literal[10, 16]) -> _Reader:
    def read(written: bytes) -> bytes:
        """Return the number in decimal; what is none is as it was written."""
        value = number(written, base)
        return written if value is None else b"%d" % value

    return read


_READERS: Final[Mapping[MessageIdFormat, tuple[_Reader, _Reader]]] = MappingProxyType(
    {
        "text": (_as_written, _as_written),
        "hex": (_number(16), _number(16)),
        "dec": (_number(10), _number(10)),
        "hex-dec": (_number(16), _number(10)),
        "dec-hex": (_number(10), _number(16)),
    }
)
"""How the id of a response, and that of a receipt, become a key."""


class CarrierIds:
    """The ids of one carrier, under its `message_id` setting."""

    __slots__ = ("_learnt", "least_octets", "receipt", "response")

    def __init__(self, form: MessageIdFormat) -> None:
        self._learnt = LearntIds() if form == "auto" else None
        self.least_octets = LONG_ID if form == "auto" else 0
        """Of an id that alone tells the message."""
        self.response: Callable[[bytes], bytes]
        """Return the key for the id of a response (hot path); `auto` notes what it looks like."""
        self.receipt: Callable[[bytes], bytes]
        """Return the likeliest key for the id of a receipt (hot path)."""
        if self._learnt is None:
            self.response, self.receipt = _READERS[form]
        else:
            self.response, self.receipt = self._learnt.response, self._learnt.receipt

    def responses(self, written: Sequence[bytes]) -> Sequence[bytes]:
        """Return the keys for the ids of responses that came together (hot path).

        What they look like, `auto` takes from some of them: those of one moment are alike.
        """
        if self._learnt is None:
            return [self.response(each) for each in written]
        for each in written[:SAMPLE]:
            self._learnt.response(each)
        return written

    def candidates(self, written: bytes) -> list[bytes]:
        """Return the other keys that the id of a receipt may stand for, likeliest first; at most 24."""
        return [] if self._learnt is None else self._learnt.candidates(written)

    def hold_under(self, written: bytes) -> bytes:
        """Return under which a receipt with that id is held for a response that is to come."""
        return self.receipt(written) if self._learnt is None else self._learnt.hold_under(written)

    def held_under(self, response: bytes) -> Sequence[bytes]:
        """Return under which receipts for the id of a response, as written, may be held; likeliest first."""
        return (self.response(response),) if self._learnt is None else self._learnt.held_under(response)

    def found(self, written: bytes, key: bytes) -> str | None:
        """Learn: a receipt with that id was about the message of that key, held ones among them.

        Returns words for a line in the log where that has taught something new. While `settled`, it need not be
        called for what `receipt` alone has found.
        """
        return None if self._learnt is None else self._learnt.found(written, key)

    def tells(self, written: bytes) -> bool:
        """Whether this id alone tells the message, without its addresses: where it is not learnt, or long.

        While it is learnt how ids are spelled, and where it was learnt wrongly, a short one may stand for several.
        """
        return len(written) >= self.least_octets

    @property
    def settled(self) -> bool:
        """Whether nothing is to be learnt from an id that `receipt` has found."""
        return self._learnt is None or self._learnt.is_sure
