"""Lines that a limit keeps back, until it has room for them.

A line waits in the turns of one limit, and comes to its outlet's again when there is room: one message of one line for
each segment, so that nothing is looked at in vain. A limit that is waited for stands in one heap by the moment at which
it has room again. So what keeps 100,000 numbers back costs nothing until it is over.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush
from itertools import count
from typing import Final, TypeAlias

from smppgw.lines import Line
from smppgw.metrics import Metrics
from smppgw.store.entries import Lane, Message
from smppgw.throttle.day_cap import DayCap
from smppgw.throttle.limit import Limit
from smppgw.throttle.turns import Turns

Held: TypeAlias = Limit | DayCap

STUCK_NS: Final = 5_000_000
"""Before a limit lets others go on in the place of those that could not leave."""


class Waiting:
    """Lets lines wait, and go on."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._due: list[tuple[int, int, Limit]] = []
        """A heap: when each limit that is waited for has room; also of some that had it before."""
        self._tie = count()
        self._waited: set[Held] = set()
        """Limits that are waited for."""
        self._granted: list[Line] = []
        """Lines that a limit has let go on, in this pass or before; some have been sent of since."""
        self._room: set[DayCap] = set()
        """Caps that have room again, and may be waited for."""
        self._kept_back: dict[str, int] = {}
        self.asked: set[DayCap] = set()
        """Caps of which something was used, or wanted, in this pass."""

    @property
    def next_ns(self) -> int | None:
        """When a limit that is waited for has room again; None where none is."""
        return self._due[0][0] if self._due else None

    def release_due(self, now_ns: int) -> None:
        """Let those go on whose limits have room again."""
        due = self._due
        while due and due[0][0] <= now_ns:
            self._release(heappop(due)[2], now_ns)
        while self._room:
            self._release_cap(self._room.pop())

    def has_room(self, cap: DayCap) -> None:
        """A cap may let more leave: the next pass looks."""
        self._room.add(cap)

    def place(self, lanes: Iterable[Lane], now_ns: int) -> None:
        """Let lines in which something has come to stand wait for what keeps them back: a limit, or the carrier."""
        for line in lanes:
            assert isinstance(line, Line)
            if line.queue is None or not line.queue.head:
                continue
            if line.waits is not None and not _waits_in_vain(line, line.queue.head[0]):
                self._look_sooner(line, now_ns)
                continue
            limit = kept_back_by(line, line.queue.head[0], None, now_ns)
            if limit is not None:
                self.wait(line, limit, now_ns)
            else:
                let_wait(line, line.outlet.turns)

    def _look_sooner(self, line: Line, now_ns: int) -> None:
        """Another message is the first of a line that waits: it may be shorter than the one before."""
        for limit in (line.number, line.campaign):
            if limit is not None and limit.waiting is not None and line.waits is limit.waiting:
                self._arm(limit, now_ns)

    def wait(self, line: Line, limit: Held, now_ns: int) -> None:
        """Let a line wait for a limit."""
        if limit.waiting is None:
            limit.waiting = Turns()
            self._waited.add(limit)
        let_wait(line, limit.waiting)
        if isinstance(limit, DayCap):
            self.asked.add(limit)
        self._kept_back[limit.kind] = self._kept_back.get(limit.kind, 0) + 1
        if not limit.out and limit.waiting.peek() is line:
            self._arm(limit, now_ns)

    def used(self, limit: Held, now_ns: int) -> None:
        """A line that was let go on has sent, or waits for something else."""
        limit.out -= 1
        if not limit.out and limit.waiting is not None:
            if isinstance(limit, DayCap):
                self._release_cap(limit)
            else:
                self._release(limit, now_ns)

    def end_pass(self, now_ns: int, *, several: bool) -> bool:
        """End a pass; return whether another one, at once, may let more leave.

        Who was let go on, and could not leave for want of room at the carrier, goes first when there is room. With
        `several` outlets it waits for that alone: its limit is not to keep those of other outlets back meanwhile.
        """
        stuck = [line for line in self._granted if line.granter is not None]
        self._granted = stuck
        if stuck and several:
            for line in stuck:
                limit, line.granter = line.granter, None
                assert limit is not None, "it is stuck"
                limit.out = 0
                if limit.waiting is not None:
                    self._arm(limit, now_ns + STUCK_NS)
            self._granted = []
        for kind, number in self._kept_back.items():
            self._metrics.throttled(kind).add(number)
        self._kept_back.clear()
        return bool(self._room)

    def clear(self) -> None:
        """Let nobody wait for a limit any more."""
        for limit in self._waited:
            while limit.waiting:
                limit.waiting.pop().waits = None
            limit.waiting, limit.out = None, 0
        for line in self._granted:
            if line.granter is not None:
                line.granter.out, line.granter = 0, None
        for stale in (self._waited, self._due, self._room, self._granted):
            stale.clear()

    def _arm(self, limit: Held, now_ns: int) -> None:
        """Look at a limit when it has room for the first that waits for it."""
        if isinstance(limit, DayCap):
            if limit.room:
                self._room.add(limit)
            return
        first = limit.waiting.peek() if limit.waiting is not None else None
        if first is not None:
            head = first.queue.head if first.queue is not None else None
            segments = head[0].segments if head else 1
            heappush(self._due, (limit.ready_at(now_ns, segments), next(self._tie), limit))

    def _release(self, limit: Limit, now_ns: int) -> None:
        """Let as many lines go on as there are segments for what is first in each."""
        if limit.out:
            return
        segments = 0
        while (found := self._first(limit)) is not None:
            line, message = found
            if not segments:
                if limit.ready_at(now_ns, message.segments) > now_ns:
                    self._arm(limit, now_ns)
                    return
            elif limit.available(now_ns) < segments + message.segments:
                return
            segments += message.segments
            self._grant(limit, line)

    def _release_cap(self, cap: DayCap) -> None:
        if cap.out:
            return
        segments = 0
        while (found := self._first(cap)) is not None:
            line, message = found
            segments += message.day_segments
            if segments > cap.room:
                return
            self._grant(cap, line)

    def _first(self, limit: Held) -> tuple[Line, Message] | None:
        """Return the line that is next to go on, with its first message; None where none waits."""
        while limit.waiting is not None:
            line: Line | None = limit.waiting.peek()
            if line is None:
                self._nobody_waits(limit)
            elif line.waits is limit.waiting and line.queue is not None and line.queue.head:
                return line, line.queue.head[0]
            else:  # it waits elsewhere, or what stood there is gone
                leave(limit.waiting)
        return None

    def _nobody_waits(self, limit: Held) -> None:
        limit.waiting = None
        self._waited.discard(limit)

    def _grant(self, limit: Held, line: Line) -> None:
        waiting = limit.waiting
        assert waiting is not None, "the line waits there"
        waiting.pop()
        if not waiting:
            self._nobody_waits(limit)
        limit.out += 1
        line.granter = limit
        let_wait(line, line.outlet.turns)
        self._granted.append(line)


def let_wait(line: Line, turns: Turns[Line]) -> None:
    """Give a line its place, the only one, among those that wait."""
    turns.add(line)
    line.waits = turns


def leave(turns: Turns[Line]) -> Line | None:
    """Take out who is next, with its place; None where the place of that one is elsewhere by now."""
    line = turns.pop()
    if line.waits is not turns:
        return None
    line.waits = None
    return line


def _waits_in_vain(line: Line, message: Message) -> bool:
    """Whether a line waits for a cap that its first message, which was not the first before, does not count to."""
    cap = line.cap
    return cap is not None and line.waits is cap.waiting and not message.day_segments


def kept_back_by(line: Line, message: Message, granter: Held | None, now_ns: int) -> Held | None:
    """Return the limit that a message has to wait for; None where it may leave.

    Who comes when others wait for a limit waits behind them; `granter` has let this line go on.
    """
    for limit in (line.number, line.campaign):
        if limit is not None and (
            (limit.waiting is not None and limit is not granter)
            or limit.ready_at(now_ns, message.segments) > now_ns
        ):
            return limit
    cap = line.cap
    if (
        cap is not None
        and message.day_segments
        and message.day_segments <= cap.segments_per_day  # it could wait for ever
        and ((cap.waiting is not None and cap is not granter) or cap.room < message.day_segments)
    ):
        return cap
    return None
