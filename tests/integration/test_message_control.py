"""query_sm, cancel_sm, replace_sm and the times of messages, over real sockets: an ESME, a gateway, a carrier."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pytest
import structlog
from smpplib import consts
from structlog.testing import LogCapture

from smppgw import Esme, Smsc
from smppgw.gateway import Gateway
from smppgw.library.bound import BoundEsme
from smppgw.library.delivery import DeliveryReceipt
from smppgw.pdu._generated import CancelSm, DataSm, QuerySm, ReplaceSm, SubmitSm
from smppgw.pdu.constants import CommandStatus, MessageState, TlvTag
from smppgw.pdu.times import format_absolute, parse_time
from smppgw.pdu.tlv import make_tlv, tlv_value
from smppgw.settings import GatewaySettings, StoreSettings
from tests.interop.smpplib_peer import SmpplibEsme
from tests.peers import client, receipt_for, submit_sm
from tests.support import WAIT_SECONDS, a_carrier, an_esme, settings_of, until

OK = CommandStatus.ESME_ROK
SOURCE = b"12065550100"


class Desk(NamedTuple):
    """A gateway whose carrier is away until it comes; what the carrier got, and when."""

    gateway: Gateway
    carrier_port: int
    got: list[tuple[datetime, Any]]

    @property
    def port(self) -> int:
        return self.gateway.server.port

    def texts(self) -> list[bytes]:
        return [pdu.short_message for _, pdu in self.got]

    @asynccontextmanager
    async def carrier(self) -> AsyncIterator[None]:
        """Let the carrier come; it takes everything, and reports it as delivered."""

        def take(esme: BoundEsme, pdu: Any) -> str:
            self.got.append((datetime.now(UTC), pdu))
            message_id = f"id-{len(self.got)}"
            if isinstance(pdu, SubmitSm) and pdu.registered_delivery:
                receipt = receipt_for(pdu, message_id.encode())
                asyncio.get_running_loop().call_soon(esme.deliver_nowait, receipt)
            return message_id

        async with Smsc(port=self.carrier_port, on_submit=take, on_request=take):
            yield


@asynccontextmanager
async def open_desk(
    gateway: GatewaySettings, store: StoreSettings, *, window: int = 100, **clocks: Any
) -> AsyncIterator[Desk]:
    """A desk where "app" and "shop" may bind; `clocks` are those of its gateway."""
    async with Smsc(port=0) as reserved:
        port = reserved.port
    settings = settings_of(
        an_esme(window=window), an_esme("shop"), carriers=(a_carrier(port),), gateway=gateway, store=store
    )
    at = Desk(Gateway(settings, structlog.wrap_logger(None, processors=[LogCapture()]), **clocks), port, [])
    await at.gateway.start()
    try:
        yield at
    finally:
        await at.gateway.stop()


class OpenDesk(Protocol):
    def __call__(self, **settings: Any) -> AbstractAsyncContextManager[Desk]: ...


@pytest.fixture(params=["wal", "unsafe-memory"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> OpenDesk:
    """Opens a desk, as `open_desk`, over each store."""
    return partial(
        open_desk,
        GatewaySettings(data_dir=tmp_path, drain_timeout=0.1),
        StoreSettings(backend=request.param, segment_bytes=1 << 20),
    )


async def submit(esme: Esme, number: int = 0, **fields: Any) -> bytes:
    """Submit a message; return its id."""
    response = await esme.request(submit_sm(number, **fields))
    assert response.command_status == OK
    assert isinstance(response.message_id, bytes)
    return response.message_id


async def state_of(esme: Esme, message_id: bytes) -> int:
    response = await esme.request(QuerySm(message_id=message_id, source_addr=SOURCE))
    assert response.command_status == OK
    assert isinstance(response.message_state, int)
    return response.message_state


async def receipts(esme: Esme, count: int) -> list[tuple[bytes, MessageState | None]]:
    """The next receipts: of which message, and what they say."""
    found = []
    for _ in range(count):
        receipt = await asyncio.wait_for(anext(esme), WAIT_SECONDS)
        assert isinstance(receipt, DeliveryReceipt)
        found.append((receipt.message_id.encode(), receipt.state))
    return found


async def test_smpplib_is_told_what_has_become_of_its_message(desk: OpenDesk) -> None:
    async with desk() as at:

        def ask() -> tuple[Any, Any, Any]:
            with SmpplibEsme(at.port) as esme:
                esme.bind()
                message_id = esme.submit(short_message=b"hello").message_id.decode()
                question = {
                    "message_id": message_id,
                    "source_addr_ton": consts.SMPP_TON_INTL,
                    "source_addr_npi": consts.SMPP_NPI_ISDN,
                    "source_addr": "12065550100",
                }
                queued = esme.request("query_sm", **question)
                loop.call_soon_threadsafe(come.set)
                esme.read_until(lambda: esme.received["deliver_sm"])
                delivered = esme.request("query_sm", **question)
                strange = esme.request("query_sm", **{**question, "message_id": "0" * 16})
                return queued, delivered, strange

        loop, come = asyncio.get_running_loop(), asyncio.Event()
        smpplib = loop.run_in_executor(None, ask)
        await come.wait()
        async with at.carrier():
            queued, delivered, strange = await smpplib
        assert (queued.status, queued.message_state, queued.error_code) == (OK, MessageState.ENROUTE, 0)
        assert not queued.final_date
        assert delivered.message_id == queued.message_id
        assert delivered.message_state == MessageState.DELIVERED
        final = parse_time(delivered.final_date, now=datetime.now(UTC))
        assert final is not None
        assert timedelta(0) <= datetime.now(UTC) - final < timedelta(seconds=WAIT_SECONDS)
        assert strange.status == CommandStatus.ESME_RINVMSGID


async def test_an_esme_has_a_say_in_its_own_messages_alone(desk: OpenDesk) -> None:
    async with desk() as at, client(at.port) as esme, client(at.port, "shop") as other:
        message_id = await submit(esme)
        for question in (
            QuerySm(message_id=message_id, source_addr=SOURCE),
            CancelSm(message_id=message_id, source_addr=SOURCE),
            ReplaceSm(message_id=message_id, source_addr=SOURCE, short_message=b"mine"),
        ):
            assert (await other.request(question)).command_status == CommandStatus.ESME_RINVMSGID
        all_of_it = CancelSm(source_addr=SOURCE, destination_addr=b"16660000000")
        assert (await other.request(all_of_it)).command_status == CommandStatus.ESME_RCANCELFAIL
        assert await state_of(esme, message_id) == MessageState.ENROUTE


async def test_what_is_cancelled_never_leaves_and_its_receipt_says_deleted(desk: OpenDesk) -> None:
    async with desk() as at, client(at.port) as esme:
        ids = [await submit(esme, number) for number in range(3)]
        cancel = CancelSm(message_id=ids[1], source_addr=SOURCE)
        assert (await esme.request(cancel)).command_status == OK
        assert await receipts(esme, 1) == [(ids[1], MessageState.DELETED)]
        assert await state_of(esme, ids[1]) == MessageState.DELETED
        async with at.carrier():
            assert {message_id for message_id, _ in await receipts(esme, 2)} == {ids[0], ids[2]}
        assert at.texts() == [b"message 0", b"message 2"]
        too_late = CancelSm(message_id=ids[0], source_addr=SOURCE)
        assert (await esme.request(too_late)).command_status == CommandStatus.ESME_RCANCELFAIL


async def test_all_messages_to_a_destination_are_cancelled_at_once(desk: OpenDesk) -> None:
    async with desk() as at, client(at.port) as esme:
        for number, service_type in ((1, b""), (1, b"CMT"), (2, b""), (1, b"OWN")):
            await submit(esme, number, service_type=service_type, registered_delivery=0)
        destination = submit_sm(1).destination_addr
        of_one_type = CancelSm(service_type=b"CMT", source_addr=SOURCE, destination_addr=destination)
        assert (await esme.request(of_one_type)).command_status == OK
        assert at.gateway.store.queued("app") == 3
        of_any_type = CancelSm(source_addr=SOURCE, destination_addr=destination)
        assert (await esme.request(of_any_type)).command_status == OK
        assert (await esme.request(of_any_type)).command_status == CommandStatus.ESME_RCANCELFAIL
        async with at.carrier():
            await until(lambda: not at.gateway.store.queued("app"))
        assert at.texts() == [b"message 2"]


async def test_what_is_replaced_leaves_in_its_place_with_the_new_text(desk: OpenDesk) -> None:
    async with desk() as at, client(at.port) as esme:
        ids = [await submit(esme, number) for number in range(3)]
        replace = ReplaceSm(
            message_id=ids[1], source_addr=SOURCE, short_message=b"better", registered_delivery=1
        )
        assert (await esme.request(replace)).command_status == OK
        async with at.carrier():
            assert sorted(await receipts(esme, 3)) == [
                (message_id, MessageState.DELIVERED) for message_id in ids
            ]
        assert at.texts() == [b"message 0", b"better", b"message 2"]
        assert (await esme.request(replace)).command_status == CommandStatus.ESME_RREPLACEFAIL


async def test_an_expired_message_never_leaves_and_its_receipt_says_so(desk: OpenDesk) -> None:
    async with desk() as at, client(at.port) as esme:
        second = b"000000000001000R"
        expiring = [
            await submit(esme, 1, validity_period=second),
            await submit(esme, 2, validity_period=second, registered_delivery=0),
        ]
        limit = make_tlv(TlvTag.QOS_TIME_TO_LIVE, 1)
        data = DataSm(source_addr=SOURCE, destination_addr=b"1666", registered_delivery=1, tlvs=(limit,))
        expiring.append((await esme.request(data)).message_id)
        staying = await submit(esme, 3, validity_period=b"000001000000000R")
        assert sorted(await receipts(esme, 2)) == [
            (message_id, MessageState.EXPIRED) for message_id in (expiring[0], expiring[2])
        ]
        for message_id in expiring:
            assert await state_of(esme, message_id) == MessageState.EXPIRED
        async with at.carrier():
            assert await receipts(esme, 1) == [(staying, MessageState.DELIVERED)]
        assert at.texts() == [b"message 3"]
        assert 'smppgw_messages_expired_total{esme="app"} 3.0' in at.gateway.metrics.render().decode()


async def test_a_carrier_is_told_when_a_validity_ends_and_not_how_long_it_was(desk: OpenDesk) -> None:
    async with desk() as at, client(at.port) as esme:
        before = datetime.now(UTC)
        await submit(esme, 1, validity_period=b"000000010000000R")
        absolute = format_absolute(before + timedelta(hours=5), offset_quarters=-20)
        await submit(esme, 2, validity_period=absolute)
        async with at.carrier():
            await receipts(esme, 2)
        [(_, relative), (_, other)] = at.got
        assert relative.validity_period.endswith(b"00+")
        until_then = parse_time(relative.validity_period, now=before)
        assert until_then is not None
        assert timedelta(minutes=59) < until_then - before < timedelta(minutes=61)
        assert other.validity_period == absolute


async def test_a_carrier_is_told_what_is_left_of_a_time_to_live(desk: OpenDesk) -> None:
    passed = [0]
    async with (
        desk(clock=lambda: time.monotonic_ns() + passed[0]) as at,
        client(at.port) as esme,
    ):
        limit = make_tlv(TlvTag.QOS_TIME_TO_LIVE, 60)
        data = DataSm(source_addr=SOURCE, destination_addr=b"1666", tlvs=(limit,))
        assert (await esme.request(data)).command_status == OK
        passed[0] = 20 * 1_000_000_000
        async with at.carrier():
            await until(lambda: at.got)
        [(_, pdu)] = at.got
        left = tlv_value(pdu.tlvs, TlvTag.QOS_TIME_TO_LIVE)
        assert isinstance(left, int)
        assert 20 < left <= 40


async def test_a_scheduled_message_waits_for_its_time_and_the_carrier_is_told_of_none(desk: OpenDesk) -> None:
    async with desk() as at, at.carrier():
        await until(lambda: at.gateway.carriers["carrier"].up)
        async with client(at.port, interface_version=0x50) as esme, client(at.port) as of_3_4:
            due = datetime.now(UTC) + timedelta(seconds=2)
            scheduled = await submit(esme, 1, schedule_delivery_time=format_absolute(due))
            at_once = await submit(esme, 2)
            assert await state_of(esme, scheduled) == MessageState.SCHEDULED
            assert await state_of(of_3_4, scheduled) == MessageState.ENROUTE
            got = dict(await either(esme, of_3_4, 2))
            assert got == dict.fromkeys((scheduled, at_once), MessageState.DELIVERED)
            [(_, first), (left, second)] = at.got
            assert (first.short_message, second.short_message) == (b"message 2", b"message 1")
            assert left >= due.replace(microsecond=due.microsecond // 100_000 * 100_000)
            assert second.schedule_delivery_time == b""


async def either(one: Esme, other: Esme, count: int) -> list[tuple[bytes, MessageState | None]]:
    """The next receipts, on whichever bind they come."""
    found: list[tuple[bytes, MessageState | None]] = []

    async def read(esme: Esme) -> None:
        while True:
            found.extend(await receipts(esme, 1))

    tasks = [asyncio.create_task(read(esme)) for esme in (one, other)]
    try:
        await until(lambda: len(found) >= count)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return found


async def test_a_scheduled_message_can_be_cancelled_or_sent_at_once(desk: OpenDesk) -> None:
    async with desk() as at, at.carrier(), client(at.port) as esme:
        later = {"schedule_delivery_time": b"000001000000000R"}
        ids = [await submit(esme, number, **later) for number in range(2)]
        cancel = CancelSm(message_id=ids[0], source_addr=SOURCE)
        assert (await esme.request(cancel)).command_status == OK
        assert await receipts(esme, 1) == [(ids[0], MessageState.DELETED)]
        replace = ReplaceSm(
            message_id=ids[1],
            source_addr=SOURCE,
            schedule_delivery_time=b"000000000000000R",
            registered_delivery=1,
            short_message=b"now",
        )
        assert (await esme.request(replace)).command_status == OK
        assert await receipts(esme, 1) == [(ids[1], MessageState.DELIVERED)]
        assert at.texts() == [b"now"]


async def test_a_flood_of_questions_is_bounded_by_the_window(desk: OpenDesk) -> None:
    async with desk(window=5) as at, client(at.port, window=50) as esme:
        message_id = await submit(esme)
        question = QuerySm(message_id=message_id, source_addr=SOURCE)
        answers = await asyncio.gather(*(esme.request(question) for _ in range(50)))
        statuses = [answer.command_status for answer in answers]
        assert set(statuses) <= {OK, CommandStatus.ESME_RTHROTTLED}
        assert statuses.count(OK) >= 5
