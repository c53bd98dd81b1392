"""Reads a store without changing or locking it, also one that a gateway is working on.

What a running gateway writes is read while it writes: the end of the log may look torn, segments go when a
checkpoint is done, the ledger moves. So what looks like damage there is only believed when it is seen several times.
"""

from __future__ import annotations

import fcntl
import os
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from smppgw.store.entries import Lane
from smppgw.store.errors import StoreError
from smppgw.store.files import Files, OsFiles
from smppgw.store.ledger import Ledger
from smppgw.store.ledger_file import check_log_id
from smppgw.store.ledger_reader import LedgerReader
from smppgw.store.log import LOCK, Log
from smppgw.store.recovery import Recovery
from smppgw.store.rows import LedgerState
from smppgw.store.segments import segment_numbers
from smppgw.store.startup import LEDGER, check_log_goes_on, check_log_is_there
from smppgw.store.state import State

T = TypeVar("T")

TIMES: Final = 3
"""How often in a row the same is wrong with a store that is in use, before it is believed: what only seems so, because
a gateway writes meanwhile, is something else each time."""
TRIES: Final = 40
"""How often it is looked at in all."""
PAUSE_SECONDS: Final = 0.25
UNREADABLE: Final = (ValueError, LookupError, TypeError, struct.error)
"""What comes of decoding octets that were never written so."""


class NoStore(StoreError):  # noqa: N818 - reads as a sentence where it is raised
    """There is no store in a directory."""

    def __init__(self, directory: Path, reason: str) -> None:
        super().__init__(directory, reason)
        self.directory = directory
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.directory} {self.reason}: give the data_dir of a gateway's configuration"


class Reading(NamedTuple):
    """A store as it was found: its log is scanned, and its ledger is one with it."""

    directory: Path
    in_use: bool
    """Whether a gateway is working on it."""
    log: Log
    ledger: LedgerReader | None
    """None where there is none yet; what it says stays the same for as long as the reading lasts."""
    found: LedgerState

    def pages(self, ids: Sequence[int]) -> list[bytes]:
        """See `LedgerReader.pages`."""
        assert self.ledger is not None or not ids, "pages are in a ledger"
        return self.ledger.pages(ids) if self.ledger is not None else []

    def keys(self, ids: Sequence[int]) -> list[bytes]:
        """See `LedgerReader.keys`."""
        assert self.ledger is not None or not ids, "pages are in a ledger"
        return self.ledger.keys(ids) if self.ledger is not None else []


def store_in(files: Files, directory: Path) -> list[str]:
    """Return the names of what is in the directory of a store. Raises: NoStore, OSError."""
    try:
        names = files.names(directory)
    except FileNotFoundError:
        raise NoStore(directory, "is not there") from None
    except NotADirectoryError:
        raise NoStore(directory, "is not a directory") from None
    if not segment_numbers(names) and LEDGER not in names:
        raise NoStore(directory, "holds no store")
    return names


def is_in_use(directory: Path) -> bool:
    """Whether a gateway works on a store. Raises: OSError."""
    try:
        descriptor = os.open(directory / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        # Shared with others who look, and given back at once: there is no way to ask without it.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def inspect(directory: Path, look: Callable[[Reading], T]) -> T:
    """Return what `look` makes of a store; it may be called several times. Raises: StoreError, OSError."""
    wrong: list[str] = []
    while True:
        store_in(OsFiles(), directory)
        in_use = is_in_use(directory)
        try:
            with _reading(directory, in_use) as reading:
                return look(reading)
        except (StoreError, OSError) as error:
            wrong.append(str(error))
            believed = wrong[-TIMES:] == wrong[-1:] * TIMES or len(wrong) == TRIES
            if believed or not (in_use or is_in_use(directory)):
                raise
        time.sleep(PAUSE_SECONDS)


@contextmanager
def _reading(directory: Path, in_use: bool) -> Iterator[Reading]:
    path = directory / LEDGER
    still = not in_use and not _is_written(path.with_name(f"{path.name}-wal"))
    ledger = None if Ledger.peek(path, still=still) is None else LedgerReader(path, still=still)
    try:
        with ledger.held() if ledger is not None else nullcontext():
            found = LedgerState(0, 0, 0, 1, [], [], {}, {}) if ledger is None else ledger.state()
            log = Log(OsFiles(), directory)
            log.scan()  # after the ledger: what that has is then in it
            log_id = ledger.log_id() if ledger is not None else None
            check_log_is_there(path, log.id, log_id)
            if log_id is not None and log.id is not None:
                check_log_id(path, log_id, log.id)
            check_log_goes_on(path, log, found.lsn)
            yield Reading(directory, in_use, log, ledger, found)
    finally:
        if ledger is not None:
            ledger.close()


def _is_written(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except FileNotFoundError:
        return False


def recovered(reading: Reading) -> State:
    """Return what a gateway would start with. Raises: StoreError, OSError."""
    state = State(0)
    try:
        recovery = Recovery(state, reading, lane_of=Lane)
        recovery.load(reading.found)
        recovery.replay(reading.log, reading.found.lsn)
    except UNREADABLE as error:
        raise StoreError(
            f"{reading.directory}: log and ledger contradict each other ({error!r}): restore the directory from a copy"
        ) from error
    return state
