from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from smppgw.cli.send import Tally
from smppgw.library.delivery import DeliveryReceipt
from smppgw.library.outcome import SubmitResult, Unanswered
from smppgw.pdu._generated import DeliverSm, SubmitSm
from smppgw.pdu.constants import MessageState
from tests.cli.processes import SMPPGW, ended, free_port, line_with, started
from tests.cli.run import Done, run


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
    assert {(line[0], line[1]) for line in lines if len(line) == 2} == {(i, "delivered") for i in ids}


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


def receipt(message_id: str, state: MessageState, err: str = "000") -> DeliveryReceipt:
    return DeliveryReceipt(message_id, state, err, "", "", None, DeliverSm())


def test_a_receipt_may_come_before_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    tally = Tally()
    tally.receipt(receipt("7", MessageState.DELIVERED))
    tally.result(SubmitResult(SubmitSm(), 0, ("7",)), wants_receipt=True)
    assert not tally.complete.is_set()
    tally.all_submitted()
    assert tally.complete.is_set()
    assert capsys.readouterr().out == "7\n7 delivered\n"


def test_an_intermediate_receipt_and_another_s_are_not_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    tally = Tally()
    tally.result(SubmitResult(SubmitSm(), 0, ("7",)), wants_receipt=True)
    tally.all_submitted()
    tally.receipt(receipt("7", MessageState.ENROUTE))
    tally.receipt(receipt("8", MessageState.DELIVERED))
    assert not tally.complete.is_set()
    tally.receipt(receipt("7", MessageState.UNDELIVERABLE, "034"))
    assert tally.complete.is_set()
    assert tally.failed
    assert capsys.readouterr().out == "7\n7 not delivered: undeliverable (err 034)\n"


def test_a_message_without_an_answer_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    tally = Tally()
    tally.result(
        SubmitResult(SubmitSm(), None, (), Unanswered(4, "the connection was lost")), wants_receipt=True
    )
    assert tally.failed
    assert "not answered" in capsys.readouterr().out
