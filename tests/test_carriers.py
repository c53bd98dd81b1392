from __future__ import annotations

import pytest

from smppgw.carriers import Carrier
from smppgw.settings import CarrierSettings, MessageIdFormat


def a_carrier(message_id: MessageIdFormat) -> Carrier:
    settings = CarrierSettings("a", "127.0.0.1", "smppgw", "secret", message_id=message_id)
    return Carrier(settings, now_ns=0, burst_seconds=0.05)


@pytest.mark.parametrize(
    ("message_id", "response", "receipt"),
    [("hex", b"00AF", b"af"), ("hex-dec", b"AF", b"0000000175"), ("text", b"0aF", b"0aF")],
)
def test_a_carrier_reads_ids_as_its_settings_say(
    message_id: MessageIdFormat, response: bytes, receipt: bytes
) -> None:
    ids = a_carrier(message_id).ids
    assert ids.response(response) == ids.receipt(receipt)


def test_a_carrier_learns_by_itself_what_its_settings_leave_open() -> None:
    one, other = a_carrier("auto"), a_carrier("auto")
    for number in range(9999, 10002):
        one.ids.found(b"%d" % number, b"%x" % number)
    assert one.ids.receipt(b"10000") == b"2710"
    assert other.ids.receipt(b"10000") == b"10000"
