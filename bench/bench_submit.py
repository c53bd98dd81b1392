"""The ESME: submit_sm a second in a window of 100, against smpplib in the same run.

    python -m bench.bench_submit [--sink PATH]

Every message is made, encoded, sent and answered; both libraries make theirs from keywords. `request` is one awaited
future a message, from 100 workers; `submit_many` is the pipeline; smpplib, which has neither, is kept in a window by
hand. The SMSC is a process of its own: the C program `smppsink` where `--sink`, or the environment's SMPPSINK, names
one, else `bench.responder`. BENCH_SECONDS (default 3) is what one row may take; the best of three rounds counts.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from itertools import count, takewhile
from typing import Any, Final

import smpplib.client
from smpplib.command import Command

from smppgw import Esme, SubmitSm

try:
    from uvloop import run
except ImportError:  # Windows, PyPy
    from asyncio import run  # type: ignore[assignment]

WINDOW: Final = 100
ROUNDS: Final = 3
TEXT: Final = b"m%010d Your appointment is at 10:30 tomorrow, reply C to confirm or R to change.."
LOOK_EVERY: Final = 50
"""Messages between two looks at the clock."""


@contextmanager
def smsc(sink: str | None) -> Iterator[int]:
    """Run the SMSC; give its port."""
    if sink is None:
        process = subprocess.Popen([sys.executable, "-m", "bench.responder"], stdout=subprocess.PIPE)
        assert process.stdout is not None
        port = int(process.stdout.readline())
    else:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        process = subprocess.Popen([sink, "--port", str(port)], stdout=subprocess.DEVNULL)
        _wait_for(port)
    try:
        yield port
    finally:
        process.kill()
        process.communicate()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 5
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def submit_sm(serial: int) -> SubmitSm:
    """Return a message of usual length."""
    return SubmitSm(
        source_addr_ton=1,
        source_addr_npi=1,
        source_addr=b"12065550100",
        dest_addr_ton=1,
        dest_addr_npi=1,
        destination_addr=b"1206%07d" % serial,
        short_message=TEXT % serial,
    )


def serials(seconds: float) -> Iterator[int]:
    """Yield numbers until the time is over."""
    until = time.perf_counter() + seconds
    return takewhile(lambda serial: serial % LOOK_EVERY or time.perf_counter() < until, count(1))


async def by_request(esme: Esme, seconds: float) -> int:
    """Submit with one awaited future a message; return how many were accepted."""
    numbers = serials(seconds)
    accepted = 0

    async def work() -> None:
        nonlocal accepted
        for serial in numbers:
            response = await esme.request(submit_sm(serial))
            accepted += not response.command_status

    await asyncio.gather(*(work() for _ in range(WINDOW)))
    return accepted


async def by_submit_many(esme: Esme, seconds: float) -> int:
    """Submit in the pipeline; return how many were accepted."""
    results: AsyncIterator[Any] = esme.submit_many(map(submit_sm, serials(seconds)))
    accepted = 0
    async for result in results:
        accepted += result.ok
    return accepted


async def with_esme(port: int, submit: Callable[[Esme, float], Awaitable[int]], seconds: float) -> int:
    """Bind, submit, unbind."""
    async with Esme(port=port, system_id="bench", password="bench", bind="tx", window=WINDOW) as esme:
        return await submit(esme, seconds)


def with_smpplib(port: int, seconds: float) -> int:
    """Submit with smpplib, at most WINDOW without an answer; return how many were answered."""
    client: Any = smpplib.client.Client("127.0.0.1", port, allow_unknown_opt_params=True)
    client.connect()
    client.bind_transmitter(system_id="bench", password="bench")
    sent = answered = 0

    def on_answer(pdu: Command) -> None:
        nonlocal answered
        answered += not pdu.status

    client.set_message_sent_handler(on_answer)
    for serial in serials(seconds):
        client.send_message(
            source_addr_ton=1,
            source_addr_npi=1,
            source_addr="12065550100",
            dest_addr_ton=1,
            dest_addr_npi=1,
            destination_addr=f"1206{serial:07}",
            short_message=TEXT % serial,
        )
        sent += 1
        if sent - answered >= WINDOW:
            client.read_once()
    while answered < sent:
        client.read_once()
    client.unbind()
    client.disconnect()
    return answered


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.bench_submit", allow_abbrev=False)
    parser.add_argument("--sink", default=os.environ.get("SMPPSINK"), metavar="PATH", help="of smppsink")
    args = parser.parse_args()
    seconds = float(os.environ.get("BENCH_SECONDS", "3")) / ROUNDS
    logging.disable()
    units: dict[str, Callable[[int], int]] = {
        "smpplib": lambda port: with_smpplib(port, seconds),
        "Esme.request": lambda port: run(with_esme(port, by_request, seconds)),
        "Esme.submit_many": lambda port: run(with_esme(port, by_submit_many, seconds)),
    }
    best = dict.fromkeys(units, 0.0)
    with smsc(args.sink) as port:
        for _ in range(ROUNDS):
            for name, unit in units.items():
                started = time.perf_counter()
                accepted = unit(port)
                best[name] = max(best[name], accepted / (time.perf_counter() - started))
    print(f"submit_sm a second, window {WINDOW}, against {'smppsink' if args.sink else 'bench.responder'}")
    print(f"{'':<18}{'a second':>10}{'x smpplib':>11}")
    for name, rate in best.items():
        print(f"{name:<18}{rate:>10,.0f}{rate / best['smpplib']:>11.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
