from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from smppgw import notice
from smppgw.notice import FromHandset, Notice
from smppgw.pdu import codec
from smppgw.pdu._generated import DataSm, DeliverSm, SubmitSm
from smppgw.pdu.constants import CommandId, MessageState, TlvTag
from smppgw.pdu.tlv import make_tlv, tlv_value

STRAIGHT = b"id:0000001234 sub:001 dlvrd:001 submit date:2611221000 done date:2611221001 stat:DELIVRD err:000 text:Hi"
OURS = b"00063a1b2c3d4e5f"


def body(pdu: codec.Pdu) -> bytes:
    return codec.encode(pdu)[16:]


def deliver(text: bytes = STRAIGHT, *, esm_class: int = 4, tlvs: tuple[tuple[int, bytes], ...] = ()) -> bytes:
    return body(
        DeliverSm(
            source_addr=b"16665550100",
            destination_addr=b"12065550100",
            esm_class=esm_class,
            data_coding=3,
            short_message=text,
            tlvs=tlvs,
        )
    )


def read(octets: bytes, command_id: int = CommandId.DELIVER_SM) -> Notice:
    said = notice.read(command_id, octets)
    assert isinstance(said, Notice)
    return said


def rewritten(octets: bytes, command_id: int = CommandId.DELIVER_SM) -> DeliverSm:
    written_as, result, tlv_at = notice.rewritten(read(octets, command_id), OURS)
    assert written_as == CommandId.DELIVER_SM
    pdu = codec.decode(
        (16 + len(result)).to_bytes(4, "big") + b"\0\0\0\x05" + b"\0\0\0\0" + b"\0\0\0\x01" + result
    )
    plain = codec.decode((16 + tlv_at).to_bytes(4, "big") + b"\0\0\0\x05\0\0\0\0\0\0\0\x01" + result[:tlv_at])
    assert isinstance(pdu, DeliverSm)
    assert isinstance(plain, DeliverSm)
    assert plain.short_message == pdu.short_message
    assert plain.tlvs == ()
    return pdu


def test_a_receipt_in_the_straight_form_is_read() -> None:
    said = read(deliver())
    assert said.carrier_id == b"0000001234"
    assert said.state == MessageState.DELIVERED
    assert not said.intermediate


def test_a_straight_receipt_keeps_every_octet_but_the_id() -> None:
    pdu = rewritten(deliver())
    assert pdu.short_message == STRAIGHT.replace(b"0000001234", OURS)
    assert (pdu.source_addr, pdu.destination_addr) == (b"16665550100", b"12065550100")
    assert (pdu.esm_class, pdu.data_coding) == (4, 3)


def test_a_receipt_for_the_esme_carries_the_three_optional_parameters() -> None:
    code = make_tlv(TlvTag.NETWORK_ERROR_CODE, b"\x03\x00\x01")
    pdu = rewritten(deliver(STRAIGHT.replace(b"DELIVRD", b"UNDELIV"), tlvs=(code,)))
    assert tlv_value(pdu.tlvs, TlvTag.RECEIPTED_MESSAGE_ID) == OURS
    assert tlv_value(pdu.tlvs, TlvTag.MESSAGE_STATE) == MessageState.UNDELIVERABLE
    assert tlv_value(pdu.tlvs, TlvTag.NETWORK_ERROR_CODE) == b"\x03\x00\x01"


def test_optional_parameters_come_before_the_text() -> None:
    tlvs = (
        make_tlv(TlvTag.RECEIPTED_MESSAGE_ID, b"abc"),
        make_tlv(TlvTag.MESSAGE_STATE, MessageState.EXPIRED),
    )
    said = read(deliver(tlvs=tlvs))
    assert said.carrier_id == b"abc"
    assert said.state == MessageState.EXPIRED


def test_a_receipted_message_id_without_its_nul_is_read() -> None:
    assert read(deliver(b"", tlvs=((TlvTag.RECEIPTED_MESSAGE_ID, b"abc"),))).carrier_id == b"abc"


@pytest.mark.parametrize(
    "text",
    [
        b"id:77 submit date:261122100000 done date:261122100105 stat:UNDELIV err:11",
        b"stat:undeliv id:77 done date:2611221001",
        b"id:77 sub:001 dlvrd:000 submit date:2611221000 done date:2611221001 stat:UNDELIV err:0A1F text:",
    ],
)
def test_another_form_is_written_anew_in_the_specified_one(text: bytes) -> None:
    said = read(deliver(text))
    assert said.carrier_id == b"77"
    assert said.state == MessageState.UNDELIVERABLE
    written = rewritten(deliver(text)).short_message
    assert written.startswith(b"id:" + OURS + b" sub:001 dlvrd:000 submit date:")
    assert b" stat:UNDELIV err:" in written


def test_a_receipt_in_a_data_sm_becomes_a_deliver_sm() -> None:
    octets = body(
        DataSm(
            source_addr=b"16665550100",
            destination_addr=b"12065550100",
            esm_class=4,
            tlvs=(make_tlv(TlvTag.MESSAGE_PAYLOAD, STRAIGHT),),
        )
    )
    pdu = rewritten(octets, CommandId.DATA_SM)
    assert pdu.short_message == STRAIGHT.replace(b"0000001234", OURS)
    assert (pdu.source_addr, pdu.destination_addr, pdu.esm_class) == (b"16665550100", b"12065550100", 4)


def test_a_receipt_flagged_by_its_optional_parameter_or_its_text_alone_is_flagged_for_the_esme() -> None:
    tlvs = (make_tlv(TlvTag.RECEIPTED_MESSAGE_ID, b"abc"),)
    assert rewritten(deliver(b"", esm_class=0, tlvs=tlvs)).esm_class == 4
    assert rewritten(deliver(esm_class=0)).esm_class == 4


def test_an_intermediate_notification_is_told_from_a_receipt() -> None:
    assert read(deliver(esm_class=0x20)).intermediate
    assert read(deliver(STRAIGHT.replace(b"DELIVRD", b"ENROUTE"))).intermediate


def test_broken_optional_parameters_of_a_carrier_are_taken_as_absent() -> None:
    assert read(deliver() + b"\x00\x1e\x00\x40ab").carrier_id == b"0000001234"


@pytest.mark.parametrize("tlvs", [0, 2, 3])
@pytest.mark.parametrize(
    "text",
    [
        STRAIGHT,
        STRAIGHT.replace(b"DELIVRD", b"UNDELIV"),
        STRAIGHT.replace(b"DELIVRD", b"ENROUTE"),
        STRAIGHT.replace(b"DELIVRD", b"ODDWORD"),
        STRAIGHT[:-5],
        STRAIGHT + b"\0",
        STRAIGHT + b"\0 more",
    ],
)
@pytest.mark.parametrize("esm_class", [0, 4, 0x20, 0x44])
def test_the_quick_look_says_what_the_long_one_says(text: bytes, tlvs: int, esm_class: int) -> None:
    parameters = (
        make_tlv(TlvTag.RECEIPTED_MESSAGE_ID, b"abc"),
        make_tlv(TlvTag.MESSAGE_STATE, MessageState.EXPIRED),
        make_tlv(TlvTag.NETWORK_ERROR_CODE, b"\x03\x00\x01"),
    )
    octets = deliver(text, esm_class=esm_class, tlvs=parameters[:tlvs])
    assert notice.read(CommandId.DELIVER_SM, octets) == notice.read_any(CommandId.DELIVER_SM, octets)
    for at in range(0, len(octets), 3):
        broken = bytearray(octets)
        broken[at] ^= 0x11
        for cut in (bytes(broken), bytes(broken[:-1])):
            assert notice.read(CommandId.DELIVER_SM, cut) == notice.read_any(CommandId.DELIVER_SM, cut)


def test_an_unknown_message_state_is_unknown() -> None:
    tlvs = ((int(TlvTag.MESSAGE_STATE), b"\x63"),)
    assert read(deliver(tlvs=tlvs)).state == MessageState.UNKNOWN
    assert read(deliver(b"no receipt at all")).state == MessageState.UNKNOWN


def test_a_message_of_a_handset_is_no_receipt() -> None:
    octets = deliver(b"id like to cancel stat", esm_class=0)
    said = notice.read(CommandId.DELIVER_SM, octets)
    assert isinstance(said, FromHandset)
    assert said.destination == b"12065550100"
    assert octets[said.tlv_at :] == b""


@pytest.mark.parametrize("command_id", [CommandId.DELIVER_SM, CommandId.DATA_SM])
def test_what_cannot_be_read_is_said_to_be_so(command_id: int) -> None:
    assert notice.read(command_id, b"CMT\0\x01") is None
    assert notice.read(CommandId.DELIVER_SM, deliver()[:-3]) is None


@pytest.mark.parametrize(
    ("asked", "delivered", "failed", "intermediate"),
    [(0, False, False, False), (1, True, True, False), (2, False, True, False), (3, True, False, False)],
)
def test_an_esme_is_told_what_it_asked_for(
    asked: int, delivered: bool, failed: bool, intermediate: bool
) -> None:
    assert notice.wanted(asked, MessageState.DELIVERED, intermediate=False) is delivered
    assert notice.wanted(asked, MessageState.EXPIRED, intermediate=False) is failed
    assert notice.wanted(asked, MessageState.ENROUTE, intermediate=True) is intermediate
    assert notice.wanted(asked | 0x10, MessageState.ENROUTE, intermediate=True)


@pytest.mark.parametrize("command_id", [CommandId.SUBMIT_SM, CommandId.DATA_SM])
def test_our_own_receipt_has_its_addresses_swapped(command_id: int) -> None:
    kind = SubmitSm if command_id == CommandId.SUBMIT_SM else DataSm
    message = body(
        kind(
            service_type=b"CMT",
            source_addr_ton=1,
            source_addr_npi=1,
            source_addr=b"12065550100",
            dest_addr_ton=2,
            dest_addr_npi=8,
            destination_addr=b"16665550100",
        )
    )
    now = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
    written_as, result, _ = notice.own(command_id, OURS, message, MessageState.UNDELIVERABLE, b"00B", now)
    assert written_as == CommandId.DELIVER_SM
    pdu = codec.decode((16 + len(result)).to_bytes(4, "big") + b"\0\0\0\x05\0\0\0\0\0\0\0\x01" + result)
    assert isinstance(pdu, DeliverSm)
    assert pdu.service_type == b"CMT"
    assert (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr) == (2, 8, b"16665550100")
    assert (pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr) == (1, 1, b"12065550100")
    assert pdu.esm_class == 4
    assert pdu.short_message == (
        b"id:" + OURS + b" sub:001 dlvrd:000 submit date:2611221000 done date:2611221000"
        b" stat:UNDELIV err:00B text:"
    )


LONG = b"a" * 64
"""An address that a data_sm can carry, and a deliver_sm cannot."""


def data(text: bytes = STRAIGHT, **fields: Any) -> bytes:
    usual: dict[str, Any] = {
        "source_addr": b"16665550100",
        "destination_addr": b"12065550100",
        "esm_class": 4,
        "data_coding": 3,
        "tlvs": (make_tlv(TlvTag.MESSAGE_PAYLOAD, text),),
    }
    return body(DataSm(**{**usual, **fields}))


def decoded(command_id: int, octets: bytes) -> Any:
    header = (16 + len(octets)).to_bytes(4, "big") + command_id.to_bytes(4, "big") + b"\0\0\0\0\0\0\0\x01"
    return codec.decode(header + octets)


@pytest.mark.parametrize("fields", [{"source_addr": LONG}, {"destination_addr": LONG}])
def test_a_receipt_whose_addresses_fit_no_deliver_sm_stays_a_data_sm(fields: dict[str, bytes]) -> None:
    command_id, result, tlv_at = notice.rewritten(read(data(**fields), CommandId.DATA_SM), OURS)
    assert command_id == CommandId.DATA_SM
    pdu = decoded(command_id, result)
    for name, value in fields.items():
        assert getattr(pdu, name) == value
    assert (pdu.esm_class, pdu.data_coding) == (4, 3)
    assert tlv_value(pdu.tlvs, TlvTag.MESSAGE_PAYLOAD) == STRAIGHT.replace(b"0000001234", OURS)
    assert tlv_value(pdu.tlvs, TlvTag.RECEIPTED_MESSAGE_ID) == OURS
    assert decoded(command_id, result[:tlv_at]).tlvs == ()
    assert read(data(esm_class=0, **fields), CommandId.DATA_SM) == read(data(**fields), CommandId.DATA_SM)


def test_our_own_receipt_for_a_long_address_is_a_data_sm() -> None:
    now = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
    message = data(b"Hi", source_addr=b"12065550100", destination_addr=LONG, esm_class=0)
    command_id, result, tlv_at = notice.own(
        CommandId.DATA_SM, OURS, message, MessageState.UNDELIVERABLE, b"00B", now
    )
    pdu = decoded(command_id, result)
    assert isinstance(pdu, DataSm)
    assert (pdu.source_addr, pdu.destination_addr, pdu.esm_class) == (LONG, b"12065550100", 4)
    text = tlv_value(pdu.tlvs, TlvTag.MESSAGE_PAYLOAD)
    assert isinstance(text, bytes)
    assert text.startswith(b"id:" + OURS + b" sub:001")
    assert decoded(command_id, result[:tlv_at]).tlvs == ()


def plain(command_id: int, octets: bytes) -> Any:
    said = notice.read_any(command_id, octets)
    tlv_at = said.tlv_at if isinstance(said, FromHandset) else len(octets)
    result = notice.plain(command_id, octets, tlv_at)
    return None if result is None else decoded(CommandId.DELIVER_SM, result)


def test_a_plain_deliver_sm_keeps_its_text_and_loses_its_optional_parameters() -> None:
    octets = deliver(b"Hi", esm_class=0)
    assert notice.plain(CommandId.DELIVER_SM, octets, len(octets)) == octets
    pdu = plain(
        CommandId.DELIVER_SM,
        deliver(b"Hi", esm_class=0, tlvs=(make_tlv(TlvTag.USER_MESSAGE_REFERENCE, 7),)),
    )
    assert (pdu.short_message, pdu.tlvs) == (b"Hi", ())


def test_a_plain_data_sm_is_a_deliver_sm() -> None:
    pdu = plain(CommandId.DATA_SM, data(b"Hi", esm_class=0x40))
    assert (pdu.short_message, pdu.tlvs) == (b"Hi", ())
    assert (pdu.source_addr, pdu.destination_addr) == (b"16665550100", b"12065550100")
    assert (pdu.esm_class, pdu.data_coding) == (0x40, 3)
    assert plain(CommandId.DATA_SM, data(esm_class=0, tlvs=())).short_message == b""


def test_a_payload_becomes_a_plain_text_as_long_as_it_fits() -> None:
    for length in (1, 254, 255):
        text = b"x" * length
        payload = (make_tlv(TlvTag.MESSAGE_PAYLOAD, text),)
        for pdu in (
            plain(CommandId.DELIVER_SM, deliver(b"", esm_class=0, tlvs=payload)),
            plain(CommandId.DATA_SM, data(text, esm_class=0)),
        ):
            assert pdu is None if length > 254 else pdu.short_message == text


def test_what_cannot_be_told_plainly_without_loss_is_not_told() -> None:
    payload = (make_tlv(TlvTag.MESSAGE_PAYLOAD, b"more"),)
    assert plain(CommandId.DELIVER_SM, deliver(b"Hi", esm_class=0, tlvs=payload)) is None
    assert plain(CommandId.DATA_SM, data(b"Hi", esm_class=0, source_addr=LONG)) is None
