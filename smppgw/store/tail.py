"""The end of the log, as the durable store writes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from smppgw.store.api import Durable
from smppgw.store.committer import Committer
from smppgw.store.log import Log
from smppgw.store.record import MS
from smppgw.store.state import State

ROOM_OCTETS: Final = 4 * 1024 * 1024
"""With less room left in the log than this, and none to be had, messages stay: their fate could not be written."""


class Tail:
    """Appends records, and tells the time that goes into them."""

    def __init__(self, state: State, log: Log, committer: Committer, *, clock: Callable[[], int]) -> None:
        self._state = state
        self._log = log
        self._committer = committer
        self._clock = clock
        self._pending: list[bytes] = []

    def add(self, octets: bytes) -> None:
        """Append a record together with the next ones."""
        self._pending.append(octets)

    def append(self, records: list[bytes], durable: Durable | None) -> int:
        """Append records, all or none; return the lsn of the last. `durable` is called when they are on the disk."""
        if self._pending:
            records = self._pending + records
            self._pending = []
        if records:
            self._state.lsn = self._committer.append(records, durable)
        elif durable is not None:
            durable()
        return self._state.lsn

    def durable_lsn(self) -> int:
        """Up to which record the log is on the disk."""
        return self._committer.durable_lsn

    def now_ms(self) -> int:
        """Milliseconds since 1970."""
        return (self._clock() + self._state.epoch_ns) // MS

    @property
    def is_short(self) -> bool:
        """Whether the log is about to end, for want of room on the disk."""
        return self._committer.full and self._log.room < ROOM_OCTETS
