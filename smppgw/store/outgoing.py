"""The side of the durable store that messages leave by: their lanes.

Hot path: a batch is one record, of however many lanes; only what comes to a long lane is a record by itself, which is
then kept, and no message of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from operator import attrgetter
from typing import Final

from smppgw.store import page_codec, record
from smppgw.store.api import Durable
from smppgw.store.backlog import HEAD_MOST, MEMORY_MOST, Backlog, share_of
from smppgw.store.entries import Lane, Message
from smppgw.store.fresh import Fresh
from smppgw.store.queue import grouped
from smppgw.store.record import What
from smppgw.store.restore import Restorer
from smppgw.store.shelf import Shelf
from smppgw.store.state import State
from smppgw.store.tail import Tail

FRESH_MOST: Final = HEAD_MOST
"""More than so many messages that nobody asks for stand in their lanes."""
_LANE: Final[Callable[[Message], Lane]] = attrgetter("lane")

SPILLED_MOST: Final = 32 * 1024 * 1024
"""With more octets than this in memory for want of a checkpoint, answers wait for it: windows then bound the rest."""


class Outgoing:
    """The lanes of a `WalStore`; see `Store` for what each method does."""

    def __init__(self, state: State, tail: Tail, shelf: Shelf, *, on_ready: Callable[[], None]) -> None:
        self._state = state
        self._tail = tail
        self._fresh = Fresh()
        self._told_lsn = state.lsn
        """What was accepted up to here is fresh, or stands in its lane: pages come behind it."""
        self._spills = 0
        """How often something has come to pages, or behind them."""
        self._pages = Restorer(
            state.lanes,
            state.live,
            lambda page, chunks: page_codec.messages_in(page, chunks, state.epoch_ns),
            shelf,
            durable_lsn=lambda: self._told_lsn,
            on_ready=on_ready,
            on_less=state.let_go,
        )
        self._held: list[Durable] = []
        self.wake = self._pages.wake
        self.refill = self._pages.refill
        self._pages.begin(list(state.lanes.values()))

    def accept(self, messages: Sequence[Message], durable: Durable) -> None:
        """See `Store.accept`."""
        if not messages:
            durable()
            return
        state = self._state
        esmes = [message.esme for message in messages]
        long = self._long({message.lane for message in messages})
        spilling = (
            [message for message in messages if message.lane in long and not message.due_ns] if long else []
        )
        kept = (
            [message for message in messages if message.lane not in long or message.due_ns]
            if long
            else messages
        )
        records = [octets for _, octets in self._tail.written(kept, self._record)] if kept else []
        page_entries = state.page_entries(len(state.lanes))
        pieces = [
            (long[lane], part, octets)
            for lane, group in grouped(spilling, _LANE).items()
            for piece in _pieces(group, page_entries)
            for part, octets in self._tail.written(piece, self._record)
        ]
        spills = self._spills

        def on_disk() -> None:
            self._told_lsn = lsn
            self._arrive(kept, spills)
            for queue in spilled:
                self._pages.refill(queue)
            if spilled and state.spilled_octets > SPILLED_MOST:
                self._held.append(durable)
            else:
                durable()

        lsn = self._tail.append(records + [octets for _, _, octets in pieces], on_disk)
        state.accepted(messages, esmes)
        state.live.update(zip([message.key for message in kept], kept, strict=True))
        spilled = dict.fromkeys([queue for queue, _, _ in pieces])
        for queue, part, octets in pieces:
            state.spill(queue, octets, part, lsn, page_entries)

    def _long(self, lanes: Collection[Lane]) -> dict[Lane, Backlog[Message]]:
        """Return those of the lanes that are long, with their queues."""
        state = self._state
        standing = [lane for lane in lanes if lane.queue is not None]
        if not standing:
            return {}
        share = share_of(len(state.lanes))
        full = len(state.live) >= MEMORY_MOST
        queues = [(lane, state.lanes[lane]) for lane in standing]
        long = {lane: queue for lane, queue in queues if queue.is_long(share, full=full)}
        if long:
            self._spills += 1
            if not all([queue.pages for queue in long.values()]):  # noqa: C419 - faster so
                self.let_stand()  # what is fresh stands before the pages that are to come
        return long

    def _arrive(self, messages: Sequence[Message], spills: int) -> None:
        """What was accepted is durable; `spills`: how often there had been pages when it was written."""
        dues_ns = [message.due_ns for message in messages]
        if dues_ns.count(0) < len(messages):
            self._put_aside([message for message in messages if message.due_ns])
            messages = [message for message in messages if not message.due_ns]
        if spills != self._spills:
            lanes = self._state.lanes
            behind = {
                lane for lane in {message.lane for message in messages} if lane in lanes and lanes[lane].pages
            }
            if behind:
                self.stand([message for message in messages if message.lane in behind])
                messages = [message for message in messages if message.lane not in behind]
        self._fresh.messages += messages
        if len(self._fresh.messages) > FRESH_MOST:
            self.let_stand()

    def _put_aside(self, messages: Sequence[Message]) -> None:
        state = self._state
        state.put_aside += len(messages)
        for lane, part in grouped(messages, _LANE).items():
            queue = state.queue_in(lane)
            queue.defer(part)
            self._pages.defers(queue)

    def answer_held(self) -> None:
        """Answer what came faster than the ledger took it in: now it has caught up, or has no room."""
        held, self._held = self._held, []
        try:
            while held:
                held.pop(0)()
        finally:  # one that fails must not keep the others from what is theirs
            self._held = held + self._held

    def _record(self, messages: Sequence[Message]) -> bytes:
        return record.of_messages(What.ACCEPTED, messages, self._state.epoch_ns)

    def fresh(self) -> list[Message]:
        """See `Store.fresh`."""
        return self._fresh.take() if self.may_leave else []

    def let_stand(self) -> None:
        """Let what is fresh stand, as it is to be found in its lane."""
        self.stand(self._fresh.take())

    def stand(self, messages: Sequence[Message]) -> None:
        """See `Store.stand`."""
        for lane, part in grouped(messages, _LANE).items():
            self._state.queue_in(lane).give_back(part)

    def roused(self) -> list[Lane]:
        """See `Store.roused`."""
        roused = self._state.roused
        lanes = [lane for lane in dict.fromkeys(roused) if lane.queue is not None and lane.queue.head]
        roused.clear()
        return lanes

    @property
    def may_leave(self) -> bool:
        """See `Store.may_leave`."""
        return not self._tail.is_short

    def took(self, messages: Sequence[Message]) -> None:
        """See `Store.took`."""
        state = self._state
        if state.returned:
            state.returned.difference_update([message.key for message in messages])
        for lane in {message.lane for message in messages}:
            queue = state.lanes.get(lane)
            if queue is not None:
                self._pages.refill(queue)
                state.let_go(queue)

    def give_back(self, messages: Sequence[Message]) -> None:
        """See `Store.give_back`."""
        self._fresh.claim(messages)
        self._return(self._living(messages))

    def _return(self, messages: Sequence[Message]) -> None:
        """Put messages that were handed out where they belong: in their lane, or aside."""
        self.stand([message for message in messages if not message.due_ns])
        self._put_aside([message for message in messages if message.due_ns])
        self._state.returned.update([message.key for message in messages])

    def _living(self, messages: Sequence[Message]) -> list[Message]:
        """Leave out what has ended since it was handed out."""
        live = self._state.live
        return [message for message in messages if live.get(message.key) is message]

    def defer(self, messages: Sequence[Message]) -> None:
        """See `Store.defer`."""
        self._fresh.claim(messages)
        messages = self._living(messages)
        if not messages:
            return
        state = self._state
        self._tail.append([record.of_deferred(messages, state.epoch_ns)], None)
        state.unpage(messages)
        self._put_aside(messages)
        state.returned.update([message.key for message in messages])

    def replace(self, messages: Sequence[Message], durable: Durable) -> None:
        """See `Store.replace`."""
        self._fresh.claim(messages)
        state = self._state
        messages = self._living(messages)
        written = self._tail.written(messages, self._replaced) if messages else []
        self._tail.append([octets for _, octets in written], durable)
        state.unpage(messages)
        self._return(messages)

    def _replaced(self, messages: Sequence[Message]) -> bytes:
        return record.of_messages(What.REPLACED, messages, self._state.epoch_ns)

    def settle(self, messages: Sequence[Message]) -> Sequence[Message | None]:
        """Take messages that leave or end out of wherever they stand; return them, None for those that did so before.

        An answer may come late: its message may stand in its lane again, or aside, or on disk, or have come back from
        there as another object, which is then the one that is returned.
        """
        state = self._state
        live, returned = state.live, state.returned
        self._fresh.claim(messages)
        if all([live.get(message.key) is message for message in messages]) and (  # noqa: C419 - faster so
            not returned or returned.isdisjoint([message.key for message in messages])
        ):
            return messages
        settled: list[Message | None] = []
        standing: defaultdict[Lane, set[int]] = defaultdict(set)
        for message in messages:
            known = live.get(message.key)
            if known is None:
                known = self._from_page(message)
            elif known is not message or known.key in returned:
                standing[known.lane].add(known.key)
                if known is not message:
                    message.body = b""
            settled.append(known)
        for lane, keys in standing.items():
            queue = state.queue_in(lane)
            queue.remove(keys)
            self._pages.refill(queue)
            state.let_go(queue)
            returned -= keys
        return settled

    def _from_page(self, message: Message) -> Message | None:
        queue = self._state.lanes.get(message.lane)
        page = queue.page_of(message.key) if queue is not None else None
        if queue is None or page is None:
            return None
        queue.withdraw(page, (message.key,))
        self._state.let_go(queue)
        message.page = page
        return message


def _pieces(messages: Sequence[Message], most: int) -> Iterator[Sequence[Message]]:
    """Cut messages into pieces, each of at most so many."""
    for at in range(0, len(messages), most):
        yield messages[at : at + most]
