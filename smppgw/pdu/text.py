"""Text to short_message octets and back, by data_coding (SMPP v3.4 section 5.2.19).

| data_coding | read and written as |
|---|---|
| 0 | the SMSC's default alphabet: GSM 03.38 unpacked, or by agreement Latin-1 or ASCII |
| 1, 3, 6, 7 | ASCII, Latin-1, ISO 8859-5, ISO 8859-8 |
| 2, 4, 9, 13 and the reserved 11, 12, 15 | binary: each octet is the character of the same number |
| 5, 10, 14 | Shift-JIS, ISO-2022-JP, EUC-KR; read only |
| 8 | UCS-2, big endian, with surrogate pairs as UTF-16 has them |
| 0x10 to 0x7F | GSM general group: bits 3-2 say GSM 03.38, binary or UCS-2; compressed (bit 5) is binary |
| 0x80 to 0xDF | GSM 03.38 (reserved groups are read so; 0xC0 and 0xD0 announce waiting messages) |
| 0xE0 to 0xEF | UCS-2 |
| 0xF0 to 0xFF | GSM message class: bit 2 says GSM 03.38 or binary |

The GSM groups are those of 3GPP TS 23.038 section 4. They name the GSM alphabet itself, so an agreement about
data_coding 0 does not reach them.
"""

from __future__ import annotations

from typing import Final

from smppgw.pdu import gsm7
from smppgw.pdu.constants import DataCoding
from smppgw.pdu.errors import EncodeError
from smppgw.settings import Alphabet

GSM7: Final = "gsm7"
ASCII: Final = "ascii"
LATIN_1: Final = "latin-1"
UCS2: Final = "utf-16-be"

_ALPHABETS: Final[dict[Alphabet, str]] = {"gsm7": GSM7, "latin1": LATIN_1, "ascii": ASCII}
_READ_ONLY: Final = frozenset({"shift_jis", "iso2022_jp", "euc_kr"})
_SMPP_CODECS: Final[dict[int, str]] = {
    DataCoding.DEFAULT: GSM7,
    DataCoding.ASCII: ASCII,
    DataCoding.JIS: "shift_jis",
    DataCoding.CYRILLIC: "iso8859-5",
    DataCoding.HEBREW: "iso8859-8",
    DataCoding.UCS_2: UCS2,
    DataCoding.ISO_2022_JP: "iso2022_jp",
    DataCoding.KS_C_5601: "euc_kr",
}


def _codec(data_coding: int) -> str:
    if data_coding < 0x10:
        return _SMPP_CODECS.get(data_coding, LATIN_1)
    if data_coding < 0x80:
        compressed = data_coding & 0x20
        return LATIN_1 if compressed else (GSM7, LATIN_1, UCS2, GSM7)[data_coding >> 2 & 3]
    if data_coding < 0xE0:
        return GSM7
    if data_coding < 0xF0:
        return UCS2
    return LATIN_1 if data_coding & 0x04 else GSM7


_CODECS: Final = tuple(_codec(data_coding) for data_coding in range(256))


def codec_of(data_coding: int, alphabet: Alphabet = "gsm7") -> str:
    """Return "gsm7" or the standard library's name of the codec of a data_coding, 0 to 255."""
    return _CODECS[data_coding] if data_coding else _ALPHABETS[alphabet]


def encode_text(
    text: str, *, alphabet: Alphabet = "gsm7", data_coding: int | None = None
) -> tuple[int, bytes]:
    """Return the data_coding and the octets of a text; GSM septets are one an octet, not packed.

    Without a `data_coding` it is 0 when the alphabet of data_coding 0 has every character, else 8. One that
    is given is obeyed.
    Raises: EncodeError that names the first character which does not fit; nothing is ever replaced.
    """
    if data_coding is None:
        try:
            return DataCoding.DEFAULT.value, _encode(text, _ALPHABETS[alphabet])
        except UnicodeEncodeError:
            data_coding = DataCoding.UCS_2.value
    elif not 0 <= data_coding <= 0xFF:
        raise EncodeError("text", "data_coding", data_coding, "0 to 255")
    codec = codec_of(data_coding, alphabet)
    if codec in _READ_ONLY:
        raise EncodeError("text", "data_coding", data_coding, "any but 5, 10 and 14, which are only read")
    try:
        return data_coding, _encode(text, codec)
    except UnicodeEncodeError as error:
        raise EncodeError(
            "text",
            f"character {error.start + 1}",
            text[error.start],
            f"the characters of data_coding {data_coding} ({codec})",
        ) from None


def decode_text(octets: bytes, data_coding: int, *, alphabet: Alphabet = "gsm7") -> str:
    """Return the text of a short_message or message_payload without its user data header.

    Raises: nothing. Octets that mean no character become U+FFFD; binary is read as Latin-1, so that every
    octet can be told from the text.
    """
    codec = codec_of(data_coding, alphabet)
    return gsm7.decode(octets) if codec == GSM7 else octets.decode(codec, "replace")


def _encode(text: str, codec: str) -> bytes:
    return gsm7.encode(text) if codec == GSM7 else text.encode(codec)
