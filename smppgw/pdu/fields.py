"""Field kinds for construct, and the command they make up.

This is the codec in its plainest form: slow, and what the generated one is held equal to. Each kind keeps its
bounds as attributes; `smppgw.pdu.codegen` reads them. Sizes are octets; a C-Octet String's count its NUL.

Faults are construct errors with the field's path; `Command` turns them into `FieldError` and `EncodeError`.
"""

# ruff: noqa: ARG002 - the signatures of _parse and _build are construct's

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from construct import (
    Construct,
    ConstructError,
    Container,
    FormatFieldError,
    Int8ub,
    Int16ub,
    Int32ub,
    ListContainer,
    Renamed,
    StreamError,
    Struct,
    Subconstruct,
    stream_read,
    stream_read_entire,
    stream_write,
)

from smppgw.pdu.constants import RESPONSE_BIT, CommandId, CommandStatus, command_name
from smppgw.pdu.errors import EncodeError, FieldError, FrameLengthError, TlvError
from smppgw.pdu.tlv import TLVS, name_of

Named: TypeAlias = Renamed
"""A field kind under its name: `name`, `subcon`."""

RINVCMDLEN: Final = CommandStatus.ESME_RINVCMDLEN
TIME_OCTETS: Final = 17
HEADER: Final = Struct(
    "command_length" / Int32ub,
    "command_id" / Int32ub,
    "command_status" / Int32ub,
    "sequence_number" / Int32ub,
)


class FieldBoundsError(ConstructError):  # type: ignore[misc]  # construct is untyped
    """A field at fault: `status` is what a peer is told, `value` and `allowed` what our own side is."""

    def __init__(
        self, path: str, status: CommandStatus, allowed: str, value: object = None, *, is_tlv: bool = False
    ) -> None:
        super().__init__(allowed, path=path)
        self.field = path.partition(" -> ")[2].replace(" -> ", ".")
        self.status = status
        self.allowed = allowed
        self.value = value
        self.is_tlv = is_tlv


class Integer(Subconstruct):  # type: ignore[misc]
    """An unsigned integer, big-endian."""

    def __init__(self, octets: int, status: CommandStatus = RINVCMDLEN) -> None:
        super().__init__({1: Int8ub, 2: Int16ub, 4: Int32ub}[octets])
        self.octets = octets
        self.status = status

    def _parse(self, stream: Any, context: Any, path: str) -> int:
        try:
            value: int = self.subcon._parsereport(stream, context, path)
        except StreamError:
            raise FieldBoundsError(path, self.status, f"{self.octets} octets") from None
        return value

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        try:
            return self.subcon._build(obj, stream, context, path)
        except FormatFieldError:
            raise FieldBoundsError(path, self.status, f"{self.octets} octets", obj) from None


def Int1(status: CommandStatus = RINVCMDLEN) -> Integer:  # noqa: N802 - a kind, like construct's own
    """Return the kind of a one-octet integer."""
    return Integer(1, status)


class COctetString(Construct):  # type: ignore[misc]
    """A C-Octet String: at most `bound` octets with its NUL."""

    def __init__(self, bound: int, status: CommandStatus = RINVCMDLEN) -> None:
        super().__init__()
        self.bound = bound
        self.status = status

    def _parse(self, stream: Any, context: Any, path: str) -> bytes:
        value = b""
        for _ in range(self.bound):
            try:
                octet: bytes = stream_read(stream, 1, path)
            except StreamError:
                break
            if octet == b"\0":
                return value
            value += octet
        raise FieldBoundsError(path, self.status, f"a NUL within {self.bound} octets", value)

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        if not isinstance(obj, bytes) or 0 in obj or len(obj) >= self.bound:
            raise FieldBoundsError(path, self.status, f"{self.bound - 1} octets without a NUL", obj)
        stream_write(stream, obj + b"\0", len(obj) + 1, path)
        return obj


class Time(COctetString):
    """A time: 1 or 17 octets (SMPP v3.4 section 7.1.1); a lenient one is read at any size up to 17."""

    def __init__(self, status: CommandStatus = RINVCMDLEN, *, lenient: bool = False) -> None:
        super().__init__(TIME_OCTETS, status)
        self.lenient = lenient

    def _parse(self, stream: Any, context: Any, path: str) -> bytes:
        value = super()._parse(stream, context, path)
        if not self.lenient:
            self._require_size(value, path)
        return value

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        super()._build(obj, stream, context, path)
        self._require_size(obj, path)
        return obj

    def _require_size(self, value: bytes, path: str) -> None:
        if len(value) not in (0, TIME_OCTETS - 1):
            raise FieldBoundsError(path, self.status, f"1 or {TIME_OCTETS} octets", value)


class CountedOctets(Construct):  # type: ignore[misc]
    """Octets behind one octet that counts them; up to 255 are read, up to `most_sent` written."""

    def __init__(self, count: str, most_sent: int, status: CommandStatus) -> None:
        super().__init__()
        self.count = Renamed(Integer(1, status), newname=count)
        self.most_sent = most_sent
        self.status = status

    def _parse(self, stream: Any, context: Any, path: str) -> bytes:
        size = self.count._parsereport(stream, context, path.rpartition(" -> ")[0])
        try:
            value: bytes = stream_read(stream, size, path)
        except StreamError:
            raise FieldBoundsError(path, self.status, f"{size} octets") from None
        return value

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        if not isinstance(obj, bytes) or len(obj) > self.most_sent:
            raise FieldBoundsError(path, self.status, f"{self.most_sent} octets", obj)
        stream_write(stream, bytes((len(obj),)) + obj, len(obj) + 1, path)
        return obj


class Flagged(Construct):  # type: ignore[misc]
    """One of several Structs, told apart by the octet `flag` before it; the value keeps the flag."""

    def __init__(self, flag: str, status: CommandStatus, kinds: Mapping[int, Named]) -> None:
        super().__init__()
        self.flag = flag
        self.status = status
        self.kinds = kinds

    def _parse(self, stream: Any, context: Any, path: str) -> Container:
        flag_path = f"{path} -> {self.flag}"
        flag = Integer(1, self.status)._parse(stream, context, flag_path)
        if flag not in self.kinds:
            raise FieldBoundsError(flag_path, self.status, f"one of {list(self.kinds)}", flag)
        return Container({self.flag: flag}, **self.kinds[flag].subcon._parsereport(stream, context, path))

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        if not isinstance(obj, Mapping) or obj.get(self.flag) not in self.kinds:
            raise FieldBoundsError(path, self.status, f"one of {list(self.kinds)}", obj)
        stream_write(stream, bytes((obj[self.flag],)), 1, path)
        return self.kinds[obj[self.flag]].subcon._build(obj, stream, context, path)


class CountedItems(Construct):  # type: ignore[misc]
    """Items behind one octet that counts them: `fewest` to 255 are read, up to `most_sent` written."""

    def __init__(
        self, count: str, fewest: int, most_sent: int, status: CommandStatus, item: Construct
    ) -> None:
        super().__init__()
        self.count = Renamed(Integer(1, status), newname=count)
        self.fewest = fewest
        self.most_sent = most_sent
        self.status = status
        self.item = item
        self._item_body = (
            item.subcon if isinstance(item, Renamed) else item
        )  # its own name is not in the path

    def _parse(self, stream: Any, context: Any, path: str) -> ListContainer:
        body = path.rpartition(" -> ")[0]
        count = self.count._parsereport(stream, context, body)
        if count < self.fewest:
            raise FieldBoundsError(
                f"{body} -> {self.count.name}", self.status, f"{self.fewest} to 255", count
            )
        return ListContainer(
            self._item_body._parsereport(stream, context, f"{path}[{number}]") for number in range(count)
        )

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        if not self.fewest <= len(obj) <= self.most_sent:
            raise FieldBoundsError(path, self.status, f"{self.fewest} to {self.most_sent} items", obj)
        stream_write(stream, bytes((len(obj),)), 1, path)
        for number, item in enumerate(obj):
            self._item_body._build(item, stream, context, f"{path}[{number}]")
        return obj


class Tlvs(Construct):  # type: ignore[misc]
    """Optional parameters to the end of the PDU, verbatim; one NUL behind the last is ignored."""

    def _parse(self, stream: Any, context: Any, path: str) -> ListContainer:
        rest = stream_read_entire(stream, path)
        tlvs = ListContainer()
        while len(rest) >= 4:
            tag, size = Int16ub.parse(rest), Int16ub.parse(rest[2:])
            value, rest = rest[4 : 4 + size], rest[4 + size :]
            named = f" -> {name_of(tag)}"
            if len(value) < size:
                raise FieldBoundsError(named, CommandStatus.ESME_RINVTLVSTREAM, f"{size} octets", is_tlv=True)
            if tag in TLVS and size not in TLVS[tag].accepted:
                raise FieldBoundsError(
                    named, CommandStatus.ESME_RINVTLVLEN, f"{TLVS[tag].accepted}", is_tlv=True
                )
            tlvs.append((tag, value))
        if rest not in (b"", b"\0"):
            raise FieldBoundsError(path, CommandStatus.ESME_RINVTLVSTREAM, "whole TLVs", rest, is_tlv=True)
        return tlvs

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        for number, (tag, value) in enumerate(obj):
            try:
                octets = Int16ub.build(tag) + Int16ub.build(len(value)) + value
            except (FormatFieldError, TypeError):
                raise FieldBoundsError(f"{path}[{number}]", RINVCMDLEN, "a TLV", (tag, value)) from None
            if tag in TLVS and len(value) not in TLVS[tag].accepted:
                raise FieldBoundsError(
                    f"{path}[{number}] -> {name_of(tag)}", RINVCMDLEN, f"{TLVS[tag].accepted}", value
                )
            stream_write(stream, octets, len(octets), path)
        return obj


class Command:
    """A declared command: its fields in wire order, `tlvs` behind them, and the header before them."""

    def __init__(self, command_id: CommandId, *fields: Renamed, body_optional: bool = False) -> None:
        self.command_id = command_id
        self.fields = fields
        self.body_optional = body_optional
        self._body = Struct(*fields, "tlvs" / Tlvs())

    @property
    def name(self) -> str:
        """The specification's name."""
        return command_name(self.command_id)

    def parse(self, octets: bytes) -> Container:
        """Return the fields of one PDU, `tlvs`, command_status and sequence_number. Raises: PduError.

        The fields are missing where a body that can not be read need not be: in a response that reports an
        error, in a command without mandatory fields, and where the command declares its body optional.
        """
        header = HEADER.parse(octets) if len(octets) >= HEADER.sizeof() else None
        if header is None or header.command_length != len(octets):
            raise FrameLengthError(int.from_bytes(octets[:4], "big"), len(octets))
        body = octets[HEADER.sizeof() :]
        try:
            values = self._body.parse(body)
        except FieldBoundsError as fault:
            is_error = self.command_id & RESPONSE_BIT and header.command_status
            if self.fields and not is_error and (body or not self.body_optional):
                kind = TlvError if fault.is_tlv else FieldError
                raise kind(self.command_id, fault.field, fault.allowed, fault.status) from None
            values = Container(tlvs=[])
        values.update({name: header[name] for name in ("command_status", "sequence_number")})
        return values

    def build(self, values: Mapping[str, Any]) -> bytes:
        """Return the octets of one PDU. Raises: EncodeError."""
        names = [field.name for field in self.fields]
        header_only = (
            self.command_id & RESPONSE_BIT
            and values["command_status"]
            and not values["tlvs"]
            and all(values[field.name] in _nothing(field) for field in self.fields)
        )
        try:
            body = b"" if header_only else self._body.build({name: values[name] for name in (*names, "tlvs")})
            rest = b"".join(
                Renamed(Integer(4), newname=name).build(values[name])
                for name in ("command_status", "sequence_number")
            )
        except FieldBoundsError as fault:
            raise EncodeError(self.name, fault.field, fault.value, fault.allowed) from None
        octets: bytes = (
            Int32ub.build(HEADER.sizeof() + len(body)) + Int32ub.build(self.command_id) + rest + body
        )
        return octets


def _nothing(field: Named) -> tuple[object, ...]:
    """What a field holds that says nothing."""
    if isinstance(field.subcon, CountedItems):
        return ((), [])
    return (0,) if isinstance(field.subcon, Integer) else (b"",)
