"""Messages find a carrier: in order, again after an error, the next one when one is down."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from smppgw import Smsc
from smppgw.library.bound import LATER, BoundEsme
from smppgw.library.delivery import DeliveryReceipt
from smppgw.pdu import codec
from smppgw.pdu._generated import (
    SubmitSm,
)
from smppgw.pdu.constants import HEADER_OCTETS, CommandStatus, MessageState, TlvTag
from smppgw.pdu.tlv import make_tlv, tlv_value
from smppgw.session.timers import NS
from smppgw.settings import CampaignSettings, GatewaySettings, RouteSettings
from smppgw.store.entries import Message, Outcome, Standing
from smppgw.tables import ErrorClass, ErrorProfile, StatusMeaning
from tests.peers import Recorder, client, submit_sm
from tests.support import a_carrier, an_esme, running, settings_of, until

OK = CommandStatus.ESME_ROK
LINE = "otp\tdefault\tapp\t12065550100"


def _body(number: int) -> bytes:
    return codec.encode(submit_sm(number))[HEADER_OCTETS:]


async def test_messages_wait_for_a_carrier_that_is_away_and_leave_in_order() -> None:
    recorder = Recorder(receipts=False)
    async with Smsc(port=0) as reserved:
        port = reserved.port
    settings = settings_of(an_esme(), carriers=(a_carrier(port),))
    async with running(settings, bound=False) as gateway:
        async with client(gateway.server.port) as esme:
            async for result in esme.submit_many(submit_sm(number) for number in range(50)):
                assert result.ok
            assert gateway.status()["lanes"]["promotional"] == 50
            async with Smsc(port=port, on_submit=recorder):
                await until(lambda: len(recorder.got) == 50)
                assert recorder.got == [b"message %d" % number for number in range(50)]
                await until(lambda: gateway.store.queued("app") == 0)


async def test_what_a_broken_connection_leaves_unanswered_goes_back_to_its_lane_in_order() -> None:
    seen: list[bytes] = []
    drops = 3

    def drop_some(esme: BoundEsme, pdu: SubmitSm) -> Any:
        nonlocal drops
        if drops and len(seen) % 10 == 9:
            drops -= 1
            seen.append(b"dropped")
            asyncio.get_running_loop().call_soon(esme.drop)
            return LATER
        if seen and seen[-1] == b"dropped" and esme not in smsc.bound:
            return LATER
        seen.append(pdu.short_message)
        return f"id-{len(seen)}"

    async with Smsc(port=0, on_submit=drop_some) as smsc:
        carriers = (a_carrier(smsc.port, window=5),)
        async with running(settings_of(an_esme(), carriers=carriers)) as gateway:
            async with client(gateway.server.port) as esme:
                async for result in esme.submit_many(submit_sm(number) for number in range(60)):
                    assert result.ok
                await until(lambda: gateway.store.queued("app") == 0)
        first_times = list(dict.fromkeys(text for text in seen if text != b"dropped"))
        assert first_times == [b"message %d" % number for number in range(60)]
        assert len(seen) - 3 - 60 <= 3 * 5  # at most a window of repeats for each connection lost


async def test_a_carrier_that_says_too_fast_gets_everything_later_and_in_order() -> None:
    refusals = 5

    def busy(_: SubmitSm) -> int:
        nonlocal refusals
        refusals -= refusals > 0
        return CommandStatus.ESME_RTHROTTLED if refusals else OK

    recorder = Recorder(receipts=False, answers=busy)
    async with Smsc(port=0, on_submit=recorder) as smsc:
        async with running(settings_of(an_esme(), carriers=(a_carrier(smsc.port),))) as gateway:
            async with client(gateway.server.port) as esme:
                async for result in esme.submit_many(submit_sm(number) for number in range(6)):
                    assert result.ok
                await until(lambda: len(recorder.got) == 6)
                assert sorted(recorder.got) == [b"message %d" % number for number in range(6)]
            assert 'smppgw_throttled_total{limit="carrier"} 4.0' in gateway.metrics.render().decode()


@pytest.mark.parametrize(
    ("status", "attempts"), [(CommandStatus.ESME_RINVDSTADR, 1), (CommandStatus.ESME_RSYSERR, 3)]
)
async def test_a_message_that_no_carrier_takes_is_reported_as_undeliverable(
    status: CommandStatus, attempts: int
) -> None:
    tried: list[bytes] = []

    def refuse(pdu: SubmitSm) -> int:
        tried.append(pdu.short_message)
        return status

    async with Smsc(port=0, on_submit=Recorder(answers=refuse)) as smsc:
        settings = settings_of(
            an_esme(),
            carriers=(a_carrier(smsc.port),),
            gateway=GatewaySettings(max_attempts=3, retry_delay=0.02, drain_timeout=5),
        )
        async with running(settings) as gateway:
            async with client(gateway.server.port) as esme:
                response = await esme.request(submit_sm(1))
                receipt = await anext(esme)
            assert isinstance(receipt, DeliveryReceipt)
            assert receipt.message_id == response.message_id.decode()
            assert receipt.state == MessageState.UNDELIVERABLE
            assert receipt.err == f"{status:03X}"
            assert (receipt.source, receipt.destination) == ("16660000001", "12065550100")
            assert len(tried) == attempts
            assert gateway.store.queued("app") == 0
            assert gateway.store.octets == 0


VENDOR_STATUS = 0x0000_0433


def _meaning(error_class: ErrorClass) -> dict[str, ErrorProfile]:
    """What the profile of a carrier says of a status that the specification does not have, and of one that it has."""
    statuses = (StatusMeaning((VENDOR_STATUS, "ESME_RINVDSTADR", "ESME_RSYSERR"), error_class, "a test"),)
    return {"carrier": ErrorProfile(errs=(), stats=(), statuses=statuses)}


@pytest.mark.parametrize(
    "status", [VENDOR_STATUS, int(CommandStatus.ESME_RINVDSTADR), int(CommandStatus.ESME_RSYSERR)]
)
@pytest.mark.parametrize(
    ("error_class", "attempts"),
    [
        ("temporary", 3),
        ("unknown", 3),
        ("permanent_number", 1),
        ("permanent_sender", 1),
        ("permanent_message", 1),
        ("opted_out", 1),
    ],
)
async def test_what_a_profile_says_of_a_refusal_decides_whether_there_is_another_try(
    error_class: ErrorClass, attempts: int, status: int
) -> None:
    tried: list[bytes] = []

    def refuse(pdu: SubmitSm) -> int:
        tried.append(pdu.short_message)
        return status

    standings: list[Standing | None] = []
    async with Smsc(port=0, on_submit=Recorder(answers=refuse)) as smsc:
        settings = settings_of(
            an_esme(),
            carriers=(a_carrier(smsc.port),),
            gateway=GatewaySettings(max_attempts=3, retry_delay=0.01, drain_timeout=5),
            profiles=_meaning(error_class),
        )
        async with running(settings) as gateway:
            async with client(gateway.server.port) as esme:
                response = await esme.request(submit_sm(1))
                receipt = await anext(esme)
            gateway.store.look_up(int(response.message_id, 16), standings.append)
    assert isinstance(receipt, DeliveryReceipt)
    assert (receipt.state, receipt.err) == (MessageState.UNDELIVERABLE, f"{status:03X}")
    assert tlv_value(receipt.pdu.tlvs, TlvTag.NETWORK_ERROR_CODE) == b"\x08" + status.to_bytes(2, "big")
    assert len(tried) == attempts
    [standing] = standings
    assert standing is not None
    assert standing.outcome == Outcome(MessageState.UNDELIVERABLE, error_class, f"{status:03X}")


async def test_a_refusal_that_a_profile_calls_too_fast_slows_the_bind_down() -> None:
    refused: list[bytes] = []

    def once(pdu: SubmitSm) -> int:
        if refused:
            return OK
        refused.append(pdu.short_message)
        return VENDOR_STATUS

    recorder = Recorder(receipts=False, answers=once)
    async with Smsc(port=0, on_submit=recorder) as smsc:
        settings = settings_of(
            an_esme(),
            carriers=(a_carrier(smsc.port),),
            gateway=GatewaySettings(max_attempts=1, drain_timeout=5),
            profiles=_meaning("rate"),
        )
        async with running(settings) as gateway, client(gateway.server.port) as esme:
            await esme.request(submit_sm(1))
            await until(lambda: refused)
            [link] = gateway.carriers["carrier"].links
            await until(lambda: link.pace.limited)
            await until(lambda: recorder.got)
            assert gateway.store.waiting_deliveries("app") == 0
            assert 'smppgw_throttled_total{limit="carrier"} 1.0' in gateway.metrics.render().decode()


async def test_what_meets_the_cap_of_a_day_waits_for_hours() -> None:
    async with Smsc(port=0, on_submit=Recorder(answers=lambda _: VENDOR_STATUS)) as smsc:
        settings = settings_of(
            an_esme(),
            carriers=(a_carrier(smsc.port),),
            gateway=GatewaySettings(retry_delay=0.01, drain_timeout=0.1),
            profiles=_meaning("cap"),
        )
        async with running(settings) as gateway, client(gateway.server.port) as esme:
            await esme.request(submit_sm(1))
            await until(lambda: gateway.status()["retrying"])
            due_ns = gateway.store.wake(time.monotonic_ns())
            assert due_ns is not None
            assert due_ns > time.monotonic_ns() + 3600 * NS


async def test_the_next_carrier_takes_over_when_one_is_down() -> None:
    recorder = Recorder(receipts=False)
    async with Smsc(port=0, on_submit=recorder) as smsc:
        carriers = (a_carrier(1, "away"), a_carrier(smsc.port, "there"))
        async with running(settings_of(an_esme(), carriers=carriers), bound=False) as gateway:
            async with client(gateway.server.port) as esme:
                await esme.request(submit_sm())
                await until(lambda: recorder.got)


async def test_routes_choose_the_carrier() -> None:
    north, south = Recorder(receipts=False), Recorder(receipts=False)
    async with Smsc(port=0, on_submit=north) as one, Smsc(port=0, on_submit=south) as two:
        settings = settings_of(
            an_esme(),
            carriers=(a_carrier(one.port, "north"), a_carrier(two.port, "south")),
            routes=(
                RouteSettings(("south",), destination="44"),
                RouteSettings(("north",), destination="1"),
            ),
        )
        async with running(settings) as gateway:
            async with client(gateway.server.port) as esme:
                for destination in (b"441", b"12", b"+442", b"33"):
                    response = await esme.request(
                        submit_sm(destination_addr=destination, short_message=destination)
                    )
                assert response.command_status == CommandStatus.ESME_RINVDSTADR
                await until(lambda: len(north.got) + len(south.got) == 3)
        assert (north.got, south.got) == ([b"12"], [b"441", b"+442"])


async def test_one_time_codes_leave_before_promotions() -> None:
    recorder = Recorder(receipts=False)
    async with Smsc(port=0) as reserved:
        port = reserved.port
    settings = settings_of(
        an_esme(),
        carriers=(a_carrier(port, window=1),),
        campaigns=(
            CampaignSettings("codes", "brand", status="approved", lane="otp", numbers=("+12065550199",)),
        ),
    )
    async with running(settings, bound=False) as gateway:
        async with client(gateway.server.port) as esme:
            await esme.request(submit_sm(1))
            await esme.request(submit_sm(2, priority_flag=1))
            await esme.request(submit_sm(3, source_addr=b"12065550199"))
            await esme.request(submit_sm(4, priority_flag=200))
            async with Smsc(port=port, on_submit=recorder):
                await until(lambda: len(recorder.got) == 4)
    assert recorder.got == [b"message 3", b"message 4", b"message 2", b"message 1"]


async def test_a_3_3_carrier_gets_no_optional_parameters() -> None:
    got: list[SubmitSm] = []

    def take(esme: BoundEsme, pdu: SubmitSm) -> str:
        got.append(pdu)
        return "id"

    async with Smsc(port=0, on_submit=take, interface_version=0x33) as smsc:
        carriers = (a_carrier(smsc.port, interface_version=0x33, bind="tx+rx"),)
        async with running(settings_of(an_esme(), carriers=carriers)) as gateway:
            async with client(gateway.server.port) as esme:
                reference = make_tlv(TlvTag.USER_MESSAGE_REFERENCE, 1)
                await esme.request(submit_sm(1, tlvs=(reference,)))
                payload = make_tlv(TlvTag.MESSAGE_PAYLOAD, b"long")
                long = await esme.request(submit_sm(2, short_message=b"", tlvs=(payload,)))
                receipt = await anext(esme)
                assert isinstance(receipt, DeliveryReceipt)
                assert receipt.message_id == long.message_id.decode()
                assert receipt.state == MessageState.UNDELIVERABLE
    assert [(pdu.short_message, pdu.tlvs) for pdu in got] == [(b"message 1", ())]


async def test_what_a_carrier_throttles_one_by_one_leaves_again_in_order() -> None:
    refused: list[bytes] = []

    def once(pdu: SubmitSm) -> int:
        if pdu.short_message in refused or len(refused) == 8:
            return OK
        refused.append(pdu.short_message)
        return CommandStatus.ESME_RTHROTTLED

    recorder = Recorder(receipts=False, answers=once)

    async def one_by_one(esme: BoundEsme, pdu: SubmitSm) -> str | int:
        await asyncio.sleep(0.002 * (int(pdu.short_message[8:]) + 1))
        return recorder(esme, pdu)

    async with Smsc(port=0, on_submit=one_by_one) as smsc:
        async with running(settings_of(an_esme(), carriers=(a_carrier(smsc.port, window=8),))) as gateway:
            async with client(gateway.server.port) as esme:
                async for result in esme.submit_many(submit_sm(number) for number in range(12)):
                    assert result.ok
                await until(lambda: len(recorder.got) == 12)
                first = [text for text in recorder.got if text in refused]
                assert first == sorted(first, key=lambda text: int(text[8:]))


async def test_a_late_answer_settles_its_message_once() -> None:
    attempts: list[bytes] = []

    async def late(esme: BoundEsme, pdu: SubmitSm) -> str:
        attempts.append(pdu.short_message)
        await asyncio.sleep(0.5)
        return f"id-{len(attempts)}"

    async with Smsc(port=0, on_submit=late) as smsc:
        settings = settings_of(
            an_esme(),
            carriers=(a_carrier(smsc.port, response_timeout=0.2),),
            gateway=GatewaySettings(max_attempts=2, retry_delay=30.0, drain_timeout=5),
        )
        async with running(settings) as gateway, client(gateway.server.port) as esme:
            await esme.request(submit_sm(1))
            await until(lambda: gateway.status()["retrying"])
            await until(lambda: not gateway.store.queued("app"))
            assert gateway.store.find("carrier", b"id-1") is not None
            assert gateway.store.octets == 0
    assert attempts == [b"message 1"]


async def test_a_carrier_that_was_silent_is_used_again_when_it_answers() -> None:
    got: list[bytes] = []
    unanswered: list[tuple[BoundEsme, SubmitSm]] = []

    def sometimes(esme: BoundEsme, pdu: SubmitSm) -> Any:
        got.append(pdu.short_message)
        if len(got) > 5:
            return f"id-{len(got)}"
        unanswered.append((esme, pdu))
        return LATER

    async with Smsc(port=0, on_submit=sometimes, inbound_window=100) as smsc:
        settings = settings_of(
            an_esme(),
            carriers=(a_carrier(smsc.port, window=5, response_timeout=0.2),),
            gateway=GatewaySettings(max_attempts=1, retry_delay=0.05, drain_timeout=0.2),
        )
        async with running(settings) as gateway, client(gateway.server.port) as esme:
            async for result in esme.submit_many(submit_sm(number) for number in range(20)):
                assert result.ok
            await until(lambda: not gateway.store.queued("app"))
            assert got[5:] == [b"message %d" % number for number in range(5, 20)]
            for bound, pdu in unanswered:
                bound.answer(pdu, "far too late")


async def test_messages_larger_than_the_buffers_reach_a_carrier_that_reads_slowly_once_each() -> None:
    got: list[int] = []

    def take(esme: BoundEsme, pdu: SubmitSm) -> str:
        got.append(int.from_bytes(pdu.tlvs[0][1][:4], "big"))
        return f"id-{len(got)}"

    async with Smsc(port=0, on_submit=take) as smsc:
        settings = settings_of(an_esme(window=200), carriers=(a_carrier(smsc.port, window=200),))
        async with running(settings) as gateway, client(gateway.server.port, window=200) as esme:
            payloads = (
                submit_sm(
                    number,
                    short_message=b"",
                    registered_delivery=0,
                    tlvs=(make_tlv(TlvTag.MESSAGE_PAYLOAD, number.to_bytes(4, "big") + b"x" * 60_000),),
                )
                for number in range(120)
            )
            async for result in esme.submit_many(payloads):
                assert result.ok
            await until(lambda: len(got) == 120)
            assert got == list(range(120))


async def test_routes_that_share_a_carrier_take_turns() -> None:
    recorder = Recorder(receipts=False)
    async with Smsc(port=0) as reserved:
        port = reserved.port
    settings = settings_of(
        an_esme("bulk"),
        an_esme("app"),
        carriers=(a_carrier(port, window=4),),
        routes=(RouteSettings(("carrier",), esme="bulk"), RouteSettings(("carrier",), esme="app")),
    )
    async with running(settings, bound=False) as gateway:
        async with client(gateway.server.port, "bulk") as bulk, client(gateway.server.port) as esme:
            async for result in bulk.submit_many(submit_sm(number) for number in range(200)):
                assert result.ok
            await esme.request(submit_sm(999))
            async with Smsc(port=port, on_submit=recorder):
                await until(lambda: len(recorder.got) == 201)
    assert recorder.got.index(b"message 999") < 10


async def test_a_message_whose_answer_comes_late_is_not_sent_again_nor_reported() -> None:
    unanswered: list[tuple[BoundEsme, SubmitSm]] = []

    def late(esme: BoundEsme, pdu: SubmitSm) -> Any:
        unanswered.append((esme, pdu))
        return LATER

    async with Smsc(port=0, on_submit=late) as smsc:
        settings = settings_of(
            an_esme(),
            carriers=(a_carrier(smsc.port, window=1, response_timeout=0.2),),
            gateway=GatewaySettings(max_attempts=3, retry_delay=0.01, drain_timeout=5),
        )
        async with running(settings) as gateway, client(gateway.server.port) as esme:
            await esme.request(submit_sm(1))
            await until(lambda: len(unanswered) == 2)  # on its way again, when the first answer comes
            for bound, pdu in tuple(unanswered):
                bound.answer(pdu, "one id")
                await until(lambda: not gateway.store.queued("app"))
            await esme.request(submit_sm(2))
            await until(lambda: len(unanswered) == 3)
            assert gateway.store.queued("app") == 1
            unanswered[2][0].answer(unanswered[2][1], "another")
            await until(lambda: not gateway.store.queued("app"))
            assert gateway.dispatch.in_flight == 0
            assert gateway.store.octets == 0
            assert gateway.store.waiting_deliveries("app") == 0
    assert [pdu.short_message for _, pdu in unanswered] == [b"message 1", b"message 1", b"message 2"]


async def test_a_message_without_an_answer_is_given_up_some_time_after_its_last_attempt() -> None:
    attempts: list[bytes] = []

    def silent(esme: BoundEsme, pdu: SubmitSm) -> Any:
        attempts.append(pdu.short_message)
        return LATER

    async with Smsc(port=0, on_submit=silent) as smsc:
        settings = settings_of(
            an_esme(),
            carriers=(a_carrier(smsc.port, response_timeout=0.1),),
            gateway=GatewaySettings(max_attempts=2, retry_delay=0.01, drain_timeout=5),
        )
        async with running(settings) as gateway, client(gateway.server.port) as esme:
            await esme.request(submit_sm(1))
            receipt = await anext(esme)
            assert isinstance(receipt, DeliveryReceipt)
            assert (receipt.state, receipt.err) == (MessageState.UNDELIVERABLE, "0FF")
            assert not gateway.store.queued("app")
    assert attempts == [b"message 1"] * 2


async def test_what_has_expired_in_its_lane_is_not_sent() -> None:
    recorder = Recorder(receipts=False)
    async with Smsc(port=0, on_submit=recorder) as smsc:
        carriers = (a_carrier(smsc.port, window=5),)
        async with running(settings_of(an_esme(), carriers=carriers)) as gateway:
            lane = gateway.lines.named(LINE)
            messages = [Message(key, b"%x" % key, "app", lane, 4, _body(key), 1, 1) for key in range(1, 31)]
            for each in messages[::2]:
                each.expires_ns = 1
            for each in messages[1::2]:
                each.expires_ns = 1 << 62
            async with client(gateway.server.port) as esme:
                gateway.store.accept(messages, gateway.dispatch.kick)
                receipts = [await anext(esme) for _ in range(15)]
                await until(lambda: not gateway.store.queued("app"))
    assert recorder.got == [b"message %d" % key for key in range(2, 31, 2)]
    states = {each.message_id: each.state for each in receipts if isinstance(each, DeliveryReceipt)}
    assert states == {f"{key:x}": MessageState.EXPIRED for key in range(1, 31, 2)}


async def test_messages_of_an_earlier_configuration_are_sent_where_their_lane_leads_to_now() -> None:
    recorder = Recorder(receipts=True)
    async with Smsc(port=0, on_submit=recorder) as smsc:
        async with running(settings_of(an_esme(), carriers=(a_carrier(smsc.port),))) as gateway:
            lane = gateway.lines.named(LINE)
            messages = [
                Message(1, b"1", "gone", lane, 4, _body(1), 1, -5),
                Message(2, b"2", "app", gateway.lines.named("a lane that is gone"), 4, _body(2), 0, -5),
                Message(3, b"3", "app", lane, 4, _body(3), 1, -5, due_ns=-3),
            ]
            gateway.store.accept(messages, gateway.dispatch.kick)
            await until(lambda: len(recorder.got) == 3)
            await until(lambda: gateway.store.waiting_deliveries("gone") == 1)
            await until(lambda: gateway.store.waiting_deliveries("app") == 1)
    assert sorted(recorder.got) == [b"message 1", b"message 2", b"message 3"]


async def test_a_message_with_a_moment_leaves_then() -> None:
    recorder = Recorder(receipts=False)
    async with Smsc(port=0, on_submit=recorder) as smsc:
        async with running(settings_of(an_esme(), carriers=(a_carrier(smsc.port),))) as gateway:
            lane = gateway.lines.named(LINE)
            messages = [Message(key, b"%x" % key, "app", lane, 4, _body(key), 0, 1) for key in (1, 2)]
            messages[0].due_ns = due_ns = time.monotonic_ns() + NS // 20
            gateway.store.accept(messages, gateway.dispatch.kick)
            await until(lambda: len(recorder.got) == 2)
            assert time.monotonic_ns() >= due_ns
    assert recorder.got == [b"message 2", b"message 1"]
