"""bind, enquire_link and unbind of ours: what answers them, and which of them wait."""

from __future__ import annotations

import pytest

from smppgw.session.control import Control
from tests.session.support import C


def control_of(*requests: int) -> Control:
    control = Control()
    for number, command in enumerate(requests, 1):
        control.add(number, command | 0x80000000, number * 10)
    return control


def test_a_response_answers_the_request_of_its_number() -> None:
    control = control_of(C.ENQUIRE_LINK, C.UNBIND)
    assert control.answers(1, C.ENQUIRE_LINK_RESP)
    assert not control.answers(1, C.UNBIND_RESP)
    assert not control.answers(3, C.ENQUIRE_LINK_RESP)


@pytest.mark.parametrize("command", [C.ENQUIRE_LINK, C.UNBIND, C.BIND_RECEIVER])
def test_a_generic_nack_answers_any_request_of_its_number(command: int) -> None:
    assert control_of(command).answers(1, C.GENERIC_NACK)
    assert not control_of(command).answers(0, C.GENERIC_NACK)


def test_what_is_taken_waits_no_longer() -> None:
    control = control_of(C.ENQUIRE_LINK, C.UNBIND)
    assert control.take(1) == C.ENQUIRE_LINK_RESP
    assert (len(control), 1 in control, 2 in control) == (1, False, True)
    control.clear()
    assert not control


def test_the_oldest_tells_since_when_it_waits() -> None:
    control = control_of(C.ENQUIRE_LINK, C.UNBIND)
    assert control.oldest_sent_ns() == 10
    control.take(1)
    assert control.oldest_sent_ns() == 20
    control.take(2)
    assert control.oldest_sent_ns() is None


@pytest.mark.parametrize(
    ("requests", "binding", "unbinding"),
    [
        ((), False, False),
        ((C.ENQUIRE_LINK,), False, False),
        ((C.BIND_TRANSMITTER,), True, False),
        ((C.BIND_RECEIVER,), True, False),
        ((C.BIND_TRANSCEIVER,), True, False),
        ((C.ENQUIRE_LINK, C.UNBIND), False, True),
    ],
)
def test_it_knows_whether_a_bind_or_an_unbind_is_on_its_way(
    requests: tuple[int, ...], binding: bool, unbinding: bool
) -> None:
    control = control_of(*requests)
    assert (control.binding, control.unbinding) == (binding, unbinding)
