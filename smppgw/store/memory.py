"""The store of `backend = "unsafe-memory"`: everything in this process, gone with it."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import chain, islice
from operator import attrgetter
from typing import Final

from smppgw.store.alarms import Alarms
from smppgw.store.api import Durable
from smppgw.store.entries import Delivery, Lane, Message, Outcome, Standing
from smppgw.store.expiries import Expiries
from smppgw.store.finished import Finished
from smppgw.store.fresh import Fresh
from smppgw.store.holding import Shelves
from smppgw.store.owed import Owed
from smppgw.store.queue import Queue, grouped

MAX_CORRELATIONS: Final = 2_000_000
"""Messages of one carrier that wait for a receipt; the oldest is forgotten for one more."""

MAX_ENDED: Final = 100_000
"""Messages that can still be looked up when they have ended: at least half as many, the newest."""

_KEY: Final = attrgetter("key")
_LANE: Final[Callable[[Message], Lane]] = attrgetter("lane")

_Ended = tuple[str, Outcome | None, int]
"""The ESME, outcome and final_ns of a message that is done with."""


class MemoryStore:
    """A `Store` that keeps its word only as long as the process lives."""

    def __init__(
        self,
        max_octets: int,
        *,
        clock: Callable[[], int] = time.monotonic_ns,
        envelope_of: Callable[[int, bytes], bytes] = lambda *_: b"",
    ) -> None:
        """`clock` (monotonic nanoseconds) says when a message has come to its end.

        `envelope_of(command_id, body)` returns what is kept of a message for the receipts that are to come.
        """
        self.on_ready: Callable[[], None] = lambda: None
        self.highest_key = 0
        """See `Store.highest_key`."""
        self._max_octets = max_octets
        self._clock = clock
        self._envelope_of = envelope_of
        self._octets = 0
        self._queued: defaultdict[str, int] = defaultdict(int)
        self._fresh = Fresh()
        self._lanes: dict[Lane, Queue[Message]] = {}
        """Of those in which something stands, or aside."""
        self._roused: list[Lane] = []
        self._alarms: Alarms[Queue[Message] | Queue[Delivery]] = Alarms()
        owed = self._owed = Owed(self._alarms)
        self.ready_deliveries, self.take_deliveries = owed.ready_deliveries, owed.take_deliveries
        self.give_back_deliveries, self.defer_deliveries = owed.give_back_deliveries, owed.defer_deliveries
        self.owing, self.waiting_deliveries = owed.owing, owed.waiting_deliveries
        self._quotas: dict[str, tuple[int, int]] = {}
        self._sent: defaultdict[str, dict[bytes, Message]] = defaultdict(dict)
        self._finished: defaultdict[str, Finished] = defaultdict(Finished)
        shelves = Shelves()
        self.hold, self.held, self.holds = shelves.hold, shelves.held, shelves.holds
        self.release, self.expire_held, self.shelves = shelves.release, shelves.expire_held, shelves.shelves
        self.held_before = shelves.held_before
        self._live: dict[int, Message] = {}
        """Messages that have not ended, by key."""
        self._returned: set[int] = set()
        """Keys of the messages that stand in a lane, or aside, after they were handed out."""
        self._picked: dict[int, int] = {}
        """The octets of each message that was picked and has not come back."""
        self._expiries = Expiries(self._live)
        self._ended: dict[int, _Ended] = {}
        self._ended_before: dict[int, _Ended] = {}

    # ---- messages on their way out --------------------------------------------------------------------------

    def accept(self, messages: Sequence[Message], durable: Durable) -> None:
        """See `Store.accept`."""
        live, queued = self._live, self._queued
        octets = 0
        timed = False
        for message in messages:
            octets += len(message.body)
            live[message.key] = message
            queued[message.esme] += 1
            if message.due_ns or message.expires_ns:
                timed = True
        self._octets += octets
        if messages:
            self.highest_key = max(self.highest_key, messages[-1].key)
        if timed:
            self._expiries.watch(messages)
            self._put_aside([message for message in messages if message.due_ns])
            messages = [message for message in messages if not message.due_ns]
        self._fresh.messages += messages
        durable()

    def fresh(self) -> list[Message]:
        """See `Store.fresh`."""
        return self._fresh.take()

    def stand(self, messages: Sequence[Message]) -> None:
        """See `Store.stand`."""
        for lane, group in grouped(messages, _LANE).items():
            self._queue(lane).give_back(group)

    def _queue(self, lane: Lane) -> Queue[Message]:
        queue = self._lanes.get(lane)
        if queue is None:
            queue = lane.queue = self._lanes[lane] = Queue(lane, self._roused)
        return queue

    def roused(self) -> list[Lane]:
        """See `Store.roused`."""
        lanes = [lane for lane in dict.fromkeys(self._roused) if lane.queue is not None and lane.queue.head]
        self._roused.clear()
        return lanes

    @property
    def may_leave(self) -> bool:
        """Whatever becomes of messages, nothing is written."""
        return True

    def took(self, messages: Sequence[Message]) -> None:
        """See `Store.took`."""
        if self._returned:
            self._returned.difference_update(map(_KEY, messages))
        self._let_go({message.lane for message in messages})

    def _let_go(self, lanes: Iterable[Lane]) -> None:
        """Forget the queues that are empty."""
        for lane in lanes:
            if lane.queue is not None and self._lanes[lane].is_empty:
                lane.queue = None
                del self._lanes[lane]

    def give_back(self, messages: Sequence[Message]) -> None:
        """See `Store.give_back`."""
        self._note_returned(messages)
        self.stand([message for message in messages if not message.due_ns])
        self._put_aside([message for message in messages if message.due_ns])

    def defer(self, messages: Sequence[Message]) -> None:
        """See `Store.defer`."""
        self._note_returned(messages)
        self._put_aside(messages)

    def _put_aside(self, messages: Sequence[Message]) -> None:
        for lane, group in grouped(messages, _LANE).items():
            queue = self._queue(lane)
            queue.defer(group)
            self._alarms.set(queue, queue.next_ns())

    def replace(self, messages: Sequence[Message], durable: Durable) -> None:
        """See `Store.replace`."""
        self._expiries.watch(messages)
        self.give_back(messages)
        durable()

    def _note_returned(self, messages: Sequence[Message]) -> None:
        self._fresh.claim(messages)
        self._returned.update(map(_KEY, messages))
        if self._picked:
            for message in messages:
                size = len(message.body)
                self._octets += size - self._picked.pop(message.key, size)

    def submitted(
        self,
        carrier: str,
        answered: Sequence[tuple[Message, bytes]],
        deliveries: Sequence[Delivery],
        finished: Sequence[tuple[bytes, Outcome]],
        durable: Durable,
    ) -> None:
        """See `Store.submitted`."""
        sent = self._sent[carrier]
        envelope_of = self._envelope_of
        forgotten: list[tuple[Message, Outcome | None]] = []
        unasked: list[bytes] = []
        for message, carrier_id in answered:
            message.carrier = carrier
            if message.registered_delivery and carrier_id:
                if not message.envelope:
                    message.envelope = envelope_of(message.command_id, message.body)
                sent[carrier_id] = message
            else:
                forgotten.append((message, None))
                unasked.append(carrier_id)
        self._withdraw([message for message, _ in answered])
        if len(sent) > MAX_CORRELATIONS:
            oldest = list(islice(sent, len(sent) - MAX_CORRELATIONS))
            forgotten += [(sent.pop(carrier_id), None) for carrier_id in oldest]
        self._finished[carrier].add(unasked, [b""] * len(unasked))
        self._end(forgotten, 0)
        self._finish(carrier, finished)
        self._owed.owe(deliveries)
        durable()

    def failed(
        self, ended: Sequence[tuple[Message, Outcome]], deliveries: Sequence[Delivery], durable: Durable
    ) -> None:
        """See `Store.failed`."""
        self._withdraw([message for message, _ in ended])
        self._end(ended, self._clock())
        self._owed.owe(deliveries)
        durable()

    def _withdraw(self, messages: Sequence[Message]) -> None:
        """Count messages as queued no more, and take them out of their lanes if they stand there again."""
        self._fresh.claim(messages)
        queued = self._queued
        octets = 0
        for message in messages:
            octets += len(message.body)
            queued[message.esme] -= 1
            message.body = b""
        self._octets -= octets
        if self._picked:
            for message in messages:
                self._picked.pop(message.key, None)
        if self._returned:
            again = [message for message in messages if message.key in self._returned]
            self._returned.difference_update(map(_KEY, again))
            self._remove(again)

    def _remove(self, messages: Sequence[Message]) -> list[Message]:
        """Take out those that stand in their lanes."""
        removed: list[Message] = []
        groups = grouped(messages, _LANE)
        for lane, group in groups.items():
            queue = self._lanes.get(lane)
            if queue is not None:
                removed += queue.remove([message.key for message in group])
        self._let_go(groups)
        return removed

    def _end(self, messages: Iterable[tuple[Message, Outcome | None]], final_ns: int) -> None:
        """Keep for a while what has become of messages that are done with."""
        live, ended = self._live, self._ended
        for message, outcome in messages:
            live.pop(message.key, None)
            ended[message.key] = message.esme, outcome, final_ns
        if len(self._ended) > MAX_ENDED // 2:
            self._ended_before = self._ended
            self._ended = {}

    # ---- messages that are asked for ------------------------------------------------------------------------

    def pick(self, keys: Sequence[int], then: Callable[[list[Message]], None]) -> None:
        """See `Store.pick`."""
        then(self._pick([message for key in keys if (message := self._live.get(key)) is not None]))

    def pick_beginning(
        self, esme: str, beginning: bytes, then: Callable[[list[Message]], None], *, behind: int = 0
    ) -> None:
        """See `Store.pick_beginning`."""
        self.stand(self._fresh.take())
        end = behind + len(beginning)
        messages = chain.from_iterable(self._lanes.values())
        then(self._pick([each for each in messages if each.esme == esme and beginning in each.body[:end]]))

    def pick_expired(self, now_ns: int, then: Callable[[list[Message]], None]) -> None:
        """See `Store.pick_expired`."""
        then(self._pick(self._expiries.over(now_ns)))

    def _pick(self, wanted: Sequence[Message]) -> list[Message]:
        """Take out those that stand in their lanes."""
        self.stand(self._fresh.take())
        picked = self._remove(wanted)
        self._returned.difference_update(map(_KEY, picked))
        self._picked.update((message.key, len(message.body)) for message in picked)
        return picked

    def look_up(self, key: int, then: Callable[[Standing | None], None]) -> None:
        """See `Store.look_up`."""
        message = self._live.get(key)
        if message is not None:
            then(Standing(message.esme, None, 0, message if message.body else None))
            return
        ended = self._ended.get(key) or self._ended_before.get(key)
        then(Standing(*ended, None) if ended is not None else None)

    # ---- what carriers say ----------------------------------------------------------------------------------

    def find(self, carrier: str, carrier_id: bytes) -> Message | None:
        """See `Store.find`."""
        return self._sent[carrier].get(carrier_id)

    def recall(self, carrier: str, carrier_ids: Sequence[bytes], then: Callable[[], None]) -> None:  # noqa: ARG002
        """See `Store.recall`: everything there is, is at hand."""
        then()

    def finished_envelope(self, carrier: str, carrier_id: bytes) -> bytes | None:
        """See `Store.finished_envelope`."""
        return self._finished[carrier].envelope(carrier_id)

    def receive(
        self,
        carrier: str,
        deliveries: Sequence[Delivery],
        finished: Sequence[tuple[bytes, Outcome]],
        durable: Durable,
    ) -> None:
        """See `Store.receive`."""
        self._finish(carrier, finished)
        self._owed.owe(deliveries)
        durable()

    def _finish(self, carrier: str, finished: Sequence[tuple[bytes, Outcome]]) -> None:
        if finished:
            sent = self._sent[carrier]
            known = [each for each in finished if each[0] in sent]
            ids = [carrier_id for carrier_id, _ in known]
            self._finished[carrier].add(ids, [sent[carrier_id].envelope for carrier_id in ids])
            # One id may be there twice: its first outcome counts.
            self._end(
                [(sent.pop(carrier_id), outcome) for carrier_id, outcome in known if carrier_id in sent],
                self._clock(),
            )

    # ---- what ESMEs are owed --------------------------------------------------------------------------------

    def delivered(self, deliveries: Sequence[Delivery], durable: Durable | None = None) -> None:
        """See `Store.delivered`."""
        self._owed.done_with(deliveries)
        if durable is not None:
            durable()

    # ---- what may be used -----------------------------------------------------------------------------------

    def reserve(self, quota: str, day: int, segments: int, durable: Durable) -> None:
        """See `Store.reserve`."""
        self._quotas[quota] = day, segments
        durable()

    def reserved(self, quota: str) -> tuple[int, int]:
        """See `Store.reserved`."""
        return self._quotas.get(quota, (0, 0))

    # ---- time -----------------------------------------------------------------------------------------------

    def wake(self, now_ns: int) -> int | None:
        """See `Store.wake`."""
        for queue in self._alarms.over(now_ns):
            self._alarms.set(queue, queue.wake(now_ns))
        return self._alarms.next_ns()

    # ---- what is there --------------------------------------------------------------------------------------

    def lanes(self) -> Collection[Lane]:
        """See `Store.lanes`."""
        return self._lanes.keys()

    def queued(self, esme: str) -> int:
        """See `Store.queued`."""
        return self._queued[esme]

    @property
    def octets(self) -> int:
        """See `Store.octets`."""
        return self._octets + self._owed.octets

    @property
    def full(self) -> bool:
        """See `Store.full`."""
        return self.octets >= self._max_octets

    @property
    def stalled(self) -> bool:
        """Memory is never slow."""
        return False

    @property
    def healthy(self) -> bool:
        """Memory does not fail before the process does."""
        return True

    async def open(self) -> None:
        """Nothing is left of an earlier run."""

    async def close(self) -> int:
        """See `Store.close`."""
        lost = len(self._fresh.take()) + sum([len(lane) + lane.deferred for lane in self._lanes.values()])
        lost += self._owed.clear()
        for lane in self._lanes:
            lane.queue = None
        self._lanes.clear()
        return lost
