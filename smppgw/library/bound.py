"""An ESME that has bound to our `Smsc`: what is known of it, and how to deliver to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from enum import Enum
from struct import Struct
from time import monotonic_ns
from typing import Any, Final, TypeAlias, overload

from smppgw.library.outbox import Outbox
from smppgw.pdu._generated import CLASS_BY_ID, AlertNotification, DataSm, DataSmResp, DeliverSm, DeliverSmResp
from smppgw.pdu.codec import Pdu, encode
from smppgw.pdu.constants import HEADER_OCTETS, RESPONSE_BIT, CommandId, CommandStatus, command_name
from smppgw.pdu.errors import EncodeError
from smppgw.session.connection import Connection
from smppgw.session.errors import ConnectionFailed, SessionError
from smppgw.session.states import MESSAGES, PERMITTED, Role, SessionState

_pack_header = Struct(">IIII").pack
_DELIVER_SM: Final = int(CommandId.DELIVER_SM)
_SUBMIT_MULTI_RESP: Final = int(CommandId.SUBMIT_MULTI_RESP)
_LONGEST_MESSAGE_ID: Final = 64
_MESSAGE_IDS: Final = "at most 64 octets without a NUL"


class Later(Enum):
    """What a handler returns when it will answer by itself."""

    LATER = "later"


LATER: Final = Later.LATER

Answer: TypeAlias = str | int | Pdu | Later
"""What a handler answers a request with: the message_id, a command_status, a whole response, or LATER."""


def _not_heard(_command_status: int | None) -> None:
    pass


class _Callbacks:
    """The taker of deliveries that nobody awaits; the subject is the function to call."""

    command_id = _DELIVER_SM

    def done(self) -> bool:
        return False

    def answered(self, subject: Callable[[int | None], None], command_status: int, _octets: bytes) -> None:
        subject(command_status)

    def lost(self, subject: Callable[[int | None], None], _error: SessionError) -> None:
        subject(None)

    def settled(self) -> None:
        pass


_CALLBACKS: Final = _Callbacks()


class BoundEsme:
    """One bind of an ESME, as a handler of `Smsc` gets it."""

    def __init__(self, connection: Connection, system_id: str, state: SessionState) -> None:
        self.system_id = system_id
        self.state = state
        """BOUND_TX, BOUND_RX or BOUND_TRX."""
        self.outbox = Outbox(PERMITTED[Role.SMSC, state] & MESSAGES, state.value)
        """For deliveries in numbers, with a taker of one's own."""
        self._connection = connection
        self.outbox.open(connection)

    def __repr__(self) -> str:
        return f"<BoundEsme {self.system_id} {self.state.value} from {self.peer_host}>"

    @property
    def peer_host(self) -> str:
        """Its address, as far as the connection tells."""
        return self._connection.peer_host

    @property
    def connected(self) -> bool:
        """Whether its connection is still there."""
        return self.outbox.connected

    @property
    def receives(self) -> bool:
        """Whether it may be delivered to."""
        return self.state is not SessionState.BOUND_TX

    @overload
    def deliver(self, pdu: DeliverSm) -> asyncio.Future[DeliverSmResp]: ...
    @overload
    def deliver(self, pdu: DataSm) -> asyncio.Future[DataSmResp]: ...
    def deliver(self, pdu: Pdu) -> asyncio.Future[Any]:
        """Deliver a message and await its response, whatever its command_status says.

        Raises: EncodeError, NotPermitted for one that only transmits or is gone; awaited, Unanswered when the bind
        ends first or no response comes in time, ConnectionFailed when it ends before there was a slot in the window.
        """
        return self.outbox.request(pdu)

    def deliver_nowait(self, pdu: DeliverSm, on_answer: Callable[[int | None], None] = _not_heard) -> None:
        """Deliver a message; `on_answer` hears the command_status of its response, None where there is none.

        Raises: EncodeError, NotPermitted for one that only transmits or is gone.
        """
        self.outbox.check(_DELIVER_SM)
        self.outbox.put((_DELIVER_SM, encode(pdu)[HEADER_OCTETS:], (_CALLBACKS, on_answer)))

    def alert(self, pdu: AlertNotification) -> None:
        """Say that a handset can be reached again; there is no response."""
        self.outbox.check(pdu.command_id)
        self.outbox.put((pdu.command_id, encode(pdu)[HEADER_OCTETS:], (_CALLBACKS, None)))

    def answer(self, request: Pdu, answer: str | int | Pdu) -> None:
        """Answer a request that its handler left for LATER; nothing happens when the ESME is gone.

        Raises: EncodeError for a response that cannot be encoded.
        """
        self.outbox.respond(response_octets(request, answer))

    def unbind(self) -> None:
        """Ask it to end the session."""
        self._connection.session.unbind(monotonic_ns())
        self._connection.flush()

    def drop(self, reason: str = "dropped") -> None:
        """Reset the connection."""
        self._connection.abort(reason)

    def end(self, reason: str, unanswered: Iterable[object]) -> None:
        """The connection is gone."""
        self.outbox.close(reason, unanswered)
        self.outbox.retire(ConnectionFailed(f"{self.system_id} at {self.peer_host}", reason))


def response_octets(request: Pdu, answer: str | int | Pdu) -> bytes:
    """Return the response to a request. Raises: EncodeError when it cannot be encoded."""
    command_id = request.command_id | RESPONSE_BIT
    if isinstance(answer, str):
        return _accepted(command_id, request.sequence_number, answer)
    if isinstance(answer, int):
        if answer:
            return _pack_header(HEADER_OCTETS, command_id, answer, request.sequence_number)
        answer = CLASS_BY_ID[command_id]()
    response: Any = answer
    response.sequence_number = request.sequence_number
    return encode(response)


def _accepted(command_id: int, sequence_number: int, message_id: str) -> bytes:
    octets = message_id.encode("latin-1", "replace")
    if len(octets) > _LONGEST_MESSAGE_ID or 0 in octets:
        raise EncodeError(command_name(command_id), "message_id", message_id, _MESSAGE_IDS)
    tail = b"\0\0" if command_id == _SUBMIT_MULTI_RESP else b"\0"  # and no_unsuccess
    length = HEADER_OCTETS + len(octets) + len(tail)
    return _pack_header(length, command_id, CommandStatus.ESME_ROK, sequence_number) + octets + tail
