from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.store import columns, page_codec, record
from smppgw.store.backlog import Backlog
from smppgw.store.entries import Lane
from smppgw.store.errors import StoreError
from smppgw.store.page import Page
from smppgw.store.record import MS, What
from smppgw.store.rows import PageHead
from tests.store.test_contract import delivery, message

EPOCH_NS: Final = 1_700_000_000_000_000_000

chunks = st.lists(st.binary(max_size=40), max_size=5)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(chunks)
def test_a_body_is_taken_apart_as_it_was_joined(chunks: list[bytes]) -> None:
    assert page_codec.chunks_of(page_codec.joined(chunks)) == chunks


@settings(max_examples=80, deadline=None, derandomize=True)
@given(chunks, st.data())
def test_no_damage_to_a_body_goes_unnoticed(chunks: list[bytes], data: st.DataObject) -> None:
    body = page_codec.joined(chunks)
    bit = data.draw(st.integers(0, 8 * len(body) - 1))
    flipped = (int.from_bytes(body, "big") ^ 1 << bit).to_bytes(len(body), "big")
    cut = body[: data.draw(st.integers(0, len(body) - 1))]
    for damaged in (flipped, cut, body + b"\1"):
        with pytest.raises(StoreError, match=r"damaged.*restore the directory"):
            page_codec.chunks_of(damaged)


def filled(*, aside: bool) -> tuple[Page, list[bytes]]:
    messages = [
        message(key, esme="acme" if key % 2 else "other", due_ns=9 * MS if aside else 0, expires_ns=key * MS)
        for key in range(5, 10)
    ]
    written = [record.of_messages(What.ACCEPTED, part, EPOCH_NS) for part in (messages[:2], messages[2:])]
    page = Page(3, "lane:lane", aside=aside)
    page.add(written[0], messages[:2], 1)
    page.add(written[1], messages[2:], 2)
    return page, written


@pytest.mark.parametrize("aside", [False, True])
def test_a_page_is_remembered_as_it_was_taken_in_without_its_dead(aside: bool) -> None:
    page, written = filled(aside=aside)
    row = page_codec.row_of(page, written, EPOCH_NS)
    assert columns.unpacked(row.keys) == [5, 6, 7, 8, 9]
    head = PageHead(
        row.id,
        row.queue,
        row.first_key,
        row.last_key,
        row.count,
        row.octets,
        row.due_ms,
        row.expires_ms,
        row.esmes,
        columns.packed([6]),
    )
    again = page_codec.page_of(head, EPOCH_NS)
    assert (again.id, again.kept_as, again.first_key, again.last_key) == (3, "lane:lane", 5, 9)
    assert (again.count, again.left, again.aside, again.folded) == (5, 4, aside, True)
    assert (again.due_ns, again.expires_ns) == (9 * MS if aside else 0, 5 * MS)
    assert (again.dead, again.esmes) == ({6}, {"acme": 3, "other": 2})
    lane = Lane("new lane")
    again.queue = Backlog(lane)
    messages = page_codec.messages_in(again, page_codec.chunks_of(row.body), EPOCH_NS)
    assert [(each.key, each.lane) for each in messages] == [(key, lane) for key in range(5, 10)]


def test_deliveries_of_a_page_are_read_in_their_order() -> None:
    owed = [delivery(number) for number in range(4)]
    written = [record.of_deliveries("acme", part, EPOCH_NS) for part in (owed[:3], owed[3:])]
    read = page_codec.deliveries_of(written, EPOCH_NS)
    assert [each.body for each in read] == [each.body for each in owed]
