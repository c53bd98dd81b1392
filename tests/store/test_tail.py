"""The end of the log, as the store writes it."""

from __future__ import annotations

from pathlib import Path

from smppgw.store.files import OsFiles
from smppgw.store.log import Log
from smppgw.store.record import What, what
from tests.store.stores import opened
from tests.store.test_contract import accept, delivery, keys_of, message, receive, submit


def records_of(directory: Path) -> list[bytes]:
    log = Log(OsFiles(), directory)
    log.scan()
    return [octets for frame in log.frames(0) for octets in frame.records]


async def test_a_batch_that_no_frame_takes_is_written_in_parts(tmp_path: Path) -> None:
    """254 destinations of one submit_multi with a long message_payload come as one batch."""
    async with opened(tmp_path / "data", segment_bytes=1 << 20) as store:
        await accept(store, *(message(key, body=b"x" * 65_000) for key in range(1, 255)))
        assert keys_of(store.take("lane", 999)) == list(range(1, 255))
    async with opened(tmp_path / "data", segment_bytes=1 << 20) as store:
        assert store.waiting("lane") == 254
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
        await submit(store, *((each, b"id") for each in store.take("lane", 1)))
        frames.clear()
        owed = [delivery(number) for number in range(60)]
        for each in owed:
            each.body = b"y" * 10_000
        await receive(store, *owed, finished=[(b"id", 2)])
        assert [count for count in frames if count] == [5], "four parts of what is owed, and what is finished"


async def test_what_no_frame_takes_says_what_is_owed_before_what_is_finished(tmp_path: Path) -> None:
    async with opened(tmp_path / "data", segment_bytes=1 << 20) as store:
        await accept(store, message(1))
        await submit(store, *((each, b"id") for each in store.take("lane", 1)))
        owed = [delivery(number) for number in range(30)]
        for each in owed:
            each.body = b"y" * 60_000
        await receive(store, *owed, finished=[(b"id", 2)])
    kinds = [what(octets) for octets in records_of(tmp_path / "data")]
    assert kinds.index(What.FINISHED) > max(at for at, kind in enumerate(kinds) if kind == What.RECEIVED)
