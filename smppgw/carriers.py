"""The configured carriers while the gateway runs: which binds are up, and how fast each may go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from smppgw.session.connection import Connection
from smppgw.session.states import SessionState
from smppgw.settings import CarrierSettings, MessageIdFormat
from smppgw.throttle.backoff import Pace
from smppgw.throttle.bucket import TokenBucket

_MODES: Final = {SessionState.BOUND_TX: "tx", SessionState.BOUND_RX: "rx", SessionState.BOUND_TRX: "trx"}


class Link:
    """One bound connection to a carrier."""

    __slots__ = ("carrier", "connection", "mode", "pace", "unsettled")

    def __init__(self, carrier: Carrier, connection: Connection, state: SessionState) -> None:
        self.carrier = carrier
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

    def __init__(self, settings: CarrierSettings) -> None:
        self.settings = settings
        self.name = settings.name
        self.links: list[Link] = []
        rate = settings.messages_per_second
        self.bucket = TokenBucket(per_second=rate, burst=max(1, int(rate / 10))) if rate else None
        self.response_id, self.receipt_id = id_readers(settings.message_id)

    def link(self, connection: Connection, state: SessionState) -> Link:
        """Count a connection in."""
        link = Link(self, connection, state)
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


IdReader = Callable[[bytes], bytes]


def _as_is(message_id: bytes) -> bytes:
    return message_id


def _number(base: int) -> IdReader:
    def read(message_id: bytes) -> bytes:
        try:
            return b"%d" % int(message_id, base)
        except ValueError:
            return message_id

    return read


_ID_READERS: Final[dict[MessageIdFormat, tuple[IdReader, IdReader]]] = {
    "auto": (_as_is, _as_is),
    "text": (_as_is, _as_is),
    "hex": (_number(16), _number(16)),
    "dec": (_number(10), _number(10)),
    "hex-dec": (_number(16), _number(10)),
    "dec-hex": (_number(10), _number(16)),
}


def id_readers(message_id_format: MessageIdFormat) -> tuple[IdReader, IdReader]:
    """Return how the id of a response and that of a receipt are read, so that equal ones compare equal.

    "hex-dec" is an SMSC that writes hexadecimal in the response and decimal in the receipt (interop quirk 1).
    """
    return _ID_READERS[message_id_format]
