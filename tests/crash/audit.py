"""Compares what was promised with what came of it, once the gateway has drained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from tests.crash.book import Book

SHOWN = 5
"""Messages that a finding names."""


def audit(book: Book, *, windows: int) -> list[str]:
    """Return every promise that was broken, as a sentence each; `windows` is the sum of the carrier's."""
    return [*book.oddities, *_messages(book), *_receipts(book), *_replies(book), *_copies(book, windows)]


def _messages(book: Book) -> list[str]:
    accepted, arrived = book.accepted, book.arrivals.keys()
    holders = Counter(promise.message_id for promise in accepted.values())
    shared = (serial for serial, promise in accepted.items() if holders[promise.message_id] > 1)
    return [
        *_finding(
            book, "acknowledged messages never came to the carrier", accepted.keys() - arrived - book.rejected
        ),
        *_finding(
            book, "refused messages came to the carrier", book.refused.keys() & (arrived | book.rejected)
        ),
        *_finding(book, "messages share their message_id with another", shared),
    ]


def _receipts(book: Book) -> list[str]:
    accepted, reported = book.accepted, book.reported
    misnamed = (
        serial
        for serial, ids in reported.items()
        if len(ids) > 1 or (serial in accepted and accepted[serial].message_id not in ids)
    )
    lost = set(book.kept.values()) - reported.keys()
    return [
        *_finding(book, "messages have a receipt that was acknowledged and never came", lost),
        *_finding(book, "acknowledged messages have no receipt", accepted.keys() - reported.keys() - lost),
        *_finding(book, "messages have a receipt under an id that is not theirs", misnamed),
        *_finding(
            book,
            "messages have a receipt though the carrier never had them",
            reported.keys() - book.arrivals.keys() - book.rejected,
        ),
    ]


def _replies(book: Book) -> list[str]:
    lost = book.replies_kept - book.replies.keys()
    return _finding(
        book, "messages of handsets were acknowledged and never came", (-number for number in lost)
    )


def _copies(book: Book, windows: int) -> list[str]:
    arrivals = book.arrivals.items()
    by_life = Counter(life for _, lives in arrivals for life in lives[:-1])
    unexposed = (serial for serial, lives in arrivals if len(lives) - 1 > book.exposed[serial])
    twice = (serial for serial, lives in arrivals if len(set(lives)) < len(lives))
    return [
        *_finding(book, "messages came again that were in no window when a connection ended", unexposed),
        *_finding(book, "messages came twice from one life of the gateway", twice),
        *(
            f"{copies} messages came again after life {life}, whose windows had {windows} places"
            for life, copies in sorted(by_life.items())
            if copies > windows
        ),
    ]


def _finding(book: Book, what: str, serials: Iterable[int]) -> list[str]:
    found = sorted(serials)
    if not found:
        return []
    named = ", ".join(_named(book, serial) for serial in found[:SHOWN])
    return [f"{len(found)} {what}: {named}{', …' if len(found) > SHOWN else ''}"]


def _named(book: Book, serial: int) -> str:
    promise = book.accepted.get(serial)
    return f"{serial} (accepted in life {promise.life})" if promise else str(serial)
