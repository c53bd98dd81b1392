"""The records of the log: what happened to a batch, as octets.

A record describes a whole batch, column by column: one octet that says which kind it is, a count, then for each
field of the batch one column. A column whose values are all equal is written once. That is what makes a record cheap
to write: a few joins for hundreds of messages. The messages of a page of the ledger are written the same way.

Moments are written as milliseconds since 1970: `epoch_ns` is what has to be added to a moment of the run, which is
monotonic, to come to nanoseconds since 1970. Integers are little-endian.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Final, NamedTuple

from smppgw.store.columns import CODES, EACH, HEAD, UNIFORM, Reader, column, integers, name, names, strings
from smppgw.store.entries import Delivery, EarlyReceipt, Kind, Message
from smppgw.store.errors import StoreError

MS: Final = 1_000_000
"""Nanoseconds in a millisecond."""

_KINDS: Final[tuple[Kind, ...]] = ("receipt", "mo")


class What(IntEnum):
    """The kinds of records."""

    STARTED = 1
    """A run began; nothing else."""
    ACCEPTED = 2
    """Messages of one lane; they stand at its end, or aside until they are due."""
    SUBMITTED = 3
    """A carrier has these messages."""
    ENDED = 4
    """These messages came to a final state without a carrier."""
    DEFERRED = 5
    """These messages stand aside, with so many attempts behind them."""
    REPLACED = 6
    """Messages of one lane as they are now."""
    EARLY = 7
    """Receipts of a carrier for messages that are not known yet."""
    RELEASED = 8
    """Early receipts that are held no more."""
    FINISHED = 9
    """Messages of a carrier came to their final state."""
    RECEIVED = 10
    """Deliveries of one ESME."""
    DELIVERED = 11
    """Deliveries of one ESME that are done with."""
    CHECKPOINT = 12
    """The state up to here goes to the ledger."""


# ---- writing ------------------------------------------------------------------------------------------------


def of_messages(what: What, lane: str, messages: Sequence[Message], epoch_ns: int) -> bytes:
    """Write messages of one lane whole: ACCEPTED, REPLACED, or a part of a page."""
    bodies = [message.body for message in messages]
    return b"".join(
        (
            HEAD.pack(what, len(messages)),
            name(lane),
            column("Q", [message.key for message in messages]),
            strings([message.message_id for message in messages]),
            names([message.esme for message in messages]),
            integers("I", [message.command_id for message in messages]),
            integers("B", [message.registered_delivery for message in messages]),
            _moments([message.accepted_ns for message in messages], epoch_ns),
            _moments([message.expires_ns for message in messages], epoch_ns),
            _moments([message.due_ns for message in messages], epoch_ns),
            integers("I", [message.attempts for message in messages]),
            integers("I", [len(body) for body in bodies]),
            *bodies,
        )
    )


def _moments(values_ns: list[int], epoch_ns: int) -> bytes:
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
            name(esme),
            column("Q", [delivery.key for delivery in deliveries]),
            integers("B", [delivery.kind == "mo" for delivery in deliveries]),
            integers("I", [delivery.command_id for delivery in deliveries]),
            integers("I", [delivery.tlv_at for delivery in deliveries]),
            _moments([delivery.due_ns for delivery in deliveries], epoch_ns),
            integers("I", [delivery.attempts for delivery in deliveries]),
            integers("I", [len(body) for body in bodies]),
            *bodies,
        )
    )


def of_submitted(carrier: str, at_ms: int, keys: list[int], esmes: list[str], ids: list[bytes]) -> bytes:
    """Write SUBMITTED."""
    head = HEAD.pack(What.SUBMITTED, len(keys))
    return b"".join(
        (head, CODES["Q"].pack(at_ms), column("Q", keys), names(esmes), name(carrier), strings(ids))
    )


def of_ended(at_ms: int, keys: list[int], esmes: list[str], state: int) -> bytes:
    """Write ENDED."""
    head = HEAD.pack(What.ENDED, len(keys))
    return b"".join((head, CODES["Q"].pack(at_ms), column("Q", keys), names(esmes), CODES["B"].pack(state)))


def of_finished(
    carrier: str, at_ms: int, keys: list[int], esmes: list[str], ids: list[bytes], states: list[int]
) -> bytes:
    """Write FINISHED."""
    head = HEAD.pack(What.FINISHED, len(keys))
    columns = (column("Q", keys), names(esmes), name(carrier), integers("B", states), strings(ids))
    return b"".join((head, CODES["Q"].pack(at_ms), *columns))


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


def of_early(carrier: str, receipts: Sequence[EarlyReceipt], epoch_ns: int) -> bytes:
    """Write EARLY."""
    return b"".join(
        (
            HEAD.pack(What.EARLY, len(receipts)),
            name(carrier),
            column("Q", [(receipt.received_ns + epoch_ns) // MS for receipt in receipts]),
            integers("I", [receipt.command_id for receipt in receipts]),
            strings([receipt.carrier_id for receipt in receipts]),
            strings([receipt.body for receipt in receipts]),
        )
    )


def of_released(carrier: str, ids: list[bytes]) -> bytes:
    """Write RELEASED."""
    return HEAD.pack(What.RELEASED, len(ids)) + name(carrier) + strings(ids)


def of_delivered(esme: str, keys: list[int]) -> bytes:
    """Write DELIVERED."""
    return HEAD.pack(What.DELIVERED, len(keys)) + name(esme) + column("Q", keys)


def of_moment(what: What, at_ms: int) -> bytes:
    """Write STARTED or CHECKPOINT."""
    return HEAD.pack(what, 1) + CODES["Q"].pack(at_ms)


# ---- reading ------------------------------------------------------------------------------------------------


class Submitted(NamedTuple):
    """SUBMITTED; `states` is empty. Or FINISHED, with the final message_state of each."""

    carrier: str
    at_ms: int
    keys: list[int]
    esmes: list[str]
    ids: list[bytes]
    states: list[int]


class Ended(NamedTuple):
    """ENDED."""

    at_ms: int
    keys: list[int]
    esmes: list[str]
    state: int


class Deferred(NamedTuple):
    """DEFERRED."""

    keys: list[int]
    dues_ns: list[int]
    attempts: list[int]


class Released(NamedTuple):
    """RELEASED."""

    carrier: str
    ids: list[bytes]


class Early(NamedTuple):
    """EARLY."""

    carrier: str
    receipts: list[EarlyReceipt]


class Delivered(NamedTuple):
    """DELIVERED."""

    esme: str
    keys: list[int]


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
    reader = Reader(octets)
    reader.name()
    return reader.keys()


def ended_keys_of(octets: bytes) -> list[int]:
    """Read the keys of SUBMITTED, ENDED or FINISHED alone."""
    reader = Reader(octets)
    reader.integer("Q")
    return reader.keys()


def messages_of(octets: bytes, epoch_ns: int, lane: str | None = None) -> list[Message]:
    """Read messages written by `of_messages`; `lane` in the place of the one that is written."""
    reader = Reader(octets)
    written = reader.name()
    stands_in = written if lane is None else lane
    keys, ids, esmes = reader.keys(), reader.strings(), reader.names()
    commands, flags = reader.integers("I"), reader.integers("B")
    accepted, expires, due = (_moments_of(reader, epoch_ns) for _ in range(3))
    attempts, bodies = reader.integers("I"), reader.strings()
    messages = [
        Message(key, message_id, esme, stands_in, command, body, flag, accepted_ns, expires_ns, due_ns)
        for key, message_id, esme, command, body, flag, accepted_ns, expires_ns, due_ns in zip(
            keys, ids, esmes, commands, bodies, flags, accepted, expires, due, strict=True
        )
    ]
    if any(attempts):
        for message, number in zip(messages, attempts, strict=True):
            message.attempts = number
    return messages


def _moments_of(reader: Reader, epoch_ns: int) -> list[int]:
    values_ms = reader.integers("Q")
    first = values_ms[0]
    if values_ms.count(first) == len(values_ms):
        return [first * MS - epoch_ns if first else 0] * len(values_ms)
    return [ms * MS - epoch_ns if ms else 0 for ms in values_ms]


def lane_of(octets: bytes) -> str:
    """Read the lane of a record of messages, or the ESME of a record of deliveries."""
    return Reader(octets).name()


def deliveries_of(octets: bytes, epoch_ns: int) -> list[Delivery]:
    """Read deliveries written by `of_deliveries`."""
    reader = Reader(octets)
    esme, keys = reader.name(), reader.keys()
    kinds, commands, tlvs_at = reader.integers("B"), reader.integers("I"), reader.integers("I")
    due, attempts = _moments_of(reader, epoch_ns), reader.integers("I")
    deliveries = []
    for key, kind, command, tlv_at, due_ns, number, body in zip(
        keys, kinds, commands, tlvs_at, due, attempts, reader.strings(), strict=True
    ):
        delivery = Delivery(esme, _KINDS[kind], command, body, tlv_at)
        delivery.key, delivery.due_ns, delivery.attempts = key, due_ns, number
        deliveries.append(delivery)
    return deliveries


def submitted_of(octets: bytes) -> Submitted:
    """Read SUBMITTED or FINISHED."""
    reader = Reader(octets)
    at_ms, keys, esmes, carrier = reader.integer("Q"), reader.keys(), reader.names(), reader.name()
    states = reader.integers("B") if octets[0] == What.FINISHED else []
    return Submitted(carrier, at_ms, keys, esmes, reader.strings(), states)


def ended_of(octets: bytes) -> Ended:
    """Read ENDED."""
    reader = Reader(octets)
    return Ended(reader.integer("Q"), reader.keys(), reader.names(), reader.integer("B"))


def deferred_of(octets: bytes, epoch_ns: int) -> Deferred:
    """Read DEFERRED."""
    reader = Reader(octets)
    keys, dues_ms = reader.keys(), reader.keys()
    return Deferred(keys, [ms * MS - epoch_ns for ms in dues_ms], reader.many("I"))


def early_of(octets: bytes, epoch_ns: int) -> Early:
    """Read EARLY."""
    reader = Reader(octets)
    carrier, received_ms, commands = reader.name(), reader.keys(), reader.integers("I")
    rows = zip(received_ms, commands, reader.strings(), reader.strings(), strict=True)
    return Early(
        carrier,
        [
            EarlyReceipt(carrier_id, command, body, ms * MS - epoch_ns)
            for ms, command, carrier_id, body in rows
        ],
    )


def released_of(octets: bytes) -> Released:
    """Read RELEASED."""
    reader = Reader(octets)
    return Released(reader.name(), reader.strings())


def delivered_of(octets: bytes) -> Delivered:
    """Read DELIVERED."""
    reader = Reader(octets)
    return Delivered(reader.name(), reader.keys())


def moment_of(octets: bytes) -> int:
    """Read STARTED or CHECKPOINT: milliseconds since 1970."""
    return Reader(octets).integer("Q")
