"""What a person is told when the file is not right, and how look-ups are cut."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.store.errors import StoreError
from smppgw.store.ledger_file import connect, padded, trouble


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.lists(st.integers(), max_size=70))
def test_parts_hold_what_is_wanted_and_are_powers_of_two_long(wanted: list[int]) -> None:
    parts = list(padded(wanted, 16))
    assert {each for part in parts for each in part} == set(wanted)
    assert {len(part) for part in parts} <= {1, 2, 4, 8, 16}
    assert sum(map(len, parts)) < 2 * len(wanted) + 1


def test_a_file_that_is_not_there_is_not_made_by_looking(tmp_path: Path) -> None:
    for write in (True, False):
        with pytest.raises(sqlite3.OperationalError):
            connect(tmp_path / "ledger", write=write).execute("SELECT * FROM sqlite_schema")
    assert list(tmp_path.iterdir()) == []


def test_a_path_may_have_any_character_in_it(tmp_path: Path) -> None:
    path = tmp_path / "a?b #c%20"
    path.touch()
    connection = connect(path, write=True)
    connection.execute("CREATE TABLE t (c)")
    connection.close()
    assert path.stat().st_size > 0


def test_a_connection_that_only_reads_cannot_write(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    path.touch()
    connection = connect(path, write=False)
    with pytest.raises(sqlite3.OperationalError):
        connection.execute("CREATE TABLE t (c)")
    connection.close()


def test_another_writer_is_named_as_the_trouble() -> None:
    connection = sqlite3.connect(":memory:")
    with pytest.raises(sqlite3.OperationalError) as caught:
        connection.execute("SELECT * FROM nothing")
    connection.close()
    error = caught.value
    error.sqlite_errorcode = sqlite3.SQLITE_BUSY_SNAPSHOT
    assert "end that program" in str(trouble(Path("ledger"), error))
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR_READ
    assert "look at its disk" in str(trouble(Path("ledger"), error))
    assert isinstance(trouble(Path("ledger"), error), StoreError)
