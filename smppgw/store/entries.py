"""What the store keeps: messages on their way out, and deliveries on their way to an ESME.

A PDU is kept as octets; nothing here knows what is in them.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["receipt", "mo"]


class Message:
    """A message of an ESME from its acceptance to its last receipt (hot path: slotted, positional)."""

    __slots__ = (
        "accepted_ns",
        "attempts",
        "body",
        "carrier",
        "command_id",
        "esme",
        "key",
        "lane",
        "message_id",
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
        """Monotonic nanoseconds."""
        self.attempts = 0
        self.carrier = ""
        """Who has it; empty before that."""

    def __repr__(self) -> str:
        return f"Message({self.message_id!r}, esme={self.esme!r}, lane={self.lane!r})"


class Delivery:
    """A receipt or MO that an ESME is owed, ready to be sent to it."""

    __slots__ = ("attempts", "body", "command_id", "esme", "key", "kind", "tlv_at")

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
