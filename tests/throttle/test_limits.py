from __future__ import annotations

import tracemalloc
from dataclasses import replace
from time import process_time
from typing import Any, Final

import pytest

from smppgw.settings import BrandSettings, CampaignSettings, LimitsSettings, NumberSettings, Settings
from smppgw.tables import BrandTier, ClassRate, NumberRate, TierTable
from smppgw.throttle.bucket import NS, Rate
from smppgw.throttle.limit import Limit
from smppgw.throttle.limits import NO_TERMS, Limits, Terms
from tests.support import settings_of

TODAY: Final = 739_942
BURST: Final = 0.05
LONG, OTHER, TOLL_FREE, SHORT = "12065550100", "12065550101", "18005550100", "24680"

TABLE: Final = TierTable(
    tiers=(
        BrandTier("top", 200_000, "a page"),
        BrandTier("low", 2_000, "a page"),
        BrandTier("uncapped", "unlimited", "a page"),
    ),
    classes=(
        ClassRate("A", 4_500, "campaign", "a page"),
        ClassRate("W", 15, "campaign", "a page"),
        ClassRate("G", 60, "number", "a page"),
    ),
    number_rates=(
        NumberRate("long_code", 10, "a page"),
        NumberRate("toll_free", 3, "a page"),
        NumberRate("short_code", 100, "a page"),
    ),
)


def a_campaign(*numbers: str, name: str = "campaign", brand: str = "brand", **more: Any) -> CampaignSettings:
    return CampaignSettings(name, brand, numbers=numbers, **more)


def config(*campaigns: CampaignSettings, brands: tuple[BrandSettings, ...] = (), **tables: Any) -> Settings:
    return settings_of(
        campaigns=campaigns,
        brands=brands,
        **{"tiers": TABLE, "limits": LimitsSettings(burst_seconds=BURST), **tables},
    )


def limits_of(*campaigns: CampaignSettings, **tables: Any) -> Limits:
    return Limits(config(*campaigns, **tables), 0, TODAY)


def rate_of(limit: Limit | None) -> Rate | None:
    return None if limit is None else Rate(limit.interval_ns, limit.tolerance_ns)


def a_second(segments: float) -> Rate:
    return Rate.of(segments, burst_seconds=BURST)


def a_minute(segments: float) -> Rate:
    return Rate.of(segments, seconds=60, burst_seconds=BURST)


def test_a_source_that_the_configuration_does_not_name_has_no_limits() -> None:
    limits = limits_of(a_campaign(LONG, class_="A"))
    assert limits.of("447700900123") is NO_TERMS


def test_the_numbers_of_a_campaign_share_the_rate_of_its_class() -> None:
    limits = limits_of(a_campaign(LONG, OTHER, class_="A"))
    assert limits.of(LONG).campaign is limits.of(OTHER).campaign is limits.campaigns["campaign"]
    assert rate_of(limits.campaigns["campaign"]) == a_minute(4_500)
    assert limits.campaigns["campaign"].kind == "campaign"


def test_a_campaign_without_class_and_rate_has_no_limit_of_its_own() -> None:
    limits = limits_of(a_campaign(LONG))
    assert limits.of(LONG) == Terms(limits.numbers[LONG], None, None)


@pytest.mark.parametrize(("stated", "rate"), [(90, a_minute(90)), ("unlimited", None)])
def test_a_campaign_has_the_rate_it_states_in_place_of_its_class(stated: Any, rate: Rate | None) -> None:
    limits = limits_of(a_campaign(LONG, class_="A", segments_per_minute=stated))
    assert rate_of(limits.of(LONG).campaign) == rate


def test_of_a_class_by_number_each_number_has_the_rate_and_the_campaign_none() -> None:
    limits = limits_of(a_campaign(LONG, OTHER, class_="G"))
    assert limits.campaigns == {}
    assert rate_of(limits.of(LONG).number) == rate_of(limits.of(OTHER).number) == a_minute(60)
    assert limits.of(LONG).number is not limits.of(OTHER).number


def test_of_a_class_by_number_the_stricter_rate_counts() -> None:
    own = NumberSettings(LONG, segments_per_second=0.5), NumberSettings(OTHER, segments_per_second=5)
    limits = limits_of(a_campaign(LONG, OTHER, class_="G"), numbers=own)
    assert rate_of(limits.of(LONG).number) == a_second(0.5)
    assert rate_of(limits.of(OTHER).number) == a_minute(60)


def test_what_a_campaign_of_a_class_by_number_states_is_for_each_number() -> None:
    limits = limits_of(a_campaign(LONG, OTHER, class_="G", segments_per_minute=1_200))
    assert limits.campaigns == {}
    assert rate_of(limits.numbers[LONG]) == a_minute(1_200)


def test_a_number_has_its_own_rate_or_that_of_its_type() -> None:
    own = NumberSettings(OTHER, segments_per_second=2.5), NumberSettings("12065550102", type="toll_free")
    limits = limits_of(a_campaign(LONG, OTHER, TOLL_FREE, SHORT, "12065550102", class_="A"), numbers=own)
    assert {number: rate_of(limit) for number, limit in limits.numbers.items()} == {
        LONG: a_second(10),
        OTHER: a_second(2.5),
        TOLL_FREE: a_second(3),
        SHORT: a_second(100),
        "12065550102": a_second(3),
    }


def test_a_number_of_no_campaign_has_its_rate_alone() -> None:
    limits = limits_of(numbers=(NumberSettings(SHORT), NumberSettings(LONG, segments_per_second=1)))
    assert limits.of(SHORT) == Terms(limits.numbers[SHORT], None, None)
    assert rate_of(limits.numbers[LONG]) == a_second(1)


@pytest.mark.parametrize(
    ("stated", "rate"), [(6_000, a_minute(6_000)), (60, a_second(10)), ("unlimited", None)]
)
def test_the_rate_of_a_type_does_not_narrow_what_a_campaign_states(stated: Any, rate: Rate | None) -> None:
    limits = limits_of(a_campaign(LONG, segments_per_minute=stated))
    assert rate_of(limits.of(LONG).number) == rate


def test_the_rate_of_a_number_holds_whatever_its_campaign_states() -> None:
    own = (NumberSettings(LONG, segments_per_second=2),)
    limits = limits_of(a_campaign(LONG, segments_per_minute="unlimited"), numbers=own)
    assert rate_of(limits.of(LONG).number) == a_second(2)


def test_without_a_table_what_is_stated_counts_alone() -> None:
    campaigns = (
        a_campaign(LONG, class_="A"),
        a_campaign(OTHER, name="own", class_="G", segments_per_minute=30),
    )
    limits = limits_of(*campaigns, tiers=None, brands=(BrandSettings("brand", tier="top"),))
    assert limits.of(LONG) is NO_TERMS
    assert rate_of(limits.of(OTHER).campaign) == a_minute(30)


@pytest.mark.parametrize(
    ("brand", "cap"),
    [
        (BrandSettings("brand", tier="low"), 2_000),
        (BrandSettings("brand", tier="low", segments_per_day=50), 50),
        (BrandSettings("brand", tier="low", segments_per_day="unlimited"), None),
        (BrandSettings("brand", tier="uncapped"), None),
        (BrandSettings("brand"), None),
    ],
)
def test_a_brand_has_the_cap_it_states_or_that_of_its_tier(brand: BrandSettings, cap: int | None) -> None:
    limits = limits_of(a_campaign(LONG), brands=(brand,))
    found = limits.of(LONG).cap
    assert (found.segments_per_day if found else None) == cap
    assert limits.caps == ({} if found is None else {"brand": found})


def test_brands_of_one_tax_id_have_the_lowest_cap_of_theirs_together() -> None:
    brands = (
        BrandSettings("a", tier="top", tax_id="12-3456789"),
        BrandSettings("b", tier="low", tax_id="123456789"),
        BrandSettings("c", tier="uncapped", tax_id="12 3456789"),
        BrandSettings("d", tier="top"),
        BrandSettings("e", tier="top"),
    )
    limits = limits_of(a_campaign(LONG, brand="a"), a_campaign(OTHER, name="other", brand="c"), brands=brands)
    assert limits.caps["a"] is limits.caps["b"] is limits.caps["c"] is limits.of(LONG).cap
    assert limits.of(OTHER).cap is limits.of(LONG).cap
    assert (limits.caps["a"].segments_per_day, limits.caps["a"].brands) == (2_000, ("a", "b", "c"))
    assert limits.caps["d"] is not limits.caps["e"]


def test_a_reload_changes_rates_in_place_and_gives_nothing_back() -> None:
    limits = limits_of(a_campaign(LONG, class_="A"), brands=(BrandSettings("brand", tier="low"),))
    before = limits.of(LONG)
    assert before.number is not None
    assert before.campaign is not None
    assert before.number.take(100, NS) == 1
    assert before.campaign.take(100, NS) == 4
    limits.reload(
        config(a_campaign(LONG, class_="W"), brands=(BrandSettings("brand", segments_per_day=10),)), NS
    )
    after = limits.of(LONG)
    assert all(one is other for one, other in zip(before, after, strict=True))
    assert rate_of(after.campaign) == a_minute(15)
    # There were 4.75 segments, and a quarter of one is wanting now: a second at 15 a minute.
    assert before.campaign.ready_at(NS) == 2 * NS + 750
    assert before.campaign.granted == 4
    assert after.cap is not None
    assert after.cap.segments_per_day == 10


def test_a_reload_leaves_alone_what_has_not_changed() -> None:
    settings = config(a_campaign(LONG, class_="A"))
    limits = Limits(settings, 0, TODAY)
    gate_ns = limits.numbers[LONG].gate_ns
    limits.reload(settings, 5 * NS)
    assert limits.numbers[LONG].gate_ns == gate_ns


def test_what_goes_and_comes_again_is_empty() -> None:
    settings = config(a_campaign(LONG, class_="A"), brands=(BrandSettings("brand", tier="low"),))
    limits = Limits(settings, 0, TODAY)
    limits.reload(config(), 10 * NS)
    assert limits.of(LONG) is NO_TERMS
    assert (limits.numbers, limits.campaigns, limits.caps) == ({}, {}, {})
    limits.reload(settings, 20 * NS)
    number, campaign, cap = limits.of(LONG)
    assert number is not None
    assert campaign is not None
    assert number.available(20 * NS) == campaign.available(20 * NS) == 0
    assert number.ready_at(20 * NS) == 20 * NS + NS // 10
    assert cap is not None
    assert cap.room == 0


def test_a_number_that_changes_its_campaign_keeps_its_own_bucket() -> None:
    limits = limits_of(a_campaign(LONG, OTHER, class_="A"))
    number = limits.numbers[LONG]
    limits.reload(config(a_campaign(OTHER, class_="A"), a_campaign(LONG, name="other", class_="W")), NS)
    assert limits.of(LONG) == Terms(number, limits.campaigns["other"], None)
    assert limits.campaigns["other"].available(NS) == 0


def test_a_brand_that_gets_another_tax_id_gets_the_cap_of_that() -> None:
    brands = [BrandSettings(name, tier="low", tax_id=tax_id) for name, tax_id in (("a", "1"), ("b", "2"))]
    limits = limits_of(brands=tuple(brands))
    one, two = limits.caps["a"], limits.caps["b"]
    limits.reload(config(brands=(replace(brands[0], tax_id="2"), brands[1])), 0)
    assert limits.caps == {"a": two, "b": two}
    assert two.brands == ("a", "b")
    limits.reload(config(brands=(replace(brands[0], tax_id=""), brands[1])), 0)
    assert limits.caps["a"] not in (one, two)
    assert two.brands == ("b",)


def test_100_000_numbers_are_built_quickly_and_take_little_memory() -> None:
    campaigns = [
        a_campaign(
            *(f"1206{place * 50 + each:07d}" for each in range(50)), name=f"campaign {place}", class_="A"
        )
        for place in range(2_000)
    ]
    settings = config(*campaigns, brands=(BrandSettings("brand", tier="top"),))
    began = process_time()
    limits = Limits(settings, 0, TODAY)
    assert process_time() - began < 1.5
    assert len(limits.numbers) == 100_000
    del limits
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    limits = Limits(settings, 0, TODAY)
    octets = (tracemalloc.get_traced_memory()[0] - before) / len(limits.numbers)
    tracemalloc.stop()
    assert octets < 256
