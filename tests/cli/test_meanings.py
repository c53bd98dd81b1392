from __future__ import annotations

import pytest

from smppgw.cli.meanings import meaning_of


@pytest.mark.parametrize(
    ("field", "value", "meaning"),
    [
        ("source_addr_ton", 5, "alphanumeric"),
        ("dest_addr_npi", 1, "isdn_e163_e164"),
        ("dest_addr_npi", 2, "reserved"),
        ("interface_version", 0x34, "SMPP 3.4"),
        ("interface_version", 0x10, "SMPP 3.3 or older"),
        ("sc_interface_version", 0x77, "reserved"),
        ("esm_class", 0x04, "default mode, delivery receipt"),
        ("esm_class", 0xC3, "store and forward, message, user data header, reply path"),
        ("esm_class", 0x14, "default mode, reserved type"),
        ("registered_delivery", 0x11, "receipt, intermediate notification"),
        ("registered_delivery", 0x04, "no receipt, acknowledgement of the handset"),
        ("data_coding", 8, "ucs_2, read as utf-16-be"),
        ("data_coding", 0xF5, "read as latin-1"),
        ("message_state", 2, "delivered"),
        ("error_status_code", 11, "ESME_RINVDSTADR"),
        ("delivery_failure_reason", 1, "destination address invalid"),
        ("delivery_failure_reason", 9, "reserved"),
        ("protocol_id", 1, ""),
    ],
)
def test_a_number_has_its_meaning(field: str, value: int, meaning: str) -> None:
    assert meaning_of(field, value) == meaning
