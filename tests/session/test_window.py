"""Both sides' unanswered messages: room, order, expiry, and what is above the limit."""

from __future__ import annotations

import pytest

from smppgw.pdu.framing import Frame
from smppgw.session.window import Owed, Window
from tests.session.support import C


def window_of(*sent_ns: int, size: int = 10) -> Window:
    window = Window(size)
    for number, at_ns in enumerate(sent_ns, 1):
        window.entries[number] = (C.SUBMIT_SM_RESP, at_ns, f"message {number}")
    return window


def requests(*commands: int) -> list[Frame]:
    return [(command, 0, number, b"") for number, command in enumerate(commands, 1)]


@pytest.mark.parametrize(("size", "sent", "free"), [(3, 0, 3), (3, 2, 1), (3, 3, 0), (1, 3, 0)])
def test_the_room_is_what_is_not_taken_and_never_negative(size: int, sent: int, free: int) -> None:
    assert window_of(*[0] * sent, size=size).free == free


def test_the_first_entry_is_the_oldest() -> None:
    window = window_of(5, 6, 7)
    assert window.oldest_sent_ns() == 5
    del window.entries[1]
    assert window.oldest_sent_ns() == 6


def test_an_empty_window_has_no_oldest_entry() -> None:
    assert Window(1).oldest_sent_ns() is None


def test_what_was_sent_by_then_expires_in_the_order_of_sending() -> None:
    window = window_of(5, 6, 6, 7)
    assert window.expire(6) == ["message 1", "message 2", "message 3"]
    assert list(window.entries) == [4]
    assert window.expire(6) == []
    assert window.expire(100) == ["message 4"]


def test_the_newest_that_expired_are_remembered_as_many_as_the_window_takes() -> None:
    window = window_of(5, 6, 7, size=2)
    window.expire(6)
    assert list(window.expired) == [1, 2]
    window.expire(7)
    assert list(window.expired) == [2, 3]
    window.clear()
    assert not window.expired


def test_clearing_gives_everything_back_in_the_order_of_sending() -> None:
    window = window_of(1, 2, 3)
    assert window.clear() == ["message 1", "message 2", "message 3"]
    assert not window.entries
    assert window.clear() == []


def test_requests_are_admitted_up_to_the_limit() -> None:
    owed = Owed(3, one_way=False)
    first, second = requests(C.SUBMIT_SM, C.SUBMIT_SM), requests(C.SUBMIT_SM, C.QUERY_SM, C.DATA_SM)
    assert owed.admit(first) == (first, [])
    assert owed.admit(second) == (second[:1], second[1:])
    assert owed.count == 3
    assert owed.admit(first) == ([], first)


def test_answers_make_room() -> None:
    owed = Owed(1, one_way=False)
    owed.admit(requests(C.SUBMIT_SM))
    owed.count -= 1
    again = requests(C.SUBMIT_SM)
    assert owed.admit(again) == (again, [])


def test_a_message_that_is_never_answered_is_not_owed_and_never_refused() -> None:
    owed = Owed(1, one_way=True)
    batch = requests(C.ALERT_NOTIFICATION, C.DELIVER_SM, C.ALERT_NOTIFICATION, C.DELIVER_SM)
    assert owed.admit(batch) == (batch[:3], batch[3:])
    assert owed.count == 1
    alerts = requests(C.ALERT_NOTIFICATION, C.ALERT_NOTIFICATION)
    assert owed.admit(alerts) == (alerts, [])
    assert owed.count == 1


def test_a_limit_that_was_lowered_admits_nothing_until_enough_is_answered() -> None:
    owed = Owed(5, one_way=False)
    owed.admit(requests(*[C.SUBMIT_SM] * 5))
    owed.limit = 2
    late = requests(C.SUBMIT_SM)
    assert owed.admit(late) == ([], late)
