"""What an ESME is owed keeps its order for each source, whatever its binds answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw import in_order
from smppgw.in_order import FIRST_WAIT_NS, LONGEST_WAIT_NS, InOrder, Slot, source_of
from smppgw.store.entries import Delivery
from smppgw.store.memory import MemoryStore

SECOND = 1_000_000_000
PLENTY = 1_000_000


def delivery(key: int, source: bytes = b"1666", *, service_type: bytes = b"") -> Delivery:
    body = service_type + b"\0\x01\x01" + source + b"\0\x01\x0112065550100\0"
    made = Delivery("app", "mo", 5, body, len(body), 0)
    made.key = key
    return made


def several(sources: bytes) -> list[Delivery]:
    """One delivery from each of these one-octet sources; the keys rise from 1."""
    return [delivery(key, bytes([source])) for key, source in enumerate(sources, 1)]


def slots(*free: int, busy: str = "") -> list[Slot[str]]:
    """Slots of the binds "a", "b", ..., with room for so many."""
    return [Slot(name, room, PLENTY, busy=name in busy) for name, room in zip("abcdef", free, strict=False)]


def keys(deliveries: Iterable[Delivery]) -> list[int]:
    return [each.key for each in deliveries]


def placed(given_slots: list[Slot[str]]) -> dict[str, list[int]]:
    return {slot.bind: keys(slot.batch) for slot in given_slots}


@pytest.fixture
def order() -> InOrder[str]:
    order: InOrder[str] = InOrder()
    order.track(())
    return order


@pytest.mark.parametrize("service_type", [b"", b"CMT"])
def test_the_source_is_the_first_address(service_type: bytes) -> None:
    made = delivery(1, b"16665550100", service_type=service_type)
    assert source_of(made) == b"16665550100\0"
    assert made.source == b"16665550100\0"


def test_an_empty_address_is_a_source_too() -> None:
    assert source_of(delivery(1, b"")) == b"\0"


# ---- several binds ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("free", "counts"), [((9, 9, 9), [3, 3, 3]), ((1, 9, 9), [0, 5, 4]), ((9, 2, 1), [8, 1, 0])]
)
def test_binds_are_filled_so_that_the_same_room_is_left(
    order: InOrder[str], free: tuple[int, ...], counts: list[int]
) -> None:
    given_slots = slots(*free)
    assert order.place(several(b"abcdefghi"), given_slots, 0) == ([], 9)
    assert [len(slot.batch) for slot in given_slots] == counts


def test_what_a_bind_has_no_octets_for_another_one_gets(order: InOrder[str]) -> None:
    wide, narrow = Slot("a", 9, PLENTY), Slot("b", 9, 1)
    assert order.place(several(b"abcdef"), [wide, narrow], 0) == ([], 6)
    assert (len(wide.batch), len(narrow.batch)) == (5, 1)


def test_what_finds_no_room_is_left_to_be_given_back(order: InOrder[str]) -> None:
    given_slots = slots(2, 1)
    assert order.place(several(b"abcde"), given_slots, 0) == ([], 3)
    assert sorted(key for got in placed(given_slots).values() for key in got) == [1, 2, 3]


def test_a_bind_gets_no_more_octets_than_it_has_room_for_but_one_delivery(order: InOrder[str]) -> None:
    batch = several(b"abc")
    size = len(batch[0].body)
    narrow, narrower = Slot("a", 9, 2 * size), Slot("b", 9, 1)
    assert order.place(batch, [narrow, narrower], 0)[1] == 3
    assert (len(narrow.batch), len(narrower.batch)) == (2, 1)
    assert order.place(several(b"de"), [Slot("a", 9, 1)], 0) == ([], 1)


def test_a_source_stays_with_the_bind_that_has_it_in_flight(order: InOrder[str]) -> None:
    first = several(b"ab")
    order.place(first, slots(1, 1), 0)
    given_slots = slots(9, 9)
    more = [delivery(3, b"a"), delivery(4, b"b"), delivery(5, b"a")]
    order.place(more, given_slots, 0)
    where_a_is = [name for name, got in placed(given_slots).items() if got == [3, 5]]
    assert len(where_a_is) == 1
    order.settled([first[0], more[0]])
    again = slots(9, 9)
    order.place([delivery(6, b"a")], again, 0)
    assert placed(again)[where_a_is[0]] == [6], "one is still in flight there"


def test_a_source_with_nothing_in_flight_goes_wherever_there_is_room(order: InOrder[str]) -> None:
    first = delivery(1)
    order.place([first], slots(1), 0)
    order.settled([first])
    given_slots = slots(0, 1)
    order.place([delivery(2)], given_slots, 0)
    assert placed(given_slots) == {"a": [], "b": [2]}


def test_one_waits_for_a_bind_that_will_have_room_soon_and_so_do_all_behind_it(order: InOrder[str]) -> None:
    order.place([delivery(1)], slots(1), 0)
    given_slots = slots(0, 9, busy="a")
    assert order.place([delivery(2, b"x"), delivery(3), delivery(4, b"y")], given_slots, 0) == ([], 1)
    assert placed(given_slots) == {"a": [], "b": [2]}


def test_a_stuck_bind_holds_up_its_own_sources_alone(order: InOrder[str]) -> None:
    order.place([delivery(1)], slots(1), 0)
    given_slots = slots(0, 9)
    batch = [delivery(2), delivery(3, b"x"), delivery(4)]
    aside, decided = order.place(batch, given_slots, SECOND)
    assert (keys(aside), decided) == ([2, 4], 3)
    assert placed(given_slots) == {"a": [], "b": [3]}
    assert {each.due_ns for each in aside} == {SECOND + FIRST_WAIT_NS}


def test_what_stands_aside_is_not_overtaken_by_what_comes_later(order: InOrder[str]) -> None:
    first = delivery(1)
    order.place([first], slots(1), 0)
    [second], _ = order.place([delivery(2)], slots(0, 9), 0)
    order.settled([first])
    [third], _ = order.place([delivery(3)], slots(9, 9), 0)
    assert third.due_ns >= second.due_ns
    given_slots = slots(9)
    assert order.place([second, third], given_slots, third.due_ns) == ([], 2)
    assert placed(given_slots) == {"a": [2, 3]}
    assert not order.waiting


def test_what_waits_for_another_one_is_looked_at_less_and_less_often(order: InOrder[str]) -> None:
    order.place([delivery(1)], slots(1), 0)
    second, now_ns = delivery(2), 0
    waits = []
    for _ in range(9):
        order.place([second], slots(0, 9), now_ns)
        waits.append(second.due_ns - now_ns)
        now_ns = second.due_ns
    assert waits[:3] == [FIRST_WAIT_NS, 2 * FIRST_WAIT_NS, 4 * FIRST_WAIT_NS]
    assert waits[-1] == LONGEST_WAIT_NS


def test_a_bind_is_given_what_it_can_be_told(order: InOrder[str]) -> None:
    def fits(bind: str, each: Delivery) -> bool:
        return bind != "a" or each.key % 2 == 1

    given_slots = slots(9, 1)
    batch = several(b"abcd")
    aside, decided = order.place(batch, given_slots, 0, fits=fits)
    got = placed(given_slots)
    assert decided == 4
    assert not [key for key in got["a"] if key % 2 == 0]
    assert sorted(got["a"] + got["b"] + keys(aside)) == [1, 2, 3, 4]
    assert len(got["b"]) == 1


def test_what_its_source_s_bind_cannot_be_told_waits_until_that_has_answered(order: InOrder[str]) -> None:
    first, second = delivery(1), delivery(2)
    order.place([first], slots(1), 0)
    fits = lambda bind, each: bind == "b" or each.key == 1  # noqa: E731
    assert order.place([second], slots(9, 9), 0, fits=fits) == ([second], 1)
    order.settled([first])
    given_slots = slots(9, 9)
    assert order.place([second], given_slots, second.due_ns, fits=fits) == ([], 1)
    assert placed(given_slots) == {"a": [], "b": [2]}


# ---- failures -----------------------------------------------------------------------------------------------


def _failed(order: InOrder[str], failed: Delivery, due_ns: int) -> None:
    failed.due_ns = due_ns
    order.failed([failed])


def test_what_comes_after_one_that_failed_waits_at_least_as_long(order: InOrder[str]) -> None:
    first = delivery(1)
    order.place([first], slots(1), 0)
    _failed(order, first, 5 * SECOND)
    given_slots = slots(9)
    aside, decided = order.place([delivery(2), delivery(3, b"x")], given_slots, SECOND)
    assert (keys(aside), decided) == ([2], 2)
    assert aside[0].due_ns == 5 * SECOND
    assert placed(given_slots) == {"a": [3]}


def test_one_that_failed_goes_alone_until_it_is_answered(order: InOrder[str]) -> None:
    first, second, third = delivery(1), delivery(2), delivery(3)
    order.place([first], slots(1), 0)
    _failed(order, first, SECOND)
    given_slots = slots(9)
    aside, _ = order.place([first, second, third], given_slots, SECOND)
    assert placed(given_slots) == {"a": [1]}
    assert keys(aside) == [2, 3]
    order.settled([first])
    given_slots = slots(9)
    assert order.place([second, third], given_slots, second.due_ns) == ([], 2)
    assert placed(given_slots) == {"a": [2, 3]}
    order.settled([second, third])
    assert not order.waiting


def test_one_that_failed_does_not_go_while_another_of_its_source_is_in_flight(order: InOrder[str]) -> None:
    first, second = delivery(1), delivery(2)
    order.place([first, second], slots(9), 0)
    _failed(order, first, SECOND)
    assert order.place([first], slots(9), SECOND) == ([first], 1)
    order.settled([second])
    assert order.place([first], slots(9), first.due_ns) == ([], 1)


def test_what_a_lost_bind_had_alone_goes_alone_again(order: InOrder[str]) -> None:
    first, second = delivery(1), delivery(2)
    order.place([first], slots(1), 0)
    _failed(order, first, SECOND)
    order.place([first, second], slots(9), SECOND)
    order.lost([first])
    given_slots = slots(0, 9)
    aside, _ = order.place([first, second], given_slots, 2 * SECOND)
    assert placed(given_slots) == {"a": [], "b": [1]}
    assert aside == [second]


@pytest.mark.parametrize("ends", ["failed", "lost"])
def test_one_that_came_back_from_its_second_try_and_is_closed_holds_up_nothing(
    order: InOrder[str], ends: str
) -> None:
    first = delivery(1)
    order.place([first], slots(1), 0)
    _failed(order, first, SECOND)
    order.place([first], slots(1), SECOND)
    getattr(order, ends)([first])
    assert order.waiting
    order.gone([first])
    assert not order.waiting


def test_what_a_lost_bind_had_in_flight_goes_to_another_one(order: InOrder[str]) -> None:
    batch = several(b"aab")
    order.place(batch, slots(9), 0)
    order.lost(batch)
    given_slots = slots(0, 9)
    assert order.place(batch, given_slots, 0) == ([], 3)
    assert placed(given_slots) == {"a": [], "b": [1, 2, 3]}


def test_what_waited_for_one_that_is_closed_unsent_may_go(order: InOrder[str]) -> None:
    first, second = delivery(1), delivery(2)
    order.place([first], slots(1), 0)
    _failed(order, first, SECOND)
    order.gone([first, delivery(9, b"x")])
    assert not order.waiting
    assert order.place([second], slots(9), SECOND) == ([], 1)


def test_what_was_in_flight_before_it_was_followed_is_known(order: InOrder[str]) -> None:
    order.rest()
    assert not order.tracking
    batch = several(b"ab")
    order.track([("a", batch[:1]), ("b", batch[1:])])
    given_slots = slots(9, 9)
    order.place([delivery(3, b"b"), delivery(4, b"a")], given_slots, 0)
    assert placed(given_slots) == {"a": [4], "b": [3]}


def test_above_the_bound_what_fails_is_not_followed(
    order: InOrder[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_order, "ASIDE_MOST", 2)
    batch = several(b"abc")
    order.place(batch, slots(9), 0)
    for each in batch:
        _failed(order, each, SECOND)
    given_slots = slots(9)
    aside, _ = order.place(
        [delivery(4, b"a"), delivery(5, b"b"), delivery(6, b"c")], given_slots, SECOND // 2
    )
    assert keys(aside) == [4, 5]
    assert placed(given_slots) == {"a": [6]}
    order.place(batch, slots(9), SECOND)
    order.settled(batch)
    assert not order.waiting


# ---- whatever happens ---------------------------------------------------------------------------------------


class Esme:
    """An ESME with three binds, and a gateway that asks an `InOrder`; it minds what must not happen."""

    def __init__(self, window: int) -> None:
        self.window = window
        self.now_ns = 0
        self.order: InOrder[str] = InOrder()
        self.store = MemoryStore(PLENTY)
        self.binds: dict[str, list[Delivery]] = {"a": [], "b": [], "c": []}
        self.stuck: set[str] = set()
        self.open: defaultdict[bytes, set[int]] = defaultdict(set)
        """Keys of what is not accepted, by source."""
        self.careful: set[bytes] = set()
        """Sources of which something has failed, and nothing has been sent since."""
        self.alone: dict[bytes, int] = {}
        self.first_sent: defaultdict[bytes, list[int]] = defaultdict(list)
        self.accepted: defaultdict[bytes, list[int]] = defaultdict(list)

    def receive(self, source: int, count: int) -> None:
        made = [delivery(0, b"%d" % source) for _ in range(count)]
        self.store.receive("carrier", made, (), lambda: None)
        for each in made:
            self.open[source_of(each)].add(each.key)
            each.source = b""

    def send(self) -> None:
        self.store.wake(self.now_ns)
        if not self.order.tracking:
            self.order.track(self.binds.items())
        given_slots = [
            Slot(name, self.window - len(batch), PLENTY, busy=name not in self.stuck)
            for name, batch in self.binds.items()
        ]
        batch = self.store.take_deliveries("app", sum(slot.free for slot in given_slots))
        aside, decided = self.order.place(batch, given_slots, self.now_ns)
        assert all(each.due_ns > self.now_ns for each in aside)
        self.store.defer_deliveries(aside)
        self.store.give_back_deliveries(batch[decided:])
        for slot in given_slots:
            for each in slot.batch:
                self._check(slot.bind, each)
                self.binds[slot.bind].append(each)

    def _check(self, bind: str, sent: Delivery) -> None:
        source = source_of(sent)
        in_flight = {
            name: [each.key for each in batch if each.source == source] for name, batch in self.binds.items()
        }
        elsewhere = [key for name, held in in_flight.items() if name != bind for key in held]
        assert not elsewhere, "in flight on two binds"
        before = {key for key in self.open[source] if key < sent.key}
        assert before <= set(in_flight[bind]), "one before it has not been sent, or has to be sent again"
        assert source not in self.alone, "one that failed is to go alone"
        if source in self.careful:
            assert not in_flight[bind]
            self.careful.discard(source)
            self.alone[source] = sent.key
        if not self.first_sent[source] or sent.key > self.first_sent[source][-1]:
            self.first_sent[source].append(sent.key)
        else:
            assert sent.key in self.first_sent[source], "sent for the first time behind a later one"

    def _left(self, bind: str, index: int) -> Delivery | None:
        held = self.binds[bind]
        if not held:
            return None
        left = held.pop(index % len(held))
        if self.alone.get(left.source) == left.key:
            del self.alone[left.source]
        return left

    def accept(self, bind: str, index: int) -> None:
        if (done := self._left(bind, index)) is not None:
            self.open[done.source].discard(done.key)
            self.accepted[done.source].append(done.key)
            self.order.settled([done])
            self.store.delivered([done])

    def refuse(self, bind: str, index: int) -> None:
        if (failed := self._left(bind, index)) is not None:
            failed.due_ns = self.now_ns + (SECOND << min(failed.attempts, 8))
            failed.attempts += 1
            self.careful.add(failed.source)
            self.order.failed([failed])
            self.store.defer_deliveries([failed])

    def lose(self, bind: str) -> None:
        held, self.binds[bind] = self.binds[bind], []
        for each in held:
            if self.alone.get(each.source) == each.key:
                del self.alone[each.source]
                self.careful.add(each.source)
        self.order.lost(held)
        self.store.give_back_deliveries(held)

    def pass_time(self, tenths: int) -> None:
        self.now_ns += tenths * SECOND // 10

    def finish(self) -> None:
        """From now on everything is accepted, in the order in which it was sent."""
        self.stuck.clear()
        for _ in range(10_000):
            if not any(self.open.values()):
                return
            for bind in self.binds:
                while self.binds[bind]:
                    self.accept(bind, 0)
            self.pass_time(10)
            self.send()
        raise AssertionError(f"left: {dict(self.open)}")


BINDS = st.sampled_from("abc")
SMALL = st.integers(0, 9)
STEPS = st.one_of(
    st.tuples(st.just("receive"), st.integers(0, 2), st.integers(1, 4)),
    st.tuples(st.just("send")),
    st.tuples(st.just("accept"), BINDS, SMALL),
    st.tuples(st.just("refuse"), BINDS, SMALL),
    st.tuples(st.just("lose"), BINDS),
    st.tuples(st.just("pass_time"), st.integers(1, 40)),
    st.tuples(st.just("stick"), BINDS),
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(window=st.integers(1, 4), steps=st.lists(STEPS, min_size=10, max_size=80))
def test_each_source_keeps_its_order_and_everything_arrives(
    window: int, steps: list[tuple[object, ...]]
) -> None:
    esme = Esme(window)
    for name, *arguments in steps:
        if name == "stick":
            esme.stuck ^= {str(arguments[0])}
        else:
            getattr(esme, str(name))(*arguments)
        esme.send()
    esme.finish()
    assert not esme.order.waiting
    assert not esme.store.octets


@settings(max_examples=100, deadline=None, derandomize=True)
@given(window=st.integers(1, 4), steps=st.lists(STEPS, min_size=10, max_size=80))
def test_what_is_refused_with_all_behind_it_is_accepted_in_order(
    window: int, steps: list[tuple[object, ...]]
) -> None:
    """A bind that answers in order, and refuses until it can take more, sees each source in order."""
    esme = Esme(window)
    for name, *arguments in steps:
        if name == "refuse":
            while esme.binds[str(arguments[0])]:
                esme.refuse(str(arguments[0]), 0)
        elif name == "accept":
            esme.accept(str(arguments[0]), 0)
        elif name != "stick":
            getattr(esme, str(name))(*arguments)
        esme.send()
    esme.finish()
    for accepted in esme.accepted.values():
        assert accepted == sorted(accepted)
