"""Of a message that we have split, the whole is told once, when its last part has come to its end."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw import parts as parts_module
from smppgw.message_ids import id_of
from smppgw.parts import End, Parts, Whole, are_known, speaks_for_all
from smppgw.pdu.constants import CommandId, MessageState
from smppgw.store.entries import Lane, Message, Outcome, Standing
from smppgw.store.memory import MemoryStore
from smppgw.telling import Tally

DELIVERED = End(Outcome(MessageState.DELIVERED, "delivered", "000"), b"\x03\0\0")
FAILED = End(Outcome(MessageState.UNDELIVERABLE, "temporary", "011"), b"\x03\x00\x0b")
EXPIRED = End(Outcome(MessageState.EXPIRED, "expired"), b"\x08\0\0")
FIRST = 100


class LateStore(MemoryStore):
    """A store that says what it knows only when `catch_up` is called, if it is `late`."""

    def __init__(self, *, late: bool = False) -> None:
        super().__init__(1_000_000)
        self.late = late
        self.standings: dict[int, Standing] = {}
        self.asked: list[int] = []
        self._unsaid: list[Callable[[], None]] = []

    def look_up(self, key: int, then: Callable[[Standing | None], None]) -> None:
        self.asked.append(key)
        if self.late:
            self._unsaid.append(lambda: then(self.standings.get(key)))
        else:
            then(self.standings.get(key))

    def catch_up(self) -> None:
        while self._unsaid:
            self._unsaid.pop(0)()


def the_parts(count: int, first: int = FIRST, *, long: bool = True) -> list[Message]:
    message_id = id_of(first, long=long)
    return [
        Message(first + place, message_id, "app", Lane("lane"), CommandId.SUBMIT_SM, b"", 1, 0, parts=count)
        for place in range(count)
    ]


def standing(end: End | None = None) -> Standing:
    return Standing("app", end.outcome if end else None, 1 if end else 0, None)


def test_the_last_part_tells_of_the_whole() -> None:
    parts = Parts(LateStore())
    first, second, third = the_parts(3)
    assert parts.note(second, DELIVERED) is None
    assert parts.note(first, DELIVERED) is None
    assert parts.note(third, DELIVERED) == Whole(DELIVERED, Tally(3, 3))


def test_the_first_part_that_was_not_delivered_speaks_for_the_whole() -> None:
    parts = Parts(LateStore())
    first, second, third = the_parts(3)
    assert parts.note(third, EXPIRED) is None
    assert parts.note(second, FAILED) is None
    assert parts.note(first, DELIVERED) == Whole(FAILED, Tally(3, 1))


@pytest.mark.parametrize("long", [True, False])
def test_messages_are_told_apart_by_their_first_part(long: bool) -> None:
    parts = Parts(LateStore())
    one, other = the_parts(2, long=long), the_parts(2, FIRST + 2, long=long)
    assert parts.note(one[0], DELIVERED) is None
    assert parts.note(other[1], FAILED) is None
    assert parts.note(other[0], DELIVERED) == Whole(FAILED, Tally(2, 1))
    assert parts.note(one[1], DELIVERED) == Whole(DELIVERED, Tally(2, 2))


def test_a_short_id_stands_for_the_newest_key_that_ends_in_it() -> None:
    parts = Parts(LateStore())
    first, second = the_parts(2, 0x0006_43F2_FFFF_FFFF, long=False)
    assert first.message_id == b"ffffffff"
    assert parts.note(second, DELIVERED) is None
    assert parts.note(first, DELIVERED) == Whole(DELIVERED, Tally(2, 2))


def test_what_is_of_this_run_needs_no_store() -> None:
    store = LateStore()
    parts = Parts(store)
    parts.unknown_up_to = FIRST - 1
    messages = the_parts(2)
    assert are_known(parts, messages)
    told: list[str] = []
    parts.learn(messages, lambda: told.append("known"))
    assert (store.asked, told) == ([], ["known"])


def test_what_is_of_an_earlier_run_is_asked_of_the_store_once() -> None:
    store = LateStore(late=True)
    store.standings = {FIRST: standing(FAILED), FIRST + 1: standing(), FIRST + 2: standing()}
    parts = Parts(store)
    parts.unknown_up_to = FIRST + 10
    first, second, third = the_parts(3)
    alone = Message(
        FIRST + 9, id_of(FIRST + 9, long=True), "app", Lane("lane"), CommandId.SUBMIT_SM, b"", 1, 0
    )
    assert are_known(parts, [alone])
    assert not are_known(parts, [alone, second])
    told: list[str] = []
    parts.learn([first, second], lambda: told.append("one"))
    parts.learn([third], lambda: told.append("other"))
    assert (store.asked, told) == ([FIRST, FIRST + 1, FIRST + 2], [])
    store.catch_up()
    assert told == ["one", "other"]
    assert are_known(parts, [second, third])
    assert parts.note(third, DELIVERED) is None
    assert parts.note(second, EXPIRED) == Whole(End(FAILED.outcome, b""), Tally(3, 1))
    assert not parts.knows(first), "nothing is remembered of what has been told"


def test_several_messages_are_learnt_before_it_goes_on() -> None:
    store = LateStore(late=True)
    parts = Parts(store)
    parts.unknown_up_to = FIRST + 10
    told: list[str] = []
    parts.learn([*the_parts(2), *the_parts(2, FIRST + 2)], lambda: told.append("both"))
    store.late = False
    parts.learn([*the_parts(2, FIRST + 4)], lambda: told.append("a third"))
    assert told == ["a third"]
    store.catch_up()
    assert told == ["a third", "both"]


def test_a_part_that_the_store_knows_no_more_is_not_waited_for() -> None:
    store = LateStore()
    store.standings = {FIRST + 1: standing()}
    parts = Parts(store)
    parts.unknown_up_to = FIRST + 10
    _, second = the_parts(2)
    parts.learn([second], lambda: None)
    whole = parts.note(second, DELIVERED)
    assert whole is not None
    assert (whole.end.outcome.state, whole.tally) == (MessageState.UNKNOWN, Tally(2, 1))


def test_the_oldest_of_too_many_is_asked_of_the_store_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts_module, "MAX_REMEMBERED", 3)
    store = LateStore()
    parts = Parts(store)
    groups = [the_parts(2, FIRST + 2 * place) for place in range(5)]
    for first, _ in groups:
        assert parts.note(first, FAILED) is None
        store.standings[first.key] = standing(FAILED)
    assert [parts.knows(first) for first, _ in groups] == [False, False, True, True, True]
    for _, second in groups:
        parts.learn([second], lambda: None)
        assert parts.note(second, DELIVERED) in (
            Whole(FAILED, Tally(2, 1)),
            Whole(End(FAILED.outcome, b""), Tally(2, 1)),
        )
    assert store.asked == [FIRST, FIRST + 1, FIRST + 2, FIRST + 3]
    newer = the_parts(2, FIRST + 20)
    assert are_known(parts, newer)


def test_what_happens_on_the_way_is_told_of_the_first_part() -> None:
    assert [speaks_for_all(part) for part in the_parts(3)] == [True, False, False]
    [alone] = the_parts(1)
    assert speaks_for_all(alone)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(data=st.data())
def test_the_whole_is_told_once_whatever_ended_when_and_in_which_run(data: st.DataObject) -> None:
    counts = data.draw(st.lists(st.integers(2, 5), min_size=1, max_size=4))
    store = LateStore()
    parts = Parts(store)
    groups = []
    first = FIRST
    for count in counts:
        groups.append(the_parts(count, first))
        first += count
    ends = {
        message.key: data.draw(st.sampled_from([DELIVERED, FAILED, EXPIRED]))
        for group in groups
        for message in group
    }
    store.standings = {key: standing() for key in ends}
    order = data.draw(st.permutations([message for group in groups for message in group]))
    restarts = data.draw(st.sets(st.integers(0, len(order)), max_size=2))
    told: dict[int, Whole] = {}
    last = {message.message_id: message for message in order}
    for place, message in enumerate(order):
        if place in restarts:
            parts = Parts(store)
            parts.unknown_up_to = first
        store.late = data.draw(st.booleans())
        known: list[bool] = []
        parts.learn([message], lambda known=known: known.append(True))  # type: ignore[misc]
        store.catch_up()
        assert known == [True]
        whole = parts.note(message, ends[message.key])
        store.standings[message.key] = standing(ends[message.key])
        assert (whole is not None) is (message is last[message.message_id])
        if whole is not None:
            told[int(message.message_id, 16)] = whole
    for group in groups:
        whole = told[group[0].key]
        outcomes = [ends[message.key].outcome for message in group]
        delivered = [each for each in outcomes if each.state == MessageState.DELIVERED]
        others = [each for each in outcomes if each.state != MessageState.DELIVERED]
        assert whole.tally == Tally(len(group), len(delivered))
        assert whole.end.outcome == (others or delivered)[0]
