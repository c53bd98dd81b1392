"""smpplib from PyPI as an ESME of the gateway, with the loopback SMSC as its carrier, over sockets."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter

import pytest
from smpplib import consts, smpp
from smpplib.exceptions import PDUError
from smpplib.pdu import PDU

from smppgw.library.loopback import LoopbackSettings, LoopbackSmsc
from smppgw.pdu.constants import CommandId, CommandStatus, MessageState
from smppgw.settings import ListenSettings
from tests.interop.smpplib_peer import SOURCE, SmpplibEsme, addressed
from tests.interop.texts import SENT, texts
from tests.support import WAIT_SECONDS, an_esme, bodies, relay, until

DELIVERED = int(MessageState.DELIVERED)


def said(pdu: PDU) -> tuple[object, ...]:
    """What smpplib reads in a submit_sm, or was told to write."""
    fields = (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr)
    fields += (pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr)
    fields += (pdu.esm_class, pdu.data_coding, pdu.registered_delivery, pdu.short_message)
    return tuple(field.encode() if isinstance(field, str) else field for field in fields)


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_real_texts_reach_the_carrier_octet_for_octet_and_each_part_gets_its_receipt(
    language: str,
) -> None:
    def converse(port: int) -> SmpplibEsme:
        with SmpplibEsme(port) as esme:
            esme.bind()
            esme.submit_texts(texts(language))
            esme.read_until(lambda: len(esme.received["deliver_sm"]) >= len(esme.sent))
        return esme

    async with relay(carrier={"window": 50}) as here:
        esme = await asyncio.to_thread(converse, here.port)
    sent = esme.sent

    parts = Counter(pdu.destination_addr for pdu in sent)
    assert len(parts) == SENT
    assert sum(1 for count in parts.values() if count > 1) >= 20, "no long texts among them"
    assert {pdu.data_coding for pdu in sent} >= {8 if language == "zh" else 0}

    at_carrier = [frame for frame in here.at_carrier.forward if frame[4:8] == b"\0\0\0\4"]
    assert here.relayed() == here.submitted()
    assert [said(smpp.parse_pdu(frame, need_sequence=False)) for frame in at_carrier] == [
        said(pdu) for pdu in sent
    ]

    assert {pdu.status for pdu in esme.received["submit_sm_resp"]} == {consts.SMPP_ESME_ROK}
    assert len({pdu.message_id for pdu in esme.received["submit_sm_resp"]}) == len(sent)
    assert esme.receipts() == esme.expected_receipts()
    for pdu in esme.received["deliver_sm"]:
        assert pdu.esm_class == 0x04
        assert pdu.destination_addr == SOURCE.encode()
        assert pdu.message_state == DELIVERED
        text = pdu.short_message.decode("utf-16-be" if pdu.data_coding == 8 else "ascii")
        assert text.startswith(f"id:{pdu.receipted_message_id.decode()} sub:001 dlvrd:001 ")
        assert " stat:DELIVRD err:000 text:" in text
    assert Counter(pdu.data_coding for pdu in esme.received["deliver_sm"]) == Counter(
        pdu.data_coding for pdu in sent
    )


async def test_a_transmitter_submits_and_the_receiver_gets_the_receipts() -> None:
    def converse(port: int) -> None:
        with SmpplibEsme(port) as transmitter, SmpplibEsme(port) as receiver:
            transmitter.bind("transmitter")
            receiver.bind("receiver")
            accepted = {transmitter.submit(short_message=b"hello").message_id for _ in range(10)}
            receiver.read_until(lambda: len(receiver.received["deliver_sm"]) == 10)
            assert {pdu.receipted_message_id for pdu in receiver.received["deliver_sm"]} == accepted
            assert "deliver_sm" not in transmitter.received

    async with relay() as here:
        await asyncio.to_thread(converse, here.port)


async def test_receipts_wait_for_an_esme_that_is_away() -> None:
    def submit(port: int) -> set[bytes]:
        with SmpplibEsme(port) as transmitter:
            transmitter.bind("transmitter")
            return {transmitter.submit(short_message=b"hello").message_id for _ in range(10)}

    def collect(port: int) -> set[bytes]:
        with SmpplibEsme(port) as receiver:
            receiver.bind("receiver")
            receiver.read_until(lambda: len(receiver.received["deliver_sm"]) == 10)
            return {pdu.receipted_message_id for pdu in receiver.received["deliver_sm"]}

    async with relay() as here:
        accepted = await asyncio.to_thread(submit, here.port)
        await until(lambda: here.gateway.store.waiting_deliveries("app") == 10)
        assert await asyncio.to_thread(collect, here.port) == accepted


@pytest.mark.parametrize(
    ("credentials", "command_status"),
    [
        ({"password": "guess"}, CommandStatus.ESME_RINVPASWD),
        ({"system_id": "nobody"}, CommandStatus.ESME_RINVSYSID),
    ],
)
async def test_a_bind_with_wrong_credentials_is_refused(
    credentials: dict[str, str], command_status: int
) -> None:
    def converse(port: int) -> int:
        with SmpplibEsme(port) as esme:
            with pytest.raises(PDUError) as refused:
                esme.bind(**credentials)
            esme.disconnect()
        return int(refused.value.args[1])

    async with relay() as here:
        assert await asyncio.to_thread(converse, here.port) == command_status


async def test_one_bind_too_many_is_refused() -> None:
    def converse(port: int) -> int:
        with SmpplibEsme(port) as first, SmpplibEsme(port) as second:
            first.bind()
            with pytest.raises(PDUError) as refused:
                second.bind()
            second.disconnect()
        return int(refused.value.args[1])

    async with relay(an_esme(max_binds=1)) as here:
        assert await asyncio.to_thread(converse, here.port) == CommandStatus.ESME_RALYBND


async def test_enquire_link_is_answered_both_ways() -> None:
    def converse(port: int) -> None:
        with SmpplibEsme(port) as esme:
            esme.bind()
            assert esme.request("enquire_link").command == "enquire_link_resp"
            esme.read_until(lambda: len(esme.received["enquire_link"]) == 3)
            assert esme.submit(short_message=b"still here").status == consts.SMPP_ESME_ROK

    async with relay(listen=ListenSettings(port=0, enquire_link=0.1)) as here:
        await asyncio.to_thread(converse, here.port)
        answers = bodies(here.at_gateway.forward, CommandId.ENQUIRE_LINK_RESP)
    assert answers[:3] == [b""] * 3


async def test_an_unbind_of_the_esme_is_answered_and_ends_the_connection() -> None:
    def converse(port: int) -> PDU:
        with SmpplibEsme(port) as esme:
            esme.bind()
            answer = esme.unbind()
            assert esme._socket.recv(1) == b"", "the gateway closes"
            esme.disconnect()
        return answer

    async with relay() as here:
        answer = await asyncio.to_thread(converse, here.port)
        await until(lambda: not here.gateway.esme_side.bound)
    assert (answer.command, answer.status) == ("unbind_resp", consts.SMPP_ESME_ROK)


async def test_a_gateway_that_stops_hands_out_the_receipts_it_has_and_unbinds() -> None:
    def submit(port: int) -> set[bytes]:
        with SmpplibEsme(port) as transmitter:
            transmitter.bind("transmitter")
            return {transmitter.submit(short_message=b"hello").message_id for _ in range(20)}

    def collect(port: int) -> set[bytes]:
        with SmpplibEsme(port) as receiver:
            receiver.bind("receiver")
            bound.set()
            assert stopping.wait(WAIT_SECONDS)
            receiver.read_until(lambda: receiver.unbound)
            receiver.disconnect()
        return {pdu.receipted_message_id for pdu in receiver.received["deliver_sm"]}

    bound, stopping = threading.Event(), threading.Event()
    async with relay(an_esme(window=5)) as here:
        accepted = await asyncio.to_thread(submit, here.port)
        await until(lambda: here.gateway.store.waiting_deliveries("app") == 20)
        collecting = asyncio.create_task(asyncio.to_thread(collect, here.port))
        await until(bound.is_set)
        stop = asyncio.create_task(here.gateway.stop())
        stopping.set()
        assert await collecting == accepted
        await stop


async def test_a_long_text_in_message_payload_reaches_the_carrier_as_it_is() -> None:
    text = "".join(texts("zh"))[:5000].encode("utf-16-be")

    def converse(port: int) -> None:
        with SmpplibEsme(port) as esme:
            esme.bind()
            response = esme.submit(data_coding=8, short_message=b"", message_payload=text)
            esme.read_until(lambda: esme.received["deliver_sm"])
            assert esme.received["deliver_sm"][0].receipted_message_id == response.message_id

    async with relay() as here:
        await asyncio.to_thread(converse, here.port)
    assert here.relayed() == here.submitted()
    assert text in here.relayed()[0]


@pytest.mark.parametrize(
    ("data_coding", "short_message"),
    [
        (consts.SMPP_ENCODING_ISO88591, "Ça coûte 3 £".encode("latin-1")),
        (consts.SMPP_ENCODING_ISO10646, "明天见 👋".encode("utf-16-be")),
        (consts.SMPP_ENCODING_BINARY2, bytes(range(256))[:254]),
        (0xF5, b"\0\x1b\xff" * 10),
    ],
)
async def test_octets_of_any_data_coding_are_relayed_untouched(
    data_coding: int, short_message: bytes
) -> None:
    def converse(port: int) -> int:
        with SmpplibEsme(port) as esme:
            esme.bind()
            return int(esme.submit(data_coding=data_coding, short_message=short_message).status)

    async with relay() as here:
        assert await asyncio.to_thread(converse, here.port) == consts.SMPP_ESME_ROK
        await until(here.relayed)
    assert here.relayed() == here.submitted()
    assert here.relayed()[0].endswith(bytes([data_coding, 0, len(short_message)]) + short_message)


async def test_a_message_that_is_not_known_cannot_be_queried() -> None:
    def converse(port: int) -> PDU:
        with SmpplibEsme(port) as esme:
            esme.bind()
            return esme.request("query_sm", message_id="00ff", source_addr=SOURCE)

    async with relay() as here:
        response = await asyncio.to_thread(converse, here.port)
    assert (response.command, response.status) == ("query_sm_resp", CommandStatus.ESME_RINVMSGID)


async def test_an_esme_of_version_3_3_sees_no_optional_parameters() -> None:
    def converse(port: int) -> None:
        with SmpplibEsme(port) as transmitter, SmpplibEsme(port) as receiver:
            transmitter.bind_3_3("transmitter")
            receiver.bind_3_3("receiver")
            response = transmitter.submit(short_message=b"hello")
            receiver.read_until(lambda: receiver.received["deliver_sm"])
        receipt = receiver.received["deliver_sm"][0]
        assert len(response.message_id) <= 8
        assert receipt.receipted_message_id is None
        assert receipt.short_message.startswith(b"id:%b sub:" % response.message_id)

    async with relay() as here:
        await asyncio.to_thread(converse, here.port)
    for response in (CommandId.BIND_TRANSMITTER_RESP, CommandId.BIND_RECEIVER_RESP):
        assert bodies(here.at_gateway.back, response) == [b"smppgw\0"]
    [receipt] = bodies(here.at_gateway.back, CommandId.DELIVER_SM)
    assert receipt.endswith(b"text:hello")


async def test_an_esme_above_its_rate_is_throttled_and_gets_a_receipt_for_what_was_accepted() -> None:
    def converse(port: int) -> SmpplibEsme:
        with SmpplibEsme(port) as esme:
            esme.bind()
            sent = 0
            while not [pdu for pdu in esme.received["submit_sm_resp"] if not pdu.status]:
                # A gateway that has just started grants nothing yet.
                esme.send_message(**addressed(short_message=b"hello"))
                sent += 1
                esme.read_until(lambda: len(esme.received["submit_sm_resp"]) == sent)  # noqa: B023
            for _ in range(100):
                esme.send_message(**addressed(short_message=b"hello"))
            esme.read_until(lambda: len(esme.received["submit_sm_resp"]) == sent + 100)
            accepted = [pdu for pdu in esme.received["submit_sm_resp"] if not pdu.status]
            esme.read_until(lambda: len(esme.received["deliver_sm"]) == len(accepted))
        return esme

    async with relay(an_esme(messages_per_second=20)) as here:
        esme = await asyncio.to_thread(converse, here.port)
    statuses = Counter(pdu.status for pdu in esme.received["submit_sm_resp"])
    assert set(statuses) == {CommandStatus.ESME_ROK, CommandStatus.ESME_RTHROTTLED}
    assert {pdu.receipted_message_id for pdu in esme.received["deliver_sm"]} == {
        pdu.message_id for pdu in esme.received["submit_sm_resp"] if not pdu.status
    }


async def test_the_loopback_smsc_serves_smpplib_without_a_gateway() -> None:
    def converse(port: int) -> SmpplibEsme:
        with SmpplibEsme(port) as esme:
            esme.bind()
            esme.submit_texts(["Clinic closed today", "明天见" * 50])
            esme.read_until(lambda: len(esme.received["deliver_sm"]) == len(esme.sent))
        return esme

    async with LoopbackSmsc(LoopbackSettings(port=0)) as smsc:
        esme = await asyncio.to_thread(converse, smsc.port)
    assert len(esme.sent) == 4
    assert esme.receipts() == esme.expected_receipts()
