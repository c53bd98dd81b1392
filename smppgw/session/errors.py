"""What can go wrong between us and a session.

SmppgwError
└── SessionError
    ├── NotPermitted        the operation is not allowed in this state
    ├── WindowFull          more requests than the window takes
    ├── BindRefused         the peer refused our bind
    └── ConnectionFailed    the connection could not be made, or was lost
"""

from __future__ import annotations

from smppgw.errors import SmppgwError
from smppgw.pdu.constants import status_name


class SessionError(SmppgwError):
    """A session that cannot do what was asked of it."""


class NotPermitted(SessionError):  # noqa: N818 - reads as a sentence where it is raised
    """An operation the permission table does not allow now (SMPP v3.4 section 2.3)."""

    def __init__(self, operation: str, state: str) -> None:
        super().__init__(operation, state)
        self.operation = operation
        self.state = state

    def __str__(self) -> str:
        return f"{self.operation} is not permitted while the session is {self.state}"


class WindowFull(SessionError):  # noqa: N818
    """More requests in one call than the window has room for (SMPP v3.4 section 2.8)."""

    def __init__(self, requests: int, free: int) -> None:
        super().__init__(requests, free)
        self.requests = requests
        self.free = free

    def __str__(self) -> str:
        return f"{self.requests} requests are more than the window takes now, which is {self.free}"


class BindRefused(SessionError):  # noqa: N818
    """The peer answered our bind with an error."""

    def __init__(self, address: str, command_status: int) -> None:
        super().__init__(address, command_status)
        self.address = address
        self.command_status = command_status

    def __str__(self) -> str:
        return f"{self.address}: the bind was refused with {status_name(self.command_status)}"


class ConnectionFailed(SessionError):  # noqa: N818
    """No connection, or no longer one."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(address, reason)
        self.address = address
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.address}: {self.reason}"
