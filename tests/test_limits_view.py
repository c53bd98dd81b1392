"""What operators see of limits: of numbers, campaigns and brands, what is allowed, used, waiting, and for how long."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from smppgw import limits_view
from smppgw.limits_view import LimitsView
from smppgw.session.timers import NS
from smppgw.settings import (
    AdminSettings,
    BrandSettings,
    CampaignSettings,
    NumberSettings,
    PoolSettings,
    Settings,
)
from tests.paced import NOON, Paced, number, registered

FIRST, SECOND, THIRD = number(1), number(2), number(3)


def a_campaign(
    name: str, *numbers: str, per_minute: int | str = "unlimited", **more: Any
) -> CampaignSettings:
    return CampaignSettings(
        name,
        **{
            "brand": "brand",
            "status": "approved",
            "segments_per_minute": per_minute,
            "numbers": numbers,
            **more,
        },
    )


def a_brand(name: str = "brand", per_day: int | str = "unlimited", **more: Any) -> BrandSettings:
    return BrandSettings(name, status="approved", segments_per_day=per_day, **more)  # type: ignore[arg-type]


def a_view(settings: Settings, **how: Any) -> tuple[Paced, LimitsView]:
    """What paces messages, and the view of it."""
    paced = Paced(settings, **how)
    return paced, LimitsView(
        settings,
        paced.limits,
        paced.store,
        paced.metrics,
        clock=lambda: paced.now_ns,
        wall_clock=paced.wall,
    )


async def seen(view: LimitsView, name: str, kind: str) -> dict[str, Any]:
    """The only entry of a kind."""
    document = await view.named(name)
    assert document is not None
    (entry,) = document[kind]
    return dict(entry)


async def test_a_number_shows_its_rate_what_waits_and_when_the_next_may_leave() -> None:
    settings = registered(
        numbers=(FIRST,), own=(NumberSettings(FIRST, segments_per_second=2),), burst_seconds=0
    )
    paced, view = a_view(settings)
    paced.submit(FIRST, count=10)
    paced.submit(FIRST, count=2, lane="otp")
    paced.run_for(0.6)
    entry = await seen(view, FIRST, "numbers")
    assert entry["segments_per_second"] == 2
    assert (entry["waiting"], entry["lanes"]) == (11, {"otp": 1, "transactional": 0, "promotional": 10})
    assert entry["next_token_seconds"] == pytest.approx(0.4)
    assert entry["drain_seconds"] == 5.5
    assert entry["campaign"] == "campaign"


async def test_what_has_left_lately_is_shown_as_a_rate() -> None:
    settings = registered(
        numbers=(FIRST,), per_minute=600, own=(NumberSettings(FIRST, segments_per_second=100),)
    )
    paced, view = a_view(settings)
    paced.submit(FIRST, count=500)
    paced.run_for(10)
    document = await view.named(FIRST)
    assert document is not None
    assert document["used_over_seconds"] == 10
    for kind in ("numbers", "campaigns", "brands"):
        assert document[kind][0]["used_per_second"] == pytest.approx(10, rel=0.05)
    view.sample(paced.now_ns)
    view.sample(paced.now_ns)
    paced.submit(FIRST, count=500)
    paced.run_for(10)
    assert (await seen(view, FIRST, "numbers"))["used_per_second"] == pytest.approx(10, rel=0.05)


async def test_a_campaign_adds_up_its_numbers() -> None:
    settings = registered(numbers=(FIRST, SECOND), per_minute=60, burst_seconds=0)
    paced, view = a_view(settings)
    paced.submit(FIRST, count=10)
    paced.submit(SECOND, count=5, segments=3)
    paced.settle()
    entry = await seen(view, "campaign", "campaigns")
    assert (entry["waiting"], entry["waiting_segments"]) == (15, 25)
    assert (entry["segments_per_second"], entry["drain_seconds"]) == (1, 25)
    document = await view.named("campaign")
    assert document is not None
    assert [each["number"] for each in document["numbers"]] == [FIRST, SECOND]
    # In turns of one message... of one segment, for want of better: ten of the first, ten beside them of the second.
    assert [each["drain_seconds"] for each in document["numbers"]] == [20, 25]


async def test_a_number_that_is_slower_than_its_campaign_decides_how_long_it_takes() -> None:
    own = (NumberSettings(FIRST, segments_per_second=0.5),)
    paced, view = a_view(registered(numbers=(FIRST, SECOND), per_minute=600, own=own, burst_seconds=0))
    paced.submit(FIRST, count=30)
    paced.settle()
    assert (await seen(view, "campaign", "campaigns"))["drain_seconds"] == 60


async def test_a_brand_shows_its_day() -> None:
    paced, view = a_view(registered(numbers=(FIRST,), per_day=2000))
    paced.submit(FIRST, count=30, segments=2)
    paced.settle()
    entry = await seen(view, "brand", "brands")
    assert (entry["segments_per_day"], entry["used_today"], entry["left_today"]) == (2000, 60, 1940)
    assert (entry["day"], entry["day_ends"]) == ("2026-11-22", "2026-11-23T00:00:00-08:00")
    assert (entry["day_ends_seconds"], entry["waiting"]) == (12 * 3600, 0)


async def test_what_a_day_has_no_room_for_takes_until_another_day() -> None:
    paced, view = a_view(registered(numbers=(FIRST,), per_day=100, per_minute=6000))
    paced.submit(FIRST, count=250)
    paced.run_for(60)
    entry = await seen(view, FIRST, "brands")
    assert (entry["left_today"], entry["waiting"]) == (0, 150)
    assert entry["drain_seconds"] == pytest.approx(12 * 3600 - 60 + 86400 + 0.5)
    assert (await seen(view, FIRST, "campaigns"))["drain_seconds"] == entry["drain_seconds"]
    assert (await seen(view, FIRST, "numbers"))["drain_seconds"] == entry["drain_seconds"]


async def test_who_has_little_waiting_for_a_day_does_not_seem_to_wait_for_all_of_it() -> None:
    paced, view = a_view(registered(numbers=(FIRST, SECOND), per_day=100))
    paced.submit(FIRST, count=500)
    paced.settle()
    paced.submit(SECOND, count=1)
    paced.settle()
    assert (await seen(view, SECOND, "numbers"))["waiting"] == 1
    assert (
        (await seen(view, SECOND, "numbers"))["drain_seconds"]
        < 86400
        < (await seen(view, FIRST, "numbers"))["drain_seconds"]
    )


async def test_what_does_not_count_to_a_day_does_not_wait_for_one() -> None:
    paced, view = a_view(registered(numbers=(FIRST,), per_day=100, per_minute=60))
    paced.submit(FIRST, count=500, destination="14165550100")
    paced.settle()
    assert (await seen(view, "brand", "brands"))["drain_seconds"] == pytest.approx(500, rel=0.01)


async def test_brands_of_one_tax_id_share_their_day() -> None:
    brands = (a_brand("one", 1000, tax_id="12"), a_brand("two", 500, tax_id="12"))
    campaigns = (a_campaign("first", FIRST, brand="one"), a_campaign("second", SECOND, brand="two"))
    paced, view = a_view(registered(numbers=(), brands=brands, campaigns=campaigns))
    paced.submit(FIRST, count=20)
    paced.settle()
    entries = [await seen(view, name, "brands") for name in ("one", "two")]
    assert [entry["used_today"] for entry in entries] == [20, 20]
    assert [entry["left_today"] for entry in entries] == [480, 480]
    assert [entry["brands_sharing_cap"] for entry in entries] == [2, 2]


async def test_the_day_of_a_cap_is_not_the_clock_s_where_that_was_set_back() -> None:
    paced, view = a_view(registered(numbers=(FIRST,), per_day=100))
    paced.submit(FIRST)
    paced.settle()
    paced.set_wall(NOON - timedelta(days=1))
    paced.quotas.keep()
    entry = await seen(view, "brand", "brands")
    assert (entry["day"], entry["day_ends_seconds"]) == ("2026-11-22", 36 * 3600)


async def test_a_day_in_which_the_clock_changes_ends_at_midnight_all_the_same() -> None:
    spring = datetime(2026, 3, 8, 9, 0, tzinfo=UTC)  # 01:00, an hour before the clock goes to 03:00
    _, view = a_view(registered(numbers=(FIRST,), per_day=100), wall=spring)
    entry = await seen(view, "brand", "brands")
    assert (entry["day_ends"], entry["day_ends_seconds"]) == ("2026-03-09T00:00:00-07:00", 22 * 3600)


@pytest.mark.parametrize("name", [FIRST, f"+{FIRST}", FIRST[1:], f" {FIRST} "])
async def test_a_number_is_found_however_it_is_written(name: str) -> None:
    _, view = a_view(registered(numbers=(FIRST,)))
    document = await view.named(name)
    assert document is not None
    assert (document["kind"], document["name"]) == ("number", FIRST)


@pytest.mark.parametrize("name", ["", "nobody", number(99), "brand ?"])
async def test_what_nothing_is_called_is_none(name: str) -> None:
    _, view = a_view(registered(numbers=(FIRST,)))
    assert await view.named(name) is None


async def test_an_address_without_limits_is_found_while_something_of_it_waits() -> None:
    settings = registered(numbers=(FIRST,))
    paced, view = a_view(settings)
    paced.submit("ACME", count=3)
    paced.store.stand(paced.store.fresh())
    entry = await seen(view, "ACME", "numbers")
    assert (entry["waiting"], entry["segments_per_second"], entry["drain_seconds"]) == (3, None, None)


async def test_a_pool_shows_its_numbers_alone_with_the_campaign_s_rate() -> None:
    pools = (PoolSettings("pool", "campaign", (SECOND, THIRD)),)
    _, view = a_view(registered(numbers=(FIRST, SECOND, THIRD), per_minute=60, pools=pools))
    document = await view.named("pool")
    assert document is not None
    assert (document["kind"], document["campaigns"][0]["pools"]) == ("pool", ["pool"])
    assert [each["number"] for each in document["numbers"]] == [SECOND, THIRD]


async def test_a_brand_shows_its_campaigns_and_all_their_numbers() -> None:
    campaigns = (a_campaign("one", FIRST), a_campaign("two", SECOND, THIRD))
    _, view = a_view(registered(numbers=(), campaigns=campaigns))
    document = await view.named("brand")
    assert document is not None
    assert [each["campaign"] for each in document["campaigns"]] == ["one", "two"]
    assert [each["number"] for each in document["numbers"]] == [FIRST, SECOND, THIRD]


async def test_of_a_brand_and_a_campaign_of_one_name_the_brand_is_shown_with_its_campaign() -> None:
    brands, campaigns = (a_brand("acme"),), (a_campaign("acme", FIRST, brand="acme"),)
    _, view = a_view(registered(numbers=(), brands=brands, campaigns=campaigns))
    document = await view.named("acme")
    assert document is not None
    assert (document["kind"], document["campaigns"][0]["campaign"]) == ("brand", "acme")


async def test_the_overview_names_no_number() -> None:
    paced, view = a_view(registered(numbers=(FIRST, SECOND), per_minute=60, per_day=100))
    paced.submit(FIRST, count=10)
    paced.settle()
    overview = await view.overview()
    text = json.dumps(overview)
    assert FIRST not in text
    assert SECOND not in text
    assert overview["sources_waiting"] == 1
    assert [each["waiting"] for each in overview["campaigns"]] == [10]


async def test_the_overview_shows_those_of_which_most_waits_and_says_how_many_it_does_not_show(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits_view, "SHOWN", 2)
    campaigns = tuple(a_campaign(f"c{place}", number(place), per_minute=1) for place in range(5))
    paced, view = a_view(registered(numbers=(), campaigns=campaigns, burst_seconds=0))
    paced.submit(number(3), count=3)
    paced.submit(number(4), count=7)
    paced.settle()
    overview = await view.overview()
    assert [each["campaign"] for each in overview["campaigns"]] == ["c4", "c3"]
    assert overview["campaigns_not_shown"] == 3
    assert overview["brands_not_shown"] == 0


async def test_a_reload_is_seen_and_what_was_used_stays_so() -> None:
    paced, view = a_view(registered(numbers=(FIRST,), per_minute=600))
    paced.submit(FIRST, count=100)
    paced.run_for(5)
    settings = registered(
        numbers=(),
        campaigns=(a_campaign("campaign", FIRST, per_minute=60), a_campaign("new", SECOND, per_minute=6)),
    )
    paced.reload(settings)
    view.reload(settings)
    assert (await seen(view, "new", "campaigns"))["segments_per_second"] == 0.1
    entry = await seen(view, "campaign", "campaigns")
    assert (entry["segments_per_second"], entry["numbers"]) == (1, 1)
    assert entry["used_per_second"] == pytest.approx(10, rel=0.05)


async def test_a_reload_is_told_to_the_series_by_campaign() -> None:
    campaigns = tuple(a_campaign(name, number(place)) for place, name in enumerate(("one", "two")))
    settings = registered(numbers=(), campaigns=campaigns[:1])
    settings = replace(settings, admin=AdminSettings(campaign_series=2))
    paced, view = a_view(settings)
    view.reload(registered(numbers=(), campaigns=campaigns))
    assert 'smppgw_campaign_segments_total{campaign="two"} 0.0' in paced.metrics.render().decode()


async def test_where_nothing_is_configured_there_is_nothing_to_show() -> None:
    _, view = a_view(registered(numbers=(), brands=(), campaigns=()))
    assert await view.overview() == {
        "used_over_seconds": 1.0,
        "brands": [],
        "brands_not_shown": 0,
        "campaigns": [],
        "campaigns_not_shown": 0,
        "numbers_limited": 0,
        "sources_waiting": 0,
    }


async def test_what_is_shown_can_be_written_as_json() -> None:
    paced, view = a_view(registered(numbers=(FIRST,), per_minute=60, per_day=100))
    paced.submit(FIRST, count=300)
    paced.run_for(2)
    for document in (await view.page(None), await view.page("brand"), await view.page(FIRST)):
        assert json.loads(json.dumps(document, allow_nan=False)) == document


async def test_the_rate_is_over_what_was_sampled() -> None:
    paced, view = a_view(registered(numbers=(FIRST,)))
    for seconds in (5, 10, 15):
        view.sample(seconds * NS)
    paced.now_ns = 17 * NS
    assert (await view.overview())["used_over_seconds"] == 7
