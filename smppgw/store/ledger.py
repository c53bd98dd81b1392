"""The ledger: what the log has led to, some seconds behind it, in one SQLite file.

Bulk rows go in some hundreds to a statement, because sqlite3 gives the interpreter's lock away and fights for it again
at each: a statement for each row would hold up the event loop, and be held up by it.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain, islice
from operator import attrgetter
from pathlib import Path
from typing import Final

from smppgw.store.errors import StoreError
from smppgw.store.ledger_file import (
    HEAD,
    SCHEMA,
    SLICE,
    SORTING,
    check_log_id,
    connect,
    is_made,
    log_id_of,
    marks,
    noted_in,
    padded,
    speaking_of,
    state_in,
)
from smppgw.store.rows import Fold, LedgerState, PageRow, SentRow

_PAGE_OCTETS: Final = 8192
_CACHE_KIB: Final = 16_384
_CHECKPOINT_OCTETS: Final = 8 * 1024 * 1024
"""Above this, what is in SQLite's own log (`-wal`) is brought into the file."""
_WAL_KEPT_OCTETS: Final = 64 * 1024 * 1024
"""What a large fold has made SQLite's own log above this is given back to the disk."""
_VACUUM_PAGES: Final = 8192
"""Given back to the disk at most, in one `prune`."""
_PAGES_SLICE: Final = 8
"""Their bodies are copied under the interpreter's lock."""
_DEAD_SLICE: Final = 64
_SORTED: Final = 65_536
"""Carriers' ids come in no order, and each that is alone in its page of the table has the whole page written anew. So
many at once, in their order, share pages; they take some 10 MB of memory meanwhile."""
_TRIM_SLICE: Final = 256
_HEAD_OF: Final = attrgetter(*HEAD.split(", "))
_FULL: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE})
"""How SQLite reports a disk without room: in its files, and in the memory it shares between connections."""


class LedgerFull(StoreError):  # noqa: N818 - reads as a sentence where it is raised
    """There is no room for it on the disk. Nothing was changed: it can be tried again later."""


class Ledger:
    """The one writer. All methods block; they may be called in any thread, one at a time."""

    connection: sqlite3.Connection

    def __init__(self, path: Path) -> None:
        """Keep it in this file; nothing is done before `open`."""
        self._path = path
        self._wal = path.with_name(f"{path.name}-wal")
        self._next_page = 1
        self.octets = 0
        """Of the file, without what is free in it and without SQLite's own log."""
        self.history_octets = 0
        """Of the bodies in the history."""

    @staticmethod
    def peek(path: Path, *, still: bool = False) -> bytes | None:
        """Return which log a ledger belongs to; None when there is no file, or nothing in it. Raises: StoreError.

        `still`: see `connect`.
        """
        if not path.exists():
            return None
        with speaking_of(path):
            connection = connect(path, write=False, still=still)
            try:
                return log_id_of(connection) if is_made(connection, path) else None
            finally:
                connection.close()

    def open(self, log_id: bytes) -> LedgerState:
        """Open the ledger of this log, or make it; return what is in it.

        Raises: StoreError when it is no ledger, of another version or log, or damaged; LedgerFull.
        """
        self._create()
        with self._explained():
            self.connection = connect(self._path, write=True)
        try:
            with self._explained():
                self._settle_in()
                if not is_made(self.connection, self._path):
                    self._make(log_id)
                check_log_id(self._path, log_id_of(self.connection), log_id)
                state = self._state()
                self._count()
        except BaseException:
            self.connection.close()
            raise
        return state

    def apply(self, fold: Fold) -> None:
        """Bring the ledger to the state at `fold.lsn`, wholly or not at all. Raises: LedgerFull, StoreError."""
        history_octets = self.history_octets + sum(len(row.body) for row in fold.history)
        with self._transaction():
            for part in padded(fold.dropped):
                self._remove(f"page WHERE id IN ({marks(len(part))})", part)
                self._remove(f"page_body WHERE id IN ({marks(len(part))})", part)
            self._forget("sent", "carrier, carrier_id", fold.settled)
            self._forget("held", "shelf, under", fold.released)
            next_page = max(self._next_page, self._put_pages(fold.pages) + 1)
            self._put_dead(fold.dead)
            self._put_sent(fold.sent)
            self._insert("INSERT INTO held (shelf, under, command_id, received_ms, body)", fold.held)
            self._insert("INSERT INTO history (at_ms, first_key, last_key, body)", fold.history)
            self._insert("REPLACE INTO counter", list(fold.counters.items()))
            self._insert("REPLACE INTO quota", [(name, *quota) for name, quota in fold.quotas.items()])
            self._note(
                lsn=fold.lsn,
                highest_key=fold.highest_key,
                delivery_key=fold.delivery_key,
                next_page=next_page,
                history_octets=history_octets,
            )
        self._next_page = next_page
        self.history_octets = history_octets
        self._checkpoint()
        self._count()

    def prune(self, *, history_before_ms: int, sent_before_ms: int, most: int) -> int:
        """Forget what is older, the oldest first, at most `most` rows of history and of sent; return how many.

        A message that a carrier has is as old as its acceptance, or the end of its validity where that is later.
        Raises: LedgerFull, StoreError.
        """
        with self._transaction():
            rows, octets = self._remove_history("WHERE at_ms < ?", (history_before_ms, most))
            rows += self._remove(
                "sent WHERE (carrier, carrier_id) IN (SELECT carrier, carrier_id FROM sent"
                " WHERE max(accepted_ms, expires_ms) < ? ORDER BY max(accepted_ms, expires_ms) LIMIT ?)",
                (sent_before_ms, most),
            )
            self._note(history_octets=self.history_octets - octets)
        self.history_octets -= octets
        with self._explained():
            # A script, because a statement would stop, and fight for the interpreter's lock, at each page.
            self.connection.executescript(f"PRAGMA incremental_vacuum({_VACUUM_PAGES})")
        self._checkpoint()
        self._count()
        return rows

    def trim_history(self, octets: int) -> None:
        """Forget the oldest history, until about that many octets of it are gone. Raises: LedgerFull, StoreError."""
        rows = 1
        while octets > 0 and rows:
            with self._transaction():
                (sizes,) = self.connection.execute(
                    "SELECT json_group_array(size) FROM"
                    " (SELECT length(body) AS size FROM history ORDER BY at_ms, id LIMIT ?)",
                    (_TRIM_SLICE,),
                ).fetchone()
                rows = gone = 0
                for size in json.loads(sizes):
                    if gone < octets:
                        rows, gone = rows + 1, gone + size
                self._remove_history("", (rows,))
                self._note(history_octets=self.history_octets - gone)
            self.history_octets -= gone
            octets -= gone
        self._checkpoint()
        self._count()

    def close(self) -> None:
        """Let go of the file; SQLite's own log goes into it."""
        self.connection.close()

    # ---- opening --------------------------------------------------------------------------------------------

    def _make(self, log_id: bytes) -> None:
        # The first two only count before anything is in the file.
        self.connection.execute(f"PRAGMA page_size = {_PAGE_OCTETS}")
        self.connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        (mode,) = self.connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise StoreError(
                f"{self._path}: its file system cannot share memory between programs: keep the data on a local disk"
            )
        with self._transaction():
            for statement in SCHEMA:
                self.connection.execute(statement)
            self._insert("INSERT INTO meta", [("log_id", log_id)])
            self._note(lsn=0, highest_key=0, delivery_key=0, next_page=1, history_octets=0)

    def _create(self) -> None:
        """Make the file, if it is not there, and sync its name: segments are deleted because it is there."""
        try:
            with suppress(FileExistsError):
                # SQLite gives its other files the mode that this one has.
                os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            descriptor = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise StoreError(
                f"{self._path}: the ledger cannot be made ({error.strerror}): look at the directory and its disk"
            ) from error

    def _settle_in(self) -> None:
        for setting in (
            "synchronous = FULL",
            f"cache_size = -{_CACHE_KIB}",
            f"journal_size_limit = {_WAL_KEPT_OCTETS}",
            "wal_autocheckpoint = 0",  # it would keep its errors to itself
        ):
            self.connection.execute(f"PRAGMA {setting}")
        for statement in SORTING:
            self.connection.execute(statement)

    def _state(self) -> LedgerState:
        state = state_in(self.connection, self._path)
        self._next_page = state.next_page
        self.history_octets = noted_in(self.connection, self._path)["history_octets"]
        return state

    # ---- one transaction ------------------------------------------------------------------------------------

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            with speaking_of(self._path):
                yield
        except StoreError as error:
            if getattr(error.__cause__, "sqlite_errorcode", None) in _FULL:
                raise LedgerFull(
                    f"{self._path}: no room on the disk for the ledger ({error.__cause__}): make room"
                ) from error.__cause__
            raise

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._explained():
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:  # some errors end it themselves
                    with suppress(sqlite3.Error):
                        self.connection.execute("ROLLBACK")
                raise

    def _insert(self, into: str, rows: Sequence[Sequence[object]], most: int = SLICE) -> None:
        """Insert rows, as many at once as the largest power of two that there are: few statements to compile."""
        at = 0
        while at < len(rows):
            count = min(most, 1 << (len(rows) - at).bit_length() - 1)
            part = rows[at : at + count]
            row = f"({marks(len(part[0]))})"
            self.connection.execute(
                f"{into} VALUES {','.join([row] * count)}", list(chain.from_iterable(part))
            )
            at += count

    def _remove(self, rows: str, values: Sequence[object] = ()) -> int:
        return self.connection.execute(f"DELETE FROM {rows}", values).rowcount  # noqa: S608

    def _put_pages(self, pages: Iterable[PageRow]) -> int:
        """Return the highest id of them; 0 for none."""
        highest = 0
        rows = iter(pages)
        while part := list(islice(rows, _PAGES_SLICE)):
            highest = max(highest, *(page.id for page in part))
            self._insert(
                f"INSERT INTO page ({HEAD}, esmes)",
                [(*_HEAD_OF(page), json.dumps(page.esmes)) for page in part],
            )
            self._insert("INSERT INTO page_body", [(page.id, page.keys, page.body) for page in part])
        return highest

    def _put_dead(self, dead: list[tuple[int, bytes]]) -> None:
        for part in padded(dead, _DEAD_SLICE):
            new = ",".join(["(?,?)"] * len(part))
            self.connection.execute(
                f"WITH new AS (VALUES {new}) UPDATE page SET dead = new.column2 FROM new WHERE id = new.column1",  # noqa: S608
                list(chain.from_iterable(part)),
            )

    def _put_sent(self, rows: list[SentRow]) -> None:
        for at in range(0, len(rows), _SORTED):
            self._insert("REPLACE INTO arriving", rows[at : at + _SORTED])
            self.connection.execute("REPLACE INTO sent SELECT * FROM arriving")
            self._remove("arriving")

    def _forget(self, table: str, columns: str, known: list[tuple[str, bytes]]) -> None:
        """Remove the rows whose two columns are as any of these."""
        for at in range(0, len(known), _SORTED):
            self._insert("REPLACE INTO leaving", known[at : at + _SORTED])
            self._remove(f"{table} WHERE ({columns}) IN (SELECT * FROM leaving)")  # noqa: S608
            self._remove("leaving")

    def _remove_history(self, which: str, values: tuple[int, ...]) -> tuple[int, int]:
        """Remove the oldest rows; return how many, and how many octets of bodies."""
        oldest = f"SELECT id FROM history {which} ORDER BY at_ms, id LIMIT ?"  # noqa: S608
        (octets,) = self.connection.execute(
            f"SELECT coalesce(sum(length(body)), 0) FROM history WHERE id IN ({oldest})",  # noqa: S608
            values,
        ).fetchone()
        return self._remove(f"history WHERE id IN ({oldest})", values), octets

    def _note(self, **values: int) -> None:
        self._insert("REPLACE INTO meta", list(values.items()))

    # ---- the file -------------------------------------------------------------------------------------------

    def _checkpoint(self) -> None:
        """Bring SQLite's own log into the file when it has grown; what is in it is safe meanwhile."""
        try:
            if self._wal.stat().st_size > _CHECKPOINT_OCTETS:
                with self._explained():
                    self.connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except (LedgerFull, FileNotFoundError):
            return  # the next one may find room

    def _count(self) -> None:
        with self._explained():
            ((used,), (free,)) = (
                self.connection.execute(f"PRAGMA {count}").fetchone()
                for count in ("page_count", "freelist_count")
            )
        self.octets = (used - free) * _PAGE_OCTETS
