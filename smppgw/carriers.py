"""The configured carriers while the gateway runs: which binds are up, and how fast each may go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from smppgw.carrier_ids import CarrierIds
from smppgw.error_classes import Meanings
from smppgw.session.connection import Connection
from smppgw.session.states import SessionState
from smppgw.settings import CarrierSettings
from smppgw.tables import ErrorProfile
from smppgw.throttle.backoff import Pace
from smppgw.throttle.bucket import Bucket, Rate
from smppgw.verdicts import Verdicts

_MODES: Final = {SessionState.BOUND_TX: "tx", SessionState.BOUND_RX: "rx", SessionState.BOUND_TRX: "trx"}


class Link:
    """One bound connection to a carrier."""

    __slots__ = ("bucket", "carrier", "connection", "mode", "pace", "unsettled")

    def __init__(
        self, carrier: Carrier, connection: Connection, state: SessionState, bucket: Bucket | None
    ) -> None:
        self.carrier = carrier
        self.bucket = bucket
        """Of `bind_messages_per_second`; None for no limit."""
        self.connection = connection
        self.mode = _MODES[state]
        self.pace = Pace()
        self.unsettled = 0
        """Messages answered by the carrier whose outcome is not yet durable: they still fill the window."""

    @property
    def transmits(self) -> bool:
        """Whether messages may be sent to it."""
        return self.mode != "rx"

    @property
    def free(self) -> int:
        """Free places in its window; none while it does not take what is on its way already."""
        return 0 if self.connection.congested else self.connection.session.free - self.unsettled


class Carrier:
    """One `[[carrier]]` at run time."""

    def __init__(
        self,
        settings: CarrierSettings,
        profile: ErrorProfile | None = None,
        *,
        now_ns: int,
        burst_seconds: float,
    ) -> None:
        """`profile`: what its errors mean, where the configuration says. `burst_seconds`: see `LimitsSettings`."""
        self.settings = settings
        self.name = settings.name
        self.links: list[Link] = []
        self._burst_seconds = burst_seconds
        rate = settings.messages_per_second
        self.bucket = Bucket(Rate.of(rate, burst_seconds=burst_seconds), now_ns) if rate else None
        self.ids = CarrierIds(settings.message_id)
        self.meanings = Meanings(profile)
        self.verdicts = Verdicts(self.meanings)

    def link(self, connection: Connection, state: SessionState, now_ns: int) -> Link:
        """Count a connection in."""
        rate = self.settings.bind_messages_per_second
        bucket = Bucket(Rate.of(rate, burst_seconds=self._burst_seconds), now_ns) if rate else None
        link = Link(self, connection, state, bucket)
        self.links.append(link)
        return link

    def unlink(self, link: Link) -> None:
        """Count it out."""
        self.links.remove(link)

    @property
    def transmitters(self) -> Sequence[Link]:
        """The connections that take messages; the one that was first last time comes last."""
        links = [link for link in self.links if link.transmits]
        if len(self.links) > 1:
            self.links.append(self.links.pop(0))
        return links

    @property
    def up(self) -> bool:
        """Whether it takes messages at all now."""
        return any(link.transmits for link in self.links)

    def sessions(self, mode: str) -> int:
        """How many connections are bound that way."""
        return sum(1 for link in self.links if link.mode == mode)

    def in_flight(self) -> int:
        """Messages sent and not answered, or not yet settled."""
        return sum(link.connection.session.in_flight + link.unsettled for link in self.links)
