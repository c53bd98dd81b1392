from __future__ import annotations

from typing import get_args

import pytest

from smppgw.error_classes import Meanings
from smppgw.pdu.constants import CommandStatus, MessageState
from smppgw.retries import CAP_DELAY_MOST_NS, CAP_DELAY_NS, NO_RESPONSE, Retries, slows_down
from smppgw.session.timers import NS
from smppgw.settings import GatewaySettings
from smppgw.store.entries import Message, Outcome
from smppgw.tables import ErrorClass

DAY_NS = 24 * 3600 * NS
HOPELESS = (
    "delivered",
    "pending",
    "permanent_number",
    "permanent_sender",
    "permanent_message",
    "opted_out",
    "expired",
)
SYSTEM_ERROR = Meanings(None).status(CommandStatus.ESME_RSYSERR, MessageState.UNDELIVERABLE)
NO_SUCH_NUMBER = Meanings(None).status(CommandStatus.ESME_RINVDSTADR, MessageState.UNDELIVERABLE)


def message(key: int) -> Message:
    return Message(key, b"%x" % key, "acme", "lane", 4, b"body", 1, 0)


@pytest.mark.parametrize("error_class", get_args(ErrorClass))
def test_the_class_says_whether_there_is_another_try(error_class: str) -> None:
    failure = [(message(1), Outcome(MessageState.UNDELIVERABLE, error_class, "001"))]
    waiting, hopeless = Retries(3, 1.0).failed(failure, 0)
    if error_class in HOPELESS:
        assert (waiting, hopeless) == ([], failure)
    else:
        assert (waiting, hopeless) == ([failure[0][0]], [])


@pytest.mark.parametrize("status", [0x09, 0x400, 0x4FF, 0x12345678])
def test_a_status_that_nobody_has_explained_is_tried_again(status: int) -> None:
    one = message(1)
    assert Retries(3, 1.0).failed([(one, Meanings(None).status(status, 5))], 0) == ([one], [])
    assert one.due_ns == NS


def test_each_attempt_waits_twice_as_long_until_there_is_none_left() -> None:
    retries = Retries(3, 1.0)
    one = message(1)
    failure = [(one, SYSTEM_ERROR)]
    assert retries.failed(failure, 5) == ([one], [])
    assert (one.due_ns, one.attempts, retries.is_spent(one)) == (NS + 5, 1, False)
    assert retries.failed(failure, 5) == ([one], [])
    assert (one.due_ns, one.attempts, retries.is_spent(one)) == (2 * NS + 5, 2, False)
    assert retries.failed(failure, 5) == ([], failure)


def test_one_without_an_answer_waits_before_it_is_given_up() -> None:
    retries = Retries(1, 1.0)
    one = message(1)
    assert retries.failed([(one, NO_RESPONSE)], 0) == ([one], [])
    assert (one.due_ns, retries.is_spent(one)) == (NS, True)


def test_a_carrier_that_answers_with_an_unknown_error_is_not_taken_for_one_without_an_answer() -> None:
    answered = Meanings(None).status(CommandStatus.ESME_RUNKNOWNERR, MessageState.UNDELIVERABLE)
    assert answered == NO_RESPONSE
    failure = [(message(1), answered)]
    assert Retries(1, 1.0).failed(failure, 0) == ([], failure)


def test_those_that_wait_and_those_that_are_given_up_are_told_apart_in_order() -> None:
    messages = [message(key) for key in range(4)]
    failures = zip(messages, (SYSTEM_ERROR, NO_SUCH_NUMBER) * 2, strict=True)
    waiting, hopeless = Retries(3, 1.0).failed(failures, 0)
    assert waiting == messages[::2]
    assert hopeless == [(messages[1], NO_SUCH_NUMBER), (messages[3], NO_SUCH_NUMBER)]


def waits_at_the_cap(max_attempts: int, first_delay: float) -> list[int]:
    retries, one = Retries(max_attempts, first_delay), message(1)
    waits = []
    while retries.failed([(one, Outcome(MessageState.UNDELIVERABLE, "cap", "542"))], 0)[0]:
        waits.append(one.due_ns)
    return waits


def test_a_cap_is_waited_for_in_hours_and_longer_than_its_day() -> None:
    defaults = GatewaySettings()
    waits = waits_at_the_cap(defaults.max_attempts, defaults.retry_delay)
    assert waits == [CAP_DELAY_NS << doublings for doublings in range(4)]
    assert sum(waits) > DAY_NS


def test_a_cap_is_asked_after_once_a_day_at_least_and_never_before_another_error_would_be() -> None:
    assert waits_at_the_cap(9, 5.0)[3:] == [16 * 3600 * NS, *[CAP_DELAY_MOST_NS] * 4]
    assert waits_at_the_cap(3, 3 * 3600.0) == [3 * 3600 * NS, 6 * 3600 * NS]


@pytest.mark.parametrize("error_class", get_args(ErrorClass))
def test_only_a_rate_slows_a_bind_down(error_class: str) -> None:
    assert slows_down(Outcome(MessageState.UNDELIVERABLE, error_class)) is (error_class == "rate")


@pytest.mark.parametrize("status", [CommandStatus.ESME_RTHROTTLED, CommandStatus.ESME_RMSGQFUL])
def test_the_statuses_for_too_much_slow_a_bind_down(status: CommandStatus) -> None:
    assert slows_down(Meanings(None).status(status, MessageState.UNDELIVERABLE))
