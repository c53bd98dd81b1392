"""The records of the log: what happened to a batch, as octets.

A record describes a whole batch, column by column: one octet that says which kind it is, a count, then for each
field of the batch one column. A column whose values are all equal is written once. That is what makes a record cheap
to write: a few joins for hundreds of messages. The messages of a page of the ledger are written the same way.

Moments are written as milliseconds since 1970: `epoch_ns` is what has to be added to a moment of the run, which is
monotonic, to come to nanoseconds since 1970. Integers are little-endian.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from operator import attrgetter
from struct import Struct
from typing import Final, NamedTuple

from smppgw.store.columns import (
    CODES,
    EACH,
    HEAD,
    UNIFORM,
    Reader,
    column,
    integers,
    name,
    named,
    names,
    strings,
)
from smppgw.store.entries import Delivery, Held, Kind, Lane, Message
from smppgw.store.errors import StoreError

MS: Final = 1_000_000
"""Nanoseconds in a millisecond."""

_ONE_NAME: Final = CODES["H"].pack(1)
_ONE_LENGTH: Final = Struct("<BI")
_ONE: Final = Struct("<BIBBBQBQBQBIBHBHBHBI")
_LANE_NAME: Final = attrgetter("name")
_KINDS: Final[tuple[Kind, ...]] = ("receipt", "mo")


class What(IntEnum):
    """The kinds of records."""

    STARTED = 1
    """A run began; nothing else."""
    ACCEPTED = 2
    """Messages; each stands at the end of its lane, or aside until it is due."""
    SUBMITTED = 3
    """A carrier has these messages."""
    ENDED = 4
    """These messages came to their end without a carrier."""
    DEFERRED = 5
    """These messages stand aside, with so many attempts behind them."""
    REPLACED = 6
    """Messages as they are now."""
    HELD = 7
    """What is held on a shelf."""
    RELEASED = 8
    """All that is under these on a shelf is held no more."""
    FINISHED = 9
    """Messages of a carrier came to their end."""
    RECEIVED = 10
    """Deliveries of one ESME."""
    DELIVERED = 11
    """Deliveries of one ESME that are done with."""
    CHECKPOINT = 12
    """The state up to here goes to the ledger."""
    QUOTA = 13
    """So many segments of a quota, in all, may be used on a day."""


# ---- writing ------------------------------------------------------------------------------------------------


def of_messages(what: What, messages: Sequence[Message], epoch_ns: int) -> bytes:
    """Write messages whole: ACCEPTED, REPLACED, or a part of a page; at most `DISTINCT_MOST` at once."""
    if len(messages) == 1:
        return _of_one(what, messages[0], epoch_ns)
    bodies = [message.body for message in messages]
    return b"".join(
        (
            HEAD.pack(what, len(messages)),
            column("Q", [message.key for message in messages]),
            named([message.lane for message in messages], _LANE_NAME),
            strings([message.message_id for message in messages]),
            names([message.esme for message in messages]),
            integers("I", [message.command_id for message in messages]),
            integers("B", [message.registered_delivery for message in messages]),
            accepted(messages, epoch_ns),
            moments([message.expires_ns for message in messages], epoch_ns),
            moments([message.due_ns for message in messages], epoch_ns),
            integers("I", [message.attempts for message in messages]),
            parts(messages),
            integers("H", [message.segments for message in messages]),
            integers("H", [message.day_segments for message in messages]),
            integers("I", [len(body) for body in bodies]),
            *bodies,
        )
    )


def _of_one(what: What, message: Message, epoch_ns: int) -> bytes:
    """Write one message, to the same octets in a fourth of the time: of many long lanes, each has its own record."""
    accepted_ns, expires_ns, due_ns = message.accepted_ns, message.expires_ns, message.due_ns
    return b"".join(
        (
            HEAD.pack(what, 1),
            CODES["Q"].pack(message.key),
            _ONE_NAME,
            name(message.lane.name),
            _ONE_LENGTH.pack(0, len(message.message_id)),
            message.message_id,
            _ONE_NAME,
            name(message.esme),
            _ONE.pack(
                0,
                message.command_id,
                0,
                message.registered_delivery,
                0,
                (accepted_ns + epoch_ns) // MS if accepted_ns else 0,
                0,
                (expires_ns + epoch_ns) // MS if expires_ns else 0,
                0,
                (due_ns + epoch_ns) // MS if due_ns else 0,
                0,
                message.attempts,
                0,
                message.parts,
                0,
                message.segments,
                0,
                message.day_segments,
                0,
                len(message.body),
            ),
            message.body,
        )
    )


def parts(messages: Sequence[Message]) -> bytes:
    """Write of how many each message is one."""
    return integers("H", [message.parts for message in messages])


def accepted(messages: Sequence[Message], epoch_ns: int) -> bytes:
    """Write when each message was accepted."""
    return moments([message.accepted_ns for message in messages], epoch_ns)


def moments(values_ns: list[int], epoch_ns: int) -> bytes:
    """Write moments; 0 stays 0."""
    first = values_ns[0]
    if values_ns.count(first) == len(values_ns):
        return UNIFORM + CODES["Q"].pack((first + epoch_ns) // MS if first else 0)
    return EACH + column("Q", [(ns + epoch_ns) // MS if ns else 0 for ns in values_ns])


def of_deliveries(esme: str, deliveries: Sequence[Delivery], epoch_ns: int) -> bytes:
    """Write deliveries of one ESME whole: RECEIVED, or a part of a page."""
    bodies = [delivery.body for delivery in deliveries]
    return b"".join(
        (
            HEAD.pack(What.RECEIVED, len(deliveries)),
            column("Q", [delivery.key for delivery in deliveries]),
            name(esme),
            integers("B", [delivery.kind == "mo" for delivery in deliveries]),
            integers("I", [delivery.command_id for delivery in deliveries]),
            integers("I", [delivery.tlv_at for delivery in deliveries]),
            moments([delivery.received_ns for delivery in deliveries], epoch_ns),
            moments([delivery.due_ns for delivery in deliveries], epoch_ns),
            integers("I", [delivery.attempts for delivery in deliveries]),
            integers("I", [len(body) for body in bodies]),
            *bodies,
        )
    )


def of_deferred(messages: Sequence[Message], epoch_ns: int) -> bytes:
    """Write DEFERRED."""
    return b"".join(
        (
            HEAD.pack(What.DEFERRED, len(messages)),
            column("Q", [message.key for message in messages]),
            column("Q", [(message.due_ns + epoch_ns) // MS for message in messages]),
            column("I", [message.attempts for message in messages]),
        )
    )


def of_held(shelf: str, entries: Sequence[Held], epoch_ns: int) -> bytes:
    """Write HELD."""
    return b"".join(
        (
            HEAD.pack(What.HELD, len(entries)),
            name(shelf),
            moments([entry.received_ns for entry in entries], epoch_ns),
            integers("I", [entry.command_id for entry in entries]),
            strings([entry.under for entry in entries]),
            strings([entry.body for entry in entries]),
        )
    )


def of_released(shelf: str, under: list[bytes]) -> bytes:
    """Write RELEASED."""
    return HEAD.pack(What.RELEASED, len(under)) + name(shelf) + strings(under)


def of_delivered(esme: str, keys: list[int]) -> bytes:
    """Write DELIVERED."""
    return HEAD.pack(What.DELIVERED, len(keys)) + name(esme) + column("Q", keys)


def of_moment(what: What, at_ms: int) -> bytes:
    """Write STARTED or CHECKPOINT."""
    return HEAD.pack(what, 1) + CODES["Q"].pack(at_ms)


def of_quota(quota: str, day: int, segments: int) -> bytes:
    """Write QUOTA; `day`: an ordinal date."""
    return HEAD.pack(What.QUOTA, 1) + name(quota) + CODES["I"].pack(day) + CODES["Q"].pack(segments)


# ---- reading ------------------------------------------------------------------------------------------------


class Deferred(NamedTuple):
    """DEFERRED."""

    keys: list[int]
    dues_ns: list[int]
    attempts: list[int]


class OnShelf(NamedTuple):
    """HELD."""

    shelf: str
    entries: list[Held]


class Released(NamedTuple):
    """RELEASED."""

    shelf: str
    under: list[bytes]


class Delivered(NamedTuple):
    """DELIVERED."""

    esme: str
    keys: list[int]


class Quota(NamedTuple):
    """QUOTA."""

    quota: str
    day: int
    segments: int


def what(octets: bytes) -> What:
    """Return the kind of a record. Raises StoreError for one of a later version."""
    try:
        return What(octets[0])
    except (ValueError, IndexError):
        raise StoreError(
            f"a record of kind {octets[:1].hex() or 'nothing'} is not known to this version"
        ) from None


def keys_of(octets: bytes) -> list[int]:
    """Read the keys of a record of messages or deliveries alone."""
    return Reader(octets).keys()


def messages_of(octets: bytes, epoch_ns: int, lane_of: Callable[[str], Lane]) -> list[Message]:
    """Read messages written by `of_messages`; `lane_of` tells where what stood in a lane of that name is to stand."""
    reader = Reader(octets)
    keys, lanes = reader.keys(), reader.named(lane_of)
    ids, esmes = reader.strings(), reader.names()
    commands, flags = reader.integers("I"), reader.integers("B")
    accepted, expires, due = (_moments_of(reader, epoch_ns) for _ in range(3))
    attempts, parts = reader.integers("I"), reader.integers("H")
    segments, day_segments, bodies = reader.integers("H"), reader.integers("H"), reader.strings()
    messages = [
        Message(key, message_id, esme, lane, command, body, flag, accepted_ns, expires_ns, due_ns, of)
        for key, message_id, esme, lane, command, body, flag, accepted_ns, expires_ns, due_ns, of in zip(
            keys, ids, esmes, lanes, commands, bodies, flags, accepted, expires, due, parts, strict=True
        )
    ]
    if any(attempts):
        for message, number in zip(messages, attempts, strict=True):
            message.attempts = number
    if segments.count(1) < len(messages) or day_segments.count(1) < len(messages):
        for message, each, of_day in zip(messages, segments, day_segments, strict=True):
            message.segments, message.day_segments = each, of_day
    return messages


def _moments_of(reader: Reader, epoch_ns: int) -> list[int]:
    values_ms = reader.integers("Q")
    first = values_ms[0]
    if values_ms.count(first) == len(values_ms):
        return [first * MS - epoch_ns if first else 0] * len(values_ms)
    return [ms * MS - epoch_ns if ms else 0 for ms in values_ms]


def deliveries_of(octets: bytes, epoch_ns: int) -> list[Delivery]:
    """Read deliveries written by `of_deliveries`."""
    reader = Reader(octets)
    keys, esme = reader.keys(), reader.name()
    kinds, commands, tlvs_at = reader.integers("B"), reader.integers("I"), reader.integers("I")
    received, due = _moments_of(reader, epoch_ns), _moments_of(reader, epoch_ns)
    attempts = reader.integers("I")
    deliveries = []
    for key, kind, command, tlv_at, received_ns, due_ns, number, body in zip(
        keys, kinds, commands, tlvs_at, received, due, attempts, reader.strings(), strict=True
    ):
        delivery = Delivery(esme, _KINDS[kind], command, body, tlv_at, received_ns)
        delivery.key, delivery.due_ns, delivery.attempts = key, due_ns, number
        deliveries.append(delivery)
    return deliveries


def deferred_of(octets: bytes, epoch_ns: int) -> Deferred:
    """Read DEFERRED."""
    reader = Reader(octets)
    keys, dues_ms = reader.keys(), reader.keys()
    return Deferred(keys, [ms * MS - epoch_ns for ms in dues_ms], reader.many("I"))


def held_of(octets: bytes, epoch_ns: int) -> OnShelf:
    """Read HELD."""
    reader = Reader(octets)
    shelf, received, commands = reader.name(), _moments_of(reader, epoch_ns), reader.integers("I")
    rows = zip(reader.strings(), commands, reader.strings(), received, strict=True)
    return OnShelf(shelf, [Held(*row) for row in rows])


def released_of(octets: bytes) -> Released:
    """Read RELEASED."""
    reader = Reader(octets)
    return Released(reader.name(), reader.strings())


def delivered_of(octets: bytes) -> Delivered:
    """Read DELIVERED."""
    reader = Reader(octets)
    return Delivered(reader.name(), reader.keys())


def quota_of(octets: bytes) -> Quota:
    """Read QUOTA."""
    reader = Reader(octets)
    return Quota(reader.name(), reader.integer("I"), reader.integer("Q"))


def moment_of(octets: bytes) -> int:
    """Read STARTED or CHECKPOINT: milliseconds since 1970."""
    return Reader(octets).integer("Q")
