"""Nothing leaves above its limits, nothing waits that might leave, and who waits takes turns."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw import pacing, waiting
from smppgw.inquiry import CANCELLED
from smppgw.session.timers import NS
from smppgw.settings import BrandSettings, CampaignSettings, NumberSettings, RouteSettings
from smppgw.store.entries import Message
from smppgw.throttle.bucket import Rate
from smppgw.throttle.turns import FLOOR
from tests.paced import NOON, Left, Paced, number, registered
from tests.support import a_carrier

BURST = 0.05


def assert_never_above(left: Iterable[Left], rate: Rate, of: str) -> None:
    """In no window, of any length, has more left than the burst, or one message, and the rate allow."""
    lowest: int | None = None
    most_ns = rate.interval_ns + rate.tolerance_ns
    spent_ns = 0
    for each in left:
        cost_ns = each.segments * rate.interval_ns
        most_ns = max(most_ns, cost_ns)
        # Over the window from any earlier message to this one: its cost is at most burst + length.
        level = spent_ns - each.at_ns
        lowest = level if lowest is None else min(lowest, level)
        spent_ns += cost_ns
        over_ns = spent_ns - each.at_ns - lowest - most_ns
        assert over_ns <= 0, f"{of}: {over_ns / rate.interval_ns:.2f} segments too many at {each.at_ns}"


def of_source(left: Iterable[Left]) -> dict[str, list[Left]]:
    found: defaultdict[str, list[Left]] = defaultdict(list)
    for each in left:
        found[each.source].append(each)
    return found


NUMBERS = [number(place) for place in range(4)]

_STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("submit"),
            st.integers(0, 3),
            st.integers(1, 12),
            st.sampled_from(["otp", "transactional", "promotional"]),
            st.integers(1, 4),
        ),
        st.tuples(st.just("run"), st.integers(0, 3_000)),
        st.tuples(st.just("late"), st.integers(0, 2_000)),
        st.tuples(st.just("reload")),
        st.tuples(st.just("restart"), st.integers(0, 500)),
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    steps=_STEPS,
    per_minute=st.sampled_from([15, 75, 240, 2400, 4500, 30_000]),
    own=st.sampled_from([0.25, 1.0, 7.0, 500.0]),
    seed=st.integers(0, 1 << 16),
)
def test_in_no_window_does_a_number_or_a_campaign_send_more_than_burst_and_rate(
    steps: list[tuple[object, ...]], per_minute: int, own: float, seed: int
) -> None:
    config = registered(
        numbers=NUMBERS,
        per_minute=per_minute,
        per_day=150,
        own=[NumberSettings(each, own) for each in NUMBERS[:2]],
        burst_seconds=BURST,
    )
    chance = random.Random(seed)
    paced = Paced(config)
    submitted = 0
    for step in steps:
        match step:
            case ("submit", int(place), int(count), str(lane), int(segments)):
                paced.submit(NUMBERS[place], count=count, lane=lane, segments=segments)
                submitted += count
                paced.settle()
            case ("run", int(ms)):
                paced.run_for(ms / 1000, late=lambda: chance.randrange(20_000_000))
            case ("late", int(ms)):
                paced.now_ns += ms * 1_000_000
            case ("reload",):
                paced.reload(config)
            case ("restart", int(ms)):
                paced = Paced(config, now_ns=paced.now_ns + ms * 1_000_000, wall=paced.wall(), past=paced)
    assert_never_above(paced.left, Rate.of(per_minute, seconds=60, burst_seconds=BURST), "campaign")
    for source, left in of_source(paced.left).items():
        if source in NUMBERS[:2]:
            assert_never_above(left, Rate.of(own, burst_seconds=BURST), source)
        for lane in ("otp", "transactional", "promotional"):
            keys = [each.key for each in left if each.lane == lane]
            assert keys == sorted(keys), "a lane of a number leaves in the order of acceptance"
    assert sum(each.segments for each in paced.left) <= 150
    assert len(paced.left) + paced.waiting == submitted


@pytest.mark.parametrize("per_second", [1, 4, 40, 75, 150, 500])
@pytest.mark.parametrize("what", ["number", "campaign"])
def test_under_backlog_a_rate_is_used_to_99_percent(per_second: int, what: str) -> None:
    config = registered(
        numbers=NUMBERS[:1],
        per_minute=60 * per_second if what == "campaign" else "unlimited",
        own=[NumberSettings(NUMBERS[0], float(per_second))] if what == "number" else (),
    )
    paced = Paced(config)
    paced.submit(NUMBERS[0], count=61 * per_second)
    chance = random.Random(7)
    paced.run_for(60, late=lambda: chance.randrange(12_000_000))
    took_ns = paced.left[-1].at_ns - paced.left[0].at_ns
    assert (len(paced.left) - 1) * NS >= 0.99 * per_second * took_ns
    assert took_ns > 57 * NS
    assert_never_above(paced.left, Rate.of(per_second, burst_seconds=BURST), what)


def test_a_one_time_code_behind_100_000_promotional_messages_leaves_within_two_tokens() -> None:
    paced = Paced(registered(numbers=NUMBERS, per_minute=75))
    paced.submit(NUMBERS[0], count=100_000)
    paced.run_for(33.3)
    asked_ns = paced.now_ns
    paced.submit(NUMBERS[0], lane="otp")
    paced.run_for(2)
    [code] = [each for each in paced.left if each.lane == "otp"]
    assert code.at_ns - asked_ns <= 2 * 60 * NS // 75


def test_lanes_of_a_number_leave_in_strict_order_but_the_last_is_never_starved() -> None:
    paced = Paced(registered(numbers=NUMBERS[:1], own=[NumberSettings(NUMBERS[0], 10.0)]))
    for lane in ("promotional", "transactional", "otp"):
        paced.submit(NUMBERS[0], count=1_000, lane=lane)
    paced.run_for(30)
    left = Counter(each.lane for each in paced.left)
    assert left["otp"] >= len(paced.left) * (1 - 1 / FLOOR) - 1
    assert left["transactional"] + left["promotional"] >= len(paced.left) / FLOOR - 1
    assert left["promotional"] >= len(paced.left) / FLOOR / 2 - 1
    paced.run_for(300)
    keys = [each.key for each in paced.left if each.lane == "promotional"]
    assert keys == sorted(keys)


def test_numbers_of_a_campaign_have_equal_shares_of_its_rate() -> None:
    paced = Paced(registered(numbers=NUMBERS, per_minute=2400))
    paced.submit(NUMBERS[0], count=5_000)
    paced.run_for(5)
    for each in NUMBERS[1:]:
        paced.submit(each, count=500)
    before = len(paced.left)
    paced.run_for(30)
    shares = Counter(each.source for each in paced.left[before:])
    assert max(shares.values()) - min(shares.values()) <= 2


def test_esmes_have_equal_shares_of_a_carrier_however_many_numbers_they_use() -> None:
    paced = Paced(registered(numbers=[number(place) for place in range(20)], esmes=("large", "small")))
    for place in range(19):
        paced.submit(number(place), count=100, esme="large")
    paced.submit(number(19), count=400, esme="small")
    for _ in range(80):  # the carrier takes ten at a time
        paced.run_pass(10)
    shares = Counter(each.esme for each in paced.left)
    assert abs(shares["large"] - shares["small"]) <= 20


def test_a_code_leaves_before_the_backlog_of_other_numbers_when_the_carrier_is_slow() -> None:
    paced = Paced(registered(numbers=NUMBERS))
    for each in NUMBERS[:3]:
        paced.submit(each, count=1_000)
    paced.run_pass(10)
    paced.submit(NUMBERS[3], lane="otp")
    paced.run_pass(10)
    assert "otp" in {each.lane for each in paced.left}


def test_a_long_message_gets_its_turn_among_short_ones() -> None:
    paced = Paced(registered(numbers=NUMBERS, per_minute=60))
    paced.submit(NUMBERS[0], count=200)
    paced.submit(NUMBERS[1], count=2, segments=5)
    paced.run_for(20)
    assert [each.segments for each in paced.left].count(5) >= 1
    assert_never_above(paced.left, Rate.of(1, burst_seconds=BURST), "campaign")


def test_what_cannot_leave_by_one_carrier_does_not_keep_others_of_its_campaign_back() -> None:
    config = registered(
        numbers=NUMBERS,
        per_minute=600,
        carriers=(a_carrier(1, "down"), a_carrier(2, "up")),
        routes=(RouteSettings(("down",), source="12065550000"), RouteSettings(("up",))),
    )
    paced = Paced(config)
    paced.submit(NUMBERS[0], count=500)
    paced.submit(NUMBERS[1], count=500)
    paced.down = {("down",)}
    paced.run_for(20)
    assert len(paced.left) >= 0.99 * 20 * 10
    paced.down.clear()
    paced.run_for(20)
    assert len(paced.left) >= 0.99 * 40 * 10
    assert Counter(each.source for each in paced.left)[NUMBERS[0]] >= 90


def _in_los_angeles(*moment: int) -> datetime:
    return datetime(*moment, tzinfo=ZoneInfo("America/Los_Angeles")).astimezone(UTC)  # type: ignore[arg-type]


def _days(left: Iterable[Left], wall: Callable[[int], datetime]) -> Counter[object]:
    days: Counter[object] = Counter()
    for each in left:
        days[wall(each.at_ns).astimezone(ZoneInfo("America/Los_Angeles")).date()] += each.segments
    return days


@pytest.mark.parametrize(
    "start",
    [
        pytest.param(_in_los_angeles(2026, 11, 22, 18), id="usual"),
        pytest.param(_in_los_angeles(2026, 3, 7, 18), id="day of 23 hours"),
        pytest.param(_in_los_angeles(2026, 10, 31, 18), id="day of 25 hours"),
    ],
)
def test_what_is_above_the_cap_of_a_day_leaves_on_the_next(start: datetime) -> None:
    paced = Paced(registered(numbers=NUMBERS, per_day=100), wall=start)
    paced.submit(NUMBERS[0], count=250)
    began_ns = paced.now_ns
    for _ in range(3 * 24 * 60):  # every minute, as the gateway's housekeeping looks twice a second
        paced.now_ns += 60 * NS
        paced.quotas.keep()
        paced.settle()
    days = _days(paced.left, lambda at_ns: start + timedelta(microseconds=(at_ns - began_ns) / 1000))
    assert list(days.values()) == [100, 100, 50]
    first_next = next(each for each in paced.left[100:])
    moment = start + timedelta(microseconds=(first_next.at_ns - began_ns) / 1000)
    local = moment.astimezone(ZoneInfo("America/Los_Angeles"))
    assert (local.hour, local.minute) in {(0, 0), (0, 1)}


def test_a_clock_that_steps_back_over_midnight_does_not_give_the_day_again() -> None:
    paced = Paced(registered(numbers=NUMBERS, per_day=100), wall=_in_los_angeles(2026, 11, 22, 23, 59))
    paced.now_ns += 120 * NS
    paced.quotas.keep()
    paced.submit(NUMBERS[0], count=150)
    paced.settle()
    assert len(paced.left) == 100
    paced.set_wall(paced.wall() - timedelta(hours=1))
    for _ in range(10):
        paced.quotas.keep()
        paced.settle()
    assert len(paced.left) == 100
    again = Paced(paced.settings, now_ns=paced.now_ns, wall=paced.wall(), past=paced)
    again.settle()
    assert len(again.left) == 100


def test_messages_to_no_number_of_the_us_do_not_count_to_the_day() -> None:
    paced = Paced(registered(numbers=NUMBERS, per_day=10))
    paced.submit(NUMBERS[0], count=50, destination="447700900123")
    paced.submit(NUMBERS[1], count=50)
    paced.settle()
    assert Counter(each.destination for each in paced.left) == {"447700900123": 50, "13125550100": 10}


def test_what_was_accepted_and_is_no_longer_registered_is_refused_and_not_sent() -> None:
    config = registered(numbers=NUMBERS, per_minute=60)
    paced = Paced(config)
    paced.submit(NUMBERS[0], count=10)
    paced.submit(NUMBERS[0], count=3, destination="447700900123")
    paced.run_for(2)
    left = len(paced.left)
    rejected = registered(
        numbers=NUMBERS,
        per_minute=60,
        campaigns=(CampaignSettings("campaign", "brand", status="rejected", numbers=tuple(NUMBERS)),),
    )
    paced.reload(rejected)
    paced.run_for(60)
    assert len(paced.refused) == 10 - left
    assert {reason for _, reason in paced.refused} == {"campaign_not_approved"}
    assert Counter(each.destination for each in paced.left)["447700900123"] == 3


def test_a_reload_that_lowers_a_rate_holds_at_once() -> None:
    paced = Paced(registered(numbers=NUMBERS, per_minute=6000))
    paced.submit(NUMBERS[0], count=5_000)
    paced.run_for(3)
    at = len(paced.left)
    paced.reload(registered(numbers=NUMBERS, per_minute=60))
    paced.run_for(10)
    assert 9 <= len(paced.left) - at <= 12


def test_what_is_taken_out_of_a_lane_that_waits_does_not_keep_its_number_back_for_ever() -> None:
    config = registered(numbers=NUMBERS, per_minute=60)
    for reload in (False, True):
        paced = Paced(config)
        paced.submit(NUMBERS[0], count=3)
        paced.settle()
        picked: list[Message] = []
        paced.store.pick([1, 2, 3], picked.extend)
        assert len(picked) == 3
        paced.store.failed([(each, CANCELLED) for each in picked], [], lambda: None)
        if reload:
            paced.reload(config)
        paced.run_for(5)
        paced.submit(NUMBERS[0])
        paced.submit(NUMBERS[1])
        paced.run_for(5)
        assert {each.source for each in paced.left} == set(NUMBERS[:2])


def test_what_lingers_before_a_carrier_stands_as_soon_as_others_wait() -> None:
    paced = Paced(registered(numbers=NUMBERS))
    [outlet] = paced.lines.outlets
    paced.submit(NUMBERS[0], count=5)
    paced.pacing.begin(paced.now_ns)
    assert len(paced.pacing.take(outlet, 2, 1 << 20, paced.now_ns)) == 2
    outlet.lingers = True
    paced.pacing.end(paced.now_ns)
    assert len(outlet.fresh) == 3
    assert paced.waiting == 0
    paced.submit(NUMBERS[1], lane="otp")
    paced.pacing.begin(paced.now_ns)
    paced.pacing.end(paced.now_ns)
    assert paced.waiting == 4
    paced.settle()
    assert [each.key for each in paced.left if each.source == NUMBERS[0]] == [3, 4, 5]
    assert paced.left[0].lane == "otp"


def test_a_carrier_that_is_full_now_and_then_costs_no_look_at_each_line_that_waits() -> None:
    numbers = [number(place) for place in range(2_000)]
    paced = Paced(registered(numbers=numbers, per_minute=2400))
    for each in numbers:
        paced.submit(each, count=3)
    began_ns = paced.now_ns
    passes = 0
    for _ in range(100):
        for room in (0, 1_000):  # full for 50 ms, then not
            for _ in range(10):
                paced.now_ns += 5_000_000
                while True:
                    passes += 1
                    paced.run_pass(room)
                    if not paced.pacing.again:
                        break
    seconds = (paced.now_ns - began_ns) / NS
    assert len(paced.left) >= 0.9 * 40 * seconds
    assert passes < 3_000
    kept_back = paced.metrics.render().decode().split('smppgw_throttled_total{limit="campaign"} ')[1]
    assert float(kept_back.split()[0]) < 3 * len(paced.left) + len(numbers)


def test_what_is_longer_than_a_whole_day_is_given_up_and_keeps_nobody_back() -> None:
    paced = Paced(registered(numbers=NUMBERS, per_day=100))
    paced.submit(NUMBERS[0], count=98)
    paced.settle()
    paced.submit(NUMBERS[0], segments=50)
    paced.submit(NUMBERS[1], segments=3)
    paced.submit(NUMBERS[1])
    paced.settle()
    paced.reload(registered(numbers=NUMBERS, per_day=40))
    paced.settle()
    assert [(message.segments, reason) for message, reason in paced.refused] == [(50, None)]
    paced.set_wall(paced.wall() + timedelta(days=1))
    paced.quotas.keep()
    paced.settle()
    assert [each.segments for each in paced.left[98:]] == [3, 1]


def test_what_does_not_count_to_the_day_goes_on_when_what_did_before_it_is_gone() -> None:
    paced = Paced(registered(numbers=NUMBERS, per_day=5))
    paced.submit(NUMBERS[0], count=6)
    paced.submit(NUMBERS[0], destination="447700900123")
    paced.settle()
    assert len(paced.left) == 5
    picked: list[Message] = []
    paced.store.pick([6], picked.extend)
    paced.store.failed([(each, CANCELLED) for each in picked], [], lambda: None)
    paced.settle()
    assert paced.left[-1].destination == "447700900123"


def test_a_code_does_not_wait_for_a_long_message_that_the_day_has_no_room_for() -> None:
    paced = Paced(registered(numbers=NUMBERS, per_day=100))
    paced.submit(NUMBERS[0], count=97)
    paced.settle()
    paced.submit(NUMBERS[0], segments=5)
    paced.settle()
    paced.submit(NUMBERS[0], lane="otp")
    paced.settle()
    assert paced.left[-1].lane == "otp"


def test_after_a_reload_what_comes_is_not_looked_at_again_if_its_sender_may_not_send_everywhere() -> None:
    config = registered(numbers=NUMBERS)
    paced = Paced(config)
    stranger = "12125550100"
    paced.submit(stranger, destination="447700900123")
    paced.now_ns += NS
    paced.reload(config)
    looked = 0
    refusal = paced.lines.refusal

    def counted(*args: object) -> object:
        nonlocal looked
        looked += 1
        return refusal(*args)  # type: ignore[arg-type]

    paced.lines.refusal = counted  # type: ignore[method-assign, assignment]
    paced.settle()
    assert (looked, len(paced.left)) == (1, 1)
    paced.now_ns += NS
    paced.submit(stranger, count=5, destination="447700900123")
    paced.settle()
    assert (looked, len(paced.left)) == (1, 6)


def test_what_limits_keep_back_is_counted_by_the_limit() -> None:
    paced = Paced(
        registered(
            numbers=NUMBERS,
            per_minute=60,
            per_day=5,
            own=[NumberSettings(NUMBERS[0], 0.5)],
        )
    )
    paced.submit(NUMBERS[0], count=2)
    paced.submit(NUMBERS[1], count=20)
    paced.run_for(30)
    rendered = paced.metrics.render().decode()
    for limit in ("number", "campaign", "brand_day"):
        assert f'smppgw_throttled_total{{limit="{limit}"}} 0.0' not in rendered


def test_brands_of_one_tax_id_share_the_cap_of_a_day() -> None:
    brands = tuple(
        BrandSettings(name, status="approved", tax_id="12-3456789", segments_per_day=100)
        for name in ("a", "b")
    )
    campaigns = tuple(
        CampaignSettings(
            f"of {name}", name, status="approved", numbers=(NUMBERS[place],), segments_per_minute="unlimited"
        )
        for place, name in enumerate("ab")
    )
    paced = Paced(registered(numbers=(), brands=brands, campaigns=campaigns))
    paced.submit(NUMBERS[0], count=80)
    paced.submit(NUMBERS[1], count=80)
    paced.settle()
    assert len(paced.left) == 100


def test_numbers_that_wait_cost_nothing_while_others_send(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = [number(place) for place in range(3_000)]
    paced = Paced(registered(numbers=numbers, own=[NumberSettings(each, 0.01) for each in numbers[1:]]))
    for each in numbers[1:]:
        paced.submit(each, count=2)
    paced.settle()
    looked = 0
    kept_back_by = waiting.kept_back_by

    def counted(*args: object) -> object:
        nonlocal looked
        looked += 1
        return kept_back_by(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(waiting, "kept_back_by", counted)
    monkeypatch.setattr(pacing, "kept_back_by", counted)
    for _ in range(50):
        paced.submit(numbers[0])
        paced.settle()
    assert len(paced.left) == 50
    assert looked <= 50


def test_the_calendar_of_these_tests_is_that_of_los_angeles() -> None:
    assert NOON.astimezone(ZoneInfo("America/Los_Angeles")).hour == 12
