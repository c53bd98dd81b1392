"""`smppgw store verify` and `stats`, on stores that are stopped, running, damaged, or none."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from smppgw.early import shelf_of
from smppgw.settings import GatewaySettings, StoreSettings
from tests.cli.run import run
from tests.store.lived import contents, killed, ledger_of, live, lived
from tests.store.stores import opened
from tests.store.test_contract import delivery, held, receive
from tests.store.test_log import change
from tests.store.test_segments import flip, frame_offsets
from tests.support import a_carrier, an_esme, running, settings_of

LOOKS = [("verify",), ("stats",), ("show", "0123456789abcdef"), ("kept",), ("salvage", "--accept-loss")]


async def test_a_store_that_is_well_is_ok(tmp_path: Path) -> None:
    directory = await lived(tmp_path / "data")
    done = run("store", "verify", "--data-dir", str(directory))
    assert (done.status, done.err) == (0, "")
    assert re.fullmatch(
        r"ok: \d+ segments, \d+ records, last lsn \d+, 3 pages and 1 rows of history in the ledger\n",
        done.out,
    )


async def test_a_torn_tail_is_said_and_ok(tmp_path: Path) -> None:
    directory = await killed(tmp_path / "data")
    segment = directory / "00000001.log"
    last = frame_offsets(segment)[-1]
    flip(segment, last + 50)
    done = run("store", "verify", "--data-dir", str(directory))
    assert done.status == 0
    assert re.search(rf"a torn tail of \d+ octets at octet {last} of 00000001.log", done.out)


async def test_the_first_damage_is_one_line_with_what_to_do(tmp_path: Path) -> None:
    directory = await killed(tmp_path / "data")
    segment = directory / "00000001.log"
    offset = frame_offsets(segment)[1]
    flip(segment, offset + 50)
    before = contents(directory)
    for words in LOOKS[:4]:
        done = run("store", *words, "--data-dir", str(directory))
        assert (done.status, done.out) == (1, "")
        assert done.err.startswith(f"smppgw: {segment} is damaged at octet {offset}: the checksum")
        assert "salvage --accept-loss" in done.err
        assert done.err.count("\n") == 1
    assert contents(directory) == before


async def test_a_damaged_ledger_is_one_line_with_what_to_do(tmp_path: Path) -> None:
    directory = await lived(tmp_path / "data")
    change(ledger_of(directory), 0, b"\xff" * 8192)
    for words in LOOKS[:4]:
        done = run("store", *words, "--data-dir", str(directory))
        assert (done.status, done.out) == (1, "")
        assert done.err.startswith(f"smppgw: {ledger_of(directory)}: the ledger is damaged (")
        assert "salvage --accept-loss" in done.err
        assert done.err.count("\n") == 1


@pytest.mark.parametrize("words", LOOKS, ids=lambda words: words[0])
@pytest.mark.parametrize(
    "make",
    [
        lambda path: None,
        Path.mkdir,
        lambda path: path.write_bytes(b""),
        lambda path: path.symlink_to(path),
        lambda path: (path / "00000001.log").mkdir(parents=True),
        lambda path: (path / "ledger.sqlite").mkdir(parents=True),
    ],
    ids=["nothing", "empty", "file", "loop", "directory-as-segment", "directory-as-ledger"],
)
def test_where_no_store_is_that_is_one_line(
    tmp_path: Path, make: Callable[[Path], object], words: tuple[str, ...]
) -> None:
    make(tmp_path / "data")
    done = run("store", *words, "--data-dir", str(tmp_path / "data"))
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith(f"smppgw: {tmp_path / 'data'}")
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("nonsense",),
        ("verify",),
        ("stats", "--data-dir"),
        ("show", "--data-dir", "x"),
        ("kept", "--limit", "0", "--data-dir", "x"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(words: tuple[str, ...]) -> None:
    done = run("store", *words)
    assert (done.status, done.out) == (2, "")
    assert done.err.count("\n") == 1


async def test_a_running_gateway_is_looked_into_and_goes_on(tmp_path: Path) -> None:
    """A gateway as it runs, without its carrier."""
    settings = settings_of(
        an_esme(),
        carriers=(a_carrier(1),),
        gateway=GatewaySettings(data_dir=tmp_path / "data", drain_timeout=1.0),
        store=StoreSettings(),
    )
    async with running(settings, bound=False) as gateway:
        for words in (("verify",), ("stats",), ("kept",)):
            done = await asyncio.to_thread(run, "store", *words, "--data-dir", str(tmp_path / "data"))
            assert (done.status, done.err) == (0, "")
            assert "in use by a running gateway" in done.out
        assert gateway.store.healthy


async def test_what_is_there_is_counted_for_people(tmp_path: Path) -> None:
    directory = await lived(tmp_path / "data")
    done = run("store", "stats", "--data-dir", str(directory))
    assert (done.status, done.err) == (0, "")
    lines = [" ".join(line.split()) for line in done.out.splitlines()]
    assert lines[0].startswith("log ")
    assert lines[1:] == [
        "",
        "messages",
        "queued 2",
        "scheduled or put off 1",
        "awaiting a receipt 1",
        "ended DELIVERED 1",
        "ended UNDELIVERABLE 1",
        "held on early/sink 1",
        "",
        "lane queued deferred",
        "otp 1 1",
        "promotional 1 0",
        "",
        "ESME accepted queued waiting deliveries",
        "acme 5 2 2",
        "shop 1 1 1",
        "",
        "carrier submitted awaiting receipt",
        "sink 2 1",
    ]


async def test_what_is_there_is_counted_for_scripts(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await live(store)
        [counted] = run("store", "stats", "--json", "--data-dir", str(tmp_path)).objects
    assert counted.pop("log_octets") > 0
    assert counted.pop("ledger_octets") > 0
    assert counted == {
        "in_use": True,
        "messages": {
            "queued": 2,
            "deferred": 1,
            "awaiting_receipt": 1,
            "ended": {"DELIVERED": 1, "UNDELIVERABLE": 1},
        },
        "lanes": {"otp": {"queued": 1, "deferred": 1}, "promotional": {"queued": 1, "deferred": 0}},
        "esmes": {
            "acme": {"accepted": 5, "queued": 2, "waiting_deliveries": 2},
            "shop": {"accepted": 1, "queued": 1, "waiting_deliveries": 1},
        },
        "carriers": {"sink": {"submitted": 2, "awaiting_receipt": 1}},
        "shelves": {"early/sink": {"held": 1}},
        "kept": 0,
    }


async def test_what_waits_for_others_and_what_is_nobody_s_is_counted(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        store.hold(shelf_of("sink"), [held(b"1"), held(b"2")], 9)
        store.hold("parts/sink", [held(b"3")], 9)
        await receive(store, delivery(1, ""), delivery(2, ""), delivery(3))
        [counted] = run("store", "stats", "--json", "--data-dir", str(tmp_path)).objects
        lines = run("store", "stats", "--data-dir", str(tmp_path)).out.splitlines()
    assert counted["kept"] == 2
    assert counted["shelves"] == {"parts/sink": {"held": 1}, "receipts/sink": {"held": 2}}
    assert list(counted["esmes"]) == ["acme"]
    assert [" ".join(line.split()) for line in lines if " of sink " in line or "nobody" in line] == [
        "parts of sink that wait for other parts 1",
        "receipts of sink that wait for a response 2",
        "kept, and nobody's 2",
    ]
