"""The whole store against dicts: whatever is done to it, and wherever it is cut off, it comes back to one of its steps.

The log is on a simulated disk, the ledger in a real file, which is copied as its last transaction left it.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from itertools import count
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import sleep
from typing import Any, Final, NamedTuple

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from smppgw.store.backlog import Backlog
from smppgw.store.entries import Delivery, Held, Lane, Message, Outcome
from smppgw.store.log import SPARES
from smppgw.store.startup import LEDGER
from smppgw.store.wal import WalStore
from tests.store.lanes import at_home, take_from
from tests.store.restarts import shrink
from tests.store.simulated_disk import Call, SimulatedDisk
from tests.store.store_book import (
    CARRIER,
    ESMES,
    LANES,
    OPEN,
    OWED,
    QUOTAS,
    SHELF,
    Kept,
    Queued,
    StoreBook,
    seen_in,
    until,
)
from tests.store.stores import wal_store

SEGMENT_OCTETS: Final = 16 * 1024
MINUTE_NS: Final = 60_000_000_000
BEGAN_NS: Final = 1_000_000_000_000
WALL_NS: Final = 1_700_000_000_000_000_000
"""When the first run began, by its clock, and since 1970."""
OUTCOMES: Final = (
    Outcome(2, "delivered", "000"),
    Outcome(3, "expired"),
    Outcome(5, "permanent", "\t \u00e9"),
)
HELD_MOST: Final = 5
"""On the shelf, where there is a bound."""
CRASHES_A_RUN: Final = 1
"""Moments at which it is seen what a crash would have left, without there being one."""

TOO_SOON_SECONDS: Final = 0.002
"""So long the loop is given to promise what is not durable yet."""

seeds = st.integers(0, 2**32)


class Crash(NamedTuple):
    """What a crash leaves, and what must and may be in it."""

    disk: SimulatedDisk
    ledger: bytes | None
    promised: int
    attempted: int


class StoreMachine(RuleBasedStateMachine):
    """One store, through its gateways' lives."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.place = TemporaryDirectory()
        self.runs = count(1)
        self.keys = 0
        self.serial = count(1)
        self.ids: list[bytes] = []
        self.now_ns = BEGAN_NS
        self.out: dict[int, Message] = {}
        """Messages that were handed out."""
        self.moved: set[int] = set()
        """Keys of messages that did not stay in the order of their lane."""
        self.crashes: list[Crash] = []
        self.living = False
        self.store: WalStore

    # ---- lives ----------------------------------------------------------------------------------------------

    @initialize(seed=seeds)
    def first_start(self, seed: int) -> None:
        self.chance = Random(seed)
        self.start(SimulatedDisk(), None, Kept())
        self.work(self.chance, 30, waits=0.5)

    def open(self, disk: SimulatedDisk, ledger: bytes | None, directory: Path) -> WalStore:
        directory.mkdir()
        if ledger is not None:
            (directory / LEDGER).write_bytes(ledger)
        store = wal_store(
            directory,
            files=disk,
            clock=lambda: self.now_ns,
            wall_ns=WALL_NS + self.now_ns - BEGAN_NS,
            segment_bytes=SEGMENT_OCTETS,
            envelope_of=envelope_of,
        )
        self.run(store.open())
        return store

    def run(self, doing: Any) -> Any:
        return self.runner.run(doing)

    def start(self, disk: SimulatedDisk, ledger: bytes | None, kept: Kept) -> None:
        self.directory = Path(self.place.name) / f"run-{next(self.runs)}"
        disk.move_all_to(self.directory)
        self.disk = disk
        self.book = StoreBook(kept)
        self.out = {}
        self.chances = CRASHES_A_RUN
        self.disk.before_call = self.perhaps_crash
        self.store = self.open(disk, ledger, self.directory)
        self.living = True
        self.run(self.settle())

    def ledger(self) -> bytes | None:
        """What the ledger's last transaction has left."""
        path = self.directory / LEDGER
        if not path.exists():
            return None
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as source:
            with closing(sqlite3.connect(":memory:")) as copy:
                source.backup(copy)
                return copy.serialize()

    def perhaps_crash(self, call: Call) -> None:
        """In whatever thread makes the call."""
        if call.kind in ("sync", "sync_directory", "remove") and self.chances and self.chance.random() < 0.05:
            self.chances -= 1
            sleep(TOO_SOON_SECONDS)
            self.crashes.append(self.crash(self.chance))

    def crash(self, random: Random) -> Crash:
        promised = self.book.promised
        kept = random.choice((0.0, 0.5, 1.0, None))
        disk = self.disk.killed() if kept is None else self.disk.after_power_loss(random, kept)
        return Crash(disk, self.ledger(), promised, len(self.book.steps) - 1)

    def recovered(self, crash: Crash, again: int) -> Kept:
        """Open what a crash has left, and so often again; return the step that the store has come back to."""
        for starts_left in range(again, -1, -1):
            directory = Path(self.place.name) / f"run-{next(self.runs)}"
            crash.disk.move_all_to(directory)
            store = self.open(crash.disk, crash.ledger, directory)
            if not starts_left:
                seen, order = self.run(seen_in(store, range(1, self.keys + 1), self.ids))
            self.run(store.close())
            assert crash.disk.open_files == 0
            crash = crash._replace(ledger=(directory / LEDGER).read_bytes())
        for lane, keys in order.items():
            stayed = [key for key in keys if key not in self.moved]
            assert stayed == sorted(stayed), f"{lane} is not in the order of its keys"
        return self.book.match(seen, crash.promised, crash.attempted, self.now_ns)

    def end(self) -> None:
        if self.living:
            self.living = False
            self.disk.before_call = lambda call: None
            self.run(self.store.close())
            crashes, self.crashes = self.crashes, []
            for crash in crashes:
                self.recovered(crash, self.chance.randint(0, 1))

    def teardown(self) -> None:
        try:
            self.end()
        finally:
            self.runner.close()
            self.place.cleanup()

    @rule(seed=seeds, crashes=st.booleans(), again=st.integers(0, 1))
    def restart(self, seed: int, crashes: bool, again: int) -> None:
        if crashes:
            left = self.crash(Random(seed))
        self.end()
        if not crashes:
            last = len(self.book.steps) - 1
            left = Crash(self.disk.killed(), (self.directory / LEDGER).read_bytes(), last, last)
        kept = self.recovered(left._replace(disk=left.disk.killed()), again)
        self.start(left.disk, left.ledger, kept)

    @rule()
    def wait(self) -> None:
        """Until all that was asked for is done. Only then does the loop run: each example is the same each time."""
        self.run(self.settle())

    async def settle(self) -> None:
        committer, state = self.store._committer, self.store._state
        await until(lambda: committer.durable_lsn == committer._lsn and committer._log.spares == SPARES)
        await self.store._checkpoints._idle.wait()
        queues: list[Backlog[Any]] = [*state.lanes.values(), *state.owed.values()]
        await until(lambda: not any(queue.loading for queue in queues))

    @rule()
    def take_a_checkpoint(self) -> None:
        self.store._checkpoints.take()

    @rule(minutes=st.sampled_from((1, 10, 40)))
    def time_passes(self, minutes: int) -> None:
        self.now_ns += minutes * MINUTE_NS
        self.store.wake(self.now_ns)

    @rule(seed=seeds, steps=st.integers(5, 15))
    def work_in_one_turn(self, seed: int, steps: int) -> None:
        self.work(Random(seed), steps, waits=0)

    @rule(seed=seeds, steps=st.integers(10, 30))
    def work_on(self, seed: int, steps: int) -> None:
        self.work(Random(seed), steps, waits=0.5)

    def work(self, random: Random, steps: int, *, waits: float) -> None:
        """What a gateway does; `waits`: how likely the loop runs after a step."""
        doings: dict[Callable[[Random], None], float] = {
            self.accept: 6,
            self.leave_at_once: 1,
            self.stand: 1,
            self.take: 2,
            self.reserve: 1,
            self.give_back: 1,
            self.defer: 2,
            self.replace: 1,
            self.submitted: 5,
            self.fail: 1,
            self.pick: 1,
            self.receive: 4,
            self.hold: 1,
            self.expire_held: 0.3,
            self.deliver: 3,
        }
        for doing in random.choices(list(doings), list(doings.values()), k=steps):
            doing(random)
            if random.random() < waits:
                self.run(self.settle())

    # ---- messages -------------------------------------------------------------------------------------------

    def due(self, random: Random) -> int:
        return random.choice((0, 0, self.now_ns + random.randint(1, 30) * MINUTE_NS))

    def accept(self, random: Random) -> None:
        messages = []
        for _ in range(random.randint(1, 6)):
            self.keys += 1
            key = self.keys
            lane, esme, due_ns = random.choice(LANES), random.choice(ESMES), self.due(random)
            body = b"body %d" % key
            messages.append(
                Message(key, b"%x" % key, esme, Lane(lane), 4, body, key % 3, self.now_ns, due_ns=due_ns)
            )
            messages[-1].segments, messages[-1].day_segments = key % 5 or 1, key % 2
            if due_ns:
                self.moved.add(key)

        def change(kept: Kept) -> None:
            for message in messages:
                kept.queued[message.key] = queued(message)
                kept.outcomes[message.key] = OPEN

        self.store.accept(at_home(self.store, messages), self.book.step(change))

    def take(self, random: Random) -> None:
        for message in take_from(self.store, random.choice(LANES), random.randint(1, 6)):
            assert self.book.now.queued[message.key].due_ns <= self.now_ns, "before its moment"
            self.was_handed_out(message)

    def leave_at_once(self, random: Random) -> None:
        for message in self.store.fresh():
            self.was_handed_out(message)

    def stand(self, random: Random) -> None:
        self.store.stand(self.store.fresh())

    def reserve(self, random: Random) -> None:
        quota, day = random.choice(QUOTAS), random.randint(739_000, 739_002)
        segments = self.book.now.quotas.get(quota, (0, 0))[1] + random.randint(1, 1000)

        def change(kept: Kept) -> None:
            kept.quotas[quota] = day, segments

        self.store.reserve(quota, day, segments, self.book.step(change))

    def was_handed_out(self, message: Message) -> None:
        assert message.key not in self.out, "handed out twice"
        known = self.book.now.queued[message.key]
        assert (message.esme, message.body, message.attempts) == (known.esme, known.body, known.attempts)
        self.out[message.key] = message

    def some_out(self, random: Random) -> list[Message]:
        """Some of the messages that were handed out, to do something with."""
        if not self.out:
            self.take(random)
        keys = list(self.out)
        random.shuffle(keys)
        return [self.out.pop(key) for key in keys[: random.randint(1, 6)]]

    def give_back(self, random: Random) -> None:
        self.store.give_back(self.some_out(random))

    def defer(self, random: Random) -> None:
        self.put_aside(self.some_out(random))

    def put_aside(self, messages: list[Message]) -> None:
        if not messages:
            return
        for message in messages:
            message.due_ns = self.now_ns + 30 * MINUTE_NS
            message.attempts += 1
            self.moved.add(message.key)
        self.book.step(lambda kept: kept.queued.update({each.key: queued(each) for each in messages}))
        self.store.defer(messages)

    def replace(self, random: Random) -> None:
        messages = self.some_out(random)
        if not messages:
            return
        for message in messages:
            message.body = b"replaced %d" % next(self.serial)
            message.due_ns = self.due(random)
            self.moved.add(message.key)
        durable = self.book.step(
            lambda kept: kept.queued.update({each.key: queued(each) for each in messages})
        )
        self.store.replace(messages, durable)

    def submitted(self, random: Random) -> None:
        """Answered, perhaps when they stand in their lane again; perhaps their receipts have been there before."""
        messages = self.some_out(random)
        if not messages:
            return
        if random.random() < 0.2:
            self.store.give_back(messages)
        elif random.random() < 0.2:
            self.put_aside(messages)
        names = list(self.book.now.held)
        answered = []
        for message in messages:
            carrier_id = names.pop() if names else b"id-%d" % message.key if message.key % 5 else b""
            answered.append((message, carrier_id))
            self.ids.append(carrier_id)
        released = self.store.release(SHELF, [carrier_id for _, carrier_id in answered])
        deliveries = self.deliveries([messages[0].esme for _ in released])
        finished = [(entry.under, OUTCOMES[0]) for entry in released]

        def change(kept: Kept) -> None:
            for message, carrier_id in answered:
                del kept.queued[message.key]
                if message.registered_delivery and carrier_id:
                    kept.sent[carrier_id] = message.key, envelope_of(message.command_id, message.body)
            self.let_go(kept, released)
            end(kept, finished)
            owe(kept, deliveries)

        self.store.submitted(CARRIER, answered, deliveries, finished, self.book.step(change))

    def let_go(self, kept: Kept, entries: Sequence[Held]) -> None:
        """All that was held under the same, in its order."""
        names = dict.fromkeys([entry.under for entry in entries])
        assert [entry.body for entry in entries] == [body for name in names for body in kept.held.pop(name)]

    def fail(self, random: Random) -> None:
        messages = self.some_out(random)
        if not messages:
            return
        ended = [(message, random.choice(OUTCOMES)) for message in messages]
        deliveries = self.deliveries([message.esme for message in messages[:2]])

        def change(kept: Kept) -> None:
            for message, outcome in ended:
                del kept.queued[message.key]
                kept.outcomes[message.key] = outcome
            owe(kept, deliveries)

        self.store.failed(ended, deliveries, self.book.step(change))

    def pick(self, random: Random) -> None:
        """As for a cancel_sm: from wherever they stand."""
        keys = [key for key in self.book.now.queued if random.random() < 0.2]
        answers: list[list[Message]] = []
        self.store.pick(keys, answers.append)
        self.run(until(lambda: bool(answers)))
        (found,) = answers
        assert {message.key for message in found} <= set(keys)
        for message in found:
            self.was_handed_out(message)
            self.moved.add(message.key)

    # ---- what carriers say, and what ESMEs are owed ---------------------------------------------------------

    def deliveries(self, esmes: Iterable[str]) -> list[Delivery]:
        return [
            Delivery(esme, "receipt", 5, b"receipt %d" % next(self.serial), 9, self.now_ns) for esme in esmes
        ]

    def receive(self, random: Random) -> None:
        """Receipts, some of them the last for their message, and MO."""
        ids = [carrier_id for carrier_id in self.book.now.sent if random.random() < 0.3]
        recalled: list[bool] = []
        self.store.recall(CARRIER, ids, lambda: recalled.append(True))
        self.run(until(lambda: bool(recalled)))
        for carrier_id in ids:
            message = self.store.find(CARRIER, carrier_id)
            assert message is not None, f"{carrier_id!r} is not found"
            assert (message.key, message.envelope) == self.book.now.sent[carrier_id]
        finished = [(carrier_id, random.choice(OUTCOMES)) for carrier_id in ids]
        deliveries = self.deliveries(random.choices(OWED, k=random.randint(1, 8)))

        def change(kept: Kept) -> None:
            end(kept, finished)
            owe(kept, deliveries)

        self.store.receive(CARRIER, deliveries, finished, self.book.step(change))

    def hold(self, random: Random) -> None:
        """Some under new names, some under old ones; what makes room goes to nobody, in the same piece."""
        entries = []
        for _ in range(random.randint(1, 3)):
            number = next(self.serial)
            names = list(self.book.now.held)
            under = random.choice(names) if names and random.random() < 0.4 else b"early-%d" % number
            entries.append(Held(under, 5, b"early %d" % number, self.now_ns))
            self.ids.append(under)
        gone = self.store.hold(SHELF, entries, random.choice((HELD_MOST, 99)))
        self.hand_on(entries, gone)

    def hand_on(self, come: Sequence[Held], gone: Sequence[Held]) -> None:
        if not come and not gone:
            return
        deliveries = self.deliveries(["" for _ in gone])

        def change(kept: Kept) -> None:
            for entry in come:
                kept.held.setdefault(entry.under, []).append(entry.body)
            self.let_go(kept, gone)
            owe(kept, deliveries)

        self.store.receive(CARRIER, deliveries, [], self.book.step(change))

    def expire_held(self, random: Random) -> None:
        gone = self.store.expire_held(SHELF, self.now_ns + 1)
        assert len(gone) == sum(map(len, self.book.now.held.values()))
        self.hand_on([], gone)

    def deliver(self, random: Random) -> None:
        esme = random.choice(OWED)
        deliveries = self.store.take_deliveries(esme, random.randint(1, 6))
        bodies = {delivery.body for delivery in deliveries}
        assert bodies <= set(self.book.now.owed[esme])
        deferred, returned = random.randint(0, 2), random.randint(0, 2)
        for delivery in deliveries[:deferred]:
            delivery.due_ns = self.now_ns + 30 * MINUTE_NS
        self.store.defer_deliveries(deliveries[:deferred])
        self.store.give_back_deliveries(deliveries[deferred : deferred + returned])
        done = deliveries[deferred + returned :]
        gone = {delivery.body for delivery in done}
        if done:
            self.book.step(
                lambda kept: kept.owed.update({esme: [body for body in kept.owed[esme] if body not in gone]})
            )
            self.store.delivered(done)


def envelope_of(command_id: int, body: bytes) -> bytes:
    return b"%d of %b" % (command_id, body)


def queued(message: Message) -> Queued:
    segments = message.segments, message.day_segments
    return Queued(message.lane.name, message.esme, message.body, message.attempts, message.due_ns, segments)


def owe(kept: Kept, deliveries: Sequence[Delivery]) -> None:
    for delivery in deliveries:
        kept.owed[delivery.esme].append(delivery.body)


def end(kept: Kept, finished: Sequence[tuple[bytes, Outcome]]) -> None:
    for carrier_id, outcome in finished:
        known = kept.sent.pop(carrier_id, None)
        if known is not None:
            kept.outcomes[known[0]] = outcome


@pytest.mark.parametrize("paged", [False, True], ids=["in memory", "paged"])
def test_a_store_comes_back_to_one_of_its_steps(paged: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when a head has room for so few entries that nearly all goes by way of pages."""
    if paged:
        shrink(monkeypatch, head_most=4, head_least=3, page_entries=3, memory_most=6)
    run_state_machine_as_test(
        StoreMachine,
        settings=settings(
            max_examples=100,
            stateful_step_count=10,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],  # to look for a shorter example would take minutes
        ),
    )
