"""A receipt as the ESME gets it: with our message_id, in the form of SMPP v3.4 Appendix B, addresses swapped.

Of a message that a carrier has, its envelope is kept: all of the receipt's deliver_sm up to sm_length. Hot path: where
a carrier's text is right as it stands, a receipt is that envelope, our message_id and the rest of the text.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

from smppgw.notice import Notice
from smppgw.pdu import peek
from smppgw.pdu.constants import HEADER_OCTETS, CommandId, EsmClass, MessageState, TlvTag
from smppgw.pdu.errors import TlvError
from smppgw.pdu.receipt import Receipt, format_receipt, parse_receipt, receipt_date
from smppgw.pdu.receipt_dates import read_date
from smppgw.pdu.text import UCS2, codec_of
from smppgw.pdu.tlv import read_tlvs
from smppgw.store.entries import Message, Outcome

_DELIVER_SM: Final = int(CommandId.DELIVER_SM)
_DATA_SM: Final = int(CommandId.DATA_SM)
_RECEIPT: Final = int(EsmClass.DELIVERY_RECEIPT)
_INTERMEDIATE: Final = int(EsmClass.INTERMEDIATE_NOTIFICATION)
_DELIVERED: Final = int(MessageState.DELIVERED)
_ACCEPTED: Final = int(MessageState.ACCEPTED)
_MESSAGE_PAYLOAD: Final = int(TlvTag.MESSAGE_PAYLOAD)
LONGEST_SHORT_MESSAGE: Final = 254
_LONGEST_ADDRESS: Final = 20
"""Of submit_sm and deliver_sm, without the NUL; a data_sm has room for 64 octets."""

_OF_DATA_SM: Final = 0xFF
"""Last octet of an envelope whose addresses fit a data_sm alone. That of another is sm_default_msg_id, always 0."""

_DIGITS_ENOUGH: Final = 7
"""Of a telephone number, so many at its end tell it from others, with or without its country or area."""

_CENTRE_SPECIFIC: Final = 8
"""network_error_code whose figure is the message centre's own (SMPP v5.0 section 4.8.4.42)."""
_HIGHEST_CODE: Final = 0xFFFF
_NOTHING_SAID: Final = Receipt("", "", "", "", "", "", "", "")


class Told(NamedTuple):
    """A receipt to be sent to an ESME."""

    command_id: int
    """deliver_sm; data_sm where an address is longer than that can carry: an address is never cut."""
    body: bytes
    tlv_at: int
    """Where in `body` the optional parameters begin."""


class Tally(NamedTuple):
    """Of how many messages a receipt tells: `sub` and `dlvrd` of its text."""

    parts: int
    delivered: int


# ---- what is kept of a message ------------------------------------------------------------------------------


def envelope_of(command_id: int, body: bytes) -> bytes:
    """Return what is kept of an accepted message for its receipts: service_type, addresses swapped, data_coding.

    It has the octets of a deliver_sm up to sm_length; of a data_sm up to its optional parameters and one octet more,
    where an address fits nothing else.
    """
    source = body.index(0) + 1
    destination = body.index(0, source + 2) + 1
    end = body.index(0, destination + 2) + 1
    swapped = body[:source] + body[destination:end] + body[source:destination]
    if command_id == _DATA_SM:
        data_coding = body[end + 2]
        if max(destination - source, end - destination) > _LONGEST_ADDRESS + 3:
            return b"%b%c\0%c%c" % (swapped, _RECEIPT, data_coding, _OF_DATA_SM)
    elif body[end + 3] or body[end + 4]:  # it has a schedule or a validity
        match = peek.SHORT_MESSAGE.match(body)
        assert match is not None, "an accepted message has been read before"
        data_coding = match[6][2]
    else:
        data_coding = body[end + 7]
    return b"%b%c\0\0\0\0\0\0%c\0" % (swapped, _RECEIPT, data_coding)


def envelope_in(submit_sm: bytes, ends: tuple[int, int, int]) -> bytes:
    """As `envelope_of`, of a whole frame and what `peek.plain_ends` says of it (hot path)."""
    service, source, end = ends
    return b"%b%b%b%c\0\0\0\0\0\0%c\0" % (
        submit_sm[HEADER_OCTETS : service + 1],
        submit_sm[source + 1 : end + 1],
        submit_sm[service + 1 : source + 1],
        _RECEIPT,
        submit_sm[end + 8],
    )


def is_about(said: Notice, envelope: bytes) -> bool:
    """Whether a receipt has the address that the message of that envelope went to, by the digits at its end.

    It stands in source_addr; but there are carriers that do not swap the addresses.
    """
    start = envelope.index(0) + 3
    ours = envelope[start : envelope.index(0, start)].removeprefix(b"+")
    return _are_alike(ours, said.source) or _are_alike(ours, said.destination)


def _are_alike(ours: bytes, theirs: bytes) -> bool:
    theirs = theirs.removeprefix(b"+")
    shorter = min(len(ours), len(theirs))
    return ours == theirs or (shorter >= _DIGITS_ENOUGH and ours[-shorter:] == theirs[-shorter:])


# ---- receipts of carriers -----------------------------------------------------------------------------------


def wanted(registered_delivery: int, state: int, *, intermediate: bool) -> bool:
    """Return whether an ESME that asked for `registered_delivery` is told this (SMPP v3.4 section 5.2.17)."""
    if intermediate:
        return bool(registered_delivery & 0x10)
    asked = registered_delivery & 0x03
    if asked == 0x01:
        return True
    return asked == 0x03 if state == _DELIVERED else asked == 0x02 and state != _ACCEPTED


def passed_on(message: Message, said: Notice, *, in_default: bool) -> Told | None:
    """Return a carrier's receipt with our message_id in the place of its own; None where that would not be right.

    `in_default`: the ESME wants receipts in data_coding 0.
    """
    envelope = message.envelope or envelope_of(message.command_id, message.body)
    if not said.straight or envelope[-1] or said.intermediate:
        return None
    if in_default:
        envelope = envelope[:-2] + b"\0\0"
    elif codec_of(envelope[-2]) == UCS2:
        return None
    tail = state_and_code(said.state, said.network_error_code, said.err)
    return Told(_DELIVER_SM, *in_full(envelope, message.message_id, said.straight, tail))


def in_full(envelope: bytes, message_id: bytes, straight: bytes, tail: bytes) -> tuple[bytes, int]:
    """Return the body of a receipt whose text, behind the id, stands as the carrier wrote it, and where TLVs begin.

    `tail` is of `state_and_code`. Hot path.
    """
    octets = len(message_id) + len(straight) + 3
    if octets > LONGEST_SHORT_MESSAGE:  # what is cut is the end of the copy of the message's own text
        straight = straight[: LONGEST_SHORT_MESSAGE - octets]
        octets = LONGEST_SHORT_MESSAGE
    body = b"%b%cid:%b%b\0\x1e\0%c%b\0%b" % (
        envelope,
        octets,
        message_id,
        straight,
        len(message_id) + 1,
        message_id,
        tail,
    )
    return body, len(envelope) + 1 + octets


def written(
    message: Message,
    outcome: Outcome,
    said: Notice | None,
    *,
    network_error_code: bytes,
    accepted: datetime,
    now: datetime,
    in_default: bool,
    tally: Tally | None = None,
) -> Told:
    """Return a receipt in our own words, of what a carrier `said` or, where it is None, of what has ended here.

    Dates are the carrier's where they can be read, in its own zone, else ours: the moment the message was `accepted`,
    and `now`, UTC. `network_error_code` goes with the outcome; where it is empty, it is made of `err`. `tally` is of
    one message where it is None.
    """
    envelope = message.envelope or envelope_of(message.command_id, message.body)
    of_data_sm = envelope[-1] == _OF_DATA_SM
    head, data_coding = envelope[:-2], 0 if in_default else envelope[-2]
    in_ucs2 = codec_of(data_coding) == UCS2
    fields = _fields_of(said) if said is not None else _NOTHING_SAID
    submitted = read_date(fields.submit_date, now) or accepted
    done = read_date(fields.done_date, now) or now
    err = outcome.err if outcome.err.isalnum() and outcome.err.isascii() else ""
    parts, delivered = tally or Tally(1, outcome.state == _DELIVERED)
    text = format_receipt(
        message.message_id,
        submit_date=receipt_date(submitted),
        done_date=receipt_date(done),
        state=MessageState(outcome.state),
        err=err.rjust(3, "0")[-3:].encode(),
        text=b"" if in_ucs2 else fields.text.encode("latin-1", "replace"),
        parts=parts,
        delivered=delivered,
    )
    if in_ucs2:
        text = _in_ucs2(text, fields.text)
    tlvs = receipted_message_id(message.message_id) + state_and_code(
        outcome.state, network_error_code, outcome.err
    )
    if said is not None and said.intermediate:
        at = len(head) - (2 if of_data_sm else 7)
        head = b"%b%c%b" % (head[:at], _INTERMEDIATE, head[at + 1 :])
    if of_data_sm:
        body = b"%b%c" % (head, data_coding)
        return Told(_DATA_SM, body + _payload(text) + tlvs, len(body))
    body = b"%b%c\0%c%b" % (head, data_coding, len(text), text)
    return Told(_DELIVER_SM, body + tlvs, len(body))


def _fields_of(said: Notice) -> Receipt:
    found = parse_receipt(b"id:0" + said.straight) if said.straight else said.said
    return found or _NOTHING_SAID


def _in_ucs2(told: bytes, text: str) -> bytes:
    """Return a receipt's text, with as many characters of the message's own behind it as have room."""
    octets = (told.decode("ascii") + text[:20]).encode(UCS2, "replace")
    return octets[:LONGEST_SHORT_MESSAGE].decode(UCS2, "ignore").encode(UCS2)


def receipted_message_id(message_id: bytes) -> bytes:
    """Return that optional parameter (SMPP v3.4 section 5.3.2.12)."""
    return b"\0\x1e\0%c%b\0" % (len(message_id) + 1, message_id)


def state_and_code(state: int, network_error_code: bytes, err: str) -> bytes:
    """Return message_state and network_error_code (SMPP v3.4 sections 5.3.2.35 and 5.3.2.31).

    A figure that only the text says is given as the centre's own, and 0 stands for what is no figure.
    """
    return b"\4\x27\0\1%c\4\x23\0\3%b" % (state, network_error_code or _code_of(_figure(err)))


def _figure(err: str) -> int:
    """Read an `err` as a number: decimal, else hexadecimal; 0 for what is neither, or does not fit."""
    if not err.isascii() or not err.isalnum():
        return 0
    try:
        figure = int(err, 10 if err.isdigit() else 16)
    except ValueError:
        return 0
    return figure if figure <= _HIGHEST_CODE else 0


def code_of_own(err: str) -> bytes:
    """Return the network_error_code of an end here: `err` is a command_status in three hexadecimal digits, or empty."""
    return _code_of(int(err or "0", 16))


def _code_of(figure: int) -> bytes:
    return b"%c%b" % (_CENTRE_SPECIFIC, figure.to_bytes(2, "big"))


def _payload(text: bytes) -> bytes:
    return b"\x04\x24%b%b" % (len(text).to_bytes(2, "big"), text)


# ---- for peers of v3.3 --------------------------------------------------------------------------------------


def plain(command_id: int, body: bytes, tlv_at: int) -> bytes | None:
    """Return the body of a deliver_sm without optional parameters, for a peer of SMPP v3.3, which has no others.

    A data_sm becomes one, a message_payload its short_message; what other optional parameters say is left out. None
    for what it cannot carry: a text of more than 254 octets, a text beside a payload, an address of more than 20.
    """
    if tlv_at == len(body) and command_id == _DELIVER_SM:
        return body
    payload = _payload_of(command_id, body, tlv_at)
    if command_id == _DATA_SM:
        match = peek.DATA.match(body)
        assert match is not None, "a delivery has been read before"
        if max(len(match[1]), len(match[2])) > _LONGEST_ADDRESS:
            return None
        esm_class, registered_delivery, data_coding = match[3], match[4], match[5]
        head = b"%b%b\0\0\0\0%b\0%b\0" % (
            body[: match.start(3)],
            esm_class,
            registered_delivery,
            data_coding,
        )
    else:
        if not payload:
            return body[:tlv_at]
        head = body[: tlv_at - 1]
        match = peek.SHORT_MESSAGE.match(body)
        assert match is not None, "a delivery has been read before"
        if match.end() != tlv_at:
            return None
    return b"%b%c%b" % (head, len(payload), payload) if len(payload) <= LONGEST_SHORT_MESSAGE else None


def _payload_of(command_id: int, body: bytes, tlv_at: int) -> bytes:
    try:
        tlvs = read_tlvs(body, tlv_at, command_id)
    except TlvError:
        return b""
    return b"".join(value for tag, value in tlvs if tag == _MESSAGE_PAYLOAD)
