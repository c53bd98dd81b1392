"""The messages of the load: each is known by its serial number alone, so that nothing but the book has to be kept."""

from __future__ import annotations

import re
from typing import Final

from smppgw.pdu._generated import DeliverSm, SubmitSm
from smppgw.pdu.constants import EsmClass, MessageState, TlvTag
from smppgw.pdu.receipt import format_receipt

LONGEST_SHORT_MESSAGE: Final = 254
SPREAD: Final = 97
"""Texts are up to so many octets shorter than the longest."""

_SERIAL: Final = re.compile(rb"1(?:666|777)(\d{9})")
_DATE: Final = b"2611221000"


def submit_sm(serial: int, octets: int) -> SubmitSm:
    """A message with a text of at most `octets`: where that does not fit in short_message, in message_payload."""
    text = text_of(serial, octets)
    fits = len(text) <= LONGEST_SHORT_MESSAGE
    return SubmitSm(
        source_addr=b"1206555%04d" % (serial % 10),
        destination_addr=b"1666%09d" % serial,
        priority_flag=serial % 3,
        registered_delivery=1,
        short_message=text if fits else b"",
        tlvs=() if fits else ((TlvTag.MESSAGE_PAYLOAD, text),),
    )


def text_of(serial: int, octets: int) -> bytes:
    """The text of a message: its length and every octet follow from the serial number."""
    word = b"message %d; " % serial
    length = max(len(word), octets - serial * 31 % SPREAD)
    return (word * (length // len(word) + 1))[:length]


def text_in(pdu: SubmitSm) -> bytes:
    """The text of a message as it came."""
    return pdu.short_message or dict(pdu.tlvs).get(TlvTag.MESSAGE_PAYLOAD, b"")


def segments(text: bytes) -> int:
    """How many segments such a text is, in the default alphabet (3GPP TS 23.038 and 23.040)."""
    return 1 if len(text) <= 160 else -(-len(text) // 153)


def serial_in(address: bytes) -> int:
    """The number of the message to a handset, or from one, that its address tells."""
    found = _SERIAL.fullmatch(address)
    assert found is not None, f"an address that is not ours: {address!r}"
    return int(found[1])


def is_hopeless(serial: int) -> bool:
    """Whether the carrier refuses a message for good."""
    return serial % 61 == 5


def fails_at_first(serial: int) -> bool:
    """Whether the carrier takes a message only when it comes a second time."""
    return serial % 37 == 11


def from_handset(number: int) -> DeliverSm:
    """A message that a handset writes."""
    return DeliverSm(
        source_addr=b"1777%09d" % number,
        destination_addr=b"1206555%04d" % (number % 10),
        short_message=b"reply %d" % number,
    )


def receipt(serial: int, carrier_id: bytes) -> DeliverSm:
    """The receipt of a message as its carrier sends it."""
    return DeliverSm(
        source_addr=b"1666%09d" % serial,
        destination_addr=b"1206555%04d" % (serial % 10),
        esm_class=EsmClass.DELIVERY_RECEIPT,
        short_message=format_receipt(
            carrier_id, submit_date=_DATE, done_date=_DATE, state=MessageState.DELIVERED
        ),
        tlvs=(
            (TlvTag.RECEIPTED_MESSAGE_ID, carrier_id + b"\0"),
            (TlvTag.MESSAGE_STATE, bytes((MessageState.DELIVERED,))),
        ),
    )
