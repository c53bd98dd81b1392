"""What every `Store` must do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Protocol

import pytest

from smppgw.store.api import Store
from smppgw.store.entries import Delivery, Held, Lane, Message, Outcome, Standing
from smppgw.store.memory import MemoryStore
from tests.store.lanes import at_home, deferred_in, lanes_of, oldest_in, ready_in, take_from, waiting_in
from tests.store.stores import opened

WAIT_SECONDS: Final = 20.0
DELIVERED: Final = Outcome(2, "delivered", "000")
EXPIRED: Final = Outcome(3, "expired")
UNDELIVERABLE: Final = Outcome(5, "permanent-number", "0x0B 8")
SHELF: Final = "early/sink"


def envelope_of(command_id: int, body: bytes) -> bytes:
    return b"%d of %b" % (command_id, body)


class Make(Protocol):
    """Makes an open store that is closed at the end of the block."""

    def __call__(self, max_octets: int = 1_000_000) -> AbstractAsyncContextManager[Store]:
        """`max_octets`: above it the store is full."""


@asynccontextmanager
async def in_memory(max_octets: int = 1_000_000) -> AsyncIterator[Store]:
    store = MemoryStore(max_octets, envelope_of=envelope_of)
    await store.open()
    yield store
    await store.close()


@asynccontextmanager
async def on_disk(max_octets: int = 1 << 30) -> AsyncIterator[Store]:
    with TemporaryDirectory() as directory:
        async with opened(Path(directory) / "data", max_bytes=max_octets, envelope_of=envelope_of) as store:
            yield store


each_store = pytest.mark.parametrize("make", [in_memory, on_disk], ids=["memory", "wal"])


class Told:
    """Counts how often a promise was given, and keeps the answers that came with it."""

    def __init__(self) -> None:
        self.times = 0
        self.answers: list[Any] = []
        self._told = asyncio.Event()

    def __call__(self, *answer: Any) -> None:
        self.times += 1
        self.answers += answer
        self._told.set()

    async def told(self, times: int = 1) -> None:
        """Wait until it was given so often, and see that it is not given once more. Raises: TimeoutError."""
        async with asyncio.timeout(WAIT_SECONDS):
            while self.times < times:
                self._told.clear()
                await self._told.wait()
        await asyncio.sleep(0)
        assert self.times == times


def message(key: int, lane: str = "lane", **more: Any) -> Message:
    esme = more.pop("esme", "acme")
    body = more.pop("body", b"body %d" % key)
    registered_delivery = more.pop("registered_delivery", 1)
    return Message(key, b"%08x" % key, esme, Lane(lane), 4, body, registered_delivery, key, **more)


def delivery(number: int, esme: str = "acme", received_ns: int = 0) -> Delivery:
    return Delivery(esme, "receipt", 5, b"receipt %d" % number, 9, received_ns)


def held(under: bytes, received_ns: int = 0, body: bytes = b"body") -> Held:
    return Held(under, 5, body, received_ns)


async def accept(store: Store, *messages: Message) -> None:
    told = Told()
    store.accept(at_home(store, messages), told)
    await told.told()


async def submit(
    store: Store,
    *answered: tuple[Message, bytes],
    deliveries: Sequence[Delivery] = (),
    finished: Sequence[tuple[bytes, Outcome]] = (),
) -> None:
    told = Told()
    store.submitted("sink", answered, deliveries, finished, told)
    await told.told()


async def fail(store: Store, *messages: Message, outcome: Outcome = UNDELIVERABLE) -> None:
    told = Told()
    store.failed([(message, outcome) for message in messages], (), told)
    await told.told()


async def receive(
    store: Store, *deliveries: Delivery, finished: Sequence[tuple[bytes, Outcome]] = ()
) -> None:
    told = Told()
    store.receive("sink", deliveries, finished, told)
    await told.told()


async def replace(store: Store, *messages: Message) -> None:
    told = Told()
    store.replace(messages, told)
    await told.told()


async def picked(ask: Callable[[Callable[[list[Message]], None]], None]) -> list[Message]:
    told = Told()
    ask(told)
    await told.told()
    [messages] = told.answers
    return list(messages)


async def pick(store: Store, *keys: int) -> list[int]:
    return keys_of(await picked(lambda then: store.pick(keys, then)))


async def look_up(store: Store, key: int) -> Standing | None:
    told = Told()
    store.look_up(key, told)
    await told.told()
    [standing] = told.answers
    assert standing is None or isinstance(standing, Standing)
    return standing


def keys_of(messages: Sequence[Message]) -> list[int]:
    return [each.key for each in messages]


def take(store: Store, most: int = 99, lane: str = "lane") -> list[int]:
    return keys_of(take_from(store, lane, most))


def bodies(deliveries: Sequence[Delivery] | Sequence[Held]) -> list[bytes]:
    return [each.body for each in deliveries]


# ---- messages on their way out ------------------------------------------------------------------------------


@each_store
async def test_accepted_messages_leave_in_the_order_they_came(make: Make) -> None:
    async with make() as store:
        await accept(store, message(1), message(2))
        await accept(store, message(3))
        assert ready_in(store, "lane") == 3
        assert take(store, 2) == [1, 2]
        assert take(store, 2) == [3]
        assert take(store, 2) == []


@each_store
async def test_lanes_are_apart(make: Make) -> None:
    async with make() as store:
        await accept(store, message(1, "a"), message(2, "b"), message(3, "a"))
        assert (waiting_in(store, "a"), waiting_in(store, "b"), waiting_in(store, "c")) == (2, 1, 0)
        assert (ready_in(store, "a"), ready_in(store, "b"), ready_in(store, "c")) == (2, 1, 0)
        assert take(store, lane="b") == [2]
        assert oldest_in(store, "a") == 1
        assert oldest_in(store, "b") is None


@each_store
async def test_an_empty_batch_is_durable_too(make: Make) -> None:
    async with make() as store:
        await accept(store)
        await submit(store)
        await fail(store)
        await receive(store)
        await replace(store)
        store.give_back([])
        store.defer([])
        store.give_back_deliveries([])
        store.defer_deliveries([])
        store.delivered([])


@each_store
async def test_what_is_given_back_leaves_first_and_in_order(make: Make) -> None:
    async with make() as store:
        await accept(store, *map(message, range(1, 6)))
        store.give_back(take_from(store, "lane", 3))
        assert waiting_in(store, "lane") == 5
        assert take(store) == [1, 2, 3, 4, 5]


@each_store
async def test_what_comes_back_one_by_one_stands_in_its_order_again(make: Make) -> None:
    async with make() as store:
        await accept(store, *map(message, range(1, 8)))
        taken = take_from(store, "lane", 5)
        for key in (3, 1, 5):
            store.give_back([taken[key - 1]])
        store.give_back([taken[3], taken[1]])
        assert take(store) == [1, 2, 3, 4, 5, 6, 7]


@each_store
async def test_many_that_come_back_between_others_stand_in_their_order_again(make: Make) -> None:
    async with make() as store:
        await accept(store, *map(message, range(1, 101)))
        taken = take_from(store, "lane", 100)
        store.give_back(taken[::2])
        store.give_back(taken[1::2])
        assert take(store, 100) == list(range(1, 101))


@each_store
async def test_what_is_deferred_stands_aside_until_it_is_due(make: Make) -> None:
    async with make() as store:
        await accept(store, message(1), message(2), message(3))
        first, second = take_from(store, "lane", 2)
        first.due_ns, first.attempts = 200, 1
        second.due_ns = 100
        store.defer([first, second])
        assert (waiting_in(store, "lane"), deferred_in(store, "lane"), ready_in(store, "lane")) == (1, 2, 1)
        assert store.wake(99) == 100
        assert take(store) == [3]
        assert store.wake(100) == 200
        assert (waiting_in(store, "lane"), deferred_in(store, "lane")) == (1, 1)
        assert store.wake(200) is None
        assert oldest_in(store, "lane") == 1
        again = take_from(store, "lane", 9)
        assert keys_of(again) == [1, 2]
        assert again[0].attempts == 1


@each_store
async def test_what_is_woken_stands_where_its_key_belongs(make: Make) -> None:
    async with make() as store:
        await accept(store, *map(message, range(1, 31)))
        taken = take_from(store, "lane", 20)
        for each in taken[1::2]:
            each.due_ns = 10
        store.defer(taken[1::2])
        store.give_back(taken[::2])
        assert store.wake(10) is None
        assert take(store) == list(range(1, 31))


@each_store
async def test_a_message_with_a_moment_stands_aside_from_the_start(make: Make) -> None:
    async with make() as store:
        await accept(store, message(1, due_ns=500), message(2))
        assert (waiting_in(store, "lane"), deferred_in(store, "lane"), store.queued("acme")) == (1, 1, 2)
        assert store.wake(0) == 500
        assert take(store) == [2]
        assert store.wake(500) is None
        assert take(store) == [1]


@each_store
async def test_nothing_is_due_where_nothing_stands_aside(make: Make) -> None:
    async with make() as store:
        await accept(store, message(1))
        assert store.wake(1 << 62) is None


@each_store
async def test_what_is_replaced_leaves_in_its_place_with_what_has_changed(make: Make) -> None:
    async with make() as store:
        await accept(store, message(1), message(2), message(3))
        [second] = await picked(lambda then: store.pick([2], then))
        second.body += b" and more"
        second.registered_delivery = 0
        await replace(store, second)
        assert (waiting_in(store, "lane"), store.queued("acme")) == (3, 3)
        taken = take_from(store, "lane", 9)
        assert keys_of(taken) == [1, 2, 3]
        assert (taken[1].body, taken[1].registered_delivery) == (b"body 2 and more", 0)
        await submit(store, *((each, b"id %d" % each.key) for each in taken))


@each_store
async def test_what_is_replaced_with_a_moment_stands_aside(make: Make) -> None:
    async with make() as store:
        await accept(store, message(1), message(2, due_ns=900))
        messages = await picked(lambda then: store.pick([1, 2], then))
        for each in messages:
            each.due_ns = 300 if each.key == 1 else 0
        await replace(store, *messages)
        assert (waiting_in(store, "lane"), deferred_in(store, "lane")) == (1, 1)
        assert take(store) == [2]
        assert store.wake(299) == 300
        assert store.wake(300) is None
        assert take(store) == [1]


@each_store
async def test_a_submitted_message_is_found_by_its_carrier_s_id(make: Make) -> None:
    async with make() as store:
        await accept(store, message(1))
        [taken] = take_from(store, "lane", 1)
        await submit(store, (taken, b"ab12"))
        found = store.find("sink", b"ab12")
        assert found is not None
        assert (found.key, found.message_id, found.esme) == (1, b"00000001", "acme")
        assert (found.registered_delivery, found.accepted_ns, found.body) == (1, 1, b"")
        assert store.find("other", b"ab12") is None
        await receive(store, finished=[(b"ab12", DELIVERED), (b"never there", DELIVERED)])
        assert store.find("sink", b"ab12") is None


@each_store
async def test_a_message_that_asked_for_no_receipt_is_not_found(make: Make) -> None:
    async with make() as store:
        await accept(store, message(1, registered_delivery=0))
        await submit(store, (take_from(store, "lane", 1)[0], b"x"))
        assert store.find("sink", b"x") is None


@each_store
async def test_what_is_kept_of_a_message_is_made_when_a_carrier_has_it_and_will_report_it(make: Make) -> None:
    async with make() as store:
        await accept(store, *(message(key, registered_delivery=key % 2, parts=key) for key in (1, 2, 3)))
        first, second, third = take_from(store, "lane", 9)
        assert first.envelope == b""
        await submit(store, (first, b"x"), (second, b"y"), (third, b""))
        found = store.find("sink", b"x")
        assert found is not None
        assert (found.envelope, found.body, found.parts) == (b"4 of body 1", b"", 1)
        assert (second.envelope, third.envelope) == (b"", b"")


@each_store
async def test_what_is_kept_of_a_message_is_made_though_it_stands_again(make: Make) -> None:
    async with make() as store:
        await accept(store, message(1), message(2))
        first, second = take_from(store, "lane", 2)
        store.give_back([first])
        second.due_ns = 50
        store.defer([second])
        await submit(store, (first, b"x"), (second, b"y"))
        for key, carrier_id in ((1, b"x"), (2, b"y")):
            found = store.find("sink", carrier_id)
            assert found is not None
            assert found.envelope == b"4 of body %d" % key


@each_store
async def test_messages_may_end_in_different_ways_at_once(make: Make) -> None:
    async with make() as store:
        await accept(store, *map(message, range(1, 6)))
        first, second, third, fourth, fifth = take_from(store, "lane", 9)
        told = Told()
        store.failed([(first, EXPIRED), (second, UNDELIVERABLE), (third, EXPIRED)], (), told)
        await told.told()
        await submit(store, (fourth, b"x"), (fifth, b"y"))
        await receive(store, finished=[(b"y", UNDELIVERABLE), (b"never there", EXPIRED), (b"x", DELIVERED)])
        standings = [await look_up(store, key) for key in range(1, 6)]
        outcomes = [standing and standing.outcome for standing in standings]
        assert outcomes == [EXPIRED, UNDELIVERABLE, EXPIRED, DELIVERED, UNDELIVERABLE]


@each_store
async def test_an_empty_id_of_a_carrier_finds_nothing(make: Make) -> None:
    async with make() as store:
        await accept(store, message(1))
        await submit(store, (take_from(store, "lane", 1)[0], b""))
        assert store.find("sink", b"") is None


@each_store
async def test_receipts_that_were_held_come_with_the_response(make: Make) -> None:
    async with make() as store:
        await accept(store, message(1))
        [taken] = take_from(store, "lane", 1)
        await submit(store, (taken, b"x"), deliveries=[delivery(1)], finished=[(b"x", DELIVERED)])
        assert store.find("sink", b"x") is None
        assert bodies(store.take_deliveries("acme", 9)) == [b"receipt 1"]
        standing = await look_up(store, 1)
        assert standing is not None
        assert standing.outcome == DELIVERED


@each_store
async def test_a_failed_message_tells_its_esme(make: Make) -> None:
    async with make() as store:
        await accept(store, message(1))
        told = Told()
        store.failed([(each, UNDELIVERABLE) for each in take_from(store, "lane", 1)], [delivery(1)], told)
        await told.told()
        assert store.queued("acme") == 0
        assert bodies(store.take_deliveries("acme", 9)) == [b"receipt 1"]


@each_store
async def test_a_message_that_stands_again_leaves_when_its_answer_comes_late(make: Make) -> None:
    async with make() as store:
        await accept(store, *map(message, range(1, 6)))
        first, second, third = take_from(store, "lane", 3)
        store.give_back([first, second])
        third.due_ns = 50
        store.defer([third])
        await submit(store, (second, b"b"), (third, b"c"))
        assert (waiting_in(store, "lane"), ready_in(store, "lane"), deferred_in(store, "lane")) == (3, 3, 0)
        assert store.queued("acme") == 3
        assert store.wake(1 << 62) is None
        assert await pick(store, 2, 3) == []
        assert take(store) == [1, 4, 5]
        found = store.find("sink", b"b")
        assert found is not None
        assert found.key == 2


@each_store
async def test_a_message_that_was_woken_leaves_when_its_answer_comes_late(make: Make) -> None:
    async with make() as store:
        await accept(store, message(1), message(2))
        first, _ = take_from(store, "lane", 2)
        first.due_ns = 50
        store.defer([first])
        store.wake(50)
        await submit(store, (first, b"a"))
        assert (waiting_in(store, "lane"), ready_in(store, "lane"), oldest_in(store, "lane")) == (0, 0, None)
        assert take(store) == []


@each_store
async def test_a_message_that_was_handed_out_twice_leaves_once(make: Make) -> None:
    async with make() as store:
        await accept(store, message(1), message(2))
        store.give_back(take_from(store, "lane", 1))
        [again] = take_from(store, "lane", 1)
        await submit(store, (again, b"a"))
        assert take(store) == [2]
        assert store.queued("acme") == 1


# ---- fresh, standing, taken ---------------------------------------------------------------------------------


@each_store
async def test_what_was_accepted_is_handed_out_once_it_is_durable_in_the_order_of_acceptance(
    make: Make,
) -> None:
    async with make() as store:
        told = Told()
        seen: list[int] = []

        def durable() -> None:
            seen.extend(keys_of(store.fresh()))
            told()

        for batch in ([message(1, "b"), message(2, "a")], [message(3, "c"), message(4, "b", due_ns=9)]):
            store.accept(at_home(store, batch), durable)
        await told.told(2)
        assert (seen, store.fresh()) == ([1, 2, 3], [])
        assert [lane.name for lane in store.lanes()] == ["b"], "in which one stands aside"
        assert store.may_leave


@each_store
async def test_what_leaves_at_once_never_stands_in_its_lane(make: Make) -> None:
    async with make() as store:
        await accept(store, message(1), message(2, "other"))
        first, second = store.fresh()
        await submit(store, (first, b"x"))
        await fail(store, second)
        assert (store.queued("acme"), list(store.lanes()), store.roused()) == (0, [], [])
        assert first.lane.queue is None


@each_store
async def test_what_does_not_leave_stands_in_its_lane_until_it_is_taken(make: Make) -> None:
    async with make() as store:
        await accept(store, message(1, "a"), message(2, "b"), message(3, "a"))
        store.stand(store.fresh())
        a, b = lanes_of(store)["a"], lanes_of(store)["b"]
        assert (set(store.lanes()), store.roused(), store.roused()) == ({a, b}, [a, b], [])
        assert a.queue is not None
        assert (a.queue.waiting, a.queue.deferred, a.queue.first) == (2, 0, a.queue.head[0])
        first = a.queue.head.popleft()
        store.took([first])
        assert set(store.lanes()) == {a, b}
        assert a.queue is not None
        third = a.queue.head.popleft()
        assert b.queue is not None
        store.took([third, b.queue.head.popleft()])
        assert (a.queue, b.queue, list(store.lanes())) == (None, None, [])
        assert keys_of([first, third]) == [1, 3]


@each_store
async def test_a_lane_is_in_the_order_of_keys_whenever_what_was_fresh_comes_to_stand(make: Make) -> None:
    async with make() as store:
        await accept(store, *map(message, range(1, 9)))
        fresh = store.fresh()
        for part in (fresh[4:6], fresh[:1], fresh[6:], fresh[1:4]):
            store.stand(part)
        assert take(store) == list(range(1, 9))


@each_store
async def test_lanes_are_roused_by_whatever_fills_their_heads(make: Make) -> None:
    async with make() as store:
        lane = lanes_of(store)["lane"]
        await accept(store, message(1), message(2, due_ns=70))
        [first] = store.fresh()
        assert store.roused() == []
        store.give_back([first])
        assert store.roused() == [lane]
        await accept(store, message(3))
        store.stand(store.fresh())
        assert store.roused() == [], "its head was not empty"
        assert take(store) == [1, 3]
        store.wake(70)
        assert store.roused() == [lane]
        assert take(store) == [2]


@each_store
async def test_a_lane_that_was_roused_and_emptied_is_not_named(make: Make) -> None:
    async with make() as store:
        await accept(store, message(1))
        assert take(store) == [1]
        assert store.roused() == []


@each_store
async def test_what_is_fresh_and_was_not_asked_for_is_picked(make: Make) -> None:
    async with make() as store:
        await accept(store, *(message(key, expires_ns=50 if key == 3 else 0) for key in range(1, 5)))
        assert keys_of(await picked(lambda then: store.pick([1, 9], then))) == [1]
        assert keys_of(await picked(lambda then: store.pick_beginning("acme", b"body 2", then))) == [2]
        await accept(store, message(5, expires_ns=50))
        assert keys_of(await picked(lambda then: store.pick_expired(50, then))) == [3, 5]
        assert store.fresh() == []
        assert take(store) == [4]


@each_store
async def test_what_is_fresh_and_was_not_asked_for_may_end_or_come_back(make: Make) -> None:
    async with make() as store:
        messages = [message(key) for key in range(1, 7)]
        await accept(store, *messages)
        first, second, third, fourth, fifth, _ = messages
        await submit(store, (first, b"x"))
        await fail(store, second)
        third.due_ns = 70
        store.defer([third])
        store.give_back([fourth])
        await replace(store, fifth)
        assert (deferred_in(store, "lane"), store.queued("acme")) == (1, 4)
        assert keys_of(store.fresh()) == [6]
        assert take(store) == [4, 5]
        store.wake(70)
        assert take(store) == [3]


@each_store
async def test_a_batch_may_be_of_very_many_lanes(make: Make) -> None:
    async with make() as store:
        await accept(store, *(message(key, f"lane {key % 700}") for key in range(1, 1401)))
        store.stand(store.fresh())
        lanes = store.roused()
        assert [lane.name for lane in lanes] == [f"lane {key % 700}" for key in range(1, 701)]
        taken = [lane.queue.head.popleft() for lane in lanes if lane.queue is not None]
        store.took(taken)
        assert keys_of(taken) == list(range(1, 701))
        assert [take(store, lane=f"lane {key}") for key in (1, 699)] == [[701], [1399]]
        assert len(store.lanes()) == 698


@each_store
async def test_very_many_lanes_with_something_aside_are_woken_as_it_is_due(make: Make) -> None:
    async with make() as store:
        await accept(store, *(message(key, f"lane {key}", due_ns=10 * key) for key in range(1, 1001)))
        assert store.wake(9) == 10
        assert store.wake(35) == 40
        assert [lane.name for lane in store.roused()] == ["lane 1", "lane 2", "lane 3"]
        assert store.wake(10_000) is None
        assert len(store.roused()) == 997


# ---- what may be used ---------------------------------------------------------------------------------------


@each_store
async def test_the_last_word_about_a_quota_counts(make: Make) -> None:
    async with make() as store:
        assert store.reserved("brand/B1") == (0, 0)
        for day, segments in ((739_000, 10), (739_000, 30), (739_001, 20)):
            told = Told()
            store.reserve("brand/B1", day, segments, told)
            await told.told()
            assert store.reserved("brand/B1") == (day, segments)
        assert store.reserved("brand/B2") == (0, 0)


# ---- messages that are asked for ----------------------------------------------------------------------------


@each_store
async def test_what_stands_in_a_lane_or_aside_can_be_picked(make: Make) -> None:
    async with make() as store:
        await accept(store, message(1), message(2), message(3, due_ns=70), message(4, "other"), message(5))
        [first] = take_from(store, "lane", 1)
        assert sorted(await pick(store, 1, 2, 3, 4, 99)) == [2, 3, 4]
        assert (waiting_in(store, "lane"), deferred_in(store, "lane"), waiting_in(store, "other")) == (
            1,
            0,
            0,
        )
        assert store.queued("acme") == 5
        assert await pick(store, 2) == []
        assert take(store) == [5]
        store.give_back([first])
        assert await pick(store, 1) == [1]


@each_store
async def test_what_was_picked_is_given_back_where_it_stood(make: Make) -> None:
    async with make() as store:
        await accept(store, *map(message, range(1, 31)))
        some = await picked(lambda then: store.pick(range(1, 31, 2), then))
        assert keys_of(some) == list(range(1, 31, 2))
        store.give_back(some)
        assert take(store) == list(range(1, 31))


@each_store
async def test_what_was_picked_before_its_moment_still_waits_for_it_when_it_is_given_back(make: Make) -> None:
    async with make() as store:
        await accept(store, message(1, due_ns=70), message(2))
        store.give_back(await picked(lambda then: store.pick([1, 2], then)))
        assert (take(store), deferred_in(store, "lane")) == ([2], 1)
        assert store.wake(69) == 70
        assert take(store) == []
        store.wake(70)
        assert take(store) == [1]


@each_store
async def test_what_was_picked_can_fail(make: Make) -> None:
    async with make() as store:
        await accept(store, message(1), message(2))
        await fail(store, *await picked(lambda then: store.pick([1], then)), outcome=EXPIRED)
        assert take(store) == [2]
        assert store.queued("acme") == 1
        standing = await look_up(store, 1)
        assert standing is not None
        assert standing.outcome == EXPIRED


@each_store
async def test_messages_of_an_esme_are_picked_by_how_their_body_begins(make: Make) -> None:
    async with make() as store:
        await accept(
            store,
            message(1, body=b"abc"),
            message(2, body=b"abd", due_ns=70),
            message(3, "other", body=b"abe"),
            message(4, body=b"b"),
            message(5, body=b"abf", esme="somebody"),
            message(6, body=b"ab"),
        )
        found = await picked(lambda then: store.pick_beginning("acme", b"ab", then))
        assert sorted(keys_of(found)) == [1, 2, 3, 6]
        assert take(store) == [4, 5]


@each_store
async def test_messages_are_picked_by_what_stands_a_little_behind_the_front_of_their_body(make: Make) -> None:
    async with make() as store:
        await accept(store, *(message(key, body=b"x" * key + b"ab") for key in range(5)))
        found = await picked(lambda then: store.pick_beginning("acme", b"ab", then, behind=3))
        assert keys_of(found) == [0, 1, 2, 3]


@each_store
async def test_messages_whose_validity_is_over_are_picked(make: Make) -> None:
    async with make() as store:
        await accept(
            store,
            message(1, expires_ns=100),
            message(2),
            message(3, expires_ns=100, due_ns=5000),
            message(4, expires_ns=101),
        )

        def expired(now_ns: int) -> Any:
            return picked(lambda then: store.pick_expired(now_ns, then))

        assert await expired(99) == []
        gone = await expired(100)
        assert sorted(keys_of(gone)) == [1, 3]
        assert await expired(100) == []
        await fail(store, *gone, outcome=EXPIRED)
        assert await expired(100) == []
        assert keys_of(await expired(101)) == [4]
        assert take(store) == [2]


@each_store
async def test_what_expires_on_its_way_to_a_carrier_is_picked_when_it_comes_back(make: Make) -> None:
    async with make() as store:
        await accept(store, message(1, expires_ns=100), message(2, expires_ns=100))
        first, second = take_from(store, "lane", 2)
        assert await picked(lambda then: store.pick_expired(100, then)) == []
        store.give_back([first])
        await submit(store, (second, b"x"))
        assert keys_of(await picked(lambda then: store.pick_expired(100, then))) == [1]


@each_store
async def test_what_is_replaced_expires_at_its_new_moment(make: Make) -> None:
    async with make() as store:
        await accept(store, message(1, expires_ns=100), message(2))
        for each in (messages := await picked(lambda then: store.pick([1, 2], then))):
            each.expires_ns = 200
        await replace(store, *messages)
        assert await picked(lambda then: store.pick_expired(199, then)) == []
        assert sorted(keys_of(await picked(lambda then: store.pick_expired(200, then)))) == [1, 2]


@each_store
async def test_a_message_is_looked_up_on_its_way(make: Make) -> None:
    async with make() as store:
        assert await look_up(store, 1) is None
        await accept(store, message(1), message(2, due_ns=70))
        for key in (1, 2):
            standing = await look_up(store, key)
            assert standing is not None
            assert (standing.esme, standing.outcome, standing.final_ns) == ("acme", None, 0)
            assert standing.message is not None
            assert (standing.message.key, standing.message.body) == (key, b"body %d" % key)
        [taken] = take_from(store, "lane", 1)
        standing = await look_up(store, 1)
        assert standing is not None
        assert standing.message is not None
        await submit(store, (taken, b"x"))
        assert await look_up(store, 1) == Standing("acme", None, 0, None)


@each_store
async def test_a_message_is_looked_up_after_its_end(make: Make) -> None:
    async with make() as store:
        await accept(store, message(1), message(2), message(3, registered_delivery=0))
        first, second, third = take_from(store, "lane", 3)
        await submit(store, (first, b"x"), (third, b"y"))
        await receive(store, finished=[(b"x", DELIVERED)])
        await fail(store, second)
        for key, outcome in ((1, DELIVERED), (2, UNDELIVERABLE)):
            standing = await look_up(store, key)
            assert standing is not None
            assert (standing.esme, standing.outcome, standing.message) == ("acme", outcome, None)
            assert standing.final_ns > 0
        assert await look_up(store, 3) == Standing("acme", None, 0, None)


# ---- what carriers say --------------------------------------------------------------------------------------


@each_store
async def test_what_is_at_hand_is_found_after_a_recall_and_what_is_not_there_is_not(make: Make) -> None:
    async with make() as store:
        await accept(store, message(1))
        await submit(store, (take_from(store, "lane", 1)[0], b"x"))
        told = Told()
        store.recall("sink", [b"x", b"y"], told)
        await told.told()
        assert store.find("sink", b"x") is not None
        assert store.find("sink", b"y") is None


@each_store
async def test_an_id_that_was_finished_is_known_as_such_where_there_was_a_message(make: Make) -> None:
    async with make() as store:
        await accept(store, message(1), message(2), message(3))
        first, second, third = take_from(store, "lane", 9)
        await submit(store, (first, b"x"), (second, b"y"), finished=[(b"x", DELIVERED)])
        await fail(store, third)
        assert store.finished_envelope("sink", b"x") is not None
        assert store.finished_envelope("sink", b"y") is None
        assert store.finished_envelope("other", b"x") is None
        await receive(store, finished=[(b"y", EXPIRED), (b"y", DELIVERED), (b"never there", DELIVERED)])
        assert store.finished_envelope("sink", b"y") is not None
        assert store.finished_envelope("sink", b"never there") is None
        standing = await look_up(store, 2)
        assert standing is not None
        assert standing.outcome == EXPIRED, "the first word counts"


# ---- what is held -------------------------------------------------------------------------------------------


@each_store
async def test_what_is_held_under_the_same_is_released_together_and_once(make: Make) -> None:
    async with make() as store:
        entries = [held(b"x", body=b"1"), held(b"y", body=b"2"), held(b"x", body=b"3")]
        assert store.hold(SHELF, entries, 99) == []
        await receive(store)
        assert store.hold(SHELF, [held(b"x", body=b"4")], 99) == []
        assert store.holds(SHELF) == 4
        assert bodies(store.held(SHELF, b"x")) == [b"1", b"3", b"4"]
        assert list(store.held(SHELF, b"never there")) == []
        released = store.release(SHELF, [b"y", b"never there", b"x", b"y"])
        assert bodies(released) == [b"2", b"1", b"3", b"4"]
        assert (released[0].under, released[0].command_id) == (b"y", 5)
        assert store.release(SHELF, [b"x"]) == []
        assert list(store.held(SHELF, b"x")) == []
        assert store.holds(SHELF) == 0


@each_store
async def test_shelves_are_apart(make: Make) -> None:
    async with make() as store:
        store.hold(SHELF, [held(b"x")], 99)
        await receive(store)
        assert store.holds("other") == 0
        assert list(store.held("other", b"x")) == []
        assert store.release("other", [b"x"]) == []
        assert store.expire_held("other", 99) == []
        assert store.hold("other", [held(b"y")], 1) == []
        assert (store.holds(SHELF), store.holds("other")) == (1, 1)
        assert sorted(store.shelves()) == sorted([SHELF, "other"])
        store.release("other", [b"y"])
        assert list(store.shelves()) == [SHELF]


@each_store
async def test_the_oldest_make_room_and_those_under_the_same_leave_together(make: Make) -> None:
    async with make() as store:
        store.hold(SHELF, [held(name, body=name + b"1") for name in (b"a", b"b", b"c")], 3)
        gone = store.hold(SHELF, [held(name, body=name + b"2") for name in (b"b", b"d")], 3)
        assert bodies(gone) == [b"a1", b"b1", b"b2"]
        assert (store.holds(SHELF), bodies(store.held(SHELF, b"c"))) == (2, [b"c1"])
        assert bodies(store.hold(SHELF, [], 1)) == [b"c1"]
        assert bodies(store.hold(SHELF, [held(b"d", body=b"d3")], 1)) == [b"d2", b"d3"], (
            "all of it is too much"
        )
        assert store.holds(SHELF) == 0
        await receive(store)


@each_store
async def test_what_is_held_expires_with_the_first_that_is_under_the_same(make: Make) -> None:
    async with make() as store:
        entries = [held(b"a", 10, b"1"), held(b"b", 20, b"2"), held(b"a", 30, b"3"), held(b"c", 15, b"4")]
        store.hold(SHELF, entries, 99)
        await receive(store)
        assert store.expire_held(SHELF, 10) == []
        assert bodies(store.expire_held(SHELF, 11)) == [b"1", b"3"]
        assert bodies(store.expire_held(SHELF, 20)) == [b"4"]
        assert bodies(store.expire_held(SHELF, 21)) == [b"2"]
        assert store.expire_held(SHELF, 99) == []
        assert store.holds(SHELF) == 0
        await receive(store, delivery(1))


# ---- what ESMEs are owed ------------------------------------------------------------------------------------


@each_store
async def test_deliveries_wait_for_their_esme_in_order(make: Make) -> None:
    async with make() as store:
        await receive(store, delivery(1), delivery(2), delivery(3, "other"))
        assert (store.waiting_deliveries("acme"), store.ready_deliveries("acme")) == (2, 2)
        store.give_back_deliveries(store.take_deliveries("acme", 1))
        assert bodies(store.take_deliveries("acme", 9)) == [b"receipt 1", b"receipt 2"]
        assert (store.waiting_deliveries("acme"), store.waiting_deliveries("other")) == (0, 1)


@each_store
async def test_deliveries_that_come_back_one_by_one_stand_in_their_order_again(make: Make) -> None:
    async with make() as store:
        await receive(store, *map(delivery, range(6)))
        taken = store.take_deliveries("acme", 4)
        for number in (2, 0, 3, 1):
            store.give_back_deliveries([taken[number]])
        assert bodies(store.take_deliveries("acme", 9)) == [b"receipt %d" % number for number in range(6)]


@each_store
async def test_a_deferred_delivery_stands_aside_until_it_is_due(make: Make) -> None:
    async with make() as store:
        await receive(store, delivery(1), delivery(2))
        [first] = store.take_deliveries("acme", 1)
        first.due_ns, first.attempts = 40, 1
        store.defer_deliveries([first])
        assert (store.waiting_deliveries("acme"), store.ready_deliveries("acme")) == (2, 1)
        assert store.wake(39) == 40
        assert store.wake(40) is None
        [again, second] = store.take_deliveries("acme", 9)
        assert (again.body, again.attempts, second.body) == (b"receipt 1", 1, b"receipt 2")


@each_store
async def test_who_is_owed_something_is_known_also_where_it_is_nobody(make: Make) -> None:
    async with make() as store:
        assert set(store.owing()) == set()
        await receive(store, delivery(1), delivery(2, "gone"), delivery(3, ""))
        assert store.waiting_deliveries("never there") == 0
        assert set(store.owing()) == {"acme", "gone", ""}
        [first], [gone] = store.take_deliveries("acme", 9), store.take_deliveries("gone", 9)
        assert set(store.owing()) == {""}, "what is handed out does not wait"
        first.due_ns = 50
        store.defer_deliveries([first])
        store.delivered([gone])
        assert set(store.owing()) == {"acme", ""}


@each_store
async def test_what_belongs_to_nobody_is_kept_in_order(make: Make) -> None:
    async with make() as store:
        await receive(store, *(delivery(number, "", received_ns=number + 5) for number in range(4)))
        assert (store.waiting_deliveries(""), store.ready_deliveries("")) == (4, 4)
        first, second = store.take_deliveries("", 2)
        store.delivered([first])
        store.give_back_deliveries([second])
        left = store.take_deliveries("", 9)
        assert bodies(left) == [b"receipt 1", b"receipt 2", b"receipt 3"]
        assert [each.received_ns for each in left] == [6, 7, 8]


@each_store
async def test_the_next_moment_is_that_of_whatever_is_due_first(make: Make) -> None:
    async with make() as store:
        await accept(store, message(1, due_ns=80), message(2, "other", due_ns=60))
        await receive(store, delivery(1))
        [owed] = store.take_deliveries("acme", 1)
        owed.due_ns = 70
        store.defer_deliveries([owed])
        assert [store.wake(now_ns) for now_ns in (0, 60, 70, 80)] == [60, 70, 80, None]


# ---- what is there ------------------------------------------------------------------------------------------


@each_store
async def test_messages_are_queued_until_a_carrier_has_them_or_none_will(make: Make) -> None:
    async with make() as store:
        await accept(store, message(1), message(2, esme="other"), message(3, due_ns=9), message(4))
        assert (store.queued("acme"), store.queued("other"), store.queued("nobody")) == (3, 1, 0)
        first, second, fourth = take_from(store, "lane", 9)
        assert store.queued("acme") == 3
        await submit(store, (first, b"x"), (second, b"y"))
        assert (store.queued("acme"), store.queued("other")) == (2, 0)
        await fail(store, fourth)
        assert store.queued("acme") == 1


@each_store
async def test_the_highest_key_stays_when_its_message_has_left(make: Make) -> None:
    async with make() as store:
        assert store.highest_key == 0
        await accept(store, message(5), message(7))
        await fail(store, *take_from(store, "lane", 9))
        assert store.highest_key == 7


@each_store
async def test_a_store_that_is_open_can_promise(make: Make) -> None:
    async with make() as store:
        store.on_ready = lambda: None
        assert store.healthy
        assert not store.stalled
