"""Series by campaign: opt-in, of so many and the others together, and never falling."""

from __future__ import annotations

from smppgw.campaign_series import CampaignSeries
from smppgw.metrics import Metrics
from smppgw.registered import Registered
from smppgw.settings import CampaignSettings, Settings
from tests.paced import Paced, number, registered
from tests.test_metrics import samples

SEGMENTS = "smppgw_campaign_segments_total"
QUEUED = "smppgw_campaign_queue_messages"


def with_campaigns(*names: str) -> Settings:
    """A configuration in which each campaign has the number of its last digit, and a rate."""
    campaigns = [
        CampaignSettings(
            name, "brand", status="approved", numbers=(number(int(name[-1])),), segments_per_minute=600
        )
        for name in names
    ]
    return registered(numbers=(), campaigns=tuple(campaigns))


def series_of(settings: Settings, most: int) -> tuple[Paced, Metrics, CampaignSeries]:
    paced, metrics = Paced(settings), Metrics()
    return paced, metrics, CampaignSeries(most, Registered.of(settings), paced.limits, metrics)


def test_the_first_campaigns_of_the_configuration_have_series_and_the_others_one_together() -> None:
    paced, metrics, series = series_of(with_campaigns("z0", "y1", "x2", "w3"), 2)
    for place, limit in enumerate(paced.limits.campaigns.values()):
        limit.granted = 10**place
    series.count({"z0": 1, "w3": 5, "x2": 2})
    assert samples(metrics, SEGMENTS) == {("z0",): 1, ("y1",): 10, ("other",): 1100}
    assert samples(metrics, QUEUED) == {("z0",): 1, ("y1",): 0, ("other",): 7}


def test_every_series_is_there_with_0_before_anything_has_left() -> None:
    _, metrics, series = series_of(with_campaigns("a0", "b1"), 5)
    series.count({})
    assert samples(metrics, SEGMENTS) == {("a0",): 0, ("b1",): 0, ("other",): 0}
    assert samples(metrics, QUEUED) == {("a0",): 0, ("b1",): 0, ("other",): 0}


def test_a_campaign_whose_rate_is_its_numbers_counts_what_they_have_sent() -> None:
    paced, metrics, series = series_of(with_campaigns("a0"), 5)
    limit = paced.limits.campaigns.pop("a0")
    paced.limits.numbers[number(0)] = limit
    limit.granted = 12
    series.count({})
    assert samples(metrics, SEGMENTS)[("a0",)] == 12


def test_segments_never_fall_when_a_campaign_goes_or_comes_back() -> None:
    paced, metrics, series = series_of(with_campaigns("a0", "b1", "c2"), 1)
    for limit in paced.limits.campaigns.values():
        limit.granted = 100
    series.count({})
    for names, others in ((("a0",), 200), (("a0", "b1", "c2"), 200)):
        settings = with_campaigns(*names)
        paced.limits.reload(settings, paced.now_ns)
        series.reload(Registered.of(settings))
        series.count({})
        assert samples(metrics, SEGMENTS) == {("a0",): 100, ("other",): others}
    paced.limits.campaigns["b1"].granted += 5
    series.count({})
    assert samples(metrics, SEGMENTS)[("other",)] == 205


def test_a_campaign_that_was_gone_between_two_scrapes_begins_anew_and_takes_nothing_back() -> None:
    paced, metrics, series = series_of(with_campaigns("a0"), 1)
    paced.limits.campaigns["a0"].granted = 100
    series.count({})
    for settings in (with_campaigns(), with_campaigns("a0")):
        paced.limits.reload(settings, paced.now_ns)
        series.reload(Registered.of(settings))
    paced.limits.campaigns["a0"].granted = 7
    series.count({})
    assert samples(metrics, SEGMENTS) == {("a0",): 107, ("other",): 0}


def test_reloads_never_make_more_series_than_were_asked_for() -> None:
    paced, metrics, series = series_of(with_campaigns("a0"), 2)
    for names in (("b1", "a0"), ("c2", "d3"), ("e4", "f5")):
        settings = with_campaigns(*names)
        paced.limits.reload(settings, paced.now_ns)
        series.reload(Registered.of(settings))
        series.count({})
    assert samples(metrics, SEGMENTS).keys() == {("a0",), ("b1",), ("other",)}
