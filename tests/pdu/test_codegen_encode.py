"""The text of an encode function: one check, one join, the NUL of a string packed with what is behind it."""

from __future__ import annotations

from smppgw.pdu.codegen_encode import Encode
from tests.pdu.samples import command_named


def text_of(name: str) -> str:
    return "\n".join(Encode(command_named[name], set()).lines())


def test_a_nul_travels_with_the_integers_behind_it() -> None:
    assert "_pack_x2b(pdu.source_addr_ton, pdu.source_addr_npi)" in text_of("submit_sm")


def test_a_run_with_empty_times_is_one_call() -> None:
    text = text_of("submit_sm")
    assert "timed = _pack_x3b2x5b(" in text
    assert text.count("len(short_message)") == 3


def test_only_a_response_with_fields_may_be_a_header_alone() -> None:
    alone = "if pdu.command_status and "
    assert alone in text_of("submit_sm_resp")
    assert alone not in text_of("submit_sm")
    assert alone not in text_of("unbind_resp")


def test_the_structs_it_needs_are_noted_once() -> None:
    structs: set[str] = set()
    Encode(command_named["enquire_link"], structs).lines()
    assert structs == set()
