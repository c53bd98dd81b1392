"""What the numbers in a PDU stand for, in a word or two for a person (SMPP v3.4 section 5.2, v5.0 section 4.7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Final

from smppgw.pdu.constants import (
    DataCoding,
    DestFlag,
    EsmClass,
    InterfaceVersion,
    MessageState,
    Npi,
    RegisteredDelivery,
    Ton,
    status_name,
)
from smppgw.pdu.text import codec_of


def meaning_of(field: str, value: int) -> str:
    """Return what the value of an integer field or TLV stands for; empty when it is just a number."""
    say = _MEANINGS.get(field)
    return say(value) if say is not None else ""


def _named(enum: type[IntEnum]) -> Callable[[int], str]:
    names = {int(member): member.name.lower() for member in enum}
    return lambda value: names.get(value, "reserved")


_VERSIONS: Final[Mapping[int, str]] = {
    InterfaceVersion.V3_3: "SMPP 3.3",
    InterfaceVersion.V3_4: "SMPP 3.4",
    InterfaceVersion.V5_0: "SMPP 5.0",
}


def _interface_version(value: int) -> str:
    return "SMPP 3.3 or older" if value < InterfaceVersion.V3_3 else _VERSIONS.get(value, "reserved")


_MODES: Final = ("default mode", "datagram", "forward transaction", "store and forward")
_TYPES: Final[Mapping[int, str]] = {
    EsmClass.DEFAULT: "message",
    EsmClass.DELIVERY_RECEIPT: "delivery receipt",
    EsmClass.DELIVERY_ACK: "delivery acknowledgement",
    EsmClass.USER_ACK: "user acknowledgement",
    EsmClass.USER_ACK | EsmClass.DELIVERY_ACK: "conversation abort",
    EsmClass.INTERMEDIATE_NOTIFICATION: "intermediate notification",
}


def _esm_class(value: int) -> str:
    words = [_MODES[value & EsmClass.MODE_MASK], _TYPES.get(value & EsmClass.TYPE_MASK, "reserved type")]
    if value & EsmClass.UDHI:
        words.append("user data header")
    if value & EsmClass.REPLY_PATH:
        words.append("reply path")
    return ", ".join(words)


_RECEIPTS: Final = ("no receipt", "receipt", "receipt on failure", "receipt on success")


def _registered_delivery(value: int) -> str:
    words = [_RECEIPTS[value & RegisteredDelivery.RECEIPT_MASK]]
    if value & RegisteredDelivery.SME_ACK_MASK:
        words.append("acknowledgement of the handset")
    if value & RegisteredDelivery.INTERMEDIATE:
        words.append("intermediate notification")
    return ", ".join(words)


_DATA_CODINGS: Final = {int(member): member.name.lower() for member in DataCoding}


def _data_coding(value: int) -> str:
    name = _DATA_CODINGS.get(value)
    return f"{name}, read as {codec_of(value)}" if name else f"read as {codec_of(value)}"


_DELIVERY_FAILURES: Final = (
    "destination unavailable",
    "destination address invalid",
    "permanent network error",
    "temporary network error",
)

_ton, _npi = _named(Ton), _named(Npi)

_MEANINGS: Final[Mapping[str, Callable[[int], str]]] = {
    "addr_ton": _ton,
    "addr_npi": _npi,
    "source_addr_ton": _ton,
    "source_addr_npi": _npi,
    "dest_addr_ton": _ton,
    "dest_addr_npi": _npi,
    "esme_addr_ton": _ton,
    "esme_addr_npi": _npi,
    "interface_version": _interface_version,
    "sc_interface_version": _interface_version,
    "esm_class": _esm_class,
    "registered_delivery": _registered_delivery,
    "data_coding": _data_coding,
    "dest_flag": _named(DestFlag),
    "message_state": _named(MessageState),
    "error_status_code": status_name,
    "broadcast_error_status": status_name,
    "delivery_failure_reason": lambda value: dict(enumerate(_DELIVERY_FAILURES)).get(value, "reserved"),
}
