from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.pdu._generated import (
    DeliverSm,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
    SubmitSmResp,
    UnsuccessSme,
)
from smppgw.pdu.codec import encode
from smppgw.pdu.constants import CommandStatus
from smppgw.pdu.declarations import COMMANDS
from smppgw.pdu.fields import Command
from tests.cli.run import run
from tests.pdu.samples import pdu_of, sample_values

SPEC: Final = {
    command["name"]: command
    for command in json.loads((Path(__file__).parents[1] / "data/spec/commands.json").read_text("utf-8"))[
        "commands"
    ]
}
ENQUIRE_LINK: Final = "00000010000000150000000000000001"


def decoded(pdu: Any) -> dict[str, Any]:
    done = run("decode", "--json", encode(pdu).hex())
    assert (done.status, done.err) == (0, "")
    [shown] = done.objects
    return shown


def shown_as(spec: dict[str, Any], value: Any) -> Any:
    """What the contract says of a field: C-Octet Strings as text, octets as hexadecimal, numbers as they are."""
    if spec["type"] == "coctet":
        return value.decode("latin-1")
    if spec["type"] == "octet":
        return value.hex()
    if spec["type"].endswith("_list"):
        return [
            {name: part.decode("latin-1") if isinstance(part, bytes) else part for name, part in item.items()}
            for item in value
        ]
    return value


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_is_shown_with_the_fields_of_the_specification(command: Command) -> None:
    values = sample_values(command)
    shown = decoded(pdu_of(command, values))
    assert list(shown) == ["command", "command_status", "sequence_number", "fields", "tlvs"]
    assert shown["command"] == command.name
    assert (shown["command_status"], shown["sequence_number"]) == ("ESME_ROK", 7)
    spec = SPEC[command.name]["fields"]
    assert list(shown["fields"]) == [field["name"] for field in spec]
    counts = {f["length_field"]: f["name"] for f in spec if "length_field" in f}
    counts |= {f["count_field"]: f["name"] for f in spec if "count_field" in f}
    for field in spec:
        name = field["name"]
        expected = len(values[counts[name]]) if name in counts else shown_as(field, values[name])
        assert shown["fields"][name] == expected


def test_a_tlv_is_shown_by_its_kind_and_an_unknown_one_in_hexadecimal() -> None:
    tlvs = ((0x0427, b"\2"), (0x001E, b"abc\0"), (0x0423, b"\3\0\1"), (0x1401, b"zz"), (0x020C, b"\1\2"))
    assert decoded(DeliverSm(tlvs=tlvs))["tlvs"] == [
        {"tag": "0x0427", "name": "message_state", "value": 2},
        {"tag": "0x001E", "name": "receipted_message_id", "value": "abc"},
        {"tag": "0x0423", "name": "network_error_code", "value": "030001"},
        {"tag": "0x1401", "name": None, "value": "7a7a"},
        {"tag": "0x020C", "name": "sar_msg_ref_num", "value": 258},
    ]


def test_a_response_with_an_error_shows_no_fields_that_are_not_there() -> None:
    assert decoded(SubmitSmResp(command_status=CommandStatus.ESME_RTHROTTLED)) == {
        "command": "submit_sm_resp",
        "command_status": "ESME_RTHROTTLED",
        "sequence_number": 0,
        "fields": {},
        "tlvs": [],
    }


def test_an_empty_message_id_that_is_there_is_shown() -> None:
    [shown] = run("decode", "--json", "0000001180000004000000580000000100").objects
    assert shown["fields"] == {"message_id": ""}


def test_a_status_that_nobody_defined_is_its_number() -> None:
    [shown] = run("decode", "--json", "00000010800000150000040000000001").objects
    assert shown["command_status"] == "0x00000400"


@pytest.mark.parametrize(
    ("text", "command_status", "field"),
    [
        ("", "ESME_RINVCMDLEN", "command_length"),
        ("0000", "ESME_RINVCMDLEN", "command_length"),
        (ENQUIRE_LINK + "00", "ESME_RINVCMDLEN", "command_length"),
        (ENQUIRE_LINK[:-2], "ESME_RINVCMDLEN", "command_length"),
        ("00000010000001500000000000000001", "ESME_RINVCMDID", "command_id"),
        ("00000014000000040000000000000001" + "61" * 4, "ESME_RINVSERTYP", "service_type"),
        ("000000158000000400000000000000010004270002", "ESME_RINVTLVSTREAM", "message_state"),
        ("no", None, None),
        ("123", None, None),
    ],
)
def test_what_is_no_pdu_is_an_error_that_names_status_and_field(
    text: str, command_status: str | None, field: str | None
) -> None:
    done = run("decode", "--json", text)
    assert done.status == 1
    [shown] = done.objects
    assert list(shown) == ["error", "command_status", "field"]
    assert shown["error"]
    assert shown["command_status"] == command_status
    assert shown["field"] == field


@pytest.mark.parametrize(
    "text",
    [
        ENQUIRE_LINK,
        "00 00 00 10 00 00 00 15 00 00 00 00 00 00 00 01",
        "00:00:00:10:00:00:00:15:00:00:00:00:00:00:00:01",
        "0x00000010 0x00000015 0x00000000 0X00000001",
        f"  {ENQUIRE_LINK}\t",
    ],
)
def test_hexadecimal_is_read_however_it_is_written(text: str) -> None:
    [shown] = run("decode", "--json", text).objects
    assert shown["command"] == "enquire_link"


def test_stdin_gives_one_object_a_line_and_goes_on_behind_an_error() -> None:
    done = run("decode", "--json", "-", stdin=f"{ENQUIRE_LINK}\r\nxyz\n{ENQUIRE_LINK}".encode())
    assert done.status == 1
    assert ["error" in shown for shown in done.objects] == [False, True, False]


def test_for_people_numbers_have_their_meaning_and_messages_their_text() -> None:
    pdu = SubmitSm(
        source_addr_ton=1,
        esm_class=0x40,
        registered_delivery=1,
        short_message=b"\x05\x00\x03\x11\x03\x02caf\x05",
    )
    done = run("decode", encode(pdu).hex())
    assert done.status == 0
    lines = [" ".join(line.split()) for line in done.out.splitlines()]
    for expected in (
        "command_id 0x00000004 (submit_sm)",
        "command_status 0x00000000 (ESME_ROK)",
        "source_addr_ton 1 (international)",
        "esm_class 64 (default mode, message, user data header)",
        "registered_delivery 1 (receipt)",
        "concatenation part 2 of 3, reference 17",
        'text "café"',
    ):
        assert expected in lines


def test_for_people_a_list_has_its_items() -> None:
    lines = run("decode", encode(SubmitMultiResp(unsuccess_sme=[UnsuccessSme(1, 1, b"123", 11)])).hex()).out
    assert "unsuccess_sme[0]" in lines
    assert "(ESME_RINVDSTADR)" in lines


def test_for_people_a_broken_header_is_told_and_the_octets_are_read_as_text() -> None:
    done = run("decode", encode(DeliverSm(esm_class=0x40, short_message=b"zabc")).hex())
    assert done.status == 0
    assert "user data header" in done.out
    assert '"zabc"' in done.out


def test_for_people_an_error_is_one_line_with_the_line_it_stands_on() -> None:
    done = run("decode", "-", stdin=f"{ENQUIRE_LINK}\n0000\n".encode())
    assert done.status == 1
    assert done.err.count("\n") == 1
    assert done.err.startswith("smppgw: line 2: command_length")
    assert "ESME_RINVCMDLEN" in done.err


def test_a_text_cannot_write_to_the_terminal() -> None:
    done = run("decode", encode(DeliverSm(data_coding=3, short_message=b"\x1b[2J\n")).hex())
    assert "\x1b" not in done.out
    assert "\\x1b[2J\\n" in done.out


def frames(body: bytes, command: int) -> str:
    return ((16 + len(body)).to_bytes(4, "big") + command.to_bytes(4, "big") + bytes(8) + body).hex()


HEX_LINES: Final = st.one_of(
    st.binary(max_size=80).map(bytes.hex),
    st.text("0123456789abcdefx: ", max_size=60),
    st.builds(frames, st.binary(max_size=90), st.sampled_from([c.command_id for c in COMMANDS])),
    st.sampled_from(COMMANDS).map(lambda command: encode(pdu_of(command, sample_values(command))).hex()),
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(HEX_LINES, max_size=8), st.booleans())
def test_any_lines_give_as_many_objects_and_never_a_traceback(lines: list[str], for_people: bool) -> None:
    stdin = "".join(f"{line}\n" for line in lines).encode()
    done = run("decode", "-", stdin=stdin) if for_people else run("decode", "--json", "-", stdin=stdin)
    if for_people:
        assert done.status == (1 if done.err else 0)
        return
    assert len(done.objects) == len(lines)
    assert done.status == (1 if any("error" in shown for shown in done.objects) else 0)
    for shown in done.objects:
        assert list(shown) in (
            ["error", "command_status", "field"],
            ["command", "command_status", "sequence_number", "fields", "tlvs"],
        )


def test_a_list_of_addresses_is_a_list_of_objects() -> None:
    command = next(command for command in COMMANDS if command.name == "submit_multi")
    pdu = pdu_of(command, sample_values(command))
    assert isinstance(pdu, SubmitMulti)
    first, second = decoded(pdu)["fields"]["dest_address"]
    assert list(first) == ["dest_flag", "dest_addr_ton", "dest_addr_npi", "destination_addr"]
    assert list(second) == ["dest_flag", "dl_name"]
