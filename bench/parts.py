"""The parts of the first minute as processes: a loopback SMSC, and the gateway in front of it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

ROOT: Final = Path(__file__).resolve().parent.parent
CONFIG: Final = ROOT / "config" / "loopback.toml"
START_SECONDS: Final = 20.0
STOP_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.05


class PartsError(Exception):
    """The parts cannot be started, or one of them ended; `str()` is one line for a person."""


class Ports(NamedTuple):
    """Where the parts listen, on 127.0.0.1."""

    smpp: int = 2775
    """The gateway's, for ESMEs."""
    smsc: int = 2776
    """The loopback SMSC's, for the gateway."""
    admin: int = 9464
    """The gateway's metrics and health."""


USUAL_PORTS: Final = Ports()
"""Those of config/loopback.toml."""


def free_ports() -> Ports:
    """Return ports that nobody listens on now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in Ports._fields]
    try:
        return Ports(*(listener.getsockname()[1] for listener in sockets))
    finally:
        for listener in sockets:
            listener.close()


def check_free(ports: Ports) -> None:
    """Raise PartsError for the first port that somebody listens on already."""
    for what, port in zip(("the gateway", "the loopback SMSC", "metrics"), ports, strict=True):
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError as error:
            raise PartsError(f"127.0.0.1 port {port}, for {what}: {error.strerror or error}") from None


def config_for(ports: Ports, directory: Path) -> Path:
    """Return config/loopback.toml itself, or a copy of it in `directory` for other ports."""
    if ports == USUAL_PORTS:
        return CONFIG
    text = CONFIG.read_text("utf-8")
    for old, new in (
        ('data_dir = "data/loopback"', f"data_dir = {json.dumps(str(directory / 'data'))}"),
        ("port = 9464", f"port = {ports.admin}"),
        ("port = 2776", f"port = {ports.smsc}"),
        ('tiers = "tiers/', f'tiers = "{json.dumps(str(CONFIG.parent))[1:-1]}/tiers/'),
    ):
        if text.count(old) != 1:
            raise PartsError(f"{CONFIG}: expected {old} once")
        text = text.replace(old, new)
    file = directory / "loopback.toml"
    file.write_text(f"{text}\n[listen]\nport = {ports.smpp}\n", "utf-8")
    return file


@contextmanager
def running(
    ports: Ports, config: Path, *, smsc: Iterable[str], gateway: Iterable[str]
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run both parts, each with more arguments, and stop them in the end; the carrier is bound when it yields.

    Raises: PartsError.
    """
    program = [sys.executable, "-m", "smppgw"]
    parts: list[subprocess.Popen[bytes]] = []
    try:
        for arguments in (
            ["smsc", "--port", str(ports.smsc), *smsc],
            ["serve", "--config", str(config), *gateway],
        ):
            # A session of their own keeps them from a Ctrl-C that is ours to handle; what matters is on stderr.
            part = subprocess.Popen(
                program + arguments, cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True
            )
            parts.append(part)
        wait_until_ready(ports, parts)
        yield parts
    finally:
        for part in reversed(parts):  # the gateway first, so that it can drain into the SMSC
            stop(part)


def stop(part: subprocess.Popen[bytes]) -> None:
    """End one part, at once if it does not end by itself in time."""
    if part.poll() is None:
        part.send_signal(signal.SIGTERM)
        try:
            part.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            part.kill()
            part.wait()


def check_alive(parts: Iterable[subprocess.Popen[bytes]]) -> None:
    """Raise PartsError when one of the parts has ended."""
    for name, part in zip(("the loopback SMSC", "the gateway"), parts, strict=False):
        status = part.poll()
        if status is not None:
            raise PartsError(f"{name} ended with status {status}")


def wait_until_ready(ports: Ports, parts: list[subprocess.Popen[bytes]]) -> None:
    """Wait until the gateway is ready and its carriers are bound. Raises: PartsError."""
    deadline = time.monotonic() + START_SECONDS
    while not _is_ready(ports):
        check_alive(parts)
        if time.monotonic() > deadline:
            raise PartsError(
                f"the gateway was not ready, or its carrier not bound, within {START_SECONDS:g} s"
            )
        time.sleep(_POLL_SECONDS)


def _is_ready(ports: Ports) -> bool:
    opener = build_opener(ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{ports.admin}/readyz", timeout=1):
            pass
        with opener.open(f"http://127.0.0.1:{ports.admin}/status", timeout=1) as answer:
            status = json.load(answer)
    except (URLError, OSError, ValueError):
        return False
    return all(carrier["up"] for carrier in status["carriers"].values())
