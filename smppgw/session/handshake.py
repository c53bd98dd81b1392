"""What the two sides of a bind tell each other: a name and a version (SMPP v3.4 sections 4.1 and 5.2.4)."""

from __future__ import annotations

from typing import Any

from smppgw.pdu import codec
from smppgw.pdu._generated import CLASS_BY_ID
from smppgw.pdu.constants import RESPONSE_BIT, InterfaceVersion, TlvTag
from smppgw.pdu.errors import PduError
from smppgw.pdu.layout import Pdu
from smppgw.pdu.tlv import make_tlv, tlv_value
from smppgw.session.settings import negotiated_version


def accepting(bind: Pdu, system_id: bytes, ours: int) -> tuple[bytes, int]:
    """Return the octets that accept a bind, and the version both sides speak from now on.

    A peer of 3.4 or later is told that version (ours to one of 5.0: some of 3.4 stumble over a newer one), an older
    peer gets no TLV (v3.4 section 4.1.2).
    Raises EncodeError for a system_id that does not fit.
    """
    fields: Any = bind
    version = negotiated_version(ours, fields.interface_version)
    tlvs = (make_tlv(TlvTag.SC_INTERFACE_VERSION, version),) if version >= InterfaceVersion.V3_4 else ()
    response_class: Any = CLASS_BY_ID[bind.command_id | RESPONSE_BIT]
    response = response_class(system_id=system_id, tlvs=tlvs, sequence_number=bind.sequence_number)
    return codec.encode(response), version


def told(response: bytes, ours: int) -> tuple[bytes, int]:
    """Return the system_id of the peer that accepted our bind, and the version both sides speak from now on.

    One that does not tell its version is taken to speak ours, and one whose body cannot be read has bound us all the
    same: both are common (interop quirk 7).
    """
    try:
        pdu: Any = codec.decode(response)
        version = tlv_value(pdu.tlvs, TlvTag.SC_INTERFACE_VERSION)
    except PduError:
        return b"", ours
    return pdu.system_id, negotiated_version(ours, version if isinstance(version, int) else ours)
