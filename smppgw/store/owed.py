"""What ESMEs are owed, in memory alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from operator import attrgetter
from typing import Any, Final

from smppgw.store.alarms import Alarms
from smppgw.store.entries import Delivery
from smppgw.store.queue import Queue, grouped

_ESME: Final[Callable[[Delivery], str]] = attrgetter("esme")


class Owed:
    """A queue for each ESME; see `Store` for what each method does."""

    def __init__(self, alarms: Alarms[Any]) -> None:
        """`alarms` gets to know of queues in which something stands aside."""
        self._alarms = alarms
        self._key = 0
        self._queues: defaultdict[str, Queue[Delivery]] = defaultdict(Queue)
        self.octets = 0
        """Of what is not yet done with."""

    def owe(self, deliveries: Sequence[Delivery]) -> None:
        """Take deliveries in."""
        if deliveries:
            for key, delivery in enumerate(deliveries, self._key + 1):
                delivery.key = key
            self._key += len(deliveries)
            self.octets += sum([len(delivery.body) for delivery in deliveries])
            for esme, group in grouped(deliveries, _ESME).items():
                self._queues[esme].add(group)

    def ready_deliveries(self, esme: str) -> int:
        """See `Store.ready_deliveries`."""
        return len(self._queues[esme])

    def take_deliveries(self, esme: str, most: int) -> list[Delivery]:
        """See `Store.take_deliveries`."""
        return self._queues[esme].take(most)

    def give_back_deliveries(self, deliveries: Sequence[Delivery]) -> None:
        """See `Store.give_back_deliveries`."""
        for esme, group in grouped(deliveries, _ESME).items():
            self._queues[esme].give_back(group)

    def defer_deliveries(self, deliveries: Sequence[Delivery]) -> None:
        """See `Store.defer_deliveries`."""
        for esme, group in grouped(deliveries, _ESME).items():
            queue = self._queues[esme]
            queue.defer(group)
            self._alarms.set(queue, queue.next_ns())

    def done_with(self, deliveries: Sequence[Delivery]) -> None:
        """Count these out."""
        self.octets -= sum([len(delivery.body) for delivery in deliveries])

    def owing(self) -> Collection[str]:
        """See `Store.owing`."""
        return {esme for esme, queue in self._queues.items() if not queue.is_empty}

    def waiting_deliveries(self, esme: str) -> int:
        """See `Store.waiting_deliveries`."""
        queue = self._queues[esme]
        return queue.waiting + queue.deferred

    def clear(self) -> int:
        """Forget all; return how many deliveries that were."""
        lost = sum([queue.waiting + queue.deferred for queue in self._queues.values()])
        self._queues.clear()
        return lost
