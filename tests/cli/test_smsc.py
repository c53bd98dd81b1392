from __future__ import annotations

import signal
import socket

import pytest

from tests.cli.processes import SECONDS, SMPPGW, ended, line_with, started
from tests.cli.run import run


def port_of(line: str) -> int:
    return int(line.rpartition(":")[2])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_listens_and_in_the_end_what_happened(number: signal.Signals) -> None:
    with started(*SMPPGW, "smsc", "--port", "0", "--receipts", "success") as smsc:
        port = port_of(line_with(smsc.stdout, "listening on 127.0.0.1:"))
        done = run(
            "send", "--port", str(port), "--system-id", "a", "--from", "12345", "--to", "+12065550199",
            "--count", "3", "--wait", "10", "Hi",
        )  # fmt: skip
        assert (done.status, done.err) == (0, "")
        assert ended(smsc, number) == 0
        assert smsc.stdout
        [summary] = smsc.stdout.read().splitlines()
        assert "submits 3" in summary
        assert smsc.stderr
        assert smsc.stderr.read() == ""


def test_a_port_in_use_is_one_line_and_status_1() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with started(*SMPPGW, "smsc", "--port", str(port)) as smsc:
            out, err = smsc.communicate(timeout=SECONDS)
    assert (smsc.returncode, out) == (1, "")
    assert err.count("\n") == 1
    assert str(port) in err


@pytest.mark.parametrize("status", ["ESME_RTHROTTLED", "0x58", "88"])
def test_a_status_is_a_name_or_a_number(status: str) -> None:
    with started(*SMPPGW, "smsc", "--port", "0", "--error-percent", "100", "--error-status", status) as smsc:
        port = port_of(line_with(smsc.stdout, "listening"))
        done = run(
            "send", "--port", str(port), "--system-id", "a", "--from", "12345", "--to", "+12065550199", "Hi"
        )
        assert (done.status, done.out) == (1, "ESME_RTHROTTLED\n")
        assert ended(smsc, signal.SIGTERM) == 0


@pytest.mark.parametrize("status", ["ESME_ROK", "0", "nonsense", "0x100000000"])
def test_what_is_no_error_status_is_wrong_usage(status: str) -> None:
    done = run("smsc", "--error-status", status)
    assert done.status == 2
    assert "--error-status" in done.err
