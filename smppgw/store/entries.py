"""What the store keeps: messages on their way out, and deliveries on their way to an ESME.

A PDU is kept as octets; nothing here knows what is in them. Moments are monotonic nanoseconds of this run; a durable
store writes them as time since 1970 and reads them back as moments of the run that reads.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

Kind: TypeAlias = Literal["receipt", "mo"]


class Outcome(NamedTuple):
    """What a message has come to. A store keeps it and gives it back; only `state` means something to it."""

    state: int
    """A message_state (SMPP v3.4 section 5.2.28)."""
    error_class: str
    """What that means for another try, for the number and for the sender; a name of `smppgw.error_classes`."""
    err: str = ""
    """The carrier's own word for why: `err` of a receipt as written, or a command_status; empty where none was said."""


class LaneQueue(Protocol):
    """What stands in a lane; a store makes it."""

    head: deque[Message]
    """What can be taken now, in order. Who takes from its front tells the store by `took`."""

    @property
    def waiting(self) -> int:
        """How many messages stand in the lane, those on disk among them, without those aside."""

    @property
    def deferred(self) -> int:
        """How many messages of the lane stand aside."""

    @property
    def first(self) -> Message | None:
        """The message that leaves next."""


class Lane:
    """Where messages stand one behind the other. Who chooses lanes makes them, and may derive from this."""

    __slots__ = ("name", "queue")

    def __init__(self, name: str) -> None:
        self.name = name
        """What it is called on disk."""
        self.queue: LaneQueue | None = None
        """The store's own; None while nothing stands in it, nor aside."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"


class Message:
    """A message of an ESME from its acceptance to its last receipt (hot path: slotted, positional)."""

    __slots__ = (
        "accepted_ns",
        "attempts",
        "body",
        "carrier",
        "command_id",
        "day_segments",
        "due_ns",
        "envelope",
        "esme",
        "expires_ns",
        "key",
        "lane",
        "message_id",
        "page",
        "parts",
        "registered_delivery",
        "segments",
        "told",
    )

    def __init__(
        self,
        key: int,
        message_id: bytes,
        esme: str,
        lane: Lane,
        command_id: int,
        body: bytes,
        registered_delivery: int,
        accepted_ns: int,
        expires_ns: int = 0,
        due_ns: int = 0,
        parts: int = 1,
    ) -> None:
        self.key = key
        """Unique, rising in the order of acceptance."""
        self.message_id = message_id
        """What the ESME was told."""
        self.esme = esme
        self.lane = lane
        self.segments = self.day_segments = 1
        """What it is to limits: messages on the radio interface; and how many of them count to a day's cap."""
        self.command_id = command_id
        """submit_sm or data_sm."""
        self.body = body
        """The PDU behind its header; empty once a carrier has it, or nobody will."""
        self.envelope = b""
        """What is kept of the PDU once a carrier has it, for the receipts to come; empty, or already so, before."""
        self.registered_delivery = registered_delivery
        self.accepted_ns = accepted_ns
        self.expires_ns = expires_ns
        """When its validity ends; 0 for never."""
        self.due_ns = due_ns
        """It is not to leave before; 0 for at once."""
        self.parts = parts
        """Of how many messages, made of what the ESME submitted, it is one: they share its id, and their keys follow
        each other."""
        self.told: Outcome | None = None
        """What a receipt said of it last that was not final; this run's own."""
        self.attempts = 0
        self.carrier = ""
        """Who has it; empty before that."""
        self.page: Any = None
        """The store's own: where on disk it stands."""

    def __repr__(self) -> str:
        return f"Message({self.message_id!r}, esme={self.esme!r}, lane={self.lane.name!r})"


class Delivery:
    """A receipt or MO that an ESME is owed, ready to be sent to it."""

    __slots__ = (
        "attempts",
        "body",
        "command_id",
        "due_ns",
        "esme",
        "key",
        "kind",
        "page",
        "received_ns",
        "source",
        "tlv_at",
    )

    def __init__(
        self, esme: str, kind: Kind, command_id: int, body: bytes, tlv_at: int, received_ns: int
    ) -> None:
        self.key = 0
        """Rising in the order in which the store received them; the store gives it."""
        self.esme = esme
        """Whose it is; empty for what belongs to nobody, and is only kept."""
        self.kind: Kind = kind
        self.command_id = command_id
        """deliver_sm or data_sm."""
        self.body = body
        """The PDU behind its header."""
        self.tlv_at = tlv_at
        """Where in `body` the optional parameters begin: a 3.3 peer gets what stands before."""
        self.received_ns = received_ns
        """When it came to be: its validity is counted from there."""
        self.source = b""
        """The address it comes from, once somebody has asked; this run's own."""
        self.attempts = 0
        self.due_ns = 0
        """It is not to be sent again before; 0 for at once."""
        self.page: Any = None
        """The store's own: where on disk it stands."""

    def __repr__(self) -> str:
        return f"Delivery({self.kind}, esme={self.esme!r})"


class Held:
    """A request of a carrier that waits for something else: a receipt for its message, a part for the other parts."""

    __slots__ = ("body", "command_id", "received_ns", "under")

    def __init__(self, under: bytes, command_id: int, body: bytes, received_ns: int) -> None:
        self.under = under
        """What it is found by; several may have the same."""
        self.command_id = command_id
        """deliver_sm or data_sm."""
        self.body = body
        """The PDU behind its header."""
        self.received_ns = received_ns


class Standing(NamedTuple):
    """What is known of a message: where it stands, or how it ended."""

    esme: str
    outcome: Outcome | None
    """None while that is open."""
    final_ns: int
    """When it came to that for good; 0 while that is open."""
    message: Message | None
    """The message itself while it is queued or on its way to a carrier. To be read only."""
