"""What is counted, and how Prometheus gets it.

The hot path adds to plain integers: a component asks for its counter once, keeps it and adds to it per batch.
Gauges cost nothing until a scrape reads them. One collector turns all of it into families at a scrape.

Label values are a closed set: names of the configuration, and the specification's words. Never a telephone
number, a message id or an address.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import version
from itertools import accumulate
from typing import Final, Generic, TypeVar, get_args

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from smppgw.metric_bounds import (
    COMMIT_RECORDS,
    COMMIT_SECONDS,
    DELIVERY_SECONDS,
    QUICK_SECONDS,
    RESPONSE_SECONDS,
    WAIT_SECONDS,
)
from smppgw.pdu.constants import CommandStatus
from smppgw.settings import Lane
from smppgw.throttle.limit import Kind
from smppgw.throttle.registry import Reason

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
"""The media type of what `Metrics.render` returns."""

OTHER: Final = "other"

LIMITS: Final = (*get_args(Kind), "carrier", "esme")
"""What `limit` says of a message that was held back or refused."""

REASONS: Final = get_args(Reason)
"""Why a source address may not send."""

GaugeValues = Mapping[tuple[str, ...], float]
"""Numbers by label values, in the order of the gauge's labels; `()` for a gauge without labels."""

_STATUS_LABELS: Final[Mapping[int, str]] = {int(status): status.name for status in CommandStatus}


def status_label(command_status: int) -> str:
    """Return the specification's name of a command_status, or `other`: peers invent numbers, not labels."""
    return _STATUS_LABELS.get(command_status, OTHER)


class Counter:
    """A number that only grows."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0

    def add(self, count: int = 1) -> None:
        """Add `count` events."""
        self.value += count


class Histogram:
    """How long things took, in buckets."""

    __slots__ = ("bounds", "counts", "sum_seconds")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum_seconds = 0.0

    def observe(self, seconds: float, count: int = 1) -> None:
        """Count `count` events that took `seconds` each: a batch that waited together is one call."""
        self.counts[bisect_left(self.bounds, seconds)] += count
        self.sum_seconds += seconds * count


Child = TypeVar("Child")


class Family(Generic[Child]):
    """The counters or histograms of one name, one for each set of label values."""

    def __init__(
        self, name: str, documentation: str, labels: tuple[str, ...], make: Callable[[], Child]
    ) -> None:
        self.name = name
        self.documentation = documentation
        self.labels = labels
        self._make = make
        self._children: dict[tuple[str, ...], Child] = {}

    def __call__(self, *values: str) -> Child:
        """Return the child with these label values, always the same one; asked for, it is there with 0."""
        child = self._children.get(values)
        if child is None:
            if len(values) != len(self.labels):
                raise ValueError(f"{self.name} has the labels {self.labels}, not {values}")
            child = self._children[values] = self._make()
        return child

    def children(self) -> Iterable[tuple[tuple[str, ...], Child]]:
        """Return the children by label values."""
        return self._children.items()


class Gauge:
    """A number that is read when it is asked for, from those who know it."""

    def __init__(self, name: str, documentation: str, labels: tuple[str, ...] = ()) -> None:
        self.name = name
        self.documentation = documentation
        self.labels = labels
        self._sources: list[Callable[[], GaugeValues]] = []

    def read_from(self, source: Callable[[], GaugeValues]) -> None:
        """Ask `source` at every scrape; what several sources say under the same labels is added up."""
        self._sources.append(source)

    def values(self) -> GaugeValues:
        """Return what the sources say now."""
        total: dict[tuple[str, ...], float] = {}
        for source in self._sources:
            for values, number in source().items():
                total[values] = total.get(values, 0) + number
        return total


class Metrics:
    """Every metric of the gateway. Made once, by the one who composes it, and handed in."""

    def __init__(self) -> None:
        self._counters: list[Family[Counter]] = []
        self._histograms: list[Family[Histogram]] = []
        self._gauges: list[Gauge] = []
        self._before_scrape: list[Callable[[], None]] = []
        self.messages_accepted = self._counter(
            "smppgw_messages_accepted", "Messages answered with ESME_ROK.", "esme"
        )
        self.messages_rejected = self._counter(
            "smppgw_messages_rejected", "Messages refused, by the status that was answered.", "esme", "status"
        )
        self.messages_expired = self._counter(
            "smppgw_messages_expired", "Messages whose validity ended before a carrier had them.", "esme"
        )
        self.messages_submitted = self._counter(
            "smppgw_messages_submitted", "Answers of carriers to submit_sm.", "carrier", "status"
        )
        self.receipts = self._counter(
            "smppgw_receipts",
            "Delivery receipts that belong to a message, by message_state and by what that means.",
            "carrier",
            "state",
            "class",
        )
        self.receipts_orphaned = self._counter(
            "smppgw_receipts_orphaned", "Delivery receipts that no message was found for.", "carrier"
        )
        self.receipts_repeated = self._counter(
            "smppgw_receipts_repeated",
            "Delivery receipts that had come before, or that nobody asked for.",
            "carrier",
        )
        self.mo = self._counter("smppgw_mo", "Messages from handsets.", "carrier")
        self.mo_unowned = self._counter(
            "smppgw_mo_unowned", "Messages from handsets to numbers that are nobody's.", "carrier"
        )
        self.mo_joined = self._counter(
            "smppgw_mo_joined", "Long messages from handsets whose parts were joined.", "carrier"
        )
        self.mo_incomplete = self._counter(
            "smppgw_mo_incomplete", "Parts from handsets passed on alone: others never came.", "carrier"
        )
        self.delivers = self._counter(
            "smppgw_delivers",
            "Answers of ESMEs to deliver_sm; kind is receipt or mo.",
            "esme",
            "kind",
            "status",
        )
        self.delivers_expired = self._counter(
            "smppgw_delivers_expired",
            "Receipts and messages from handsets that waited for their ESME too long; kind is receipt or mo.",
            "esme",
            "kind",
        )
        self.throttled = self._counter(
            "smppgw_throttled",
            "Waits of the first message of a lane for a limit, and messages refused by one.",
            "limit",
        )
        for limit in LIMITS:
            self.throttled(limit)
        self.senders_refused = self._counter(
            "smppgw_senders_refused",
            "Messages refused since their source address may not send there.",
            "reason",
        )
        for reason in REASONS:
            self.senders_refused(reason)
        self.pdu_errors = self._counter(
            "smppgw_pdu_errors", "PDUs that could not be accepted; side is esme or carrier.", "side", "status"
        )
        self.accept_duration = self._histogram(
            "smppgw_accept_duration_seconds", "From a submit_sm read to its answer written.", QUICK_SECONDS
        )()
        self.submit_response_duration = self._histogram(
            "smppgw_submit_response_duration_seconds",
            "From a submit_sm written to a carrier to its answer.",
            RESPONSE_SECONDS,
            "carrier",
        )
        self.queue_wait = self._histogram(
            "smppgw_queue_wait_seconds",
            "From a message accepted to its way to a carrier, of those that had to wait in a lane.",
            WAIT_SECONDS,
            "lane",
        )
        for lane in get_args(Lane):
            self.queue_wait(lane)
        self.delivery_duration = self._histogram(
            "smppgw_delivery_duration_seconds",
            "From a message accepted to its final receipt.",
            DELIVERY_SECONDS,
            "carrier",
        )
        self.event_loop_lag = self._histogram(
            "smppgw_event_loop_lag_seconds", "How late the event loop ran a timer.", QUICK_SECONDS
        )()
        self._commit_duration = self._histogram(
            "smppgw_store_commit_duration_seconds",
            "From a batch's way to the disk until it is there.",
            COMMIT_SECONDS,
        )()
        self._commit_records = self._histogram(
            "smppgw_store_commit_records",
            "Records of a batch; each describes several messages.",
            COMMIT_RECORDS,
        )()
        self.queue_messages = self._gauge(
            "smppgw_queue_messages", "Messages accepted and not yet sent.", "lane"
        )
        self.queue_oldest_message_age = self._gauge(
            "smppgw_queue_oldest_message_age_seconds", "Age of the message that waits longest.", "lane"
        )
        self.delivers_waiting = self._gauge(
            "smppgw_delivers_waiting", "Receipts and messages from handsets that wait for their ESME.", "esme"
        )
        self.kept = self._gauge(
            "smppgw_kept", "Receipts and messages from handsets that belong to nobody, and are kept."
        )
        self.esme_sessions = self._gauge("smppgw_esme_sessions", "Bound sessions of ESMEs.", "esme", "mode")
        self.carrier_sessions = self._gauge(
            "smppgw_carrier_sessions", "Sessions bound to carriers.", "carrier", "mode"
        )
        self.window_in_use = self._gauge(
            "smppgw_window_in_use", "Requests of ours that wait for an answer.", "side", "peer"
        )
        self.store_bytes = self._gauge("smppgw_store_bytes", "Octets that the store takes.")
        self.store_healthy = self._gauge("smppgw_store_healthy", "1 while the store takes messages, else 0.")
        running = (version("smppgw"),)
        build_info = self._gauge("smppgw_build_info", "The version that runs.", "version")
        build_info.read_from(lambda: {running: 1})
        self._registry = CollectorRegistry()
        self._registry.register(_Collector(self._families))
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def store_commit(self, seconds: float, records: int) -> None:
        """Count one commit of the store."""
        self._commit_duration.observe(seconds)
        self._commit_records.observe(records)

    def campaign_series(self) -> tuple[Family[Counter], Gauge]:
        """Add what is counted by campaign, which is exposed only where this is called: segments, what is queued.

        To be called once.
        """
        return (
            self._counter(
                "smppgw_campaign_segments", "Segments of a campaign that have left under a rate.", "campaign"
            ),
            self._gauge(
                "smppgw_campaign_queue_messages",
                "Messages of a campaign accepted and not yet sent.",
                "campaign",
            ),
        )

    def before_scrape(self, prepare: Callable[[], None]) -> None:
        """Call `prepare` before anything is read for a scrape: what several gauges need is looked up there once."""
        self._before_scrape.append(prepare)

    def render(self) -> bytes:
        """Return everything in Prometheus's text format (`CONTENT_TYPE`)."""
        for prepare in self._before_scrape:
            prepare()
        return generate_latest(self._registry)

    def _counter(self, name: str, documentation: str, *labels: str) -> Family[Counter]:
        family: Family[Counter] = Family(name, documentation, labels, Counter)
        self._counters.append(family)
        return family

    def _histogram(
        self, name: str, documentation: str, bounds: tuple[float, ...], *labels: str
    ) -> Family[Histogram]:
        family = Family(name, documentation, labels, lambda: Histogram(bounds))
        self._histograms.append(family)
        return family

    def _gauge(self, name: str, documentation: str, *labels: str) -> Gauge:
        gauge = Gauge(name, documentation, labels)
        self._gauges.append(gauge)
        return gauge

    def _families(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily]:
        for counters in self._counters:
            counted = CounterMetricFamily(counters.name, counters.documentation, labels=counters.labels)
            for values, counter in counters.children():
                counted.add_metric(values, counter.value)
            yield counted
        for gauge in self._gauges:
            measured = GaugeMetricFamily(gauge.name, gauge.documentation, labels=gauge.labels)
            for values, number in gauge.values().items():
                measured.add_metric(values, number)
            yield measured
        for histograms in self._histograms:
            timed = HistogramMetricFamily(histograms.name, histograms.documentation, labels=histograms.labels)
            for values, histogram in histograms.children():
                limits = [*map(floatToGoString, histogram.bounds), "+Inf"]
                buckets = list(zip(limits, accumulate(histogram.counts), strict=True))
                timed.add_metric(values, buckets, histogram.sum_seconds)
            yield timed


class _Collector(Collector):
    """What prometheus_client asks at a scrape."""

    def __init__(
        self,
        families: Callable[[], Iterable[CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily]],
    ) -> None:
        self._families = families

    def collect(self) -> Iterable[CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily]:
        return self._families()

    def describe(self) -> Iterable[CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily]:
        """Return nothing: registering must not read the gauges."""
        return ()
