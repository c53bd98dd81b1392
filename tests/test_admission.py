"""What becomes of requests of ESMEs: taken in, or refused with the right status."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog
from structlog.testing import LogCapture

from smppgw import Esme, Smsc
from smppgw.gateway import Gateway
from smppgw.library.bound import BoundEsme
from smppgw.library.delivery import DeliveryReceipt
from smppgw.pdu import peek
from smppgw.pdu._generated import (
    BroadcastSm,
    CancelSm,
    DataSm,
    DistributionList,
    QuerySm,
    ReplaceSm,
    SmeAddress,
    SubmitMulti,
    SubmitSm,
)
from smppgw.pdu.codec import encode
from smppgw.pdu.constants import CommandId, CommandStatus, TlvTag
from smppgw.pdu.tlv import make_tlv
from smppgw.pdu.udh import build_concat
from smppgw.settings import GatewaySettings, LimitsSettings, NumberSettings
from smppgw.store.entries import Message
from smppgw.telling import envelope_of
from tests.desk import NUMBERS, Desk, addresses, registered
from tests.peers import Recorder, client, submit_sm
from tests.support import Tap, a_carrier, an_esme, bodies, running, settings_of, until

OK = CommandStatus.ESME_ROK


@pytest.mark.parametrize(
    ("limits", "statuses"),
    [
        ({"window": 10}, {OK: 10, CommandStatus.ESME_RTHROTTLED: 15}),
        ({"max_queued": 8}, {OK: 8, CommandStatus.ESME_RMSGQFUL: 17}),
        ({"sources": ("+12065550199",)}, {CommandStatus.ESME_RINVSRCADR: 25}),
    ],
)
async def test_what_is_above_a_limit_is_answered_with_its_status(
    limits: dict[str, Any], statuses: dict[int, int]
) -> None:
    settings = settings_of(
        an_esme(**{"window": 100, **limits}),
        carriers=(a_carrier(1),),
        gateway=GatewaySettings(drain_timeout=0.1),
    )
    async with running(settings, bound=False) as gateway:
        async with client(gateway.server.port) as esme:
            answers = [
                result.command_status
                async for result in esme.submit_many(submit_sm(number) for number in range(25))
            ]
        assert {status: answers.count(status) for status in set(answers)} == statuses
        metrics = gateway.metrics.render().decode()
        for status, count in statuses.items():
            if status:
                name = CommandStatus(status).name
                rejected = f'smppgw_messages_rejected_total{{esme="app",status="{name}"}} {count}.0'
                # What the window refuses, the session refuses before it is anybody's message.
                assert "window" in limits or rejected in metrics


async def test_a_submit_multi_is_one_message_for_each_address_under_one_id() -> None:
    recorder = Recorder()
    async with Smsc(port=0, on_submit=recorder) as smsc:
        async with running(settings_of(an_esme(), carriers=(a_carrier(smsc.port),))) as gateway:
            async with client(gateway.server.port) as esme:
                addresses = [SmeAddress(1, 1, b"1666%d" % number) for number in range(3)]
                response = await esme.request(
                    SubmitMulti(
                        source_addr=b"12065550100",
                        dest_address=[*addresses, DistributionList(b"friends")],
                        registered_delivery=1,
                        short_message=b"to many",
                    )
                )
                assert response.command_status == OK
                [unsuccess] = response.unsuccess_sme
                assert unsuccess.destination_addr == b"friends"
                assert unsuccess.error_status_code == CommandStatus.ESME_RINVDLNAME
                receipts = [await anext(esme) for _ in range(3)]
                assert {
                    (each.message_id, each.source) for each in receipts if isinstance(each, DeliveryReceipt)
                } == {(response.message_id.decode(), f"1666{number}") for number in range(3)}
                lists_only = await esme.request(
                    SubmitMulti(dest_address=[DistributionList(b"friends")], short_message=b"x")
                )
                assert lists_only.command_status == CommandStatus.ESME_RINVDLNAME
        assert recorder.got == [b"to many"] * 3


async def test_a_data_sm_travels_as_one() -> None:
    got: list[Any] = []

    def take(esme: BoundEsme, pdu: Any) -> str:
        got.append(pdu)
        return "data-1"

    async with Smsc(port=0, on_request=take) as smsc:
        async with running(settings_of(an_esme(), carriers=(a_carrier(smsc.port),))) as gateway:
            async with client(gateway.server.port) as esme:
                payload = make_tlv(TlvTag.MESSAGE_PAYLOAD, b"data" * 100)
                response = await esme.request(
                    DataSm(source_addr=b"12065550100", destination_addr=b"1666", tlvs=(payload,))
                )
                assert response.command_status == OK
                assert len(response.message_id) == 16
                await until(lambda: got)
                assert got[0].tlvs == (payload,)


@pytest.mark.parametrize(
    ("pdu", "status"),
    [
        (QuerySm(message_id=b"unknown"), CommandStatus.ESME_RINVMSGID),
        (CancelSm(message_id=b"unknown"), CommandStatus.ESME_RINVMSGID),
        (ReplaceSm(message_id=b"unknown"), CommandStatus.ESME_RINVMSGID),
        (
            BroadcastSm(
                tlvs=(
                    make_tlv(TlvTag.BROADCAST_AREA_IDENTIFIER, b"\0area"),
                    make_tlv(TlvTag.BROADCAST_CONTENT_TYPE, b"\0\0\0"),
                    make_tlv(TlvTag.BROADCAST_REP_NUM, 1),
                    make_tlv(TlvTag.BROADCAST_FREQUENCY_INTERVAL, b"\0\0\0"),
                )
            ),
            CommandStatus.ESME_RINVCMDID,
        ),
        (submit_sm(destination_addr=b""), CommandStatus.ESME_RINVDSTADR),
        (submit_sm(validity_period=b"261131100000000+"), CommandStatus.ESME_RINVEXPIRY),
        (submit_sm(schedule_delivery_time=b"261131100000000+"), CommandStatus.ESME_RINVSCHED),
    ],
)
async def test_what_cannot_be_done_is_answered_with_the_right_status(pdu: Any, status: CommandStatus) -> None:
    settings = settings_of(an_esme(), carriers=(a_carrier(1),))
    async with running(settings, bound=False) as gateway, client(gateway.server.port) as esme:
        response = await esme.request(pdu)
        assert response.command_status == status


async def test_a_3_3_esme_gets_short_ids_and_no_optional_parameters() -> None:
    async with Smsc(port=0, on_submit=Recorder()) as smsc:
        async with running(settings_of(an_esme(), carriers=(a_carrier(smsc.port),))) as gateway:
            async with (
                Tap(gateway.server.port) as wire,
                client(wire.port, interface_version=0x33, bind="tx") as sender,
                client(wire.port, interface_version=0x33, bind="rx") as receiver,
            ):
                response = await sender.request(submit_sm())
                assert len(response.message_id) == 8
                receipt = await anext(receiver)
                assert isinstance(receipt, DeliveryReceipt)
                assert receipt.message_id == response.message_id.decode()
                assert receipt.pdu.tlvs == ()
                assert bodies(wire.back, CommandId.BIND_TRANSMITTER_RESP) == [b"smppgw\0"]


def many(count: int, *lists: DistributionList) -> SubmitMulti:
    addresses = [SmeAddress(1, 1, b"1666%07d" % number) for number in range(count)]
    return SubmitMulti(
        source_addr=b"12065550100", dest_address=[*addresses, *lists], short_message=b"to many"
    )


def test_above_its_rate_an_esme_is_throttled() -> None:
    desk = Desk(settings_of(an_esme(messages_per_second=5.0), carriers=(a_carrier(1),)))
    assert set(desk.statuses(*map(submit_sm, range(5)))) == {CommandStatus.ESME_RTHROTTLED}, "starts empty"
    desk.wait(100)
    assert desk.statuses(*map(submit_sm, range(25))) == [OK] * 5 + [CommandStatus.ESME_RTHROTTLED] * 20
    assert desk.metrics.throttled("esme").value == 25
    assert desk.metrics.messages_rejected("app", "ESME_RTHROTTLED").value == 25
    desk.wait(0.4)
    assert desk.statuses(*map(submit_sm, range(5))).count(OK) == 2


def slow_desk() -> Desk:
    """One that has a token for one message."""
    desk = Desk(settings_of(an_esme(messages_per_second=0.01), carriers=(a_carrier(1),)))
    desk.wait(100)
    return desk


def test_each_destination_of_a_submit_multi_counts_to_the_rate() -> None:
    desk = slow_desk()
    [response] = desk.ask(many(3))
    assert response.command_status == OK
    assert [(each.destination_addr, each.error_status_code) for each in response.unsuccess_sme] == [
        (b"1666%07d" % number, CommandStatus.ESME_RTHROTTLED) for number in (1, 2)
    ]
    assert desk.store.queued("app") == 1
    assert desk.statuses(many(3, DistributionList(b"friends"))) == [CommandStatus.ESME_RTHROTTLED]


QUESTIONS = (QuerySm(message_id=b"x"), CancelSm(message_id=b"x"), ReplaceSm(message_id=b"x"))


@pytest.mark.parametrize(
    ("limits", "draining", "status", "of_questions"),
    [
        ({"max_queued": 1}, False, CommandStatus.ESME_RMSGQFUL, CommandStatus.ESME_RINVMSGID),
        ({"messages_per_second": 0.01}, False, CommandStatus.ESME_RTHROTTLED, CommandStatus.ESME_RTHROTTLED),
        ({}, True, CommandStatus.ESME_RSYSERR, CommandStatus.ESME_RSYSERR),
    ],
)
def test_questions_need_no_room_but_keep_to_the_rate_and_end_with_a_drain(
    limits: dict[str, Any], draining: bool, status: CommandStatus, of_questions: CommandStatus
) -> None:
    desk = Desk(settings_of(an_esme(**limits), carriers=(a_carrier(1),)))
    desk.wait(100)
    assert desk.statuses(submit_sm()) == [OK]
    desk.admission.draining = draining
    data = DataSm(source_addr=b"12065550100", destination_addr=b"1666")
    assert desk.statuses(submit_sm(), data, many(2)) == [status] * 3
    assert [desk.statuses(question) for question in QUESTIONS] == [[of_questions]] * 3


def test_a_question_takes_its_share_of_the_rate() -> None:
    desk = slow_desk()
    assert desk.statuses(QuerySm(message_id=b"x")) == [CommandStatus.ESME_RINVMSGID]
    assert desk.statuses(submit_sm()) == [CommandStatus.ESME_RTHROTTLED]


# ---- times --------------------------------------------------------------------------------------------------

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
MINUTE_NS = 60_000_000_000


@asynccontextmanager
async def queueing() -> AsyncIterator[tuple[Gateway, Esme]]:
    """A gateway at 10:00 whose carrier is away, and an ESME."""
    logger = structlog.wrap_logger(None, processors=[LogCapture()])
    settings = settings_of(an_esme(), carriers=(a_carrier(1),), gateway=GatewaySettings(drain_timeout=0.1))
    gateway = Gateway(settings, logger, wall_clock=lambda: NOW)
    await gateway.start()
    try:
        async with client(gateway.server.port) as esme:
            yield gateway, esme
    finally:
        await gateway.stop()


async def submitted(gateway: Gateway, esme: Esme, pdu: Any, count: int = 1) -> list[Message]:
    """What stands in the store of a request that is accepted."""
    response = await esme.request(pdu)
    assert response.command_status == OK
    key = int(response.message_id, 16)
    found: list[Message] = []
    gateway.store.pick(range(key, key + count), found.extend)
    assert len(found) == count
    gateway.store.give_back(found)
    return found


def standing(gateway: Gateway) -> list[Message]:
    """What stands in the only lane that there is."""
    [lane] = gateway.store.lanes()
    return list(lane.queue.head) if lane.queue is not None else []


TIMED = {
    "schedule_delivery_time": b"000000000100000R",
    "validity_period": b"000000000300000R",
}


@pytest.mark.parametrize(
    ("pdu", "count"),
    [
        (submit_sm(**TIMED), 1),
        (
            SubmitMulti(
                source_addr=b"12065550100",
                dest_address=[SmeAddress(1, 1, b"1666"), SmeAddress(1, 1, b"1777")],
                short_message=b"to many",
                **TIMED,
            ),
            2,
        ),
    ],
)
async def test_times_are_moments_in_the_store_and_a_validity_is_absolute_in_the_body(
    pdu: Any, count: int
) -> None:
    async with queueing() as (gateway, esme):
        for message in await submitted(gateway, esme, pdu, count):
            assert message.due_ns - message.accepted_ns == MINUTE_NS
            assert message.expires_ns - message.accepted_ns == 3 * MINUTE_NS
            match = peek.SHORT_MESSAGE.match(message.body)
            assert match is not None
            assert (match[4], match[5]) == (b"", b"261122100300000+")


async def test_the_validity_of_a_data_sm_is_its_qos_time_to_live() -> None:
    async with queueing() as (gateway, esme):
        data = DataSm(
            source_addr=b"12065550100",
            destination_addr=b"1666",
            tlvs=(make_tlv(TlvTag.QOS_TIME_TO_LIVE, 60),),
        )
        [message] = await submitted(gateway, esme, data)
        assert message.expires_ns - message.accepted_ns == MINUTE_NS


async def test_what_names_no_times_has_none() -> None:
    async with queueing() as (gateway, esme):
        for pdu in (submit_sm(), submit_sm(tlvs=((0x1400, b"vendor"),))):
            [message] = await submitted(gateway, esme, pdu)
            assert (message.due_ns, message.expires_ns) == (0, 0)


# ---- replace_if_present -------------------------------------------------------------------------------------


async def test_a_message_replaces_the_queued_one_to_the_same_destination_under_its_id() -> None:
    async with queueing() as (gateway, esme):
        first = await esme.request(submit_sm(1))
        await esme.request(submit_sm(2))
        again = await esme.request(submit_sm(1, short_message=b"better", replace_if_present_flag=1))
        assert (again.command_status, again.message_id) == (OK, first.message_id)
        assert gateway.store.queued("app") == 2
        texts = [message.body.rpartition(b"\0")[2] for message in standing(gateway)]
        assert [text[1:] for text in texts] == [b"better", b"message 2"]
        assert gateway.accounts["app"].accepted.value == 3


async def test_where_there_is_nothing_to_replace_a_message_is_accepted() -> None:
    async with queueing() as (gateway, esme):
        pdus = [submit_sm(number, replace_if_present_flag=1) for number in range(3)]
        ids = [(await esme.request(pdu)).message_id for pdu in pdus]
        assert len(set(ids)) == 3
        keys = [message.key for message in standing(gateway)]
        assert keys == [int(message_id, 16) for message_id in ids]


async def test_a_message_that_would_replace_none_needs_room() -> None:
    settings = settings_of(
        an_esme(max_queued=2), carriers=(a_carrier(1),), gateway=GatewaySettings(drain_timeout=0.1)
    )
    async with running(settings, bound=False) as gateway, client(gateway.server.port) as esme:
        statuses = [
            result.command_status
            async for result in esme.submit_many(
                submit_sm(number, replace_if_present_flag=1) for number in range(4)
            )
        ]
        assert statuses == [OK, OK, CommandStatus.ESME_RMSGQFUL, CommandStatus.ESME_RMSGQFUL]
        assert gateway.store.queued("app") == 2


# ---- who may send -------------------------------------------------------------------------------------------

US = b"14155550123"
CANADA = b"14165550123"
RINVSRCADR = CommandStatus.ESME_RINVSRCADR
RTHROTTLED = CommandStatus.ESME_RTHROTTLED
RMSGQFUL = CommandStatus.ESME_RMSGQFUL


def to_us(number: int = 0, **fields: Any) -> SubmitSm:
    """From the first number of the campaign to somebody in the United States."""
    usual = {"source_addr": NUMBERS[0].encode(), "destination_addr": b"1415555%04d" % number}
    return submit_sm(number, **{**usual, **fields})


def test_who_is_not_registered_may_not_send_to_the_us_and_is_counted() -> None:
    desk = Desk()
    unknown = {"source_addr": b"12065550999"}
    vendor = {"tlvs": ((0x1400, b"vendor"),)}
    assert desk.statuses(
        to_us(),
        to_us(**unknown),
        to_us(**unknown, **vendor),
        to_us(**unknown, destination_addr=CANADA),
        to_us(**unknown, destination_addr=CANADA, **vendor),
        DataSm(**unknown, destination_addr=US),
        DataSm(**unknown, destination_addr=CANADA),
    ) == [OK, RINVSRCADR, RINVSRCADR, OK, OK, RINVSRCADR, OK]
    assert desk.metrics.senders_refused("unregistered").value == 3
    assert desk.metrics.messages_rejected("app", "ESME_RINVSRCADR").value == 3


def test_the_long_addresses_of_a_data_sm_are_looked_at_too() -> None:
    desk = Desk()
    long = b"1415555" + b"0" * 57
    assert desk.statuses(
        DataSm(source_addr=b"9" * 64, destination_addr=long),
        DataSm(source_addr=NUMBERS[0].encode(), destination_addr=long),
    ) == [RINVSRCADR, OK]


def test_of_a_submit_multi_the_destinations_that_may_not_be_sent_to_are_told() -> None:
    desk = Desk()
    addresses = [SmeAddress(1, 1, US), SmeAddress(1, 1, CANADA)]
    [response] = desk.ask(SubmitMulti(source_addr=b"12065550999", dest_address=addresses))
    assert response.command_status == OK
    assert [(each.destination_addr, each.error_status_code) for each in response.unsuccess_sme] == [
        (US, RINVSRCADR)
    ]
    assert desk.metrics.senders_refused("unregistered").value == 1
    assert desk.statuses(SubmitMulti(source_addr=b"12065550999", dest_address=addresses[:1])) == [RINVSRCADR]


def test_what_was_known_of_a_sender_is_forgotten_with_the_configuration() -> None:
    desk = Desk()
    assert desk.statuses(to_us()) == [OK]
    other = Desk(registered(campaign={"status": "pending"}))
    desk.senders.replace(other.registry, other.pools, operators_known=False)
    desk.account.change(desk.account.settings, desk.now_ns)
    assert desk.statuses(to_us()) == [RINVSRCADR]
    assert desk.metrics.senders_refused("campaign_not_approved").value == 1


# ---- pools --------------------------------------------------------------------------------------------------

POOL = {"source_addr_ton": 5, "source_addr_npi": 0, "source_addr": b"C1"}


def test_a_message_from_a_pool_comes_from_one_of_its_numbers_the_same_for_each_recipient() -> None:
    desk = Desk(registered(brand={"segments_per_day": 1_000}))
    found: dict[bytes, bytes] = {}
    vendor = ((0x1400, b"vendor"),)
    for message in desk.take_in(
        *(to_us(number, **POOL) for number in range(20)),
        *(to_us(number, **POOL, tlvs=vendor) for number in range(20)),
        *(DataSm(**POOL, destination_addr=b"1415555%04d" % number) for number in range(20)),
        SubmitMulti(**POOL, dest_address=[SmeAddress(1, 1, b"1415555%04d" % number) for number in range(20)]),
    ):
        source, destination = addresses(message)
        assert found.setdefault(destination, source) == source
        assert message.lane.name.split("\t")[3] == source[2:].decode()
    assert set(found.values()) == {b"\1\1" + number.encode() for number in NUMBERS}
    assert desk.store.queued("app") == 80


def test_what_else_a_message_from_a_pool_says_stays_as_it_is() -> None:
    desk = Desk()
    [message] = desk.take_in(to_us(**POOL, service_type=b"CMT", data_coding=3, esm_class=0x40))
    number = addresses(message)[0][2:]
    plain = to_us(
        source_addr_ton=1,
        source_addr_npi=1,
        source_addr=number,
        service_type=b"CMT",
        data_coding=3,
        esm_class=0x40,
    )
    assert message.body == encode(plain)[16:]
    assert (message.registered_delivery, message.envelope or envelope_of(4, message.body)) == (
        1,
        envelope_of(4, encode(plain)[16:]),
    )


def test_a_pool_takes_leave() -> None:
    desk = Desk(registered(an_esme(sources=("12065550199",))))
    assert desk.statuses(to_us(**POOL)) == [RINVSRCADR]
    assert desk.metrics.senders_refused("source_not_allowed").value == 1


# ---- segments -----------------------------------------------------------------------------------------------


def with_cap(cap: int = 1_000, **more: Any) -> Desk:
    """A brand with a day cap, and nothing else that limits."""
    return Desk(registered(brand={"segments_per_day": cap}, **more))


@pytest.mark.parametrize(
    ("fields", "segments"),
    [
        ({}, 1),
        ({"short_message": b"x" * 160}, 1),
        ({"short_message": b"x" * 161}, 2),
        ({"short_message": b"\0x" * 71, "data_coding": 8}, 2),
        ({"short_message": b"[" * 81, "data_coding": 1}, 2),
        ({"short_message": build_concat(7, 2, 1) + b"x" * 153, "esm_class": 0x40}, 1),
        ({"short_message": b"", "tlvs": (make_tlv(TlvTag.MESSAGE_PAYLOAD, b"x" * 400),)}, 3),
    ],
)
def test_what_a_message_is_to_limits_is_counted_in_segments(fields: dict[str, Any], segments: int) -> None:
    desk = with_cap()
    for destination, counted in ((US, segments), (CANADA, 0)):
        for more in ({}, {"validity_period": b"000000000300000R"}):
            [message] = desk.take_in(to_us(destination_addr=destination, **fields, **more))
            assert (message.segments, message.day_segments) == (segments, counted)
    multi = SubmitMulti(
        source_addr=NUMBERS[0].encode(),
        dest_address=[SmeAddress(1, 1, US), SmeAddress(1, 1, CANADA)],
        **fields,
    )
    messages = desk.take_in(multi)
    assert [(each.segments, each.day_segments) for each in messages] == [(segments, segments), (segments, 0)]


def test_the_payload_of_a_data_sm_counts() -> None:
    desk = with_cap()
    data = DataSm(
        source_addr=NUMBERS[0].encode(),
        destination_addr=US,
        tlvs=(make_tlv(TlvTag.MESSAGE_PAYLOAD, b"x" * 400),),
    )
    [message] = desk.take_in(data)
    assert (message.segments, message.day_segments) == (3, 3)


def test_what_is_longer_than_a_whole_day_of_its_brand_is_refused() -> None:
    desk = Desk(registered(brand={"segments_per_day": 2}))
    payload = {"short_message": b"", "tlvs": (make_tlv(TlvTag.MESSAGE_PAYLOAD, b"x" * 400),)}
    short = {"short_message": b"x" * 254}
    for more in ({}, {"validity_period": b"000000000300000R"}):
        assert desk.statuses(to_us(1, **payload, **more), to_us(2, **short, **more)) == [
            CommandStatus.ESME_RINVMSGLEN,
            OK,
        ]
        assert desk.statuses(to_us(3, destination_addr=CANADA, **payload, **more)) == [OK]
    multi = SubmitMulti(source_addr=NUMBERS[0].encode(), dest_address=[SmeAddress(1, 1, US)], **payload)
    assert desk.statuses(multi) == [CommandStatus.ESME_RINVMSGLEN]


@pytest.mark.parametrize(
    "fields",
    [
        {"short_message": b"x" * 200},
        {"short_message": b"[" * 100, "data_coding": 1},
        {"short_message": b"", "tlvs": (make_tlv(TlvTag.MESSAGE_PAYLOAD, b"x" * 200),)},
        {"short_message": b"x" * 200, **POOL},
    ],
)
@pytest.mark.parametrize("form", ["udh", "sar"])
def test_each_part_of_what_we_split_is_one_segment(form: str, fields: dict[str, Any]) -> None:
    desk = with_cap(carriers=(a_carrier(1, long_messages=form),))
    for destination, counted in ((US, 1), (CANADA, 0)):
        messages = desk.take_in(to_us(destination_addr=destination, **fields))
        assert [(each.parts, each.segments, each.day_segments) for each in messages] == [(2, 1, counted)] * 2
        assert len({each.message_id for each in messages}) == 1
        assert len({addresses(each) for each in messages}) == 1
        assert addresses(messages[0])[0][2:].decode() in NUMBERS


def test_what_takes_the_place_of_a_message_brings_its_segments() -> None:
    desk = with_cap()
    desk.take_in(to_us())
    assert desk.statuses(to_us(replace_if_present_flag=1, short_message=b"x" * 161)) == [OK]
    [message] = desk.accepted()
    assert (message.segments, message.day_segments) == (2, 2)


# ---- over a limit -------------------------------------------------------------------------------------------


def limited(over_limit: str = "reject", *, cap: int = 1_000, **esme: Any) -> Desk:
    """A number that may send 5 at once, and 1 a second; it has waited long enough for them."""
    desk = Desk(
        registered(
            an_esme(over_limit=over_limit, **esme),
            brand={"segments_per_day": cap},
            numbers=(NumberSettings(NUMBERS[0], 1.0),),
            limits=LimitsSettings(burst_seconds=4),
        )
    )
    desk.wait(100)
    return desk


def test_of_what_is_read_at_once_as_much_is_accepted_as_all_limits_have() -> None:
    desk = limited(cap=3)
    assert desk.statuses(*map(to_us, range(100))) == [OK] * 3 + [RTHROTTLED] * 97
    assert [desk.metrics.throttled(limit).value for limit in ("number", "brand_day")] == [0, 97]
    # What the cap has refused has taken nothing of the number's five.
    canadian = [to_us(destination_addr=CANADA) for _ in range(5)]
    assert desk.statuses(*canadian) == [OK, OK, RTHROTTLED, RTHROTTLED, RTHROTTLED]
    assert desk.metrics.throttled("number").value == 3


def test_what_is_refused_may_come_again_when_there_are_tokens() -> None:
    desk = limited()
    assert desk.statuses(*map(to_us, range(10))) == [OK] * 5 + [RTHROTTLED] * 5
    assert desk.statuses(to_us()) == [RTHROTTLED]
    desk.wait(2)
    assert desk.statuses(*map(to_us, range(10))) == [OK] * 2 + [RTHROTTLED] * 8


def test_a_long_message_takes_as_many_tokens_as_segments() -> None:
    desk = limited()
    long = {"short_message": b"x" * 254}
    payload = {"short_message": b"", "tlvs": (make_tlv(TlvTag.MESSAGE_PAYLOAD, b"x" * 254),)}
    assert desk.statuses(to_us(1, **long), to_us(2, **payload), to_us(3, **long), to_us(4)) == [
        OK,
        OK,
        RTHROTTLED,
        OK,
    ]


def test_a_message_that_we_split_takes_its_segments_and_one_message_of_the_esme() -> None:
    settings = registered(
        an_esme(over_limit="reject", messages_per_second=2),
        numbers=(NumberSettings(NUMBERS[0], 1.0),),
        limits=LimitsSettings(burst_seconds=3),
        carriers=(a_carrier(1, long_messages="udh"),),
    )
    desk = Desk(settings)
    desk.wait(100)
    long = [to_us(number, short_message=b"x" * 200) for number in range(3)]
    assert desk.statuses(*long) == [OK, OK, RTHROTTLED]
    assert desk.metrics.throttled("esme").value == 1
    assert desk.store.queued("app") == 4


def test_each_destination_of_a_submit_multi_takes_its_own() -> None:
    desk = limited()
    addresses = [SmeAddress(1, 1, b"1415555%04d" % number) for number in range(7)]
    [response] = desk.ask(SubmitMulti(source_addr=NUMBERS[0].encode(), dest_address=addresses))
    assert [(each.destination_addr, each.error_status_code) for each in response.unsuccess_sme] == [
        (b"14155550005", RTHROTTLED),
        (b"14155550006", RTHROTTLED),
    ]
    assert desk.metrics.throttled("number").value == 2


def test_a_data_sm_is_refused_too() -> None:
    desk = limited()
    data = DataSm(source_addr=NUMBERS[0].encode(), destination_addr=US)
    assert desk.statuses(*[data] * 6)[-1:] == [RTHROTTLED]


def test_what_is_scheduled_is_to_wait_anyway() -> None:
    desk = limited()
    later = {"schedule_delivery_time": b"000000000100000R"}
    assert desk.statuses(*(to_us(number, **later) for number in range(10))) == [OK] * 10
    assert desk.statuses(*map(to_us, range(6))) == [OK] * 5 + [RTHROTTLED]


def test_what_replaces_a_queued_message_needs_no_tokens_and_what_replaces_none_does() -> None:
    desk = limited()
    assert desk.statuses(*map(to_us, range(5))) == [OK] * 5
    assert desk.statuses(to_us(1, replace_if_present_flag=1)) == [OK]
    assert desk.statuses(to_us(9, replace_if_present_flag=1)) == [RTHROTTLED]
    assert desk.metrics.throttled("number").value == 1


def test_who_queues_is_accepted_above_its_limits_until_its_queue_is_full() -> None:
    desk = limited("queue", cap=3, max_queued=20)
    assert desk.statuses(*map(to_us, range(100))) == [OK] * 20 + [RMSGQFUL] * 80
    assert desk.metrics.throttled("number").value == 0
