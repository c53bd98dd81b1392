"""How fast limits have been used."""

from __future__ import annotations

from smppgw.throttle.bucket import NS, Rate
from smppgw.throttle.limit import Limit
from smppgw.usage import Usage


def a_limit(name: str = "12065550100") -> Limit:
    return Limit("number", name, Rate.of(10, burst_seconds=0), 0)


def test_a_rate_is_what_was_granted_since_the_oldest_sample() -> None:
    limit = a_limit()
    usage = Usage([limit], 0)
    limit.granted = 20
    usage.sample([limit], 5 * NS)
    limit.granted = 50
    rates = usage.rates(8 * NS)
    assert (rates.of(limit), rates.seconds) == (50 / 8, 8)


def test_what_was_granted_long_ago_is_forgotten() -> None:
    limit = a_limit()
    usage = Usage([limit], 0)
    limit.granted = 1000
    usage.sample([limit], 5 * NS)
    usage.sample([limit], 10 * NS)
    limit.granted = 1030
    assert usage.rates(15 * NS).of(limit) == 3


def test_the_rate_of_several_is_that_of_all_together() -> None:
    limits = [a_limit("1"), a_limit("2"), a_limit("3")]
    usage = Usage(limits, 0)
    limits[0].granted, limits[1].granted, limits[2].granted = 10, 20, 500
    assert usage.rates(10 * NS).of(*limits[:2]) == 3


def test_one_segment_at_the_very_start_is_one_a_second_at_most() -> None:
    limit = a_limit()
    usage = Usage([limit], 0)
    limit.granted = 1
    assert usage.rates(NS // 1000).of(limit) == 1


def test_a_limit_that_came_later_has_used_what_it_has_granted() -> None:
    usage = Usage([a_limit("1")], 0)
    late = a_limit("2")
    late.granted = 40
    assert usage.rates(10 * NS).of(late) == 4
