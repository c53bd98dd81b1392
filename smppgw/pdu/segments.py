"""Long texts: how many messages one takes on the radio interface, and its parts.

One message holds 140 octets: 160 septets, 70 UCS-2 units or 140 octets. A part of a longer text gives up room
to its user data header: 153, 67 and 134 with an 8-bit reference, 152, 66 and 133 with a 16-bit one (3GPP TS
23.040 section 9.2.3.24.1). An escape and a surrogate pair stay whole, so a part may be one short of that.

ASCII is counted as the GSM septets the radio interface will carry, `[` and its like as two; Latin-1, binary
and the rest in octets as they come.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from smppgw.pdu import gsm7
from smppgw.pdu.constants import EsmClass
from smppgw.pdu.errors import EncodeError, FieldError
from smppgw.pdu.text import ASCII, GSM7, UCS2, codec_of, encode_text
from smppgw.pdu.udh import MAX_PARTS, Concatenation, ReferenceBits, build_concat, is_valid, parse_udh
from smppgw.settings import Alphabet

RADIO_OCTETS: Final = 140
"""What one message carries, user data header included."""

_CONCATENATION_ELEMENT_OCTETS: Final = 5
_CONCATENATION_HEADER_OCTETS: Final[dict[ReferenceBits, int]] = {8: 6, 16: 7}
_LONGEST_HEADER_OCTETS: Final = (
    131  # leaves a surrogate pair its four octets beside the concatenation element
)


@dataclass(frozen=True, slots=True)
class Segmented:
    """A text as it is to be sent."""

    data_coding: int
    characters: int
    """Unicode characters of the text."""
    octets: int
    """Octets of the encoded text, without any header."""
    parts: tuple[bytes, ...]
    """The short_message of each part, with its user data header where there is more than one part."""

    @property
    def segments(self) -> int:
        """How many messages that is."""
        return len(self.parts)


def segment_text(
    text: str,
    *,
    reference: int = 0,
    reference_bits: ReferenceBits = 8,
    alphabet: Alphabet = "gsm7",
    data_coding: int | None = None,
    concatenation: Literal["udh", "sar"] = "udh",
) -> Segmented:
    """Encode a text (see `encode_text`) and cut it into the fewest parts; an empty text is one empty part.

    With `concatenation` "sar" the parts carry no header, for sar_msg_ref_num and its fellows to say what it
    would (SMPP v3.4 section 5.3.2.22); they leave it its room, since the SMSC writes it.
    Raises: EncodeError for a character that does not fit, a reference out of range, more than 255 parts.
    """
    data_coding, octets = encode_text(text, alphabet=alphabet, data_coding=data_coding)
    if not 0 <= reference < 1 << reference_bits:
        raise EncodeError("text", "reference", reference, f"0 to {(1 << reference_bits) - 1}")
    header_octets = _CONCATENATION_HEADER_OCTETS[reference_bits]
    ends = _ends(octets, codec_of(data_coding, alphabet), 0, header_octets)
    total = len(ends)
    if total == 1:
        return Segmented(data_coding, len(text), len(octets), (octets,))
    if total > MAX_PARTS:
        raise EncodeError("text", "parts", total, f"at most {MAX_PARTS}")
    bodies = [octets[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    if concatenation == "udh":
        bodies = [
            build_concat(reference, total, number, reference_bits=reference_bits) + body
            for number, body in enumerate(bodies, 1)
        ]
    return Segmented(data_coding, len(text), len(octets), tuple(bodies))


def count_segments(
    octets: bytes, data_coding: int, *, alphabet: Alphabet = "gsm7", udhi: bool = False
) -> int:
    """Return how many messages a short_message or message_payload takes on the radio interface; at least 1.

    What is too long for one message is split by the SMSC; that goes for a short_message of 161 to 254 septets
    too. With `udhi` the octets begin with a header, which every one of the parts repeats.
    Raises: nothing; a header that no message could hold is counted as text.
    """
    if len(octets) <= RADIO_OCTETS // 2:
        return 1  # fits whatever the coding and the header, and many messages do
    header_octets = 0
    if udhi and octets[0] < min(len(octets), _LONGEST_HEADER_OCTETS):
        header_octets = 1 + octets[0]
        octets = octets[header_octets:]
    with_element = (header_octets or 1) + _CONCATENATION_ELEMENT_OCTETS
    return len(_ends(octets, codec_of(data_coding, alphabet), header_octets, with_element))


def cut(octets: bytes, data_coding: int, *, header_octets: int = 0) -> list[bytes]:
    """Return a text without its user data header in the parts it takes on the radio interface; a short one whole.

    Each part leaves room for `header_octets`, if that is not 0 the whole length of a header, and for a concatenation
    element with a reference of 8 bits. Raises: nothing.
    """
    with_element = (header_octets or 1) + _CONCATENATION_ELEMENT_OCTETS
    ends = _ends(octets, codec_of(data_coding), header_octets, with_element)
    return [octets[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def concatenation_of(
    short_message: bytes,
    esm_class: int,
    *,
    sar_msg_ref_num: int | None = None,
    sar_total_segments: int | None = None,
    sar_segment_seqnum: int | None = None,
) -> Concatenation | None:
    """Return which part of a long message this is, by its user data header or else its sar_* TLVs.

    None for a whole message, and for a part whose header or numbers make no sense. Raises: nothing.
    """
    if esm_class & EsmClass.UDHI:
        try:
            found = parse_udh(short_message).concatenation
        except FieldError:
            found = None
        if found is not None:
            return found
    if sar_msg_ref_num is None or sar_total_segments is None or sar_segment_seqnum is None:
        return None
    found = Concatenation(sar_msg_ref_num, sar_total_segments, sar_segment_seqnum)
    return found if is_valid(found) else None


def _ends(octets: bytes, codec: str, header_octets: int, part_header_octets: int) -> list[int]:
    """Return where each part ends: one when all of it fits beside the header, else as few as may be."""
    room, part_room = RADIO_OCTETS - header_octets, RADIO_OCTETS - part_header_octets
    if codec == GSM7:
        return _septet_ends(octets, room * 8 // 7, part_room * 8 // 7)
    if codec == ASCII:
        septets = gsm7.encode(octets.decode("latin-1"), "replace")
        ends = _septet_ends(septets, room * 8 // 7, part_room * 8 // 7)
        return [end - septets.count(gsm7.ESC, 0, end) for end in ends]
    if codec == UCS2:
        return _ucs2_ends(octets, room // 2 * 2, part_room // 2 * 2)
    if len(octets) <= room:
        return [len(octets)]
    return [*range(part_room, len(octets), part_room), len(octets)]


def _septet_ends(octets: bytes, room: int, part_room: int) -> list[int]:
    length = len(octets)
    ends = []
    if length > room:
        start, end = 0, part_room
        while end < length:
            plain = end
            while plain > start and octets[plain - 1] == gsm7.ESC:
                plain -= 1
            end -= (end - plain) & 1  # of a run of escapes only an odd one reaches beyond the cut
            ends.append(end)
            start, end = end, end + part_room
    ends.append(length)
    return ends


def _ucs2_ends(octets: bytes, room: int, part_room: int) -> list[int]:
    length = len(octets)
    ends = []
    if length > room:
        end = part_room
        while end < length:
            if octets[end - 2] & 0xFC == 0xD8 and octets[end] & 0xFC == 0xDC:
                end -= 2
            ends.append(end)
            end += part_room
    ends.append(length)
    return ends
