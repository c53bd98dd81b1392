"""The GSM 7 bit default alphabet, one character an octet, as data_coding 0 carries it.

Spec: 3GPP TS 23.038 section 6.2.1 (the basic table) and 6.2.1.1 (the extension table behind ESC).
Octet 0x09 is the capital C cedilla; the small one, which old tables show there, cannot be written.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

ESC: Final = 0x1B
"""Introduces a character of the extension table: two septets, never parted."""

BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)
"""The character of each septet; at 0x1B stands ESC, which is no character."""

EXTENSION: Final = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}
"""The characters behind ESC."""

_ENCODING: Final = {
    **{ord(character): bytes((septet,)) for septet, character in enumerate(BASIC) if septet != ESC},
    **{ord(character): bytes((ESC, septet)) for septet, character in EXTENSION.items()},
}
_DECODING: Final = BASIC + "\ufffe" * 128  # U+FFFE is the charmap codec's word for "undefined"

# Most texts are of characters that have the same place in ASCII, whose codec is several times as fast.
_SAME_AS_ASCII: Final = re.compile(r"[A-Za-z0-9 !\"#%&'()*+,\-./:;<=>?\n\r]*")

_ESCAPED: Final = re.compile(r"\x1b(.?)", re.DOTALL)
# An escape to a further table, of which there is none, shows a space; a character that the extension table
# lacks shows as the basic table has it (notes of the tables in 23.038). An escape at the end escapes nothing.
_UNESCAPED: Final = {
    **{BASIC[septet]: character for septet, character in EXTENSION.items()},
    "\x1b": " ",
    "": "\ufffd",
}


def encode(text: str, errors: str = "strict") -> bytes:
    """Return the septets of a text, each in an octet, ESC before those of the extension table.

    Raises: UnicodeEncodeError at the first character that neither table has; with `errors` "replace" such a
    character becomes "?" instead.
    """
    if _SAME_AS_ASCII.fullmatch(text):
        return text.encode("ascii")
    return codecs.charmap_encode(text, errors, _ENCODING)[0]


def decode(octets: bytes) -> str:
    """Return the text of unpacked septets. Raises nothing: an octet above 0x7F becomes U+FFFD."""
    text = codecs.charmap_decode(octets, "replace", _DECODING)[0]
    if ESC not in octets:
        return text
    return _ESCAPED.sub(_unescape, text)


def _unescape(match: re.Match[str]) -> str:
    escaped = match[1]
    return _UNESCAPED.get(escaped, escaped)
