"""A store in which something has happened, for the tests of what looks into one."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any, Final

from smppgw.message_ids import id_of
from smppgw.pdu.codec import encode
from smppgw.pdu.constants import HEADER_OCTETS
from smppgw.store.entries import Lane, Message
from smppgw.store.startup import LEDGER
from smppgw.store.wal import WalStore
from tests.peers import submit_sm
from tests.store.stores import opened
from tests.store.test_contract import DELIVERED, SHELF, accept, delivery, fail, held, picked, receive, submit

KEY: Final = 1_800_000_000_000_000
"""Of the first message; the others follow."""
HOUR_NS: Final = 3600 * 1_000_000_000
FINISHED, AWAITING, FAILED, DEFERRED, QUEUED, ELSEWHERE = range(KEY, KEY + 6)


def real(key: int, lane: str = "otp\tr\tacme\t15550100", *, esme: str = "acme", **fields: Any) -> Message:
    """A message as the gateway makes them."""
    body = encode(submit_sm(key - KEY, **fields))[HEADER_OCTETS:]
    return Message(key, id_of(key, long=True), esme, Lane(lane), 4, body, 1, time.monotonic_ns())


async def live(store: WalStore, first: int = KEY, *, messages: int = 6) -> None:
    """Of six messages one goes each way there is: see the names above."""
    batch = [real(first + number) for number in range(messages)]
    batch[-1].lane, batch[-1].esme, batch[-1].parts = Lane("promotional\tr\tshop\t15550101"), "shop", 2
    await accept(store, *batch[:-1])
    await accept(store, batch[-1])
    finished, awaiting, failed, deferred = await picked(
        lambda then: store.pick(range(first, first + 4), then)
    )
    prefix = b"%d-" % first
    await submit(store, (finished, prefix + b"finished"), (awaiting, prefix + b"awaiting"))
    await fail(store, failed)
    deferred.due_ns, deferred.attempts = time.monotonic_ns() + HOUR_NS, 1
    store.defer([deferred])
    store.hold(SHELF, [held(prefix + b"early", time.monotonic_ns())], 99)
    receipts = [delivery(1), delivery(2), delivery(3, "shop")]
    await receive(store, *receipts, finished=[(prefix + b"finished", DELIVERED)])


async def lived(directory: Path, *, messages: int = 6) -> Path:
    """The store of a gateway that was stopped, run again and stopped: all of it is in the ledger alone."""
    async with opened(directory) as store:
        await live(store, messages=messages)
    async with opened(directory):
        pass
    return directory


async def killed(directory: Path, *, checkpoint: bool = False, messages: int = 6) -> Path:
    """The store of a gateway that was killed: all of it is in the log, or half of it after a checkpoint."""
    running = directory.with_name("running")
    first = KEY
    if checkpoint:
        await lived(running, messages=messages)
        first += messages
    async with opened(running) as store:
        await live(store, first, messages=messages)
        _copy(running, directory)
    return directory


def _copy(running: Path, directory: Path) -> None:
    directory.mkdir()
    for path in sorted(running.iterdir(), reverse=True):  # the ledger before the log
        if path.suffix != ".tmp":  # a spare that is being built
            shutil.copy(path, directory)


def contents(directory: Path) -> dict[str, bytes]:
    """All files there are, without SQLite's notes of who reads."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and not path.name.endswith("-shm")
    }


def ledger_of(directory: Path) -> Path:
    return directory / LEDGER
