"""The small protocol between the gateway and whatever keeps its messages.

Everything comes in batches. A method that promises something takes `durable`, which is called once, on the event
loop, when the whole batch is safe: only then may the peer be answered. An implementation may call it before the
method returns. Lanes are strings chosen by the caller; a lane is first in, first out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

from smppgw.store.entries import Delivery, EarlyReceipt, Message

Durable: TypeAlias = Callable[[], None]


class Store(Protocol):
    """Keeps messages and deliveries until they are somebody else's."""

    def accept(self, messages: Sequence[Message], durable: Durable) -> None:
        """Take messages in; each stands at the end of its lane once it is durable."""

    def take(self, lane: str, most: int) -> list[Message]:
        """Hand out the next messages of a lane, oldest first, at most `most`."""

    def give_back(self, messages: Sequence[Message]) -> None:
        """Put messages that were handed out back where they stood: a lane is always in the order of their keys."""

    def submitted(
        self, carrier: str, answered: Sequence[tuple[Message, bytes]], durable: Durable
    ) -> list[tuple[Message, EarlyReceipt]]:
        """A carrier has these messages, under the ids beside them; one with an empty id will not be found again.

        Returns the receipts that had come for them before, which are then no longer held.
        """

    def failed(self, messages: Sequence[Message], durable: Durable) -> None:
        """These messages will not be delivered."""

    def find(self, carrier: str, carrier_id: bytes) -> Message | None:
        """Return the message that this carrier knows under this id."""

    def hold(self, carrier: str, receipts: Sequence[EarlyReceipt]) -> int:
        """Keep receipts whose message is not known yet; return how many older ones had to make room.

        They are durable with the `receive` that follows.
        """

    def expire_held(self, before_ns: int) -> dict[str, int]:
        """Drop the held receipts that came before that moment; return how many of each carrier."""

    def receive(
        self, carrier: str, deliveries: Sequence[Delivery], finished: Sequence[bytes], durable: Durable
    ) -> None:
        """Take deliveries in; each waits for its ESME once it is durable.

        With them, no more receipts are expected for what `carrier` knows under the ids of `finished`.
        """

    def take_deliveries(self, esme: str, most: int) -> list[Delivery]:
        """Hand out what waits for an ESME, oldest first, at most `most`."""

    def give_back_deliveries(self, deliveries: Sequence[Delivery]) -> None:
        """Put deliveries that were handed out back where they stood, in the order of their keys."""

    def delivered(self, deliveries: Sequence[Delivery]) -> None:
        """These are done with."""

    def waiting(self, lane: str) -> int:
        """How many messages stand in a lane."""

    def waiting_deliveries(self, esme: str) -> int:
        """How many deliveries wait for an ESME."""

    def oldest_ns(self, lane: str) -> int | None:
        """When the message at the front of a lane was accepted (monotonic ns); None when the lane is empty."""

    @property
    def octets(self) -> int:
        """What is kept, in octets of PDUs."""

    @property
    def full(self) -> bool:
        """Whether the bound of the configuration is reached: nothing more is accepted."""

    @property
    def healthy(self) -> bool:
        """Whether promises can be made."""

    def close(self) -> int:
        """End; return how many messages and deliveries are lost by it (none, where the store is durable)."""
