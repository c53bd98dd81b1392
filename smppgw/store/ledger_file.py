"""The file of the ledger: an SQLite database, how it is told from any other, and what to say when it is not right."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

from smppgw.store.errors import StoreError
from smppgw.store.rows import HeldRow, LedgerState, PageHead

T = TypeVar("T")

APPLICATION_ID: Final = 0x534D_5050
"""`SMPP`, where SQLite keeps whose file it is."""
VERSION: Final = 3
"""Of the tables below."""

SLICE: Final = 512
"""Rows in one statement. Each statement gives the interpreter's lock away once; binding that many takes under 1 ms."""

_BUSY_SECONDS: Final = 5.0
_PRIMARY_CODE: Final = 0xFF
"""The rest of a result code of SQLite says more about the same."""
_RESTORE: Final = "restore the directory from a copy, or run `smppgw store salvage --accept-loss`"

_PAGE: Final = """
    CREATE TABLE page (
        id INTEGER PRIMARY KEY,
        queue TEXT NOT NULL,
        first_key INTEGER NOT NULL,
        last_key INTEGER NOT NULL,
        count INTEGER NOT NULL,
        octets INTEGER NOT NULL,
        due_ms INTEGER NOT NULL,
        expires_ms INTEGER NOT NULL,
        esmes TEXT NOT NULL,
        dead BLOB NOT NULL DEFAULT x''
    )
"""
_PAGE_BODY: Final = """
    CREATE TABLE page_body (id INTEGER PRIMARY KEY, keys BLOB NOT NULL, body BLOB NOT NULL)
"""
"""Apart from the head, which is read at every start and changed often."""
_SENT: Final = """
    (
        carrier TEXT NOT NULL,
        carrier_id BLOB NOT NULL,
        key INTEGER NOT NULL,
        message_id BLOB NOT NULL,
        esme TEXT NOT NULL,
        registered_delivery INTEGER NOT NULL,
        accepted_ms INTEGER NOT NULL,
        expires_ms INTEGER NOT NULL,
        parts INTEGER NOT NULL,
        envelope BLOB NOT NULL,
        PRIMARY KEY (carrier, carrier_id)
    ) WITHOUT ROWID
"""
_HELD: Final = """
    CREATE TABLE held (
        id INTEGER PRIMARY KEY,
        shelf TEXT NOT NULL,
        under BLOB NOT NULL,
        command_id INTEGER NOT NULL,
        received_ms INTEGER NOT NULL,
        body BLOB NOT NULL
    )
"""
_HISTORY: Final = """
    CREATE TABLE history (
        id INTEGER PRIMARY KEY,
        at_ms INTEGER NOT NULL,
        first_key INTEGER NOT NULL,
        last_key INTEGER NOT NULL,
        body BLOB NOT NULL
    )
"""
SCHEMA: Final = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID",
    _PAGE,
    _PAGE_BODY,
    f"CREATE TABLE sent {_SENT}",
    "CREATE INDEX sent_age ON sent (max(accepted_ms, expires_ms))",
    _HELD,
    "CREATE INDEX held_under ON held (shelf, under)",
    _HISTORY,
    "CREATE INDEX history_at ON history (at_ms)",
    "CREATE INDEX history_keys ON history (last_key, first_key)",
    "CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE quota (name TEXT PRIMARY KEY, day INTEGER NOT NULL, segments INTEGER NOT NULL) WITHOUT ROWID",
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {VERSION}",
)

SORTING: Final = (
    "PRAGMA temp_store = MEMORY",
    f"CREATE TEMP TABLE arriving {_SENT}",
    "CREATE TEMP TABLE leaving (owner TEXT, name BLOB, PRIMARY KEY (owner, name)) WITHOUT ROWID",
)
"""Where a writer brings carriers' ids, and what is held under, into their order, before they touch the table."""


HEAD: Final = "id, queue, first_key, last_key, count, octets, due_ms, expires_ms"
"""The columns of a page that never change."""
_NOTED: Final = frozenset({"lsn", "highest_key", "delivery_key", "next_page", "history_octets"})


class LedgerDamaged(StoreError):  # noqa: N818 - reads as a sentence where it is raised
    """What is in the file is not what was written."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: the ledger is damaged ({self.reason}): {_RESTORE}"


def connect(path: Path, *, write: bool, still: bool = False) -> sqlite3.Connection:
    """Open a file that is there. Transactions are begun and ended by hand. Raises: sqlite3.Error.

    `still`: nobody writes to it, and SQLite's own log beside it is empty: it is read without a trace.
    """
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={'rw' if write else 'ro'}{'&immutable=1' if still else ''}",
        timeout=_BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,  # made in one thread, used in another; never in two at once
        uri=True,
    )
    if not write:
        connection.execute("PRAGMA query_only = ON")
    return connection


def is_made(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether it is a ledger; False when nothing is in the file yet. Raises: StoreError, sqlite3.Error."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if not application and not tables:
        return False
    if application != APPLICATION_ID:
        raise StoreError(
            f"{path}: is a database, but no ledger of smppgw: put it elsewhere and the ledger in its place"
        )
    if version != VERSION:
        raise StoreError(
            f"{path}: is a ledger of version {version}, this smppgw knows version {VERSION}: run the one that wrote it"
        )
    return True


def log_id_of(connection: sqlite3.Connection) -> bytes:
    """Which log a ledger belongs to. Raises: sqlite3.Error."""
    row = connection.execute("SELECT value FROM meta WHERE name = 'log_id'").fetchone()
    if row is None:
        raise sqlite3.DatabaseError("it does not say which log it belongs to")
    return bytes(row[0])


def check_log_id(path: Path, found: bytes, log_id: bytes) -> None:
    """Refuse a ledger that belongs to another log. Raises: StoreError."""
    if found != log_id:
        raise StoreError(
            f"{path}: belongs to the log {found.hex()}, not to {log_id.hex()} beside it:"
            " put the files of one data directory together again"
        )


def noted_in(connection: sqlite3.Connection, path: Path) -> dict[str, int]:
    """Read what a ledger has noted of itself, by name. Raises: LedgerDamaged, sqlite3.Error."""
    noted = dict(connection.execute("SELECT name, value FROM meta WHERE name != 'log_id'").fetchall())
    if not noted.keys() >= _NOTED or not all(isinstance(value, int) for value in noted.values()):
        raise LedgerDamaged(path, "its notes are not all there")
    return noted


def state_in(connection: sqlite3.Connection, path: Path) -> LedgerState:
    """Read what a run begins with. Raises: LedgerDamaged, sqlite3.Error."""
    noted = noted_in(connection, path)
    heads = connection.execute(f"SELECT {HEAD}, esmes, dead FROM page ORDER BY first_key, id").fetchall()  # noqa: S608
    held = connection.execute(
        "SELECT shelf, under, command_id, received_ms, body FROM held ORDER BY id"
    ).fetchall()
    counters = connection.execute("SELECT name, value FROM counter").fetchall()
    quotas = connection.execute("SELECT name, day, segments FROM quota").fetchall()
    try:
        return LedgerState(
            noted["lsn"],
            noted["highest_key"],
            noted["delivery_key"],
            noted["next_page"],
            [PageHead(*(*head, json.loads(esmes), dead)) for *head, esmes, dead in heads],
            [HeldRow(*row) for row in held],
            dict(counters),
            {name: (day, segments) for name, day, segments in quotas},
        )
    except (TypeError, ValueError) as error:
        raise LedgerDamaged(path, f"unreadable: {error}") from error


def trouble(path: Path, error: sqlite3.Error) -> StoreError:
    """Return what to tell a person about an error of SQLite."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & _PRIMARY_CODE
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return LedgerDamaged(path, str(error))
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return StoreError(f"{path}: another program is writing to the ledger ({error}): end that program")
    return StoreError(
        f"{path}: the ledger cannot be used ({error}): look at its disk, its owner and its permissions"
    )


@contextmanager
def speaking_of(path: Path) -> Iterator[None]:
    """Turn errors of SQLite into a StoreError that a person can use."""
    try:
        yield
    except sqlite3.Error as error:
        raise trouble(path, error) from error


def padded(wanted: Sequence[T], most: int = SLICE) -> Iterator[list[T]]:
    """Cut what is looked for into parts of a power of two, the last filled up with its own end.

    A statement is compiled for each length there is: this way there are few.
    """
    for at in range(0, len(wanted), most):
        part = list(wanted[at : at + most])
        part += part[-1:] * ((1 << (len(part) - 1).bit_length()) - len(part))
        yield part


def marks(count: int) -> str:
    """Return that many question marks for a statement."""
    return ",".join("?" * count)
