"""How a store is opened: the lock, the log, the ledger, and whether they belong together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

from smppgw.store.errors import StoreError
from smppgw.store.files import Files
from smppgw.store.ledger import Ledger
from smppgw.store.ledger_reader import LedgerReader
from smppgw.store.log import Log
from smppgw.store.recovery import Recovery
from smppgw.store.state import State

LEDGER: Final = "ledger.sqlite"
"""The ledger's file in the directory of the store."""


class Opened(NamedTuple):
    """A store whose state is recovered."""

    log: Log
    ledger: Ledger
    reader: LedgerReader
    records: int
    """How many records of the log were gone through."""


def open_store(
    directory: Path,
    files: Files,
    state: State,
    *,
    segment_octets: int,
    lane_now: Callable[[str], str],
    logger: Any,
) -> Opened:
    """Open, or make, the store in a directory, and bring `state` to where it was. Blocks.

    Raises: StoreError, when it is in use, damaged, or its parts do not belong together; OSError.
    """
    log = Log(files, directory, segment_octets=segment_octets)
    log.lock()
    try:
        return _opened(directory, state, log, lane_now, logger)
    except BaseException:
        log.close()
        raise


def _opened(directory: Path, state: State, log: Log, lane_now: Callable[[str], str], logger: Any) -> Opened:
    log.scan()
    path = directory / LEDGER
    _check(path, log)
    torn, last_lsn = log.torn, log.last_lsn
    fresh = log.id is None
    if fresh:
        log.begin()
    assert log.id is not None, "a log that has begun"
    ledger = Ledger(path)
    found = ledger.open(log.id)
    try:
        after_lsn = found.lsn
        if after_lsn > last_lsn:
            raise StoreError(
                f"{path} has what the log said up to record {after_lsn}, and the log in {directory} ends at "
                f"{last_lsn}: segments are missing at its end; restore the directory from one copy"
            )
        if log.first_lsn > after_lsn + 1:
            raise StoreError(
                f"the log in {directory} begins with record {log.first_lsn}, and {path} ends at {after_lsn}: "
                "segments between them, or the ledger itself, are missing; restore the directory from one copy"
            )
        reader = LedgerReader(path)
        recovery = Recovery(state, reader, lane_now=lane_now)
        recovery.load(found)
        recovery.replay(log, after_lsn)
        if not fresh:
            log.begin()
    except BaseException:
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
    return Opened(log, ledger, reader, recovery.records)


def _check(path: Path, log: Log) -> None:
    """Refuse a ledger without its log, before a new log is begun beside it."""
    if log.id is None and Ledger.peek(path) is not None:
        raise StoreError(
            f"{path} is there and its log is not: restore the directory from one copy, or move the ledger away "
            "to begin with nothing"
        )
