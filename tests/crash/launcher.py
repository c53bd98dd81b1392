"""`smppgw serve` on a disk that can be made to fail, under a clock that can be wrong.

python -m tests.crash.launcher --config FILE [OPTION]
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from smppgw.cli import main, serve
from tests.crash.disk import Disk
from tests.crash.failpoint import Failpoint, Trap

STATEMENT: Final = 60
"""Characters of a statement that a failpoint sees; a space is written as an underscore."""


def launch() -> int:
    """Run it; return its exit status."""
    parser = argparse.ArgumentParser(prog="launcher", allow_abbrev=False)
    parser.add_argument("--config", required=True)
    parser.add_argument("--failpoint", type=Failpoint.parse)
    parser.add_argument("--sync-delay-ms", type=float, default=0.0)
    parser.add_argument("--full-while", type=Path)
    parser.add_argument("--clock-ahead", type=float, default=0.0, help="seconds, of the calendar alone")
    options = parser.parse_args()
    trap = Trap(options.failpoint)
    disk = Disk(trap, sync_delay=options.sync_delay_ms / 1000, full_while=options.full_while)
    ahead = timedelta(seconds=options.clock_ahead)
    serve.Gateway = partial(  # type: ignore[assignment, misc]
        serve.Gateway, files=disk, wall_clock=lambda: datetime.now(UTC) + ahead
    )
    if options.failpoint is not None:
        _watch_sql(trap)
    return main(["serve", "--config", options.config])


def _watch_sql(trap: Trap) -> None:
    """Count what every connection to SQLite is about to do as an operation `sql`, under how the statement begins."""
    connect = sqlite3.connect

    def on_statement(statement: str) -> None:
        name = "_".join(statement[:STATEMENT].split())
        if trap.is_sprung("sql", name):
            trap.before(name)

    def watched(*args: Any, **options: Any) -> sqlite3.Connection:
        connection = connect(*args, **options)
        connection.set_trace_callback(on_statement)
        return connection

    sqlite3.connect = watched  # type: ignore[assignment]


if __name__ == "__main__":
    sys.exit(launch())
