from __future__ import annotations

import pytest

from smppgw.library.address import Address
from smppgw.pdu.constants import Npi, Ton
from smppgw.pdu.errors import EncodeError


@pytest.mark.parametrize(
    ("text", "ton", "npi", "addr"),
    [
        ("+12065550100", Ton.INTERNATIONAL, Npi.ISDN_E163_E164, b"12065550100"),
        ("12065550100", Ton.INTERNATIONAL, Npi.ISDN_E163_E164, b"12065550100"),
        ("+491711", Ton.INTERNATIONAL, Npi.ISDN_E163_E164, b"491711"),
        ("2065550100", Ton.UNKNOWN, Npi.ISDN_E163_E164, b"2065550100"),
        ("12345", Ton.NETWORK_SPECIFIC, Npi.UNKNOWN, b"12345"),
        ("Clinic 24", Ton.ALPHANUMERIC, Npi.UNKNOWN, b"Clinic 24"),
        ("Café", Ton.ALPHANUMERIC, Npi.UNKNOWN, b"Caf\xe9"),
        ("+1-206", Ton.ALPHANUMERIC, Npi.UNKNOWN, b"+1-206"),
    ],
)
def test_an_address_says_what_kind_of_number_it_is(text: str, ton: int, npi: int, addr: bytes) -> None:
    assert Address.of(text) == (ton, npi, addr)


@pytest.mark.parametrize("text", ["", "+", "诊所"])
def test_what_no_pdu_can_carry_is_refused(text: str) -> None:
    with pytest.raises(EncodeError):
        Address.of(text)
