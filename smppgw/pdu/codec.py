"""Octets to PDU and back, for every command of SMPP 3.4 and 5.0.

The classes, and an encode and a decode function for each, are generated: `smppgw.pdu._generated`.
"""

from __future__ import annotations

from struct import Struct
from struct import error as struct_error

from smppgw.pdu._generated import DECODERS, ENCODERS
from smppgw.pdu.errors import UnknownCommandError
from smppgw.pdu.faults import length_fault
from smppgw.pdu.layout import Pdu

__all__ = ["Pdu", "decode", "encode"]

_unpack_command_id = Struct(">4xI").unpack_from


def decode(octets: bytes) -> Pdu:
    """Return the PDU that these octets, one whole frame, are.

    Raises: PduError, and nothing else: FrameLengthError when they are not the one frame their command_length
    says, UnknownCommandError, FieldError, TlvError.
    """
    try:
        (command_id,) = _unpack_command_id(octets)
        decoder = DECODERS[command_id]
    except (struct_error, KeyError):
        raise length_fault(octets) or UnknownCommandError(command_id) from None
    return decoder(octets)


def encode(pdu: Pdu) -> bytes:
    """Return the octets of a PDU, its header included. Raises: EncodeError when a field does not fit."""
    return ENCODERS[pdu.command_id](pdu)
