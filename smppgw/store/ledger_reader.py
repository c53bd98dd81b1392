"""Reads the ledger: beside its writer, in another thread, or from another process."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from smppgw.store.errors import StoreError
from smppgw.store.ledger_file import (
    SLICE,
    LedgerDamaged,
    connect,
    is_made,
    log_id_of,
    marks,
    padded,
    speaking_of,
    state_in,
)
from smppgw.store.rows import HistoryRow, LedgerState, SentRow

_SENT_SLICE: Final = SLICE // 2
"""What comes back is taken apart in one go, under the interpreter's lock: under 1 ms."""
_HISTORY_SLICE: Final = 64
_HIGHEST: Final = (1 << 63) - 1
"""What SQLite can compare with. An ESME may ask for any key, and none that it was told is as high."""
_SENT: Final = (
    "SELECT json_group_array(json_array(hex(carrier_id), key, hex(message_id), esme, registered_delivery,"
    " accepted_ms, expires_ms, parts, hex(envelope))) FROM sent WHERE carrier = ?"
)


class LedgerReader:
    """A connection that changes nothing; each call sees what was last folded. All methods block."""

    def __init__(self, path: Path, *, still: bool = False) -> None:
        """Open a ledger that is there; `still`: see `connect`. Raises: StoreError."""
        self._path = path
        with speaking_of(path):
            self._connection = connect(path, write=False, still=still)
        try:
            with speaking_of(path):
                made = is_made(self._connection, path)
            if not made:
                raise StoreError(f"{path}: is empty: let the gateway make the ledger, by starting it")
        except BaseException:
            self._connection.close()
            raise

    def pages(self, ids: Sequence[int]) -> list[bytes]:
        """Return the bodies of these pages, in the order asked. Raises: StoreError, also for one that is not there."""
        return self._of_pages("body", ids)

    def pages_there(self, ids: Sequence[int]) -> dict[int, bytes]:
        """Return the bodies of those of these pages that are there. Raises: StoreError."""
        return self._found("body", ids)

    def keys(self, ids: Sequence[int]) -> list[bytes]:
        """Return the keys of these pages, in the order asked. Raises: StoreError, also for one that is not there."""
        return self._of_pages("keys", ids)

    def sent(self, carrier: str, carrier_ids: Sequence[bytes]) -> list[SentRow]:
        """Return those there are, each once, in no order. Raises: StoreError."""
        found = []
        octets = bytes.fromhex
        with speaking_of(self._path):
            for part in padded(list(dict.fromkeys(carrier_ids)), _SENT_SLICE):
                # One row, so that the interpreter's lock is fought for once, not for each that was found.
                (rows,) = self._connection.execute(
                    f"{_SENT} AND carrier_id IN ({marks(len(part))})", (carrier, *part)
                ).fetchone()
                found += [
                    SentRow(*(carrier, octets(carrier_id), key, octets(message_id), *rest, octets(envelope)))
                    for carrier_id, key, message_id, *rest, envelope in json.loads(rows)
                ]
        return found

    def history(self, key: int) -> list[HistoryRow]:
        """Return the rows that may tell of a message, oldest first. Raises: StoreError.

        They hold the key's 8 octets, least significant first, somewhere in their body.
        """
        if key > _HIGHEST:
            return []
        with speaking_of(self._path):
            return [
                HistoryRow(*row)
                for row in self._connection.execute(
                    # Without its index named, the bodies of all rows would be read.
                    "SELECT at_ms, first_key, last_key, body FROM history INDEXED BY history_keys"
                    " WHERE last_key >= ?1 AND first_key <= ?1 AND instr(body, ?2) ORDER BY id",
                    (key, key.to_bytes(8, "little")),
                ).fetchall()
            ]

    def holding(self, queues: Sequence[str], needle: bytes) -> list[int]:
        """Return the pages of these queues whose body has these octets somewhere, in order. Raises: StoreError."""
        with speaking_of(self._path):
            (ids,) = self._connection.execute(
                "SELECT json_group_array(id) FROM (SELECT page.id FROM page JOIN page_body USING (id)"
                " WHERE queue IN (SELECT value FROM json_each(?)) AND instr(body, ?) ORDER BY page.id)",
                (json.dumps(list(queues)), needle),
            ).fetchone()
        return [int(each) for each in json.loads(ids)]

    def sent_counts(self) -> dict[str, int]:
        """Return how many messages of each carrier may still get a receipt; reads all. Raises: StoreError."""
        with speaking_of(self._path):
            return dict(
                self._connection.execute("SELECT carrier, count(*) FROM sent GROUP BY carrier").fetchall()
            )

    # ---- for whoever inspects a store -----------------------------------------------------------------------

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let all calls within see the same, whatever is folded meanwhile. Raises: StoreError."""
        with speaking_of(self._path):
            self._connection.execute("BEGIN")
        try:
            yield
        finally:
            with speaking_of(self._path):
                self._connection.execute("ROLLBACK")

    def log_id(self) -> bytes:
        """Return which log it belongs to. Raises: StoreError."""
        with speaking_of(self._path):
            return log_id_of(self._connection)

    def state(self) -> LedgerState:
        """Return what a run would begin with. Raises: StoreError."""
        with speaking_of(self._path):
            return state_in(self._connection, self._path)

    def check(self) -> None:
        """Have SQLite go through all of the file. Raises: StoreError, LedgerDamaged for what is not as it should be."""
        with speaking_of(self._path):
            (found,) = self._connection.execute("PRAGMA integrity_check(1)").fetchone()
        if found != "ok":
            raise LedgerDamaged(self._path, found.splitlines()[-1])

    def whole_history(self) -> Iterator[tuple[int, HistoryRow]]:
        """Yield all rows there are, each behind its id, some at a time. Raises: StoreError."""
        after = 0
        while True:
            with speaking_of(self._path):
                rows = self._connection.execute(
                    "SELECT id, at_ms, first_key, last_key, body FROM history WHERE id > ? ORDER BY id LIMIT ?",
                    (after, _HISTORY_SLICE),
                ).fetchall()
            if not rows:
                return
            for after, *row in rows:
                yield after, HistoryRow(*row)

    def sent_for(self, key: int) -> list[SentRow]:
        """Return under which ids carriers may still report a message; reads all. Raises: StoreError."""
        if key > _HIGHEST:
            return []
        with speaking_of(self._path):
            return [
                SentRow(*row)
                for row in self._connection.execute(
                    f"SELECT {', '.join(SentRow._fields)} FROM sent WHERE key = ?",  # noqa: S608
                    (key,),
                ).fetchall()
            ]

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _of_pages(self, column: str, ids: Sequence[int]) -> list[bytes]:
        found = self._found(column, ids)
        missing = [each for each in ids if each not in found]
        if missing:
            raise StoreError(
                f"{self._path}: page {missing[0]} of the ledger is not there: run `smppgw store verify`"
            )
        return [found[each] for each in ids]

    def _found(self, column: str, ids: Sequence[int]) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        with speaking_of(self._path):
            for part in padded(ids):
                found.update(
                    self._connection.execute(
                        f"SELECT id, {column} FROM page_body WHERE id IN ({marks(len(part))})",  # noqa: S608
                        part,
                    ).fetchall()
                )
        return found
