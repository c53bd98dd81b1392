"""What a submitted PDU must satisfy beyond what its mandatory fields tell at a glance, and how its times are kept.

Nothing here is on the hot path: a PDU comes here when it has optional parameters or times, carries several
destinations, or is no plain submit_sm.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from smppgw.pdu import codec, peek
from smppgw.pdu._generated import DataSm, DistributionList, SubmitMulti, SubmitSm
from smppgw.pdu.constants import HEADER_OCTETS, CommandId, CommandStatus, TlvTag
from smppgw.pdu.errors import EncodeError, PduError
from smppgw.pdu.times import format_absolute, parse_time
from smppgw.pdu.tlv import Tlv, make_tlv, read_tlvs, tlv_value, write_tlvs
from smppgw.session.timers import NS

_LAST_MOMENT: Final = datetime(2037, 12, 31, 23, 59, 59, 900_000, UTC)
"""The latest that an absolute time can say (SMPP v3.4 section 7.1.1)."""
_MICROSECOND: Final = timedelta(microseconds=1)
_SECONDS_MAX: Final = 0xFFFF_FFFF

NUMBER_TYPE: Final = b"\1\1"
"""TON and NPI of a telephone number with its calling code: international, E.164 (SMPP v3.4 section 5.2.5)."""


class Refusal(Exception):  # noqa: N818 - a decision, not an error
    """A request that is not taken in, and what its ESME is told."""

    def __init__(self, command_status: int, why: str = "", *, broken: bool = False) -> None:
        super().__init__(command_status)
        self.command_status = command_status
        self.why = why
        """The limit that is reached, of `Metrics.throttled`, or the reason, of `Metrics.senders_refused`."""
        self.broken = broken
        """Whether the PDU itself was at fault."""


class Timing(NamedTuple):
    """When a message may leave, and until when. Moments are monotonic nanoseconds."""

    due_ns: int = 0
    """Not before; 0 for at once."""
    expires_ns: int = 0
    """Its validity ends; 0 for never."""
    validity_period: bytes = b""
    """The end of its validity as a carrier is told: never relative, which it would count from when it came there."""


@dataclass(frozen=True, slots=True)
class Destination:
    """One of the messages that a submit_multi asks for, as a submit_sm of its own."""

    ton: int
    npi: int
    address: bytes
    body: bytes


def decoded(octets: bytes) -> codec.Pdu:
    """Decode a request; a fault is a refusal with the status the codec names."""
    try:
        return codec.decode(octets)
    except PduError as error:
        raise Refusal(error.command_status, broken=True) from None


def check(pdu: SubmitSm | SubmitMulti | DataSm, now: datetime, now_ns: int) -> Timing:
    """Refuse what cannot be carried out; return when it is to be.

    `now` and `now_ns` are the moment the PDU came, by the calendar and by the monotonic clock.
    ESME_RINVDSTADR for no destination, ESME_RINVSCHED and ESME_RINVEXPIRY for times that cannot be read or are over
    (a schedule in the past is "at once"), ESME_RINVREPFLAG for a replace_if_present_flag that is none,
    ESME_RINVSUBREP for one in a submit_multi, which is to replace nothing, ESME_RINVMSGLEN for a text in short_message
    and in message_payload at once.
    """
    if isinstance(pdu, SubmitSm | DataSm) and not pdu.destination_addr:
        raise Refusal(CommandStatus.ESME_RINVDSTADR)
    seconds = tlv_value(pdu.tlvs, TlvTag.QOS_TIME_TO_LIVE)
    assert seconds is None or isinstance(seconds, int)
    if isinstance(pdu, DataSm):
        return timing(b"", b"", now, now_ns, seconds)
    found = timing(pdu.schedule_delivery_time, pdu.validity_period, now, now_ns, seconds)
    if pdu.replace_if_present_flag > 1:
        raise Refusal(CommandStatus.ESME_RINVREPFLAG)
    if pdu.replace_if_present_flag and isinstance(pdu, SubmitMulti):
        raise Refusal(CommandStatus.ESME_RINVSUBREP)
    if pdu.short_message and any(tag == TlvTag.MESSAGE_PAYLOAD for tag, _ in pdu.tlvs):
        raise Refusal(CommandStatus.ESME_RINVMSGLEN)
    return found


def timing(
    schedule_delivery_time: bytes,
    validity_period: bytes,
    now: datetime,
    now_ns: int,
    time_to_live: int | None = None,
) -> Timing:
    """Read the times of a request; refuse those that cannot be read, and a validity that ends before it begins.

    `time_to_live` is qos_time_to_live, in seconds; where it is there it is the validity (SMPP v5.0 section 4.2.4).
    """
    scheduled = _moment(schedule_delivery_time, now, CommandStatus.ESME_RINVSCHED)
    valid_until = _moment(validity_period, now, CommandStatus.ESME_RINVEXPIRY)
    if time_to_live is not None:
        valid_until = now + timedelta(seconds=time_to_live)
    if valid_until is not None and valid_until <= max(now, scheduled or now):
        raise Refusal(CommandStatus.ESME_RINVEXPIRY)
    if valid_until is not None and (time_to_live is not None or validity_period.endswith(b"R")):
        validity_period = format_absolute(min(valid_until, _LAST_MOMENT))
    return Timing(
        now_ns + _ns(scheduled - now) if scheduled is not None and scheduled > now else 0,
        now_ns + _ns(valid_until - now) if valid_until is not None else 0,
        validity_period,
    )


def _ns(span: timedelta) -> int:
    return span // _MICROSECOND * 1000


def _moment(value: bytes, now: datetime, command_status: CommandStatus) -> datetime | None:
    try:
        return parse_time(value, now=now)
    except PduError:
        raise Refusal(command_status) from None


def body_of(pdu: SubmitSm, octets: bytes, when: Timing) -> bytes:
    """Return the body of a submit_sm, which is `octets`, as it is kept: as it came, but for its times.

    The carrier is not to wait for the schedule again, nor to count a validity from when the message came there.
    """
    limited = any(tag == TlvTag.QOS_TIME_TO_LIVE for tag, _ in pdu.tlvs)
    if not (limited or pdu.schedule_delivery_time or pdu.validity_period):
        return octets[HEADER_OCTETS:]
    match = peek.SHORT_MESSAGE.match(octets, HEADER_OCTETS)
    assert match is not None, "what the codec reads, this reads"
    schedule_at, schedule_end = match.span(4)
    validity_at, validity_end = match.span(5)
    text_end = match.end() + match[6][4]
    tlvs = write_tlvs(_without_time_to_live(pdu.tlvs), "submit_sm") if limited else octets[text_end:]
    return b"".join(
        (
            octets[HEADER_OCTETS:schedule_at],
            octets[schedule_end:validity_at],
            when.validity_period,
            octets[validity_end:text_end],
            tlvs,
        )
    )


def with_source(body: bytes, number: bytes) -> bytes:
    """Return the body of a submit_sm or data_sm that comes from another address, a telephone number."""
    at = body.index(0) + 1
    return b"%b%b%b%b" % (body[:at], NUMBER_TYPE, number, body[body.index(0, at + 2) :])


def with_time_left(body: bytes, left_ns: int) -> bytes:
    """Return the body of a data_sm that says how much of its validity is left, where it says how long that is.

    A carrier counts qos_time_to_live from when the message comes there, and a data_sm can name no moment instead.
    """
    match = peek.DATA.match(body)
    assert match is not None, "it was read when it was accepted"
    tlvs = read_tlvs(body, match.end(), CommandId.DATA_SM)
    left = time_to_live(left_ns)
    return body[: match.end()] + write_tlvs((left if tlv[0] == left[0] else tlv for tlv in tlvs), "data_sm")


def time_to_live(left_ns: int) -> Tlv:
    """Return a validity as qos_time_to_live, in whole seconds, never less."""
    return make_tlv(TlvTag.QOS_TIME_TO_LIVE, min(-(-left_ns // NS), _SECONDS_MAX))


def _without_time_to_live(tlvs: Iterable[Tlv]) -> list[Tlv]:
    return [tlv for tlv in tlvs if tlv[0] != TlvTag.QOS_TIME_TO_LIVE]


def destinations(pdu: SubmitMulti, when: Timing) -> Iterator[Destination | bytes]:
    """Yield the messages of a submit_multi, and the names of its distribution lists; the times are as in `body_of`.

    Distribution lists are kept by an SMSC's administration; this gateway has none.
    """
    tlvs = _without_time_to_live(pdu.tlvs)
    for entry in pdu.dest_address:
        if isinstance(entry, DistributionList):
            yield entry.dl_name
            continue
        try:
            body = codec.encode(
                SubmitSm(
                    service_type=pdu.service_type,
                    source_addr_ton=pdu.source_addr_ton,
                    source_addr_npi=pdu.source_addr_npi,
                    source_addr=pdu.source_addr,
                    dest_addr_ton=entry.dest_addr_ton,
                    dest_addr_npi=entry.dest_addr_npi,
                    destination_addr=entry.destination_addr,
                    esm_class=pdu.esm_class,
                    protocol_id=pdu.protocol_id,
                    priority_flag=pdu.priority_flag,
                    validity_period=when.validity_period,
                    registered_delivery=pdu.registered_delivery,
                    data_coding=pdu.data_coding,
                    sm_default_msg_id=pdu.sm_default_msg_id,
                    short_message=pdu.short_message,
                    tlvs=tlvs,
                )
            )[HEADER_OCTETS:]
        except EncodeError:
            raise Refusal(CommandStatus.ESME_RINVMSGLEN) from None  # 255 octets are read, 254 are sent
        yield Destination(entry.dest_addr_ton, entry.dest_addr_npi, entry.destination_addr, body)
