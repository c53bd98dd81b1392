"""What the crash tests are given: how many rounds, which seed, and whether the tools of others are there."""

from __future__ import annotations

import os
from pathlib import Path
from random import SystemRandom

import pytest

NEUTRAL = ("test_neutral_tools.py", "test_neutral_rates.py", "test_neutral_receipts.py")


@pytest.fixture
def kill_rounds(request: pytest.FixtureRequest) -> int:
    """How often the gateway is killed at random moments."""
    return int(request.config.getoption("--kill-rounds") or os.environ.get("SMPPGW_KILL_ROUNDS") or 20)


@pytest.fixture
def rate_seconds(request: pytest.FixtureRequest) -> float:
    """How long rates are measured."""
    return float(request.config.getoption("--rate-seconds") or 60)


@pytest.fixture
def receipts(request: pytest.FixtureRequest) -> int | None:
    """How many receipts the tests of many of them are to be about; None: each as many as it likes."""
    asked = request.config.getoption("--receipts") or os.environ.get("SMPPGW_RECEIPTS")
    return int(asked) if asked else None


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """What decides when it is killed; a failure tells it."""
    asked = request.config.getoption("--crash-seed")
    return SystemRandom().randrange(1_000_000) if asked is None else int(asked)


@pytest.fixture
def tools(request: pytest.FixtureRequest) -> Path:
    """Where smppblast, smppsink and smppaudit.py are."""
    folder = smpp_tools(request.config)
    assert folder is not None
    return folder


def smpp_tools(config: pytest.Config) -> Path | None:
    """The folder that was named, if one was."""
    named = config.getoption("--smpp-tools") or os.environ.get("SMPP_TOOLS")
    return Path(named).resolve() if named else None


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Their tests are there only where they are."""
    return True if collection_path.name in NEUTRAL and smpp_tools(config) is None else None
