"""Errors of the session: fields, and one line for a person."""

from __future__ import annotations

import pytest

from smppgw.errors import SmppgwError
from smppgw.session.errors import BindRefused, ConnectionFailed, NotPermitted, SessionError, WindowFull


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (NotPermitted("submit_sm", "open"), "submit_sm is not permitted while the session is open"),
        (WindowFull(3, 1), "3 requests are more than the window takes now, which is 1"),
        (BindRefused("smsc:2775", 0x0E), "smsc:2775: the bind was refused with ESME_RINVPASWD"),
        (ConnectionFailed("smsc:2775", "Connection refused"), "smsc:2775: Connection refused"),
    ],
)
def test_an_error_is_one_line(error: SessionError, line: str) -> None:
    assert str(error) == line
    assert isinstance(error, SmppgwError)


def test_an_error_carries_what_it_is_about() -> None:
    assert (NotPermitted("unbind", "open").operation, NotPermitted("unbind", "open").state) == (
        "unbind",
        "open",
    )
    assert (WindowFull(3, 1).requests, WindowFull(3, 1).free) == (3, 1)
    assert (BindRefused("a:1", 5).address, BindRefused("a:1", 5).command_status) == ("a:1", 5)
    assert (ConnectionFailed("a:1", "why").address, ConnectionFailed("a:1", "why").reason) == ("a:1", "why")
