"""The npm package smpp as the SMSC of a carrier, with smpplib as the ESME of the gateway, over sockets."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import pytest
from structlog.testing import LogCapture

from smppgw import DeliveryReceipt, Esme, MoMessage
from smppgw.gateway import Gateway
from smppgw.pdu.constants import CommandStatus, MessageState
from smppgw.settings import EsmeSettings, GatewaySettings
from tests.interop.node_peer import NodePeer, needs_node
from tests.interop.smpplib_peer import SOURCE, SmpplibEsme, addressed
from tests.interop.texts import texts
from tests.support import Tap, a_carrier, an_esme, running, settings_of, until

pytestmark = needs_node

FROM_HANDSET = {
    "source_addr_ton": 1,
    "source_addr_npi": 1,
    "source_addr": "16665550199",
    "dest_addr_ton": 1,
    "dest_addr_npi": 1,
    "destination_addr": SOURCE,
}


class Carried(NamedTuple):
    """A gateway whose carrier is a node process, with a tap between the two."""

    gateway: Gateway
    node: NodePeer
    tap: Tap
    port: int
    """Where ESMEs bind."""

    def sessions(self) -> list[int]:
        """The sessions that the carrier sees, by number."""
        closed = {event["session"] for event in self.node.happened("closed")}
        binds = [event for event in self.node.events if event["event"].startswith("bind_")]
        return [event["session"] for event in binds if event["session"] not in closed]


@asynccontextmanager
async def carried(
    *esmes: EsmeSettings,
    carrier: Mapping[str, Any] | None = None,
    log: LogCapture | None = None,
    bound: bool = True,
    **tables: Any,
) -> AsyncIterator[Carried]:
    async with NodePeer("smsc.js") as node:
        port = (await node.ask("listen"))["port"]
        async with (
            Tap(port) as tap,
            running(
                settings_of(
                    *(esmes or (an_esme(),)), carriers=(a_carrier(tap.port, **(carrier or {})),), **tables
                ),
                log=log,
                bound=bound,
            ) as gateway,
        ):
            yield Carried(gateway, node, tap, gateway.server.port)


def send_texts(port: int, wanted: list[str]) -> SmpplibEsme:
    """Submit texts as a transceiver and stay until there is a receipt for each part."""
    with SmpplibEsme(port) as esme:
        esme.bind()
        esme.submit_texts(wanted)
        esme.read_until(lambda: len(esme.received["deliver_sm"]) >= len(esme.sent))
    return esme


@pytest.mark.parametrize("mode", ["trx", "tx+rx"])
@pytest.mark.parametrize("language", ["en", "zh"])
async def test_real_texts_go_through_and_their_receipts_come_home(mode: str, language: str) -> None:
    wanted = texts(language)[:250]
    async with carried(carrier={"bind": mode, "window": 20}) as here:
        esme = await asyncio.to_thread(send_texts, here.port, wanted)
        await here.node.until_happened("receipt_answered", len(esme.sent))
    assert len(here.node.happened("submit_sm")) == len(esme.sent) > len(wanted)
    assert len(esme.expected_receipts()) == len(esme.sent)
    assert esme.receipts() == esme.expected_receipts()
    assert {pdu.message_state for pdu in esme.received["deliver_sm"]} == {MessageState.DELIVERED}
    answers = {event["pdu"]["command_status"] for event in here.node.happened("receipt_answered")}
    assert answers == {CommandStatus.ESME_ROK}
    kinds = {event["event"] for event in here.node.events if event["event"].startswith("bind_")}
    assert kinds == ({"bind_transceiver"} if mode == "trx" else {"bind_transmitter", "bind_receiver"})
    if mode == "tx+rx":
        [receiver] = here.node.happened("bind_receiver")
        assert receiver["session"] not in {event["session"] for event in here.node.happened("submit_sm")}


@pytest.mark.parametrize(
    ("behaviour", "message_id"),
    [
        ({"receipt": "before"}, "auto"),
        ({"ids": "hex"}, "auto"),
        ({"ids": "hex-dec"}, "hex-dec"),
        ({"carry": "text"}, "auto"),
        ({"carry": "tlvs"}, "auto"),
    ],
    ids=["before-the-response", "hex", "hex-then-decimal", "text-alone", "tlvs-alone"],
)
async def test_a_receipt_finds_its_message_however_the_carrier_writes_it(
    behaviour: dict[str, str], message_id: str
) -> None:
    async with carried(carrier={"message_id": message_id}) as here:
        await here.node.ask("behave", changes=behaviour)
        esme = await asyncio.to_thread(send_texts, here.port, ["hello"] * 20)
    assert esme.receipts() == esme.expected_receipts()
    for pdu in esme.received["deliver_sm"]:
        assert pdu.message_state == MessageState.DELIVERED
        assert pdu.short_message.startswith(b"id:%b sub:" % pdu.receipted_message_id)
        assert b" stat:DELIVRD " in pdu.short_message


async def test_a_refusal_for_good_becomes_a_receipt_that_says_so() -> None:
    async with carried() as here:
        await here.node.ask("behave", changes={"statuses": [CommandStatus.ESME_RINVDSTADR]})
        esme = await asyncio.to_thread(send_texts, here.port, ["to nobody", "to somebody"])
    by_state = {pdu.message_state: pdu for pdu in esme.received["deliver_sm"]}
    assert by_state.keys() == {MessageState.UNDELIVERABLE, MessageState.DELIVERED}
    undelivered = by_state[MessageState.UNDELIVERABLE]
    assert undelivered.source_addr == b"16660000000"
    assert b" stat:UNDELIV err:00B " in undelivered.short_message


async def test_what_the_carrier_cannot_take_now_goes_again() -> None:
    statuses = [CommandStatus.ESME_RTHROTTLED, CommandStatus.ESME_RSYSERR, CommandStatus.ESME_RMSGQFUL]
    async with carried() as here:
        await here.node.ask("behave", changes={"statuses": statuses})
        esme = await asyncio.to_thread(send_texts, here.port, ["hello"] * 10)
    assert esme.receipts() == esme.expected_receipts()
    assert {pdu.message_state for pdu in esme.received["deliver_sm"]} == {MessageState.DELIVERED}
    assert len(here.node.happened("submit_sm")) == 13


@pytest.mark.parametrize("how", ["the carrier resets", "the network resets", "the carrier unbinds"])
async def test_nothing_is_lost_when_a_carrier_goes_with_messages_in_flight(how: str) -> None:
    window = 10
    async with carried(carrier={"window": window}) as here:
        await here.node.ask("behave", changes={"hold": True})
        sending = asyncio.create_task(asyncio.to_thread(send_texts, here.port, ["hello"] * 50))
        await here.node.until_happened("submit_sm", window)
        assert len(here.node.happened("submit_sm")) == window
        await here.node.ask("behave", changes={"hold": False})
        [session] = here.sessions()
        if how == "the carrier resets":
            await here.node.ask("destroy", session=session)
        elif how == "the network resets":
            here.tap.cut()
        else:
            await here.node.request(session, "unbind")
        esme = await sending
    assert esme.receipts() == esme.expected_receipts()
    seen = Counter(event["pdu"]["destination_addr"] for event in here.node.happened("submit_sm"))
    assert len(seen) == 50
    assert sum(seen.values()) == 50 + window, "sent again is what was in flight, and nothing else"


async def test_the_carrier_may_ask_whether_the_link_is_up() -> None:
    async with carried() as here:
        [session] = here.sessions()
        assert (await here.node.request(session, "enquire_link"))["command"] == "enquire_link_resp"


async def test_the_gateway_asks_the_carrier_whether_the_link_is_up() -> None:
    async with carried(carrier={"enquire_link": 0.1}) as here:
        await here.node.until_happened("enquire_link", 3)
        assert len(here.sessions()) == 1


async def test_a_carrier_that_refuses_the_password_is_logged_and_not_hammered() -> None:
    log = LogCapture()
    async with carried(carrier={"password": "guess", "reconnect_max": 60.0}, log=log, bound=False) as here:
        await until(lambda: any(entry["event"] == "carrier_bind_failed" for entry in log.entries))
        await here.node.until_happened("closed")
        assert len(here.node.happened("bind_transceiver")) == 1
        assert not here.gateway.not_ready(), "ESMEs may still bind and submit"
    [failed] = [entry for entry in log.entries if entry["event"] == "carrier_bind_failed"]
    assert failed["log_level"] == "error"
    assert "ESME_RINVPASWD" in failed["error"]
    assert failed["retry_in"] >= 30


async def test_a_message_of_a_handset_goes_to_the_esme_that_owns_the_number() -> None:
    def bind_and_read(port: int, system_id: str, wanted: int) -> list[Any]:
        with SmpplibEsme(port) as esme:
            esme.bind("receiver", system_id=system_id)
            esme.read_until(lambda: len(esme.received["deliver_sm"]) == wanted)
        return esme.received["deliver_sm"]

    second_esme = an_esme("second", sources=("+12065550101",), long_mo="parts")
    async with carried(an_esme("first", sources=("12065550100",)), second_esme) as here:
        [session] = here.sessions()
        first = asyncio.create_task(asyncio.to_thread(bind_and_read, here.port, "first", 1))
        second = asyncio.create_task(asyncio.to_thread(bind_and_read, here.port, "second", 2))
        udh = {"hex": "050003420201"}
        for number, message in (
            ("12065550100", {"short_message": "Yes, 10:30 suits me"}),
            ("12065550101", {"short_message": {"udh": udh, "message": "明天见" * 20}, "data_coding": 8}),
            ("+12065550101", {"message_payload": "好的" * 300, "data_coding": 8}),
        ):
            fields = {**FROM_HANDSET, "destination_addr": number, **message}
            response = await here.node.request(session, "deliver_sm", **fields)
            assert response["command_status"] == CommandStatus.ESME_ROK
        nobody = {**FROM_HANDSET, "destination_addr": "12065550199", "short_message": "anyone?"}
        response = await here.node.request(session, "deliver_sm", **nobody)
        assert response["command_status"] == CommandStatus.ESME_ROK
        assert here.gateway.store.waiting_deliveries("") == 1, "what is nobody's is kept"
        [whole] = await first
        part, long = await second
    assert whole.source_addr == b"16665550199"
    assert whole.short_message == b"Yes, 10:30 suits me"
    assert (part.esm_class, part.data_coding) == (0x40, 8)
    assert part.short_message == bytes.fromhex(udh["hex"]) + ("明天见" * 20).encode("utf-16-be")
    assert long.message_payload == ("好的" * 300).encode("utf-16-be")


async def test_a_message_of_a_handset_waits_for_its_esme() -> None:
    def read(port: int) -> bytes:
        with SmpplibEsme(port) as esme:
            esme.bind("receiver")
            esme.read_until(lambda: esme.received["deliver_sm"])
        return bytes(esme.received["deliver_sm"][0].short_message)

    async with carried() as here:
        [session] = here.sessions()
        response = await here.node.request(session, "deliver_sm", **FROM_HANDSET, short_message="hello?")
        assert response["command_status"] == CommandStatus.ESME_ROK
        assert await asyncio.to_thread(read, here.port) == b"hello?"


async def test_a_receipt_may_come_in_a_data_sm() -> None:
    def submit(port: int) -> bytes:
        with SmpplibEsme(port) as esme:
            esme.bind("transmitter")
            return bytes(esme.submit(short_message=b"hello").message_id)

    def collect(port: int) -> Any:
        with SmpplibEsme(port) as esme:
            esme.bind("receiver")
            esme.read_until(lambda: esme.received["deliver_sm"])
        return esme.received["deliver_sm"][0]

    async with carried() as here:
        await here.node.ask("behave", changes={"receipt": "none"})
        message_id = await asyncio.to_thread(submit, here.port)
        await until(lambda: here.gateway.store.queued("app") == 0)
        [session] = here.sessions()
        response = await here.node.request(
            session,
            "data_sm",
            **{**FROM_HANDSET, "esm_class": 4, "data_coding": 0},
            receipted_message_id=str(0x7FFFFF01),
            message_state=int(MessageState.UNDELIVERABLE),
        )
        assert response["command_status"] == CommandStatus.ESME_ROK
        receipt = await asyncio.to_thread(collect, here.port)
    assert receipt.receipted_message_id == message_id
    assert receipt.message_state == MessageState.UNDELIVERABLE
    assert b" stat:UNDELIV " in receipt.short_message


async def test_a_carrier_of_version_3_3_gets_no_optional_parameters() -> None:
    def submit(port: int) -> Any:
        with SmpplibEsme(port) as esme:
            esme.bind()
            esme.submit(short_message=b"hello", user_message_reference=4711)
            esme.read_until(lambda: esme.received["deliver_sm"])
        return esme

    async with carried(carrier={"interface_version": 0x33}) as here:
        await here.node.ask("behave", changes={"carry": "text"})
        esme = await asyncio.to_thread(submit, here.port)
    [bind] = here.node.happened("bind_transceiver")
    assert bind["pdu"]["interface_version"] == 0x33
    [submitted] = here.node.happened("submit_sm")
    assert "user_message_reference" not in submitted["pdu"]
    [receipt] = esme.received["deliver_sm"]
    assert receipt.receipted_message_id == esme.received["submit_sm_resp"][0].message_id


async def test_a_gateway_that_stops_waits_for_what_the_carrier_owes_and_unbinds() -> None:
    def submit(port: int) -> None:
        with SmpplibEsme(port) as esme:
            esme.bind("transmitter")
            for _ in range(5):
                esme.submit(**addressed(registered_delivery=0, short_message=b"hello"))

    settings = GatewaySettings(drain_timeout=20.0)
    async with carried(gateway=settings, carrier={"window": 2}) as here:
        await here.node.ask("behave", changes={"hold": True})
        await asyncio.to_thread(submit, here.port)
        await here.node.until_happened("submit_sm", 2)
        stopping = asyncio.create_task(here.gateway.stop())
        await until(lambda: here.gateway.not_ready() == ["draining"])
        await here.node.ask("release")
        await stopping
        await here.node.until_happened("unbind")
    assert len(here.node.happened("submit_sm")) == 5


async def test_our_own_esme_and_the_npm_package_understand_each_other() -> None:
    async with NodePeer("smsc.js") as node:
        port = (await node.ask("listen"))["port"]
        async with Esme("127.0.0.1", port, system_id="gateway", password="secret") as esme:
            submitted = await esme.submit("+12065550100", "+16665550199", "明天见" * 50)
            receipts = [await anext(esme) for _ in submitted.message_ids]
            reply = asyncio.create_task(
                node.request(1, "deliver_sm", **FROM_HANDSET, short_message="Yes [10:30] suits me, 5 £")
            )
            mo = await anext(esme)
            assert (await reply)["command_status"] == CommandStatus.ESME_ROK
        await node.until_happened("unbind")
    assert len(submitted.message_ids) == 3
    for receipt, message_id in zip(receipts, submitted.message_ids, strict=True):
        assert isinstance(receipt, DeliveryReceipt)
        assert (receipt.message_id, receipt.state) == (message_id, MessageState.DELIVERED)
    parts = [event["pdu"]["short_message"]["message"] for event in node.happened("submit_sm")]
    assert "".join(parts) == "明天见" * 50
    assert isinstance(mo, MoMessage)
    assert (mo.source, mo.destination) == ("16665550199", SOURCE)
    # This library says data_coding 1 for the GSM alphabet, which is what it writes.
    assert mo.pdu.short_message == b"Yes \x1b<10:30\x1b> suits me, 5 \x01"
