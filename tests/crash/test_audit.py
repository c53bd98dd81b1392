"""The audit sees each promise that is broken, and the whole of load, sink and audit a gateway that keeps none."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.crash.audit import audit
from tests.crash.book import Accepted, Book
from tests.crash.rounds import WINDOWS, rounds


def a_book() -> Book:
    """Two lives in good order: message 1 went straight, 2 was in the window when the first life ended."""
    book = Book()
    book.life = 2
    book.accepted = {1: Accepted(b"one", 1), 2: Accepted(b"two", 1)}
    book.refused = {3: 0x14}
    book.doubtful = {4}
    book.arrivals.update({1: [1], 2: [1, 2], 4: [2]})
    book.exposed = Counter({1: 1, 2: 1})
    book.accepted[5] = Accepted(b"five", 2)
    book.rejected = {5}
    book.replies_kept, book.replies = {6}, Counter({6: 2})
    book.kept = {b"c1": 1, b"c2": 2, b"c3": 2, b"c4": 4}
    book.reported.update(
        {1: Counter({b"one": 2}), 2: Counter({b"two": 1}), 4: Counter({b"four": 1}), 5: Counter({b"five": 1})}
    )
    return book


def test_a_book_in_good_order_has_no_findings() -> None:
    assert audit(a_book(), windows=1) == []


@pytest.mark.parametrize(
    ("spoil", "finding"),
    [
        (
            lambda book: book.arrivals.pop(1),
            "1 acknowledged messages never came to the carrier: 1 (accepted in life 1)",
        ),
        (lambda book: book.arrivals.update({3: [1]}), "1 refused messages came to the carrier: 3"),
        (
            lambda book: book.accepted.update({2: Accepted(b"one", 2)}),
            "2 messages share their message_id with another: 1 (accepted in life 1), 2 (accepted in life 2)",
        ),
        (
            lambda book: book.reported.pop(2),
            "1 messages have a receipt that was acknowledged and never came: 2 (accepted in life 1)",
        ),
        (
            lambda book: book.reported.pop(4),
            "1 messages have a receipt that was acknowledged and never came: 4",
        ),
        (
            lambda book: (book.kept.pop(b"c1"), book.reported.pop(1)),
            "1 acknowledged messages have no receipt: 1 (accepted in life 1)",
        ),
        (
            lambda book: book.reported[4].update({b"another": 1}),
            "1 messages have a receipt under an id that is not theirs: 4",
        ),
        (
            lambda book: book.reported.update({1: Counter({b"two": 1})}),
            "1 messages have a receipt under an id that is not theirs: 1 (accepted in life 1)",
        ),
        (
            lambda book: book.arrivals.update({1: [1, 2]}),
            "2 messages came again after life 1, whose windows had 1 places",
        ),
        (
            lambda book: book.exposed.pop(2),
            "1 messages came again that were in no window when a connection ended: 2 (accepted in life 1)",
        ),
        (
            lambda book: book.arrivals.update({2: [2, 2]}),
            "1 messages came twice from one life of the gateway: 2 (accepted in life 1)",
        ),
        (
            lambda book: book.replies_kept.add(7),
            "1 messages of handsets were acknowledged and never came: -7",
        ),
        (lambda book: book.oddities.append("odd"), "odd"),
    ],
)
def test_a_broken_promise_is_found(spoil: Callable[[Book], object], finding: str) -> None:
    book = a_book()
    spoil(book)
    assert finding in audit(book, windows=1)


async def test_a_gateway_without_a_store_is_found_out(tmp_path: Path, seed: int) -> None:
    async with rounds(tmp_path, seed, backend="unsafe-memory", store="") as gateways:
        gateways.sink.latency = 0.01
        await gateways.start()
        gateways.kill_when("accepted", 2000)
        await gateways.ended(-signal.SIGKILL)
        await gateways.start()
        with pytest.raises(AssertionError, match="acknowledged messages never came to the carrier"):
            await gateways.settle()
        assert len(gateways.book.accepted) - len(gateways.book.arrivals) > WINDOWS
