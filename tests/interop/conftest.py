"""Peers meet the gateway on the event loop that it is served on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from smppgw.cli.serve import event_loop_factory


@pytest.fixture(autouse=True)
def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    return event_loop_factory()
