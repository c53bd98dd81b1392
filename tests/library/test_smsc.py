from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from smpplib import consts

from smppgw import (
    LATER,
    BindRefused,
    BoundEsme,
    CommandStatus,
    ConnectionFailed,
    DeliverSm,
    Esme,
    NotPermitted,
    Smsc,
    SubmitFailed,
    SubmitSm,
)
from smppgw.pdu._generated import QuerySm, SmeAddress, SubmitMulti, SubmitMultiResp
from smppgw.pdu.codec import Pdu, encode
from smppgw.pdu.text import decode_text
from smppgw.pdu.udh import parse_udh
from tests.examples import examples_of, run_example
from tests.interop.smpplib_peer import SmpplibEsme
from tests.support import until


def an_esme(port: int, **settings: Any) -> Esme:
    return Esme(port=port, **{"system_id": "app", "reconnect": False, **settings})


async def told_errors(run: Callable[[], Any]) -> list[Exception]:
    """What the event loop's exception handler is told while this runs."""
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()
    told: list[Exception] = []
    loop.set_exception_handler(lambda _, context: told.append(context["exception"]))
    try:
        await run()
    finally:
        loop.set_exception_handler(before)
    return told


async def test_without_handlers_everyone_may_bind_and_every_message_has_an_id_of_its_own() -> None:
    async with Smsc(port=0) as smsc, an_esme(smsc.port) as esme:
        ids = [(await esme.submit("1", "2", "Hi")).message_ids for _ in range(20)]
    assert len(set(ids)) == 20


@pytest.mark.parametrize("in_time", [False, True])
async def test_who_may_bind_is_for_the_handler_to_say(in_time: bool) -> None:
    seen: list[tuple[bytes, bytes, str]] = []

    def decide(bind: Any, peer_host: str) -> int:
        seen.append((bind.system_id, bind.password, peer_host))
        return CommandStatus.ESME_ROK if bind.password == b"right" else CommandStatus.ESME_RINVPASWD

    async def decide_in_time(bind: Any, peer_host: str) -> int:
        await asyncio.sleep(0)
        return decide(bind, peer_host)

    async with Smsc(port=0, authenticate=decide_in_time if in_time else decide) as smsc:
        async with an_esme(smsc.port, password="right"):
            assert [esme.system_id for esme in smsc.bound] == ["app"]
        with pytest.raises(BindRefused):
            async with an_esme(smsc.port, password="wrong"):
                pass
        await until(lambda: not smsc.bound)
    assert seen == [(b"app", b"right", "127.0.0.1"), (b"app", b"wrong", "127.0.0.1")]


async def test_an_answer_may_take_its_time() -> None:
    release = asyncio.Event()

    async def slowly(esme: BoundEsme, pdu: SubmitSm) -> str | int:
        await release.wait()
        return "late" if pdu.short_message == b"yes" else CommandStatus.ESME_RSUBMITFAIL

    async with Smsc(port=0, on_submit=slowly) as smsc, an_esme(smsc.port) as esme:
        yes = esme.request(SubmitSm(short_message=b"yes"))
        no = esme.request(SubmitSm(short_message=b"no"))
        release.set()
        assert (await yes).message_id == b"late"
        assert (await no).command_status == CommandStatus.ESME_RSUBMITFAIL


@pytest.mark.parametrize("answer", [None, 1.5, "x" * 65, "a\0b", ValueError("of the handler")], ids=repr)
@pytest.mark.parametrize("in_time", [False, True])
async def test_a_handler_that_fails_has_refused_and_that_is_told(answer: Any, in_time: bool) -> None:
    def fail(esme: BoundEsme, pdu: SubmitSm) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def fail_in_time(esme: BoundEsme, pdu: SubmitSm) -> Any:
        return fail(esme, pdu)

    async def submit() -> None:
        handler = fail_in_time if in_time else fail
        async with Smsc(port=0, on_submit=handler) as smsc, an_esme(smsc.port) as esme:
            for _ in range(2):
                with pytest.raises(SubmitFailed) as caught:
                    await esme.submit("1", "2", "Hi")
                assert caught.value.command_status == CommandStatus.ESME_RSYSERR

    assert len(await told_errors(submit)) == 2


async def test_a_handler_that_fails_to_judge_a_bind_has_refused_it() -> None:
    def fail(bind: Any, peer_host: str) -> int:
        raise ValueError("of the handler")

    async def bind() -> None:
        async with Smsc(port=0, authenticate=fail) as smsc:
            with pytest.raises(BindRefused) as caught:
                async with an_esme(smsc.port):
                    pass
            assert caught.value.command_status == CommandStatus.ESME_RSYSERR

    assert len(await told_errors(bind)) == 1


async def test_what_is_no_submit_sm_goes_to_its_own_handler_or_is_unknown() -> None:
    def answer(esme: BoundEsme, pdu: Pdu) -> str | Pdu:
        return SubmitMultiResp(message_id=b"whole") if pdu.tlvs else "multi-1"

    multi = SubmitMulti(dest_address=[SmeAddress(1, 1, b"12065550199")])
    async with Smsc(port=0) as smsc, an_esme(smsc.port) as esme:
        assert (await esme.request(QuerySm())).command_status == CommandStatus.ESME_RINVCMDID
    async with Smsc(port=0, on_request=answer) as smsc, an_esme(smsc.port) as esme:
        assert (await esme.request(multi)).message_id == b"multi-1"
        multi.tlvs = ((0x1400, b""),)
        assert (await esme.request(multi)).message_id == b"whole"


async def test_a_broken_pdu_is_refused_with_the_status_of_its_fault_and_the_next_one_is_taken() -> None:
    broken = bytearray(encode(SubmitSm(source_addr=b"1" * 20, short_message=b"Hi")))
    broken[16 + 3 + 20 : 16 + 3 + 21] = b"1"  # the NUL of source_addr
    bind = b"\0\0\0\x1a\0\0\0\x09\0\0\0\0\0\0\0\1app\0\0\0\x34\0\0\0"
    async with Smsc(port=0) as smsc:
        reader, writer = await asyncio.open_connection("127.0.0.1", smsc.port)
        writer.write(bind + bytes(broken) + encode(SubmitSm(sequence_number=3)))
        statuses = []
        for _ in range(3):
            length = int.from_bytes(await reader.readexactly(4), "big")
            statuses.append((await reader.readexactly(length - 4))[4:8])
        writer.close()
        await writer.wait_closed()
    refused = CommandStatus.ESME_RINVSRCADR.to_bytes(4, "big")
    assert statuses == [bytes(4), refused, bytes(4)]


async def test_who_is_bound_is_known_and_told_when_they_come_and_go() -> None:
    told: list[str] = []

    def bound(esme: BoundEsme) -> None:
        told.append(f"{esme.system_id} {esme.state.value}")

    def closed(esme: BoundEsme, reason: str) -> None:
        told.append(f"{esme.system_id} {reason}")

    async with Smsc(port=0, on_bound=bound, on_closed=closed) as smsc:
        async with an_esme(smsc.port), an_esme(smsc.port, system_id="other", bind="rx"):
            assert [esme.receives for esme in smsc.bound] == [True, True]
        await until(lambda: not smsc.bound)
    assert told == ["app bound_trx", "other bound_rx", "other the peer unbound", "app the peer unbound"]


async def test_leaving_it_unbinds_everyone_and_cuts_those_who_do_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("smppgw.library.smsc.UNBIND_SECONDS", 0.05)
    bind = b"\0\0\0\x1a\0\0\0\x09\0\0\0\0\0\0\0\1app\0\0\0\x34\0\0\0"
    async with Smsc(port=0) as smsc:
        esme = await an_esme(smsc.port).__aenter__()
        reader, writer = await asyncio.open_connection("127.0.0.1", smsc.port)
        writer.write(bind)
        idle = await asyncio.open_connection("127.0.0.1", smsc.port)
        await until(lambda: len(smsc.bound) == 2)
    await until(lambda: not esme.bound)
    assert [delivery async for delivery in esme] == []
    await esme.__aexit__()
    for stream, closing in ((reader, writer), idle):
        with suppress(ConnectionResetError):
            await stream.read()
        closing.close()


async def test_two_cannot_listen_on_one_port() -> None:
    async with Smsc(port=0) as smsc:
        with pytest.raises(ConnectionFailed, match="cannot listen"):
            async with Smsc(port=smsc.port):
                pass


async def test_the_port_is_free_again_behind_it() -> None:
    async with Smsc(port=0) as smsc:
        port = smsc.port
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


async def test_smpplib_submits_and_gets_its_texts_back() -> None:
    """An echo of every part, with the header it came with."""

    def echo(esme: BoundEsme, pdu: SubmitSm) -> str:
        back = DeliverSm(
            source_addr=pdu.destination_addr,
            destination_addr=pdu.source_addr,
            esm_class=pdu.esm_class,
            data_coding=pdu.data_coding,
            short_message=pdu.short_message,
        )
        esme.deliver_nowait(back)
        return f"id-{pdu.sequence_number}"

    texts = ["Hello", "€ and {braces} " * 30, "诊所明天关闭" * 20]

    def converse(port: int) -> SmpplibEsme:
        with SmpplibEsme(port) as esme:
            esme.bind()
            esme.submit_texts(texts)
            esme.read_until(lambda: len(esme.received["deliver_sm"]) == len(esme.responses) - 1)
        return esme

    async with Smsc(port=0, on_submit=echo) as smsc:
        esme = await asyncio.to_thread(converse, smsc.port)
    responses = esme.received["submit_sm_resp"]
    assert [pdu.message_id for pdu in responses] == [b"id-%d" % pdu.sequence for pdu in responses]
    back: dict[bytes, tuple[int, bytes]] = {}
    for pdu in esme.received["deliver_sm"]:
        at = parse_udh(pdu.short_message).octets if pdu.esm_class & consts.SMPP_GSMFEAT_UDHI else 0
        before = back.get(pdu.source_addr, (0, b""))[1]
        back[pdu.source_addr] = pdu.data_coding, before + pdu.short_message[at:]
    assert [decode_text(octets, data_coding) for data_coding, octets in back.values()] == texts


@pytest.mark.parametrize("code", examples_of(Smsc))
async def test_the_example_runs(code: str) -> None:
    assert await run_example(code) == [(("message-1",),), ("Hello",)]


async def test_a_transmitter_cannot_be_delivered_to() -> None:
    async with Smsc(port=0) as smsc, an_esme(smsc.port, bind="tx"):
        (esme,) = smsc.bound
        assert not esme.receives
        with pytest.raises(NotPermitted):
            esme.deliver(DeliverSm())


async def test_what_a_handler_leaves_for_later_is_answered_by_it() -> None:
    def later(esme: BoundEsme, pdu: SubmitSm) -> Any:
        asyncio.get_running_loop().call_soon(esme.answer, pdu, "later")
        return LATER

    async with Smsc(port=0, on_submit=later) as smsc, an_esme(smsc.port) as esme:
        assert (await esme.submit("1", "2", "Hi")).message_ids == ("later",)
