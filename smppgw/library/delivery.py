"""What an SMSC delivers: receipts, and messages of handsets (MO)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from smppgw.pdu._generated import AlertNotification, DataSm, DeliverSm
from smppgw.pdu.constants import EsmClass, MessageState, TlvTag
from smppgw.pdu.errors import PduError
from smppgw.pdu.receipt import Receipt, parse_receipt
from smppgw.pdu.segments import concatenation_of
from smppgw.pdu.text import UCS2, codec_of, decode_text
from smppgw.pdu.tlv import tlv_value
from smppgw.pdu.udh import Concatenation, parse_udh
from smppgw.settings import Alphabet

_RECEIPT_TYPES: Final = (EsmClass.DELIVERY_RECEIPT, EsmClass.INTERMEDIATE_NOTIFICATION)
_PENDING: Final = frozenset(
    {MessageState.SCHEDULED, MessageState.ENROUTE, MessageState.ACCEPTED, MessageState.UNKNOWN}
)
_STATES: Final = {int(state): state for state in MessageState}


@dataclass(slots=True)
class DeliveryReceipt:
    """What became of a message that was submitted."""

    message_id: str
    """The SMSC's, as the receipt writes it: receipted_message_id, else `id:` of the text."""
    state: MessageState
    """message_state, else `stat:` of the text."""
    err: str
    """`err:` of the text, as written; empty when it is not there."""
    source: str
    """Where the message went, as receipts have it: the handset."""
    destination: str
    """Where the message came from: us."""
    fields: Receipt | None
    """Everything the text says, where it is one of Appendix B."""
    pdu: DeliverSm | DataSm = field(repr=False)

    @property
    def final(self) -> bool:
        """Whether this is the last word on the message."""
        return self.state not in _PENDING


@dataclass(slots=True)
class MoMessage:
    """A message of a handset, or one part of a long one."""

    source: str
    destination: str
    text: str = field(repr=False)
    """Decoded by its data_coding, without the user data header."""
    concatenation: Concatenation | None
    """Which part of which long message this is; None for a whole one."""
    pdu: DeliverSm | DataSm = field(repr=False)


Delivery: TypeAlias = DeliveryReceipt | MoMessage | AlertNotification
"""An alert_notification says that a handset can be reached again; it stays a PDU."""


def read_delivery(pdu: DeliverSm | DataSm, *, alphabet: Alphabet = "gsm7") -> DeliveryReceipt | MoMessage:
    """Tell a receipt from a message and read it; `alphabet` is what data_coding 0 means.

    A receipt is one by its esm_class, by receipted_message_id, or by a text of Appendix B with an id, a state and a
    date (interop quirk 15). Raises: nothing.
    """
    octets = pdu.short_message if isinstance(pdu, DeliverSm) else b""
    if not octets:
        payload = tlv_value(pdu.tlvs, TlvTag.MESSAGE_PAYLOAD) if pdu.tlvs else None
        octets = payload if isinstance(payload, bytes) else b""
    receipt = _read_receipt(pdu, octets)
    if receipt is not None:
        return receipt
    sar = [_number(pdu, tag) for tag in _SAR] if pdu.tlvs else [None, None, None]
    concatenation = concatenation_of(
        octets,
        pdu.esm_class,
        sar_msg_ref_num=sar[0],
        sar_total_segments=sar[1],
        sar_segment_seqnum=sar[2],
    )
    if pdu.esm_class & EsmClass.UDHI:
        with suppress(PduError):  # where a header was promised and is none, all of it is text
            octets = octets[parse_udh(octets).octets :]
    text = decode_text(octets, pdu.data_coding, alphabet=alphabet)
    return MoMessage(
        pdu.source_addr.decode("latin-1"), pdu.destination_addr.decode("latin-1"), text, concatenation, pdu
    )


_SAR: Final = (TlvTag.SAR_MSG_REF_NUM, TlvTag.SAR_TOTAL_SEGMENTS, TlvTag.SAR_SEGMENT_SEQNUM)


def _number(pdu: DeliverSm | DataSm, tag: int) -> int | None:
    value = tlv_value(pdu.tlvs, tag)
    return value if isinstance(value, int) else None


def _read_receipt(pdu: DeliverSm | DataSm, octets: bytes) -> DeliveryReceipt | None:
    told_id = tlv_value(pdu.tlvs, TlvTag.RECEIPTED_MESSAGE_ID) if pdu.tlvs else None
    flagged = pdu.esm_class & EsmClass.TYPE_MASK in _RECEIPT_TYPES or told_id is not None
    if not flagged and octets[:3].lower() != b"id:":
        return None
    in_ucs2 = codec_of(pdu.data_coding) == UCS2
    fields = parse_receipt(octets.decode(UCS2, "replace") if in_ucs2 else octets)
    if not flagged and (fields is None or not (fields.id and fields.stat and fields.done_date)):
        return None
    message_id = fields.id if fields is not None else ""
    if isinstance(told_id, bytes) and told_id:
        message_id = told_id.decode("latin-1")
    state = fields.message_state if fields is not None else MessageState.UNKNOWN
    told_state = _number(pdu, TlvTag.MESSAGE_STATE) if pdu.tlvs else None
    if told_state is not None:
        state = _STATES.get(told_state, MessageState.UNKNOWN)
    return DeliveryReceipt(
        message_id,
        state,
        fields.err if fields is not None else "",
        pdu.source_addr.decode("latin-1"),
        pdu.destination_addr.decode("latin-1"),
        fields,
        pdu,
    )
