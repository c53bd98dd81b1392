from __future__ import annotations

from ipaddress import ip_network

import pytest

from smppgw.accounts import Account
from smppgw.binding import ADDRESSES_REMEMBERED, MAX_DELAY_SECONDS, Authenticator
from smppgw.metrics import Metrics
from smppgw.pdu.constants import CommandStatus
from smppgw.settings import EsmeSettings


def authenticator(**settings: object) -> Authenticator:
    account = Account(EsmeSettings("acme", "secret", **settings), Metrics(), 0)  # type: ignore[arg-type]
    return Authenticator({"acme": account}, failed_bind_delay=1.0)


@pytest.mark.parametrize(
    ("system_id", "password", "status"),
    [
        (b"acme", b"secret", CommandStatus.ESME_ROK),
        (b"acme", b"Secret", CommandStatus.ESME_RINVPASWD),
        (b"acme", b"", CommandStatus.ESME_RINVPASWD),
        (b"acme", b"secret2", CommandStatus.ESME_RINVPASWD),
        (b"acme", b"\xff\xfe", CommandStatus.ESME_RINVPASWD),
        (b"nobody", b"secret", CommandStatus.ESME_RINVSYSID),
        (b"", b"", CommandStatus.ESME_RINVSYSID),
        (b"\xff", b"\xff", CommandStatus.ESME_RINVSYSID),
    ],
)
def test_a_bind_needs_a_known_name_and_its_password(
    system_id: bytes, password: bytes, status: CommandStatus
) -> None:
    assert authenticator().verdict(system_id, password, "127.0.0.1") == status


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("10.1.2.3", CommandStatus.ESME_ROK),
        ("::ffff:10.1.2.3", CommandStatus.ESME_ROK),
        ("fd00::7", CommandStatus.ESME_ROK),
        ("fd00::7%eth0", CommandStatus.ESME_ROK),
        ("10.2.2.3", CommandStatus.ESME_RBINDFAIL),
        ("fe80::1%eth0", CommandStatus.ESME_RBINDFAIL),
    ],
)
def test_a_bind_must_come_from_an_allowed_address(host: str, status: CommandStatus) -> None:
    allowed = (ip_network("10.1.0.0/16"), ip_network("fd00::/8"))
    assert authenticator(allowed_ips=allowed).verdict(b"acme", b"secret", host) == status


def test_each_wrong_password_of_an_address_is_answered_later() -> None:
    each = authenticator()
    assert [each.failed("192.0.2.1") for _ in range(7)] == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert each.failed("192.0.2.2") == 1.0
    each.succeeded("192.0.2.1")
    assert each.failed("192.0.2.1") == 1.0
    assert MAX_DELAY_SECONDS == 30.0


def test_the_failures_of_addresses_are_bounded() -> None:
    each = authenticator()
    for number in range(ADDRESSES_REMEMBERED + 1):
        each.failed(f"address {number}")
    assert each.failed("address 0") == 1.0  # it made room
    assert each.failed(f"address {ADDRESSES_REMEMBERED}") == 2.0
