"""Long messages to carriers that want parts: one message_id, one receipt, whatever becomes of which part, and when."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from smppgw import Esme, Smsc
from smppgw.gateway import Gateway
from smppgw.library.bound import BoundEsme
from smppgw.library.delivery import DeliveryReceipt
from smppgw.pdu._generated import CancelSm, QuerySm, ReplaceSm, SubmitSm
from smppgw.pdu.constants import CommandStatus, EsmClass, MessageState, TlvTag
from smppgw.pdu.tlv import make_tlv, tlv_value
from smppgw.pdu.udh import build_udh, parse_udh
from smppgw.settings import GatewaySettings, StoreSettings
from tests.peers import client, receipt_for, submit_sm
from tests.support import a_carrier, an_esme, running, settings_of, until

OK = CommandStatus.ESME_ROK
SOURCE = b"12065550100"
TEXT = b"".join(b"%03d " % number for number in range(120))
"""480 characters: four parts, of 153 septets or of 134 octets."""

forms = pytest.mark.parametrize("form", ["udh", "sar"])


class Handsets:
    """A carrier that takes what it gets, or refuses the parts that it is told to; receipts are sent by the test."""

    def __init__(self, port: int = 0, *, refuse: tuple[int, ...] = ()) -> None:
        self.got: list[SubmitSm] = []
        self._refuse = refuse
        self.smsc = Smsc(port=port, on_submit=self._take)

    async def __aenter__(self) -> Handsets:
        await self.smsc.__aenter__()
        return self

    async def __aexit__(self, *exc_info: Any) -> None:
        await self.smsc.__aexit__(*exc_info)

    @property
    def port(self) -> int:
        return self.smsc.port

    def _take(self, _: BoundEsme, pdu: SubmitSm) -> str | int:
        self.got.append(pdu)
        return CommandStatus.ESME_RINVDSTADR if len(self.got) in self._refuse else f"id-{len(self.got)}"

    async def report(self, number: int, state: MessageState = MessageState.DELIVERED) -> None:
        """Send the receipt of a part, counted from 1, and have it answered."""
        receipt = receipt_for(self.got[number - 1], b"id-%d" % number, state)
        answer = await self.smsc.bound[0].deliver(receipt)
        assert answer.command_status == OK

    def text(self) -> bytes:
        """What the handset reads, if it joins the parts in the order of their arrival."""
        return b"".join(
            part.short_message[parse_udh(part.short_message).octets :]
            if part.esm_class & EsmClass.UDHI
            else part.short_message
            for part in self.got
        )

    def places(self) -> list[tuple[Any, ...]]:
        """Total and number of each part, by its header or its optional parameters."""
        found = []
        for part in self.got:
            if part.esm_class & EsmClass.UDHI:
                said = parse_udh(part.short_message).concatenation
                assert said is not None
                found.append((said.total, said.number))
            else:
                tags = (TlvTag.SAR_TOTAL_SEGMENTS, TlvTag.SAR_SEGMENT_SEQNUM)
                found.append(tuple(tlv_value(part.tlvs, tag) for tag in tags))
        return found


@asynccontextmanager
async def relaying(
    carrier: Handsets, form: str = "udh", *, bound: bool = True, **tables: Any
) -> AsyncIterator[tuple[Gateway, Esme]]:
    settings = settings_of(an_esme(), carriers=(a_carrier(carrier.port, long_messages=form),), **tables)
    async with running(settings, bound=bound) as gateway, client(gateway.server.port) as esme:
        yield gateway, esme


async def submit(esme: Esme, text: bytes = TEXT, **fields: Any) -> bytes:
    """Submit a text in message_payload; return its message_id."""
    payload = (*fields.pop("tlvs", ()), make_tlv(TlvTag.MESSAGE_PAYLOAD, text))
    response = await esme.request(submit_sm(**{"short_message": b"", "tlvs": payload, **fields}))
    assert response.command_status == OK
    return bytes(response.message_id)


async def receipt_of(esme: Esme) -> tuple[bytes, MessageState, str, str]:
    """Return id, state, sub and dlvrd of the next receipt."""
    receipt = await anext(esme)
    assert isinstance(receipt, DeliveryReceipt)
    assert receipt.fields is not None
    assert tlv_value(receipt.pdu.tlvs, TlvTag.RECEIPTED_MESSAGE_ID) == receipt.message_id.encode()
    return receipt.message_id.encode(), receipt.state, receipt.fields.sub, receipt.fields.dlvrd


def some_have_left(gateway: Gateway, count: int) -> None:
    """The carrier, which is away now, has taken so many messages."""
    taken = []
    for lane in list(gateway.store.lanes()):
        assert lane.queue is not None
        taken += [lane.queue.head.popleft() for _ in range(min(count, len(lane.queue.head)))]
    gateway.store.took(taken)
    answered = [(message, b"id-%d" % number) for number, message in enumerate(taken, 1)]
    gateway.store.submitted("carrier", answered, (), (), lambda: None)


# ---- what the carrier gets ----------------------------------------------------------------------------------


@forms
@pytest.mark.parametrize(
    ("fields", "text", "parts"),
    [
        ({}, TEXT, 4),
        ({"data_coding": 8}, TEXT[:200].decode().encode("utf-16-be"), 3),
        ({"data_coding": 3}, b"\xe9" * 200, 2),
        ({"data_coding": 4}, bytes(range(256)), 2),
        ({"short_message": TEXT[:161], "tlvs": ()}, TEXT[:161], 2),
        ({"short_message": TEXT[:254], "tlvs": ()}, TEXT[:254], 2),
        ({"short_message": TEXT[:160], "tlvs": ()}, TEXT[:160], 1),
        ({"short_message": b"\xe9" * 141, "tlvs": (), "data_coding": 3}, b"\xe9" * 141, 2),
        ({"short_message": b"\xe9" * 140, "tlvs": (), "data_coding": 3}, b"\xe9" * 140, 1),
    ],
)
async def test_a_carrier_gets_the_parts_in_their_order_and_the_esme_one_id(
    form: str, fields: dict[str, Any], text: bytes, parts: int
) -> None:
    async with Handsets() as carrier, relaying(carrier, form) as (gateway, esme):
        if "short_message" in fields:
            response = await esme.request(submit_sm(**fields))
            message_id = response.message_id
        else:
            message_id = await submit(esme, text, **fields)
        await until(lambda: len(carrier.got) == parts)
        assert carrier.text() == text
        if parts > 1:
            assert carrier.places() == [(parts, number) for number in range(1, parts + 1)]
        for number in range(1, parts + 1):
            assert gateway.store.waiting_deliveries("app") == 0
            await carrier.report(number)
        count = f"{parts:03d}"
        assert await receipt_of(esme) == (message_id, MessageState.DELIVERED, count, count)
        await until(lambda: gateway.store.octets == 0)


async def test_a_carrier_that_takes_long_messages_whole_gets_them_so() -> None:
    async with Handsets() as carrier, relaying(carrier, "whole") as (_, esme):
        await submit(esme)
        await until(lambda: carrier.got)
        assert tlv_value(carrier.got[0].tlvs, TlvTag.MESSAGE_PAYLOAD) == TEXT


@forms
async def test_an_esme_that_splits_by_itself_has_a_receipt_for_each_part(form: str) -> None:
    async with Handsets() as carrier, relaying(carrier, form) as (_, esme):
        ids = []
        for number in (1, 2):
            text = build_udh([(0, bytes((7, 2, number)))]) + b"x" * 150
            pdu = submit_sm(esm_class=EsmClass.UDHI, short_message=text)
            ids.append((await esme.request(pdu)).message_id)
        await until(lambda: len(carrier.got) == 2)
        assert carrier.places() == [(2, 1), (2, 2)]
        assert len(set(ids)) == 2
        for number in (1, 2):
            await carrier.report(number)
            assert await receipt_of(esme) == (ids[number - 1], MessageState.DELIVERED, "001", "001")


async def test_messages_that_stand_close_have_references_of_their_own() -> None:
    async with Handsets() as carrier, relaying(carrier) as (_, esme):
        for _ in range(3):
            await submit(esme)
        await until(lambda: len(carrier.got) == 12)
        references = [parse_udh(part.short_message).concatenation for part in carrier.got]
        assert len({each.reference for each in references if each is not None}) == 3


# ---- one receipt --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [(1, 2, 3, 4), (4, 3, 2, 1), (2, 4, 1, 3)])
@pytest.mark.parametrize("failing", [1, 3])
async def test_a_part_that_is_not_delivered_speaks_for_the_message(
    order: tuple[int, ...], failing: int
) -> None:
    async with Handsets() as carrier, relaying(carrier) as (gateway, esme):
        message_id = await submit(esme)
        await until(lambda: len(carrier.got) == 4)
        for number in order:
            assert gateway.store.waiting_deliveries("app") == 0
            await carrier.report(
                number, MessageState.UNDELIVERABLE if number == failing else MessageState.DELIVERED
            )
        assert await receipt_of(esme) == (message_id, MessageState.UNDELIVERABLE, "004", "003")


async def test_a_part_that_the_carrier_refuses_is_a_part_that_failed() -> None:
    async with Handsets(refuse=(2,)) as carrier, relaying(carrier) as (gateway, esme):
        message_id = await submit(esme)
        await until(lambda: len(carrier.got) == 4 and not gateway.store.queued("app"))
        for number in (1, 3, 4):
            await carrier.report(number)
        receipt = await anext(esme)
        assert isinstance(receipt, DeliveryReceipt)
        assert (receipt.message_id, receipt.err) == (message_id.decode(), "00B")
        assert receipt.state == MessageState.UNDELIVERABLE
        assert tlv_value(receipt.pdu.tlvs, TlvTag.NETWORK_ERROR_CODE) == b"\x08\x00\x0b"
        assert receipt.fields is not None
        assert (receipt.fields.sub, receipt.fields.dlvrd) == ("004", "003")


async def test_parts_that_expire_here_while_others_are_there_have_their_say() -> None:
    async with Handsets() as reserved:
        port = reserved.port
    settings = settings_of(an_esme(), carriers=(a_carrier(port, long_messages="udh"),))
    async with running(settings, bound=False) as gateway, client(gateway.server.port) as esme:
        message_id = await submit(esme, validity_period=b"000000000002000R", registered_delivery=2)
        some_have_left(gateway, 3)
        await until(lambda: not gateway.store.queued("app"))
        assert gateway.store.waiting_deliveries("app") == 0
        async with Handsets(port) as carrier:
            carrier.got += [SubmitSm(source_addr=SOURCE, destination_addr=b"16660000000")] * 3
            await until(lambda: carrier.smsc.bound)
            for number in (3, 1, 2):
                assert gateway.store.waiting_deliveries("app") == 0
                await carrier.report(number)
            assert await receipt_of(esme) == (message_id, MessageState.EXPIRED, "004", "003")


async def test_what_is_cancelled_before_all_of_it_has_left_is_told_when_the_rest_is_final() -> None:
    async with Handsets() as reserved:
        port = reserved.port
    settings = settings_of(an_esme(), carriers=(a_carrier(port, long_messages="udh", window=1),))
    async with running(settings, bound=False) as gateway, client(gateway.server.port) as esme:
        message_id = await submit(esme)
        query = QuerySm(message_id=message_id, source_addr=SOURCE)
        assert (await esme.request(query)).message_state == MessageState.ENROUTE
        text = ReplaceSm(message_id=message_id, source_addr=SOURCE, short_message=b"new")
        assert (await esme.request(text)).command_status == CommandStatus.ESME_RREPLACEFAIL
        some_have_left(gateway, 2)
        cancel = CancelSm(message_id=message_id, source_addr=SOURCE)
        assert (await esme.request(cancel)).command_status == OK
        assert gateway.store.queued("app") == 0
        assert gateway.store.waiting_deliveries("app") == 0
        async with Handsets(port) as carrier:
            carrier.got += [SubmitSm(source_addr=SOURCE, destination_addr=b"16660000000")] * 2
            await until(lambda: carrier.smsc.bound)
            await carrier.report(1)
            await carrier.report(2)
            assert await receipt_of(esme) == (message_id, MessageState.DELETED, "004", "002")
            assert (await esme.request(cancel)).command_status == CommandStatus.ESME_RCANCELFAIL


async def test_a_message_that_is_cancelled_whole_has_one_receipt() -> None:
    async with Handsets() as reserved:
        port = reserved.port
    settings = settings_of(an_esme(), carriers=(a_carrier(port, long_messages="udh"),))
    async with running(settings, bound=False) as gateway, client(gateway.server.port) as esme:
        message_id = await submit(esme)
        cancel = CancelSm(message_id=message_id, source_addr=SOURCE)
        assert (await esme.request(cancel)).command_status == OK
        assert await receipt_of(esme) == (message_id, MessageState.DELETED, "004", "000")
        assert gateway.store.queued("app") == 0


@forms
async def test_a_message_whose_validity_ends_here_has_one_receipt(form: str) -> None:
    async with Handsets() as reserved:
        port = reserved.port
    settings = settings_of(an_esme(), carriers=(a_carrier(port, long_messages=form),))
    async with running(settings, bound=False) as gateway, client(gateway.server.port) as esme:
        message_id = await submit(esme, validity_period=b"000000000001000R")
        assert await receipt_of(esme) == (message_id, MessageState.EXPIRED, "004", "000")
        await until(lambda: gateway.store.octets == 0)


async def test_nothing_can_be_replaced_by_more_than_one_message() -> None:
    async with Handsets() as carrier, relaying(carrier) as (_, esme):
        pdu = submit_sm(
            short_message=b"", replace_if_present_flag=1, tlvs=(make_tlv(TlvTag.MESSAGE_PAYLOAD, TEXT),)
        )
        assert (await esme.request(pdu)).command_status == CommandStatus.ESME_RREPLACEFAIL


# ---- across a restart ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [(1,), (1, 3, 4), ()])
@pytest.mark.parametrize("failing", [0, 1, 2])
async def test_what_was_reported_before_a_restart_counts_after_it(
    tmp_path: Path, before: tuple[int, ...], failing: int
) -> None:
    def state(number: int) -> MessageState:
        return MessageState.UNDELIVERABLE if number == failing else MessageState.DELIVERED

    tables: dict[str, Any] = {
        "gateway": GatewaySettings(data_dir=tmp_path / "data", drain_timeout=5, retry_delay=0.05),
        "store": StoreSettings(segment_bytes=1024 * 1024),
    }
    async with Handsets() as carrier:
        async with relaying(carrier, **tables) as (gateway, esme):
            message_id = await submit(esme)
            await until(lambda: len(carrier.got) == 4 and not gateway.dispatch.in_flight)
            for number in before:
                await carrier.report(number, state(number))
        async with relaying(carrier, **tables) as (gateway, esme):
            for number in {1, 2, 3, 4} - set(before):
                assert gateway.store.waiting_deliveries("app") == 0
                await carrier.report(number, state(number))
            expected = (
                (message_id, MessageState.UNDELIVERABLE, "004", "003")
                if failing
                else (message_id, MessageState.DELIVERED, "004", "004")
            )
            assert await receipt_of(esme) == expected
            assert len(carrier.got) == 4


async def test_parts_that_stand_in_their_lane_leave_after_a_restart_in_their_order(tmp_path: Path) -> None:
    async with Handsets() as reserved:
        port = reserved.port
    tables: dict[str, Any] = {
        "gateway": GatewaySettings(data_dir=tmp_path / "data", drain_timeout=5, retry_delay=0.05),
        "store": StoreSettings(segment_bytes=1024 * 1024),
    }
    away = Handsets(port)
    settings = settings_of(an_esme(), carriers=(a_carrier(port, long_messages="sar"),), **tables)
    async with running(settings, bound=False) as gateway, client(gateway.server.port) as esme:
        message_id = await submit(esme)
    async with away as carrier, running(settings) as gateway, client(gateway.server.port) as esme:
        await until(lambda: len(carrier.got) == 4)
        assert carrier.text() == TEXT
        assert carrier.places() == [(4, number) for number in range(1, 5)]
        for number in (2, 1, 4, 3):
            await carrier.report(number)
        assert await receipt_of(esme) == (message_id, MessageState.DELIVERED, "004", "004")
