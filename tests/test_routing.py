from __future__ import annotations

from pathlib import Path

import pytest

from smppgw.routing import Router, digits
from smppgw.settings import (
    AdminSettings,
    CampaignSettings,
    CarrierSettings,
    EsmeSettings,
    GatewaySettings,
    InboundSettings,
    LimitsSettings,
    ListenSettings,
    RouteSettings,
    Settings,
    StoreSettings,
)


def settings(
    *,
    esmes: tuple[EsmeSettings, ...] = (EsmeSettings("acme", "pw"),),
    routes: tuple[RouteSettings, ...] = (),
    campaigns: tuple[CampaignSettings, ...] = (),
    default_esme: str = "",
) -> Settings:
    return Settings(
        gateway=GatewaySettings(data_dir=Path("data")),
        listen=ListenSettings(),
        admin=AdminSettings(),
        esmes=esmes,
        carriers=(
            CarrierSettings("first", "127.0.0.1", "gw", "pw"),
            CarrierSettings("second", "127.0.0.1", "gw", "pw"),
        ),
        routes=routes,
        brands=(),
        campaigns=campaigns,
        numbers=(),
        limits=LimitsSettings(),
        inbound=InboundSettings(default_esme=default_esme),
        store=StoreSettings(),
    )


ACME = EsmeSettings("acme", "pw")


@pytest.mark.parametrize(
    ("address", "compared"),
    [("+12065550100", "12065550100"), ("12065550100", "12065550100"), ("ACME", "ACME"), ("+", "+"), ("", "")],
)
def test_telephone_numbers_compare_by_their_digits(address: str, compared: str) -> None:
    assert digits(address) == compared


def test_without_routes_messages_go_to_the_carriers_in_the_order_they_stand() -> None:
    router = Router(settings())
    [route] = router.routes
    assert route.carriers == ("first", "second")
    assert router.route(ACME, "1", "2") is route


def test_the_first_route_that_matches_is_taken() -> None:
    router = Router(
        settings(
            routes=(
                RouteSettings(("second",), esme="other"),
                RouteSettings(("second",), destination="+44"),
                RouteSettings(("first",), source="1206"),
                RouteSettings(("second", "first"), campaign="spring"),
            ),
            campaigns=(CampaignSettings("spring", "brand", numbers=("+19995550100",)),),
        )
    )
    names = [route.name for route in router.routes]

    def taken(source: str, destination: str) -> str | None:
        route = router.route(ACME, source, destination)
        return route.name if route is not None else None

    assert taken("+12065550100", "+441234") == names[1]
    assert taken("+12065550100", "+1441234") == names[2]
    assert taken("19995550100", "+1441234") == names[3]
    assert taken("+15005550100", "+1441234") is None
    assert router.needs_destination


def test_a_message_with_no_route_has_no_lane() -> None:
    router = Router(settings(routes=(RouteSettings(("first",), esme="other"),)))
    assert router.lanes(ACME, "1", "2") is None
    assert not router.needs_destination


def test_the_lane_is_the_campaign_s_else_the_esme_s_else_the_priority_s() -> None:
    router = Router(
        settings(
            campaigns=(
                CampaignSettings("codes", "brand", lane="otp", numbers=("+12065550100",)),
                CampaignSettings("plain", "brand", numbers=("+12065550101",)),
            )
        )
    )
    fixed = EsmeSettings("acme", "pw", lane="transactional")
    assert set(router.lanes(fixed, "12065550100", "2") or ()) == {"default/otp"}
    assert set(router.lanes(fixed, "12065550101", "2") or ()) == {"default/transactional"}
    assert router.lanes(ACME, "12065550101", "2") == (
        "default/promotional",
        "default/transactional",
        "default/transactional",
        "default/otp",
    )


def test_a_number_belongs_to_the_esme_that_may_send_from_it() -> None:
    router = Router(
        settings(
            esmes=(
                EsmeSettings("acme", "pw", sources=("+12065550100",)),
                EsmeSettings("other", "pw", sources=("12065550101",)),
            )
        )
    )
    assert router.owner("12065550100") == "acme"
    assert router.owner("+12065550101") == "other"
    assert router.owner("+12065550102") is None


def test_the_only_esme_owns_every_number() -> None:
    assert Router(settings()).owner("whatever") == "acme"


def test_a_number_that_no_esme_has_belongs_to_the_one_whose_longest_prefix_fits() -> None:
    router = Router(
        settings(
            esmes=(
                EsmeSettings("us", "pw", prefixes=("1",)),
                EsmeSettings("seattle", "pw", prefixes=("1206", "1425")),
                EsmeSettings("one-number", "pw", sources=("+12065550101",)),
                EsmeSettings("exchange", "pw", prefixes=("1206555",)),
            )
        )
    )
    assert router.owner("12125550100") == "us"
    assert router.owner("+12064440100") == "seattle"
    assert router.owner("14255550100") == "seattle"
    assert router.owner("+12065550100") == "exchange"
    assert router.owner("12065550101") == "one-number"
    assert router.owner("441234567890") is None
    assert router.owner("120") == "us"
    assert router.owner("1206-SHOP") is None


def test_a_number_that_fits_nowhere_belongs_to_the_default() -> None:
    esmes = (EsmeSettings("acme", "pw", prefixes=("1206",)), EsmeSettings("rest", "pw"))
    router = Router(settings(esmes=esmes, default_esme="rest"))
    assert router.owner("12065550100") == "acme"
    assert router.owner("442071234567") == "rest"
    assert router.owner("SHOP") == "rest"


def test_the_carriers_stand_as_configured() -> None:
    assert Router(settings(routes=(RouteSettings(("second",)),))).carriers == ("first", "second")


def test_a_lane_stays_the_same_one_when_a_route_is_put_before_its_route() -> None:
    mine = RouteSettings(carriers=("first",), esme="acme")
    [lane, *_] = Router(settings(routes=(mine,))).routes[0].lanes
    router = Router(settings(routes=(RouteSettings(carriers=("second",), source="1206"), mine)))
    assert router.lane_now(lane) == lane
    assert [route.carriers for route in router.routes if lane in route.lanes] == [("first",)]


def test_routes_that_match_alike_have_lanes_of_their_own() -> None:
    alike = RouteSettings(carriers=("first",))
    router = Router(settings(routes=(alike, alike, alike)))
    assert len({lane for route in router.routes for lane in route.lanes}) == 9


def test_a_lane_of_a_route_that_is_gone_goes_to_the_last_route() -> None:
    routes = (RouteSettings(carriers=("first",), esme="acme"), RouteSettings(carriers=("second",)))
    router = Router(settings(routes=routes))
    assert router.lane_now("default/otp") == router.routes[-1].lanes[0]
    assert router.lane_now("something else") == router.routes[-1].lanes[-1]
