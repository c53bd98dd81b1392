from __future__ import annotations

import pytest

from smppgw.accounts import Account
from smppgw.metrics import Metrics
from smppgw.settings import EsmeSettings
from tests.peers import client
from tests.support import a_carrier, an_esme, running, settings_of, until


def test_sources_compare_by_their_digits() -> None:
    account = Account(EsmeSettings("acme", "pw", sources=("+12065550100", "ACME")), Metrics())
    assert account.sources == {"12065550100", "ACME"}


@pytest.mark.parametrize(("rate", "burst"), [(0.5, 1), (1.0, 1), (250.0, 250)])
def test_an_account_may_send_one_second_s_messages_at_once(rate: float, burst: int) -> None:
    account = Account(EsmeSettings("acme", "pw", messages_per_second=rate), Metrics())
    assert account.bucket is not None
    assert account.bucket.take(1000, 10**12) == burst


def test_an_account_without_a_rate_has_no_bucket() -> None:
    assert Account(EsmeSettings("acme", "pw"), Metrics()).bucket is None


async def test_the_sessions_of_an_account_are_counted_by_their_mode() -> None:
    async with running(settings_of(an_esme(), carriers=(a_carrier(1),)), bound=False) as gateway:
        port = gateway.server.port
        account = gateway.accounts["app"]
        async with client(port, bind="tx"), client(port, bind="rx"), client(port, bind="rx"):
            assert [account.sessions(mode) for mode in ("tx", "rx", "trx")] == [1, 2, 0]
            assert len(account.receivers) == 2
        await until(lambda: not account.links)
