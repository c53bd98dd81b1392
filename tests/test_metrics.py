"""The metrics that dashboards rely on: names, labels, types, and what a scrape shows."""

from __future__ import annotations

import math
from importlib.metadata import version
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from smppgw import metric_bounds
from smppgw.metric_bounds import QUICK_SECONDS
from smppgw.metrics import (
    LIMITS,
    REASONS,
    Counter,
    Histogram,
    Metrics,
    status_label,
)
from smppgw.pdu.constants import CommandStatus

CONTRACT = {
    "smppgw_messages_accepted_total": ("counter", {"esme"}),
    "smppgw_messages_rejected_total": ("counter", {"esme", "status"}),
    "smppgw_messages_expired_total": ("counter", {"esme"}),
    "smppgw_messages_submitted_total": ("counter", {"carrier", "status"}),
    "smppgw_receipts_total": ("counter", {"carrier", "state", "class"}),
    "smppgw_receipts_orphaned_total": ("counter", {"carrier"}),
    "smppgw_receipts_repeated_total": ("counter", {"carrier"}),
    "smppgw_mo_total": ("counter", {"carrier"}),
    "smppgw_mo_unowned_total": ("counter", {"carrier"}),
    "smppgw_mo_joined_total": ("counter", {"carrier"}),
    "smppgw_mo_incomplete_total": ("counter", {"carrier"}),
    "smppgw_delivers_total": ("counter", {"esme", "kind", "status"}),
    "smppgw_delivers_expired_total": ("counter", {"esme", "kind"}),
    "smppgw_delivers_waiting": ("gauge", {"esme"}),
    "smppgw_kept": ("gauge", set()),
    "smppgw_throttled_total": ("counter", {"limit"}),
    "smppgw_senders_refused_total": ("counter", {"reason"}),
    "smppgw_queue_wait_seconds": ("histogram", {"lane"}),
    "smppgw_pdu_errors_total": ("counter", {"side", "status"}),
    "smppgw_queue_messages": ("gauge", {"lane"}),
    "smppgw_queue_oldest_message_age_seconds": ("gauge", {"lane"}),
    "smppgw_esme_sessions": ("gauge", {"esme", "mode"}),
    "smppgw_carrier_sessions": ("gauge", {"carrier", "mode"}),
    "smppgw_window_in_use": ("gauge", {"side", "peer"}),
    "smppgw_store_bytes": ("gauge", set()),
    "smppgw_store_commit_duration_seconds": ("histogram", set()),
    "smppgw_store_commit_records": ("histogram", set()),
    "smppgw_store_healthy": ("gauge", set()),
    "smppgw_build_info": ("gauge", {"version"}),
    "smppgw_accept_duration_seconds": ("histogram", set()),
    "smppgw_submit_response_duration_seconds": ("histogram", {"carrier"}),
    "smppgw_delivery_duration_seconds": ("histogram", {"carrier"}),
    "smppgw_event_loop_lag_seconds": ("histogram", set()),
}


def scrape(metrics: Metrics) -> dict[str, Metric]:
    """The families of a scrape, by their names in the exposition."""
    families = text_string_to_metric_families(metrics.render().decode())
    return {
        f"{family.name}_total" if family.type == "counter" else family.name: family for family in families
    }


def samples(metrics: Metrics, name: str) -> dict[tuple[str, ...], float]:
    """The samples of one name, by their label values in the order of the labels' names."""
    return {
        tuple(sample.labels.values()): sample.value
        for family in scrape(metrics).values()
        for sample in family.samples
        if sample.name == name
    }


def touched() -> Metrics:
    """Metrics with one series in each family."""
    metrics = Metrics()
    for family in (
        metrics.messages_accepted, metrics.messages_rejected, metrics.messages_expired,
        metrics.messages_submitted, metrics.receipts, metrics.receipts_orphaned, metrics.receipts_repeated,
        metrics.mo, metrics.mo_unowned, metrics.mo_joined, metrics.mo_incomplete, metrics.delivers,
        metrics.delivers_expired, metrics.pdu_errors, metrics.submit_response_duration,
        metrics.delivery_duration,
    ):  # fmt: skip
        family(*family.labels)
    for gauge in (
        metrics.queue_messages, metrics.queue_oldest_message_age, metrics.delivers_waiting, metrics.kept,
        metrics.esme_sessions,
        metrics.carrier_sessions, metrics.window_in_use, metrics.store_bytes, metrics.store_healthy,
    ):  # fmt: skip
        gauge.read_from(lambda labels=gauge.labels: {labels: 1})
    return metrics


def test_every_metric_of_the_contract_is_exposed_with_its_type_and_labels() -> None:
    families = scrape(touched())
    exposed = {
        name: (family.type, set(family.samples[0].labels) - {"le"})
        for name, family in families.items()
        if name.startswith("smppgw_")
    }
    assert exposed == CONTRACT


def test_every_family_says_what_it_is() -> None:
    assert all(
        family.documentation.endswith(".") for name, family in scrape(Metrics()).items() if name in CONTRACT
    )


def test_the_process_and_the_interpreter_are_in_a_scrape() -> None:
    names = scrape(Metrics())
    assert {"process_resident_memory_bytes", "python_gc_collections_total", "python_info"} <= names.keys()


def test_a_counter_asked_for_is_exposed_before_it_counts() -> None:
    metrics = Metrics()
    metrics.messages_accepted("acme")
    assert samples(metrics, "smppgw_messages_accepted_total") == {("acme",): 0}


def test_a_counter_shows_what_was_added() -> None:
    metrics = Metrics()
    metrics.messages_accepted("acme").add()
    metrics.messages_accepted("acme").add(20)
    metrics.messages_accepted("other").add(3)
    assert samples(metrics, "smppgw_messages_accepted_total") == {("acme",): 21, ("other",): 3}


def test_every_limit_every_reason_and_every_lane_is_there_from_the_start() -> None:
    metrics = Metrics()
    assert samples(metrics, "smppgw_throttled_total") == {(limit,): 0 for limit in LIMITS}
    assert samples(metrics, "smppgw_senders_refused_total") == {(reason,): 0 for reason in REASONS}
    waits = samples(metrics, "smppgw_queue_wait_seconds_count")
    assert waits == {("otp",): 0, ("transactional",): 0, ("promotional",): 0}


def test_limits_are_called_what_the_contract_calls_them() -> None:
    assert LIMITS == ("number", "campaign", "brand_day", "carrier", "esme")


def test_reasons_are_called_what_operators_read_of_them() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
    assert REASONS
    assert [reason for reason in REASONS if f"`{reason}`" not in readme] == []


def test_nothing_is_exposed_by_campaign_unless_somebody_asks() -> None:
    assert "smppgw_campaign" not in Metrics().render().decode()


def test_what_is_counted_by_campaign_has_its_ids_escaped() -> None:
    metrics = Metrics()
    segments, queued = metrics.campaign_series()
    campaign = 'fall "sale"\\\n'
    segments(campaign).add(3)
    queued.read_from(lambda: {(campaign,): 2})
    assert samples(metrics, "smppgw_campaign_segments_total") == {(campaign,): 3}
    assert samples(metrics, "smppgw_campaign_queue_messages") == {(campaign,): 2}


def test_what_several_gauges_need_is_prepared_once_a_scrape() -> None:
    metrics = Metrics()
    looked: list[str] = []
    metrics.before_scrape(lambda: looked.append("walk"))
    metrics.queue_messages.read_from(lambda: looked.append("read") or {("otp",): len(looked)})
    metrics.store_bytes.read_from(lambda: looked.append("read") or {(): 1})
    metrics.render()
    assert looked == ["walk", "read", "read"]


def test_the_same_labels_are_the_same_counter() -> None:
    metrics = Metrics()
    assert metrics.delivers("acme", "mo", "ESME_ROK") is metrics.delivers("acme", "mo", "ESME_ROK")
    assert isinstance(metrics.delivers("acme", "mo", "ESME_ROK"), Counter)


def test_a_counter_wants_all_of_its_labels() -> None:
    with pytest.raises(ValueError, match="has the labels"):
        Metrics().messages_rejected("acme")


def test_a_label_is_escaped() -> None:
    metrics = Metrics()
    metrics.messages_accepted('a"b\\c\nd').add()
    assert samples(metrics, "smppgw_messages_accepted_total") == {('a"b\\c\nd',): 1}


def test_a_gauge_is_read_at_each_scrape() -> None:
    metrics = Metrics()
    waiting = [5]
    metrics.queue_messages.read_from(lambda: {("otp",): waiting[0]})
    assert samples(metrics, "smppgw_queue_messages") == {("otp",): 5}
    waiting[0] = 7
    assert samples(metrics, "smppgw_queue_messages") == {("otp",): 7}


def test_a_gauge_is_not_read_when_it_is_registered() -> None:
    def unready() -> dict[tuple[str, ...], float]:
        raise AssertionError("read before a scrape")

    Metrics().store_bytes.read_from(unready)


def test_what_several_sources_say_is_added_up() -> None:
    metrics = Metrics()
    metrics.window_in_use.read_from(lambda: {("esme", "acme"): 2, ("esme", "other"): 1})
    metrics.window_in_use.read_from(lambda: {("carrier", "one"): 3, ("esme", "acme"): 2})
    assert samples(metrics, "smppgw_window_in_use") == {
        ("acme", "esme"): 4,
        ("other", "esme"): 1,
        ("one", "carrier"): 3,
    }


def test_a_gauge_without_labels_is_one_number() -> None:
    metrics = Metrics()
    metrics.store_healthy.read_from(lambda: {(): 1})
    assert samples(metrics, "smppgw_store_healthy") == {(): 1}


def test_a_histogram_counts_an_observation_in_every_bucket_that_holds_it() -> None:
    metrics = Metrics()
    metrics.accept_duration.observe(0.001)
    metrics.accept_duration.observe(0.0011, count=10)
    metrics.accept_duration.observe(99.0)
    buckets = samples(metrics, "smppgw_accept_duration_seconds_bucket")
    assert buckets[("0.0005",)] == 0
    assert buckets[("0.001",)] == 1
    assert buckets[("0.0025",)] == 11
    assert buckets[("10.0",)] == 11
    assert buckets[("+Inf",)] == 12
    assert samples(metrics, "smppgw_accept_duration_seconds_count") == {(): 12}
    assert samples(metrics, "smppgw_accept_duration_seconds_sum")[()] == pytest.approx(99.012)


@given(st.lists(st.tuples(st.floats(0, 1e6), st.integers(1, 50)), max_size=30))
def test_a_histogram_s_buckets_hold_what_is_at_most_their_bound(
    observations: list[tuple[float, int]],
) -> None:
    histogram = Histogram(QUICK_SECONDS)
    for seconds, count in observations:
        histogram.observe(seconds, count)
    for place, bound in enumerate((*QUICK_SECONDS, math.inf)):
        below = sum(count for seconds, count in observations if seconds <= bound)
        assert sum(histogram.counts[: place + 1]) == below


@pytest.mark.parametrize(
    "bounds", [value for name, value in vars(metric_bounds).items() if isinstance(value, tuple)]
)
def test_bucket_bounds_rise(bounds: tuple[float, ...]) -> None:
    assert list(bounds) == sorted(set(bounds))


@pytest.mark.parametrize("status", list(CommandStatus))
def test_a_status_is_labelled_by_its_name(status: CommandStatus) -> None:
    assert status_label(int(status)) == status.name


@pytest.mark.parametrize("status", [0x09, 0x400, 0x7FFF_FFFF, 0xFFFF_FFFF])
def test_a_status_of_no_name_is_other(status: int) -> None:
    assert status_label(status) == "other"


def test_the_version_that_runs_is_exposed() -> None:
    assert samples(Metrics(), "smppgw_build_info") == {(version("smppgw"),): 1}


def test_two_gateways_in_one_process_do_not_share_metrics() -> None:
    first, second = Metrics(), Metrics()
    first.mo("one").add()
    assert samples(second, "smppgw_mo_total") == {}
