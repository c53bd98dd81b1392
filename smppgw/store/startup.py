"""How a store is opened: the lock, the log, the ledger, and whether they belong together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

from smppgw.store.entries import Lane
from smppgw.store.errors import StoreError
from smppgw.store.files import Files
from smppgw.store.ledger import Ledger
from smppgw.store.ledger_reader import LedgerReader
from smppgw.store.log import Log
from smppgw.store.recovery import Recovery
from smppgw.store.state import State

_RESTORE: Final = "restore the directory from one copy"
LEDGER: Final = "ledger.sqlite"
"""The ledger's file in the directory of the store."""


class Opened(NamedTuple):
    """A store whose state is recovered."""

    log: Log
    ledger: Ledger
    reader: LedgerReader
    records: int
    """How many records of the log were gone through."""
    carriers: set[str] | None
    """Carriers of which the ledger may know messages; None for any."""


def open_store(
    directory: Path,
    files: Files,
    state: State,
    *,
    segment_octets: int,
    lane_of: Callable[[str], Lane],
    logger: Any,
) -> Opened:
    """Open, or make, the store in a directory, and bring `state` to where it was. Blocks.

    Raises: StoreError, when it is in use, damaged, or its parts do not belong together; OSError.
    """
    log = Log(files, directory, segment_octets=segment_octets)
    log.lock()
    try:
        return _opened(directory, state, log, lane_of, logger)
    except BaseException:
        log.close()
        raise


def _opened(directory: Path, state: State, log: Log, lane_of: Callable[[str], Lane], logger: Any) -> Opened:
    log.scan()
    path = directory / LEDGER
    check_log_is_there(path, log.id, Ledger.peek(path))
    torn, last_lsn = log.torn, log.last_lsn
    fresh = log.id is None
    if fresh:
        log.begin()
    assert log.id is not None, "a log that has begun"
    ledger = Ledger(path)
    found = ledger.open(log.id)
    try:
        after_lsn = found.lsn
        check_log_goes_on(path, log, after_lsn)
        reader = LedgerReader(path)
    except BaseException:
        ledger.close()
        raise
    try:
        recovery = Recovery(state, reader, lane_of=lane_of)
        recovery.load(found)
        recovery.replay(log, after_lsn)
        if not fresh:
            log.begin()
    except BaseException:
        reader.close()
        ledger.close()
        raise
    if last_lsn:
        logger.info(
            "store_recovered",
            directory=str(directory),
            records=recovery.records,
            messages=sum(state.queued.values()),
            torn_octets=torn.octets if torn is not None else 0,
        )
    state.lsn = last_lsn
    return Opened(log, ledger, reader, recovery.records, None if after_lsn else set())


def check_log_is_there(path: Path, log_id: bytes | None, ledger_log_id: bytes | None) -> None:
    """Refuse a ledger without its log, before a new log is begun beside it. Raises: StoreError."""
    if log_id is None and ledger_log_id is not None:
        raise StoreError(
            f"{path} is there and its log is not: {_RESTORE}, or move the ledger away to begin with nothing"
        )


def check_log_goes_on(path: Path, log: Log, lsn: int) -> None:
    """Refuse a log that does not go on where its ledger, at `path`, ends. Raises: StoreError."""
    if lsn > log.last_lsn:
        raise StoreError(
            f"{path} has what the log said up to record {lsn}, and the log in {path.parent} ends at "
            f"{log.last_lsn}: segments are missing at its end; {_RESTORE}"
        )
    if log.first_lsn > lsn + 1:
        raise StoreError(
            f"the log in {path.parent} begins with record {log.first_lsn}, and {path} ends at {lsn}: "
            f"segments between them, or the ledger itself, are missing; {_RESTORE}"
        )
