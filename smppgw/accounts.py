"""The configured ESMEs while the gateway runs: who is bound, and what each may still do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from smppgw.in_order import InOrder
from smppgw.metrics import Counter, Metrics
from smppgw.routing import digits
from smppgw.session.connection import Connection
from smppgw.session.states import SessionState
from smppgw.settings import EsmeSettings
from smppgw.throttle.backoff import Pace
from smppgw.throttle.bucket import TokenBucket

_MODES: Final = {SessionState.BOUND_TX: "tx", SessionState.BOUND_RX: "rx", SessionState.BOUND_TRX: "trx"}

SOURCES_REMEMBERED: Final = 100_000
"""Lanes are looked up once for each source address of an ESME; above this many the memory starts anew."""


class Link:
    """One bound connection of an ESME."""

    __slots__ = ("account", "connection", "heard_ns", "mode", "pace", "unsettled")

    def __init__(self, account: Account, connection: Connection, state: SessionState) -> None:
        self.account = account
        self.connection = connection
        self.mode = _MODES[state]
        self.pace = Pace()
        """How fast it takes deliveries."""
        self.unsettled = 0
        """Deliveries that it has answered, which is not yet durable: after a crash they come again, and so they still
        fill the window."""
        self.heard_ns = 0
        """When it last answered a delivery, or was sent one after it had answered all."""

    @property
    def free(self) -> int:
        """Free places in its window; none while it does not take what is on its way already."""
        return 0 if self.connection.congested else max(0, self.connection.session.free - self.unsettled)

    @property
    def receives(self) -> bool:
        """Whether deliveries may be sent to it."""
        return self.mode != "tx"


class Account:
    """One `[[esme]]` at run time."""

    def __init__(self, settings: EsmeSettings, metrics: Metrics) -> None:
        self.settings = settings
        self.name = settings.system_id
        self.links: list[Link] = []
        rate = settings.messages_per_second
        self.bucket = TokenBucket(per_second=rate, burst=max(1, int(rate))) if rate else None
        self.sources = frozenset(digits(source) for source in settings.sources)
        self.lanes: dict[bytes, tuple[str, ...] | int] = {}
        """By source address: the lane of each priority, or the command_status that refuses it."""
        self.order: InOrder[Link] = InOrder()
        """Of what it is owed."""
        self.accepted: Counter = metrics.messages_accepted(self.name)

    def link(self, connection: Connection, state: SessionState) -> Link:
        """Count a connection in."""
        link = Link(self, connection, state)
        self.links.append(link)
        return link

    def unlink(self, link: Link) -> None:
        """Count it out."""
        self.links.remove(link)

    @property
    def receivers(self) -> Sequence[Link]:
        """The connections that take deliveries; the one that was first last time comes last."""
        links = [link for link in self.links if link.receives]
        if len(self.links) > 1:
            self.links.append(self.links.pop(0))
        return links

    def sessions(self, mode: str) -> int:
        """How many connections are bound that way."""
        return sum(1 for link in self.links if link.mode == mode)

    def in_flight(self) -> int:
        """Deliveries sent and not answered."""
        return sum(link.connection.session.in_flight for link in self.links)
