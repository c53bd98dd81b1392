from __future__ import annotations

import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from smppgw import senders as senders_module
from smppgw.operators import Operators
from smppgw.pdu.constants import CommandStatus
from smppgw.senders import Sender
from smppgw.settings import PoolSettings, RouteSettings
from smppgw.submission import Refusal
from smppgw.throttle.registry import US
from tests.desk import NUMBERS, Desk, registered
from tests.support import an_esme

AMERICAN = b"14155550123"
CANADIAN = b"14165550123"
REGISTERED = b"\1\1" + NUMBERS[0].encode()
UNKNOWN = b"\1\1" + b"12065550999"


def placed(desk: Desk, address: bytes, destination: bytes = AMERICAN, priority_flag: int = 0) -> Any:
    """What is said of a message from there: its lane's name, the number picked, whether it counts to a day's cap."""
    account = desk.account
    sender = account.senders.get(address) or desk.senders.look_up(account.settings, account.senders, address)
    line, number, counts = desk.senders.place(sender, account.settings, destination, priority_flag)
    return line.name, number, counts


def refused(desk: Desk, address: bytes, destination: bytes = AMERICAN) -> tuple[int, str]:
    """The command_status, and the reason."""
    with pytest.raises(Refusal) as refusal:
        placed(desk, address, destination)
    return refusal.value.command_status, refusal.value.why


def looked_up(desk: Desk, address: bytes) -> Sender:
    return desk.senders.look_up(desk.account.settings, desk.account.senders, address)


def test_a_priority_chooses_the_line_and_what_is_above_the_highest_is_as_that() -> None:
    desk = Desk()
    names = [placed(desk, REGISTERED, priority_flag=flag)[0].split("\t")[0] for flag in (0, 1, 2, 3, 4, 255)]
    assert names == ["promotional", "transactional", "transactional", "otp", "otp", "otp"]
    sender = looked_up(desk, REGISTERED)
    assert [sender.line(flag).name.split("\t")[0] for flag in (0, 1, 2, 3, 4, 255)] == names


def test_an_address_is_looked_up_once_and_the_ways_to_write_it_share_their_lines() -> None:
    desk = Desk()
    sender = looked_up(desk, REGISTERED)
    assert desk.account.senders[REGISTERED] is sender
    for other in (b"\2\1" + b"2065550100", b"\1\1" + b"+12065550100"):
        assert placed(desk, other)[0] == placed(desk, REGISTERED)[0]
        assert looked_up(desk, other).source == sender.source


def test_more_than_so_many_addresses_are_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(senders_module, "SENDERS_REMEMBERED", 5)
    monkeypatch.setattr(senders_module, "PREFIXES_REMEMBERED", 5)
    desk = Desk(registered(brand={"segments_per_day": 5}))
    for place in range(20):
        looked_up(desk, b"\1\1" + b"1206555%04d" % place)
        placed(desk, REGISTERED, b"%05d" % place)
        assert len(desk.account.senders) <= 5
        assert desk.senders._counts_by_prefix is not None
        assert len(desk.senders._counts_by_prefix._answers) <= 5


def test_who_may_send_depends_on_the_country() -> None:
    desk = Desk()
    for _ in range(2):  # also when it is remembered
        assert refused(desk, UNKNOWN) == (CommandStatus.ESME_RINVSRCADR, "unregistered")
        assert placed(desk, UNKNOWN, CANADIAN)[0] == "promotional\tdefault\tapp\t12065550999"
        assert refused(desk, UNKNOWN, b"4155550123")[1] == "unregistered"
        assert placed(desk, UNKNOWN, b"4165550123")
        assert refused(desk, UNKNOWN, b"+14155550123")[1] == "unregistered"
        assert placed(desk, UNKNOWN, b"+14165550123")


def test_a_number_of_1_without_its_1_is_told_from_others_that_begin_so() -> None:
    desk = Desk()
    swiss, american = b"41555501234", b"4155550123"
    for _ in range(2):
        assert placed(desk, UNKNOWN, swiss)
        assert refused(desk, UNKNOWN, american)[1] == "unregistered"


@hypothesis_settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.from_regex(rb"[+]?[0-9]{2,13}", fullmatch=True), max_size=20))
def test_what_is_remembered_of_destinations_is_what_the_registry_says(destinations: list[bytes]) -> None:
    desk = Desk(registered(brand={"segments_per_day": 5}))
    for destination in destinations:
        said = destination.decode()
        assert placed(desk, REGISTERED, destination)[2] == desk.registry.counts_to_day(said)
        try:
            placed(desk, UNKNOWN, destination)
            allowed = True
        except Refusal:
            allowed = False
        assert allowed == (desk.registry.region_of(said) != US)


def test_where_operators_are_known_each_destination_is_asked_for() -> None:
    operators = Operators(["1415555,t-mobile", "1415556,verizon"])
    desk = Desk(registered(brand={"segments_per_day": 5}, operators=operators))
    assert [placed(desk, REGISTERED, each)[2] for each in (b"14155550000", b"14155560000")] == [True, False]


def test_without_a_cap_nobody_asks_what_counts_to_it() -> None:
    desk = Desk()
    assert placed(desk, REGISTERED, CANADIAN)[2]
    assert looked_up(desk, REGISTERED).plain is not None


def test_an_esme_may_use_its_own_sources_alone() -> None:
    desk = Desk(registered(an_esme(sources=(NUMBERS[0],))))
    assert placed(desk, REGISTERED)
    assert refused(desk, b"\1\1" + NUMBERS[1].encode()) == (
        CommandStatus.ESME_RINVSRCADR,
        "source_not_allowed",
    )
    assert refused(desk, b"\1\1" + NUMBERS[1].encode(), CANADIAN)[1] == "source_not_allowed"


def test_where_no_route_leads_there_is_no_such_destination() -> None:
    desk = Desk(registered(routes=(RouteSettings(("carrier",), source="1"),)))
    assert refused(desk, b"\5\0ACME", b"33612345678") == (CommandStatus.ESME_RINVDSTADR, "")


def test_where_routes_ask_for_the_destination_lines_are_looked_up_each_time() -> None:
    routes = (RouteSettings(("carrier",), destination="1416"), RouteSettings(("carrier",)))
    desk = Desk(registered(routes=routes))
    for _ in range(2):
        assert placed(desk, REGISTERED)[0].split("\t")[1] == "any"
        assert placed(desk, REGISTERED, CANADIAN)[0].split("\t")[1] == "destination=1416"
    assert looked_up(desk, REGISTERED).plain is None


# ---- pools --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", [b"C1", b"WORK"])
def test_a_pool_is_one_of_its_numbers_the_same_for_each_recipient(source: bytes) -> None:
    pool = PoolSettings("WORK", "C1", NUMBERS[:2])
    desk = Desk(registered(pools=(pool,), numbers=()))
    found = {}
    for _ in range(2):
        for place in range(40):
            destination = b"1415555%04d" % place
            name, number, _ = placed(desk, b"\5\0" + source, destination)
            assert name == f"promotional\tdefault\tapp\t{number.decode()}"
            assert found.setdefault(destination, number) == number
    expected = NUMBERS if source == b"C1" else NUMBERS[:2]
    assert set(found.values()) == {number.encode() for number in expected}
    assert len(desk.account.senders) == 1


def test_a_pool_too_takes_the_route_of_each_destination() -> None:
    routes = (RouteSettings(("carrier",), destination="1416"), RouteSettings(("carrier",)))
    desk = Desk(registered(routes=routes))
    for place in range(20):
        for destination, route in (
            (b"1415555%04d" % place, "any"),
            (b"1416555%04d" % place, "destination=1416"),
        ):
            name, number, _ = placed(desk, b"\5\0C1", destination)
            assert name == f"promotional\t{route}\tapp\t{number.decode()}"


@pytest.mark.parametrize(
    ("allowed", "status"),
    [
        ({"sources": ("C1",)}, None),
        ({"campaigns": ("C1",)}, None),
        ({}, None),
        ({"sources": (NUMBERS[0],)}, "source_not_allowed"),
    ],
)
def test_a_pool_takes_leave_to_use_it(allowed: dict[str, Any], status: str | None) -> None:
    desk = Desk(registered(an_esme(**allowed)))
    if status is None:
        assert placed(desk, b"\5\0C1")[1]
    else:
        assert refused(desk, b"\5\0C1") == (CommandStatus.ESME_RINVSRCADR, status)


def test_a_pool_of_a_campaign_that_is_not_approved_may_not_send() -> None:
    desk = Desk(registered(campaign={"status": "pending"}))
    assert refused(desk, b"\5\0C1")[1] == "campaign_not_approved"
    assert placed(desk, b"\5\0C1", CANADIAN)


def test_the_number_of_a_pool_brings_its_limits() -> None:
    desk = Desk(registered(brand={"segments_per_day": 5}))
    _, number, counts = placed(desk, b"\5\0C1")
    assert number.decode() in NUMBERS
    assert counts
    assert not placed(desk, b"\5\0C1", CANADIAN)[2]


def test_of_a_pool_the_number_for_a_destination_can_be_asked_for() -> None:
    desk = Desk()
    assert desk.senders.number_of(b"C1", AMERICAN) == placed(desk, b"\5\0C1")[1]
    assert desk.senders.number_of(NUMBERS[0].encode(), AMERICAN) is None


# ---- reload, and size ---------------------------------------------------------------------------------------


def test_another_configuration_is_gone_by_at_once() -> None:
    desk = Desk()
    assert placed(desk, REGISTERED)
    assert placed(desk, REGISTERED, CANADIAN)
    other = Desk(registered(campaign={"status": "rejected"}))
    desk.lines.replace(other.settings.esmes, other.registry)
    desk.senders.replace(other.registry, other.pools, operators_known=False)
    desk.account.change(desk.account.settings, desk.now_ns)
    assert refused(desk, REGISTERED)[1] == "campaign_not_approved"


def test_a_sender_is_small() -> None:
    desk = Desk()
    for place in range(2_000):
        looked_up(desk, b"\1\1" + b"1206555%04d" % place)
    remembered = desk.account.senders
    [first, *_] = remembered.values()
    assert first.lines is not None
    header = 16  # what the collector keeps before an object
    each = sum(sys.getsizeof(one) for one in (b"\1\1" + b"12065550100", first, first.lines)) + 2 * header
    assert each + sys.getsizeof(remembered) / len(remembered) <= 310
    assert len({id(sender.refusals) for sender in remembered.values()}) <= 2, "those are shared"
