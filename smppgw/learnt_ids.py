"""What is learnt of how a carrier spells its ids: from the receipts whose message was found.

The key of a message is the id of the response as written, so nothing that is kept depends on what is learnt here:
without it a receipt is found by trying the likely spellings one after the other, with it by the first.

A way to spell has to fit several times in a row before it is gone by, and more often where that means to leave
another: two ways by turns, from two systems of one carrier, never change it to and fro.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from smppgw.id_spelling import (
    AS_WRITTEN,
    HYPHENS_OF_UUID,
    OCTETS_OF_UUID,
    Case,
    Speller,
    Spelling,
    between,
    canonical,
    hyphenated,
    hyphens_in,
    in_case,
    number,
    without_zeros,
)

FITS_TO_LEARN: Final = 3
FITS_TO_CHANGE: Final = 8
MOST_CANDIDATES: Final = 24
_MOST_SHAPES: Final = 16
"""A hexadecimal number without padding, as it grows, has two of each length."""
_USUAL_LAYOUTS: Final = (
    (8, ()),
    (10, ()),
    (16, ()),
    (32, ()),
    (OCTETS_OF_UUID, HYPHENS_OF_UUID),
)
"""How long padded ids are, and where hyphens stand in them, where no response has been seen yet."""
_BARE_RECEIPTS: Final = 6
"""So many receipts in a row without a letter say that they are decimal, where responses have letters: of hexadecimal
ids of two digits, less than 1 in 200 such rows has none."""


class LearntIds:
    """The ids of one carrier whose spellings are not configured; see `CarrierIds` for what the methods are for."""

    def __init__(self) -> None:
        self._settled = False
        """Whether the present spelling has fitted often enough."""
        self._spelling = AS_WRITTEN
        self._spell: Speller | None = None
        """None: as written."""
        self._fits = 0
        """While nothing is learnt: how often the id as written has been the right one, and could not but be."""
        self._rival: Spelling | None = None
        """What fitted where the present one did not, and has not failed since where that one fitted."""
        self._rival_fits = 0
        self._bare = 0
        """How many receipts in a row were found that had no letter, while nothing is learnt."""
        self._shapes: dict[tuple[int, bool, bool, bool], tuple[int, ...]] = {}
        """The lengths and cases of responses, and where hyphens stand in them: the newest last."""
        self._lettered = False
        """Whether responses have letters: their numbers are then hexadecimal."""

    def response(self, written: bytes) -> bytes:
        """Note what the id of a response looks like (hot path)."""
        shape = (len(written), written.islower(), written.isupper(), b"-" in written)
        if shape not in self._shapes:
            self._note(shape, written)
        return written

    def _note(self, shape: tuple[int, bool, bool, bool], written: bytes) -> None:
        if len(self._shapes) >= _MOST_SHAPES:
            del self._shapes[next(iter(self._shapes))]
        self._shapes[shape] = hyphens_in(written)
        self._lettered = any(lower or upper for _, lower, upper, _ in self._shapes)

    def receipt(self, written: bytes) -> bytes:
        """Return the likeliest key (hot path)."""
        if self._spell is not None:
            return self._spell(written)
        if self._bare >= _BARE_RECEIPTS and self._lettered and written.isdigit():
            return self._as_decimal(written)
        return written

    def _as_decimal(self, written: bytes) -> bytes:
        """Return the key for a number of a receipt that looks decimal, beside responses that are hexadecimal.

        Taken as it is written it may be the id of a younger message, where a carrier counts from 1.
        """
        lengths = {length for length, *_ in self._shapes}
        width = lengths.pop() if len(lengths) == 1 else 0
        return Spelling("hex-dec", self._cases()[0], width, ()).speller()(written)

    def candidates(self, written: bytes) -> list[bytes]:
        """Return the other keys that an id may stand for."""
        likeliest = self.receipt(written)
        distinct = dict.fromkeys(self._spellings(written))
        distinct.pop(likeliest, None)
        return list(islice(distinct, MOST_CANDIDATES))

    def _spellings(self, written: bytes) -> Iterator[bytes]:
        """Yield what the response may have said: as it is, in another case, as another number, padded, hyphenated."""
        cases = self._cases()
        bare = written.replace(b"-", b"")
        yield written
        for text in (bare, written):
            yield from (in_case(text, case) for case in cases)
            yield text
        values = list(dict.fromkeys(self._values(written, bare, cases)))
        yield from values
        seen = [(length, hyphens) for (length, *_), hyphens in reversed(self._shapes.items())]
        for length, hyphens in (*dict.fromkeys(seen), *_USUAL_LAYOUTS):
            digits = length - len(hyphens)
            for value in values:
                if len(value) <= digits:
                    padded = value.rjust(digits, b"0")
                    yield hyphenated(padded, hyphens) if hyphens else padded

    def _cases(self) -> Sequence[Case]:
        """The cases of responses, the likelier one first."""
        lower = any(lower for _, lower, _, _ in self._shapes)
        upper = any(upper for _, _, upper, _ in self._shapes)
        if lower == upper:
            return ("lower", "upper")
        return ("lower",) if lower else ("upper",)

    def _values(self, written: bytes, bare: bytes, cases: Sequence[Case]) -> Iterator[bytes]:
        """Yield what an id may be without zeros in front: the same digits, and the same number in another base."""
        of_decimal = number(written, 10)
        of_hexadecimal = number(bare, 16)
        stripped = without_zeros(bare)
        yield from (in_case(stripped, case) for case in cases)
        yield stripped
        if of_hexadecimal is not None and not self._lettered:
            yield b"%d" % of_hexadecimal
        if of_decimal is not None:
            yield from (in_case(b"%x" % of_decimal, case) for case in cases)
        if of_hexadecimal is not None:
            yield b"%d" % of_hexadecimal

    @property
    def is_sure(self) -> bool:
        """Whether a spelling is learnt, and nothing speaks against it."""
        return self._settled and self._rival is None

    def hold_under(self, written: bytes) -> bytes:
        """Return one octet string for all spellings of the same digits."""
        return canonical(written)

    def held_under(self, response: bytes) -> Sequence[bytes]:
        """Return what `hold_under` makes of the ids that a receipt for this response may have."""
        base = self._spelling.base
        sure = self.is_sure
        under = []
        if base == "same" or not sure:
            under.append(canonical(response))
        # Digits alone are decimal until a response with letters says otherwise: else they would be found by the
        # receipts of other messages, where a carrier counts from 1.
        if base == "hex-dec" or not sure:
            read = number(response, 16) if self._lettered or base == "hex-dec" else None
            if read is not None:
                under.append(b"%d" % read)
        if base == "dec-hex" or not sure:
            read = number(response, 10)
            if read is not None:
                under.append(b"%x" % read)
        return tuple(dict.fromkeys(under))

    def found(self, written: bytes, key: bytes) -> str | None:
        """Learn from a match; return words for what is new."""
        fits = self._spelling.reads(written) and key == (
            written if self._spell is None else self._spell(written)
        )
        if not self._settled:
            self._bare = self._bare + 1 if written.isdigit() else 0
            if canonical(written) == canonical(key) and not self._tells(written):
                return None
        if fits:
            return self._fitted(written, key)
        if self._rival is not None and self._rival.speller()(written) == key:
            self._rival_fits += 1
        else:
            self._rival = between(written, key, self._cases()[0])
            self._rival_fits = 1
        if self._rival is None or self._rival_fits < (FITS_TO_CHANGE if self._settled else FITS_TO_LEARN):
            return None
        self._spelling, self._rival = self._rival, None
        self._spell = None if self._spelling == AS_WRITTEN else self._spelling.speller()
        return self._settle()

    def _fitted(self, written: bytes, key: bytes) -> str | None:
        """The present spelling was the right one."""
        if self._rival is not None and self._rival.speller()(written) != key:
            self._rival = None
        if self._settled:
            return None
        self._fits += 1
        return self._settle() if self._fits >= FITS_TO_LEARN else None

    def _tells(self, written: bytes) -> bool:
        """Whether an id that was found by the same digits shows that it is to be taken so, while nothing is learnt.

        A single digit is the same in every base; digits alone, beside responses with letters, are a decimal number
        as well, and may have found the message of another one.
        """
        digits = canonical(written)
        return not digits.isdigit() or (len(digits) > 1 and not self._lettered)

    def _settle(self) -> str:
        self._settled, self._bare = True, 0
        return self._spelling.words
