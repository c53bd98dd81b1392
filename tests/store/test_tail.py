"""The end of the log, as the store writes it."""

from __future__ import annotations

from pathlib import Path

from tests.store.stores import opened
from tests.store.test_contract import accept, delivery, keys_of, message, receive


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
