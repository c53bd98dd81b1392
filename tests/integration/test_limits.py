"""Who may send, and how much, over real sockets: an ESME, a gateway whose clocks stand still until moved, a carrier."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import pytest
import structlog
from structlog.testing import LogCapture

from smppgw import Esme, Smsc
from smppgw.gateway import Gateway
from smppgw.library.bound import BoundEsme
from smppgw.library.delivery import DeliveryReceipt, MoMessage
from smppgw.pdu._generated import DataSm, DeliverSm, SmeAddress, SubmitMulti, SubmitSm
from smppgw.pdu.constants import CommandStatus, EsmClass, MessageState, TlvTag
from smppgw.pdu.segments import segment_text
from smppgw.pdu.tlv import make_tlv
from smppgw.session.timers import NS
from smppgw.settings import (
    BrandSettings,
    CampaignSettings,
    EsmeSettings,
    GatewaySettings,
    LimitsSettings,
    ListenSettings,
    NumberSettings,
    PoolSettings,
    Settings,
    StoreSettings,
)
from smppgw.tables import BrandTier, ClassRate, TierTable
from tests.peers import client, submit_sm
from tests.support import WAIT_SECONDS, a_carrier, an_esme, fully_bound, settings_of, until

OK: Final = CommandStatus.ESME_ROK
NOT_FROM_HERE: Final = CommandStatus.ESME_RINVSRCADR
THROTTLED: Final = CommandStatus.ESME_RTHROTTLED

NOON: Final = datetime(2026, 11, 22, 20, tzinfo=UTC)
"""In Los Angeles."""
DAY: Final = 86_400.0
"""Seconds."""

NUMBER: Final = "12065550100"
OTHER_NUMBER: Final = "12065550101"
UNREGISTERED: Final = "12065550999"
TO_US: Final = "16665550001"
TO_CANADA: Final = "14165550001"
TO_PUERTO_RICO: Final = "17875550001"
TO_FRANCE: Final = "33612345678"

BRAND: Final = BrandSettings("brand", status="approved")
CAMPAIGN: Final = CampaignSettings("campaign", "brand", status="approved", numbers=(NUMBER, OTHER_NUMBER))
ONE_A_SECOND: Final = NumberSettings(NUMBER, segments_per_second=1.0)


class Clock:
    """Stands still until it is moved; so does the calendar."""

    def __init__(self) -> None:
        self._started_ns = self.ns = time.monotonic_ns()

    def __call__(self) -> int:
        return self.ns

    def calendar(self) -> datetime:
        return NOON + timedelta(microseconds=(self.ns - self._started_ns) / 1000)

    def move(self, seconds: float) -> None:
        self.ns += round(seconds * NS)


class Till(NamedTuple):
    """A gateway, and what its carrier has got."""

    gateway: Gateway
    smsc: Smsc
    clock: Clock
    got: list[Any]

    def client(self, system_id: str = "app", **settings: Any) -> Esme:
        return client(self.gateway.server.port, system_id, **settings)

    @property
    def texts(self) -> list[bytes]:
        return [pdu.short_message for pdu in self.got]

    def counted(self, series: str) -> int:
        """What a counter says on /metrics."""
        for line in self.gateway.metrics.render().decode().splitlines():
            if line.startswith(f"{series} "):
                return int(float(line.rpartition(" ")[2]))
        return 0

    async def has(self, messages: int) -> None:
        """See that so many in all have come to the carrier, and no more are on their way."""
        self.gateway.dispatch.kick()
        await until(lambda: len(self.got) >= messages)
        for _ in range(5):  # turns of the loop, in which more would leave
            await asyncio.sleep(0)
        await until(lambda: not self.gateway.dispatch.in_flight)
        assert len(self.got) == messages

    async def after(self, seconds: float, *, has: int) -> None:
        """See how many in all have come to the carrier so many seconds later."""
        self.clock.move(seconds)
        await self.has(has)


@asynccontextmanager
async def a_till(
    store: StoreSettings, folder: Path, *esmes: EsmeSettings, **tables: Any
) -> AsyncIterator[Till]:
    """A till where these ESMEs may bind, else "app"; `tables` are those of its configuration."""
    clock = Clock()
    got: list[Any] = []

    def take(_: BoundEsme, pdu: Any) -> str:
        got.append(pdu)
        return str(len(got))

    async with Smsc(port=0, on_submit=take, on_request=take) as smsc:
        settings = settings_of(
            *(esmes or (an_esme(),)),
            carriers=(a_carrier(smsc.port, window=1000, enquire_link=0.0),),
            gateway=GatewaySettings(data_dir=folder, drain_timeout=0.1),
            listen=ListenSettings(port=0, failed_bind_delay=0.01, enquire_link=0.0),
            store=store,
            **{"limits": LimitsSettings(), "brands": (BRAND,), "campaigns": (CAMPAIGN,), **tables},
        )
        logger = structlog.wrap_logger(None, processors=[LogCapture()])
        gateway = Gateway(settings, logger, clock=clock, wall_clock=clock.calendar)
        await gateway.start()
        try:
            await until(lambda: all(map(fully_bound, gateway.carriers.values())))
            yield Till(gateway, smsc, clock, got)
        finally:
            await gateway.stop()


class OpenTill(Protocol):
    def __call__(self, *esmes: EsmeSettings, **tables: Any) -> AbstractAsyncContextManager[Till]: ...


@pytest.fixture
def till(tmp_path: Path) -> OpenTill:
    """Opens a till, as `a_till`, over a durable store."""
    return partial(a_till, StoreSettings(segment_bytes=1 << 20), tmp_path)


@pytest.fixture(params=["wal", "unsafe-memory"])
def any_till(request: pytest.FixtureRequest, tmp_path: Path) -> OpenTill:
    """Opens a till over each store."""
    return partial(a_till, StoreSettings(backend=request.param, segment_bytes=1 << 20), tmp_path)


async def status_of(esme: Esme, source: str = NUMBER, destination: str = TO_US, **fields: Any) -> int:
    """Submit a message; return the command_status of its answer."""
    usual = {"source_addr": source.encode(), "destination_addr": destination.encode()}
    return int(
        (await esme.request(submit_sm(**{**usual, "registered_delivery": 0, **fields}))).command_status
    )


async def accept(esme: Esme, *texts: bytes, **fields: Any) -> None:
    """Submit messages, all of which are accepted."""
    for text in texts:
        assert await status_of(esme, short_message=text, **fields) == OK


def changed(till: Till, **tables: Any) -> Settings:
    """The configuration of a gateway, with other tables."""
    return replace(till.gateway.settings, **tables)


# ---- who may send --------------------------------------------------------------------------------------------------

BRANDS: Final = (BRAND, BrandSettings("new", status="pending"), BrandSettings("bad", status="rejected"))
CAMPAIGNS: Final = (
    CAMPAIGN,
    CampaignSettings("pending", "brand", status="pending", numbers=("12065550110",)),
    CampaignSettings("rejected", "brand", status="rejected", numbers=("12065550111",)),
    CampaignSettings("of-new", "new", status="approved", numbers=("12065550112",)),
    CampaignSettings("of-bad", "bad", status="approved", numbers=("12065550113",)),
)
TOLL_FREE: Final = (
    NumberSettings("18005550100"),
    NumberSettings("18885550100", verified=True),
)
MAY_NOT_SEND: Final = (
    (UNREGISTERED, TO_US, "unregistered"),
    (UNREGISTERED, TO_PUERTO_RICO, "unregistered"),
    ("2065550999", "6665550001", "unregistered"),
    ("12065550110", TO_US, "campaign_not_approved"),
    ("12065550111", TO_US, "campaign_not_approved"),
    ("12065550112", TO_US, "brand_not_approved"),
    ("12065550113", TO_US, "brand_not_approved"),
    ("18005550100", TO_US, "toll_free_unverified"),
    ("18665550100", TO_US, "toll_free_unverified"),
)
MAY_SEND: Final = (
    (NUMBER, TO_US),
    (f"+{NUMBER}", f"+{TO_US}"),
    (NUMBER[1:], TO_US[1:]),
    ("18885550100", TO_US),
    ("73737", TO_US),
    (UNREGISTERED, TO_CANADA),
    (UNREGISTERED, TO_FRANCE),
    ("12065550111", TO_CANADA),
)


async def test_who_may_not_send_is_told_so_and_counted_by_reason(till: OpenTill) -> None:
    async with till(brands=BRANDS, campaigns=CAMPAIGNS, numbers=TOLL_FREE) as at, at.client() as esme:
        for source, destination, _ in MAY_NOT_SEND:
            assert await status_of(esme, source, destination) == NOT_FROM_HERE, (source, destination)
        assert await status_of(esme, "SHOP", TO_US, source_addr_ton=5) == NOT_FROM_HERE
        reasons = Counter([reason for *_, reason in MAY_NOT_SEND] + ["alphanumeric"])
        for reason, count in reasons.items():
            assert at.counted(f'smppgw_senders_refused_total{{reason="{reason}"}}') == count, reason
        refused = at.counted('smppgw_messages_rejected_total{esme="app",status="ESME_RINVSRCADR"}')
        assert refused == reasons.total()
        assert not at.got


async def test_who_is_registered_sends_and_so_does_anybody_to_other_countries(till: OpenTill) -> None:
    async with till(brands=BRANDS, campaigns=CAMPAIGNS, numbers=TOLL_FREE) as at, at.client() as esme:
        for source, destination in MAY_SEND:
            assert await status_of(esme, source, destination) == OK, (source, destination)
        assert await status_of(esme, "SHOP", TO_FRANCE, source_addr_ton=5) == OK
        await at.has(len(MAY_SEND) + 1)
        assert [pdu.source_addr.decode() for pdu in at.got][:-1] == [source for source, _ in MAY_SEND]


async def test_an_esme_uses_its_own_sources_and_those_of_its_campaigns(till: OpenTill) -> None:
    esmes = an_esme(campaigns=("campaign",)), an_esme("shop", sources=(f"+{UNREGISTERED}",))
    async with till(*esmes, campaigns=CAMPAIGNS) as at, at.client() as app, at.client("shop") as shop:
        assert await status_of(app, NUMBER) == OK
        assert await status_of(app, UNREGISTERED, TO_CANADA) == NOT_FROM_HERE
        assert await status_of(app, "12065550110", TO_CANADA) == NOT_FROM_HERE
        assert await status_of(shop, UNREGISTERED, TO_CANADA) == OK
        assert await status_of(shop, NUMBER) == NOT_FROM_HERE
        assert at.counted('smppgw_senders_refused_total{reason="source_not_allowed"}') == 3
        await at.has(2)


async def test_a_submit_multi_and_a_data_sm_come_from_who_may_send(till: OpenTill) -> None:
    def multi(source: str, *destinations: str) -> SubmitMulti:
        return SubmitMulti(
            source_addr=source.encode(),
            dest_address=[SmeAddress(1, 1, each.encode()) for each in destinations],
            short_message=b"to many",
        )

    def data(source: str, destination: str) -> DataSm:
        payload = make_tlv(TlvTag.MESSAGE_PAYLOAD, b"data")
        return DataSm(source_addr=source.encode(), destination_addr=destination.encode(), tlvs=(payload,))

    async with till() as at, at.client() as esme:
        some = await esme.request(multi(UNREGISTERED, TO_CANADA, TO_US, TO_FRANCE))
        assert some.command_status == OK
        [unsuccess] = some.unsuccess_sme
        assert (unsuccess.destination_addr, unsuccess.error_status_code) == (TO_US.encode(), NOT_FROM_HERE)
        assert (await esme.request(multi(UNREGISTERED, TO_US))).command_status == NOT_FROM_HERE
        assert (await esme.request(data(UNREGISTERED, TO_US))).command_status == NOT_FROM_HERE
        assert (await esme.request(data(UNREGISTERED, TO_CANADA))).command_status == OK
        assert (await esme.request(multi(NUMBER, TO_US, TO_CANADA))).unsuccess_sme in ([], ())
        assert (await esme.request(data(NUMBER, TO_US))).command_status == OK
        await at.has(6)
        assert at.counted('smppgw_senders_refused_total{reason="unregistered"}') == 3


async def test_a_reload_lets_send_who_has_been_approved_and_no_bind_is_dropped(till: OpenTill) -> None:
    pending = replace(CAMPAIGN, status="pending")
    async with till(campaigns=(pending,)) as at, at.client() as esme:
        binds = (*at.gateway.accounts["app"].links, *at.smsc.bound)
        assert await status_of(esme) == NOT_FROM_HERE
        assert at.gateway.reloading.reload(changed(at, campaigns=(CAMPAIGN,))) == []
        assert await status_of(esme) == OK
        await at.has(1)
        at.gateway.reloading.reload(changed(at, brands=(replace(BRAND, status="rejected"),)))
        assert await status_of(esme) == NOT_FROM_HERE
        assert (*at.gateway.accounts["app"].links, *at.smsc.bound) == binds


async def test_what_waits_when_its_campaign_is_rejected_does_not_leave_and_is_reported(
    till: OpenTill,
) -> None:
    async with till(numbers=(ONE_A_SECOND,)) as at, at.client() as esme:
        await accept(esme, b"one", b"two", registered_delivery=1)
        await accept(esme, b"elsewhere", destination_addr=TO_CANADA.encode())
        at.gateway.reloading.reload(changed(at, campaigns=(replace(CAMPAIGN, status="rejected"),)))
        await at.after(60, has=1)
        assert at.texts == [b"elsewhere"]
        for _ in range(2):
            receipt = await asyncio.wait_for(anext(esme), WAIT_SECONDS)
            assert isinstance(receipt, DeliveryReceipt)
            assert receipt.state == MessageState.REJECTED


# ---- rates ---------------------------------------------------------------------------------------------------------


async def test_a_number_that_is_above_its_rate_waits(any_till: OpenTill) -> None:
    async with any_till(numbers=(ONE_A_SECOND,)) as at, at.client() as esme:
        await accept(esme, b"one", b"two", b"three")
        await accept(esme, b"no limit", source_addr=OTHER_NUMBER.encode())
        await at.has(1)  # a rate begins with nothing saved
        await at.after(0.999, has=1)
        await at.after(0.001, has=2)
        await at.after(0.999, has=2)
        await at.after(0.001, has=3)
        await at.after(3600, has=4)
        assert at.texts == [b"no limit", b"one", b"two", b"three"]
        assert at.counted('smppgw_throttled_total{limit="number"}') > 0


async def test_all_numbers_of_a_campaign_share_its_rate(till: OpenTill) -> None:
    async with till(campaigns=(replace(CAMPAIGN, segments_per_minute=60),)) as at, at.client() as esme:
        for number in (NUMBER, OTHER_NUMBER):
            await accept(esme, b"one", b"two", source_addr=number.encode())
        await at.has(0)
        for second in range(1, 5):
            await at.after(1, has=second)
        assert Counter(pdu.source_addr.decode() for pdu in at.got[:2]) == {NUMBER: 1, OTHER_NUMBER: 1}
        assert at.counted('smppgw_throttled_total{limit="campaign"}') > 0


async def test_each_number_of_a_class_like_g_has_the_rate_for_itself(till: OpenTill) -> None:
    tiers = TierTable(
        (BrandTier("top", 200_000, "test"),),
        (ClassRate("G", 60, "number", "test"), ClassRate("E", 240, "campaign", "test")),
    )
    limits = LimitsSettings(tiers=Path("tiers.toml"))
    campaigns = (replace(CAMPAIGN, class_="G"),)
    async with till(limits=limits, tiers=tiers, campaigns=campaigns) as at, at.client() as esme:
        for number in (NUMBER, OTHER_NUMBER):
            await accept(esme, b"one", b"two", b"three", source_addr=number.encode())
        await at.has(0)
        for second in range(1, 4):
            await at.after(1, has=2 * second)
            assert Counter(pdu.source_addr for pdu in at.got).total() == 2 * second
        assert at.counted('smppgw_throttled_total{limit="campaign"}') == 0


def long_message(kind: str) -> dict[str, Any]:
    """The fields of a message of three segments."""
    text = b"x" * 400
    if kind == "message_payload":
        return {"short_message": b"", "tlvs": (make_tlv(TlvTag.MESSAGE_PAYLOAD, text),)}
    assert kind == "UCS-2"
    return {"short_message": ("ж" * 70 + "я" * 57).encode("utf-16-be"), "data_coding": 8}


@pytest.mark.parametrize(("kind", "segments"), [("message_payload", 3), ("UCS-2", 2)])
async def test_a_message_costs_as_many_tokens_as_it_has_segments(
    kind: str, segments: int, till: OpenTill
) -> None:
    async with till(numbers=(ONE_A_SECOND,)) as at, at.client() as esme:
        assert await status_of(esme, **long_message(kind)) == OK
        await accept(esme, b"short")
        await at.after(segments - 0.001, has=0)
        await at.after(0.001, has=1)
        await at.after(segments - 0.051, has=1)  # the twentieth of a second before it left is saved
        await at.after(0.001, has=2)


async def test_the_parts_of_a_long_message_cost_one_token_each(till: OpenTill) -> None:
    parts = segment_text("x" * 400, reference=7).parts
    assert len(parts) == 3
    async with till(numbers=(ONE_A_SECOND,)) as at, at.client() as esme:
        await accept(esme, *parts, esm_class=EsmClass.UDHI)
        await accept(esme, b"short")
        for second in range(1, 5):
            await at.after(1, has=second)
        assert at.texts == [*parts, b"short"]


async def test_an_esme_that_does_not_queue_is_throttled_above_a_rate(any_till: OpenTill) -> None:
    tables = {"numbers": (ONE_A_SECOND,), "campaigns": (replace(CAMPAIGN, segments_per_minute=120),)}
    async with any_till(an_esme(over_limit="reject"), **tables) as at, at.client() as esme:
        assert await status_of(esme) == THROTTLED
        at.clock.move(1)
        assert [await status_of(esme) for _ in range(3)] == [OK, THROTTLED, THROTTLED]
        assert at.counted('smppgw_throttled_total{limit="number"}') == 3
        assert await status_of(esme, OTHER_NUMBER) == THROTTLED
        assert at.counted('smppgw_throttled_total{limit="campaign"}') == 1
        assert at.counted('smppgw_messages_rejected_total{esme="app",status="ESME_RTHROTTLED"}') == 4
        await at.has(1)


async def test_a_submit_multi_and_a_data_sm_keep_to_the_rates(till: OpenTill) -> None:
    addresses = [SmeAddress(1, 1, b"1666555000%d" % number) for number in range(3)]
    multi = SubmitMulti(source_addr=NUMBER.encode(), dest_address=addresses, short_message=b"multi")
    data = DataSm(source_addr=NUMBER.encode(), destination_addr=TO_US.encode())
    esmes = an_esme(), an_esme("brisk", over_limit="reject")
    async with (
        till(*esmes, numbers=(ONE_A_SECOND,)) as at,
        at.client() as patient,
        at.client("brisk") as brisk,
    ):
        at.clock.move(1)
        some = await brisk.request(multi)
        assert some.command_status == OK
        assert [each.error_status_code for each in some.unsuccess_sme] == [THROTTLED] * 2
        assert (await brisk.request(data)).command_status == THROTTLED
        assert (await brisk.request(multi)).command_status == THROTTLED
        await at.has(1)
        assert (await patient.request(multi)).command_status == OK
        assert (await patient.request(data)).command_status == OK
        for second in range(1, 5):
            await at.after(1, has=1 + second)
        assert isinstance(at.got[-1], DataSm)


async def test_a_queue_that_is_full_takes_nothing_more_until_something_leaves(till: OpenTill) -> None:
    async with till(an_esme(max_queued=3), numbers=(ONE_A_SECOND,)) as at, at.client() as esme:
        await accept(esme, b"one", b"two", b"three")
        assert await status_of(esme) == CommandStatus.ESME_RMSGQFUL
        await at.after(1, has=1)
        await accept(esme, b"four")
        assert await status_of(esme) == CommandStatus.ESME_RMSGQFUL


async def test_what_is_held_beyond_its_validity_is_reported_as_expired(any_till: OpenTill) -> None:
    async with any_till(numbers=(ONE_A_SECOND,)) as at, at.client() as esme:
        await accept(esme, b"short-lived", registered_delivery=1, validity_period=b"000000000001000R")
        await accept(esme, b"long-lived", validity_period=b"000000010000000R")
        # It comes to nothing a tenth before it could have left: the rate is taken by others until then.
        at.gateway.limits.numbers[NUMBER].spend(60, at.clock())
        at.clock.move(60)
        receipt = await asyncio.wait_for(anext(esme), WAIT_SECONDS)
        assert isinstance(receipt, DeliveryReceipt)
        assert receipt.state == MessageState.EXPIRED
        await at.after(60, has=1)
        assert at.texts == [b"long-lived"]


async def test_a_reload_changes_a_rate_under_what_waits(till: OpenTill) -> None:
    async with till(numbers=(ONE_A_SECOND,)) as at, at.client() as esme:
        await accept(esme, *(b"%d" % number for number in range(10)))
        await at.after(1, has=1)
        at.gateway.reloading.reload(changed(at, numbers=(replace(ONE_A_SECOND, segments_per_second=2.0),)))
        await at.after(0.5, has=2)
        await at.after(0.5, has=3)
        at.gateway.reloading.reload(changed(at, numbers=()))
        await at.has(10)


# ---- lanes ---------------------------------------------------------------------------------------------------------

PROMOTIONAL, TRANSACTIONAL, OTP = 0, 1, 3
"""By priority_flag."""


async def leave_in_turn(at: Till, messages: int) -> list[bytes]:
    for second in range(1, messages + 1):
        await at.after(1, has=second)
    return at.texts


async def test_lanes_leave_by_priority_flag_and_in_order_within_a_lane(any_till: OpenTill) -> None:
    async with any_till(numbers=(ONE_A_SECOND,)) as at, at.client() as esme:
        await accept(esme, b"promotion 1", b"promotion 2", priority_flag=PROMOTIONAL)
        await accept(esme, b"notice 1", b"notice 2", priority_flag=TRANSACTIONAL)
        await accept(esme, b"code 1", b"code 2", priority_flag=OTP)
        left = await leave_in_turn(at, 6)
        assert left == [b"code 1", b"code 2", b"notice 1", b"notice 2", b"promotion 1", b"promotion 2"]


async def test_the_last_lane_is_not_starved(till: OpenTill) -> None:
    async with till(numbers=(ONE_A_SECOND,)) as at, at.client() as esme:
        await accept(esme, b"promotion", priority_flag=PROMOTIONAL)
        await accept(esme, *(b"code %d" % number for number in range(15)), priority_flag=OTP)
        left = await leave_in_turn(at, 12)
        assert b"promotion" in left[1:]


async def test_a_campaign_decides_about_the_lane_then_the_esme_then_priority_flag(till: OpenTill) -> None:
    campaigns = (
        CampaignSettings("codes", "brand", status="approved", numbers=(NUMBER,), lane="otp"),
        CampaignSettings("others", "brand", status="approved", numbers=(OTHER_NUMBER,)),
    )
    numbers = tuple(NumberSettings(number, segments_per_second=1.0) for number in (NUMBER, OTHER_NUMBER))
    esmes = an_esme(), an_esme("slow", lane="promotional")
    async with (
        till(*esmes, campaigns=campaigns, numbers=numbers) as at,
        at.client() as app,
        at.client("slow") as slow,
    ):
        await accept(app, b"first", source_addr=NUMBER.encode(), priority_flag=PROMOTIONAL)
        await accept(app, b"second", source_addr=NUMBER.encode(), priority_flag=OTP)
        await accept(slow, b"behind", source_addr=OTHER_NUMBER.encode(), priority_flag=OTP)
        await accept(app, b"before", source_addr=OTHER_NUMBER.encode(), priority_flag=TRANSACTIONAL)
        await at.after(1, has=2)
        assert set(at.texts) == {b"first", b"before"}
        await at.after(1, has=4)


async def test_applications_that_share_a_number_take_turns(till: OpenTill) -> None:
    async with (
        till(an_esme(), an_esme("shop"), numbers=(ONE_A_SECOND,)) as at,
        at.client() as app,
        at.client("shop") as shop,
    ):
        await accept(app, *[b"app"] * 6)
        await accept(shop, *[b"shop"] * 3)
        left = await leave_in_turn(at, 6)
        assert Counter(left) == {b"app": 3, b"shop": 3}


# ---- the cap of a day ----------------------------------------------------------------------------------------------


async def test_above_the_cap_of_a_day_messages_wait_for_the_next(any_till: OpenTill) -> None:
    async with any_till(brands=(replace(BRAND, segments_per_day=5),)) as at, at.client() as esme:
        await accept(esme, *(b"%d" % number for number in range(7)))
        await at.has(5)
        await accept(
            esme, b"to Canada", destination_addr=TO_CANADA.encode(), source_addr=OTHER_NUMBER.encode()
        )
        await at.has(6)
        await at.after(DAY / 4, has=6)
        await at.after(DAY / 4 - 1, has=6)
        await at.after(2, has=8)
        assert at.counted('smppgw_throttled_total{limit="brand_day"}') > 0
        assert at.texts == [b"%d" % number for number in range(5)] + [b"to Canada", b"5", b"6"]


async def test_above_the_cap_of_a_day_an_esme_that_does_not_queue_is_throttled(any_till: OpenTill) -> None:
    tables = {"brands": (replace(BRAND, segments_per_day=3),)}
    async with any_till(an_esme(over_limit="reject"), **tables) as at, at.client() as esme:
        assert [await status_of(esme) for _ in range(5)] == [OK] * 3 + [THROTTLED] * 2
        assert at.counted('smppgw_throttled_total{limit="brand_day"}') == 2
        assert await status_of(esme, destination=TO_CANADA) == OK
        await at.has(4)


async def test_an_esme_that_does_not_queue_may_use_all_of_a_day_however_fast_it_is(
    any_till: OpenTill,
) -> None:
    tables = {"brands": (replace(BRAND, segments_per_day=500),)}
    async with any_till(an_esme(over_limit="reject"), **tables) as at, at.client(window=100) as esme:
        results = [result async for result in esme.submit_many(submit_sm(number) for number in range(510))]
        assert Counter(result.command_status for result in results) == {OK: 500, THROTTLED: 10}
        await at.has(500)


async def test_brands_of_one_tax_id_share_the_lowest_cap_of_theirs(till: OpenTill) -> None:
    brands = (
        BrandSettings("brand", status="approved", tax_id="12-3456789", segments_per_day=10),
        BrandSettings("twin", status="approved", tax_id="123456789", segments_per_day=4),
    )
    campaigns = (
        replace(CAMPAIGN, numbers=(NUMBER,)),
        CampaignSettings("of-twin", "twin", status="approved", numbers=(OTHER_NUMBER,)),
    )
    async with till(brands=brands, campaigns=campaigns) as at, at.client() as esme:
        for _ in range(3):
            await accept(esme, b"one", source_addr=NUMBER.encode())
            await accept(esme, b"other", source_addr=OTHER_NUMBER.encode())
        await at.has(4)


async def test_a_day_counts_segments_and_none_is_split_over_two_days(till: OpenTill) -> None:
    async with till(brands=(replace(BRAND, segments_per_day=5),)) as at, at.client() as esme:
        for _ in range(2):
            assert await status_of(esme, **long_message("message_payload")) == OK
        await at.has(1)
        await at.after(DAY, has=2)


async def test_a_reload_raises_the_cap_of_a_day(any_till: OpenTill) -> None:
    async with any_till(brands=(replace(BRAND, segments_per_day=3),)) as at, at.client() as esme:
        await accept(esme, *(b"%d" % number for number in range(9)))
        await at.has(3)
        at.gateway.reloading.reload(changed(at, brands=(replace(BRAND, segments_per_day=6),)))
        await at.has(6)
        at.gateway.reloading.reload(changed(at, brands=(replace(BRAND, segments_per_day=4),)))
        await at.has(6)
        at.gateway.reloading.reload(changed(at, brands=(replace(BRAND, segments_per_day="unlimited"),)))
        await at.has(9)


# ---- pools ---------------------------------------------------------------------------------------------------------

POOL_NUMBERS: Final = tuple(f"1206555020{last}" for last in range(5))
FLEET: Final = CampaignSettings("fleet", "brand", status="approved", numbers=POOL_NUMBERS)


@pytest.mark.parametrize("source", ["fleet", "some"])
async def test_a_pool_sends_from_one_number_to_one_recipient_and_replies_go_home(
    source: str, till: OpenTill
) -> None:
    pools = (PoolSettings("some", "fleet", numbers=POOL_NUMBERS[:3]),)
    own = POOL_NUMBERS if source == "fleet" else POOL_NUMBERS[:3]
    recipients = [b"1666555%04d" % number for number in range(40)]
    esmes = an_esme(campaigns=("fleet",)), an_esme("shop")
    async with (
        till(*esmes, campaigns=(FLEET,), pools=pools) as at,
        at.client() as esme,
        at.client("shop"),
    ):
        for _ in range(2):
            for recipient in recipients:
                await accept(
                    esme, b"hello", source_addr=source.encode(), source_addr_ton=5, destination_addr=recipient
                )
        await at.has(2 * len(recipients))
        picked: dict[bytes, set[bytes]] = {}
        for pdu in at.got:
            assert isinstance(pdu, SubmitSm)
            assert pdu.source_addr_ton == 1
            picked.setdefault(pdu.destination_addr, set()).add(pdu.source_addr)
        assert all(len(numbers) == 1 for numbers in picked.values())
        used = set.union(*picked.values())
        assert used == {number.encode() for number in own}
        [number] = picked[recipients[0]]
        reply = DeliverSm(source_addr=recipients[0], destination_addr=number, short_message=b"reply")
        assert (await at.smsc.bound[0].deliver(reply)).command_status == OK
        message = await asyncio.wait_for(anext(esme), WAIT_SECONDS)
        assert isinstance(message, MoMessage)
        assert message.text == "reply"


async def test_a_pool_keeps_to_the_rate_of_each_of_its_numbers(till: OpenTill) -> None:
    numbers = tuple(NumberSettings(number, segments_per_second=1.0) for number in POOL_NUMBERS)
    async with till(campaigns=(FLEET,), numbers=numbers) as at, at.client() as esme:
        for number in range(60):
            await accept(
                esme,
                b"hello",
                source_addr=b"fleet",
                source_addr_ton=5,
                destination_addr=b"1666555%04d" % number,
            )
        await at.has(0)
        await at.after(1, has=len(POOL_NUMBERS))
        assert {pdu.source_addr.decode() for pdu in at.got} == set(POOL_NUMBERS)
