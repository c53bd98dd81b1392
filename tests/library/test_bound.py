from __future__ import annotations

import asyncio

import pytest

from smppgw import BoundEsme, ConnectionFailed, DeliverSm, Esme, NotPermitted, Smsc, Unanswered
from smppgw.library.bound import response_octets
from smppgw.pdu._generated import (
    AlertNotification,
    DataSm,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
    SubmitSmResp,
)
from smppgw.pdu.codec import Pdu, decode
from smppgw.pdu.constants import CommandStatus
from smppgw.pdu.errors import EncodeError
from tests.support import until


async def test_a_delivery_has_a_response() -> None:
    async with Smsc(port=0) as smsc, Esme(port=smsc.port, system_id="app") as esme:
        (there,) = smsc.bound
        delivered, sent = there.deliver(DeliverSm(short_message=b"Hi")), there.deliver(DataSm())
        await anext(esme)
        assert (await delivered).command_status == 0
        await anext(esme)
        assert (await sent).message_id == b""


async def test_deliveries_that_nobody_awaits_are_answered_to_a_function() -> None:
    heard: list[int | None] = []
    async with Smsc(port=0, window=2) as smsc, Esme(port=smsc.port, system_id="app") as esme:
        for _ in range(5):
            smsc.bound[0].deliver_nowait(DeliverSm(), heard.append)
        smsc.bound[0].deliver_nowait(DeliverSm())
        for _ in range(6):
            await anext(esme)
        await until(lambda: len(heard) == 5)
    assert heard == [0] * 5


async def test_what_had_no_answer_when_the_esme_went_is_told_apart_from_what_was_never_sent() -> None:
    heard: list[int | None] = []
    async with Smsc(port=0, window=1) as smsc, Esme(port=smsc.port, system_id="app", reconnect=False):
        (there,) = smsc.bound
        sent, queued = there.deliver(DeliverSm()), there.deliver(DeliverSm())
        there.deliver_nowait(DeliverSm(), heard.append)
        await until(lambda: there.outbox.waiting == 2)
        there.drop()
        with pytest.raises(Unanswered):
            await sent
        with pytest.raises(ConnectionFailed):
            await queued
        assert heard == [None]
        assert not there.connected


async def test_while_it_is_unbound_nothing_more_is_sent() -> None:
    async with Smsc(port=0) as smsc, Esme(port=smsc.port, system_id="app", reconnect=False) as esme:
        (there,) = smsc.bound
        there.unbind()
        delivery = there.deliver(DeliverSm())
        with pytest.raises(ConnectionFailed):
            await delivery
        assert [delivered async for delivered in esme] == []


async def test_to_an_esme_that_is_gone_nothing_can_be_delivered() -> None:
    async with Smsc(port=0) as smsc:
        async with Esme(port=smsc.port, system_id="app"):
            (there,) = smsc.bound
        await until(lambda: not smsc.bound)
        for deliver in (there.deliver, there.deliver_nowait):
            with pytest.raises(NotPermitted):
                deliver(DeliverSm())
        there.answer(SubmitSm(), "nobody hears it")


async def test_an_alert_has_no_response() -> None:
    async with Smsc(port=0, window=1) as smsc, Esme(port=smsc.port, system_id="app") as esme:
        for _ in range(3):
            smsc.bound[0].alert(AlertNotification(source_addr=b"1"))
        alerts = [await anext(esme) for _ in range(3)]
    assert alerts == [AlertNotification(source_addr=b"1", sequence_number=n) for n in (1, 2, 3)]


async def test_a_repr_says_who_it_is() -> None:
    async with Smsc(port=0) as smsc, Esme(port=smsc.port, system_id="app"):
        assert repr(smsc.bound[0]) == "<BoundEsme app bound_trx from 127.0.0.1>"
        assert isinstance(smsc.bound[0], BoundEsme)
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("request_pdu", "answer", "response"),
    [
        (SubmitSm(), "id", SubmitSmResp(message_id=b"id")),
        (SubmitSm(), CommandStatus.ESME_RTHROTTLED, SubmitSmResp(command_status=0x58)),
        (SubmitSm(), 0, SubmitSmResp()),
        (SubmitSm(), SubmitSmResp(message_id=b"own", sequence_number=99), SubmitSmResp(message_id=b"own")),
        (SubmitMulti(), "id", SubmitMultiResp(message_id=b"id")),
    ],
    ids=repr,
)
def test_an_answer_becomes_the_request_s_own_response(
    request_pdu: Pdu, answer: str | int | Pdu, response: Pdu
) -> None:
    request_pdu.sequence_number = response.sequence_number = 7
    assert decode(response_octets(request_pdu, answer)) == response


@pytest.mark.parametrize("message_id", ["x" * 65, "a\0b"])
def test_an_id_that_no_response_can_carry_is_refused(message_id: str) -> None:
    with pytest.raises(EncodeError):
        response_octets(SubmitSm(), message_id)
