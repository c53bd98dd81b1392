from __future__ import annotations

from datetime import UTC, datetime

import pytest

from smppgw import replacement, submission
from smppgw.pdu import codec
from smppgw.pdu._generated import DataSm, ReplaceSm, SubmitSm
from smppgw.pdu.constants import CommandStatus, TlvTag
from smppgw.pdu.tlv import make_tlv
from smppgw.store.entries import Lane, Message
from smppgw.submission import Refusal

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
NOW_NS = 5_000_000_000_000
MINUTE_NS = 60_000_000_000
PAYLOAD = make_tlv(TlvTag.MESSAGE_PAYLOAD, b"long text")
REFERENCE = make_tlv(TlvTag.USER_MESSAGE_REFERENCE, 7)


def queued(pdu: SubmitSm | DataSm, **fields: int) -> Message:
    message = Message(
        7, b"0000000000000007", "app", Lane("lane"), pdu.command_id, codec.encode(pdu)[16:], 1, NOW_NS - 1
    )
    for name, value in fields.items():
        setattr(message, name, value)
    return message


def replaced(message: Message, pdu: ReplaceSm) -> SubmitSm | DataSm:
    """Replace a message; return what it is then."""
    when = submission.timing(pdu.schedule_delivery_time, pdu.validity_period, NOW, NOW_NS)
    before = message.body
    made = replacement.of(message, pdu, when, NOW_NS)
    assert message.body is before
    made.apply()
    octets = (16 + len(message.body)).to_bytes(4, "big") + message.command_id.to_bytes(4, "big")
    decoded = codec.decode(octets + b"\0\0\0\0\0\0\0\x01" + message.body)
    assert isinstance(decoded, SubmitSm | DataSm)
    return decoded


def test_text_and_flags_are_replaced_and_everything_else_stays() -> None:
    old = SubmitSm(
        service_type=b"CMT",
        source_addr=b"12065550100",
        destination_addr=b"1666",
        priority_flag=2,
        validity_period=b"261123100000000+",
        registered_delivery=1,
        data_coding=8,
        short_message=b"\0o\0l\0d",
        tlvs=(REFERENCE,),
    )
    message = queued(old, expires_ns=NOW_NS + MINUTE_NS)
    new = replaced(message, ReplaceSm(short_message=b"\0n\0e\0w", registered_delivery=0, sm_default_msg_id=3))
    assert isinstance(new, SubmitSm)
    assert (new.short_message, new.registered_delivery, new.sm_default_msg_id) == (b"\0n\0e\0w", 0, 3)
    assert message.registered_delivery == 0
    assert message.expires_ns == NOW_NS + MINUTE_NS
    for name in ("service_type", "source_addr", "destination_addr", "priority_flag", "data_coding"):
        assert getattr(new, name) == getattr(old, name)
    assert new.validity_period == old.validity_period
    assert tuple(new.tlvs) == (REFERENCE,)
    assert (message.key, message.message_id) == (7, b"0000000000000007")


@pytest.mark.parametrize(
    ("old", "pdu", "short_message", "tlvs"),
    [
        (
            SubmitSm(destination_addr=b"1", tlvs=(PAYLOAD, REFERENCE)),
            ReplaceSm(short_message=b"new"),
            b"new",
            (REFERENCE,),
        ),
        (
            SubmitSm(destination_addr=b"1", short_message=b"old", tlvs=(REFERENCE,)),
            ReplaceSm(tlvs=(PAYLOAD,)),
            b"",
            (REFERENCE, PAYLOAD),
        ),
        (SubmitSm(destination_addr=b"1", short_message=b"old"), ReplaceSm(), b"", ()),
    ],
)
def test_the_old_text_goes_wherever_it_was(
    old: SubmitSm, pdu: ReplaceSm, short_message: bytes, tlvs: tuple[object, ...]
) -> None:
    new = replaced(queued(old), pdu)
    assert isinstance(new, SubmitSm)
    assert (new.short_message, tuple(new.tlvs)) == (short_message, tlvs)


def test_the_text_of_a_data_sm_is_its_payload() -> None:
    message = queued(DataSm(destination_addr=b"1", registered_delivery=1, tlvs=(PAYLOAD, REFERENCE)))
    new = replaced(message, ReplaceSm(short_message=b"new", validity_period=b"000000000130000R"))
    assert isinstance(new, DataSm)
    assert new.registered_delivery == message.registered_delivery == 0
    assert list(new.tlvs) == [
        REFERENCE,
        make_tlv(TlvTag.MESSAGE_PAYLOAD, b"new"),
        make_tlv(TlvTag.QOS_TIME_TO_LIVE, 90),
    ]
    assert message.expires_ns == NOW_NS + 90_000_000_000


def test_a_data_sm_keeps_its_time_to_live_where_none_is_given() -> None:
    limit = make_tlv(TlvTag.QOS_TIME_TO_LIVE, 5)
    new = replaced(queued(DataSm(destination_addr=b"1", tlvs=(limit,))), ReplaceSm(short_message=b"new"))
    assert limit in new.tlvs


def test_times_that_are_given_replace_the_old_ones() -> None:
    message = queued(SubmitSm(destination_addr=b"1"), due_ns=NOW_NS + 9 * MINUTE_NS)
    new = replaced(
        message,
        ReplaceSm(schedule_delivery_time=b"000000000100000R", validity_period=b"000000000200000R"),
    )
    assert isinstance(new, SubmitSm)
    assert (message.due_ns, message.expires_ns) == (NOW_NS + MINUTE_NS, NOW_NS + 2 * MINUTE_NS)
    assert (new.schedule_delivery_time, new.validity_period) == (b"", b"261122100200000+")


def test_a_schedule_in_the_past_lets_the_message_leave_at_once() -> None:
    message = queued(SubmitSm(destination_addr=b"1"), due_ns=NOW_NS + MINUTE_NS)
    replaced(message, ReplaceSm(schedule_delivery_time=b"261122095900000+"))
    assert message.due_ns == 0


@pytest.mark.parametrize(("due_ns", "kept_ns"), [(NOW_NS + MINUTE_NS, NOW_NS + MINUTE_NS), (NOW_NS - 1, 0)])
def test_a_schedule_that_is_not_given_is_kept_while_it_is_ahead(due_ns: int, kept_ns: int) -> None:
    message = queued(SubmitSm(destination_addr=b"1"), due_ns=due_ns)
    replaced(message, ReplaceSm(short_message=b"new"))
    assert message.due_ns == kept_ns


@pytest.mark.parametrize(
    ("pdu", "status"),
    [
        (ReplaceSm(schedule_delivery_time=b"000000000600000R"), CommandStatus.ESME_RINVSCHED),
        (ReplaceSm(validity_period=b"000000000200000R"), CommandStatus.ESME_RINVEXPIRY),
    ],
)
def test_a_validity_may_not_end_before_the_schedule(pdu: ReplaceSm, status: CommandStatus) -> None:
    message = queued(
        SubmitSm(destination_addr=b"1"), due_ns=NOW_NS + 3 * MINUTE_NS, expires_ns=NOW_NS + 5 * MINUTE_NS
    )
    with pytest.raises(Refusal) as refused:
        replaced(message, pdu)
    assert refused.value.command_status == status


def test_the_moment_of_the_next_attempt_is_no_schedule() -> None:
    message = queued(
        SubmitSm(destination_addr=b"1"), due_ns=NOW_NS + 3 * MINUTE_NS, expires_ns=NOW_NS + 2 * MINUTE_NS
    )
    message.attempts = 1
    replaced(message, ReplaceSm(validity_period=b"000000000100000R"))
    assert (message.due_ns, message.expires_ns) == (NOW_NS + 3 * MINUTE_NS, NOW_NS + MINUTE_NS)


def test_a_text_is_in_one_place_and_has_at_most_254_octets() -> None:
    with pytest.raises(Refusal) as twice:
        replacement.text_of(ReplaceSm(short_message=b"x", tlvs=(PAYLOAD,)))
    assert twice.value.command_status == CommandStatus.ESME_RINVMSGLEN
    message = queued(SubmitSm(destination_addr=b"1"))
    with pytest.raises(Refusal) as long:
        replaced(message, ReplaceSm(short_message=b"x" * 255))
    assert long.value.command_status == CommandStatus.ESME_RINVMSGLEN


def test_a_message_submitted_in_its_place_brings_everything_but_the_key_and_the_id() -> None:
    old = queued(SubmitSm(destination_addr=b"1", short_message=b"old"), due_ns=NOW_NS + 1)
    new = Message(0, b"", "app", Lane("lane"), old.command_id, b"new body", 0, NOW_NS, NOW_NS + 9)
    replacement.by(new, old).apply()
    assert (old.key, old.message_id, old.body) == (7, b"0000000000000007", b"new body")
    assert (old.registered_delivery, old.due_ns, old.expires_ns) == (0, 0, NOW_NS + 9)


@pytest.mark.parametrize(
    ("old", "pdu", "segments"),
    [
        (SubmitSm(destination_addr=b"1", short_message=b"x" * 161), ReplaceSm(short_message=b"new"), 1),
        (SubmitSm(destination_addr=b"1", data_coding=8), ReplaceSm(short_message=b"\0x" * 100), 2),
        (
            DataSm(destination_addr=b"1"),
            ReplaceSm(tlvs=(make_tlv(TlvTag.MESSAGE_PAYLOAD, b"x" * 400),)),
            3,
        ),
    ],
)
@pytest.mark.parametrize("counted", [True, False])
def test_the_segments_of_the_new_text_are_counted(
    old: SubmitSm | DataSm, pdu: ReplaceSm, segments: int, counted: bool
) -> None:
    message = queued(old)
    message.segments, message.day_segments = 7, 7 * counted
    replaced(message, pdu)
    assert (message.segments, message.day_segments) == (segments, segments * counted)


def test_a_message_submitted_in_its_place_brings_its_segments() -> None:
    old = queued(SubmitSm(destination_addr=b"1", short_message=b"old"))
    new = Message(0, b"", "app", old.lane, old.command_id, b"new body", 0, NOW_NS)
    new.segments = new.day_segments = 3
    replacement.by(new, old).apply()
    assert (old.segments, old.day_segments) == (3, 3)
