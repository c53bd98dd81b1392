"""`smppgw store show`: one message's life, with what is personal in it masked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from smppgw.message_ids import id_of
from smppgw.store.entries import Message, Outcome
from smppgw.store.wal import WalStore
from smppgw.telling import envelope_of
from tests.cli.run import run
from tests.store.lived import AWAITING, DEFERRED, FAILED, FINISHED, KEY, QUEUED, killed, live, lived, real
from tests.store.stores import opened
from tests.store.test_contract import DELIVERED, accept, fail, picked, receive, submit

MOMENT = r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
REFUSED = Outcome(5, "permanent_number", "00B")
NUMBER_IS_BAD = Outcome(5, "permanent_number", "012")


def shown(directory: Path, key: int, *options: str) -> dict[str, Any]:
    done = run("store", "show", f"{key:016x}", "--json", *options, "--data-dir", str(directory))
    assert (done.status, done.err) == (0, "")
    [document] = done.objects
    return document


def told(directory: Path, key: int, *options: str) -> list[str]:
    """The lines for people, with neither columns, nor moments, nor spans."""
    done = run("store", "show", f"{key:016X}", *options, "--data-dir", str(directory))
    assert (done.status, done.err) == (0, "")
    lines = (" ".join(line.split()) for line in done.out.splitlines())
    return [re.sub(r"after [\d.]+ m?s", "after SPAN", re.sub(MOMENT, "WHEN", line)) for line in lines]


async def test_a_message_is_shown_from_its_acceptance_to_its_end(tmp_path: Path) -> None:
    directory = await killed(tmp_path / "data")
    found = shown(directory, FINISHED)
    for name in ("accepted", "final"):
        assert re.fullmatch(MOMENT, found.pop(name))
    [submitted] = found.pop("submitted")
    assert re.fullmatch(MOMENT, submitted.pop("at"))
    assert submitted == {"carrier": "sink", "carrier_message_id": f"{KEY}-finished"}
    assert 0 <= found.pop("seconds") < 60
    for name in ("source_addr", "destination_addr"):
        assert re.fullmatch(r"1\*00#[0-9a-f]{8}", found.pop(name))
    assert found == {
        "message_id": f"{KEY:016x}",
        "esme": "acme",
        "stands": "ended",
        "state": "DELIVERED",
        "outcome": {
            "state": "DELIVERED",
            "class": "delivered",
            "words": "the handset has it",
            "err": "000",
        },
        "never_sent": False,
        "due": None,
        "expires": None,
        "lane": "otp",
        "attempts": 0,
        "registered_delivery": 1,
        "data_coding": 0,
        "text_octets": 9,
        "parts": [],
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


async def test_its_life_is_told_to_people(tmp_path: Path) -> None:
    directory = await killed(tmp_path / "data")
    assert told(directory, FINISHED, "--clear") == [
        f"message_id {KEY:016x}",
        "state delivered",
        "esme acme",
        "source_addr 12065550100",
        "destination_addr 16660000000",
        "text 9 octets, data_coding 0",
        '"message 0"',
        "asked for receipt",
        "",
        "accepted WHEN from acme",
        "queued WHEN in lane otp",
        f"sent WHEN to sink, which calls it {KEY}-finished",
        "delivered WHEN after SPAN: the handset has it (DELIVERED, err 000)",
    ]


async def test_what_is_told_of_each_state_is_where_it_stands(tmp_path: Path) -> None:
    directory = await killed(tmp_path / "data")
    endings = {
        AWAITING: [
            f"sent WHEN to sink, which calls it {KEY}-awaiting",
            "on its way the carrier has not said yet what became of it",
        ],
        DEFERRED: ["queued WHEN in lane otp", "waits until WHEN put off after 1 attempt without success"],
        QUEUED: ["accepted WHEN from acme", "queued WHEN in lane otp"],
    }
    assert {key: told(directory, key)[-2:] for key in endings} == endings


async def test_what_is_not_known_any_more_is_said(tmp_path: Path) -> None:
    """All that is left of a finished message is the history; of one that waits for its receipt, its envelope too."""
    async with opened(tmp_path, envelope_of=envelope_of) as store:
        await live(store)
    async with opened(tmp_path):
        pass
    assert told(tmp_path, FINISHED) == [
        f"message_id {KEY:016x}",
        "state delivered",
        "esme acme",
        "numbers not kept any more",
        "text not kept any more",
        "",
        "accepted WHEN from acme",
        f"sent WHEN to sink, which calls it {KEY}-finished",
        "delivered WHEN after SPAN: the handset has it (DELIVERED, err 000)",
    ]
    found = shown(tmp_path, AWAITING, "--clear")
    assert (found["source_addr"], found["destination_addr"]) == ("12065550100", "16660000001")
    assert not {"text", "text_octets"} & found.keys()
    found = shown(tmp_path, AWAITING)
    assert re.fullmatch(r"1\*01#[0-9a-f]{8}", found["destination_addr"])


async def test_a_refusal_is_told_by_the_name_of_its_command_status(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await accept(store, real(KEY))
        await fail(store, *await picked(lambda then: store.pick([KEY], then)), outcome=REFUSED)
        found = shown(tmp_path, KEY)
        assert found["outcome"] == {
            "state": "UNDELIVERABLE",
            "class": "permanent_number",
            "words": "the number cannot get messages",
            "err": "00B",
        }
        assert (found["never_sent"], found["submitted"]) == (True, [])
        lines = told(tmp_path, KEY)
    assert lines[1] == "state not delivered: the number cannot get messages"
    what, _, why = lines[-1].partition(" after SPAN: ")
    assert (lines[-2], what) == ("queued WHEN in lane otp", "not delivered WHEN")
    assert why == "the number cannot get messages (UNDELIVERABLE, the answer was ESME_RINVDSTADR)"


async def split(store: WalStore) -> list[Message]:
    """A message of three parts, handed out."""
    parts = [real(KEY + at, short_message=text) for at, text in enumerate((b"one ", b"two ", b"three"))]
    for part in parts:
        part.parts, part.message_id = 3, id_of(KEY, long=True)
    await accept(store, *parts)
    return await picked(lambda then: store.pick(range(KEY, KEY + 3), then))


async def test_of_a_message_that_was_split_each_part_is_told(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        first, second, third = await split(store)
        await submit(store, (first, b"c-1"), (second, b"c-2"), finished=[(b"c-2", NUMBER_IS_BAD)])
        store.give_back([third])
        found = shown(tmp_path, KEY, "--clear")
        lines = told(tmp_path, KEY)
    assert (found["stands"], found["state"], found["outcome"]) == ("queued", "ENROUTE", None)
    assert (found["text"], found["text_octets"]) == ("one two three", 13)
    assert [each["carrier_message_id"] for each in found["submitted"]] == ["c-1", "c-2"]
    parts = [(part["stands"], part["state"], part["text"]) for part in found["parts"]]
    assert parts == [
        ("submitted", "ENROUTE", "one "),
        ("ended", "UNDELIVERABLE", "two "),
        ("queued", "ENROUTE", "three"),
    ]
    assert found["parts"][1]["outcome"]["err"] == "012"
    assert lines[1] == "state queued (0 of 3 parts delivered)"
    assert lines[lines.index("") + 1 :] == [
        "accepted WHEN from acme, and split into 3 parts",
        "queued WHEN in lane otp",
        "",
        "part 1 4 octets",
        "sent WHEN to sink, which calls it c-1",
        "on its way the carrier has not said yet what became of it",
        "",
        "part 2 4 octets",
        "sent WHEN to sink, which calls it c-2",
        "not delivered WHEN after SPAN: the number cannot get messages (UNDELIVERABLE, err 012)",
        "",
        "part 3 5 octets",
        "queued no carrier has it yet",
    ]


async def test_all_parts_together_come_to_what_the_esme_is_told(tmp_path: Path) -> None:
    """The outcome of the first part that was not delivered, when the last one has ended."""
    async with opened(tmp_path) as store:
        parts = await split(store)
        ids = [b"c-%d" % number for number in range(3)]
        ends = [DELIVERED, NUMBER_IS_BAD, DELIVERED]
        await submit(store, *zip(parts, ids, strict=True))
        for carrier_id, end in zip(ids, ends, strict=True):
            assert shown(tmp_path, KEY)["stands"] == "submitted"
            await receive(store, finished=[(carrier_id, end)])
        found = shown(tmp_path, KEY)
        state = told(tmp_path, KEY)[1]
    assert (found["stands"], found["state"], found["outcome"]["err"]) == ("ended", "UNDELIVERABLE", "012")
    assert found["final"] == found["parts"][-1]["final"]
    assert state == "state not delivered: the number cannot get messages (2 of 3 parts delivered)"


async def test_a_part_that_is_not_known_any_more_is_said_and_waited_for_no_more(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        message = real(KEY)
        message.parts = 2
        await accept(store, message)
        await submit(store, (message, b"c-1"), finished=[(b"c-1", DELIVERED)])
        found = shown(tmp_path, KEY)
        lines = told(tmp_path, KEY)
    assert (found["stands"], found["state"], "text_octets" in found) == ("ended", "DELIVERED", False)
    assert (found["parts"][1]["stands"], found["parts"][1]["state"]) == ("unknown", None)
    assert lines[-2:] == ["part 2", "nothing is known of it any more"]


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
