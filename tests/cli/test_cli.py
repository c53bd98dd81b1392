"""`smppgw` as a whole: usage, exit status, streams."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from smppgw.cli import main
from smppgw.store.errors import StoreError
from tests.cli.run import run

SMPPGW = [sys.executable, "-m", "smppgw"]


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("nonsense",),
        ("serve",),
        ("decode",),
        ("send", "--port", "99999999"),
        ("decode", "--json", "--unknown\noption", "00"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(words: tuple[str, ...]) -> None:
    done = run(*words)
    assert (done.status, done.out) == (2, "")
    assert done.err.count("\n") == 1
    assert "--help" in done.err


def test_it_tells_its_version() -> None:
    done = run("--version")
    assert (done.status, done.out) == (0, f"smppgw {version('smppgw')}\n")


@pytest.mark.parametrize(
    "command", ["serve", "check", "status", "store", "smsc", "send", "decode", "segments", "receipt"]
)
def test_every_command_has_help(command: str) -> None:
    assert command in run("--help").out
    done = run(command, "--help")
    assert done.status == 0
    assert f"usage: smppgw {command}" in done.out


def test_it_runs_as_a_module() -> None:
    done = subprocess.run([*SMPPGW, "segments", "--json", "Hi"], capture_output=True, check=False, timeout=30)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b'{"data_coding": 0')


def test_a_reader_that_has_seen_enough_gets_no_traceback(tmp_path: Path) -> None:
    texts = tmp_path / "texts"
    texts.write_bytes(b"hello\n" * 1_000)
    with (
        texts.open("rb") as stdin,
        subprocess.Popen(
            [*SMPPGW, "segments", "--json", "-"], stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process,
    ):
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_an_interrupt_is_quiet_and_status_130() -> None:
    with subprocess.Popen(
        [*SMPPGW, "segments", "--json", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdin.write(b"hello\n")
        process.stdin.flush()
        assert process.stdout.readline()  # a line is answered as it comes, not at the end of stdin
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
        assert process.stderr.read() == b""


def test_a_text_that_the_output_s_encoding_does_not_have_is_escaped() -> None:
    done = subprocess.run(
        [*SMPPGW, "receipt", "id:1 stat:DELIVRD text:在"],
        capture_output=True,
        check=False,
        timeout=30,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\\u5728" in done.stdout


def test_main_takes_its_words_from_the_command_line_when_it_is_given_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["smppgw", "segments", "--json", "Hi"])
    assert main() == 0
    assert capsys.readouterr().out.count("\n") == 1


def test_a_store_that_failed_is_one_line_and_status_70(monkeypatch: pytest.MonkeyPatch) -> None:
    def failed(_: Path) -> None:
        raise StoreError("data/000001.wal: no space")

    monkeypatch.setattr("smppgw.config.load", failed)
    done = run("check", "--config", "any.toml")
    assert (done.status, done.out, done.err) == (70, "", "smppgw: data/000001.wal: no space\n")
