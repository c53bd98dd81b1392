"""What a session tells its owner. Messages come in lists: one event for all that arrived together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from smppgw.pdu.errors import PduError
from smppgw.pdu.framing import Frame
from smppgw.pdu.layout import Pdu
from smppgw.session.states import SessionState

Answered: TypeAlias = tuple[object, int, bytes, int]
"""The context given with the request, the response's command_status, its octets, when the request was sent (ns)."""


@dataclass(slots=True)
class Requests:
    """Messages of the peer, undecoded, in the order they came; each is owed one response."""

    frames: list[Frame]


@dataclass(slots=True)
class Responses:
    """Answers to requests of ours, in the order they came."""

    answered: list[Answered]


@dataclass(slots=True)
class Strays:
    """Responses that nobody waits for: repeated ones, ones of another command. They are not answered."""

    frames: list[Frame]


@dataclass(slots=True)
class Expired:
    """Requests of ours whose response timer ran out: their outcome is unknown, unless `Late` tells it."""

    contexts: list[object]


@dataclass(slots=True)
class Late:
    """Answers to requests that have expired, each told once, where the session still remembers them."""

    answered: list[Answered]


@dataclass(slots=True)
class BindRequested:
    """The peer wants to bind: answer with `accept_bind` or `refuse_bind`; nothing more is read until then."""

    pdu: Pdu


@dataclass(slots=True)
class Outbound:
    """The SMSC sent outbind: bind, or close."""

    pdu: Pdu


@dataclass(slots=True)
class Bound:
    """The session is bound now."""

    state: SessionState
    peer_system_id: bytes


@dataclass(slots=True)
class Refused:
    """Our bind was answered with an error."""

    command_status: int


@dataclass(slots=True)
class PeerUnbound:
    """The peer asked to unbind: send nothing more."""


@dataclass(slots=True)
class Fault:
    """Octets of the peer that cannot be accepted; they have been answered."""

    error: PduError


@dataclass(slots=True)
class Writable:
    """The peer has taken what made its connection `congested`: more may be handed over."""


@dataclass(slots=True)
class Closed:
    """The session has ended. `unanswered` are the contexts of requests in flight, in the order of sending."""

    reason: str
    unanswered: list[object]


Event: TypeAlias = (
    Requests
    | Responses
    | Strays
    | Expired
    | Late
    | BindRequested
    | Outbound
    | Bound
    | Refused
    | PeerUnbound
    | Fault
    | Writable
    | Closed
)
