"""Making a store that can be used of a damaged one, for a person who has accepted that the rest is lost.

What is damaged is kept aside. When this is cut short, it can be done again.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

from smppgw.store.errors import StoreDamaged, StoreInUse
from smppgw.store.files import Files
from smppgw.store.frame import SECTOR_OCTETS, SegmentHeader, decode_header
from smppgw.store.inspection import store_in
from smppgw.store.ledger import Ledger
from smppgw.store.ledger_file import LedgerDamaged, check_log_id
from smppgw.store.ledger_reader import LedgerReader
from smppgw.store.ledger_salvage import LedgerSalvaged, Notes, notes_of, rebuild
from smppgw.store.log import LOCK, Log
from smppgw.store.rows import Fold
from smppgw.store.salvage import Salvaged, new_aside, salvage
from smppgw.store.segments import segment_name, segment_numbers
from smppgw.store.startup import LEDGER
from smppgw.store.verification import check_ledger

_REBUILT: Final = f"{LEDGER}.rebuilt"
_BESIDE: Final = ("", "-wal", "-shm", "-journal")
"""What SQLite adds to the names of its files."""


class Rescued(NamedTuple):
    """What became of a store. All None where nothing was wrong with it."""

    log: Salvaged | None
    """None where the log was well, and was not touched."""
    ledger_damage: str | None
    """What was wrong with the ledger; None where it was well, or not there."""
    ledger: LedgerSalvaged | None
    """What the new ledger has of the damaged one; None where there is none, or nothing of it could be read."""
    whole_log: bool
    """Whether the ledger is not needed: the log has all records there ever were."""
    skipped: tuple[int, int] | None
    """The first and the last of the records that the ledger had not taken in, and that the log no longer has."""
    aside: list[Path]
    """Where what was damaged is now."""


def rescue(files: Files, directory: Path) -> Rescued:
    """Lock a store, and make it usable. Raises: NoStore; StoreInUse; StoreError for what it cannot mend; OSError."""
    store_in(files, directory)
    lock = files.lock(directory / LOCK)
    if lock is None:
        raise StoreInUse(directory)
    with closing(lock):
        return _rescued(files, directory)


def _rescued(files: Files, directory: Path) -> Rescued:
    path = directory / LEDGER
    names = files.names(directory)
    if _REBUILT in names and LEDGER not in names:  # an earlier rescue was cut short when that was complete
        _put_in_place(files, directory, new_aside(files, directory, names), rebuilt=True)
    damage = _damage_of(path)
    notes = notes_of(path) if path.exists() else None
    salvaged = _mend_log(files, directory, notes)
    log = Log(files, directory)
    log.scan()
    assert log.id is not None, "a log that is well"
    aside = [salvaged.aside] if salvaged is not None and salvaged.aside is not None else []
    ledger = None
    whole_log = False
    if damage is not None:
        whole_log = _is_whole(log)
        ledger = _rebuilt(files, directory, notes) if notes is not None and not whole_log else None
        if not aside:
            aside.append(new_aside(files, directory, files.names(directory)))
        _put_in_place(files, directory, aside[0], rebuilt=ledger is not None)
    skipped = _catch_up(path, log)
    return Rescued(salvaged, damage, ledger, whole_log, skipped, aside)


def _damage_of(path: Path) -> str | None:
    """Say what is wrong with a ledger; None for one that is well, or not there. Raises: StoreError."""
    try:
        if Ledger.peek(path) is None:
            return None
        with closing(LedgerReader(path)) as reader, reader.held():
            check_ledger(path, reader, reader.state().pages)
    except LedgerDamaged as error:
        return error.reason
    return None


# ---- the log ------------------------------------------------------------------------------------------------


def _mend_log(files: Files, directory: Path, notes: Notes | None) -> Salvaged | None:
    """Salvage the log if it is damaged, or ends before its ledger does."""
    ids = _log_ids(files, directory)
    lsn = 0
    if notes is not None:
        lsn = notes.lsn
        if ids and notes.log_id not in ids:
            check_log_id(directory / LEDGER, notes.log_id, ids[0])
    log = Log(files, directory)
    try:
        log.scan()
    except StoreDamaged:
        pass
    else:
        if log.id is not None and log.last_lsn >= lsn:
            return None
    return salvage(files, directory, log_id=notes.log_id if notes is not None else None, after_lsn=lsn)


def _log_ids(files: Files, directory: Path) -> list[bytes]:
    """Which logs the segments belong to, as far as they say."""
    ids = []
    for number in segment_numbers(files.names(directory)):
        with closing(files.open(directory / segment_name(number), write=False)) as file:
            try:
                header = decode_header(file.read(SECTOR_OCTETS, 0))
            except OSError:
                continue  # `salvage` goes round what cannot be read
        if isinstance(header, SegmentHeader):
            ids.append(header.log_id)
    return ids


def _is_whole(log: Log) -> bool:
    """Whether a log has every record from the first on."""
    next_lsn = 1
    for frame in log.frames(0):
        if frame.first_lsn != next_lsn:
            return False
        next_lsn += len(frame.records)
    return next_lsn == log.last_lsn + 1


# ---- the ledger ---------------------------------------------------------------------------------------------


def _rebuilt(files: Files, directory: Path, notes: Notes) -> LedgerSalvaged:
    names = files.names(directory)
    for name in _names(_REBUILT, names):
        files.remove(directory / name)
    return rebuild(directory / LEDGER, directory / _REBUILT, notes)


def _put_in_place(files: Files, directory: Path, aside: Path, *, rebuilt: bool) -> None:
    """Put the damaged ledger aside, and the new one where it was."""
    for name in _names(LEDGER, files.names(directory)):
        files.rename(directory / name, aside / name)
    if rebuilt:
        files.rename(directory / _REBUILT, directory / LEDGER)
    files.sync_directory(aside)
    files.sync_directory(directory)


def _names(ledger: str, names: Sequence[str]) -> list[str]:
    """The files of a ledger among these names."""
    return [name for end in _BESIDE if (name := ledger + end) in names]


def _catch_up(path: Path, log: Log) -> tuple[int, int] | None:
    """Let the ledger go on from where the log begins; return the records between, which are lost."""
    assert log.id is not None, "a log that is well"
    if log.first_lsn == 1:
        return None
    ledger = Ledger(path)
    found = ledger.open(log.id)
    try:
        if log.first_lsn <= found.lsn + 1:
            return None
        ledger.apply(Fold(log.first_lsn - 1, found.highest_key, found.delivery_key))
    finally:
        ledger.close()
    return found.lsn + 1, log.first_lsn - 1
