from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.pdu import codec, peek
from smppgw.pdu._generated import DataSm, DeliverSm, SubmitSm
from smppgw.pdu.errors import PduError

octet = st.integers(0, 255)


def text(most: int) -> st.SearchStrategy[bytes]:
    return st.binary(max_size=most).map(lambda value: value.replace(b"\0", b"x"))


time = st.sampled_from([b"", b"261122100000000+"])
short = {
    "service_type": text(5),
    "source_addr_ton": octet,
    "source_addr_npi": octet,
    "source_addr": text(20),
    "dest_addr_ton": octet,
    "dest_addr_npi": octet,
    "destination_addr": text(20),
    "esm_class": octet,
    "protocol_id": octet,
    "priority_flag": octet,
    "schedule_delivery_time": time,
    "validity_period": time,
    "registered_delivery": octet,
    "replace_if_present_flag": octet,
    "data_coding": octet,
    "sm_default_msg_id": octet,
    "short_message": st.binary(max_size=254),
}
data = {
    name: short[name]
    for name in ("service_type", "source_addr_ton", "dest_addr_npi", "esm_class", "registered_delivery")
} | {"source_addr": text(64), "destination_addr": text(64), "data_coding": octet}


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.sampled_from([SubmitSm, DeliverSm]), st.fixed_dictionaries(short))
def test_what_is_peeked_is_what_is_decoded(kind: type, fields: dict[str, object]) -> None:
    pdu = kind(**fields)
    octets = codec.encode(pdu)
    match = peek.SHORT_MESSAGE.match(octets, 16)
    assert match is not None
    source, destination, flags, schedule, validity, tail = match.groups()
    assert (source, destination) == (pdu.source_addr, pdu.destination_addr)
    assert tuple(flags) == (pdu.esm_class, pdu.protocol_id, pdu.priority_flag)
    assert (schedule, validity) == (pdu.schedule_delivery_time, pdu.validity_period)
    assert tuple(tail) == (
        pdu.registered_delivery,
        pdu.replace_if_present_flag,
        pdu.data_coding,
        pdu.sm_default_msg_id,
        len(pdu.short_message),
    )
    assert octets[match.end() :] == pdu.short_message


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.fixed_dictionaries(data))
def test_a_data_sm_is_peeked_alike(fields: dict[str, object]) -> None:
    pdu = DataSm(**fields)  # type: ignore[arg-type]
    octets = codec.encode(pdu)
    match = peek.DATA.match(octets, 16)
    assert match is not None
    assert match[1] == pdu.source_addr
    assert match[2] == pdu.destination_addr
    assert (match[3][0], match[4][0], match[5][0]) == (
        pdu.esm_class,
        pdu.registered_delivery,
        pdu.data_coding,
    )
    assert match.end() == len(octets)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.fixed_dictionaries(short), st.data())
def test_what_the_codec_refuses_of_the_mandatory_fields_is_not_peeked(
    fields: dict[str, object], choose: st.DataObject
) -> None:
    octets = bytearray(codec.encode(SubmitSm(**fields)))  # type: ignore[arg-type]
    at = choose.draw(st.integers(16, len(octets) - 1))
    octets[at] = choose.draw(octet)
    octets = octets[: choose.draw(st.integers(at, len(octets)))]
    octets[:4] = len(octets).to_bytes(4, "big")
    match = peek.SHORT_MESSAGE.match(octets, 16)
    whole = match is not None and match.end() + match[6][4] == len(octets)
    try:
        pdu = codec.decode(bytes(octets))
    except PduError:
        assert not whole
    else:
        assert match is not None
        assert isinstance(pdu, SubmitSm)
        assert match[2] == pdu.destination_addr


def test_a_string_without_its_nul_ends_with_the_octets() -> None:
    assert peek.c_octets_at(b"..abc\0rest", 2) == b"abc"
    assert peek.c_octets_at(b"..abc", 2) == b"abc"
    assert peek.c_octets_at(b"..", 2) == b""


def plain_by_the_regular_expression(octets: bytes) -> tuple[int, int, int] | None:
    match = peek.SHORT_MESSAGE.match(octets, 16)
    if match is None or not match[2] or match[4] or match[5] or match[6][1]:
        return None
    if match.end() + match[6][4] != len(octets):
        return None
    return octets.index(0, 16), match.end(1), match.end(2)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.fixed_dictionaries({**short, "replace_if_present_flag": st.sampled_from([0, 0, 1])}),
    st.lists(st.tuples(st.integers(16, 120), octet), max_size=3),
    st.integers(0, 12),
)
def test_the_ends_of_a_plain_submit_sm_are_those_that_the_regular_expression_finds(
    fields: dict[str, object], mutations: list[tuple[int, int]], cut: int
) -> None:
    octets = bytearray(codec.encode(SubmitSm(**fields)))
    assert peek.plain_ends(bytes(octets)) == plain_by_the_regular_expression(bytes(octets))
    for at, value in mutations:
        octets[min(at, len(octets) - 1)] = value
    for frame in (bytes(octets), bytes(octets[: len(octets) - cut]), bytes(octets[: 16 + cut])):
        assert peek.plain_ends(frame) == plain_by_the_regular_expression(frame)
