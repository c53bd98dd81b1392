"""The end of the log, as the store writes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from smppgw.store import tail
from smppgw.store.files import OsFiles
from smppgw.store.log import Log
from smppgw.store.record import What, what
from tests.store.lanes import ready_in, take_from, waiting_in
from tests.store.stores import opened
from tests.store.test_contract import DELIVERED, accept, delivery, keys_of, message, picked, receive, submit


def records_of(directory: Path) -> list[bytes]:
    log = Log(OsFiles(), directory)
    log.scan()
    return [octets for frame in log.frames(0) for octets in frame.records]


async def test_a_batch_that_no_frame_takes_is_written_in_parts(tmp_path: Path) -> None:
    """254 destinations of one submit_multi with a long message_payload come as one batch."""
    async with opened(tmp_path / "data", segment_bytes=1 << 20) as store:
        await accept(store, *(message(key, body=b"x" * 65_000) for key in range(1, 255)))
        assert keys_of(take_from(store, "lane", 999)) == list(range(1, 255))
    async with opened(tmp_path / "data", segment_bytes=1 << 20) as store:
        assert waiting_in(store, "lane") == 254
        assert store.queued("acme") == 254


async def test_deliveries_that_no_frame_takes_are_written_in_parts(tmp_path: Path) -> None:
    async with opened(tmp_path / "data", segment_bytes=1 << 20) as store:
        owed = [delivery(number) for number in range(100)]
        for each in owed:
            each.body = b"y" * 65_000
        await receive(store, *owed)
        assert store.waiting_deliveries("acme") == 100
    async with opened(tmp_path / "data", segment_bytes=1 << 20) as store:
        assert store.waiting_deliveries("acme") == 100


async def test_what_one_call_says_is_one_frame_as_long_as_a_frame_takes_it(tmp_path: Path) -> None:
    """A receipt that is finished and not owed would be lost to a crash between the two."""
    frames: list[int] = []
    async with opened(
        tmp_path / "data", segment_bytes=8 << 20, observe_commit=lambda _, records: frames.append(records)
    ) as store:
        await accept(store, message(1))
        await submit(store, *((each, b"id") for each in take_from(store, "lane", 1)))
        frames.clear()
        owed = [delivery(number) for number in range(60)]
        for each in owed:
            each.body = b"y" * 10_000
        await receive(store, *owed, finished=[(b"id", DELIVERED)])
        assert [count for count in frames if count] == [5], "four parts of what is owed, and what is finished"


async def test_what_no_frame_takes_says_what_is_owed_before_what_is_finished(tmp_path: Path) -> None:
    async with opened(tmp_path / "data", segment_bytes=1 << 20) as store:
        await accept(store, message(1))
        await submit(store, *((each, b"id") for each in take_from(store, "lane", 1)))
        owed = [delivery(number) for number in range(30)]
        for each in owed:
            each.body = b"y" * 60_000
        await receive(store, *owed, finished=[(b"id", DELIVERED)])
    kinds = [what(octets) for octets in records_of(tmp_path / "data")]
    assert kinds.index(What.FINISHED) > max(at for at, kind in enumerate(kinds) if kind == What.RECEIVED)


async def test_nothing_is_handed_out_where_its_fate_could_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full disk: what expires, is cancelled or is fetched would use up the room that is left."""
    async with opened(tmp_path / "data") as store:
        await accept(store, message(1), message(2, expires_ns=5))
        await receive(store, delivery(1))
        monkeypatch.setattr(tail, "ROOM_OCTETS", 1 << 40)
        monkeypatch.setattr(tail, "ROOM_SHARE", 0.01)
        monkeypatch.setattr(store._committer, "full", True)
        for pick in (
            lambda then: store.pick([1], then),
            lambda then: store.pick_beginning("acme", b"body", then),
            lambda then: store.pick_expired(9, then),
        ):
            assert await picked(pick) == []
        assert (ready_in(store, "lane"), take_from(store, "lane", 9), store.ready_deliveries("acme")) == (
            0,
            [],
            0,
        )
        monkeypatch.setattr(store._committer, "full", False)
        assert keys_of(await picked(lambda then: store.pick_expired(9, then))) == [2]
        assert (ready_in(store, "lane"), store.ready_deliveries("acme")) == (1, 1)
