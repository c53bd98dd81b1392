"""Find the field at fault, once the fast codec has found that there is one.

Walks the layout of a PDU class field by field, slowly and with words.
"""

from __future__ import annotations

from operator import index
from typing import Any, NoReturn, TypeVar

from smppgw.pdu.constants import HEADER_OCTETS, RESPONSE_BIT, CommandStatus, command_name
from smppgw.pdu.errors import EncodeError, FieldError, FrameLengthError, PduError
from smppgw.pdu.layout import CString, Field, Integer, Item, Items, Octets, Pdu, Time
from smppgw.pdu.tlv import read_tlvs, write_tlvs

P = TypeVar("P", bound=Pdu)

_TIME_OCTETS = 17


def unreadable(pdu_class: type[P], octets: bytes) -> P:
    """Raise the PduError of octets that the fast path could not read.

    Some bodies need not be read, and give a PDU with defaults instead: that of a response which reports an
    error (SMPP v3.4 section 4.4.2 sends none, real peers send anything), that of a command without mandatory
    fields, and the one left out of a deliver_sm_resp.
    """
    try:
        _Reader(pdu_class.command_id, octets).read(pdu_class.layout)
    except FieldError:
        command_status = int.from_bytes(octets[8:12], "big")
        is_error = pdu_class.command_id & RESPONSE_BIT and command_status
        is_header = pdu_class.body_optional and len(octets) == HEADER_OCTETS
        if pdu_class.layout and not is_error and not is_header:
            raise
        pdu = pdu_class()
        pdu.command_status = command_status
        pdu.sequence_number = int.from_bytes(octets[12:16], "big")
        return pdu
    raise PduError(
        f"{command_name(pdu_class.command_id)} cannot be read"
    )  # pragma: no cover - the two readers agree


def length_fault(octets: bytes) -> FrameLengthError | None:
    """Return the error of octets that are not exactly the one PDU their command_length says."""
    command_length = int.from_bytes(octets[:4], "big")
    if len(octets) >= HEADER_OCTETS and command_length == len(octets):
        return None
    sequence_number = int.from_bytes(octets[12:16], "big") if len(octets) >= HEADER_OCTETS else 0
    return FrameLengthError(command_length, len(octets), sequence_number)


class _Reader:
    """Walks the octets of one PDU up to the first fault."""

    def __init__(self, command_id: int, octets: bytes) -> None:
        self.command_id = command_id
        self.octets = octets
        self.at = HEADER_OCTETS

    def read(self, layout: tuple[Field, ...]) -> None:
        fault = length_fault(self.octets)
        if fault is not None:
            raise fault
        for field in layout:
            self._field(field, field.name)
        read_tlvs(self.octets, self.at, self.command_id)

    def _fail(self, field: str, reason: str, status: CommandStatus) -> NoReturn:
        raise FieldError(self.command_id, field, f"{reason} (octet {self.at})", status)

    def _octets(self, size: int, field: str, status: CommandStatus) -> bytes:
        value = self.octets[self.at : self.at + size]
        if len(value) < size:
            self._fail(field, f"needs {size} octets, {len(value)} are left", status)
        self.at += size
        return value

    def _field(self, field: Field, name: str) -> None:
        if isinstance(field, Integer):
            self._octets(field.octets, name, field.status)
        elif isinstance(field, CString):
            self._c_string(name, field.longest + 1, field.status)
        elif isinstance(field, Time):
            size = self._c_string(name, _TIME_OCTETS, field.status)
            if size not in (1, _TIME_OCTETS) and not field.lenient:
                self._fail(name, f"has {size} octets; allowed: 1 or {_TIME_OCTETS}", field.status)
        elif isinstance(field, Octets):
            size = self._octets(1, field.counted_by, field.status)[0]
            self._octets(size, name, field.status)
        else:
            self._items(field)

    def _c_string(self, name: str, bound: int, status: CommandStatus) -> int:
        end = self.octets.find(b"\0", self.at, self.at + bound)
        if end < 0:
            self._fail(name, f"has no NUL within {bound} octets", status)
        size = end + 1 - self.at
        self.at = end + 1
        return size

    def _items(self, items: Items) -> None:
        count = self._octets(1, items.counted_by, items.status)[0]
        if count < items.fewest:
            self._fail(items.counted_by, f"is {count}; allowed: {items.fewest} to 255", items.status)
        for number in range(count):
            path = f"{items.name}[{number}]"
            kind = items.kinds[0] if items.flag is None else self._kind(items, f"{path}.{items.flag}")
            for field in kind.fields:
                self._field(field, f"{path}.{field.name}")

    def _kind(self, items: Items, path: str) -> Item:
        flag = self._octets(1, path, items.flag_status)[0]
        kinds = {kind.flag: kind for kind in items.kinds}
        if flag not in kinds:
            self._fail(path, f"is {flag}; allowed: {' or '.join(map(str, kinds))}", items.flag_status)
        return kinds[flag]


def refuse(pdu: Pdu) -> NoReturn:
    """Raise the EncodeError of a PDU that the fast path could not encode."""
    command = command_name(pdu.command_id)
    for field in pdu.layout:
        _check(command, field, getattr(pdu, field.name), field.name)
    if not isinstance(pdu.tlvs, list | tuple):
        raise EncodeError(command, "tlvs", pdu.tlvs, "a sequence of (tag, value)")
    write_tlvs(pdu.tlvs, command)
    for name in ("command_status", "sequence_number"):
        _check_integer(command, name, getattr(pdu, name), 4)
    raise EncodeError(command, "pdu", pdu, "what encode takes")  # pragma: no cover - the two sides agree


def _check(command: str, field: Field, value: Any, name: str) -> None:
    if isinstance(field, Integer):
        _check_integer(command, name, value, field.octets)
    elif isinstance(field, Items):
        _check_items(command, field, value)
    elif isinstance(field, Octets):
        if not isinstance(value, bytes) or len(value) > field.most_sent:
            raise EncodeError(command, name, value, f"bytes, 0 to {field.most_sent} octets")
    elif isinstance(field, Time):
        if not isinstance(value, bytes) or 0 in value or len(value) not in (0, _TIME_OCTETS - 1):
            raise EncodeError(command, name, value, "bytes, 0 or 16 octets without a NUL")
    elif not isinstance(value, bytes) or 0 in value or len(value) > field.longest:
        raise EncodeError(command, name, value, f"bytes, 0 to {field.longest} octets without a NUL")


def _check_integer(command: str, name: str, value: Any, octets: int) -> None:
    most = (1 << 8 * octets) - 1
    try:
        fits = 0 <= index(value) <= most
    except TypeError:
        fits = False
    if not fits:
        raise EncodeError(command, name, value, f"an int of 0 to {most}")


def _check_items(command: str, items: Items, value: Any) -> None:
    if not isinstance(value, list | tuple) or not items.fewest <= len(value) <= items.most_sent:
        raise EncodeError(command, items.name, value, f"{items.fewest} to {items.most_sent} items")
    for number, item in enumerate(value):
        path = f"{items.name}[{number}]"
        kind = next((kind for kind in items.kinds if isinstance(item, kind.type)), None)
        if kind is None:
            allowed = " or ".join(kind.type.__name__ for kind in items.kinds)
            raise EncodeError(command, path, item, f"a {allowed}")
        for field in kind.fields:
            _check(command, field, getattr(item, field.name), f"{path}.{field.name}")
