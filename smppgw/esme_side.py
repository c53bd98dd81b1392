"""The side where ESMEs bind to us: what becomes of each thing that happens on one of their connections."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

from smppgw.accounts import Account, Link
from smppgw.admission import Admission
from smppgw.binding import Authenticator
from smppgw.inbound import Inbound
from smppgw.metrics import Metrics, status_label
from smppgw.pdu.constants import CommandStatus, InterfaceVersion, status_name
from smppgw.session import events as ev
from smppgw.session.connection import Connection, Hold
from smppgw.session.settings import SessionSettings
from smppgw.session.timers import TimerSettings
from smppgw.settings import ListenSettings

MAX_LATE_REFUSALS: Final = 5
"""Refusals of one address that wait at a time: each keeps a connection. One more is answered, and closed, at once."""


def session_settings_of(listen: ListenSettings) -> SessionSettings:
    """Return what holds for each connection of an ESME."""
    return SessionSettings(
        max_pdu_octets=listen.max_pdu_octets,
        interface_version=InterfaceVersion.V5_0,
        timers=TimerSettings.of_seconds(
            session_init=listen.bind_timeout,
            enquire_link=listen.enquire_link,
            inactivity=listen.inactivity,
            response=listen.response_timeout,
            read=listen.read_timeout,
        ),
    )


class EsmeSide:
    """The owner of every connection of an ESME."""

    def __init__(
        self,
        accounts: Mapping[str, Account],
        authenticator: Authenticator,
        admission: Admission,
        inbound: Inbound,
        metrics: Metrics,
        logger: Any,
        *,
        system_id: str,
        clock: Callable[[], int],
    ) -> None:
        self._accounts = accounts
        self._authenticator = authenticator
        self._admission = admission
        self._inbound = inbound
        self._metrics = metrics
        self._log = logger
        self._system_id = system_id.encode("latin-1")
        self._clock = clock
        self._links: dict[Connection, Link] = {}
        self._refusing: Counter[str] = Counter()  # refusals of each address that wait for their time
        self.draining = False
        """Whether nobody may bind any more."""
        self.held = False
        """Whether nothing is read from those who are bound."""

    def on_connected(self, connection: Connection) -> None:
        """Nothing is known of the peer yet."""

    def on_event(self, connection: Connection, event: ev.Event) -> None:
        """Hand each event to whom it concerns."""
        match event:
            case ev.Requests(frames):
                self._admission.admit(self._links[connection], frames)
            case ev.Responses(answered):
                self._inbound.on_responses(self._links[connection], answered)
            case ev.Expired(contexts):
                self._inbound.on_expired(contexts)
            case ev.Writable():
                self._inbound.kick()
            case ev.BindRequested(pdu):
                self._on_bind(connection, pdu)
            case ev.Bound():
                self._on_bound(connection, event)
            case ev.Closed(reason, unanswered):
                self._on_closed(connection, reason, unanswered)
            case ev.Fault(error):
                self._metrics.pdu_errors("esme", status_label(error.command_status)).add(1)
                self._log.info("pdu_error", peer=connection.peer_host, error=str(error))
            case _:
                pass

    def _on_bind(self, connection: Connection, pdu: Any) -> None:
        host = connection.peer_host
        if self.draining:
            status = CommandStatus.ESME_RBINDFAIL
        else:
            status = self._authenticator.verdict(pdu.system_id, pdu.password, host)
        if status == CommandStatus.ESME_ROK:
            self._authenticator.succeeded(host)
            account = self._accounts[pdu.system_id.decode("latin-1")]
            connection.session.accept_bind(self._system_id, self._clock(), window=account.settings.window)
            return
        delay = 0.0
        if status in (CommandStatus.ESME_RINVPASWD, CommandStatus.ESME_RINVSYSID):
            delay = self._authenticator.failed(host)
            if self._refusing[host] >= MAX_LATE_REFUSALS:
                delay = 0.0
        self._log.warning(
            "bind_refused",
            system_id=pdu.system_id.decode("latin-1"),
            peer=host,
            status=status_name(status),
            answered_after=delay,
        )
        if delay:
            self._refusing[host] += 1
            asyncio.get_running_loop().call_later(delay, self._refuse_late, connection, status)
        else:
            self._refuse(connection, status)

    def _refuse_late(self, connection: Connection, status: int) -> None:
        host = connection.peer_host
        self._refusing[host] -= 1
        if not self._refusing[host]:
            del self._refusing[host]
        self._refuse(connection, status)

    def _refuse(self, connection: Connection, status: int) -> None:
        if connection.session.paused:
            connection.session.refuse_bind(status, self._clock())
            connection.flush()

    def _on_bound(self, connection: Connection, event: ev.Bound) -> None:
        account = self._accounts[event.peer_system_id.decode("latin-1")]
        link = account.link(connection, event.state)
        self._links[connection] = link
        if self.held:
            connection.hold(Hold.OWNER)
        self._log.info("bind_ok", system_id=account.name, mode=link.mode, peer=connection.peer_host)
        if link.receives:
            self._inbound.kick()

    def _on_closed(self, connection: Connection, reason: str, unanswered: list[object]) -> None:
        link = self._links.pop(connection, None)
        if link is None:
            return
        link.account.unlink(link)
        self._inbound.on_closed(unanswered)
        self._log.info(
            "session_closed",
            system_id=link.account.name,
            mode=link.mode,
            peer=connection.peer_host,
            reason=reason,
            unanswered=len(unanswered),
        )

    def hold(self, held: bool) -> None:
        """Stop reading from those who are bound, or go on."""
        self.held = held
        for connection in self._links:
            (connection.hold if held else connection.release)(Hold.OWNER)

    def unbind_all(self) -> None:
        """Ask every ESME to go."""
        for connection in list(self._links):
            connection.session.unbind(self._clock())
            connection.flush()

    def abort_all(self) -> None:
        """Drop those who have not gone, also the ones we have called."""
        for connection in list(self._links):
            connection.abort("the gateway stops")

    @property
    def bound(self) -> int:
        """How many connections are bound."""
        return len(self._links)
