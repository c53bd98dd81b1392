"""The message_id that an ESME is told: the key of its message in hexadecimal, and the way back.

Sixteen digits; eight toward peers of v3.3, whose message_id has no room for more (SMPP v3.3: 9 octets with the NUL).
"""

from __future__ import annotations

import re
from typing import Final

MOST_OF_ONE_ID: Final = 255
"""The messages of a submit_multi share the id of the first, and their keys follow each other (number_of_dests)."""

_ID: Final = re.compile(rb"[0-9A-Fa-f]{16}|[0-9A-Fa-f]{8}")
_SHORT_DIGITS: Final = 8
_SHORT_KEYS: Final = 1 << 32


def id_of(key: int, *, long: bool) -> bytes:
    """Return the message_id of a key: sixteen digits if `long`, else eight."""
    return b"%016x" % key if long else b"%08x" % (key % _SHORT_KEYS)


def ids_of(key: int) -> tuple[bytes, bytes]:
    """Return both message_ids that a key may have been told under."""
    return id_of(key, long=True), id_of(key, long=False)


def key_of(message_id: bytes, newest: int) -> int | None:
    """Return the key that a message_id stands for, in either case of its letters; None for what is none of ours.

    Eight digits stand for the highest key up to `newest` that ends in them.
    """
    if _ID.fullmatch(message_id) is None:
        return None
    key = int(message_id, 16)
    if len(message_id) == _SHORT_DIGITS:
        key += newest - newest % _SHORT_KEYS
        if key > newest:
            key -= _SHORT_KEYS
    return key if key > 0 else None
