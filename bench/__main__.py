"""`python -m bench [--seconds N]`: run every benchmark, one after the other, and print their tables."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
BENCHES: Final = (
    "bench_codec",
    "bench_receipts",
    "bench_submit",
    "bench_store",
    "bench_relay",
    "bench_limits",
)
"""Modules of this package; each prints its table and takes its seconds for a measurement from BENCH_SECONDS."""


def main() -> int:
    """Run them in processes of their own, so that none warms up or slows down another; return 1 if any failed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__, allow_abbrev=False)
    parser.add_argument(
        "--seconds",
        type=float,
        default=float(os.environ.get("BENCH_SECONDS", "3")),
        metavar="N",
        help="for each measurement; default: the environment's BENCH_SECONDS, or 3",
    )
    args = parser.parse_args()
    environment = {**os.environ, "BENCH_SECONDS": f"{args.seconds:g}"}
    failed = []
    for name in BENCHES:
        print(f"== {name}", flush=True)
        command = [sys.executable, "-m", f"bench.{name}"]
        if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode:
            failed.append(name)
        print(flush=True)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
