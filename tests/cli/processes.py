"""The command line in processes of its own, on free ports."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

SMPPGW = (sys.executable, "-m", "smppgw")
SECONDS = 20.0
"""Far longer than anything here takes, also on a machine with much else to do."""


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def config_file(folder: Path, *, smpp: int, admin: int, smsc: int) -> Path:
    """The smallest configuration on these ports."""
    file = folder / "gateway.toml"
    file.write_text(
        f"""
        [gateway]
        data_dir = "data"
        drain_timeout = 5.0
        [listen]
        port = {smpp}
        failed_bind_delay = 0.0
        [admin]
        port = {admin}
        [[esme]]
        system_id = "demo"
        password = "demo"
        [[carrier]]
        name = "loopback"
        host = "127.0.0.1"
        port = {smsc}
        system_id = "smppgw"
        password = "loopback"
        reconnect_min = 0.1
        [limits]
        registration = "off"
        """,
        "utf-8",
    )
    return file


@contextmanager
def started(*command: str) -> Iterator[subprocess.Popen[str]]:
    """A process; killed in the end if it still runs."""
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def line_with(stream: IO[str] | None, word: str) -> str:
    """The next line that has this word in it; what came before is read and forgotten."""
    assert stream is not None
    for line in stream:
        if word in line:
            return line
    raise AssertionError(f"no line with {word}")


def ended(process: subprocess.Popen[str], number: signal.Signals) -> int:
    """The exit status after a signal."""
    process.send_signal(number)
    return process.wait(SECONDS)
