from __future__ import annotations

from smppgw.store.alarms import Alarms
from smppgw.store.owed import Owed
from tests.store.test_contract import bodies, delivery


def test_octets_are_those_of_what_is_not_done_with() -> None:
    owed = Owed(Alarms())
    owed.owe([delivery(1), delivery(2, "other")])
    owed.owe([])
    assert owed.octets == 2 * len(b"receipt 1")
    taken = owed.take_deliveries("acme", 9)
    assert owed.octets == 2 * len(b"receipt 1")
    owed.done_with(taken)
    assert owed.octets == len(b"receipt 2")


def test_what_stands_aside_is_woken_by_the_alarms_it_was_given() -> None:
    alarms: Alarms = Alarms()  # type: ignore[type-arg]
    owed = Owed(alarms)
    owed.owe([delivery(1), delivery(2)])
    [first] = owed.take_deliveries("acme", 1)
    first.due_ns = 40
    owed.defer_deliveries([first])
    assert (alarms.next_ns(), owed.ready_deliveries("acme"), owed.waiting_deliveries("acme")) == (40, 1, 2)
    [queue] = alarms.over(40)
    queue.wake(40)
    assert bodies(owed.take_deliveries("acme", 9)) == [b"receipt 1", b"receipt 2"]


def test_clearing_says_how_many_there_were() -> None:
    owed = Owed(Alarms())
    owed.owe([delivery(1), delivery(2, "other"), delivery(3)])
    owed.take_deliveries("other", 1)
    assert (owed.clear(), owed.owing(), owed.clear()) == (2, set(), 0)
