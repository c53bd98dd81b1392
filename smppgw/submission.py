"""What a submitted PDU must satisfy beyond what its mandatory fields tell at a glance.

Nothing here is on the hot path: a PDU comes here when it has optional parameters or times, carries several
destinations, or is no plain submit_sm.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from smppgw.pdu import codec
from smppgw.pdu._generated import DataSm, DistributionList, SubmitMulti, SubmitSm
from smppgw.pdu.constants import HEADER_OCTETS, CommandStatus, TlvTag
from smppgw.pdu.errors import EncodeError, PduError
from smppgw.pdu.times import parse_time


class Refusal(Exception):  # noqa: N818 - a decision, not an error
    """A request that is not taken in, and what its ESME is told."""

    def __init__(self, command_status: int, *, broken: bool = False) -> None:
        super().__init__(command_status)
        self.command_status = command_status
        self.broken = broken
        """Whether the PDU itself was at fault."""


@dataclass(frozen=True, slots=True)
class Destination:
    """One of the messages that a submit_multi asks for, as a submit_sm of its own."""

    ton: int
    npi: int
    address: bytes
    body: bytes


def decoded(octets: bytes) -> codec.Pdu:
    """Decode a request; a fault is a refusal with the status the codec names."""
    try:
        return codec.decode(octets)
    except PduError as error:
        raise Refusal(error.command_status, broken=True) from None


def check(pdu: SubmitSm | SubmitMulti | DataSm, now: datetime) -> None:
    """Refuse what cannot be carried out.

    ESME_RINVDSTADR for no destination, ESME_RINVSCHED and ESME_RINVEXPIRY for times that cannot be read or are over
    (a schedule in the past is "at once"), ESME_RINVSUBREP for replace_if_present, which is not offered,
    ESME_RINVMSGLEN for a text in short_message and in message_payload at once.
    """
    if isinstance(pdu, SubmitSm | DataSm) and not pdu.destination_addr:
        raise Refusal(CommandStatus.ESME_RINVDSTADR)
    if isinstance(pdu, DataSm):
        return
    check_times(pdu.schedule_delivery_time, pdu.validity_period, now)
    if pdu.replace_if_present_flag > 1:
        raise Refusal(CommandStatus.ESME_RINVREPFLAG)
    if pdu.replace_if_present_flag:
        raise Refusal(CommandStatus.ESME_RINVSUBREP)
    if pdu.short_message and any(tag == TlvTag.MESSAGE_PAYLOAD for tag, _ in pdu.tlvs):
        raise Refusal(CommandStatus.ESME_RINVMSGLEN)


def check_times(schedule_delivery_time: bytes, validity_period: bytes, now: datetime) -> None:
    """Refuse times that cannot be read, a validity that is over, and one that ends before its schedule."""
    scheduled = _time(schedule_delivery_time, now, CommandStatus.ESME_RINVSCHED)
    valid_until = _time(validity_period, now, CommandStatus.ESME_RINVEXPIRY)
    if valid_until is not None and valid_until <= max(now, scheduled or now):
        raise Refusal(CommandStatus.ESME_RINVEXPIRY)


def _time(value: bytes, now: datetime, command_status: CommandStatus) -> datetime | None:
    try:
        return parse_time(value, now=now)
    except PduError:
        raise Refusal(command_status) from None


def destinations(pdu: SubmitMulti) -> Iterator[Destination | bytes]:
    """Yield the messages of a submit_multi, and the names of its distribution lists.

    Distribution lists are kept by an SMSC's administration; this gateway has none.
    """
    for entry in pdu.dest_address:
        if isinstance(entry, DistributionList):
            yield entry.dl_name
            continue
        try:
            body = codec.encode(
                SubmitSm(
                    service_type=pdu.service_type,
                    source_addr_ton=pdu.source_addr_ton,
                    source_addr_npi=pdu.source_addr_npi,
                    source_addr=pdu.source_addr,
                    dest_addr_ton=entry.dest_addr_ton,
                    dest_addr_npi=entry.dest_addr_npi,
                    destination_addr=entry.destination_addr,
                    esm_class=pdu.esm_class,
                    protocol_id=pdu.protocol_id,
                    priority_flag=pdu.priority_flag,
                    schedule_delivery_time=pdu.schedule_delivery_time,
                    validity_period=pdu.validity_period,
                    registered_delivery=pdu.registered_delivery,
                    data_coding=pdu.data_coding,
                    sm_default_msg_id=pdu.sm_default_msg_id,
                    short_message=pdu.short_message,
                    tlvs=pdu.tlvs,
                )
            )[HEADER_OCTETS:]
        except EncodeError:
            raise Refusal(CommandStatus.ESME_RINVMSGLEN) from None  # 255 octets are read, 254 are sent
        yield Destination(entry.dest_addr_ton, entry.dest_addr_npi, entry.destination_addr, body)
