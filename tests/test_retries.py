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
    assert retries.add(failure, 0) == []
    assert retries.next_ns == NS
    assert retries.due(NS - 1) == ([], [])
    assert retries.due(NS) == ([one], [])
    assert retries.add(failure, 0) == []
    assert retries.next_ns == 2 * NS
    assert retries.due(2 * NS) == ([one], [])
    assert retries.add(failure, 0) == failure
    assert len(retries) == 0
    assert retries.next_ns is None


def test_a_permanent_error_is_the_last_word() -> None:
    retries = Retries(3, 1.0)
    failure = [(message(1), int(CommandStatus.ESME_RINVDSTADR))]
    assert retries.add(failure, 0) == failure


def test_one_without_an_answer_is_given_up_late() -> None:
    retries = Retries(1, 1.0)
    one = message(1)
    assert retries.add([(one, NO_RESPONSE)], 0) == []
    assert retries.due(NS) == ([], [(one, NO_RESPONSE)])


def test_what_is_due_together_comes_together_in_order() -> None:
    retries = Retries(3, 1.0)
    messages = [message(key) for key in (1, 2, 3)]
    retries.add([(each, int(CommandStatus.ESME_RSYSERR)) for each in messages], 0)
    assert retries.due(NS) == (messages, [])


def test_everything_can_be_taken_out() -> None:
    retries = Retries(3, 1.0)
    retries.add([(message(1), NO_RESPONSE), (message(2), NO_RESPONSE)], 0)
    assert [each.key for each in retries.clear()] == [1, 2]
    assert len(retries) == 0
