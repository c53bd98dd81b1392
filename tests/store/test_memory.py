"""What every `Store` must do; `stores` gains the durable one when it is there."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from smppgw.store.api import Store
from smppgw.store.entries import Delivery, EarlyReceipt, Message
from smppgw.store.memory import MAX_EARLY, MemoryStore


class Told:
    """Counts how often a promise was given."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


def message(key: int, lane: str = "lane", *, registered_delivery: int = 1, body: bytes = b"body") -> Message:
    return Message(key, b"%08x" % key, "acme", lane, 4, body, registered_delivery, key)


def delivery(number: int, esme: str = "acme") -> Delivery:
    return Delivery(esme, "receipt", 5, b"receipt %d" % number, 9)


def early(carrier_id: bytes, received_ns: int = 0) -> EarlyReceipt:
    return EarlyReceipt(carrier_id, 5, b"body", received_ns)


@pytest.fixture(params=[lambda: MemoryStore(1000)], ids=["memory"])
def store(request: pytest.FixtureRequest) -> Store:
    make: Callable[[], Store] = request.param
    return make()


def test_accepted_messages_leave_in_the_order_they_came(store: Store) -> None:
    told = Told()
    store.accept([message(1), message(2)], told)
    store.accept([message(3)], told)
    assert told.times == 2
    assert [each.key for each in store.take("lane", 2)] == [1, 2]
    assert [each.key for each in store.take("lane", 2)] == [3]
    assert store.take("lane", 2) == []


def test_lanes_are_apart(store: Store) -> None:
    store.accept([message(1, "a"), message(2, "b"), message(3, "a")], Told())
    assert store.waiting("a") == 2
    assert store.waiting("b") == 1
    assert [each.key for each in store.take("b", 9)] == [2]
    assert store.oldest_ns("a") == 1
    assert store.oldest_ns("b") is None


def test_what_is_given_back_leaves_first_and_in_order(store: Store) -> None:
    store.accept([message(key) for key in range(1, 6)], Told())
    taken = store.take("lane", 3)
    store.give_back(taken)
    assert [each.key for each in store.take("lane", 9)] == [1, 2, 3, 4, 5]


def test_a_submitted_message_is_found_by_its_carrier_s_id(store: Store) -> None:
    told = Told()
    store.accept([message(1)], Told())
    [taken] = store.take("lane", 1)
    assert store.submitted("sink", [(taken, b"ab12")], told) == []
    assert told.times == 1
    found = store.find("sink", b"ab12")
    assert found is not None
    assert found.key == 1
    assert store.find("other", b"ab12") is None
    store.receive("sink", [], [b"ab12", b"never there"], told)
    assert told.times == 2
    assert store.find("sink", b"ab12") is None


def test_a_message_that_asked_for_no_receipt_is_forgotten_once_it_is_sent(store: Store) -> None:
    store.accept([message(1, registered_delivery=0)], Told())
    store.submitted("sink", [(store.take("lane", 1)[0], b"x")], Told())
    assert store.find("sink", b"x") is None


def test_a_receipt_that_came_early_is_handed_over_with_its_message(store: Store) -> None:
    assert store.hold("sink", [early(b"x")]) == 0
    store.accept([message(1)], Told())
    [(found, receipt)] = store.submitted("sink", [(store.take("lane", 1)[0], b"x")], Told())
    assert found.key == 1
    assert receipt.carrier_id == b"x"
    assert store.expire_held(1 << 62) == {}


def test_held_receipts_expire(store: Store) -> None:
    store.hold("sink", [early(b"a", 10), early(b"b", 20)])
    assert store.expire_held(15) == {"sink": 1}
    assert store.expire_held(25) == {"sink": 1}
    assert store.expire_held(25) == {}


def test_the_oldest_held_receipts_make_room(store: Store) -> None:
    receipts = [early(b"%d" % number) for number in range(MAX_EARLY + 3)]
    assert store.hold("sink", receipts) == 3


def test_deliveries_wait_for_their_esme_in_order(store: Store) -> None:
    told = Told()
    store.receive("", [delivery(1), delivery(2), delivery(3, "other")], (), told)
    assert told.times == 1
    assert store.waiting_deliveries("acme") == 2
    taken = store.take_deliveries("acme", 1)
    store.give_back_deliveries(taken)
    assert [each.body for each in store.take_deliveries("acme", 9)] == [b"receipt 1", b"receipt 2"]
    assert store.waiting_deliveries("other") == 1


def test_octets_are_counted_until_a_message_is_somebody_else_s(store: Store) -> None:
    store.accept([message(1, body=b"x" * 400), message(2, body=b"x" * 600)], Told())
    assert store.octets == 1000
    assert store.full
    first, second = store.take("lane", 2)
    assert store.full
    store.submitted("sink", [(first, b"id")], Told())
    assert store.octets == 600
    assert not store.full
    store.failed([second], Told())
    assert store.octets == 0
    waiting = [delivery(1)]
    store.receive("", waiting, (), Told())
    assert store.octets == len(waiting[0].body)
    store.delivered(store.take_deliveries("acme", 1))
    assert store.octets == 0


def test_closing_says_what_is_lost() -> None:
    store = MemoryStore(1000)
    store.accept([message(1), message(2)], Told())
    store.receive("", [delivery(1)], (), Told())
    assert store.healthy
    assert store.close() == 3
    assert store.waiting("lane") == 0


def test_what_comes_back_one_by_one_stands_in_its_order_again(store: Store) -> None:
    store.accept([message(key) for key in range(1, 8)], Told())
    taken = store.take("lane", 5)
    for key in (3, 1, 5):
        store.give_back([taken[key - 1]])
    store.give_back([taken[3], taken[1]])
    assert [each.key for each in store.take("lane", 9)] == [1, 2, 3, 4, 5, 6, 7]


def test_deliveries_that_come_back_one_by_one_stand_in_their_order_again(store: Store) -> None:
    store.receive("", [delivery(number) for number in range(6)], (), Told())
    taken = store.take_deliveries("acme", 4)
    for number in (2, 0, 3, 1):
        store.give_back_deliveries([taken[number]])
    assert [each.body for each in store.take_deliveries("acme", 9)] == [b"receipt %d" % n for n in range(6)]


def test_an_empty_id_of_a_carrier_finds_nothing(store: Store) -> None:
    store.accept([message(1)], Told())
    store.submitted("sink", [(store.take("lane", 1)[0], b"")], Told())
    assert store.find("sink", b"") is None
