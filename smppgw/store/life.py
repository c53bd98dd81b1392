"""What one message has come to, as far as a store still knows it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from smppgw.store import columns, history, record
from smppgw.store.entries import Lane, Message, Outcome
from smppgw.store.errors import StoreError
from smppgw.store.inspection import UNREADABLE, Reading, inspect
from smppgw.store.page import LANE, LANES
from smppgw.store.page_codec import chunks_of
from smppgw.store.record import MS, What
from smppgw.store.rows import SentRow


class Submission(NamedTuple):
    """A carrier took the message. After a crash there may be a second one."""

    at_ms: int
    carrier: str
    carrier_id: bytes
    """Empty where the carrier gave none."""


class Life:
    """One message, gathered from records, oldest first. Moments are since 1970."""

    def __init__(self, key: int) -> None:
        self.key = key
        self.esme = ""
        """Empty while nothing is known."""
        self.message: Message | None = None
        """As it was last seen whole; None where it is too long ago."""
        self.accepted_ms = 0
        """0 where that is too long ago."""
        self.parts = 1
        """Of how many messages, made of what the ESME submitted, it is one; see `Message.parts`."""
        self.submissions: list[Submission] = []
        self.outcome: Outcome | None = None
        """None while that is open."""
        self.final_ms = 0
        """When it came to that; 0 while that is open."""
        self.never_sent = False
        """It came to its end without a carrier."""
        self.others: list[Life] = []
        """The parts behind it, if it is the first of several; one of which nothing is known has no `esme`."""
        self._needle = columns.packed([key])

    def take(self, records: Iterable[bytes]) -> None:
        """Learn what records of the log, of a page or of the history say. Raises: StoreError."""
        for octets in records:
            if self._needle in octets:
                self._take(octets)

    def take_sent(self, row: SentRow) -> None:
        """Learn what is left of a message for which a receipt is expected."""
        message = Message(
            row.key,
            row.message_id,
            row.esme,
            Lane(""),
            0,
            b"",
            row.registered_delivery,
            row.accepted_ms * MS,
            parts=row.parts,
        )
        message.envelope = row.envelope
        self._take_message(message)

    def _take_message(self, message: Message) -> None:
        self.message = message
        self._take_beginning(message.esme, message.accepted_ns // MS, message.parts)

    def _take_beginning(self, esme: str, accepted_ms: int, parts: int) -> None:
        self.esme, self.accepted_ms, self.parts = esme, accepted_ms, parts

    def _take(self, octets: bytes) -> None:
        key = self.key
        match record.what(octets):
            case What.ACCEPTED | What.REPLACED:
                for message in record.messages_of(octets, 0, Lane):
                    if message.key == key:
                        self._take_message(message)
            case What.DEFERRED:
                deferred = record.deferred_of(octets, 0)
                if key in deferred.keys and self.message is not None:
                    at = deferred.keys.index(key)
                    self.message.due_ns = deferred.dues_ns[at]
                    self.message.attempts = deferred.attempts[at]
            case What.SUBMITTED:
                submitted = history.submitted_of(octets)
                if key in submitted.keys:
                    at = submitted.keys.index(key)
                    self._take_beginning(submitted.esmes[at], submitted.accepted_ms[at], submitted.parts[at])
                    submission = Submission(submitted.at_ms, submitted.carrier, submitted.ids[at])
                    if submission not in self.submissions:  # the log and the history may both have it
                        self.submissions.append(submission)
            case What.FINISHED:
                finished = history.finished_of(octets)
                if key in finished.keys:
                    at = finished.keys.index(key)
                    self.esme = finished.esmes[at]
                    self.outcome, self.final_ms = finished.outcomes[at], finished.at_ms
            case What.ENDED:
                ended = history.ended_of(octets)
                if key in ended.keys:
                    at = ended.keys.index(key)
                    self._take_beginning(ended.esmes[at], ended.accepted_ms[at], ended.parts[at])
                    self.outcome, self.final_ms, self.never_sent = ended.outcomes[at], ended.at_ms, True
            case _:
                pass


def life_of(directory: Path, key_of: Callable[[int], int | None]) -> tuple[Life | None, bool]:
    """Return what is known of a message, and whether the store is in use; None for one that is not known.

    `key_of` gets the highest key there is, and returns the key of the message. Raises: StoreError, OSError.
    """
    return inspect(directory, lambda reading: (_life(reading, key_of), reading.in_use))


def _life(reading: Reading, key_of: Callable[[int], int | None]) -> Life | None:
    key = key_of(_highest_key(reading))
    if key is None:
        return None
    [found] = _lives(reading, [key])
    if not found.esme:
        return None
    if found.parts > 1:
        found.others = _lives(reading, range(key + 1, key + found.parts))
    return found


def _lives(reading: Reading, keys: Sequence[int]) -> list[Life]:
    lives = [Life(key) for key in keys]
    try:
        if reading.ledger is not None:
            for life in lives:
                for row in reading.ledger.sent_for(life.key):
                    life.take_sent(row)
                _take_pages(reading, life)
                for kept in reading.ledger.history(life.key):
                    life.take(chunks_of(kept.body))
        for frame in reading.log.frames(0):
            for life in lives:
                life.take(frame.records)
    except UNREADABLE as error:
        raise StoreError(f"{reading.directory}: unreadable ({error!r}): run `smppgw store verify`") from error
    return lives


def _highest_key(reading: Reading) -> int:
    highest = reading.found.highest_key
    for frame in reading.log.frames(reading.found.lsn):
        for octets in frame.records:
            if record.what(octets) is What.ACCEPTED:
                highest = max(highest, *record.keys_of(octets))
    return highest


def _take_pages(reading: Reading, found: Life) -> None:
    """Take the message from the pages it stands in; the newest word is in the one that came last."""
    heads = [
        head
        for head in reading.found.pages
        if head.queue.startswith((LANE, LANES)) and head.first_key <= found.key <= head.last_key
    ]
    heads.sort(key=lambda head: head.id)
    for body in reading.pages([head.id for head in heads]):
        found.take(chunks_of(body))
