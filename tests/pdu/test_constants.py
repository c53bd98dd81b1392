"""The numbers are those of the specification as data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from smppgw.pdu import constants as c

SPEC = Path(__file__).parents[1] / "data" / "spec"


def spec(name: str) -> Any:
    return json.loads((SPEC / f"{name}.json").read_text(encoding="utf-8"))


ENUMS = spec("enums")


def test_command_ids_are_the_specification_s() -> None:
    commands = {
        entry["name"].upper(): entry["id_int"]
        for entry in spec("commands")["commands"]
        if entry["versions"] != ["3.3"]
    }
    assert {command.name: command.value for command in c.CommandId} == commands


def test_command_statuses_are_the_specification_s() -> None:
    statuses = {entry["name"]: entry["code_int"] for entry in spec("statuses")["statuses"]}
    assert {status.name: status.value for status in c.CommandStatus} == statuses


def test_tlv_tags_are_the_specification_s() -> None:
    tags = {entry["name"].upper(): entry["tag_int"] for entry in spec("tlvs")["tlvs"]}
    assert {tag.name: tag.value for tag in c.TlvTag} == tags


@pytest.mark.parametrize(
    ("enum", "name"),
    [(c.Ton, "ton"), (c.Npi, "npi"), (c.MessageState, "message_state")],
)
def test_coded_fields_have_the_specification_s_values(enum: Any, name: str) -> None:
    assert {member.name.lower(): member.value for member in enum} == {
        entry["name"].lower(): entry["value"] for entry in ENUMS[name]
    }


@pytest.mark.parametrize(
    ("enum", "name"),
    [(c.InterfaceVersion, "interface_version"), (c.DestFlag, "dest_flag")],
)
def test_coded_fields_hold_the_specification_s_values(enum: Any, name: str) -> None:
    assert {int(member) for member in enum} == {entry["value"] for entry in ENUMS[name]}


def test_data_codings_are_values_of_the_specification() -> None:
    assert {int(member) for member in c.DataCoding} <= {entry["value"] for entry in ENUMS["data_coding"]}


def test_the_bits_of_esm_class_are_the_specification_s() -> None:
    masks = ENUMS["esm_class"]["masks"]
    assert int(masks["mode"], 16) == c.EsmClass.MODE_MASK
    assert int(masks["type"], 16) == c.EsmClass.TYPE_MASK
    assert int(masks["features"], 16) == c.EsmClass.UDHI | c.EsmClass.REPLY_PATH
    types = {entry["value"] for entry in ENUMS["esm_class"]["type_to_esme"]}
    assert {c.EsmClass.DELIVERY_RECEIPT, c.EsmClass.INTERMEDIATE_NOTIFICATION} <= types


def test_the_bits_of_registered_delivery_are_the_specification_s() -> None:
    masks = ENUMS["registered_delivery"]["masks"]
    assert int(masks["receipt"], 16) == c.RegisteredDelivery.RECEIPT_MASK
    assert int(masks["sme_ack"], 16) == c.RegisteredDelivery.SME_ACK_MASK
    assert int(masks["intermediate"], 16) == c.RegisteredDelivery.INTERMEDIATE


def test_a_response_is_its_request_with_the_top_bit() -> None:
    for command in c.CommandId:
        if command.name.endswith("_RESP"):
            assert command == c.CommandId[command.name.removesuffix("_RESP")] | c.RESPONSE_BIT


def test_names_are_the_specification_s_and_unknown_numbers_are_told_in_hexadecimal() -> None:
    assert c.command_name(0x4) == "submit_sm"
    assert c.command_name(0x22) == "0x00000022"
    assert c.status_name(0x58) == "ESME_RTHROTTLED"
    assert c.status_name(0x400) == "0x00000400"
