"""`smppgw store salvage`: says what it would do, does it, says what it did."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.cli.run import Done, run
from tests.store.lived import contents, killed, ledger_of, live, lived
from tests.store.stores import opened
from tests.store.test_log import change
from tests.store.test_segments import flip, frame_offsets


def salvage(directory: Path) -> Done:
    return run("store", "salvage", "--accept-loss", "--data-dir", str(directory))


def is_ok(directory: Path) -> bool:
    return run("store", "verify", "--data-dir", str(directory)).out.startswith("ok: ")


async def test_without_the_word_nothing_is_done(tmp_path: Path) -> None:
    directory = await killed(tmp_path / "data")
    before = contents(directory)
    done = run("store", "salvage", "--data-dir", str(directory))
    assert (done.status, done.out) == (2, "")
    assert "--accept-loss" in done.err
    assert "fresh segments" in done.err
    assert done.err.count("\n") == 1
    assert contents(directory) == before


async def test_nothing_is_done_to_a_store_that_is_well(tmp_path: Path) -> None:
    directory = await lived(tmp_path / "data")
    done = salvage(directory)
    assert (done.status, done.err) == (0, "")
    assert done.out == "nothing is damaged, nothing was changed\n"


async def test_what_was_kept_and_lost_of_the_log_is_printed(tmp_path: Path) -> None:
    directory = await killed(tmp_path / "data")
    segment = directory / "00000001.log"
    offsets = frame_offsets(segment)
    flip(segment, offsets[1] + 50)
    assert not is_ok(directory)
    done = salvage(directory)
    assert (done.status, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0].startswith("kept ")
    assert lines[1] == f"damaged: {offsets[2] - offsets[1]} octets at octet {offsets[1]} of 00000001.log"
    assert lines[2].startswith("lost: records 3 to ")
    assert lines[3] == f"what was damaged is in {directory / 'salvaged-001'}"
    assert is_ok(directory)


async def test_what_was_kept_and_lost_of_the_ledger_is_printed(tmp_path: Path) -> None:
    directory = await lived(tmp_path / "data")
    with closing(sqlite3.connect(ledger_of(directory))) as connection:
        connection.execute("UPDATE page_body SET body = zeroblob(length(body)) WHERE id = 2")
        connection.commit()
    done = salvage(directory)
    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines()[:3] == [
        "the ledger was damaged: page 2 of esme:acme is not as it was written",
        "kept 2 pages of the ledger, 1 messages that await a receipt, 1 requests held, 1 rows of history",
        "lost: 1 pages with 2 messages or deliveries",
    ]
    assert is_ok(directory)


async def test_a_ledger_that_cannot_be_read_at_all_is_printed(tmp_path: Path) -> None:
    directory = await lived(tmp_path / "data")
    change(ledger_of(directory), 0, b"\xff" * ledger_of(directory).stat().st_size)
    done = salvage(directory)
    assert done.status == 0
    assert "nothing in it could be read" in done.out
    assert "lost: records 1 to " in done.out
    assert is_ok(directory)


async def test_a_running_gateway_is_left_alone(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await live(store)
        done = salvage(tmp_path)
    assert (done.status, done.out) == (1, "")
    assert done.err == f"smppgw: {tmp_path} is in use by another gateway\n"
