"""The text of a decode function: straight-line, integers fused, times read as if empty."""

from __future__ import annotations

from smppgw.pdu.codegen_decode import Decode
from tests.pdu.samples import command_named


def text_of(name: str) -> str:
    return "\n".join(Decode(command_named[name], set()).lines())


def test_a_run_of_integers_is_one_call_and_a_pair_is_read_by_index() -> None:
    text = text_of("data_sm")
    assert "_unpack_3b(octets, end + 1)" in text
    assert "pdu.source_addr_ton = octets[end + 1]" in text


def test_a_string_is_searched_for_its_nul_no_further_than_its_bound() -> None:
    assert 'end = index(b"\\0", 16, 81)' in text_of("submit_sm_resp")


def test_times_are_read_as_if_empty_and_the_long_way_when_not() -> None:
    text = text_of("submit_sm")
    assert "_unpack_10b(octets, end + 1)" in text
    assert "if schedule_delivery_time_nul or validity_period_nul:" in text
    assert text.count('index(b"\\0", at, at + 17)') == 2


def test_the_structs_it_needs_are_noted_once() -> None:
    structs: set[str] = set()
    Decode(command_named["submit_sm"], structs).lines()
    assert structs == {"unpack 10B", "unpack 5B"}
