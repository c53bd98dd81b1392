"""What becomes of a message that is replaced while it is still queued (SMPP v3.4 sections 4.10 and 5.2.18)."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import Final

from smppgw.pdu import codec
from smppgw.pdu._generated import DataSm, ReplaceSm, SubmitSm
from smppgw.pdu.constants import HEADER_OCTETS, CommandStatus, TlvTag
from smppgw.pdu.errors import EncodeError
from smppgw.pdu.tlv import make_tlv
from smppgw.splitting import segments_of
from smppgw.store.entries import Message
from smppgw.submission import Refusal, Timing, time_to_live

_HEADER: Final = Struct(">IIII")
_PAYLOAD: Final = TlvTag.MESSAGE_PAYLOAD
_TIME_TO_LIVE: Final = TlvTag.QOS_TIME_TO_LIVE


@dataclass(frozen=True, slots=True)
class Replacement:
    """What is to become of one message."""

    message: Message
    body: bytes
    segments: int
    registered_delivery: int
    due_ns: int
    expires_ns: int

    def apply(self) -> None:
        """Let the message be so."""
        message = self.message
        message.body = self.body
        message.envelope = b""
        message.segments = self.segments
        if message.day_segments:  # it goes where it went: to somebody whose messages count, or not
            message.day_segments = self.segments
        message.registered_delivery = self.registered_delivery
        message.due_ns = self.due_ns
        message.expires_ns = self.expires_ns


def text_of(pdu: ReplaceSm) -> bytes:
    """Return the new text, from short_message or message_payload (SMPP v5.0); ESME_RINVMSGLEN for both at once."""
    payload = next((value for tag, value in pdu.tlvs if tag == _PAYLOAD), None)
    if payload is not None and pdu.short_message:
        raise Refusal(CommandStatus.ESME_RINVMSGLEN)
    return pdu.short_message if payload is None else payload


def of(message: Message, pdu: ReplaceSm, when: Timing, now_ns: int) -> Replacement:
    """Return what `pdu`, whose times are `when`, makes of a message. Nothing is changed yet.

    A time that is not given stays as it was. The text, in the data_coding of the old one, goes where the new one came,
    and the old one from short_message and message_payload alike; that of a data_sm is always in message_payload.
    Refuses: ESME_RINVMSGLEN for a text of more than 254 octets, ESME_RINVEXPIRY or ESME_RINVSCHED for a new time by
    which the validity would end before the schedule (after an attempt, `due_ns` is the next one, and no schedule).
    """
    due_ns = when.due_ns if pdu.schedule_delivery_time else message.due_ns
    expires_ns = when.expires_ns if pdu.validity_period else message.expires_ns
    if 0 < expires_ns <= due_ns:
        if pdu.validity_period and (pdu.schedule_delivery_time or not message.attempts):
            raise Refusal(CommandStatus.ESME_RINVEXPIRY)
        if pdu.schedule_delivery_time:
            raise Refusal(CommandStatus.ESME_RINVSCHED)
    octets = _HEADER.pack(HEADER_OCTETS + len(message.body), message.command_id, 0, 1) + message.body
    old = codec.decode(octets)
    text = text_of(pdu)
    tlvs = [tlv for tlv in old.tlvs if tlv[0] != _PAYLOAD]
    if isinstance(old, SubmitSm):
        old.short_message = pdu.short_message
        old.sm_default_msg_id = pdu.sm_default_msg_id
        old.validity_period = when.validity_period or old.validity_period
        if text and not pdu.short_message:
            tlvs.append(make_tlv(_PAYLOAD, text))
    else:
        assert isinstance(old, DataSm), "nothing else is queued"
        tlvs.append(make_tlv(_PAYLOAD, text))
        if pdu.validity_period:
            tlvs = [tlv for tlv in tlvs if tlv[0] != _TIME_TO_LIVE]
            tlvs.append(time_to_live(expires_ns - now_ns))
    old.registered_delivery = pdu.registered_delivery
    old.tlvs = tlvs
    try:
        body = codec.encode(old)[HEADER_OCTETS:]
    except EncodeError:
        raise Refusal(CommandStatus.ESME_RINVMSGLEN) from None  # 255 octets are read, 254 are sent
    return Replacement(
        message, body, segments_of(old), pdu.registered_delivery, due_ns if due_ns > now_ns else 0, expires_ns
    )


def by(new: Message, old: Message) -> Replacement:
    """Return what a message that was submitted in its place makes of an old one."""
    return Replacement(old, new.body, new.segments, new.registered_delivery, new.due_ns, new.expires_ns)
