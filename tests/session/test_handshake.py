"""The version that two sides agree on, and what a bind response says of it."""

from __future__ import annotations

from typing import Any

import pytest

from smppgw.pdu import codec
from smppgw.pdu.constants import TlvTag
from smppgw.pdu.errors import EncodeError
from smppgw.session.handshake import accepting, told
from tests.session.support import C, bind_pdu, header, pdu


def response_to(interface_version: int, ours: int) -> tuple[Any, int]:
    octets, version = accepting(
        codec.decode(bind_pdu(sequence_number=0xFFFFFFF0, interface_version=interface_version)), b"smsc", ours
    )
    return codec.decode(octets), version


@pytest.mark.parametrize(
    ("theirs", "ours", "version"),
    [(0x34, 0x34, 0x34), (0x34, 0x50, 0x34), (0x40, 0x50, 0x34), (0x50, 0x34, 0x34), (0x51, 0x50, 0x50)],
)
def test_a_peer_of_3_4_or_later_is_told_the_version_both_speak(theirs: int, ours: int, version: int) -> None:
    response, agreed = response_to(theirs, ours)
    assert agreed == version
    assert response.tlvs == ((TlvTag.SC_INTERFACE_VERSION, bytes([version])),)


@pytest.mark.parametrize("theirs", [0x00, 0x03, 0x33])
def test_an_older_peer_gets_no_tlv(theirs: int) -> None:
    response, agreed = response_to(theirs, 0x50)
    assert agreed == 0x33
    assert response.tlvs == ()


def test_the_response_is_that_of_the_bind_and_echoes_its_number() -> None:
    response, _ = response_to(0x34, 0x34)
    assert (response.command_id, response.sequence_number) == (C.BIND_TRANSCEIVER_RESP, 0xFFFFFFF0)
    assert (response.command_status, response.system_id) == (0, b"smsc")


def test_a_name_that_does_not_fit_is_our_own_error() -> None:
    with pytest.raises(EncodeError):
        accepting(codec.decode(bind_pdu()), b"a name of 16 oct", 0x34)


VERSION_TLV = TlvTag.SC_INTERFACE_VERSION


@pytest.mark.parametrize(
    ("response", "ours", "expected"),
    [
        (pdu(C.BIND_RECEIVER_RESP, system_id=b"s", tlvs=((VERSION_TLV, b"\x34"),)), 0x50, (b"s", 0x34)),
        (pdu(C.BIND_RECEIVER_RESP, system_id=b"s", tlvs=((VERSION_TLV, b"\x50"),)), 0x50, (b"s", 0x50)),
        (pdu(C.BIND_RECEIVER_RESP, system_id=b"s", tlvs=((VERSION_TLV, b"\x51"),)), 0x34, (b"s", 0x34)),
        (pdu(C.BIND_RECEIVER_RESP, system_id=b"s", tlvs=((VERSION_TLV, b"\x33"),)), 0x34, (b"s", 0x33)),
        (pdu(C.BIND_RECEIVER_RESP, system_id=b"s"), 0x34, (b"s", 0x34)),
        (pdu(C.BIND_RECEIVER_RESP, system_id=b"s"), 0x33, (b"s", 0x33)),
        (header(C.BIND_RECEIVER_RESP), 0x34, (b"", 0x34)),
        (header(C.BIND_RECEIVER_RESP, body=b"no NUL at all"), 0x34, (b"", 0x34)),
        (header(C.BIND_RECEIVER_RESP, body=b"s\0\x02\x10\0\2ab"), 0x50, (b"", 0x50)),
    ],
    ids=["3.4", "5.0", "newer", "3.3", "not told", "not told to 3.3", "no body", "odd body", "odd version"],
)
def test_a_bind_response_binds_whatever_its_body(
    response: bytes, ours: int, expected: tuple[bytes, int]
) -> None:
    assert told(response, ours) == expected
