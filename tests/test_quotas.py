from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from types import SimpleNamespace
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.quotas import CLOSED, Quotas
from smppgw.settings import BrandSettings, Settings
from smppgw.store.api import Durable, Store
from smppgw.store.memory import MemoryStore
from smppgw.throttle.day_cap import DayCap, pacific_day
from smppgw.throttle.limits import Limits
from smppgw.throttle.turns import Turns
from tests.support import settings_of

LOS_ANGELES: Final = ZoneInfo("America/Los_Angeles")
NOON: Final = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
"""In Los Angeles."""
HALF_A_SECOND: Final = timedelta(seconds=0.5)
PIECE: Final = 10
"""Of a cap of 1,000."""


class Disk:
    """What a store does with quotas: it answers from memory, and is durable when the test says so."""

    def __init__(self, durable: dict[str, tuple[int, int]] | None = None) -> None:
        self._durable = dict(durable or {})
        self._said = dict(self._durable)
        self._pending: list[tuple[str, tuple[int, int], Durable]] = []

    def reserve(self, quota: str, day: int, segments: int, durable: Durable) -> None:
        self._said[quota] = day, segments
        self._pending.append((quota, (day, segments), durable))

    def reserved(self, quota: str) -> tuple[int, int]:
        return self._said.get(quota, (0, 0))

    @property
    def pending(self) -> int:
        return len(self._pending)

    def sync(self, most: int = 1_000_000) -> None:
        """Make so much durable, in order, and say so."""
        for quota, said, durable in [self._pending.pop(0) for _ in range(min(most, len(self._pending)))]:
            self._durable[quota] = said
            durable()

    def after_a_crash(self, written: int = 0) -> Disk:
        """What the next run finds: so much was written, and never said to be."""
        return Disk({**self._durable, **{quota: said for quota, said, _ in self._pending[:written]}})


def brands_of(*said: str, per_day: int = 1_000) -> Settings:
    """A configuration of brands, each with `=` its tax id where it has one."""
    named = [each.partition("=") for each in said]
    return settings_of(
        brands=tuple(
            BrandSettings(name, tax_id=tax_id, segments_per_day=per_day) for name, _, tax_id in named
        )
    )


class Run:
    """A run of the gateway, as far as quotas go."""

    def __init__(self, disk: Disk | MemoryStore, config: Settings, now: datetime = NOON) -> None:
        self.disk = disk
        self.now = now
        self.limits = Limits(config, 0, pacific_day(now))
        self.has_room: list[DayCap] = []
        self.quotas = Quotas(
            cast("Store", disk), self.limits, wall_clock=lambda: self.now, on_room=self.has_room.append
        )
        self.keep()

    def keep(self, now: datetime | None = None) -> None:
        self.now = now or self.now
        self.quotas.keep()
        self.sync()

    def sync(self) -> None:
        while isinstance(self.disk, Disk) and self.disk.pending:
            self.disk.sync()

    def reload(self, config: Settings) -> None:
        self.limits.reload(config, 0)
        self.keep()

    def cap(self, brand: str = "brand") -> DayCap:
        return self.limits.caps[brand]

    def use(self, segments: int, brand: str = "brand") -> int:
        """Use so many, one by one, as far as they may leave; return how many did."""
        for used in range(segments):
            if not self.cap(brand).room:
                return used
            self.cap(brand).spend(1)
            self.quotas.top_up((self.cap(brand),))
            self.sync()
        return segments

    def crash(self, config: Settings | None = None, now: datetime | None = None, written: int = 0) -> Run:
        assert isinstance(self.disk, Disk)
        disk = self.disk.after_a_crash(written)
        return Run(disk, config or brands_of("brand"), now or self.now)


def a_line_with(day_segments: int) -> Any:
    head = [SimpleNamespace(day_segments=day_segments)]
    return SimpleNamespace(rank=0, esme="app", queue=SimpleNamespace(head=head))


def waiting(*lines: Any) -> Turns[Any]:
    turns: Turns[Any] = Turns()
    for line in lines:
        turns.add(line)
    return turns


@pytest.mark.parametrize("store", [Disk, lambda: MemoryStore(1 << 20)], ids=["durable later", "at once"])
def test_a_cap_may_be_used_up_and_no_further(store: Callable[[], Disk | MemoryStore]) -> None:
    run = Run(store(), brands_of("brand"))
    assert run.use(2_000) == 1_000
    run.keep()
    assert (run.cap().room, run.cap().left) == (0, 0)


def test_nothing_may_leave_before_it_is_durable() -> None:
    disk = Disk()
    limits = Limits(brands_of("brand"), 0, pacific_day(NOON))
    quotas = Quotas(cast("Store", disk), limits, wall_clock=lambda: NOON, on_room=lambda _: None)
    quotas.keep()
    assert limits.caps["brand"].room == 0
    quotas.keep()
    assert disk.pending == 1
    disk.sync()
    assert limits.caps["brand"].room == 10


def test_nothing_may_leave_before_it_is_durable_for_every_brand_of_a_tax_id() -> None:
    disk = Disk()
    run = _start(disk, NOON, brands_of("a=1", "b=1"))
    while disk.pending:
        assert run.cap("a").room == 0
        disk.sync(1)
    assert run.cap("a").room == PIECE


def test_what_is_durable_too_late_does_not_count_to_the_next_day() -> None:
    disk = Disk()
    run = _start(disk, NOON, brands_of("brand"))
    run.now += timedelta(days=1)
    run.quotas.keep()
    disk.sync(1)
    run.quotas.keep()
    assert (run.cap().room, disk.pending) == (0, 1)
    disk.sync(1)
    assert run.cap().room == PIECE


def test_what_was_reserved_counts_as_used_after_a_crash() -> None:
    run = Run(Disk(), brands_of("brand"))
    run.use(104)
    again = run.crash()
    assert 104 <= again.cap().used <= 104 + 10
    assert again.cap().left == 1_000 - again.cap().used


def test_what_was_reserved_on_an_earlier_day_does_not() -> None:
    run = Run(Disk(), brands_of("brand"))
    run.use(1_000)
    assert run.crash(now=NOON + timedelta(days=1)).use(2_000) == 1_000


def test_a_clock_that_is_an_hour_back_at_the_start_gives_no_day_again() -> None:
    run = Run(Disk(), brands_of("brand"), datetime(2026, 11, 23, 8, 20, tzinfo=UTC))
    run.use(900)
    again = run.crash(now=run.now - timedelta(hours=1))
    assert again.cap().day == pacific_day(run.now)
    assert 90 <= again.use(2_000) <= 100
    again.keep(run.now)
    assert again.use(1) == 0


@pytest.mark.parametrize("step", [timedelta(hours=-1), timedelta(days=-3), timedelta(minutes=5)])
def test_a_clock_that_steps_gives_no_day_again(step: timedelta) -> None:
    run = Run(Disk(), brands_of("brand"), datetime(2026, 11, 23, 8, 20, tzinfo=UTC))
    used = run.use(600)
    run.keep(run.now + step)
    used += run.use(2_000)
    run.keep(run.now - step)
    assert used + run.use(2_000) == 1_000


def test_a_step_forward_begins_a_day_once() -> None:
    run = Run(Disk(), brands_of("brand"))
    run.use(2_000)
    run.keep(NOON + timedelta(days=1))
    assert run.use(2_000) == 1_000
    run.keep(NOON)
    assert run.use(2_000) == 0
    run.keep(NOON + timedelta(days=1))
    assert run.use(2_000) == 0
    run.keep(NOON + timedelta(days=2))
    assert run.use(2_000) == 1_000


@pytest.mark.parametrize(
    ("midnight", "hours"),
    [
        pytest.param(datetime(2026, 11, 23, 8, tzinfo=UTC), 24, id="usual"),
        pytest.param(datetime(2026, 3, 8, 8, tzinfo=UTC), 23, id="before a day of 23 hours"),
        pytest.param(datetime(2026, 11, 1, 7, tzinfo=UTC), 25, id="before a day of 25 hours"),
    ],
)
def test_whatever_leaves_around_midnight_no_day_of_los_angeles_has_more_than_the_cap(
    midnight: datetime, hours: int
) -> None:
    run = Run(Disk(), brands_of("brand"), midnight - timedelta(hours=1))
    run.use(995)
    days = Counter({pacific_day(run.now): 995})
    for begins, most in ((midnight, 996), (midnight + timedelta(hours=hours), 5_000)):
        run.now = begins - timedelta(seconds=5.3)
        next_keep = run.now
        while run.now < begins + timedelta(seconds=5):
            if run.now >= next_keep:
                run.keep()
                next_keep += HALF_A_SECOND
            if days[pacific_day(run.now)] < most:
                days[pacific_day(run.now)] += run.use(1)
            run.now += timedelta(milliseconds=20)
    first, second, third = sorted(days)
    assert days[first] == 996
    assert days[second] <= 1_000
    assert 200 < days[third] <= 1_000


def test_nothing_leaves_just_before_midnight_and_a_whole_day_after_it() -> None:
    midnight = datetime(2026, 11, 23, 8, tzinfo=UTC)
    run = Run(Disk(), brands_of("brand"), midnight - CLOSED - timedelta(milliseconds=1))
    assert run.use(3) == 3
    run.keep(midnight - CLOSED)
    assert run.use(1) == 0
    run.keep(midnight - timedelta(hours=1))
    assert run.use(1) == 1
    run.keep(midnight)
    assert run.use(2_000) == 1_000


def test_looking_at_the_clock_is_enough_to_begin_a_day() -> None:
    run = Run(Disk(), brands_of("brand"), datetime(2026, 11, 23, 7, 30, tzinfo=UTC))
    run.now += timedelta(hours=1)
    run.quotas.look_at_clock()
    assert run.cap().day == pacific_day(run.now)
    assert run.cap().room == 0


def test_who_waits_is_told_when_there_is_room() -> None:
    run = Run(Disk(), brands_of("brand", per_day=10))
    run.use(10)
    run.cap().waiting = waiting(a_line_with(1))
    run.keep()
    assert run.has_room == []
    run.keep(NOON + timedelta(days=1))
    assert run.has_room == [run.cap()]


def test_who_waits_is_told_when_a_reload_makes_room() -> None:
    run = Run(Disk(), brands_of("brand", per_day=10))
    run.use(10)
    run.cap().waiting = waiting(a_line_with(1))
    run.reload(brands_of("brand", per_day=20))
    assert set(run.has_room) == {run.cap()}
    assert run.use(100) == 10


def test_a_message_larger_than_a_piece_gets_the_room_it_needs() -> None:
    run = Run(Disk(), brands_of("brand", per_day=100))
    assert run.cap().room == 2
    run.cap().waiting = waiting(a_line_with(9))
    run.quotas.top_up((run.cap(),))
    run.sync()
    assert run.cap().room == 9
    assert run.has_room[-1] is run.cap()


def test_promises_that_are_not_kept_are_forgotten() -> None:
    run = Run(Disk(), brands_of("brand", per_day=10))
    assert run.cap().promise(10)
    run.keep()
    assert not run.cap().promise(1)
    run.keep()
    assert run.cap().promise(10)


# ---- brands that come to have another tax id ----------------------------------------------------------------


def reloaded(run: Run, *brands: str) -> Run:
    run.reload(brands_of(*brands))
    return run


def restarted(run: Run, *brands: str) -> Run:
    return run.crash(brands_of(*brands))


taken_up = pytest.mark.parametrize("anew", [reloaded, restarted])
Anew = Callable[..., Run]


@taken_up
def test_brands_that_come_to_share_a_tax_id_share_what_they_have_used(anew: Anew) -> None:
    run = Run(Disk(), brands_of("a", "b"))
    run.use(300, "a")
    run.use(500, "b")
    run = anew(run, "a=1", "b=1")
    assert 200 - 2 * PIECE <= run.use(1_000, "a") <= 200


@taken_up
def test_a_brand_takes_what_its_group_has_used_to_another_tax_id(anew: Anew) -> None:
    run = Run(Disk(), brands_of("a=1", "b=1", "c=2"))
    run.use(300, "a")
    run.use(200, "c")
    run = anew(run, "a=1", "b=2", "c=2")
    assert run.cap("a").used >= 300
    assert 500 - 2 * PIECE <= run.use(1_000, "c") <= 500
    assert 700 - 2 * PIECE <= run.use(1_000, "a") <= 700


@taken_up
def test_a_brand_that_loses_its_tax_id_keeps_what_its_group_has_used(anew: Anew) -> None:
    run = Run(Disk(), brands_of("a=1", "b=1"))
    run.use(300, "a")
    run = anew(run, "a=1", "b")
    assert 700 - PIECE <= run.use(1_000, "b") <= 700


@taken_up
def test_a_group_that_stays_as_it_is_loses_a_piece_each_time_at_most(anew: Anew) -> None:
    run = Run(Disk(), brands_of("a=1", "b=1"))
    run.use(300, "a")
    for _ in range(3):
        run = anew(run, "a=1", "b=1", "c=1")
    assert 700 - 3 * PIECE <= run.use(1_000, "b") <= 700


@taken_up
def test_a_brand_that_was_gone_comes_back_with_what_it_had_used(anew: Anew) -> None:
    run = Run(Disk(), brands_of("brand", "other"))
    run.use(400)
    run = anew(anew(run, "other"), "brand", "other")
    assert 600 - PIECE <= run.use(1_000) <= 600


@taken_up
def test_a_brand_that_goes_and_comes_back_after_using_something_brings_that_along(anew: Anew) -> None:
    run = Run(Disk(), brands_of("a=1", "b=1"))
    run.use(300, "a")
    run = anew(run, "a=1", "b")
    run.use(200, "b")
    run = anew(run, "a=1", "b=1")
    assert run.use(1_000, "a") <= 500


# ---- whatever happens ---------------------------------------------------------------------------------------

steps = st.lists(
    st.one_of(
        st.tuples(st.just("use"), st.integers(1, 40)),
        st.tuples(st.just("sync"), st.integers(0, 3)),
        st.tuples(st.just("crash"), st.integers(0, 3)),
        st.tuples(st.just("later"), st.sampled_from([1, 1_800, 6 * 3_600])),
        st.tuples(st.just("step"), st.sampled_from([-90_000, -3_600, -1, 3_600, 90_000])),
        st.tuples(st.just("cap"), st.sampled_from([40, 100, 250])),
    ),
    max_size=60,
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(steps=steps, first=st.sampled_from([NOON, datetime(2026, 3, 8, 7, 59, tzinfo=UTC)]))
def test_no_day_has_more_than_its_largest_cap_whatever_happens(
    steps: list[tuple[str, int]], first: datetime
) -> None:
    disk, now, per_day = Disk(), first, 100
    run = _start(disk, now, brands_of("brand", per_day=per_day))
    used: Counter[int] = Counter()
    caps: dict[int, int] = {}
    for what, number in steps:
        cap = run.cap()
        if what == "use":
            segments = min(number, cap.room)
            cap.spend(segments)
            used[cap.day] += segments
            run.quotas.top_up((cap,))
        elif what == "sync":
            disk.sync(number)
        elif what == "crash":
            disk = disk.after_a_crash(number)
            run = _start(disk, run.now, brands_of("brand", per_day=per_day))
        elif what == "cap":
            per_day = number
            run.limits.reload(brands_of("brand", per_day=per_day), 0)
            run.quotas.keep()
        else:
            run.now += timedelta(seconds=number)
            run.quotas.keep()
        cap = run.cap()
        caps[cap.day] = max(caps.get(cap.day, 0), per_day)
        assert used[cap.day] <= caps[cap.day]
        assert list(used) == sorted(used)


def _start(disk: Disk, now: datetime, config: Settings) -> Run:
    """As `Run`, with nothing durable that the test has not made so."""
    run = Run.__new__(Run)
    run.disk, run.now = disk, now
    run.limits = Limits(config, 0, pacific_day(now))
    run.quotas = Quotas(cast("Store", disk), run.limits, wall_clock=lambda: run.now, on_room=lambda _: None)
    run.quotas.keep()
    return run


@pytest.mark.parametrize("seed", range(20))
def test_the_sum_of_all_runs_is_the_cap_but_for_a_piece_at_each_crash(seed: int) -> None:
    chance = Random(seed)
    per_day = chance.choice([40, 250, 2_000])
    piece = max(2, per_day // 100)
    disk, crashes, used = Disk(), 0, 0
    run = _start(disk, NOON, brands_of("brand", per_day=per_day))
    while crashes < 10 or run.cap().left:
        cap = run.cap()
        segments = min(chance.randrange(4), cap.room)
        cap.spend(segments)
        used += segments
        run.quotas.top_up((cap,))
        disk.sync(chance.randrange(3))
        if crashes < 10 and chance.random() < 0.05:
            crashes += 1
            disk = disk.after_a_crash(chance.randrange(3))
            run = _start(disk, NOON, brands_of("brand", per_day=per_day))
    assert per_day - crashes * piece <= used <= per_day
