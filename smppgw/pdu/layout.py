"""What every PDU class has in common, and the table of its fields.

The generated classes carry their table as `layout`; the fast codec does not look at it. It serves what is
slow by nature: printing a PDU, comparing two, finding the field at fault (`smppgw.pdu.faults`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, NamedTuple

from smppgw.pdu.constants import CommandStatus, command_name, status_name
from smppgw.pdu.tlv import Tlv, name_of

_SHOWN_OCTETS = 24
"""Longer octet strings are cut in a repr, and their size is told instead."""


class Integer(NamedTuple):
    """An unsigned integer, big-endian."""

    name: str
    octets: int
    status: CommandStatus


class CString(NamedTuple):
    """A C-Octet String; `longest` counts its octets without the NUL."""

    name: str
    longest: int
    status: CommandStatus


class Time(NamedTuple):
    """A time: empty or 16 characters, and a NUL; a lenient one is read at any length up to that."""

    name: str
    status: CommandStatus
    lenient: bool


class Octets(NamedTuple):
    """Octets behind one octet that counts them; we send fewer than a peer may."""

    name: str
    counted_by: str
    most_sent: int
    status: CommandStatus


class Item(NamedTuple):
    """One kind of item of a list; `flag` is the octet before it that tells the kinds apart."""

    type: type[Any]
    flag: int | None
    fields: tuple[Integer | CString, ...]


class Items(NamedTuple):
    """Items behind one octet that counts them; `flag` names the octet before each, with its status."""

    name: str
    counted_by: str
    fewest: int
    most_sent: int
    status: CommandStatus
    flag: str | None
    flag_status: CommandStatus
    kinds: tuple[Item, ...]


Field = Integer | CString | Time | Octets | Items


class Pdu:
    """One PDU: its fields under the specification's names, octets as bytes, numbers as int."""

    __slots__ = ()

    command_id: ClassVar[int]
    layout: ClassVar[tuple[Field, ...]]
    body_optional: ClassVar[bool] = False
    """A header alone is accepted with ESME_ROK as well."""

    command_status: int
    sequence_number: int
    tlvs: Sequence[Tlv]

    def fields(self) -> Iterator[tuple[str, Any]]:
        """Yield the name and value of each mandatory field in wire order, without the derived counts."""
        for field in self.layout:
            yield field.name, getattr(self, field.name)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Pdu) or type(self) is not type(other):
            return NotImplemented
        return (
            self.sequence_number == other.sequence_number
            and self.command_status == other.command_status
            and list(self.tlvs) == list(other.tlvs)
            and all(
                _same(mine, theirs)
                for (_, mine), (_, theirs) in zip(self.fields(), other.fields(), strict=True)
            )
        )

    __hash__ = None  # type: ignore[assignment]  # fields can be set

    def __repr__(self) -> str:
        """Return one line for a person: only what is set, long octets shortened, never a password."""
        parts = [
            f"{command_name(self.command_id)} #{self.sequence_number} {status_name(self.command_status)}"
        ]
        parts += [f"{name}={_shown(name, value)}" for name, value in self.fields() if value]
        parts += [f"{name_of(tag)}={_shown('tlv', value)}" for tag, value in self.tlvs]
        return f"<{' '.join(parts)}>"


def _same(mine: Any, theirs: Any) -> bool:
    if isinstance(mine, list | tuple) and isinstance(theirs, list | tuple):
        return list(mine) == list(theirs)
    return bool(mine == theirs)


def _shown(name: str, value: Any) -> str:
    if name == "password":
        return "withheld"
    if isinstance(value, bytes):
        if len(value) > _SHOWN_OCTETS:
            return f"{value[:_SHOWN_OCTETS]!r}... ({len(value)} octets)"
        return repr(value)
    if isinstance(value, list | tuple):
        return f"{len(value)} items"
    return repr(value)
