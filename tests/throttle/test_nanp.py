"""Area codes of +1 are the US's, Canada's or another country's, and numbers compare by their digits."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.throttle.nanp import CANADA, ELSEWHERE, TOLL_FREE, canonical, country_of, number_type


@pytest.mark.parametrize(
    ("country", "area_codes"),
    [
        ("US", "206 212 415 907 808 787 939 340 671 684 670"),  # the last ones: PR, VI, GU, AS, MP
        ("CA", "416 514 604 902 867 942 600"),
        ("NANP", "876 658 242 441 809 829 849 868 721"),
        ("US", "200 555 999 800 888 900 710"),  # not of a place, or not in use
    ],
)
def test_an_area_code_is_of_a_country_and_the_us_s_where_it_is_not_known(
    country: str, area_codes: str
) -> None:
    assert {country_of(area_code) for area_code in area_codes.split()} == {country}


def test_the_lists_are_of_area_codes_each_in_one() -> None:
    codes = [*CANADA, *ELSEWHERE, *TOLL_FREE]
    assert len(codes) == len(set(codes))
    assert all(len(code) == 3 and code.isdigit() and code[0] > "1" for code in codes)


@pytest.mark.parametrize(
    ("address", "compared"),
    [
        ("+12065550100", "12065550100"),
        ("12065550100", "12065550100"),
        ("2065550100", "12065550100"),
        ("+2065550100", "12065550100"),
        ("72345", "72345"),
        ("+33612345678", "33612345678"),
        ("0612345678", "0612345678"),
        ("ACME", "ACME"),
        ("+ACME", "+ACME"),
        ("+", "+"),
        ("", ""),
        ("٢٠٦٥٥٥٠١٠٠", "٢٠٦٥٥٥٠١٠٠"),
    ],
)
def test_an_address_is_compared_by_its_digits(address: str, compared: str) -> None:
    assert canonical(address) == compared


@given(st.text("+0123456789A", max_size=12))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_what_is_canonical_stays_so(address: str) -> None:
    assert canonical(canonical(address)) == canonical(address)


@pytest.mark.parametrize(
    ("number", "type_"),
    [
        ("12065550100", "long_code"),
        ("18335550100", "toll_free"),
        ("18005550100", "toll_free"),
        ("18225550100", "long_code"),
        ("833555010", "long_code"),
        ("28335550100", "long_code"),
        ("123", "long_code"),
        ("12345", "short_code"),
        ("723456", "short_code"),
        ("7234567", "long_code"),
        ("33612345678", "long_code"),
    ],
)
def test_a_number_is_of_a_type_by_its_digits(number: str, type_: str) -> None:
    assert number_type(number) == type_
