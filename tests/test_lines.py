"""Lanes are made when they are asked for, and found again under whatever configuration."""

from __future__ import annotations

from weakref import ref

import pytest

from smppgw import lines as lines_module
from smppgw.lines import Line, Lines
from smppgw.pdu import codec
from smppgw.pdu._generated import DataSm, SubmitSm
from smppgw.pdu.constants import HEADER_OCTETS, CommandId
from smppgw.routing import LANES, Router
from smppgw.settings import CampaignSettings, RouteSettings, Settings
from smppgw.store.entries import Message
from smppgw.throttle.limits import Limits
from smppgw.throttle.registry import Registry
from tests.paced import number, registered
from tests.support import a_carrier, an_esme, settings_of


def lines_of(settings: Settings) -> Lines:
    registry = Registry(settings)
    return Lines(settings.esmes, Router(settings, registry), registry, Limits(settings, 0, 1))


ESME = an_esme()


def test_an_address_has_a_line_for_each_lane_and_always_the_same() -> None:
    lines = lines_of(registered(numbers=[number(1)]))
    found = lines.of(ESME, number(1), "1")
    assert found is not None
    four = [found.at(priority_flag) for priority_flag in range(4)]
    assert [LANES[line.rank] for line in four] == ["promotional", "transactional", "transactional", "otp"]
    assert found.at(200) is four[3]
    again = lines.of(ESME, number(1), "2")
    assert again is not None
    assert [again.at(priority_flag) for priority_flag in range(4)] == four
    assert {line.name for line in four} == {f"{lane}\tdefault\tapp\t{number(1)}" for lane in LANES}


def test_a_campaign_s_lane_is_the_only_one_of_its_numbers() -> None:
    campaign = CampaignSettings("codes", "brand", status="approved", lane="otp", numbers=(number(1),))
    lines = lines_of(registered(numbers=(), campaigns=(campaign,)))
    found = lines.of(ESME, number(1), "1")
    assert found is not None
    assert found.first is found.at(1) is found.at(3)
    assert found.first.rank == LANES.index("otp")


def test_lines_of_numbers_share_the_limits_of_their_campaign_and_brand() -> None:
    lines = lines_of(registered(numbers=[number(1), number(2)], per_minute=60, per_day=100))
    one, other = (lines.named(f"otp\tdefault\tapp\t{number(place)}") for place in (1, 2))
    assert one.campaign is other.campaign is not None
    assert one.cap is other.cap is not None
    assert one.limits == (one.number, one.campaign, one.cap)
    stranger = lines.named("otp\tdefault\tapp\t12125550100")
    assert stranger.limits == (None, None, None)


def test_a_line_is_found_by_its_name_and_one_whose_route_is_gone_goes_to_the_last() -> None:
    settings = registered(
        numbers=[number(1)],
        carriers=(a_carrier(1, "first"), a_carrier(2, "second")),
        routes=(RouteSettings(("first",), esme="app"), RouteSettings(("second",))),
    )
    lines = lines_of(settings)
    found = lines.of(ESME, number(1), "1")
    assert found is not None
    assert lines.named(found.first.name) is found.first
    gone = lines.named(f"otp\tesme=other\tapp\t{number(1)}")
    assert gone.outlet.carriers == ("second",)
    assert (gone.esme, gone.source, LANES[gone.rank]) == ("app", number(1), "otp")
    assert lines.named("of another kind").rank == len(LANES) - 1


def test_a_source_with_a_tab_is_told_from_the_rest_of_the_name() -> None:
    lines = lines_of(settings_of(ESME, carriers=(a_carrier(1),)))
    found = lines.of(ESME, "a\tb", "1")
    assert found is not None
    assert lines.named(found.first.name) is found.first
    assert found.first.source == "a\tb"


def test_routes_to_the_same_carriers_share_an_outlet() -> None:
    settings = settings_of(
        ESME,
        carriers=(a_carrier(1, "first"), a_carrier(2, "second")),
        routes=(
            RouteSettings(("first", "second"), esme="app"),
            RouteSettings(("second", "first"), destination="44"),
            RouteSettings(("first", "second")),
        ),
    )
    assert [outlet.carriers for outlet in lines_of(settings).outlets] == [
        ("first", "second"),
        ("second", "first"),
    ]


def test_where_no_route_matches_there_is_no_line() -> None:
    settings = settings_of(ESME, carriers=(a_carrier(1),), routes=(RouteSettings(("carrier",), source="44"),))
    assert lines_of(settings).of(ESME, "12065550100", "1") is None


def test_idle_lines_are_forgotten_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines_module, "LINES_REMEMBERED", 100)
    lines = lines_of(settings_of(an_esme(lane="otp"), carriers=(a_carrier(1),)))
    waits = lines.named("otp\tdefault\tapp\t1")
    waits.waits = waits.outlet.turns
    on_its_way = lines.named("otp\tdefault\tapp\t2")
    idle = ref(lines.named("otp\tdefault\tapp\t3"))
    forgotten = 0

    def count() -> None:
        nonlocal forgotten
        forgotten += 1

    lines.on_forget = count
    for place in range(500):
        lines.named(f"otp\tdefault\tapp\t{1000 + place}")
    assert forgotten
    assert lines.named(waits.name) is waits
    assert lines.named(on_its_way.name) is on_its_way, "a message may come back to it"
    assert idle() is None


@pytest.mark.parametrize("command_id", [CommandId.SUBMIT_SM, CommandId.DATA_SM])
def test_what_was_accepted_is_looked_at_again_where_its_sender_may_not_send_everywhere(
    command_id: CommandId,
) -> None:
    lines = lines_of(registered(numbers=[number(1)]))
    approved = lines.named(f"otp\tdefault\tapp\t{number(1)}")
    assert approved.refusals is None
    stranger = lines.named("otp\tdefault\tapp\t12125550100")
    assert stranger.refusals
    assert lines.refusal(stranger, _message(stranger, command_id, "13125550100")) == "unregistered"
    assert lines.refusal(stranger, _message(stranger, command_id, "447700900123")) is None
    gone = lines.named(f"otp\tdefault\tnobody\t{number(1)}")
    assert gone.refusals is None, "an ESME that is no more may still have its messages sent"


def test_a_reload_changes_what_all_lines_are_subject_to() -> None:
    settings = registered(numbers=[number(1)], per_minute=60)
    lines = lines_of(settings)
    line = lines.named(f"otp\tdefault\tapp\t{number(1)}")
    assert line.campaign is not None
    limits = lines._limits
    after = registered(numbers=[number(2)], per_minute=60)
    limits.reload(after, 5)
    lines.replace(after.esmes, Registry(after))
    assert line.campaign is None
    assert line.refusals


def _message(line: Line, command_id: CommandId, destination: str) -> Message:
    kind = SubmitSm if command_id == CommandId.SUBMIT_SM else DataSm
    pdu = kind(source_addr=line.source.encode(), destination_addr=destination.encode())
    return Message(1, b"1", "app", line, command_id, codec.encode(pdu)[HEADER_OCTETS:], 0, 0)
