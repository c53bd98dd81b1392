"""An ESME: binds to an SMSC, submits messages, gets receipts and replies. See `Esme`."""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable, Sequence
from itertools import count
from typing import Any, Final, Literal, Self, TypeVar, overload

from smppgw.library.address import Address
from smppgw.library.delivery import Delivery
from smppgw.library.inbox import Inbox
from smppgw.library.message import Moment, compose
from smppgw.library.outbox import Outbox
from smppgw.library.outcome import SubmitFailed, SubmitResult, Submitted
from smppgw.library.pipeline import Pipeline
from smppgw.library.uplink import Uplink
from smppgw.pdu import _generated as pdus
from smppgw.pdu.codec import Pdu
from smppgw.pdu.tlv import Tlv
from smppgw.session.client import Backoff, BindMode, Client, bind_octets, binding
from smppgw.session.errors import SessionError
from smppgw.session.settings import SessionSettings
from smppgw.session.states import MESSAGES, PERMITTED, Role, SessionState
from smppgw.session.timers import TimerSettings
from smppgw.settings import Alphabet

DELIVERIES: Final = 1000
"""Receipts and messages that wait to be asked for; what the SMSC sends above it is answered ESME_RTHROTTLED."""

_STATES: Final[dict[BindMode, SessionState]] = {
    "tx": SessionState.BOUND_TX,
    "rx": SessionState.BOUND_RX,
    "trx": SessionState.BOUND_TRX,
}

MessageT = TypeVar("MessageT", bound=pdus.SubmitSm | tuple[str | Address, str | Address, str])


class Esme:
    """An ESME with one bind, which it keeps up.

        async with Esme(host, port, system_id="demo", password="demo") as esme:
            submitted = await esme.submit("+12065550100", "+12065550199", "Your code is 4711")
            print("accepted as", submitted.message_ids)
            async for delivery in esme:
                if isinstance(delivery, MoMessage):
                    print(delivery.source, "writes", delivery.text)
                elif delivery.message_id in submitted.message_ids:
                    print(delivery.message_id, "is", delivery.state.name)
                    break

    Many messages, as many on their way as the window takes:

        async with Esme(host, port, system_id="demo", password="demo", bind="tx") as esme:
            texts = (("+12065550100", f"+1206555{n:04}", "Clinic closed today") for n in range(1000))
            async for result in esme.submit_many(texts, receipt=False):
                if not result.ok:
                    print(result.message, result.command_status, result.error)

    Entering it connects and binds, or raises BindRefused or ConnectionFailed; leaving it unbinds. A bind that is lost
    is dialled again in the background with `reconnect`: what was on its way raises Unanswered (the SMSC may have it),
    what was not yet sent waits for the bind, at most `bind_timeout` seconds, then raises ConnectionFailed.

    What the SMSC delivers waits, unanswered, until it is asked for: an Esme is an asynchronous iterator. Each delivery
    is answered with ESME_ROK when it is handed out, so what has not been asked for when a bind ends, the SMSC sends
    again on the next one. Above 1,000 that nobody asked for the SMSC gets ESME_RTHROTTLED, and its own unbind is
    answered only when all are handed out: bind as "tx" where no deliveries are wanted.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 2775,
        *,
        system_id: str,
        password: str = "",
        bind: BindMode = "trx",
        system_type: str = "",
        interface_version: Literal[0x33, 0x34, 0x50] = 0x34,
        address_range: str = "",
        long_password: bool = False,
        window: int = 100,
        tls: ssl.SSLContext | None = None,
        reconnect: bool = True,
        reconnect_min: float = 1.0,
        reconnect_max: float = 60.0,
        connect_timeout: float = 10.0,
        bind_timeout: float = 30.0,
        enquire_link: float = 30.0,
        response_timeout: float = 30.0,
        alphabet: Alphabet = "gsm7",
        on_failure: Callable[[SessionError, float], None] | None = None,
    ) -> None:
        """`window` requests in flight; times in seconds, `enquire_link` 0: never.

        `alphabet` is what data_coding 0 means to the SMSC. `on_failure` hears why a bind was lost or not to be had,
        and how many seconds later the next attempt follows. `long_password` allows more than 8 characters.
        Raises: EncodeError when the bind cannot carry a value, ValueError for a `bind` or `window` there is not.
        """
        if bind not in _STATES:
            raise ValueError(f"bind is {bind!r}; allowed: {', '.join(_STATES)}")
        if window < 1:
            raise ValueError(f"window is {window}; allowed: 1 and more")
        self._alphabet: Alphabet = alphabet
        state = _STATES[bind]
        self._outbox = Outbox(PERMITTED[Role.ESME, state] & MESSAGES, state.value)
        self._inbox = Inbox(self._outbox, alphabet)
        self._uplink = Uplink(
            self._outbox, self._inbox, reconnect=reconnect, bind_timeout=bind_timeout, on_failure=on_failure
        )
        introduction = bind_octets(
            bind,
            system_id=system_id,
            password=password,
            system_type=system_type,
            interface_version=interface_version,
            address_range=address_range,
            long_password=long_password,
        )
        timers = TimerSettings.of_seconds(
            session_init=connect_timeout, enquire_link=enquire_link, response=response_timeout
        )
        self._client = Client(
            self._uplink,
            host=host,
            port=port,
            introduce=binding(introduction),
            settings=SessionSettings(
                window=window,
                inbound_window=DELIVERIES,
                timers=timers,
                interface_version=interface_version,
            ),
            connect_timeout=connect_timeout,
            backoff=Backoff(reconnect_min, reconnect_max),
            tls=tls,
            on_failure=self._uplink.on_attempt_failed,
        )
        self._references = count(random.randrange(256))  # noqa: S311 - two runs should not mix their long messages

    async def __aenter__(self) -> Self:
        """Connect and bind."""
        try:
            await self._uplink.open(self._client)
        except BaseException:
            await self._uplink.close()
            raise
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Unbind and close."""
        await self._uplink.close()

    @property
    def bound(self) -> bool:
        """Whether there is a bind now."""
        return self._uplink.bound

    # ---- out ------------------------------------------------------------------------------------------------

    async def submit(
        self,
        source: str | Address,
        destination: str | Address,
        text: str,
        *,
        receipt: bool = True,
        data_coding: int | None = None,
        validity: Moment = None,
        schedule: Moment = None,
        priority: int = 0,
        service_type: str = "",
        tlvs: Sequence[Tlv] = (),
    ) -> Submitted:
        """Submit a text, a long one in parts, and wait until the SMSC has accepted it.

        Addresses: see `Address.of`. `data_coding` None: GSM 03.38 (or `alphabet`) where it has every character, else
        UCS-2. `validity` and `schedule`: a timedelta from now, or a datetime with its zone.
        Raises: SubmitFailed, Unanswered, ConnectionFailed when there is no bind in time, EncodeError, NotPermitted.
        """
        parts = compose(
            source,
            destination,
            text,
            receipt=receipt,
            data_coding=data_coding,
            alphabet=self._alphabet,
            validity=validity,
            schedule=schedule,
            priority=priority,
            service_type=service_type,
            tlvs=tlvs,
            reference=next(self._references) & 0xFF,
        )
        if len(parts) == 1:
            response = await self.request(parts[0])
            if response.command_status:
                raise SubmitFailed(response.command_status)
            return Submitted((response.message_id.decode("latin-1"),))
        settled = await asyncio.gather(*map(self.request, parts), return_exceptions=True)
        accepted = []
        for outcome in settled:
            if isinstance(outcome, BaseException):
                raise outcome
            if not outcome.command_status:
                accepted.append(outcome.message_id.decode("latin-1"))
        for outcome in settled:
            if not isinstance(outcome, BaseException) and outcome.command_status:
                raise SubmitFailed(outcome.command_status, tuple(accepted))
        return Submitted(tuple(accepted))

    @overload
    def request(self, pdu: pdus.SubmitSm) -> asyncio.Future[pdus.SubmitSmResp]: ...
    @overload
    def request(self, pdu: pdus.SubmitMulti) -> asyncio.Future[pdus.SubmitMultiResp]: ...
    @overload
    def request(self, pdu: pdus.DataSm) -> asyncio.Future[pdus.DataSmResp]: ...
    @overload
    def request(self, pdu: pdus.QuerySm) -> asyncio.Future[pdus.QuerySmResp]: ...
    @overload
    def request(self, pdu: pdus.CancelSm) -> asyncio.Future[pdus.CancelSmResp]: ...
    @overload
    def request(self, pdu: pdus.ReplaceSm) -> asyncio.Future[pdus.ReplaceSmResp]: ...
    @overload
    def request(self, pdu: Pdu) -> asyncio.Future[Any]: ...
    def request(self, pdu: Pdu) -> asyncio.Future[Any]:
        """Send a request of your own making and await its response, whatever its command_status says.

        The sequence_number is ours. A generic_nack comes as the command's own response with the command_status.
        Raises: EncodeError, NotPermitted at once; awaited, Unanswered, ConnectionFailed when there is no bind in time,
        PduError for a response that cannot be read.
        """
        if self._uplink.bound:
            return self._outbox.request(pdu)
        return asyncio.ensure_future(self._request_once_bound(pdu))

    def submit_many(
        self,
        messages: Iterable[MessageT] | AsyncIterable[MessageT],
        *,
        receipt: bool = True,
        data_coding: int | None = None,
    ) -> AsyncGenerator[SubmitResult[MessageT], None]:
        """Submit messages, as many at a time as the window takes; yield a result for each, as the answers come.

        A message is a SubmitSm or (source, destination, text); the keywords are those of `submit`, for texts. The
        source may be endless: a message is taken from it when there is a slot for it. A message that cannot be encoded
        or gets no answer is a result too.
        Raises: what the source raises, behind the results; ConnectionFailed when there is no bind in time.
        """

        def compose_one(message: tuple[str | Address, str | Address, str]) -> list[pdus.SubmitSm]:
            reference = next(self._references) & 0xFF
            return compose(
                *message,
                receipt=receipt,
                data_coding=data_coding,
                alphabet=self._alphabet,
                reference=reference,
            )

        self._outbox.check(pdus.SubmitSm.command_id)
        return Pipeline[MessageT](self._outbox, compose_one, self._uplink.until_bound).run(messages)

    async def _request_once_bound(self, pdu: Pdu) -> Any:
        await self._uplink.until_bound()
        return await self._outbox.request(pdu)

    # ---- in -------------------------------------------------------------------------------------------------

    def __aiter__(self) -> Self:
        """Iterate over what the SMSC delivers."""
        return self

    async def __anext__(self) -> Delivery:
        """Wait for the next delivery, and answer it. Ends when there is no bind and will be none."""
        delivery = await self._inbox.take()
        if delivery is None:
            raise StopAsyncIteration
        return delivery
