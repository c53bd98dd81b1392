"""What every test runs under."""

from __future__ import annotations

import inspect
import os
from collections.abc import Generator

import pytest

from tests.event_loop import run_test

NO_SKIPS = os.environ.get("SMPPGW_NO_SKIPS") == "1"
"""Set where every tool is there (`.ci/run`): a test that skips itself has failed."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """What the longer tests can be told; some of it also SMPPGW_KILL_ROUNDS, SMPPGW_RECEIPTS and SMPP_TOOLS can say."""
    parser.addoption("--kill-rounds", type=int, help="how often the gateway is killed under load (20)")
    parser.addoption(
        "--crash-seed", type=int, help="repeat the moments of a run that failed (a new one each time)"
    )
    parser.addoption(
        "--smpp-tools", help="run a crash test with smppblast, smppsink and smppaudit.py of this folder"
    )
    parser.addoption(
        "--receipts",
        type=int,
        metavar="N",
        help="how many receipts are outstanding at a time (some thousand)",
    )
    parser.addoption(
        "--rate-seconds", type=float, metavar="N", help="how long rates are measured with the smpp tools (60)"
    )
    parser.addoption("--fuzz", type=int, metavar="N", help="how many mutated receipts are read (100000)")


def _fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    if NO_SKIPS and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid}: {reason} (SMPPGW_NO_SKIPS=1: nothing may be skipped)"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _fail_if_skipped(report)
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """A test that is a coroutine function runs in an event loop of its own: a fixture `loop_factory` may say which."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters}
    run_test(pyfuncitem.obj(**arguments), loop_factory=pyfuncitem.funcargs.get("loop_factory"))
    return True
