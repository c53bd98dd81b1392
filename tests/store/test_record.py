from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.store import record
from smppgw.store.entries import Delivery, Held, Lane, Message
from smppgw.store.errors import StoreError
from smppgw.store.record import MS, What

quick = settings(max_examples=80, deadline=None, derandomize=True)

EPOCH_NS: Final = 1_700_000_000_123_456_789
"""Nanoseconds since 1970 at moment 0."""

keys = st.integers(0, 2**63)
octets = st.binary(max_size=30)
names = st.text(max_size=6)
moments = st.one_of(st.just(0), st.integers(-(10**15), 10**17).filter(bool))
"""Also before this run's moment 0: an earlier run's."""
attempts = st.integers(0, 2**32 - 1)
segments = st.integers(0, 255)
LANES: Final = tuple(map(Lane, ("otp\tr\tacme\t1", "", "promotional")))


def fields(entry: Any) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in entry.__slots__ if not name.endswith("_ns")}


def assert_same(read: Sequence[Any], written: Sequence[Any]) -> None:
    """All of it is as it was, moments to the millisecond."""
    assert [fields(entry) for entry in read] == [fields(entry) for entry in written]
    for mine, other in zip(read, written, strict=True):
        for name in mine.__slots__:
            if name.endswith("_ns"):
                lost_ns = getattr(other, name) - getattr(mine, name)
                assert 0 <= lost_ns < MS
                assert getattr(other, name) or not lost_ns, "none stays none"


@st.composite
def messages_of_some_lanes(draw: st.DrawFn) -> list[Message]:
    messages = []
    for _ in range(draw(st.integers(1, 5))):
        message = Message(
            draw(keys),
            draw(octets),
            draw(names),
            LANES[draw(st.integers(0, 2))],
            draw(st.integers(0, 2**32 - 1)),
            draw(octets),
            draw(st.integers(0, 255)),
            draw(moments),
            draw(moments),
            draw(moments),
            draw(st.integers(1, 255)),
        )
        message.attempts = draw(attempts)
        message.segments, message.day_segments = draw(segments), draw(segments)
        messages.append(message)
    return messages


@quick
@given(messages_of_some_lanes())
def test_messages_are_read_as_they_were_written(messages: list[Message]) -> None:
    written = record.of_messages(What.ACCEPTED, messages, EPOCH_NS)
    assert record.what(written) is What.ACCEPTED
    assert record.keys_of(written) == [message.key for message in messages]
    named = {lane.name: lane for lane in LANES}
    assert_same(record.messages_of(written, EPOCH_NS, named.__getitem__), messages)
    new = Lane("new")
    assert {message.lane for message in record.messages_of(written, EPOCH_NS, lambda _: new)} == {new}


@quick
@given(
    st.lists(st.tuples(keys, st.booleans(), octets, moments, moments, attempts), min_size=1, max_size=5),
    names,
)
def test_deliveries_are_read_as_they_were_written(
    rows: list[tuple[int, bool, bytes, int, int, int]], esme: str
) -> None:
    deliveries = []
    for key, is_mo, body, received_ns, due_ns, number in rows:
        delivery = Delivery(esme, "mo" if is_mo else "receipt", 5, body, len(body), received_ns)
        delivery.key, delivery.due_ns, delivery.attempts = key, due_ns, number
        deliveries.append(delivery)
    written = record.of_deliveries(esme, deliveries, EPOCH_NS)
    assert record.what(written) is What.RECEIVED
    assert record.keys_of(written) == [delivery.key for delivery in deliveries]
    assert_same(record.deliveries_of(written, EPOCH_NS), deliveries)


@quick
@given(st.lists(st.tuples(octets, st.integers(0, 2**32 - 1), octets, moments), min_size=1, max_size=5))
def test_what_is_held_is_read_as_it_was_written(rows: list[tuple[bytes, int, bytes, int]]) -> None:
    entries = [Held(*row) for row in rows]
    shelf, read = record.held_of(record.of_held("early/sink", entries, EPOCH_NS), EPOCH_NS)
    assert shelf == "early/sink"
    assert_same(read, entries)


def test_a_deferral_is_read_as_it_was_written() -> None:
    messages = [Message(key, b"", "acme", LANES[0], 4, b"", 0, 0, due_ns=key * 10**12) for key in (3, 4)]
    messages[1].attempts = 70_000
    read = record.deferred_of(record.of_deferred(messages, EPOCH_NS), EPOCH_NS)
    assert (read.keys, read.attempts) == ([3, 4], [0, 70_000])
    assert all(
        0 <= message.due_ns - due_ns < MS for message, due_ns in zip(messages, read.dues_ns, strict=True)
    )


def test_ids_and_keys_that_are_done_with_are_read_as_they_were_written() -> None:
    assert record.released_of(record.of_released("sink", [b"", b"x"])) == ("sink", [b"", b"x"])
    assert record.delivered_of(record.of_delivered("acme", [7, 1 << 60])) == ("acme", [7, 1 << 60])


def test_a_record_of_a_batch_takes_little_more_than_its_bodies() -> None:
    messages = [Message(key, b"%08x" % key, "acme", LANES[0], 4, b"x" * 160, 1, 10**9) for key in range(500)]
    written = record.of_messages(What.ACCEPTED, messages, EPOCH_NS)
    assert len(written) < 500 * (160 + 8 + 8) + 120


@quick
@given(messages_of_some_lanes())
def test_one_message_alone_is_read_as_it_was_written(messages: list[Message]) -> None:
    for each in messages:
        written = record.of_messages(What.REPLACED, [each], EPOCH_NS)
        assert (record.what(written), record.keys_of(written)) == (What.REPLACED, [each.key])
        [read] = record.messages_of(written, EPOCH_NS, {each.lane.name: each.lane}.__getitem__)
        assert_same([read], [each])


def test_a_record_of_a_batch_of_many_lanes_says_the_name_of_each_once() -> None:
    lanes = [Lane(f"otp\troute\tacme\t1555{number:07}") for number in range(50)]
    messages = [Message(key, b"", "acme", lanes[key % 50], 4, b"", 1, 10**9) for key in range(500)]
    written = record.of_messages(What.ACCEPTED, messages, EPOCH_NS)
    assert all(written.count(lane.name.encode()) == 1 for lane in lanes)


def test_a_quota_is_read_as_it_was_written() -> None:
    assert record.quota_of(record.of_quota("brand/B1", 739_000, 1 << 40)) == ("brand/B1", 739_000, 1 << 40)


@pytest.mark.parametrize("octets", [b"", b"\0", b"\xff" * 9])
def test_a_record_of_an_unknown_kind_is_refused(octets: bytes) -> None:
    with pytest.raises(StoreError, match="is not known to this version"):
        record.what(octets)
