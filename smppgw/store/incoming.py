"""The side of the durable store that answers come in by: what is held, deliveries, and what ESMEs are owed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from smppgw.store import history, page_codec, record
from smppgw.store.api import Durable
from smppgw.store.backlog import MEMORY_MOST, Backlog, share_of
from smppgw.store.entries import Delivery, Held, Outcome
from smppgw.store.page import PAGE_ENTRIES
from smppgw.store.restore import Restorer
from smppgw.store.shelf import Shelf
from smppgw.store.state import State
from smppgw.store.tail import Tail


class Incoming:
    """What is held, and the deliveries, of a `WalStore`; see `Store` for what each method does."""

    def __init__(self, state: State, tail: Tail, shelf: Shelf, *, on_ready: Callable[[], None]) -> None:
        self._state = state
        self._tail = tail
        self._pages = Restorer(
            state.owed,
            state.undelivered,
            lambda _, chunks: page_codec.deliveries_of(chunks, state.epoch_ns),
            shelf,
            durable_lsn=lambda: self._told_lsn,
            on_ready=on_ready,
            on_less=lambda _: None,
        )
        self._told_lsn = state.lsn
        """Deliveries up to here stand in their queues: pages come behind them."""
        self.wake = self._pages.wake
        self._pages.begin(state.owed.values())

    def hold(self, shelf: str, entries: Sequence[Held], most: int) -> list[Held]:
        """See `Store.hold`."""
        holding = self._state.shelves[shelf]
        if entries:
            holding.put(entries)
            for _, octets in self._tail.written(entries, partial(self._held_record, shelf)):
                self._tail.add(octets)
        return self.release(shelf, holding.above(most))

    def _held_record(self, shelf: str, entries: Sequence[Held]) -> bytes:
        return record.of_held(shelf, entries, self._state.epoch_ns)

    def release(self, shelf: str, under: Sequence[bytes]) -> list[Held]:
        """See `Store.release`."""
        released = self._state.shelves[shelf].release(under)
        if released:
            names = list(dict.fromkeys([entry.under for entry in released]))
            self._tail.add(record.of_released(shelf, names))
        return released

    def expire_held(self, shelf: str, before_ns: int) -> list[Held]:
        """See `Store.expire_held`."""
        return self.release(shelf, self._state.shelves[shelf].before(before_ns))

    def deliver(
        self,
        records: list[bytes],
        carrier: str,
        deliveries: Sequence[Delivery],
        finished: Sequence[tuple[bytes, Outcome]],
        durable: Durable,
    ) -> None:
        """Append records, with those of deliveries, of what is finished and of what has been held or released."""
        state = self._state
        if finished:
            messages, ids, outcomes = state.finish(carrier, finished)
            if messages:
                now_ms = self._tail.now_ms()
                keys = [message.key for message in messages]
                esmes = [message.esme for message in messages]
                octets = history.of_finished(carrier, now_ms, keys, esmes, ids, outcomes)
                state.remember(now_ms, octets)
                records.append(octets)
        if not deliveries:
            self._tail.append(records, durable, added=True)
            return
        state.received(deliveries)
        written = [
            (state.owed_to(esme), part, octets)
            for esme, group in _by_esme(deliveries).items()
            for part, octets in self._tail.written(group, partial(self._record, esme))
        ]
        standing: list[tuple[Backlog[Delivery], Sequence[Delivery]]] = []
        spilled: list[Backlog[Delivery]] = []

        def on_disk() -> None:
            self._told_lsn = lsn
            for queue, part in standing:
                queue.add(part)
                self._pages.refill(queue)
            for queue in spilled:
                self._pages.refill(queue)
            durable()

        # Where a frame does not take all, what is owed is written before what says that it was.
        lsn = self._tail.append([octets for _, _, octets in written] + records, on_disk, added=True)
        share = share_of(len(state.owed))
        full = len(state.undelivered) >= MEMORY_MOST
        for queue, part, octets in written:
            if queue.is_long(share, full=full):
                state.spill(queue, octets, part, lsn, PAGE_ENTRIES)
                spilled.append(queue)
                for delivery in part:
                    del state.undelivered[delivery.key]
            else:
                standing.append((queue, part))

    def _record(self, esme: str, deliveries: Sequence[Delivery]) -> bytes:
        return record.of_deliveries(esme, deliveries, self._state.epoch_ns)

    def ready(self, esme: str) -> int:
        """See `Store.ready_deliveries`."""
        if self._tail.is_short:
            return 0
        queue = self._state.owed.get(esme)
        return len(queue) if queue is not None else 0

    def take(self, esme: str, most: int) -> list[Delivery]:
        """See `Store.take_deliveries`."""
        queue = self._state.owed.get(esme)
        if queue is None:
            return []
        taken = queue.take(most)
        self._pages.refill(queue)
        return taken

    def give_back(self, deliveries: Sequence[Delivery]) -> None:
        """See `Store.give_back_deliveries`."""
        for esme, part in _by_esme(deliveries).items():
            self._state.owed_to(esme).give_back(part)

    def defer(self, deliveries: Sequence[Delivery]) -> None:
        """See `Store.defer_deliveries`."""
        self._state.unpage(deliveries)
        self._state.put_aside += len(deliveries)
        for esme, part in _by_esme(deliveries).items():
            queue = self._state.owed_to(esme)
            queue.defer(part)
            self._pages.defers(queue)

    def delivered(self, deliveries: Sequence[Delivery], durable: Durable | None) -> None:
        """See `Store.delivered`."""
        if deliveries:
            self._tail.append(
                [
                    record.of_delivered(esme, [delivery.key for delivery in part])
                    for esme, part in _by_esme(deliveries).items()
                ],
                durable,
            )
            self._state.delivered(deliveries)
        elif durable is not None:
            durable()


def _by_esme(deliveries: Sequence[Delivery]) -> Mapping[str, Sequence[Delivery]]:
    first = deliveries[0].esme if deliveries else ""
    if deliveries and all([delivery.esme == first for delivery in deliveries]):  # noqa: C419 - faster so
        return {first: deliveries}
    parts: defaultdict[str, list[Delivery]] = defaultdict(list)
    for delivery in deliveries:
        parts[delivery.esme].append(delivery)
    return parts
