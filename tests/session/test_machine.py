"""The session machine: binds, unbinds, the window, faults, versions, and what no peer can make it do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.pdu.constants import TlvTag
from smppgw.pdu.errors import CommandLengthError, EncodeError, FieldError, UnknownCommandError
from smppgw.session import events as ev
from smppgw.session.errors import NotPermitted, WindowFull
from smppgw.session.machine import Session
from smppgw.session.settings import MAX_FAULTS, UNBOUND_PDU_OCTETS
from smppgw.session.states import ONE_WAY, RULES, Role
from tests.session.support import (
    BINDS,
    OUTBIND,
    SETTINGS,
    C,
    E,
    S,
    Wire,
    bind_pdu,
    esme_bind,
    frames,
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

esme_in = partial(session_in, role=Role.ESME)
MODES = list(BINDS)


def closed(session: Session) -> ev.Closed:
    """The last event, which says that the session has ended."""
    event = told(session)[-1]
    assert isinstance(event, ev.Closed)
    assert session.wants_close
    assert session.state is S.CLOSED
    return event


def faults(session: Session) -> list[type]:
    return [type(event.error) for event in told(session) if isinstance(event, ev.Fault)]


# ---- binds -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_an_accepted_bind_binds_in_its_mode(mode: S) -> None:
    session = opened()
    session.receive_octets(bind_pdu(mode, 7), 0)
    (asked,) = told(session)
    assert isinstance(asked, ev.BindRequested)
    assert session.paused
    assert not session.bound
    session.accept_bind(b"smsc", 0)
    assert told(session) == [ev.Bound(mode, b"esme")]
    assert sent(session) == [(BINDS[mode] | 0x80000000, 0, 7)]
    assert (session.bound, session.paused, session.state) == (True, False, mode)


@pytest.mark.parametrize("mode", MODES)
def test_a_bind_of_ours_that_is_accepted_binds(mode: S) -> None:
    session = opened(Role.ESME)
    session.bind(esme_bind(mode), 0)
    assert sent(session) == [(BINDS[mode], 0, 1)]
    session.receive_octets(pdu(BINDS[mode] | 0x80000000, 1, system_id=b"smsc"), 0)
    assert told(session) == [ev.Bound(mode, b"smsc")]
    assert session.state is mode


def test_a_refused_bind_is_answered_and_then_closed() -> None:
    session = opened()
    session.receive_octets(bind_pdu(S.BOUND_TX, 3) + pdu(C.SUBMIT_SM, 4), 0)
    told(session)
    session.refuse_bind(E.ESME_RINVPASWD, 0)
    assert sent(session) == [(C.BIND_TRANSMITTER_RESP, E.ESME_RINVPASWD, 3)]
    assert closed(session).reason == "bind refused"


def test_a_refused_peer_may_try_again_where_the_owner_lets_it() -> None:
    session = opened()
    session.receive_octets(bind_pdu(S.BOUND_TX, 3) + pdu(C.SUBMIT_SM, 4) + bind_pdu(S.BOUND_RX, 5), 0)
    session.refuse_bind(E.ESME_RINVPASWD, 0, close=False)
    assert sent(session) == [
        (C.BIND_TRANSMITTER_RESP, E.ESME_RINVPASWD, 3),
        (C.SUBMIT_SM_RESP, E.ESME_RINVBNDSTS, 4),
    ]
    session.accept_bind(b"smsc", 0)
    assert session.state is S.BOUND_RX


@pytest.mark.parametrize("status", [E.ESME_RINVPASWD, E.ESME_RALYBND])
def test_a_refusal_of_our_bind_is_told_and_leaves_the_state(status: E) -> None:
    session = opened(Role.ESME)
    session.bind(esme_bind(), 0)
    session.receive_octets(header(C.BIND_TRANSCEIVER_RESP, 1, status), 0)
    assert told(session) == [ev.Refused(status)]
    assert session.state is S.OPEN
    session.bind(esme_bind(), 0)
    assert sent(session)[-1] == (C.BIND_TRANSCEIVER, 0, 2)


@pytest.mark.parametrize(("status", "refused"), [(0, E.ESME_RBINDFAIL), (3, E.ESME_RINVCMDID)])
def test_a_generic_nack_refuses_our_bind_whatever_its_status(status: int, refused: E) -> None:
    session = opened(Role.ESME)
    session.bind(esme_bind(), 0)
    session.receive_octets(header(C.GENERIC_NACK, 1, status), 0)
    assert told(session) == [ev.Refused(refused)]


def test_a_bind_response_of_another_kind_is_not_ours() -> None:
    session = opened(Role.ESME)
    session.bind(esme_bind(S.BOUND_TX), 0)
    session.receive_octets(pdu(C.BIND_RECEIVER_RESP, 1), 0)
    assert kinds(session) == [ev.Strays]
    assert session.state is S.OPEN


def test_requests_behind_a_bind_wait_for_its_verdict() -> None:
    session = opened()
    session.receive_octets(bind_pdu() + pdu(C.SUBMIT_SM, 2), 0)
    session.receive_octets(pdu(C.SUBMIT_SM, 3), 0)
    assert kinds(session) == [ev.BindRequested]
    session.accept_bind(b"smsc", 0)
    bound, messages = told(session)
    assert isinstance(bound, ev.Bound)
    assert isinstance(messages, ev.Requests)
    assert [frame[2] for frame in messages.frames] == [2, 3]


def test_a_large_message_behind_a_bind_is_taken_once_bound() -> None:
    large = pdu(C.SUBMIT_SM, 2, tlvs=((TlvTag.MESSAGE_PAYLOAD, b"x" * 60_000),))
    session = opened()
    session.receive_octets(bind_pdu() + large[:4000], 0)
    session.accept_bind(b"smsc", 0)
    session.receive_octets(large[4000:], 0)
    assert kinds(session) == [ev.BindRequested, ev.Bound, ev.Requests]


def test_a_large_pdu_before_a_bind_is_too_large() -> None:
    session = opened()
    session.receive_octets((UNBOUND_PDU_OCTETS + 1).to_bytes(4, "big"), 0)
    assert sent(session) == [(C.GENERIC_NACK, E.ESME_RINVCMDLEN, 0)]
    assert closed(session).reason == "command_length is 1025; allowed: 16 to 1024 octets"


def test_the_window_of_an_account_holds_both_ways() -> None:
    session = opened()
    session.receive_octets(bind_pdu() + b"".join(pdu(C.SUBMIT_SM, n) for n in (2, 3, 4)), 0)
    session.accept_bind(b"smsc", 0, window=2)
    assert session.free == 2
    assert session.owed == 2
    assert sent(session)[1:] == [(C.SUBMIT_SM_RESP, E.ESME_RTHROTTLED, 4)]


def test_a_name_of_ours_that_does_not_fit_leaves_the_bind_waiting() -> None:
    session = opened()
    session.receive_octets(bind_pdu(), 0)
    with pytest.raises(EncodeError):
        session.accept_bind(b"x" * 16, 0)
    assert session.paused
    session.accept_bind(b"smsc", 0)
    assert session.bound


@pytest.mark.parametrize("state", [S.OPEN, S.BOUND_TX, S.CLOSED])
def test_a_verdict_without_a_bind_is_not_permitted(state: S) -> None:
    session = session_in(state)
    with pytest.raises(NotPermitted, match=f"a bind response is not permitted while .* {state.value}"):
        session.accept_bind(b"smsc", 0)
    with pytest.raises(NotPermitted):
        session.refuse_bind(E.ESME_RINVPASWD, 0)


def test_a_bind_whose_connection_ended_can_no_longer_be_answered() -> None:
    session = opened()
    session.receive_octets(bind_pdu(), 0)
    session.close("gone")
    with pytest.raises(NotPermitted):
        session.accept_bind(b"smsc", 0)


@pytest.mark.parametrize(
    ("role", "state"), [(Role.SMSC, S.OPEN), (Role.ESME, S.BOUND_TX), (Role.ESME, S.CLOSED)]
)
def test_we_bind_only_where_an_esme_may(role: Role, state: S) -> None:
    with pytest.raises(NotPermitted):
        session_in(state, role).bind(esme_bind(), 0)


def test_we_bind_with_nothing_but_a_bind() -> None:
    with pytest.raises(NotPermitted, match="enquire_link"):
        opened(Role.ESME).bind(header(C.ENQUIRE_LINK), 0)


def test_we_bind_once_at_a_time() -> None:
    session = opened(Role.ESME)
    session.bind(esme_bind(), 0)
    with pytest.raises(NotPermitted):
        session.bind(esme_bind(), 0)


# ---- outbind -----------------------------------------------------------------------------------------------


def test_an_outbind_of_ours_is_followed_by_the_bind_of_the_esme() -> None:
    session = opened(Role.SMSC)
    session.outbind(OUTBIND)
    assert b"".join(session.octets_to_send()) == OUTBIND
    assert session.state is S.OUTBOUND
    session.receive_octets(bind_pdu(S.BOUND_RX, 1), 0)
    session.accept_bind(b"smsc", 0)
    assert session.state is S.BOUND_RX


@pytest.mark.parametrize("mode", [S.BOUND_RX, S.BOUND_TRX])
def test_we_bind_after_an_outbind(mode: S) -> None:
    session = session_in(S.OUTBOUND, Role.ESME)
    session.bind(esme_bind(mode), 0)
    session.receive_octets(pdu(BINDS[mode] | 0x80000000, 1), 0)
    assert session.state is mode


def test_we_do_not_bind_as_a_transmitter_after_an_outbind() -> None:
    with pytest.raises(NotPermitted):
        session_in(S.OUTBOUND, Role.ESME).bind(esme_bind(S.BOUND_TX), 0)


def test_an_outbind_that_crosses_our_bind_comes_too_late() -> None:
    session = opened(Role.ESME)
    session.bind(esme_bind(S.BOUND_TX), 0)
    sent(session)
    session.receive_octets(OUTBIND + pdu(C.BIND_TRANSMITTER_RESP, 1), 0)
    assert sent(session) == [(C.GENERIC_NACK, E.ESME_RINVBNDSTS, 1)]
    assert session.state is S.BOUND_TX


def test_a_broken_outbind_is_a_fault_without_an_answer() -> None:
    session = opened(Role.ESME)
    session.receive_octets(header(C.OUTBIND, 1, body=b"no end"), 0)
    assert sent(session) == []
    assert faults(session) == [FieldError]
    assert session.state is S.OPEN


@pytest.mark.parametrize(
    ("role", "state"), [(Role.ESME, S.OPEN), (Role.SMSC, S.OUTBOUND), (Role.SMSC, S.BOUND_RX)]
)
def test_we_outbind_only_where_an_smsc_may(role: Role, state: S) -> None:
    with pytest.raises(NotPermitted):
        session_in(state, role).outbind(OUTBIND)


def test_we_do_not_outbind_while_a_bind_waits() -> None:
    session = opened()
    session.receive_octets(bind_pdu(S.BOUND_TX), 0)
    with pytest.raises(NotPermitted):
        session.outbind(OUTBIND)


# ---- unbind ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("mode", MODES)
def test_the_peer_unbinds(role: Role, mode: S) -> None:
    session = session_in(mode, role)
    session.receive_octets(header(C.UNBIND, 9), 0)
    assert sent(session) == [(C.UNBIND_RESP, 0, 9)]
    assert told(session) == [ev.PeerUnbound(), ev.Closed("the peer unbound", [])]


def test_an_unbind_is_answered_after_everything_that_was_asked_before_it() -> None:
    session = session_in(S.BOUND_TX)
    session.receive_octets(pdu(C.SUBMIT_SM, 5) + pdu(C.SUBMIT_SM, 6) + header(C.UNBIND, 7), 0)
    assert kinds(session) == [ev.Requests, ev.PeerUnbound]
    assert (session.state, session.owed, session.bound) == (S.UNBOUND, 2, False)
    session.send_responses([pdu(C.SUBMIT_SM_RESP, 6)])
    assert sent(session) == [(C.SUBMIT_SM_RESP, 0, 6)]
    session.send_responses([pdu(C.SUBMIT_SM_RESP, 5)])
    assert sent(session) == [(C.SUBMIT_SM_RESP, 0, 5), (C.UNBIND_RESP, 0, 7)]
    assert closed(session).reason == "the peer unbound"


def test_what_stands_behind_an_unbind_is_refused() -> None:
    session = session_in(S.BOUND_TX)
    session.receive_octets(
        pdu(C.SUBMIT_SM, 5)
        + header(C.UNBIND, 7)
        + pdu(C.SUBMIT_SM, 8)
        + header(C.UNBIND, 9)
        + bind_pdu(S.BOUND_TX, 10),
        0,
    )
    assert sent(session) == [
        (C.SUBMIT_SM_RESP, E.ESME_RINVBNDSTS, 8),
        (C.UNBIND_RESP, E.ESME_RINVBNDSTS, 9),
        (C.BIND_TRANSMITTER_RESP, E.ESME_RINVBNDSTS, 10),
    ]
    assert not session.wants_close


def test_nothing_behind_an_unbind_that_is_answered_at_once_matters() -> None:
    session = session_in(S.BOUND_TX)
    session.receive_octets(header(C.UNBIND, 7) + pdu(C.SUBMIT_SM, 8) + header(0xFF, 9) + b"\0\0\0\1", 0)
    assert sent(session) == [(C.UNBIND_RESP, 0, 7)]
    assert kinds(session) == [ev.PeerUnbound, ev.Closed]


def test_responses_still_count_while_the_peer_unbinds() -> None:
    session = session_in(S.BOUND_TRX)
    session.send_requests([request(C.DELIVER_SM, "a"), request(C.DELIVER_SM, "b")], 0)
    session.receive_octets(pdu(C.SUBMIT_SM, 5) + header(C.UNBIND, 7) + pdu(C.DELIVER_SM_RESP, 1), 0)
    told(session)
    session.send_responses([pdu(C.SUBMIT_SM_RESP, 5)])
    assert sent(session)[-1] == (C.SUBMIT_SM_RESP, 0, 5)
    assert (told(session), session.free) == ([], 0)
    with pytest.raises(NotPermitted):
        session.send_requests([request(C.DELIVER_SM)], 0)
    session.receive_octets(pdu(C.DELIVER_SM_RESP, 2) + header(C.ENQUIRE_LINK, 8), 0)
    answered, end = told(session)
    assert isinstance(answered, ev.Responses)
    assert [context for context, *_ in answered.answered] == ["b"]
    assert end == ev.Closed("the peer unbound", [])
    assert sent(session) == [(C.UNBIND_RESP, 0, 7)]


def test_a_peer_that_unbinds_and_owes_answers_has_a_moment_for_them() -> None:
    session = session_in(S.BOUND_TRX)
    session.send_requests([request(C.DELIVER_SM, "a")], 0)
    session.receive_octets(header(C.UNBIND, 7), seconds(5))
    session.send_responses([])
    sent(session)
    session.handle_timer(seconds(5.9))
    assert kinds(session) == [ev.PeerUnbound]
    assert session.next_deadline_ns() == seconds(6)
    session.handle_timer(seconds(6))
    assert told(session) == [ev.Closed("the peer unbound", ["a"])]
    assert sent(session) == [(C.UNBIND_RESP, 0, 7)]


def test_the_unbind_of_a_peer_is_answered_although_ours_crossed_it() -> None:
    session = session_in(S.BOUND_TRX)
    session.unbind(0)
    sent(session)
    session.receive_octets(pdu(C.SUBMIT_SM, 6) + header(C.UNBIND, 7) + header(C.UNBIND_RESP, 1), 0)
    session.send_responses([pdu(C.SUBMIT_SM_RESP, 6)])
    assert sent(session) == [(C.SUBMIT_SM_RESP, 0, 6), (C.UNBIND_RESP, 0, 7)]


# ---- a peer that sends no more ---------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [S.OPEN, S.BOUND_TRX, S.CLOSED])
def test_a_peer_that_sends_no_more_and_is_owed_nothing_is_not_waited_for(state: S) -> None:
    assert not session_in(state).end_of_octets(0)


def test_an_smsc_that_sends_no_more_is_not_waited_for() -> None:
    session = esme_in(S.BOUND_TRX)
    session.receive_octets(pdu(C.DELIVER_SM, 5), 0)
    assert session.owed == 1
    assert not session.end_of_octets(0)


def test_a_peer_that_sends_no_more_gets_the_answers_it_is_owed() -> None:
    session = session_in(S.BOUND_TRX)
    session.send_requests([request(C.DELIVER_SM, "a")], 0)
    session.receive_octets(pdu(C.SUBMIT_SM, 5) + pdu(C.SUBMIT_SM, 6), 0)
    sent(session)
    assert session.end_of_octets(0)
    assert session.end_of_octets(0)
    assert (session.free, session.bound) == (0, False)
    session.send_responses([pdu(C.SUBMIT_SM_RESP, 5)])
    session.send_responses([pdu(C.SUBMIT_SM_RESP, 6)])
    assert sent(session) == [(C.SUBMIT_SM_RESP, 0, 5), (C.SUBMIT_SM_RESP, 0, 6)]
    assert closed(session) == ev.Closed("the peer closed the connection", ["a"])


def test_a_peer_that_unbinds_and_sends_no_more_is_answered_both() -> None:
    session = session_in(S.BOUND_TRX)
    session.receive_octets(pdu(C.SUBMIT_SM, 5) + header(C.UNBIND, 6), 0)
    assert session.end_of_octets(0)
    session.send_responses([pdu(C.SUBMIT_SM_RESP, 5)])
    assert sent(session) == [(C.SUBMIT_SM_RESP, 0, 5), (C.UNBIND_RESP, 0, 6)]
    assert closed(session).reason == "the peer unbound"


def test_a_peer_that_sends_no_more_is_kept_for_the_response_timer() -> None:
    session = session_in(S.BOUND_TX)
    session.receive_octets(pdu(C.SUBMIT_SM, 5), 0)
    session.end_of_octets(seconds(1))
    assert session.next_deadline_ns() == seconds(21)
    session.handle_timer(seconds(21))
    assert closed(session).reason == "the peer closed the connection"


@pytest.mark.parametrize("role", Role)
def test_we_unbind(role: Role) -> None:
    session = session_in(S.BOUND_TRX, role)
    session.unbind(0)
    session.unbind(0)
    ((command, _, number),) = sent(session)
    assert command == C.UNBIND
    assert session.bound
    session.receive_octets(header(C.UNBIND_RESP, number), 0)
    assert closed(session).reason == "unbound"


@pytest.mark.parametrize("answer", [(C.UNBIND_RESP, E.ESME_RSYSERR), (C.GENERIC_NACK, E.ESME_RINVCMDID)])
def test_any_answer_to_our_unbind_ends_the_session(answer: tuple[C, E]) -> None:
    session = esme_in(S.BOUND_TX)
    session.unbind(0)
    session.receive_octets(header(answer[0], 2, answer[1]), 0)
    assert closed(session).reason == "unbound"


def test_answers_and_messages_before_the_unbind_resp_are_told_before_the_end() -> None:
    session = esme_in(S.BOUND_TRX)
    session.send_requests([request(C.SUBMIT_SM, "a"), request(C.SUBMIT_SM, "b")], 0)
    session.unbind(0)
    session.receive_octets(pdu(C.SUBMIT_SM_RESP, 2) + header(C.UNBIND_RESP, 4), 0)
    (answered,) = told(session)
    assert isinstance(answered, ev.Responses)
    assert [context for context, *_ in answered.answered] == ["a"]
    session.receive_octets(pdu(C.SUBMIT_SM_RESP, 3), 0)
    assert kinds(session) == [ev.Responses, ev.Closed]


def test_what_the_peer_leaves_unanswered_after_our_unbind_is_told_with_the_end() -> None:
    session = esme_in(S.BOUND_TRX)
    session.unbind(0)
    session.receive_octets(pdu(C.DELIVER_SM, 5) + header(C.UNBIND_RESP, 2), seconds(1))
    told(session)
    session.handle_timer(seconds(21))
    assert told(session) == [ev.Closed("unbound", [])]


def test_our_unbind_too_waits_until_the_peer_has_its_answers() -> None:
    session = esme_in(S.BOUND_TRX)
    session.unbind(0)
    session.receive_octets(pdu(C.DELIVER_SM, 5) + header(C.UNBIND_RESP, 2), 0)
    assert kinds(session) == [ev.Requests]
    sent(session)
    session.send_responses([pdu(C.DELIVER_SM_RESP, 5)])
    assert sent(session) == [(C.DELIVER_SM_RESP, 0, 5)]
    assert closed(session).reason == "unbound"


def test_two_unbinds_that_cross_end_the_session_on_both_sides() -> None:
    wire = Wire()
    wire.esme.bind(esme_bind(), 0)
    wire.settle()
    wire.esme.unbind(0)
    wire.smsc.unbind(0)
    wire.settle()
    assert [wire.events[role][-1] for role in Role] == [ev.Closed("the peer unbound", [])] * 2


@pytest.mark.parametrize("state", [S.OPEN, S.OUTBOUND, S.UNBOUND, S.CLOSED])
@pytest.mark.parametrize("role", Role)
def test_there_is_nothing_to_unbind_where_nothing_is_bound(role: Role, state: S) -> None:
    session = session_in(state, role)
    session.unbind(0)
    assert sent(session) == []


def test_nothing_more_is_sent_behind_our_unbind() -> None:
    session = esme_in(S.BOUND_TX)
    session.unbind(0)
    assert session.free == 0
    with pytest.raises(NotPermitted, match="while the session is unbinding"):
        session.send_requests([request(C.SUBMIT_SM)], 0)


# ---- closing -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [S.OPEN, S.BOUND_TRX, S.UNBOUND])
@pytest.mark.parametrize("role", Role)
def test_a_session_ends_once(role: Role, state: S) -> None:
    session = session_in(state, role)
    session.close("first")
    session.close("second")
    session.close("third")
    session.receive_octets(header(C.ENQUIRE_LINK), 0)
    session.send_responses([header(C.SUBMIT_SM_RESP)])
    assert told(session) == [ev.Closed("first", [])]
    assert sent(session) == []


def test_what_is_in_flight_comes_back_in_the_order_of_sending() -> None:
    session = esme_in(S.BOUND_TX)
    session.send_requests([request(C.SUBMIT_SM, n) for n in range(5)], 0)
    session.receive_octets(pdu(C.SUBMIT_SM_RESP, 4), 0)
    told(session)
    session.close("gone")
    assert told(session) == [ev.Closed("gone", [0, 1, 3, 4])]
    assert session.in_flight == 0


def test_what_was_to_be_sent_before_the_end_still_is() -> None:
    session = session_in(S.BOUND_TX)
    session.receive_octets(header(C.ENQUIRE_LINK, 5), 0)
    session.close("the test")
    assert sent(session) == [(C.ENQUIRE_LINK_RESP, 0, 5)]


# ---- the window --------------------------------------------------------------------------------------------


def test_responses_come_in_any_order_with_their_contexts() -> None:
    session = esme_in(S.BOUND_TX)
    session.send_requests([request(C.SUBMIT_SM, "a"), request(C.QUERY_SM, "b"), request(C.SUBMIT_SM, "c")], 7)
    assert sent(session) == [(C.SUBMIT_SM, 0, 2), (C.QUERY_SM, 0, 3), (C.SUBMIT_SM, 0, 4)]
    third, first = pdu(C.SUBMIT_SM_RESP, 4, message_id=b"x"), header(C.SUBMIT_SM_RESP, 2, E.ESME_RTHROTTLED)
    session.receive_octets(third + first, 9)
    assert told(session) == [ev.Responses([("c", 0, third, 7), ("a", E.ESME_RTHROTTLED, first, 7)])]
    assert (session.in_flight, session.free) == (1, 9)


def test_strays_are_told_and_not_answered() -> None:
    session = esme_in(S.BOUND_TX)
    session.send_requests([request(C.SUBMIT_SM, "a")], 0)
    sent(session)
    octets = b"".join(
        [
            pdu(C.SUBMIT_SM_RESP, 99),
            pdu(C.QUERY_SM_RESP, 2),
            header(C.GENERIC_NACK, 0, E.ESME_RINVCMDLEN),
            header(C.ENQUIRE_LINK_RESP, 2),
            header(0x80000ABC, 2),
        ]
    )
    session.receive_octets(octets, 0)
    (strays,) = told(session)
    assert isinstance(strays, ev.Strays)
    assert len(strays.frames) == 5
    assert sent(session) == []
    assert session.in_flight == 1


def test_the_number_of_a_request_follows_the_highest_by_1() -> None:
    session = esme_in(S.BOUND_TX)
    session._outgoing._numbers.use(0x7FFFFFFE)
    session.send_requests([request(C.SUBMIT_SM), request(C.SUBMIT_SM)], 0)
    assert [number for *_, number in sent(session)] == [0x7FFFFFFF, 1]


@pytest.mark.parametrize("number", [0, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_any_number_of_the_peer_is_echoed(number: int) -> None:
    session = opened()
    session.receive_octets(bind_pdu(S.BOUND_TX, number), 0)
    session.accept_bind(b"smsc", 0)
    session.receive_octets(
        header(C.ENQUIRE_LINK, number) * 2 + pdu(C.DELIVER_SM, number) + header(0xABC, number), 0
    )
    assert [echoed for *_, echoed in sent(session)] == [number] * 5


def test_a_number_of_the_peer_that_is_used_again_is_two_requests() -> None:
    session = session_in(S.BOUND_TX)
    session.receive_octets(pdu(C.SUBMIT_SM, 5) * 2, 0)
    (event,) = told(session)
    assert isinstance(event, ev.Requests)
    assert [frame[2] for frame in event.frames] == [5, 5]
    assert session.owed == 2


@pytest.mark.parametrize("state", list(S))
@pytest.mark.parametrize("role", Role)
def test_only_messages_that_the_table_permits_are_sent(role: Role, state: S) -> None:
    for command in C:
        session = session_in(state, role)
        if command in RULES[role, state].awaited:
            session.send_requests([request(command)], 0)
            assert [head[0] for head in sent(session)] == [command]
        else:
            with pytest.raises(NotPermitted):
                session.send_requests([(command, b"", None)], 0)
            assert sent(session) == []


@pytest.mark.parametrize("state", list(S))
@pytest.mark.parametrize("role", Role)
def test_there_is_room_only_where_something_may_be_sent(role: Role, state: S) -> None:
    sends = state in ((S.BOUND_TX, S.BOUND_TRX) if role is Role.ESME else (S.BOUND_RX, S.BOUND_TRX))
    assert session_in(state, role).free == (10 if sends else 0)


def test_more_than_the_window_takes_is_not_sent() -> None:
    session = esme_in(S.BOUND_TX)
    with pytest.raises(WindowFull):
        session.send_requests([request(C.SUBMIT_SM)] * 11, 0)
    session.send_requests([request(C.SUBMIT_SM)] * 10, 0)
    assert len(sent(session)) == 10
    assert session.free == 0


def test_sending_nothing_is_nothing() -> None:
    session = esme_in(S.BOUND_TX)
    session.send_requests([], seconds(5))
    assert sent(session) == []


def test_an_alert_takes_no_place_in_the_window() -> None:
    session = session_in(S.BOUND_RX)
    session.send_requests([request(C.ALERT_NOTIFICATION, "alert")], 0)
    assert (session.in_flight, session.free) == (0, 10)
    session.close("the test")
    assert closed(session).unanswered == []


def test_what_is_above_the_window_of_the_peer_is_throttled() -> None:
    session = session_in(S.BOUND_TX)
    session.receive_octets(b"".join(pdu(C.SUBMIT_SM, n) for n in range(1, 13)), 0)
    (event,) = told(session)
    assert isinstance(event, ev.Requests)
    assert [frame[2] for frame in event.frames] == list(range(1, 11))
    assert sent(session) == [
        (C.SUBMIT_SM_RESP, E.ESME_RTHROTTLED, 11),
        (C.SUBMIT_SM_RESP, E.ESME_RTHROTTLED, 12),
    ]
    session.receive_octets(pdu(C.QUERY_SM, 13), 0)
    assert kinds(session) == []
    assert sent(session) == [(C.QUERY_SM_RESP, E.ESME_RTHROTTLED, 13)]
    session.send_responses([pdu(C.SUBMIT_SM_RESP, 1)])
    session.receive_octets(pdu(C.SUBMIT_SM, 14), 0)
    assert kinds(session) == [ev.Requests]


def test_an_alert_is_never_owed_an_answer() -> None:
    session = esme_in(S.BOUND_RX)
    session.receive_octets(pdu(C.ALERT_NOTIFICATION, 1) * 20, 0)
    assert (kinds(session), session.owed, sent(session)) == ([ev.Requests], 0, [])


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("send"), st.integers(1, 5)),
            st.tuples(st.just("answer"), st.integers(1, 30)),
            st.tuples(st.just("nack"), st.integers(1, 30)),
            st.tuples(st.just("wrong"), st.integers(1, 30)),
            st.tuples(st.just("wait"), st.integers(1, 25)),
            st.tuples(st.just("unbind"), st.just(0)),
        ),
        max_size=30,
    ),
    st.sampled_from([0, 0x7FFFFFF0]),
)
def test_every_context_comes_back_exactly_once_and_late_at_most_once(
    steps: list[tuple[str, int]], first: int
) -> None:
    session = esme_in(
        S.BOUND_TX, settings=replace(SETTINGS, timers=replace(SETTINGS.timers, enquire_link_ns=0))
    )
    if first:
        session._outgoing._numbers.use(first)
    now_ns = 0
    given_away: list[int] = []
    back: list[object] = []
    expired: list[object] = []
    late: list[list[object]] = []

    def collect() -> None:
        for event in told(session):
            assert not late, "Closed is the last event"
            if isinstance(event, ev.Responses):
                back.extend(context for context, *_ in event.answered)
            elif isinstance(event, ev.Expired):
                assert event.contexts == sorted(event.contexts)  # type: ignore[type-var]
                back.extend(event.contexts)
                expired.extend(event.contexts)
            elif isinstance(event, ev.Late):
                for context, *_ in event.answered:
                    expired.remove(context)
            elif isinstance(event, ev.Closed):
                assert event.unanswered == sorted(event.unanswered)  # type: ignore[type-var]
                late.append(event.unanswered)
                back.extend(event.unanswered)

    for step, number in steps:
        sequence_number = (first + number - 1) % 0x7FFFFFFF + 1 if first else number
        if step == "send" and session.free:
            batch = range(len(given_away), len(given_away) + min(number, session.free))
            session.send_requests([request(C.SUBMIT_SM, context) for context in batch], now_ns)
            given_away.extend(batch)
        elif step == "answer":
            session.receive_octets(pdu(C.SUBMIT_SM_RESP, sequence_number), now_ns)
        elif step == "nack":
            session.receive_octets(header(C.GENERIC_NACK, sequence_number), now_ns)
        elif step == "wrong":
            session.receive_octets(pdu(C.QUERY_SM_RESP, sequence_number), now_ns)
        elif step == "wait":
            now_ns += seconds(number)
            session.handle_timer(now_ns)
        elif step == "unbind":
            session.unbind(now_ns)
        collect()
    session.close("the end")
    collect()
    assert len(late) == 1
    assert sorted(back) == given_away  # type: ignore[type-var]


# ---- faults ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [S.OPEN, S.BOUND_TRX])
@pytest.mark.parametrize("length", [0, 15, 70_001, 0xFFFFFFFF])
@pytest.mark.parametrize(
    ("rest", "number"),
    [
        (b"", 0),
        (b"\0\0\0\4\0\0\0\0\0\0\0", 0),
        (b"\0\0\0\4\0\0\0\0\0\0\0\x2a", 42),
        (b"\0\0\0\4\0\0\0\0\0\0\0\x2a" * 9, 42),
    ],
    ids=["4 octets", "15 octets", "16 octets", "more"],
)
def test_a_command_length_out_of_bounds_ends_the_session(
    state: S, length: int, rest: bytes, number: int
) -> None:
    session = session_in(state)
    session.receive_octets(length.to_bytes(4, "big") + rest, 0)
    assert sent(session) == [(C.GENERIC_NACK, E.ESME_RINVCMDLEN, number)]
    fault, end = told(session)
    assert isinstance(fault, ev.Fault)
    assert isinstance(fault.error, CommandLengthError)
    assert end == ev.Closed(str(fault.error), [])


def test_the_limit_of_the_configuration_holds_for_a_bound_peer() -> None:
    settings = replace(SETTINGS, max_pdu_octets=200)
    fits = pdu(C.SUBMIT_SM, 1, short_message=b"x" * 167)
    assert len(fits) == 200
    session = session_in(S.BOUND_TX, settings=settings)
    session.receive_octets(fits, 0)
    assert kinds(session) == [ev.Requests]
    session.receive_octets(pdu(C.SUBMIT_SM, 1, short_message=b"x" * 168), 0)
    assert sent(session) == [(C.GENERIC_NACK, E.ESME_RINVCMDLEN, 1)]


def test_a_limit_below_that_of_an_unbound_peer_holds_for_it_too() -> None:
    session = opened(settings=replace(SETTINGS, max_pdu_octets=200))
    session.receive_octets((201).to_bytes(4, "big"), 0)
    assert session.wants_close


def test_pdus_before_a_broken_one_are_handled() -> None:
    session = session_in(S.BOUND_TX)
    session.receive_octets(pdu(C.SUBMIT_SM, 5) + b"\0\0\0\7", 0)
    assert kinds(session) == [ev.Requests, ev.Fault, ev.Closed]


@pytest.mark.parametrize(
    "hello",
    [
        b"GET / HTTP/1.1\r\nHost: example\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x55" * 40,
        b"SSH-2.0-OpenSSH_9.6\r\n",
    ],
    ids=["HTTP", "TLS", "SSH"],
)
def test_a_peer_that_speaks_something_else_is_turned_away(hello: bytes) -> None:
    session = opened()
    session.receive_octets(hello, 0)
    ((command, status, _),) = sent(session)
    assert (command, status) == (C.GENERIC_NACK, E.ESME_RINVCMDLEN)
    assert session.wants_close


@pytest.mark.parametrize("state", [S.OPEN, S.OUTBOUND, S.BOUND_TX, S.BOUND_RX, S.BOUND_TRX, S.UNBOUND])
@pytest.mark.parametrize("command_id", [0, 0x0A, 0x22, 0x24, 0x10200, 0x7FFFFFFF])
def test_an_unknown_request_is_nacked_and_the_session_stays(state: S, command_id: int) -> None:
    session = session_in(state)
    session.receive_octets(header(command_id, 9, body=b"whatever"), 0)
    assert sent(session) == [(C.GENERIC_NACK, E.ESME_RINVCMDID, 9)]
    assert faults(session) == [UnknownCommandError]
    assert session.state is state


@pytest.mark.parametrize("command_id", [0x8000000A, 0x80000022, 0xFFFFFFFF])
def test_an_unknown_response_is_nothing_but_a_stray(command_id: int) -> None:
    session = session_in(S.BOUND_TX)
    session.receive_octets(header(command_id, 9), 0)
    assert (kinds(session), sent(session)) == ([ev.Strays], [])


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", E.ESME_RINVSYSID),
        (b"a name that is too long\0pw\0\0\x34\0\0\0", E.ESME_RINVSYSID),
        (b"esme\0a long password\0\0\x34\0\0\0", E.ESME_RINVPASWD),
        (b"esme\0pw\0a system_type too long\0\x34\0\0\0", E.ESME_RINVSYSTYP),
        (b"esme\0pw\0\0\x34\0\0", E.ESME_RINVCMDLEN),
    ],
    ids=["no body", "system_id", "password", "system_type", "cut short"],
)
def test_a_broken_bind_is_answered_with_the_status_of_its_field(body: bytes, status: E) -> None:
    session = opened()
    session.receive_octets(header(C.BIND_TRANSCEIVER, 6, body=body), 0)
    assert sent(session) == [(C.BIND_TRANSCEIVER_RESP, status, 6)]
    assert faults(session) == [FieldError]
    assert (session.state, session.wants_close) == (S.OPEN, False)


def test_too_many_faults_in_a_row_end_the_session() -> None:
    session = session_in(S.BOUND_TX)
    session.receive_octets(header(0xAA, 1) * MAX_FAULTS, 0)
    assert not session.wants_close
    session.receive_octets(header(0xAA, 1) * 5, 0)
    assert len(sent(session)) == MAX_FAULTS + 1
    assert closed(session).reason == "more than 10 broken PDUs in a row"


@pytest.mark.parametrize(
    "good",
    [
        lambda session: session.receive_octets(header(C.ENQUIRE_LINK, 1), 0),
        lambda session: session.receive_octets(pdu(C.DELIVER_SM_RESP, 1), 0),
        lambda session: session.send_responses([pdu(C.SUBMIT_SM_RESP, 1)]),
    ],
    ids=["enquire_link", "response", "answered message"],
)
def test_anything_good_ends_a_row_of_faults(good: Callable[[Session], None]) -> None:
    session = session_in(S.BOUND_TRX)
    session.send_requests([request(C.DELIVER_SM)], 0)
    session.receive_octets(header(0xAA, 1) * MAX_FAULTS, 0)
    good(session)
    session.receive_octets(header(0xAA, 1) * MAX_FAULTS, 0)
    assert not session.wants_close


def test_broken_messages_that_the_owner_found_count_as_faults() -> None:
    session = session_in(S.BOUND_TX)
    nacks = [header(C.SUBMIT_SM_RESP, n, E.ESME_RINVCMDLEN) for n in range(MAX_FAULTS)]
    session.send_responses(nacks, faults=MAX_FAULTS)
    assert not session.wants_close
    session.send_responses(nacks[:2], faults=1)  # one of them was good
    session.send_responses(nacks[1:], faults=MAX_FAULTS - 1)
    assert not session.wants_close
    session.send_responses(nacks[:1], faults=1)
    assert closed(session).reason == "more than 10 broken PDUs in a row"


CONVERSATION = b"".join(
    [
        header(C.ENQUIRE_LINK, 1),
        bind_pdu(S.BOUND_TRX, 2),
        pdu(C.SUBMIT_SM, 3, short_message=b"hello"),
        header(0xABCD, 4, body=b"junk"),
        bind_pdu(S.BOUND_RX, 5),
        pdu(C.SUBMIT_SM, 6, tlvs=((TlvTag.MESSAGE_PAYLOAD, b"x" * 3000),)),
        header(C.DELIVER_SM_RESP, 1),
        header(C.GENERIC_NACK, 9),
        header(C.UNBIND, 7),
    ]
)


def converse(chunks: list[bytes]) -> tuple[list[tuple[int, int, int]], list[int], list[int]]:
    """What a session that accepts and answers everything has sent; the messages it was told; the ones it lost."""
    session = opened()
    answers: list[tuple[int, int, int]] = []
    messages: list[int] = []
    strays: list[int] = []
    for chunk in chunks:
        session.receive_octets(chunk, 0)
        while events := told(session):
            for event in events:
                if isinstance(event, ev.BindRequested):
                    session.accept_bind(b"smsc", 0)
                elif isinstance(event, ev.Requests):
                    messages += [frame[2] for frame in event.frames]
                elif isinstance(event, ev.Strays):
                    strays += [frame[2] for frame in event.frames]
    session.send_responses([pdu(C.SUBMIT_SM_RESP, number) for number in messages])
    answers = sent(session)
    assert session.wants_close
    return answers, messages, strays


def test_a_conversation_is_the_same_however_its_octets_arrive() -> None:
    whole = converse([CONVERSATION])
    assert whole == (
        [
            (C.ENQUIRE_LINK_RESP, 0, 1),
            (C.BIND_TRANSCEIVER_RESP, 0, 2),
            (C.GENERIC_NACK, E.ESME_RINVCMDID, 4),
            (C.BIND_RECEIVER_RESP, E.ESME_RALYBND, 5),
            (C.SUBMIT_SM_RESP, 0, 3),
            (C.SUBMIT_SM_RESP, 0, 6),
            (C.UNBIND_RESP, 0, 7),
        ],
        [3, 6],
        [1, 9],
    )
    assert converse([bytes([octet]) for octet in CONVERSATION]) == whole
    assert converse([CONVERSATION[at : at + 7] for at in range(0, len(CONVERSATION), 7)]) == whole
    assert converse([CONVERSATION + b"\0\0"]) == whole


# ---- versions ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("theirs", "ours", "agreed", "tells"),
    [
        (0x00, 0x34, 0x33, False),
        (0x33, 0x34, 0x33, False),
        (0x34, 0x34, 0x34, True),
        (0x40, 0x50, 0x34, True),
        (0x50, 0x34, 0x34, True),
        (0x50, 0x50, 0x50, True),
        (0x51, 0x50, 0x50, True),
    ],
)
def test_a_peer_is_spoken_to_in_the_lower_version(theirs: int, ours: int, agreed: int, tells: bool) -> None:
    session = opened(settings=replace(SETTINGS, interface_version=ours))
    session.receive_octets(bind_pdu(interface_version=theirs), 0)
    session.accept_bind(b"smsc", 0)
    octets = b"".join(session.octets_to_send())
    assert session.peer_version == agreed
    assert octets[16:] == b"smsc\0" + (b"\x02\x10\0\1" + bytes([agreed])) * tells


@pytest.mark.parametrize(
    ("body", "version"),
    [
        (b"smsc\0\x02\x10\0\1\x50", 0x34),
        (b"smsc\0\x02\x10\0\1\x33", 0x33),
        (b"smsc\0", 0x34),
        (b"", 0x34),
        (b"a name without its NUL", 0x34),
        (b"smsc\0\x02\x10\0\2\x34\x34", 0x34),
        (b"smsc\0\x02\x10", 0x34),
    ],
)
def test_whatever_stands_in_a_bind_response_it_has_bound_us(body: bytes, version: int) -> None:
    session = opened(Role.ESME)
    session.bind(esme_bind(), 0)
    session.receive_octets(header(C.BIND_TRANSCEIVER_RESP, 1, body=body), 0)
    assert (session.state, session.peer_version) == (S.BOUND_TRX, version)


# ---- two of them, and anything at all ----------------------------------------------------------------------


def test_two_sessions_hold_a_conversation() -> None:
    wire = Wire()
    wire.esme.bind(esme_bind(), 0)
    wire.settle()
    wire.esme.send_requests([request(C.SUBMIT_SM, n, short_message=b"hello") for n in range(10)], 0)
    wire.smsc.send_requests([request(C.DELIVER_SM, n) for n in range(5)], 0)
    wire.settle()
    wire.now_ns = seconds(30)
    wire.esme.handle_timer(wire.now_ns)
    wire.smsc.handle_timer(wire.now_ns)
    wire.settle()
    wire.esme.unbind(wire.now_ns)
    wire.settle()
    for role, contexts in ((Role.ESME, range(10)), (Role.SMSC, range(5))):
        responses = [event for event in wire.events[role] if isinstance(event, ev.Responses)]
        assert [context for event in responses for context, *_ in event.answered] == list(contexts)
        assert isinstance(wire.events[role][-1], ev.Closed)
        assert sum(isinstance(event, ev.Closed) for event in wire.events[role]) == 1
    assert (wire.esme.peer_version, wire.smsc.peer_version) == (0x34, 0x34)


def test_two_sessions_part_only_when_both_have_their_answers() -> None:
    wire = Wire()
    wire.esme.bind(esme_bind(), 0)
    wire.settle()
    wire.esme.send_requests([request(C.SUBMIT_SM, "mt")], 0)
    wire.esme.unbind(0)
    wire.settle(answer=False)
    assert (wire.esme.bound, wire.smsc.state) == (True, S.UNBOUND)
    wire.smsc.send_responses([pdu(C.SUBMIT_SM_RESP, 2)])
    wire.settle()
    assert isinstance(wire.events[Role.ESME][-2], ev.Responses)
    assert wire.events[Role.ESME][-1] == ev.Closed("unbound", [])
    assert wire.events[Role.SMSC][-1] == ev.Closed("the peer unbound", [])


ANY_PDU = st.builds(
    lambda command, number, status: pdu(command, number, status),
    st.sampled_from(list(C)),
    st.one_of(st.integers(0, 12), st.sampled_from([0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])),
    st.sampled_from([0, 0, 0, 8]),
)
BROKEN_PDU = st.builds(
    lambda command, number, body: header(command, number, 0, body),
    st.one_of(st.sampled_from([int(command) for command in C]), st.integers(0, 0xFFFFFFFF)),
    st.integers(0, 12),
    st.binary(max_size=40),
)
CHUNKS = st.lists(st.one_of(ANY_PDU, ANY_PDU, BROKEN_PDU, st.binary(max_size=30)), max_size=14)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.sampled_from(Role), st.sampled_from(list(S)), CHUNKS, st.randoms(use_true_random=False), st.booleans()
)
def test_no_octets_harm_a_session(
    role: Role, state: S, chunks: list[bytes], random: object, whole: bool
) -> None:
    """Any octets give answers that can be read and events in order, never an exception; `Closed` is told last and
    once, and a session that has ended does nothing more."""
    session = session_in(state, role)
    events: list[ev.Event] = []
    ours = C.DELIVER_SM if role is Role.SMSC else C.SUBMIT_SM
    for step, chunk in enumerate([b"".join(chunks)] if whole else chunks):
        if role is Role.ESME and session.state is S.OPEN and step == 1:
            session.bind(esme_bind(), 0)
        if session.free:
            session.send_requests([request(ours, step)], 0)
        session.receive_octets(chunk, 0)
        while happened := told(session):
            events += happened
            for event in happened:
                if isinstance(event, ev.BindRequested) and session.paused:
                    session.accept_bind(b"smsc", 0)
                elif isinstance(event, ev.Requests) and step % 2:
                    owed = [frame for frame in event.frames if frame[0] not in ONE_WAY]
                    session.send_responses([pdu(frame[0] | 0x80000000, frame[2]) for frame in owed])
        sent(session)
        assert session.state in S
        assert session.wants_close is (session.state is S.CLOSED)
        assert 0 <= session.free <= 10
        assert session.owed <= 10
    session.close("the end")
    events += told(session)
    ends = [event for event in events if isinstance(event, ev.Closed)]
    if state is not S.CLOSED:
        assert ends == events[-1:]
    else:
        assert events == []
    assert frames(session.octets_to_send()) == []


def test_a_message_of_the_peer_is_handed_up_as_it_came() -> None:
    for role in Role:
        session = session_in(S.BOUND_TRX, role)
        octets = message_of_peer(role, 5)
        session.receive_octets(octets, 0)
        (event,) = told(session)
        assert event == ev.Requests([(int.from_bytes(octets[4:8], "big"), 0, 5, octets)])
