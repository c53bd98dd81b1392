"""The committed codec is what the declarations say."""

from __future__ import annotations

from pathlib import Path

import pytest

from smppgw.pdu import codegen
from smppgw.pdu.declarations import COMMANDS


def test_the_generated_codec_has_not_drifted() -> None:
    assert codegen.main(["--check"]) == 0


def test_drift_is_reported_and_nothing_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "_generated.py"
    other.write_text("# edited by hand\n", encoding="utf-8")
    monkeypatch.setattr(codegen, "OUTPUT", other)
    assert codegen.main(["--check"]) == 1
    assert "python -m smppgw.pdu.codegen" in capsys.readouterr().err
    assert other.read_text(encoding="utf-8") == "# edited by hand\n"


def test_writing_takes_the_drift_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codegen, "OUTPUT", tmp_path / "_generated.py")
    assert codegen.main([]) == 0
    assert codegen.main(["--check"]) == 0


def test_every_command_gets_a_class_an_encoder_and_a_decoder() -> None:
    text = codegen.generate()
    for command in COMMANDS:
        assert f"def encode_{command.name}(" in text
        assert f"def decode_{command.name}(" in text
    assert "construct" not in text
