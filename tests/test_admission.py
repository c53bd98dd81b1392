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
)
from smppgw.pdu.constants import CommandId, CommandStatus, TlvTag
from smppgw.pdu.tlv import make_tlv
from smppgw.settings import GatewaySettings
from smppgw.store.entries import Message
from tests.peers import Recorder, client, submit_sm
from tests.support import Tap, a_carrier, an_esme, bodies, running, settings_of, until

OK = CommandStatus.ESME_ROK


@pytest.mark.parametrize(
    ("limits", "statuses"),
    [
        ({"window": 10}, {OK: 10, CommandStatus.ESME_RTHROTTLED: 15}),
        ({"messages_per_second": 5.0}, {OK: 5, CommandStatus.ESME_RTHROTTLED: 20}),
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


async def test_each_destination_of_a_submit_multi_counts_to_the_rate() -> None:
    settings = settings_of(
        an_esme(messages_per_second=0.01),
        carriers=(a_carrier(1),),
        gateway=GatewaySettings(drain_timeout=0.1),
    )
    async with running(settings, bound=False) as gateway, client(gateway.server.port) as esme:
        response = await esme.request(many(3))
        assert response.command_status == OK
        assert [(each.destination_addr, each.error_status_code) for each in response.unsuccess_sme] == [
            (b"1666%07d" % number, CommandStatus.ESME_RTHROTTLED) for number in (1, 2)
        ]
        assert gateway.store.queued("app") == 1
        none_left = await esme.request(many(3, DistributionList(b"friends")))
        assert none_left.command_status == CommandStatus.ESME_RTHROTTLED


@pytest.mark.parametrize(
    ("limits", "draining", "status", "of_questions"),
    [
        ({"max_queued": 1}, False, CommandStatus.ESME_RMSGQFUL, CommandStatus.ESME_RINVMSGID),
        (
            {"messages_per_second": 0.01},
            False,
            CommandStatus.ESME_RTHROTTLED,
            CommandStatus.ESME_RTHROTTLED,
        ),
        ({}, True, CommandStatus.ESME_RSYSERR, CommandStatus.ESME_RSYSERR),
    ],
)
async def test_questions_need_no_room_but_keep_to_the_rate_and_end_with_a_drain(
    limits: dict[str, Any], draining: bool, status: CommandStatus, of_questions: CommandStatus
) -> None:
    settings = settings_of(
        an_esme(**limits), carriers=(a_carrier(1),), gateway=GatewaySettings(drain_timeout=0.1)
    )
    async with running(settings, bound=False) as gateway, client(gateway.server.port) as esme:
        await esme.request(submit_sm())
        gateway.admission.draining = draining
        data = DataSm(source_addr=b"12065550100", destination_addr=b"1666")
        for pdu in (submit_sm(), data, many(2)):
            assert (await esme.request(pdu)).command_status == status
        for question in (QuerySm(message_id=b"x"), CancelSm(message_id=b"x"), ReplaceSm(message_id=b"x")):
            assert (await esme.request(question)).command_status == of_questions


async def test_a_question_takes_its_share_of_the_rate() -> None:
    settings = settings_of(
        an_esme(messages_per_second=0.01),
        carriers=(a_carrier(1),),
        gateway=GatewaySettings(drain_timeout=0.1),
    )
    async with running(settings, bound=False) as gateway, client(gateway.server.port) as esme:
        await esme.request(QuerySm(message_id=b"x"))
        response = await esme.request(submit_sm())
        assert response.command_status == CommandStatus.ESME_RTHROTTLED


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
        texts = [
            message.body.rpartition(b"\0")[2] for message in gateway.store.take("default/promotional", 10)
        ]
        assert [text[1:] for text in texts] == [b"better", b"message 2"]
        assert gateway.accounts["app"].accepted.value == 3


async def test_where_there_is_nothing_to_replace_a_message_is_accepted() -> None:
    async with queueing() as (gateway, esme):
        pdus = [submit_sm(number, replace_if_present_flag=1) for number in range(3)]
        ids = [(await esme.request(pdu)).message_id for pdu in pdus]
        assert len(set(ids)) == 3
        keys = [message.key for message in gateway.store.take("default/promotional", 10)]
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
