"""Keeping what can still be read of a damaged ledger, in a new one.

SQLite reads a table in the order of its key up to the first page that is damaged; from the other end, it comes to the
last one. What is between the two, mostly that one page, is given up.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any, Final, NamedTuple

from smppgw.store import columns
from smppgw.store.errors import StoreError
from smppgw.store.ledger import Ledger
from smppgw.store.ledger_file import HEAD, connect, is_made, log_id_of, noted_in
from smppgw.store.rows import Fold, HeldRow, HistoryRow, PageHead, PageRow, SentRow
from smppgw.store.verification import is_sound_body, is_sound_page

_ROWS: Final = 1024
"""Written in one transaction."""
_PAGES: Final = 64
_HEAD_OF: Final = attrgetter(*HEAD.split(", "))


class Notes(NamedTuple):
    """What a ledger says of itself: without it, nothing in it can be used."""

    log_id: bytes
    lsn: int
    highest_key: int
    delivery_key: int


class LedgerSalvaged(NamedTuple):
    """What became of a ledger."""

    pages: int
    """How many were kept."""
    lost: list[PageHead]
    """The pages that are given up, as far as their heads could be read."""
    sent: int
    held: int
    history: int
    cut: list[str]
    """The tables that could not be read to their end: how much of them is lost, nobody can tell."""


def notes_of(path: Path) -> Notes | None:
    """Read the notes of a ledger that may be damaged; None where they cannot be read."""
    try:
        with closing(connect(path, write=False)) as connection:
            if not is_made(connection, path):
                return None
            noted = noted_in(connection, path)
            return Notes(log_id_of(connection), noted["lsn"], noted["highest_key"], noted["delivery_key"])
    except (sqlite3.Error, StoreError):
        return None


def rebuild(path: Path, new: Path, notes: Notes) -> LedgerSalvaged:
    """Make a new ledger, where no file is, of what can be read of a damaged one. Raises: StoreError."""
    ledger = Ledger(new)
    ledger.open(notes.log_id)
    try:
        with closing(connect(path, write=False)) as connection:
            return _Rebuilding(connection, ledger, notes).run()
    finally:
        ledger.close()


class _Rebuilding:
    def __init__(self, connection: sqlite3.Connection, ledger: Ledger, notes: Notes) -> None:
        self._connection = connection
        self._ledger = ledger
        self._notes = notes
        self._cut: list[str] = []

    def run(self) -> LedgerSalvaged:
        pages, lost = self._pages()
        sent = self._copy("sent", ("carrier", "carrier_id"), SentRow)
        held = self._copy("held", ("id",), HeldRow)
        history = self._copy("history", ("id",), HistoryRow)
        counters = {
            name: total
            for name, total in self._rows("counter", "name, value", ("name",))
            if isinstance(name, str) and isinstance(total, int)
        }
        quotas = {
            name: (day, segments)
            for name, day, segments in self._rows("quota", "name, day, segments", ("name",))
            if isinstance(name, str) and isinstance(day, int) and isinstance(segments, int)
        }
        self._apply(counters=counters, quotas=quotas)
        return LedgerSalvaged(pages, lost, sent, held, history, self._cut)

    def _apply(self, **rows: Any) -> None:
        notes = self._notes
        self._ledger.apply(Fold(notes.lsn, notes.highest_key, notes.delivery_key, **rows))

    def _pages(self) -> tuple[int, list[PageHead]]:
        heads = [
            PageHead(*[*row[:8], esmes, row[9]])
            for row in self._rows("page", f"{HEAD}, esmes, dead", ("id",))
            if isinstance(esmes := _loaded(row[8]), dict) and isinstance(row[9], bytes)
        ]
        kept = 0
        lost = []
        for at in range(0, len(heads), _PAGES):
            rows, dead = [], []
            for head in heads[at : at + _PAGES]:
                keys, body = self._body(head.id)
                if not is_sound_page(head, keys, body):
                    lost.append(head)
                    continue
                rows.append(PageRow(*[*_HEAD_OF(head), head.esmes, keys, body]))
                if head.dead:
                    dead.append((head.id, head.dead))
            self._apply(pages=rows, dead=dead)
            kept += len(rows)
        return kept, lost

    def _body(self, page_id: int) -> tuple[bytes, bytes]:
        """Return keys and body of a page; nothing where they cannot be read."""
        try:
            found = self._connection.execute(
                "SELECT keys, body FROM page_body WHERE id = ?", (page_id,)
            ).fetchone()
        except sqlite3.Error:
            return b"", b""
        return found if found is not None else (b"", b"")

    def _copy(self, table: str, key: Sequence[str], row: Any) -> int:
        """Take over the rows of a table, those of the history with whole bodies; return how many."""
        names = [*dict.fromkeys((*key, *row._fields))]
        found = (
            row(*values[-len(row._fields) :])
            for values in self._rows(table, ", ".join(names), key)
            if None not in values
        )
        sound = (each for each in found if table != "history" or is_sound_body(each.body))
        kept = 0
        while part := list(islice(sound, _ROWS)):
            self._apply(**{table: part})
            kept += len(part)
        return kept

    def _rows(self, table: str, selected: str, key: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a table that can be read, those from its other end last; the key comes first in each."""
        select = f"SELECT {selected} FROM {table} ORDER BY "  # noqa: S608
        last: tuple[Any, ...] | None = None
        try:
            for row in self._connection.execute(select + ", ".join(key)):
                last = row[: len(key)]
                yield row
        except sqlite3.Error:
            self._cut.append(table)
        else:
            return
        with suppress(sqlite3.Error):
            for row in self._connection.execute(select + ", ".join(f"{each} DESC" for each in key)):
                if last is not None and row[: len(key)] <= last:
                    break
                yield row


def lost_entries(lost: Sequence[PageHead]) -> int:
    """How many messages or deliveries were in these pages, without the dead."""
    return sum(head.count - len(columns.unpacked(head.dead)) for head in lost)


def _loaded(text: object) -> object:
    try:
        return json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return None
