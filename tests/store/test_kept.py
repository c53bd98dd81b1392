"""What belongs to nobody is found wherever the store has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from smppgw.store.errors import StoreError
from smppgw.store.kept import kept_of
from tests.store.restarts import NOW_NS, SECOND_NS, WALL_NS, Pause, each_pause, first_run, shrink
from tests.store.test_contract import delivery, receive


@each_pause
@pytest.mark.parametrize("count", [3, 300], ids=["few", "many"])
async def test_all_that_is_kept_is_told_in_order(
    tmp_path: Path, pause: Pause, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shrink(monkeypatch)
    async with first_run(tmp_path / "data") as store:
        await receive(store, delivery(1000), delivery(1001, "gone"))
        for number in range(count):
            await receive(store, delivery(number, "", NOW_NS - number * SECOND_NS))
        await pause(store)
        first, second = store.take_deliveries("", 2)
        store.delivered([first])
        store.give_back_deliveries([second])
        await receive(store, delivery(count, "", NOW_NS - count * SECOND_NS))
        kept, in_use = kept_of(tmp_path / "data")
        assert in_use
    stopped, in_use = kept_of(tmp_path / "data")
    assert not in_use
    for found in (kept, stopped):
        assert [each.body for each in found] == [b"receipt %d" % number for number in range(1, count + 1)]
        assert {each.esme for each in found} == {""}
        ages_ns = [WALL_NS - each.received_ns for each in found]
        assert ages_ns == [number * SECOND_NS for number in range(1, count + 1)]


async def test_nothing_is_kept_where_all_is_somebody_s(tmp_path: Path) -> None:
    async with first_run(tmp_path / "data") as store:
        await receive(store, delivery(1))
    assert kept_of(tmp_path / "data") == ([], False)


def test_where_no_store_is_nothing_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="holds no store"):
        kept_of(tmp_path)
