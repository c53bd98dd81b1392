"""Which messages may leave now: those of the line whose turn it is, as far as its limits have room.

Hot path: what has just been accepted leaves at once, in one loop, while nothing waits before it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from smppgw.lines import Line, Lines, Outlet
from smppgw.metrics import Metrics
from smppgw.routing import LANES
from smppgw.session.timers import NS
from smppgw.store.api import Store
from smppgw.store.entries import Message
from smppgw.throttle.day_cap import DayCap
from smppgw.throttle.registry import Reason
from smppgw.waiting import Waiting, kept_back_by, leave, let_wait


class Pacing:
    """Hands out messages to be sent, and spends what their limits allow."""

    def __init__(self, store: Store, lines: Lines, metrics: Metrics, *, now_ns: int) -> None:
        """What was accepted before `now_ns` is looked at again where its sender may not send everywhere."""
        self.on_refused: Callable[[list[tuple[Message, Reason | None]]], None] = lambda _: None
        """Gets what was accepted and may not be sent any more, and why; None: it is longer than a whole day's cap."""
        self._store = store
        self._lines = lines
        self._metrics = metrics
        self._waiting = Waiting(metrics)
        self._looked_at_ns = now_ns
        """What was accepted later was found to be allowed by the configuration of now."""
        self.again = False
        """Whether another pass, at once, may let more leave."""

    # ---- a pass ---------------------------------------------------------------------------------------------

    def begin(self, now_ns: int) -> None:
        """Begin a pass: let those go on whose limits have room, and take in what has come."""
        self._waiting.release_due(now_ns)
        self._waiting.place(self._store.roused(), now_ns)
        fresh = self._store.fresh()
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
        several = len(self._lines.outlets) > 1
        self.again = self._waiting.end_pass(now_ns, several=several)
        for outlet in self._lines.outlets:
            self.again = self.again or (outlet.hungry and bool(outlet.turns))
            outlet.lingers = outlet.hungry = False

    @property
    def next_ns(self) -> int | None:
        """When a limit that is waited for has room again; None where none is."""
        return self._waiting.next_ns

    def asked(self) -> set[DayCap]:
        """Return the caps of which something was used, or wanted, since this was asked last."""
        asked, self._waiting.asked = self._waiting.asked, set()
        return asked

    def has_room(self, cap: DayCap) -> None:
        """A cap may let more leave: the next pass looks."""
        self._waiting.has_room(cap)

    def close(self) -> None:
        """Hand nothing more out: everything stands in its lane."""
        for outlet in self._lines.outlets:
            fresh, outlet.fresh = outlet.fresh, []
            self._store.stand(fresh)

    def begin_anew(self, now_ns: int) -> None:
        """Let each line wait for what keeps it back now: limits, or what they are of, have changed.

        What was accepted before is looked at again where its sender may not send everywhere.
        """
        self._looked_at_ns = now_ns
        self.close()
        self._waiting.clear()
        for outlet in self._lines.outlets:
            while outlet.turns:
                line = outlet.turns.pop()
                line.waits, line.granter = None, None
        self._waiting.place(list(self._store.lanes()), now_ns)

    # ---- what leaves at once --------------------------------------------------------------------------------

    def _take_fresh(self, outlet: Outlet, most: int, octets: int, now_ns: int, taken: list[Message]) -> None:
        """Take of what has been accepted, in its order; what its limits keep back, and what is behind that, stands."""
        fresh = outlet.fresh
        stand: list[Message] = []
        behind: set[Line] = set()
        at = 0
        room = most - len(taken)
        take, asked = taken.append, self._waiting.asked
        spent_of: DayCap | None = None
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
                or (line.refusals is not None and message.accepted_ns <= self._looked_at_ns)
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
                continue
            # As `Bucket.spend`, without its calls.
            if number is not None:
                gate_ns, full_ns = number.gate_ns, now_ns - number.tolerance_ns
                if gate_ns < full_ns:
                    gate_ns = full_ns
                number.gate_ns = gate_ns + segments * number.interval_ns
                number.granted += segments
            if campaign is not None:
                gate_ns, full_ns = campaign.gate_ns, now_ns - campaign.tolerance_ns
                if gate_ns < full_ns:
                    gate_ns = full_ns
                campaign.gate_ns = gate_ns + segments * campaign.interval_ns
                campaign.granted += segments
            if cap is not None:
                cap.spend(message.day_segments)
                if cap is not spent_of:
                    asked.add(cap)
                    spent_of = cap
            octets -= len(message.body)
            room -= 1
            take(message)
        outlet.fresh = fresh[at:]
        if stand:
            self._store.stand(stand)
            self._waiting.place(self._store.roused(), now_ns)

    # ---- what has waited ------------------------------------------------------------------------------------

    def _take_in_turn(self, outlet: Outlet, most: int, octets: int, now_ns: int, taken: list[Message]) -> int:
        """Take of what waits for this outlet; return how many octets may still leave."""
        turns = outlet.turns
        refused: list[tuple[Message, Reason | None]] = []
        while turns and octets > 0 and len(taken) < most:
            line = leave(turns)
            if line is None:
                continue
            granter, line.granter = line.granter, None
            head = line.queue.head if line.queue is not None else None
            # Those of a rank share what there is room for; one that a limit lets go on may send one message.
            share = 1 if granter is not None else max(1, (most - len(taken)) // (turns.count(line.rank) + 1))
            if head and share > 1 and (line.refusals is None or head[0].accepted_ns > self._looked_at_ns):
                before = len(taken)
                octets = self._take_together(line, head, share, octets, now_ns, taken)
                share -= len(taken) - before
            while head:
                message = head[0]
                reason = None
                if line.refusals is not None and message.accepted_ns <= self._looked_at_ns:
                    reason = self._lines.refusal(line, message)
                if reason or (line.cap is not None and message.day_segments > line.cap.segments_per_day):
                    refused.append((head.popleft(), reason))
                    continue
                limit = kept_back_by(line, message, granter, now_ns)
                if limit is not None:
                    self._waiting.wait(line, limit, now_ns)
                    break
                if not share or octets <= 0 or len(taken) == most:
                    let_wait(line, turns)
                    break
                self._spend(line, message, now_ns)
                octets -= len(message.body)
                taken.append(head.popleft())
                share -= 1
                if granter is not None:
                    self._waiting.used(granter, now_ns)
                    granter = None
            if granter is not None:
                self._waiting.used(granter, now_ns)
        if taken or refused:
            self._store.took(taken + [message for message, _ in refused])
            self._observe(taken, now_ns)
        if refused:
            self.on_refused(refused)
        return octets

    def _take_together(
        self, line: Line, head: deque[Message], most: int, octets: int, now_ns: int, taken: list[Message]
    ) -> int:
        """Take as many messages of one segment as a line's limits have room for, none where others wait for those.

        Return how many octets may still leave.
        """
        number, campaign, cap = line.number, line.campaign, line.cap
        for limit in (number, campaign):
            if limit is not None:
                most = 0 if limit.waiting is not None else min(most, limit.available(now_ns))
        if cap is not None:
            most = 0 if cap.waiting is not None else min(most, cap.room)
        count = day_segments = 0
        while count < most and octets > 0 and head and head[0].segments == 1:
            message = head.popleft()
            octets -= len(message.body)
            day_segments += message.day_segments
            taken.append(message)
            count += 1
        if count:
            for limit in (number, campaign):
                if limit is not None:
                    limit.spend(count, now_ns)
            if cap is not None:
                cap.spend(day_segments)
                self._waiting.asked.add(cap)
        return octets

    def _spend(self, line: Line, message: Message, now_ns: int) -> None:
        for limit in (line.number, line.campaign):
            if limit is not None:
                limit.spend(message.segments, now_ns)
        if line.cap is not None:
            line.cap.spend(message.day_segments)
            self._waiting.asked.add(line.cap)

    def _observe(self, taken: Sequence[Message], now_ns: int) -> None:
        """Take down how long messages have stood in their lanes; what came together has waited as long."""
        run = 0
        run_ns, run_lane = 0, None
        for message in taken:
            if message.accepted_ns != run_ns or message.lane is not run_lane:
                if run_lane is not None:
                    self._metrics.queue_wait(LANES[run_lane.rank]).observe((now_ns - run_ns) / NS, run)
                run_ns, run_lane, run = message.accepted_ns, _line(message), 0
            run += 1
        if run_lane is not None:
            self._metrics.queue_wait(LANES[run_lane.rank]).observe((now_ns - run_ns) / NS, run)

    def _stand(self, outlet: Outlet, now_ns: int) -> None:
        fresh, outlet.fresh = outlet.fresh, []
        self._store.stand(fresh)
        self._waiting.place(self._store.roused(), now_ns)


def _line(message: Message) -> Line:
    """Return the line of a message: all lanes of the gateway are lines."""
    assert isinstance(message.lane, Line)
    return message.lane
