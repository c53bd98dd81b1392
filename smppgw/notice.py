"""What a carrier's deliver_sm or data_sm is: a receipt, and what it says, or a message of a handset.

What optional parameters say comes first, the text of Appendix B second, and whatever else can be read third. Hot path:
one match reads a whole deliver_sm as most SMSCs send a receipt; any other is read piece by piece.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Final, NamedTuple, TypeAlias

from smppgw.pdu import peek
from smppgw.pdu.constants import CommandId, EsmClass, MessageState, TlvTag
from smppgw.pdu.errors import PduError
from smppgw.pdu.receipt import STAT_OF_STATE, Receipt, guess_receipt, is_receipt_alone, parse_receipt
from smppgw.pdu.text import UCS2, codec_of
from smppgw.pdu.udh import parse_udh

_DATE: Final = (
    r"(?:\d\d(?:(?:0[1-9]|1[0-2])(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])(?:29|30)|(?:0[13578]|1[02])31)"
    r"|(?:[02468][048]|[13579][26])0229)(?:[01]\d|2[0-3])[0-5]\d"
)
_BEHIND_ID: Final = (
    rf" sub:001 dlvrd:00[01] submit date:{_DATE} done date:{_DATE} stat:([A-Z]{{7}}) err:(\w{{3}}) [Tt]ext:"
)
_STRAIGHT: Final = re.compile(rf"id:[^\s\0]+({_BEHIND_ID}.*)", re.DOTALL | re.ASCII)
_USUAL: Final = re.compile(
    rb"[^\0]{0,5}\0..[^\0]{0,20}\0..[^\0]{0,20}\0"  # service_type, source and destination
    rb"\x04..\0\0"  # esm_class to validity_period, the times empty
    rb"..[\0\1\3].(.)"  # data_coding, sm_default_msg_id, 1 sm_length
    rb"id:([^\s\0]+)(%b[^\0]*)"  # 2 id, 3 all that is behind it, 4 stat, 5 err
    rb"(?:\x00\x1e\x00(.)([^\s\0]+)\0\x04\x27\x00\x01(.)"  # 6, 7 receipted_message_id, 8 message_state
    rb"(?:\x04\x23\x00\x03(...))?)?" % _BEHIND_ID.encode(),  # 9 network_error_code
    re.DOTALL,
)
"""A whole deliver_sm as most SMSCs send a receipt."""
DLVRD_AT: Final = len(" sub:001 dlvrd:00")
"""Where, behind the id, the digit stands that says whether it was delivered."""

STATES: Final[Mapping[int, str]] = {int(state): stat for state, stat in STAT_OF_STATE.items()}
"""The word of each message_state, as in receipts and in metrics."""
FINAL: Final = frozenset(
    {
        MessageState.DELIVERED,
        MessageState.EXPIRED,
        MessageState.DELETED,
        MessageState.UNDELIVERABLE,
        MessageState.REJECTED,
        MessageState.SKIPPED,
    }
)
"""States after which no other comes. ACCEPTED and UNKNOWN are not: carriers send them before the last word."""
_NOT_YET: Final = frozenset({int(MessageState.ENROUTE), int(MessageState.SCHEDULED)})
_DELIVERED: Final = int(MessageState.DELIVERED)
_UNKNOWN: Final = int(MessageState.UNKNOWN)
_DELIVER_SM: Final = int(CommandId.DELIVER_SM)
_DATA_SM: Final = int(CommandId.DATA_SM)
_TYPE_MASK: Final = int(EsmClass.TYPE_MASK)
_INTERMEDIATE: Final = int(EsmClass.INTERMEDIATE_NOTIFICATION)
_KIND_MASK: Final = _TYPE_MASK & ~_INTERMEDIATE
_RECEIPT: Final = int(EsmClass.DELIVERY_RECEIPT)
_UDHI: Final = int(EsmClass.UDHI)

_RECEIPTED_MESSAGE_ID: Final = int(TlvTag.RECEIPTED_MESSAGE_ID)
_MESSAGE_STATE: Final = int(TlvTag.MESSAGE_STATE)
_NETWORK_ERROR_CODE: Final = int(TlvTag.NETWORK_ERROR_CODE)
_MESSAGE_PAYLOAD: Final = int(TlvTag.MESSAGE_PAYLOAD)
_SAR: Final = frozenset(
    {int(TlvTag.SAR_MSG_REF_NUM), int(TlvTag.SAR_TOTAL_SEGMENTS), int(TlvTag.SAR_SEGMENT_SEQNUM)}
)
_READ: Final = _SAR | {_RECEIPTED_MESSAGE_ID, _MESSAGE_STATE, _NETWORK_ERROR_CODE, _MESSAGE_PAYLOAD}
_NETWORK_ERROR_CODE_OCTETS: Final = 3

_NOT_ONE_OCTET: Final = frozenset({UCS2, "shift_jis", "iso2022_jp", "euc_kr"})
"""Codings that do not write every character as one octet."""


class Notice(NamedTuple):
    """What a carrier says of a message."""

    carrier_id: bytes
    """As the carrier writes it; empty where none was found."""
    state: int
    """message_state, 0 to 9; UNKNOWN where nothing known was said."""
    stat: str
    """The word after `stat:`, in upper case; empty where there is none."""
    err: str
    """As written; else the figure of network_error_code; empty where there is neither."""
    intermediate: bool
    """Whether more is to come: by esm_class, or by a state that cannot be the last."""
    straight: bytes
    """What stands behind the id of a text that is right as it stands, from ` sub:` on; empty for any other."""
    said: Receipt | None
    """What a text in another form says; None where `straight` has it, or nothing could be read."""
    data_coding: int
    """That of the PDU."""
    network_error_code: bytes
    """Three octets, or none."""
    source: bytes
    """source_addr: the handset."""
    destination: bytes
    flagged: bool
    """Whether esm_class or an optional parameter says that it is a receipt; else its text alone does."""


class FromHandset(NamedTuple):
    """A message from a handset."""

    source: bytes
    destination: bytes
    tlv_at: int
    """Where its optional parameters begin."""
    esm_class: int
    concatenated: bool
    """Whether it may be a part of a longer one: it has a user data header, or a sar_* parameter."""


Words: TypeAlias = tuple[bytes, bytes, bytes | None, bytes | None]
"""stat and err of a text, message_state and network_error_code, the latter two None where they are not there."""
Usual: TypeAlias = tuple[bytes, bytes, Words]
"""The carrier's id, the text behind it as `Notice.straight` has it, and what it says."""


def read_usual(body: bytes) -> Usual | None:
    """Read a deliver_sm as most SMSCs send a receipt, with one match; None for any other. Hot path.

    Whether dlvrd, stat and message_state agree is for the caller to see (`DLVRD_AT`). Raises: nothing.
    """
    usual = _USUAL.fullmatch(body)
    if usual is None:
        return None
    sm_length, written, straight, stat, err, length, receipted_id, told, code = usual.groups()
    if sm_length[0] != len(written) + len(straight) + 3:
        return None
    if receipted_id is not None:
        if length[0] != len(receipted_id) + 1:
            return None
        written = receipted_id
    return written, straight, (stat, err, told, code)


def read(command_id: int, body: bytes) -> Notice | FromHandset | None:
    """Tell a receipt from a message of a handset; None where the mandatory fields cannot be read.

    `body` is a deliver_sm or data_sm without its header. It is a receipt by its esm_class, by its
    receipted_message_id, by a message_state beside a text of Appendix B, or by such a text that cannot be meant as
    anything else (interop quirk 15). One of which nothing can be read is a `Notice` without a `carrier_id`. Optional
    parameters are read up to the first broken one (quirk 13).
    Raises: nothing.
    """
    if command_id == _DATA_SM:
        match = peek.DATA.match(body)
        if match is None:
            return None
        esm_class, data_coding, tlv_at, short_message = match[3][0], match[5][0], match.end(), b""
    else:
        match = peek.SHORT_MESSAGE.match(body)
        if match is None:
            return None
        esm_class, data_coding, text_at = match[3][0], match[6][2], match.end()
        tlv_at = text_at + body[text_at - 1]
        if tlv_at > len(body):
            return None
        short_message = body[text_at:tlv_at]
    source, destination = match[1], match[2]
    tlvs = _tlvs(body, tlv_at) if tlv_at < len(body) else {}
    receipted_id = tlvs.get(_RECEIPTED_MESSAGE_ID, b"").partition(b"\0")[0].strip()
    told = int.from_bytes(tlvs.get(_MESSAGE_STATE) or b"\xff", "big")
    is_intermediate = esm_class & _TYPE_MASK == _INTERMEDIATE
    flagged = is_intermediate or esm_class & _KIND_MASK == _RECEIPT or bool(receipted_id)

    bodies = [octets for octets in (short_message, tlvs.get(_MESSAGE_PAYLOAD, b"")) if octets]
    said, text = None, ""
    if flagged or any(b":" in octets for octets in bodies):
        texts = [text for octets in bodies for text in _texts(octets, data_coding, udhi=esm_class & _UDHI)]
        said, text = next(
            ((found, text) for text in texts if (found := parse_receipt(text)) is not None), (None, "")
        )
        if said is None and flagged and not receipted_id:
            addresses = (source.decode("latin-1"), destination.decode("latin-1"))
            said = next((found for text in texts if (found := guess_receipt(text, addresses))), None)
    if not flagged:
        if said is None or not ((said.id and told in STATES) or is_receipt_alone(text, said)):
            return FromHandset(
                source, destination, tlv_at, esm_class, bool(esm_class & _UDHI or not _SAR.isdisjoint(tlvs))
            )
        flagged = told in STATES

    state = told if told in STATES else int(said.message_state) if said is not None else _UNKNOWN
    code = tlvs.get(_NETWORK_ERROR_CODE, b"")
    if len(code) != _NETWORK_ERROR_CODE_OCTETS:
        code = b""
    straight = b""
    if said is not None and not esm_class & _UDHI and codec_of(data_coding) not in _NOT_ONE_OCTET:
        straight = _straight(text, state)
    return Notice(
        receipted_id or (said.id.encode("latin-1", "replace") if said is not None else b""),
        state,
        said.stat.upper() if said is not None else "",
        (said.err if said is not None else "") or (str(int.from_bytes(code[1:], "big")) if code else ""),
        is_intermediate or state in _NOT_YET,
        straight,
        None if straight else said,
        data_coding,
        code,
        source,
        destination,
        flagged,
    )


def _straight(text: str, state: int) -> bytes:
    """Return what stands behind the id of a text that may be forwarded as it is; nothing for any other."""
    straight = _STRAIGHT.fullmatch(text.rstrip("\0"))
    if straight is None or straight[2] != STATES[state]:
        return b""
    behind_id = straight[1]
    if (behind_id[DLVRD_AT] == "1") is not (state == _DELIVERED):
        return b""
    return behind_id.encode("latin-1", "replace")


def _tlvs(body: bytes, at: int) -> dict[int, bytes]:
    """Return optional parameters by tag, up to the first that is cut short; of several the first that has a value.

    A NUL too many behind short_message is passed over (quirk 6).
    """
    found, whole = _tlvs_from(body, at)
    if not whole and not body[at]:
        shifted, _ = _tlvs_from(body, at + 1)
        if len(_READ & shifted.keys()) > len(_READ & found.keys()):
            return shifted
    return found


def _tlvs_from(body: bytes, at: int) -> tuple[dict[int, bytes], bool]:
    """Return the parameters, and whether they end where the body does; NULs at its end do no harm."""
    found: dict[int, bytes] = {}
    end = len(body)
    while end - at >= 4:
        tag, value_at = body[at] << 8 | body[at + 1], at + 4
        at = value_at + (body[at + 2] << 8 | body[at + 3])
        if at > end:
            return found, False
        if not found.get(tag):
            found[tag] = body[value_at:at]
    return found, not any(body[at:])


def _texts(octets: bytes, data_coding: int, *, udhi: int) -> list[str]:
    """Return how a text can be read: behind its user data header first, where one is announced and is there."""
    texts = []
    if udhi:
        with suppress(PduError):
            texts.append(_decoded(octets[parse_udh(octets).octets :], data_coding))
    texts.append(_decoded(octets, data_coding))
    return texts


def _decoded(octets: bytes, data_coding: int) -> str:
    """Read UCS-2 where it is, whatever data_coding says; else each octet as the character of its number.

    The labels of a receipt are ASCII, so half of its octets in UCS-2 are NUL, and none in any other coding.
    """
    if 0 in octets:
        pairs = len(octets) // 2
        needed = pairs // 4 if codec_of(data_coding) == UCS2 else pairs // 2
        high, low = octets[::2].count(0), octets[1::2].count(0)
        if max(high, low) > needed:
            return octets[: 2 * pairs].decode("utf-16-be" if high >= low else "utf-16-le", "replace")
    return octets.decode("latin-1")
