"""The relay: messages a second, and CPU microseconds of the gateway a message, by binds, window and receipts.

    python -m bench.bench_relay [--tools DIR] [--count N] [--rounds N] [--limits on]

Each case is run with the durable store and with the one in memory, in turns; the ratio of their rates is what
durability costs. With `--limits on` the load's number is registered, and has limits that never bite; what they cost
is `bench_limits`'s to say.

The load is our own ESME and the carrier our loopback SMSC, each a process of its own; with `--tools` (or the
environment's SMPP_TOOLS) it is `smppblast` and `smppsink` of that directory, which leave the gateway more of the
machine. The CPU time is what the gateway reports of itself on /metrics, so it does not depend on who else is busy as
much as the rate does. Its yardstick, in the same run: one submit_sm encoded by smpplib.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.request import urlopen

from bench.parts import CONFIG as LOOPBACK
from bench.parts import ROOT, PartsError, Ports, free_ports, stop, wait_until_ready
from bench.yardstick import smpplib_encode_seconds

CASES: Final = (
    # receipts, ESME binds, window
    (False, 1, 10),
    (False, 1, 100),
    (False, 4, 100),
    (True, 1, 100),
    (True, 4, 100),
)
CONFIG: Final = """
[gateway]
data_dir = "{data}"
[listen]
port = {ports.smpp}
[admin]
port = {ports.admin}
[[esme]]
system_id = "demo"
password = "demo"
max_binds = 64
window = 1000
max_queued = 1000000
[[carrier]]
name = "sink"
host = "127.0.0.1"
port = {ports.smsc}
system_id = "gateway"
password = "gateway"
binds = 4
window = 100
[store]
backend = "{backend}"
{limits}
"""
UNLIMITED: Final = """
[limits]
registration = "off"
"""
REGISTERED: Final = """
[limits]
tiers = {tiers}
[[brand]]
id = "brand"
status = "approved"
segments_per_day = {segments_per_day}
"""
CAMPAIGN: Final = """
[[campaign]]
id = "campaign-{place}"
brand = "brand"
status = "approved"
class = "A"
segments_per_minute = 60_000_000
numbers = {numbers}
"""
CAMPAIGN_NUMBERS: Final = 49
"""Carriers allow no more."""
POLL_SECONDS: Final = 0.25
BACKENDS: Final = ("unsafe-memory", "wal")


class Result(NamedTuple):
    """What one case showed."""

    accepted: int
    receipts: int
    seconds: float
    cpu_seconds: float
    octets: float
    """That the gateway holds in memory at the end."""


def registered(numbers: int, segments_per_day: int | str = "unlimited") -> str:
    """Tables in which so many numbers, from `number(0)` on, are registered; their limits are too high to bite."""
    tables = [
        REGISTERED.format(
            tiers=json.dumps(str(LOOPBACK.parent / "tiers" / "us-10dlc.toml")),
            segments_per_day=json.dumps(segments_per_day),
        )
    ]
    for first in range(0, numbers, CAMPAIGN_NUMBERS):
        last = min(numbers, first + CAMPAIGN_NUMBERS)
        tables.append(CAMPAIGN.format(place=first, numbers=json.dumps([*map(number, range(first, last))])))
    return "".join(tables)


def number(place: int) -> str:
    """One of the numbers that messages come from."""
    return f"1206{place:07}"


@contextmanager
def gateway(
    directory: Path, ports: Ports, carrier: list[str], backend: str, limits: str = UNLIMITED
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a carrier and the gateway in front of it, whose process it yields; its log is `relay.log`."""
    config = directory / "relay.toml"
    config.write_text(
        CONFIG.format(data=directory / "data", ports=ports, backend=backend, limits=limits), "utf-8"
    )
    serve = [sys.executable, "-m", "smppgw", "serve", "--config", str(config)]
    with (directory / "relay.log").open("wb") as log:
        parts = [subprocess.Popen(carrier, cwd=ROOT, stdout=subprocess.DEVNULL)]
        try:
            parts.append(subprocess.Popen(serve, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=log))
            wait_until_ready(ports, parts)
            yield parts[-1]
        except PartsError:
            print((directory / "relay.log").read_text("utf-8"), file=sys.stderr)
            raise
        finally:
            for part in reversed(parts):
                stop(part)


def _until_sent(ports: Ports) -> None:
    """Wait until the gateway has sent all that it was given."""
    while True:
        with urlopen(f"http://127.0.0.1:{ports.admin}/status", timeout=60) as answer:
            status = json.load(answer)
        if not (status["esmes"]["demo"]["queued"] or status["carriers"]["sink"]["in_flight"]):
            return
        time.sleep(POLL_SECONDS)


def metrics_of(ports: Ports) -> str:
    """Return what the gateway shows on /metrics."""
    with urlopen(f"http://127.0.0.1:{ports.admin}/metrics", timeout=60) as answer:
        return str(answer.read().decode())


def cpu_seconds(ports: Ports) -> float:
    """Return the CPU time the gateway has used."""
    return _sample(ports, "process_cpu_seconds_total")


def octets_of(ports: Ports) -> float:
    """Return the octets that the gateway holds in memory."""
    return _sample(ports, "process_resident_memory_bytes")


def _sample(ports: Ports, name: str) -> float:
    found = re.search(rf"^{name} (\S+)$", metrics_of(ports), re.MULTILINE)
    if found is None:
        raise SystemExit(f"the gateway does not show its {name} here (it does on Linux)")
    return float(found[1])


def commands(
    ports: Ports, tools: Path | None, *, receipts: bool, binds: int, window: int, numbers: int = 1
) -> tuple[list[str], list[str]]:
    """Return the commands of a carrier, and of a load that sends from so many numbers in turn."""
    if tools is None:
        carrier = [sys.executable, "-m", "smppgw", "smsc", "--port", str(ports.smsc), "--receipts"]
        carrier.append("success" if receipts else "none")
        load = [sys.executable, "-m", "bench.load_esme", *(["--receipts"] if receipts else [])]
        load += ["--numbers", str(numbers)]
    else:
        carrier = [str(tools / "smppsink"), "--port", str(ports.smsc), "--dlr"]
        carrier.append("success" if receipts else "none")
        load = [str(tools / "smppblast"), "--json", "--len", "80"]
        load += ["--src", f"1206%07u:0-{numbers - 1}"]
        load += ["--registered-delivery", "1", "--wait-dlr", "20"] if receipts else []
    load += ["--system-id", "demo", "--password", "demo", "--port", str(ports.smpp)]
    load += ["--binds", str(binds), "--window", str(window)]
    return carrier, load


def run_case(
    ports: Ports,
    tools: Path | None,
    count: int,
    *,
    backend: str,
    receipts: bool,
    binds: int,
    window: int,
    limits: str = UNLIMITED,
) -> Result:
    """Send `count` messages through a gateway of its own."""
    carrier, load = commands(ports, tools, receipts=receipts, binds=binds, window=window)
    with (
        tempfile.TemporaryDirectory() as directory,
        gateway(Path(directory), ports, carrier, backend, limits),
    ):
        send(load, max(1000, count // 20))  # a first few, so that nothing is measured cold
        return measured(ports, load, count)


def measured(ports: Ports, load: list[str], count: int) -> Result:
    """Send `count` messages through the gateway that runs there, and see what it takes."""
    before = cpu_seconds(ports)
    said = send(load, count)
    _until_sent(ports)
    used, octets = cpu_seconds(ports) - before, octets_of(ports)
    if "accepted" in said:  # our own load
        return Result(said["accepted"], said["receipts"], said["seconds"], used, octets)
    seconds = max(said["elapsed_s"], said["receipts"]["last_at_s"])
    return Result(said["ok"], said["receipts"]["matched"], seconds, used, octets)


def send(command: list[str], count: int) -> dict[str, Any]:
    """Run a load of `count` messages; return what it says of them."""
    done = subprocess.run(
        [*command, "--count", str(count)], cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=300
    )
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def main() -> int:
    """Run the cases and print the table; return 1 when a message or a receipt was lost."""
    parser = argparse.ArgumentParser(prog="python -m bench.bench_relay", description=__doc__)
    parser.add_argument("--tools", type=Path, default=os.environ.get("SMPP_TOOLS"))
    parser.add_argument("--count", type=int, help="messages in each run")
    parser.add_argument("--rounds", type=int, default=1, help="runs of each case; the best of them counts")
    parser.add_argument("--limits", choices=("on", "off"), default="off", help="whether the number has any")
    args = parser.parse_args()
    tools = Path(args.tools) if args.tools else None
    limits = registered(1) if args.limits == "on" else UNLIMITED
    seconds = float(os.environ.get("BENCH_SECONDS", "3"))
    count = args.count or int(seconds * (50_000 if tools else 10_000))
    lost = False
    print(
        f"relay, {count:,} messages a run, load and carrier: {'smppblast, smppsink' if tools else 'our own'}"
    )
    print(
        "receipts  binds  window  store          messages/s  of memory's  CPU us/message  of one smpplib encode"
    )
    for receipts, binds, window in CASES:
        rates: dict[str, float] = {}
        costs: dict[str, tuple[float, float]] = {}
        for _ in range(args.rounds):
            for backend in BACKENDS:
                yardstick = smpplib_encode_seconds()
                result = run_case(
                    free_ports(),
                    tools,
                    count,
                    backend=backend,
                    receipts=receipts,
                    binds=binds,
                    window=window,
                    limits=limits,
                )
                whole = result.receipts if receipts else result.accepted
                lost = lost or whole < count // binds * binds
                per_message = result.cpu_seconds / max(1, result.accepted)
                rates[backend] = max(rates.get(backend, 0.0), whole / result.seconds)
                costs[backend] = min(costs.get(backend, (1.0, 1.0)), (per_message, per_message / yardstick))
        for backend in BACKENDS:
            per_message, to_yardstick = costs[backend]
            print(
                f"{'yes' if receipts else 'no':8}  {binds:5}  {window:6}  {backend:13}  {rates[backend]:10,.0f}"
                f"  {rates[backend] / rates['unsafe-memory']:11.2f}  {per_message * 1e6:14.2f}  {to_yardstick:21.3f}",
                flush=True,
            )
    print(
        "goals: with receipts at most 0.45 of one smpplib encode on the durable store; 0.85 of memory's rate"
    )
    print("       in memory, at most 0.22 without receipts, 0.39 with; 20,000 messages/s each way")
    if lost:
        print("bench_relay: messages or receipts are missing", file=sys.stderr)
    return int(lost)


if __name__ == "__main__":
    sys.exit(main())
