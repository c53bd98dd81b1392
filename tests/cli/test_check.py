from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.run import run

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["loopback.toml", "smppgw.example.toml"])
def test_the_configurations_that_come_with_it_are_ok(name: str) -> None:
    done = run("check", "--config", str(ROOT / "config" / name))
    assert (done.status, done.out, done.err) == (0, "ok\n", "")


def test_every_problem_is_a_line_with_file_and_key(tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_text('[listen]\nport = "x"\nhots = "a"\n[gateway]\ndata_dir = "d"\n', "utf-8")
    done = run("check", "--config", str(file))
    assert (done.status, done.out) == (2, "")
    lines = done.err.splitlines()
    assert len(lines) >= 2
    assert all(line.startswith(f"smppgw: {file}: ") for line in lines)
    assert any("[listen] port" in line for line in lines)
    assert any("hots" in line for line in lines)


def test_a_file_that_is_not_there_is_a_line() -> None:
    done = run("check", "--config", "/does/not/exist.toml")
    assert done.status == 2
    assert done.err.count("\n") == 1
    assert "/does/not/exist.toml" in done.err
