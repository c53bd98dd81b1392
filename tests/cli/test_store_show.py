"""`smppgw store show`: one message's life, with what is personal in it masked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.run import run
from tests.store.lived import AWAITING, DEFERRED, FAILED, FINISHED, KEY, QUEUED, killed, live, lived, real
from tests.store.stores import opened
from tests.store.test_contract import accept

MOMENT = r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


def shown(directory: Path, key: int, *options: str) -> dict[str, Any]:
    done = run("store", "show", f"{key:016x}", "--json", *options, "--data-dir", str(directory))
    assert (done.status, done.err) == (0, "")
    [document] = done.objects
    return document


async def test_a_message_is_shown_from_its_acceptance_to_its_end(tmp_path: Path) -> None:
    directory = await killed(tmp_path / "data")
    found = shown(directory, FINISHED)
    for name in ("accepted", "final"):
        assert re.fullmatch(MOMENT, found.pop(name))
    [submitted] = found.pop("submitted")
    assert re.fullmatch(MOMENT, submitted.pop("at"))
    assert submitted == {"carrier": "sink", "carrier_message_id": f"{KEY}-finished"}
    for name in ("source_addr", "destination_addr"):
        assert re.fullmatch(r"1\*00#[0-9a-f]{8}", found.pop(name))
    assert found == {
        "message_id": f"{KEY:016x}",
        "esme": "acme",
        "stands": "ended",
        "state": "DELIVERED",
        "due": None,
        "expires": None,
        "lane": "r/otp",
        "attempts": 0,
        "registered_delivery": 1,
        "data_coding": 0,
        "text_octets": 9,
        "in_use": False,
    }


async def test_each_state_has_its_words(tmp_path: Path) -> None:
    directory = await killed(tmp_path / "data")
    stands = {
        key: (found["stands"], found["state"])
        for key in (AWAITING, FAILED, DEFERRED, QUEUED)
        if (found := shown(directory, key))
    }
    assert stands == {
        AWAITING: ("submitted", "ENROUTE"),
        FAILED: ("ended", "UNDELIVERABLE"),
        DEFERRED: ("deferred", "ENROUTE"),
        QUEUED: ("queued", "ENROUTE"),
    }


async def test_nothing_personal_is_shown_unless_it_is_to_be_clear(tmp_path: Path) -> None:
    directory = await lived(tmp_path / "data")
    for words in ((), ("--json",)):
        masked = run("store", "show", f"{QUEUED:016x}", *words, "--data-dir", str(directory))
        assert masked.status == 0
        for personal in ("12065550100", "16660000004", "message 4"):
            assert personal not in masked.out
        clear = run("store", "show", f"{QUEUED:016x}", *words, "--clear", "--data-dir", str(directory))
        for personal in ("12065550100", "16660000004", "message 4"):
            assert personal in clear.out


async def test_the_text_of_a_part_of_a_long_message_is_shown_without_its_header(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        text = b"\x05\0\x03\x07\x02\x01" + "ünï".encode("utf-16-be")
        await accept(store, real(KEY, esm_class=0x40, data_coding=8, short_message=text, source_addr=b"ACME"))
        found = shown(tmp_path, KEY, "--clear")
        assert (found["text"], found["text_octets"], found["data_coding"]) == ("ünï", 12, 8)
        found = shown(tmp_path, KEY)
        assert "text" not in found
        assert (found["source_addr"], found["in_use"]) == ("ACME", True)


async def test_what_no_pdu_is_is_said_not_raised(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        message = real(KEY)
        message.body = b"\xff\xff\xff"
        await accept(store, message)
        assert shown(tmp_path, KEY)["unreadable"].startswith("3 octets: ")


async def test_it_is_a_table_for_people(tmp_path: Path) -> None:
    directory = await killed(tmp_path / "data")
    done = run("store", "show", f"{FINISHED:016X}", "--clear", "--data-dir", str(directory))
    assert (done.status, done.err) == (0, "")
    lines = [re.sub(MOMENT, "WHEN", " ".join(line.split())) for line in done.out.splitlines()]
    assert lines == [
        f"message_id {KEY:016x}",
        "state DELIVERED since WHEN",
        "esme acme",
        "lane r/otp",
        "accepted WHEN",
        "attempts put off 0",
        "receipt asked for yes",
        "source_addr 12065550100",
        "destination_addr 16660000000",
        "text 9 octets, data_coding 0",
        '"message 0"',
        f"submitted WHEN to sink as {KEY}-finished",
    ]


async def test_eight_digits_are_the_newest_message_that_ends_in_them(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await live(store)
        await live(store, KEY + (1 << 32))
        done = run("store", "show", f"{KEY & 0xFFFF_FFFF:08x}", "--json", "--data-dir", str(tmp_path))
    assert done.objects[0]["message_id"] == f"{KEY + (1 << 32):016x}"


async def test_one_that_is_not_known_is_one_line(tmp_path: Path) -> None:
    directory = await lived(tmp_path / "data")
    for message_id in (f"{KEY + 6:016x}", "00000001", "ffffffffffffffff"):
        done = run("store", "show", message_id, "--data-dir", str(directory))
        assert (done.status, done.out) == (1, "")
        assert done.err.startswith(f"smppgw: no message {message_id} is known in {directory}")
        assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    "message_id", ["", "1", "0123456789abcdefg", "xyzxyzxy", "0" * 16, "é" * 8, "a\nb\nc\nd\n"]
)
def test_what_no_id_can_be_is_wrong_usage(tmp_path: Path, message_id: str) -> None:
    done = run("store", "show", message_id, "--data-dir", str(tmp_path))
    assert (done.status, done.out) == (2, "")
    assert "16 or 8 hexadecimal digits" in done.err
    assert done.err.count("\n") == 1
