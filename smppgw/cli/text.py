"""`smppgw segments` and `smppgw receipt`: what becomes of a text, and what a receipt's text says."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from smppgw.cli.lines import STDIN, complain, given, one_line, say, say_json, table
from smppgw.errors import SmppgwError
from smppgw.pdu.receipt import Receipt, parse_receipt, receipt_class
from smppgw.pdu.segments import Segmented, segment_text
from smppgw.pdu.text import codec_of


def add_segments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `segments`."""
    _add_text(parser, "a text; -: one a line from stdin")
    parser.set_defaults(run=lambda args: _each(args, segment_text, _segments_object, _print_segments))


def add_receipt(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `receipt`."""
    _add_text(parser, "the text of a receipt; -: one a line from stdin")
    parser.set_defaults(run=lambda args: _each(args, _read_receipt, _receipt_object, _print_receipt))


class _NotAReceiptError(SmppgwError):
    def __str__(self) -> str:
        return "not the text of a delivery receipt: it has no id or stat beside another field"


def _add_text(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    parser.add_argument("text", metavar="TEXT", help=text)


def _each(
    args: argparse.Namespace,
    read: Callable[[str], Any],
    as_object: Callable[[Any], dict[str, Any]],
    print_for_people: Callable[[Any], None],
) -> int:
    """Read each text and print what it is; one that cannot be read fails the command, not the ones after it."""
    failed = 0
    for line, text in enumerate(given(args.text), 1):
        try:
            found = read(text)
        except SmppgwError as error:
            failed = 1
            if args.json:
                say_json({"error": str(error)})
            else:
                complain(f"line {line}: {error}" if args.text == STDIN else str(error))
            continue
        if args.json:
            say_json(as_object(found))
        else:
            print_for_people(found)
    return failed


def _segments_object(found: Segmented) -> dict[str, Any]:
    return {
        "data_coding": found.data_coding,
        "characters": found.characters,
        "octets": found.octets,
        "segments": found.segments,
        "parts": [part.hex() for part in found.parts],
    }


def _print_segments(found: Segmented) -> None:
    rows = [
        ("data_coding", f"{found.data_coding} ({codec_of(found.data_coding)})"),
        ("characters", str(found.characters)),
        ("octets", str(found.octets)),
        ("segments", str(found.segments)),
    ]
    rows += [(f"part {number}", part.hex()) for number, part in enumerate(found.parts, 1)]
    for line in table(rows):
        say(line)


def _read_receipt(text: str) -> Receipt:
    found = parse_receipt(text)
    if found is None:
        raise _NotAReceiptError
    return found


def _receipt_object(found: Receipt) -> dict[str, Any]:
    return {**found._asdict(), "class": receipt_class(found.stat)}


def _print_receipt(found: Receipt) -> None:
    for line in table([(name, one_line(value)) for name, value in _receipt_object(found).items()]):
        say(line)
