from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest

from smppgw import (
    LATER,
    Address,
    BindRefused,
    BoundEsme,
    CommandStatus,
    ConnectionFailed,
    DeliverSm,
    DeliveryReceipt,
    Esme,
    MessageState,
    MoMessage,
    NotPermitted,
    Smsc,
    SubmitFailed,
    SubmitSm,
    Unanswered,
)
from smppgw.library.loopback import LoopbackSettings, LoopbackSmsc
from smppgw.pdu._generated import AlertNotification, DataSm, QuerySm, QuerySmResp
from smppgw.pdu.codec import Pdu
from smppgw.pdu.errors import EncodeError
from smppgw.pdu.text import decode_text
from smppgw.pdu.udh import parse_udh
from tests.examples import examples_of, run_example
from tests.support import until

ROOT = Path(__file__).parents[2]
OPENSSL = shutil.which("openssl")


def an_esme(port: int, **settings: Any) -> Esme:
    """One that comes back to its SMSC quickly."""
    quick = {"reconnect_min": 0.01, "reconnect_max": 0.05, "bind_timeout": 5.0}
    return Esme(port=port, **{"system_id": "app", "password": "secret", **quick, **settings})


def real_texts() -> list[str]:
    """Messages of people that take more than one segment, in two languages, and some that do not."""
    english = [
        line.split("\t", 1)[1] for line in (ROOT / "bench/data/sms_en.tsv").read_text("utf-8").splitlines()
    ]
    chinese = (ROOT / "bench/data/sms_zh.txt").read_text("utf-8").splitlines()
    longest = sorted(english, key=len)[-25:] + sorted(chinese, key=len)[-25:]
    return longest + english[:25] + chinese[:25]


def text_of(parts: list[SubmitSm]) -> str:
    """The text that submit_sm carry together."""
    octets = b""
    for pdu in parts:
        at = parse_udh(pdu.short_message).octets if pdu.esm_class & 0x40 else 0
        octets += pdu.short_message[at:]
    return decode_text(octets, parts[0].data_coding)


async def test_a_text_is_submitted_and_its_id_comes_back() -> None:
    got: list[SubmitSm] = []

    def keep(esme: BoundEsme, pdu: SubmitSm) -> str:
        got.append(pdu)
        return "carrier-7"

    async with Smsc(port=0, on_submit=keep) as smsc, an_esme(smsc.port) as esme:
        submitted = await esme.submit("+12065550100", "+12065550199", "Your code is 4711", receipt=False)
    assert submitted.message_ids == ("carrier-7",)
    assert (got[0].short_message, got[0].registered_delivery) == (b"Your code is 4711", 0)


async def test_real_texts_arrive_as_they_were_written_however_long() -> None:
    got: list[SubmitSm] = []

    def keep(esme: BoundEsme, pdu: SubmitSm) -> str:
        got.append(pdu)
        return f"{len(got)}"

    async with Smsc(port=0, on_submit=keep) as smsc, an_esme(smsc.port, bind="tx") as esme:
        for text in real_texts():
            got.clear()
            submitted = await esme.submit("+12065550100", "+12065550199", text)
            assert submitted.message_ids == tuple(f"{n + 1}" for n in range(len(got)))
            assert text_of(got) == text


@pytest.mark.parametrize("status", [CommandStatus.ESME_RTHROTTLED, CommandStatus.ESME_RINVDSTADR, 0x499])
async def test_a_refusal_is_an_error_with_its_command_status(status: int) -> None:
    async with Smsc(port=0, on_submit=lambda *_: status) as smsc, an_esme(smsc.port) as esme:
        with pytest.raises(SubmitFailed) as caught:
            await esme.submit("12345", "12345", "Hi")
    assert caught.value.command_status == status


async def test_a_long_text_of_which_a_part_is_refused_has_failed_and_says_what_was_accepted() -> None:
    answers = iter(["a", CommandStatus.ESME_RTHROTTLED, "c"])
    async with Smsc(port=0, on_submit=lambda *_: next(answers)) as smsc, an_esme(smsc.port) as esme:
        with pytest.raises(SubmitFailed) as caught:
            await esme.submit("12345", "12345", "x" * 400)
    assert caught.value.command_status == CommandStatus.ESME_RTHROTTLED
    assert caught.value.message_ids == ("a", "c")


async def test_a_text_that_cannot_be_encoded_is_not_sent() -> None:
    async with Smsc(port=0) as smsc, an_esme(smsc.port) as esme:
        with pytest.raises(EncodeError):
            await esme.submit("12345", "1" * 21, "Hi")


async def test_a_request_of_any_kind_gets_its_own_response() -> None:
    def answer(esme: BoundEsme, pdu: Pdu) -> str | int | Pdu:
        if isinstance(pdu, QuerySm):
            return QuerySmResp(message_id=pdu.message_id, message_state=MessageState.DELIVERED)
        return "data-1" if isinstance(pdu, DataSm) else CommandStatus.ESME_RINVCMDID

    async with Smsc(port=0, on_request=answer) as smsc, an_esme(smsc.port) as esme:
        queried = await esme.request(QuerySm(message_id=b"7"))
        assert (queried.message_id, queried.message_state) == (b"7", MessageState.DELIVERED)
        assert (await esme.request(DataSm(destination_addr=b"1"))).message_id == b"data-1"


async def test_a_request_that_the_bind_does_not_allow_is_refused_here() -> None:
    async with Smsc(port=0) as smsc, an_esme(smsc.port, bind="rx") as esme:
        with pytest.raises(NotPermitted):
            esme.request(SubmitSm())
        with pytest.raises(NotPermitted):
            esme.submit_many([])


async def test_a_generic_nack_is_the_request_s_own_response_with_its_status() -> None:
    answers = {
        b"\x09": (17, b"\x80\0\0\x09", 0),  # the bind
        b"\x04": (16, b"\x80\0\0\0", CommandStatus.ESME_RINVCMDID),
        b"\x06": (16, b"\x80\0\0\x06", 0),
    }

    async def nack(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while length := int.from_bytes(await reader.read(4), "big"):
            rest = await reader.readexactly(length - 4)
            octets, command_id, status = answers[rest[3:4]]
            answer = octets.to_bytes(4, "big") + command_id + status.to_bytes(4, "big") + rest[8:12]
            writer.write(answer.ljust(octets, b"\0"))
        writer.close()

    async with await asyncio.start_server(nack, "127.0.0.1", 0) as server:
        async with an_esme(server.sockets[0].getsockname()[1], reconnect=False) as esme:
            response = await esme.request(SubmitSm())
        await until(lambda: asyncio.all_tasks() == {asyncio.current_task()})
    assert type(response).__name__ == "SubmitSmResp"
    assert response.command_status == CommandStatus.ESME_RINVCMDID


async def test_never_more_than_the_window_is_on_its_way() -> None:
    waiting: list[tuple[BoundEsme, SubmitSm]] = []

    def keep(esme: BoundEsme, pdu: SubmitSm) -> Any:
        waiting.append((esme, pdu))
        return LATER

    async with Smsc(port=0, on_submit=keep) as smsc, an_esme(smsc.port, window=7) as esme:
        futures = [esme.request(SubmitSm()) for _ in range(30)]
        for answered in range(30):
            await until(lambda: waiting)
            esme_there, pdu = waiting.pop(0)
            assert len(waiting) <= 6
            esme_there.answer(pdu, f"{answered}")
        assert [(await future).message_id for future in futures] == [b"%d" % n for n in range(30)]


async def test_a_caller_that_gave_up_while_waiting_for_a_slot_sends_nothing() -> None:
    got: list[SubmitSm] = []
    first: list[BoundEsme] = []

    def keep(esme: BoundEsme, pdu: SubmitSm) -> Any:
        got.append(pdu)
        first.append(esme)
        return LATER

    async with Smsc(port=0, on_submit=keep) as smsc, an_esme(smsc.port, window=1) as esme:
        sent = esme.request(SubmitSm(short_message=b"first"))
        given_up = esme.request(SubmitSm(short_message=b"never"))
        last = esme.request(SubmitSm(short_message=b"last"))
        await until(lambda: got)
        given_up.cancel()
        first[0].answer(got[0], "1")
        await sent
        await until(lambda: len(got) == 2)
        first[0].answer(got[1], "2")
        await last
    assert [pdu.short_message for pdu in got] == [b"first", b"last"]


async def test_receipts_and_messages_of_handsets_come_out_in_order_and_are_answered_then() -> None:
    async with Smsc(port=0) as smsc, an_esme(smsc.port) as esme:
        (there,) = smsc.bound
        first = there.deliver(DeliverSm(esm_class=4, short_message=b"id:7 stat:DELIVRD err:000"))
        second = there.deliver(DeliverSm(source_addr=b"12065550199", short_message=b"Hello"))
        there.alert(AlertNotification(source_addr=b"12065550199"))
        receipt = await anext(esme)
        assert isinstance(receipt, DeliveryReceipt)
        assert (receipt.message_id, receipt.state) == ("7", MessageState.DELIVERED)
        assert (await first).command_status == 0
        assert not second.done()
        message = await anext(esme)
        assert isinstance(message, MoMessage)
        assert (message.source, message.text) == ("12065550199", "Hello")
        assert (await second).command_status == 0
        assert isinstance(await anext(esme), AlertNotification)


async def test_iterating_ends_with_the_esme() -> None:
    async with Smsc(port=0) as smsc:
        async with an_esme(smsc.port) as esme:
            listening = asyncio.ensure_future(_all_of(esme))
            await smsc.bound[0].deliver(DeliverSm(short_message=b"Hello"))
        assert [delivery.text for delivery in await listening] == ["Hello"]


async def _all_of(esme: Esme) -> list[Any]:
    return [delivery async for delivery in esme]


async def test_iterating_ends_when_a_lost_bind_is_not_dialled_again() -> None:
    async with Smsc(port=0) as smsc, an_esme(smsc.port, reconnect=False) as esme:
        listening = asyncio.ensure_future(_all_of(esme))
        await asyncio.sleep(0)
        smsc.bound[0].drop()
        assert await listening == []
        with pytest.raises(ConnectionFailed):
            await esme.submit("1", "2", "Hi")


async def test_what_was_on_its_way_when_the_bind_was_lost_is_unanswered_and_the_bind_comes_back() -> None:
    def drop_once(esme: BoundEsme, pdu: SubmitSm) -> Any:
        if pdu.short_message == b"drop":
            esme.drop()
            return LATER
        return "1"

    failures: list[Exception] = []
    async with (
        Smsc(port=0, on_submit=drop_once) as smsc,
        an_esme(smsc.port, on_failure=lambda error, delay: failures.append(error)) as esme,
    ):
        with pytest.raises(Unanswered):
            await esme.submit("1", "2", "drop")
        assert (await esme.submit("1", "2", "again")).message_ids == ("1",)
        assert len(failures) == 1
        assert esme.bound


async def test_what_was_not_yet_sent_when_the_bind_was_lost_goes_over_the_next_one() -> None:
    got: list[bytes] = []

    def drop_first(esme: BoundEsme, pdu: SubmitSm) -> Any:
        got.append(pdu.short_message)
        if len(got) == 1:
            esme.drop()
            return LATER
        return "1"

    async with Smsc(port=0, on_submit=drop_first) as smsc, an_esme(smsc.port, window=1) as esme:
        futures = [esme.request(SubmitSm(short_message=b"%d" % n)) for n in range(3)]
        first, *others = await asyncio.gather(*futures, return_exceptions=True)
    assert isinstance(first, Unanswered)
    assert [other.message_id for other in others] == [b"1", b"1"]
    assert got == [b"0", b"1", b"2"]


async def test_without_a_bind_in_time_nothing_is_sent_and_that_is_said() -> None:
    got: list[BoundEsme] = []

    def keep(esme: BoundEsme, pdu: SubmitSm) -> Any:
        got.append(esme)
        return LATER

    async with (
        Smsc(port=0, on_submit=keep) as smsc,
        an_esme(smsc.port, window=1, bind_timeout=0.1, reconnect_min=60, reconnect_max=60) as esme,
    ):
        on_its_way, queued = esme.request(SubmitSm()), esme.request(SubmitSm())
        await until(lambda: got)
        got[0].drop()
        with pytest.raises(Unanswered):
            await on_its_way
        later = esme.request(SubmitSm())
        for future in (queued, later):
            with pytest.raises(ConnectionFailed, match="not sent"):
                await future
    assert len(got) == 1


async def test_leaving_it_unbinds_and_leaves_nobody_waiting() -> None:
    got: list[BoundEsme] = []
    reasons: list[str] = []

    def keep(esme: BoundEsme, pdu: SubmitSm) -> Any:
        got.append(esme)
        return LATER

    def on_closed(esme: BoundEsme, reason: str) -> None:
        reasons.append(reason)

    async with Smsc(port=0, on_submit=keep, on_closed=on_closed, response_timeout=0.05) as smsc:
        async with an_esme(smsc.port) as esme:
            future = esme.request(SubmitSm())
            await until(lambda: got)
        with pytest.raises(Unanswered):
            await future
        with pytest.raises(ConnectionFailed):
            await esme.request(SubmitSm())
    assert reasons == ["the peer unbound"]


async def test_while_it_unbinds_nothing_more_is_sent() -> None:
    held: list[tuple[BoundEsme, SubmitSm]] = []

    def keep(esme: BoundEsme, pdu: SubmitSm) -> Any:
        held.append((esme, pdu))
        return LATER

    async with Smsc(port=0, on_submit=keep) as smsc:
        esme = await an_esme(smsc.port, window=2).__aenter__()
        answered = esme.request(SubmitSm())
        await until(lambda: held)
        leaving = asyncio.ensure_future(esme.__aexit__())
        await until(lambda: not esme.bound)
        with pytest.raises(ConnectionFailed, match="closed by us"):
            await esme.request(SubmitSm())
        there, pdu = held[0]
        there.answer(pdu, "still answered")
        assert (await answered).message_id == b"still answered"
        await leaving
    assert len(held) == 1


async def test_no_response_in_time_is_unanswered() -> None:
    async with (
        Smsc(port=0, on_submit=lambda *_: LATER) as smsc,
        an_esme(smsc.port, response_timeout=0.05) as esme,
    ):
        with pytest.raises(Unanswered, match="no response in time"):
            await esme.submit("1", "2", "Hi")


async def test_an_unbind_of_the_smsc_is_followed_by_a_new_bind() -> None:
    async with Smsc(port=0) as smsc, an_esme(smsc.port) as esme:
        first = smsc.bound[0]
        first.unbind()
        await until(lambda: smsc.bound and smsc.bound[0] is not first)
        assert (await esme.submit("1", "2", "Hi")).message_ids


@pytest.mark.parametrize("reconnect", [True, False])
async def test_a_wrong_password_is_a_bind_refused(reconnect: bool) -> None:
    async with Smsc(port=0, authenticate=lambda *_: CommandStatus.ESME_RINVPASWD) as smsc:
        with pytest.raises(BindRefused) as caught:
            async with an_esme(smsc.port, reconnect=reconnect):
                pass
        assert caught.value.command_status == CommandStatus.ESME_RINVPASWD
        assert str(caught.value).count("\n") == 0


@pytest.mark.parametrize("reconnect", [True, False])
async def test_an_smsc_that_is_not_there_is_a_failed_connection(reconnect: bool) -> None:
    async with Smsc(port=0) as smsc:
        port = smsc.port
    with pytest.raises(ConnectionFailed, match=f"127.0.0.1:{port}"):
        async with an_esme(port, reconnect=reconnect):
            pass


@pytest.mark.parametrize("field", ["system_id", "password", "system_type"])
def test_a_bind_that_cannot_be_encoded_is_refused_at_once(field: str) -> None:
    with pytest.raises(EncodeError):
        Esme(**{"system_id": "app", field: "x" * 40})  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", ["tx", "rx", "trx"])
async def test_it_binds_as_it_is_told(mode: Any) -> None:
    async with Smsc(port=0) as smsc, an_esme(smsc.port, bind=mode, interface_version=0x50):
        assert smsc.bound[0].state.value == f"bound_{mode}"


async def test_an_address_of_one_s_own_goes_as_it_is() -> None:
    got: list[SubmitSm] = []

    def keep(esme: BoundEsme, pdu: SubmitSm) -> str:
        got.append(pdu)
        return "1"

    async with Smsc(port=0, on_submit=keep) as smsc, an_esme(smsc.port) as esme:
        await esme.submit(Address(6, 9, b"99"), "12345", "Hi")
    assert (got[0].source_addr_ton, got[0].source_addr_npi) == (6, 9)


@pytest.mark.skipif(OPENSSL is None, reason="needs openssl to make a certificate")
async def test_over_tls_everything_is_the_same(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = [
        str(OPENSSL),
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
    ]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True)
    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_side.load_cert_chain(certificate, key)
    trusting = ssl.create_default_context(cafile=str(certificate))
    async with LoopbackSmsc(LoopbackSettings(port=0), tls=server_side) as smsc:
        async with an_esme(smsc.port, tls=trusting) as esme:
            submitted = await esme.submit("12345", "+12065550199", "Hi")
            receipt = await anext(esme)
            assert isinstance(receipt, DeliveryReceipt)
            assert receipt.message_id in submitted.message_ids
        asyncio.get_running_loop().set_debug(False)  # or asyncio complains of the handshake that is to fail
        with pytest.raises(ConnectionFailed, match="certificate"):
            async with an_esme(smsc.port, tls=ssl.create_default_context(), reconnect=False):
                pass
        await until(lambda: asyncio.all_tasks() == {asyncio.current_task()})


@pytest.mark.parametrize("code", examples_of(Esme))
async def test_the_examples_run(code: str) -> None:
    async with LoopbackSmsc(LoopbackSettings(port=0, receipts="success")) as smsc:
        printed = await run_example(code, host="127.0.0.1", port=smsc.port)
    assert all(words[0] == "accepted as" or words[1:] == ("is", "DELIVERED") for words in printed)
    assert smsc.summary()["accepted"] in (1, 1000)


def test_the_examples_are_ten_lines_each() -> None:
    assert len(examples_of(Esme)) == 2
    assert all(code.count("\n") < 10 for code in examples_of(Esme))


async def test_a_port_that_is_none_is_said_at_once() -> None:
    with pytest.raises(ConnectionFailed) as failed:
        await Esme(port=99999, system_id="a").__aenter__()
    assert "99999" in str(failed.value)


@pytest.mark.parametrize("wrong", [{"window": 0}, {"window": -1}, {"bind": "both"}])
def test_what_no_bind_can_be_is_refused_where_it_is_written(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="allowed"):
        Esme(system_id="a", **wrong)
