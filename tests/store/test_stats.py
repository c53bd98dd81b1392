"""What is counted is what a gateway would start with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from smppgw.store.stats import CarrierCount, EsmeCount, LaneCount, stats
from tests.store.lanes import deferred_in, waiting_in
from tests.store.lived import KEY, killed, live, lived
from tests.store.restarts import Pause, each_pause
from tests.store.stores import opened
from tests.store.test_contract import DELIVERED, SHELF, UNDELIVERABLE, Told, delivery, receive


@pytest.mark.parametrize("make", [lived, killed])
async def test_each_message_is_counted_where_it_stands(
    tmp_path: Path, make: Callable[[Path], Awaitable[Path]]
) -> None:
    found = stats(await make(tmp_path / "data"))
    assert not found.in_use
    assert found.lanes == {
        "otp\tr\tacme\t15550100": LaneCount(1, 1),
        "promotional\tr\tshop\t15550101": LaneCount(1, 0),
    }
    assert found.esmes == {"acme": EsmeCount(5, 2, 2), "shop": EsmeCount(1, 1, 1)}
    assert found.carriers == {"sink": CarrierCount(2, 1)}
    assert found.ended == {DELIVERED.state: 1, UNDELIVERABLE.state: 1}
    assert found.shelves == {SHELF: 1}
    assert found.log_octets == sum(path.stat().st_size for path in (tmp_path / "data").glob("*.log"))
    assert found.ledger_octets >= 8192


async def test_the_end_of_the_log_is_counted_with_the_ledger(tmp_path: Path) -> None:
    found = stats(await killed(tmp_path / "data", checkpoint=True))
    assert found.lanes == {
        "otp\tr\tacme\t15550100": LaneCount(2, 2),
        "promotional\tr\tshop\t15550101": LaneCount(2, 0),
    }
    assert found.esmes == {"acme": EsmeCount(10, 4, 4), "shop": EsmeCount(2, 2, 2)}
    assert found.carriers == {"sink": CarrierCount(4, 2)}
    assert found.ended == {DELIVERED.state: 2, UNDELIVERABLE.state: 2}
    assert found.shelves == {SHELF: 2}


async def test_a_receipt_since_the_checkpoint_is_awaited_no_more(tmp_path: Path) -> None:
    directory = await lived(tmp_path / "data")
    async with opened(directory) as store:
        assert stats(directory).carriers["sink"].awaiting_receipt == 1
        recalled = Told()
        store.recall("sink", [b"%d-awaiting" % KEY], recalled)
        await recalled.told()
        await receive(store, finished=[(b"%d-awaiting" % KEY, DELIVERED), (b"unknown", DELIVERED)])
        found = stats(directory)
        assert found.in_use
        assert found.carriers["sink"].awaiting_receipt == 0


async def test_what_is_counted_is_what_the_gateway_has(tmp_path: Path) -> None:
    directory = await killed(tmp_path / "data", checkpoint=True, messages=700)
    found = stats(directory)
    async with opened(directory) as store:
        for name, lane in found.lanes.items():
            assert (waiting_in(store, name), deferred_in(store, name)) == (lane.queued, lane.deferred)
        for name, esme in found.esmes.items():
            assert (store.queued(name), store.waiting_deliveries(name)) == (esme.queued, esme.deliveries)
        await live(store, KEY + 2000)


@each_pause
async def test_what_belongs_to_nobody_is_counted(tmp_path: Path, pause: Pause) -> None:
    async with opened(tmp_path / "data") as store:
        await receive(store, delivery(1, ""), delivery(2, ""))
        await pause(store)
        assert stats(tmp_path / "data").esmes == {"": EsmeCount(deliveries=2)}
