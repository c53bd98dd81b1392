"""`smppgw serve`: run the gateway until a signal ends it."""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import signal
import sys
from pathlib import Path
from typing import Any, Final, NoReturn

import structlog

from smppgw import config, logs
from smppgw.cli.lines import complain
from smppgw.cli.loops import event_loop_factory, on_signal
from smppgw.gateway import Gateway
from smppgw.reloading import Ready
from smppgw.settings import Settings
from smppgw.store.errors import StoreError

_GC_THRESHOLD: Final = (200_000, 50, 100)
"""Messages in flight are many and short-lived: fewer, later collections keep the slowest answers quick."""


def add_serve(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `serve`."""
    parser.add_argument(
        "--config", type=Path, required=True, metavar="FILE", help="the configuration, in TOML"
    )
    parser.add_argument(
        "--log-level", choices=("debug", "info", "warning", "error"), default="info", help="default: info"
    )
    parser.add_argument("--human", action="store_true", help="log for a person at a terminal, not in JSON")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    settings = config.load(args.config)
    logs.configure(args.log_level, human=args.human)
    with asyncio.Runner(loop_factory=event_loop_factory()) as runner:
        return runner.run(_serve(settings, args.config, structlog.get_logger()))


async def _serve(settings: Settings, file: Path, logger: Any) -> int:
    """Run until SIGTERM or SIGINT and drain; a second one ends the drain at once, and is a failure."""
    loop = asyncio.get_running_loop()
    gateway = Gateway(settings, logger)
    asked, again = asyncio.Event(), asyncio.Event()

    def stop() -> None:
        (again if asked.is_set() else asked).set()

    on_signal(loop, signal.SIGTERM, stop)
    on_signal(loop, signal.SIGINT, stop)
    if hasattr(signal, "SIGHUP"):
        on_signal(loop, signal.SIGHUP, Reload(gateway, file, logger).ask)
    await gateway.start()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLD)
    waiting = asyncio.ensure_future(asked.wait())
    await asyncio.wait((waiting, gateway.failure), return_when=asyncio.FIRST_COMPLETED)
    if gateway.failure.done():
        _end_at_once(gateway.failure.result())
    draining = asyncio.ensure_future(gateway.stop())
    impatient = asyncio.ensure_future(again.wait())
    await asyncio.wait((draining, impatient, gateway.failure), return_when=asyncio.FIRST_COMPLETED)
    if gateway.failure.done():
        _end_at_once(gateway.failure.result())
    if draining.done():
        impatient.cancel()
        await draining
        return 0
    draining.cancel()
    logger.warning("drain_cut_short", **gateway.left())
    return 1


def _end_at_once(error: BaseException) -> NoReturn:
    """Leave with status 70. Nothing is waited for: what is answered now might be a lie, and the disk may hang."""
    complain(f"the store failed: {error}")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(StoreError.exit_status)


class Reload:
    """Reads the configuration again when it is asked to; what is asked meanwhile is done once more, after it."""

    def __init__(self, gateway: Gateway, file: Path, logger: Any) -> None:
        self._gateway = gateway
        self._file = file
        self._log = logger
        self._reading: asyncio.Task[None] | None = None
        self._again = False

    def ask(self) -> None:
        """Read and check the file, and take up what can be taken up; a file that cannot be used changes nothing."""
        if self._reading is not None:
            self._again = True
            return
        self._reading = asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        try:
            # A registry of 100,000 numbers takes seconds to read: nobody is to wait for that.
            ready = await asyncio.to_thread(self._prepare)
            needed = self._gateway.reloading.adopt(ready)
            self._log.info("reloaded", file=str(self._file), restart_needed_for=needed)
        except config.ConfigError as error:
            for problem in error.problems:
                self._log.error(
                    "configuration_problem", file=str(problem.file), key=problem.key, reason=problem.reason
                )
            self._log.error("reload_refused", file=str(self._file), problems=len(error.problems))
        except Exception as error:  # noqa: BLE001 - the gateway goes on as it was, and the next reload is to work
            self._log.error("reload_failed", file=str(self._file), error=f"{type(error).__name__}: {error}")
        finally:
            self._reading = None
        if self._again:
            self._again = False
            self.ask()

    def _prepare(self) -> Ready:
        return Ready.of(config.load(self._file))
