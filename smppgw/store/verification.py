"""Whether a store is well: all of it is read, as a gateway that starts would, and further."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from smppgw.store import columns, record
from smppgw.store.errors import StoreError
from smppgw.store.files import OsFiles
from smppgw.store.inspection import UNREADABLE, Reading, inspect, recovered, store_in
from smppgw.store.ledger_file import LedgerDamaged
from smppgw.store.ledger_reader import LedgerReader
from smppgw.store.page_codec import chunks_of
from smppgw.store.rows import PageHead
from smppgw.store.segments import Torn, segment_numbers
from smppgw.store.startup import LEDGER

_PAGES_SLICE: Final = 64


class Verified(NamedTuple):
    """A store that is well."""

    in_use: bool
    segments: int
    records: int
    last_lsn: int
    torn: Torn | None
    """What the last run did not come to finish; None in a store that is in use, whose end is being written."""
    pages: int
    history: int
    """Rows of the history."""


def verify(directory: Path) -> Verified:
    """Read everything there is. Raises: StoreError, with the first damage; OSError."""
    return inspect(directory, _verified)


def _verified(reading: Reading) -> Verified:
    records = sum(len([record.what(each) for each in frame.records]) for frame in reading.log.frames(0))
    history = 0
    if reading.ledger is not None:
        history = check_ledger(reading.directory / LEDGER, reading.ledger, reading.found.pages)
    recovered(reading)
    names = store_in(OsFiles(), reading.directory)
    return Verified(
        reading.in_use,
        len(segment_numbers(names)),
        records,
        reading.log.last_lsn,
        None if reading.in_use else reading.log.torn,
        len(reading.found.pages),
        history,
    )


def check_ledger(path: Path, ledger: LedgerReader, heads: Sequence[PageHead]) -> int:
    """Read a whole ledger; return how many rows of history it has. Raises: StoreError, LedgerDamaged."""
    ledger.check()
    for at in range(0, len(heads), _PAGES_SLICE):
        part = heads[at : at + _PAGES_SLICE]
        ids = [head.id for head in part]
        for head, keys, body in zip(part, ledger.keys(ids), ledger.pages(ids), strict=True):
            if not is_sound_page(head, keys, body):
                queue, _, _ = head.queue.partition(
                    "\t"
                )  # what follows in a lane's name may be a number to call
                raise LedgerDamaged(path, f"page {head.id} of {queue} is not as it was written")
    rows = 0
    for number, row in ledger.whole_history():
        rows += 1
        if not is_sound_body(row.body):
            raise LedgerDamaged(path, f"row {number} of the history is not as it was written")
    return rows


def is_sound_page(head: PageHead, keys: bytes, body: bytes) -> bool:
    """Whether a page is as it was written, and its head fits it."""
    try:
        there = [key for chunk in chunks_of(body) for key in record.keys_of(chunk)]
        return (
            columns.packed(there) == keys
            and (len(there), min(there), max(there)) == (head.count, head.first_key, head.last_key)
            and sum(head.esmes.values()) == head.count
            and set(columns.unpacked(head.dead)) <= set(there)
        )
    except (StoreError, *UNREADABLE):
        return False


def is_sound_body(body: bytes) -> bool:
    """Whether the body of a page, or of a row of the history, is as it was written."""
    try:
        chunks_of(body)
    except (StoreError, *UNREADABLE):
        return False
    return True
