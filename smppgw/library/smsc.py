"""An SMSC: takes binds and messages, delivers receipts and messages of handsets. See `Smsc`."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import count
from struct import Struct
from time import monotonic_ns
from typing import Any, Final, Literal, Self, TypeAlias

from smppgw.library.bound import Answer, BoundEsme, Later, response_octets
from smppgw.pdu._generated import BindReceiver, BindTransceiver, BindTransmitter, SubmitSm
from smppgw.pdu.codec import Pdu, decode
from smppgw.pdu.constants import HEADER_OCTETS, RESPONSE_BIT, CommandStatus
from smppgw.pdu.errors import PduError
from smppgw.pdu.framing import Frame
from smppgw.session import events as ev
from smppgw.session.connection import Connection
from smppgw.session.server import Server
from smppgw.session.settings import SessionSettings
from smppgw.session.timers import TimerSettings

BindPdu: TypeAlias = BindTransmitter | BindReceiver | BindTransceiver
Authenticate: TypeAlias = Callable[[BindPdu, str], int | Awaitable[int]]
OnSubmit: TypeAlias = Callable[[BoundEsme, SubmitSm], Answer | Awaitable[Answer]]
OnRequest: TypeAlias = Callable[[BoundEsme, Pdu], Answer | Awaitable[Answer]]

_pack_header = Struct(">IIII").pack

UNBIND_SECONDS: Final = 2.0
"""How long a closing SMSC waits for the answers to its unbinds."""


class Smsc:
    """An SMSC on one address.

        def password_is_right(bind, peer_host):
            right = bind.system_id == b"demo" and bind.password == b"demo"
            return CommandStatus.ESME_ROK if right else CommandStatus.ESME_RINVPASWD

        async def deliver_back(esme, submit):
            echo = DeliverSm(source_addr=submit.destination_addr, short_message=submit.short_message)
            esme.deliver_nowait(echo)
            return "message-1"

        async with Smsc(port=0, authenticate=password_is_right, on_submit=deliver_back) as smsc:
            async with Esme(port=smsc.port, system_id="demo", password="demo") as esme:
                print((await esme.submit("12345", "+12065550199", "Hello")).message_ids)
                print((await anext(esme)).text)

    Entering it listens; leaving it unbinds everyone and closes. Without `authenticate` everyone may bind; without
    `on_submit` every message is accepted under an id of ours.

    A handler returns its answer: a message_id, a command_status, a whole response PDU, or LATER, and then calls
    `BoundEsme.answer` itself. One that is a plain function is called in the loop over all that has arrived; one that
    is a coroutine function costs a task for each message. `on_request` gets what is no submit_sm; without it that is
    answered with ESME_RINVCMDID. A handler that raises has answered ESME_RSYSERR, and the event loop's exception
    handler is told.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 2775,
        *,
        system_id: str = "smppgw",
        authenticate: Authenticate | None = None,
        on_submit: OnSubmit | None = None,
        on_request: OnRequest | None = None,
        on_bound: Callable[[BoundEsme], None] | None = None,
        on_closed: Callable[[BoundEsme, str], None] | None = None,
        window: int = 100,
        inbound_window: int = 1000,
        interface_version: Literal[0x33, 0x34, 0x50] = 0x34,
        tls: ssl.SSLContext | None = None,
        max_connections: int = 1000,
        bind_timeout: float = 10.0,
        enquire_link: float = 30.0,
        response_timeout: float = 30.0,
    ) -> None:
        """`window` deliveries and `inbound_window` requests of one ESME in flight; times in seconds, 0: never.

        Port 0 is one that is free: see `port`. `on_closed` hears why.
        """
        self.bound: list[BoundEsme] = []
        """Everyone who is bound, in the order of binding."""
        self._system_id = system_id.encode("latin-1")
        self._authenticate = authenticate
        self._ids = count(1)
        self._on_submit = on_submit or self._accept
        self._on_request = on_request
        self._on_bound = on_bound
        self._on_closed = on_closed
        self._server = Server(
            self,
            host=host,
            port=port,
            settings=SessionSettings(
                window=window,
                inbound_window=inbound_window,
                timers=TimerSettings.of_seconds(
                    session_init=bind_timeout, enquire_link=enquire_link, response=response_timeout
                ),
                interface_version=interface_version,
            ),
            max_connections=max_connections,
            tls=tls,
        )
        self._esmes: dict[Connection, BoundEsme] = {}
        self._tasks: set[asyncio.Future[Any]] = set()

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return self._server.port

    async def __aenter__(self) -> Self:
        """Listen. Raises ConnectionFailed when that cannot be done."""
        await self._server.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Unbind everyone and close."""
        self._server.stop_listening()
        for connection in tuple(self._server.connections):
            esme = self._esmes.get(connection)
            if esme is None:
                connection.abort("the SMSC is closing")
            else:
                esme.unbind()
        try:
            async with asyncio.timeout(UNBIND_SECONDS):
                for connection in tuple(self._server.connections):
                    await connection.wait_closed()
        except TimeoutError:
            for connection in tuple(self._server.connections):
                connection.abort("unbind was not answered in time")
                await connection.wait_closed()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # ---- the owner of every connection ----------------------------------------------------------------------

    def on_connected(self, connection: Connection) -> None:
        """Nothing is known of the peer yet."""

    def on_event(self, connection: Connection, event: ev.Event) -> None:
        """Hand each event to whom it concerns."""
        match event:
            case ev.Requests(frames):
                self._take_in(connection, self._esmes[connection], frames)
            case ev.Responses(answered):
                self._esmes[connection].outbox.on_answered(answered)
            case ev.Expired(contexts):
                self._esmes[connection].outbox.on_unanswered(contexts, "no response in time")
            case ev.BindRequested(pdu):
                self._on_bind(connection, pdu)
            case ev.Bound(state, system_id):
                esme = BoundEsme(connection, system_id.decode("latin-1"), state)
                self._esmes[connection] = esme
                self.bound.append(esme)
                if self._on_bound is not None:
                    self._call(self._on_bound, esme)
            case ev.Closed(reason, unanswered):
                self._on_end(connection, reason, unanswered)
            case _:
                pass

    def _on_bind(self, connection: Connection, bind: Any) -> None:
        verdict: Any = CommandStatus.ESME_ROK
        if self._authenticate is not None:
            verdict = self._call(self._authenticate, bind, connection.peer_host)
        if isinstance(verdict, Awaitable):
            self._await(verdict, partial(self._settle_bind, connection))
        else:
            self._settle_bind(connection, verdict)

    def _settle_bind(self, connection: Connection, verdict: int) -> None:
        if not connection.session.paused:
            return  # it did not wait for us
        if verdict == CommandStatus.ESME_ROK:
            connection.session.accept_bind(self._system_id, monotonic_ns())
        else:
            connection.session.refuse_bind(verdict, monotonic_ns())
        connection.flush()

    def _take_in(self, connection: Connection, esme: BoundEsme, frames: list[Frame]) -> None:
        """Answer all requests that have arrived together, but for those whose answer takes time."""
        responses: list[bytes] = []
        faults = 0
        for command_id, _, sequence_number, octets in frames:
            try:
                pdu = decode(octets)
            except PduError as error:
                faults += 1
                responses.append(_refusal(command_id, error.command_status, sequence_number))
                continue
            answer: Any
            if isinstance(pdu, SubmitSm):
                answer = self._call(self._on_submit, esme, pdu)
            elif self._on_request is not None:
                answer = self._call(self._on_request, esme, pdu)
            else:
                answer = CommandStatus.ESME_RINVCMDID
            if isinstance(answer, str | int | Pdu):
                responses.append(self._response(pdu, answer))
            elif answer is not Later.LATER:
                self._await(answer, partial(self._answer, esme, pdu))
        if responses:
            connection.session.send_responses(responses, faults=faults)

    def _accept(self, _esme: BoundEsme, _submit: SubmitSm) -> str:
        return f"{next(self._ids):010}"

    def _answer(self, esme: BoundEsme, pdu: Pdu, answer: Answer) -> None:
        if answer is not Later.LATER:
            esme.outbox.respond(self._response(pdu, answer))

    def _response(self, pdu: Pdu, answer: str | int | Pdu) -> bytes:
        try:
            return response_octets(pdu, answer)
        except Exception as error:  # noqa: BLE001 - whatever a handler returned
            self._tell(error)
            return _refusal(pdu.command_id, CommandStatus.ESME_RSYSERR, pdu.sequence_number)

    def _on_end(self, connection: Connection, reason: str, unanswered: list[object]) -> None:
        esme = self._esmes.pop(connection, None)
        if esme is not None:
            self.bound.remove(esme)
            esme.end(reason, unanswered)
            if self._on_closed is not None:
                self._call(self._on_closed, esme, reason)

    # ---- handlers -------------------------------------------------------------------------------------------

    def _call(self, handler: Callable[..., Any], *args: object) -> Any:
        """Call a handler. What it raises is told, and ESME_RSYSERR is its answer."""
        try:
            return handler(*args)
        except Exception as error:  # noqa: BLE001 - somebody else's code: it must not end the session
            self._tell(error)
            return CommandStatus.ESME_RSYSERR

    def _await(self, answer: Awaitable[Any], then: Callable[[Any], None]) -> None:
        """Have `then` called with an answer that takes time."""
        task = asyncio.ensure_future(self._awaited(answer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda task: None if task.cancelled() else then(task.result()))

    async def _awaited(self, answer: Awaitable[Any]) -> Any:
        try:
            return await answer
        except Exception as error:  # noqa: BLE001 - as above
            self._tell(error)
            return CommandStatus.ESME_RSYSERR

    def _tell(self, error: BaseException) -> None:
        asyncio.get_running_loop().call_exception_handler(
            {"message": "a handler of the SMSC raised", "exception": error}
        )


def _refusal(command_id: int, command_status: int, sequence_number: int) -> bytes:
    return _pack_header(HEADER_OCTETS, command_id | RESPONSE_BIT, command_status, sequence_number)
