"""An ESME that listens is called when it is owed something (SMPP v3.4 section 2.2.1)."""

from __future__ import annotations

import asyncio
import time

import structlog

from smppgw import Smsc
from smppgw.accounts import Account
from smppgw.metrics import Metrics
from smppgw.outbind import Outbinder
from smppgw.pdu import codec
from smppgw.pdu._generated import DeliverSm, DeliverSmResp, Outbind
from smppgw.pdu.codec import Pdu
from smppgw.session import events as ev
from smppgw.session.client import bind_octets
from smppgw.session.connection import Connection
from smppgw.session.machine import Session
from smppgw.session.settings import SessionSettings
from smppgw.session.states import Role
from smppgw.settings import OutbindSettings
from tests.peers import Recorder, client, submit_sm
from tests.support import a_carrier, an_esme, running, settings_of, until


class Recording:
    """Accepts every bind."""

    def on_connected(self, connection: Connection) -> None:
        pass

    def on_event(self, connection: Connection, event: ev.Event) -> None:
        if isinstance(event, ev.BindRequested):
            connection.session.accept_bind(b"gw", time.monotonic_ns())


class ListeningEsme:
    """Waits for an outbind, binds as a receiver on the same connection, takes what comes."""

    def __init__(self) -> None:
        self.outbinds: list[Pdu] = []
        self.got: list[Pdu] = []
        self.connections: list[Connection] = []

    def accept(self) -> Connection:
        now_ns = int(asyncio.get_running_loop().time() * 1e9)
        return Connection(Session(Role.ESME, SessionSettings(), now_ns), self)

    def on_connected(self, connection: Connection) -> None:
        self.connections.append(connection)

    def on_event(self, connection: Connection, event: ev.Event) -> None:
        if isinstance(event, ev.Outbound):
            self.outbinds.append(event.pdu)
            bind = bind_octets("rx", system_id="app", password="secret")
            connection.session.bind(bind, int(asyncio.get_running_loop().time() * 1e9))
        elif isinstance(event, ev.Requests):
            for *_, octets in event.frames:
                pdu = codec.decode(octets)
                self.got.append(pdu)
                response = DeliverSmResp(sequence_number=pdu.sequence_number)
                connection.session.send_responses([codec.encode(response)])


async def test_an_esme_with_an_address_is_called_for_its_receipts() -> None:
    esme = ListeningEsme()
    listener = await asyncio.get_running_loop().create_server(esme.accept, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    async with Smsc(port=0, on_submit=Recorder()) as smsc:
        outbind = OutbindSettings("127.0.0.1", port, system_id="gw", password="callme")
        settings = settings_of(an_esme(outbind=outbind), carriers=(a_carrier(smsc.port),))
        async with running(settings) as gateway:
            async with client(gateway.server.port, bind="tx") as sender:
                await sender.request(submit_sm(1))
                await sender.request(submit_sm(2))
            await until(lambda: len(esme.got) == 2)
            assert all(isinstance(each, DeliverSm) for each in esme.got)
            [called] = esme.outbinds
            assert isinstance(called, Outbind)
            assert (called.system_id, called.password) == (b"gw", b"callme")
            assert gateway.accounts["app"].sessions("rx") == 1
    listener.close()
    await until(lambda: all(each.session.wants_close for each in esme.connections))


async def test_an_esme_that_binds_and_hangs_up_is_not_called_in_a_circle() -> None:
    class HangingUp(ListeningEsme):
        def on_event(self, connection: Connection, event: ev.Event) -> None:
            super().on_event(connection, event)
            if isinstance(event, ev.Bound):
                connection.abort("hung up")

    esme = HangingUp()
    listener = await asyncio.get_running_loop().create_server(esme.accept, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    settled: list[float] = []
    loop = asyncio.get_running_loop()
    owner = Recording()
    outbinder = Outbinder(
        structlog.get_logger(),
        system_id="gw",
        settings=SessionSettings(),
        clock=time.monotonic_ns,
        on_settled=lambda: settled.append(loop.time()),
    )
    account = Account(an_esme(outbind=OutbindSettings("127.0.0.1", port)), Metrics(), 0)
    started = loop.time()
    outbinder.call(account, owner)
    outbinder.call(account, owner)
    await until(lambda: settled)
    assert len(esme.outbinds) == 1
    assert settled[0] - started >= 0.5
    assert not outbinder.calling
    listener.close()


async def test_an_esme_that_does_not_answer_its_call_is_called_again() -> None:
    esme = ListeningEsme()
    loop = asyncio.get_running_loop()
    reserved = await loop.create_server(esme.accept, "127.0.0.1", 0)
    port = reserved.sockets[0].getsockname()[1]
    reserved.close()
    await reserved.wait_closed()
    async with Smsc(port=0, on_submit=Recorder()) as smsc:
        settings = settings_of(
            an_esme(outbind=OutbindSettings("127.0.0.1", port)), carriers=(a_carrier(smsc.port),)
        )
        async with running(settings) as gateway:
            async with client(gateway.server.port, bind="tx") as sender:
                await sender.request(submit_sm(1))
            await until(lambda: gateway.outbinder.calling)
            listener = await loop.create_server(esme.accept, "127.0.0.1", port)
            await until(lambda: esme.got)
    listener.close()
    await until(lambda: all(each.session.wants_close for each in esme.connections))
