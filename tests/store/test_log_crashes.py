"""What was promised survives a power loss at any moment, and a log that has lived through one is never refused."""

from __future__ import annotations

from random import Random

import pytest

from smppgw.store.log import Log
from tests.store.logs import Book, check_survivor, read, recovered
from tests.store.simulated_disk import Call, SimulatedDisk

CLONES_AT_A_SYNC = 5


def some_records(random: Random) -> list[bytes]:
    return [
        random.randbytes(random.choice((0, 1, 20, 200))) for _ in range(random.choice((0, 1, 1, 2, 3, 5)))
    ]


def one_run(log: Log, book: Book, random: Random, steps: int) -> None:
    for _ in range(steps):
        match random.choices(("write", "spare", "forget"), (12, 2, 1))[0]:
            case "write":
                book.write(log, some_records(random))
            case "spare":
                log.build_spare()
            case "forget":
                book.forget(log, random.randint(book.forgotten, book.promised))


@pytest.mark.parametrize("seed", range(4))
def test_every_sync_may_be_the_last(seed: int) -> None:
    random = Random(seed)
    disk = SimulatedDisk()
    book = Book()
    clones = 0

    def crash(call: Call) -> None:
        nonlocal clones
        if call.kind in ("sync", "sync_directory"):
            for clone in disk.crash_clones(random, CLONES_AT_A_SYNC):
                check_survivor(clone, book.copy(), random)
                clones += 1

    disk.before_call = crash
    for run in range(4):
        log, found = recovered(disk, seed=run)
        book.check(found)
        one_run(log, book, random, 25)
        if run == 1:
            disk = disk.killed()
            disk.before_call = crash
        else:
            log.close()
            assert disk.open_files == 0
    assert clones > 450


def test_a_kill_at_any_call_and_a_power_loss_in_the_next_run_lose_nothing() -> None:
    """What the next run has read in the page cache was perhaps never on the disk; it may not rely on that."""
    random = Random(5)
    disk = SimulatedDisk()
    book = Book()
    kills = 0

    def kill(call: Call) -> None:
        nonlocal kills
        if call.kind in ("write", "sync", "rename", "remove", "sync_directory", "close"):
            check_survivor(disk.killed(), book.copy(), random)
            kills += 1

    disk.before_call = kill
    for run in range(5):
        log, _ = recovered(disk, seed=run)
        one_run(log, book, random, 25)
        log.close()
    assert kills > 300


def test_a_start_that_is_cut_short_can_be_made_again() -> None:
    """By a kill or a power loss before any of its calls; the run after has all that the first has found."""
    random = Random(6)
    first = SimulatedDisk()
    book = Book()
    log, _ = recovered(first)
    one_run(log, book, random, 40)
    first.before_call = lambda call: (
        left.append((first.killed(), book.copy())) if call.kind == "sync" else None
    )
    left: list[tuple[SimulatedDisk, Book]] = []
    one_run(log, book, random, 10)
    book.write(log, [b"x" * 3000])
    cut = 0
    for start, before in left[-5:]:
        for torn in start.crash_clones(random, 4):
            found = read(torn)
            before.check(found)
            clones: list[SimulatedDisk] = []

            def cut_short(call: Call, disk: SimulatedDisk = torn, into: list[SimulatedDisk] = clones) -> None:
                into.extend((disk.killed(), *disk.crash_clones(random, 3)))

            torn.before_call = cut_short
            recovered(torn)
            for clone in clones:
                cut += 1
                _, again = recovered(clone)
                assert again == found
                assert recovered(clone.after_power_loss(random, 0))[1] == found
    assert cut > 2000


def test_a_log_reads_the_same_however_often_it_is_begun() -> None:
    random = Random(7)
    disk = SimulatedDisk()
    book = Book()
    one_run(recovered(disk)[0], book, random, 40)
    found = read(disk)
    sizes = set()
    for run in range(5):
        disk = disk.killed()
        log, again = recovered(disk, seed=run)
        assert again == found
        sizes.add(log.octets)
    assert len(sizes) == 1, "nor does it grow"
