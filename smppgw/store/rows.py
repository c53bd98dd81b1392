"""What the ledger keeps, as values: a fold goes in, a state and rows come out.

Times are milliseconds since 1970; 0 is none. What the bodies hold is the store's own: the ledger only keeps it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple


@dataclass(slots=True)
class PageRow:
    """Some hundreds of messages, or deliveries, of one queue."""

    id: int
    """Given by the store, never used again."""
    queue: str
    first_key: int
    last_key: int
    count: int
    """How many entries are in it."""
    octets: int
    due_ms: int
    """The earliest of its entries."""
    expires_ms: int
    """The earliest of its entries."""
    esmes: dict[str, int]
    """How many of the entries each ESME has."""
    keys: bytes
    body: bytes


@dataclass(slots=True)
class PageHead:
    """What is remembered of a page while its body is on disk."""

    id: int
    queue: str
    first_key: int
    last_key: int
    count: int
    """How many entries are in it, those that are no more among them."""
    octets: int
    due_ms: int
    expires_ms: int
    esmes: dict[str, int]
    dead: bytes
    """The keys of the entries that are no more, 8 octets each, least significant first."""


class SentRow(NamedTuple):
    """A message that a carrier has, and for which receipts may come."""

    carrier: str
    carrier_id: bytes
    key: int
    message_id: bytes
    esme: str
    registered_delivery: int
    accepted_ms: int
    expires_ms: int
    parts: int
    envelope: bytes


class HeldRow(NamedTuple):
    """A request that is held on a shelf."""

    shelf: str
    under: bytes
    command_id: int
    received_ms: int
    body: bytes


class HistoryRow(NamedTuple):
    """What became of some messages; their keys are between the first and the last."""

    at_ms: int
    first_key: int
    last_key: int
    body: bytes


@dataclass(slots=True)
class Fold:
    """What has changed up to one lsn.

    What goes, goes before anything comes: an id that is both in `settled` and in `sent` is there anew, and likewise
    in `released` and `held`. So what came and went since the last fold is not to be in it at all.
    """

    lsn: int
    highest_key: int
    delivery_key: int
    pages: Iterable[PageRow] = ()
    """Gone through once: their bodies are made as they are written."""
    dead: list[tuple[int, bytes]] = field(default_factory=list)
    """A page, and all the keys of it that are no more, packed as in `PageHead`."""
    dropped: list[int] = field(default_factory=list)
    """Pages that are no more."""
    sent: list[SentRow] = field(default_factory=list)
    """One with the carrier and id of an earlier one takes its place."""
    settled: list[tuple[str, bytes]] = field(default_factory=list)
    """Carrier and id for which no receipt is expected any more."""
    held: list[HeldRow] = field(default_factory=list)
    """They come behind those that are under the same."""
    released: list[tuple[str, bytes]] = field(default_factory=list)
    """A shelf, and what all that stood under it there is held no more."""
    history: list[HistoryRow] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)
    """What they stand at; the others stay as they are."""
    quotas: dict[str, tuple[int, int]] = field(default_factory=dict)
    """The day, and the segments that may be used on it; the others stay as they are."""


class LedgerState(NamedTuple):
    """What a run begins with, up to `lsn`."""

    lsn: int
    highest_key: int
    delivery_key: int
    next_page: int
    """Above the id of every page there has been."""
    pages: list[PageHead]
    """In the order of their first keys."""
    held: list[HeldRow]
    """In the order in which they came."""
    counters: dict[str, int]
    quotas: dict[str, tuple[int, int]]
    """The day, and the segments that may be used on it."""
