from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from smppgw.library.address import Address
from smppgw.library.message import compose, time_octets
from smppgw.pdu.constants import EsmClass
from smppgw.pdu.errors import EncodeError
from smppgw.pdu.text import decode_text
from smppgw.pdu.udh import parse_udh


def test_a_short_text_is_one_message_that_asks_for_a_receipt() -> None:
    (pdu,) = compose("12345", "+12065550199", "Hi", priority=2, service_type="CMT")
    assert (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr) == (3, 0, b"12345")
    assert (pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr) == (1, 1, b"12065550199")
    assert (pdu.short_message, pdu.data_coding, pdu.esm_class) == (b"Hi", 0, 0)
    assert (pdu.registered_delivery, pdu.priority_flag, pdu.service_type) == (1, 2, b"CMT")


def test_no_receipt_is_asked_for_where_none_is_wanted() -> None:
    (pdu,) = compose("12345", "12345", "Hi", receipt=False)
    assert pdu.registered_delivery == 0


def test_a_long_text_is_parts_with_one_reference_that_give_the_text_again() -> None:
    text = "诊所明天关闭" * 20
    parts = compose("12345", "+12065550199", text, reference=7)
    assert {pdu.esm_class for pdu in parts} == {EsmClass.UDHI}
    headers = [parse_udh(pdu.short_message) for pdu in parts]
    assert [header.concatenation for header in headers] == [(7, len(parts), n + 1) for n in range(len(parts))]
    bodies = (pdu.short_message[header.octets :] for pdu, header in zip(parts, headers, strict=True))
    assert "".join(decode_text(body, 8) for body in bodies) == text


def test_an_address_of_one_s_own_goes_as_it_is() -> None:
    (pdu,) = compose(Address(6, 9, b"99"), "12345", "Hi")
    assert (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr) == (6, 9, b"99")


def test_times_are_spans_or_moments() -> None:
    assert time_octets(None) == b""
    assert time_octets(timedelta(hours=2)) == b"000000020000000R"
    assert time_octets(datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)) == b"300102030405000+"
    (pdu,) = compose("1", "2", "Hi", validity=timedelta(hours=2), schedule=timedelta(hours=1))
    assert pdu.validity_period == b"000000020000000R"
    assert pdu.schedule_delivery_time == b"000000010000000R"


def test_a_data_coding_that_cannot_carry_the_text_is_refused() -> None:
    with pytest.raises(EncodeError):
        compose("1", "2", "诊所", data_coding=0)
