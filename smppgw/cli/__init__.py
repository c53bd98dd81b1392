"""The command line: `smppgw COMMAND`, one module for each group of commands.

Exit status: 0 well, 1 failed, 2 wrong usage or configuration, 70 the store failed, 130 interrupted. What went
wrong is one line on stderr, or one for each problem of a configuration.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Final, NamedTuple

from smppgw.cli.arguments import Parser
from smppgw.cli.lines import complain
from smppgw.config import ConfigError
from smppgw.errors import SmppgwError
from smppgw.store.errors import StoreError

FAILED: Final = 1
WRONG_USAGE: Final = 2
INTERRUPTED: Final = 130


class _Command(NamedTuple):
    module: str
    """Module of this package; it has a function `add_NAME(parser)` that sets `run`."""
    help: str


_COMMANDS: Final[Mapping[str, _Command]] = {
    "serve": _Command("serve", "run the gateway until SIGTERM or SIGINT"),
    "check": _Command("check", "validate a configuration file"),
    "status": _Command("status", "show what a running gateway is doing"),
    "limits": _Command("limits", "show what a running gateway may send, has sent and lets wait"),
    "store": _Command("store", "look into a gateway's store, or salvage a damaged one"),
    "smsc": _Command("smsc", "run a loopback SMSC that plays a carrier"),
    "send": _Command("send", "submit a message as an ESME, and wait for its receipts"),
    "decode": _Command("decode", "print a PDU field by field"),
    "segments": _Command("text", "show how a text would be sent"),
    "receipt": _Command("text", "show what the text of a delivery receipt says"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status.

    `argv` is `sys.argv` without its first when left out. Raises: nothing.
    """
    words = sys.argv[1:] if argv is None else list(argv)
    try:
        status = _run(words)
        sys.stdout.flush()
    except SystemExit as finished:  # argparse has said all there is to say
        return finished.code if isinstance(finished.code, int) else FAILED
    except ConfigError as error:
        for problem in error.problems:
            complain(str(problem))
        return WRONG_USAGE
    except StoreError as error:
        complain(str(error))
        return error.exit_status
    except BrokenPipeError:  # whoever read our output has seen enough
        _silence_stdout()
        return FAILED
    except (SmppgwError, OSError, UnicodeError) as error:  # the last: a host name that cannot be one
        complain(str(error))
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    return status


def _run(words: list[str]) -> int:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a text may hold what the terminal's encoding does not
            stream.reconfigure(errors="backslashreplace")
    parser = Parser(prog="smppgw", description="An SMPP gateway.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"smppgw {version('smppgw')}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser)
    chosen = next((word for word in words if not word.startswith("-")), None)
    for name, command in _COMMANDS.items():
        added = commands.add_parser(
            name,
            help=command.help,
            description=command.help[0].upper() + command.help[1:] + ".",
            allow_abbrev=False,
        )
        if name == chosen:  # the others' modules need not be imported
            getattr(import_module(f"smppgw.cli.{command.module}"), f"add_{name}")(added)
    args = parser.parse_args(words)
    return int(args.run(args))


def _silence_stdout() -> None:
    """Let the interpreter flush what is left into nothing, without a word."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
