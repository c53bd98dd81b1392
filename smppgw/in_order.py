"""Keeps what one ESME is owed in order for each source address: over several binds, and through refusals.

What is sent of one source while some of it is unanswered goes to the same bind, behind it: a bind is in order by
itself. Where a delivery has failed, it goes again alone, and what came after it stands aside until it is answered; so
does what waits for a bind that answers nothing. The sources that nothing is wrong with pass by.

Hot path: `place` and `settled` see every delivery of an ESME with several binds. With one bind, and nothing aside,
nobody needs to ask them: see `track` and `rest`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Sequence
from operator import attrgetter
from typing import Final, Generic, TypeVar

from smppgw.store.entries import Delivery

ASIDE_MOST: Final = 100_000
"""Deliveries of one ESME that are known to stand aside: some 30 MiB where each has a source of its own. Above it, what
fails, and what waits for it, is still sent again, but may be overtaken."""

FIRST_WAIT_NS: Final = 100_000_000
"""What stands aside for another one that is on its way is looked at again after this; doubled each time..."""
LONGEST_WAIT_NS: Final = 10_000_000_000
"""...up to this."""

_FREE: Final = attrgetter("free")

BindT = TypeVar("BindT", bound=Hashable)


def source_of(delivery: Delivery) -> bytes:
    """Return the source address, with its NUL: it is never empty."""
    source = delivery.source
    if not source:
        body = delivery.body
        at = body.find(b"\0") + 3  # behind service_type, source_addr_ton and source_addr_npi
        delivery.source = source = body[at : body.find(b"\0", at) + 1]
    return source


class Slot(Generic[BindT]):
    """What one bind can be given now, and what it is given."""

    __slots__ = ("batch", "bind", "busy", "free", "octets")

    def __init__(self, bind: BindT, free: int, octets: int, *, busy: bool = False) -> None:
        """`free` deliveries, of `octets` in all, or one. `busy`: as it answers, it has room again soon."""
        self.bind = bind
        self.free = free
        self.octets = octets
        self.busy = busy
        self.batch: list[Delivery] = []

    def takes(self, delivery: Delivery) -> bool:
        """Whether there is room for this one."""
        return self.free > 0 and (self.octets >= len(delivery.body) or not self.batch)


class _Line:
    """What of one source stands aside, or was aside and is on its way alone."""

    __slots__ = ("alone", "careful", "entries", "round_ns", "wait_ns")

    def __init__(self) -> None:
        self.entries: list[tuple[int, int]] = []
        """(key, due_ns), in order: nothing leaves before the first one."""
        self.careful = False
        """Whether one has failed: the next one goes alone."""
        self.alone = 0
        """The key of the one that is on its way alone."""
        self.wait_ns = 0
        self.round_ns = 0
        """When those who wait for another one are looked at again."""

    def start_anew(self) -> None:
        """The first one has gone, or has come back: wait for it from the shortest time on."""
        self.wait_ns = self.round_ns = 0

    def moment_ns(self, now_ns: int) -> int:
        """Return when one that cannot go now is to be looked at again: not before the first one is due."""
        if now_ns >= self.round_ns:
            self.wait_ns = min(max(2 * self.wait_ns, FIRST_WAIT_NS), LONGEST_WAIT_NS)
            self.round_ns = now_ns + self.wait_ns
        return max(self.round_ns, self.entries[0][1]) if self.entries else self.round_ns

    def note(self, key: int, due_ns: int) -> int:
        """Let one stand where its key belongs, aside until then; return by how many there are more."""
        at = bisect_left(self.entries, (key,))
        known = at < len(self.entries) and self.entries[at][0] == key
        self.entries[at : at + known] = [(key, due_ns)]
        return 0 if known else 1

    def drop(self, key: int) -> int:
        """Take one out; return by how many there are less."""
        at = bisect_left(self.entries, (key,))
        known = at < len(self.entries) and self.entries[at][0] == key
        del self.entries[at : at + known]
        return 1 if known else 0


class InOrder(Generic[BindT]):
    """Which source has something in flight on which bind, and what stands aside."""

    __slots__ = ("_aside", "_in_flight", "_lines", "_others", "tracking")

    def __init__(self) -> None:
        self.tracking = False
        """Whether it is known what is in flight."""
        self._in_flight: dict[bytes, BindT] = {}
        """Where something of a source is unanswered."""
        self._others: dict[bytes, int] = {}
        """How many more of it are, where there are more."""
        self._lines: dict[bytes, _Line] = {}
        self._aside = 0
        """Entries of all lines."""

    @property
    def waiting(self) -> bool:
        """Whether some source has something aside, or on its way alone."""
        return bool(self._lines)

    def track(self, unanswered: Iterable[tuple[BindT, Iterable[Delivery]]]) -> None:
        """Begin to follow what is in flight; `unanswered` is what is so already."""
        self.rest()
        self.tracking = True
        for bind, deliveries in unanswered:
            for delivery in deliveries:
                self._sent(source_of(delivery), bind)

    def rest(self) -> None:
        """Follow no more what is in flight: there is one bind, and nothing waits."""
        if self.tracking:
            self.tracking = False
            self._in_flight.clear()
            self._others.clear()

    # ---- sending --------------------------------------------------------------------------------------------

    def place(
        self,
        batch: Sequence[Delivery],
        slots: Sequence[Slot[BindT]],
        now_ns: int,
        *,
        fits: Callable[[BindT, Delivery], bool] | None = None,
    ) -> tuple[list[Delivery], int]:
        """Give the next ones of the queue to binds, to those first that have most room: `batch` of their slots.

        Returns those that have to stand aside until their `due_ns`, and how many of `batch` have been decided on: the
        others are to be given back, as there is no room for them now. `fits` says whether a bind can be told
        something at all; None when all can be told everything.
        """
        in_flight, lines = self._in_flight, self._lines
        shares = _shares(slots, len(batch))
        if not lines and fits is None and self._place_freely(batch, shares[len(slots) :]):
            return [], len(batch)
        by_bind = {slot.bind: slot for slot in slots}
        slot, share = shares.pop()
        aside: list[Delivery] = []
        for number, delivery in enumerate(batch):
            source = delivery.source or source_of(delivery)
            bind = in_flight.get(source)
            line = lines.get(source) if lines else None
            target: Slot[BindT] | None = None
            if line is not None and not _may_go(line, delivery.key, in_flight=bind is not None):
                pass
            elif bind is None:
                while share <= 0 or not slot.takes(delivery):
                    if not shares:
                        return aside, number
                    slot, share = shares.pop()
                target = slot if fits is None or fits(slot.bind, delivery) else _other(slots, delivery, fits)
            elif (owner := by_bind.get(bind)) is None or owner.takes(delivery):
                target = owner if fits is None or owner is None or fits(bind, delivery) else None
            elif owner.busy:
                return aside, number
            if target is None:
                self._put_aside(source, line, delivery, now_ns)
                aside.append(delivery)
                continue
            if line is not None:
                self._leaves(source, line, delivery.key)
            if bind is None:
                in_flight[source] = target.bind
            else:
                self._others[source] = self._others.get(source, 0) + 1
            if target is slot:
                share -= 1
            target.free -= 1
            target.octets -= len(delivery.body)
            target.batch.append(delivery)
        return aside, len(batch)

    def _place_freely(self, batch: Sequence[Delivery], shares: Sequence[tuple[Slot[BindT], int]]) -> bool:
        """Place all of a batch in which each has a source of its own, with nothing in flight (hot path).

        False, and nothing is done, for any other, and where there is no room for all.
        """
        in_flight = self._in_flight
        sources = [delivery.source or source_of(delivery) for delivery in batch]
        distinct = set(sources)
        if len(distinct) < len(sources) or not in_flight.keys().isdisjoint(distinct):
            return False
        octets = sum([len(delivery.body) for delivery in batch])
        if sum([share for _, share in shares]) < len(batch) or octets > min(
            [slot.octets for slot, _ in shares]
        ):
            return False
        at = 0
        for slot, share in shares:
            end = at + share
            slot.batch += batch[at:end]
            slot.free -= len(slot.batch)
            in_flight.update(dict.fromkeys(sources[at:end], slot.bind))
            at = end
        return True

    def _sent(self, source: bytes, bind: BindT) -> None:
        if source in self._in_flight:
            self._others[source] = self._others.get(source, 0) + 1
        else:
            self._in_flight[source] = bind

    def _put_aside(self, source: bytes, line: _Line | None, delivery: Delivery, now_ns: int) -> None:
        if line is None:
            line = _Line()
            if self._aside < ASIDE_MOST:
                self._lines[source] = line
        delivery.due_ns = line.moment_ns(now_ns)
        if self._aside < ASIDE_MOST:
            self._aside += line.note(delivery.key, delivery.due_ns)

    def _leaves(self, source: bytes, line: _Line, key: int) -> None:
        self._aside -= line.drop(key)
        if line.careful:
            line.alone = key
            line.start_anew()
        elif not line.entries:
            del self._lines[source]

    # ---- what became of it ----------------------------------------------------------------------------------

    def settled(self, deliveries: Iterable[Delivery]) -> None:
        """These were in flight, and are done with."""
        in_flight, others, lines = self._in_flight, self._others, self._lines
        if not others and not lines:
            for delivery in deliveries:
                in_flight.pop(delivery.source, None)
            return
        for delivery in deliveries:
            source = delivery.source
            if others and source in others:
                self._one_less(source)
            else:
                in_flight.pop(source, None)
            if lines and source in lines:
                line = lines[source]
                if line.alone == delivery.key:
                    line.alone = 0
                    line.careful = False
                if not line.alone and not line.entries:
                    del lines[source]

    def failed(self, deliveries: Iterable[Delivery]) -> None:
        """These were in flight, and stand aside until their `due_ns`: nothing of their sources may overtake them."""
        for delivery in deliveries:
            self._comes_back(delivery, delivery.due_ns, failed=True)

    def lost(self, deliveries: Iterable[Delivery]) -> None:
        """These were in flight on a bind that is no more, and stand in their queue again."""
        for delivery in deliveries:
            self._comes_back(delivery, 0, failed=False)

    def gone(self, deliveries: Iterable[Delivery]) -> None:
        """These stood in their queue, and are done with."""
        if self._lines:
            for delivery in deliveries:
                source = source_of(delivery)
                line = self._lines.get(source)
                if line is not None:
                    self._aside -= line.drop(delivery.key)
                    if not line.alone and not line.entries:
                        del self._lines[source]

    def _comes_back(self, delivery: Delivery, due_ns: int, *, failed: bool) -> None:
        source = delivery.source
        if source in self._others:
            self._one_less(source)
        else:
            self._in_flight.pop(source, None)
        line = self._lines.get(source)
        if line is None:
            if not failed or self._aside >= ASIDE_MOST:
                return
            line = self._lines[source] = _Line()
        if line.alone == delivery.key:
            line.alone = 0
        elif not failed:
            return
        line.careful = True
        line.start_anew()
        self._aside += line.note(delivery.key, due_ns)  # at most the windows above the bound

    def _one_less(self, source: bytes) -> None:
        if self._others[source] == 1:
            del self._others[source]
        else:
            self._others[source] -= 1


def _shares(slots: Sequence[Slot[BindT]], count: int) -> list[tuple[Slot[BindT], int]]:
    """Return how many of `count` deliveries each slot is to have, so that what room is left is as equal as can be.

    Behind those, from which `place` pops, are all slots with what room they have: for what a slot has no octets for.
    """
    left = max(0, sum([slot.free for slot in slots]) - count)
    shares: list[tuple[Slot[BindT], int]] = []
    for before, slot in enumerate(sorted(slots, key=_FREE)):
        stays = min(slot.free, left // (len(slots) - before))
        left -= stays
        shares.append((slot, slot.free - stays))
    return [(slot, slot.free) for slot in slots] + shares


def _may_go(line: _Line, key: int, *, in_flight: bool) -> bool:
    """Whether nothing that is aside is before it, nor anything in flight that has to be answered first."""
    if in_flight and line.careful:
        return False
    return not line.entries or key <= line.entries[0][0]


def _other(
    slots: Iterable[Slot[BindT]], delivery: Delivery, fits: Callable[[BindT, Delivery], bool]
) -> Slot[BindT] | None:
    """Return a slot that has room for this one, and whose bind can be told it."""
    return next((slot for slot in slots if slot.takes(delivery) and fits(slot.bind, delivery)), None)
