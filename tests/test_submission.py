from __future__ import annotations

from datetime import UTC, datetime

import pytest

from smppgw import submission
from smppgw.pdu import codec
from smppgw.pdu._generated import DataSm, DistributionList, SmeAddress, SubmitMulti, SubmitSm
from smppgw.pdu.constants import CommandStatus, TlvTag
from smppgw.pdu.tlv import make_tlv
from smppgw.submission import Refusal

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("pdu", "status"),
    [
        (SubmitSm(), CommandStatus.ESME_RINVDSTADR),
        (DataSm(), CommandStatus.ESME_RINVDSTADR),
        (
            SubmitSm(destination_addr=b"1", schedule_delivery_time=b"261331100000000+"),
            CommandStatus.ESME_RINVSCHED,
        ),
        (SubmitSm(destination_addr=b"1", validity_period=b"261122100000000Z"), CommandStatus.ESME_RINVEXPIRY),
        (SubmitSm(destination_addr=b"1", validity_period=b"261122095900000+"), CommandStatus.ESME_RINVEXPIRY),
        (
            SubmitSm(
                destination_addr=b"1",
                schedule_delivery_time=b"261122120000000+",
                validity_period=b"000000010000000R",
            ),
            CommandStatus.ESME_RINVEXPIRY,
        ),
        (SubmitSm(destination_addr=b"1", replace_if_present_flag=1), CommandStatus.ESME_RINVSUBREP),
        (SubmitSm(destination_addr=b"1", replace_if_present_flag=2), CommandStatus.ESME_RINVREPFLAG),
        (
            SubmitSm(
                destination_addr=b"1",
                short_message=b"both",
                tlvs=(make_tlv(TlvTag.MESSAGE_PAYLOAD, b"bodies"),),
            ),
            CommandStatus.ESME_RINVMSGLEN,
        ),
    ],
)
def test_what_cannot_be_carried_out_is_refused_with_its_status(
    pdu: SubmitSm | DataSm, status: CommandStatus
) -> None:
    with pytest.raises(Refusal) as refused:
        submission.check(pdu, NOW)
    assert refused.value.command_status == status
    assert not refused.value.broken


@pytest.mark.parametrize(
    "pdu",
    [
        SubmitSm(destination_addr=b"1"),
        SubmitSm(destination_addr=b"1", schedule_delivery_time=b"261122095900000+"),  # the past: at once
        SubmitSm(
            destination_addr=b"1",
            schedule_delivery_time=b"000000010000000R",
            validity_period=b"000001000000000R",
        ),
        SubmitSm(destination_addr=b"1", tlvs=(make_tlv(TlvTag.MESSAGE_PAYLOAD, b"long"),)),
        DataSm(destination_addr=b"1"),
    ],
)
def test_what_can_be_carried_out_passes(pdu: SubmitSm | DataSm) -> None:
    submission.check(pdu, NOW)


def test_a_broken_pdu_is_refused_with_the_codec_s_status() -> None:
    octets = codec.encode(SubmitSm(destination_addr=b"1", short_message=b"text"))
    broken = (len(octets) - 2).to_bytes(4, "big") + octets[4:-2]
    with pytest.raises(Refusal) as refused:
        submission.decoded(broken)
    assert refused.value.broken
    assert refused.value.command_status == CommandStatus.ESME_RINVMSGLEN


def test_a_submit_multi_is_one_submit_sm_for_each_address() -> None:
    tlvs = (make_tlv(TlvTag.USER_MESSAGE_REFERENCE, 7),)
    multi = SubmitMulti(
        service_type=b"CMT",
        source_addr=b"12065550100",
        dest_address=[SmeAddress(1, 1, b"1666"), DistributionList(b"friends"), SmeAddress(2, 8, b"1777")],
        registered_delivery=1,
        short_message=b"hello",
        tlvs=tlvs,
    )
    first, friends, second = submission.destinations(multi)
    assert friends == b"friends"
    for destination, address in ((first, b"1666"), (second, b"1777")):
        assert isinstance(destination, submission.Destination)
        octets = destination.body
        pdu = codec.decode((16 + len(octets)).to_bytes(4, "big") + b"\0\0\0\x04\0\0\0\0\0\0\0\x01" + octets)
        assert isinstance(pdu, SubmitSm)
        assert (pdu.destination_addr, destination.address) == (address, address)
        assert (pdu.service_type, pdu.short_message, pdu.tlvs) == (b"CMT", b"hello", tlvs)
        assert pdu.registered_delivery == 1
