"""Only who is registered may send to the US, each ESME from its own, and elsewhere as the country allows."""

from __future__ import annotations

import dataclasses
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from smppgw.config import load
from smppgw.operators import Operators
from smppgw.settings import (
    AdminSettings,
    BrandSettings,
    CampaignSettings,
    EsmeSettings,
    GatewaySettings,
    InboundSettings,
    LimitsSettings,
    ListenSettings,
    NumberSettings,
    PoolSettings,
    Settings,
    Status,
    StoreSettings,
)
from smppgw.tables import CountryRules, CountryTable
from smppgw.throttle.registry import Registry
from tests.test_config import CONFIG

ANYBODY: Final = EsmeSettings("anybody", "secret")
NUMBER, OTHER, STRANGER, TOLL_FREE = "12065550100", "12065550101", "12065559999", "18335550100"
US, CANADA, JAMAICA, FRANCE = "+14155550100", "+14165550100", "+18765550100", "+33612345678"
NUMBER_TON, ALPHANUMERIC_TON = 1, 5

PLAIN: Final = Settings(
    gateway=GatewaySettings(),
    listen=ListenSettings(),
    admin=AdminSettings(),
    esmes=(ANYBODY,),
    carriers=(),
    routes=(),
    brands=(BrandSettings("b", "approved"),),
    campaigns=(CampaignSettings("c", "b", "approved", numbers=(NUMBER, OTHER)),),
    numbers=(),
    pools=(),
    limits=LimitsSettings(),
    inbound=InboundSettings(),
    store=StoreSettings(),
)


def registry(**changes: Any) -> Registry:
    """A brand `b` with a campaign `c` of two numbers, all approved, but for what is given."""
    return Registry(dataclasses.replace(PLAIN, **changes))


def campaign(id_: str, *numbers: str, status: Status = "approved") -> CampaignSettings:
    return CampaignSettings(id_, "b", status, numbers=numbers)


# To the US.


@pytest.mark.parametrize("source", [NUMBER, f"+{NUMBER}", NUMBER[1:], f"+{NUMBER[1:]}"])
@pytest.mark.parametrize("destination", [US, US[1:], US[2:]])
def test_a_number_of_an_approved_campaign_may_send_however_it_is_written(
    source: str, destination: str
) -> None:
    assert registry().refusal(ANYBODY, source, NUMBER_TON, destination) is None


@pytest.mark.parametrize("source", [STRANGER, STRANGER[1:], f"+{STRANGER}", "14165550100", "33612345678"])
@pytest.mark.parametrize(
    "destination",
    [US, US[1:], US[2:], "+17875550100", "+13405550100", "+16715550100", "+16845550100", "+16705550100"],
)
def test_a_number_of_no_campaign_may_not(source: str, destination: str) -> None:
    assert registry().refusal(ANYBODY, source, NUMBER_TON, destination) == "unregistered"


@pytest.mark.parametrize("destination", ["0014155550100", "01114155550100", "+18005550100", "+19995550100"])
def test_what_may_be_a_destination_in_the_us_counts_as_one(destination: str) -> None:
    assert registry().refusal(ANYBODY, STRANGER, NUMBER_TON, destination) == "unregistered"


@pytest.mark.parametrize("status", ["pending", "rejected"])
def test_a_campaign_and_its_brand_have_to_be_approved(status: Status) -> None:
    waiting = campaign("c", NUMBER, status=status)
    of_campaign = registry(campaigns=(waiting,))
    assert of_campaign.refusal(ANYBODY, NUMBER, NUMBER_TON, US) == "campaign_not_approved"
    of_brand = registry(brands=(BrandSettings("b", status),))
    assert of_brand.refusal(ANYBODY, NUMBER, NUMBER_TON, US) == "brand_not_approved"
    of_both = registry(brands=(BrandSettings("b", status),), campaigns=(waiting,))
    assert of_both.refusal(ANYBODY, NUMBER, NUMBER_TON, US) == "brand_not_approved"


@pytest.mark.parametrize("numbers", [(), (NumberSettings(TOLL_FREE),)])
def test_a_toll_free_number_has_to_be_verified(numbers: tuple[NumberSettings, ...]) -> None:
    assert registry(numbers=numbers).refusal(ANYBODY, TOLL_FREE, NUMBER_TON, US) == "toll_free_unverified"
    in_campaign = registry(numbers=numbers, campaigns=(campaign("c", TOLL_FREE),))
    assert in_campaign.refusal(ANYBODY, TOLL_FREE, NUMBER_TON, US) == "toll_free_unverified"


def test_a_verified_toll_free_number_needs_no_campaign_and_may_be_in_one() -> None:
    numbers = (NumberSettings(TOLL_FREE, verified=True),)
    assert registry(numbers=numbers).refusal(ANYBODY, TOLL_FREE, NUMBER_TON, US) is None
    in_one = registry(numbers=numbers, campaigns=(campaign("c", TOLL_FREE),))
    assert in_one.refusal(ANYBODY, TOLL_FREE, NUMBER_TON, US) is None
    in_rejected = registry(numbers=numbers, campaigns=(campaign("c", TOLL_FREE, status="rejected"),))
    assert in_rejected.refusal(ANYBODY, TOLL_FREE, NUMBER_TON, US) == "campaign_not_approved"


@pytest.mark.parametrize("source", ["72345", "723456"])
def test_a_short_code_may_send(source: str) -> None:
    assert registry().refusal(ANYBODY, source, 3, US) is None


@pytest.mark.parametrize("source", ["1", "123", "1234", "7234567"])
def test_what_is_too_short_or_too_long_for_a_short_code_is_none(source: str) -> None:
    assert registry().refusal(ANYBODY, source, 3, US) == "unregistered"


@pytest.mark.parametrize(
    "destination",
    [
        *(
            "(415)5550123",
            "415-555-0123",
            "415.555.0123",
            " 14155550123",
            "++14155550123",
            "tel:+14155550123",
        ),
        *("0014155550123", "+0014155550123", "00014155550123", "01114155550123", "0141555", "+(1)4155550123"),
        *("1-415-555-0123", "+1 415 555 0123", "\u0661\u0664155550123"),
    ],
)
def test_no_way_to_write_a_number_of_the_us_evades_its_rules(destination: str) -> None:
    made = registry()
    assert made.refusal(ANYBODY, STRANGER, NUMBER_TON, destination) == "unregistered"
    assert made.counts_to_day(destination)


def test_what_a_number_is_may_be_said() -> None:
    said = registry(
        numbers=(NumberSettings("7234567", type="short_code"), NumberSettings("72345", type="long_code"))
    )
    assert [said.type_of(number) for number in ("7234567", "72345", TOLL_FREE, NUMBER)] == [
        "short_code",
        "long_code",
        "toll_free",
        "long_code",
    ]
    assert said.refusal(ANYBODY, "7234567", NUMBER_TON, US) is None
    assert said.refusal(ANYBODY, "72345", NUMBER_TON, US) == "unregistered"


@pytest.mark.parametrize(
    ("source", "ton"), [("ACME", ALPHANUMERIC_TON), ("ACME", 0), (NUMBER, ALPHANUMERIC_TON), ("", 0)]
)
def test_an_alphanumeric_address_may_not(source: str, ton: int) -> None:
    assert registry().refusal(ANYBODY, source, ton, US) == "alphanumeric"


def test_where_registration_is_off_anything_may_send() -> None:
    off = registry(
        limits=LimitsSettings(registration="off"), campaigns=(campaign("c", NUMBER, status="rejected"),)
    )
    for source in (STRANGER, NUMBER, TOLL_FREE, "ACME"):
        assert off.refusal(ANYBODY, source, NUMBER_TON, US) is None
    own = EsmeSettings("own", "secret", sources=(OTHER,))
    assert off.refusal(own, NUMBER, NUMBER_TON, US) == "source_not_allowed"


# To other countries.


@pytest.mark.parametrize("destination", [CANADA, CANADA[2:], JAMAICA, FRANCE, "+4512345678", ""])
def test_other_countries_ask_for_no_registration(destination: str) -> None:
    for source, ton in ((STRANGER, NUMBER_TON), ("ACME", ALPHANUMERIC_TON)):
        assert registry().refusal(ANYBODY, source, ton, destination) is None


COUNTRIES: Final = load(CONFIG / "smppgw.example.toml").countries


@pytest.mark.parametrize("source", ["ACME", "Acme2026", "A1b", "ELEVENCHARS", NUMBER, STRANGER, "38123"])
def test_france_takes_names_of_letters_and_digits(source: str) -> None:
    found = registry(countries=COUNTRIES)
    assert found.refusal(ANYBODY, source, NUMBER_TON, FRANCE) is None
    assert found.refusal(ANYBODY, source, NUMBER_TON, FRANCE[1:]) is None


@pytest.mark.parametrize(
    ("source", "ton"),
    [
        ("AB", ALPHANUMERIC_TON),
        ("TWELVE-CHARS", ALPHANUMERIC_TON),
        ("TwelveLetter", ALPHANUMERIC_TON),
        ("ACME INC", ALPHANUMERIC_TON),
        ("ACMÉ", ALPHANUMERIC_TON),
        ("12345", ALPHANUMERIC_TON),
        ("RDV", ALPHANUMERIC_TON),
        ("Bank", ALPHANUMERIC_TON),
        ("33612345678", NUMBER_TON),
        ("+33712345678", NUMBER_TON),
        ("0612345678", 0),
    ],
)
def test_france_takes_no_other_names_and_no_mobile_numbers(source: str, ton: int) -> None:
    assert registry(countries=COUNTRIES).refusal(ANYBODY, source, ton, FRANCE) == "country"


def test_canada_takes_no_names() -> None:
    found = registry(countries=COUNTRIES)
    for destination in (CANADA, CANADA[1:], CANADA[2:]):
        assert found.refusal(ANYBODY, "ACME", ALPHANUMERIC_TON, destination) == "alphanumeric"
        assert found.refusal(ANYBODY, STRANGER, NUMBER_TON, destination) is None


def test_the_longest_prefix_of_a_country_decides() -> None:
    table = CountryTable(
        (
            CountryRules("44", "a", "s", alphanumeric=False),
            CountryRules("4478", "b", "s"),
            CountryRules("1876", "Jamaica", "s", forbidden_words=("SPAM",)),
        )
    )
    found = registry(countries=table)
    assert found.refusal(ANYBODY, "ACME", 5, "+447712345678") == "alphanumeric"
    assert found.refusal(ANYBODY, "ACME", 5, "+447812345678") is None
    assert found.refusal(ANYBODY, "spam", 5, JAMAICA) == "country"
    assert found.region_of("+447812345678") == "4478"


@pytest.mark.parametrize(
    ("destination", "region"),
    [
        (US, "US"),
        (US[2:], "US"),
        (CANADA, "CA"),
        (CANADA[2:], "CA"),
        (JAMAICA, "NANP"),
        (JAMAICA[2:], "NANP"),
        (FRANCE, "33"),
        ("+3361234567", "33"),
        ("+4512345678", ""),
        ("4512345678", "US"),
        ("+1", "US"),
        ("", ""),
        ("33", "33"),
        ("3", ""),
    ],
)
def test_a_destination_is_in_a_region(destination: str, region: str) -> None:
    assert registry(countries=COUNTRIES).region_of(destination) == region


@given(st.text("+0123456789A", max_size=15), st.text("0123456789", max_size=15))
@examples(max_examples=300, deadline=None, derandomize=True)
def test_the_first_five_characters_decide_where_there_are_not_ten_digits(start: str, rest: str) -> None:
    found = registry(countries=COUNTRIES)
    both = [each for each in (start[:5] + rest, start) if not (len(each) == 10 and each.isdigit())]
    if len(start) >= 5 and len(both) == 2:
        assert found.region_of(both[0]) == found.region_of(both[1])


# What an ESME may use.


def test_an_esme_uses_its_sources_and_the_numbers_of_its_campaigns() -> None:
    own = EsmeSettings("own", "secret", sources=(f"+{OTHER}", "ACME"), campaigns=("c",))
    found = registry(esmes=(own,), campaigns=(campaign("c", NUMBER), campaign("d", OTHER, STRANGER)))
    for source in (NUMBER, NUMBER[1:], OTHER, f"+{OTHER[1:]}"):
        assert found.refusal(own, source, NUMBER_TON, US) is None
    assert found.refusal(own, "ACME", ALPHANUMERIC_TON, FRANCE) is None
    for destination in (US, CANADA, FRANCE, ""):
        assert found.refusal(own, STRANGER, NUMBER_TON, destination) == "source_not_allowed"
        assert found.refusal(own, "acme", ALPHANUMERIC_TON, destination) == "source_not_allowed"


def test_an_esme_with_campaigns_alone_uses_nothing_else() -> None:
    own = EsmeSettings("own", "secret", campaigns=("c",))
    assert registry(esmes=(own,)).refusal(own, NUMBER, NUMBER_TON, US) is None
    assert registry(esmes=(own,)).refusal(own, STRANGER, NUMBER_TON, CANADA) == "source_not_allowed"


def test_an_esme_of_another_configuration_is_taken_as_it_is() -> None:
    before = EsmeSettings("own", "secret", sources=(OTHER,))
    now = EsmeSettings("own", "secret", sources=(NUMBER,))
    found = registry(esmes=(now,))
    assert found.refusal(before, OTHER, NUMBER_TON, US) is None
    assert found.refusal(now, OTHER, NUMBER_TON, US) == "source_not_allowed"


def test_an_esme_s_own_numbers_are_its_sources_and_those_of_its_campaigns() -> None:
    own = EsmeSettings("own", "secret", sources=("2065559999", "ACME", "west"), campaigns=("d",))
    found = registry(
        campaigns=(campaign("c", NUMBER, OTHER), campaign("d", TOLL_FREE)),
        pools=(PoolSettings("west", "c", (OTHER,)),),
    )
    assert sorted(found.numbers_of(own)) == [OTHER, STRANGER, TOLL_FREE, "ACME"]
    assert list(found.numbers_of(ANYBODY)) == []


# Pools.

POOLS: Final = (PoolSettings("west", "c", (OTHER,)),)


@pytest.mark.parametrize("source", ["c", "west"])
def test_a_campaign_and_a_pool_are_sources_of_those_who_may_use_them(source: str) -> None:
    by_campaign = EsmeSettings("one", "secret", campaigns=("c",))
    by_source = EsmeSettings("two", "secret", sources=(source,))
    stranger = EsmeSettings("three", "secret", sources=(STRANGER,))
    found = registry(esmes=(by_campaign, by_source, stranger), pools=POOLS)
    for esme in (by_campaign, by_source, ANYBODY):
        assert found.refusal(esme, source, ALPHANUMERIC_TON, US) is None
    assert found.refusal(stranger, source, ALPHANUMERIC_TON, US) == "source_not_allowed"
    assert found.refusal(by_source, OTHER, NUMBER_TON, US) is None, "it is a number of both"


@pytest.mark.parametrize("source", ["c", "west"])
def test_a_pool_may_send_where_all_its_numbers_may(source: str) -> None:
    pending = registry(campaigns=(campaign("c", NUMBER, OTHER, status="pending"),), pools=POOLS)
    assert pending.refusal(ANYBODY, source, ALPHANUMERIC_TON, US) == "campaign_not_approved"
    assert pending.refusal(ANYBODY, source, ALPHANUMERIC_TON, CANADA) is None
    mixed = registry(campaigns=(campaign("c", OTHER, TOLL_FREE),), pools=POOLS)
    assert mixed.refusal(ANYBODY, "c", ALPHANUMERIC_TON, US) == "toll_free_unverified"
    assert mixed.refusal(ANYBODY, "west", ALPHANUMERIC_TON, US) is None


def test_a_number_and_a_pool_are_of_a_campaign() -> None:
    found = registry(pools=POOLS)
    for source in (NUMBER, f"+{NUMBER[1:]}", "c", "west"):
        assert found.campaign_of(source) is PLAIN.campaigns[0]
    assert found.campaign_of(STRANGER) is None


# What counts against the day cap.


def test_every_message_to_the_us_counts_where_operators_are_not_known() -> None:
    found = registry()
    assert [found.counts_to_day(each) for each in (US, US[2:], CANADA, JAMAICA, FRANCE)] == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_what_is_known_to_be_another_operator_s_does_not_count() -> None:
    found = registry(operators=Operators(["1415,verizon", "1415555,sprint", "1416,sprint"]))
    counted = {
        each: found.counts_to_day(each) for each in ("+14156660100", "4156660100", US, "+12065550100", CANADA)
    }
    assert counted == {
        "+14156660100": False,
        "4156660100": False,
        US: True,
        "+12065550100": True,
        CANADA: False,
    }


# What it costs.


def test_those_who_may_send_alike_share_an_answer() -> None:
    found = registry(
        countries=COUNTRIES, esmes=(own := EsmeSettings("own", "secret", sources=(NUMBER, "ACME")),)
    )
    assert found.refusals(ANYBODY, NUMBER, 1) is found.refusals(ANYBODY, OTHER, 1)
    assert not found.refusals(ANYBODY, NUMBER, 1)
    assert found.refusals(ANYBODY, STRANGER, 1) is found.refusals(ANYBODY, "12065559998", 1)
    assert found.refusals(own, STRANGER, 1) is found.refusals(own, OTHER, 1)
    with pytest.raises(TypeError):
        found.refusals(ANYBODY, STRANGER, 1)["US"] = "country"  # type: ignore[index]
