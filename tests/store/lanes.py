"""The lanes of stores under test, by name: each store has its own, as one may run on while the next has begun."""

from __future__ import annotations

from collections.abc import Sequence
from weakref import WeakKeyDictionary

from smppgw.store.api import Store
from smppgw.store.backlog import Backlog
from smppgw.store.entries import Lane, Message


class Lanes(dict[str, Lane]):
    """Made when they are first asked for."""

    def __missing__(self, name: str) -> Lane:
        self[name] = Lane(name)
        return self[name]


_OF: WeakKeyDictionary[Store, Lanes] = WeakKeyDictionary()


def lanes_of(store: Store) -> Lanes:
    return _OF.setdefault(store, Lanes())


def at_home(store: Store, messages: Sequence[Message]) -> Sequence[Message]:
    """Put messages that no store has yet into the lanes of this one."""
    lanes = lanes_of(store)
    for message in messages:
        message.lane = lanes[message.lane.name]
    return messages


def take_from(store: Store, name: str, most: int) -> list[Message]:
    """Take the first messages of a lane, as a caller does from whom nothing leaves at once."""
    store.stand(store.fresh())
    queue = lanes_of(store)[name].queue
    if queue is None or not store.may_leave:
        return []
    taken = [queue.head.popleft() for _ in range(min(most, len(queue.head)))]
    store.took(taken)
    return taken


def queue_in(store: Store, name: str) -> Backlog[Message]:
    """The queue of a lane of a durable store; an empty one where there is none."""
    queue = lanes_of(store)[name].queue
    return queue if isinstance(queue, Backlog) else Backlog(name)


def ready_in(store: Store, name: str) -> int:
    """How many messages of a lane can be taken."""
    store.stand(store.fresh())
    queue = lanes_of(store)[name].queue
    return len(queue.head) if queue is not None and store.may_leave else 0


def waiting_in(store: Store, name: str) -> int:
    """How many messages stand in a lane."""
    store.stand(store.fresh())
    queue = lanes_of(store)[name].queue
    return queue.waiting if queue is not None else 0


def deferred_in(store: Store, name: str) -> int:
    """How many messages of a lane stand aside."""
    queue = lanes_of(store)[name].queue
    return queue.deferred if queue is not None else 0


def oldest_in(store: Store, name: str) -> int | None:
    """When the first message of a lane was accepted, as far as it is in memory."""
    queue = lanes_of(store)[name].queue
    return queue.first.accepted_ns if queue is not None and queue.first is not None else None
