"""A reload takes up who may send and how much, drops no bind, and says what it left as it was."""

from __future__ import annotations

from dataclasses import replace

from smppgw import Smsc
from smppgw.pdu._generated import SubmitSm
from smppgw.pdu.constants import CommandStatus
from smppgw.settings import CampaignSettings, ListenSettings
from tests.paced import number, registered
from tests.peers import Recorder, client
from tests.support import a_carrier, running, until

PLAIN = SubmitSm(source_addr=number(1).encode(), destination_addr=b"13125550100", short_message=b"hello")


async def test_a_campaign_that_is_approved_meanwhile_may_send_and_nobody_is_disconnected() -> None:
    recorder = Recorder(receipts=False)
    pending = CampaignSettings("campaign", "brand", status="pending", numbers=(number(1),))
    async with Smsc(port=0, on_submit=recorder) as smsc:
        settings = registered(numbers=(), carriers=(a_carrier(smsc.port),), campaigns=(pending,))
        async with running(settings) as gateway, client(gateway.server.port) as esme:
            [refused] = [each async for each in esme.submit_many([PLAIN])]
            assert refused.command_status == CommandStatus.ESME_RINVSRCADR
            [bind] = [link for account in gateway.accounts.values() for link in account.links]
            assert (
                gateway.reloading.reload(replace(settings, campaigns=(replace(pending, status="approved"),)))
                == []
            )
            [taken] = [each async for each in esme.submit_many([PLAIN])]
            assert taken.ok
            await until(lambda: recorder.got)
            assert [link for account in gateway.accounts.values() for link in account.links] == [bind]


async def test_what_needs_a_restart_is_named() -> None:
    async with Smsc(port=0) as smsc:
        settings = registered(numbers=[number(1)], carriers=(a_carrier(smsc.port),))
        async with running(settings) as gateway:
            other = replace(settings, listen=ListenSettings(port=0, bind_timeout=3), numbers=(), routes=())
            assert gateway.reloading.reload(other) == ["listen"]


async def test_what_waits_for_a_limit_leaves_at_the_rate_of_the_new_configuration() -> None:
    recorder = Recorder(receipts=False)
    async with Smsc(port=0, on_submit=recorder) as smsc:
        settings = registered(numbers=[number(1)], per_minute=1, carriers=(a_carrier(smsc.port),))
        async with running(settings) as gateway, client(gateway.server.port) as esme:
            async for each in esme.submit_many([PLAIN] * 20):
                assert each.ok
            assert len(recorder.got) <= 1
            gateway.reloading.reload(
                registered(numbers=[number(1)], per_minute="unlimited", carriers=(a_carrier(smsc.port),))
            )
            await until(lambda: len(recorder.got) == 20)
