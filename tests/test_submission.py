from __future__ import annotations

from datetime import UTC, datetime

import pytest

from smppgw import submission
from smppgw.pdu import codec
from smppgw.pdu._generated import DataSm, DistributionList, SmeAddress, SubmitMulti, SubmitSm
from smppgw.pdu.constants import CommandStatus, TlvTag
from smppgw.pdu.tlv import make_tlv
from smppgw.submission import Refusal, Timing

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
NOW_NS = 5_000_000_000_000
MINUTE_NS = 60_000_000_000


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
        (
            SubmitMulti(dest_address=[SmeAddress(1, 1, b"1")], replace_if_present_flag=1),
            CommandStatus.ESME_RINVSUBREP,
        ),
        (SubmitSm(destination_addr=b"1", replace_if_present_flag=2), CommandStatus.ESME_RINVREPFLAG),
        (
            DataSm(destination_addr=b"1", tlvs=(make_tlv(TlvTag.QOS_TIME_TO_LIVE, 0),)),
            CommandStatus.ESME_RINVEXPIRY,
        ),
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
    pdu: SubmitSm | SubmitMulti | DataSm, status: CommandStatus
) -> None:
    with pytest.raises(Refusal) as refused:
        submission.check(pdu, NOW, NOW_NS)
    assert refused.value.command_status == status
    assert not refused.value.broken


@pytest.mark.parametrize(
    "pdu",
    [
        SubmitSm(destination_addr=b"1"),
        SubmitSm(destination_addr=b"1", replace_if_present_flag=1),
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
    submission.check(pdu, NOW, NOW_NS)


@pytest.mark.parametrize(
    ("schedule", "validity", "timing"),
    [
        (b"", b"", Timing()),
        (b"000000000100000R", b"", Timing(due_ns=NOW_NS + MINUTE_NS)),
        (b"261122100200000+", b"", Timing(due_ns=NOW_NS + 2 * MINUTE_NS)),
        (b"261122095900000+", b"", Timing()),  # the past: at once
        (b"000000000000000R", b"", Timing()),
        (
            b"",
            b"000000000100000R",
            Timing(expires_ns=NOW_NS + MINUTE_NS, validity_period=b"261122100100000+"),
        ),
        (
            b"",
            b"261122051500020-",
            Timing(expires_ns=NOW_NS + 15 * MINUTE_NS, validity_period=b"261122051500020-"),
        ),
        (
            b"000000000100000R",
            b"261122100200000+",
            Timing(NOW_NS + MINUTE_NS, NOW_NS + 2 * MINUTE_NS, b"261122100200000+"),
        ),
    ],
)
def test_times_become_moments_and_a_validity_is_never_relative(
    schedule: bytes, validity: bytes, timing: Timing
) -> None:
    assert submission.timing(schedule, validity, NOW, NOW_NS) == timing


def test_a_validity_beyond_what_can_be_written_ends_with_what_can() -> None:
    timing = submission.timing(b"", b"990000000000000R", NOW, NOW_NS)
    assert timing.validity_period == b"371231235959900+"
    assert timing.expires_ns > NOW_NS + 98 * 365 * 24 * 60 * MINUTE_NS


@pytest.mark.parametrize("pdu", [SubmitSm(destination_addr=b"1"), DataSm(destination_addr=b"1")])
def test_qos_time_to_live_is_a_validity_in_seconds(pdu: SubmitSm | DataSm) -> None:
    pdu.tlvs = (make_tlv(TlvTag.QOS_TIME_TO_LIVE, 60),)
    if isinstance(pdu, SubmitSm):
        pdu.validity_period = b"000001000000000R"  # the TLV beats it
    timing = submission.check(pdu, NOW, NOW_NS)
    assert timing == Timing(expires_ns=NOW_NS + MINUTE_NS, validity_period=b"261122100100000+")


def kept(pdu: SubmitSm) -> SubmitSm:
    """What is kept of a submit_sm."""
    octets = codec.encode(pdu)
    body = submission.body_of(pdu, octets, submission.check(pdu, NOW, NOW_NS))
    decoded = codec.decode((16 + len(body)).to_bytes(4, "big") + octets[4:16] + body)
    assert isinstance(decoded, SubmitSm)
    return decoded


def test_a_body_is_kept_without_its_schedule_and_with_the_end_of_its_validity() -> None:
    reference = make_tlv(TlvTag.USER_MESSAGE_REFERENCE, 7)
    pdu = SubmitSm(
        source_addr=b"12065550100",
        destination_addr=b"1666",
        schedule_delivery_time=b"000000000100000R",
        validity_period=b"000001000000000R",
        short_message=b"hello",
        tlvs=(reference,),
    )
    got = kept(pdu)
    assert (got.schedule_delivery_time, got.validity_period) == (b"", b"261123100000000+")
    assert (got.source_addr, got.destination_addr) == (b"12065550100", b"1666")
    assert (got.short_message, tuple(got.tlvs)) == (b"hello", (reference,))


def test_a_schedule_in_the_past_is_not_kept_either() -> None:
    got = kept(SubmitSm(destination_addr=b"1", schedule_delivery_time=b"261122095900000+"))
    assert got.schedule_delivery_time == b""


def test_qos_time_to_live_of_a_submit_sm_is_kept_as_the_moment_it_ends() -> None:
    reference = make_tlv(TlvTag.USER_MESSAGE_REFERENCE, 7)
    got = kept(SubmitSm(destination_addr=b"1", tlvs=(make_tlv(TlvTag.QOS_TIME_TO_LIVE, 60), reference)))
    assert (got.validity_period, tuple(got.tlvs)) == (b"261122100100000+", (reference,))


def test_what_has_no_times_is_kept_octet_for_octet() -> None:
    pdu = SubmitSm(destination_addr=b"1", short_message=b"x", tlvs=((0x1400, b"vendor"),))
    octets = codec.encode(pdu)
    assert submission.body_of(pdu, octets, Timing()) == octets[16:]


@pytest.mark.parametrize(
    ("left_ns", "seconds"), [(1, 1), (MINUTE_NS, 60), (MINUTE_NS + 1, 61), (1 << 63, 2**32 - 1)]
)
def test_a_data_sm_says_how_much_of_its_validity_is_left(left_ns: int, seconds: int) -> None:
    reference = make_tlv(TlvTag.USER_MESSAGE_REFERENCE, 7)

    def body(*tlvs: tuple[int, bytes]) -> bytes:
        return codec.encode(DataSm(source_addr=b"12065550100", destination_addr=b"1666", tlvs=tlvs))[16:]

    whole = body(make_tlv(TlvTag.QOS_TIME_TO_LIVE, 3600), reference)
    left = body(make_tlv(TlvTag.QOS_TIME_TO_LIVE, seconds), reference)
    assert submission.with_time_left(whole, left_ns) == left
    assert submission.with_time_left(body(reference), left_ns) == body(reference)


def test_a_submit_multi_has_the_same_times_for_each_address() -> None:
    multi = SubmitMulti(
        dest_address=[SmeAddress(1, 1, b"1666"), SmeAddress(1, 1, b"1777")],
        schedule_delivery_time=b"000000000100000R",
        validity_period=b"000001000000000R",
        tlvs=(make_tlv(TlvTag.QOS_TIME_TO_LIVE, 120),),
    )
    when = submission.check(multi, NOW, NOW_NS)
    for destination in submission.destinations(multi, when):
        assert isinstance(destination, submission.Destination)
        assert b"\0\x00261122100200000+\0" in destination.body
        assert destination.body.endswith(b"\0")


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
    first, friends, second = submission.destinations(multi, Timing())
    assert friends == b"friends"
    for destination, address in ((first, b"1666"), (second, b"1777")):
        assert isinstance(destination, submission.Destination)
        octets = destination.body
        pdu = codec.decode((16 + len(octets)).to_bytes(4, "big") + b"\0\0\0\x04\0\0\0\0\0\0\0\x01" + octets)
        assert isinstance(pdu, SubmitSm)
        assert (pdu.destination_addr, destination.address) == (address, address)
        assert (pdu.service_type, pdu.short_message, pdu.tlvs) == (b"CMT", b"hello", tlvs)
        assert pdu.registered_delivery == 1


@pytest.mark.parametrize("pdu", [SubmitSm, DataSm])
@pytest.mark.parametrize("source", [b"", b"POOL", b"1" * 20])
def test_a_source_is_changed_and_nothing_else(pdu: type[SubmitSm | DataSm], source: bytes) -> None:
    fields = {"service_type": b"CMT", "destination_addr": b"1666", "data_coding": 8, "registered_delivery": 1}
    said = pdu(source_addr_ton=5, source_addr=source, **fields)  # type: ignore[arg-type]
    meant = pdu(source_addr_ton=1, source_addr_npi=1, source_addr=b"12065550100", **fields)  # type: ignore[arg-type]
    body = submission.with_source(codec.encode(said)[16:], b"12065550100")
    assert body == codec.encode(meant)[16:]
