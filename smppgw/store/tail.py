"""The end of the log, as the durable store writes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from smppgw.store.api import Durable
from smppgw.store.columns import DISTINCT_MOST
from smppgw.store.committer import Committer
from smppgw.store.frame import RECORD_OVERHEAD
from smppgw.store.log import Log
from smppgw.store.record import MS
from smppgw.store.state import State

EntryT = TypeVar("EntryT")

ROOM_OCTETS: Final = 4 * 1024 * 1024
"""With less room left in the log than this, and none to be had, messages stay: their fate could not be written..."""
ROOM_SHARE: Final = 2
"""...or, where segments are small, with less than one by this."""

RECORD_OCTETS: Final = 256 * 1024
"""A batch is written as several records where one would be longer."""


class Tail:
    """Appends records, and tells the time that goes into them."""

    def __init__(self, state: State, log: Log, committer: Committer, *, clock: Callable[[], int]) -> None:
        self._state = state
        self._log = log
        self._committer = committer
        self._clock = clock
        self._frame_octets = log.batch_octets
        self._most = min(RECORD_OCTETS, log.batch_octets // 4)
        self._added: list[bytes] = []

    def add(self, octets: bytes) -> None:
        """Append a record together with the next ones that are appended so."""
        self._added.append(octets)

    def append(self, records: list[bytes], durable: Durable | None, *, added: bool = False) -> int:
        """Append records, as far as a frame takes them all or none; return the lsn of the last.

        `added`: with those that were added before. `durable` is called when they are on the disk, and all before them.
        """
        if added and self._added:
            records = records + self._added
            self._added = []
        if records:
            if (
                len(records) > 1
                and sum(map(len, records)) + RECORD_OVERHEAD * len(records) > self._frame_octets
            ):
                for octets in records[:-1]:  # too much for one frame: the last of them makes it whole
                    self._committer.append([octets], None)
                records = records[-1:]
            self._state.lsn = self._committer.append(records, durable)
        elif durable is not None:
            self._committer.when_durable(durable)
        return self._state.lsn

    def written(
        self, entries: Sequence[EntryT], write: Callable[[Sequence[EntryT]], bytes]
    ) -> list[tuple[Sequence[EntryT], bytes]]:
        """Write a batch as one record, or, where that gets too long, in parts; return each with its record."""
        if len(entries) <= DISTINCT_MOST:
            octets = write(entries)
            if len(octets) <= self._most or len(entries) == 1:
                return [(entries, octets)]
        half = len(entries) // 2
        return self.written(entries[:half], write) + self.written(entries[half:], write)

    def durable_lsn(self) -> int:
        """Up to which record the log is on the disk."""
        return self._committer.durable_lsn

    def now_ms(self) -> int:
        """Milliseconds since 1970."""
        return (self._clock() + self._state.epoch_ns) // MS

    @property
    def is_short(self) -> bool:
        """Whether the log is about to end, for want of room on the disk."""
        return self._committer.full and self._log.room < min(
            ROOM_OCTETS, self._log.batch_octets // ROOM_SHARE
        )
