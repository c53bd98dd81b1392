"""What operators see of a running gateway."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from smppgw import Smsc
from smppgw.library.bound import LATER, BoundEsme, Later
from smppgw.metrics import Metrics
from smppgw.overview import Overview
from smppgw.pdu._generated import SubmitSm
from smppgw.session.timers import NS
from smppgw.settings import AdminSettings
from smppgw.store.entries import Delivery
from tests.paced import Paced, number, registered
from tests.peers import client, submit_sm
from tests.support import a_carrier, an_esme, running, settings_of, until


async def test_status_shows_binds_queues_and_lanes() -> None:
    unanswered: list[tuple[BoundEsme, SubmitSm]] = []
    looked = False

    def answer(esme: BoundEsme, pdu: SubmitSm) -> str | Later:
        if looked:
            return "at once"
        unanswered.append((esme, pdu))
        return LATER

    async with Smsc(port=0, on_submit=answer) as smsc:
        settings = settings_of(an_esme(), carriers=(a_carrier(smsc.port, window=2),))
        async with running(settings) as gateway, client(gateway.server.port) as esme:
            for number in range(5):
                await esme.request(submit_sm(number, priority_flag=1))
            await until(lambda: gateway.dispatch.in_flight == 2)
            status = gateway.status()
            assert status["ready"] is True
            assert status["lanes"] == {"otp": 0, "transactional": 3, "promotional": 0}
            assert status["esmes"]["app"]["binds"] == {"tx": 0, "rx": 0, "trx": 1}
            assert status["esmes"]["app"]["queued"] == 5
            assert status["carriers"]["carrier"]["up"] is True
            assert status["carriers"]["carrier"]["in_flight"] == 2
            assert status["store"]["octets"] > 0
            metrics = gateway.metrics.render().decode()
            for line in (
                'smppgw_messages_accepted_total{esme="app"} 5.0',
                'smppgw_queue_messages{lane="transactional"} 3.0',
                'smppgw_esme_sessions{esme="app",mode="trx"} 1.0',
                'smppgw_carrier_sessions{carrier="carrier",mode="trx"} 1.0',
                'smppgw_window_in_use{peer="carrier",side="carrier"} 2.0',
                "smppgw_accept_duration_seconds_count 5.0",
                "smppgw_store_healthy 1.0",
            ):
                assert line in metrics, line
            assert "smppgw_queue_oldest_message_age_seconds" in metrics
            looked = True
            for bound, pdu in unanswered:
                bound.answer(pdu, "at last")
            await until(lambda: not gateway.store.queued("app"))


async def test_status_and_metrics_show_what_waits_for_esmes_and_what_is_kept() -> None:
    async with running(settings_of(an_esme(), an_esme("away"))) as gateway:
        owed = [("app", 3), ("gone", 2), ("", 1)]
        deliveries = [Delivery(esme, "mo", 5, b"", 0, 0) for esme, count in owed for _ in range(count)]
        gateway.store.receive("carrier", deliveries, (), lambda: None)
        aside = gateway.store.take_deliveries("app", 1)
        aside[0].due_ns = time.monotonic_ns() + 3600 * NS
        gateway.store.defer_deliveries(aside)
        status = gateway.status()
        metrics = gateway.metrics.render().decode()
    assert status["esmes"]["app"]["waiting_deliveries"] == 3
    assert status["esmes"]["away"]["waiting_deliveries"] == 0
    assert status["kept_deliveries"] == 1
    assert status["deliveries_of_others"] == 2
    for line in (
        'smppgw_delivers_waiting{esme="app"} 3.0',
        'smppgw_delivers_waiting{esme="away"} 0.0',
        'smppgw_delivers_waiting{esme="other"} 2.0',
        "smppgw_kept 1.0",
    ):
        assert line in metrics, line


def an_overview(paced: Paced, *, series: int = 0) -> Overview:
    """What is seen of what is paced, without peers."""
    return Overview(
        replace(paced.settings, admin=AdminSettings(campaign_series=series)),
        paced.store,
        paced.limits,
        {},
        {},
        paced.metrics,
        clock=lambda: paced.now_ns,
        wall_clock=paced.wall,
        not_ready=list[str],
    )


def held_back() -> Paced:
    """Three lanes of two numbers in which messages of different age wait."""
    paced = Paced(registered(numbers=(number(1), number(2)), per_minute=1))
    paced.submit(number(1), count=5)
    paced.now_ns += 2 * NS
    paced.submit(number(2), count=2)
    paced.submit(number(2), lane="otp")
    paced.now_ns += 3 * NS
    paced.settle()
    return paced


def test_lanes_of_all_numbers_are_added_up_and_the_oldest_counts() -> None:
    paced = held_back()
    assert an_overview(paced).status()["lanes"] == {"otp": 1, "transactional": 0, "promotional": 7}
    metrics = paced.metrics.render().decode()
    for line in (
        'smppgw_queue_messages{lane="otp"} 1.0',
        'smppgw_queue_messages{lane="transactional"} 0.0',
        'smppgw_queue_messages{lane="promotional"} 7.0',
        'smppgw_queue_oldest_message_age_seconds{lane="otp"} 3.0',
        'smppgw_queue_oldest_message_age_seconds{lane="transactional"} 0.0',
        'smppgw_queue_oldest_message_age_seconds{lane="promotional"} 5.0',
    ):
        assert line in metrics, line


@pytest.mark.parametrize("series", [0, 5])
def test_a_scrape_walks_over_the_lanes_once(series: int, monkeypatch: pytest.MonkeyPatch) -> None:
    paced = held_back()
    an_overview(paced, series=series)
    walks = []
    lanes = paced.store.lanes
    monkeypatch.setattr(paced.store, "lanes", lambda: walks.append(1) or lanes())
    paced.metrics.render()
    assert len(walks) == 1


def test_series_of_campaigns_are_there_only_where_they_are_asked_for() -> None:
    paced = held_back()
    an_overview(paced)
    assert "smppgw_campaign" not in paced.metrics.render().decode()
    paced.metrics = Metrics()
    an_overview(paced, series=1)
    assert 'smppgw_campaign_queue_messages{campaign="campaign"} 8.0' in paced.metrics.render().decode()
