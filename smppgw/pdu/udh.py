"""The user data header at the head of a short_message whose esm_class has UDHI set.

One octet of length, then elements of identifier, length and value (3GPP TS 23.040 section 9.2.3.24). The
header is only read and written here: elements this gateway has no use for stay as they came.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from smppgw.pdu.constants import CommandId, CommandStatus
from smppgw.pdu.errors import EncodeError, FieldError

ReferenceBits = Literal[8, 16]

CONCATENATION_8_BIT: Final = 0x00
PORTS_8_BIT: Final = 0x04
PORTS_16_BIT: Final = 0x05
CONCATENATION_16_BIT: Final = 0x08
NATIONAL_SINGLE_SHIFT: Final = 0x24
NATIONAL_LOCKING_SHIFT: Final = 0x25

MAX_PARTS: Final = 255
"""total and number of a concatenated message are one octet each."""


class Concatenation(NamedTuple):
    """Which part of which long message this is."""

    reference: int
    """The same in every part; 8 or 16 bits."""
    total: int
    """Parts in all, 1 to 255."""
    number: int
    """This part, 1 to `total`."""


class Ports(NamedTuple):
    """Application ports, 8 or 16 bits."""

    destination: int
    originator: int


@dataclass(frozen=True, slots=True)
class Udh:
    """A user data header. Of an element that is there twice the last one holds (23.040 section 9.2.3.24)."""

    elements: tuple[tuple[int, bytes], ...]
    """Identifier and value of each element, in wire order."""
    octets: int
    """Length of the whole header; the text begins there."""

    @property
    def concatenation(self) -> Concatenation | None:
        """The part's place in a long message; None without a valid element of 8 or 16 bits."""
        for identifier, value in reversed(self.elements):
            if identifier == CONCATENATION_8_BIT and len(value) == 3:
                found = Concatenation(*value)
            elif identifier == CONCATENATION_16_BIT and len(value) == 4:
                found = Concatenation(value[0] << 8 | value[1], value[2], value[3])
            else:
                continue
            if is_valid(found):
                return found
        return None

    @property
    def ports(self) -> Ports | None:
        """The application ports; None without an element of 8 or 16 bits."""
        for identifier, value in reversed(self.elements):
            if identifier == PORTS_16_BIT and len(value) == 4:
                return Ports(value[0] << 8 | value[1], value[2] << 8 | value[3])
            if identifier == PORTS_8_BIT and len(value) == 2:
                return Ports(value[0], value[1])
        return None

    @property
    def national_single_shift(self) -> int | None:
        """The language whose table replaces the extension table (23.038 section 6.2.1.2.4); None: none."""
        return self._language(NATIONAL_SINGLE_SHIFT)

    @property
    def national_locking_shift(self) -> int | None:
        """The language whose table replaces the basic table (23.038 section 6.2.1.2.4); None: none."""
        return self._language(NATIONAL_LOCKING_SHIFT)

    def _language(self, wanted: int) -> int | None:
        for identifier, value in reversed(self.elements):
            if identifier == wanted and len(value) == 1:
                return value[0]
        return None


def is_valid(concatenation: Concatenation) -> bool:
    """Say whether a part's number is within its total; otherwise the element is to be ignored."""
    return 1 <= concatenation.number <= concatenation.total <= MAX_PARTS


def parse_udh(short_message: bytes, *, command_id: int = CommandId.SUBMIT_SM) -> Udh:
    """Return the header of a short_message or message_payload whose esm_class has UDHI set.

    Raises: FieldError with ESME_RINVESMCLASS, and nothing else, when the octets are no header: it is
    esm_class that promised one. `command_id` only says in which command.
    """
    end = 1 + short_message[0] if short_message else 0
    if not 0 < end <= len(short_message):
        raise _malformed(command_id, "is shorter than its user data header")
    elements = []
    at = 1
    while at < end:
        value = at + 2
        if value > end or (following := value + short_message[at + 1]) > end:
            raise _malformed(command_id, "has a user data header element that runs over the header's end")
        elements.append((short_message[at], bytes(short_message[value:following])))
        at = following
    return Udh(tuple(elements), end)


def build_udh(elements: tuple[tuple[int, bytes], ...]) -> bytes:
    """Return a header of these elements, its length octet first.

    Raises: EncodeError when it would not fit the 140 octets of one message.
    """
    body = b"".join(bytes((identifier, len(value))) + value for identifier, value in elements)
    if len(body) > 139:
        raise EncodeError("text", "user data header octets", len(body) + 1, "at most 140")
    return bytes((len(body),)) + body


def build_concat(reference: int, total: int, number: int, *, reference_bits: ReferenceBits = 8) -> bytes:
    """Return the header of one part: 6 octets with an 8-bit reference, 7 with a 16-bit one.

    Raises: EncodeError when a number is out of its range.
    """
    if not 0 <= reference < 1 << reference_bits:
        raise EncodeError("text", "reference", reference, f"0 to {(1 << reference_bits) - 1}")
    if not is_valid(Concatenation(reference, total, number)):
        raise EncodeError("text", "part", f"{number} of {total}", f"1 to at most {MAX_PARTS}")
    if reference_bits == 8:
        return bytes((5, CONCATENATION_8_BIT, 3, reference, total, number))
    return bytes((6, CONCATENATION_16_BIT, 4, reference >> 8, reference & 0xFF, total, number))


def _malformed(command_id: int, reason: str) -> FieldError:
    return FieldError(command_id, "short_message", reason, CommandStatus.ESME_RINVESMCLASS)
