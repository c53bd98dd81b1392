"""Who may send what in which state, what moves the state, and what to answer to the rest: tables, no role inside.

Sources: SMPP v3.4 sections 2.2 and 2.3 (table 2-1), v5.0 sections 2.3 and 2.4; where the two differ the wider one,
and replace_sm in BOUND_TRX, which every implementation allows. `OUTCOMES` is total: every sender, state and known
command has one stated outcome.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

from smppgw.pdu.constants import RESPONSE_BIT, CommandId, CommandStatus


class Role(Enum):
    """The two ends of a session."""

    ESME = "ESME"
    SMSC = "SMSC"

    @property
    def peer(self) -> Role:
        """The other end."""
        return Role.SMSC if self is Role.ESME else Role.ESME


class SessionState(Enum):
    """Session states (SMPP v3.4 section 2.2; OUTBOUND and UNBOUND are v5.0 section 2.3)."""

    OPEN = "open"
    OUTBOUND = "outbound"
    BOUND_TX = "bound_tx"
    BOUND_RX = "bound_rx"
    BOUND_TRX = "bound_trx"
    UNBOUND = "unbound"
    CLOSED = "closed"


_S = SessionState
_C = CommandId

BOUND: Final = frozenset({_S.BOUND_TX, _S.BOUND_RX, _S.BOUND_TRX})
BINDS: Final = frozenset({_C.BIND_TRANSMITTER, _C.BIND_RECEIVER, _C.BIND_TRANSCEIVER})
REQUESTS: Final = frozenset(command for command in CommandId if not command & RESPONSE_BIT)
RESPONSES: Final = frozenset(command for command in CommandId if command & RESPONSE_BIT)
ONE_WAY: Final = frozenset({_C.OUTBIND, _C.ALERT_NOTIFICATION})
"""Requests that are never answered (SMPP v3.4 sections 4.1.7 and 4.12.1)."""

_LINK: Final = frozenset({_C.ENQUIRE_LINK})
_UNBIND: Final = frozenset({_C.UNBIND})
_SUBMITS: Final = frozenset(
    {
        _C.SUBMIT_SM,
        _C.SUBMIT_MULTI,
        _C.DATA_SM,
        _C.QUERY_SM,
        _C.CANCEL_SM,
        _C.REPLACE_SM,
        _C.BROADCAST_SM,
        _C.QUERY_BROADCAST_SM,
        _C.CANCEL_BROADCAST_SM,
    }
)
_DELIVERS: Final = frozenset({_C.DELIVER_SM, _C.DATA_SM, _C.ALERT_NOTIFICATION})

MESSAGES: Final = _SUBMITS | _DELIVERS
"""Requests that carry or concern a message: what resets the inactivity timer and what an owner is handed."""

_NONE: Final[frozenset[CommandId]] = frozenset()
PERMITTED: Final[Mapping[tuple[Role, SessionState], frozenset[CommandId]]] = MappingProxyType(
    {
        (Role.ESME, _S.OPEN): BINDS | _LINK,
        (Role.ESME, _S.OUTBOUND): (BINDS - {_C.BIND_TRANSMITTER}) | _LINK,
        (Role.ESME, _S.BOUND_TX): _SUBMITS | _UNBIND | _LINK,
        (Role.ESME, _S.BOUND_RX): _UNBIND | _LINK,
        (Role.ESME, _S.BOUND_TRX): _SUBMITS | _UNBIND | _LINK,
        (Role.ESME, _S.UNBOUND): _LINK,
        (Role.ESME, _S.CLOSED): _NONE,
        (Role.SMSC, _S.OPEN): frozenset({_C.OUTBIND}) | _LINK,
        (Role.SMSC, _S.OUTBOUND): _LINK,
        (Role.SMSC, _S.BOUND_TX): _UNBIND | _LINK,
        (Role.SMSC, _S.BOUND_RX): _DELIVERS | _UNBIND | _LINK,
        (Role.SMSC, _S.BOUND_TRX): _DELIVERS | _UNBIND | _LINK,
        (Role.SMSC, _S.UNBOUND): _LINK,
        (Role.SMSC, _S.CLOSED): _NONE,
    }
)
"""The requests each side may send; responses and generic_nack are always permitted while connected."""

TRANSITIONS: Final[Mapping[tuple[SessionState, CommandId], SessionState]] = MappingProxyType(
    {
        (_S.OPEN, _C.OUTBIND): _S.OUTBOUND,
        (_S.OPEN, _C.BIND_TRANSMITTER_RESP): _S.BOUND_TX,
        (_S.OPEN, _C.BIND_RECEIVER_RESP): _S.BOUND_RX,
        (_S.OPEN, _C.BIND_TRANSCEIVER_RESP): _S.BOUND_TRX,
        (_S.OUTBOUND, _C.BIND_RECEIVER_RESP): _S.BOUND_RX,
        (_S.OUTBOUND, _C.BIND_TRANSCEIVER_RESP): _S.BOUND_TRX,
        (_S.BOUND_TX, _C.UNBIND_RESP): _S.UNBOUND,
        (_S.BOUND_RX, _C.UNBIND_RESP): _S.UNBOUND,
        (_S.BOUND_TRX, _C.UNBIND_RESP): _S.UNBOUND,
    }
)
"""What moves the state when it is sent or read with ESME_ROK; anything else leaves it as it was."""


class Action(Enum):
    """What is done with a PDU that arrived."""

    HAND_UP = "hand up"
    """A message: the owner decides and answers."""
    BIND = "bind"
    """The owner decides whether the peer may bind; what is behind it waits."""
    OUTBIND = "outbind"
    """The owner is told that the SMSC wants to be bound to."""
    ENQUIRE = "enquire"
    """enquire_link_resp with ESME_ROK."""
    UNBIND = "unbind"
    """unbind_resp with ESME_ROK once both sides have their answers, then close."""
    MATCH = "match"
    """A response: it frees the request that waits for it, or nothing at all happens."""
    REFUSE = "refuse"
    """The command's own response, header only, with `status`."""
    NACK = "nack"
    """generic_nack with `status`."""
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What to do with a PDU, and whether the connection ends after it."""

    action: Action
    status: CommandStatus = CommandStatus.ESME_ROK
    close: bool = False


_IGNORE = Outcome(Action.IGNORE)
_WRONG_STATE = Outcome(Action.REFUSE, CommandStatus.ESME_RINVBNDSTS)
_WRONG_STATE_CLOSE = Outcome(Action.REFUSE, CommandStatus.ESME_RINVBNDSTS, close=True)
_ALREADY_BOUND = Outcome(Action.REFUSE, CommandStatus.ESME_RALYBND)
_STRAY_OUTBIND = Outcome(Action.NACK, CommandStatus.ESME_RINVBNDSTS)
_STRAY_OUTBIND_CLOSE = Outcome(Action.NACK, CommandStatus.ESME_RINVCMDID, close=True)

_PERMITTED_ACTIONS: Final[Mapping[CommandId, Action]] = MappingProxyType(
    {
        **dict.fromkeys(BINDS, Action.BIND),
        **dict.fromkeys(MESSAGES, Action.HAND_UP),
        _C.OUTBIND: Action.OUTBIND,
        _C.ENQUIRE_LINK: Action.ENQUIRE,
        _C.UNBIND: Action.UNBIND,
    }
)


def _refusal(state: SessionState, command: CommandId) -> Outcome:
    """What a request that is not permitted is answered with (`OUTCOMES` below states it for every case)."""
    if command == _C.ALERT_NOTIFICATION:
        return _IGNORE  # it has no response, and generic_nack is not for it
    if command == _C.OUTBIND:
        return _STRAY_OUTBIND_CLOSE if state is _S.OPEN else _STRAY_OUTBIND
    if command in BINDS and state in BOUND:
        return _ALREADY_BOUND
    if state is _S.UNBOUND or command == _C.UNBIND:
        return _WRONG_STATE_CLOSE
    return _WRONG_STATE


def _outcome(sender: Role, state: SessionState, command: CommandId) -> Outcome:
    if state is _S.CLOSED:
        return _IGNORE
    if command in RESPONSES:
        return Outcome(Action.MATCH)
    if command in PERMITTED[sender, state]:
        return Outcome(_PERMITTED_ACTIONS[command])
    return _refusal(state, command)


OUTCOMES: Final[Mapping[tuple[Role, SessionState], Mapping[int, Outcome]]] = MappingProxyType(
    {
        (sender, state): MappingProxyType(
            {int(command): _outcome(sender, state, command) for command in CommandId}
        )
        for sender in Role
        for state in SessionState
    }
)
"""For each sender and state of the session: what becomes of each command when it arrives."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What one side goes by in one state."""

    bound: bool
    """Whether messages may pass."""
    permitted: frozenset[CommandId]
    """The requests it may send."""
    awaited: Mapping[int, int]
    """The messages among them, with the command_id of the response each waits for; 0 where there is none."""
    outcomes: Mapping[int, Outcome]
    """What becomes of each command the peer sends."""
    handed_up: frozenset[int]
    """The messages of the peer that go to the owner as they are."""


def _rules(role: Role, state: SessionState) -> Rules:
    outcomes = OUTCOMES[role.peer, state]
    messages = PERMITTED[role, state] & MESSAGES
    return Rules(
        bound=state in BOUND,
        permitted=PERMITTED[role, state],
        awaited=MappingProxyType(
            {int(command): 0 if command in ONE_WAY else command | RESPONSE_BIT for command in messages}
        ),
        outcomes=outcomes,
        handed_up=frozenset(
            command for command, outcome in outcomes.items() if outcome.action is Action.HAND_UP
        ),
    )


RULES: Final[Mapping[tuple[Role, SessionState], Rules]] = MappingProxyType(
    {(role, state): _rules(role, state) for role in Role for state in SessionState}
)
"""The tables above, by our own role."""
