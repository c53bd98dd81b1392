"""What limits cost: CPU and memory with many registered numbers, the relay with and without limits, a reload of them.

    python -m bench.bench_limits [--tools DIR] [--count N] [--numbers N] [--rounds N]

Every figure that has a goal is a ratio of CPU microseconds of the gateway a message, or a difference of octets it
holds in memory, between two gateways of the same run, taken in turns; of `--rounds` the best of each counts, and the
spread of the rounds stands beside it: that is the noise of this machine, now. No limit ever bites here: what is
measured is what it costs to have them. A gateway with 100,000 numbers has them all in use before it is measured: each
has sent a message. Load and carrier are as in `bench_relay`.

Many numbers are compared with few under two loads: one that leaves the carriers' windows free, so that what is accepted
leaves at once, which is what the goal is about; and one that fills them, so that messages stand in their lanes first.
Few lanes are then emptied many messages at a time, and many lanes one by one.
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
from pathlib import Path
from typing import Final, NamedTuple

from bench.bench_relay import (
    UNLIMITED,
    Result,
    commands,
    gateway,
    measured,
    metrics_of,
    registered,
    run_case,
    send,
)
from bench.parts import free_ports
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


class Figures(NamedTuple):
    """Of rounds of one case."""

    costs: list[float]
    """CPU microseconds a message, of each round."""
    octets: list[float]
    lost: bool

    @property
    def cost(self) -> float:
        """The best of the rounds: whatever else the machine does can only add to it."""
        return min(self.costs)

    @property
    def noise(self) -> float:
        """By how much the worst round was above the best."""
        return max(self.costs) / self.cost - 1

    def add(self, result: Result, expected: int, *, receipts: bool) -> Figures:
        """Take in one more round."""
        whole = min(result.accepted, result.receipts) if receipts else result.accepted
        return Figures(
            [*self.costs, result.cpu_seconds / max(1, result.accepted) * 1e6],
            [*self.octets, result.octets],
            self.lost or whole < expected,
        )


NOTHING: Final = Figures([], [], False)


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


class Loads(NamedTuple):
    """How much is sent, and by what."""

    tools: Path | None
    relayed: int
    """Messages in each run of the relay."""
    numbers: int
    rounds: int

    @property
    def messages(self) -> int:
        """After the first one of each number: so many that each is used some times more."""
        return 3 * self.numbers


def relay(loads: Loads) -> bool:
    """The relay with limits that never bite, to the same without; return whether all is well."""
    print("limits that never bite        receipts  store          CPU us/message  noise  off/on  goal")
    well = True
    tables = {
        "none, registration off": UNLIMITED,
        'rates, no day cap ("unlimited")': registered(1),
        "rates and a day cap": registered(1, CAP),
    }
    for receipts in (False, True):
        for backend in BACKENDS:
            figures = dict.fromkeys(tables, NOTHING)
            for _ in range(loads.rounds):
                for name, limits in tables.items():
                    result = run_case(
                        free_ports(),
                        loads.tools,
                        loads.relayed,
                        backend=backend,
                        receipts=receipts,
                        binds=BINDS,
                        window=WINDOW,
                        limits=limits,
                    )
                    expected = loads.relayed // BINDS * BINDS
                    figures[name] = figures[name].add(result, expected, receipts=receipts)
            off, *_ = figures.values()
            for name, each in figures.items():
                ratio = off.cost / each.cost
                well = well and ratio >= LEAST_RATE and not each.lost
                print(
                    f"{name:31} {'yes' if receipts else 'no':6}  {backend:13}  {each.cost:14.2f}  {each.noise:5.0%}"
                    f"  {ratio:6.3f}  {'' if each is off else f'at least {LEAST_RATE}'}"
                    f"{'  MESSAGES ARE MISSING' if each.lost else ''}",
                    flush=True,
                )
    return well


def numbers(loads: Loads) -> bool:
    """Many numbers in use to few; return whether all is well."""
    print(
        "numbers in use  window  store          CPU us/message  noise  to few  goal         stood first"
        "  first use of each  MB in memory"
    )
    well = True
    for backend, window in ((backend, window) for backend in BACKENDS for window in (EASY_WINDOW, WINDOW)):
        figures = {FEW: NOTHING, loads.numbers: NOTHING}
        first_use = dict.fromkeys(figures, float("inf"))
        stood = dict.fromkeys(figures, 0.0)
        for _ in range(loads.rounds):
            for used in figures:
                first, result, stood[used] = _used(loads, used, backend, window)
                figures[used] = figures[used].add(result, loads.messages // BINDS * BINDS, receipts=False)
                first_use[used] = min(first_use[used], first)
        few, many = figures[FEW], figures[loads.numbers]
        for used, each in figures.items():
            ratio = each.cost / few.cost
            goal = used != FEW and window == EASY_WINDOW
            well = well and not each.lost and not (goal and ratio > MOST_COST)
            print(
                f"{used:14,}  {window:6}  {backend:13}  {each.cost:14.2f}  {each.noise:5.0%}  {ratio:6.3f}"
                f"  {f'at most {MOST_COST}' if goal else '':11}  {stood[used]:11.0%}  {first_use[used]:10.2f} us/msg"
                f"  {min(each.octets) / 1e6:12.1f}{'  MESSAGES ARE MISSING' if each.lost else ''}",
                flush=True,
            )
        octets = (min(many.octets) - min(few.octets)) / (loads.numbers - FEW)
        noise = sum(max(each.octets) - min(each.octets) for each in (few, many)) / loads.numbers
        well = well and octets <= MOST_OCTETS
        print(f"  octets for each number in use: {octets:,.0f} (noise {noise:.0f}), at most {MOST_OCTETS:,}")
    return well


def _used(loads: Loads, used: int, backend: str, window: int) -> tuple[float, Result, float]:
    """Return the CPU microseconds of a message when each number sends its first, what comes after that, and the share
    of those messages that stood in a lane."""
    ports = free_ports()
    carrier, load = commands(ports, loads.tools, receipts=False, binds=BINDS, window=window, numbers=used)
    with (
        tempfile.TemporaryDirectory() as directory,
        gateway(Path(directory), ports, carrier, backend, registered(used, CAP)),
    ):
        first = measured(ports, load, loads.numbers)
        stood = _stood(metrics_of(ports))
        result = measured(ports, load, loads.messages)
        share = (_stood(metrics_of(ports)) - stood) / loads.messages
    return first.cpu_seconds / max(1, first.accepted) * 1e6, result, share


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
    """Print the tables; return 1 where a goal is missed or a message was lost."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.bench_limits",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--tools", type=Path, default=os.environ.get("SMPP_TOOLS"))
    parser.add_argument("--count", type=int, help="messages in each run of the relay")
    parser.add_argument("--numbers", type=int, default=100_000, help="that are many")
    parser.add_argument("--rounds", type=int, default=2, help="runs of each case")
    parser.add_argument("--only", choices=("relay", "numbers", "reload"), help="one of the tables")
    args = parser.parse_args()
    tools = Path(args.tools) if args.tools else None
    seconds = float(os.environ.get("BENCH_SECONDS", "3"))
    loads = Loads(
        tools, args.count or int(seconds * (50_000 if tools else 10_000)), args.numbers, args.rounds
    )
    print(
        f"load and carrier: {'smppblast, smppsink' if tools else 'our own'}; {loads.relayed:,} messages a run"
    )
    well = True
    if args.only in (None, "relay"):
        well = relay(loads) and well
    if args.only in (None, "numbers"):
        print(
            f"{loads.messages:,} messages a run, after {loads.numbers:,} that are the first of their numbers"
        )
        well = numbers(loads) and well
    if args.only in (None, "reload"):
        reload(loads)
    if not well:
        print("bench_limits: a goal is missed, or messages are missing", file=sys.stderr)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
