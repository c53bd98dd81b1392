"""The generated codec gives construct's verdict: on what is valid, on what is spoilt, and on anything at all."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.pdu._generated import (
    CLASS_BY_ID,
    DECODERS,
    ENCODERS,
    DistributionList,
    SmeAddress,
    SubmitMulti,
    SubmitMultiResp,
    decode_submit_multi,
    encode_submit_multi,
)
from smppgw.pdu.constants import CommandId
from smppgw.pdu.declarations import COMMANDS
from smppgw.pdu.errors import EncodeError
from smppgw.pdu.fields import Command
from smppgw.pdu.layout import Pdu
from tests.pdu.samples import (
    any_command,
    any_pdu,
    fast_decode,
    fast_encode,
    pdu_of,
    plain_decode,
    plain_encode,
    sample_values,
    values_of,
)

every_command = pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
some = settings(max_examples=200, deadline=None, derandomize=True)
many = settings(max_examples=400, deadline=None, derandomize=True)


def framed(command: Command, command_status: int, body: bytes) -> bytes:
    return struct.pack(">IIII", 16 + len(body), command.command_id, command_status, 7) + body


@given(any_pdu)
@some
def test_what_construct_builds_is_what_the_fast_encoder_writes(pdu: tuple[Command, dict[str, Any]]) -> None:
    command, values = pdu
    assert fast_encode(command, values) == plain_encode(command, values)


@given(any_pdu)
@some
def test_what_is_encoded_is_decoded_as_it_was(pdu: tuple[Command, dict[str, Any]]) -> None:
    command, values = pdu
    octets = fast_encode(command, values)
    assert fast_decode(command, octets) == plain_decode(command, octets) == values
    assert DECODERS[command.command_id](octets) == pdu_of(command, values)


SPOILT: Any = st.one_of(
    st.none(),
    st.just("text"),
    st.just(""),
    st.just(1.5),
    st.sampled_from([-1, 256, 1 << 32]),
    st.sampled_from([b"\0", b"a\0b", b"x" * 15, b"x" * 17, b"x" * 66, b"x" * 255]),
)
SPOILT_TLVS: Any = st.sampled_from(
    [
        [(0x10000, b"")],
        [(-1, b"")],
        [(0x1400, b"x" * 0x10000)],
        [(5, b"12")],
        [(0x1400, "text")],
        [(5, b"1"), (6, b"")],
    ]
)


@given(any_pdu, st.data())
@some
def test_what_construct_refuses_to_build_is_refused_for_the_same_field(
    pdu: tuple[Command, dict[str, Any]], data: st.DataObject
) -> None:
    command, values = pdu
    for name in data.draw(st.lists(st.sampled_from(sorted(values)), min_size=1, max_size=2)):
        is_list = isinstance(values[name], list)
        if not is_list:
            values[name] = data.draw(SPOILT)
        elif name == "tlvs":
            values[name] = data.draw(SPOILT_TLVS)
        elif values[name]:
            item = dict(values[name][0])
            item[data.draw(st.sampled_from(sorted(item.keys() - {"dest_flag"})))] = data.draw(SPOILT)
            values[name] = data.draw(st.sampled_from([[item, *values[name]], [], values[name] * 256]))
    assert fast_encode(command, values) == plain_encode(command, values)


@st.composite
def mutated(draw: st.DrawFn) -> tuple[Command, bytes]:
    """A valid PDU with some octets changed, taken out or put in; its command_length is mostly right."""
    command, values = draw(any_pdu)
    octets = bytearray(fast_encode(command, values))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(min(16, len(octets)), len(octets)))
        match draw(st.sampled_from(["set", "cut", "insert", "drop"])):
            case "set" if at < len(octets):
                octets[at] = draw(st.sampled_from([0, 1, 2, 255]) | st.integers(0, 255))
            case "cut":
                del octets[at:]
            case "drop":
                del octets[at : at + draw(st.integers(1, 6))]
            case _:
                octets[at:at] = draw(st.binary(min_size=1, max_size=4))
    if draw(st.integers(0, 9)):
        octets[:4] = struct.pack(">I", len(octets))
    return command, bytes(octets)


@given(mutated())
@many
def test_mutated_octets_get_construct_s_verdict(pdu: tuple[Command, bytes]) -> None:
    command, octets = pdu
    assert fast_decode(command, octets) == plain_decode(command, octets)


raw_bodies = st.lists(
    st.sampled_from([b"\0", b"\1", b"\2", b"12065550100\0", b"\0\0\0\0", b"\4\x24\0\2"])
    | st.binary(max_size=20),
    max_size=12,
).map(b"".join)


@given(any_command, st.sampled_from([0, 0, 8]), raw_bodies)
@many
def test_raw_bodies_get_construct_s_verdict(command: Command, command_status: int, body: bytes) -> None:
    octets = framed(command, command_status, body)
    assert fast_decode(command, octets) == plain_decode(command, octets)


@given(any_command, st.binary(max_size=80))
@some
def test_raw_octets_get_construct_s_verdict(command: Command, octets: bytes) -> None:
    assert fast_decode(command, octets) == plain_decode(command, octets)


@every_command
def test_each_prefix_of_a_body_gets_construct_s_verdict(command: Command) -> None:
    whole = fast_encode(command, sample_values(command))
    for end in range(16, len(whole) + 1):
        for command_status in (0, 8):
            octets = framed(command, command_status, whole[16:end])
            assert fast_decode(command, octets) == plain_decode(command, octets)


def spoilt(name: str, value: Any) -> list[Any]:
    """What a field must not hold."""
    if name == "tlvs":
        return [[(5, b"12")]]
    if not isinstance(value, list):
        return [None, "text", "", b"\0", b"x" * 300, -1, 1 << 32]
    parts = [(part, bad) for part in value[0].keys() - {"dest_flag"} for bad in (None, 1 << 32, b"x" * 300)]
    return [[], value * 256, *([{**value[0], part: bad}] for part, bad in parts)]


@every_command
def test_each_field_spoilt_in_turn_is_refused_as_construct_refuses_it(command: Command) -> None:
    for command_status in (0, 8):
        for name, value in sample_values(command).items():
            for bad in spoilt(name, value):
                values = sample_values(command, command_status=command_status) | {name: bad}
                assert fast_encode(command, values) == plain_encode(command, values)


@every_command
def test_octets_put_in_anywhere_get_construct_s_verdict(command: Command) -> None:
    body = fast_encode(command, sample_values(command, tlvs=[]))[16:]
    for at in range(len(body) + 1):
        for more in (b"x", b"x" * 70, b"\0", b"\1\0"):
            octets = framed(command, 0, body[:at] + more + body[at:])
            assert fast_decode(command, octets) == plain_decode(command, octets)


@every_command
def test_every_field_set_survives_both_ways(command: Command) -> None:
    values = sample_values(command)
    octets = fast_encode(command, values)
    assert octets == plain_encode(command, values)
    assert fast_decode(command, octets) == values


@every_command
def test_a_pdu_with_nothing_set_is_the_same_both_ways(command: Command) -> None:
    for command_status in (0, 8):
        pdu = CLASS_BY_ID[command.command_id]()
        pdu.command_status = command_status
        if isinstance(pdu, SubmitMulti):
            pdu.dest_address = (DistributionList(),)
        octets = fast_encode(command, values_of(pdu))
        assert octets == plain_encode(command, values_of(pdu))
        assert DECODERS[command.command_id](octets) == pdu
        if command_status and command.name.endswith("_resp"):
            assert len(octets) == 16


@pytest.mark.parametrize(
    ("pdu", "field"),
    [
        (SubmitMulti(dest_address=[b"12065550100"]), "dest_address[0]"),  # type: ignore[list-item]
        (SubmitMulti(dest_address=[SmeAddress(), DistributionList(b"x" * 21)]), "dest_address[1].dl_name"),
        (SubmitMultiResp(unsuccess_sme=[SmeAddress()]), "unsuccess_sme[0]"),  # type: ignore[list-item]
    ],
)
def test_an_item_that_does_not_belong_in_its_list_is_refused(pdu: Pdu, field: str) -> None:
    with pytest.raises(EncodeError) as caught:
        ENCODERS[pdu.command_id](pdu)
    assert caught.value.field == field


def test_the_tables_hold_every_command() -> None:
    assert CLASS_BY_ID.keys() == DECODERS.keys() == ENCODERS.keys() == {int(command) for command in CommandId}


def test_submit_multi_carries_254_destinations_and_reads_255() -> None:
    pdu = SubmitMulti(dest_address=[SmeAddress(1, 1, b"1")] * 253 + [DistributionList(b"all")])
    octets = encode_submit_multi(pdu)
    assert decode_submit_multi(octets) == pdu
    count_at = octets.index(254)
    body = octets[16:count_at] + b"\xff\2more\0" + octets[count_at + 1 :]
    longer = struct.pack(">IIII", 16 + len(body), CommandId.SUBMIT_MULTI, 0, 1) + body
    assert len(decode_submit_multi(longer).dest_address) == 255
