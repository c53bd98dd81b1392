"""An admission with one ESME at it, on a clock of the test's own: no sockets, a store in memory, nobody who sends."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from types import SimpleNamespace
from typing import Any, Final

from smppgw.accounts import Account, Link
from smppgw.admission import Admission
from smppgw.inquiry import Inquiry
from smppgw.lines import Lines
from smppgw.metrics import Metrics
from smppgw.pdu import codec, peek
from smppgw.routing import Router
from smppgw.senders import Senders
from smppgw.session.states import SessionState
from smppgw.session.timers import NS
from smppgw.settings import BrandSettings, CampaignSettings, EsmeSettings, LimitsSettings, Settings
from smppgw.store.entries import Message
from smppgw.store.memory import MemoryStore
from smppgw.telling import envelope_of
from smppgw.throttle.day_cap import pacific_day
from smppgw.throttle.limits import Limits
from smppgw.throttle.pools import Pools
from smppgw.throttle.registry import Registry
from tests.support import a_carrier, an_esme, settings_of

NOW: Final = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
NOW_NS: Final = 1_000_000 * NS
MAX_OCTETS: Final = 1_000_000
NUMBERS: Final = ("12065550100", "12065550101", "12065550102")
"""Of the campaign "C1", whose brand is "B1"."""


def registered(*esmes: EsmeSettings, **tables: Any) -> Settings:
    """A configuration with one approved campaign, and registration required; "brand" and "campaign" are settings."""
    brand = {"status": "approved", **tables.pop("brand", {})}
    campaign = {"status": "approved", "numbers": NUMBERS, **tables.pop("campaign", {})}
    return settings_of(
        *(esmes or (an_esme(),)),
        **{
            "carriers": (a_carrier(1),),
            "limits": LimitsSettings(),
            "brands": (BrandSettings("B1", **brand),),
            "campaigns": (CampaignSettings("C1", "B1", **campaign),),
            **tables,
        },
    )


class Desk:
    """What is asked of it is answered at once."""

    def __init__(self, settings: Settings | None = None, *, version: int = 0x34) -> None:
        self.settings = settings = settings or registered()
        self.now_ns = NOW_NS
        self.metrics = Metrics()
        self.registry = Registry(settings)
        self.pools = Pools(settings)
        self.limits = Limits(settings, self.now_ns, pacific_day(NOW))
        self.lines = Lines(settings.esmes, Router(settings, self.registry), self.registry, self.limits)
        self.senders = Senders(
            self.lines, self.registry, self.pools, operators_known=settings.operators is not None
        )
        self.store = MemoryStore(MAX_OCTETS, envelope_of=envelope_of)
        self.account = Account(settings.esmes[0], self.metrics, self.now_ns)
        inquiry = Inquiry(
            self.store,
            self.metrics,
            self.senders,
            clock=lambda: self.now_ns,
            wall_clock=self._wall_clock,
            own_receipts=lambda ended, then: then([]),
            on_deliveries=lambda: None,
            on_returned=lambda: None,
        )
        self.admission = Admission(
            self.senders,
            self.store,
            self.metrics,
            inquiry,
            clock=lambda: self.now_ns,
            wall_clock=self._wall_clock,
            max_octets=MAX_OCTETS,
            on_accepted=lambda: None,
        )
        self.octets: list[bytes] = []
        """Every answer, as it left."""
        session = SimpleNamespace(peer_version=version, send_responses=self._answered)
        self.link = Link(
            self.account,
            SimpleNamespace(session=session, flush=lambda: None),  # type: ignore[arg-type]
            SessionState.BOUND_TRX,
        )
        self._sequence_number = 0

    def _wall_clock(self) -> datetime:
        return NOW + timedelta(microseconds=(self.now_ns - NOW_NS) / 1000)

    def _answered(self, responses: Iterable[bytes], *, faults: int = 0) -> None:
        self.octets += responses

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now_ns += int(seconds * NS)

    def ask(self, *pdus: Any) -> list[Any]:
        """Read requests at once; return their answers, in the same order."""
        frames = []
        for pdu in pdus:
            self._sequence_number += 1
            pdu.sequence_number = self._sequence_number
            frames.append((pdu.command_id, 0, self._sequence_number, codec.encode(pdu)))
        self.octets.clear()
        self.admission.admit(self.link, frames)
        return sorted(map(codec.decode, self.octets), key=lambda response: response.sequence_number)

    def statuses(self, *pdus: Any) -> list[int]:
        """Read requests at once; return the command_status of each answer."""
        return [response.command_status for response in self.ask(*pdus)]

    def accepted(self) -> list[Message]:
        """Return the messages of the store, in the order in which they were taken in."""
        found: list[Message] = []
        highest = self.store.highest_key
        self.store.pick(range(1, highest + 1), found.extend)
        self.store.give_back(found)
        return sorted(found, key=attrgetter("key"))

    def take_in(self, *pdus: Any) -> list[Message]:
        """Read requests that are accepted, each for at least one message; return the messages."""
        before = len(self.accepted())
        assert not any(self.statuses(*pdus))
        return self.accepted()[before:]


def addresses(message: Message) -> tuple[bytes, bytes]:
    """The source, TON and NPI before it, and the destination of a message."""
    body = message.body
    match = (peek.SHORT_MESSAGE if message.command_id == 4 else peek.DATA).match(body)
    assert match is not None
    return body[match.start(1) - 2 : match.end(1)], match[2]
