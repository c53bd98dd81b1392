from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.message_ids import id_of, ids_of, key_of

NEWEST = 0x0006_43F2_1234_5678


def test_an_id_is_the_key_in_hexadecimal() -> None:
    assert ids_of(NEWEST) == (b"000643f212345678", b"12345678")
    assert id_of(NEWEST, long=True) == b"000643f212345678"
    assert id_of(NEWEST, long=False) == b"12345678"


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.integers(1, 2**62), st.integers(0, 2**32 - 1))
def test_a_key_is_found_by_either_of_its_ids(key: int, later: int) -> None:
    newest = key + later
    for message_id in ids_of(key):
        assert key_of(message_id, newest) == key
        assert key_of(message_id.upper(), newest) == key


def test_a_short_id_is_never_of_a_key_to_come() -> None:
    assert key_of(b"12345679", NEWEST) == 0x0006_43F1_1234_5679


@pytest.mark.parametrize(
    "message_id",
    [
        b"",
        b"unknown",
        b"1234567",
        b"123456789",
        b"0x345678",
        b"1234 678",
        b"12_45678",
        b"g" * 16,
        b"0" * 16,
        b"1" * 17,
    ],
)
def test_what_is_no_id_of_ours_has_no_key(message_id: bytes) -> None:
    assert key_of(message_id, NEWEST) is None


def test_a_short_id_beyond_the_first_keys_has_no_key() -> None:
    assert key_of(b"00000009", 5) is None
    assert key_of(b"00000000", 5) is None
