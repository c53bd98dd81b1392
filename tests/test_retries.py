from __future__ import annotations

import pytest

from smppgw.pdu.constants import CommandStatus
from smppgw.retries import NO_RESPONSE, Retries, is_temporary
from smppgw.session.timers import NS
from smppgw.store.entries import Message


def message(key: int) -> Message:
    return Message(key, b"%x" % key, "acme", "lane", 4, b"body", 1, 0)


@pytest.mark.parametrize(
    ("status", "temporary"),
    [
        (CommandStatus.ESME_RSYSERR, True),
        (CommandStatus.ESME_RSUBMITFAIL, True),
        (NO_RESPONSE, True),
        (0x400, True),
        (0x4FF, True),
        (0x12345678, True),
        (CommandStatus.ESME_RINVDSTADR, False),
        (CommandStatus.ESME_RINVSRCADR, False),
        (CommandStatus.ESME_RPROHIBITED, False),
    ],
)
def test_what_may_go_better_later(status: int, temporary: bool) -> None:
    assert is_temporary(status) is temporary


def test_each_attempt_waits_twice_as_long_until_there_is_none_left() -> None:
    retries = Retries(3, 1.0)
    one = message(1)
    failure = [(one, int(CommandStatus.ESME_RSYSERR))]
    assert retries.failed(failure, 5) == ([one], [])
    assert (one.due_ns, one.attempts, retries.is_spent(one)) == (NS + 5, 1, False)
    assert retries.failed(failure, 5) == ([one], [])
    assert (one.due_ns, one.attempts, retries.is_spent(one)) == (2 * NS + 5, 2, False)
    assert retries.failed(failure, 5) == ([], failure)


def test_a_permanent_error_is_the_last_word() -> None:
    retries = Retries(3, 1.0)
    failure = [(message(1), int(CommandStatus.ESME_RINVDSTADR))]
    assert retries.failed(failure, 0) == ([], failure)


def test_one_without_an_answer_waits_before_it_is_given_up() -> None:
    retries = Retries(1, 1.0)
    one = message(1)
    assert retries.failed([(one, NO_RESPONSE)], 0) == ([one], [])
    assert (one.due_ns, retries.is_spent(one)) == (NS, True)


def test_those_that_wait_and_those_that_are_given_up_are_told_apart_in_order() -> None:
    retries = Retries(3, 1.0)
    statuses = (CommandStatus.ESME_RSYSERR, CommandStatus.ESME_RINVDSTADR) * 2
    messages = [message(key) for key in range(4)]
    waiting, hopeless = retries.failed(zip(messages, map(int, statuses), strict=True), 0)
    assert waiting == messages[::2]
    assert [each for each, _ in hopeless] == messages[1::2]
