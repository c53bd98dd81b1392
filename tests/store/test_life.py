"""The life of one message, wherever the store has it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from smppgw.store.life import Life, life_of
from smppgw.store.record import MS
from tests.store.lived import (
    AWAITING,
    DEFERRED,
    ELSEWHERE,
    FAILED,
    FINISHED,
    HOUR_NS,
    KEY,
    QUEUED,
    killed,
    lived,
)
from tests.store.stores import opened
from tests.store.test_contract import DELIVERED, UNDELIVERABLE, accept, message, picked, replace

each_store = pytest.mark.parametrize("make", [lived, killed])
Make = Callable[[Path], Awaitable[Path]]


def life(directory: Path, key: int) -> Life | None:
    return life_of(directory, lambda newest: key)[0]


@each_store
async def test_a_message_is_known_from_its_beginning_to_its_end(tmp_path: Path, make: Make) -> None:
    directory = await make(tmp_path / "data")
    found = {key: life(directory, key) for key in range(KEY, KEY + 6)}
    assert [each.esme for each in found.values() if each is not None] == ["acme"] * 5 + ["shop"]
    outcomes = {key: each.outcome for key, each in found.items() if each is not None}
    assert outcomes == {
        FINISHED: DELIVERED,
        AWAITING: None,
        FAILED: UNDELIVERABLE,
        DEFERRED: None,
        QUEUED: None,
        ELSEWHERE: None,
    }
    for key, each in found.items():
        assert each is not None
        ids = [(submission.carrier, submission.carrier_id) for submission in each.submissions]
        named = {FINISHED: b"%d-finished" % KEY, AWAITING: b"%d-awaiting" % KEY}
        assert ids == ([("sink", named[key])] if key in named else [])
        assert (each.final_ms > 0) == (each.outcome is not None)
        assert abs(each.accepted_ms - time.time_ns() // MS) < 60_000
        assert each.parts == (2 if key == ELSEWHERE else 1)
        assert each.never_sent == (key == FAILED)
    deferred = found[DEFERRED]
    assert deferred is not None
    assert deferred.message is not None
    assert deferred.message.attempts == 1
    wait_ns = deferred.message.due_ns - deferred.message.accepted_ns
    assert wait_ns == pytest.approx(HOUR_NS, abs=60_000 * MS)
    elsewhere = found[ELSEWHERE]
    assert elsewhere is not None
    assert elsewhere.message is not None
    assert elsewhere.message.lane.name == "promotional\tr\tshop\t15550101"


@each_store
async def test_a_message_that_never_was_is_not_known(tmp_path: Path, make: Make) -> None:
    directory = await make(tmp_path / "data")
    assert life(directory, KEY + 6) is None
    assert life_of(directory, lambda newest: None) == (None, False)


async def test_the_key_is_asked_for_with_the_highest_there_is(tmp_path: Path) -> None:
    asked: list[int] = []
    for directory in (await lived(tmp_path / "data"), await killed(tmp_path / "other", checkpoint=True)):
        life_of(directory, lambda newest: asked.append(newest))
    assert asked == [KEY + 5, KEY + 11]


async def test_it_outlives_the_segments(tmp_path: Path) -> None:
    """Of a message that is done with, the history tells; of one that waits for a receipt, its correlation too."""
    directory = await killed(tmp_path / "data", checkpoint=True)
    done, waiting = life(directory, FINISHED), life(directory, AWAITING)
    assert done is not None
    assert (done.message, done.outcome, len(done.submissions)) == (None, DELIVERED, 1)
    assert waiting is not None
    assert waiting.message is not None
    assert (waiting.message.body, waiting.message.accepted_ns > 0) == (b"", True)
    for each in (done, waiting, life(directory, FAILED)):
        assert each is not None
        assert (abs(each.accepted_ms - time.time_ns() // MS) < 60_000, each.parts) == (True, 1)


async def test_a_message_that_was_replaced_is_shown_as_it_is(tmp_path: Path) -> None:
    directory = await lived(tmp_path / "data")
    async with opened(directory) as store:
        [queued] = await picked(lambda then: store.pick([QUEUED], then))
        queued.body = b"new"
        await replace(store, queued)
        found, in_use = life_of(directory, lambda newest: QUEUED)
        assert in_use
    for each in (found, life(directory, QUEUED)):
        assert each is not None
        assert each.message is not None
        assert each.message.body == b"new"


@each_store
async def test_the_first_part_has_the_others_with_it(tmp_path: Path, make: Make) -> None:
    """Of which one may have ended too long ago to be known."""
    directory = await make(tmp_path / "data")
    found = life(directory, ELSEWHERE)
    assert found is not None
    assert [(each.key, each.esme, each.parts) for each in found.others] == [(ELSEWHERE + 1, "", 1)]
    async with opened(directory) as store:
        await accept(store, message(ELSEWHERE + 1, esme="shop", parts=2))
        for each in (life(directory, ELSEWHERE), life(directory, QUEUED)):
            assert each is not None
            others = [(other.key, other.esme) for other in each.others]
            assert others == ([(ELSEWHERE + 1, "shop")] if each.key == ELSEWHERE else [])
