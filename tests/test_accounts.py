from __future__ import annotations

import pytest

from smppgw.accounts import Account
from smppgw.metrics import Metrics
from smppgw.senders import Sender
from smppgw.settings import EsmeSettings
from tests.peers import client
from tests.support import a_carrier, an_esme, running, settings_of, until

NOW_NS = 10**12
SECOND_NS = 10**9


def an_account(rate: float) -> Account:
    return Account(EsmeSettings("acme", "pw", messages_per_second=rate), Metrics(), NOW_NS)


@pytest.mark.parametrize(("rate", "burst"), [(0.5, 1), (1.0, 1), (2.5, 2), (3.0, 3), (250.0, 250)])
def test_an_account_may_send_one_second_s_messages_at_once(rate: float, burst: int) -> None:
    account = an_account(rate)
    assert account.bucket is not None
    assert account.bucket.take(1000, NOW_NS) == 0, "it starts empty, so that a restart wins nothing"
    assert account.bucket.take(1000, NOW_NS + 100 * SECOND_NS) == burst


@pytest.mark.parametrize("rate", [1.0, 7.0, 250.0])
def test_over_any_window_an_account_sends_no_more_than_its_rate_and_a_second_s_worth(rate: float) -> None:
    bucket = an_account(rate).bucket
    assert bucket is not None
    step_ns = SECOND_NS // 37
    taken = [bucket.take(1000, NOW_NS + step * step_ns) for step in range(400)]
    for width in (1, 37, 100, 370):
        most = max(sum(taken[first : first + width]) for first in range(400 - width))
        assert most <= rate + rate * (width - 1) / 37
    assert sum(taken) >= 0.99 * rate * 399 / 37 - 1


def test_an_account_without_a_rate_has_no_bucket() -> None:
    assert an_account(0).bucket is None


@pytest.mark.parametrize(("before", "after"), [(5.0, 10.0), (10.0, 5.0)])
def test_another_rate_wins_nothing(before: float, after: float) -> None:
    account = an_account(before)
    assert account.bucket is not None
    now_ns = NOW_NS + 100 * SECOND_NS
    account.bucket.take(1000, now_ns)
    account.change(EsmeSettings("acme", "pw", messages_per_second=after), now_ns)
    assert account.bucket.take(1000, now_ns) == 0
    assert account.bucket.take(1000, now_ns + 100 * SECOND_NS) == after


def test_a_rate_may_come_and_go_and_what_was_known_of_senders_is_forgotten() -> None:
    account = an_account(0)
    account.senders[b"\1\1" + b"1"] = Sender("1", None, {}, pool=False)
    account.change(EsmeSettings("acme", "pw", messages_per_second=5), NOW_NS)
    assert account.bucket is not None
    assert not account.senders
    account.change(EsmeSettings("acme", "pw"), NOW_NS)
    assert account.bucket is None


async def test_the_sessions_of_an_account_are_counted_by_their_mode() -> None:
    async with running(settings_of(an_esme(), carriers=(a_carrier(1),)), bound=False) as gateway:
        port = gateway.server.port
        account = gateway.accounts["app"]
        async with client(port, bind="tx"), client(port, bind="rx"), client(port, bind="rx"):
            assert [account.sessions(mode) for mode in ("tx", "rx", "trx")] == [1, 2, 0]
            assert len(account.receivers) == 2
        await until(lambda: not account.links)
