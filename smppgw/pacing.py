"""Which messages may leave now: those of the line whose turn it is, as far as their limits have room.

A line that a limit keeps back waits in that limit's turns, and comes to its outlet's again when there is room: one
message of one line for each segment, so that nothing is looked at in vain. A limit that is waited for stands in one
heap by the moment at which it has room again. So what keeps 100,000 numbers back costs nothing until it is over.

Hot path: what has just been accepted leaves at once, in one loop, while nothing waits before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from heapq import heappop, heappush
from itertools import count
from typing import TypeAlias

from smppgw.lines import Line, Lines, Outlet
from smppgw.metrics import Metrics
from smppgw.routing import LANES
from smppgw.session.timers import NS
from smppgw.store.api import Store
from smppgw.store.entries import Lane, Message
from smppgw.throttle.day_cap import DayCap
from smppgw.throttle.limit import Limit
from smppgw.throttle.registry import Reason
from smppgw.throttle.turns import Turns

Held: TypeAlias = Limit | DayCap


class Pacing:
    """Hands out messages to be sent, and spends what their limits allow."""

    def __init__(
        self,
        store: Store,
        lines: Lines,
        metrics: Metrics,
        *,
        on_refused: Callable[[list[tuple[Message, Reason]]], None],
    ) -> None:
        """`on_refused` gets what was accepted and may not be sent any more."""
        self._store = store
        self._lines = lines
        self._metrics = metrics
        self._on_refused = on_refused
        self._due: list[tuple[int, int, Limit]] = []
        """A heap: when each limit that is waited for has room; also of some that had it before."""
        self._tie = count()
        self._granted: list[Line] = []
        """Lines that a limit has let go on in this pass."""
        self._room: set[DayCap] = set()
        """Caps that have room again, and may be waited for."""
        self._asked: set[DayCap] = set()
        self._kept_back: dict[str, int] = {}
        self.again = False
        """Whether another pass, at once, may let more leave."""

    # ---- a pass ---------------------------------------------------------------------------------------------

    def begin(self, now_ns: int) -> None:
        """Begin a pass: let those go on whose limits have room, and take in what has come."""
        self.again = False
        due = self._due
        while due and due[0][0] <= now_ns:
            self._release(heappop(due)[2], now_ns)
        while self._room:
            self._release_cap(self._room.pop())
        self._place(self._store.roused(), now_ns)
        fresh = self._store.fresh()
        if not fresh:
            return
        outlets = self._lines.outlets
        if len(outlets) == 1:
            outlets[0].fresh += fresh
        else:
            for message in fresh:
                _line(message).outlet.fresh.append(message)
        for outlet in outlets:
            if outlet.fresh and outlet.turns:
                self._stand(outlet, now_ns)

    def take(self, outlet: Outlet, most: int, octets: int, now_ns: int) -> list[Message]:
        """Hand out messages of an outlet: at most so many, of at most so many octets, or one."""
        taken: list[Message] = []
        if outlet.turns:
            octets = self._take_in_turn(outlet, most, octets, now_ns, taken)
        if outlet.fresh and octets > 0 and len(taken) < most and not outlet.turns:
            self._take_fresh(outlet, most, octets, now_ns, taken)
        return taken

    def end(self, now_ns: int) -> None:
        """End a pass: what has not left waits."""
        for outlet in self._lines.outlets:
            if outlet.fresh and not outlet.lingers:
                self._stand(outlet, now_ns)
            outlet.lingers = False
        # Who was let go on, and could not leave for want of room at the carrier, waits for that alone: its limit is
        # not to keep others back meanwhile.
        for line in self._granted:
            limit = line.granter
            if limit is not None:
                line.granter = None
                limit.out = 0
                if limit.waiting is not None:
                    self.again = True
                    self._arm(limit, now_ns)
        self._granted.clear()
        for kind, number in self._kept_back.items():
            self._metrics.throttled(kind).add(number)
        self._kept_back.clear()

    @property
    def next_ns(self) -> int | None:
        """When a limit that is waited for has room again; None where none is."""
        return self._due[0][0] if self._due else None

    def asked(self) -> set[DayCap]:
        """Return the caps of which something was used, or wanted, since this was asked last."""
        asked, self._asked = self._asked, set()
        return asked

    def has_room(self, cap: DayCap) -> None:
        """A cap may let more leave: the next pass looks."""
        self._room.add(cap)

    def close(self) -> None:
        """Hand nothing more out: everything stands in its lane."""
        for outlet in self._lines.outlets:
            fresh, outlet.fresh = outlet.fresh, []
            self._store.stand(fresh)

    def begin_anew(self, now_ns: int) -> None:
        """Let each line wait for what keeps it back now: limits, or what they are of, have changed."""
        self.close()
        self._due.clear()
        self._room.clear()
        for outlet in self._lines.outlets:
            outlet.turns = Turns()
        waiting = [lane for lane in self._store.lanes() if isinstance(lane, Line)]
        for line in waiting:
            for limit in line.limits:
                if limit is not None:
                    limit.waiting, limit.out = None, 0
            line.waits, line.granter = False, None
        self._place(waiting, now_ns)

    # ---- what leaves at once --------------------------------------------------------------------------------

    def _take_fresh(self, outlet: Outlet, most: int, octets: int, now_ns: int, taken: list[Message]) -> None:
        """Take of what has been accepted, in its order; what its limits keep back, and what is behind that, stands."""
        fresh = outlet.fresh
        stand: list[Message] = []
        behind: set[Line] = set()
        at = 0
        room = most - len(taken)
        take = taken.append
        for message in fresh:
            if not room or octets <= 0:
                break
            at += 1
            line = message.lane
            assert isinstance(line, Line)
            segments = message.segments
            number, campaign, cap = line.number, line.campaign, line.cap
            if (
                (line.queue is not None and line.queue.waiting)
                or line.refusals is not None
                or (behind and line in behind)
                or (
                    number is not None
                    and (
                        number.gate_ns > now_ns
                        or number.waiting is not None
                        or (segments > 1 and number.ready_at(now_ns, segments) > now_ns)
                    )
                )
                or (
                    campaign is not None
                    and (
                        campaign.gate_ns > now_ns
                        or campaign.waiting is not None
                        or (segments > 1 and campaign.ready_at(now_ns, segments) > now_ns)
                    )
                )
                or (
                    cap is not None
                    and message.day_segments
                    and (cap.waiting is not None or cap.room < message.day_segments)
                )
            ):
                stand.append(message)
                behind.add(line)
                self.again = self.again or line.refusals is not None
                continue
            if number is not None:
                number.spend(segments, now_ns)
            if campaign is not None:
                campaign.spend(segments, now_ns)
            if cap is not None:
                cap.spend(message.day_segments)
                self._asked.add(cap)
            octets -= len(message.body)
            room -= 1
            take(message)
        outlet.fresh = fresh[at:]
        if stand:
            self._store.stand(stand)
            self._place(self._store.roused(), now_ns)

    # ---- what has waited ------------------------------------------------------------------------------------

    def _take_in_turn(self, outlet: Outlet, most: int, octets: int, now_ns: int, taken: list[Message]) -> int:
        """Take of what waits for this outlet; return how many octets may still leave."""
        turns = outlet.turns
        refused: list[tuple[Message, Reason]] = []
        while turns and octets > 0 and len(taken) < most:
            line = turns.pop()
            granter, line.granter = line.granter, None
            line.waits = False
            head = line.queue.head if line.queue is not None else None
            # Those of a rank share what there is room for; one that a limit lets go on may send one message.
            share = 1 if granter is not None else max(1, (most - len(taken)) // (turns.count(line.rank) + 1))
            while head:
                message = head[0]
                if line.refusals is not None:
                    reason = self._lines.refusal(line, message)
                    if reason is not None:
                        refused.append((head.popleft(), reason))
                        continue
                limit = self._kept_back_by(line, message, granter, now_ns)
                if limit is not None:
                    self._wait(line, limit, now_ns)
                    break
                if not share or octets <= 0 or len(taken) == most:
                    turns.add(line)
                    line.waits = True
                    break
                self._spend(line, message, now_ns)
                octets -= len(message.body)
                taken.append(head.popleft())
                share -= 1
                if granter is not None:
                    self._used(granter, now_ns)
                    granter = None
            if granter is not None:
                self._used(granter, now_ns)
        if taken or refused:
            self._store.took(taken + [message for message, _ in refused])
            self._observe(taken, now_ns)
        if refused:
            self._on_refused(refused)
        return octets

    def _kept_back_by(self, line: Line, message: Message, granter: Held | None, now_ns: int) -> Held | None:
        """Return the limit that a message has to wait for; None where it may leave."""
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
            and ((cap.waiting is not None and cap is not granter) or cap.room < message.day_segments)
        ):
            return cap
        return None

    def _spend(self, line: Line, message: Message, now_ns: int) -> None:
        for limit in (line.number, line.campaign):
            if limit is not None:
                limit.spend(message.segments, now_ns)
        if line.cap is not None:
            line.cap.spend(message.day_segments)
            self._asked.add(line.cap)

    def _observe(self, taken: Sequence[Message], now_ns: int) -> None:
        """Take down how long messages have stood in their lanes; what came together has waited as long."""
        waits: dict[tuple[int, int], int] = {}
        for message in taken:
            key = _line(message).rank, message.accepted_ns
            waits[key] = waits.get(key, 0) + 1
        for (rank, accepted_ns), number in waits.items():
            self._metrics.queue_wait(LANES[rank]).observe((now_ns - accepted_ns) / NS, number)

    # ---- waiting --------------------------------------------------------------------------------------------

    def _stand(self, outlet: Outlet, now_ns: int) -> None:
        fresh, outlet.fresh = outlet.fresh, []
        self._store.stand(fresh)
        self._place(self._store.roused(), now_ns)

    def _place(self, lanes: Iterable[Lane], now_ns: int) -> None:
        """Let lines in which something has come to stand wait for what keeps them back: a limit, or the carrier."""
        for line in lanes:
            assert isinstance(line, Line)
            if line.waits or line.queue is None or not line.queue.head:
                continue
            limit = self._kept_back_by(line, line.queue.head[0], None, now_ns)
            if limit is not None:
                self._wait(line, limit, now_ns)
            else:
                line.outlet.turns.add(line)
                line.waits = True

    def _wait(self, line: Line, limit: Held, now_ns: int) -> None:
        if limit.waiting is None:
            limit.waiting = Turns()
        limit.waiting.add(line)
        line.waits = True
        if isinstance(limit, DayCap):
            self._asked.add(limit)
        self._kept_back[limit.kind] = self._kept_back.get(limit.kind, 0) + 1
        if not limit.out and limit.waiting.peek() is line:
            self._arm(limit, now_ns)

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

    def _used(self, limit: Held, now_ns: int) -> None:
        """A line that was let go on has sent, or waits for something else."""
        limit.out -= 1
        if not limit.out and limit.waiting is not None:
            if isinstance(limit, DayCap):
                self._release_cap(limit)
            else:
                self._release(limit, now_ns)

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
        waiting = limit.waiting
        while waiting is not None:
            line: Line | None = waiting.peek()
            if line is None:
                limit.waiting = None
                return None
            if line.queue is not None and line.queue.head:
                return line, line.queue.head[0]
            waiting.pop().waits = False  # what stood there is gone
        return None

    def _grant(self, limit: Held, line: Line) -> None:
        waiting = limit.waiting
        assert waiting is not None, "the line waits there"
        waiting.pop()
        if not waiting:
            limit.waiting = None
        limit.out += 1
        line.granter = limit
        line.outlet.turns.add(line)
        self._granted.append(line)


def _line(message: Message) -> Line:
    """Return the line of a message: all lanes of the gateway are lines."""
    assert isinstance(message.lane, Line)
    return message.lane
