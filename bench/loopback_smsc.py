"""The loopback SMSC as a script: `python -m bench.loopback_smsc --port 2776 --receipts mixed`.

Every field of `LoopbackSettings` is an option. Prints where it listens, and its summary as JSON when it is stopped by
SIGINT or SIGTERM.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from dataclasses import MISSING, fields
from typing import Any

from smppgw.errors import SmppgwError
from smppgw.library.loopback import LoopbackSettings, LoopbackSmsc, run

try:
    from uvloop import run as run_loop
except ImportError:  # Windows, PyPy
    from asyncio import run as run_loop  # type: ignore[assignment]


def main(argv: list[str] | None = None) -> int:
    """Return the exit status: 0 well, 1 when it cannot listen."""
    parser = argparse.ArgumentParser(prog="loopback_smsc", allow_abbrev=False)
    for setting in fields(LoopbackSettings):
        default: Any = None if setting.default is MISSING else setting.default
        kind = int if setting.name == "seed" else type(default)
        parser.add_argument(f"--{setting.name.replace('_', '-')}", type=kind, default=default)
    settings = LoopbackSettings(**vars(parser.parse_args(argv)))
    try:
        print(json.dumps(run_loop(_run_until_stopped(settings))))
    except SmppgwError as error:
        print(f"loopback_smsc: {error}", file=sys.stderr)
        return 1
    return 0


async def _run_until_stopped(settings: LoopbackSettings) -> dict[str, int]:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return await run(settings, stop=stop, on_listening=_announce)


def _announce(smsc: LoopbackSmsc) -> None:
    print(f"listening on port {smsc.port}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
