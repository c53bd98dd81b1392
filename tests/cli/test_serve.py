from __future__ import annotations

import json
import signal
import socket
import sys
from pathlib import Path

import pytest

from tests.cli.processes import SECONDS, SMPPGW, config_file, ended, free_port, line_with, started
from tests.cli.run import run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return config_file(tmp_path, smpp=free_port(), admin=free_port(), smsc=free_port())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_and_leaves_with_status_0(config: Path, number: signal.Signals) -> None:
    with started(*SMPPGW, "serve", "--config", str(config)) as gateway:
        begun = json.loads(line_with(gateway.stderr, "gateway_started"))
        assert begun["level"] == "info"
        assert ended(gateway, number) == 0
        assert gateway.stderr
        events = [json.loads(line)["event"] for line in gateway.stderr]
        assert "drain_finished" in events
        assert gateway.stdout
        assert gateway.stdout.read() == ""


def test_a_second_signal_ends_the_drain_with_status_1(config: Path) -> None:
    config.write_text(
        config.read_text("utf-8").replace("drain_timeout = 5.0", "drain_timeout = 600.0"), "utf-8"
    )
    port = int(config.read_text("utf-8").partition("[listen]\n        port = ")[2].split()[0])
    silent = socket.create_server(("127.0.0.1", _port_of_carrier(config)))  # it accepts, and never answers
    with silent, started(*SMPPGW, "serve", "--config", str(config)) as gateway:
        line_with(gateway.stderr, "gateway_started")
        with socket.create_connection(("127.0.0.1", port)) as esme:
            # Bound and silent: the drain waits for the answer to its unbind.
            body = b"demo\0demo\0\0\x34\0\0\0"
            esme.sendall((16 + len(body)).to_bytes(4, "big") + b"\0\0\0\x09\0\0\0\0\0\0\0\1" + body)
            assert esme.recv(4) != b""
            gateway.send_signal(signal.SIGTERM)
            line_with(gateway.stderr, "drain_started")
            assert ended(gateway, signal.SIGTERM) == 1


def _port_of_carrier(config: Path) -> int:
    return int(config.read_text("utf-8").partition('host = "127.0.0.1"\n        port = ')[2].split()[0])


@pytest.mark.parametrize("unusable", ["\n[nonsense]\n", f"\nx = {'[' * 5_000}\n"])
def test_a_file_that_cannot_be_used_changes_nothing_and_the_next_one_is_taken_up(
    config: Path, unusable: str
) -> None:
    with started(*SMPPGW, "serve", "--config", str(config)) as gateway:
        line_with(gateway.stderr, "gateway_started")
        usable = config.read_text("utf-8")
        config.write_text(usable + unusable, "utf-8")
        gateway.send_signal(signal.SIGHUP)
        problem = json.loads(line_with(gateway.stderr, "configuration_problem"))
        assert problem["file"] == str(config)
        assert problem["reason"]
        assert json.loads(line_with(gateway.stderr, "reload_refused"))["problems"] == 1
        config.write_text(usable.replace("[admin]", "[store]\nretention_days = 9\n[admin]"), "utf-8")
        gateway.send_signal(signal.SIGHUP)
        assert json.loads(line_with(gateway.stderr, "reloaded"))["restart_needed_for"] == ["store"]
        assert ended(gateway, signal.SIGTERM) == 0


@pytest.mark.parametrize("key", ["smpp", "admin"])
def test_a_port_in_use_is_one_line_and_status_1(tmp_path: Path, key: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ports = {"smpp": free_port(), "admin": free_port(), "smsc": free_port(), key: port}
        with started(*SMPPGW, "serve", "--config", str(config_file(tmp_path, **ports))) as gateway:
            out, err = gateway.communicate(timeout=SECONDS)
    assert (gateway.returncode, out) == (1, "")
    assert err.count("\n") == 1
    assert str(port) in err
    assert "in use" in err


def test_a_host_name_that_cannot_be_one_is_one_line_and_status_1(config: Path) -> None:
    config.write_text(config.read_text("utf-8").replace("[listen]\n", '[listen]\nhost = "a..b"\n'), "utf-8")
    done = run("serve", "--config", str(config))
    assert done.status in (1, 2)
    assert done.err.count("\n") == 1


def test_a_configuration_that_cannot_be_used_is_every_problem_and_status_2(tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_text('[gateway]\ndata_dir = "d"\n[listen]\nport = "x"\nbind_timeout = -1\n', "utf-8")
    done = run("serve", "--config", str(file))
    assert (done.status, done.out) == (2, "")
    assert len(done.err.splitlines()) >= 2
    assert all(line.startswith(f"smppgw: {file}: ") for line in done.err.splitlines())
