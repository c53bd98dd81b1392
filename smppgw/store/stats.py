"""What is in a store, counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from smppgw.store.files import OsFiles
from smppgw.store.inspection import Reading, inspect, recovered
from smppgw.store.segments import segment_name, segment_numbers
from smppgw.store.startup import LEDGER
from smppgw.store.state import State


@dataclass(slots=True)
class LaneCount:
    """Messages that no carrier has."""

    queued: int = 0
    deferred: int = 0
    """They stand aside until they are due: scheduled, or to be tried again."""


@dataclass(slots=True)
class EsmeCount:
    """What one ESME has in the store, and had."""

    accepted: int = 0
    queued: int = 0
    """Also those aside."""
    deliveries: int = 0
    """Receipts and MO that wait for it."""


@dataclass(slots=True)
class CarrierCount:
    """What one carrier has got, and is to say."""

    submitted: int = 0
    awaiting_receipt: int = 0


@dataclass(slots=True)
class Stats:
    """What is in a store; the totals are since it was made."""

    in_use: bool
    log_octets: int
    ledger_octets: int
    lanes: dict[str, LaneCount] = field(default_factory=dict)
    esmes: dict[str, EsmeCount] = field(default_factory=dict)
    carriers: dict[str, CarrierCount] = field(default_factory=dict)
    shelves: dict[str, int] = field(default_factory=dict)
    """How many requests of carriers are held on each: receipts for their message, parts for the other parts."""
    ended: dict[int, int] = field(default_factory=dict)
    """How many messages came to each final message_state."""


def stats(directory: Path) -> Stats:
    """Count what is there. Raises: StoreError, OSError."""
    return inspect(directory, _stats)


def _stats(reading: Reading) -> Stats:
    state = recovered(reading)
    counted = Stats(reading.in_use, *_octets(reading.directory))
    for lane, queue in state.lanes.items():
        counted.lanes[lane.name] = LaneCount(queue.waiting, queue.deferred)
    for esme in (*state.queued, *state.owed):
        counted.esmes[esme] = EsmeCount(queued=state.queued[esme])
    for esme, owed in state.owed.items():
        counted.esmes[esme].deliveries = owed.waiting + owed.deferred
    awaiting = dict(reading.ledger.sent_counts()) if reading.ledger is not None else {}
    for carrier in (*state.sent, *awaiting):
        counted.carriers[carrier] = CarrierCount(
            awaiting_receipt=awaiting.get(carrier, 0) + _since_the_ledger(reading, state, carrier)
        )
    counted.shelves.update(
        {shelf: holding.count for shelf, holding in state.shelves.items() if holding.count}
    )
    for counter, total in state.counters.items():
        what, _, name = counter.partition("/")
        match what:
            case "accepted":
                counted.esmes.setdefault(name, EsmeCount()).accepted = total
            case "submitted":
                counted.carriers.setdefault(name, CarrierCount()).submitted = total
            case "state":
                counted.ended[int(name)] = total
            case _:
                pass
    return counted


def _since_the_ledger(reading: Reading, state: State, carrier: str) -> int:
    """How many more messages of a carrier wait for a receipt than the ledger knows of."""
    sent = state.sent[carrier]
    named = sent.settled.union(sent.young)
    known = reading.ledger.sent(carrier, list(named)) if reading.ledger is not None and named else ()
    return len(sent.young) - len(known)


def _octets(directory: Path) -> tuple[int, int]:
    """What log and ledger take, as far as their files are still there."""
    names = OsFiles().names(directory)
    log = [segment_name(number) for number in segment_numbers(names)]
    ledger = [name for name in names if name in (LEDGER, f"{LEDGER}-wal")]
    return _size(directory, log), _size(directory, ledger)


def _size(directory: Path, names: Sequence[str]) -> int:
    octets = 0
    for name in names:
        try:
            octets += (directory / name).stat().st_size
        except FileNotFoundError:  # a checkpoint was done
            continue
    return octets
