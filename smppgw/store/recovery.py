"""What an earlier run has left: the state of the ledger, and on top of it what the log says since.

A message that was with a carrier when the run ended stands in its lane again: whether the carrier has it is not
known, and at least once is the promise.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Final, Protocol, TypeVar

from smppgw.store import columns, history, page_codec, record
from smppgw.store.backlog import HEAD_MOST, MEMORY_MOST, share_of
from smppgw.store.entries import Delivery, Held, Lane, Message
from smppgw.store.log import Log
from smppgw.store.page import ESME, LANE, LANES, PAGE_ENTRIES, Page
from smppgw.store.record import MS, What
from smppgw.store.rows import LedgerState, PageHead
from smppgw.store.state import State

EntryT = TypeVar("EntryT", Message, Delivery)

PAGES_AT_HAND: Final = 32
"""Pages of the ledger that are kept decoded while the log is gone through."""
PAGES_AT_ONCE: Final = 64
"""Pages of the ledger whose messages come into memory that are read in one go."""
_LOWER_BITS: Final = 6


class Pages(Protocol):
    """Where the pages of the ledger are read: a `LedgerReader`."""

    def pages(self, ids: Sequence[int]) -> list[bytes]:
        """Return the bodies of these pages, in the order asked."""

    def keys(self, ids: Sequence[int]) -> list[bytes]:
        """Return the packed keys of these pages, in the order asked."""


class Recovery:
    """Builds the state; one use."""

    def __init__(self, state: State, ledger: Pages, *, lane_of: Callable[[str], Lane]) -> None:
        """`lane_of` tells where what stood in a lane is to stand now: the configuration may have changed."""
        self._state = state
        self._ledger = ledger
        self._lane_of = cache(lane_of)
        self._in_memory: Counter[Lane] = Counter()
        """Messages that will stand in the head of each lane."""
        self._where: defaultdict[int, list[Page]] | None = None
        """The pages of lanes, by the higher bits of the keys that are in them; None until one is looked for."""
        self._messages_at_hand: OrderedDict[Page, dict[int, Message]] = OrderedDict()
        self._deliveries_at_hand: OrderedDict[Page, dict[int, Delivery]] = OrderedDict()
        self.records = 0
        """How many records of the log have been gone through."""

    def load(self, ledger: LedgerState) -> None:
        """Take over what the ledger says."""
        state = self._state
        state.highest_key, state.delivery_key = ledger.highest_key, ledger.delivery_key
        state.next_page = ledger.next_page
        state.counters.update(ledger.counters)
        for row in ledger.held:
            received_ns = row.received_ms * MS - state.epoch_ns
            state.shelves[row.shelf].take_over(Held(row.under, row.command_id, row.body, received_ns))
        state.quotas.update(ledger.quotas)
        self._load_shared([head for head in ledger.pages if head.queue == LANES])
        heads = [head for head in ledger.pages if head.queue != LANES]
        every_key = self._ledger.keys([head.id for head in heads])
        for head, keys in zip(heads, every_key, strict=True):
            page = page_codec.page_of(head, state.epoch_ns)
            page.keys = keys
            page.esmes = state.shared(page.esmes)
            if page.kept_as.startswith(LANE):
                queue = state.queue_in(self._lane_of(page.kept_as.removeprefix(LANE)))
                queue.add_page(page)
                for esme, count in self._esmes_of(page).items():
                    state.queued[esme] += count
            else:
                state.owed_to(page.kept_as.removeprefix(ESME)).add_page(page)

    def _load_shared(self, heads: Sequence[PageHead]) -> None:
        """Take the messages of pages of whatever lanes into memory, where they were before."""
        epoch_ns = self._state.epoch_ns
        for at in range(0, len(heads), PAGES_AT_ONCE):
            part = heads[at : at + PAGES_AT_ONCE]
            for head, body in zip(part, self._ledger.pages([head.id for head in part]), strict=True):
                page = page_codec.page_of(head, epoch_ns)
                page.gone = None
                messages = [
                    message
                    for message in page_codec.messages_of(page_codec.chunks_of(body), self._lane_of, epoch_ns)
                    if message.key not in page.dead
                ]
                for message in messages:
                    message.page = page
                    self._state.queued[message.esme] += 1
                self._keep(messages)

    def _esmes_of(self, page: Page) -> dict[str, int]:
        """Return how many of a page's messages each ESME has, without the dead."""
        if not page.dead:
            return page.esmes
        if len(page.esmes) == 1:
            return dict.fromkeys(page.esmes, page.left)
        return Counter(message.esme for message in self._read_messages(page).values())

    def replay(self, log: Log, after_lsn: int) -> None:
        """Go through the log from behind that lsn to its end. Raises: StoreError."""
        for frame in log.frames(after_lsn):
            for number, octets in enumerate(frame.records):
                self._take(octets, frame.first_lsn + number)
                self.records += 1
        self._stand()

    def _stand(self) -> None:
        """Put every entry where it belongs, now that all is known."""
        state = self._state
        messages: defaultdict[Lane, list[Message]] = defaultdict(list)
        for message in state.live.values():
            messages[message.lane].append(message)
        for queue in list(state.lanes.values()):
            state.let_go(queue)
        for lane, group in messages.items():
            queue = state.queue_in(lane)
            queue.give_back([message for message in group if not message.due_ns])
            queue.defer(message for message in group if message.due_ns)
        deliveries: defaultdict[str, list[Delivery]] = defaultdict(list)
        for delivery in state.undelivered.values():
            deliveries[delivery.esme].append(delivery)
        for esme, owed in deliveries.items():
            state.owed_to(esme).give_back(owed)
        self._messages_at_hand.clear()
        self._where = None
        self._deliveries_at_hand.clear()

    def _take(self, octets: bytes, lsn: int) -> None:
        state = self._state
        epoch_ns = state.epoch_ns
        match record.what(octets):
            case What.ACCEPTED:
                self._accept(octets, lsn)
            case What.RECEIVED:
                self._receive(octets, lsn)
            case What.SUBMITTED:
                submitted = history.submitted_of(octets)
                self._submit(submitted)
                state.remember(submitted.at_ms, octets)
            case What.ENDED:
                ended = history.ended_of(octets)
                self._end(ended)
                state.remember(ended.at_ms, octets)
            case What.FINISHED:
                finished = history.finished_of(octets)
                self._finish(finished)
                state.remember(finished.at_ms, octets)
            case What.DEFERRED:
                self._defer(record.deferred_of(octets, epoch_ns))
            case What.REPLACED:
                messages = record.messages_of(octets, epoch_ns, self._lane_of)
                state.unpage(_there(self._messages([message.key for message in messages])))
                self._keep(messages)
            case What.HELD:
                on_shelf = record.held_of(octets, epoch_ns)
                state.shelves[on_shelf.shelf].put(on_shelf.entries)
            case What.RELEASED:
                released = record.released_of(octets)
                state.shelves[released.shelf].release(released.under)
            case What.DELIVERED:
                delivered = record.delivered_of(octets)
                state.delivered(self._deliveries(delivered.esme, delivered.keys))
            case What.QUOTA:
                quota, day, segments = record.quota_of(octets)
                state.quotas[quota] = day, segments
            case What.STARTED | What.CHECKPOINT:
                pass

    def _accept(self, octets: bytes, lsn: int) -> None:
        state = self._state
        messages = record.messages_of(octets, state.epoch_ns, self._lane_of)
        state.accepted(messages, [message.esme for message in messages])
        long = {lane for lane in {message.lane for message in messages} if self._is_long(lane)}
        if not long:
            self._keep(messages)
            return
        spilled: defaultdict[Lane, list[Message]] = defaultdict(list)
        for message in messages:
            if message.lane in long and not message.due_ns:
                spilled[message.lane].append(message)
            else:
                self._keep([message])
        entries = state.page_entries(len(self._in_memory))
        for lane, part in spilled.items():
            if len(part) < len(messages):
                octets = record.of_messages(What.ACCEPTED, part, state.epoch_ns)
            queue = state.queue_in(lane)
            state.spill(queue, octets, part, lsn, entries)
            if self._where is not None:
                _note(self._where, queue.pages[-1], [message.key for message in part])

    def _is_long(self, lane: Lane) -> bool:
        queue = self._state.lanes.get(lane)
        if queue is not None and queue.pages:
            return True
        full = len(self._state.live) >= MEMORY_MOST
        return full and self._in_memory[lane] >= share_of(len(self._in_memory))

    def _submit(self, submitted: history.Submitted) -> None:
        pairs = zip(self._messages(submitted.keys), submitted.ids, strict=True)
        known = [(message, carrier_id) for message, carrier_id in pairs if message is not None]
        if known:
            messages = [message for message, _ in known]
            esmes = [message.esme for message in messages]
            self._state.submitted(submitted.carrier, messages, [carrier_id for _, carrier_id in known], esmes)

    def _end(self, ended: history.Ended) -> None:
        pairs = zip(self._messages(ended.keys), ended.outcomes, strict=True)
        known = [(message, outcome) for message, outcome in pairs if message is not None]
        esmes = [message.esme for message, _ in known]
        self._state.ended([message for message, _ in known], esmes, [outcome for _, outcome in known])

    def _finish(self, finished: history.Finished) -> None:
        state = self._state
        sent = state.sent[finished.carrier]
        envelopes = []
        for carrier_id in finished.ids:
            message = sent.finish(carrier_id)
            if message is None:
                sent.settled.add(carrier_id)
            envelopes.append(message.envelope if message is not None else b"")
        state.finished[finished.carrier].add(finished.ids, envelopes)
        state.count_ended(finished.outcomes)

    def _defer(self, deferred: record.Deferred) -> None:
        rows = zip(self._messages(deferred.keys), deferred.dues_ns, deferred.attempts, strict=True)
        for message, due_ns, attempts in rows:
            if message is not None:
                message.due_ns, message.attempts = due_ns, attempts
                self._state.unpage([message])
                self._keep([message])

    def _receive(self, octets: bytes, lsn: int) -> None:
        state = self._state
        deliveries = record.deliveries_of(octets, state.epoch_ns)
        state.delivery_key = max(state.delivery_key, deliveries[-1].key)
        queue = state.owed_to(deliveries[0].esme)
        if queue.pages or len(state.undelivered) >= HEAD_MOST:
            state.spill(queue, octets, deliveries, lsn, PAGE_ENTRIES)
        else:
            state.undelivered.update((delivery.key, delivery) for delivery in deliveries)

    def _keep(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self._state.live[message.key] = message
            self._in_memory[message.lane] += 1

    def _messages(self, keys: Iterable[int]) -> list[Message | None]:
        """Take messages out of memory, or out of the pages they stand in; None for what a salvage gave up."""
        state = self._state
        found: list[Message | None] = []
        for key in keys:
            message = state.live.pop(key, None)
            if message is None:
                message = self._extract(key, self._pages_with, self._messages_at_hand, self._read_messages)
            else:
                self._in_memory[message.lane] -= 1
            found.append(message)
        return found

    def _deliveries(self, esme: str, keys: Iterable[int]) -> list[Delivery]:
        state = self._state
        page_of = state.owed_to(esme).page_of
        found = []
        for key in keys:
            delivery = state.undelivered.pop(key, None)
            if delivery is None:
                delivery = self._extract(
                    key,
                    lambda key: filter(None, [page_of(key)]),
                    self._deliveries_at_hand,
                    self._read_deliveries,
                )
            if delivery is not None:
                found.append(delivery)
        return found

    def _pages_with(self, key: int) -> Iterable[Page]:
        """Return the page of a lane that an entry of this key is still to be read back from."""
        if self._where is None:
            self._where = defaultdict(list)
            for queue in self._state.lanes.values():
                for page in (*queue.pages, *queue.later_pages):
                    _note(self._where, page, columns.unpacked(page.keys))
        return [page for page in self._where.get(key >> _LOWER_BITS, ()) if page.holds(key)]

    def _extract(
        self,
        key: int,
        pages_with: Callable[[int], Iterable[Page]],
        at_hand: OrderedDict[Page, dict[int, EntryT]],
        read: Callable[[Page], dict[int, EntryT]],
    ) -> EntryT | None:
        """Take an entry out of the page it stands in."""
        for page, entries in at_hand.items():
            entry = entries.pop(key, None)
            if entry is not None:
                return self._taken_out(entry, page)
        for found in pages_with(key):
            entries = read(found)
            entry = entries.pop(key, None)
            if entry is not None:
                at_hand[found] = entries
                if len(at_hand) > PAGES_AT_HAND:
                    at_hand.popitem(last=False)
                return self._taken_out(entry, found)
        return None

    def _taken_out(self, entry: EntryT, page: Page) -> EntryT:
        entry.page = page
        page.queue.withdraw(page, (entry.key,))
        return entry

    def _read_messages(self, page: Page) -> dict[int, Message]:
        messages = page_codec.messages_in(page, self._chunks(page), self._state.epoch_ns)
        return {message.key: message for message in messages if page.holds(message.key)}

    def _read_deliveries(self, page: Page) -> dict[int, Delivery]:
        deliveries = page_codec.deliveries_of(self._chunks(page), self._state.epoch_ns)
        return {delivery.key: delivery for delivery in deliveries if page.holds(delivery.key)}

    def _chunks(self, page: Page) -> list[bytes]:
        if page.chunks is not None:
            return page.chunks
        [body] = self._ledger.pages([page.id])
        return page_codec.chunks_of(body)


def _note(where: defaultdict[int, list[Page]], page: Page, keys: Iterable[int]) -> None:
    for higher in {key >> _LOWER_BITS for key in keys}:
        where[higher].append(page)


def _there(messages: Iterable[Message | None]) -> list[Message]:
    return [message for message in messages if message is not None]
