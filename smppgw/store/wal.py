"""The durable store: what is promised is in the write-ahead log first.

Hot path: one call is one record for its whole batch, appended to the log's next frame. The state changes as the record
is appended; what others may see of it (an entry in its queue, an answer) waits until the record is on the disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from smppgw.settings import StoreSettings
from smppgw.store import history, record
from smppgw.store.api import Durable
from smppgw.store.checkpoints import Checkpoints
from smppgw.store.committer import Committer
from smppgw.store.entries import Delivery, Held, Lane, Message, Outcome, Standing
from smppgw.store.errors import StoreError
from smppgw.store.files import Files
from smppgw.store.incoming import Incoming
from smppgw.store.ledger_reader import LedgerReader
from smppgw.store.outgoing import Outgoing
from smppgw.store.record import What
from smppgw.store.search import Search
from smppgw.store.shelf import Shelf
from smppgw.store.startup import LEDGER, Opened, open_store
from smppgw.store.state import State
from smppgw.store.tail import Tail


class WalStore:
    """A `Store` on a write-ahead log and a ledger, in one directory."""

    def __init__(
        self,
        directory: Path,
        *,
        files: Files,
        logger: Any,
        clock: Callable[[], int],
        wall_ns: int,
        lane_of: Callable[[str], Lane],
        on_failed: Callable[[BaseException], None],
        observe_commit: Callable[[float, int], None],
        settings: StoreSettings,
        envelope_of: Callable[[int, bytes], bytes] = lambda *_: b"",
    ) -> None:
        """`wall_ns`: nanoseconds since 1970 now; `lane_of` tells where what stood in a lane of
        that name is to stand.

        `on_failed` hears once of the error after which nothing is promised any more. `observe_commit` gets the seconds
        and the records of each commit. `envelope_of(command_id, body)` returns what is kept of a message for the
        receipts that are to come.
        """
        self.on_ready: Callable[[], None] = lambda: None
        self._directory = directory
        self._files = files
        self._log = logger
        self._clock = clock
        self._lane_of = lane_of
        self._on_failed = on_failed
        self._observe_commit = observe_commit
        self._settings = settings
        self._state = State(wall_ns - clock(), envelope_of)
        self._failed = False
        self._open = self._opened = False

    async def open(self) -> None:
        """See `Store.open`."""
        loop = asyncio.get_running_loop()
        try:
            opened = await loop.run_in_executor(None, self._recover)
        except OSError as error:
            raise StoreError(f"{error.filename or self._directory}: {error.strerror or error}") from None
        state = self._state
        self._committer = Committer(
            opened.log,
            clock=self._clock,
            on_failed=self._fail,
            observe=self._observe_commit,
            on_slow=lambda seconds: self._log.warning("store_slow", seconds=round(seconds, 3)),
            on_room=self._on_room,
        )
        tail = self._tail = Tail(state, opened.log, self._committer, clock=self._clock)
        self._shelf = Shelf(opened.reader, self._fail)
        self._scans = Shelf(LedgerReader(self._directory / LEDGER), self._fail)
        self._checkpoints = Checkpoints(
            state,
            opened.log,
            opened.ledger,
            tail,
            clock=self._clock,
            logger=self._log,
            on_failed=self._fail,
            on_eased=lambda: self._outgoing.answer_held(),
            settings=self._settings,
            carriers=opened.carriers,
        )
        tail.append([record.of_moment(What.STARTED, tail.now_ms())], None)
        self._outgoing = Outgoing(state, tail, self._shelf, on_ready=self._ready)
        self._incoming = Incoming(state, tail, self._shelf, on_ready=self._ready)
        self._search = Search(
            state,
            self._shelf,
            self._scans,
            let_stand=self._outgoing.let_stand,
            refill=self._outgoing.refill,
            is_short=lambda: tail.is_short,
            history_on_its_way=self._checkpoints.history_on_its_way,
        )
        self._open = self._opened = True
        self._checkpoints.start(at_once=opened.records > 0)

    def _recover(self) -> Opened:
        return open_store(
            self._directory,
            self._files,
            self._state,
            segment_octets=self._settings.segment_bytes,
            lane_of=self._lane_of,
            logger=self._log,
        )

    def _ready(self) -> None:
        self.on_ready()

    def _fail(self, error: BaseException) -> None:
        if not self._failed:
            self._failed = True
            self._checkpoints.abandon()
            self._on_failed(error)

    def _on_room(self) -> None:
        self._log.info("store_has_room", directory=str(self._directory))
        self.on_ready()

    # ---- messages on their way out --------------------------------------------------------------------------

    def accept(self, messages: Sequence[Message], durable: Durable) -> None:
        """See `Store.accept`."""
        self._outgoing.accept(messages, durable)

    def fresh(self) -> list[Message]:
        """See `Store.fresh`."""
        return self._outgoing.fresh()

    def stand(self, messages: Sequence[Message]) -> None:
        """See `Store.stand`."""
        self._outgoing.stand(messages)

    def roused(self) -> list[Lane]:
        """See `Store.roused`."""
        return self._outgoing.roused()

    @property
    def may_leave(self) -> bool:
        """See `Store.may_leave`."""
        return self._outgoing.may_leave

    def took(self, messages: Sequence[Message]) -> None:
        """See `Store.took`."""
        self._outgoing.took(messages)

    def give_back(self, messages: Sequence[Message]) -> None:
        """See `Store.give_back`."""
        self._outgoing.give_back(messages)

    def defer(self, messages: Sequence[Message]) -> None:
        """See `Store.defer`."""
        self._outgoing.defer(messages)

    def replace(self, messages: Sequence[Message], durable: Durable) -> None:
        """See `Store.replace`."""
        self._outgoing.replace(messages, durable)

    def submitted(
        self,
        carrier: str,
        answered: Sequence[tuple[Message, bytes]],
        deliveries: Sequence[Delivery],
        finished: Sequence[tuple[bytes, Outcome]],
        durable: Durable,
    ) -> None:
        """See `Store.submitted`."""
        messages = [message for message, _ in answered]
        settled = self._outgoing.settle(messages)
        if settled is not messages:
            known = zip(settled, answered, strict=True)
            answered = [(message, carrier_id) for message, (_, carrier_id) in known if message is not None]
            messages = [message for message, _ in answered]
        if not answered:
            self._incoming.deliver([], carrier, deliveries, finished, durable)
            return
        state = self._state
        ids = [carrier_id for _, carrier_id in answered]
        esmes = [message.esme for message in messages]
        now_ms = self._tail.now_ms()
        octets = history.of_submitted(carrier, now_ms, messages, esmes, ids, state.epoch_ns)
        state.remember(now_ms, octets)
        state.submitted(carrier, messages, ids, esmes)
        self._incoming.deliver([octets], carrier, deliveries, finished, durable)

    def failed(
        self, ended: Sequence[tuple[Message, Outcome]], deliveries: Sequence[Delivery], durable: Durable
    ) -> None:
        """See `Store.failed`."""
        settled = self._outgoing.settle([message for message, _ in ended])
        pairs = zip(settled, ended, strict=True)
        known = [(message, outcome) for message, (_, outcome) in pairs if message is not None]
        if not known:
            self._incoming.deliver([], "", deliveries, (), durable)
            return
        state = self._state
        messages = [message for message, _ in known]
        outcomes = [outcome for _, outcome in known]
        esmes = [message.esme for message in messages]
        now_ms = self._tail.now_ms()
        octets = history.of_ended(now_ms, messages, esmes, outcomes, state.epoch_ns)
        state.remember(now_ms, octets)
        state.ended(messages, esmes, outcomes)
        self._incoming.deliver([octets], "", deliveries, (), durable)

    # ---- messages that are asked for ------------------------------------------------------------------------

    def pick(self, keys: Sequence[int], then: Callable[[list[Message]], None]) -> None:
        """See `Store.pick`."""
        self._search.pick(keys, then)

    def pick_beginning(
        self, esme: str, beginning: bytes, then: Callable[[list[Message]], None], *, behind: int = 0
    ) -> None:
        """See `Store.pick_beginning`."""
        self._search.pick_beginning(esme, beginning, then, behind=behind)

    def pick_expired(self, now_ns: int, then: Callable[[list[Message]], None]) -> None:
        """See `Store.pick_expired`."""
        self._search.pick_expired(now_ns, then)

    def look_up(self, key: int, then: Callable[[Standing | None], None]) -> None:
        """See `Store.look_up`."""
        self._search.look_up(key, then)

    # ---- what carriers say ----------------------------------------------------------------------------------

    def find(self, carrier: str, carrier_id: bytes) -> Message | None:
        """See `Store.find`."""
        return self._state.sent[carrier].find(carrier_id)

    def recall(self, carrier: str, carrier_ids: Sequence[bytes], then: Callable[[], None]) -> None:
        """See `Store.recall`."""
        if self._checkpoints.knows(carrier):
            self._search.recall(carrier, carrier_ids, then)
        else:
            then()

    def finished_envelope(self, carrier: str, carrier_id: bytes) -> bytes | None:
        """See `Store.finished_envelope`."""
        return self._state.finished[carrier].envelope(carrier_id)

    def receive(
        self,
        carrier: str,
        deliveries: Sequence[Delivery],
        finished: Sequence[tuple[bytes, Outcome]],
        durable: Durable,
    ) -> None:
        """See `Store.receive`."""
        self._incoming.deliver([], carrier, deliveries, finished, durable)

    # ---- what is held ---------------------------------------------------------------------------------------

    def hold(self, shelf: str, entries: Sequence[Held], most: int) -> list[Held]:
        """See `Store.hold`."""
        return self._incoming.hold(shelf, entries, most)

    def held(self, shelf: str, under: bytes) -> Sequence[Held]:
        """See `Store.held`."""
        return self._state.shelves[shelf].under(under)

    def shelves(self) -> list[str]:
        """See `Store.shelves`."""
        return [name for name, holding in self._state.shelves.items() if holding.count]

    def held_before(self, shelf: str, before_ns: int, most: int) -> list[Held]:
        """See `Store.held_before`."""
        return self._state.shelves[shelf].oldest(before_ns, most)

    def holds(self, shelf: str) -> int:
        """See `Store.holds`."""
        return self._state.shelves[shelf].count

    def release(self, shelf: str, under: Sequence[bytes]) -> list[Held]:
        """See `Store.release`."""
        return self._incoming.release(shelf, under)

    def expire_held(self, shelf: str, before_ns: int) -> list[Held]:
        """See `Store.expire_held`."""
        return self._incoming.expire_held(shelf, before_ns)

    # ---- what ESMEs are owed --------------------------------------------------------------------------------

    def ready_deliveries(self, esme: str) -> int:
        """See `Store.ready_deliveries`."""
        return self._incoming.ready(esme)

    def take_deliveries(self, esme: str, most: int) -> list[Delivery]:
        """See `Store.take_deliveries`."""
        return self._incoming.take(esme, most)

    def give_back_deliveries(self, deliveries: Sequence[Delivery]) -> None:
        """See `Store.give_back_deliveries`."""
        self._incoming.give_back(deliveries)

    def defer_deliveries(self, deliveries: Sequence[Delivery]) -> None:
        """See `Store.defer_deliveries`."""
        self._incoming.defer(deliveries)

    def delivered(self, deliveries: Sequence[Delivery], durable: Durable | None = None) -> None:
        """See `Store.delivered`."""
        self._incoming.delivered(deliveries, durable)

    def owing(self) -> Collection[str]:
        """See `Store.owing`."""
        return {esme for esme, queue in self._state.owed.items() if queue.waiting or queue.deferred}

    # ---- what may be used -----------------------------------------------------------------------------------

    def reserve(self, quota: str, day: int, segments: int, durable: Durable) -> None:
        """See `Store.reserve`."""
        self._tail.append([record.of_quota(quota, day, segments)], durable)
        self._state.quotas[quota] = day, segments

    def reserved(self, quota: str) -> tuple[int, int]:
        """See `Store.reserved`."""
        return self._state.quotas.get(quota, (0, 0))

    # ---- time, and what is there ----------------------------------------------------------------------------

    def wake(self, now_ns: int) -> int | None:
        """See `Store.wake`."""
        moments = (self._outgoing.wake(now_ns), self._incoming.wake(now_ns))
        return min((moment_ns for moment_ns in moments if moment_ns is not None), default=None)

    def lanes(self) -> Collection[Lane]:
        """See `Store.lanes`."""
        return self._state.lanes.keys()

    def queued(self, esme: str) -> int:
        """See `Store.queued`."""
        return self._state.queued[esme]

    def waiting_deliveries(self, esme: str) -> int:
        """See `Store.waiting_deliveries`."""
        queue = self._state.owed.get(esme)
        return queue.waiting + queue.deferred if queue is not None else 0

    @property
    def highest_key(self) -> int:
        """See `Store.highest_key`."""
        return self._state.highest_key

    @property
    def octets(self) -> int:
        """See `Store.octets`: the log's segments, and the ledger's pages in use."""
        return self._checkpoints.octets if self._open else 0

    @property
    def full(self) -> bool:
        """See `Store.full`."""
        return self._open and (
            self._committer.full or self._checkpoints.full or self.octets >= self._settings.max_bytes
        )

    @property
    def stalled(self) -> bool:
        """See `Store.stalled`."""
        return self._open and self._committer.stalled

    @property
    def healthy(self) -> bool:
        """See `Store.healthy`."""
        return self._opened and not self._failed

    async def close(self) -> int:
        """See `Store.close`: nothing is lost."""
        if self._open:
            self._open = False
            if not self._failed:
                await self._checkpoints.close()
            await self._committer.close()
            await self._shelf.close()
            await self._scans.close()
            self._checkpoints.release()
            self._opened = False
        return 0
