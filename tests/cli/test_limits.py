from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from smppgw.admin import AdminServer
from smppgw.limits_view import LimitsView
from smppgw.metrics import Metrics
from smppgw.settings import AdminSettings, NumberSettings, PoolSettings, Settings
from tests.cli.run import Done, run
from tests.paced import Paced, number, registered

FIRST, SECOND = number(1), number(2)


def asked(paced: Paced, view: LimitsView, *words: str) -> Done:
    """What the command does before the admin endpoint of what is seen so."""

    async def ask() -> Done:
        server = AdminServer(
            AdminSettings(port=0), metrics=Metrics(), status=dict, limits=view.page, ready=list[str]
        )
        await server.start()
        try:
            return await asyncio.to_thread(
                run, "limits", "--admin", f"http://127.0.0.1:{server.port}", *words
            )
        finally:
            await server.close()

    return asyncio.run(ask())


def a_view(settings: Settings) -> tuple[Paced, LimitsView]:
    paced = Paced(settings)
    return paced, LimitsView(
        settings,
        paced.limits,
        paced.store,
        paced.metrics,
        clock=lambda: paced.now_ns,
        wall_clock=paced.wall,
    )


def busy() -> tuple[Paced, LimitsView]:
    """Two numbers of a campaign of a message a second, of which one has 130 messages to send."""
    pools = (PoolSettings("pool", "campaign"),)
    paced, view = a_view(
        registered(numbers=(FIRST, SECOND), per_minute=60, per_day=2000, pools=pools, burst_seconds=0)
    )
    paced.submit(FIRST, count=130)
    paced.run_for(9.5)
    return paced, view


def lines_of(done: Done) -> list[str]:
    assert (done.status, done.err) == (0, "")
    return [" ".join(line.split()) for line in done.out.splitlines()]


def test_brands_and_campaigns_are_shown_without_a_name() -> None:
    assert lines_of(asked(*busy())) == [
        "segments, as they count to limits; used: over the last 9.5 s",
        "",
        "brand a day used left day ends used a second waiting segments aside drained in",
        "brand approved 2,000 9 1,991 2026-11-23T00:00:00-08:00 (in 11 h 59 min) 0.947 121 121 0 2 min 1 s",
        "",
        "campaign brand class a second used a second next token waiting segments aside drained in pools",
        "campaign brand approved - 1 0.947 in 500 ms 121 121 0 2 min 1 s pool",
        "",
        "0 numbers have limits; something of 1 source addresses waits",
    ]


@pytest.mark.parametrize("name", ["campaign", "brand", "pool"])
def test_what_has_numbers_is_shown_with_them(name: str) -> None:
    lines = lines_of(asked(*busy(), name))
    assert lines[-3:] == [
        "number campaign a second used a second next token waiting segments aside drained in",
        f"{FIRST} campaign - - - 121 121 0 2 min 1 s",
        f"{SECOND} campaign - - - 0 0 0 0 s",
    ]


def test_a_number_is_shown_with_its_campaign_and_brand() -> None:
    lines = lines_of(asked(*busy(), f"+{FIRST}"))
    assert [line.split()[0] for line in lines if line] == [
        "segments,", "brand", "brand", "campaign", "campaign", "number", FIRST,
    ]  # fmt: skip


def test_a_campaign_whose_numbers_have_rates_and_it_has_none_says_so() -> None:
    own = (NumberSettings(FIRST, segments_per_second=1),)
    lines = lines_of(asked(*a_view(registered(numbers=(FIRST,), own=own)), "campaign"))
    assert "campaign brand approved - by number 0 - 0 0 0 0 s -" in lines
    assert f"{FIRST} campaign 1 0 in 1.0 s 0 0 0 0 s" in lines


def test_json_is_passed_on() -> None:
    paced, view = busy()
    assert json.loads(asked(paced, view, "--json").out) == asyncio.run(view.overview())
    assert json.loads(asked(paced, view, "--json", FIRST).out) == asyncio.run(view.named(FIRST))


@pytest.mark.parametrize("name", ["nobody", "no & body=?", "a\nb", "", number(9)])
def test_a_name_that_nothing_has_is_one_line(name: str) -> None:
    done = asked(*busy(), name)
    assert (done.status, done.out) == (1, "")
    assert done.err.count("\n") == 1
    assert "there is no brand, campaign, pool or number" in done.err


def test_where_nothing_is_configured_it_says_so() -> None:
    done = asked(*a_view(registered(numbers=(), brands=(), campaigns=())))
    assert lines_of(done) == ["no limits are configured: there is no [[brand]], [[campaign]] or [[number]]"]


def test_another_answer_is_one_line() -> None:
    async def another(name: str | None) -> dict[str, Any]:
        return {"a": 1}

    async def ask() -> Done:
        server = AdminServer(
            AdminSettings(port=0), metrics=Metrics(), status=dict, limits=another, ready=list[str]
        )
        await server.start()
        try:
            return await asyncio.to_thread(run, "limits", "--admin", f"http://127.0.0.1:{server.port}")
        finally:
            await server.close()

    done = asyncio.run(ask())
    assert (done.status, done.out, done.err.count("\n")) == (1, "", 1)
    assert "not about the limits of a gateway" in done.err


def test_nobody_there_is_one_line() -> None:
    done = run("limits", "--admin", "http://127.0.0.1:1")
    assert (done.status, done.out, done.err.count("\n")) == (1, "", 1)


def test_it_says_what_may_be_asked_for() -> None:
    done = run("limits", "--help")
    assert done.status == 0
    assert "NUMBER|CAMPAIGN|BRAND" in done.out
