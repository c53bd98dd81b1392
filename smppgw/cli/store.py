"""`smppgw store`: look into a gateway's store, also while it runs; keep what can be read of a damaged one."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from smppgw.cli.arguments import Parser, count
from smppgw.cli.lines import complain, one_line, say, say_json, table
from smppgw.cli.store_kept import kept
from smppgw.cli.store_salvage import salvage
from smppgw.cli.store_show import show, word_of
from smppgw.orphans import NOBODY
from smppgw.pdu.constants import MessageState
from smppgw.store.errors import StoreError
from smppgw.store.stats import LaneCount, Stats, stats
from smppgw.store.verification import verify

_FAILED: Final = 1

_ON_SHELVES: Final[Mapping[str, str]] = {
    "receipts": "receipts of {} that wait for a response",
    "parts": "parts of {} that wait for other parts",
}
"""What is held on the shelves of carriers, by the beginning of their names."""


def add_store(parser: argparse.ArgumentParser) -> None:
    """Declare what can be done with a store."""
    commands = parser.add_subparsers(metavar="WHAT", required=True, parser_class=Parser)

    def add(name: str, run: Callable[[argparse.Namespace], int], words: str) -> argparse.ArgumentParser:
        added = commands.add_parser(
            name, help=words, description=words[0].upper() + words[1:] + ".", allow_abbrev=False
        )
        added.add_argument(
            "--data-dir", type=Path, required=True, metavar="DIR", help="the data_dir of the gateway"
        )
        added.set_defaults(run=lambda args: _guarded(run, args))
        return added

    add("verify", _verify, "read all of a store, and say ok or the first damage")
    counting = add("stats", _stats, "count what is in a store")
    counting.add_argument("--json", action="store_true", help="print one JSON object")
    showing = add("show", show, "show what became of one message")
    showing.add_argument("message_id", metavar="MESSAGE_ID", help="what the ESME was told")
    showing.add_argument("--clear", action="store_true", help="show telephone numbers and the text")
    showing.add_argument("--json", action="store_true", help="print one JSON object")
    keeping = add("kept", kept, "list the messages of handsets and the receipts that are nobody's")
    keeping.add_argument("--limit", type=count, metavar="N", help="only the newest N")
    keeping.add_argument("--clear", action="store_true", help="show telephone numbers and texts")
    keeping.add_argument("--json", action="store_true", help="print one JSON object a line")
    saving = add("salvage", salvage, "keep what can be read of a damaged store, and give up the rest")
    saving.add_argument("--accept-loss", action="store_true", help="do it; without, nothing is done")


def _guarded(run: Callable[[argparse.Namespace], int], args: argparse.Namespace) -> int:
    """Fail with one line: no status but 1 and 2 is of a command that only looks."""
    try:
        return run(args)
    except StoreError as error:
        complain(str(error))
    except BrokenPipeError:  # for `main`
        raise
    except OSError as error:
        complain(f"{error.filename or args.data_dir}: {error.strerror or error}")
    return _FAILED


def _verify(args: argparse.Namespace) -> int:
    found = verify(args.data_dir)
    parts = [
        f"{found.segments} segments",
        f"{found.records} records",
        f"last lsn {found.last_lsn}",
        f"{found.pages} pages and {found.history} rows of history in the ledger",
    ]
    if found.torn is not None:
        parts.append(
            f"a torn tail of {found.torn.octets} octets at octet {found.torn.offset} of {found.torn.path.name}, "
            "promised to nobody"
        )
    if found.in_use:
        parts.append("in use by a running gateway")
    say(one_line(f"ok: {', '.join(parts)}"))
    return 0


# ---- stats --------------------------------------------------------------------------------------------------


def _stats(args: argparse.Namespace) -> int:
    found = stats(args.data_dir)
    document = _document(found)
    if args.json:
        say_json(document)
    else:
        for line in _for_people(found, document):
            say(line)
    return 0


def _document(found: Stats) -> dict[str, Any]:
    states = {int(state): state.name for state in MessageState}
    return {
        "in_use": found.in_use,
        "messages": {
            "queued": sum(lane.queued for lane in found.lanes.values()),
            "deferred": sum(lane.deferred for lane in found.lanes.values()),
            "awaiting_receipt": sum(carrier.awaiting_receipt for carrier in found.carriers.values()),
            "ended": {states.get(state, str(state)): count for state, count in sorted(found.ended.items())},
        },
        "lanes": _by_word(found.lanes),
        "esmes": {
            name: {
                "accepted": esme.accepted,
                "queued": esme.queued,
                "waiting_deliveries": esme.deliveries,
            }
            for name, esme in sorted(found.esmes.items())
            if name != NOBODY
        },
        "carriers": {
            name: {
                "submitted": carrier.submitted,
                "awaiting_receipt": carrier.awaiting_receipt,
            }
            for name, carrier in sorted(found.carriers.items())
        },
        "shelves": {name: {"held": held} for name, held in sorted(found.shelves.items())},
        "kept": found.esmes[NOBODY].deliveries if NOBODY in found.esmes else 0,
        "log_octets": found.log_octets,
        "ledger_octets": found.ledger_octets,
    }


def _by_word(lanes: Mapping[str, LaneCount]) -> dict[str, dict[str, int]]:
    """Return what stands in all lanes of one word together: of each sender there may be one."""
    words: dict[str, dict[str, int]] = {}
    for name, lane in sorted(lanes.items()):
        counted = words.setdefault(word_of(name), {"queued": 0, "deferred": 0})
        counted["queued"] += lane.queued
        counted["deferred"] += lane.deferred
    return words


def _for_people(found: Stats, document: Mapping[str, Any]) -> Iterator[str]:
    if found.in_use:
        yield "in use by a running gateway"
    yield f"log {found.log_octets:,} octets, ledger {found.ledger_octets:,} octets"
    yield ""
    yield from table([*_totals(document)])
    for title, key, columns in (
        ("lane", "lanes", ("queued", "deferred")),
        ("ESME", "esmes", ("accepted", "queued", "waiting_deliveries")),
        ("carrier", "carriers", ("submitted", "awaiting_receipt")),
    ):
        if document[key]:
            yield ""
            yield from table(
                [
                    (title, *(column.replace("_", " ") for column in columns)),
                    *(
                        (one_line(name), *(str(row[column]) for column in columns))
                        for name, row in document[key].items()
                    ),
                ]
            )


def _totals(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    messages = document["messages"]
    yield "messages", ""
    yield "queued", str(messages["queued"])
    yield "scheduled or put off", str(messages["deferred"])
    yield "awaiting a receipt", str(messages["awaiting_receipt"])
    for state, total in messages["ended"].items():
        yield f"ended {state}", str(total)
    for shelf, on_it in document["shelves"].items():
        beginning, _, carrier = shelf.partition("/")
        words = _ON_SHELVES.get(beginning)
        yield one_line(words.format(carrier) if words else f"held on {shelf}"), str(on_it["held"])
    if document["kept"]:
        yield "kept, and nobody's", str(document["kept"])
