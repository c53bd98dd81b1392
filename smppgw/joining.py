"""Long messages of handsets that come in parts: what a part says of its place, and the whole made of all of them.

The place stands in the user data header, with a reference of 8 or 16 bits (3GPP TS 23.040 sections 9.2.3.24.1 and
9.2.3.24.8), or in sar_msg_ref_num, sar_total_segments and sar_segment_seqnum (SMPP v3.4 sections 5.3.2.22 to 5.3.2.24);
where it stands in both, the header holds. The text of a part is its short_message, or its message_payload where that is
empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from typing import Final, NamedTuple

from smppgw.pdu import peek
from smppgw.pdu.constants import HEADER_OCTETS, MAX_PDU_OCTETS, CommandId, EsmClass, TlvTag
from smppgw.pdu.errors import FieldError, TlvError
from smppgw.pdu.segments import RADIO_OCTETS
from smppgw.pdu.tlv import Tlv, read_tlvs, tlv_value, write_tlvs
from smppgw.pdu.udh import (
    CONCATENATION_8_BIT,
    CONCATENATION_16_BIT,
    Concatenation,
    Udh,
    build_udh,
    is_valid,
    parse_udh,
)

_DATA_SM: Final = int(CommandId.DATA_SM)
_UDHI: Final = int(EsmClass.UDHI)
_MESSAGE_PAYLOAD: Final = int(TlvTag.MESSAGE_PAYLOAD)
_SAR: Final = (int(TlvTag.SAR_MSG_REF_NUM), int(TlvTag.SAR_TOTAL_SEGMENTS), int(TlvTag.SAR_SEGMENT_SEQNUM))
_NO_HEADER: Final = Udh((), 0)
_CONCATENATIONS: Final = (CONCATENATION_8_BIT, CONCATENATION_16_BIT)
_OF_THE_PARTS: Final = frozenset((_MESSAGE_PAYLOAD, *_SAR))
"""Optional parameters of a part that are not the whole's."""

_BY_SAR: Final = 0xFF
"""Stands in a key where the identifier of the concatenation element does for a header."""
_pack_key: Final = Struct(">BHBB").pack
_LONGEST_TEXT: Final = 0xFFFF
"""Octets of a message_payload: the length of a TLV has 16 bits."""


class Place(NamedTuple):
    """Where a part belongs."""

    key: bytes
    """The same for all parts of one message: the kind of reference, the reference, how many there are, data_coding,
    and both addresses with ton and npi as written."""
    number: int
    """1 to `total`."""
    total: int
    """Parts in all, at least 2."""
    destination: bytes
    tlv_at: int
    """Where in the body the optional parameters begin."""
    octets: bytes
    """Its text with its header: what tells a part that came again from another one of the same number."""


class _Part(NamedTuple):
    place: Place
    command_id: int
    head: bytes
    """The mandatory fields, without those of the text."""
    esm_class_at: int
    elements: tuple[tuple[int, bytes], ...]
    """Of the header, without the concatenation."""
    text: bytes
    tlvs: tuple[Tlv, ...]


def place_of(command_id: int, body: bytes) -> Place | None:
    """Return the place of a deliver_sm or data_sm in a long message.

    None for what is no part of at least two, and where the header or the optional parameters are broken: that is passed
    on as it came. Raises: nothing.
    """
    part = _read(command_id, body)
    return part.place if part is not None else None


def joined(parts: Sequence[tuple[int, bytes]]) -> tuple[int, bytes, int] | None:
    """Return the message that these parts make: command_id, body, and where its optional parameters begin.

    The parts are command_id and body of each, in any order; of those of one number the first counts. The whole has the
    fields and the optional parameters of part 1, the text in message_payload. What the headers say beside the place,
    such as ports or a national language, stays as a header in front of it.
    None where parts are missing or belong to different messages, where their headers say different things (a language
    goes for one part only), and where the whole does not fit in a message_payload or a PDU. Raises: nothing.
    """
    by_number: dict[int, _Part] = {}
    for command_id, body in parts:
        part = _read(command_id, body)
        if part is None:
            return None
        by_number.setdefault(part.place.number, part)
    first = by_number.get(1)
    if first is None or len(by_number) != first.place.total:
        return None
    if any(
        part.place.key != first.place.key or part.elements != first.elements for part in by_number.values()
    ):
        return None
    header = build_udh(first.elements) if first.elements else b""
    text = header + b"".join(by_number[number].text for number in sorted(by_number))
    if len(text) > _LONGEST_TEXT:
        return None
    head = bytearray(first.head)
    if not header:
        head[first.esm_class_at] &= ~_UDHI
    if first.command_id != _DATA_SM:
        head.append(0)  # sm_length
    kept = [tlv for tlv in first.tlvs if tlv[0] not in _OF_THE_PARTS]
    body = bytes(head) + write_tlvs([*kept, (_MESSAGE_PAYLOAD, text)], "deliver_sm")
    if len(body) > MAX_PDU_OCTETS - HEADER_OCTETS:
        return None
    return first.command_id, body, len(head)


def _read(command_id: int, body: bytes) -> _Part | None:
    match = (peek.DATA if command_id == _DATA_SM else peek.SHORT_MESSAGE).match(body)
    if match is None:
        return None
    text_at = tlv_at = head_octets = match.end()
    if command_id == _DATA_SM:
        data_coding = match[5][0]
    else:
        data_coding, sm_length = match[6][2], match[6][4]
        tlv_at, head_octets = text_at + sm_length, text_at - 1
        if tlv_at > len(body):
            return None
    try:
        tlvs = read_tlvs(body, tlv_at, command_id)
    except TlvError:
        return None
    octets = body[text_at:tlv_at] or next((value for tag, value in tlvs if tag == _MESSAGE_PAYLOAD), b"")
    header = _NO_HEADER
    if match[3][0] & _UDHI:
        try:
            header = parse_udh(octets, command_id=command_id)
        except FieldError:
            return None
        if header.octets > RADIO_OCTETS:
            return None
    said = _said_in(header, tlvs)
    if said is None:
        return None
    kind, (reference, total, number) = said
    addresses = body[match.start(1) - 2 : match.end(2) + 1]
    place = Place(
        _pack_key(kind, reference, total, data_coding) + addresses, number, total, match[2], tlv_at, octets
    )
    elements = tuple(element for element in header.elements if element[0] not in _CONCATENATIONS)
    return _Part(
        place, command_id, body[:head_octets], match.start(3), elements, octets[header.octets :], tlvs
    )


def _said_in(header: Udh, tlvs: Sequence[Tlv]) -> tuple[int, Concatenation] | None:
    """Return what says the place, as it stands in a key, and what it says; None for a whole message."""
    found = header.concatenation
    if found is not None:
        long_reference = any(identifier == CONCATENATION_16_BIT for identifier, _ in header.elements)
        kind = CONCATENATION_16_BIT if long_reference else CONCATENATION_8_BIT
    else:
        reference, total, number = (tlv_value(tlvs, tag) for tag in _SAR)
        if not (isinstance(reference, int) and isinstance(total, int) and isinstance(number, int)):
            return None
        kind, found = _BY_SAR, Concatenation(reference, total, number)
        if not is_valid(found):
            return None
    return (kind, found) if found.total > 1 else None
