"""What an earlier run has left: the state of the ledger, and on top of it what the log says since.

A message that was with a carrier when the run ended stands in its lane again: whether the carrier has it is not
known, and at least once is the promise.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol, TypeVar

from smppgw.store import history, page_codec, record
from smppgw.store.backlog import HEAD_MOST, Backlog, Page
from smppgw.store.entries import Delivery, Held, Message
from smppgw.store.log import Log
from smppgw.store.record import MS, What
from smppgw.store.rows import LedgerState
from smppgw.store.state import LANE, State

EntryT = TypeVar("EntryT", Message, Delivery)

PAGES_AT_HAND: Final = 32
"""Pages of the ledger that are kept decoded while the log is gone through."""


class Pages(Protocol):
    """Where the pages of the ledger are read: a `LedgerReader`."""

    def pages(self, ids: Sequence[int]) -> list[bytes]:
        """Return the bodies of these pages, in the order asked."""

    def keys(self, ids: Sequence[int]) -> list[bytes]:
        """Return the packed keys of these pages, in the order asked."""


class Recovery:
    """Builds the state; one use."""

    def __init__(self, state: State, ledger: Pages, *, lane_now: Callable[[str], str]) -> None:
        """`lane_now` tells where what stood in a lane is to stand now: the configuration may have changed."""
        self._state = state
        self._ledger = ledger
        self._lane_now = lane_now
        self._in_memory: Counter[str] = Counter()
        """Messages that will stand in the head of each lane."""
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
        every_key = self._ledger.keys([head.id for head in ledger.pages])
        for head, keys in zip(ledger.pages, every_key, strict=True):
            page = page_codec.page_of(head, state.epoch_ns)
            page.keys += keys
            if page.queue.startswith(LANE):
                page.queue = LANE + self._lane_now(page.kept_as.removeprefix(LANE))
                for esme, count in self._esmes_of(page).items():
                    state.queued[esme] += count
            state.queue_of(page).add_page(page)

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
        messages: defaultdict[str, list[Message]] = defaultdict(list)
        for message in state.live.values():
            messages[message.lane].append(message)
        for lane, group in messages.items():
            queue = state.lane(lane)
            queue.give_back([message for message in group if not message.due_ns])
            queue.defer(message for message in group if message.due_ns)
        deliveries: defaultdict[str, list[Delivery]] = defaultdict(list)
        for delivery in state.undelivered.values():
            deliveries[delivery.esme].append(delivery)
        for esme, owed in deliveries.items():
            state.owed_to(esme).give_back(owed)
        self._messages_at_hand.clear()
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
                messages = record.messages_of(octets, epoch_ns, self._lane_now(record.lane_of(octets)))
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
            case What.STARTED | What.CHECKPOINT:
                pass

    def _accept(self, octets: bytes, lsn: int) -> None:
        state = self._state
        lane = self._lane_now(record.lane_of(octets))
        messages = record.messages_of(octets, state.epoch_ns, lane)
        state.accepted(messages, [message.esme for message in messages])
        queue = state.lane(lane)
        if not messages[0].due_ns and (queue.pages or self._in_memory[lane] >= HEAD_MOST):
            state.spill(queue, octets, messages, lsn)
        else:
            self._keep(messages)

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
            state.spill(queue, octets, deliveries, lsn)
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
                message = self._extract(
                    key, state.lanes.values(), self._messages_at_hand, self._read_messages
                )
            else:
                self._in_memory[message.lane] -= 1
            found.append(message)
        return found

    def _deliveries(self, esme: str, keys: Iterable[int]) -> list[Delivery]:
        state = self._state
        queues = [state.owed_to(esme)]
        found = []
        for key in keys:
            delivery = state.undelivered.pop(key, None)
            if delivery is None:
                delivery = self._extract(key, queues, self._deliveries_at_hand, self._read_deliveries)
            if delivery is not None:
                found.append(delivery)
        return found

    def _extract(
        self,
        key: int,
        queues: Iterable[Backlog[EntryT]],
        at_hand: OrderedDict[Page, dict[int, EntryT]],
        read: Callable[[Page], dict[int, EntryT]],
    ) -> EntryT | None:
        """Take an entry out of the page it stands in."""
        for page, entries in at_hand.items():
            entry = entries.pop(key, None)
            if entry is not None:
                return self._taken_out(entry, page)
        for queue in queues:
            found = queue.page_of(key)
            if found is None:
                continue
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
        self._state.queue_of(page).withdraw(page, (entry.key,))
        return entry

    def _read_messages(self, page: Page) -> dict[int, Message]:
        lane = page.queue.removeprefix(LANE)
        messages = page_codec.messages_of(self._chunks(page), lane, self._state.epoch_ns)
        return {message.key: message for message in messages if page.holds(message.key)}

    def _read_deliveries(self, page: Page) -> dict[int, Delivery]:
        deliveries = page_codec.deliveries_of(self._chunks(page), self._state.epoch_ns)
        return {delivery.key: delivery for delivery in deliveries if page.holds(delivery.key)}

    def _chunks(self, page: Page) -> list[bytes]:
        if page.chunks is not None:
            return page.chunks
        [body] = self._ledger.pages([page.id])
        return page_codec.chunks_of(body)


def _there(messages: Iterable[Message | None]) -> list[Message]:
    return [message for message in messages if message is not None]
