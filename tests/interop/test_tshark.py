"""Wireshark's dissector, an independent reader, finds every PDU we encode well-formed, and the same values in it."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from smppgw.pdu import _generated as g
from smppgw.pdu.codec import encode
from smppgw.pdu.constants import TlvTag as T
from smppgw.pdu.declarations import COMMANDS
from smppgw.pdu.tlv import TLVS, make_tlv
from tests.pdu.samples import command_named, pdu_of, sample_values

TSHARK: Final = shutil.which("tshark")
pytestmark = pytest.mark.skipif(TSHARK is None, reason="tshark, the independent dissector, is not installed")

NOT_DISSECTED: Final[Mapping[int, str]] = {
    T.BROADCAST_REP_NUM: "tshark 4.0 steps over one of its two octets, then reports a malformed packet",
}
"""Sent to no dissector: a fault of its own, with the reason."""

PCAP_HEADER: Final = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 0x40000, 101)
"""Link type 101: packets begin with their IP header."""


def capture(pdus: Sequence[bytes]) -> bytes:
    """A capture file with each PDU in a TCP segment of its own, port 2775 to port 2775."""
    out = [PCAP_HEADER]
    sequence = 1
    for octets in pdus:
        tcp = struct.pack(">HHIIBBHHH", 2775, 2775, sequence, 1, 5 << 4, 0x18, 65535, 0, 0)
        total = 20 + len(tcp) + len(octets)
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, total, 1, 0, 64, 6, 0, b"\x7f\0\0\1", b"\x7f\0\0\1")
        packet = ip + tcp + octets
        out.append(struct.pack("<IIII", sequence, 0, len(packet), len(packet)) + packet)
        sequence += len(octets)
    return b"".join(out)


def dissected(directory: Path, pdus: Sequence[bytes], *fields: str) -> list[dict[str, str]]:
    """What tshark says of each PDU, by field."""
    path = directory / "smpp.pcap"
    path.write_bytes(capture(pdus))
    assert TSHARK is not None
    wanted = ("smpp.command_id", "_ws.malformed", "_ws.expert.message", *fields)
    command = [TSHARK, "-r", str(path), "-d", "tcp.port==2775,smpp"]
    command += ["-T", "fields", "-E", "separator=|", *(part for field in wanted for part in ("-e", field))]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    rows = [dict(zip(wanted, line.split("|"), strict=True)) for line in done.stdout.splitlines()]
    assert len(rows) == len(pdus)
    return rows


def is_well_formed(row: Mapping[str, str]) -> bool:
    return not row["_ws.malformed"] and "alformed" not in row["_ws.expert.message"]


def tlv_value_of(tag: int) -> Any:
    """A value of this TLV that a dissector can make sense of."""
    known = TLVS[tag]
    if known.kind == "int":
        return 1
    if tag in (T.SOURCE_NETWORK_ID, T.DEST_NETWORK_ID):
        return b"1310410"
    if tag == T.BROADCAST_END_TIME:
        return b"261122100000000+"
    size = max(known.min, 1) if not known.sent else known.sent[0]
    return b"1" * (3 if known.kind == "coctet" else size)


def test_every_command_is_well_formed_and_known_by_its_command_id(tmp_path: Path) -> None:
    pdus = [encode(pdu_of(command, sample_values(command))) for command in COMMANDS]
    rows = dissected(tmp_path, pdus)
    assert [
        command.name for command, row in zip(COMMANDS, rows, strict=True) if not is_well_formed(row)
    ] == []
    assert [int(row["smpp.command_id"], 16) for row in rows] == [command.command_id for command in COMMANDS]


def test_every_error_response_is_well_formed_without_a_body(tmp_path: Path) -> None:
    responses = [g.CLASS_BY_ID[c.command_id]() for c in COMMANDS if c.name.endswith("_resp")]
    for response in responses:
        response.command_status = 8
    rows = dissected(tmp_path, [encode(response) for response in responses], "smpp.command_status")
    assert all(is_well_formed(row) and int(row["smpp.command_status"], 16) == 8 for row in rows)


@pytest.mark.parametrize("name", ["submit_sm", "deliver_sm", "data_sm", "broadcast_sm"])
def test_every_tlv_is_well_formed(tmp_path: Path, name: str) -> None:
    tags = [tag for tag in TLVS if tag not in NOT_DISSECTED]
    command = command_named[name]
    pdus = [
        encode(pdu_of(command, sample_values(command, tlvs=[make_tlv(tag, tlv_value_of(tag))])))
        for tag in tags
    ]
    rows = dissected(tmp_path, pdus, "smpp.opt_param_tag")
    assert [TLVS[tag].name for tag, row in zip(tags, rows, strict=True) if not is_well_formed(row)] == []
    assert [int(row["smpp.opt_param_tag"], 16) for row in rows] == tags


def test_the_dissector_reads_the_values_we_wrote(tmp_path: Path) -> None:
    pdu = g.SubmitSm(
        service_type=b"CMT",
        source_addr_ton=1,
        source_addr_npi=8,
        source_addr=b"12065550100",
        dest_addr_ton=2,
        dest_addr_npi=6,
        destination_addr=b"12065550199",
        protocol_id=9,
        priority_flag=3,
        replace_if_present_flag=1,
        data_coding=8,
        sm_default_msg_id=5,
        short_message=b"\0h\0i",
        tlvs=[make_tlv(T.SAR_MSG_REF_NUM, 513), make_tlv(T.SAR_TOTAL_SEGMENTS, 3)],
        sequence_number=0x01020304,
    )
    expected = {
        "smpp.command_length": len(encode(pdu)),
        "smpp.sequence_number": 0x01020304,
        "smpp.service_type": "CMT",
        "smpp.source_addr_ton": 1,
        "smpp.source_addr_npi": 8,
        "smpp.source_addr": "12065550100",
        "smpp.dest_addr_ton": 2,
        "smpp.dest_addr_npi": 6,
        "smpp.destination_addr": "12065550199",
        "smpp.protocol_id": 9,
        "smpp.priority_flag": 3,
        "smpp.replace_if_present_flag": 1,
        "smpp.data_coding": 8,
        "smpp.sm_default_msg_id": 5,
        "smpp.sm_length": 4,
        "smpp.message_text": "hi",
        "smpp.sar_msg_ref_num": 513,
        "smpp.sar_total_segments": 3,
    }
    (row,) = dissected(tmp_path, [encode(pdu)], *expected)
    assert is_well_formed(row)
    read = {
        name: int(row[name], 0) if isinstance(value, int) else row[name] for name, value in expected.items()
    }
    assert read == expected


def test_the_dissector_reads_the_destinations_of_a_submit_multi(tmp_path: Path) -> None:
    pdu = g.SubmitMulti(
        dest_address=[g.SmeAddress(1, 1, b"12065550101"), g.DistributionList(b"friends")],
        short_message=b"hi",
    )
    (row,) = dissected(tmp_path, [encode(pdu)], "smpp.destination_addr", "smpp.dl_name")
    assert (row["smpp.destination_addr"], row["smpp.dl_name"]) == ("12065550101", "friends")


def test_a_pdu_cut_short_is_found_malformed(tmp_path: Path) -> None:
    """The measure can fail."""
    body = encode(g.SubmitSm(short_message=b"hello"))[16:-8]
    (row,) = dissected(tmp_path, [struct.pack(">IIII", 16 + len(body), 4, 0, 1) + body])
    assert not is_well_formed(row)
