from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from smppgw.cli.send import Tally, stand_of
from smppgw.library.bound import LATER, Answer, BoundEsme
from smppgw.library.delivery import DeliveryReceipt
from smppgw.library.outcome import SubmitResult, Unanswered
from smppgw.library.smsc import OnRequest, OnSubmit, Smsc
from smppgw.pdu._generated import DeliverSm, QuerySm, QuerySmResp, SubmitSm
from smppgw.pdu.codec import Pdu
from smppgw.pdu.constants import CommandStatus, MessageState, TlvTag
from smppgw.pdu.receipt import Receipt
from tests.cli.processes import SMPPGW, config_file, ended, free_port, line_with, started
from tests.cli.run import Done, run

UTC_SECONDS = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
MINUTES = r"\d{4}-\d\d-\d\dT\d\d:\d\d"


@contextmanager
def smsc(*options: str) -> Iterator[int]:
    """A loopback SMSC; yields its port."""
    with started(*SMPPGW, "smsc", "--port", "0", *options) as process:
        yield int(line_with(process.stdout, "listening on").rpartition(":")[2])
        assert ended(process, signal.SIGTERM) == 0


def send(port: int, *words: str) -> Done:
    return run(
        "send", "--port", str(port), "--system-id", "demo", "--from", "+12065550100", "--to", "+12065550199", *words
    )  # fmt: skip


def test_without_waiting_each_message_is_a_line_with_its_id() -> None:
    with smsc("--receipts", "success") as port:
        done = send(port, "--count", "5", "Hi")
    assert (done.status, done.err) == (0, "")
    assert len(set(done.out.split())) == 5


def test_with_waiting_each_receipt_is_a_line_in_words() -> None:
    with smsc("--receipts", "success") as port:
        done = send(port, "--count", "2", "--wait", "10", "Hi")
    assert (done.status, done.err) == (0, "")
    lines = [line.split(" ", 1) for line in done.out.splitlines()]
    ids = {line[0] for line in lines if len(line) == 1}
    assert len(ids) == 2
    receipts = {line[0]: line[1] for line in lines if len(line) == 2}
    assert receipts.keys() == ids
    for words in receipts.values():
        assert re.fullmatch(
            rf"delivered, accepted at {UTC_SECONDS}, done at {MINUTES} carrier's time, receipt after \d\.\d s",
            words,
        )


def test_a_long_message_is_a_line_for_each_of_its_parts() -> None:
    with smsc() as port:
        done = send(port, "--wait", "10", "x" * 400)
    assert done.status == 0
    assert done.out.count("delivered") == 3


def test_receipts_that_say_no_fail_it() -> None:
    with smsc("--receipts", "mixed", "--seed", "1") as port:
        done = send(port, "--count", "100", "--wait", "10", "Hi")
    assert done.status == 1
    assert done.out.count(" delivered") > 50
    assert " not delivered: " in done.out
    assert done.err == ""


def test_receipts_that_do_not_come_fail_it() -> None:
    with smsc("--receipts", "none") as port:
        done = send(port, "--count", "2", "--wait", "0.1", "Hi")
    assert done.status == 1
    assert done.err == "smppgw: receipts missing after 0.1 s: 2\n"
    said = "no receipt within 0.1 s: the peer does not answer query_sm (ESME_RINVCMDID)"
    ids = done.out.splitlines()[:2]
    assert done.out.splitlines()[2:] == [f"{message_id} {said}" for message_id in ids]


def test_a_wrong_password_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMPPGW_PASSWORD", "right")
    with smsc("--password", "right") as port:
        done = send(port, "--password", "wrong", "Hi")
        assert (done.status, done.out) == (1, "")
        assert done.err.count("\n") == 1
        assert "ESME_RINVPASWD" in done.err
        assert send(port, "Hi").status == 0  # the environment's


def test_nobody_there_is_one_line() -> None:
    done = send(free_port(), "Hi")
    assert (done.status, done.out) == (1, "")
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        ("--data-coding", "1", "在"),
        ("--data-coding", "0", "在"),
        ("--password", "longer-than-eight", "Hi"),
        ("\udcff",),
    ],
)
def test_what_cannot_be_sent_is_one_line(words: tuple[str, ...]) -> None:
    with smsc() as port:
        done = send(port, *words)
    assert (done.status, done.out) == (1, "")
    assert done.err.count("\n") == 1


def deliver(submit: SubmitSm, state: int, text: bytes = b"", esm_class: int = 4) -> DeliverSm:
    """A receipt for it, of the message 7."""
    return DeliverSm(
        source_addr=submit.destination_addr,
        destination_addr=submit.source_addr,
        esm_class=esm_class,
        short_message=text,
        tlvs=((TlvTag.RECEIPTED_MESSAGE_ID, b"7\0"), (TlvTag.MESSAGE_STATE, bytes((state,)))),
    )


async def sent_to(
    *,
    on_submit: OnSubmit,
    on_request: OnRequest | None = None,
    words: tuple[str, ...] = ("--wait", "10", "Hi"),
) -> Done:
    """What the command says to an SMSC that does this."""
    async with Smsc(port=0, on_submit=on_submit, on_request=on_request) as smsc:
        return await asyncio.to_thread(send, smsc.port, *words)


async def test_it_asks_for_receipts_and_for_what_comes_before_them() -> None:
    asked = []

    def on_submit(_esme: BoundEsme, submit: SubmitSm) -> str:
        asked.append(submit.registered_delivery)
        return "7"

    await sent_to(on_submit=on_submit, words=("Hi",))
    await sent_to(on_submit=on_submit, words=("--wait", "0.05", "Hi"))
    assert asked == [0, 0x11]


async def test_a_notification_on_the_way_is_a_line_of_its_own() -> None:
    def on_submit(esme: BoundEsme, submit: SubmitSm) -> str:
        esme.deliver_nowait(deliver(submit, MessageState.ENROUTE, esm_class=0x20))
        esme.deliver_nowait(deliver(submit, MessageState.EXPIRED))
        return "7"

    done = await sent_to(on_submit=on_submit)
    assert (done.status, done.err) == (1, "")
    message_id, on_its_way, ended = done.out.splitlines()
    assert message_id == "7"
    assert re.fullmatch(r"7 on its way: enroute, receipt after \d\.\d s", on_its_way)
    assert ended.startswith("7 not delivered: expired, nobody took it within its validity, accepted at ")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (QuerySmResp(b"7", b"", MessageState.ENROUTE), "on its way"),
        (QuerySmResp(b"7", b"", MessageState.ENROUTE, 27), "on its way (error_code 27)"),
        (QuerySmResp(b"7", b"", MessageState.SCHEDULED), "scheduled"),
        (QuerySmResp(b"7", b"", 99), "message_state 99"),
        (
            QuerySmResp(b"7", b"261122101304008+", MessageState.DELIVERED),
            "delivered, at 2026-11-22T08:13:04Z",
        ),
        (
            QuerySmResp(b"7", b"261322101304000+", MessageState.REJECTED, 11),
            "not delivered: rejected (error_code 11), it was refused",
        ),
        (CommandStatus.ESME_RINVMSGID, "the peer cannot say (ESME_RINVMSGID)"),
        (CommandStatus.ESME_RINVCMDID, "the peer does not answer query_sm (ESME_RINVCMDID)"),
    ],
)
async def test_of_a_message_without_a_receipt_it_asks_where_it_stands(answer: Answer, said: str) -> None:
    asked = []

    def on_request(_esme: BoundEsme, pdu: Pdu) -> Answer:
        assert isinstance(pdu, QuerySm)
        asked.append((pdu.message_id, pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr))
        return answer

    done = await sent_to(on_submit=lambda *_: "7", on_request=on_request, words=("--wait", "0.05", "Hi"))
    assert asked == [(b"7", 1, 1, b"12065550100")]
    assert done.status == 1
    assert done.out == f"7\n7 no receipt within 0.05 s: {said}\n"
    assert done.err == "smppgw: receipts missing after 0.05 s: 1\n"


def test_a_final_date_of_no_zone_is_not_shown() -> None:
    """As v3.3 peers write it."""
    assert stand_of(QuerySmResp(b"7", b"2611221013", MessageState.DELIVERED)) == "delivered"


async def test_a_peer_that_leaves_the_question_open_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("smppgw.cli.send.ASKED_SECONDS", 0.05)

    def on_request(esme: BoundEsme, pdu: Pdu) -> Answer:
        # Far too late, but in the end: else both sides would wait for it when they part.
        asyncio.get_running_loop().call_later(1.0, esme.answer, pdu, CommandStatus.ESME_RQUERYFAIL)
        return LATER

    done = await sent_to(on_submit=lambda *_: "7", on_request=on_request, words=("--wait", "0.05", "Hi"))
    assert done.status == 1
    assert done.out == "7\n7 no receipt within 0.05 s: the peer does not answer query_sm\n"


async def test_it_asks_about_no_more_than_twenty() -> None:
    ids = count(1)
    asked = []

    def on_request(_esme: BoundEsme, pdu: Pdu) -> Answer:
        asked.append(pdu)
        return QuerySmResp(b"", b"", MessageState.ENROUTE)

    done = await sent_to(
        on_submit=lambda *_: str(next(ids)),
        on_request=on_request,
        words=("--count", "25", "--wait", "0.05", "Hi"),
    )
    assert len(asked) == 20
    assert done.out.count(" no receipt within 0.05 s: on its way\n") == 20
    assert done.err == "smppgw: receipts missing after 0.05 s: 25; asked about 20 of them\n"


async def test_a_receipt_that_comes_while_it_asks_is_a_receipt() -> None:
    kept = []

    def on_submit(_esme: BoundEsme, submit: SubmitSm) -> str:
        kept.append(submit)
        return "7"

    async def on_request(esme: BoundEsme, _pdu: Pdu) -> Answer:
        await esme.deliver(deliver(kept[0], MessageState.DELIVERED))
        return QuerySmResp(b"7", b"", MessageState.ENROUTE)

    done = await sent_to(on_submit=on_submit, on_request=on_request, words=("--wait", "0.05", "Hi"))
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("7\n7 delivered, ")


def test_through_a_gateway_it_tells_what_the_gateway_knows(tmp_path: Path) -> None:
    with smsc("--receipts", "none") as carrier:
        ports = {"smpp": free_port(), "admin": free_port(), "smsc": carrier}
        file = config_file(tmp_path, **ports)
        with started(*SMPPGW, "serve", "--config", str(file)) as gateway:
            line_with(gateway.stderr, "carrier_bound")
            done = send(ports["smpp"], "--password", "demo", "--wait", "0.5", "Hi")
            assert ended(gateway, signal.SIGTERM) == 0
    message_id, stands = done.out.splitlines()
    assert stands == f"{message_id} no receipt within 0.5 s: on its way"


NOW = datetime(2026, 11, 22, 10, 13, 4, 900_000, UTC)


def tally_at(*moments: float) -> Tally:
    """One by a clock that says these seconds, in turn."""
    seconds = iter(moments)
    return Tally(wall_clock=lambda: NOW, clock=lambda: next(seconds))


def receipt(message_id: str, state: MessageState, err: str = "000", done: str = "") -> DeliveryReceipt:
    fields = Receipt(message_id, "", "", "", done, "", err, "Hi") if done else None
    return DeliveryReceipt(message_id, state, err, "", "", fields, DeliverSm())


@pytest.mark.parametrize(
    ("done", "said"),
    [
        ("", ""),
        ("0000000000", ""),
        ("2611221113", "done at 2026-11-22T11:13 carrier's time, "),
        ("261122111305", "done at 2026-11-22T11:13:05 carrier's time, "),
        ("20261122111305+0100", "done at 2026-11-22T10:13:05Z, "),
    ],
)
def test_when_it_was_delivered_is_the_carrier_s_word(
    done: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tally = tally_at(100.0, 102.54)
    tally.result(SubmitResult(SubmitSm(), 0, ("7",)), wants_receipt=True)
    tally.receipt(receipt("7", MessageState.DELIVERED, done=done))
    words = f"7 delivered, accepted at 2026-11-22T10:13:04Z, {said}receipt after 2.5 s"
    assert capsys.readouterr().out == f"7\n{words}\n"


def test_a_receipt_may_come_before_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    tally = tally_at(1.0, 1.0)
    tally.receipt(receipt("7", MessageState.DELIVERED))
    tally.result(SubmitResult(SubmitSm(), 0, ("7",)), wants_receipt=True)
    assert not tally.complete.is_set()
    tally.all_submitted()
    assert tally.complete.is_set()
    words = "7 delivered, accepted at 2026-11-22T10:13:04Z, receipt after 0.0 s"
    assert capsys.readouterr().out == f"7\n{words}\n"


def test_an_intermediate_receipt_and_another_s_are_not_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    tally = tally_at(1.0, 1.04, 61.0)
    tally.result(SubmitResult(SubmitSm(), 0, ("7",)), wants_receipt=True)
    tally.all_submitted()
    tally.receipt(receipt("7", MessageState.ENROUTE))
    tally.receipt(receipt("8", MessageState.DELIVERED))
    assert not tally.complete.is_set()
    tally.receipt(receipt("7", MessageState.UNDELIVERABLE, "034", "2611221014"))
    assert tally.complete.is_set()
    assert tally.failed
    assert capsys.readouterr().out.splitlines() == [
        "7",
        "7 on its way: enroute, receipt after 0.0 s",
        (
            "7 not delivered: undeliverable (err 034), it could not be brought to the handset, "
            "accepted at 2026-11-22T10:13:04Z, done at 2026-11-22T10:14 carrier's time, receipt after 60.0 s"
        ),
    ]


def test_a_message_without_an_answer_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    tally = Tally()
    tally.result(
        SubmitResult(SubmitSm(), None, (), Unanswered(4, "the connection was lost")), wants_receipt=True
    )
    assert tally.failed
    assert "not answered" in capsys.readouterr().out
