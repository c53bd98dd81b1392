"""The npm package smpp as an ESME of the gateway, with the loopback SMSC as its carrier, over sockets."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from smppgw.pdu.constants import CommandId, CommandStatus, MessageState
from smppgw.settings import ListenSettings, OutbindSettings
from tests.interop.node_peer import NodePeer, needs_node
from tests.interop.texts import SENT, texts
from tests.support import Relay, an_esme, bodies, relay, until

pytestmark = needs_node

SOURCE = "12065550100"
ADDRESSED = {
    "source_addr_ton": 1,
    "source_addr_npi": 1,
    "source_addr": SOURCE,
    "dest_addr_ton": 1,
    "dest_addr_npi": 1,
    "destination_addr": "16665550199",
    "registered_delivery": 1,
}


@asynccontextmanager
async def node_esme() -> AsyncIterator[NodePeer]:
    async with NodePeer("esme.js") as node:
        yield node


async def bind(node: NodePeer, here: Relay, mode: str = "transceiver", **fields: Any) -> int:
    """Connect and bind; return the session."""
    session: int = (await node.ask("connect", port=here.port))["session"]
    response = await node.request(session, f"bind_{mode}", system_id="app", password="secret", **fields)
    assert response["command_status"] == CommandStatus.ESME_ROK
    return session


def receipted(node: NodePeer) -> dict[str, str]:
    """The address that each receipt is about, by message_id."""
    return {
        event["pdu"]["receipted_message_id"]: event["pdu"]["source_addr"]
        for event in node.happened("deliver_sm")
    }


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_real_texts_reach_the_carrier_octet_for_octet_and_each_part_gets_its_receipt(
    language: str,
) -> None:
    numbered = [
        {"destination": f"1666{serial:07}", "text": text} for serial, text in enumerate(texts(language))
    ]
    async with relay(carrier={"window": 50}) as here, node_esme() as node:
        session = await bind(node, here)
        answer = await node.ask("submit", session=session, source=SOURCE, texts=numbered, window=50)
        submitted = answer["submitted"]
        await node.until_happened("deliver_sm", len(submitted))
        await node.request(session, "unbind")

    parts = Counter(part["destination"] for part in submitted)
    assert len(parts) == SENT
    assert sum(1 for count in parts.values() if count > 1) >= 20, "no long texts among them"
    assert {part["command_status"] for part in submitted} == {CommandStatus.ESME_ROK}

    assert here.relayed() == here.submitted()
    assert len(here.relayed()) == len(submitted)

    expected = {part["message_id"]: part["destination"] for part in submitted}
    assert len(expected) == len(submitted), "a message_id was given twice"
    receipts = [event["pdu"] for event in node.happened("deliver_sm")]
    assert receipted(node) == expected
    assert len(receipts) == len(submitted)
    for pdu in receipts:
        assert (pdu["esm_class"], pdu["destination_addr"]) == (0x04, SOURCE)
        assert pdu["message_state"] == MessageState.DELIVERED
        assert pdu["short_message"]["message"].startswith(f"id:{pdu['receipted_message_id']} sub:")
        assert " stat:DELIVRD " in pdu["short_message"]["message"]


async def test_a_transmitter_submits_and_the_receiver_gets_the_receipts() -> None:
    async with relay() as here, node_esme() as node:
        transmitter = await bind(node, here, "transmitter")
        receiver = await bind(node, here, "receiver")
        response = await node.request(transmitter, "submit_sm", **ADDRESSED, short_message="hello")
        [receipt] = await node.until_happened("deliver_sm")
    assert receipt["session"] == receiver
    assert receipt["pdu"]["receipted_message_id"] == response["message_id"]


@pytest.mark.parametrize(
    ("offered", "told"), [(0x33, None), (0x34, 0x34), (0x50, 0x50)], ids=["3.3", "3.4", "5.0"]
)
async def test_the_bind_response_tells_our_version_to_those_who_know_of_versions(
    offered: int, told: int | None
) -> None:
    async with relay() as here, node_esme() as node:
        session = (await node.ask("connect", port=here.port))["session"]
        response = await node.request(
            session, "bind_transceiver", system_id="app", password="secret", interface_version=offered
        )
    assert response["system_id"] == "smppgw"
    assert response.get("sc_interface_version") == told


async def test_a_wrong_password_is_refused_and_the_connection_closed() -> None:
    async with relay() as here, node_esme() as node:
        session = (await node.ask("connect", port=here.port))["session"]
        response = await node.request(session, "bind_transceiver", system_id="app", password="guess")
        await node.until_happened("closed")
    assert response["command_status"] == CommandStatus.ESME_RINVPASWD


async def test_a_message_before_the_bind_is_refused() -> None:
    async with relay() as here, node_esme() as node:
        session = (await node.ask("connect", port=here.port))["session"]
        response = await node.request(session, "submit_sm", **ADDRESSED, short_message="hello")
    assert response["command_status"] == CommandStatus.ESME_RINVBNDSTS


async def test_enquire_link_is_answered_both_ways() -> None:
    async with relay(listen=ListenSettings(port=0, enquire_link=0.1)) as here, node_esme() as node:
        session = await bind(node, here)
        assert (await node.request(session, "enquire_link"))["command"] == "enquire_link_resp"
        await node.until_happened("enquire_link", 3)
        response = await node.request(session, "submit_sm", **ADDRESSED, short_message="still here")
    assert response["command_status"] == CommandStatus.ESME_ROK


async def test_each_destination_of_a_submit_multi_becomes_a_message_of_its_own() -> None:
    numbers = [f"1666555020{digit}" for digit in range(3)]
    fields = {
        name: value for name, value in ADDRESSED.items() if not name.startswith(("dest_", "destination_"))
    }
    async with relay() as here, node_esme() as node:
        session = await bind(node, here)
        response = await node.request(
            session,
            "submit_multi",
            **fields,
            dest_address=[
                *({"dest_addr_ton": 1, "dest_addr_npi": 1, "destination_addr": number} for number in numbers),
                {"dl_name": "everyone"},
            ],
            short_message="clinic closed today",
        )
        receipts = await node.until_happened("deliver_sm", 3)
    assert response["command_status"] == CommandStatus.ESME_ROK
    assert [entry["error_status_code"] for entry in response["unsuccess_sme"]] == [
        CommandStatus.ESME_RINVDLNAME
    ]
    assert sorted(event["pdu"]["source_addr"] for event in receipts) == numbers
    assert {event["pdu"]["receipted_message_id"] for event in receipts} == {response["message_id"]}
    assert [body.count(b"clinic closed today") for body in here.relayed()] == [1, 1, 1]
    for number, body in zip(numbers, here.relayed(), strict=True):
        assert b"\x01\x01" + number.encode() + b"\0" in body


async def test_a_data_sm_reaches_the_carrier_as_it_is() -> None:
    async with relay() as here, node_esme() as node:
        session = await bind(node, here)
        response = await node.request(
            session, "data_sm", **ADDRESSED, data_coding=8, message_payload="明天见 " * 200
        )
        await until(lambda: bodies(here.at_carrier.forward, CommandId.DATA_SM))
    assert (response["command"], response["command_status"]) == ("data_sm_resp", CommandStatus.ESME_ROK)
    assert response["message_id"]
    assert bodies(here.at_carrier.forward, CommandId.DATA_SM) == bodies(
        here.at_gateway.forward, CommandId.DATA_SM
    )


async def test_optional_parameters_pass_also_those_of_a_vendor() -> None:
    async with relay() as here, node_esme() as node:
        session = await bind(node, here)
        response = await node.request(
            session,
            "submit_sm",
            **ADDRESSED,
            short_message="hello",
            user_message_reference=4711,
            callback_num=[{"digit_mode": 1, "ton": 1, "npi": 1, "number": "12065550100"}] * 2,
            vendor_parameter={"hex": "00ff00"},
        )
        await node.until_happened("deliver_sm")
    assert response["command_status"] == CommandStatus.ESME_ROK
    assert here.relayed() == here.submitted()
    assert here.relayed()[0].endswith(b"\x14\x00\x00\x03\x00\xff\x00")


@pytest.mark.parametrize(
    ("command", "command_status"),
    [
        ("query_sm", CommandStatus.ESME_RINVMSGID),
        ("cancel_sm", CommandStatus.ESME_RINVMSGID),
        ("replace_sm", CommandStatus.ESME_RINVMSGID),
        ("broadcast_sm", CommandStatus.ESME_RINVCMDID),
    ],
)
async def test_what_cannot_be_done_is_answered_with_its_own_response(
    command: str, command_status: int
) -> None:
    fields: dict[str, Any] = {"message_id": "00ff", "source_addr": SOURCE}
    if command == "replace_sm":
        fields["short_message"] = "better"
    if command == "cancel_sm":
        fields["destination_addr"] = "16665550199"
    async with relay() as here, node_esme() as node:
        session = await bind(node, here)
        response = await node.request(session, command, **fields)
    assert response["command_status"] == command_status
    if command != "broadcast_sm":
        assert response["command"] == f"{command}_resp"


async def test_a_receipt_that_the_esme_cannot_take_now_comes_again() -> None:
    async with relay() as here, node_esme() as node:
        session = await bind(node, here)
        await node.ask("answers", statuses=[CommandStatus.ESME_RX_T_APPN])
        response = await node.request(session, "submit_sm", **ADDRESSED, short_message="hello")
        await node.until_happened("deliver_sm", 2)
        await until(lambda: here.gateway.inbound.in_flight == 0)
    assert list(receipted(node)) == [response["message_id"]]


async def test_nothing_is_lost_on_an_esme_that_stops_reading_for_a_while() -> None:
    async with relay(an_esme(window=20)) as here, node_esme() as node:
        receiver = await bind(node, here, "receiver")
        transmitter = await bind(node, here, "transmitter")
        await node.ask("pause", session=receiver)
        numbered = [{"destination": f"1666{serial:07}", "text": "hello"} for serial in range(200)]
        answer = await node.ask("submit", session=transmitter, source=SOURCE, texts=numbered, window=20)
        await until(lambda: here.gateway.store.waiting_deliveries("app") == 180)
        assert here.gateway.inbound.in_flight == 20
        await node.ask("resume", session=receiver)
        await node.until_happened("deliver_sm", 200)
    assert set(receipted(node)) == {part["message_id"] for part in answer["submitted"]}
    assert len(node.happened("deliver_sm")) == 200


async def test_receipts_of_a_connection_that_is_lost_come_on_the_next_one() -> None:
    async with relay() as here, node_esme() as node:
        receiver = await bind(node, here, "receiver")
        transmitter = await bind(node, here, "transmitter")
        await node.ask("pause", session=receiver)
        numbered = [{"destination": f"1666{serial:07}", "text": "hello"} for serial in range(50)]
        answer = await node.ask("submit", session=transmitter, source=SOURCE, texts=numbered, window=20)
        await until(lambda: here.gateway.inbound.in_flight == 50)
        await node.ask("destroy", session=receiver)
        await bind(node, here, "receiver")
        await node.until_happened("deliver_sm", 50)
    assert set(receipted(node)) == {part["message_id"] for part in answer["submitted"]}


async def test_an_esme_that_listens_is_called_when_it_is_owed_a_receipt() -> None:
    async with node_esme() as node:
        port = (await node.ask("listen", system_id="app", password="secret"))["port"]
        outbind = OutbindSettings("127.0.0.1", port, password="knock")
        async with relay(an_esme(outbind=outbind)) as here:
            transmitter = await bind(node, here, "transmitter")
            response = await node.request(transmitter, "submit_sm", **ADDRESSED, short_message="hello")
            await node.until_happened("deliver_sm")
    [call] = node.happened("outbind")
    assert (call["pdu"]["system_id"], call["pdu"]["password"]) == ("smppgw", "knock")
    [bound] = node.happened("bound")
    assert bound["pdu"]["command_status"] == CommandStatus.ESME_ROK
    [receipt] = node.happened("deliver_sm")
    assert receipt["session"] == call["session"]
    assert receipt["pdu"]["receipted_message_id"] == response["message_id"]


async def test_a_gateway_that_stops_unbinds_its_esmes() -> None:
    async with relay() as here, node_esme() as node:
        await bind(node, here)
        await here.gateway.stop()
        await node.until_happened("closed")
    assert len(node.happened("unbind")) == 1
    assert bodies(here.at_gateway.forward, CommandId.UNBIND_RESP) == [b""]
