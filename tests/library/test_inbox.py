from __future__ import annotations

import asyncio

from smppgw import DeliverSm, Esme, Smsc
from smppgw.pdu.codec import encode
from smppgw.pdu.constants import CommandStatus
from tests.support import until

BIND_RESPONSE = b"\0\0\0\x11\x80\0\0\x09\0\0\0\0\0\0\0\x01\0"


async def test_what_nobody_has_asked_for_is_not_answered_and_comes_again() -> None:
    async with Smsc(port=0) as smsc, Esme(port=smsc.port, system_id="app", reconnect_min=0.01) as esme:
        first = smsc.bound[0]
        lost = first.deliver(DeliverSm(short_message=b"lost"))
        kept = first.deliver(DeliverSm(short_message=b"kept"))
        assert (await anext(esme)).text == "lost"  # type: ignore[union-attr]
        await lost
        first.drop()
        await asyncio.gather(kept, return_exceptions=True)
        await until(lambda: smsc.bound and smsc.bound[0] is not first)
        again = smsc.bound[0].deliver(DeliverSm(short_message=b"again"))
        assert (await anext(esme)).text == "again"  # type: ignore[union-attr]
        await again


async def test_above_what_may_wait_the_smsc_is_told_to_slow_down() -> None:
    async with Smsc(port=0, window=1100) as smsc, Esme(port=smsc.port, system_id="app") as esme:
        answers = [smsc.bound[0].deliver(DeliverSm()) for _ in range(1050)]
        await until(lambda: sum(answer.done() for answer in answers) == 50)
        refused = [answer.result().command_status for answer in answers if answer.done()]
        assert refused == [CommandStatus.ESME_RTHROTTLED] * 50
        for _ in range(1000):
            await anext(esme)
        assert {(await answer).command_status for answer in answers[:1000]} == {0}


async def test_several_may_listen_and_each_delivery_goes_to_one_of_them() -> None:
    async with Smsc(port=0) as smsc, Esme(port=smsc.port, system_id="app") as esme:
        listeners = [asyncio.ensure_future(anext(esme)) for _ in range(3)]
        for n in range(3):
            smsc.bound[0].deliver_nowait(DeliverSm(short_message=b"%d" % n))
        texts = {delivery.text for delivery in await asyncio.gather(*listeners)}  # type: ignore[union-attr]
    assert texts == {"0", "1", "2"}


async def test_a_broken_delivery_is_refused_with_the_status_of_its_fault() -> None:
    answers: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big") - 4)
        broken = encode(DeliverSm(short_message=b"Hi", sequence_number=1))[:-1]
        whole = encode(DeliverSm(short_message=b"Hi", sequence_number=2))
        writer.write(BIND_RESPONSE + len(broken).to_bytes(4, "big") + broken[4:] + whole)
        for _ in range(3):
            answers.append(await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big") - 4))
        writer.write(b"\0\0\0\x10\x80\0\0\x06" + bytes(4) + answers[2][8:12])
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with Esme(port=port, system_id="app", reconnect=False) as esme:
            assert (await anext(esme)).text == "Hi"  # type: ignore[union-attr]
        await until(lambda: asyncio.all_tasks() == {asyncio.current_task()})
    assert answers[0][4:12] == b"\0\0\0\x01\0\0\0\1"  # ESME_RINVMSGLEN
    assert answers[1][4:12] == b"\0\0\0\0\0\0\0\2"
