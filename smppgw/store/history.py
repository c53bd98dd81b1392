"""The records that the history is made of: what became of messages.

They are written as `record` tells, and are all that is left of a message in the end: so they say when it was accepted,
and of how many it is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from smppgw.store import record
from smppgw.store.columns import CODES, HEAD, Reader, column, name, named, names, strings
from smppgw.store.entries import Message, Outcome, Standing
from smppgw.store.outcomes import outcome_of, text_of
from smppgw.store.record import MS, What

# ---- writing ------------------------------------------------------------------------------------------------


def of_submitted(
    carrier: str,
    at_ms: int,
    messages: Sequence[Message],
    esmes: list[str],
    ids: list[bytes],
    epoch_ns: int,
) -> bytes:
    """Write SUBMITTED; `esmes` are those of the messages."""
    return b"".join(
        (
            HEAD.pack(What.SUBMITTED, len(messages)),
            CODES["Q"].pack(at_ms),
            column("Q", [message.key for message in messages]),
            names(esmes),
            record.accepted(messages, epoch_ns),
            record.parts(messages),
            name(carrier),
            strings(ids),
        )
    )


def of_ended(
    at_ms: int, messages: Sequence[Message], esmes: list[str], outcomes: list[Outcome], epoch_ns: int
) -> bytes:
    """Write ENDED; `esmes` are those of the messages."""
    return b"".join(
        (
            HEAD.pack(What.ENDED, len(messages)),
            CODES["Q"].pack(at_ms),
            column("Q", [message.key for message in messages]),
            names(esmes),
            record.accepted(messages, epoch_ns),
            record.parts(messages),
            named(outcomes, text_of),
        )
    )


def of_finished(
    carrier: str, at_ms: int, keys: list[int], esmes: list[str], ids: list[bytes], outcomes: list[Outcome]
) -> bytes:
    """Write FINISHED."""
    head = HEAD.pack(What.FINISHED, len(keys))
    columns = (column("Q", keys), names(esmes), name(carrier), named(outcomes, text_of), strings(ids))
    return b"".join((head, CODES["Q"].pack(at_ms), *columns))


# ---- reading ------------------------------------------------------------------------------------------------


class Submitted(NamedTuple):
    """SUBMITTED."""

    at_ms: int
    keys: list[int]
    esmes: list[str]
    accepted_ms: list[int]
    parts: list[int]
    carrier: str
    ids: list[bytes]


class Finished(NamedTuple):
    """FINISHED."""

    at_ms: int
    keys: list[int]
    esmes: list[str]
    carrier: str
    outcomes: list[Outcome]
    ids: list[bytes]


class Ended(NamedTuple):
    """ENDED."""

    at_ms: int
    keys: list[int]
    esmes: list[str]
    accepted_ms: list[int]
    parts: list[int]
    outcomes: list[Outcome]


def keys_of(octets: bytes) -> list[int]:
    """Read the keys of SUBMITTED, ENDED or FINISHED alone."""
    reader = Reader(octets)
    reader.integer("Q")
    return reader.keys()


def submitted_of(octets: bytes) -> Submitted:
    """Read SUBMITTED."""
    reader = Reader(octets)
    at_ms, keys, esmes = reader.integer("Q"), reader.keys(), reader.names()
    accepted_ms, parts = reader.integers("Q"), reader.integers("H")
    return Submitted(at_ms, keys, esmes, accepted_ms, parts, reader.name(), reader.strings())


def finished_of(octets: bytes) -> Finished:
    """Read FINISHED."""
    reader = Reader(octets)
    at_ms, keys, esmes, carrier = reader.integer("Q"), reader.keys(), reader.names(), reader.name()
    return Finished(at_ms, keys, esmes, carrier, reader.named(outcome_of), reader.strings())


def ended_of(octets: bytes) -> Ended:
    """Read ENDED."""
    reader = Reader(octets)
    at_ms, keys, esmes = reader.integer("Q"), reader.keys(), reader.names()
    accepted_ms, parts = reader.integers("Q"), reader.integers("H")
    return Ended(at_ms, keys, esmes, accepted_ms, parts, reader.named(outcome_of))


def ended_as(records: Iterable[bytes], key: int, epoch_ns: int) -> Standing | None:
    """Read what records of the history, oldest first, say of a message."""
    standing = None
    for octets in records:
        match record.what(octets):
            case What.SUBMITTED:
                submitted = submitted_of(octets)
                if key in submitted.keys:
                    standing = Standing(submitted.esmes[submitted.keys.index(key)], None, 0, None)
            case What.FINISHED:
                finished = finished_of(octets)
                if key in finished.keys:
                    at = finished.keys.index(key)
                    final_ns = finished.at_ms * MS - epoch_ns
                    standing = Standing(finished.esmes[at], finished.outcomes[at], final_ns, None)
            case What.ENDED:
                ended = ended_of(octets)
                if key in ended.keys:
                    at = ended.keys.index(key)
                    final_ns = ended.at_ms * MS - epoch_ns
                    standing = Standing(ended.esmes[at], ended.outcomes[at], final_ns, None)
            case _:
                pass
    return standing
