"""The reading of receipts: texts and whole PDUs a second, as carriers send them and with something wrong with them.

    python -m bench.bench_receipts

Beside each stands the time of one in microseconds, and of how many smpplib encodings of a submit_sm that is, in the
same run. BENCH_SECONDS (default 3) is what one row may take; the best round of each counts. Mutated texts are the
receipts of the tests' table with one to three things done to each, the same in every run. The quick look is what the
relay takes at a receipt first, and at nearly every one alone.
"""

from __future__ import annotations

import os
import sys
import timeit
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from random import Random
from typing import Any, Final, NamedTuple

from bench.yardstick import smpplib_encode_seconds
from smppgw.notice import read, read_usual
from smppgw.pdu.constants import CommandId
from smppgw.pdu.receipt import guess_receipt, parse_receipt
from smppgw.pdu.receipt_dates import read_date
from tests.pdu.receipt_mutations import mutated_pdus, mutated_texts
from tests.pdu.receipt_texts import GUESSED, STRAIGHT, TEXTS

DELIVER_SM: Final = int(CommandId.DELIVER_SM)
GOAL: Final = 50_000
"""Mutated texts a second, and mutated PDUs."""
ROUNDS: Final = 10
BATCH: Final = 2_000
NOW: Final = datetime(2026, 11, 22, 10, 5, tzinfo=UTC)

LOOSE: Final = STRAIGHT.replace("submit date", "submitdate").replace("err:000", "err:0").encode()
TLVS: Final = b"\x00\x1e\x00\x0b0123456789\0\x04\x27\x00\x01\x02\x04\x23\x00\x03\x03\x00\x00"


def deliver_sm(text: bytes, tlvs: bytes = b"", *, esm_class: int = 4, data_coding: int = 0) -> bytes:
    """The body of a deliver_sm from a handset."""
    head = b"\0\1\0016665550100\0\1\0012065550100\0%c\0\0\0\0\0\0%c\0%c" % (esm_class, data_coding, len(text))
    return head + text + tlvs


class Row(NamedTuple):
    """What is read, in which way, and how many a second are to be read at least; 0 where no goal is set."""

    name: str
    way: Callable[[Any], object]
    inputs: Sequence[Any]
    goal: int = 0


def read_pdu(pdu: tuple[int, bytes]) -> object:
    """Read a PDU with its command_id."""
    return read(*pdu)


def rows() -> tuple[Row, ...]:
    """What there is to be read."""
    texts = list(islice(mutated_texts(Random(1)), BATCH))
    pdus = list(islice(mutated_pdus(Random(1)), BATCH))
    table = [case.text.encode("latin-1") for cases in TEXTS.values() for case in cases]
    dates = [case.receipt.done_date for cases in TEXTS.values() for case in cases]
    deliver = partial(read, DELIVER_SM)
    return (
        Row("text, straight", parse_receipt, [STRAIGHT.encode()]),
        Row("text, loose", parse_receipt, [LOOSE]),
        Row("text, the tests' table", parse_receipt, table),
        Row("text, mutated", parse_receipt, texts, GOAL),
        Row("text, guessed", guess_receipt, [case.text for case in GUESSED]),
        Row("done date", lambda written: read_date(written, NOW), dates),
        Row("PDU, quick look", read_usual, [deliver_sm(STRAIGHT.encode())]),
        Row("PDU, quick look, 3 TLVs", read_usual, [deliver_sm(STRAIGHT.encode(), TLVS)]),
        Row("PDU, straight", deliver, [deliver_sm(STRAIGHT.encode())]),
        Row("PDU, straight, 3 TLVs", deliver, [deliver_sm(STRAIGHT.encode(), TLVS)]),
        Row("PDU, loose, 3 TLVs", deliver, [deliver_sm(LOOSE, TLVS)]),
        Row("PDU, loose, UCS-2", deliver, [deliver_sm(LOOSE.decode().encode("utf-16-be"), data_coding=8)]),
        Row("PDU, message of a handset", deliver, [deliver_sm(b"See you at the station", esm_class=0)]),
        Row("PDU, mutated", read_pdu, pdus, GOAL),
    )


def seconds_each(row: Row, seconds: float) -> float:
    """Return the time of one: the best of some rounds."""

    def run() -> None:
        way = row.way
        for given in row.inputs:
            way(given)

    once = timeit.timeit(run, number=1)
    number = max(1, int(seconds / ROUNDS / once))
    return min(timeit.repeat(run, number=number, repeat=ROUNDS)) / number / len(row.inputs)


def main() -> int:
    """Print the table; return 1 where a goal is not reached."""
    seconds = float(os.environ.get("BENCH_SECONDS", "3"))
    yardstick = smpplib_encode_seconds()
    missed = []
    print(f"{'':28}{'a second':>12}{'each':>12}  of one smpplib encode")
    for row in rows():
        each = seconds_each(row, seconds)
        goal = f"  goal {row.goal:,}" if row.goal else ""
        print(f"{row.name:28}{1 / each:12,.0f}{each * 1e6:9.2f} us{each / yardstick:22.3f}{goal}", flush=True)
        if row.goal and 1 / each < row.goal:
            missed.append(row.name)
    if missed:
        print(f"below the goal: {', '.join(missed)}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
