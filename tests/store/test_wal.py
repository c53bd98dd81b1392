"""What the durable store says of itself when its disk is slow, full or broken; how it stops."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from structlog.testing import LogCapture

from smppgw.store import committer, record
from smppgw.store.committer import STALLED_NS
from smppgw.store.files import File, OsFiles
from smppgw.store.log import SPARES
from smppgw.store.record import What
from smppgw.store.startup import LEDGER
from tests.store.lanes import at_home, ready_in, take_from, waiting_in
from tests.store.restarts import NOW_NS, SECOND_NS, first_run, next_run, take_checkpoint
from tests.store.simulated_disk import SimulatedDisk
from tests.store.stores import opened, wal_store
from tests.store.test_committer import GatedFiles
from tests.store.test_contract import (
    DELIVERED,
    UNDELIVERABLE,
    Told,
    accept,
    delivery,
    keys_of,
    message,
    receive,
    submit,
)
from tests.support import until


async def test_a_store_can_promise_from_when_it_is_open_until_it_is_closed(tmp_path: Path) -> None:
    store = wal_store(tmp_path / "data")
    assert (store.healthy, store.full, store.stalled, store.octets) == (False, False, False, 0)
    await store.open()
    assert store.healthy
    assert store.octets > 0
    assert await store.close() == 0
    assert not store.healthy
    assert await store.close() == 0


async def test_a_store_is_for_its_owner_alone(tmp_path: Path) -> None:
    async with first_run(tmp_path / "data") as store:
        await accept(store, message(1))
        await take_checkpoint(store)
        assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
        names = [path.name for path in (tmp_path / "data").iterdir()]
        assert LEDGER in names
        assert {path.stat().st_mode & 0o777 for path in (tmp_path / "data").iterdir()} == {0o600}


@pytest.mark.parametrize("kind", ["write", "sync"])
async def test_nothing_is_promised_after_an_error_of_the_log(tmp_path: Path, kind: str) -> None:
    disk = SimulatedDisk()
    failures: list[BaseException] = []
    (tmp_path / "data").mkdir()
    async with opened(tmp_path / "data", files=disk, on_failed=failures.append) as store:
        await accept(store, message(1))
        await until(lambda: store._committer._log.spares == SPARES)
        disk.fail(1 + sum(call.kind == kind for call in disk.calls), errno.EIO, kind=kind)
        told = Told()
        store.accept(at_home(store, [message(2)]), told)
        await until(lambda: failures)
        assert not store.healthy
        [first] = take_from(store, "lane", 9)
        store.accept(at_home(store, [message(3)]), told)
        store.submitted("sink", [(first, b"x")], [delivery(1)], [], told)
        store.receive("sink", [delivery(2)], [], told)
        store._checkpoints.take()
        later = Told()
        store._checkpoints._loop.call_later(0.05, later)
        await later.told()
        assert told.times == 0
        assert store._checkpoints._idle.is_set(), "no checkpoint is waited for"
        assert take_from(store, "lane", 9) == []
        assert store.ready_deliveries("acme") == 0
        [error] = failures
        assert "data" in str(error)
        assert "Input/output error" in str(error)


async def test_a_slow_disk_is_logged_and_one_that_hangs_stalls_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_ns = NOW_NS
    files = GatedFiles()
    log = LogCapture()
    async with first_run(tmp_path / "data", files=files, log=log, clock=lambda: now_ns) as store:
        await accept(store, message(1))
        entered = files.entered
        files.gate.clear()
        told = Told()
        store.accept(at_home(store, [message(2)]), told)
        await until(lambda: files.entered > entered)
        assert not store.stalled
        now_ns += STALLED_NS + 1
        assert store.stalled
        files.gate.set()
        await told.told()
        assert not store.stalled
        [line] = log.entries
        assert (line["event"], line["log_level"], line["seconds"]) == ("store_slow", "warning", 10.0)


class FullFiles(OsFiles):
    """A disk that has no room for another file, while it is full."""

    full = False

    def create(self, path: Path) -> File:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return super().create(path)


async def test_a_full_disk_is_drained_while_there_is_room_for_what_comes_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With room left in the log for outcomes; without, messages stay until there is some again."""
    monkeypatch.setattr("smppgw.store.tail.ROOM_OCTETS", 1_500_000)
    monkeypatch.setattr(committer, "ROOM_SECONDS", 0.01)
    files = FullFiles()
    log = LogCapture()
    async with first_run(tmp_path / "data", files=files, log=log) as store:
        kicks: list[bool] = []
        store.on_ready = lambda: kicks.append(True)
        await accept(store, *map(message, range(1, 6)))
        await until(lambda: store._committer._log.spares == SPARES)
        files.full = True
        for key in range(6, 9):
            await accept(store, message(key, body=b"x" * 400_000))
        await until(lambda: store.full)
        assert store.healthy
        [first] = take_from(store, "lane", 1)
        await submit(store, (first, b"x"))
        await accept(store, message(9, body=b"x" * 700_000))  # what was on its way when it became full
        assert (ready_in(store, "lane"), waiting_in(store, "lane")) == (0, 7)
        assert store.fresh() == [], "it stays so"
        assert take_from(store, "lane", 9) == []
        assert kicks == []
        files.full = False
        await until(lambda: not store.full)
        assert kicks
        assert keys_of(take_from(store, "lane", 9)) == list(range(2, 10))
        [line] = log.entries
        assert (line["event"], line["directory"]) == ("store_has_room", str(tmp_path / "data"))


async def test_what_is_asked_for_together_is_kept_together(tmp_path: Path) -> None:
    """Records that wait for the next append of their kind go with it: one frame, one lsn each."""
    async with first_run(tmp_path / "data") as store:
        await accept(store, message(1))
        before = store._state.lsn
        told: list[str] = []
        records = [record.of_moment(What.STARTED, moment_ms) for moment_ms in range(3)]
        store._tail.add(records[0])
        assert store._state.lsn == before
        assert store._tail.append(records[1:2], None) == before + 1, "not its next ones"
        assert store._tail.append(records[2:], lambda: told.append("both"), added=True) == before + 3
        assert store._tail.append([], lambda: told.append("nothing"), added=True) == before + 3
        assert told == [], "what comes to nothing is told when all before it is durable"
        await until(lambda: len(told) == 2)
        assert told == ["both", "nothing"]
        store._tail.append([], lambda: told.append("at once"))
        assert told[2:] == ["at once"]
        assert store._tail.durable_lsn() == before + 3
        assert store._tail.now_ms() == 1_700_000_000_000


async def test_an_answer_and_what_comes_of_it_are_kept_whole(tmp_path: Path) -> None:
    async with first_run(tmp_path / "data") as store:
        await accept(store, message(1), message(2))
        first, second = take_from(store, "lane", 2)
        await submit(store, (first, b"x"), deliveries=[delivery(1)], finished=[(b"x", DELIVERED)])
        told = Told()
        store.failed([(second, UNDELIVERABLE)], [delivery(2)], told)
        await told.told()
        await receive(store, delivery(3))
        left = store._state.lsn
    async with next_run(tmp_path / "data", clock=lambda: NOW_NS + SECOND_NS) as again:
        assert again._state.lsn > left
        await until(lambda: again.ready_deliveries("acme") == 3)
        assert [each.body for each in again.take_deliveries("acme", 9)] == [
            b"receipt 1",
            b"receipt 2",
            b"receipt 3",
        ]
        assert (again.queued("acme"), again.find("sink", b"x")) == (0, None)
