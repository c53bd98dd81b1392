"""The configured ESMEs while the gateway runs: who is bound, and what each may still do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from smppgw.in_order import InOrder
from smppgw.metrics import Counter, Metrics
from smppgw.senders import Sender
from smppgw.session.connection import Connection
from smppgw.session.states import SessionState
from smppgw.settings import EsmeSettings
from smppgw.throttle.backoff import Pace
from smppgw.throttle.bucket import Bucket, Rate

_MODES: Final = {SessionState.BOUND_TX: "tx", SessionState.BOUND_RX: "rx", SessionState.BOUND_TRX: "trx"}


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

    def __init__(self, settings: EsmeSettings, metrics: Metrics, now_ns: int) -> None:
        self.settings = settings
        self.name = settings.system_id
        self.links: list[Link] = []
        rate = _rate_of(settings)
        self.bucket = None if rate is None else Bucket(rate, now_ns)
        """Of `messages_per_second`: a message is one, also one that is split; None: no limit."""
        self.senders: dict[bytes, Sender] = {}
        """By source address, its TON and NPI before it; see `Senders.look_up`."""
        self.order: InOrder[Link] = InOrder()
        """Of what it is owed."""
        self.accepted: Counter = metrics.messages_accepted(self.name)

    def change(self, settings: EsmeSettings, now_ns: int) -> None:
        """Go by another configuration, and forget what was known of its senders."""
        self.settings = settings
        rate = _rate_of(settings)
        if rate is None:
            self.bucket = None
        elif self.bucket is None:
            self.bucket = Bucket(rate, now_ns)
        else:
            self.bucket.change(rate, now_ns)
        self.senders.clear()

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


def _rate_of(settings: EsmeSettings) -> Rate | None:
    """Return how fast it may send: what it has not used, up to a second's worth, it may send at once."""
    per_second = settings.messages_per_second
    if not per_second:
        return None
    interval_ns = Rate.of(per_second, burst_seconds=0).interval_ns
    return Rate(interval_ns, max(0, int(per_second) - 1) * interval_ns)


def forget_senders(accounts: Mapping[str, Account]) -> None:
    """Let all of them look up senders anew."""
    for account in accounts.values():
        account.senders.clear()
