"""What the store keeps: messages on their way out, and deliveries on their way to an ESME.

A PDU is kept as octets; nothing here knows what is in them. Moments are monotonic nanoseconds of this run; a durable
store writes them as time since 1970 and reads them back as moments of the run that reads.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, TypeAlias

Kind: TypeAlias = Literal["receipt", "mo"]


class Message:
    """A message of an ESME from its acceptance to its last receipt (hot path: slotted, positional)."""

    __slots__ = (
        "accepted_ns",
        "attempts",
        "body",
        "carrier",
        "command_id",
        "due_ns",
        "esme",
        "expires_ns",
        "key",
        "lane",
        "message_id",
        "page",
        "registered_delivery",
    )

    def __init__(
        self,
        key: int,
        message_id: bytes,
        esme: str,
        lane: str,
        command_id: int,
        body: bytes,
        registered_delivery: int,
        accepted_ns: int,
        expires_ns: int = 0,
        due_ns: int = 0,
    ) -> None:
        self.key = key
        """Unique, rising in the order of acceptance."""
        self.message_id = message_id
        """What the ESME was told."""
        self.esme = esme
        self.lane = lane
        self.command_id = command_id
        """submit_sm or data_sm."""
        self.body = body
        """The PDU behind its header; empty once a carrier has it, or nobody will."""
        self.registered_delivery = registered_delivery
        self.accepted_ns = accepted_ns
        self.expires_ns = expires_ns
        """When its validity ends; 0 for never."""
        self.due_ns = due_ns
        """It is not to leave before; 0 for at once."""
        self.attempts = 0
        self.carrier = ""
        """Who has it; empty before that."""
        self.page: Any = None
        """The store's own: where on disk it stands."""

    def __repr__(self) -> str:
        return f"Message({self.message_id!r}, esme={self.esme!r}, lane={self.lane!r})"


class Delivery:
    """A receipt or MO that an ESME is owed, ready to be sent to it."""

    __slots__ = ("attempts", "body", "command_id", "due_ns", "esme", "key", "kind", "page", "tlv_at")

    def __init__(self, esme: str, kind: Kind, command_id: int, body: bytes, tlv_at: int) -> None:
        self.key = 0
        """Rising in the order in which the store received them; the store gives it."""
        self.esme = esme
        self.kind: Kind = kind
        self.command_id = command_id
        """deliver_sm or data_sm."""
        self.body = body
        """The PDU behind its header."""
        self.tlv_at = tlv_at
        """Where in `body` the optional parameters begin: a 3.3 peer gets what stands before."""
        self.attempts = 0
        self.due_ns = 0
        """It is not to be sent again before; 0 for at once."""
        self.page: Any = None
        """The store's own: where on disk it stands."""

    def __repr__(self) -> str:
        return f"Delivery({self.kind}, esme={self.esme!r})"


class EarlyReceipt:
    """A receipt that came before the response that tells us which message it is about."""

    __slots__ = ("body", "carrier_id", "command_id", "received_ns")

    def __init__(self, carrier_id: bytes, command_id: int, body: bytes, received_ns: int) -> None:
        self.carrier_id = carrier_id
        self.command_id = command_id
        self.body = body
        self.received_ns = received_ns


class Standing(NamedTuple):
    """What is known of a message: where it stands, or how it ended."""

    esme: str
    state: int
    """A message_state (SMPP v3.4 section 5.2.28)."""
    final_ns: int
    """When it came to that state for good; 0 while that is open."""
    message: Message | None
    """The message itself while it is queued or on its way to a carrier. To be read only."""
