"""What has waited for its ESME too long is closed, a piece at a time."""

from __future__ import annotations

import pytest

from smppgw.accounts import Account
from smppgw.metrics import Metrics
from smppgw.overdue import SWEPT_AT_ONCE, UNCONFIGURED_VALIDITY, Overdue
from smppgw.session.timers import NS
from smppgw.store.entries import Delivery, Kind
from smppgw.store.memory import MemoryStore
from tests.support import an_esme

HOUR = 3600 * NS
DAY = 24 * HOUR


class House:
    """A store, and what closes what is overdue in it: of "app" after an hour, of nobody after a week."""

    def __init__(self) -> None:
        self.store = MemoryStore(10_000_000)
        self.metrics = Metrics()
        self.account = Account(an_esme(delivery_validity=3600.0), self.metrics, 0)
        self.overdue = Overdue(self.store, {"app": self.account}, self.metrics, retention_days=7)

    def owe(self, esme: str, *received_ns: int, kind: Kind = "receipt") -> list[Delivery]:
        made = [Delivery(esme, kind, 5, b"\0\1\x011666\0", 9, each) for each in received_ns]
        self.store.receive("carrier", made, (), lambda: None)
        return made

    def waiting(self, esme: str) -> int:
        return self.store.waiting_deliveries(esme)


@pytest.fixture
def house() -> House:
    return House()


def test_what_is_older_than_its_esme_s_validity_is_closed_and_counted(house: House) -> None:
    house.owe("app", 0, 1)
    house.owe("app", 2, kind="mo")
    house.owe("app", HOUR)
    house.overdue.sweep(HOUR + 2)
    assert house.waiting("app") == 1
    assert house.metrics.delivers_expired("app", "receipt").value == 2
    assert house.metrics.delivers_expired("app", "mo").value == 1
    [left] = house.store.take_deliveries("app", 9)
    assert left.received_ns == HOUR


def test_what_is_young_stays_in_order(house: House) -> None:
    made = house.owe("app", *range(5))
    house.overdue.sweep(HOUR - 1)
    assert house.store.take_deliveries("app", 9) == made
    assert not list(house.metrics.delivers_expired.children())


def test_an_older_one_among_younger_ones_is_found_behind_the_first_that_is_overdue(house: House) -> None:
    house.owe("app", 5, HOUR, 3)
    house.overdue.sweep(HOUR + 5)
    assert house.waiting("app") == 1


def test_a_sweep_closes_so_many_of_a_queue_at_a_time(house: House) -> None:
    house.owe("app", *[0] * (SWEPT_AT_ONCE + 7))
    house.overdue.sweep(2 * HOUR)
    assert house.waiting("app") == 7
    house.overdue.sweep(2 * HOUR)
    assert house.waiting("app") == 0


@pytest.mark.parametrize(("esme", "validity_ns"), [("", 7 * DAY), ("gone", int(UNCONFIGURED_VALIDITY * NS))])
def test_what_belongs_to_nobody_any_more_is_kept_for_its_time(
    house: House, esme: str, validity_ns: int
) -> None:
    house.owe(esme, 0)
    house.overdue.sweep(validity_ns - 1)
    assert house.waiting(esme) == 1
    house.overdue.sweep(validity_ns)
    assert house.waiting(esme) == 0
    assert not house.store.octets
    assert house.metrics.delivers_expired("other", "receipt").value == 1


def test_what_is_still_on_disk_is_left_for_the_next_sweep(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.owe("app", 0)
    with monkeypatch.context() as on_disk:
        on_disk.setattr(house.store, "ready_deliveries", lambda _: 0)
        house.overdue.sweep(2 * HOUR)
        assert house.waiting("app") == 1
    house.overdue.sweep(2 * HOUR)
    assert house.waiting("app") == 0


def test_what_waited_for_one_that_is_closed_is_held_up_no_more(house: House) -> None:
    [first] = house.owe("app", 0)
    house.store.take_deliveries("app", 1)
    house.account.order.track([])
    first.source = b"1666\0"
    first.due_ns = NS
    house.account.order.failed([first])
    house.store.defer_deliveries([first])
    house.store.wake(NS)
    house.overdue.sweep(2 * HOUR)
    assert not house.account.order.waiting
