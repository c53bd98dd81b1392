"""`smppgw check`: say everything that is wrong with a configuration."""

from __future__ import annotations

import argparse
from pathlib import Path

from smppgw import config
from smppgw.cli.lines import say


def add_check(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `check`."""
    parser.add_argument(
        "--config", type=Path, required=True, metavar="FILE", help="the configuration, in TOML"
    )
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    config.load(args.config)  # every problem of a ConfigError gets its line from `main`
    say("ok")
    return 0
