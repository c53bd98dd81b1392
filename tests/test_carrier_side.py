"""Binds to carriers: made as configured, kept up, ended cleanly."""

from __future__ import annotations

from structlog.testing import LogCapture

from smppgw import Smsc
from smppgw.library.bound import BoundEsme
from smppgw.pdu._generated import AlertNotification, DeliverSm
from smppgw.pdu.constants import CommandStatus
from smppgw.session.states import SessionState
from tests.peers import Recorder, client, submit_sm
from tests.support import a_carrier, an_esme, running, settings_of, until


async def test_every_bind_of_the_configuration_is_made() -> None:
    async with Smsc(port=0) as one, Smsc(port=0) as two:
        carriers = (a_carrier(one.port, "one", binds=3), a_carrier(two.port, "two", bind="tx+rx", binds=2))
        async with running(settings_of(an_esme(), carriers=carriers)) as gateway:
            assert [esme.state for esme in one.bound] == [SessionState.BOUND_TRX] * 3
            assert sorted(esme.state.value for esme in two.bound) == ["bound_rx"] * 2 + ["bound_tx"] * 2
            assert gateway.status()["carriers"]["two"]["binds"] == {"tx": 2, "rx": 2, "trx": 0}
        await until(lambda: not one.bound and not two.bound)


async def test_receipts_come_over_the_receiver_bind() -> None:
    recorder = Recorder(receipts=False)
    async with Smsc(port=0, on_submit=recorder) as smsc:
        carriers = (a_carrier(smsc.port, bind="tx+rx"),)
        async with running(settings_of(an_esme(), carriers=carriers)) as gateway:
            async with client(gateway.server.port) as esme:
                await esme.request(submit_sm())
                await until(lambda: recorder.got)
                receiver = next(each for each in smsc.bound if each.receives)
                reply = DeliverSm(source_addr=b"1", destination_addr=b"2", short_message=b"hi")
                assert (await receiver.deliver(reply)).command_status == CommandStatus.ESME_ROK
                receiver.alert(AlertNotification(source_addr=b"1", esme_addr=b"2"))
                await anext(esme)


async def test_a_bind_that_is_lost_comes_back_and_traffic_with_it() -> None:
    recorder = Recorder(receipts=False)
    async with Smsc(port=0, on_submit=recorder) as smsc:
        async with running(settings_of(an_esme(), carriers=(a_carrier(smsc.port),))) as gateway:
            for end in (BoundEsme.drop, BoundEsme.unbind):
                [bound] = smsc.bound
                end(bound)
                await until(lambda was=bound: smsc.bound and smsc.bound[0] is not was)
            async with client(gateway.server.port) as esme:
                await esme.request(submit_sm())
                await until(lambda: recorder.got)


async def test_a_carrier_that_refuses_our_password_is_an_error_and_tried_at_the_longest_interval() -> None:
    log = LogCapture()
    async with Smsc(port=0, authenticate=lambda *_: CommandStatus.ESME_RINVPASWD) as smsc:
        carriers = (a_carrier(smsc.port, reconnect_min=0.01, reconnect_max=50.0),)
        async with running(settings_of(an_esme(), carriers=carriers), log=log, bound=False) as gateway:
            await until(lambda: any(entry["event"] == "carrier_bind_failed" for entry in log.entries))
            assert not gateway.status()["carriers"]["carrier"]["up"]
            assert gateway.not_ready() == []
    [entry] = [entry for entry in log.entries if entry["event"] == "carrier_bind_failed"]
    assert entry["log_level"] == "error"
    assert entry["retry_in"] >= 25
    assert "ESME_RINVPASWD" in entry["error"]
    assert "secret" not in str(log.entries)
