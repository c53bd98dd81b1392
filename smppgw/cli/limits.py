"""`smppgw limits`: what brands, campaigns and numbers of a running gateway may send, and what waits for it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from smppgw.cli.asking import AskingError, add_admin, fetch, page_of
from smppgw.cli.lines import one_line, say, table
from smppgw.cli.moments import span

_NONE: Final = "-"
"""No limit, or nothing to tell."""

Entry = Mapping[str, Any]


def add_limits(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `limits`."""
    add_admin(parser)
    parser.add_argument(
        "name", nargs="?", metavar="NUMBER|CAMPAIGN|BRAND", help="one of them, or a pool, with its numbers"
    )
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    page = "limits" if args.name is None else f"limits?name={quote(args.name, safe='')}"
    url = page_of(args.admin, page)
    body = fetch(url)
    try:
        document = json.loads(body)
        lines = [json.dumps(document, indent=2)] if args.json else list(_for_people(document))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise AskingError(url, "the answer is not about the limits of a gateway") from error
    for line in lines:
        say(line)
    return 0


def at_limits(limits: Entry, most: int) -> Iterator[str]:
    """Yield a table of the brands and campaigns that wait or have used up their day, at most so many; or nothing."""
    rows = [
        (
            f"brand {one_line(brand['brand'])}",
            _a_day(brand),
            _rate(brand["used_per_second"]),
            str(brand["waiting"]),
            _in(brand["drain_seconds"]),
        )
        for brand in limits["brands"]
        if brand["waiting"] or brand["left_today"] == 0
    ]
    rows += [
        (
            f"campaign {one_line(campaign['campaign'])}",
            _a_second(campaign),
            _rate(campaign["used_per_second"]),
            str(campaign["waiting"]),
            _in(campaign["drain_seconds"]),
        )
        for campaign in limits["campaigns"]
        if campaign["waiting"]
    ]
    if rows:
        yield ""
        yield from table([("limited", "allowed", "used a second", "waiting", "drained in"), *rows[:most]])
        if len(rows) > most:
            yield f"and {len(rows) - most} more: smppgw limits"


def _for_people(limits: Entry) -> Iterator[str]:
    numbers = limits.get("numbers", [])
    if not (limits["brands"] or limits["campaigns"] or numbers or limits.get("numbers_limited")):
        yield "no limits are configured: there is no [[brand]], [[campaign]] or [[number]]"
        return
    yield f"segments, as they count to limits; used: over the last {limits['used_over_seconds']:g} s"
    yield from _section(limits, "brands", _brands(limits["brands"]))
    yield from _section(limits, "campaigns", _campaigns(limits["campaigns"]))
    yield from _section(limits, "numbers", _numbers(numbers))
    if "numbers_limited" in limits:
        yield ""
        waiting = limits["sources_waiting"]
        yield f"{limits['numbers_limited']} numbers have limits; something of {waiting} source addresses waits"


def _section(limits: Entry, kind: str, rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Yield a table below its head, if it has rows."""
    if len(rows) > 1:
        yield ""
        yield from table(rows)
    more = limits.get(f"{kind}_not_shown", 0)
    if more:
        yield f"and {more} {kind} more, of which less waits"


def _brands(brands: Sequence[Entry]) -> list[tuple[str, ...]]:
    head = ("brand", "", "a day", "used", "left", "day ends", "used a second", *_WAITING)
    return [
        head,
        *(
            (
                one_line(brand["brand"]),
                one_line(brand["status"]),
                _count(brand["segments_per_day"]),
                _count(brand["used_today"]),
                _count(brand["left_today"]),
                _NONE
                if brand["day_ends"] is None
                else f"{brand['day_ends']} (in {_in(brand['day_ends_seconds'])})",
                _rate(brand["used_per_second"]),
                *_waiting(brand),
            )
            for brand in brands
        ),
    ]


def _campaigns(campaigns: Sequence[Entry]) -> list[tuple[str, ...]]:
    head = ("campaign", "brand", "", "class", "a second", "used a second", "next token", *_WAITING, "pools")
    return [
        head,
        *(
            (
                one_line(campaign["campaign"]),
                one_line(campaign["brand"]),
                one_line(campaign["status"]),
                one_line(campaign["class"] or _NONE),
                # One without a rate of its own, of which something is known to be used, has numbers with theirs.
                *_allowed(campaign, _NONE if campaign["used_per_second"] is None else "by number"),
                *_waiting(campaign),
                one_line(" ".join(campaign["pools"]) or _NONE),
            )
            for campaign in campaigns
        ),
    ]


def _numbers(numbers: Sequence[Entry]) -> list[tuple[str, ...]]:
    head = ("number", "campaign", "a second", "used a second", "next token", *_WAITING)
    return [
        head,
        *(
            (
                one_line(number["number"]),
                one_line(number["campaign"] or _NONE),
                *_allowed(number),
                *_waiting(number),
            )
            for number in numbers
        ),
    ]


_WAITING: Final = ("waiting", "segments", "aside", "drained in")


def _waiting(entry: Entry) -> tuple[str, ...]:
    return (
        str(entry["waiting"]),
        str(entry["waiting_segments"]),
        str(entry["aside"]),
        _in(entry["drain_seconds"]),
    )


def _allowed(entry: Entry, otherwise: str = _NONE) -> tuple[str, ...]:
    """Return what is allowed, or `otherwise`, what is used of it, and when the next may leave."""
    rate, token = entry["segments_per_second"], entry["next_token_seconds"]
    return (
        otherwise if rate is None else _rate(rate),
        _rate(entry["used_per_second"]),
        _NONE if token is None else "now" if token <= 0 else f"in {_in(token)}",
    )


def _a_second(entry: Entry) -> str:
    rate = entry["segments_per_second"]
    return _NONE if rate is None else f"{_rate(rate)} a second"


def _a_day(entry: Entry) -> str:
    left = entry["left_today"]
    return _NONE if left is None else f"{_count(entry['segments_per_day'])} a day, {_count(left)} left"


def _count(number: int | None) -> str:
    return _NONE if number is None else f"{number:,}"


def _rate(rate: float | None) -> str:
    return _NONE if rate is None else f"{rate:,.4f}".rstrip("0").rstrip(".")


def _in(seconds: float | None) -> str:
    return _NONE if seconds is None else span(round(seconds * 1000)) if seconds else "0 s"
