"""Texts that are too long for one message: how many segments they are, and the parts that a carrier is sent instead.

Segments are what limits count. A submit_sm is split for carriers that take no message_payload and split nothing
themselves (`[[carrier]] long_messages`). Parts are told apart by a concatenation element in their user data headers
(3GPP TS 23.040 section 9.2.3.24.1), or by sar_msg_ref_num and its fellows (SMPP v3.4 section 5.3.2.22).
"""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import Final, Literal, TypeAlias

from smppgw.pdu import codec
from smppgw.pdu._generated import DataSm, SubmitMulti, SubmitSm
from smppgw.pdu.constants import HEADER_OCTETS, CommandId, DataCoding, EsmClass, RegisteredDelivery, TlvTag
from smppgw.pdu.errors import FieldError
from smppgw.pdu.segments import concatenation_of, count_segments, cut
from smppgw.pdu.tlv import Tlv, make_tlv, tlv_value
from smppgw.pdu.udh import CONCATENATION_8_BIT, MAX_PARTS, Udh, build_udh, parse_udh

Form: TypeAlias = Literal["udh", "sar"]

SHORT_OCTETS: Final = 140
"""A short_message of so many octets, or fewer, fits one message in whatever coding but ASCII."""
SHORT_ASCII_OCTETS: Final = 80
"""Likewise in ASCII, of which some characters take two septets."""

_LONGEST_PART_OCTETS: Final = 160
"""Septets that are not packed, and 8-bit texts that carriers make septets of, fill them; more fits no one message."""
_UCS2: Final = int(DataCoding.UCS_2)
_UDHI: Final = int(EsmClass.UDHI)
_PLAIN_ESM_CLASS: Final = 1
_PLAIN_DATA_CODING: Final = 8
_PLAIN_TEXT: Final = 11
"""Where these stand in a plain submit_sm, behind its destination_addr; see `peek.plain_ends`."""

_HEADER: Final = struct.Struct(">IIII")
_SAR: Final = (TlvTag.SAR_MSG_REF_NUM, TlvTag.SAR_TOTAL_SEGMENTS, TlvTag.SAR_SEGMENT_SEQNUM)


def segments_of(pdu: SubmitSm | SubmitMulti | DataSm) -> int:
    """Return how many messages a text is on the radio interface, user data header and all; at least 1.

    A part of a concatenated message is one, whatever its coding, unless it is longer than any part can be.
    """
    payload = tlv_value(pdu.tlvs, TlvTag.MESSAGE_PAYLOAD)
    text = (b"" if isinstance(pdu, DataSm) else pdu.short_message) or payload or b""
    assert isinstance(text, bytes)
    if len(text) <= _longest_part(pdu.data_coding) and _is_part(pdu, text):
        return 1
    return count_segments(text, pdu.data_coding, udhi=bool(pdu.esm_class & EsmClass.UDHI))


def segments_in(submit_sm: bytes, end: int) -> int:
    """As `segments_of`, of a whole frame whose destination_addr ends there, and that is plain (hot path)."""
    udhi = submit_sm[end + _PLAIN_ESM_CLASS] & _UDHI
    data_coding = submit_sm[end + _PLAIN_DATA_CODING]
    at = end + _PLAIN_TEXT
    if len(submit_sm) - at <= _longest_part(data_coding) and (
        concatenation_of(submit_sm[at:], udhi) is not None if udhi else not data_coding
    ):
        return 1
    return count_segments(submit_sm[at:], data_coding, udhi=bool(udhi))


def _longest_part(data_coding: int) -> int:
    """The octets of the longest text that one message can carry, whatever is in it."""
    return SHORT_OCTETS if data_coding == _UCS2 else _LONGEST_PART_OCTETS


def bodies_of(body: bytes, form: Form, reference: int) -> list[bytes]:
    """Return the bodies of the messages to be sent in the place of one; see `parts_of`. Raises: PduError."""
    pdu = codec.decode(_HEADER.pack(HEADER_OCTETS + len(body), CommandId.SUBMIT_SM, 0, 1) + body)
    assert isinstance(pdu, SubmitSm)
    parts = parts_of(pdu, form, reference)
    return [body] if len(parts) == 1 else [codec.encode(part)[HEADER_OCTETS:] for part in parts]


def parts_of(pdu: SubmitSm, form: Form, reference: int) -> list[SubmitSm]:
    """Return the messages to be sent in the place of one; that one alone where it need not or cannot be split.

    It cannot where it is itself a part, where its user data header is broken, and where it would take more than 255
    parts. All is the same in each but the text, what tells the parts apart, and that receipts are asked for whatever
    comes. `reference`, 0 to 255, should differ from that of another long message to the same handset.
    """
    payload = tlv_value(pdu.tlvs, TlvTag.MESSAGE_PAYLOAD)
    text = pdu.short_message or payload or b""
    assert isinstance(text, bytes)
    header = Udh((), 0)
    if pdu.esm_class & EsmClass.UDHI:
        try:
            header = parse_udh(text)
        except FieldError:
            return [pdu]
    if _is_part(pdu, text):
        return [pdu]
    texts = cut(text[header.octets :], pdu.data_coding, header_octets=header.octets)
    if not 1 < len(texts) <= MAX_PARTS:
        return [pdu]
    tlvs: list[Tlv] = [(tag, value) for tag, value in pdu.tlvs if tag != TlvTag.MESSAGE_PAYLOAD]
    return [
        _part(pdu, form, header, tlvs, text, (reference, len(texts), number))
        for number, text in enumerate(texts, 1)
    ]


def _is_part(pdu: SubmitSm | SubmitMulti | DataSm, text: bytes) -> bool:
    reference, total, number = (_number(pdu, tag) for tag in _SAR)
    return (
        concatenation_of(
            text,
            pdu.esm_class,
            sar_msg_ref_num=reference,
            sar_total_segments=total,
            sar_segment_seqnum=number,
        )
        is not None
    )


def _number(pdu: SubmitSm | SubmitMulti | DataSm, tag: int) -> int | None:
    value = tlv_value(pdu.tlvs, tag)
    assert not isinstance(value, bytes)
    return value


def _part(
    pdu: SubmitSm, form: Form, header: Udh, tlvs: list[Tlv], text: bytes, place: tuple[int, int, int]
) -> SubmitSm:
    elements = header.elements
    esm_class = pdu.esm_class
    if form == "udh":
        elements = (*elements, (CONCATENATION_8_BIT, bytes(place)))
        esm_class |= EsmClass.UDHI
    else:
        tlvs = [*tlvs, *(make_tlv(tag, value) for tag, value in zip(_SAR, place, strict=True))]
    short_message = (build_udh(elements) if elements else b"") + text
    asked = pdu.registered_delivery
    if (
        asked & RegisteredDelivery.RECEIPT_MASK
    ):  # whatever it asked for, it is told when the last part has ended
        asked = asked & ~RegisteredDelivery.RECEIPT_MASK | RegisteredDelivery.SUCCESS_OR_FAILURE
    return replace(
        pdu,
        esm_class=esm_class,
        registered_delivery=asked,
        short_message=short_message,
        tlvs=tuple(tlvs),
    )
