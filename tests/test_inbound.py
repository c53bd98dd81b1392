"""What an ESME is owed reaches it: later, again, on another connection."""

from __future__ import annotations

import time

import pytest

from smppgw import Smsc
from smppgw.library.delivery import DeliveryReceipt, MoMessage
from smppgw.pdu import codec
from smppgw.pdu._generated import DeliverSm
from smppgw.pdu.constants import HEADER_OCTETS, CommandId, CommandStatus, TlvTag
from smppgw.pdu.tlv import tlv_value
from smppgw.session.timers import NS
from smppgw.settings import ListenSettings
from smppgw.store.entries import Delivery
from tests.peers import PickyEsme, Recorder, client, submit_sm
from tests.support import a_carrier, an_esme, running, settings_of, until

OK = CommandStatus.ESME_ROK


def _mo(number: int) -> bytes:
    pdu = DeliverSm(source_addr=b"1666", destination_addr=b"12065550100", short_message=b"%d" % number)
    return codec.encode(pdu)[HEADER_OCTETS:]


async def test_receipts_wait_for_an_esme_that_is_away() -> None:
    async with Smsc(port=0, on_submit=Recorder()) as smsc:
        async with running(settings_of(an_esme(), carriers=(a_carrier(smsc.port),))) as gateway:
            async with client(gateway.server.port, bind="tx") as esme:
                ids = [(await esme.request(submit_sm(number))).message_id for number in range(5)]
            await until(lambda: gateway.store.waiting_deliveries("app") == 5)
            async with client(gateway.server.port, bind="rx") as esme:
                receipts = [await anext(esme) for _ in range(5)]
            assert [each.message_id for each in receipts if isinstance(each, DeliveryReceipt)] == [
                each.decode() for each in ids
            ]


@pytest.mark.parametrize(
    "status", [CommandStatus.ESME_RX_T_APPN, CommandStatus.ESME_RMSGQFUL, CommandStatus.ESME_RTHROTTLED]
)
async def test_a_delivery_that_the_esme_cannot_take_now_comes_again(status: CommandStatus) -> None:
    answers = iter([status, OK])
    async with Smsc(port=0, on_submit=Recorder()) as smsc:
        async with running(settings_of(an_esme(), carriers=(a_carrier(smsc.port),))) as gateway:
            async with client(gateway.server.port, bind="tx") as sender:
                response = await sender.request(submit_sm())
                async with PickyEsme(gateway.server.port, lambda _: next(answers), mode="rx") as esme:
                    await until(lambda: len(esme.got) == 2)
                    for each in esme.got:
                        assert tlv_value(each.tlvs, TlvTag.RECEIPTED_MESSAGE_ID) == response.message_id
                    await until(lambda: not gateway.store.octets)
            metrics = gateway.metrics.render().decode()
    for each in (status, OK):
        counted = f'smppgw_delivers_total{{esme="app",kind="receipt",status="{each.name}"}} 1.0'
        assert counted in metrics


async def test_a_delivery_that_the_esme_refuses_for_good_is_closed() -> None:
    async with Smsc(port=0, on_submit=Recorder()) as smsc:
        async with running(settings_of(an_esme(), carriers=(a_carrier(smsc.port),))) as gateway:
            async with client(gateway.server.port, bind="tx") as sender:
                await sender.request(submit_sm())
                refuse = CommandStatus.ESME_RX_P_APPN
                async with PickyEsme(gateway.server.port, lambda _: refuse, mode="rx") as esme:
                    await until(lambda: esme.got)
                    await until(lambda: not gateway.store.octets)
                    assert len(esme.got) == 1
                    assert not gateway.store.waiting_deliveries("app")


async def test_what_a_lost_receiver_has_not_answered_goes_to_the_next_one_in_order() -> None:
    async with Smsc(port=0, on_submit=Recorder()) as smsc:
        async with running(settings_of(an_esme(), carriers=(a_carrier(smsc.port),))) as gateway:
            async with client(gateway.server.port, bind="tx") as sender:
                async with PickyEsme(gateway.server.port, lambda _: None, mode="rx") as mute:
                    for number in range(5):
                        await sender.request(submit_sm(number))
                    await until(lambda: len(mute.got) == 5)
                    assert mute.client.connection is not None
                    mute.client.connection.abort("lost")
                    async with PickyEsme(gateway.server.port, lambda _: OK, mode="rx") as esme:
                        await until(lambda: len(esme.got) == 5)
                        assert [each.source_addr for each in esme.got] == [
                            each.source_addr for each in mute.got
                        ]


async def test_a_delivery_that_is_not_answered_in_time_comes_again() -> None:
    answers = iter([None, OK])
    async with Smsc(port=0, on_submit=Recorder()) as smsc:
        listen = ListenSettings(port=0, response_timeout=0.2)
        settings = settings_of(an_esme(), carriers=(a_carrier(smsc.port),), listen=listen)
        async with running(settings) as gateway, client(gateway.server.port, bind="tx") as sender:
            await sender.request(submit_sm())
            async with PickyEsme(gateway.server.port, lambda _: next(answers), mode="rx") as esme:
                await until(lambda: len(esme.got) == 2)
                await until(lambda: not gateway.store.octets)


async def test_deliveries_are_shared_among_the_receivers_of_an_esme() -> None:
    async with Smsc(port=0, on_submit=Recorder()) as smsc:
        async with running(settings_of(an_esme(), carriers=(a_carrier(smsc.port, window=50),))) as gateway:
            port = gateway.server.port
            async with client(port, bind="tx") as sender:
                async for result in sender.submit_many(submit_sm(number) for number in range(40)):
                    assert result.ok
                await until(lambda: gateway.store.waiting_deliveries("app") == 40)
                async with (
                    PickyEsme(port, lambda _: OK, mode="rx") as one,
                    PickyEsme(port, lambda _: OK, mode="rx") as two,
                ):
                    async for result in sender.submit_many(submit_sm(number) for number in range(200)):
                        assert result.ok
                    await until(lambda: len(one.got) + len(two.got) == 240)
                    assert one.got
                    assert two.got


async def test_what_an_earlier_run_has_put_off_is_sent_when_it_is_due() -> None:
    async with running(settings_of(an_esme())) as gateway:
        deliveries = [Delivery("app", "mo", CommandId.DELIVER_SM, _mo(number), 0) for number in range(3)]
        gateway.store.receive("carrier", deliveries, (), lambda: None)
        put_off = gateway.store.take_deliveries("app", 2)
        for number, delivery in enumerate(put_off):
            delivery.due_ns = time.monotonic_ns() + (2 - number) * NS // 20
        gateway.store.defer_deliveries(put_off)
        async with client(gateway.server.port) as esme:
            got = [await anext(esme) for _ in range(3)]
    assert [each.text for each in got if isinstance(each, MoMessage)] == ["2", "1", "0"]
