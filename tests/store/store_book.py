"""What a durable store must hold: a model of plain dicts, step by step, and the same as a store shows it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from typing import Final, NamedTuple

from smppgw.store.api import Store
from smppgw.store.entries import Delivery, Message, Outcome, Standing
from tests.store.lanes import deferred_in, take_from, waiting_in

WAIT_SECONDS: Final = 20.0
CARRIER: Final = "sink"
SHELF: Final = "early/sink"
OPEN: Final = "open"
"""In the place of an outcome."""
LANES: Final = ("fast", "slow")
ESMES: Final = ("acme", "bolt")
OWED: Final = (*ESMES, "")
"""Who may be owed something; the last is nobody."""
QUOTAS: Final = ("brand/B1", "brand/B2")
FAR_NS: Final = 1 << 62


class Queued(NamedTuple):
    """A message that no carrier has."""

    lane: str
    esme: str
    body: bytes
    attempts: int
    due_ns: int
    segments: tuple[int, int]
    """Of the message, and how many of them count to a day's cap."""


@dataclass
class Kept:
    """All that a store keeps."""

    queued: dict[int, Queued] = field(default_factory=dict)
    sent: dict[bytes, tuple[int, bytes]] = field(default_factory=dict)
    """Keys and envelopes of messages, by the carrier's ids for them."""
    outcomes: dict[int, Outcome | str] = field(default_factory=dict)
    """Of every message; `OPEN` where there is none yet."""
    owed: dict[str, list[bytes]] = field(default_factory=lambda: {esme: [] for esme in OWED})
    """Bodies of deliveries, in order."""
    held: dict[bytes, list[bytes]] = field(default_factory=dict)
    """Bodies of what is held, by what it is held under; the oldest first."""
    quotas: dict[str, tuple[int, int]] = field(default_factory=dict)
    """The day and the segments of it that may be used."""

    def difference(self, other: Kept, now_ns: int) -> str:
        """What is not the same; nothing when all is. What is due may stand aside or not."""
        differences = []
        for name in ("queued", "sent", "outcomes", "held", "owed", "quotas"):
            mine, others = getattr(self, name), getattr(other, name)
            for key in sorted(mine.keys() | others.keys()):
                one, another = (_without_past(each.get(key), now_ns) for each in (mine, others))
                if one != another:
                    differences.append(f"{name} {key!r}: {one} is not {another}")
        return "; ".join(differences)


def _without_past(value: object, now_ns: int) -> object:
    return value._replace(due_ns=0) if isinstance(value, Queued) and value.due_ns <= now_ns else value


class StoreBook:
    """Every step of a store's life: a store that is recovered has made the first so many of them, each whole."""

    def __init__(self, begun: Kept | None = None) -> None:
        self.steps: list[Kept] = [begun or Kept()]
        self.promised = 0
        """How many steps are durable."""

    @property
    def now(self) -> Kept:
        """What there is with the last step."""
        return self.steps[-1]

    def step(self, change: Callable[[Kept], None]) -> Callable[[], None]:
        """Write a step down before it is made; return what is to be called when it is durable."""
        kept = deepcopy(self.now)
        change(kept)
        self.steps.append(kept)
        number = len(self.steps) - 1

        def durable() -> None:
            assert number > self.promised, "told in order, and once"
            self.promised = number

        return durable

    def match(self, seen: Kept, promised: int, attempted: int, now_ns: int) -> Kept:
        """Return the step that a recovered store has come to; one that was promised is behind it."""
        differences = []
        for kept in reversed(self.steps[promised : attempted + 1]):
            difference = kept.difference(seen, now_ns)
            if not difference:
                return kept
            differences.append(difference)
        raise AssertionError(
            f"none of the steps {promised} to {attempted}, from the last:\n" + "\n".join(differences)
        )


async def until(done: Callable[[], bool]) -> None:
    """Let the loop run until something has come true. Raises: TimeoutError."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not done():  # noqa: ASYNC110 - whatever a test waits for
            await asyncio.sleep(0.0001)


async def seen_in(
    store: Store, keys: Sequence[int], ids: Sequence[bytes]
) -> tuple[Kept, dict[str, list[int]]]:
    """Take all out of a store; it is good for nothing but closing afterwards.

    `keys` and `ids`: of all messages that may be there, and all that a carrier may know them by. The second answer
    is the order in which each lane gave its messages.
    """
    kept = Kept()
    order: dict[str, list[int]] = {}
    dues: dict[int, int] = {}  # before they are woken
    standings: dict[int, Standing | None] = {}
    for key in keys:
        store.look_up(key, partial(standings.__setitem__, key))
    await until(lambda: len(standings) == len(keys))
    for key, standing in standings.items():
        if standing is not None:
            kept.outcomes[key] = standing.outcome or OPEN
            if standing.message is not None:
                dues[key] = standing.message.due_ns
    recalled: list[bool] = []
    store.recall(CARRIER, ids, lambda: recalled.append(True))
    await until(lambda: bool(recalled))
    for carrier_id in ids:
        message = store.find(CARRIER, carrier_id)
        if message is not None:
            kept.sent[carrier_id] = message.key, message.envelope
    kept.held = {
        under: [entry.body for entry in entries] for under in ids if (entries := store.held(SHELF, under))
    }
    assert store.holds(SHELF) == sum(map(len, kept.held.values()))
    assert set(store.owing()) == {esme for esme in OWED if store.waiting_deliveries(esme)}
    kept.quotas = {quota: said for quota in QUOTAS if (said := store.reserved(quota)) != (0, 0)}
    queued = {esme: store.queued(esme) for esme in ESMES}
    assert store.highest_key >= max(kept.outcomes, default=0)
    for lane in LANES:
        messages = await _all_of(store, lane)
        order[lane] = [message.key for message in messages]
        for message in messages:
            assert message.lane.name == lane
            assert message.key not in kept.queued, "twice in its lane"
            kept.queued[message.key] = Queued(
                lane,
                message.esme,
                message.body,
                message.attempts,
                dues[message.key],
                (message.segments, message.day_segments),
            )
    for esme in ESMES:
        assert queued[esme] == sum(message.esme == esme for message in kept.queued.values())
    for esme in OWED:
        kept.owed[esme] = [delivery.body for delivery in await _all_owed_to(store, esme)]
    return kept, order


async def _all_of(store: Store, lane: str) -> list[Message]:
    waiting, deferred = waiting_in(store, lane), deferred_in(store, lane)
    standing: list[Message] = []
    aside: list[Message] = []

    def all_standing() -> bool:
        standing.extend(take_from(store, lane, 5))
        return len(standing) >= waiting

    def all_aside() -> bool:
        store.wake(FAR_NS)
        aside.extend(take_from(store, lane, 5))
        return len(aside) >= deferred

    await until(all_standing)
    assert len(standing) == waiting
    await until(all_aside)
    assert len(aside) == deferred
    return standing + aside


async def _all_owed_to(store: Store, esme: str) -> list[Delivery]:
    waiting = store.waiting_deliveries(esme)
    owed: list[Delivery] = []

    def all_owed() -> bool:
        store.wake(FAR_NS)
        owed.extend(store.take_deliveries(esme, 5))
        return len(owed) >= waiting

    await until(all_owed)
    assert len({delivery.key for delivery in owed}) == waiting
    return sorted(owed, key=lambda delivery: delivery.key)
