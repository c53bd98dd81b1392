"""The stores by themselves: appends a second and their latency, what many lanes cost, a million messages queued, and a
restart with them.

    python -m bench.bench_store [--seconds N] [--messages N] [--directory DIR]

Latency is open loop: messages come in every millisecond whether the store is ready for them or not, and count from
the moment they should have come. Each part runs in a process of its own, so that memory is what that part takes.
`--directory` says which disk is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from random import choices
from typing import Final

import structlog

from bench.parts import ROOT
from smppgw.cli.loops import event_loop_factory
from smppgw.settings import StoreSettings
from smppgw.store.api import Store
from smppgw.store.entries import Lane, Message, Outcome
from smppgw.store.files import File, Files, OsFiles
from smppgw.store.memory import MemoryStore
from smppgw.store.wal import WalStore

TICK_SECONDS: Final = 0.001
GC_THRESHOLD: Final = (200_000, 50, 100)
"""As `smppgw serve` sets it."""
BODY_OCTETS: Final = 160
MANY_BATCH: Final = 50
LANE: Final = "promotional\tdefault\tdemo\t15550100000"
MIB: Final = 1024 * 1024
WAIT_SECONDS: Final = 60.0
DELIVERED: Final = Outcome(2, "delivered", "000")


class SlowFile:
    """A file whose syncs take longer."""

    def __init__(self, file: File, seconds: float) -> None:
        self._file = file
        self._seconds = seconds
        self.write, self.read, self.size, self.close = file.write, file.read, file.size, file.close

    def sync(self) -> None:
        """See `File.sync`."""
        self._file.sync()
        time.sleep(self._seconds)


class SlowFiles(OsFiles):
    """The disk of the operating system, slower."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def create(self, path: Path) -> File:
        """See `Files.create`."""
        return SlowFile(super().create(path), self._seconds)

    def open(self, path: Path, *, write: bool) -> File:
        """See `Files.open`."""
        return SlowFile(super().open(path, write=write), self._seconds)


class Lanes(dict[str, Lane]):
    """Made when they are first asked for."""

    def __missing__(self, name: str) -> Lane:
        self[name] = Lane(name)
        return self[name]


def _store(directory: Path, lanes: Lanes, files: Files | None = None) -> WalStore:
    def fail(error: BaseException) -> None:
        raise error

    return WalStore(
        directory,
        files=files or OsFiles(),
        logger=structlog.wrap_logger(None, processors=[lambda *_: ""]),
        clock=time.monotonic_ns,
        wall_ns=time.time_ns(),
        lane_of=lanes.__getitem__,
        on_failed=fail,
        observe_commit=lambda *_: None,
        settings=StoreSettings(),
    )


def _messages(first: int, count: int, lanes: Sequence[Lane]) -> list[Message]:
    """Return new messages, each of a lane drawn by chance."""
    now_ns = time.monotonic_ns()
    body = b"x" * (BODY_OCTETS - 8)
    return [
        Message(key, b"%016x" % key, "demo", lane, 4, b"%08x%b" % (key, body), 1, now_ns)
        for key, lane in zip(range(first, first + count), choices(lanes, k=count), strict=True)
    ]


def _carry(store: Store, batch: list[Message], durable: Callable[[], None]) -> None:
    """Play a carrier that has taken messages and delivered them at once."""
    answered = [(message, b"%x" % message.key) for message in batch]
    store.submitted("sink", answered, (), [(carrier_id, DELIVERED) for _, carrier_id in answered], durable)


def _resident() -> int:
    """Octets of memory of this process, as Linux tells them."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _settle_memory() -> None:
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLD)


# ---- the parts ----------------------------------------------------------------------------------------------


async def appends(directory: Path, rate: int, seconds: float, delay: float) -> dict[str, float]:
    """Offer `rate` messages a second, and let a carrier have each; return the latencies of acceptance, milliseconds."""
    lanes = Lanes()
    store = _store(directory, lanes, SlowFiles(delay) if delay else None)
    await store.open()
    _settle_memory()
    latencies: list[float] = []
    done = asyncio.Event()
    each = int(rate * TICK_SECONDS)
    ticks = int(seconds / TICK_SECONDS)
    began, began_cpu = time.perf_counter(), time.process_time()

    def tick(number: int) -> None:
        due = began + number * TICK_SECONDS

        def durable() -> None:
            latencies.append(time.perf_counter() - due)
            _carry(store, store.fresh(), lambda: None)
            if len(latencies) == ticks:
                done.set()

        store.accept(_messages(1 + number * each, each, [lanes[LANE]]), durable)

    number = 0
    while number < ticks:
        while number < ticks and began + number * TICK_SECONDS <= time.perf_counter():
            tick(number)
            number += 1
        await asyncio.sleep(TICK_SECONDS)
    async with asyncio.timeout(WAIT_SECONDS):
        await done.wait()
    took, cpu = time.perf_counter() - began, time.process_time() - began_cpu
    await store.close()
    latencies.sort()
    at = {
        name: latencies[int(len(latencies) * share)] * 1000 for name, share in (("p50", 0.5), ("p99", 0.99))
    }
    count = ticks * each
    return {**at, "worst": latencies[-1] * 1000, "rate": count / took, "cpu_us": cpu / count * 1e6}


async def fill(directory: Path, count: int, of: int) -> dict[str, float]:
    """Queue that many messages in `of` lanes and leave without a word, as a kill does; return what memory they took."""
    lanes = Lanes()
    store = _store(directory, lanes)
    await store.open()
    for number in range(of):
        lanes[f"{LANE}{number}"]
    _settle_memory()
    before = _resident()
    began = time.perf_counter()
    high = before
    key = 1
    waiting = asyncio.Semaphore(50)
    every = list(lanes.values())
    for _ in range(count // 100):
        await waiting.acquire()
        store.stand(store.fresh())
        store.accept(_messages(key, 100, every), waiting.release)
        key += 100
        if key % 20_000 == 1:
            high = max(high, _resident())
    for _ in range(50):
        await waiting.acquire()
    store.stand(store.fresh())
    took = time.perf_counter() - began
    assert sum([lane.queue.waiting for lane in store.lanes() if lane.queue is not None]) == count
    return {"seconds": took, "added": (_resident() - before) / MIB, "highest": (high - before) / MIB}


async def restart(directory: Path, count: int) -> dict[str, float]:
    """Take up what `fill` has left: how long until a message is durable, then drain it all, each lane in order."""
    began = time.perf_counter()
    before = _resident()
    lanes = Lanes()
    store = _store(directory, lanes)
    await store.open()
    accepted = asyncio.Event()
    more = asyncio.Event()
    store.on_ready = more.set
    found = sum([lane.queue.waiting for lane in store.lanes() if lane.queue is not None])
    store.accept(_messages(count + 1, 1, list(lanes.values())), accepted.set)
    await accepted.wait()
    seconds = time.perf_counter() - began
    store.stand(store.fresh())
    _settle_memory()
    high = _resident()
    drained = 0
    in_order = True
    last: dict[Lane, int] = {}
    began, began_cpu = time.perf_counter(), time.process_time()
    settled = asyncio.Semaphore(20)
    ready: list[Lane] = []
    while drained < count + 1:
        ready += store.roused()
        batch: list[Message] = []
        while ready and len(batch) < 100:
            queue = ready.pop().queue
            if queue is not None:
                while queue.head and len(batch) < 100:
                    batch.append(queue.head.popleft())
                if queue.head:
                    ready.append(batch[-1].lane)
        if not batch:
            more.clear()
            await asyncio.wait_for(more.wait(), WAIT_SECONDS)
            continue
        store.took(batch)
        for message in batch:
            in_order = in_order and last.get(message.lane, 0) < message.key
            last[message.lane] = message.key
        before_batch = drained
        drained += len(batch)
        await settled.acquire()
        _carry(store, batch, settled.release)
        if before_batch // 20_000 < drained // 20_000:
            high = max(high, _resident())
    took = time.perf_counter() - began
    cpu = time.process_time() - began_cpu
    await store.close()
    return {
        "seconds": seconds,
        "found": found,
        "in_order": in_order,
        "drained": count / took,
        "drain_cpu_us": cpu / count * 1e6,
        "highest": (high - before) / MIB,
    }


async def many(directory: Path, count: int, of: int, durable: bool) -> dict[str, float]:
    """Accept that many messages, each of one of `of` lanes drawn by chance; CPU of each.

    First each leaves at once; then each stands in its lane before it does.
    """
    lanes = Lanes()
    store: Store = _store(directory, lanes) if durable else MemoryStore(1 << 40)
    await store.open()
    every = [lanes[f"{LANE}{number}"] for number in range(of)]

    def stood() -> list[Message]:
        store.stand(store.fresh())
        taken: list[Message] = []
        for lane in store.roused():
            if lane.queue is not None:
                taken += lane.queue.head
                lane.queue.head.clear()
        store.took(taken)
        return taken

    spent = []
    for first, leaving in ((1, store.fresh), (1 + count, stood)):
        batches = [_messages(at, MANY_BATCH, every) for at in range(first, first + count, MANY_BATCH)]
        room = asyncio.Semaphore(20)
        _settle_memory()
        began_cpu = time.process_time()
        for batch in batches:
            await room.acquire()
            store.accept(batch, lambda leaving=leaving, room=room: _carry(store, leaving(), room.release))  # type: ignore[misc]
        for _ in range(20):
            await room.acquire()
        spent.append((time.process_time() - began_cpu) / count * 1e6)
    await store.close()
    return {"leaving_us": spent[0], "standing_us": spent[1]}


PARTS: Final[dict[str, Callable[..., Awaitable[dict[str, float]]]]] = {
    "appends": appends,
    "fill": fill,
    "restart": restart,
    "many": many,
}


def _run(part: str, directory: Path, *arguments: float) -> dict[str, float]:
    """Run one part in a process of its own."""
    words = [sys.executable, "-m", "bench.bench_store", "--part", part, "--directory", str(directory)]
    done = subprocess.run(
        [*words, *map(str, arguments)], cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=600
    )
    said: dict[str, float] = json.loads(done.stdout)
    return said


def _play(part: str, directory: Path, arguments: list[float]) -> None:
    whole = [int(value) if value == int(value) else value for value in arguments]
    with asyncio.Runner(loop_factory=event_loop_factory()) as runner:
        said = runner.run(_awaited(PARTS[part](directory, *whole)))
    sys.stdout.write(json.dumps(said))
    sys.stdout.flush()
    os._exit(0)  # as a kill would: nothing is tidied up


async def _awaited(said: Awaitable[dict[str, float]]) -> dict[str, float]:
    return await said


def sync_seconds(directory: Path) -> float:
    """What one write and sync of a zero-written file takes here: the median."""
    path = directory / "sync"
    times = []
    with path.open("wb", buffering=0) as file:
        file.write(bytes(4 * MIB))
        os.fsync(file.fileno())
        for number in range(200):
            began = time.perf_counter()
            os.pwrite(file.fileno(), b"x" * 16_384, number * 16_384)
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - began)
    path.unlink()
    return sorted(times)[len(times) // 2]


def main() -> int:
    """Run the parts and print what they showed; return 1 when a message was lost or out of order."""
    parser = argparse.ArgumentParser(prog="python -m bench.bench_store", description=__doc__)
    parser.add_argument("--seconds", type=float, default=float(os.environ.get("BENCH_SECONDS", "3")))
    parser.add_argument("--messages", type=int, default=1_000_000, help="how many are queued")
    parser.add_argument(
        "--directory", type=Path, help="on the disk to be measured; default: the temporary one"
    )
    parser.add_argument("--part", choices=tuple(PARTS), help=argparse.SUPPRESS)
    parser.add_argument("arguments", nargs="*", type=float, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.part:
        _play(args.part, args.directory, args.arguments)
    with tempfile.TemporaryDirectory(dir=args.directory) as scratch:
        return _report(Path(scratch), args.seconds, args.messages)


def _report(scratch: Path, seconds: float, count: int) -> int:
    sync_ms = sync_seconds(scratch) * 1000
    print(f"store, {BODY_OCTETS} octets a message; one write and sync here: {sync_ms:.2f} ms")
    print("offered/s  sync +ms  appended/s  p50 ms  p99 ms  worst ms  CPU us/message  goal, p99 ms")
    for number, (rate, delay_ms) in enumerate(((20_000, 0), (20_000, 2), (20_000, 5), (100_000, 0))):
        said = _run("appends", scratch / f"appends{number}", rate, seconds, delay_ms / 1000)
        goal = 10.0 if rate > 20_000 else 2 * (sync_ms + delay_ms) + 5
        print(
            f"{rate:9,}  {delay_ms:8}  {said['rate']:10,.0f}  {said['p50']:6.1f}  {said['p99']:6.1f}"
            f"  {said['worst']:8.1f}  {said['cpu_us']:14.2f}  {goal:12.1f}",
            flush=True,
        )
    print("lanes    CPU us a message: leaves at once, memory  wal   stands in its lane first, memory  wal")
    for of in (1, 10, 100_000):
        cost = [_run("many", scratch / f"many{of}{durable}", 100_000, of, durable) for durable in (0, 1)]
        print(
            f"{of:7,}  {cost[0]['leaving_us']:40.2f}  {cost[1]['leaving_us']:4.1f}"
            f"  {cost[0]['standing_us']:32.2f}  {cost[1]['standing_us']:4.1f}",
            flush=True,
        )
    return max(_queued(scratch / "fill1", count, 1), _queued(scratch / "fill20000", count // 5, 20_000))


def _queued(directory: Path, count: int, of: int) -> int:
    """Fill, kill and drain a store with so many lanes, and print what that showed."""
    filled = _run("fill", directory, count, of)
    print(
        f"{count:,} messages of {of:,} lanes queued in {filled['seconds']:.1f} s: {filled['added']:.0f} MiB more"
        f" resident, at most {filled['highest']:.0f} (goal 150)"
    )
    found = _run("restart", directory, count)
    print(
        f"killed and started again: first message durable after {found['seconds']:.2f} s (goal 10);"
        f" {found['found']:,.0f} found\n"
        f"drained at {found['drained']:,.0f} a second, {found['drain_cpu_us']:.1f} us of CPU each,"
        f" {'in order' if found['in_order'] else 'OUT OF ORDER'}, at most {found['highest']:.0f} MiB resident"
    )
    return int(found["found"] < count or not found["in_order"])


if __name__ == "__main__":
    sys.exit(main())
