"""What one end of a session is about to send: all of one turn of the event loop leaves in one write.

A request waits here for its slot in the window, first come, first served. What becomes of it is told to its taker: a
future for a request that somebody awaits, or an object that takes the answers of many.

Hot path: no task and no timer for a request, and a future only where one is awaited.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from struct import Struct
from time import monotonic_ns
from typing import Any, Final, Protocol, TypeAlias

from smppgw.library.outcome import Unanswered
from smppgw.pdu import codec
from smppgw.pdu.codec import Pdu
from smppgw.pdu.constants import HEADER_OCTETS, RESPONSE_BIT, command_name
from smppgw.pdu.errors import PduError
from smppgw.session.connection import Connection
from smppgw.session.errors import NotPermitted, SessionError

_pack_header = Struct(">IIII").pack
_NACK_OCTET: Final = 0
"""The last octet of the command_id of generic_nack, and of no other response."""


class Taker(Protocol):
    """Who is told what becomes of requests; `subject` is what it gave with each of them."""

    command_id: int
    """Of its requests."""

    def done(self) -> bool:
        """Whether it is no longer interested: what it still has in the queue is not sent."""

    def answered(self, subject: Any, command_status: int, octets: bytes, /) -> None:
        """The peer answered."""

    def lost(self, subject: Any, error: SessionError, /) -> None:
        """It did not, or the request was never sent."""

    def settled(self) -> None:
        """All that came together has been told; there may be room again."""


Context: TypeAlias = tuple[Taker | asyncio.Future[Any], Any]
"""The taker and its subject; of a future the command_id of the request."""

Request: TypeAlias = tuple[int, bytes, Context]
"""command_id, body, context."""


class Outbox:
    """Requests and responses of ours on their way to one peer, over one connection after the other."""

    __slots__ = (
        "_connection",
        "_faults",
        "_loop",
        "_permitted",
        "_queued",
        "_responses",
        "_scheduled",
        "_state",
        "_takers",
    )

    def __init__(self, permitted: frozenset[int], state: str) -> None:
        """`permitted` are the requests that may be sent once bound as `state` says."""
        self._permitted = permitted
        self._state = state
        self._connection: Connection | None = None
        self._queued: deque[Request] = deque()
        self._responses: list[bytes] = []
        self._faults = 0
        self._scheduled = False
        self._takers: set[Taker] = set()

    @property
    def room(self) -> int:
        """How many requests could be sent at once now."""
        connection = self._connection
        if connection is None or not connection.session.bound:
            return 0
        return max(0, connection.session.free - len(self._queued))

    @property
    def connected(self) -> bool:
        """Whether there is a connection."""
        return self._connection is not None

    @property
    def waiting(self) -> int:
        """Requests that wait for a slot in the window, or for a bind."""
        return len(self._queued)

    def open(self, connection: Connection) -> None:
        """There is a bound connection: what waits may go."""
        self._loop = asyncio.get_running_loop()
        self._connection = connection
        self._settle()
        self.schedule()

    def close(self, reason: str, contexts: Iterable[Any]) -> None:
        """The connection is gone, and with it the answers to these requests. What waits goes on waiting."""
        self._connection = None
        self._responses.clear()
        self._faults = 0
        self.on_unanswered(contexts, reason)

    def give_up(self, error: SessionError) -> None:
        """What waits was never sent, and will not be."""
        queued, self._queued = self._queued, deque()
        for _, _, (taker, subject) in queued:
            if not isinstance(taker, asyncio.Future):
                taker.lost(subject, error)
            elif not taker.done():
                taker.set_exception(error)
        self._settle()

    def retire(self, error: SessionError) -> None:
        """Nothing will ever be sent any more."""
        self._permitted = frozenset()
        self._state = "closed"
        self.give_up(error)

    def join(self, taker: Taker) -> None:
        """Tell this taker each time there may be room again, until it leaves."""
        self._takers.add(taker)

    def leave(self, taker: Taker) -> None:
        """Tell it no more."""
        self._takers.discard(taker)

    # ---- out ------------------------------------------------------------------------------------------------

    def check(self, command_id: int) -> None:
        """Raise NotPermitted for a request that this kind of bind does not allow."""
        if command_id not in self._permitted:
            raise NotPermitted(command_name(command_id), self._state)

    def request(self, pdu: Pdu) -> asyncio.Future[Any]:
        """Send a request when there is a slot for it; the future gets the response, whatever its command_status.

        Raises: EncodeError, NotPermitted. The future: Unanswered, PduError for a response that cannot be read.
        """
        command_id = pdu.command_id
        if command_id not in self._permitted:
            raise NotPermitted(command_name(command_id), self._state)
        octets = codec.encode(pdu)
        future = self._loop.create_future()
        self._queued.append((command_id, octets[HEADER_OCTETS:], (future, command_id)))
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self.flush)
        return future

    def put(self, request: Request) -> None:
        """Send a request when there is a slot for it, together with what else this turn of the loop sends."""
        self._queued.append(request)
        self.schedule()

    def send(self, requests: Sequence[Request]) -> None:
        """Send requests now, those that there are slots for."""
        self._queued.extend(requests)
        self.flush()

    def respond(self, octets: bytes, *, fault: bool = False) -> None:
        """Answer a request of the peer; `fault` says that it was broken. Without a connection nothing happens."""
        if self._connection is None:
            return
        self._responses.append(octets)
        self._faults += fault
        self.schedule()

    def schedule(self) -> None:
        """Have `flush` called once, behind everything this turn of the loop has in hand."""
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self.flush)

    def flush(self) -> None:
        """Send what may be sent: every response, and as many requests as the window takes."""
        self._scheduled = False
        connection = self._connection
        if connection is None:
            return
        session = connection.session
        if self._responses:
            responses, faults = self._responses, self._faults
            self._responses, self._faults = [], 0
            session.send_responses(responses, faults=faults)
        queued = self._queued
        while queued and session.bound and (free := session.free):  # again only where some need no slot
            requests: list[Request] = []
            while queued and free > 0:
                request = queued.popleft()
                if not request[2][0].done():  # its caller may have given up meanwhile
                    requests.append(request)
                    free -= 1
            try:
                session.send_requests(requests, monotonic_ns())
            except NotPermitted:  # we are unbinding: what was not sent waits for the next connection
                queued.extendleft(reversed(requests))
                break
        connection.flush()

    # ---- in -------------------------------------------------------------------------------------------------

    def on_answered(self, answered: Iterable[tuple[Any, int, bytes, int]]) -> None:
        """Tell who waits, then fill the slots that are free again."""
        for context, command_status, octets, _ in answered:
            taker, subject = context
            if not isinstance(taker, asyncio.Future):
                taker.answered(subject, command_status, octets)
            elif not taker.done():
                try:
                    taker.set_result(_response(subject, command_status, octets))
                except PduError as error:
                    taker.set_exception(error)
        self._settle()
        if self._queued:
            self.flush()

    def on_unanswered(self, contexts: Iterable[Any], reason: str) -> None:
        """Tell who waits that no answer will come."""
        for taker, subject in contexts:
            if not isinstance(taker, asyncio.Future):
                taker.lost(subject, Unanswered(taker.command_id, reason))
            elif not taker.done():
                taker.set_exception(Unanswered(subject, reason))
        self._settle()
        if self._queued:
            self.flush()

    def _settle(self) -> None:
        for taker in tuple(self._takers):
            taker.settled()


def _response(command_id: int, command_status: int, octets: bytes) -> Pdu:
    """Decode a response; a generic_nack becomes the command's own response, with its command_status."""
    if octets[7] == _NACK_OCTET:
        octets = _pack_header(
            HEADER_OCTETS, command_id | RESPONSE_BIT, command_status, int.from_bytes(octets[12:16])
        )
    return codec.decode(octets)
