"""Who may bind: password, address, number of binds; and what a wrong password costs."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Final

from smppgw.accounts import Account
from smppgw.pdu.constants import CommandStatus

MAX_DELAY_SECONDS: Final = 30.0
ADDRESSES_REMEMBERED: Final = 10_000
"""Addresses whose failures are counted; the one that failed longest ago makes room."""


class Authenticator:
    """Decides about binds.

    A wrong password is answered late, later with each one from the same address, so that guessing does not pay;
    the password check takes the same time whether the system_id exists or not.
    """

    def __init__(self, accounts: Mapping[str, Account], *, failed_bind_delay: float) -> None:
        self._accounts = accounts
        self._first_delay = failed_bind_delay
        self._failures: dict[str, int] = {}

    def verdict(self, system_id: bytes, password: bytes, host: str) -> CommandStatus:
        """Return the command_status of the bind response (SMPP v3.4 section 5.1.3)."""
        name = system_id.decode("latin-1")
        account = self._accounts.get(name)
        expected = account.settings.password if account is not None else "\0 nobody's password"
        same = hmac.compare_digest(expected.encode("latin-1", "replace"), password)
        if account is None:
            return CommandStatus.ESME_RINVSYSID
        if account.settings.allowed_ips and not self._from_allowed(account, host):
            return CommandStatus.ESME_RBINDFAIL
        if not same:
            return CommandStatus.ESME_RINVPASWD
        if len(account.links) >= account.settings.max_binds:
            return CommandStatus.ESME_RALYBND
        return CommandStatus.ESME_ROK

    @staticmethod
    def _from_allowed(account: Account, host: str) -> bool:
        address = ip_address(host.partition("%")[0])
        if address.version == 6 and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in account.settings.allowed_ips)

    def succeeded(self, host: str) -> None:
        """Forget the failures of an address."""
        self._failures.pop(host, None)

    def failed(self, host: str) -> float:
        """Count a failure of an address; return the seconds to wait before the answer."""
        failures = self._failures.pop(host, 0)
        self._failures[host] = failures + 1
        if len(self._failures) > ADDRESSES_REMEMBERED:
            del self._failures[next(iter(self._failures))]
        return min(MAX_DELAY_SECONDS, self._first_delay * 2.0 ** min(failures, 10))
