"""A receipt as a carrier sends it, and as the ESME gets it: read, and written with our message_id in its place.

Hot path: a receipt in the straight form of Appendix B keeps its octets but for the id; any other is read field by
field and written anew.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple

from smppgw.pdu import peek
from smppgw.pdu.constants import CommandId, EsmClass, MessageState, TlvTag
from smppgw.pdu.errors import TlvError
from smppgw.pdu.receipt import (
    STAT_OF_STATE,
    Receipt,
    format_receipt,
    parse_receipt,
    receipt_date,
    state_of_stat,
)
from smppgw.pdu.tlv import Tlv, read_tlvs

_STRAIGHT: Final = re.compile(
    rb"id:([^\s\0]+) sub:\d{3} dlvrd:\d{3} submit date:\d{10} done date:\d{10} stat:([A-Z]{7}) err:\w{3} [Tt]ext:"
)
_USUAL: Final = re.compile(
    rb"([^\0]{0,5}\0..[^\0]{0,20}\0..[^\0]{0,20}\0"  # 1 the fields up to sm_length
    rb"\x04..(?:[^\0]{16})?\0(?:[^\0]{16})?\0....)"
    rb"(.)"  # 2 sm_length
    rb"id:([^\s\0]+)"  # 3
    rb"( sub:\d{3} dlvrd:\d{3} submit date:\d{10} done date:\d{10} stat:([A-Z]{7}) err:\w{3} [Tt]ext:[^\0]*)"  # 4, 5
    rb"(?:\x00\x1e\x00(.)([^\0]+)\0\x04\x27\x00\x01(.)"  # 6, 7 receipted_message_id, 8 message_state
    rb"(?:\x04\x23\x00\x03(...))?)?",  # 9 network_error_code
    re.DOTALL,
)
"""A whole deliver_sm as most SMSCs send a receipt, so that one match reads it."""

_RECEIPT_TYPES: Final = (int(EsmClass.DELIVERY_RECEIPT), int(EsmClass.INTERMEDIATE_NOTIFICATION))
_TYPE_MASK: Final = int(EsmClass.TYPE_MASK)
_INTERMEDIATE: Final = int(EsmClass.INTERMEDIATE_NOTIFICATION)
_NOT_YET: Final = frozenset({int(MessageState.ENROUTE), int(MessageState.SCHEDULED)})
_UNKNOWN: Final = int(MessageState.UNKNOWN)
_STATE_OF_STAT: Final = {stat.encode(): int(state_of_stat(stat)) for stat in STAT_OF_STATE.values()}
STATES: Final[Mapping[int, str]] = {int(state): stat for state, stat in STAT_OF_STATE.items()}
"""The word of each message_state, as in receipts and in metrics."""

_RECEIPTED_MESSAGE_ID: Final = int(TlvTag.RECEIPTED_MESSAGE_ID)
_MESSAGE_STATE: Final = int(TlvTag.MESSAGE_STATE)
_NETWORK_ERROR_CODE: Final = int(TlvTag.NETWORK_ERROR_CODE)
_MESSAGE_PAYLOAD: Final = int(TlvTag.MESSAGE_PAYLOAD)
_DELIVER_SM: Final = int(CommandId.DELIVER_SM)
_DATA_SM: Final = int(CommandId.DATA_SM)
_LONGEST_SHORT_MESSAGE: Final = 254
_LONGEST_ADDRESS: Final = 20
"""Of submit_sm and deliver_sm, without the NUL; a data_sm has room for 64 octets."""

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


class Notice(NamedTuple):
    """What a carrier says of a message."""

    carrier_id: bytes
    state: int
    intermediate: bool
    head: bytes
    """The body up to sm_length, with the esm_class of a receipt."""
    straight: bytes
    """What stands behind the id of a text in the straight form; empty for any other text."""
    text: bytes
    """A text in another form; empty for the straight one."""
    network_error_code: bytes
    command_id: int = _DELIVER_SM
    """What it is written as: deliver_sm, or data_sm where the addresses fit nothing else; `head` is of that."""


class FromHandset(NamedTuple):
    """A message from a handset."""

    destination: bytes
    tlv_at: int


def read(command_id: int, body: bytes) -> Notice | FromHandset | None:
    """Tell a receipt from a message of a handset; None where the mandatory fields cannot be read.

    A receipt is one by its esm_class, by its receipted_message_id, or by a text in the straight form of Appendix B
    (interop quirk 15). Broken optional parameters of a carrier are taken as absent (quirk 13).
    """
    return _read_usual(body) or read_any(command_id, body)


def _read_usual(body: bytes) -> Notice | None:
    usual = _USUAL.fullmatch(body)
    if usual is None:
        return None
    head, sm_length, said_id, behind_id, stat, id_length, receipted_id, message_state, code = usual.groups()
    if sm_length[0] != len(said_id) + len(behind_id) + 3:
        return None
    if receipted_id is None:
        state = _STATE_OF_STAT.get(stat, _UNKNOWN)
    elif id_length[0] != len(receipted_id) + 1 or message_state[0] not in STATES:
        return None
    else:
        said_id, state = receipted_id, message_state[0]
    return Notice(said_id, state, state in _NOT_YET, head, behind_id, b"", code or b"")


def read_any(command_id: int, body: bytes) -> Notice | FromHandset | None:
    """As `read`, field by field."""
    written_as = _DELIVER_SM
    if command_id == _DATA_SM:
        match = peek.DATA.match(body)
        if match is None:
            return None
        esm_class, text_at = match[3][0], match.end()
        tlv_at, head = text_at, body[:text_at]
        if _fits_deliver_sm(match):
            head = _head_of_data(match, body)
        else:
            written_as = _DATA_SM
    else:
        match = peek.SHORT_MESSAGE.match(body)
        if match is None:
            return None
        esm_class, text_at = match[3][0], match.end()
        tlv_at, head = text_at + body[text_at - 1], body[: text_at - 1]
        if tlv_at > len(body):
            return None
    receipted_id, state, network_error_code, payload = b"", -1, b"", b""
    if tlv_at < len(body):
        for tag, value in _tlvs(command_id, body, tlv_at):
            if tag == _RECEIPTED_MESSAGE_ID:
                receipted_id = value.partition(b"\0")[0]
            elif tag == _MESSAGE_STATE:
                state = value[0]
            elif tag == _NETWORK_ERROR_CODE:
                network_error_code = value
            elif tag == _MESSAGE_PAYLOAD:
                payload = value
    text = body[text_at:tlv_at] or payload
    straight = _STRAIGHT.match(text)
    esm_type = esm_class & _TYPE_MASK
    if esm_type not in _RECEIPT_TYPES:
        if not receipted_id and straight is None:
            return FromHandset(match[2], tlv_at)
        at = match.start(3)
        head = head[:at] + bytes([esm_class | EsmClass.DELIVERY_RECEIPT]) + head[at + 1 :]
    if straight is not None:
        said_id, stat = straight.groups()
        if state < 0:
            state = _STATE_OF_STAT.get(stat, _UNKNOWN)
        behind_id, text = text[straight.end(1) :], b""
    else:
        loose = parse_receipt(text)
        said_id = loose.id.encode("latin-1") if loose is not None else b""
        if state < 0:
            state = loose.message_state if loose is not None else _UNKNOWN
        behind_id = b""
    if state not in STATES:
        state = _UNKNOWN
    intermediate = esm_type == _INTERMEDIATE or state in _NOT_YET
    carrier_id = receipted_id or said_id
    return Notice(carrier_id, state, intermediate, head, behind_id, text, network_error_code, written_as)


def _tlvs(command_id: int, body: bytes, at: int) -> tuple[Tlv, ...]:
    try:
        return read_tlvs(body, at, command_id)
    except TlvError:
        return ()


def _fits_deliver_sm(match: re.Match[bytes]) -> bool:
    return max(len(match[1]), len(match[2])) <= _LONGEST_ADDRESS


def _head_of_data(match: re.Match[bytes], body: bytes) -> bytes:
    """The fields of a deliver_sm up to sm_length, from those of a data_sm (SMPP v3.4 sections 4.6.1 and 4.7.1)."""
    esm_class, registered_delivery, data_coding = match[3], match[4], match[5]
    return (
        body[: match.start(3)]
        + esm_class
        + b"\0\0"
        + b"\0\0"
        + registered_delivery
        + b"\0"
        + data_coding
        + b"\0"
    )


def wanted(registered_delivery: int, state: int, *, intermediate: bool) -> bool:
    """Return whether an ESME that asked for `registered_delivery` is told this (SMPP v3.4 section 5.2.17)."""
    if intermediate:
        return bool(registered_delivery & 0x10)
    asked = registered_delivery & 0x03
    if asked == 0x01:
        return True
    return asked == (0x03 if state == MessageState.DELIVERED else 0x02)


def rewritten(notice: Notice, message_id: bytes) -> tuple[int, bytes, int]:
    """Return the command_id and the body for the ESME, and where its optional parameters begin.

    It is a deliver_sm; but where an address is longer than one can carry, which only a data_sm can have brought, it
    is a data_sm with its text in message_payload: an address is never cut.
    """
    text = b"id:" + message_id + notice.straight if notice.straight else _anew(notice, message_id)
    if len(text) > _LONGEST_SHORT_MESSAGE:
        text = text[:_LONGEST_SHORT_MESSAGE]  # what is cut is the end of the copy of the message's own text
    tlvs = _receipt_tlvs(message_id, notice.state, notice.network_error_code)
    if notice.command_id == _DATA_SM:
        return _DATA_SM, notice.head + _payload(text) + tlvs, len(notice.head)
    body = b"%b%c%b" % (notice.head, len(text), text)
    return _DELIVER_SM, body + tlvs, len(body)


def _payload(text: bytes) -> bytes:
    return b"\x04\x24%b%b" % (len(text).to_bytes(2, "big"), text)


def _receipt_tlvs(message_id: bytes, state: int, network_error_code: bytes) -> bytes:
    tlvs = b"\x00\x1e\x00%c%b\0\x04\x27\x00\x01%c" % (len(message_id) + 1, message_id, state)
    return tlvs + b"\x04\x23\x00\x03" + network_error_code if network_error_code else tlvs


def _anew(notice: Notice, message_id: bytes) -> bytes:
    """Write a receipt that is in no straight form, with what it says."""
    loose = parse_receipt(notice.text) or Receipt("", "", "", "", "", "", "", "")
    err = loose.err.encode("latin-1", "replace")
    return format_receipt(
        message_id,
        submit_date=_date(loose.submit_date),
        done_date=_date(loose.done_date),
        state=MessageState(notice.state),
        err=err.rjust(3, b"0")[:3] if err.isalnum() else b"000",
        text=loose.text.encode("latin-1", "replace"),
    )


def _date(written: str) -> bytes:
    """Return ten digits of a date; the deeper readings are the receipt reader's."""
    return written[:10].encode() if written.isascii() and written[:10].isdigit() else b"0000000000"


def own(
    command_id: int, message_id: bytes, body: bytes, state: MessageState, err: bytes, now: datetime
) -> tuple[int, bytes, int]:
    """Return a receipt of our own for a message that no carrier will report on: addresses swapped.

    `body` is the message's; the result is as of `rewritten`, a data_sm for addresses that fit no deliver_sm.
    """
    pattern = peek.DATA if command_id == _DATA_SM else peek.SHORT_MESSAGE
    match = pattern.match(body)
    assert match is not None, "an accepted message has been read before"
    service_type = body[: body.index(0) + 1]
    source = body[len(service_type) : match.end(1) + 1]
    destination = body[match.end(1) + 1 : match.end(2) + 1]
    date = receipt_date(now.astimezone(UTC))
    text = format_receipt(message_id, submit_date=date, done_date=date, state=state, err=err)
    tlvs = _receipt_tlvs(message_id, state, b"")
    head = service_type + destination + source + bytes([EsmClass.DELIVERY_RECEIPT])
    if not _fits_deliver_sm(match):
        head += b"\0\0"  # registered_delivery, data_coding
        return _DATA_SM, head + _payload(text) + tlvs, len(head)
    head += b"\0\0\0\0\0\0\0\0"  # protocol_id, priority_flag, two empty times, four octets that say nothing
    result = b"%b%c%b" % (head, len(text), text)
    return _DELIVER_SM, result + tlvs, len(result)


def plain(command_id: int, body: bytes, tlv_at: int) -> bytes | None:
    """Return the body of a deliver_sm without optional parameters, for a peer of SMPP v3.3, which has no others.

    A data_sm becomes one, a message_payload its short_message; what other optional parameters say is left out. None
    for what it cannot carry: a text of more than 254 octets, a text beside a payload, an address of more than 20.
    """
    if tlv_at == len(body) and command_id == _DELIVER_SM:
        return body
    payload = b"".join(value for tag, value in _tlvs(command_id, body, tlv_at) if tag == _MESSAGE_PAYLOAD)
    if command_id == _DATA_SM:
        match = peek.DATA.match(body)
        assert match is not None, "a delivery has been read before"
        if not _fits_deliver_sm(match):
            return None
        head = _head_of_data(match, body)
    else:
        if not payload:
            return body[:tlv_at]
        head = body[: tlv_at - 1]
        match = peek.SHORT_MESSAGE.match(body)
        assert match is not None, "a delivery has been read before"
        if match.end() != tlv_at:
            return None
    return b"%b%c%b" % (head, len(payload), payload) if len(payload) <= _LONGEST_SHORT_MESSAGE else None
