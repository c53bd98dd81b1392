"""A batch of frames: messages, answers, strays, and where it must stop."""

from __future__ import annotations

from smppgw.pdu.framing import Frame
from smppgw.session.control import Control
from smppgw.session.sorting import Batch, next_batch
from smppgw.session.window import Window
from tests.session.support import C, E

HANDED_UP = frozenset({int(C.DELIVER_SM)})


def frame(command_id: int, number: int, status: int = 0) -> Frame:
    return (command_id, status, number, b"octets")


def window_of(*numbers: int) -> Window:
    window = Window(10)
    for number in numbers:
        window.entries[number] = (C.SUBMIT_SM_RESP, number * 10, f"message {number}")
    return window


def sort(window: Window, *frames: Frame, control: Control | None = None) -> Batch:
    return next_batch(iter(frames), HANDED_UP, window, control or Control())


def test_messages_and_answers_are_told_apart_and_keep_their_order() -> None:
    window = window_of(1, 2)
    mo, second, receipt, first = (
        frame(C.DELIVER_SM, 8),
        frame(C.SUBMIT_SM_RESP, 2, E.ESME_RTHROTTLED),
        frame(C.DELIVER_SM, 9),
        frame(C.SUBMIT_SM_RESP, 1),
    )
    batch = sort(window, mo, second, receipt, first)
    assert batch.requests == [mo, receipt]
    assert batch.answered == [
        ("message 2", E.ESME_RTHROTTLED, b"octets", 20),
        ("message 1", 0, b"octets", 10),
    ]
    assert (batch.strays, batch.control) == ([], None)
    assert not window.entries


def test_a_second_response_to_one_request_is_a_stray() -> None:
    again = frame(C.SUBMIT_SM_RESP, 1)
    batch = sort(window_of(1), again, again)
    assert (len(batch.answered), batch.strays) == (1, [again])


def test_a_response_of_another_command_is_a_stray_and_the_request_waits_on_in_its_place() -> None:
    window = window_of(1, 2, 3)
    wrong = frame(C.QUERY_SM_RESP, 2)
    batch = sort(window, wrong, frame(0x800000FF, 1))
    assert [stray[0] for stray in batch.strays] == [C.QUERY_SM_RESP, 0x800000FF]
    assert list(window.entries) == [1, 2, 3]


def test_a_generic_nack_fails_the_request_of_its_number_even_with_status_0() -> None:
    batch = sort(window_of(1, 2), frame(C.GENERIC_NACK, 1, E.ESME_RINVCMDID), frame(C.GENERIC_NACK, 2, 0))
    assert [(context, status) for context, status, *_ in batch.answered] == [
        ("message 1", E.ESME_RINVCMDID),
        ("message 2", E.ESME_RUNKNOWNERR),
    ]


def test_a_generic_nack_that_nobody_waits_for_is_a_stray() -> None:
    window = window_of(1)
    nack = frame(C.GENERIC_NACK, 0, E.ESME_RINVCMDLEN)
    assert sort(window, nack).strays == [nack]
    assert list(window.entries) == [1]


def test_it_stops_at_a_request_that_concerns_the_session_and_goes_on_behind_it() -> None:
    before, unbind, behind = frame(C.DELIVER_SM, 1), frame(C.UNBIND, 2), frame(C.DELIVER_SM, 3)
    remaining = iter([before, unbind, behind])
    first = next_batch(remaining, HANDED_UP, Window(1), Control())
    assert (first.requests, first.control) == ([before], unbind)
    assert next_batch(remaining, HANDED_UP, Window(1), Control()).requests == [behind]


def test_it_stops_at_the_response_to_a_control_request() -> None:
    control = Control()
    control.add(4, C.UNBIND_RESP, 0)
    answer = frame(C.UNBIND_RESP, 4)
    batch = sort(window_of(1), frame(C.SUBMIT_SM_RESP, 1), answer, control=control)
    assert (len(batch.answered), batch.control) == (1, answer)


def test_the_first_response_to_a_request_that_expired_is_late_and_the_next_a_stray() -> None:
    window = window_of(1, 2, 3)
    window.expire(30)
    wrong, again = frame(C.QUERY_SM_RESP, 1), frame(C.SUBMIT_SM_RESP, 1)
    nack, failed = frame(C.GENERIC_NACK, 2), frame(C.GENERIC_NACK, 3, E.ESME_RINVCMDID)
    batch = sort(window, wrong, again, nack, failed, again)
    assert batch.late == [
        ("message 1", 0, b"octets", 10),
        ("message 2", E.ESME_RUNKNOWNERR, b"octets", 20),
        ("message 3", E.ESME_RINVCMDID, b"octets", 30),
    ]
    assert (batch.answered, batch.strays) == ([], [wrong, again])
    assert not window.expired
