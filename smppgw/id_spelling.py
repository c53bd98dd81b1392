"""How two spellings of one message_id go with each other: that of a receipt, and that of the response before it.

A carrier may write its id as a number of another base in the receipt, pad it with zeros, change the case of its
letters and take its hyphens out or put them in (interop quirks 1 and 2). A `Spelling` says how to get from the one to
the other.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from itertools import pairwise
from typing import Final, Literal, NamedTuple, TypeAlias

Base: TypeAlias = Literal["same", "hex-dec", "dec-hex"]
"""What digits the response and the receipt are written in, that of the response first."""
Case: TypeAlias = Literal["", "lower", "upper"]
"""Of the letters of the response; empty for that of the receipt."""
Speller: TypeAlias = Callable[[bytes], bytes]

MOST_OCTETS: Final = 65
"""A message_id has no more (SMPP v3.4 section 5.2.23, with its NUL); nothing longer is taken for a number."""
ZEROS_KEPT: Final = -1
HYPHENS_OF_UUID: Final = (8, 13, 18, 23)
"""Where they stand in the 36 octets of RFC 9562 section 4."""
OCTETS_OF_UUID: Final = 36


def number(written: bytes, base: Literal[10, 16]) -> int | None:
    """Return the number that is written, None for what is none; in base 16 also with `0x` and with hyphens.

    Nothing else that `int` would let pass is a number here: underscores, blanks, signs.
    """
    digits = written.replace(b"-", b"") if base == 16 else written
    if len(digits) > MOST_OCTETS or not digits.isalnum():
        return None
    try:
        return int(digits, base)
    except ValueError:
        return None


def canonical(written: bytes) -> bytes:
    """Return one spelling for all those that differ in zeros in front, case and hyphens only."""
    return without_zeros(written.replace(b"-", b"").lower()) or written


def hyphens_in(written: bytes) -> tuple[int, ...]:
    """Return where hyphens stand."""
    return tuple(at for at, octet in enumerate(written) if octet == 0x2D)


def hyphenated(digits: bytes, hyphens: tuple[int, ...]) -> bytes:
    """Return digits with hyphens put in, so that they stand there."""
    starts = [0, *(at - before for before, at in enumerate(hyphens)), len(digits)]
    return b"-".join([digits[start:end] for start, end in pairwise(starts)])


def without_zeros(digits: bytes) -> bytes:
    """Leave the zeros in front out, but never all that there is."""
    return digits.lstrip(b"0") or digits[-1:]


def in_case(text: bytes, case: Case) -> bytes:
    """Return text in lower or upper case, or as it is."""
    return text.lower() if case == "lower" else text.upper() if case == "upper" else text


class Spelling(NamedTuple):
    """How the id of a response is spelled, given that of its receipt."""

    base: Base = "same"
    case: Case = ""
    width: int = ZEROS_KEPT
    """How many digits at least, with zeros in front; 0: no zeros in front; `ZEROS_KEPT`: those of the receipt."""
    hyphens: tuple[int, ...] | None = None
    """Where they stand in the response; None: where they stand in the receipt."""
    digits: int = 0
    """How many there are where hyphens stand between them."""

    def reads(self, written: bytes) -> bool:
        """Whether the id of a receipt is what it has to be for this."""
        return self.base == "same" or number(written, 10 if self.base == "hex-dec" else 16) is not None

    def speller(self) -> Speller:
        """Return what makes the id of a response out of that of a receipt; what it cannot read it leaves alone."""
        spell = self._same if self.base == "same" else self._other_base()
        return self._with_hyphens(spell) if self.hyphens else spell

    def _same(self, written: bytes) -> bytes:
        spelled = written if self.hyphens is None else written.replace(b"-", b"")
        spelled = in_case(spelled, self.case)
        if self.width != ZEROS_KEPT:
            spelled = without_zeros(spelled).rjust(self.width, b"0")
        return spelled

    def _other_base(self) -> Speller:
        width = max(self.width, 1)
        if self.base == "dec-hex":
            hex_read = b"%%0%dd" % width

            def spell_dec(written: bytes) -> bytes:
                read = number(written, 16)
                return written if read is None else hex_read % read

            return spell_dec
        pattern = (b"%%0%dX" if self.case == "upper" else b"%%0%dx") % width

        def spell_hex(written: bytes) -> bytes:
            # Without `number`, for speed: digits are all that is read here.
            return pattern % int(written) if written.isdigit() and len(written) <= MOST_OCTETS else written

        return spell_hex

    def _with_hyphens(self, spell: Speller) -> Speller:
        digits = self.digits
        groups = hyphenated(bytes(digits), self.hyphens or ()).split(b"-")
        cut = struct.Struct("".join(f"{len(group)}s" for group in groups)).unpack

        def spell_with_hyphens(written: bytes) -> bytes:
            spelled = spell(written)
            return b"-".join(cut(spelled)) if len(spelled) == digits else spelled

        return spell_with_hyphens

    @property
    def words(self) -> str:
        """What it says, for people."""
        if self == AS_WRITTEN:
            return "the same in responses and receipts"
        if self.base == "same":
            words = ["the same digits in both"]
        else:
            response, receipt = self.base.split("-")
            words = [f"{response} in responses, {receipt} in receipts"]
        if self.case and (self.base == "same" or self.case == "upper"):
            words.append(f"{self.case} case in responses")
        if self.width > 0:
            words.append(f"padded to {self.width} digits in responses")
        elif self.width == 0 and self.base == "same":
            words.append("without zeros in front in responses")
        if self.hyphens:
            words.append("with hyphens in responses")
        elif self.hyphens is not None and self.base == "same":
            words.append("without hyphens in responses")
        return ", ".join(words)


AS_WRITTEN: Final = Spelling()


def between(receipt: bytes, response: bytes, case: Case) -> Spelling | None:
    """Return the spelling that makes the id of a response out of that of its receipt, None where there is none.

    `case` is taken for that of a hexadecimal number in the response where it has no letters.
    """
    if receipt == response:
        return AS_WRITTEN
    digits, hyphens = response.replace(b"-", b""), hyphens_in(response)
    padded = hyphens or (len(digits) > 1 and digits.startswith(b"0"))
    width = len(digits) if padded else 0
    if canonical(receipt) == canonical(response):
        written = receipt.replace(b"-", b"")
        if len(written) == len(digits):
            width = ZEROS_KEPT
        same_case = without_zeros(written) == without_zeros(digits)
        case = "" if same_case else "lower" if digits.islower() else "upper"
        if hyphens == hyphens_in(receipt):
            spelling = Spelling("same", case, width)
        else:
            spelling = Spelling("same", case, width, hyphens, len(digits))
    elif receipt.isdigit() and number(receipt, 10) == number(response, 16):
        case = "lower" if digits.islower() else "upper" if digits.isupper() else case
        spelling = Spelling("hex-dec", case, width, hyphens, len(digits))
    else:
        spelling = Spelling("dec-hex", "", width)
    return spelling if spelling.speller()(receipt) == response else None
