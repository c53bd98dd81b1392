"""The side where we bind to a carrier: its connections, and what becomes of each thing that happens on them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from smppgw.carriers import Carrier, Link
from smppgw.dispatch import Dispatch
from smppgw.metrics import Metrics, status_label
from smppgw.pdu.constants import CommandStatus
from smppgw.receipts import Receipts
from smppgw.session import events as ev
from smppgw.session.client import Backoff, BindMode, Client, bind_octets, binding
from smppgw.session.connection import Connection
from smppgw.session.errors import BindRefused, SessionError
from smppgw.session.settings import SessionSettings
from smppgw.session.timers import TimerSettings

RECEIVED_WINDOW = 10_000
"""deliver_sm of a carrier that we have not answered; its own window is what really bounds them."""


class CarrierSide:
    """The owner of every connection to one carrier."""

    def __init__(
        self,
        carrier: Carrier,
        dispatch: Dispatch,
        receipts: Receipts,
        metrics: Metrics,
        logger: Any,
        *,
        clock: Callable[[], int],
    ) -> None:
        self._carrier = carrier
        self._dispatch = dispatch
        self._receipts = receipts
        self._metrics = metrics
        self._log = logger.bind(carrier=carrier.name)
        self._clock = clock
        self._links: dict[Connection, Link] = {}
        self._clients: list[Client] = []

    def start(self) -> None:
        """Dial every bind of the configuration, and keep them up."""
        modes: tuple[BindMode, ...] = ("trx",) if self._carrier.settings.bind == "trx" else ("tx", "rx")
        self._clients = [self._client(mode) for mode in modes for _ in range(self._carrier.settings.binds)]
        for client in self._clients:
            client.start()

    async def close(self) -> None:
        """Unbind everywhere."""
        await asyncio.gather(*(client.close() for client in self._clients))

    def _client(self, mode: BindMode) -> Client:
        settings = self._carrier.settings
        timers = TimerSettings.of_seconds(
            session_init=settings.bind_timeout,
            enquire_link=settings.enquire_link,
            response=settings.response_timeout,
        )
        return Client(
            self,
            host=settings.host,
            port=settings.port,
            introduce=binding(
                bind_octets(
                    mode,
                    system_id=settings.system_id,
                    password=settings.password,
                    system_type=settings.system_type,
                    interface_version=settings.interface_version,
                    long_password=settings.long_password,
                )
            ),
            settings=SessionSettings(
                window=settings.window,
                inbound_window=RECEIVED_WINDOW,
                max_pdu_octets=settings.max_pdu_octets,
                timers=timers,
                interface_version=settings.interface_version,
            ),
            connect_timeout=settings.bind_timeout,
            backoff=Backoff(settings.reconnect_min, settings.reconnect_max),
            clock=self._clock,
            on_failure=self._on_failure,
        )

    def _on_failure(self, error: SessionError, delay: float) -> None:
        refused = isinstance(error, BindRefused) and error.command_status in (
            CommandStatus.ESME_RINVPASWD,
            CommandStatus.ESME_RINVSYSID,
        )
        log = self._log.error if refused else self._log.warning
        log("carrier_bind_failed", error=str(error), retry_in=round(delay, 1))

    def on_connected(self, connection: Connection) -> None:
        """The client introduces us."""

    def on_event(self, connection: Connection, event: ev.Event) -> None:
        """Hand each event to whom it concerns."""
        match event:
            case ev.Responses(answered):
                self._dispatch.on_responses(self._links[connection], answered)
            case ev.Requests(frames):
                self._receipts.take_in(self._links[connection], frames)
            case ev.Expired(contexts):
                self._dispatch.on_expired(contexts)
            case ev.Late(answered):
                self._dispatch.on_late(self._links[connection], answered)
            case ev.Strays(frames):
                self._log.debug("unexpected_responses", count=len(frames))
            case ev.Writable():
                self._dispatch.kick()
            case ev.Bound(state):
                link = self._links[connection] = self._carrier.link(connection, state, self._clock())
                self._log.info("carrier_bound", mode=link.mode)
                self._dispatch.kick()
            case ev.PeerUnbound():
                self._log.info("carrier_unbinds")
            case ev.Fault(error):
                self._metrics.pdu_errors("carrier", status_label(error.command_status)).add(1)
                self._log.info("pdu_error", error=str(error))
            case ev.Closed(reason, unanswered):
                closed = self._links.pop(connection, None)
                if closed is not None:
                    self._carrier.unlink(closed)
                    self._log.info(
                        "session_closed", mode=closed.mode, reason=reason, unanswered=len(unanswered)
                    )
                    self._dispatch.on_closed(unanswered)
            case _:
                pass
