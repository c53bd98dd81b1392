"""`smppgw status`: what a running gateway is doing, from its admin endpoint."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from smppgw.cli.asking import AskingError, add_admin, fetch, page_of
from smppgw.cli.limits import at_limits
from smppgw.cli.lines import one_line, say, table

_LIMITS: Final = 20
"""So many rows of limits, at most: `smppgw limits` has them all."""


def add_status(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `status`."""
    add_admin(parser)
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    url = page_of(args.admin, "status")
    body = fetch(url)
    try:
        document = json.loads(body)
        lines = [json.dumps(document, indent=2)] if args.json else list(_for_people(document))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise AskingError(url, "the answer is not the status of a gateway") from error
    for line in lines:
        say(line)
    return 0


def _for_people(status: Mapping[str, Any]) -> Iterator[str]:
    ready = "ready" if status["ready"] else f"not ready: {', '.join(status['not_ready'])}"
    yield one_line(f"{status['name']} {status['version']}, up {_span(status['uptime_seconds'])}, {ready}")
    store = status["store"]
    yield one_line(f"store {store['backend']}: {store['octets']:,} of {store['max_octets']:,} octets")
    yield ""
    rows = [("ESME", "binds", "queued", "deliveries waiting", "unanswered")]
    rows += [
        (
            one_line(name),
            _binds(esme["binds"]),
            str(esme["queued"]),
            str(esme["waiting_deliveries"]),
            str(esme["unanswered_deliveries"]),
        )
        for name, esme in status["esmes"].items()
    ]
    yield from table(rows)
    yield ""
    carriers = [("carrier", "", "binds", "in flight", "slowed binds")]
    carriers += [
        (
            one_line(name),
            "up" if carrier["up"] else "DOWN",
            _binds(carrier["binds"]),
            str(carrier["in_flight"]),
            str(carrier["slowed_binds"]),
        )
        for name, carrier in status["carriers"].items()
    ]
    yield from table(carriers)
    yield ""
    yield from table(
        [
            ("lane", "queued"),
            *((one_line(name), str(queued)) for name, queued in status["lanes"].items()),
            ("aside until due", str(status["retrying"])),
        ]
    )
    yield from at_limits(status["limits"], _LIMITS)


def _binds(binds: Mapping[str, int]) -> str:
    return " ".join(f"{mode}:{count}" for mode, count in binds.items() if count) or "none"


def _span(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [f"{value} {unit}" for value, unit in ((days, "d"), (hours, "h"), (minutes, "min")) if value]
    return " ".join([*parts, f"{rest} s"])
