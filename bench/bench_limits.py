"""What limits cost: CPU and memory with many registered numbers, the relay with and without limits, a reload of them.

    python -m bench.bench_limits [--tools DIR] [--count N] [--numbers N] [--rounds N] [--only TABLE]

What is compared runs side by side, each a gateway with a carrier of its own, and is loaded in turns of a second or a
few: a ratio is the median of the ratios of the rounds, with the lowest and the highest of them beside it, which is the
noise of this machine, now. Figures are CPU microseconds of the gateway a message, and octets that it holds in memory.
No limit ever bites here: what is measured is what it costs to have them. Load and carrier are as in `bench_relay`.

Many numbers are compared with few when all of them are in use, each having sent a message, and under two loads: one
that leaves the carriers' windows free, so that what is accepted leaves at once, which is what the goal is about; and
one that fills them, so that messages stand in their lanes first. Few lanes are then emptied many messages at a time,
and many lanes one by one.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from contextlib import ExitStack
from itertools import product
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

from bench.bench_relay import UNLIMITED, commands, gateway, measured, metrics_of, registered, send
from bench.parts import Ports, free_ports
from smppgw.pdu._generated import BindTransmitter, EnquireLink
from smppgw.pdu.codec import encode

BACKENDS: Final = ("unsafe-memory", "wal")
BINDS: Final = 4
WINDOW: Final = 100
"""Of each bind: enough to keep a gateway busy without a pause."""
EASY_WINDOW: Final = 50
"""With this one no more is on its way than the carriers' windows take."""
FEW: Final = 10
"""Numbers to compare many with."""
CAP: Final = 1_000_000_000
"""Segments a day that no run comes near, and that have to be reserved nevertheless."""
LEAST_RATE: Final = 0.93
"""Of the rate without limits, with them."""
MOST_COST: Final = 1.1
"""Of the CPU time of a message with few numbers, with many."""
MOST_OCTETS: Final = 1024
"""Of memory, for each number."""
QUIET_SECONDS: Final = 2.0
RELOAD_SECONDS: Final = 120.0
_POLL_SECONDS: Final = 0.01


class Loads(NamedTuple):
    """How much is sent, and by what."""

    tools: Path | None
    relayed: int
    """Messages of one turn of the relay."""
    numbers: int
    """That are many; each of them sends one message in each turn."""
    rounds: int


class Case:
    """A gateway that runs beside others, and what it took in each round."""

    def __init__(self, ports: Ports, load: list[str], *, receipts: bool) -> None:
        self.ports = ports
        self.costs: list[float] = []
        """CPU microseconds a message, of each round."""
        self.octets = 0.0
        self.lost = False
        self._load = load
        self._receipts = receipts

    def take_turn(self, count: int) -> float:
        """Send so many messages through it; return the CPU microseconds of one."""
        result = measured(self.ports, self._load, count)
        whole = min(result.accepted, result.receipts) if self._receipts else result.accepted
        self.lost = self.lost or whole < count // BINDS * BINDS
        self.octets = result.octets
        return result.cpu_seconds / max(1, result.accepted) * 1e6

    def ratios(self, to: Case) -> list[float]:
        """The costs of each round, of those of another case in the same round."""
        return [mine / other for mine, other in zip(self.costs, to.costs, strict=True)]


def side_by_side(
    stack: ExitStack,
    loads: Loads,
    backend: str,
    tables: Iterable[tuple[int, str]],
    *,
    receipts: bool,
    window: int,
) -> list[Case]:
    """Start a gateway for each of the tables of limits, for a load from so many numbers."""
    cases = []
    for numbers, limits in tables:
        ports = free_ports()
        carrier, load = commands(
            ports, loads.tools, receipts=receipts, binds=BINDS, window=window, numbers=numbers
        )
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.enter_context(gateway(folder, ports, carrier, backend, limits))
        cases.append(Case(ports, load, receipts=receipts))
    return cases


def spread(ratios: list[float]) -> str:
    """The median, the lowest and the highest."""
    return f"{median(ratios):6.3f} ({min(ratios):.2f} to {max(ratios):.2f})"


def lost(case: Case) -> str:
    """What is said of a case that lost messages."""
    return "  MESSAGES ARE MISSING" if case.lost else ""


class Stalls:
    """Asks a gateway for a sign of life again and again, from a thread: the longest wait for one is its stall."""

    def __init__(self, port: int) -> None:
        self.longest = 0.0
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._ask(encode(BindTransmitter(sequence_number=1, system_id=b"demo", password=b"demo")))
        self._over = False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def end(self) -> float:
        """Stop asking; return the longest wait in seconds."""
        self._over = True
        self._thread.join()
        self._socket.close()
        return self.longest

    def _run(self) -> None:
        sequence_number = 1
        while not self._over:
            sequence_number += 1
            asked = time.perf_counter()
            self._ask(encode(EnquireLink(sequence_number=sequence_number)))
            self.longest = max(self.longest, time.perf_counter() - asked)
            time.sleep(0.001)

    def _ask(self, octets: bytes) -> None:
        self._socket.sendall(octets)
        if not self._socket.recv(4096):
            raise SystemExit("bench_limits: the gateway has ended the connection")


def relay(loads: Loads) -> bool:
    """The relay with limits that never bite, to the same without; return whether nothing was lost."""
    print("limits that never bite          receipts  store          CPU us/message  off/on")
    whole = True
    tables = {
        "none, registration off": UNLIMITED,
        'rates, no day cap ("unlimited")': registered(1),
        "rates and a day cap": registered(1, CAP),
    }
    for receipts, backend in product((False, True), BACKENDS):
        with ExitStack() as stack:
            limits = ((1, each) for each in tables.values())
            cases = side_by_side(stack, loads, backend, limits, receipts=receipts, window=WINDOW)
            for case in cases:
                case.take_turn(
                    max(1000, loads.relayed // 20)
                )  # a first few, so that nothing is measured cold
            for _ in range(loads.rounds):
                for case in cases:
                    case.costs.append(case.take_turn(loads.relayed))
        for name, case in zip(tables, cases, strict=True):
            print(
                f"{name:31} {'yes' if receipts else 'no':8}  {backend:13}  {min(case.costs):14.2f}"
                f"  {spread(cases[0].ratios(case))}{lost(case)}",
                flush=True,
            )
            whole = whole and not case.lost
    print(f"goal: off/on at least {LEAST_RATE}")
    return whole


def numbers(loads: Loads) -> bool:
    """Many numbers in use to few; return whether nothing was lost."""
    print(
        "numbers in use  store          CPU us/message  many to few            stood first  first use  MB in memory"
    )
    whole = True
    for backend, window in product(BACKENDS, (EASY_WINDOW, WINDOW)):
        with ExitStack() as stack:
            tables = [(used, registered(used, CAP)) for used in (FEW, loads.numbers)]
            cases = side_by_side(stack, loads, backend, tables, receipts=False, window=window)
            first = [case.take_turn(loads.numbers) for case in cases]
            stood = [_stood(metrics_of(case.ports)) for case in cases]
            for _ in range(loads.rounds):
                for case in cases:
                    case.costs.append(case.take_turn(loads.numbers))
            sent = loads.numbers * loads.rounds
            shares = [
                (_stood(metrics_of(case.ports)) - before) / sent
                for case, before in zip(cases, stood, strict=True)
            ]
        few, many = cases
        for (used, _), case, first_use, share in zip(tables, cases, first, shares, strict=True):
            print(
                f"{used:14,}  {backend:13}  {min(case.costs):14.2f}  {spread(case.ratios(few)):21}  {share:11.0%}"
                f"  {first_use:6.2f} us  {case.octets / 1e6:12.1f}{lost(case)}",
                flush=True,
            )
            whole = whole and not case.lost
        print(f"  octets for each number in use: {(many.octets - few.octets) / (loads.numbers - FEW):,.0f}")
    print(f"goals: many to few at most {MOST_COST} where nothing stands; at most {MOST_OCTETS:,} octets")
    return whole


def _stood(metrics: str) -> float:
    """Return how many messages have stood in a lane."""
    return sum(
        map(float, re.findall(r"^smppgw_queue_wait_seconds_count\{[^}]*\} (\S+)$", metrics, re.MULTILINE))
    )


def reload(loads: Loads) -> None:
    """How long a start and a reload take with few numbers and with many, and what a peer feels of it."""
    print("numbers   start s  reload s  longest stall ms: idle  in the reload  event_loop_lag of the reload")
    for used in (FEW, loads.numbers):
        ports = free_ports()
        carrier, load = commands(ports, loads.tools, receipts=False, binds=BINDS, window=WINDOW, numbers=used)
        with tempfile.TemporaryDirectory() as directory:
            folder = Path(directory)
            started = time.perf_counter()
            with gateway(folder, ports, carrier, "wal", registered(used, CAP)) as process:
                start_seconds = time.perf_counter() - started
                send(load, loads.numbers)
                before = _lags(metrics_of(ports))
                idle = Stalls(ports.smpp)
                time.sleep(QUIET_SECONDS)
                idle_seconds = idle.end()
                stalls = Stalls(ports.smpp)
                reload_seconds = _reload(folder, process)
                time.sleep(QUIET_SECONDS)
                stall_seconds = stalls.end()
                lag = _longest(before, _lags(metrics_of(ports)))
        print(
            f"{used:7,}  {start_seconds:8.2f}  {reload_seconds:8.2f}  {idle_seconds * 1e3:22.1f}"
            f"  {stall_seconds * 1e3:13.1f}  at most {lag} s",
            flush=True,
        )


def _reload(folder: Path, process: subprocess.Popen[bytes]) -> float:
    """Have the gateway take up a configuration in which a campaign is none any more; return the seconds it takes."""
    config = folder / "relay.toml"
    said = config.read_text("utf-8")
    last = said.rindex('status = "approved"')
    config.write_text(said[:last] + said[last:].replace("approved", "rejected", 1), "utf-8")
    asked = time.perf_counter()
    process.send_signal(signal.SIGHUP)
    while b'"reloaded"' not in (folder / "relay.log").read_bytes():
        if time.perf_counter() > asked + RELOAD_SECONDS:
            raise SystemExit(f"bench_limits: no reload within {RELOAD_SECONDS:g} s")
        time.sleep(_POLL_SECONDS)
    return time.perf_counter() - asked


def _lags(metrics: str) -> dict[str, float]:
    """Return how often the event loop was late by at most so many seconds."""
    buckets = re.findall(
        r'^smppgw_event_loop_lag_seconds_bucket\{le="([^"]+)"\} (\S+)$', metrics, re.MULTILINE
    )
    return {bound: float(count) for bound, count in buckets}


def _longest(before: dict[str, float], after: dict[str, float]) -> str:
    """Return the bound that all lags of a time keep to."""
    total = after["+Inf"] - before["+Inf"]
    return next(bound for bound in after if after[bound] - before[bound] == total)


def main() -> int:
    """Print the tables; return 1 where a message was lost."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.bench_limits",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--tools", type=Path, default=os.environ.get("SMPP_TOOLS"))
    parser.add_argument("--count", type=int, help="messages in each turn of the relay")
    parser.add_argument("--numbers", type=int, default=100_000, help="that are many")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each case")
    parser.add_argument("--only", choices=("relay", "numbers", "reload"), help="one of the tables")
    args = parser.parse_args()
    tools = Path(args.tools) if args.tools else None
    seconds = float(os.environ.get("BENCH_SECONDS", "3"))
    count = args.count or int(seconds * (30_000 if tools else 6_000))
    loads = Loads(tools, count, args.numbers, args.rounds)
    print(
        f"load and carrier: {'smppblast, smppsink' if tools else 'our own'}; {args.rounds} rounds;"
        f" {count:,} messages in each turn of the relay, {args.numbers:,} of those that compare numbers"
    )
    whole = True
    if args.only in (None, "relay"):
        whole = relay(loads) and whole
    if args.only in (None, "numbers"):
        whole = numbers(loads) and whole
    if args.only in (None, "reload"):
        reload(loads)
    if not whole:
        print("bench_limits: messages or receipts are missing", file=sys.stderr)
    return 0 if whole else 1


if __name__ == "__main__":
    sys.exit(main())
