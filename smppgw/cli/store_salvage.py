"""`smppgw store salvage`: keep what can be read of a damaged store."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Final

from smppgw.cli.lines import complain, one_line, say
from smppgw.store.files import OsFiles
from smppgw.store.ledger_salvage import LedgerSalvaged, lost_entries
from smppgw.store.rescue import Rescued, rescue
from smppgw.store.salvage import Salvaged

_WRONG_USAGE: Final = 2


def salvage(args: argparse.Namespace) -> int:
    """Do it, if the loss is accepted."""
    if not args.accept_loss:
        complain(
            f"{args.data_dir}: nothing is done without --accept-loss: with it, the batches that are still valid go "
            "into fresh segments and what can be read of a damaged ledger into a new one, what is damaged is put "
            "aside into a directory salvaged-NNN, and what is lost is printed"
        )
        return _WRONG_USAGE
    found = rescue(OsFiles(), args.data_dir)
    for line in _lines(found):
        say(one_line(line))
    return 0


def _lines(found: Rescued) -> Iterator[str]:
    if found.log is not None:
        yield from _of_log(found.log)
    if found.ledger_damage is not None:
        yield f"the ledger was damaged: {found.ledger_damage}"
        if found.whole_log:
            yield "nothing of it is lost: the log has everything since the beginning"
        elif found.ledger is None:
            yield "nothing in it could be read: its backlog, receipts on their way and history are lost"
        else:
            yield from _of_ledger(found.ledger)
    if found.skipped is not None:
        first, last = found.skipped
        yield f"lost: records {first} to {last}, which neither the ledger nor the log has"
    for path in found.aside:
        yield f"what was damaged is in {path}"
    if found.log is None and found.ledger_damage is None and found.skipped is None:
        yield "nothing is damaged, nothing was changed"
    else:
        yield "messages whose outcome is lost are sent again"


def _of_log(log: Salvaged) -> Iterator[str]:
    yield f"kept {log.records} records of the log, in {log.frames} batches"
    for damage in log.damaged:
        yield f"damaged: {damage.octets} octets at octet {damage.offset} of {damage.segment}"
    for first, last in log.lost:
        yield f"lost: records {first} to {last}"


def _of_ledger(ledger: LedgerSalvaged) -> Iterator[str]:
    yield (
        f"kept {ledger.pages} pages of the ledger, {ledger.sent} messages that await a receipt, "
        f"{ledger.held} requests held, {ledger.history} rows of history"
    )
    if ledger.lost:
        yield f"lost: {len(ledger.lost)} pages with {lost_entries(ledger.lost)} messages or deliveries"
    for name in ledger.cut:
        yield f"lost: a part of the table {name}, how much of it cannot be told"
