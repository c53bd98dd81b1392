from __future__ import annotations

from collections.abc import Callable, Sequence

from smppgw.expiry import ENDED_AT_ONCE, EXPIRED, Expiry
from smppgw.metrics import Metrics
from smppgw.pdu.constants import CommandId
from smppgw.store.entries import Delivery, Lane, Message, Outcome, Standing
from smppgw.store.memory import MemoryStore


class Bench:
    """An Expiry over a store whose clock stands at 1,000, and what it asked of others."""

    def __init__(self) -> None:
        self.store = MemoryStore(1_000_000, clock=lambda: 1_000)
        self.metrics = Metrics()
        self.served = 0
        self.lane = Lane("otp")
        self.late: list[Callable[[], None]] | None = None
        """What waits for the store to say what it knows, if it is slow."""
        self.expiry = Expiry(
            self.store, self.metrics, own_receipts=self._receipts, on_deliveries=self._on_deliveries
        )

    def _receipts(
        self, ended: Sequence[tuple[Message, Outcome]], then: Callable[[list[Delivery]], None]
    ) -> None:
        assert {outcome for _, outcome in ended} == {EXPIRED}
        deliveries = [
            Delivery(message.esme, "receipt", CommandId.DELIVER_SM, b"expired " + message.body, 0, 1_000)
            for message, _ in ended
            if message.registered_delivery
        ]
        if self.late is None:
            then(deliveries)
        else:
            self.late.append(lambda: then(deliveries))

    def _on_deliveries(self) -> None:
        self.served += 1

    def accept(
        self,
        key: int,
        expires_ns: int,
        *,
        esme: str = "app",
        registered_delivery: int = 1,
        due_ns: int = 0,
    ) -> None:
        message = Message(
            key, b"%d" % key, esme, self.lane, CommandId.SUBMIT_SM, b"%d" % key, registered_delivery, 1
        )
        message.expires_ns = expires_ns
        message.due_ns = due_ns
        self.store.accept([message], lambda: None)

    def standing(self, key: int) -> Standing | None:
        found: list[Standing | None] = []
        self.store.look_up(key, found.append)
        return found[0]

    def expired(self, esme: str = "app") -> int:
        return self.metrics.messages_expired(esme).value


def test_what_has_expired_is_ended_and_told_to_those_who_asked() -> None:
    bench = Bench()
    bench.accept(1, 900)
    bench.accept(2, 1_000, registered_delivery=0)
    bench.accept(3, 1_001)
    bench.accept(4, 0)
    bench.expiry.sweep(1_000)
    assert bench.standing(1) == Standing("app", EXPIRED, 1_000, None)
    assert bench.standing(2) == Standing("app", EXPIRED, 1_000, None)
    assert bench.lane.queue is not None
    assert [message.key for message in bench.lane.queue.head] == [3, 4]
    assert [each.body for each in bench.store.take_deliveries("app", 10)] == [b"expired 1"]
    assert bench.served == 1


def test_a_message_expires_while_it_stands_aside() -> None:
    bench = Bench()
    bench.accept(1, 900, due_ns=5_000)
    bench.expiry.sweep(1_000)
    assert not bench.store.lanes()
    assert bench.expired() == 1


def test_expired_messages_are_counted_for_each_esme() -> None:
    bench = Bench()
    for key, esme in enumerate(("app", "app", "shop"), start=1):
        bench.accept(key, 900, esme=esme)
    bench.expiry.sweep(1_000)
    assert (bench.expired("app"), bench.expired("shop")) == (2, 1)
    assert bench.store.queued("app") == 0


def test_what_dispatch_met_is_ended_alike() -> None:
    bench = Bench()
    bench.accept(1, 900)
    bench.expiry.expire(bench.store.fresh())
    standing = bench.standing(1)
    assert standing is not None
    assert standing.outcome == EXPIRED
    assert bench.expired() == 1


def test_nobody_is_served_where_nothing_was_asked_for() -> None:
    bench = Bench()
    bench.expiry.sweep(1_000)
    bench.accept(1, 900, registered_delivery=0)
    bench.expiry.sweep(1_000)
    assert bench.served == 0
    assert bench.store.waiting_deliveries("app") == 0


def test_what_expires_together_ends_in_pieces_and_is_told_to_all() -> None:
    bench = Bench()
    count = 2 * ENDED_AT_ONCE + 1
    for key in range(1, count + 1):
        bench.accept(key, 900)
    bench.expiry.sweep(1_000)
    assert bench.expired() == count
    assert bench.store.waiting_deliveries("app") == count
    assert bench.served == 3


def test_what_has_expired_is_ended_when_the_store_has_said_what_it_knows_of_other_parts() -> None:
    bench = Bench()
    bench.late = []
    bench.accept(1, 900)
    bench.expiry.sweep(1_000)
    bench.expiry.sweep(1_000)
    assert (bench.expired(), bench.store.queued("app"), len(bench.late)) == (0, 1, 1)
    bench.late[0]()
    assert (bench.expired(), bench.store.queued("app"), bench.served) == (1, 0, 1)
