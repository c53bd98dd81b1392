"""Every timer of a session: what starts it, what stops it, what it does. Time is an argument; nobody waits."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.session import events as ev
from smppgw.session.control import Control
from smppgw.session.machine import Session
from smppgw.session.settings import SessionSettings
from smppgw.session.states import Role
from smppgw.session.timers import NS, Timer, Timers, TimerSettings
from smppgw.session.window import Window
from tests.session.support import (
    OUTBIND,
    SETTINGS,
    TIMERS,
    C,
    E,
    S,
    bind_pdu,
    esme_bind,
    header,
    kinds,
    message_of_peer,
    opened,
    pdu,
    request,
    seconds,
    sent,
    session_in,
    told,
)

OFF = TimerSettings(0, 0, 0, 0, 0)
ENQUIRE = (C.ENQUIRE_LINK, 0, 2)  # the ESME's bind was 1

esme_in = partial(session_in, role=Role.ESME)


def with_timers(**durations: float) -> SessionSettings:
    of = {f"{name}_ns": seconds(number) for name, number in durations.items()}
    return replace(SETTINGS, timers=replace(TIMERS, **of))


def reason_of_closing(session: Session) -> str:
    closed = told(session)[-1]
    assert isinstance(closed, ev.Closed)
    assert session.wants_close
    assert session.next_deadline_ns() is None
    return closed.reason


def pass_deadline(session: Session) -> int:
    """Do what the next deadline asks for, at that moment and not before it; return the moment."""
    deadline_ns = session.next_deadline_ns()
    assert deadline_ns is not None
    session.handle_timer(deadline_ns - 1)
    assert not session.wants_close
    assert sent(session) == []
    session.handle_timer(deadline_ns)
    return deadline_ns


def test_seconds_become_nanoseconds() -> None:
    made = TimerSettings.of_seconds(session_init=1, enquire_link=2, inactivity=3, response=0.5, read=4)
    assert made == TimerSettings(NS, 2 * NS, 3 * NS, NS // 2, 4 * NS)
    assert TimerSettings() == TimerSettings.of_seconds()


@pytest.mark.parametrize("state", [S.OPEN, S.OUTBOUND, S.BOUND_TX, S.BOUND_TRX, S.UNBOUND, S.CLOSED])
def test_a_timer_of_0_never_runs(state: S) -> None:
    timers = Timers(OFF, 0)
    timers.partial_since_ns = 0
    window = Window(1)
    window.entries[1] = (C.SUBMIT_SM_RESP, 0, None)
    control = Control()
    control.add(2, C.ENQUIRE_LINK_RESP, 0)
    for waiting in (control, Control()):
        assert timers.deadlines(state, window, waiting, parting_until_ns=None, verdict_pending=False) == []


def test_what_ends_the_session_stands_first() -> None:
    timers = Timers(replace(TIMERS, inactivity_ns=1), 0)
    timers.partial_since_ns = 0
    window = Window(1)
    window.entries[1] = (C.SUBMIT_SM_RESP, 0, None)
    running = timers.deadlines(S.BOUND_TX, window, Control(), parting_until_ns=None, verdict_pending=False)
    assert [timer for _, timer in running] == [
        Timer.READ,
        Timer.RESPONSE,
        Timer.INACTIVITY,
        Timer.ENQUIRE_LINK,
    ]


# ---- session_init ------------------------------------------------------------------------------------------


def test_a_connection_that_does_not_bind_is_closed() -> None:
    session = opened(now_ns=seconds(100))
    assert pass_deadline(session) == seconds(110)
    assert reason_of_closing(session) == "not bound in time"


def test_enquire_link_does_not_put_the_bind_off() -> None:
    session = opened()
    session.receive_octets(header(C.ENQUIRE_LINK, 1), seconds(9))
    assert sent(session) == [(C.ENQUIRE_LINK_RESP, 0, 1)]
    assert pass_deadline(session) == seconds(10)
    assert reason_of_closing(session) == "not bound in time"


@pytest.mark.parametrize("role", Role)
def test_an_outbind_that_is_not_followed_by_a_bind_is_closed(role: Role) -> None:
    session = session_in(S.OUTBOUND, role)
    assert pass_deadline(session) == seconds(10)
    assert reason_of_closing(session) == "not bound in time"


def test_a_bind_of_ours_that_is_not_answered_is_closed() -> None:
    session = opened(Role.ESME)
    session.bind(esme_bind(), seconds(4))
    sent(session)
    assert pass_deadline(session) == seconds(14)
    assert reason_of_closing(session) == "not bound in time"


def test_a_response_timer_shorter_than_session_init_holds_for_a_bind_too() -> None:
    session = opened(Role.ESME, with_timers(response=3))
    session.bind(esme_bind(), 0)
    sent(session)
    assert pass_deadline(session) == seconds(3)
    assert "not answered in time" in reason_of_closing(session)


def test_no_timer_runs_while_the_owner_thinks_about_a_bind() -> None:
    session = opened()
    session.receive_octets(bind_pdu() + b"\0\0", 0)
    assert session.next_deadline_ns() is None
    session.handle_timer(seconds(1000))
    assert not session.wants_close
    session.refuse_bind(E.ESME_RINVPASWD, seconds(20), close=False)
    told(session)
    session.handle_timer(seconds(20))
    assert reason_of_closing(session) == "not bound in time"


# ---- enquire_link ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("state", [S.BOUND_TX, S.BOUND_RX, S.BOUND_TRX])
def test_a_silent_peer_is_asked_and_then_closed(role: Role, state: S) -> None:
    session = session_in(state, role)
    assert pass_deadline(session) == seconds(30)
    number = 2 if role is Role.ESME else 1
    assert sent(session) == [(C.ENQUIRE_LINK, 0, number)]
    assert pass_deadline(session) == seconds(50)
    assert "enquire_link" in reason_of_closing(session)


def test_a_peer_that_answers_is_asked_again_later() -> None:
    session = esme_in(S.BOUND_TRX)
    pass_deadline(session)
    assert sent(session) == [ENQUIRE]
    session.receive_octets(header(C.ENQUIRE_LINK_RESP, 2), seconds(31))
    assert kinds(session) == []
    assert session.next_deadline_ns() == seconds(61)


def test_a_generic_nack_to_enquire_link_shows_life_as_well() -> None:
    session = esme_in(S.BOUND_TRX)
    pass_deadline(session)
    session.receive_octets(header(C.GENERIC_NACK, 2, E.ESME_RINVCMDID), seconds(31))
    assert session.next_deadline_ns() == seconds(61)


def test_any_octet_of_the_peer_puts_enquire_link_off() -> None:
    session = session_in(S.BOUND_TRX, settings=with_timers(read=0))
    session.receive_octets(b"\0", seconds(20))
    assert session.next_deadline_ns() == seconds(50)


def test_octets_of_ours_do_not_put_enquire_link_off() -> None:
    session = session_in(S.BOUND_TRX)
    session.send_requests([request(C.DELIVER_SM, 1)], seconds(20))
    session.send_responses([])
    assert session.next_deadline_ns() == seconds(30)


def test_nothing_asks_twice_at_a_time() -> None:
    session = esme_in(S.BOUND_TRX)
    pass_deadline(session)
    sent(session)
    session.handle_timer(seconds(49))
    assert sent(session) == []


# ---- inactivity --------------------------------------------------------------------------------------------


def test_a_session_without_messages_is_unbound() -> None:
    session = esme_in(S.BOUND_TRX, settings=with_timers(inactivity=60, enquire_link=0))
    assert pass_deadline(session) == seconds(60)
    assert sent(session) == [(C.UNBIND, 0, 2)]
    session.receive_octets(header(C.UNBIND_RESP, 2), seconds(61))
    assert reason_of_closing(session) == "unbound"


def test_an_unbind_of_inactivity_that_is_not_answered_closes() -> None:
    session = esme_in(S.BOUND_TRX, settings=with_timers(inactivity=60, enquire_link=0))
    pass_deadline(session)
    sent(session)
    assert pass_deadline(session) == seconds(80)
    assert "unbind" in reason_of_closing(session)


def test_enquire_link_does_not_count_as_activity() -> None:
    session = session_in(S.BOUND_TRX, settings=with_timers(inactivity=60))
    session.receive_octets(header(C.ENQUIRE_LINK, 9), seconds(40))
    sent(session)
    assert session.next_deadline_ns() == seconds(60)


@pytest.mark.parametrize("what", ["request", "response", "our request"])
def test_messages_count_as_activity(what: str) -> None:
    session = esme_in(S.BOUND_TRX, settings=with_timers(inactivity=60, enquire_link=0, response=0))
    at_ns = seconds(40)
    if what == "request":
        session.receive_octets(message_of_peer(Role.ESME, 9), at_ns)
    else:
        session.send_requests([request(C.SUBMIT_SM, 1)], 0 if what == "response" else at_ns)
    if what == "response":
        session.receive_octets(header(C.SUBMIT_SM_RESP, 2), at_ns)
    assert session.next_deadline_ns() == seconds(100)


def test_inactivity_and_enquire_link_due_at_once_only_unbind() -> None:
    session = esme_in(S.BOUND_TRX, settings=with_timers(inactivity=30))
    session.handle_timer(seconds(30))
    assert sent(session) == [(C.UNBIND, 0, 2)]


# ---- response ----------------------------------------------------------------------------------------------


def test_messages_without_a_response_expire_oldest_first() -> None:
    session = session_in(S.BOUND_TRX, settings=with_timers(enquire_link=0))
    session.send_requests([request(C.DELIVER_SM, "a"), request(C.DELIVER_SM, "b")], 0)
    session.send_requests([request(C.DELIVER_SM, "c")], seconds(5))
    sent(session)
    assert pass_deadline(session) == seconds(20)
    assert told(session) == [ev.Expired(["a", "b"])]
    assert (session.in_flight, session.free) == (1, 9)
    assert pass_deadline(session) == seconds(25)
    assert told(session) == [ev.Expired(["c"])]
    assert session.next_deadline_ns() is None


def test_a_response_after_the_expiry_is_late_and_the_next_a_stray() -> None:
    session = session_in(S.BOUND_TRX)
    session.send_requests([request(C.DELIVER_SM, "a")], 0)
    session.handle_timer(seconds(20))
    late = pdu(C.DELIVER_SM_RESP, 1)
    session.receive_octets(late, seconds(21))
    session.receive_octets(late, seconds(22))
    assert told(session) == [
        ev.Expired(["a"]),
        ev.Late([("a", 0, late, 0)]),
        ev.Strays([(C.DELIVER_SM_RESP, 0, 1, late)]),
    ]


# ---- read --------------------------------------------------------------------------------------------------


def test_a_peer_that_sends_an_octet_a_second_is_closed() -> None:
    session = session_in(S.BOUND_TRX)
    octets = pdu(C.SUBMIT_SM, 5, short_message=b"x" * 100)
    for second, octet in enumerate(octets[:15]):
        session.receive_octets(bytes([octet]), seconds(second))
        session.handle_timer(seconds(second))
    assert not session.wants_close
    assert pass_deadline(session) == seconds(15)
    assert reason_of_closing(session) == "a PDU was not whole in time"


def test_the_read_timer_holds_before_a_bind_too() -> None:
    session = opened(settings=with_timers(session_init=0))
    session.receive_octets(bind_pdu()[:20], seconds(1))
    assert pass_deadline(session) == seconds(16)
    assert reason_of_closing(session) == "a PDU was not whole in time"


def test_each_pdu_has_its_own_time_to_be_whole() -> None:
    session = session_in(S.BOUND_TRX, settings=with_timers(enquire_link=0))
    octets = header(C.ENQUIRE_LINK, 1)
    session.receive_octets(octets[:8], seconds(1))
    assert session.next_deadline_ns() == seconds(16)
    session.receive_octets(octets[8:] + octets[:4], seconds(10))
    assert session.next_deadline_ns() == seconds(25)
    session.receive_octets(octets[4:8], seconds(20))
    assert session.next_deadline_ns() == seconds(25)
    session.receive_octets(octets[8:], seconds(24))
    assert session.next_deadline_ns() is None


# ---- parting -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", Role)
def test_an_unbind_waits_for_what_is_owed_but_not_for_ever(role: Role) -> None:
    session = session_in(S.UNBOUND, role, now_ns=seconds(3))
    session.send_responses([])
    assert pass_deadline(session) == seconds(23)
    assert sent(session) == [(C.UNBIND_RESP, 0, 71)]
    assert reason_of_closing(session) == "the peer unbound"


def test_messages_of_ours_expire_while_the_peer_unbinds() -> None:
    session = session_in(S.BOUND_TRX, settings=with_timers(response=20))
    session.send_requests([request(C.DELIVER_SM, "early")], 0)
    session.receive_octets(pdu(C.SUBMIT_SM, 1) + header(C.UNBIND, 2), seconds(5))
    session.octets_to_send()
    told(session)
    assert pass_deadline(session) == seconds(20)
    assert told(session) == [ev.Expired(["early"])]
    assert pass_deadline(session) == seconds(25)
    assert reason_of_closing(session) == "the peer unbound"


def test_a_closed_session_has_no_timer() -> None:
    session = session_in(S.CLOSED)
    session.handle_timer(seconds(10_000))
    assert (session.next_deadline_ns(), sent(session), told(session)) == (None, [], [])


# ---- all of them -------------------------------------------------------------------------------------------

STEPS = st.lists(
    st.tuples(
        st.integers(0, 40),
        st.sampled_from(["octets", "partial", "request", "response", "send", "unbind", "unbound", "timer"]),
    ),
    max_size=12,
)
DURATIONS = st.builds(
    TimerSettings.of_seconds,
    session_init=st.sampled_from([0, 10]),
    enquire_link=st.sampled_from([0, 7, 30]),
    inactivity=st.sampled_from([0, 7, 50]),
    response=st.sampled_from([0, 7, 20]),
    read=st.sampled_from([0, 5]),
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.sampled_from(Role), st.sampled_from(list(S)), DURATIONS, STEPS)
def test_what_was_due_is_done_so_that_the_next_deadline_is_later(
    role: Role, state: S, timers: TimerSettings, steps: list[tuple[int, str]]
) -> None:
    """No driver can be made to spin: after `handle_timer` at a deadline the next one is later, or there is none."""
    session = session_in(state, role, replace(SETTINGS, timers=timers))
    now_ns = 0
    message = C.DELIVER_SM if role is Role.SMSC else C.SUBMIT_SM
    for pause, step in steps:
        now_ns += seconds(pause)
        if step == "octets":
            session.receive_octets(header(C.ENQUIRE_LINK, 5), now_ns)
        elif step == "partial":
            session.receive_octets(b"\0\0\0\x10", now_ns)
        elif step == "request":
            session.receive_octets(message_of_peer(role, 6), now_ns)
        elif step == "response":
            session.receive_octets(header(message | 0x80000000, 2), now_ns)
        elif step == "send" and session.free:
            session.send_requests([request(message)], now_ns)
        elif step == "unbind":
            session.unbind(now_ns)
        elif step == "unbound":
            session.receive_octets(header(C.UNBIND, 8), now_ns)
        for _ in range(4):
            deadline_ns = session.next_deadline_ns()
            if deadline_ns is None or (deadline_ns > now_ns and step != "timer"):
                break
            now_ns = max(now_ns, deadline_ns)
            session.handle_timer(now_ns)
            following_ns = session.next_deadline_ns()
            assert following_ns is None or following_ns > now_ns


def test_an_outbind_starts_the_time_for_its_bind_at_the_connection() -> None:
    session = opened(Role.ESME)
    session.receive_octets(OUTBIND, seconds(6))
    assert session.next_deadline_ns() == seconds(10)
