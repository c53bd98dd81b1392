"""`smppgw status`: what a running gateway is doing, from its admin endpoint."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from http.client import HTTPException
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

from smppgw.cli.lines import one_line, say, table
from smppgw.errors import SmppgwError

_DEFAULT: Final = "http://127.0.0.1:9464"
_SECONDS: Final = 10.0
_STATUS_OCTETS: Final = 16 * 1024 * 1024
"""The most that is read of an answer."""


def add_status(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `status`."""
    parser.add_argument("--admin", default=_DEFAULT, metavar="URL", help=f"the [admin] endpoint ({_DEFAULT})")
    parser.add_argument("--json", action="store_true", help="print the JSON as it came")
    parser.set_defaults(run=_run)


class StatusError(SmppgwError):
    """The gateway's status cannot be had."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(url, reason)
        self.url = url
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.url}: {self.reason}"


def _run(args: argparse.Namespace) -> int:
    url = f"{args.admin.rstrip('/')}/status"
    body = _fetch(url)
    try:
        document = json.loads(body)
        lines = [json.dumps(document, indent=2)] if args.json else list(_for_people(document))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StatusError(url, "the answer is not the status of a gateway") from error
    for line in lines:
        say(line)
    return 0


def _fetch(url: str) -> bytes:
    if not url.startswith(("http://", "https://")):
        raise StatusError(url, "not an http:// or https:// address")
    try:
        # A proxy of the environment is not asked: the endpoint is on this machine or a private address.
        with build_opener(ProxyHandler({})).open(url, timeout=_SECONDS) as answer:
            return bytes(answer.read(_STATUS_OCTETS))
    except HTTPError as error:
        raise StatusError(url, f"answered {error.code} {error.reason}") from None
    except URLError as error:
        reason = error.reason
        said = reason.strerror or str(reason) if isinstance(reason, OSError) else str(reason)
        raise StatusError(url, said) from None
    except (HTTPException, OSError, ValueError) as error:
        raise StatusError(url, str(error) or type(error).__name__) from None


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


def _binds(binds: Mapping[str, int]) -> str:
    return " ".join(f"{mode}:{count}" for mode, count in binds.items() if count) or "none"


def _span(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [f"{value} {unit}" for value, unit in ((days, "d"), (hours, "h"), (minutes, "min")) if value]
    return " ".join([*parts, f"{rest} s"])
