from __future__ import annotations

from dataclasses import replace
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
from smppgw.throttle.registry import Registry


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
        pools=(),
        limits=LimitsSettings(),
        inbound=InboundSettings(default_esme=default_esme),
        store=StoreSettings(),
    )


def router_of(settings: Settings) -> Router:
    return Router(settings, Registry(settings))


ACME = EsmeSettings("acme", "pw")


@pytest.mark.parametrize(
    ("address", "compared"),
    [("+12065550100", "12065550100"), ("12065550100", "12065550100"), ("ACME", "ACME"), ("+", "+"), ("", "")],
)
def test_telephone_numbers_compare_by_their_digits(address: str, compared: str) -> None:
    assert digits(address) == compared


def test_without_routes_messages_go_to_the_carriers_in_the_order_they_stand() -> None:
    router = router_of(settings())
    [route] = router.routes
    assert route.carriers == ("first", "second")
    assert router.route(ACME, "1", "2") is route


def test_the_first_route_that_matches_is_taken() -> None:
    router = router_of(
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


def test_where_no_route_matches_there_is_none() -> None:
    router = router_of(settings(routes=(RouteSettings(("first",), esme="other"),)))
    assert router.route(ACME, "1", "2") is None
    assert not router.needs_destination


def test_the_lane_is_the_campaign_s_else_the_esme_s_else_the_priority_s() -> None:
    router = router_of(
        settings(
            campaigns=(
                CampaignSettings("codes", "brand", lane="otp", numbers=("+12065550100",)),
                CampaignSettings("plain", "brand", numbers=("+12065550101",)),
            )
        )
    )
    fixed = EsmeSettings("acme", "pw", lane="transactional")
    assert set(router.lanes(fixed, "12065550100")) == {"otp"}
    assert set(router.lanes(fixed, "12065550101")) == {"transactional"}
    assert router.lanes(ACME, "12065550101") == ("promotional", "transactional", "transactional", "otp")


def test_a_number_belongs_to_the_esme_that_may_send_from_it() -> None:
    router = router_of(
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
    assert router_of(settings()).owner("whatever") == "acme"


def test_a_number_that_no_esme_has_belongs_to_the_one_whose_longest_prefix_fits() -> None:
    router = router_of(
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
    router = router_of(settings(esmes=esmes, default_esme="rest"))
    assert router.owner("12065550100") == "acme"
    assert router.owner("442071234567") == "rest"
    assert router.owner("SHOP") == "rest"


def test_a_number_of_a_campaign_belongs_to_the_esme_that_has_the_campaign() -> None:
    router = router_of(
        settings(
            esmes=(
                EsmeSettings("acme", "pw", campaigns=("spring",)),
                EsmeSettings("other", "pw", sources=("+12065550101",)),
            ),
            campaigns=(CampaignSettings("spring", "brand", numbers=("+12065550100", "+12065550101")),),
        )
    )
    assert router.owner("+12065550100") == "acme"
    assert router.owner("12065550101") == "other"
    assert router.owner("12065550102") is None


def test_routes_split_long_messages_as_the_first_of_their_carriers_wants_that_does_not_take_them_whole() -> (
    None
):
    made = settings(routes=(RouteSettings(("first", "second")), RouteSettings(("first",))))
    first, second = made.carriers
    made = replace(made, carriers=(first, replace(second, long_messages="udh")))
    assert [route.splits for route in router_of(made).routes] == ["udh", None]
