from __future__ import annotations

from smppgw.store.alarms import Alarms
from smppgw.store.entries import Lane, Message
from smppgw.store.queue import Queue
from tests.store.test_contract import message


def with_aside(*dues_ns: int) -> Queue[Message]:
    queue: Queue[Message] = Queue(Lane("lane"))
    queue.defer([message(key, due_ns=due_ns) for key, due_ns in enumerate(dues_ns, 1)])
    return queue


def alarms_of(*queues: Queue[Message]) -> Alarms[Queue[Message]]:
    alarms: Alarms[Queue[Message]] = Alarms()
    for queue in queues:
        alarms.set(queue, queue.next_ns())
    return alarms


def test_only_queues_whose_moment_has_come_are_looked_at() -> None:
    queues = [with_aside(10 + number) for number in range(1000)]
    alarms = alarms_of(*reversed(queues))
    assert alarms.next_ns() == 10
    assert alarms.over(9) == []
    assert alarms.over(12) == queues[:3]
    assert (alarms.over(12), alarms.next_ns()) == ([], 13)


def test_the_sooner_moment_counts() -> None:
    queue = with_aside(50)
    alarms = alarms_of(queue)
    queue.defer([message(9, due_ns=20)])
    alarms.set(queue, 20)
    alarms.set(queue, 40)
    assert alarms.over(30) == [queue]
    queue.wake(30)
    alarms.set(queue, queue.next_ns())
    assert alarms.over(45) == []
    assert alarms.next_ns() == 50


def test_what_has_been_taken_out_is_waited_for_no_more() -> None:
    gone, later = with_aside(10), with_aside(20, 30)
    alarms = alarms_of(gone, later)
    gone.remove([1])
    later.remove([1])
    assert alarms.next_ns() == 30
    assert alarms.over(29) == []


def test_a_queue_may_be_looked_at_later_than_something_in_it_was_due() -> None:
    queue = with_aside(10)
    alarms: Alarms[Queue[Message]] = Alarms()
    alarms.set(queue, 25)
    assert alarms.next_ns() == 25
    alarms.set(queue, None)
    assert alarms.over(25) == [queue]
