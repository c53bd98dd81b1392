"""The side of the durable store that messages leave by: their lanes.

Hot path: a batch is one record; in a long lane it is that record that is kept, and no message of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from smppgw.store import page_codec, record
from smppgw.store.api import Durable
from smppgw.store.backlog import Backlog
from smppgw.store.entries import Message
from smppgw.store.record import What
from smppgw.store.restore import Restorer
from smppgw.store.shelf import Shelf
from smppgw.store.state import LANE, State
from smppgw.store.tail import Tail

SPILLED_MOST: Final = 32 * 1024 * 1024
"""With more octets than this in memory for want of a checkpoint, answers wait for it: windows then bound the rest."""


class Outgoing:
    """The lanes of a `WalStore`; see `Store` for what each method does."""

    def __init__(self, state: State, tail: Tail, shelf: Shelf, *, on_ready: Callable[[], None]) -> None:
        self._state = state
        self._tail = tail
        self._pages = Restorer(
            state.lanes,
            state.live,
            lambda queue, chunks: page_codec.messages_of(chunks, queue.removeprefix(LANE), state.epoch_ns),
            shelf,
            durable_lsn=tail.durable_lsn,
            on_ready=on_ready,
        )
        self._held: list[Durable] = []
        self.wake = self._pages.wake
        self.refill = self._pages.refill
        for lane in state.lanes.values():
            self._pages.refill(lane)

    def accept(self, messages: Sequence[Message], durable: Durable) -> None:
        """See `Store.accept`."""
        if not messages:
            durable()
            return
        state = self._state
        esmes = [message.esme for message in messages]
        first = messages[0].lane
        if all([message.lane == first and not message.due_ns for message in messages]):  # noqa: C419 - faster so
            groups = {(first, False): messages}
        else:
            parts: defaultdict[tuple[str, bool], list[Message]] = defaultdict(list)
            for message in messages:
                parts[message.lane, message.due_ns != 0].append(message)
            groups = dict(parts)
        written = [
            (lane, deferred, part, octets)
            for (lane, deferred), group in groups.items()
            for part, octets in self._tail.written(group, partial(self._record, lane))
        ]
        standing: list[tuple[Backlog[Message], Sequence[Message]]] = []
        aside: list[tuple[Backlog[Message], Sequence[Message]]] = []
        spilled: list[Backlog[Message]] = []

        def on_disk() -> None:
            for queue, part in standing:
                queue.coming -= 1
                queue.add(part)
                self._pages.refill(queue)
            for queue, part in aside:
                queue.defer(part)
                self._pages.defers(part[0].lane)
            for queue in spilled:
                self._pages.refill(queue)
            if spilled and state.spilled_octets > SPILLED_MOST:
                self._held.append(durable)
            else:
                durable()

        lsn = self._tail.append([octets for _, _, _, octets in written], on_disk)
        state.accepted(messages, esmes)
        for lane, deferred, part, octets in written:
            queue = state.lane(lane)
            if not deferred and queue.is_long(len(state.live)):
                state.spill(queue, octets, part, lsn)
                spilled.append(queue)
                continue
            state.live.update([(message.key, message) for message in part])
            if deferred:
                aside.append((queue, part))
            else:
                queue.coming += 1
                standing.append((queue, part))

    def answer_held(self) -> None:
        """Answer what came faster than the ledger took it in: now it has caught up, or has no room."""
        held, self._held = self._held, []
        try:
            while held:
                held.pop(0)()
        finally:  # one that fails must not keep the others from what is theirs
            self._held = held + self._held

    def _record(self, lane: str, messages: Sequence[Message]) -> bytes:
        return record.of_messages(What.ACCEPTED, lane, messages, self._state.epoch_ns)

    def ready(self, lane: str) -> int:
        """See `Store.ready`."""
        if self._tail.is_short:
            return 0
        queue = self._state.lanes.get(lane)
        return len(queue) if queue is not None else 0

    def take(self, lane: str, most: int) -> list[Message]:
        """See `Store.take`."""
        if not self.ready(lane):
            return []
        state = self._state
        queue = state.lane(lane)
        taken = queue.take(most)
        if state.returned:
            state.returned.difference_update([message.key for message in taken])
        if queue.pages:
            self._pages.refill(queue)
        return taken

    def give_back(self, messages: Sequence[Message]) -> None:
        """See `Store.give_back`."""
        self._stand(_by_lane(self._living(messages)))

    def _stand(self, parts: Mapping[str, list[Message]]) -> None:
        """Put messages that were handed out where they belong: in their lane, or aside."""
        state = self._state
        for lane, part in parts.items():
            state.lane(lane).give_back([message for message in part if not message.due_ns])
            aside = [message for message in part if message.due_ns]
            if aside:
                state.lane(lane).defer(aside)
                self._pages.defers(lane)
            state.returned.update([message.key for message in part])

    def _living(self, messages: Sequence[Message]) -> list[Message]:
        """Leave out what has ended since it was handed out."""
        live = self._state.live
        return [message for message in messages if live.get(message.key) is message]

    def defer(self, messages: Sequence[Message]) -> None:
        """See `Store.defer`."""
        messages = self._living(messages)
        if not messages:
            return
        state = self._state
        self._tail.append([record.of_deferred(messages, state.epoch_ns)], None)
        state.unpage(messages)
        for lane, part in _by_lane(messages).items():
            state.lane(lane).defer(part)
            self._pages.defers(lane)
        state.returned.update([message.key for message in messages])

    def replace(self, messages: Sequence[Message], durable: Durable) -> None:
        """See `Store.replace`."""
        state = self._state
        messages = self._living(messages)
        parts = _by_lane(messages)
        self._tail.append(
            [record.of_messages(What.REPLACED, lane, part, state.epoch_ns) for lane, part in parts.items()],
            durable,
        )
        state.unpage(messages)
        self._stand(parts)

    def settle(self, messages: Sequence[Message]) -> Sequence[Message | None]:
        """Take messages that leave or end out of wherever they stand; return them, None for those that did so before.

        An answer may come late: its message may stand in its lane again, or aside, or on disk, or have come back from
        there as another object, which is then the one that is returned.
        """
        state = self._state
        live, returned = state.live, state.returned
        if all([live.get(message.key) is message for message in messages]) and (  # noqa: C419 - faster so
            not returned or returned.isdisjoint([message.key for message in messages])
        ):
            return messages
        settled: list[Message | None] = []
        standing: defaultdict[str, set[int]] = defaultdict(set)
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
            state.lane(lane).remove(keys)
            returned -= keys
        return settled

    def _from_page(self, message: Message) -> Message | None:
        queue = self._state.lane(message.lane)
        page = queue.page_of(message.key)
        if page is None:
            return None
        queue.withdraw(page, (message.key,))
        message.page = page
        return message


def _by_lane(messages: Sequence[Message]) -> dict[str, list[Message]]:
    parts: defaultdict[str, list[Message]] = defaultdict(list)
    for message in messages:
        parts[message.lane].append(message)
    return parts
