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
