"""`smppgw segments` and `smppgw receipt`: what becomes of a text, and what a receipt's text says."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from smppgw.cli.lines import STDIN, complain, given, one_line, say, say_json, table
from smppgw.config import load_profile
from smppgw.error_classes import Meanings, words
from smppgw.errors import SmppgwError
from smppgw.pdu.receipt import Receipt, guess_receipt, parse_receipt
from smppgw.pdu.segments import Segmented, segment_text
from smppgw.pdu.text import codec_of


def add_segments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `segments`."""
    _add_text(parser, "a text; -: one a line from stdin")
    parser.set_defaults(run=lambda args: _each(args, segment_text, _segments_object, _print_segments))


def add_receipt(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `receipt`."""
    _add_text(parser, "the text of a receipt; -: one a line from stdin")
    parser.add_argument(
        "--profile",
        type=Path,
        metavar="FILE",
        help="what the carrier's errors mean, as of [[carrier]] profile",
    )
    parser.set_defaults(run=_run_receipt)


class _Read(NamedTuple):
    """A receipt, and what it means."""

    receipt: Receipt
    error_class: str


class _NotAReceiptError(SmppgwError):
    def __str__(self) -> str:
        expected = "expected an id or a stat beside another field, or an id and a state"
        return f"not the text of a delivery receipt; {expected}"


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


def _run_receipt(args: argparse.Namespace) -> int:
    """Read receipts as one carrier means them. Raises: ConfigError for a profile that cannot be used."""
    meanings = Meanings(load_profile(args.profile) if args.profile is not None else None)

    def read(text: str) -> _Read:
        found = parse_receipt(text)
        if found is None:
            found = guess_receipt(text)
            # Any text has a word that may be an id; here no PDU says that it is a receipt.
            if found is None or not found.stat:
                raise _NotAReceiptError
        outcome = meanings.receipt(found.message_state, found.stat, found.err)
        return _Read(found, outcome.error_class)

    return _each(args, read, _receipt_object, _print_receipt)


def _receipt_object(read: _Read) -> dict[str, Any]:
    return {**read.receipt._asdict(), "class": read.error_class}


def _print_receipt(read: _Read) -> None:
    rows = [(name, one_line(value)) for name, value in _receipt_object(read).items()]
    for line in table([*rows, ("", words(read.error_class))]):
        say(line)
