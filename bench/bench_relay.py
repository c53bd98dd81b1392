"""The relay: messages a second, and CPU microseconds of the gateway a message, by binds, window and receipts.

    python -m bench.bench_relay [--tools DIR] [--count N] [--rounds N]

Each case is run with the durable store and with the one in memory, in turns; the ratio of their rates is what
durability costs.

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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.request import urlopen

from bench.parts import ROOT, Ports, free_ports, stop, wait_until_ready
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
"""
BACKENDS: Final = ("unsafe-memory", "wal")


class Result(NamedTuple):
    """What one case showed."""

    accepted: int
    receipts: int
    seconds: float
    cpu_seconds: float


@contextmanager
def gateway(directory: Path, ports: Ports, carrier: list[str], backend: str) -> Iterator[None]:
    """Run a carrier and the gateway in front of it."""
    config = directory / "relay.toml"
    config.write_text(CONFIG.format(data=directory / "data", ports=ports, backend=backend), "utf-8")
    serve = [sys.executable, "-m", "smppgw", "serve", "--config", str(config), "--log-level", "error"]
    parts = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) for command in (carrier, serve)]
    try:
        wait_until_ready(ports, parts)
        yield
    finally:
        for part in reversed(parts):
            stop(part)


def cpu_seconds(ports: Ports) -> float:
    """Return the CPU time the gateway has used."""
    with urlopen(f"http://127.0.0.1:{ports.admin}/metrics", timeout=10) as answer:
        metrics = answer.read().decode()
    found = re.search(r"^process_cpu_seconds_total (\S+)$", metrics, re.MULTILINE)
    if found is None:
        raise SystemExit("bench_relay: the gateway does not tell its CPU time here (it does on Linux)")
    return float(found[1])


def run_case(
    ports: Ports, tools: Path | None, count: int, *, backend: str, receipts: bool, binds: int, window: int
) -> Result:
    """Send `count` messages through a gateway of its own."""
    if tools is None:
        carrier = [sys.executable, "-m", "smppgw", "smsc", "--port", str(ports.smsc), "--receipts"]
        carrier.append("success" if receipts else "none")
        load = [sys.executable, "-m", "bench.load_esme", *(["--receipts"] if receipts else [])]
    else:
        carrier = [str(tools / "smppsink"), "--port", str(ports.smsc), "--dlr"]
        carrier.append("success" if receipts else "none")
        load = [str(tools / "smppblast"), "--json", "--len", "80"]
        load += ["--registered-delivery", "1", "--wait-dlr", "20"] if receipts else []
    load += ["--system-id", "demo", "--password", "demo", "--port", str(ports.smpp)]
    load += ["--binds", str(binds), "--window", str(window)]
    with tempfile.TemporaryDirectory() as directory, gateway(Path(directory), ports, carrier, backend):
        _load(load, max(1000, count // 20))  # a first few, so that nothing is measured cold
        before = cpu_seconds(ports)
        said = _load(load, count)
        used = cpu_seconds(ports) - before
    if tools is None:
        return Result(said["accepted"], said["receipts"], said["seconds"], used)
    seconds = max(said["elapsed_s"], said["receipts"]["last_at_s"])
    return Result(said["ok"], said["receipts"]["matched"], seconds, used)


def _load(command: list[str], count: int) -> dict[str, Any]:
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
    args = parser.parse_args()
    tools = Path(args.tools) if args.tools else None
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
                    free_ports(), tools, count, backend=backend, receipts=receipts, binds=binds, window=window
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
