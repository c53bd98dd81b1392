"""The version two sides agree on, and the bounds that hold without a configuration."""

from __future__ import annotations

import pytest

from smppgw.session.settings import SessionSettings, negotiated_version
from smppgw.session.timers import TimerSettings


@pytest.mark.parametrize(
    ("ours", "theirs", "version"),
    [
        (0x34, 0x00, 0x33),
        (0x50, 0x33, 0x33),
        (0x34, 0x34, 0x34),
        (0x50, 0x34, 0x34),
        (0x50, 0x4F, 0x34),
        (0x34, 0x50, 0x34),
        (0x50, 0x50, 0x50),
        (0x50, 0xFF, 0x50),
        (0x33, 0x50, 0x33),
    ],
)
def test_the_version_is_the_lower_of_both(ours: int, theirs: int, version: int) -> None:
    assert negotiated_version(ours, theirs) == version


def test_a_session_is_bounded_without_being_told() -> None:
    settings = SessionSettings()
    assert (settings.window, settings.inbound_window, settings.max_pdu_octets) == (100, 100, 70_000)
    assert settings.timers == TimerSettings.of_seconds()
