"""`smppgw decode`: print a PDU field by field."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from smppgw.cli.lines import STDIN, complain, given, one_line, say, say_json
from smppgw.cli.meanings import meaning_of
from smppgw.errors import SmppgwError
from smppgw.pdu.codec import decode, encode
from smppgw.pdu.constants import EsmClass, command_name, status_name
from smppgw.pdu.errors import PduError
from smppgw.pdu.layout import Integer, Items, Octets, Pdu
from smppgw.pdu.text import decode_text
from smppgw.pdu.tlv import TLVS, Tlv, tlv_value
from smppgw.pdu.udh import parse_udh

_BETWEEN_DIGITS: Final = re.compile(r"0[xX]|[\s:]+")
_INDENT: Final = "  "


def add_decode(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `decode`."""
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    parser.add_argument(
        "hex",
        metavar="HEX",
        help="one whole PDU in hexadecimal, with spaces, colons and 0x or without; -: one a line from stdin",
    )
    parser.set_defaults(run=_run)


class NotHexError(SmppgwError):
    """Text that is no hexadecimal number of whole octets."""

    def __str__(self) -> str:
        return "not hexadecimal digits, two for each octet"


class Row(NamedTuple):
    """One line for a person."""

    field: str
    value: str
    meaning: str = ""


def _run(args: argparse.Namespace) -> int:
    failed = 0
    for line, text in enumerate(given(args.hex), 1):
        try:
            frame = _octets(text)
            pdu = decode(frame)
        except (PduError, NotHexError) as error:
            failed = 1
            _print_error(error, as_json=args.json, where=f"line {line}: " if args.hex == STDIN else "")
            continue
        if args.json:
            say_json(as_object(pdu, frame))
        else:
            if line > 1:
                say("")
            _print_rows([*rows(pdu, frame)])
    return failed


def _print_rows(shown: list[Row]) -> None:
    field = max(len(row.field) for row in shown)
    value = max(len(row.value) for row in shown if row.meaning)  # long ones have none
    for row in shown:
        say(f"{row.field:{field}}  {row.value:{value}}  {row.meaning}".rstrip())


def _octets(text: str) -> bytes:
    digits = _BETWEEN_DIGITS.sub("", text)
    try:
        return bytes.fromhex(digits)
    except ValueError:
        raise NotHexError from None


def _print_error(error: PduError | NotHexError, *, as_json: bool, where: str) -> None:
    status = error.command_status.name if isinstance(error, PduError) else None
    if as_json:
        field = error.field if isinstance(error, PduError) else None
        say_json({"error": str(error), "command_status": status, "field": field})
    else:
        complain(f"{where}{error}" + (f" ({status})" if status else ""))


def as_object(pdu: Pdu, frame: bytes) -> dict[str, Any]:
    """Return a PDU as JSON shows it: C-Octet Strings as text, octets as hexadecimal."""
    return {
        "command": command_name(pdu.command_id),
        "command_status": status_name(pdu.command_status),
        "sequence_number": pdu.sequence_number,
        "fields": dict(_fields(pdu)) if _has_body(pdu, frame) else {},
        "tlvs": [
            {
                "tag": f"0x{tag:04X}",
                "name": TLVS[tag].name if tag in TLVS else None,
                "value": _typed((tag, value)),
            }
            for tag, value in pdu.tlvs
        ],
    }


def _fields(pdu: Pdu) -> Iterator[tuple[str, Any]]:
    """Yield every field in wire order, with the octets that count others."""
    for field in pdu.layout:
        value = getattr(pdu, field.name)
        if isinstance(field, Octets):
            yield field.counted_by, len(value)
            yield field.name, value.hex()
        elif isinstance(field, Items):
            yield field.counted_by, len(value)
            yield field.name, [_item(field, item) for item in value]
        elif isinstance(field, Integer):
            yield field.name, value
        else:
            yield field.name, value.decode("latin-1")


def _item(items: Items, item: Any) -> dict[str, Any]:
    kind = next(kind for kind in items.kinds if type(item) is kind.type)
    shown: dict[str, Any] = {} if items.flag is None else {items.flag: kind.flag}
    for name, value in item._asdict().items():
        shown[name] = value.decode("latin-1") if isinstance(value, bytes) else value
    return shown


def _typed(tlv: Tlv) -> int | str:
    value = tlv_value([tlv], tlv[0])
    if isinstance(value, int):
        return value
    known = TLVS.get(tlv[0])
    octets = value or b""
    return octets.decode("latin-1") if known is not None and known.kind == "coctet" else octets.hex()


def _has_body(pdu: Pdu, frame: bytes) -> bool:
    """Say whether the mandatory fields were read from the frame.

    A response with an error may come without them, or with a body that need not be read; then they have their
    defaults.
    """
    made: type[Any] = type(pdu)
    if pdu != made(command_status=pdu.command_status, sequence_number=pdu.sequence_number):
        return True
    return len(frame) - len(encode(made())) in (0, 1)  # one stray NUL at the end is let pass


def rows(pdu: Pdu, frame: bytes) -> Iterator[Row]:
    """Yield a PDU field by field, for a person."""
    yield Row("command_length", str(len(frame)))
    yield Row("command_id", f"0x{pdu.command_id:08X}", f"({command_name(pdu.command_id)})")
    yield Row("command_status", f"0x{pdu.command_status:08X}", f"({status_name(pdu.command_status)})")
    yield Row("sequence_number", str(pdu.sequence_number))
    if _has_body(pdu, frame):
        for name, value in _fields(pdu):
            yield from _rows_of_field(pdu, name, value)
    else:
        yield Row("body", "not there, or not to be read")
    for tag, octets in pdu.tlvs:
        yield from _rows_of_tlv(pdu, tag, octets)


def _rows_of_field(pdu: Pdu, name: str, value: Any) -> Iterator[Row]:
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield Row(f"{name}[{number}]", "")
            for inner, inner_value in item.items():
                yield Row(f"{_INDENT}{inner}", *_shown(inner, inner_value))
    elif name == "short_message":
        yield from _rows_of_message(name, bytes.fromhex(value), pdu)
    else:
        yield Row(name, *_shown(name, value))


def _rows_of_tlv(pdu: Pdu, tag: int, octets: bytes) -> Iterator[Row]:
    known = TLVS.get(tag)
    label = f"0x{tag:04X} {known.name if known else 'unknown'}"
    if known is not None and known.name == "message_payload":
        yield from _rows_of_message(label, octets, pdu)
    elif known is None or known.kind == "octet":
        yield Row(label, octets.hex())
    else:
        yield Row(label, *_shown(known.name, _typed((tag, octets))))


def _rows_of_message(label: str, octets: bytes, pdu: Pdu) -> Iterator[Row]:
    """Yield the octets of a message, what its user data header says, and its text."""
    yield Row(label, octets.hex())
    text = octets
    if getattr(pdu, "esm_class", 0) & EsmClass.UDHI:
        try:
            header = parse_udh(octets)
        except PduError as error:
            yield Row(f"{_INDENT}user data header", f"({error})")
        else:
            text = octets[header.octets :]
            yield Row(f"{_INDENT}user data header", octets[: header.octets].hex())
            if (part := header.concatenation) is not None:
                yield Row(
                    f"{_INDENT}concatenation",
                    f"part {part.number} of {part.total}, reference {part.reference}",
                )
            if (ports := header.ports) is not None:
                yield Row(
                    f"{_INDENT}ports", f"destination {ports.destination}, originator {ports.originator}"
                )
    if text:
        decoded = decode_text(text, getattr(pdu, "data_coding", 0))
        yield Row(f"{_INDENT}text", f'"{one_line(decoded)}"')


def _shown(name: str, value: int | str) -> tuple[str, str]:
    if isinstance(value, str):
        return f'"{one_line(value)}"', ""
    meaning = meaning_of(name, value)
    return str(value), f"({meaning})" if meaning else ""
