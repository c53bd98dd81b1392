"""What is written, under which numbers, and what is not written when a batch is refused."""

from __future__ import annotations

import pytest

from smppgw.session.errors import WindowFull
from smppgw.session.outgoing import Outgoing
from tests.session.support import C, E, frames, header, pdu

AWAITED = {int(C.DELIVER_SM): int(C.DELIVER_SM_RESP), int(C.ALERT_NOTIFICATION): 0}


def heads(outgoing: Outgoing) -> list[tuple[int, int, int]]:
    return [frame[:3] for frame in frames(outgoing.take())]


def test_an_answer_and_a_nack_are_headers_with_the_number_of_the_request() -> None:
    outgoing = Outgoing(1)
    outgoing.answer(C.SUBMIT_SM, E.ESME_RTHROTTLED, 0xFFFFFFFF)
    outgoing.nack(E.ESME_RINVCMDID, 0)
    assert heads(outgoing) == [
        (C.SUBMIT_SM_RESP, E.ESME_RTHROTTLED, 0xFFFFFFFF),
        (C.GENERIC_NACK, E.ESME_RINVCMDID, 0),
    ]
    assert outgoing.take() == []


def test_each_of_many_requests_is_refused_under_its_own_number() -> None:
    outgoing = Outgoing(1)
    outgoing.refuse([(C.SUBMIT_SM, 0, 7, b""), (C.QUERY_SM, 0, 9, b"")], E.ESME_RTHROTTLED)
    assert heads(outgoing) == [
        (C.SUBMIT_SM_RESP, E.ESME_RTHROTTLED, 7),
        (C.QUERY_SM_RESP, E.ESME_RTHROTTLED, 9),
    ]


def test_a_message_goes_out_as_its_body_behind_a_new_header() -> None:
    outgoing = Outgoing(2)
    whole = pdu(C.DELIVER_SM, 99, short_message=b"hello")
    outgoing.messages([(C.DELIVER_SM, whole[16:], "context")], AWAITED, 5)
    assert b"".join(outgoing.take()) == pdu(C.DELIVER_SM, 1, short_message=b"hello")
    assert outgoing.window.entries == {1: (C.DELIVER_SM_RESP, 5, "context")}


def test_a_message_without_a_response_takes_no_place() -> None:
    outgoing = Outgoing(2)
    outgoing.messages([(C.ALERT_NOTIFICATION, b"", "alert"), (C.DELIVER_SM, b"", "mo")], AWAITED, 5)
    assert list(outgoing.window.entries) == [2]
    assert [number for _, _, number in heads(outgoing)] == [1, 2]


def test_a_batch_with_a_command_that_is_not_allowed_leaves_no_trace() -> None:
    outgoing = Outgoing(5)
    with pytest.raises(KeyError):
        outgoing.messages([(C.DELIVER_SM, b"", 1), (C.SUBMIT_SM, b"", 2)], AWAITED, 5)
    assert (outgoing.take(), outgoing.window.entries) == ([], {})
    outgoing.messages([(C.DELIVER_SM, b"", 1)], AWAITED, 5)
    assert list(outgoing.window.entries) == [1]


def test_a_batch_above_the_window_leaves_no_trace() -> None:
    outgoing = Outgoing(2)
    outgoing.messages([(C.DELIVER_SM, b"", 1)], AWAITED, 5)
    outgoing.take()
    with pytest.raises(WindowFull, match="2 requests are more than the window takes now, which is 1"):
        outgoing.messages([(C.DELIVER_SM, b"", 2), (C.DELIVER_SM, b"", 3)], AWAITED, 5)
    assert outgoing.take() == []
    assert list(outgoing.window.entries) == [1]


def test_an_empty_batch_is_nothing() -> None:
    outgoing = Outgoing(0)
    outgoing.messages([], AWAITED, 5)
    assert outgoing.take() == []


def test_a_control_request_is_numbered_with_the_messages_and_waits_apart_from_them() -> None:
    outgoing = Outgoing(1)
    outgoing.request(C.ENQUIRE_LINK, 5)
    outgoing.messages([(C.DELIVER_SM, b"", 1)], AWAITED, 5)
    outgoing.request(C.UNBIND, 6)
    assert heads(outgoing) == [(C.ENQUIRE_LINK, 0, 1), (C.DELIVER_SM, 0, 2), (C.UNBIND, 0, 3)]
    assert list(outgoing.window.entries) == [2]
    assert outgoing.control.answers(1, C.ENQUIRE_LINK_RESP)
    assert outgoing.control.answers(3, C.UNBIND_RESP)


def test_a_one_way_request_waits_for_nothing() -> None:
    outgoing = Outgoing(1)
    assert outgoing.one_way(C.OUTBIND, header(C.OUTBIND, 77, body=b"a\0b\0")) == 1
    assert b"".join(outgoing.take()) == header(C.OUTBIND, 1, body=b"a\0b\0")
    assert not outgoing.control


def test_no_number_is_used_twice_while_it_is_outstanding() -> None:
    outgoing = Outgoing(10)
    outgoing.messages([(C.DELIVER_SM, b"", "first")], AWAITED, 5)
    outgoing.request(C.ENQUIRE_LINK, 5)
    outgoing._numbers.use(0x7FFFFFFE)
    outgoing.messages([(C.DELIVER_SM, b"", "last"), (C.DELIVER_SM, b"", "around")], AWAITED, 6)
    assert list(outgoing.window.entries) == [1, 0x7FFFFFFF, 3]
    outgoing.request(C.UNBIND, 6)
    assert 4 in outgoing.control
