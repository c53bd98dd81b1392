"""An ESME is away while its receipts come in: they wait on the disk, and all of them come when it is back."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

import pytest

from tests.crash.outstanding import WINDOW, outstanding
from tests.event_loop import run_test

COUNT: Final = 3_000
"""Receipts that come while it is away, unless `--receipts` says otherwise."""
RATE: Final = 2_000
"""Receipts a second."""
LATENCY: Final = 0.005
"""Seconds in which it answers."""
MOST_MEMORY: Final = 96 * 1024 * 1024
"""Octets that a gateway may take more while they wait. It takes some 60 MiB, for 100,000 as for 240,000 of them."""
SLOWER: Final = 5
"""The carrier may wait for its answers so many times as long as when the ESME is there, and..."""
LONGEST_WAIT: Final = 0.5
"""...always this long, in seconds: other programs use the same disk."""
MEMORY: Final = "process_resident_memory_bytes"


@pytest.mark.parametrize("binds", [1, 3])
def test_all_come_when_their_esme_is_back(
    binds: int, tmp_path: Path, receipts: int | None, seed: int
) -> None:
    count = receipts or COUNT
    before = max(count // 10, 500)

    async def test() -> None:
        async with outstanding(tmp_path, seed, binds=binds, latency=LATENCY, tables="") as gateways:
            carrier, esme = gateways.carrier, gateways.esme
            await gateways.start()
            await gateways.submit(before + count)
            await carrier.send_at(RATE, before)
            await gateways.until("reported", before - len(gateways.book.reported))
            await gateways.while_any(lambda esme, _: (esme["unanswered_deliveries"],))
            wait_before = _p99(carrier.waits)
            carrier.waits.clear()

            esme.leave()
            memory = (await gateways.metrics()).get(MEMORY, 0.0)
            kept = gateways.book.counted("kept")
            await carrier.send_at(RATE, count)
            if (left := count + kept - gateways.book.counted("kept")) > 0:
                await gateways.until("kept", left)
            assert len(gateways.book.reported) == before, "it was away"
            wait_away = _p99(carrier.waits)
            grown = (await gateways.metrics()).get(MEMORY, 0.0) - memory

            esme.come_back()
            back = time.monotonic()
            await gateways.all_reported()
            seconds = time.monotonic() - back
            print(
                f"{binds} binds, {count} receipts at {RATE} a second while it was away: the carrier waited "
                f"{wait_away * 1000:.1f} ms (p99; {wait_before * 1000:.1f} before), memory grew by "
                f"{grown / 1024 / 1024:.1f} MiB; all there after {seconds:.1f} s, {count / seconds:.0f} a second, "
                f"at most {esme.most_unanswered} unanswered on a bind"
            )
            assert esme.most_unanswered <= WINDOW
            assert grown < MOST_MEMORY
            assert wait_away < max(SLOWER * wait_before, LONGEST_WAIT)
            await gateways.settle(repeats=0)

    run_test(test(), seconds=60 + count / 200)


def _p99(seconds: list[float]) -> float:
    return sorted(seconds)[len(seconds) * 99 // 100]
