"""`smppgw smsc`: an SMSC on this machine to try things with."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
from dataclasses import fields
from typing import Final

from smppgw.cli import arguments
from smppgw.cli.lines import say
from smppgw.cli.loops import event_loop_factory, on_signal
from smppgw.library.loopback import LoopbackSettings, run
from smppgw.pdu.constants import CommandStatus

_PASSWORD: Final = "SMPPGW_PASSWORD"  # noqa: S105  the name of the variable


def add_smsc(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `smsc`; their defaults are those of `LoopbackSettings`."""
    usual = LoopbackSettings()
    add = parser.add_argument
    add("--host", type=arguments.host, default=usual.host, help="default: %(default)s")
    add("--port", type=arguments.port, default=usual.port, help="0: any free one; default: %(default)s")
    add(
        "--system-id",
        type=arguments.system_id,
        default=usual.system_id,
        metavar="S",
        help="its own name; default: %(default)s",
    )
    add(
        "--password",
        type=arguments.password,
        default=os.environ.get(_PASSWORD, usual.password),
        metavar="P",
        help=f"what ESMEs must say; default: the environment's {_PASSWORD}, or any will do",
    )
    add(
        "--receipts",
        choices=("none", "success", "mixed"),
        default=usual.receipts,
        help="mixed: some are not delivered; default: %(default)s",
    )
    add("--receipt-delay-ms", type=arguments.number, default=usual.receipt_delay_ms, metavar="N")
    add("--latency-ms", type=arguments.number, default=usual.latency_ms, metavar="N", help="of a response")
    add(
        "--rate",
        type=arguments.whole,
        default=usual.rate,
        metavar="N",
        help="messages accepted within any one second, the others throttled; default: no limit",
    )
    add("--error-percent", type=arguments.percent, default=usual.error_percent, metavar="N", help="refused")
    add(
        "--error-status",
        type=_status,
        default=usual.error_status,
        metavar="STATUS",
        help="with this, a name or a number; default: ESME_RSYSERR",
    )
    add(
        "--mo-rate",
        type=arguments.number,
        default=usual.mo_rate,
        metavar="N",
        help="replies a second; default: 0",
    )
    add(
        "--mo-count",
        type=arguments.whole,
        default=usual.mo_count,
        metavar="N",
        help="as many in all; 0: no end",
    )
    add("--mo-source", default=usual.mo_source, metavar="A", help="default: %(default)s")
    add("--mo-destination", default=usual.mo_destination, metavar="B", help="default: %(default)s")
    add("--mo-text", default=usual.mo_text, metavar="TEXT", help="default: %(default)s")
    add(
        "--drop-after",
        type=arguments.whole,
        default=usual.drop_after,
        metavar="N",
        help="reset a connection at its Nth submit_sm; default: never",
    )
    add("--window", type=arguments.count, default=usual.window, metavar="N", help="default: %(default)s")
    add("--seed", type=arguments.whole, default=usual.seed, metavar="N", help="for errors and mixed receipts")
    parser.set_defaults(run=_run)


def _status(text: str) -> int:
    """Read a command_status by its name or number; never ESME_ROK."""
    named = CommandStatus.__members__.get(text)
    try:
        value = int(text, 0) if named is None else int(named)
    except ValueError:
        value = 0
    if not 0 < value <= 0xFFFF_FFFF:
        raise argparse.ArgumentTypeError(f"{text!r} is not a command_status of an error")
    return value


def _run(args: argparse.Namespace) -> int:
    settings = LoopbackSettings(
        **{field.name: getattr(args, field.name) for field in fields(LoopbackSettings)}
    )
    with asyncio.Runner(loop_factory=event_loop_factory()) as runner:
        return runner.run(_serve(settings))


async def _serve(settings: LoopbackSettings) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        on_signal(loop, number, stop.set)
    summary = await run(
        settings, stop=stop, on_listening=lambda smsc: say(f"listening on {settings.host}:{smsc.port}")
    )
    say(", ".join(f"{name} {count}" for name, count in summary.items() if count) or "nothing happened")
    return 0
