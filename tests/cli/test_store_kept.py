"""`smppgw store kept`: what belongs to nobody, with what is personal in it masked."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from smppgw.pdu._generated import DeliverSm
from smppgw.pdu.codec import encode
from smppgw.pdu.constants import HEADER_OCTETS, MessageState
from smppgw.store.entries import Delivery
from smppgw.store.wal import WalStore
from tests.cli.run import Done, run
from tests.cli.test_store_show import MOMENT
from tests.peers import receipt_for, submit_sm
from tests.store.stores import opened
from tests.store.test_contract import delivery, receive

HANDSET, NUMBER = "16665550123", "12065550199"
SECOND_NS = 1_000_000_000

MO = DeliverSm(
    source_addr=HANDSET.encode(), destination_addr=NUMBER.encode(), short_message=b"STOP, says I to ya"
)
RECEIPT = receipt_for(submit_sm(3), b"unknown-7", MessageState.UNDELIVERABLE)


def nobodys(kind: str, pdu: DeliverSm, *, seconds_ago: int) -> Delivery:
    body = encode(pdu)[HEADER_OCTETS:]
    received_ns = time.monotonic_ns() - seconds_ago * SECOND_NS
    return Delivery("", "mo" if kind == "mo" else "receipt", 5, body, len(body), received_ns)


@asynccontextmanager
async def keeping(directory: Path) -> AsyncIterator[WalStore]:
    """A store that is open, where one message of a handset and one receipt are kept."""
    async with opened(directory) as store:
        await receive(store, delivery(1), nobodys("mo", MO, seconds_ago=200))
        await receive(store, nobodys("receipt", RECEIPT, seconds_ago=20))
        yield store


def kept(directory: Path, *options: str) -> Done:
    done = run("store", "kept", *options, "--data-dir", str(directory))
    assert (done.status, done.err) == (0, "")
    return done


def lines_of(done: Done) -> list[str]:
    """The lines, with neither columns, nor moments, nor what masks numbers."""
    lines = (" ".join(line.split()) for line in done.out.splitlines())
    return [re.sub(r"#[0-9a-f]{8}", "#", re.sub(MOMENT, "WHEN", line)) for line in lines]


async def test_what_is_nobody_s_is_listed_for_people(tmp_path: Path) -> None:
    async with keeping(tmp_path):
        running = lines_of(kept(tmp_path))
    stopped = lines_of(kept(tmp_path))
    assert running == ["in use by a running gateway", *stopped]
    listed = [re.sub(r"\d+\.\d s", "SOME s", re.sub(r" 3 min \d+ s", " MINUTES", line)) for line in stopped]
    assert listed == [
        "kept, and nobody's: 1 message, 1 receipt",
        "",
        "came kept for kind from to",
        "WHEN MINUTES message 1*23# 1*99# 18 octets, data_coding 0",
        "WHEN SOME s receipt 1*03# 1*00# id unknown-7, stat UNDELIV, err 000",
    ]


async def test_what_is_nobody_s_is_listed_for_scripts(tmp_path: Path) -> None:
    async with keeping(tmp_path):
        message, receipt = kept(tmp_path, "--json").objects
    for found, seconds in ((message, 200), (receipt, 20)):
        assert re.fullmatch(MOMENT, found.pop("received"))
        assert 0 <= found.pop("kept_seconds") - seconds < 60
        for name in ("source_addr", "destination_addr"):
            assert re.fullmatch(r"1\*\d\d#[0-9a-f]{8}", found.pop(name))
    assert message == {"kind": "mo", "command": "deliver_sm", "data_coding": 0, "text_octets": 18}
    assert receipt == {
        "kind": "receipt",
        "command": "deliver_sm",
        "data_coding": 0,
        "text_octets": len(RECEIPT.short_message),
        "carrier_message_id": "unknown-7",
        "stat": "UNDELIV",
        "err": "000",
    }


async def test_nothing_personal_is_listed_unless_it_is_to_be_clear(tmp_path: Path) -> None:
    async with keeping(tmp_path):
        for options in ((), ("--json",)):
            masked, clear = kept(tmp_path, *options), kept(tmp_path, *options, "--clear")
            for personal in (HANDSET, NUMBER, "STOP, says I to ya"):
                assert personal not in masked.out
                assert personal in clear.out
        message, receipt = kept(tmp_path, "--json", "--clear").objects
    assert "pdu" not in masked.objects[0]
    assert bytes.fromhex(message["pdu"])[HEADER_OCTETS:] == encode(MO)[HEADER_OCTETS:]
    decoded = run("decode", "--json", receipt["pdu"])
    assert decoded.status == 0
    assert decoded.objects[0]["command"] == "deliver_sm"


async def test_a_number_is_masked_alike_in_every_line(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await receive(store, *(nobodys("mo", MO, seconds_ago=2 - number) for number in range(2)))
        first, second = kept(tmp_path, "--json").objects
    assert first["source_addr"] == second["source_addr"]


async def test_with_a_limit_the_newest_are_listed(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        for number in range(5):
            pdu = DeliverSm(source_addr=b"", destination_addr=b"", short_message=b"%d" % number)
            await receive(store, nobodys("mo", pdu, seconds_ago=5 - number))
        found = kept(tmp_path, "--json", "--clear", "--limit", "2").objects
        people = kept(tmp_path, "--limit", "2")
        more = kept(tmp_path, "--limit", "9")
    assert [each["text"] for each in found] == ["3", "4"]
    assert people.out.splitlines()[1] == "kept, and nobody's: 5 messages; the newest 2:"
    assert more.out.splitlines()[1] == "kept, and nobody's: 5 messages"


async def test_what_no_pdu_is_is_said_not_raised(tmp_path: Path) -> None:
    """Numbers are read as far as they can be: a carrier's optional parameter may be cut short."""
    cut = Delivery("", "mo", 5, encode(MO)[HEADER_OCTETS:] + b"\x04\x24\x00\x09x", 60, time.monotonic_ns())
    async with opened(tmp_path) as store:
        await receive(store, delivery(7, ""), cut)
        garbage, readable = kept(tmp_path, "--json", "--clear").objects
        lines = kept(tmp_path).out.splitlines()
    assert garbage["unreadable"].startswith("9 octets: ")
    assert readable["unreadable"].endswith("message_payload claims 9 octets, 1 are left")
    assert (readable["source_addr"], readable["destination_addr"]) == (HANDSET, NUMBER)
    assert "receipt  ?" in lines[-2]


async def test_what_peers_wrote_does_nothing_to_a_terminal(tmp_path: Path) -> None:
    evil = DeliverSm(source_addr=b"\x1b[2J", destination_addr=b"A\nB", short_message=b"\r\n\n")
    async with opened(tmp_path) as store:
        await receive(store, nobodys("mo", evil, seconds_ago=1))
        for options in ((), ("--clear",)):
            out = kept(tmp_path, *options).out
            assert len(out.splitlines()) == 5
            assert out.replace("\n", "").isprintable()


async def test_where_nothing_is_kept_that_is_said(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await receive(store, delivery(1))
    assert kept(tmp_path).out == "nothing is kept\n"
    assert kept(tmp_path, "--json").out == ""
