"""The committed codec is what the declarations say."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest
from construct import Struct

from smppgw.pdu import codegen
from smppgw.pdu.constants import CommandId, CommandStatus
from smppgw.pdu.declarations import COMMANDS
from smppgw.pdu.fields import COctetString, Command, CountedItems, Int1, Time


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


ODD = (
    Command(
        CommandId.QUERY_SM_RESP,
        "final_date" / Time(),
        "message_state" / Int1(),
        "message_id" / COctetString(5),
        "error_code" / Int1(),
    ),
    Command(
        CommandId.SUBMIT_MULTI_RESP,
        "unsuccess_sme"
        / CountedItems(
            "no_unsuccess",
            0,
            255,
            CommandStatus.ESME_RINVCMDLEN,
            "UnsuccessSme" / Struct("destination_addr" / COctetString(5), "dest_addr_ton" / Int1()),
        ),
    ),
)
"""Layouts that the specification does not have: a time first, an integer last, an item that begins with a string."""


@pytest.mark.parametrize("time", [b"", b"261122100000000+"])
def test_other_layouts_are_generated_right_too(monkeypatch: pytest.MonkeyPatch, time: bytes) -> None:
    monkeypatch.setattr(codegen, "COMMANDS", ODD)
    module = ModuleType("odd")
    monkeypatch.setitem(sys.modules, "odd", module)  # dataclasses look their module up
    exec(codegen.generate(), module.__dict__)
    header = {"tlvs": [], "command_status": 0, "sequence_number": 7}
    item = {"destination_addr": b"x", "dest_addr_ton": 1}
    first = {"final_date": time, "message_state": 1, "message_id": b"id", "error_code": 2}
    octets = ODD[0].build(first | header)
    pdu = module.decode_query_sm_resp(octets)
    assert dict(pdu.fields()) == first
    assert module.encode_query_sm_resp(pdu) == octets
    octets = ODD[1].build({"unsuccess_sme": [item, item]} | header)
    pdu = module.decode_submit_multi_resp(octets)
    assert [each._asdict() for each in pdu.unsuccess_sme] == [item, item]
    assert module.encode_submit_multi_resp(pdu) == octets
