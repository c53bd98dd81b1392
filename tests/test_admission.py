"""What becomes of requests of ESMEs: taken in, or refused with the right status."""

from __future__ import annotations

from typing import Any

import pytest

from smppgw import Smsc
from smppgw.library.bound import BoundEsme
from smppgw.library.delivery import DeliveryReceipt
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
        (CancelSm(message_id=b"unknown"), CommandStatus.ESME_RCANCELFAIL),
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
    ("limits", "draining", "status"),
    [
        ({"max_queued": 1}, False, CommandStatus.ESME_RMSGQFUL),
        ({"messages_per_second": 0.01}, False, CommandStatus.ESME_RTHROTTLED),
        ({}, True, CommandStatus.ESME_RSYSERR),
    ],
)
async def test_only_what_would_be_taken_in_needs_room(
    limits: dict[str, Any], draining: bool, status: CommandStatus
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
        for pdu, own in (
            (QuerySm(message_id=b"x"), CommandStatus.ESME_RINVMSGID),
            (CancelSm(message_id=b"x"), CommandStatus.ESME_RCANCELFAIL),
            (ReplaceSm(message_id=b"x"), CommandStatus.ESME_RINVMSGID),
        ):
            assert (await esme.request(pdu)).command_status == own


async def test_questions_spend_nothing_of_the_rate() -> None:
    settings = settings_of(
        an_esme(messages_per_second=0.01),
        carriers=(a_carrier(1),),
        gateway=GatewaySettings(drain_timeout=0.1),
    )
    async with running(settings, bound=False) as gateway, client(gateway.server.port) as esme:
        for _ in range(5):
            await esme.request(QuerySm(message_id=b"x"))
        assert (await esme.request(submit_sm())).command_status == OK
