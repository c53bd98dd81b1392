"""From a text to the submit_sm that carry it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

from smppgw.library.address import Address
from smppgw.pdu._generated import SubmitSm
from smppgw.pdu.constants import EsmClass, RegisteredDelivery
from smppgw.pdu.segments import segment_text
from smppgw.pdu.times import format_absolute, format_relative
from smppgw.pdu.tlv import Tlv
from smppgw.settings import Alphabet

Moment: TypeAlias = datetime | timedelta | None
"""A moment with its zone, a span from now on, or what the SMSC does by itself."""


def compose(
    source: str | Address,
    destination: str | Address,
    text: str,
    *,
    receipt: bool = True,
    data_coding: int | None = None,
    alphabet: Alphabet = "gsm7",
    validity: Moment = None,
    schedule: Moment = None,
    priority: int = 0,
    service_type: str = "",
    tlvs: Sequence[Tlv] = (),
    reference: int = 0,
) -> list[SubmitSm]:
    """Return the submit_sm of a text: one, or one for each part of a long text.

    The parts have a user data header with `reference`, 0 to 255; the keywords go into each of them.
    Raises: EncodeError for what does not fit.
    """
    source = source if isinstance(source, Address) else Address.of(source)
    destination = destination if isinstance(destination, Address) else Address.of(destination)
    segmented = segment_text(text, reference=reference, alphabet=alphabet, data_coding=data_coding)
    esm_class = EsmClass.UDHI if len(segmented.parts) > 1 else EsmClass.DEFAULT
    registered_delivery = RegisteredDelivery.SUCCESS_OR_FAILURE if receipt else RegisteredDelivery.NONE
    return [
        SubmitSm(
            service_type=service_type.encode("latin-1"),
            source_addr_ton=source.ton,
            source_addr_npi=source.npi,
            source_addr=source.addr,
            dest_addr_ton=destination.ton,
            dest_addr_npi=destination.npi,
            destination_addr=destination.addr,
            esm_class=esm_class,
            priority_flag=priority,
            schedule_delivery_time=time_octets(schedule),
            validity_period=time_octets(validity),
            registered_delivery=registered_delivery,
            data_coding=segmented.data_coding,
            short_message=part,
            tlvs=tlvs,
        )
        for part in segmented.parts
    ]


def time_octets(moment: Moment) -> bytes:
    """Return a moment as a time field has it: absolute, relative, or empty (SMPP v3.4 section 7.1.1).

    Raises: EncodeError for one that cannot be written, ValueError for a datetime without a zone.
    """
    if moment is None:
        return b""
    return format_relative(moment) if isinstance(moment, timedelta) else format_absolute(moment)
