"""What of a damaged ledger comes into the new one."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from smppgw.store.ledger import Ledger
from smppgw.store.ledger_reader import LedgerReader
from smppgw.store.ledger_salvage import lost_entries, notes_of, rebuild
from smppgw.store.rows import LedgerState
from smppgw.store.verification import check_ledger
from tests.store.lived import KEY, ledger_of, lived
from tests.store.test_log import change


def state_of(path: Path) -> LedgerState:
    with closing(LedgerReader(path)) as reader, reader.held():
        state = reader.state()
        check_ledger(path, reader, state.pages)
        return state


def run(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


async def a_ledger(tmp_path: Path, messages: int = 6) -> Path:
    return ledger_of(await lived(tmp_path / "data", messages=messages))


async def test_of_a_ledger_that_is_well_all_is_kept(tmp_path: Path) -> None:
    path, new = await a_ledger(tmp_path, 600), tmp_path / "new"
    notes = notes_of(path)
    assert notes is not None
    found = rebuild(path, new, notes)
    before, after = state_of(path), state_of(new)
    assert found[1:] == ([], 1, 1, 1, [])
    assert found.pages == len(before.pages) > 4
    assert after == before._replace(next_page=after.next_page)
    for ledger in (path, new):
        with closing(LedgerReader(ledger)) as reader:
            assert [row.carrier_id for row in reader.sent("sink", [b"%d-awaiting" % KEY])] != []
            assert len(reader.history(KEY)) == 1


async def test_a_page_that_is_not_as_it_was_written_is_lost_alone(tmp_path: Path) -> None:
    path, new = await a_ledger(tmp_path), tmp_path / "new"
    run(
        path,
        "UPDATE page_body SET body = zeroblob(length(body)) WHERE id = 2",
        "UPDATE page SET esmes = 'x' WHERE id = 1",
    )
    notes = notes_of(path)
    assert notes is not None
    found = rebuild(path, new, notes)
    assert [head.id for head in found.lost] == [2]
    assert lost_entries(found.lost) > 0
    assert found.pages == len(state_of(new).pages) == 1


async def test_history_that_is_not_as_it_was_written_is_lost(tmp_path: Path) -> None:
    path, new = await a_ledger(tmp_path), tmp_path / "new"
    run(path, "UPDATE history SET body = zeroblob(length(body))")
    notes = notes_of(path)
    assert notes is not None
    assert rebuild(path, new, notes).history == 0


def leaves(path: Path, table: str) -> list[int]:
    """The pages of SQLite that a table ends in, in its order."""
    with closing(sqlite3.connect(path)) as connection:
        try:
            return [
                number
                for (number,) in connection.execute(
                    "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY path", (table,)
                )
            ]
        except sqlite3.OperationalError:
            pytest.skip("this SQLite cannot tell where its pages are")


@pytest.mark.parametrize("table", ["sent", "history"])
async def test_what_stands_behind_a_damaged_page_is_read_from_the_other_end(
    tmp_path: Path, table: str
) -> None:
    path, new = tmp_path / "ledger", tmp_path / "new"
    ledger = Ledger(path)
    ledger.open(b"log")
    ledger.close()
    with closing(sqlite3.connect(path)) as connection:
        for number in range(2000):
            if table == "sent":
                row: tuple[object, ...] = (
                    "sink",
                    b"%08d" % number,
                    number,
                    b"id",
                    "acme",
                    1,
                    5,
                    5,
                    1,
                    b"env",
                )
                connection.execute("INSERT INTO sent VALUES (?,?,?,?,?,?,?,?,?,?)", row)
            else:
                connection.execute(
                    "INSERT INTO history VALUES (?,?,?,?,?)", (number, 5, number, number, b"\0\0\0\0")
                )
        connection.commit()
    numbers = leaves(path, table)
    change(path, (numbers[len(numbers) // 2] - 1) * 8192, b"\xff" * 8192)
    notes = notes_of(path)
    assert notes is not None
    found = rebuild(path, new, notes)
    assert found.cut == [table]
    kept = found.sent if table == "sent" else found.history
    assert 2000 - 2 * 2000 / len(numbers) <= kept < 2000
    state_of(new)


async def test_without_its_notes_nothing_can_be_used(tmp_path: Path) -> None:
    path = await a_ledger(tmp_path)
    run(path, "DELETE FROM meta WHERE name = 'lsn'")
    assert notes_of(path) is None
    path.write_bytes(b"")
    assert notes_of(path) is None
    path.write_bytes(b"no database at all" * 1000)
    assert notes_of(path) is None


async def test_whatever_is_damaged_the_new_ledger_is_well(tmp_path: Path) -> None:
    path, new = await a_ledger(tmp_path, 300), tmp_path / "new"
    whole = path.read_bytes()
    random = Random(2)
    rebuilt = 0
    for _ in range(60):
        change(path, random.randrange(len(whole) // 1024) * 1024, random.randbytes(1024))
        notes = notes_of(path)
        if notes is not None:
            rebuilt += 1
            rebuild(path, new, notes)
            state_of(new)
            new.unlink()
        path.write_bytes(whole)
    assert rebuilt > 20
