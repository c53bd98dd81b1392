"""The first minute: `python -m bench.first_minute run` to try the gateway by hand, `... demo` to watch it work.

Both start a loopback SMSC and a gateway on config/loopback.toml. `run` keeps them until Ctrl-C; `demo` sends the
real messages of bench/data through, on free ports, and shows what became of them.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
import threading
from pathlib import Path
from typing import Final, NoReturn

from bench import demo
from bench.parts import (
    USUAL_PORTS,
    PartsError,
    Ports,
    check_alive,
    check_free,
    config_for,
    free_ports,
    running,
)

LOOK_SECONDS: Final = 0.5
"""How often it is looked whether both parts still run."""

_WELCOME: Final = """
smppgw is running.

  Bind to      127.0.0.1:{ports.smpp}  system_id demo  password demo  (transceiver, transmitter or receiver)
  Send from    +12065550100 to +12065550109
  The carrier  a loopback SMSC on 127.0.0.1:{ports.smsc}, which reports every message as delivered
  Metrics      http://127.0.0.1:{ports.admin}/metrics   also /livez /readyz /status

Try this in another terminal:

  {command} send --host 127.0.0.1 --port {ports.smpp} --system-id demo --password demo \\
      --from +12065550100 --to +12065550199 --wait 10 "Your appointment is at 10:30"
  {command} status --admin http://127.0.0.1:{ports.admin}

Ctrl-C stops both.
"""


def main(argv: list[str] | None = None) -> int:
    """Return the exit status: 0 well, 1 failed, 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m bench.first_minute", allow_abbrev=False)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    run = commands.add_parser("run", help="start a loopback SMSC and the gateway, until Ctrl-C")
    for name, usual in zip(Ports._fields, USUAL_PORTS, strict=True):
        run.add_argument(f"--{name}-port", dest=name, type=int, default=usual, help=f"default: {usual}")
    run.set_defaults(run=_run)
    show = commands.add_parser("demo", help="send real messages through and show the receipts")
    show.add_argument(
        "--messages", type=int, default=None, metavar="N", help="the first N only; default: all"
    )
    show.set_defaults(run=_demo)
    args = parser.parse_args(argv)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    with tempfile.TemporaryDirectory(prefix="smppgw-") as directory:
        try:
            return int(args.run(args, Path(directory)))
        except PartsError as error:
            print(f"smppgw: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return 0 if args.run is _run else 130


def _interrupt(*_: object) -> NoReturn:
    # The second signal is not ours to wait for: the parts are being stopped, and have their time for that.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _run(args: argparse.Namespace, directory: Path) -> int:
    ports = Ports(args.smpp, args.smsc, args.admin)
    check_free(ports)
    with running(
        ports, config_for(ports, directory), smsc=["--receipts", "success"], gateway=["--human"]
    ) as parts:
        beside = Path(sys.executable).with_name("smppgw")
        command = beside if beside.exists() else f"{sys.executable} -m smppgw"
        print(_WELCOME.format(ports=ports, command=command), flush=True)
        never = threading.Event()
        while not never.wait(LOOK_SECONDS):
            check_alive(parts)
    return 0


def _demo(args: argparse.Namespace, directory: Path) -> int:
    texts = demo.texts()[: args.messages]
    ports = free_ports()
    with running(
        ports,
        config_for(ports, directory),
        smsc=["--receipts", "mixed"],
        gateway=["--log-level", "warning", "--human"],
    ):
        return asyncio.run(demo.send_all(texts, ports))


if __name__ == "__main__":
    sys.exit(main())
