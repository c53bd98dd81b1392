from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.carrier_ids import CarrierIds
from smppgw.settings import MessageIdFormat
from tests.spelled_ids import NUMBERS

octets = st.binary(max_size=65)
each_form = pytest.mark.parametrize("form", get_args(MessageIdFormat))
quick = settings(max_examples=150, deadline=None, derandomize=True)


@pytest.mark.parametrize(
    ("form", "response", "receipt"),
    [
        ("text", b"0aF", b"0aF"),
        ("auto", b"0aF", b"0aF"),
        ("hex", b"00AF", b"af"),
        ("hex", b"0x1f", b"1F"),
        ("hex", b"6B29FC40-CA47-1067-B31D-00DD010662DA", b"6b29fc40ca471067b31d00dd010662da"),
        ("hex", b"not hexadecimal", b"not hexadecimal"),
        ("dec", b"0175", b"175"),
        ("dec", b"17a", b"17a"),
        ("hex-dec", b"AF", b"0000000175"),
        ("hex-dec", b"", b""),
        ("dec-hex", b"175", b"0af"),
    ],
)
def test_ids_of_a_response_and_of_its_receipt_have_one_key(
    form: MessageIdFormat, response: bytes, receipt: bytes
) -> None:
    ids = CarrierIds(form)
    assert ids.response(response) == ids.receipt(receipt)


@pytest.mark.parametrize(
    ("form", "one", "other"),
    [
        ("text", b"0AF", b"0af"),
        ("text", b"7", b"07"),
        ("hex", b"1_0", b"10"),
        ("hex", b" 10", b"10"),
        ("hex", b"+10", b"10"),
        ("hex", b"0x", b"0"),
        ("hex", b"-", b"0"),
        ("dec", b"1_0", b"10"),
        ("dec", b"10 ", b"10"),
        ("dec", b"-1", b"1"),
        ("dec", b"0x10", b"16"),
    ],
)
def test_what_is_no_number_compares_as_it_is_written(form: MessageIdFormat, one: bytes, other: bytes) -> None:
    ids = CarrierIds(form)
    assert ids.response(one) != ids.receipt(other)
    assert ids.response(one) == ids.receipt(one) == one


@pytest.mark.parametrize("form", ["text", "hex", "dec", "hex-dec", "dec-hex"])
def test_a_form_that_is_configured_has_one_key_and_nothing_to_learn(form: MessageIdFormat) -> None:
    ids = CarrierIds(form)
    assert ids.settled
    assert ids.candidates(b"10") == []
    assert list(ids.held_under(b"10")) == [ids.response(b"10")]
    assert ids.hold_under(b"16") == ids.receipt(b"16")
    assert ids.found(b"16", b"10") is None
    assert ids.receipt(b"16") == CarrierIds(form).receipt(b"16")


@each_form
@quick
@given(seen=st.lists(octets, max_size=4), written=octets)
def test_no_octets_make_it_raise(form: MessageIdFormat, seen: list[bytes], written: bytes) -> None:
    ids = CarrierIds(form)
    for response in seen:
        key = ids.response(response)
        ids.held_under(response)
        ids.found(written, key)
    candidates = ids.candidates(written)
    assert len(candidates) <= 24
    assert len({*candidates, ids.receipt(written)}) == len(candidates) + 1
    ids.hold_under(written)


@quick
@given(written=st.binary(min_size=66, max_size=10_000) | st.just(b"f" * 10_000) | st.just(b"9" * 10_000))
@each_form
def test_nor_does_what_is_longer_than_an_id_can_be(form: MessageIdFormat, written: bytes) -> None:
    ids = CarrierIds(form)
    assert ids.response(written) == ids.receipt(written) == written
    ids.held_under(written)
    assert len(ids.candidates(written)) <= 24


# ---- auto: against a carrier -------------------------------------------------------------------------------

MESSAGES = 20_000


@dataclass
class Relay:
    """What the gateway does with a carrier's ids: keys of live messages, and a receipt for each, some while later."""

    of_response: Callable[[int], bytes]
    of_receipt: Callable[[int], bytes]
    ids: CarrierIds = field(default_factory=lambda: CarrierIds("auto"))
    live: dict[bytes, int] = field(default_factory=dict)
    wrong: int = 0
    guesses: int = 0
    words: list[str] = field(default_factory=list)

    def submit(self, number: int) -> None:
        self.live[self.ids.response(self.of_response(number))] = number

    def receive(self, number: int) -> None:
        written = self.of_receipt(number)
        key = self.ids.receipt(written)
        if key not in self.live:
            self.guesses += 1
            key = next(key for key in self.ids.candidates(written) if key in self.live)
        self.wrong += self.live.pop(key) != number
        words = self.ids.found(written, key)
        if words:
            self.words.append(words)


WAYS: dict[str, tuple[Callable[[int], bytes], Callable[[int], bytes]]] = {
    "hex": (NUMBERS["hex"], NUMBERS["hex"]),
    "dec": (NUMBERS["dec"], NUMBERS["dec"]),
    "uuid": (NUMBERS["uuid"], NUMBERS["uuid"]),
    "uuid without hyphens": (NUMBERS["uuid"], NUMBERS["uuid without hyphens"]),
    "uuid with hyphens": (NUMBERS["uuid without hyphens"], NUMBERS["upper uuid"]),
    "hex-dec": (NUMBERS["hex"], NUMBERS["dec"]),
    "upper-dec": (NUMBERS["upper"], NUMBERS["dec"]),
    "padded hex-dec": (NUMBERS["hex of 12"], NUMBERS["dec of 15"]),
    "dec-hex": (NUMBERS["dec"], NUMBERS["hex"]),
    "padded dec-hex": (NUMBERS["dec of 15"], NUMBERS["upper of 14"]),
    "hex padded": (NUMBERS["hex"], NUMBERS["upper of 14"]),
    "padded hex": (NUMBERS["hex of 12"], NUMBERS["hex"]),
    "padded dec": (NUMBERS["dec of 15"], NUMBERS["dec"]),
    "upper": (NUMBERS["upper"], NUMBERS["hex"]),
}


@pytest.mark.parametrize("at_once", [1, 100])
@pytest.mark.parametrize("first", [1, 0xA9B3C << 20, 0x6FF00000])
@pytest.mark.parametrize("way", WAYS)
def test_every_receipt_finds_its_own_message(way: str, first: int, at_once: int) -> None:
    """Ids that count from 1, from a clock, and over the end of their leading digit."""
    relay = Relay(*WAYS[way])
    outstanding: deque[int] = deque()
    for number in range(first, first + MESSAGES):
        relay.submit(number)
        outstanding.append(number)
        if len(outstanding) >= at_once:
            relay.receive(outstanding.popleft())
    for number in outstanding:
        relay.receive(number)
    assert relay.wrong == 0
    assert not relay.live
    assert len(relay.words) == 1
    assert relay.ids.settled
    assert relay.guesses <= 40
