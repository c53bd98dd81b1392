"""Peers that behave badly: each harms only itself, and gets the answer the specification asks for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from ipaddress import ip_network
from struct import pack
from typing import Any, Final

import pytest

from smppgw import Esme, Smsc
from smppgw.esme_side import MAX_LATE_REFUSALS
from smppgw.pdu._generated import SubmitSm
from smppgw.pdu.codec import encode
from smppgw.pdu.constants import CommandId, CommandStatus
from smppgw.session.client import bind_octets
from smppgw.session.errors import BindRefused, ConnectionFailed
from smppgw.settings import ListenSettings
from tests.support import a_carrier, an_esme, running, settings_of, until

BIND: Final = bind_octets("trx", system_id="app", password="secret")
Header = tuple[int, int, int, int]


def header(command_length: int, command_id: int, status: int = 0, sequence_number: int = 1) -> bytes:
    return pack(">IIII", command_length, command_id, status, sequence_number)


class Peer:
    """A bare TCP connection that reads SMPP headers."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    async def answer(self) -> tuple[int, int, int]:
        """The next PDU: command_id, command_status, sequence_number."""
        octets = await asyncio.wait_for(self._reader.readexactly(16), 10)
        length, command_id, status, number = (
            int.from_bytes(octets[at : at + 4], "big") for at in (0, 4, 8, 12)
        )
        await self._reader.readexactly(length - 16)
        return command_id, status, number

    async def bind(self) -> None:
        self.writer.write(BIND)
        assert (await self.answer())[:2] == (CommandId.BIND_TRANSCEIVER_RESP, 0)

    async def closed(self) -> bool:
        try:
            return await asyncio.wait_for(self._reader.read(1), 10) == b""
        except ConnectionResetError:
            return True


@asynccontextmanager
async def peer(port: int) -> AsyncIterator[Peer]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Peer(reader, writer)
    finally:
        writer.transport.abort()


@asynccontextmanager
async def gateway_with_a_witness(**listen: Any) -> AsyncIterator[tuple[int, Any]]:
    """A gateway and a well-behaved ESME, which in the end can still send: (port, gateway)."""
    async with Smsc(port=0) as smsc:
        settings = settings_of(
            an_esme("app", window=50),
            an_esme("witness"),
            carriers=(a_carrier(smsc.port),),
            listen=ListenSettings(port=0, failed_bind_delay=0.01, **listen),
        )
        async with running(settings) as gateway:
            port = gateway.server.port
            async with Esme("127.0.0.1", port, system_id="witness", password="secret", bind="tx") as witness:
                yield port, gateway
                assert (await witness.submit("12065550100", "16665550100", "still here")).message_ids


@pytest.mark.parametrize(
    ("octets", "number"),
    [
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 0x2E310D0A),
        (bytes.fromhex("1603010200010001fc0303") + bytes(40), 0),
        (header(15, CommandId.ENQUIRE_LINK, sequence_number=9), 9),
        (header(0, 0, sequence_number=3), 3),
        (header(0xFFFFFFFF, CommandId.SUBMIT_SM, sequence_number=5), 5),
        (b"\x00\x01\x11\x71", 0),
    ],
    ids=["http", "tls", "15", "0", "4 GiB", "only a length"],
)
@pytest.mark.parametrize("bound", [False, True], ids=["unbound", "bound"])
async def test_an_impossible_command_length_is_answered_and_the_connection_closed(
    octets: bytes, number: int, bound: bool
) -> None:
    async with gateway_with_a_witness() as (port, _), peer(port) as bad:
        if bound:
            await bad.bind()
        bad.writer.write(octets)
        command_id, status, answered = await bad.answer()
        assert (command_id, status) == (CommandId.GENERIC_NACK, CommandStatus.ESME_RINVCMDLEN)
        assert answered == number
        assert await bad.closed()


async def test_an_unknown_command_is_nacked_and_the_session_goes_on() -> None:
    async with gateway_with_a_witness() as (port, _), peer(port) as odd:
        await odd.bind()
        odd.writer.write(header(16, 0x00010203, sequence_number=77))
        assert await odd.answer() == (CommandId.GENERIC_NACK, CommandStatus.ESME_RINVCMDID, 77)
        odd.writer.write(header(16, CommandId.ENQUIRE_LINK, sequence_number=78))
        assert await odd.answer() == (CommandId.ENQUIRE_LINK_RESP, 0, 78)


async def test_a_broken_submit_sm_gets_its_field_s_status_and_many_in_a_row_end_the_session() -> None:
    good = encode(SubmitSm(source_addr=b"1", destination_addr=b"2", short_message=b"hello"))
    broken = header(len(good) - 3, CommandId.SUBMIT_SM, sequence_number=4) + good[16:-3]
    async with gateway_with_a_witness() as (port, gateway), peer(port) as bad:
        await bad.bind()
        bad.writer.write(broken)
        assert await bad.answer() == (CommandId.SUBMIT_SM_RESP, CommandStatus.ESME_RINVMSGLEN, 4)
        bad.writer.write(good)
        assert (await bad.answer())[:2] == (CommandId.SUBMIT_SM_RESP, 0)
        for _ in range(20):
            bad.writer.write(broken)
        answers = 0
        while not bad._reader.at_eof():
            try:
                await bad.answer()
            except (asyncio.IncompleteReadError, ConnectionResetError):
                break
            answers += 1
        assert 10 <= answers <= 20
        # Nothing of all that reached anybody.
        assert gateway.store.queued("app") <= 1


async def test_requests_before_a_bind_are_refused_but_enquire_link() -> None:
    async with gateway_with_a_witness() as (port, _), peer(port) as early:
        early.writer.write(encode(SubmitSm(destination_addr=b"2", sequence_number=5)))
        assert await early.answer() == (CommandId.SUBMIT_SM_RESP, CommandStatus.ESME_RINVBNDSTS, 5)
        early.writer.write(header(16, CommandId.ENQUIRE_LINK, sequence_number=6))
        assert await early.answer() == (CommandId.ENQUIRE_LINK_RESP, 0, 6)
        await early.bind()
        early.writer.write(BIND)
        assert (await early.answer())[:2] == (
            CommandId.BIND_TRANSCEIVER_RESP,
            CommandStatus.ESME_RALYBND,
        )


async def test_who_does_not_bind_in_time_is_closed_even_if_octets_trickle_in() -> None:
    async with gateway_with_a_witness(bind_timeout=0.3) as (port, _):
        async with peer(port) as silent, peer(port) as slow:
            slow.writer.write(BIND[:10])
            assert await silent.closed()
            assert await slow.closed()


async def test_a_pdu_that_never_becomes_whole_ends_its_session() -> None:
    async with gateway_with_a_witness(read_timeout=0.3) as (port, _), peer(port) as slow:
        await slow.bind()
        slow.writer.write(header(100, CommandId.SUBMIT_SM)[:9])
        assert await slow.closed()


async def test_a_peer_that_does_not_read_is_closed_and_costs_no_more_than_its_buffer() -> None:
    async with gateway_with_a_witness(write_buffer_octets=65536, enquire_link=0.3, response_timeout=0.3) as (
        port,
        gateway,
    ):
        async with peer(port) as deaf:
            await deaf.bind()
            transport: Any = deaf.writer.transport
            transport.pause_reading()
            enquire = header(16, CommandId.ENQUIRE_LINK) * 4096

            async def flood() -> None:
                while not transport.is_closing():
                    deaf.writer.write(enquire)
                    await deaf.writer.drain()

            flooding = asyncio.create_task(flood())
            await until(lambda: not gateway.accounts["app"].links)
            flooding.cancel()
            await asyncio.gather(flooding, return_exceptions=True)


async def test_wrong_passwords_are_answered_later_and_later() -> None:
    settings = settings_of(
        an_esme(), carriers=(a_carrier(1),), listen=ListenSettings(port=0, failed_bind_delay=0.1)
    )
    loop = asyncio.get_running_loop()
    async with running(settings, bound=False) as gateway:
        waited = []
        for system_id, status in (
            ("app", CommandStatus.ESME_RINVPASWD),
            ("nobody", CommandStatus.ESME_RINVSYSID),
            ("app", CommandStatus.ESME_RINVPASWD),
        ):
            started = loop.time()
            esme = Esme(
                "127.0.0.1", gateway.server.port, system_id=system_id, password="wrong", reconnect=False
            )
            with pytest.raises(BindRefused) as refused:
                await esme.__aenter__()
            waited.append(loop.time() - started)
            assert refused.value.command_status == status
        for seconds, delay in zip(waited, (0.1, 0.2, 0.4), strict=True):
            assert seconds >= delay * 0.99
        async with Esme("127.0.0.1", gateway.server.port, system_id="app", password="secret"):
            assert len(gateway.accounts["app"].links) == 1


async def test_few_refusals_of_an_address_wait_at_a_time_and_those_above_are_answered_at_once() -> None:
    settings = settings_of(
        an_esme(), carriers=(a_carrier(1),), listen=ListenSettings(port=0, failed_bind_delay=30.0)
    )
    wrong = bind_octets("trx", system_id="app", password="wrong")
    async with running(settings, bound=False) as gateway, AsyncExitStack() as stack:
        port = gateway.server.port
        for number in range(MAX_LATE_REFUSALS + 3):
            bad = await stack.enter_async_context(peer(port))
            bad.writer.write(wrong)
            if number < MAX_LATE_REFUSALS:
                waiting = number + 1
                await until(lambda expected=waiting: gateway.esme_side._refusing["127.0.0.1"] == expected)
            else:
                assert (await bad.answer())[1] == CommandStatus.ESME_RINVPASWD
                assert await bad.closed()
        assert gateway.esme_side._refusing["127.0.0.1"] == MAX_LATE_REFUSALS
        async with Esme("127.0.0.1", port, system_id="app", password="secret"):
            pass


@pytest.mark.parametrize(
    ("limits", "status"),
    [
        ({"max_binds": 1}, CommandStatus.ESME_RALYBND),
        ({"allowed_ips": (ip_network("192.0.2.0/24"),)}, CommandStatus.ESME_RBINDFAIL),
    ],
)
async def test_a_bind_above_its_limits_is_refused(limits: dict[str, Any], status: CommandStatus) -> None:
    settings = settings_of(an_esme(**limits), carriers=(a_carrier(1),))
    async with running(settings, bound=False) as gateway:
        esmes = [
            Esme("127.0.0.1", gateway.server.port, system_id="app", password="secret", reconnect=False)
            for _ in range(limits.get("max_binds", 0) + 1)
        ]
        for esme in esmes[:-1]:
            await esme.__aenter__()
        with pytest.raises(BindRefused) as refused:
            await esmes[-1].__aenter__()
        assert refused.value.command_status == status
        for esme in esmes[:-1]:
            await esme.__aexit__()


async def test_connections_above_the_limit_are_turned_away() -> None:
    settings = settings_of(
        an_esme(), carriers=(a_carrier(1),), listen=ListenSettings(port=0, max_connections=2)
    )
    async with running(settings, bound=False) as gateway:
        async with peer(gateway.server.port) as one, peer(gateway.server.port) as two:
            await one.bind()
            await two.bind()
            async with peer(gateway.server.port) as three:
                assert await three.closed()
        await until(lambda: not gateway.server.connections)
        async with peer(gateway.server.port) as again:
            await again.bind()


async def test_a_port_that_is_taken_is_said_in_one_line() -> None:
    async with Smsc(port=0) as taken:
        settings = settings_of(an_esme(), carriers=(a_carrier(1),), listen=ListenSettings(port=taken.port))
        with pytest.raises(ConnectionFailed) as failed:
            async with running(settings, bound=False):
                pass
        assert f"127.0.0.1:{taken.port}" in str(failed.value)
        assert "\n" not in str(failed.value)
