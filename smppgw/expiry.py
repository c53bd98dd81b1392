"""Ends the messages whose validity is over before a carrier has them (SMPP v3.4 section 5.2.16)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from smppgw.metrics import Metrics
from smppgw.pdu.constants import MessageState
from smppgw.store.api import Store
from smppgw.store.entries import Delivery, Message, Outcome

ENDED_AT_ONCE: Final = 500
"""Messages that end together in the store: many more of them, with their receipts, would fill its log."""

EXPIRED: Final = Outcome(int(MessageState.EXPIRED), "expired")

OwnReceipts: TypeAlias = Callable[
    [Sequence[tuple[Message, Outcome]], Callable[[list[Delivery]], None]],
    None,
]
"""Makes the receipts that were asked for, of messages that have come to their end here, and hands them on."""


class Expiry:
    """Ends what has expired, and tells the ESMEs that asked for it."""

    def __init__(
        self, store: Store, metrics: Metrics, *, own_receipts: OwnReceipts, on_deliveries: Callable[[], None]
    ) -> None:
        self._store = store
        self._metrics = metrics
        self._own_receipts = own_receipts
        self._on_deliveries = on_deliveries

    def sweep(self, now_ns: int) -> None:
        """End what stands in lanes, or aside, and has expired; call it now and then."""
        self._store.pick_expired(now_ns, self.expire)

    def expire(self, messages: Sequence[Message]) -> None:
        """End messages that the store has handed out and that have expired."""
        for first in range(0, len(messages), ENDED_AT_ONCE):
            self._end(messages[first : first + ENDED_AT_ONCE])

    def _end(self, messages: Sequence[Message]) -> None:
        ended = [(message, EXPIRED) for message in messages]
        counts = Counter(message.esme for message in messages)

        def told(deliveries: list[Delivery]) -> None:
            def durable() -> None:
                for esme, count in counts.items():
                    self._metrics.messages_expired(esme).add(count)
                if deliveries:
                    self._on_deliveries()

            self._store.failed(ended, deliveries, durable)

        self._own_receipts(ended, told)
