"""What the log has led to, as far as it is in memory: the one place where a record takes effect, now or at recovery.

Everything here is what the records up to the last appended one say, durable or not; but an entry stands in its queue
only once its record is durable, which is for the caller to see to.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from smppgw.store.backlog import Backlog, share_of
from smppgw.store.correlation import Sent
from smppgw.store.entries import Delivery, Lane, Message, Outcome
from smppgw.store.finished import Finished
from smppgw.store.holding import KnownHolding
from smppgw.store.page import PAGE_ENTRIES, Page

T = TypeVar("T", str, Outcome)
EntryT = TypeVar("EntryT", bound=Message | Delivery)


class State:
    """Queues, correlation, shelves, counters, and what the next checkpoint has to take to the ledger."""

    def __init__(self, epoch_ns: int, envelope_of: Callable[[int, bytes], bytes] = lambda *_: b"") -> None:
        """`epoch_ns` is nanoseconds since 1970 at moment 0 of this run.

        `envelope_of(command_id, body)` returns what is kept of a message for the receipts that are to come.
        """
        self.epoch_ns = epoch_ns
        self._envelope_of = envelope_of
        self.lanes: dict[Lane, Backlog[Message]] = {}
        """Of the lanes in which something stands, or aside: those of the others are no more."""
        self.roused: list[Lane] = []
        """Lanes whose head has become other than empty, since somebody asked."""
        self.owed: dict[str, Backlog[Delivery]] = {}
        """What ESMEs are owed, by system_id."""
        self.live: dict[int, Message] = {}
        """The messages in memory that no carrier has, by key, wherever they are."""
        self.undelivered: dict[int, Delivery] = {}
        """The deliveries in memory, by key, wherever they are."""
        self.returned: set[int] = set()
        """Keys of messages in memory that were handed out and stand in their queue again: a late answer ends them."""
        self.queued: Counter[str] = Counter()
        """Messages that no carrier has, by ESME."""
        self.sent: defaultdict[str, Sent] = defaultdict(Sent)
        self.finished: defaultdict[str, Finished] = defaultdict(Finished)
        """By carrier, as `Store.finished_envelope` tells."""
        self.shelves: defaultdict[str, KnownHolding] = defaultdict(KnownHolding)
        self.counters: Counter[str] = Counter()
        """Totals since the store was made, by what they count."""
        self.history: list[tuple[int, bytes]] = []
        """Records for the history: (milliseconds since 1970, octets)."""
        self.history_octets = 0
        self.spilled: list[Page] = []
        """Pages that the ledger does not have."""
        self.spilled_octets = 0
        """What they, and those that are on their way to the ledger, take of the memory."""
        self.changed: set[Page] = set()
        """Pages that the ledger has, with more dead entries than it knows of."""
        self.put_aside = 0
        """Entries that were put aside since the last checkpoint: these might go to disk."""
        self.quotas: dict[str, tuple[int, int]] = {}
        """By quota: the day, and how many segments may be used on it, as was said last."""
        self._shared: dict[tuple[str, int], dict[str, int]] = {}
        self.lsn = 0
        """Of the last record that was appended."""
        self.highest_key = 0
        self.delivery_key = 0
        self.next_page = 1

    # ---- queues ---------------------------------------------------------------------------------------------

    def queue_in(self, lane: Lane) -> Backlog[Message]:
        """Return the queue of a lane; make it where there is none."""
        queue = self.lanes.get(lane)
        if queue is None:
            queue = lane.queue = self.lanes[lane] = Backlog(lane, self.roused)
        return queue

    def let_go(self, queue: Backlog[Message]) -> None:
        """Forget the queue of a lane, if it is empty."""
        lane = queue.lane
        if queue.is_empty and lane is not None and lane.queue is queue:
            lane.queue = None
            del self.lanes[lane]

    def owed_to(self, esme: str) -> Backlog[Delivery]:
        """Return the queue of what an ESME is owed."""
        queue = self.owed.get(esme)
        if queue is None:
            queue = self.owed[esme] = Backlog(esme)
        return queue

    def page_entries(self, queues: int) -> int:
        """Return how many entries a page is to have, if there are so many queues: a page is read back whole."""
        return min(PAGE_ENTRIES, share_of(queues))

    def shared(self, esmes: dict[str, int]) -> dict[str, int]:
        """Return the same for all pages with so many entries of one ESME: there may be very many of them."""
        if len(esmes) != 1:
            return esmes
        [(esme, count)] = esmes.items()
        return self._shared.setdefault((esme, count), esmes)

    def spill(
        self, queue: Backlog[EntryT], octets: bytes, entries: Sequence[EntryT], lsn: int, page_entries: int
    ) -> None:
        """Put entries at the end of a queue, as octets, into pages of that size."""
        page = queue.pages[-1] if queue.pages else None
        if page is None or page.chunks is None or page.is_full(page_entries):
            page = Page(self.next_page, queue.name)
            self.next_page += 1
            self.spilled.append(page)
        queue.spill(page, octets, entries, lsn)
        self.spilled_octets += len(octets)

    def evict(self, pages: Mapping[Page, Sequence[int]]) -> None:
        """Let what is aside and stands in these pages, with all their keys, go from memory."""
        lanes: defaultdict[Backlog[Message], dict[Page, Sequence[int]]] = defaultdict(dict)
        owed: defaultdict[Backlog[Delivery], dict[Page, Sequence[int]]] = defaultdict(dict)
        for page, keys in pages.items():
            queues: defaultdict[Backlog[Any], dict[Page, Sequence[int]]] = (
                owed if page.queue.lane is None else lanes
            )
            queues[page.queue][page] = keys
        for queue, part in lanes.items():
            for message in queue.evict(part):
                del self.live[message.key]
                self.returned.discard(message.key)
        for queue_of_esme, part in owed.items():
            for delivery in queue_of_esme.evict(part):
                del self.undelivered[delivery.key]

    # ---- messages -------------------------------------------------------------------------------------------

    def accepted(self, messages: Sequence[Message], esmes: Sequence[str]) -> None:
        """Count messages in; they stand nowhere yet."""
        self.highest_key = max(self.highest_key, messages[-1].key)
        for esme, count in counted(esmes):
            self.queued[esme] += count
            self.counters[f"accepted/{esme}"] += count

    def submitted(
        self, carrier: str, messages: Sequence[Message], ids: Sequence[bytes], esmes: Sequence[str]
    ) -> None:
        """A carrier has these."""
        young = self.sent[carrier].young
        live = self.live
        envelope_of = self._envelope_of
        unasked: list[bytes] = []
        for message, carrier_id in zip(messages, ids, strict=True):
            message.carrier = carrier
            live.pop(message.key, None)
            if not message.registered_delivery:
                unasked.append(carrier_id)
            elif carrier_id:
                if not message.envelope:
                    message.envelope = envelope_of(message.command_id, message.body)
                young[carrier_id] = message
            message.body = b""
            if message.page is not None:
                self._bury(message)
        if unasked:
            self.finished[carrier].add(unasked, [b""] * len(unasked))
        self._end(esmes)
        self.counters[f"submitted/{carrier}"] += len(messages)

    def ended(self, messages: Sequence[Message], esmes: Sequence[str], outcomes: Sequence[Outcome]) -> None:
        """These came to their end without a carrier."""
        for message in messages:
            message.body = b""
            self.live.pop(message.key, None)
            if message.page is not None:
                self._bury(message)
        self._end(esmes)
        self.count_ended(outcomes)

    def count_ended(self, outcomes: Sequence[Outcome]) -> None:
        """Count to what messages have come."""
        if outcomes:
            for outcome, count in counted(outcomes):
                self.counters[f"state/{outcome.state}"] += count

    def _end(self, esmes: Sequence[str]) -> None:
        if not esmes:
            return
        for esme, count in counted(esmes):
            self.queued[esme] -= count

    def unpage(self, entries: Iterable[Message | Delivery]) -> None:
        """What the pages say of these is true no more: the next checkpoint puts them in another."""
        for entry in entries:
            if entry.page is not None:
                self._bury(entry)

    def _bury(self, entry: Message | Delivery) -> None:
        page: Page = entry.page
        entry.page = None
        page.bury(entry.key)
        if page.folded:
            self.changed.add(page)

    def remember(self, at_ms: int, octets: bytes) -> None:
        """Keep a record for the history."""
        self.history.append((at_ms, octets))
        self.history_octets += len(octets)

    # ---- receipts and deliveries ----------------------------------------------------------------------------

    def finish(
        self, carrier: str, finished: Sequence[tuple[bytes, Outcome]]
    ) -> tuple[list[Message], list[bytes], list[Outcome]]:
        """Forget what a carrier knows under these ids; return the messages there were, their ids and outcomes."""
        sent = self.sent[carrier]
        pop = sent.young.pop
        found = [pop(carrier_id, None) or sent.finish(carrier_id) for carrier_id, _ in finished]
        messages = [message for message in found if message is not None]
        if len(messages) < len(found):
            finished = [each for each, message in zip(finished, found, strict=True) if message is not None]
        ids = [carrier_id for carrier_id, _ in finished]
        outcomes = [outcome for _, outcome in finished]
        self.finished[carrier].add(ids, [message.envelope for message in messages])
        self.count_ended(outcomes)
        return messages, ids, outcomes

    def received(self, deliveries: Sequence[Delivery]) -> None:
        """Count deliveries in, and give each its key; they stand nowhere yet."""
        keys = range(self.delivery_key + 1, self.delivery_key + 1 + len(deliveries))
        for key, delivery in zip(keys, deliveries, strict=True):
            delivery.key = key
        self.undelivered.update(zip(keys, deliveries, strict=True))
        self.delivery_key += len(deliveries)

    def delivered(self, deliveries: Iterable[Delivery]) -> None:
        """These are done with."""
        for delivery in deliveries:
            self.undelivered.pop(delivery.key, None)
            if delivery.page is not None:
                self._bury(delivery)


def counted(values: Sequence[T]) -> Iterable[tuple[T, int]]:
    """Return each value with how often it is there."""
    first = values[0]
    if values.count(first) == len(values):
        return ((first, len(values)),)
    return Counter(values).items()
