"""The tables, whole: every sender, state and command has one outcome, and the machine does just that."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import pytest

from smppgw.pdu.constants import CommandId, CommandStatus
from smppgw.session import events as ev
from smppgw.session.states import (
    BOUND,
    MESSAGES,
    ONE_WAY,
    OUTCOMES,
    PERMITTED,
    REQUESTS,
    RESPONSES,
    RULES,
    TRANSITIONS,
    Action,
    Outcome,
    Role,
    SessionState,
)
from tests.session.support import (
    OUTBIND,
    C,
    E,
    S,
    bind_pdu,
    header,
    message_of_peer,
    pdu,
    sent,
    session_in,
    told,
)

COLUMNS: Final = (S.OPEN, S.OUTBOUND, S.BOUND_TX, S.BOUND_RX, S.BOUND_TRX, S.UNBOUND, S.CLOSED)

OUTCOME_OF: Final = {
    "H": Outcome(Action.HAND_UP),
    "B": Outcome(Action.BIND),
    "O": Outcome(Action.OUTBIND),
    "E": Outcome(Action.ENQUIRE),
    "U": Outcome(Action.UNBIND),
    "M": Outcome(Action.MATCH),
    "w": Outcome(Action.REFUSE, E.ESME_RINVBNDSTS),
    "x": Outcome(Action.REFUSE, E.ESME_RINVBNDSTS, close=True),
    "a": Outcome(Action.REFUSE, E.ESME_RALYBND),
    "n": Outcome(Action.NACK, E.ESME_RINVBNDSTS),
    "c": Outcome(Action.NACK, E.ESME_RINVCMDID, close=True),
    ".": Outcome(Action.IGNORE),
}

SUBMITS: Final = (
    "submit_sm submit_multi query_sm cancel_sm replace_sm broadcast_sm query_broadcast_sm cancel_broadcast_sm"
)
# From the tables of the specification, by hand. Columns: OPEN OUTBOUND BOUND_TX BOUND_RX BOUND_TRX UNBOUND CLOSED.
STATED: Final = {
    Role.ESME: {
        "bind_transmitter": "B w a a a x .",
        "bind_receiver bind_transceiver": "B B a a a x .",
        "outbind": "c n n n n n .",
        SUBMITS: "w w H w H x .",
        "data_sm": "w w H w H x .",
        "deliver_sm": "w w w w w x .",
        "alert_notification": ". . . . . . .",
        "unbind": "x x U U U x .",
        "enquire_link": "E E E E E E .",
    },
    Role.SMSC: {
        "bind_transmitter bind_receiver bind_transceiver": "w w a a a x .",
        "outbind": "O n n n n n .",
        SUBMITS: "w w w w w x .",
        "data_sm": "w w w H H x .",
        "deliver_sm": "w w w H H x .",
        "alert_notification": ". . . H H . .",
        "unbind": "x x U U U x .",
        "enquire_link": "E E E E E E .",
    },
}


def stated() -> dict[tuple[Role, SessionState, CommandId], str]:
    table = {}
    for sender, rows in STATED.items():
        for names, row in rows.items():
            for name in names.split():
                for state, code in zip(COLUMNS, row.split(), strict=True):
                    table[sender, state, CommandId[name.upper()]] = code
        for response in CommandId:
            if response & 0x80000000:
                for state in COLUMNS:
                    table[sender, state, response] = "." if state is S.CLOSED else "M"
    return table


TABLE: Final = stated()


def test_the_stated_table_is_whole() -> None:
    assert len(TABLE) == len(Role) * len(SessionState) * len(CommandId) == 2 * 7 * 33


def test_every_outcome_is_the_stated_one() -> None:
    found = {
        (sender, state, command): OUTCOMES[sender, state][command]
        for sender in Role
        for state in SessionState
        for command in CommandId
    }
    assert found == {key: OUTCOME_OF[code] for key, code in TABLE.items()}


def test_the_outcomes_know_no_other_command() -> None:
    assert all(set(row) == set(map(int, CommandId)) for row in OUTCOMES.values())


@pytest.mark.parametrize("state", COLUMNS, ids=lambda state: state.value)
@pytest.mark.parametrize("sender", Role, ids=lambda role: f"from_the_{role.value}")
def test_the_machine_does_what_the_table_says(sender: Role, state: SessionState) -> None:
    for command in CommandId:
        code = TABLE[sender, state, command]
        session = session_in(state, sender.peer)
        if command in (C.BIND_TRANSMITTER, C.BIND_RECEIVER, C.BIND_TRANSCEIVER):
            octets = pdu(command, 0x1234, system_id=b"x", interface_version=0x34)
        else:
            octets = pdu(command, 0x1234)
        session.receive_octets(octets, 5)

        outcome = OUTCOME_OF[code]
        response = command | 0x80000000
        expected = {
            "E": [(response, 0, 0x1234)],
            "U": [(response, 0, 0x1234)],
            "n": [(C.GENERIC_NACK, outcome.status, 0x1234)],
            "c": [(C.GENERIC_NACK, outcome.status, 0x1234)],
        }.get(code, [(response, outcome.status, 0x1234)] if code in "wxa" else [])
        assert sent(session) == expected, (sender, state, command)

        event = {
            "H": ev.Requests,
            "B": ev.BindRequested,
            "O": ev.Outbound,
            "U": ev.PeerUnbound,
            "M": ev.Strays,
        }.get(code)
        happened = [type(event) for event in told(session)]
        # An UNBOUND session still waits for the owner: it ends when everything owed is answered.
        closes = code == "U" or (outcome.close and state is not S.UNBOUND)
        assert happened == [event] * (event is not None) + [ev.Closed] * closes, (sender, state, command)
        assert session.wants_close is (closes or state is S.CLOSED)
        if closes:
            assert session.state is S.CLOSED
        elif code == "O":
            assert session.state is S.OUTBOUND
        else:
            assert session.state is state


@pytest.mark.parametrize("role", Role)
def test_an_unbound_session_ends_once_all_is_answered(role: Role) -> None:
    session = session_in(S.UNBOUND, role)
    session.receive_octets(message_of_peer(role, 72), 5)
    assert not session.wants_close
    response = C.SUBMIT_SM_RESP if role is Role.SMSC else C.DELIVER_SM_RESP
    session.send_responses([pdu(response, 70)])
    assert sent(session)[-2:] == [(response, 0, 70), (C.UNBIND_RESP, 0, 71)]
    assert session.wants_close


SPECIFIED: Final = json.loads(
    (Path(__file__).parents[1] / "data" / "spec" / "commands.json").read_text(encoding="utf-8")
)["commands"]

EXCEPTIONS: Final = {
    # 3.4 lets both sides send data_sm in every bound state; 5.0 and real peers do not.
    ("data_sm", "ESME", "BOUND_RX"),
    ("data_sm", "SMSC", "BOUND_TX"),
    # 5.0 lists it, but an outbind asks for a receiver, and nothing would be received on a transmitter.
    ("bind_transmitter", "ESME", "OUTBOUND"),
}


def test_what_is_permitted_is_what_3_4_and_5_0_permit_together() -> None:
    specified = {
        (command["name"], sender, state)
        for command in SPECIFIED
        if command["kind"] != "response"
        for version in ("3.4", "5.0")
        for sender, states in command["sender_states"].get(version, {}).items()
        for state in states
    }
    permitted = {
        (command.name.lower(), role.value, state.name)
        for (role, state), commands in PERMITTED.items()
        for command in commands
    }
    assert permitted == specified - EXCEPTIONS
    assert specified >= EXCEPTIONS


def test_every_request_is_answered_or_known_to_be_one_way() -> None:
    specified = {c["name"] for c in SPECIFIED if c["kind"] == "oneway"}
    assert {command.name.lower() for command in ONE_WAY} == specified
    assert {request | 0x80000000 for request in REQUESTS - ONE_WAY} == RESPONSES - {C.GENERIC_NACK}


def test_only_a_bind_an_outbind_or_an_unbind_moves_the_state() -> None:
    moved = {
        (before.name, command.name.lower(), after.name) for (before, command), after in TRANSITIONS.items()
    }
    assert moved == {
        ("OPEN", "outbind", "OUTBOUND"),
        ("OPEN", "bind_transmitter_resp", "BOUND_TX"),
        ("OPEN", "bind_receiver_resp", "BOUND_RX"),
        ("OPEN", "bind_transceiver_resp", "BOUND_TRX"),
        ("OUTBOUND", "bind_receiver_resp", "BOUND_RX"),
        ("OUTBOUND", "bind_transceiver_resp", "BOUND_TRX"),
        ("BOUND_TX", "unbind_resp", "UNBOUND"),
        ("BOUND_RX", "unbind_resp", "UNBOUND"),
        ("BOUND_TRX", "unbind_resp", "UNBOUND"),
    }


@pytest.mark.parametrize("state", SessionState)
@pytest.mark.parametrize("role", Role)
def test_the_rules_of_a_side_are_the_tables_seen_from_it(role: Role, state: SessionState) -> None:
    rules = RULES[role, state]
    assert rules.bound is (state in BOUND)
    assert rules.permitted == PERMITTED[role, state]
    assert set(rules.awaited) == PERMITTED[role, state] & MESSAGES
    assert all(
        response == (0 if command in ONE_WAY else command | 0x80000000)
        for command, response in rules.awaited.items()
    )
    assert rules.outcomes is OUTCOMES[role.peer, state]
    assert rules.handed_up == {c for c, outcome in rules.outcomes.items() if outcome.action is Action.HAND_UP}


def test_the_peer_of_an_esme_is_the_smsc() -> None:
    assert Role.ESME.peer is Role.SMSC
    assert Role.SMSC.peer is Role.ESME


def test_a_bind_with_a_body_and_a_header_alone_are_the_same_to_a_table() -> None:
    """What is refused is not decoded: a broken bind on a bound session is ESME_RALYBND all the same."""
    session = session_in(S.BOUND_TX)
    session.receive_octets(bind_pdu(S.BOUND_RX, 5) + header(C.BIND_RECEIVER, 6), 0)
    assert sent(session) == [
        (C.BIND_RECEIVER_RESP, CommandStatus.ESME_RALYBND, 5),
        (C.BIND_RECEIVER_RESP, CommandStatus.ESME_RALYBND, 6),
    ]


def test_an_outbind_is_told_to_the_esme_and_its_bind_binds() -> None:
    session = session_in(S.OPEN, Role.ESME)
    session.receive_octets(OUTBIND, 0)
    (event,) = told(session)
    assert isinstance(event, ev.Outbound)
    assert (event.pdu.system_id, event.pdu.password) == (b"smsc", b"pw")  # type: ignore[attr-defined]
