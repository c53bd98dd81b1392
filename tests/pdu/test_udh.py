"""The user data header. Any octets give a header or a FieldError, never anything else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.pdu.constants import CommandId, CommandStatus
from smppgw.pdu.errors import EncodeError, FieldError
from smppgw.pdu.udh import Concatenation, Ports, build_concat, build_udh, parse_udh


@pytest.mark.parametrize(
    ("octets", "concatenation"),
    [
        ("050003 A1 03 02", Concatenation(0xA1, 3, 2)),
        ("060804 12 34 FF FF", Concatenation(0x1234, 255, 255)),
        ("0A0003 01 02 01 0003 02 02 02", Concatenation(2, 2, 2)),  # the last one holds
        ("0A0003 01 02 01 0003 02 02 00", Concatenation(1, 2, 1)),  # of those that are valid
        ("0B050400500051 0003 09 02 01", Concatenation(9, 2, 1)),
        ("050003 A1 00 00", None),
        ("050003 A1 02 00", None),
        ("050003 A1 02 03", None),
        ("040002 A1 02", None),
        ("050803 A1 02 01", None),
        ("00", None),
    ],
)
def test_concatenation_is_read_at_both_widths_and_ignored_where_it_makes_no_sense(
    octets: str, concatenation: Concatenation | None
) -> None:
    assert parse_udh(bytes.fromhex(octets) + b"text").concatenation == concatenation


@pytest.mark.parametrize(
    ("octets", "ports"),
    [
        ("06 0504 0B84 23F0", Ports(2948, 9200)),
        ("04 0402 F5 01", Ports(0xF5, 1)),
        ("05 0503 0B84 23", None),
        ("00", None),
    ],
)
def test_ports_are_read_at_both_widths(octets: str, ports: Ports | None) -> None:
    assert parse_udh(bytes.fromhex(octets)).ports == ports


def test_national_shift_tables_are_recognised_and_their_elements_kept() -> None:
    octets = bytes.fromhex("0B 250101 0003070201 240102")
    udh = parse_udh(octets + b"text")
    assert (udh.national_locking_shift, udh.national_single_shift) == (1, 2)
    assert udh.concatenation == (7, 2, 1)
    assert build_udh(udh.elements) == octets


def test_a_header_without_national_shift_names_no_language() -> None:
    udh = parse_udh(build_udh(((0x24, b""), (0x25, b"12"))))
    assert (udh.national_locking_shift, udh.national_single_shift) == (None, None)


def test_the_text_begins_behind_the_header() -> None:
    short_message = build_concat(1, 2, 1) + b"Hello"
    assert short_message[parse_udh(short_message).octets :] == b"Hello"


@pytest.mark.parametrize(
    "octets", ["", "01", "05", "0500030102", "0100", "020004", "03000300", "0400010000", "FF"]
)
def test_a_header_that_runs_out_is_refused_with_the_status_of_esm_class(octets: str) -> None:
    with pytest.raises(FieldError) as caught:
        parse_udh(bytes.fromhex(octets), command_id=CommandId.DELIVER_SM)
    assert caught.value.command_status == CommandStatus.ESME_RINVESMCLASS
    assert (caught.value.command_id, caught.value.field) == (CommandId.DELIVER_SM, "short_message")


@given(st.binary(max_size=160))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_any_octets_give_a_header_that_is_written_back_the_same_or_a_field_error(octets: bytes) -> None:
    try:
        udh = parse_udh(octets)
    except FieldError:
        return
    written = b"".join(bytes([identifier, len(value)]) + value for identifier, value in udh.elements)
    assert bytes([len(written)]) + written == octets[: udh.octets]
    assert udh.concatenation is None or 1 <= udh.concatenation.number <= udh.concatenation.total
    assert udh.ports is None or min(udh.ports) >= 0


@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=12)), max_size=8))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_elements_are_read_as_they_were_written(elements: list[tuple[int, bytes]]) -> None:
    assert parse_udh(build_udh(tuple(elements)) + b"text").elements == tuple(elements)


def test_a_header_longer_than_one_message_is_not_built() -> None:
    build_udh(((0x70, bytes(137)),))
    with pytest.raises(EncodeError, match="at most 140"):
        build_udh(((0x70, bytes(138)),))


@pytest.mark.parametrize(("bits", "reference"), [(8, 0), (8, 255), (16, 0), (16, 65535), (16, 0x1234)])
def test_a_part_s_header_says_which_part_it_is(bits: int, reference: int) -> None:
    header = build_concat(reference, 255, 254, reference_bits=bits)
    assert len(header) == {8: 6, 16: 7}[bits]
    assert parse_udh(header).concatenation == (reference, 255, 254)


@pytest.mark.parametrize(
    ("reference", "total", "number", "bits"),
    [
        (256, 2, 1, 8),
        (-1, 2, 1, 8),
        (65536, 2, 1, 16),
        (0, 256, 1, 8),
        (0, 2, 0, 8),
        (0, 2, 3, 8),
        (0, 0, 0, 16),
    ],
)
def test_a_part_out_of_range_is_not_built(reference: int, total: int, number: int, bits: int) -> None:
    with pytest.raises(EncodeError):
        build_concat(reference, total, number, reference_bits=bits)
