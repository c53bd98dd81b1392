"""`smppgw store`: look into a gateway's store, also while it runs; keep what can be read of a damaged one."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from smppgw.cli.arguments import Parser
from smppgw.cli.lines import complain, one_line, say, say_json, table
from smppgw.cli.store_salvage import salvage
from smppgw.cli.store_show import show
from smppgw.pdu.constants import MessageState
from smppgw.store.errors import StoreError
from smppgw.store.stats import Stats, stats
from smppgw.store.verification import verify

_FAILED: Final = 1


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
        "lanes": {
            name: {"queued": lane.queued, "deferred": lane.deferred}
            for name, lane in sorted(found.lanes.items())
        },
        "esmes": {
            name: {
                "accepted": esme.accepted,
                "queued": esme.queued,
                "waiting_deliveries": esme.deliveries,
            }
            for name, esme in sorted(found.esmes.items())
        },
        "carriers": {
            name: {
                "submitted": carrier.submitted,
                "awaiting_receipt": carrier.awaiting_receipt,
            }
            for name, carrier in sorted(found.carriers.items())
        },
        "shelves": {name: {"held": count} for name, count in sorted(found.shelves.items())},
        "log_octets": found.log_octets,
        "ledger_octets": found.ledger_octets,
    }


def _for_people(found: Stats, document: Mapping[str, Any]) -> Iterator[str]:
    if found.in_use:
        yield "in use by a running gateway"
    yield f"log {found.log_octets:,} octets, ledger {found.ledger_octets:,} octets"
    yield ""
    messages = document["messages"]
    yield from table(
        [
            ("messages", ""),
            ("queued", str(messages["queued"])),
            ("scheduled or put off", str(messages["deferred"])),
            ("awaiting a receipt", str(messages["awaiting_receipt"])),
            *((f"ended {state}", str(count)) for state, count in messages["ended"].items()),
        ]
    )
    for title, key, columns in (
        ("lane", "lanes", ("queued", "deferred")),
        ("ESME", "esmes", ("accepted", "queued", "waiting_deliveries")),
        ("carrier", "carriers", ("submitted", "awaiting_receipt")),
        ("shelf", "shelves", ("held",)),
    ):
        if document[key]:
            yield ""
            yield from table(
                [
                    (title, *(column.replace("_", " ") for column in columns)),
                    *(
                        (one_line(name) or "(nobody)", *(str(row[column]) for column in columns))
                        for name, row in document[key].items()
                    ),
                ]
            )
