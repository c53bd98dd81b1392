"""`make run` and `make demo`, and the example of the README, as a newcomer sees them."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.processes import SECONDS, SMPPGW, ended, free_port, line_with, started

ROOT = Path(__file__).parents[2]
FIRST_MINUTE = (sys.executable, "-m", "bench.first_minute")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


def test_run_says_where_to_bind_and_a_message_comes_back_as_delivered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    smpp, smsc, admin = free_port(), free_port(), free_port()
    ports = ("--smpp-port", str(smpp), "--smsc-port", str(smsc), "--admin-port", str(admin))
    with started(*FIRST_MINUTE, "run", *ports) as minute:
        assert f"127.0.0.1:{smpp}" in line_with(minute.stdout, "Bind to")
        assert f":{admin}/metrics" in line_with(minute.stdout, "Metrics")
        line_with(minute.stdout, "Ctrl-C")
        sent = subprocess.run(
            [*SMPPGW, "send", "--port", str(smpp), "--system-id", "demo", "--password", "demo",
             "--from", "+12065550100", "--to", "+12065550199", "--wait", "10", "Your appointment is at 10:30"],
            capture_output=True, text=True, check=False, timeout=SECONDS,
        )  # fmt: skip
        assert (sent.returncode, sent.stderr) == (0, "")
        message_id, outcome = sent.stdout.splitlines()
        assert outcome.startswith(f"{message_id} delivered, ")
        assert ended(minute, signal.SIGINT) == 0
        assert minute.stderr
        assert "Traceback" not in minute.stderr.read()
    for port in (smpp, smsc, admin):
        socket.create_server(("127.0.0.1", port)).close()  # both parts are gone


@pytest.mark.parametrize("option", ["--smpp-port", "--smsc-port", "--admin-port"])
def test_run_names_the_port_that_is_busy(option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    options = {"--smpp-port": free_port(), "--smsc-port": free_port(), "--admin-port": free_port()}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        options[option] = taken.getsockname()[1]
        words = [word for name, port in options.items() for word in (name, str(port))]
        done = subprocess.run(
            [*FIRST_MINUTE, "run", *words], capture_output=True, text=True, check=False, timeout=SECONDS
        )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert str(options[option]) in done.stderr


def test_demo_shows_what_became_of_each_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    done = subprocess.run(
        [*FIRST_MINUTE, "demo", "--messages", "300"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    table = {line[:24].strip(): line[24:].strip() for line in done.stdout.splitlines()}
    assert table["messages sent"] == "300"
    assert int(table["segments"]) >= 300
    assert int(table["delivered"]) + int(table["failed"]) == 300
    assert (table["refused"], table["without a receipt"]) == ("0", "0")


def test_the_example_of_the_readme_runs() -> None:
    example = (ROOT / "README.md").read_text("utf-8").partition("```python\n")[2].partition("```")[0]
    done = subprocess.run(
        [sys.executable, "-c", example], capture_output=True, text=True, check=False, timeout=SECONDS
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("accepted as ")
