"""When queues are to be looked at: of very many, only those whose moment has come are."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Generic, TypeVar

from smppgw.store.queue import Queue

QueueT = TypeVar("QueueT", bound=Queue)  # type: ignore[type-arg]


class Alarms(Generic[QueueT]):
    """The soonest moment of each queue in which something stands aside."""

    __slots__ = ("_moments", "_number")

    def __init__(self) -> None:
        self._moments: list[tuple[int, int, QueueT]] = []
        """A heap of (moment, number of the alarm, queue); also of queues that have a sooner one since."""
        self._number = 0

    def set(self, queue: QueueT, moment_ns: int | None) -> None:
        """Have a queue looked at then, unless it is to be sooner; None: not at all."""
        if moment_ns is not None and (not queue.alarm_ns or moment_ns < queue.alarm_ns):
            queue.alarm_ns = moment_ns
            heappush(self._moments, (moment_ns, self._number, queue))
            self._number += 1

    def over(self, now_ns: int) -> list[QueueT]:
        """Take out the queues whose moment has come."""
        moments = self._moments
        over = []
        while moments and moments[0][0] <= now_ns:
            moment_ns, _, queue = heappop(moments)
            if queue.alarm_ns == moment_ns:
                queue.alarm_ns = 0
                over.append(queue)
        return over

    def next_ns(self) -> int | None:
        """Return the soonest moment at which something is due, None where nothing is aside."""
        moments = self._moments
        while moments:
            moment_ns, _, queue = moments[0]
            if queue.alarm_ns == moment_ns:
                due_ns = queue.next_ns()
                if due_ns is not None and due_ns <= moment_ns:
                    return moment_ns
                queue.alarm_ns = 0  # what was due then has been taken out
                heappop(moments)
                self.set(queue, due_ns)
            else:
                heappop(moments)
        return None
