"""The fast codec: one class, one encode and one decode function for each command.

Written by `python -m smppgw.pdu.codegen` from `smppgw.pdu.declarations`; do not edit.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from struct import Struct
from typing import Any, ClassVar, Final, NamedTuple

from smppgw.pdu.constants import CommandStatus as E
from smppgw.pdu.errors import FieldError
from smppgw.pdu.faults import refuse, unreadable
from smppgw.pdu.layout import CString, Field, Integer, Item, Items, Octets, Pdu, Time
from smppgw.pdu.tlv import Tlv, read_tlvs, write_tlvs

_new = object.__new__
_header = Struct(">IIII").pack
_unpack_header = Struct(">IIII").unpack_from
_pack_2b = Struct(">2B").pack
_pack_3b = Struct(">3B").pack
_pack_3b2x5b = Struct(">3B2x5B").pack
_pack_b = Struct(">B").pack
_pack_bb = Struct(">BB").pack
_pack_bbb = Struct(">BBB").pack
_pack_x2b = Struct(">x2B").pack
_pack_x2x3b = Struct(">x2x3B").pack
_pack_x3b = Struct(">x3B").pack
_pack_x3b2x5b = Struct(">x3B2x5B").pack
_pack_x5b = Struct(">x5B").pack
_pack_xb = Struct(">xB").pack
_pack_xb2x3b = Struct(">xB2x3B").pack
_pack_xi = Struct(">xI").pack
_pack_xx2b = Struct(">xx2B").pack
_unpack_10b = Struct(">10B").unpack_from
_unpack_3b = Struct(">3B").unpack_from
_unpack_5b = Struct(">5B").unpack_from
_unpack_6b = Struct(">6B").unpack_from
_unpack_i = Struct(">I").unpack_from


class SmeAddress(NamedTuple):
    """One address of a submit_multi."""

    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: bytes = b""

    @property
    def dest_flag(self) -> int:
        """What tells it from the other kind of item."""
        return 1


class DistributionList(NamedTuple):
    """A distribution list of a submit_multi, by its name."""

    dl_name: bytes = b""

    @property
    def dest_flag(self) -> int:
        """What tells it from the other kind of item."""
        return 2


class UnsuccessSme(NamedTuple):
    """One address of a submit_multi that was refused, and why."""

    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: bytes = b""
    error_status_code: int = 0


@dataclass(slots=True, eq=False, repr=False)
class BindTransmitter(Pdu):
    """bind_transmitter"""

    command_id: ClassVar[int] = 0x00000002
    layout: ClassVar[tuple[Field, ...]] = (
        CString("system_id", 15, E.ESME_RINVSYSID),
        CString("password", 8, E.ESME_RINVPASWD),
        CString("system_type", 12, E.ESME_RINVSYSTYP),
        Integer("interface_version", 1, E.ESME_RINVCMDLEN),
        Integer("addr_ton", 1, E.ESME_RINVCMDLEN),
        Integer("addr_npi", 1, E.ESME_RINVCMDLEN),
        CString("address_range", 40, E.ESME_RINVCMDLEN),
    )

    system_id: bytes = b""
    password: bytes = b""
    system_type: bytes = b""
    interface_version: int = 0
    addr_ton: int = 0
    addr_npi: int = 0
    address_range: bytes = b""
    tlvs: Sequence[Tlv] = ()
    _: KW_ONLY
    command_status: int = 0
    sequence_number: int = 0


def encode_bind_transmitter(pdu: BindTransmitter) -> bytes:
    """Return the octets of a bind_transmitter. Raises: EncodeError."""
    try:
        system_id = pdu.system_id
        password = pdu.password
        system_type = pdu.system_type
        address_range = pdu.address_range
        if (
            len(system_id) > 15
            or 0 in system_id
            or len(password) > 8
            or 0 in password
            or len(system_type) > 12
            or 0 in system_type
            or len(address_range) > 40
            or 0 in address_range
        ):
            refuse(pdu)
        body = b"".join(
            (
                system_id,
                b"\0",
                password,
                b"\0",
                system_type,
                _pack_x3b(pdu.interface_version, pdu.addr_ton, pdu.addr_npi),
                address_range,
                b"\0",
            )
        )
        if pdu.tlvs:
            body += write_tlvs(pdu.tlvs, "bind_transmitter")
        return _header(16 + len(body), 0x00000002, pdu.command_status, pdu.sequence_number) + body
    except (struct.error, TypeError):
        refuse(pdu)


def decode_bind_transmitter(octets: bytes) -> BindTransmitter:
    """Return the bind_transmitter these octets are, its command_id taken for granted. Raises: PduError."""
    pdu = _new(BindTransmitter)
    try:
        length, _, pdu.command_status, pdu.sequence_number = _unpack_header(octets)
        index = octets.index
        end = index(b"\0", 16, 32)
        pdu.system_id = octets[16:end]
        at = end + 1
        end = index(b"\0", at, at + 9)
        pdu.password = octets[at:end]
        at = end + 1
        end = index(b"\0", at, at + 13)
        pdu.system_type = octets[at:end]
        (pdu.interface_version, pdu.addr_ton, pdu.addr_npi) = _unpack_3b(octets, end + 1)
        at = end + 4
        end = index(b"\0", at, at + 41)
        pdu.address_range = octets[at:end]
        if length != len(octets):
            return unreadable(BindTransmitter, octets)
        pdu.tlvs = () if length == end + 1 else read_tlvs(octets, end + 1, 0x00000002)
    except (ValueError, IndexError, struct.error, FieldError):
        return unreadable(BindTransmitter, octets)
    return pdu


@dataclass(slots=True, eq=False, repr=False)
class BindTransmitterResp(Pdu):
    """bind_transmitter_resp"""

    command_id: ClassVar[int] = 0x80000002
    layout: ClassVar[tuple[Field, ...]] = (CString("system_id", 15, E.ESME_RINVCMDLEN),)

    system_id: bytes = b""
    tlvs: Sequence[Tlv] = ()
    _: KW_ONLY
    command_status: int = 0
    sequence_number: int = 0


def encode_bind_transmitter_resp(pdu: BindTransmitterResp) -> bytes:
    """Return the octets of a bind_transmitter_resp. Raises: EncodeError."""
    try:
        if pdu.command_status and pdu.system_id == b"" and not pdu.tlvs:
            return _header(16, 0x80000002, pdu.command_status, pdu.sequence_number)
        system_id = pdu.system_id
        if len(system_id) > 15 or 0 in system_id:
            refuse(pdu)
        body = b"".join((system_id, b"\0"))
        if pdu.tlvs:
            body += write_tlvs(pdu.tlvs, "bind_transmitter_resp")
        return _header(16 + len(body), 0x80000002, pdu.command_status, pdu.sequence_number) + body
    except (struct.error, TypeError):
        refuse(pdu)


def decode_bind_transmitter_resp(octets: bytes) -> BindTransmitterResp:
    """Return the bind_transmitter_resp these octets are, its command_id taken for granted. Raises: PduError."""
    pdu = _new(BindTransmitterResp)
    try:
        length, _, pdu.command_status, pdu.sequence_number = _unpack_header(octets)
        index = octets.index
        end = index(b"\0", 16, 32)
        pdu.system_id = octets[16:end]
        if length != len(octets):
            return unreadable(BindTransmitterResp, octets)
        pdu.tlvs = () if length == end + 1 else read_tlvs(octets, end + 1, 0x80000002)
    except (ValueError, IndexError, struct.error, FieldError):
        return unreadable(BindTransmitterResp, octets)
    return pdu


@dataclass(slots=True, eq=False, repr=False)
class BindReceiver(Pdu):
    """bind_receiver"""

    command_id: ClassVar[int] = 0x00000001
    layout: ClassVar[tuple[Field, ...]] = (
        CString("system_id", 15, E.ESME_RINVSYSID),
        CString("password", 8, E.ESME_RINVPASWD),
        CString("system_type", 12, E.ESME_RINVSYSTYP),
        Integer("interface_version", 1, E.ESME_RINVCMDLEN),
        Integer("addr_ton", 1, E.ESME_RINVCMDLEN),
        Integer("addr_npi", 1, E.ESME_RINVCMDLEN),
        CString("address_range", 40, E.ESME_RINVCMDLEN),
    )

    system_id: bytes = b""
    password: bytes = b""
    system_type: bytes = b""
    interface_version: int = 0
    addr_ton: int = 0
    addr_npi: int = 0
    address_range: bytes = b""
    tlvs: Sequence[Tlv] = ()
    _: KW_ONLY
    command_status: int = 0
    sequence_number: int = 0


def encode_bind_receiver(pdu: BindReceiver) -> bytes:
    """Return the octets of a bind_receiver. Raises: EncodeError."""
    try:
        system_id = pdu.system_id
        password = pdu.password
        system_type = pdu.system_type
        address_range = pdu.address_range
        if (
            len(system_id) > 15
            or 0 in system_id
            or len(password) > 8
            or 0 in password
            or len(system_type) > 12
            or 0 in system_type
            or len(address_range) > 40
            or 0 in address_range
        ):
            refuse(pdu)
        body = b"".join(
            (
                system_id,
                b"\0",
                password,
                b"\0",
                system_type,
                _pack_x3b(pdu.interface_version, pdu.addr_ton, pdu.addr_npi),
                address_range,
                b"\0",
            )
        )
        if pdu.tlvs:
            body += write_tlvs(pdu.tlvs, "bind_receiver")
        return _header(16 + len(body), 0x00000001, pdu.command_status, pdu.sequence_number) + body
    except (struct.error, TypeError):
        refuse(pdu)


def decode_bind_receiver(octets: bytes) -> BindReceiver:
    """Return the bind_receiver these octets are, its command_id taken for granted. Raises: PduError."""
    pdu = _new(BindReceiver)
    try:
        length, _, pdu.command_status, pdu.sequence_number = _unpack_header(octets)
        index = octets.index
        end = index(b"\0", 16, 32)
        pdu.system_id = octets[16:end]
        at = end + 1
        end = index(b"\0", at, at + 9)
        pdu.password = octets[at:end]
        at = end + 1
        end = index(b"\0", at, at + 13)
        pdu.system_type = octets[at:end]
        (pdu.interface_version, pdu.addr_ton, pdu.addr_npi) = _unpack_3b(octets, end + 1)
        at = end + 4
        end = index(b"\0", at, at + 41)
        pdu.address_range = octets[at:end]
        if length != len(octets):
            return unreadable(BindReceiver, octets)
        pdu.tlvs = () if length == end + 1 else read_tlvs(octets, end + 1, 0x00000001)
    except (ValueError, IndexError, struct.error, FieldError):
        return unreadable(BindReceiver, octets)
    return pdu


@dataclass(slots=True, eq=False, repr=False)
class BindReceiverResp(Pdu):
    """bind_receiver_resp"""

    command_id: ClassVar[int] = 0x80000001
    layout: ClassVar[tuple[Field, ...]] = (CString("system_id", 15, E.ESME_RINVCMDLEN),)

    system_id: bytes = b""
    tlvs: Sequence[Tlv] = ()
    _: KW_ONLY
    command_status: int = 0
    sequence_number: int = 0


def encode_bind_receiver_resp(pdu: BindReceiverResp) -> bytes:
    """Return the octets of a bind_receiver_resp. Raises: EncodeError."""
    try:
        if pdu.command_status and pdu.system_id == b"" and not pdu.tlvs:
            return _header(16, 0x80000001, pdu.command_status, pdu.sequence_number)
        system_id = pdu.system_id
        if len(system_id) > 15 or 0 in system_id:
            refuse(pdu)
        body = b"".join((system_id, b"\0"))
        if pdu.tlvs:
            body += write_tlvs(pdu.tlvs, "bind_receiver_resp")
        return _header(16 + len(body), 0x80000001, pdu.command_status, pdu.sequence_number) + body
    except (struct.error, TypeError):
        refuse(pdu)


def decode_bind_receiver_resp(octets: bytes) -> BindReceiverResp:
    """Return the bind_receiver_resp these octets are, its command_id taken for granted. Raises: PduError."""
    pdu = _new(BindReceiverResp)
    try:
        length, _, pdu.command_status, pdu.sequence_number = _unpack_header(octets)
        index = octets.index
        end = index(b"\0", 16, 32)
        pdu.system_id = octets[16:end]
        if length != len(octets):
            return unreadable(BindReceiverResp, octets)
        pdu.tlvs = () if length == end + 1 else read_tlvs(octets, end + 1, 0x80000001)
    except (ValueError, IndexError, struct.error, FieldError):
        return unreadable(BindReceiverResp, octets)
    return pdu


@dataclass(slots=True, eq=False, repr=False)
class BindTransceiver(Pdu):
    """bind_transceiver"""

    command_id: ClassVar[int] = 0x00000009
    layout: ClassVar[tuple[Field, ...]] = (
        CString("system_id", 15, E.ESME_RINVSYSID),
        CString("password", 8, E.ESME_RINVPASWD),
        CString("system_type", 12, E.ESME_RINVSYSTYP),
        Integer("interface_version", 1, E.ESME_RINVCMDLEN),
        Integer("addr_ton", 1, E.ESME_RINVCMDLEN),
        Integer("addr_npi", 1, E.ESME_RINVCMDLEN),
        CString("address_range", 40, E.ESME_RINVCMDLEN),
    )

    system_id: bytes = b""
    password: bytes = b""
    system_type: bytes = b""
    interface_version: int = 0
    addr_ton: int = 0
    addr_npi: int = 0
    address_range: bytes = b""
    tlvs: Sequence[Tlv] = ()
    _: KW_ONLY
    command_status: int = 0
    sequence_number: int = 0


def encode_bind_transceiver(pdu: BindTransceiver) -> bytes:
    """Return the octets of a bind_transceiver. Raises: EncodeError."""
    try:
        system_id = pdu.system_id
        password = pdu.password
        system_type = pdu.system_type
        address_range = pdu.address_range
        if (
            len(system_id) > 15
            or 0 in system_id
            or len(password) > 8
            or 0 in password
            or len(system_type) > 12
            or 0 in system_type
            or len(address_range) > 40
            or 0 in address_range
        ):
            refuse(pdu)
        body = b"".join(
            (
                system_id,
                b"\0",
                password,
                b"\0",
                system_type,
                _pack_x3b(pdu.interface_version, pdu.addr_ton, pdu.addr_npi),
                address_range,
                b"\0",
            )
        )
        if pdu.tlvs:
            body += write_tlvs(pdu.tlvs, "bind_transceiver")
        return _header(16 + len(body), 0x00000009, pdu.command_status, pdu.sequence_number) + body
    except (struct.error, TypeError):
        refuse(pdu)


def decode_bind_transceiver(octets: bytes) -> BindTransceiver:
    """Return the bind_transceiver these octets are, its command_id taken for granted. Raises: PduError."""
    pdu = _new(BindTransceiver)
    try:
        length, _, pdu.command_status, pdu.sequence_number = _unpack_header(octets)
        index = octets.index
        end = index(b"\0", 16, 32)
        pdu.system_id = octets[16:end]
        at = end + 1
        end = index(b"\0", at, at + 9)
        pdu.password = octets[at:end]
        at = end + 1
        end = index(b"\0", at, at + 13)
        pdu.system_type = octets[at:end]
        (pdu.interface_version, pdu.addr_ton, pdu.addr_npi) = _unpack_3b(octets, end + 1)
        at = end + 4
        end = index(b"\0", at, at + 41)
        pdu.address_range = octets[at:end]
        if length != len(octets):
            return unreadable(BindTransceiver, octets)
        pdu.tlvs = () if length == end + 1 else read_tlvs(octets, end + 1, 0x00000009)
    except (ValueError, IndexError, struct.error, FieldError):
        return unreadable(BindTransceiver, octets)
    return pdu


@dataclass(slots=True, eq=False, repr=False)
class BindTransceiverResp(Pdu):
    """bind_transceiver_resp"""

    command_id: ClassVar[int] = 0x80000009
    layout: ClassVar[tuple[Field, ...]] = (CString("system_id", 15, E.ESME_RINVCMDLEN),)

    system_id: bytes = b""
    tlvs: Sequence[Tlv] = ()
    _: KW_ONLY
    command_status: int = 0
    sequence_number: int = 0


def encode_bind_transceiver_resp(pdu: BindTransceiverResp) -> bytes:
    """Return the octets of a bind_transceiver_resp. Raises: EncodeError."""
    try:
        if pdu.command_status and pdu.system_id == b"" and not pdu.tlvs:
            return _header(16, 0x80000009, pdu.command_status, pdu.sequence_number)
        system_id = pdu.system_id
        if len(system_id) > 15 or 0 in system_id:
            refuse(pdu)
        body = b"".join((system_id, b"\0"))
        if pdu.tlvs:
            body += write_tlvs(pdu.tlvs, "bind_transceiver_resp")
        return _header(16 + len(body), 0x80000009, pdu.command_status, pdu.sequence_number) + body
    except (struct.error, TypeError):
        refuse(pdu)


def decode_bind_transceiver_resp(octets: bytes) -> BindTransceiverResp:
    """Return the bind_transceiver_resp these octets are, its command_id taken for granted. Raises: PduError."""
    pdu = _new(BindTransceiverResp)
    try:
        length, _, pdu.command_status, pdu.sequence_number = _unpack_header(octets)
        index = octets.index
        end = index(b"\0", 16, 32)
        pdu.system_id = octets[16:end]
        if length != len(octets):
            return unreadable(BindTransceiverResp, octets)
        pdu.tlvs = () if length == end + 1 else read_tlvs(octets, end + 1, 0x80000009)
    except (ValueError, IndexError, struct.error, FieldError):
        return unreadable(BindTransceiverResp, octets)
    return pdu


@dataclass(slots=True, eq=False, repr=False)
class Outbind(Pdu):
    """outbind"""

    command_id: ClassVar[int] = 0x0000000B
    layout: ClassVar[tuple[Field, ...]] = (
        CString("system_id", 15, E.ESME_RINVCMDLEN),
        CString("password", 8, E.ESME_RINVCMDLEN),
    )

    system_id: bytes = b""
    password: bytes = b""
    tlvs: Sequence[Tlv] = ()
    _: KW_ONLY
    command_status: int = 0
    sequence_number: int = 0


def encode_outbind(pdu: Outbind) -> bytes:
    """Return the octets of a outbind. Raises: EncodeError."""
    try:
        system_id = pdu.system_id
        password = pdu.password
        if len(system_id) > 15 or 0 in system_id or len(password) > 8 or 0 in password:
            refuse(pdu)
        body = b"".join((system_id, b"\0", password, b"\0"))
        if pdu.tlvs:
            body += write_tlvs(pdu.tlvs, "outbind")
        return _header(16 + len(body), 0x0000000B, pdu.command_status, pdu.sequence_number) + body
    except (struct.error, TypeError):
        refuse(pdu)


def decode_outbind(octets: bytes) -> Outbind:
    """Return the outbind these octets are, its command_id taken for granted. Raises: PduError."""
    pdu = _new(Outbind)
    try:
        length, _, pdu.command_status, pdu.sequence_number = _unpack_header(octets)
        index = octets.index
        end = index(b"\0", 16, 32)
        pdu.system_id = octets[16:end]
        at = end + 1
        end = index(b"\0", at, at + 9)
        pdu.password = octets[at:end]
        if length != len(octets):
            return unreadable(Outbind, octets)
        pdu.tlvs = () if length == end + 1 else read_tlvs(octets, end + 1, 0x0000000B)
    except (ValueError, IndexError, struct.error, FieldError):
        return unreadable(Outbind, octets)
    return pdu


@dataclass(slots=True, eq=False, repr=False)
class Unbind(Pdu):
    """unbind"""

    command_id: ClassVar[int] = 0x00000006
    layout: ClassVar[tuple[Field, ...]] = ()

    tlvs: Sequence[Tlv] = ()
    _: KW_ONLY
    command_status: int = 0
    sequence_number: int = 0


def encode_unbind(pdu: Unbind) -> bytes:
    """Return the octets of a unbind. Raises: EncodeError."""
    try:
        body = b""
        if pdu.tlvs:
            body += write_tlvs(pdu.tlvs, "unbind")
        return _header(16 + len(body), 0x00000006, pdu.command_status, pdu.sequence_number) + body
    except (struct.error, TypeError):
        refuse(pdu)


def decode_unbind(octets: bytes) -> Unbind:
    """Return the unbind these octets are, its command_id taken for granted. Raises: PduError."""
    pdu = _new(Unbind)
    try:
        length, _, pdu.command_status, pdu.sequence_number = _unpack_header(octets)
        if length != len(octets):
            return unreadable(Unbind, octets)
        pdu.tlvs = () if length == 16 else read_tlvs(octets, 16, 0x00000006)
    except (ValueError, IndexError, struct.error, FieldError):
        return unreadable(Unbind, octets)
    return pdu


@dataclass(slots=True, eq=False, repr=False)
class UnbindResp(Pdu):
    """unbind_resp"""

    command_id: ClassVar[int] = 0x80000006
    layout: ClassVar[tuple[Field, ...]] = ()

    tlvs: Sequence[Tlv] = ()
    _: KW_ONLY
    command_status: int = 0
    sequence_number: int = 0


def encode_unbind_resp(pdu: UnbindResp) -> bytes:
    """Return the octets of a unbind_resp. Raises: EncodeError."""
    try:
        body = b""
        if pdu.tlvs:
            body += write_tlvs(pdu.tlvs, "unbind_resp")
        return _header(16 + len(body), 0x80000006, pdu.command_status, pdu.sequence_number) + body
    except (struct.error, TypeError):
        refuse(pdu)


def decode_unbind_resp(octets: bytes) -> UnbindResp:
    """Return the unbind_resp these octets are, its command_id taken for granted. Raises: PduError."""
    pdu = _new(UnbindResp)
    try:
        length, _, pdu.command_status, pdu.sequence_number = _unpack_header(octets)
        if length != len(octets):
            return unreadable(UnbindResp, octets)
        pdu.tlvs = () if length == 16 else read_tlvs(octets, 16, 0x80000006)
    except (ValueError, IndexError, struct.error, FieldError):
        return unreadable(UnbindResp, octets)
    return pdu


@dataclass(slots=True, eq=False, repr=False)
class GenericNack(Pdu):
    """generic_nack"""

    command_id: ClassVar[int] = 0x80000000
    layout: ClassVar[tuple[Field, ...]] = ()

    tlvs: Sequence[Tlv] = ()
    _: KW_ONLY
    command_status: int = 0
    sequence_number: int = 0


def encode_generic_nack(pdu: GenericNack) -> bytes:
    """Return the octets of a generic_nack. Raises: EncodeError."""
    try:
        body = b""
        if pdu.tlvs:
            body += write_tlvs(pdu.tlvs, "generic_nack")
        return _header(16 + len(body), 0x80000000, pdu.command_status, pdu.sequence_number) + body
    except (struct.error, TypeError):
        refuse(pdu)


def decode_generic_nack(octets: bytes) -> GenericNack:
    """Return the generic_nack these octets are, its command_id taken for granted. Raises: PduError."""
    pdu = _new(GenericNack)
    try:
        length, _, pdu.command_status, pdu.sequence_number = _unpack_header(octets)
        if length != len(octets):
            return unreadable(GenericNack, octets)
        pdu.tlvs = () if length == 16 else read_tlvs(octets, 16, 0x80000000)
    except (ValueError, IndexError, struct.error, FieldError):
        return unreadable(GenericNack, octets)
    return pdu


@dataclass(slots=True, eq=False, repr=False)
class EnquireLink(Pdu):
    """enquire_link"""

    command_id: ClassVar[int] = 0x00000015
    layout: ClassVar[tuple[Field, ...]] = ()

    tlvs: Sequence[Tlv] = ()
    _: KW_ONLY
    command_status: int = 0
    sequence_number: int = 0


def encode_enquire_link(pdu: EnquireLink) -> bytes:
    """Return the octets of a enquire_link. Raises: EncodeError."""
    try:
        body = b""
        if pdu.tlvs:
            body += write_tlvs(pdu.tlvs, "enquire_link")
        return _header(16 + len(body), 0x00000015, pdu.command_status, pdu.sequence_number) + body
    except (struct.error, TypeError):
        refuse(pdu)


def decode_enquire_link(octets: bytes) -> EnquireLink:
    """Return the enquire_link these octets are, its command_id taken for granted. Raises: PduError."""
    pdu = _new(EnquireLink)
    try:
        length, _, pdu.command_status, pdu.sequence_number = _unpack_header(octets)
        if length != len(octets):
            return unreadable(EnquireLink, octets)
        pdu.tlvs = () if length == 16 else read_tlvs(octets, 16, 0x00000015)
    except (ValueError, IndexError, struct.error, FieldError):
        return unreadable(EnquireLink, octets)
    return pdu


@dataclass(slots=True, eq=False, repr=False)
class EnquireLinkResp(Pdu):
    """enquire_link_resp"""

    command_id: ClassVar[int] = 0x80000015
    layout: ClassVar[tuple[Field, ...]] = ()

    tlvs: Sequence[Tlv] = ()
    _: KW_ONLY
    command_status: int = 0
    sequence_number: int = 0


def encode_enquire_link_resp(pdu: EnquireLinkResp) -> bytes:
    """Return the octets of a enquire_link_resp. Raises: EncodeError."""
    try:
        body = b""
        if pdu.tlvs:
            body += write_tlvs(pdu.tlvs, "enquire_link_resp")
        return _header(16 + len(body), 0x80000015, pdu.command_status, pdu.sequence_number) + body
    except (struct.error, TypeError):
        refuse(pdu)


def decode_enquire_link_resp(octets: bytes) -> EnquireLinkResp:
    """Return the enquire_link_resp these octets are, its command_id taken for granted. Raises: PduError."""
    pdu = _new(EnquireLinkResp)
    try:
        length, _, pdu.command_status, pdu.sequence_number = _unpack_header(octets)
        if length != len(octets):
            return unreadable(EnquireLinkResp, octets)
        pdu.tlvs = () if length == 16 else read_tlvs(octets, 16, 0x80000015)
    except (ValueError, IndexError, struct.error, FieldError):
        return unreadable(EnquireLinkResp, octets)
    return pdu


@dataclass(slots=True, eq=False, repr=False)
class SubmitSm(Pdu):
    """submit_sm"""

    command_id: ClassVar[int] = 0x00000004
    layout: ClassVar[tuple[Field, ...]] = (
        CString("service_type", 5, E.ESME_RINVSERTYP),
        Integer("source_addr_ton", 1, E.ESME_RINVSRCTON),
        Integer("source_addr_npi", 1, E.ESME_RINVSRCNPI),
        CString("source_addr", 20, E.ESME_RINVSRCADR),
        Integer("dest_addr_ton", 1, E.ESME_RINVDSTTON),
        Integer("dest_addr_npi", 1, E.ESME_RINVDSTNPI),
        CString("destination_addr", 20, E.ESME_RINVDSTADR),
        Integer("esm_class", 1, E.ESME_RINVESMCLASS),
        Integer("protocol_id", 1, E.ESME_RINVCMDLEN),
        Integer("priority_flag", 1, E.ESME_RINVPRTFLG),
        Time("schedule_delivery_time", E.ESME_RINVSCHED, False),
        Time("validity_period", E.ESME_RINVEXPIRY, False),
        Integer("registered_delivery", 1, E.ESME_RINVREGDLVFLG),
        Integer("replace_if_present_flag", 1, E.ESME_RINVREPFLAG),
        Integer("data_coding", 1, E.ESME_RINVDCS),
        Integer("sm_default_msg_id", 1, E.ESME_RINVDFTMSGID),
        Octets("short_message", "sm_length", 254, E.ESME_RINVMSGLEN),
    )

    service_type: bytes = b""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: bytes = b""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: bytes = b""
    esm_class: int = 0
    protocol_id: int = 0
    priority_flag: int = 0
    schedule_delivery_time: bytes = b""
    validity_period: bytes = b""
    registered_delivery: int = 0
    replace_if_present_flag: int = 0
    data_coding: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""
    tlvs: Sequence[Tlv] = ()
    _: KW_ONLY
    command_status: int = 0
    sequence_number: int = 0


def encode_submit_sm(pdu: SubmitSm) -> bytes:
    """Return the octets of a submit_sm. Raises: EncodeError."""
    try:
        service_type = pdu.service_type
        source_addr = pdu.source_addr
        destination_addr = pdu.destination_addr
        schedule_delivery_time = pdu.schedule_delivery_time
        validity_period = pdu.validity_period
        short_message = pdu.short_message
        if (
            len(service_type) > 5
            or 0 in service_type
            or len(source_addr) > 20
            or 0 in source_addr
            or len(destination_addr) > 20
            or 0 in destination_addr
            or len(short_message) > 254
        ):
            refuse(pdu)
        if schedule_delivery_time != b"" or validity_period != b"":
            if (
                len(schedule_delivery_time) not in (0, 16)
                or 0 in schedule_delivery_time
                or len(validity_period) not in (0, 16)
                or 0 in validity_period
            ):
                refuse(pdu)
            timed = b"".join(
                (
                    _pack_x3b(pdu.esm_class, pdu.protocol_id, pdu.priority_flag),
                    schedule_delivery_time,
                    b"\0",
                    validity_period,
                    _pack_x5b(
                        pdu.registered_delivery,
                        pdu.replace_if_present_flag,
                        pdu.data_coding,
                        pdu.sm_default_msg_id,
                        len(short_message),
                    ),
                )
            )
        else:
            timed = _pack_x3b2x5b(
                pdu.esm_class,
                pdu.protocol_id,
                pdu.priority_flag,
                pdu.registered_delivery,
                pdu.replace_if_present_flag,
                pdu.data_coding,
                pdu.sm_default_msg_id,
                len(short_message),
            )
        body = b"".join(
            (
                service_type,
                _pack_x2b(pdu.source_addr_ton, pdu.source_addr_npi),
                source_addr,
                _pack_x2b(pdu.dest_addr_ton, pdu.dest_addr_npi),
                destination_addr,
                timed,
                short_message,
            )
        )
        if pdu.tlvs:
            body += write_tlvs(pdu.tlvs, "submit_sm")
        return _header(16 + len(body), 0x00000004, pdu.command_status, pdu.sequence_number) + body
    except (struct.error, TypeError):
        refuse(pdu)


def decode_submit_sm(octets: bytes) -> SubmitSm:
    """Return the submit_sm these octets are, its command_id taken for granted. Raises: PduError."""
    pdu = _new(SubmitSm)
    try:
        length, _, pdu.command_status, pdu.sequence_number = _unpack_header(octets)
        index = octets.index
        end = index(b"\0", 16, 22)
        pdu.service_type = octets[16:end]
        pdu.source_addr_ton = octets[end + 1]
        pdu.source_addr_npi = octets[end + 2]
        at = end + 3
        end = index(b"\0", at, at + 21)
        pdu.source_addr = octets[at:end]
        pdu.dest_addr_ton = octets[end + 1]
        pdu.dest_addr_npi = octets[end + 2]
        at = end + 3
        end = index(b"\0", at, at + 21)
        pdu.destination_addr = octets[at:end]
        (
            pdu.esm_class,
            pdu.protocol_id,
            pdu.priority_flag,
            schedule_delivery_time_nul,
            validity_period_nul,
            pdu.registered_delivery,
            pdu.replace_if_present_flag,
            pdu.data_coding,
            pdu.sm_default_msg_id,
            sm_length,
        ) = _unpack_10b(octets, end + 1)
        if schedule_delivery_time_nul or validity_period_nul:
            at = end + 4
            end = index(b"\0", at, at + 17)
            if end - at not in (0, 16):
                return unreadable(SubmitSm, octets)
            pdu.schedule_delivery_time = octets[at:end]
            at = end + 1
            end = index(b"\0", at, at + 17)
            if end - at not in (0, 16):
                return unreadable(SubmitSm, octets)
            pdu.validity_period = octets[at:end]
            (
                pdu.registered_delivery,
                pdu.replace_if_present_flag,
                pdu.data_coding,
                pdu.sm_default_msg_id,
                sm_length,
            ) = _unpack_5b(octets, end + 1)
            at = end + 6
        else:
            pdu.schedule_delivery_time = pdu.validity_period = b""
            at = end + 11
        end = at + sm_length
        if end > length:
            return unreadable(SubmitSm, octets)
        pdu.short_message = octets[at:end]
        if length != len(octets):
            return unreadable(SubmitSm, octets)
        pdu.tlvs = () if length == end else read_tlvs(octets, end, 0x00000004)
    except (ValueError, IndexError, struct.error, FieldError):
        return unreadable(SubmitSm, octets)
    return pdu


@dataclass(slots=True, eq=False, repr=False)
class SubmitSmResp(Pdu):
    """submit_sm_resp"""

    command_id: ClassVar[int] = 0x80000004
    layout: ClassVar[tuple[Field, ...]] = (CString("message_id", 64, E.ESME_RINVMSGID),)

    message_id: bytes = b""
    tlvs: Sequence[Tlv] = ()
    _: KW_ONLY
    command_status: int = 0
    sequence_number: int = 0


def encode_submit_sm_resp(pdu: SubmitSmResp) -> bytes:
    """Return the octets of a submit_sm_resp. Raises: EncodeError."""
    try:
        if pdu.command_status and pdu.message_id == b"" and not pdu.tlvs:
            return _header(16, 0x80000004, pdu.command_status, pdu.sequence_number)
        message_id = pdu.message_id
        if len(message_id) > 64 or 0 in message_id:
            refuse(pdu)
        body = b"".join((message_id, b"\0"))
        if pdu.tlvs:
            body += write_tlvs(pdu.tlvs, "submit_sm_resp")
        return _header(16 + len(body), 0x80000004, pdu.command_status, pdu.sequence_number) + body
    except (struct.error, TypeError):
        refuse(pdu)


def decode_submit_sm_resp(octets: bytes) -> SubmitSmResp:
    """Return the submit_sm_resp these octets are, its command_id taken for granted. Raises: PduError."""
    pdu = _new(SubmitSmResp)
    try:
        length, _, pdu.command_status, pdu.sequence_number = _unpack_header(octets)
        index = octets.index
        end = index(b"\0", 16, 81)
        pdu.message_id = octets[16:end]
        if length != len(octets):
            return unreadable(SubmitSmResp, octets)
        pdu.tlvs = () if length == end + 1 else read_tlvs(octets, end + 1, 0x80000004)
    except (ValueError, IndexError, struct.error, FieldError):
        return unreadable(SubmitSmResp, octets)
    return pdu


@dataclass(slots=True, eq=False, repr=False)
class SubmitMulti(Pdu):
    """submit_multi"""

    command_id: ClassVar[int] = 0x00000021
    layout: ClassVar[tuple[Field, ...]] = (
        CString("service_type", 5, E.ESME_RINVSERTYP),
        Integer("source_addr_ton", 1, E.ESME_RINVSRCTON),
        Integer("source_addr_npi", 1, E.ESME_RINVSRCNPI),
        CString("source_addr", 20, E.ESME_RINVSRCADR),
        Items(
            "dest_address",
            "number_of_dests",
            1,
            254,
            E.ESME_RINVNUMDESTS,
            "dest_flag",
            E.ESME_RINVDESTFLAG,
            (
                Item(
                    SmeAddress,
                    1,
                    (
                        Integer("dest_addr_ton", 1, E.ESME_RINVCMDLEN),
                        Integer("dest_addr_npi", 1, E.ESME_RINVCMDLEN),
                        CString("destination_addr", 20, E.ESME_RINVDSTADR),
                    ),
                ),
                Item(
                    DistributionList,
                    2,
                    (CString("dl_name", 20, E.ESME_RINVDLNAME),),
                ),
            ),
        ),
        Integer("esm_class", 1, E.ESME_RINVESMCLASS),
        Integer("protocol_id", 1, E.ESME_RINVCMDLEN),
        Integer("priority_flag", 1, E.ESME_RINVPRTFLG),
        Time("schedule_delivery_time", E.ESME_RINVSCHED, False),
        Time("validity_period", E.ESME_RINVEXPIRY, False),
        Integer("registered_delivery", 1, E.ESME_RINVREGDLVFLG),
        Integer("replace_if_present_flag", 1, E.ESME_RINVREPFLAG),
        Integer("data_coding", 1, E.ESME_RINVDCS),
        Integer("sm_default_msg_id", 1, E.ESME_RINVDFTMSGID),
        Octets("short_message", "sm_length", 254, E.ESME_RINVMSGLEN),
    )

    service_type: bytes = b""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: bytes = b""
    dest_address: Sequence[SmeAddress | DistributionList] = ()
    esm_class: int = 0
    protocol_id: int = 0
    priority_flag: int = 0
    schedule_delivery_time: bytes = b""
    validity_period: bytes = b""
    registered_delivery: int = 0
    replace_if_present_flag: int = 0
    data_coding: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""
    tlvs: Sequence[Tlv] = ()
    _: KW_ONLY
    command_status: int = 0
    sequence_number: int = 0


def encode_submit_multi(pdu: SubmitMulti) -> bytes:
    """Return the octets of a submit_multi. Raises: EncodeError."""
    try:
        service_type = pdu.service_type
        source_addr = pdu.source_addr
        dest_address = pdu.dest_address
        schedule_delivery_time = pdu.schedule_delivery_time
        validity_period = pdu.validity_period
        short_message = pdu.short_message
        if (
            len(service_type) > 5
            or 0 in service_type
            or len(source_addr) > 20
            or 0 in source_addr
            or not 1 <= len(dest_address) <= 254
            or len(short_message) > 254
        ):
            refuse(pdu)
        dest_address_items: list[bytes] = []
        item: object
        for item in dest_address:
            if isinstance(item, SmeAddress):
                destination_addr = item.destination_addr
                if len(destination_addr) > 20 or 0 in destination_addr:
                    refuse(pdu)
                dest_address_items += (
                    _pack_bbb(1, item.dest_addr_ton, item.dest_addr_npi),
                    destination_addr,
                    b"\0",
                )
            elif isinstance(item, DistributionList):
                dl_name = item.dl_name
                if len(dl_name) > 20 or 0 in dl_name:
                    refuse(pdu)
                dest_address_items += (_pack_b(2), dl_name, b"\0")
            else:
                refuse(pdu)
        if schedule_delivery_time != b"" or validity_period != b"":
            if (
                len(schedule_delivery_time) not in (0, 16)
                or 0 in schedule_delivery_time
                or len(validity_period) not in (0, 16)
                or 0 in validity_period
            ):
                refuse(pdu)
            timed = b"".join(
                (
                    _pack_3b(pdu.esm_class, pdu.protocol_id, pdu.priority_flag),
                    schedule_delivery_time,
                    b"\0",
                    validity_period,
                    _pack_x5b(
                        pdu.registered_delivery,
                        pdu.replace_if_present_flag,
                        pdu.data_coding,
                        pdu.sm_default_msg_id,
                        len(short_message),
                    ),
                )
            )
        else:
            timed = _pack_3b2x5b(
                pdu.esm_class,
                pdu.protocol_id,
                pdu.priority_flag,
                pdu.registered_delivery,
                pdu.replace_if_present_flag,
                pdu.data_coding,
                pdu.sm_default_msg_id,
                len(short_message),
            )
        body = b"".join(
            (
                service_type,
                _pack_x2b(pdu.source_addr_ton, pdu.source_addr_npi),
                source_addr,
                _pack_xb(len(dest_address)),
                *dest_address_items,
                timed,
                short_message,
            )
        )
        if pdu.tlvs:
            body += write_tlvs(pdu.tlvs, "submit_multi")
        return _header(16 + len(body), 0x00000021, pdu.command_status, pdu.sequence_number) + body
    except (struct.error, TypeError):
        refuse(pdu)


def decode_submit_multi(octets: bytes) -> SubmitMulti:
    """Return the submit_multi these octets are, its command_id taken for granted. Raises: PduError."""
    pdu = _new(SubmitMulti)
    try:
        length, _, pdu.command_status, pdu.sequence_number = _unpack_header(octets)
        index = octets.index
        end = index(b"\0", 16, 22)
        pdu.service_type = octets[16:end]
        pdu.source_addr_ton = octets[end + 1]
        pdu.source_addr_npi = octets[end + 2]
        at = end + 3
        end = index(b"\0", at, at + 21)
        pdu.source_addr = octets[at:end]
        number_of_dests = octets[end + 1]
        if number_of_dests < 1:
            return unreadable(SubmitMulti, octets)
        dest_address: list[SmeAddress | DistributionList] = []
        at = end + 2
        for _ in range(number_of_dests):
            dest_flag = octets[at]
            if dest_flag == 1:
                end = index(b"\0", at + 3, at + 24)
                dest_address.append(SmeAddress(octets[at + 1], octets[at + 2], octets[at + 3 : end]))
                at = end + 1
            elif dest_flag == 2:
                end = index(b"\0", at + 1, at + 22)
                dest_address.append(DistributionList(octets[at + 1 : end]))
                at = end + 1
            else:
                return unreadable(SubmitMulti, octets)
        pdu.dest_address = tuple(dest_address)
        (
            pdu.esm_class,
            pdu.protocol_id,
            pdu.priority_flag,
            schedule_delivery_time_nul,
            validity_period_nul,
            pdu.registered_delivery,
            pdu.replace_if_present_flag,
            pdu.data_coding,
            pdu.sm_default_msg_id,
            sm_length,
        ) = _unpack_10b(octets, at)
        if schedule_delivery_time_nul or validity_period_nul:
            at = at + 3
            end = index(b"\0", at, at + 17)
            if end - at not in (0, 16):
                return unreadable(SubmitMulti, octets)
            pdu.schedule_delivery_time = octets[at:end]
            at = end + 1
            end = index(b"\0", at, at + 17)
            if end - at not in (0, 16):
                return unreadable(SubmitMulti, octets)
            pdu.validity_period = octets[at:end]
            (
                pdu.registered_delivery,
                pdu.replace_if_present_flag,
                pdu.data_coding,
                pdu.sm_default_msg_id,
                sm_length,
            ) = _unpack_5b(octets, end + 1)
            at = end + 6
        else:
            pdu.schedule_delivery_time = pdu.validity_period = b""
            at = at + 10
        end = at + sm_length
        if end > length:
            return unreadable(SubmitMulti, octets)
        pdu.short_message = octets[at:end]
        if length != len(octets):
            return unreadable(SubmitMulti, octets)
        pdu.tlvs = () if length == end else read_tlvs(octets, end, 0x00000021)
    except (ValueError, IndexError, struct.error, FieldError):
        return unreadable(SubmitMulti, octets)
    return pdu


@dataclass(slots=True, eq=False, repr=False)
class SubmitMultiResp(Pdu):
    """submit_multi_resp"""

    command_id: ClassVar[int] = 0x80000021
    layout: ClassVar[tuple[Field, ...]] = (
        CString("message_id", 64, E.ESME_RINVMSGID),
        Items(
            "unsuccess_sme",
            "no_unsuccess",
            0,
            255,
            E.ESME_RINVCMDLEN,
            None,
            E.ESME_RINVCMDLEN,
            (
                Item(
                    UnsuccessSme,
                    None,
                    (
                        Integer("dest_addr_ton", 1, E.ESME_RINVCMDLEN),
                        Integer("dest_addr_npi", 1, E.ESME_RINVCMDLEN),
                        CString("destination_addr", 20, E.ESME_RINVDSTADR),
                        Integer("error_status_code", 4, E.ESME_RINVCMDLEN),
                    ),
                ),
            ),
        ),
    )

    message_id: bytes = b""
    unsuccess_sme: Sequence[UnsuccessSme] = ()
    tlvs: Sequence[Tlv] = ()
    _: KW_ONLY
    command_status: int = 0
    sequence_number: int = 0


def encode_submit_multi_resp(pdu: SubmitMultiResp) -> bytes:
    """Return the octets of a submit_multi_resp. Raises: EncodeError."""
    try:
        if pdu.command_status and pdu.message_id == b"" and not pdu.unsuccess_sme and not pdu.tlvs:
            return _header(16, 0x80000021, pdu.command_status, pdu.sequence_number)
        message_id = pdu.message_id
        unsuccess_sme = pdu.unsuccess_sme
        if len(message_id) > 64 or 0 in message_id or len(unsuccess_sme) > 255:
            refuse(pdu)
        unsuccess_sme_items: list[bytes] = []
        item: object
        for item in unsuccess_sme:
            if isinstance(item, UnsuccessSme):
                destination_addr = item.destination_addr
                if len(destination_addr) > 20 or 0 in destination_addr:
                    refuse(pdu)
                unsuccess_sme_items += (
                    _pack_bb(item.dest_addr_ton, item.dest_addr_npi),
                    destination_addr,
                    _pack_xi(item.error_status_code),
                )
            else:
                refuse(pdu)
        body = b"".join((message_id, _pack_xb(len(unsuccess_sme)), *unsuccess_sme_items))
        if pdu.tlvs:
            body += write_tlvs(pdu.tlvs, "submit_multi_resp")
        return _header(16 + len(body), 0x80000021, pdu.command_status, pdu.sequence_number) + body
    except (struct.error, TypeError):
        refuse(pdu)


def decode_submit_multi_resp(octets: bytes) -> SubmitMultiResp:
    """Return the submit_multi_resp these octets are, its command_id taken for granted. Raises: PduError."""
    pdu = _new(SubmitMultiResp)
    try:
        length, _, pdu.command_status, pdu.sequence_number = _unpack_header(octets)
        index = octets.index
        end = index(b"\0", 16, 81)
        pdu.message_id = octets[16:end]
        no_unsuccess = octets[end + 1]
        unsuccess_sme: list[UnsuccessSme] = []
        at = end + 2
        for _ in range(no_unsuccess):
            end = index(b"\0", at + 2, at + 23)
            unsuccess_sme.append(
                UnsuccessSme(octets[at], octets[at + 1], octets[at + 2 : end], *_unpack_i(octets, end + 1))
            )
            at = end + 5
        pdu.unsuccess_sme = tuple(unsuccess_sme)
        if length != len(octets):
            return unreadable(SubmitMultiResp, octets)
        pdu.tlvs = () if length == at else read_tlvs(octets, at, 0x80000021)
    except (ValueError, IndexError, struct.error, FieldError):
        return unreadable(SubmitMultiResp, octets)
    return pdu


@dataclass(slots=True, eq=False, repr=False)
class DeliverSm(Pdu):
    """deliver_sm"""

    command_id: ClassVar[int] = 0x00000005
    layout: ClassVar[tuple[Field, ...]] = (
        CString("service_type", 5, E.ESME_RINVSERTYP),
        Integer("source_addr_ton", 1, E.ESME_RINVSRCTON),
        Integer("source_addr_npi", 1, E.ESME_RINVSRCNPI),
        CString("source_addr", 20, E.ESME_RINVSRCADR),
        Integer("dest_addr_ton", 1, E.ESME_RINVDSTTON),
        Integer("dest_addr_npi", 1, E.ESME_RINVDSTNPI),
        CString("destination_addr", 20, E.ESME_RINVDSTADR),
        Integer("esm_class", 1, E.ESME_RINVESMCLASS),
        Integer("protocol_id", 1, E.ESME_RINVCMDLEN),
        Integer("priority_flag", 1, E.ESME_RINVPRTFLG),
        Time("schedule_delivery_time", E.ESME_RINVCMDLEN, False),
        Time("validity_period", E.ESME_RINVCMDLEN, False),
        Integer("registered_delivery", 1, E.ESME_RINVREGDLVFLG),
        Integer("replace_if_present_flag", 1, E.ESME_RINVCMDLEN),
        Integer("data_coding", 1, E.ESME_RINVDCS),
        Integer("sm_default_msg_id", 1, E.ESME_RINVCMDLEN),
        Octets("short_message", "sm_length", 254, E.ESME_RINVMSGLEN),
    )

    service_type: bytes = b""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: bytes = b""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: bytes = b""
    esm_class: int = 0
    protocol_id: int = 0
    priority_flag: int = 0
    schedule_delivery_time: bytes = b""
    validity_period: bytes = b""
    registered_delivery: int = 0
    replace_if_present_flag: int = 0
    data_coding: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""
    tlvs: Sequence[Tlv] = ()
    _: KW_ONLY
    command_status: int = 0
    sequence_number: int = 0


def encode_deliver_sm(pdu: DeliverSm) -> bytes:
    """Return the octets of a deliver_sm. Raises: EncodeError."""
    try:
        service_type = pdu.service_type
        source_addr = pdu.source_addr
        destination_addr = pdu.destination_addr
        schedule_delivery_time = pdu.schedule_delivery_time
        validity_period = pdu.validity_period
        short_message = pdu.short_message
        if (
            len(service_type) > 5
            or 0 in service_type
            or len(source_addr) > 20
            or 0 in source_addr
            or len(destination_addr) > 20
            or 0 in destination_addr
            or len(short_message) > 254
        ):
            refuse(pdu)
        if schedule_delivery_time != b"" or validity_period != b"":
            if (
                len(schedule_delivery_time) not in (0, 16)
                or 0 in schedule_delivery_time
                or len(validity_period) not in (0, 16)
                or 0 in validity_period
            ):
                refuse(pdu)
            timed = b"".join(
                (
                    _pack_x3b(pdu.esm_class, pdu.protocol_id, pdu.priority_flag),
                    schedule_delivery_time,
                    b"\0",
                    validity_period,
                    _pack_x5b(
                        pdu.registered_delivery,
                        pdu.replace_if_present_flag,
                        pdu.data_coding,
                        pdu.sm_default_msg_id,
                        len(short_message),
                    ),
                )
            )
        else:
            timed = _pack_x3b2x5b(
                pdu.esm_class,
                pdu.protocol_id,
                pdu.priority_flag,
                pdu.registered_delivery,
                pdu.replace_if_present_flag,
                pdu.data_coding,
                pdu.sm_default_msg_id,
                len(short_message),
            )
        body = b"".join(
            (
                service_type,
                _pack_x2b(pdu.source_addr_ton, pdu.source_addr_npi),
                source_addr,
                _pack_x2b(pdu.dest_addr_ton, pdu.dest_addr_npi),
                destination_addr,
                timed,
                short_message,
            )
        )
        if pdu.tlvs:
            body += write_tlvs(pdu.tlvs, "deliver_sm")
        return _header(16 + len(body), 0x00000005, pdu.command_status, pdu.sequence_number) + body
    except (struct.error, TypeError):
        refuse(pdu)


def decode_deliver_sm(octets: bytes) -> DeliverSm:
    """Return the deliver_sm these octets are, its command_id taken for granted. Raises: PduError."""
    pdu = _new(DeliverSm)
    try:
        length, _, pdu.command_status, pdu.sequence_number = _unpack_header(octets)
        index = octets.index
        end = index(b"\0", 16, 22)
        pdu.service_type = octets[16:end]
        pdu.source_addr_ton = octets[end + 1]
        pdu.source_addr_npi = octets[end + 2]
        at = end + 3
        end = index(b"\0", at, at + 21)
        pdu.source_addr = octets[at:end]
        pdu.dest_addr_ton = octets[end + 1]
        pdu.dest_addr_npi = octets[end + 2]
        at = end + 3
        end = index(b"\0", at, at + 21)
        pdu.destination_addr = octets[at:end]
        (
            pdu.esm_class,
            pdu.protocol_id,
            pdu.priority_flag,
            schedule_delivery_time_nul,
            validity_period_nul,
            pdu.registered_delivery,
            pdu.replace_if_present_flag,
            pdu.data_coding,
            pdu.sm_default_msg_id,
            sm_length,
        ) = _unpack_10b(octets, end + 1)
        if schedule_delivery_time_nul or validity_period_nul:
            at = end + 4
            end = index(b"\0", at, at + 17)
            if end - at not in (0, 16):
                return unreadable(DeliverSm, octets)
            pdu.schedule_delivery_time = octets[at:end]
            at = end + 1
            end = index(b"\0", at, at + 17)
            if end - at not in (0, 16):
                return unreadable(DeliverSm, octets)
            pdu.validity_period = octets[at:end]
            (
                pdu.registered_delivery,
                pdu.replace_if_present_flag,
                pdu.data_coding,
                pdu.sm_default_msg_id,
                sm_length,
            ) = _unpack_5b(octets, end + 1)
            at = end + 6
        else:
            pdu.schedule_delivery_time = pdu.validity_period = b""
            at = end + 11
        end = at + sm_length
        if end > length:
            return unreadable(DeliverSm, octets)
        pdu.short_message = octets[at:end]
        if length != len(octets):
            return unreadable(DeliverSm, octets)
        pdu.tlvs = () if length == end else read_tlvs(octets, end, 0x00000005)
    except (ValueError, IndexError, struct.error, FieldError):
        return unreadable(DeliverSm, octets)
    return pdu


@dataclass(slots=True, eq=False, repr=False)
class DeliverSmResp(Pdu):
    """deliver_sm_resp"""

    command_id: ClassVar[int] = 0x80000005
    layout: ClassVar[tuple[Field, ...]] = (CString("message_id", 64, E.ESME_RINVCMDLEN),)
    body_optional: ClassVar[bool] = True

    message_id: bytes = b""
    tlvs: Sequence[Tlv] = ()
    _: KW_ONLY
    command_status: int = 0
    sequence_number: int = 0


def encode_deliver_sm_resp(pdu: DeliverSmResp) -> bytes:
    """Return the octets of a deliver_sm_resp. Raises: EncodeError."""
    try:
        if pdu.command_status and pdu.message_id == b"" and not pdu.tlvs:
            return _header(16, 0x80000005, pdu.command_status, pdu.sequence_number)
        message_id = pdu.message_id
        if len(message_id) > 64 or 0 in message_id:
            refuse(pdu)
        body = b"".join((message_id, b"\0"))
        if pdu.tlvs:
            body += write_tlvs(pdu.tlvs, "deliver_sm_resp")
        return _header(16 + len(body), 0x80000005, pdu.command_status, pdu.sequence_number) + body
    except (struct.error, TypeError):
        refuse(pdu)


def decode_deliver_sm_resp(octets: bytes) -> DeliverSmResp:
    """Return the deliver_sm_resp these octets are, its command_id taken for granted. Raises: PduError."""
    pdu = _new(DeliverSmResp)
    try:
        length, _, pdu.command_status, pdu.sequence_number = _unpack_header(octets)
        index = octets.index
        end = index(b"\0", 16, 81)
        pdu.message_id = octets[16:end]
        if length != len(octets):
            return unreadable(DeliverSmResp, octets)
        pdu.tlvs = () if length == end + 1 else read_tlvs(octets, end + 1, 0x80000005)
    except (ValueError, IndexError, struct.error, FieldError):
        return unreadable(DeliverSmResp, octets)
    return pdu


@dataclass(slots=True, eq=False, repr=False)
class DataSm(Pdu):
    """data_sm"""

    command_id: ClassVar[int] = 0x00000103
    layout: ClassVar[tuple[Field, ...]] = (
        CString("service_type", 5, E.ESME_RINVSERTYP),
        Integer("source_addr_ton", 1, E.ESME_RINVSRCTON),
        Integer("source_addr_npi", 1, E.ESME_RINVSRCNPI),
        CString("source_addr", 64, E.ESME_RINVSRCADR),
        Integer("dest_addr_ton", 1, E.ESME_RINVDSTTON),
        Integer("dest_addr_npi", 1, E.ESME_RINVDSTNPI),
        CString("destination_addr", 64, E.ESME_RINVDSTADR),
        Integer("esm_class", 1, E.ESME_RINVESMCLASS),
        Integer("registered_delivery", 1, E.ESME_RINVREGDLVFLG),
        Integer("data_coding", 1, E.ESME_RINVDCS),
    )

    service_type: bytes = b""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: bytes = b""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: bytes = b""
    esm_class: int = 0
    registered_delivery: int = 0
    data_coding: int = 0
    tlvs: Sequence[Tlv] = ()
    _: KW_ONLY
    command_status: int = 0
    sequence_number: int = 0


def encode_data_sm(pdu: DataSm) -> bytes:
    """Return the octets of a data_sm. Raises: EncodeError."""
    try:
        service_type = pdu.service_type
        source_addr = pdu.source_addr
        destination_addr = pdu.destination_addr
        if (
            len(service_type) > 5
            or 0 in service_type
            or len(source_addr) > 64
            or 0 in source_addr
            or len(destination_addr) > 64
            or 0 in destination_addr
        ):
            refuse(pdu)
        body = b"".join(
            (
                service_type,
                _pack_x2b(pdu.source_addr_ton, pdu.source_addr_npi),
                source_addr,
                _pack_x2b(pdu.dest_addr_ton, pdu.dest_addr_npi),
                destination_addr,
                _pack_x3b(pdu.esm_class, pdu.registered_delivery, pdu.data_coding),
            )
        )
        if pdu.tlvs:
            body += write_tlvs(pdu.tlvs, "data_sm")
        return _header(16 + len(body), 0x00000103, pdu.command_status, pdu.sequence_number) + body
    except (struct.error, TypeError):
        refuse(pdu)


def decode_data_sm(octets: bytes) -> DataSm:
    """Return the data_sm these octets are, its command_id taken for granted. Raises: PduError."""
    pdu = _new(DataSm)
    try:
        length, _, pdu.command_status, pdu.sequence_number = _unpack_header(octets)
        index = octets.index
        end = index(b"\0", 16, 22)
        pdu.service_type = octets[16:end]
        pdu.source_addr_ton = octets[end + 1]
        pdu.source_addr_npi = octets[end + 2]
        at = end + 3
        end = index(b"\0", at, at + 65)
        pdu.source_addr = octets[at:end]
        pdu.dest_addr_ton = octets[end + 1]
        pdu.dest_addr_npi = octets[end + 2]
        at = end + 3
        end = index(b"\0", at, at + 65)
        pdu.destination_addr = octets[at:end]
        (pdu.esm_class, pdu.registered_delivery, pdu.data_coding) = _unpack_3b(octets, end + 1)
        if length != len(octets):
            return unreadable(DataSm, octets)
        pdu.tlvs = () if length == end + 4 else read_tlvs(octets, end + 4, 0x00000103)
    except (ValueError, IndexError, struct.error, FieldError):
        return unreadable(DataSm, octets)
    return pdu


@dataclass(slots=True, eq=False, repr=False)
class DataSmResp(Pdu):
    """data_sm_resp"""

    command_id: ClassVar[int] = 0x80000103
    layout: ClassVar[tuple[Field, ...]] = (CString("message_id", 64, E.ESME_RINVMSGID),)

    message_id: bytes = b""
    tlvs: Sequence[Tlv] = ()
    _: KW_ONLY
    command_status: int = 0
    sequence_number: int = 0


def encode_data_sm_resp(pdu: DataSmResp) -> bytes:
    """Return the octets of a data_sm_resp. Raises: EncodeError."""
    try:
        if pdu.command_status and pdu.message_id == b"" and not pdu.tlvs:
            return _header(16, 0x80000103, pdu.command_status, pdu.sequence_number)
        message_id = pdu.message_id
        if len(message_id) > 64 or 0 in message_id:
            refuse(pdu)
        body = b"".join((message_id, b"\0"))
        if pdu.tlvs:
            body += write_tlvs(pdu.tlvs, "data_sm_resp")
        return _header(16 + len(body), 0x80000103, pdu.command_status, pdu.sequence_number) + body
    except (struct.error, TypeError):
        refuse(pdu)


def decode_data_sm_resp(octets: bytes) -> DataSmResp:
    """Return the data_sm_resp these octets are, its command_id taken for granted. Raises: PduError."""
    pdu = _new(DataSmResp)
    try:
        length, _, pdu.command_status, pdu.sequence_number = _unpack_header(octets)
        index = octets.index
        end = index(b"\0", 16, 81)
        pdu.message_id = octets[16:end]
        if length != len(octets):
            return unreadable(DataSmResp, octets)
        pdu.tlvs = () if length == end + 1 else read_tlvs(octets, end + 1, 0x80000103)
    except (ValueError, IndexError, struct.error, FieldError):
        return unreadable(DataSmResp, octets)
    return pdu


@dataclass(slots=True, eq=False, repr=False)
class QuerySm(Pdu):
    """query_sm"""

    command_id: ClassVar[int] = 0x00000003
    layout: ClassVar[tuple[Field, ...]] = (
        CString("message_id", 64, E.ESME_RINVMSGID),
        Integer("source_addr_ton", 1, E.ESME_RINVSRCTON),
        Integer("source_addr_npi", 1, E.ESME_RINVSRCNPI),
        CString("source_addr", 20, E.ESME_RINVSRCADR),
    )

    message_id: bytes = b""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: bytes = b""
    tlvs: Sequence[Tlv] = ()
    _: KW_ONLY
    command_status: int = 0
    sequence_number: int = 0


def encode_query_sm(pdu: QuerySm) -> bytes:
    """Return the octets of a query_sm. Raises: EncodeError."""
    try:
        message_id = pdu.message_id
        source_addr = pdu.source_addr
        if len(message_id) > 64 or 0 in message_id or len(source_addr) > 20 or 0 in source_addr:
            refuse(pdu)
        body = b"".join((message_id, _pack_x2b(pdu.source_addr_ton, pdu.source_addr_npi), source_addr, b"\0"))
        if pdu.tlvs:
            body += write_tlvs(pdu.tlvs, "query_sm")
        return _header(16 + len(body), 0x00000003, pdu.command_status, pdu.sequence_number) + body
    except (struct.error, TypeError):
        refuse(pdu)


def decode_query_sm(octets: bytes) -> QuerySm:
    """Return the query_sm these octets are, its command_id taken for granted. Raises: PduError."""
    pdu = _new(QuerySm)
    try:
        length, _, pdu.command_status, pdu.sequence_number = _unpack_header(octets)
        index = octets.index
        end = index(b"\0", 16, 81)
        pdu.message_id = octets[16:end]
        pdu.source_addr_ton = octets[end + 1]
        pdu.source_addr_npi = octets[end + 2]
        at = end + 3
        end = index(b"\0", at, at + 21)
        pdu.source_addr = octets[at:end]
        if length != len(octets):
            return unreadable(QuerySm, octets)
        pdu.tlvs = () if length == end + 1 else read_tlvs(octets, end + 1, 0x00000003)
    except (ValueError, IndexError, struct.error, FieldError):
        return unreadable(QuerySm, octets)
    return pdu


@dataclass(slots=True, eq=False, repr=False)
class QuerySmResp(Pdu):
    """query_sm_resp"""

    command_id: ClassVar[int] = 0x80000003
    layout: ClassVar[tuple[Field, ...]] = (
        CString("message_id", 64, E.ESME_RINVMSGID),
        Time("final_date", E.ESME_RINVCMDLEN, True),
        Integer("message_state", 1, E.ESME_RINVCMDLEN),
        Integer("error_code", 1, E.ESME_RINVCMDLEN),
    )

    message_id: bytes = b""
    final_date: bytes = b""
    message_state: int = 0
    error_code: int = 0
    tlvs: Sequence[Tlv] = ()
    _: KW_ONLY
    command_status: int = 0
    sequence_number: int = 0


def encode_query_sm_resp(pdu: QuerySmResp) -> bytes:
    """Return the octets of a query_sm_resp. Raises: EncodeError."""
    try:
        if (
            pdu.command_status
            and pdu.message_id == b""
            and pdu.final_date == b""
            and pdu.message_state == 0
            and pdu.error_code == 0
            and not pdu.tlvs
        ):
            return _header(16, 0x80000003, pdu.command_status, pdu.sequence_number)
        message_id = pdu.message_id
        final_date = pdu.final_date
        if len(message_id) > 64 or 0 in message_id:
            refuse(pdu)
        if final_date != b"":
            if len(final_date) not in (0, 16) or 0 in final_date:
                refuse(pdu)
            timed = b"".join((b"\0", final_date, _pack_x2b(pdu.message_state, pdu.error_code)))
        else:
            timed = _pack_xx2b(pdu.message_state, pdu.error_code)
        body = b"".join((message_id, timed))
        if pdu.tlvs:
            body += write_tlvs(pdu.tlvs, "query_sm_resp")
        return _header(16 + len(body), 0x80000003, pdu.command_status, pdu.sequence_number) + body
    except (struct.error, TypeError):
        refuse(pdu)


def decode_query_sm_resp(octets: bytes) -> QuerySmResp:
    """Return the query_sm_resp these octets are, its command_id taken for granted. Raises: PduError."""
    pdu = _new(QuerySmResp)
    try:
        length, _, pdu.command_status, pdu.sequence_number = _unpack_header(octets)
        index = octets.index
        end = index(b"\0", 16, 81)
        pdu.message_id = octets[16:end]
        (final_date_nul, pdu.message_state, pdu.error_code) = _unpack_3b(octets, end + 1)
        if final_date_nul:
            at = end + 1
            end = index(b"\0", at, at + 17)
            pdu.final_date = octets[at:end]
            pdu.message_state = octets[end + 1]
            pdu.error_code = octets[end + 2]
            at = end + 3
        else:
            pdu.final_date = b""
            at = end + 4
        if length != len(octets):
            return unreadable(QuerySmResp, octets)
        pdu.tlvs = () if length == at else read_tlvs(octets, at, 0x80000003)
    except (ValueError, IndexError, struct.error, FieldError):
        return unreadable(QuerySmResp, octets)
    return pdu


@dataclass(slots=True, eq=False, repr=False)
class CancelSm(Pdu):
    """cancel_sm"""

    command_id: ClassVar[int] = 0x00000008
    layout: ClassVar[tuple[Field, ...]] = (
        CString("service_type", 5, E.ESME_RINVSERTYP),
        CString("message_id", 64, E.ESME_RINVMSGID),
        Integer("source_addr_ton", 1, E.ESME_RINVSRCTON),
        Integer("source_addr_npi", 1, E.ESME_RINVSRCNPI),
        CString("source_addr", 20, E.ESME_RINVSRCADR),
        Integer("dest_addr_ton", 1, E.ESME_RINVDSTTON),
        Integer("dest_addr_npi", 1, E.ESME_RINVDSTNPI),
        CString("destination_addr", 20, E.ESME_RINVDSTADR),
    )

    service_type: bytes = b""
    message_id: bytes = b""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: bytes = b""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: bytes = b""
    tlvs: Sequence[Tlv] = ()
    _: KW_ONLY
    command_status: int = 0
    sequence_number: int = 0


def encode_cancel_sm(pdu: CancelSm) -> bytes:
    """Return the octets of a cancel_sm. Raises: EncodeError."""
    try:
        service_type = pdu.service_type
        message_id = pdu.message_id
        source_addr = pdu.source_addr
        destination_addr = pdu.destination_addr
        if (
            len(service_type) > 5
            or 0 in service_type
            or len(message_id) > 64
            or 0 in message_id
            or len(source_addr) > 20
            or 0 in source_addr
            or len(destination_addr) > 20
            or 0 in destination_addr
        ):
            refuse(pdu)
        body = b"".join(
            (
                service_type,
                b"\0",
                message_id,
                _pack_x2b(pdu.source_addr_ton, pdu.source_addr_npi),
                source_addr,
                _pack_x2b(pdu.dest_addr_ton, pdu.dest_addr_npi),
                destination_addr,
                b"\0",
            )
        )
        if pdu.tlvs:
            body += write_tlvs(pdu.tlvs, "cancel_sm")
        return _header(16 + len(body), 0x00000008, pdu.command_status, pdu.sequence_number) + body
    except (struct.error, TypeError):
        refuse(pdu)


def decode_cancel_sm(octets: bytes) -> CancelSm:
    """Return the cancel_sm these octets are, its command_id taken for granted. Raises: PduError."""
    pdu = _new(CancelSm)
    try:
        length, _, pdu.command_status, pdu.sequence_number = _unpack_header(octets)
        index = octets.index
        end = index(b"\0", 16, 22)
        pdu.service_type = octets[16:end]
        at = end + 1
        end = index(b"\0", at, at + 65)
        pdu.message_id = octets[at:end]
        pdu.source_addr_ton = octets[end + 1]
        pdu.source_addr_npi = octets[end + 2]
        at = end + 3
        end = index(b"\0", at, at + 21)
        pdu.source_addr = octets[at:end]
        pdu.dest_addr_ton = octets[end + 1]
        pdu.dest_addr_npi = octets[end + 2]
        at = end + 3
        end = index(b"\0", at, at + 21)
        pdu.destination_addr = octets[at:end]
        if length != len(octets):
            return unreadable(CancelSm, octets)
        pdu.tlvs = () if length == end + 1 else read_tlvs(octets, end + 1, 0x00000008)
    except (ValueError, IndexError, struct.error, FieldError):
        return unreadable(CancelSm, octets)
    return pdu


@dataclass(slots=True, eq=False, repr=False)
class CancelSmResp(Pdu):
    """cancel_sm_resp"""

    command_id: ClassVar[int] = 0x80000008
    layout: ClassVar[tuple[Field, ...]] = ()

    tlvs: Sequence[Tlv] = ()
    _: KW_ONLY
    command_status: int = 0
    sequence_number: int = 0


def encode_cancel_sm_resp(pdu: CancelSmResp) -> bytes:
    """Return the octets of a cancel_sm_resp. Raises: EncodeError."""
    try:
        body = b""
        if pdu.tlvs:
            body += write_tlvs(pdu.tlvs, "cancel_sm_resp")
        return _header(16 + len(body), 0x80000008, pdu.command_status, pdu.sequence_number) + body
    except (struct.error, TypeError):
        refuse(pdu)


def decode_cancel_sm_resp(octets: bytes) -> CancelSmResp:
    """Return the cancel_sm_resp these octets are, its command_id taken for granted. Raises: PduError."""
    pdu = _new(CancelSmResp)
    try:
        length, _, pdu.command_status, pdu.sequence_number = _unpack_header(octets)
        if length != len(octets):
            return unreadable(CancelSmResp, octets)
        pdu.tlvs = () if length == 16 else read_tlvs(octets, 16, 0x80000008)
    except (ValueError, IndexError, struct.error, FieldError):
        return unreadable(CancelSmResp, octets)
    return pdu


@dataclass(slots=True, eq=False, repr=False)
class ReplaceSm(Pdu):
    """replace_sm"""

    command_id: ClassVar[int] = 0x00000007
    layout: ClassVar[tuple[Field, ...]] = (
        CString("message_id", 64, E.ESME_RINVMSGID),
        Integer("source_addr_ton", 1, E.ESME_RINVSRCTON),
        Integer("source_addr_npi", 1, E.ESME_RINVSRCNPI),
        CString("source_addr", 20, E.ESME_RINVSRCADR),
        Time("schedule_delivery_time", E.ESME_RINVSCHED, False),
        Time("validity_period", E.ESME_RINVEXPIRY, False),
        Integer("registered_delivery", 1, E.ESME_RINVREGDLVFLG),
        Integer("sm_default_msg_id", 1, E.ESME_RINVDFTMSGID),
        Octets("short_message", "sm_length", 254, E.ESME_RINVMSGLEN),
    )

    message_id: bytes = b""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: bytes = b""
    schedule_delivery_time: bytes = b""
    validity_period: bytes = b""
    registered_delivery: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""
    tlvs: Sequence[Tlv] = ()
    _: KW_ONLY
    command_status: int = 0
    sequence_number: int = 0


def encode_replace_sm(pdu: ReplaceSm) -> bytes:
    """Return the octets of a replace_sm. Raises: EncodeError."""
    try:
        message_id = pdu.message_id
        source_addr = pdu.source_addr
        schedule_delivery_time = pdu.schedule_delivery_time
        validity_period = pdu.validity_period
        short_message = pdu.short_message
        if (
            len(message_id) > 64
            or 0 in message_id
            or len(source_addr) > 20
            or 0 in source_addr
            or len(short_message) > 254
        ):
            refuse(pdu)
        if schedule_delivery_time != b"" or validity_period != b"":
            if (
                len(schedule_delivery_time) not in (0, 16)
                or 0 in schedule_delivery_time
                or len(validity_period) not in (0, 16)
                or 0 in validity_period
            ):
                refuse(pdu)
            timed = b"".join(
                (
                    b"\0",
                    schedule_delivery_time,
                    b"\0",
                    validity_period,
                    _pack_x3b(pdu.registered_delivery, pdu.sm_default_msg_id, len(short_message)),
                )
            )
        else:
            timed = _pack_x2x3b(pdu.registered_delivery, pdu.sm_default_msg_id, len(short_message))
        body = b"".join(
            (
                message_id,
                _pack_x2b(pdu.source_addr_ton, pdu.source_addr_npi),
                source_addr,
                timed,
                short_message,
            )
        )
        if pdu.tlvs:
            body += write_tlvs(pdu.tlvs, "replace_sm")
        return _header(16 + len(body), 0x00000007, pdu.command_status, pdu.sequence_number) + body
    except (struct.error, TypeError):
        refuse(pdu)


def decode_replace_sm(octets: bytes) -> ReplaceSm:
    """Return the replace_sm these octets are, its command_id taken for granted. Raises: PduError."""
    pdu = _new(ReplaceSm)
    try:
        length, _, pdu.command_status, pdu.sequence_number = _unpack_header(octets)
        index = octets.index
        end = index(b"\0", 16, 81)
        pdu.message_id = octets[16:end]
        pdu.source_addr_ton = octets[end + 1]
        pdu.source_addr_npi = octets[end + 2]
        at = end + 3
        end = index(b"\0", at, at + 21)
        pdu.source_addr = octets[at:end]
        (
            schedule_delivery_time_nul,
            validity_period_nul,
            pdu.registered_delivery,
            pdu.sm_default_msg_id,
            sm_length,
        ) = _unpack_5b(octets, end + 1)
        if schedule_delivery_time_nul or validity_period_nul:
            at = end + 1
            end = index(b"\0", at, at + 17)
            if end - at not in (0, 16):
                return unreadable(ReplaceSm, octets)
            pdu.schedule_delivery_time = octets[at:end]
            at = end + 1
            end = index(b"\0", at, at + 17)
            if end - at not in (0, 16):
                return unreadable(ReplaceSm, octets)
            pdu.validity_period = octets[at:end]
            (pdu.registered_delivery, pdu.sm_default_msg_id, sm_length) = _unpack_3b(octets, end + 1)
            at = end + 4
        else:
            pdu.schedule_delivery_time = pdu.validity_period = b""
            at = end + 6
        end = at + sm_length
        if end > length:
            return unreadable(ReplaceSm, octets)
        pdu.short_message = octets[at:end]
        if length != len(octets):
            return unreadable(ReplaceSm, octets)
        pdu.tlvs = () if length == end else read_tlvs(octets, end, 0x00000007)
    except (ValueError, IndexError, struct.error, FieldError):
        return unreadable(ReplaceSm, octets)
    return pdu


@dataclass(slots=True, eq=False, repr=False)
class ReplaceSmResp(Pdu):
    """replace_sm_resp"""

    command_id: ClassVar[int] = 0x80000007
    layout: ClassVar[tuple[Field, ...]] = ()

    tlvs: Sequence[Tlv] = ()
    _: KW_ONLY
    command_status: int = 0
    sequence_number: int = 0


def encode_replace_sm_resp(pdu: ReplaceSmResp) -> bytes:
    """Return the octets of a replace_sm_resp. Raises: EncodeError."""
    try:
        body = b""
        if pdu.tlvs:
            body += write_tlvs(pdu.tlvs, "replace_sm_resp")
        return _header(16 + len(body), 0x80000007, pdu.command_status, pdu.sequence_number) + body
    except (struct.error, TypeError):
        refuse(pdu)


def decode_replace_sm_resp(octets: bytes) -> ReplaceSmResp:
    """Return the replace_sm_resp these octets are, its command_id taken for granted. Raises: PduError."""
    pdu = _new(ReplaceSmResp)
    try:
        length, _, pdu.command_status, pdu.sequence_number = _unpack_header(octets)
        if length != len(octets):
            return unreadable(ReplaceSmResp, octets)
        pdu.tlvs = () if length == 16 else read_tlvs(octets, 16, 0x80000007)
    except (ValueError, IndexError, struct.error, FieldError):
        return unreadable(ReplaceSmResp, octets)
    return pdu


@dataclass(slots=True, eq=False, repr=False)
class AlertNotification(Pdu):
    """alert_notification"""

    command_id: ClassVar[int] = 0x00000102
    layout: ClassVar[tuple[Field, ...]] = (
        Integer("source_addr_ton", 1, E.ESME_RINVSRCTON),
        Integer("source_addr_npi", 1, E.ESME_RINVSRCNPI),
        CString("source_addr", 64, E.ESME_RINVSRCADR),
        Integer("esme_addr_ton", 1, E.ESME_RINVCMDLEN),
        Integer("esme_addr_npi", 1, E.ESME_RINVCMDLEN),
        CString("esme_addr", 64, E.ESME_RINVCMDLEN),
    )

    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: bytes = b""
    esme_addr_ton: int = 0
    esme_addr_npi: int = 0
    esme_addr: bytes = b""
    tlvs: Sequence[Tlv] = ()
    _: KW_ONLY
    command_status: int = 0
    sequence_number: int = 0


def encode_alert_notification(pdu: AlertNotification) -> bytes:
    """Return the octets of a alert_notification. Raises: EncodeError."""
    try:
        source_addr = pdu.source_addr
        esme_addr = pdu.esme_addr
        if len(source_addr) > 64 or 0 in source_addr or len(esme_addr) > 64 or 0 in esme_addr:
            refuse(pdu)
        body = b"".join(
            (
                _pack_2b(pdu.source_addr_ton, pdu.source_addr_npi),
                source_addr,
                _pack_x2b(pdu.esme_addr_ton, pdu.esme_addr_npi),
                esme_addr,
                b"\0",
            )
        )
        if pdu.tlvs:
            body += write_tlvs(pdu.tlvs, "alert_notification")
        return _header(16 + len(body), 0x00000102, pdu.command_status, pdu.sequence_number) + body
    except (struct.error, TypeError):
        refuse(pdu)


def decode_alert_notification(octets: bytes) -> AlertNotification:
    """Return the alert_notification these octets are, its command_id taken for granted. Raises: PduError."""
    pdu = _new(AlertNotification)
    try:
        length, _, pdu.command_status, pdu.sequence_number = _unpack_header(octets)
        index = octets.index
        pdu.source_addr_ton = octets[16]
        pdu.source_addr_npi = octets[17]
        end = index(b"\0", 18, 83)
        pdu.source_addr = octets[18:end]
        pdu.esme_addr_ton = octets[end + 1]
        pdu.esme_addr_npi = octets[end + 2]
        at = end + 3
        end = index(b"\0", at, at + 65)
        pdu.esme_addr = octets[at:end]
        if length != len(octets):
            return unreadable(AlertNotification, octets)
        pdu.tlvs = () if length == end + 1 else read_tlvs(octets, end + 1, 0x00000102)
    except (ValueError, IndexError, struct.error, FieldError):
        return unreadable(AlertNotification, octets)
    return pdu


@dataclass(slots=True, eq=False, repr=False)
class BroadcastSm(Pdu):
    """broadcast_sm"""

    command_id: ClassVar[int] = 0x00000111
    layout: ClassVar[tuple[Field, ...]] = (
        CString("service_type", 5, E.ESME_RINVSERTYP),
        Integer("source_addr_ton", 1, E.ESME_RINVSRCTON),
        Integer("source_addr_npi", 1, E.ESME_RINVSRCNPI),
        CString("source_addr", 20, E.ESME_RINVSRCADR),
        CString("message_id", 64, E.ESME_RINVMSGID),
        Integer("priority_flag", 1, E.ESME_RINVPRTFLG),
        Time("schedule_delivery_time", E.ESME_RINVSCHED, False),
        Time("validity_period", E.ESME_RINVEXPIRY, False),
        Integer("replace_if_present_flag", 1, E.ESME_RINVREPFLAG),
        Integer("data_coding", 1, E.ESME_RINVDCS),
        Integer("sm_default_msg_id", 1, E.ESME_RINVDFTMSGID),
    )

    service_type: bytes = b""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: bytes = b""
    message_id: bytes = b""
    priority_flag: int = 0
    schedule_delivery_time: bytes = b""
    validity_period: bytes = b""
    replace_if_present_flag: int = 0
    data_coding: int = 0
    sm_default_msg_id: int = 0
    tlvs: Sequence[Tlv] = ()
    _: KW_ONLY
    command_status: int = 0
    sequence_number: int = 0


def encode_broadcast_sm(pdu: BroadcastSm) -> bytes:
    """Return the octets of a broadcast_sm. Raises: EncodeError."""
    try:
        service_type = pdu.service_type
        source_addr = pdu.source_addr
        message_id = pdu.message_id
        schedule_delivery_time = pdu.schedule_delivery_time
        validity_period = pdu.validity_period
        if (
            len(service_type) > 5
            or 0 in service_type
            or len(source_addr) > 20
            or 0 in source_addr
            or len(message_id) > 64
            or 0 in message_id
        ):
            refuse(pdu)
        if schedule_delivery_time != b"" or validity_period != b"":
            if (
                len(schedule_delivery_time) not in (0, 16)
                or 0 in schedule_delivery_time
                or len(validity_period) not in (0, 16)
                or 0 in validity_period
            ):
                refuse(pdu)
            timed = b"".join(
                (
                    _pack_xb(pdu.priority_flag),
                    schedule_delivery_time,
                    b"\0",
                    validity_period,
                    _pack_x3b(pdu.replace_if_present_flag, pdu.data_coding, pdu.sm_default_msg_id),
                )
            )
        else:
            timed = _pack_xb2x3b(
                pdu.priority_flag,
                pdu.replace_if_present_flag,
                pdu.data_coding,
                pdu.sm_default_msg_id,
            )
        body = b"".join(
            (
                service_type,
                _pack_x2b(pdu.source_addr_ton, pdu.source_addr_npi),
                source_addr,
                b"\0",
                message_id,
                timed,
            )
        )
        if pdu.tlvs:
            body += write_tlvs(pdu.tlvs, "broadcast_sm")
        return _header(16 + len(body), 0x00000111, pdu.command_status, pdu.sequence_number) + body
    except (struct.error, TypeError):
        refuse(pdu)


def decode_broadcast_sm(octets: bytes) -> BroadcastSm:
    """Return the broadcast_sm these octets are, its command_id taken for granted. Raises: PduError."""
    pdu = _new(BroadcastSm)
    try:
        length, _, pdu.command_status, pdu.sequence_number = _unpack_header(octets)
        index = octets.index
        end = index(b"\0", 16, 22)
        pdu.service_type = octets[16:end]
        pdu.source_addr_ton = octets[end + 1]
        pdu.source_addr_npi = octets[end + 2]
        at = end + 3
        end = index(b"\0", at, at + 21)
        pdu.source_addr = octets[at:end]
        at = end + 1
        end = index(b"\0", at, at + 65)
        pdu.message_id = octets[at:end]
        (
            pdu.priority_flag,
            schedule_delivery_time_nul,
            validity_period_nul,
            pdu.replace_if_present_flag,
            pdu.data_coding,
            pdu.sm_default_msg_id,
        ) = _unpack_6b(octets, end + 1)
        if schedule_delivery_time_nul or validity_period_nul:
            at = end + 2
            end = index(b"\0", at, at + 17)
            if end - at not in (0, 16):
                return unreadable(BroadcastSm, octets)
            pdu.schedule_delivery_time = octets[at:end]
            at = end + 1
            end = index(b"\0", at, at + 17)
            if end - at not in (0, 16):
                return unreadable(BroadcastSm, octets)
            pdu.validity_period = octets[at:end]
            (
                pdu.replace_if_present_flag,
                pdu.data_coding,
                pdu.sm_default_msg_id,
            ) = _unpack_3b(octets, end + 1)
            at = end + 4
        else:
            pdu.schedule_delivery_time = pdu.validity_period = b""
            at = end + 7
        if length != len(octets):
            return unreadable(BroadcastSm, octets)
        pdu.tlvs = () if length == at else read_tlvs(octets, at, 0x00000111)
    except (ValueError, IndexError, struct.error, FieldError):
        return unreadable(BroadcastSm, octets)
    return pdu


@dataclass(slots=True, eq=False, repr=False)
class BroadcastSmResp(Pdu):
    """broadcast_sm_resp"""

    command_id: ClassVar[int] = 0x80000111
    layout: ClassVar[tuple[Field, ...]] = (CString("message_id", 64, E.ESME_RINVMSGID),)

    message_id: bytes = b""
    tlvs: Sequence[Tlv] = ()
    _: KW_ONLY
    command_status: int = 0
    sequence_number: int = 0


def encode_broadcast_sm_resp(pdu: BroadcastSmResp) -> bytes:
    """Return the octets of a broadcast_sm_resp. Raises: EncodeError."""
    try:
        if pdu.command_status and pdu.message_id == b"" and not pdu.tlvs:
            return _header(16, 0x80000111, pdu.command_status, pdu.sequence_number)
        message_id = pdu.message_id
        if len(message_id) > 64 or 0 in message_id:
            refuse(pdu)
        body = b"".join((message_id, b"\0"))
        if pdu.tlvs:
            body += write_tlvs(pdu.tlvs, "broadcast_sm_resp")
        return _header(16 + len(body), 0x80000111, pdu.command_status, pdu.sequence_number) + body
    except (struct.error, TypeError):
        refuse(pdu)


def decode_broadcast_sm_resp(octets: bytes) -> BroadcastSmResp:
    """Return the broadcast_sm_resp these octets are, its command_id taken for granted. Raises: PduError."""
    pdu = _new(BroadcastSmResp)
    try:
        length, _, pdu.command_status, pdu.sequence_number = _unpack_header(octets)
        index = octets.index
        end = index(b"\0", 16, 81)
        pdu.message_id = octets[16:end]
        if length != len(octets):
            return unreadable(BroadcastSmResp, octets)
        pdu.tlvs = () if length == end + 1 else read_tlvs(octets, end + 1, 0x80000111)
    except (ValueError, IndexError, struct.error, FieldError):
        return unreadable(BroadcastSmResp, octets)
    return pdu


@dataclass(slots=True, eq=False, repr=False)
class QueryBroadcastSm(Pdu):
    """query_broadcast_sm"""

    command_id: ClassVar[int] = 0x00000112
    layout: ClassVar[tuple[Field, ...]] = (
        CString("message_id", 64, E.ESME_RINVMSGID),
        Integer("source_addr_ton", 1, E.ESME_RINVSRCTON),
        Integer("source_addr_npi", 1, E.ESME_RINVSRCNPI),
        CString("source_addr", 20, E.ESME_RINVSRCADR),
    )

    message_id: bytes = b""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: bytes = b""
    tlvs: Sequence[Tlv] = ()
    _: KW_ONLY
    command_status: int = 0
    sequence_number: int = 0


def encode_query_broadcast_sm(pdu: QueryBroadcastSm) -> bytes:
    """Return the octets of a query_broadcast_sm. Raises: EncodeError."""
    try:
        message_id = pdu.message_id
        source_addr = pdu.source_addr
        if len(message_id) > 64 or 0 in message_id or len(source_addr) > 20 or 0 in source_addr:
            refuse(pdu)
        body = b"".join((message_id, _pack_x2b(pdu.source_addr_ton, pdu.source_addr_npi), source_addr, b"\0"))
        if pdu.tlvs:
            body += write_tlvs(pdu.tlvs, "query_broadcast_sm")
        return _header(16 + len(body), 0x00000112, pdu.command_status, pdu.sequence_number) + body
    except (struct.error, TypeError):
        refuse(pdu)


def decode_query_broadcast_sm(octets: bytes) -> QueryBroadcastSm:
    """Return the query_broadcast_sm these octets are, its command_id taken for granted. Raises: PduError."""
    pdu = _new(QueryBroadcastSm)
    try:
        length, _, pdu.command_status, pdu.sequence_number = _unpack_header(octets)
        index = octets.index
        end = index(b"\0", 16, 81)
        pdu.message_id = octets[16:end]
        pdu.source_addr_ton = octets[end + 1]
        pdu.source_addr_npi = octets[end + 2]
        at = end + 3
        end = index(b"\0", at, at + 21)
        pdu.source_addr = octets[at:end]
        if length != len(octets):
            return unreadable(QueryBroadcastSm, octets)
        pdu.tlvs = () if length == end + 1 else read_tlvs(octets, end + 1, 0x00000112)
    except (ValueError, IndexError, struct.error, FieldError):
        return unreadable(QueryBroadcastSm, octets)
    return pdu


@dataclass(slots=True, eq=False, repr=False)
class QueryBroadcastSmResp(Pdu):
    """query_broadcast_sm_resp"""

    command_id: ClassVar[int] = 0x80000112
    layout: ClassVar[tuple[Field, ...]] = (CString("message_id", 64, E.ESME_RINVMSGID),)

    message_id: bytes = b""
    tlvs: Sequence[Tlv] = ()
    _: KW_ONLY
    command_status: int = 0
    sequence_number: int = 0


def encode_query_broadcast_sm_resp(pdu: QueryBroadcastSmResp) -> bytes:
    """Return the octets of a query_broadcast_sm_resp. Raises: EncodeError."""
    try:
        if pdu.command_status and pdu.message_id == b"" and not pdu.tlvs:
            return _header(16, 0x80000112, pdu.command_status, pdu.sequence_number)
        message_id = pdu.message_id
        if len(message_id) > 64 or 0 in message_id:
            refuse(pdu)
        body = b"".join((message_id, b"\0"))
        if pdu.tlvs:
            body += write_tlvs(pdu.tlvs, "query_broadcast_sm_resp")
        return _header(16 + len(body), 0x80000112, pdu.command_status, pdu.sequence_number) + body
    except (struct.error, TypeError):
        refuse(pdu)


def decode_query_broadcast_sm_resp(octets: bytes) -> QueryBroadcastSmResp:
    """Return the query_broadcast_sm_resp these octets are, its command_id taken for granted. Raises: PduError."""
    pdu = _new(QueryBroadcastSmResp)
    try:
        length, _, pdu.command_status, pdu.sequence_number = _unpack_header(octets)
        index = octets.index
        end = index(b"\0", 16, 81)
        pdu.message_id = octets[16:end]
        if length != len(octets):
            return unreadable(QueryBroadcastSmResp, octets)
        pdu.tlvs = () if length == end + 1 else read_tlvs(octets, end + 1, 0x80000112)
    except (ValueError, IndexError, struct.error, FieldError):
        return unreadable(QueryBroadcastSmResp, octets)
    return pdu


@dataclass(slots=True, eq=False, repr=False)
class CancelBroadcastSm(Pdu):
    """cancel_broadcast_sm"""

    command_id: ClassVar[int] = 0x00000113
    layout: ClassVar[tuple[Field, ...]] = (
        CString("service_type", 5, E.ESME_RINVSERTYP),
        CString("message_id", 64, E.ESME_RINVMSGID),
        Integer("source_addr_ton", 1, E.ESME_RINVSRCTON),
        Integer("source_addr_npi", 1, E.ESME_RINVSRCNPI),
        CString("source_addr", 20, E.ESME_RINVSRCADR),
    )

    service_type: bytes = b""
    message_id: bytes = b""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: bytes = b""
    tlvs: Sequence[Tlv] = ()
    _: KW_ONLY
    command_status: int = 0
    sequence_number: int = 0


def encode_cancel_broadcast_sm(pdu: CancelBroadcastSm) -> bytes:
    """Return the octets of a cancel_broadcast_sm. Raises: EncodeError."""
    try:
        service_type = pdu.service_type
        message_id = pdu.message_id
        source_addr = pdu.source_addr
        if (
            len(service_type) > 5
            or 0 in service_type
            or len(message_id) > 64
            or 0 in message_id
            or len(source_addr) > 20
            or 0 in source_addr
        ):
            refuse(pdu)
        body = b"".join(
            (
                service_type,
                b"\0",
                message_id,
                _pack_x2b(pdu.source_addr_ton, pdu.source_addr_npi),
                source_addr,
                b"\0",
            )
        )
        if pdu.tlvs:
            body += write_tlvs(pdu.tlvs, "cancel_broadcast_sm")
        return _header(16 + len(body), 0x00000113, pdu.command_status, pdu.sequence_number) + body
    except (struct.error, TypeError):
        refuse(pdu)


def decode_cancel_broadcast_sm(octets: bytes) -> CancelBroadcastSm:
    """Return the cancel_broadcast_sm these octets are, its command_id taken for granted. Raises: PduError."""
    pdu = _new(CancelBroadcastSm)
    try:
        length, _, pdu.command_status, pdu.sequence_number = _unpack_header(octets)
        index = octets.index
        end = index(b"\0", 16, 22)
        pdu.service_type = octets[16:end]
        at = end + 1
        end = index(b"\0", at, at + 65)
        pdu.message_id = octets[at:end]
        pdu.source_addr_ton = octets[end + 1]
        pdu.source_addr_npi = octets[end + 2]
        at = end + 3
        end = index(b"\0", at, at + 21)
        pdu.source_addr = octets[at:end]
        if length != len(octets):
            return unreadable(CancelBroadcastSm, octets)
        pdu.tlvs = () if length == end + 1 else read_tlvs(octets, end + 1, 0x00000113)
    except (ValueError, IndexError, struct.error, FieldError):
        return unreadable(CancelBroadcastSm, octets)
    return pdu


@dataclass(slots=True, eq=False, repr=False)
class CancelBroadcastSmResp(Pdu):
    """cancel_broadcast_sm_resp"""

    command_id: ClassVar[int] = 0x80000113
    layout: ClassVar[tuple[Field, ...]] = ()

    tlvs: Sequence[Tlv] = ()
    _: KW_ONLY
    command_status: int = 0
    sequence_number: int = 0


def encode_cancel_broadcast_sm_resp(pdu: CancelBroadcastSmResp) -> bytes:
    """Return the octets of a cancel_broadcast_sm_resp. Raises: EncodeError."""
    try:
        body = b""
        if pdu.tlvs:
            body += write_tlvs(pdu.tlvs, "cancel_broadcast_sm_resp")
        return _header(16 + len(body), 0x80000113, pdu.command_status, pdu.sequence_number) + body
    except (struct.error, TypeError):
        refuse(pdu)


def decode_cancel_broadcast_sm_resp(octets: bytes) -> CancelBroadcastSmResp:
    """Return the cancel_broadcast_sm_resp these octets are, its command_id taken for granted. Raises: PduError."""
    pdu = _new(CancelBroadcastSmResp)
    try:
        length, _, pdu.command_status, pdu.sequence_number = _unpack_header(octets)
        if length != len(octets):
            return unreadable(CancelBroadcastSmResp, octets)
        pdu.tlvs = () if length == 16 else read_tlvs(octets, 16, 0x80000113)
    except (ValueError, IndexError, struct.error, FieldError):
        return unreadable(CancelBroadcastSmResp, octets)
    return pdu


CLASS_BY_ID: Final[Mapping[int, type[Pdu]]] = {
    0x00000002: BindTransmitter,
    0x80000002: BindTransmitterResp,
    0x00000001: BindReceiver,
    0x80000001: BindReceiverResp,
    0x00000009: BindTransceiver,
    0x80000009: BindTransceiverResp,
    0x0000000B: Outbind,
    0x00000006: Unbind,
    0x80000006: UnbindResp,
    0x80000000: GenericNack,
    0x00000015: EnquireLink,
    0x80000015: EnquireLinkResp,
    0x00000004: SubmitSm,
    0x80000004: SubmitSmResp,
    0x00000021: SubmitMulti,
    0x80000021: SubmitMultiResp,
    0x00000005: DeliverSm,
    0x80000005: DeliverSmResp,
    0x00000103: DataSm,
    0x80000103: DataSmResp,
    0x00000003: QuerySm,
    0x80000003: QuerySmResp,
    0x00000008: CancelSm,
    0x80000008: CancelSmResp,
    0x00000007: ReplaceSm,
    0x80000007: ReplaceSmResp,
    0x00000102: AlertNotification,
    0x00000111: BroadcastSm,
    0x80000111: BroadcastSmResp,
    0x00000112: QueryBroadcastSm,
    0x80000112: QueryBroadcastSmResp,
    0x00000113: CancelBroadcastSm,
    0x80000113: CancelBroadcastSmResp,
}

ENCODERS: Final[Mapping[int, Callable[[Any], bytes]]] = {
    0x00000002: encode_bind_transmitter,
    0x80000002: encode_bind_transmitter_resp,
    0x00000001: encode_bind_receiver,
    0x80000001: encode_bind_receiver_resp,
    0x00000009: encode_bind_transceiver,
    0x80000009: encode_bind_transceiver_resp,
    0x0000000B: encode_outbind,
    0x00000006: encode_unbind,
    0x80000006: encode_unbind_resp,
    0x80000000: encode_generic_nack,
    0x00000015: encode_enquire_link,
    0x80000015: encode_enquire_link_resp,
    0x00000004: encode_submit_sm,
    0x80000004: encode_submit_sm_resp,
    0x00000021: encode_submit_multi,
    0x80000021: encode_submit_multi_resp,
    0x00000005: encode_deliver_sm,
    0x80000005: encode_deliver_sm_resp,
    0x00000103: encode_data_sm,
    0x80000103: encode_data_sm_resp,
    0x00000003: encode_query_sm,
    0x80000003: encode_query_sm_resp,
    0x00000008: encode_cancel_sm,
    0x80000008: encode_cancel_sm_resp,
    0x00000007: encode_replace_sm,
    0x80000007: encode_replace_sm_resp,
    0x00000102: encode_alert_notification,
    0x00000111: encode_broadcast_sm,
    0x80000111: encode_broadcast_sm_resp,
    0x00000112: encode_query_broadcast_sm,
    0x80000112: encode_query_broadcast_sm_resp,
    0x00000113: encode_cancel_broadcast_sm,
    0x80000113: encode_cancel_broadcast_sm_resp,
}

DECODERS: Final[Mapping[int, Callable[[bytes], Pdu]]] = {
    0x00000002: decode_bind_transmitter,
    0x80000002: decode_bind_transmitter_resp,
    0x00000001: decode_bind_receiver,
    0x80000001: decode_bind_receiver_resp,
    0x00000009: decode_bind_transceiver,
    0x80000009: decode_bind_transceiver_resp,
    0x0000000B: decode_outbind,
    0x00000006: decode_unbind,
    0x80000006: decode_unbind_resp,
    0x80000000: decode_generic_nack,
    0x00000015: decode_enquire_link,
    0x80000015: decode_enquire_link_resp,
    0x00000004: decode_submit_sm,
    0x80000004: decode_submit_sm_resp,
    0x00000021: decode_submit_multi,
    0x80000021: decode_submit_multi_resp,
    0x00000005: decode_deliver_sm,
    0x80000005: decode_deliver_sm_resp,
    0x00000103: decode_data_sm,
    0x80000103: decode_data_sm_resp,
    0x00000003: decode_query_sm,
    0x80000003: decode_query_sm_resp,
    0x00000008: decode_cancel_sm,
    0x80000008: decode_cancel_sm_resp,
    0x00000007: decode_replace_sm,
    0x80000007: decode_replace_sm_resp,
    0x00000102: decode_alert_notification,
    0x00000111: decode_broadcast_sm,
    0x80000111: decode_broadcast_sm_resp,
    0x00000112: decode_query_broadcast_sm,
    0x80000112: decode_query_broadcast_sm_resp,
    0x00000113: decode_cancel_broadcast_sm,
    0x80000113: decode_cancel_broadcast_sm_resp,
}
