"""Optional parameters (TLVs): read strictly, kept as they came, typed on request.

In a PDU they stand as `(tag, value)` in the order of the wire, unknown, vendor and repeated tags included.
Spec: SMPP v3.4 section 5.3, v5.0 section 4.8.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from struct import Struct, error
from typing import Final, Literal

from smppgw.pdu.constants import CommandStatus
from smppgw.pdu.constants import TlvTag as T
from smppgw.pdu.errors import EncodeError, TlvError

Tlv = tuple[int, bytes]
"""tag, value as on the wire."""

_VALUE_MAX: Final = 0xFFFF
_pack_tag_and_length = Struct(">HH").pack
_unpack_tag_and_length = Struct(">HH").unpack_from


@dataclass(frozen=True, slots=True)
class TlvType:
    """What one tag may carry. Sizes are octets of the value; those of a C-Octet String count its NUL."""

    tag: int
    kind: Literal["int", "coctet", "octet"]
    min: int
    max: int
    repeatable: bool = False
    nul_optional: bool = False
    """Some peers leave the NUL out, so that an empty text has no octet at all."""
    sizes: tuple[int, ...] = ()
    """The sizes accepted, where they are not all from `min` to `max`."""
    sent: tuple[int, ...] = ()
    """The sizes we send, where they are fewer than those accepted."""

    @property
    def name(self) -> str:
        """The name of SMPP v5.0."""
        return T(self.tag).name.lower()

    @property
    def accepted(self) -> Collection[int]:
        """Sizes of a value that a peer may send."""
        return self.sizes or range(self.min - self.nul_optional, self.max + 1)


_TYPES: Final = (
    TlvType(T.DEST_ADDR_SUBUNIT, "int", 1, 1),
    TlvType(T.DEST_NETWORK_TYPE, "int", 1, 1),
    TlvType(T.DEST_BEARER_TYPE, "int", 1, 1),
    TlvType(T.DEST_TELEMATICS_ID, "int", 2, 2),
    TlvType(T.SOURCE_ADDR_SUBUNIT, "int", 1, 1),
    TlvType(T.SOURCE_NETWORK_TYPE, "int", 1, 1),
    TlvType(T.SOURCE_BEARER_TYPE, "int", 1, 1),
    TlvType(T.SOURCE_TELEMATICS_ID, "int", 1, 2),
    TlvType(T.QOS_TIME_TO_LIVE, "int", 4, 4),
    TlvType(T.PAYLOAD_TYPE, "int", 1, 1),
    TlvType(T.ADDITIONAL_STATUS_INFO_TEXT, "coctet", 1, 256, nul_optional=True),
    TlvType(T.RECEIPTED_MESSAGE_ID, "coctet", 1, 65, nul_optional=True),
    TlvType(T.MS_MSG_WAIT_FACILITIES, "int", 1, 1),
    TlvType(T.PRIVACY_INDICATOR, "int", 1, 1),
    TlvType(T.SOURCE_SUBADDRESS, "octet", 2, 23),
    TlvType(T.DEST_SUBADDRESS, "octet", 2, 23),
    TlvType(T.USER_MESSAGE_REFERENCE, "int", 2, 2),
    TlvType(T.USER_RESPONSE_CODE, "int", 1, 1),
    TlvType(T.SOURCE_PORT, "int", 2, 2),
    TlvType(T.DEST_PORT, "int", 2, 2),
    TlvType(T.SAR_MSG_REF_NUM, "int", 2, 2),
    TlvType(T.LANGUAGE_INDICATOR, "int", 1, 1),
    TlvType(T.SAR_TOTAL_SEGMENTS, "int", 1, 1),
    TlvType(T.SAR_SEGMENT_SEQNUM, "int", 1, 1),
    TlvType(T.SC_INTERFACE_VERSION, "int", 1, 1),
    TlvType(T.CALLBACK_NUM_PRES_IND, "int", 1, 1, repeatable=True),
    TlvType(T.CALLBACK_NUM_ATAG, "octet", 1, 65, repeatable=True),
    TlvType(T.NUMBER_OF_MESSAGES, "int", 1, 1),
    TlvType(T.CALLBACK_NUM, "octet", 4, 19, repeatable=True),
    TlvType(T.DPF_RESULT, "int", 1, 1),
    TlvType(T.SET_DPF, "int", 1, 1),
    TlvType(T.MS_AVAILABILITY_STATUS, "int", 1, 1),
    TlvType(T.NETWORK_ERROR_CODE, "octet", 3, 3),
    TlvType(T.MESSAGE_PAYLOAD, "octet", 0, 65535),
    TlvType(T.DELIVERY_FAILURE_REASON, "int", 1, 1),
    TlvType(T.MORE_MESSAGES_TO_SEND, "int", 1, 1),
    TlvType(T.MESSAGE_STATE, "int", 1, 1),
    TlvType(T.CONGESTION_STATE, "int", 1, 1),
    TlvType(T.USSD_SERVICE_OP, "octet", 1, 1),
    TlvType(T.BROADCAST_CHANNEL_INDICATOR, "int", 1, 1),
    TlvType(T.BROADCAST_CONTENT_TYPE, "octet", 3, 3),
    TlvType(T.BROADCAST_CONTENT_TYPE_INFO, "octet", 1, 255),
    TlvType(T.BROADCAST_MESSAGE_CLASS, "int", 1, 1),
    TlvType(T.BROADCAST_REP_NUM, "int", 2, 2),
    TlvType(T.BROADCAST_FREQUENCY_INTERVAL, "octet", 3, 3),
    TlvType(T.BROADCAST_AREA_IDENTIFIER, "octet", 1, 101, repeatable=True),
    TlvType(T.BROADCAST_ERROR_STATUS, "int", 4, 4, repeatable=True),
    TlvType(T.BROADCAST_AREA_SUCCESS, "int", 1, 1, repeatable=True),
    TlvType(T.BROADCAST_END_TIME, "coctet", 1, 17, sizes=(1, 16, 17), sent=(1, 17)),
    TlvType(T.BROADCAST_SERVICE_GROUP, "octet", 1, 255),
    TlvType(T.BILLING_IDENTIFICATION, "octet", 1, 1024),
    TlvType(T.SOURCE_NETWORK_ID, "coctet", 7, 66),
    TlvType(T.DEST_NETWORK_ID, "coctet", 7, 66),
    TlvType(T.SOURCE_NODE_ID, "octet", 6, 6),
    TlvType(T.DEST_NODE_ID, "octet", 6, 6),
    TlvType(T.DEST_ADDR_NP_RESOLUTION, "int", 1, 1),
    TlvType(T.DEST_ADDR_NP_INFORMATION, "octet", 1, 10, sent=(10,)),
    TlvType(T.DEST_ADDR_NP_COUNTRY, "octet", 1, 5),
    TlvType(T.DISPLAY_TIME, "int", 1, 1),
    TlvType(T.SMS_SIGNAL, "int", 2, 2),
    TlvType(T.MS_VALIDITY, "octet", 1, 4, sizes=(1, 4)),
    TlvType(T.ALERT_ON_MESSAGE_DELIVERY, "octet", 0, 1),
    TlvType(T.ITS_REPLY_TYPE, "int", 1, 1),
    TlvType(T.ITS_SESSION_INFO, "octet", 2, 2),
)

TLVS: Final[Mapping[int, TlvType]] = {int(tlv.tag): tlv for tlv in _TYPES}
"""Every TLV of SMPP 3.4 and 5.0 by tag."""

_ACCEPTED: Final[Mapping[int, Collection[int]]] = {tag: tlv.accepted for tag, tlv in TLVS.items()}


def name_of(tag: int) -> str:
    """Return the specification's name of a tag, or its number in hexadecimal."""
    known = TLVS.get(tag)
    return known.name if known else f"0x{tag:04X}"


def read_tlvs(octets: bytes, at: int, command_id: int) -> tuple[Tlv, ...]:
    """Read TLVs from `at` to the end of the octets; one NUL behind the last is a known fault, and ignored.

    Raises: TlvError, ESME_RINVTLVSTREAM when one runs past the end or a stub is left, ESME_RINVTLVLEN when a
    known one has a size it can not have.
    """
    end = len(octets)
    tlvs: list[Tlv] = []
    while end - at >= 4:
        tag, length = _unpack_tag_and_length(octets, at)
        at += 4 + length
        if at > end:
            raise TlvError(
                command_id,
                name_of(tag),
                f"claims {length} octets, {length - at + end} are left",
                CommandStatus.ESME_RINVTLVSTREAM,
            )
        accepted = _ACCEPTED.get(tag)
        if accepted is not None and length not in accepted:
            raise _wrong_size(command_id, tag, length)
        tlvs.append((tag, octets[at - length : at]))
    if at < end and octets[at:] != b"\0":
        stub = f"end in a stub of {end - at} octets"
        raise TlvError(command_id, "tlvs", stub, CommandStatus.ESME_RINVTLVSTREAM)
    return tuple(tlvs)


def write_tlvs(tlvs: Iterable[Tlv], command: str) -> bytes:
    """Return the TLVs as on the wire, in their order.

    Raises: EncodeError when one is no TLV, or has a size that `read_tlvs` refuses.
    """
    pieces: list[bytes] = []
    for index, tlv in enumerate(tlvs):
        try:
            tag, value = tlv
            pieces += (_pack_tag_and_length(tag, len(value)), value)
        except (error, TypeError, ValueError):
            raise EncodeError(command, f"tlvs[{index}]", tlv, _ANY_TLV) from None
        if not isinstance(value, bytes):
            raise EncodeError(command, f"tlvs[{index}]", tlv, _ANY_TLV)
        if tag in _ACCEPTED and len(value) not in _ACCEPTED[tag]:
            allowed = f"{_sizes_in_words(_ACCEPTED[tag])} octets"
            raise EncodeError(command, f"tlvs[{index}].{name_of(tag)}", value, allowed)
    return b"".join(pieces)


def tlv_value(tlvs: Iterable[Tlv], tag: int) -> int | bytes | None:
    """Return the typed value of the first TLV with that tag, None when there is none.

    An integer is an int, a C-Octet String ends before its NUL, everything else is its octets.
    Raises: TlvError, ESME_RINVTLVLEN, when its size is one it can not have.
    """
    value = next((value for found, value in tlvs if found == tag), None)
    known = TLVS.get(tag)
    if value is None or known is None:
        return value
    if len(value) not in _ACCEPTED[tag]:
        raise _wrong_size(0, tag, len(value))
    if known.kind == "int":
        return int.from_bytes(value, "big")
    return value.partition(b"\0")[0] if known.kind == "coctet" else value


def make_tlv(tag: int, value: int | bytes) -> Tlv:
    """Return the TLV that carries a typed value; an int takes the smallest size allowed that holds it.

    Raises: EncodeError when the tag can not carry it; an unknown tag carries any octets.
    """
    if not 0 <= tag <= 0xFFFF:
        raise EncodeError("tlv", "tag", tag, "0 to 0xFFFF")
    known = TLVS.get(tag)
    if known is not None and known.kind == "int":
        return tag, _integer(known, value)
    if not isinstance(value, bytes):
        raise EncodeError("tlv", name_of(tag), value, "bytes")
    if known is None:
        if len(value) > _VALUE_MAX:
            raise EncodeError("tlv", name_of(tag), value, f"0 to {_VALUE_MAX} octets")
        return tag, value
    if known.kind == "coctet":
        if 0 in value:
            raise EncodeError("tlv", known.name, value, "octets without a NUL")
        value += b"\0"
    sizes = known.sent or known.sizes or range(known.min, known.max + 1)
    if len(value) not in sizes:
        counting = ", the NUL counted" if known.kind == "coctet" else ""
        raise EncodeError("tlv", known.name, value, f"{_sizes_in_words(sizes)} octets{counting}")
    return tag, value


def _integer(known: TlvType, value: int | bytes) -> bytes:
    if isinstance(value, int):
        for size in range(known.min, known.max + 1):
            if 0 <= value < 1 << 8 * size:
                return value.to_bytes(size, "big")
    raise EncodeError("tlv", known.name, value, f"an int of 0 to {(1 << 8 * known.max) - 1}")


_ANY_TLV: Final = f"a tag of 0 to 0xFFFF and at most {_VALUE_MAX} octets"


def _sizes_in_words(sizes: Collection[int]) -> str:
    if isinstance(sizes, range):
        return str(sizes[0]) if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
    return " or ".join(map(str, sizes))


def _wrong_size(command_id: int, tag: int, length: int) -> TlvError:
    reason = f"has {length} octets; allowed: {_sizes_in_words(_ACCEPTED[tag])}"
    return TlvError(command_id, name_of(tag), reason, CommandStatus.ESME_RINVTLVLEN)
