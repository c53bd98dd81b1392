"""What the log has led to, as far as it is in memory: the one place where a record takes effect, now or at recovery.

Everything here is what the records up to the last appended one say, durable or not; but an entry stands in its queue
only once its record is durable, which is for the caller to see to.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeVar

from smppgw.store.backlog import Backlog, Page
from smppgw.store.correlation import Sent
from smppgw.store.entries import Delivery, Message, Outcome
from smppgw.store.finished import Finished
from smppgw.store.holding import KnownHolding

T = TypeVar("T", str, Outcome)
EntryT = TypeVar("EntryT", bound=Message | Delivery)

LANE: Final = "lane:"
ESME: Final = "esme:"


class State:
    """Queues, correlation, shelves, counters, and what the next checkpoint has to take to the ledger."""

    def __init__(self, epoch_ns: int, envelope_of: Callable[[int, bytes], bytes] = lambda *_: b"") -> None:
        """`epoch_ns` is nanoseconds since 1970 at moment 0 of this run.

        `envelope_of(command_id, body)` returns what is kept of a message for the receipts that are to come.
        """
        self.epoch_ns = epoch_ns
        self._envelope_of = envelope_of
        self.lanes: dict[str, Backlog[Message]] = {}
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
        self.lsn = 0
        """Of the last record that was appended."""
        self.highest_key = 0
        self.delivery_key = 0
        self.next_page = 1

    # ---- queues ---------------------------------------------------------------------------------------------

    def lane(self, name: str) -> Backlog[Message]:
        """Return the queue of a lane."""
        lane = self.lanes.get(name)
        if lane is None:
            lane = self.lanes[name] = Backlog(LANE + name, self.new_page)
        return lane

    def owed_to(self, esme: str) -> Backlog[Delivery]:
        """Return the queue of what an ESME is owed."""
        queue = self.owed.get(esme)
        if queue is None:
            queue = self.owed[esme] = Backlog(ESME + esme, self.new_page)
        return queue

    def new_page(self, queue: str, aside: bool) -> Page:
        """Make a page that the next checkpoint takes to the ledger."""
        page = Page(self.next_page, queue, aside=aside)
        self.next_page += 1
        self.spilled.append(page)
        return page

    def spill(self, queue: Backlog[EntryT], octets: bytes, entries: Sequence[EntryT], lsn: int) -> None:
        """Put entries at the end of a queue, as octets."""
        queue.spill(octets, entries, lsn)
        self.spilled_octets += len(octets)

    def queue_of(self, page: Page) -> Backlog[Message] | Backlog[Delivery]:
        """Return the queue that a page is of."""
        if page.queue.startswith(LANE):
            return self.lane(page.queue.removeprefix(LANE))
        return self.owed_to(page.queue.removeprefix(ESME))

    @property
    def aside_in_memory(self) -> int:
        """Entries that stand aside in memory, and might go to disk."""
        lanes = sum([queue.aside_in_memory for queue in self.lanes.values()])
        return lanes + sum([queue.aside_in_memory for queue in self.owed.values()])

    def evict(self, pages: Mapping[Page, Sequence[int]]) -> None:
        """Let what is aside and stands in these pages, with all their keys, go from memory."""
        parts: defaultdict[str, dict[Page, Sequence[int]]] = defaultdict(dict)
        for page, keys in pages.items():
            parts[page.queue][page] = keys
        for name, part in parts.items():
            if name.startswith(LANE):
                for message in self.lane(name.removeprefix(LANE)).evict(part):
                    del self.live[message.key]
                    self.returned.discard(message.key)
            else:
                for delivery in self.owed_to(name.removeprefix(ESME)).evict(part):
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
        page.dead.add(entry.key)
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
