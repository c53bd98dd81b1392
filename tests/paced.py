"""What paces messages, on a clock of the test's own: a store in memory, lines, limits, and nobody to send to."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from smppgw.lines import Line, Lines
from smppgw.metrics import Metrics
from smppgw.pacing import Pacing
from smppgw.pdu import codec
from smppgw.pdu._generated import SubmitSm
from smppgw.pdu.constants import HEADER_OCTETS, CommandId
from smppgw.quotas import Quotas
from smppgw.routing import LANES, Router
from smppgw.session.timers import NS
from smppgw.settings import (
    BrandSettings,
    CampaignSettings,
    LimitsSettings,
    NumberSettings,
    RouteSettings,
    Settings,
)
from smppgw.store.entries import Message
from smppgw.store.memory import MemoryStore
from smppgw.throttle.day_cap import pacific_day
from smppgw.throttle.limits import Limits
from smppgw.throttle.registry import Reason, Registry
from tests.support import a_carrier, an_esme, settings_of

NOON: Final = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
"""In Los Angeles; far from the end of its day."""
PRIORITY: Final = {"promotional": 0, "transactional": 1, "otp": 3}


class Left(NamedTuple):
    """A message that has left."""

    at_ns: int
    source: str
    lane: str
    esme: str
    key: int
    segments: int
    destination: str


def number(place: int) -> str:
    """A telephone number of the US."""
    return f"1206{5550000 + place:07d}"


def registered(
    *,
    numbers: Sequence[str],
    per_minute: int | str = "unlimited",
    per_day: int | str = "unlimited",
    own: Sequence[NumberSettings] = (),
    esmes: Sequence[str] = ("app",),
    burst_seconds: float = 0.05,
    **more: Any,
) -> Settings:
    """A configuration with one approved campaign of one approved brand."""
    brand = BrandSettings("brand", status="approved", segments_per_day=per_day)  # type: ignore[arg-type]
    campaign = CampaignSettings(
        "campaign",
        "brand",
        status="approved",
        numbers=tuple(numbers),
        segments_per_minute=per_minute,  # type: ignore[arg-type]
    )
    return settings_of(
        *(an_esme(name) for name in esmes),
        **{
            "carriers": (a_carrier(1),),
            "brands": (brand,),
            "campaigns": (campaign,),
            "numbers": tuple(own),
            "limits": LimitsSettings(burst_seconds=burst_seconds),
            **more,
        },
    )


class Paced:
    """A gateway's pacing, without a gateway."""

    def __init__(
        self, settings: Settings, *, now_ns: int = 1, wall: datetime = NOON, past: Paced | None = None
    ):
        """`past`: what ran before, and stopped or was killed: its store is taken up."""
        self.now_ns = now_ns
        self.wall_at = wall, now_ns
        self.left: list[Left] = past.left if past is not None else []
        self.refused: list[tuple[Message, Reason | None]] = []
        self.metrics = Metrics()
        self.down: set[tuple[str, ...]] = set()
        """Outlets none of whose carriers is up."""
        self.store = past.store if past is not None else MemoryStore(1 << 40, clock=lambda: self.now_ns)
        self._use(settings)
        self._key = past._key if past is not None else 0
        self._in_flight: deque[Message] = deque()
        self.quotas.keep()
        if past is not None:
            for lane in list(past.store.lanes()):
                head = list(lane.queue.head) if lane.queue is not None else []
                for message in head:
                    message.lane = self.lines.named(lane.name)
                lane.queue.head.clear()  # type: ignore[union-attr]
                self.store.took(head)
                self.store.give_back(head)

    def _use(self, settings: Settings) -> None:
        self.settings = settings
        self.registry = Registry(settings)
        self.limits = Limits(settings, self.now_ns, pacific_day(self.wall()))
        self.router = Router(settings, self.registry)
        self.lines = Lines(settings.esmes, self.router, self.registry, self.limits)
        self.quotas = Quotas(
            self.store, self.limits, wall_clock=self.wall, on_room=lambda cap: self.pacing.has_room(cap)
        )
        self.pacing = Pacing(self.store, self.lines, self.metrics, now_ns=self.now_ns)
        self.pacing.on_refused = self.refused.extend

    def wall(self) -> datetime:
        """The calendar's time."""
        wall, at_ns = self.wall_at
        return wall + timedelta(microseconds=(self.now_ns - at_ns) / 1000)

    def set_wall(self, wall: datetime) -> None:
        """Step the calendar's clock."""
        self.wall_at = wall, self.now_ns

    def reload(self, settings: Settings) -> None:
        """As the gateway's `Reloading` does."""
        self.settings = settings
        self.registry = Registry(settings)
        self.limits.reload(settings, self.now_ns)
        self.quotas.keep()
        self.router.adopt(settings, self.registry)
        self.lines.replace(settings.esmes, self.registry)
        self.pacing.begin_anew(self.now_ns)

    def submit(
        self,
        source: str,
        *,
        count: int = 1,
        lane: str = "promotional",
        segments: int = 1,
        esme: str = "app",
        destination: str = "13125550100",
    ) -> None:
        """Accept messages."""
        settings = next(each for each in self.settings.esmes if each.system_id == esme)
        lines = self.lines.of(settings, self.registry.canonical(source), destination)
        assert lines is not None
        line = lines.at(PRIORITY[lane])
        body = codec.encode(
            SubmitSm(source_addr=source.encode(), destination_addr=destination.encode(), short_message=b"x")
        )[HEADER_OCTETS:]
        messages = []
        for _ in range(count):
            self._key += 1
            message = Message(
                self._key, b"%016x" % self._key, esme, line, CommandId.SUBMIT_SM, body, 0, self.now_ns
            )
            message.segments = segments
            message.day_segments = segments if self.registry.counts_to_day(destination) else 0
            messages.append(message)
        self.store.accept(messages, lambda: None)

    def run_pass(self, most: int = 1_000_000) -> int:
        """One pass: whatever may leave does, and is answered; return how many did."""
        self.pacing.begin(self.now_ns)
        sent = 0
        for outlet in self.lines.outlets:
            if outlet.carriers in self.down:
                continue
            taken = self.pacing.take(outlet, most - sent, 1 << 30, self.now_ns)
            outlet.hungry = sent + len(taken) < most
            for message in taken:
                line = message.lane
                assert isinstance(line, Line)
                self.left.append(
                    Left(
                        self.now_ns,
                        line.source,
                        LANES[line.rank],
                        line.esme,
                        message.key,
                        message.segments,
                        _destination(message),
                    )
                )
                self.store.submitted("carrier", [(message, b"")], [], [], lambda: None)
                sent += 1
        self.pacing.end(self.now_ns)
        self.quotas.top_up(self.pacing.asked())
        return sent

    def settle(self, most: int = 1_000_000) -> int:
        """Passes until nothing more may leave at this moment."""
        sent = 0
        for _ in range(10_000):
            now = self.run_pass(most - sent)
            sent += now
            if not self.pacing.again and not now:
                return sent
        raise AssertionError("it never ends")

    def run_until(self, end_ns: int, *, late: Callable[[], int] = lambda: 0, most: int = 1_000_000) -> None:
        """Run as the gateway would: at each moment at which something may leave, or as late as that."""
        self.settle(most)
        while (next_ns := self.pacing.next_ns) is not None and next_ns + late() <= end_ns:
            self.now_ns = max(self.now_ns, next_ns + late())
            self.settle(most)
        self.now_ns = max(self.now_ns, end_ns)

    def run_for(self, seconds: float, **how: Any) -> None:
        """As `run_until`, from now."""
        self.run_until(self.now_ns + int(seconds * NS), **how)

    @property
    def waiting(self) -> int:
        """Messages that have not left."""
        return sum(lane.queue.waiting for lane in self.store.lanes() if lane.queue is not None)


def _destination(message: Message) -> str:
    pdu = codec.decode(
        (HEADER_OCTETS + len(message.body)).to_bytes(4, "big") + b"\0\0\0\4\0\0\0\0\0\0\0\1" + message.body
    )
    assert isinstance(pdu, SubmitSm)
    return pdu.destination_addr.decode()


__all__ = ["NOON", "Left", "Paced", "RouteSettings", "number", "registered"]
