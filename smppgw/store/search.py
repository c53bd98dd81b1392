"""Finds messages wherever they are: in memory, in pages on disk, in the correlation table, in the history."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Final

from smppgw.store import columns, history
from smppgw.store.backlog import Backlog
from smppgw.store.entries import Lane, Message, Standing
from smppgw.store.ledger_reader import LedgerReader
from smppgw.store.page import Page
from smppgw.store.page_codec import chunks_of, messages_in
from smppgw.store.record import MS
from smppgw.store.rows import SentRow
from smppgw.store.shelf import Shelf
from smppgw.store.state import State

EXPIRED_AT_ONCE: Final = 4096
"""Messages in memory whose validity is over that are handed out in one go."""
PAGES_AT_ONCE: Final = 16
"""Read for what has expired: the messages of more are not in memory together."""

Wanted = Callable[[Message], bool]


class Search:
    """Looks into the state first, then asks the shelf."""

    def __init__(
        self,
        state: State,
        shelf: Shelf,
        scans: Shelf,
        *,
        let_stand: Callable[[], None],
        refill: Callable[[Backlog[Message]], None],
        history_on_its_way: Callable[[], Iterable[bytes]],
        is_short: Callable[[], bool],
    ) -> None:
        """`let_stand` lets what is `fresh` stand in its lane; `refill` has a lane read back from which messages were
        taken out of turn.

        `scans` is asked what takes long: it is another thread than the one that queues are refilled by.
        `history_on_its_way` gives the records that a running checkpoint has taken from the state.
        """
        self._state = state
        self._shelf = shelf
        self._scans = scans
        self._let_stand = let_stand
        self._refill = refill
        self._is_short = is_short
        self._nowhere = Lane("")
        """Of messages that a carrier has."""
        self._expiring = False
        """Whether pages are being read for what has expired."""
        self._history_on_its_way = history_on_its_way

    # ---- taking out -----------------------------------------------------------------------------------------

    def pick(self, keys: Sequence[int], then: Callable[[list[Message]], None]) -> None:
        """See `Store.pick`."""
        if self._is_short():
            then([])
            return
        self._let_stand()
        wanted = set(keys)
        found = self._pick_from_memory(wanted)
        lost = wanted - self._state.live.keys()
        pages = [page for page in self._pages() if any(page.holds(key) for key in lost)] if lost else []
        self._pick_from_pages(pages, lambda message: message.key in lost, found, then)

    def pick_beginning(
        self, esme: str, beginning: bytes, then: Callable[[list[Message]], None], *, behind: int = 0
    ) -> None:
        """See `Store.pick_beginning`."""

        def wanted(message: Message) -> bool:
            at = message.body.find(beginning, 0, len(beginning) + behind)
            return at >= 0 and message.esme == esme

        def in_memory() -> set[int]:
            end = len(beginning) + behind
            return {
                message.key
                for queue in self._state.lanes.values()
                for message in queue
                if message.esme == esme and message.body.find(beginning, 0, end) >= 0
            }

        if self._is_short():
            then([])
            return
        self._let_stand()
        found = self._pick_from_memory(in_memory())
        pages = [page for page in self._pages() if esme in page.esmes]
        if not pages:
            then(found)
            return
        at_hand = {
            page.id
            for page in pages
            if page.chunks is not None and any(beginning in chunk for chunk in page.chunks)
        }
        queues = list({page.kept_as for page in pages})

        def known(page_ids: list[int]) -> None:
            possible = at_hand.union(page_ids)
            self._let_stand()
            found.extend(self._pick_from_memory(in_memory()))  # what was read back meanwhile
            self._pick_from_pages(
                [page for page in self._pages() if page.id in possible], wanted, found, then
            )

        self._scans.ask(lambda reader: reader.holding(queues, beginning), known)

    def pick_expired(self, now_ns: int, then: Callable[[list[Message]], None]) -> None:
        """See `Store.pick_expired`."""

        def wanted(message: Message) -> bool:
            return message.expires_ns != 0 and message.expires_ns <= now_ns

        if self._is_short() or self._expiring:
            then([])
            return
        self._let_stand()
        pages = [page for page in self._pages() if page.expires_ns and page.expires_ns <= now_ns]

        def go_on(found: list[Message]) -> None:
            then(found)
            self._expiring = bool(pages) and not self._is_short()
            if self._expiring:
                part = [page for page in pages[:PAGES_AT_ONCE] if page.gone is not None]
                del pages[:PAGES_AT_ONCE]
                for page in part:
                    page.expires_ns = 0  # what is left in it says what comes next
                self._pick_from_pages(part, wanted, [], go_on)

        go_on(self._pick_all_from_memory(wanted, EXPIRED_AT_ONCE))

    def _pick_from_memory(self, keys: set[int]) -> list[Message]:
        if not keys:
            return []
        live = self._state.live
        wanted: defaultdict[Lane, list[int]] = defaultdict(list)
        for key in keys:
            if key in live:
                wanted[live[key].lane].append(key)
        found: list[Message] = []
        for lane, part in wanted.items():
            queue = self._state.lanes.get(lane)
            if queue is not None:
                found += queue.remove(part)
                self._refill(queue)
                self._state.let_go(queue)
        self._state.returned.difference_update(keys)
        return found

    def _pick_all_from_memory(self, wanted: Wanted, most: int | None = None) -> list[Message]:
        lanes = self._state.lanes.values()
        keys = (message.key for queue in lanes for message in queue if wanted(message))
        return self._pick_from_memory(set(islice(keys, most)))

    def _pages(self) -> Iterable[Page]:
        """All pages of lanes that are to be read back."""
        for queue in self._state.lanes.values():
            yield from queue.pages
            yield from queue.later_pages

    def _pick_from_pages(
        self,
        pages: Sequence[Page],
        wanted: Wanted,
        found: list[Message],
        then: Callable[[list[Message]], None],
    ) -> None:
        """Read pages, take out what is wanted of them, and hand it out with what was found before."""
        if not pages:
            then(found)
            return

        def read(bodies: list[list[bytes]]) -> None:
            live = self._state.live
            read_back: set[int] = set()  # meanwhile
            for page, chunks in zip(pages, bodies, strict=True):
                messages = messages_in(page, chunks, self._state.epoch_ns)
                for key in [message.key for message in messages if not page.holds(message.key)]:
                    if key in live and wanted(live[key]):
                        read_back.add(key)
                if page.gone is not None:
                    found.extend(self._take_out(page, messages, wanted))
            found.extend(self._pick_from_memory(read_back))
            then(found)

        self._shelf.read(pages, read)

    def _take_out(self, page: Page, messages: list[Message], wanted: Wanted) -> list[Message]:
        queue = page.queue
        taken = []
        soonest = 0
        for message in messages:
            if not page.holds(message.key):
                continue
            if wanted(message):
                message.page = page
                taken.append(message)
            elif message.expires_ns:
                soonest = min(soonest or message.expires_ns, message.expires_ns)
        page.expires_ns = soonest
        if taken:
            queue.withdraw(page, [message.key for message in taken])
            self._state.live.update([(message.key, message) for message in taken])
            self._state.let_go(queue)
        return taken

    # ---- looking --------------------------------------------------------------------------------------------

    def look_up(self, key: int, then: Callable[[Standing | None], None]) -> None:
        """See `Store.look_up`."""
        message = self._state.live.get(key)
        if message is not None:
            then(Standing(message.esme, None, 0, message))
            return
        pages = [page for page in self._pages() if page.holds(key)]
        if pages:
            self._shelf.read(pages, lambda bodies: self._look_into(key, pages, bodies, then))
        else:
            self._look_back(key, then)

    def _look_into(
        self,
        key: int,
        pages: list[Page],
        bodies: list[list[bytes]],
        then: Callable[[Standing | None], None],
    ) -> None:
        for page, chunks in zip(pages, bodies, strict=True):
            for message in messages_in(page, chunks, self._state.epoch_ns):
                if message.key == key and page.holds(key):
                    then(Standing(message.esme, None, 0, message))
                    return
        restored = self._state.live.get(key)
        if restored is not None:
            then(Standing(restored.esme, None, 0, restored))
        else:
            self._look_back(key, then)

    def _look_back(self, key: int, then: Callable[[Standing | None], None]) -> None:
        """Look into what has ended: in memory first, the newest word last."""
        needle = columns.packed([key])
        epoch_ns = self._state.epoch_ns
        recent = [octets for _, octets in self._state.history if needle in octets]
        on_its_way = [octets for octets in self._history_on_its_way() if needle in octets]
        standing = history.ended_as([*on_its_way, *recent], key, epoch_ns)
        if standing is not None and standing.final_ns:
            then(standing)
            return

        def answered(older: list[bytes]) -> None:
            then(history.ended_as([*older, *on_its_way, *recent], key, epoch_ns))

        self._shelf.ask(lambda reader: _chunks_about(reader, key), answered)

    # ---- correlation ----------------------------------------------------------------------------------------

    def recall(self, carrier: str, carrier_ids: Sequence[bytes], then: Callable[[], None]) -> None:
        """See `Store.recall`."""

        def found(rows: list[SentRow]) -> None:
            sent = self._state.sent[carrier]
            for row in rows:
                if sent.find(row.carrier_id) is None and not sent.is_settled(row.carrier_id):
                    sent.folded[row.carrier_id] = _message_of(row, self._nowhere, self._state.epoch_ns)
            then()

        self._shelf.ask(lambda reader: reader.sent(carrier, carrier_ids), found)


def _chunks_about(reader: LedgerReader, key: int) -> list[bytes]:
    return [chunk for row in reader.history(key) for chunk in chunks_of(row.body)]


def _message_of(row: SentRow, nowhere: Lane, epoch_ns: int) -> Message:
    accepted_ns = row.accepted_ms * MS - epoch_ns
    message = Message(
        row.key,
        row.message_id,
        row.esme,
        nowhere,
        0,
        b"",
        row.registered_delivery,
        accepted_ns,
        parts=row.parts,
    )
    message.carrier = row.carrier
    message.envelope = row.envelope
    return message
