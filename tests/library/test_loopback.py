from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Any

import pytest

from smppgw import (
    BindRefused,
    CommandStatus,
    ConnectionFailed,
    DeliveryReceipt,
    Esme,
    MessageState,
    MoMessage,
    SubmitFailed,
    SubmitSm,
)
from smppgw.library.loopback import LoopbackSettings, LoopbackSmsc, run
from smppgw.pdu.errors import EncodeError
from tests.examples import examples_of, run_example
from tests.support import until


def a_loopback(**settings: Any) -> LoopbackSmsc:
    return LoopbackSmsc(LoopbackSettings(port=0, **settings))


def an_esme(port: int, **settings: Any) -> Esme:
    return Esme(port=port, **{"system_id": "app", "reconnect_min": 0.01, **settings})


def numbered(count: int) -> list[SubmitSm]:
    return [
        SubmitSm(source_addr=b"1", destination_addr=b"%d" % n, registered_delivery=1) for n in range(count)
    ]


async def receipts_of(esme: Esme, count: int) -> list[DeliveryReceipt]:
    found = [await anext(esme) for _ in range(count)]
    assert all(isinstance(receipt, DeliveryReceipt) for receipt in found)
    return found  # type: ignore[return-value]


async def test_every_message_has_one_receipt_with_its_id_and_its_addresses_the_other_way_round() -> None:
    async with a_loopback() as smsc, an_esme(smsc.port) as esme:
        ids = {r.message_id: r.message async for r in esme.submit_many(numbered(300))}
        receipts = await receipts_of(esme, 300)
        await until(lambda: smsc.summary()["receipts_answered"] == 300)
    assert len(ids) == 300
    assert {receipt.message_id for receipt in receipts} == set(ids)
    for receipt in receipts:
        message = ids[receipt.message_id]
        assert receipt.state is MessageState.DELIVERED
        assert (receipt.source, receipt.destination) == (message.destination_addr.decode(), "1")
        assert receipt.fields is not None
        assert (receipt.fields.id, receipt.fields.stat, receipt.err) == (receipt.message_id, "DELIVRD", "000")
    assert (
        smsc.summary() | {"binds": 1, "submits": 300, "accepted": 300, "receipts_made": 300} == smsc.summary()
    )


async def test_none_means_no_receipts() -> None:
    async with a_loopback(receipts="none") as smsc, an_esme(smsc.port) as esme:
        assert all([r.ok async for r in esme.submit_many(numbered(10))])
    assert smsc.summary()["receipts_made"] == 0


async def test_mixed_receipts_are_nine_tenths_delivered_and_the_same_again_with_the_same_seed() -> None:
    async def states() -> list[MessageState]:
        async with a_loopback(receipts="mixed", seed=7) as smsc, an_esme(smsc.port, window=1000) as esme:
            assert all([r.ok async for r in esme.submit_many(numbered(1000))])
            return [receipt.state for receipt in await receipts_of(esme, 1000)]

    first, second = await states(), await states()
    assert first == second
    counts = Counter(first)
    assert 850 < counts[MessageState.DELIVERED] < 950
    others = {MessageState.UNDELIVERABLE, MessageState.EXPIRED, MessageState.REJECTED}
    assert set(counts) == {MessageState.DELIVERED, *others}


async def test_responses_and_receipts_come_as_late_as_told() -> None:
    async with a_loopback(latency_ms=30, receipt_delay_ms=50) as smsc, an_esme(smsc.port) as esme:
        began = time.monotonic()
        assert all([r.ok async for r in esme.submit_many(numbered(20))])
        answered = time.monotonic()
        await receipts_of(esme, 20)
        received = time.monotonic()
    assert answered - began >= 0.028
    assert received - began >= 0.078


async def test_above_the_rate_messages_are_throttled() -> None:
    async with a_loopback(rate=25) as smsc, an_esme(smsc.port) as esme:
        statuses = Counter([r.command_status async for r in esme.submit_many(numbered(60))])
        assert statuses == {0: 25, CommandStatus.ESME_RTHROTTLED: 35}
        with pytest.raises(SubmitFailed) as caught:
            await esme.submit("1", "2", "Hi")
        assert caught.value.command_status == CommandStatus.ESME_RTHROTTLED
    assert smsc.summary()["throttled"] == 36


async def test_as_many_as_told_are_refused_with_the_status_told() -> None:
    settings = {"error_percent": 20, "error_status": CommandStatus.ESME_RINVDSTADR, "seed": 1}
    async with a_loopback(**settings) as smsc, an_esme(smsc.port) as esme:
        statuses = Counter([r.command_status async for r in esme.submit_many(numbered(500))])
    assert set(statuses) == {0, CommandStatus.ESME_RINVDSTADR}
    assert 60 < statuses[CommandStatus.ESME_RINVDSTADR] < 140
    assert smsc.summary()["errors"] == statuses[CommandStatus.ESME_RINVDSTADR]


async def test_a_connection_is_reset_at_the_message_told_and_that_one_has_no_answer() -> None:
    async with a_loopback(drop_after=10) as smsc, an_esme(smsc.port, window=1) as esme:
        results = [r async for r in esme.submit_many(numbered(25))]
    assert [index for index, r in enumerate(results) if not r.ok] == [9, 19]
    summary = smsc.summary()
    assert (summary["drops"], summary["binds"], summary["accepted"]) == (2, 3, 23)


async def test_handsets_write_at_the_rate_told_and_as_often() -> None:
    settings = {"mo_rate": 500, "mo_count": 20, "mo_source": "+16665550123", "mo_destination": "12345"}
    async with a_loopback(**settings, mo_text="STOP €") as smsc, an_esme(smsc.port) as esme:
        began = time.monotonic()
        messages = [await anext(esme) for _ in range(20)]
        took = time.monotonic() - began
        await until(lambda: smsc.summary()["mo_answered"] == 20)
    assert smsc.summary()["mo_sent"] == 20
    assert took >= 0.03
    for message in messages:
        assert isinstance(message, MoMessage)
        assert (message.source, message.destination, message.text) == ("16665550123", "12345", "STOP €")


async def test_whoever_does_not_know_the_password_is_refused() -> None:
    async with a_loopback(password="secret") as smsc:
        async with an_esme(smsc.port, password="secret"):
            assert len(smsc.bound) == 1
        with pytest.raises(BindRefused):
            async with an_esme(smsc.port, password="other"):
                pass
    assert (smsc.summary()["binds"], smsc.summary()["binds_refused"]) == (1, 1)
    assert "secret" not in repr(LoopbackSettings(password="secret"))


def test_a_reply_that_no_message_can_carry_is_refused_at_once() -> None:
    with pytest.raises(EncodeError):
        a_loopback(mo_text="x" * 300)


async def test_it_runs_until_it_is_stopped_and_returns_its_summary() -> None:
    stop = asyncio.Event()
    listening: asyncio.Future[LoopbackSmsc] = asyncio.get_running_loop().create_future()
    running = asyncio.ensure_future(
        run(LoopbackSettings(port=0), stop=stop, on_listening=listening.set_result)
    )
    smsc = await listening
    async with an_esme(smsc.port) as esme:
        await esme.submit("1", "2", "Hi", receipt=False)
        with pytest.raises(ConnectionFailed, match="cannot listen"):
            await run(LoopbackSettings(port=smsc.port), stop=stop)
    stop.set()
    assert (await running)["accepted"] == 1


@pytest.mark.parametrize("code", examples_of(LoopbackSmsc))
async def test_the_example_runs(code: str) -> None:
    names = {"LoopbackSmsc": LoopbackSmsc, "LoopbackSettings": LoopbackSettings}
    (receipt, (summary,)) = await run_example(code, **names)
    assert receipt[0] is True
    assert summary["receipts_answered"] == 1
