"""A checkpoint: what the log has led to goes to the ledger, so that the log can begin anew.

`snapshot` takes down, at one lsn, what the ledger does not know yet; that is done on the event loop and touches only
what lives at that moment. Turning it into rows is work for the ledger's thread. What has died since the last
checkpoint never gets here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Final, TypeVar

from smppgw.store import columns, history, record
from smppgw.store.backlog import HEAD_LEAST, Backlog
from smppgw.store.entries import Delivery, Held, Lane, Message
from smppgw.store.page import LANES, PAGE_ENTRIES, PAGE_OCTETS, Page
from smppgw.store.page_codec import joined, row_of
from smppgw.store.record import MS, What
from smppgw.store.rows import Fold, HeldRow, HistoryRow, SentRow
from smppgw.store.state import State

EntryT = TypeVar("EntryT", Message, Delivery)

_MOMENT: Final = attrgetter("due_ns", "key")

CORRELATION_NS: Final = 96 * 3600 * 1_000_000_000
"""A receipt is expected for at least so long after a carrier has a message, or after the end of its validity: carriers
send some after three days."""

HISTORY_OCTETS: Final = 64 * 1024
"""A row of the history is closed when it has that much."""


@dataclass(slots=True)
class Snapshot:
    """What the ledger is to take in; the state goes on while it does."""

    highest_key: int
    delivery_key: int
    epoch_ns: int
    counters: dict[str, int]
    quotas: dict[str, tuple[int, int]]
    at_ns: int
    correlation_ns: int
    """A receipt is expected for so long from now, or from the end of a message's validity."""
    pages: list[tuple[Page, list[bytes]]] = field(default_factory=list)
    """New pages, and their records."""
    dead: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)
    dropped: list[int] = field(default_factory=list)
    sent: list[tuple[str, dict[bytes, Message]]] = field(default_factory=list)
    settled: list[tuple[str, bytes]] = field(default_factory=list)
    held: list[tuple[str, Sequence[Held]]] = field(default_factory=list)
    released: list[tuple[str, bytes]] = field(default_factory=list)
    history: list[tuple[int, bytes]] = field(default_factory=list)
    aside: dict[Page, tuple[int, ...]] = field(default_factory=dict)
    """The new pages of what is aside, with their keys: these may go from memory."""
    lsn: int = 0
    spilled_octets: int = 0
    """What is in memory for want of this checkpoint."""

    def fold(self) -> Fold:
        """Return it as rows; for the ledger's thread."""
        epoch_ns = self.epoch_ns
        return Fold(
            lsn=self.lsn,
            highest_key=self.highest_key,
            delivery_key=self.delivery_key,
            pages=(row_of(page, chunks, epoch_ns) for page, chunks in self.pages),
            dead=[(page_id, columns.packed(keys)) for page_id, keys in self.dead],
            dropped=self.dropped,
            sent=[
                self._sent_row(carrier, carrier_id, message)
                for carrier, messages in self.sent
                for carrier_id, message in messages.items()
            ],
            settled=self.settled,
            held=[
                HeldRow(
                    shelf,
                    entry.under,
                    entry.command_id,
                    (entry.received_ns + epoch_ns) // MS,
                    entry.body,
                )
                for shelf, entries in self.held
                for entry in entries
            ],
            released=self.released,
            history=list(_history_rows(self.history)),
            counters=self.counters,
            quotas=self.quotas,
        )

    def _sent_row(self, carrier: str, carrier_id: bytes, message: Message) -> SentRow:
        until_ns = max(self.at_ns, message.expires_ns) + self.correlation_ns
        return SentRow(
            carrier,
            carrier_id,
            message.key,
            message.message_id,
            message.esme,
            message.registered_delivery,
            (message.accepted_ns + self.epoch_ns) // MS,
            (until_ns + self.epoch_ns) // MS,
            message.parts,
            message.envelope,
        )


def _history_rows(remembered: Iterable[tuple[int, bytes]]) -> Iterable[HistoryRow]:
    """Put records together to rows of some size, each with the range of its keys."""
    chunks: list[bytes] = []
    octets = at_ms = 0
    low = high = 0
    for moment_ms, chunk in remembered:
        keys = history.keys_of(chunk)
        if octets and octets + len(chunk) > HISTORY_OCTETS:
            yield HistoryRow(at_ms, low, high, joined(chunks))
            chunks, octets = [], 0
        if not octets:
            at_ms, low, high = moment_ms, keys[0], keys[0]
        low, high = min(low, *keys), max(high, *keys)
        chunks.append(chunk)
        octets += len(chunk)
    if chunks:
        yield HistoryRow(at_ms, low, high, joined(chunks))


def snapshot(state: State, now_ns: int, correlation_ns: int = CORRELATION_NS) -> Snapshot:
    """Take down what the ledger does not know yet; from now on the state counts it as known."""
    taken = Snapshot(
        state.highest_key,
        state.delivery_key,
        state.epoch_ns,
        dict(state.counters),
        dict(state.quotas),
        now_ns,
        correlation_ns,
    )
    state.put_aside = 0
    _take_entries(state, taken)
    _take_dead(state, taken)
    _take_spilled(state, taken)
    for carrier, sent in state.sent.items():
        messages, settled = sent.checkpoint()
        taken.sent.append((carrier, messages))
        taken.settled += [(carrier, carrier_id) for carrier_id in settled]
    for shelf, holding in state.shelves.items():
        entries, released = holding.checkpoint()
        taken.held.append((shelf, entries))
        taken.released += [(shelf, under) for under in released]
    taken.history, state.history, state.history_octets = state.history, [], 0
    return taken


def _take_entries(state: State, taken: Snapshot) -> None:
    """Put what stands in memory alone into new pages: of one queue what is aside, by its moment, and may leave memory.

    Messages of lanes in which few are aside share pages, or there would be as many pages as lanes.
    """
    epoch_ns = state.epoch_ns
    staying: list[Message] = []
    aside: defaultdict[Lane, list[Message]] = defaultdict(list)
    for message in state.live.values():
        if message.page is None:
            if message.due_ns:
                aside[message.lane].append(message)
            else:
                staying.append(message)
    for lane, group in aside.items():
        queue = state.lanes.get(lane)
        if queue is None or len(group) < HEAD_LEAST:
            staying += group
            continue
        group.sort(key=_MOMENT)
        for part in _parts(group, state.page_entries(len(state.lanes))):
            octets = record.of_messages(What.ACCEPTED, part, epoch_ns)
            _add_page(state, taken, queue, part, octets, aside=True)
    for part in _parts(staying, PAGE_ENTRIES):
        octets = record.of_messages(What.ACCEPTED, part, epoch_ns)
        _add_page(state, taken, None, part, octets, aside=False)
    deliveries: defaultdict[tuple[str, bool], list[Delivery]] = defaultdict(list)
    for delivery in state.undelivered.values():
        if delivery.page is None:
            deliveries[delivery.esme, bool(delivery.due_ns)].append(delivery)
    for (esme, is_aside), owed in deliveries.items():
        owed.sort(key=_MOMENT)
        for piece in _parts(owed, PAGE_ENTRIES):
            octets = record.of_deliveries(esme, piece, epoch_ns)
            _add_page(state, taken, state.owed_to(esme), piece, octets, aside=is_aside)


def _parts(entries: list[EntryT], most: int) -> Iterator[list[EntryT]]:
    """Cut entries into parts of the size of a page, of so many at most."""
    part: list[EntryT] = []
    octets = 0
    for entry in entries:
        if part and (len(part) == most or octets > PAGE_OCTETS):
            yield part
            part, octets = [], 0
        part.append(entry)
        octets += len(entry.body)
    if part:
        yield part


def _add_page(
    state: State,
    taken: Snapshot,
    queue: Backlog[Message] | Backlog[Delivery] | None,
    entries: Sequence[Message] | Sequence[Delivery],
    octets: bytes,
    *,
    aside: bool,
) -> None:
    page = Page(state.next_page, LANES if queue is None else queue.name, aside=aside)
    state.next_page += 1
    page.add(octets, entries, 0)
    page.queue = queue
    page.folded = True
    page.chunks = page.gone = None
    if not aside:  # it is never read back
        page.keys = b""
    for entry in entries:
        entry.page = page
    taken.pages.append((page, [octets]))
    if aside:
        taken.aside[page] = tuple(entry.key for entry in entries)


def _take_spilled(state: State, taken: Snapshot) -> None:
    """Take the pages that were filled since the last time, as far as anything in them lives."""
    for page in state.spilled:
        page.folded = True
        assert page.chunks is not None, "a page that only memory has"
        if not page.is_dead:
            taken.pages.append((page, page.chunks))
            if page.dead:
                taken.dead.append((page.id, tuple(page.dead)))
    state.spilled.clear()
    taken.spilled_octets = state.spilled_octets


def _take_dead(state: State, taken: Snapshot) -> None:
    for page in state.changed:
        if page.is_dead:
            taken.dropped.append(page.id)
        else:
            taken.dead.append((page.id, tuple(page.dead)))
    state.changed.clear()
