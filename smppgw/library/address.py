"""Addresses of messages: digits or a name, with the type of number and numbering plan that go with it."""

from __future__ import annotations

from typing import Final, NamedTuple

from smppgw.pdu.constants import Npi, Ton
from smppgw.pdu.errors import EncodeError

SHORT_CODE_DIGITS: Final = 6
"""Up to here a number is one of a network's own; the longest short codes of the US have six digits."""

INTERNATIONAL_DIGITS: Final = 11
"""From here on a number has its country code; a national one of the US has ten digits."""


class Address(NamedTuple):
    """An address as a PDU carries it (SMPP v3.4 sections 5.2.5 to 5.2.9)."""

    ton: int
    npi: int
    addr: bytes
    """Digits without the leading +, or the characters of a name."""

    @classmethod
    def of(cls, text: str) -> Address:
        """Return the address a text means.

        | text | type of number | numbering plan |
        |---|---|---|
        | a leading +, or 11 digits and more | international | E.164 |
        | 7 to 10 digits | unknown | E.164 |
        | up to 6 digits | network specific | unknown |
        | anything else | alphanumeric | unknown |

        Raises: EncodeError for an empty text and for one that is no Latin-1.
        """
        digits = text.removeprefix("+")
        try:
            addr = digits.encode("latin-1")
        except UnicodeEncodeError:
            addr = b""
        if not addr:
            raise EncodeError("address", "text", text, "digits, or a name in Latin-1")
        if not addr.isdigit():
            return cls(Ton.ALPHANUMERIC, Npi.UNKNOWN, text.encode("latin-1"))
        if digits is not text or len(addr) >= INTERNATIONAL_DIGITS:
            return cls(Ton.INTERNATIONAL, Npi.ISDN_E163_E164, addr)
        if len(addr) <= SHORT_CODE_DIGITS:
            return cls(Ton.NETWORK_SPECIFIC, Npi.UNKNOWN, addr)
        return cls(Ton.UNKNOWN, Npi.ISDN_E163_E164, addr)
