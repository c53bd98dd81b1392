"""The store of `backend = "unsafe-memory"`: everything in this process, gone with it."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from heapq import merge
from itertools import islice
from operator import attrgetter
from typing import Final, TypeVar

from smppgw.store.api import Durable
from smppgw.store.entries import Delivery, EarlyReceipt, Message

EntryT = TypeVar("EntryT", Message, Delivery)
_KEY: Final = attrgetter("key")

MAX_CORRELATIONS: Final = 2_000_000
"""Messages of one carrier that wait for a receipt; the oldest is forgotten for one more."""

MAX_EARLY: Final = 10_000
"""Receipts of one carrier that wait for their response; the oldest is dropped for one more."""


def _merge(queue: deque[EntryT], returned: list[EntryT]) -> None:
    """Put entries back into a queue that is in the order of their keys."""
    returned.sort(key=_KEY)
    ahead: list[EntryT] = []
    while queue and queue[0].key < returned[-1].key:
        ahead.append(queue.popleft())
    queue.extendleft(reversed(list(merge(ahead, returned, key=_KEY))))


class MemoryStore:
    """A `Store` that keeps its word only as long as the process lives."""

    def __init__(self, max_octets: int) -> None:
        self._max_octets = max_octets
        self._octets = 0
        self._queued: defaultdict[str, int] = defaultdict(int)
        self._delivery_key = 0
        self._lanes: defaultdict[str, deque[Message]] = defaultdict(deque)
        self._sent: defaultdict[str, dict[bytes, Message]] = defaultdict(dict)
        self._early: defaultdict[str, dict[bytes, EarlyReceipt]] = defaultdict(dict)
        self._deliveries: defaultdict[str, deque[Delivery]] = defaultdict(deque)

    def accept(self, messages: Sequence[Message], durable: Durable) -> None:
        """See `Store.accept`."""
        lanes = self._lanes
        octets = 0
        for message in messages:
            octets += len(message.body)
            lanes[message.lane].append(message)
            self._queued[message.esme] += 1
        self._octets += octets
        durable()

    def take(self, lane: str, most: int) -> list[Message]:
        """See `Store.take`."""
        queue = self._lanes[lane]
        if len(queue) <= most:
            taken = list(queue)
            queue.clear()
            return taken
        return [queue.popleft() for _ in range(most)]

    def give_back(self, messages: Sequence[Message]) -> None:
        """See `Store.give_back`."""
        returned: defaultdict[str, list[Message]] = defaultdict(list)
        for message in messages:
            returned[message.lane].append(message)
        for lane, group in returned.items():
            _merge(self._lanes[lane], group)

    def submitted(
        self, carrier: str, answered: Sequence[tuple[Message, bytes]], durable: Durable
    ) -> list[tuple[Message, EarlyReceipt]]:
        """See `Store.submitted`."""
        sent = self._sent[carrier]
        early = self._early[carrier]
        found = []
        octets = 0
        for message, carrier_id in answered:
            octets += len(message.body)
            self._queued[message.esme] -= 1
            message.body = b""
            message.carrier = carrier
            if message.registered_delivery and carrier_id:
                sent[carrier_id] = message
                if early and (receipt := early.pop(carrier_id, None)) is not None:
                    found.append((message, receipt))
        self._octets -= octets
        while len(sent) > MAX_CORRELATIONS:
            del sent[next(iter(sent))]
        durable()
        return found

    def failed(self, messages: Sequence[Message], durable: Durable) -> None:
        """See `Store.failed`."""
        for message in messages:
            self._octets -= len(message.body)
            self._queued[message.esme] -= 1
            message.body = b""
        durable()

    def find(self, carrier: str, carrier_id: bytes) -> Message | None:
        """See `Store.find`."""
        return self._sent[carrier].get(carrier_id)

    def hold(self, carrier: str, receipts: Sequence[EarlyReceipt]) -> int:
        """See `Store.hold`."""
        early = self._early[carrier]
        for receipt in receipts:
            early[receipt.carrier_id] = receipt
        dropped = max(0, len(early) - MAX_EARLY)
        for carrier_id in list(islice(early, dropped)):
            del early[carrier_id]
        return dropped

    def expire_held(self, before_ns: int) -> dict[str, int]:
        """See `Store.expire_held`."""
        expired = {}
        for carrier, early in self._early.items():
            old = [carrier_id for carrier_id, receipt in early.items() if receipt.received_ns < before_ns]
            for carrier_id in old:
                del early[carrier_id]
            if old:
                expired[carrier] = len(old)
        return expired

    def receive(
        self, carrier: str, deliveries: Sequence[Delivery], finished: Sequence[bytes], durable: Durable
    ) -> None:
        """See `Store.receive`."""
        if finished:
            sent = self._sent[carrier]
            for carrier_id in finished:
                sent.pop(carrier_id, None)
        waiting = self._deliveries
        octets = 0
        for delivery in deliveries:
            self._delivery_key += 1
            delivery.key = self._delivery_key
            octets += len(delivery.body)
            waiting[delivery.esme].append(delivery)
        self._octets += octets
        durable()

    def take_deliveries(self, esme: str, most: int) -> list[Delivery]:
        """See `Store.take_deliveries`."""
        queue = self._deliveries[esme]
        if len(queue) <= most:
            taken = list(queue)
            queue.clear()
            return taken
        return [queue.popleft() for _ in range(most)]

    def give_back_deliveries(self, deliveries: Sequence[Delivery]) -> None:
        """See `Store.give_back_deliveries`."""
        returned: defaultdict[str, list[Delivery]] = defaultdict(list)
        for delivery in deliveries:
            returned[delivery.esme].append(delivery)
        for esme, group in returned.items():
            _merge(self._deliveries[esme], group)

    def delivered(self, deliveries: Sequence[Delivery]) -> None:
        """See `Store.delivered`."""
        self._octets -= sum(len(delivery.body) for delivery in deliveries)

    def waiting(self, lane: str) -> int:
        """See `Store.waiting`."""
        return len(self._lanes[lane])

    def queued(self, esme: str) -> int:
        """See `Store.queued`."""
        return self._queued[esme]

    def waiting_deliveries(self, esme: str) -> int:
        """See `Store.waiting_deliveries`."""
        return len(self._deliveries[esme])

    def oldest_ns(self, lane: str) -> int | None:
        """See `Store.oldest_ns`."""
        queue = self._lanes[lane]
        return queue[0].accepted_ns if queue else None

    @property
    def octets(self) -> int:
        """See `Store.octets`."""
        return self._octets

    @property
    def full(self) -> bool:
        """See `Store.full`."""
        return self._octets >= self._max_octets

    @property
    def healthy(self) -> bool:
        """Memory does not fail before the process does."""
        return True

    def close(self) -> int:
        """See `Store.close`."""
        waiting = sum(map(len, self._lanes.values())) + sum(map(len, self._deliveries.values()))
        self._lanes.clear()
        self._deliveries.clear()
        return waiting
