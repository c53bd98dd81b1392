from __future__ import annotations

from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.store.backlog import HEAD_LEAST, HEAD_MOST, MEMORY_MOST, Backlog, share_of
from smppgw.store.entries import Lane, Message
from smppgw.store.page import PAGE_ENTRIES, Page
from tests.store.test_contract import keys_of, message


def new_queue() -> Backlog[Message]:
    return Backlog(Lane("lane"))


numbers = count(1)


def spill(queue: Backlog[Message], messages: list[Message], lsn: int) -> None:
    page = queue.pages[-1] if queue.pages else None
    if page is None or page.is_full(PAGE_ENTRIES):
        page = Page(next(numbers), queue.name)
    queue.spill(page, b"", messages, lsn)


def page_of(*keys: int, number: int = 99, aside: bool = False, due_ns: int = 0) -> Page:
    page = Page(number, "lane:lane", aside=aside)
    page.add(b"octets", [message(key, due_ns=due_ns + key if aside else 0) for key in keys], 1)
    page.folded = True
    return page


def test_queues_share_the_memory_there_is_within_bounds() -> None:
    assert share_of(0) == share_of(1) == HEAD_MOST
    assert share_of(100) == MEMORY_MOST // 100
    assert share_of(100_000) == HEAD_LEAST


def test_a_queue_s_pages_have_its_name_in_the_ledger() -> None:
    assert Backlog[Message](Lane("otp\tr")).name == "lane:otp\tr"
    assert Backlog[Message]("acme").name == "esme:acme"


def test_a_queue_is_long_when_memory_is_full_and_its_head_is_until_all_its_pages_are_back() -> None:
    queue = new_queue()
    queue.add([message(1), message(2)])
    assert not queue.is_long(3, full=True)
    queue.add([message(3)])
    assert not queue.is_long(3, full=False)
    assert queue.is_long(3, full=True)
    spill(queue, [message(4)], 7)
    queue.take(3)
    assert queue.is_long(3, full=False)
    [page] = queue.wanted(7, 3)
    queue.restore(page, [message(4)], 0)
    assert not queue.is_long(3, full=False)


def test_pages_are_wanted_when_they_are_durable_and_the_head_has_come_to_half_its_share() -> None:
    queue = new_queue()
    queue.add([message(1), message(2)])
    spill(queue, [message(5)], 7)
    assert queue.wanted(6, 9) == []
    assert queue.wanted(7, 4) == []
    assert queue.wanted(7, 5) == queue.pages


def test_so_many_pages_are_wanted_as_fill_the_share() -> None:
    queue = new_queue()
    pages = [page_of(*range(at, at + 3)) for at in range(1, 31, 3)]
    for page in pages:
        queue.add_page(page)
    assert queue.wanted(1, 8) == pages[:3]
    assert queue.wanted(1, 1) == pages[:1]


def test_what_comes_back_behind_a_page_waits_for_it() -> None:
    queue = new_queue()
    queue.add([message(1), message(2)])
    queue.add_page(page_of(3, 5, 8))
    queue.give_back([message(4), message(9)])
    assert queue.waiting == 7
    assert sorted(keys_of(list(queue))) == [1, 2, 4, 9]
    assert keys_of(queue.take(9)) == [1, 2]
    assert keys_of(queue.remove([9, 10])) == [9]
    [page] = queue.wanted(1, 9)
    assert keys_of(queue.restore(page, [message(3), message(5), message(8)], 0)) == [3, 5, 8]
    assert keys_of(queue.take(9)) == [3, 4, 5, 8]
    assert queue.waiting == 0


def test_pages_whose_keys_overlap_come_back_in_order() -> None:
    queue = new_queue()
    first, second = page_of(1, 4, 7), page_of(2, 3, 9)
    for page in (second, first):
        queue.add_page(page)
    assert queue.wanted(1, 9) == [first, second]
    queue.restore(first, [message(1), message(4), message(7)], 0)
    assert keys_of(queue.take(9)) == [1]
    queue.restore(second, [message(2), message(3), message(9)], 0)
    assert keys_of(queue.take(9)) == [2, 3, 4, 7, 9]


@pytest.mark.parametrize("folded", [False, True])
def test_a_page_from_which_all_was_taken_out_is_in_nobody_s_way(folded: bool) -> None:
    queue = new_queue()
    page = page_of(3, 5)
    page.folded = folded
    queue.add_page(page)
    queue.give_back([message(4)])
    queue.withdraw(page, [3, 5])
    assert (page.gone, list(queue.pages), queue.waiting) == (None, [], 1)
    assert keys_of(queue.take(9)) == [4]


def test_of_a_page_aside_only_what_is_due_comes_back() -> None:
    queue = new_queue()
    page, later = page_of(1, 2, 3, aside=True, due_ns=100), page_of(4, aside=True, due_ns=98)
    for each in (page, later):
        queue.add_page(each)
    queue.wake(0)
    assert (queue.deferred, queue.next_ns()) == (4, 101)
    assert queue.wanted_aside(100, 9) == []
    assert queue.wanted_aside(101, 9) == [page]
    entries = [message(key, due_ns=100 + key) for key in (1, 2, 3)]
    assert keys_of(queue.restore(page, entries, 101)) == [1]
    assert (queue.deferred, page.left, page.due_ns) == (4, 2, 102)
    queue.wake(101)
    assert queue.next_ns() == 102
    assert keys_of(queue.take(9)) == [1]
    assert set(queue.wanted_aside(102, 9)) == {page, later}
    assert keys_of(queue.restore(page, entries, 103)) == [2, 3]
    assert queue.later_pages == [later]
    assert queue.deferred == 3


def test_what_goes_from_memory_is_read_back_from_its_page() -> None:
    queue = new_queue()
    entries = [message(key, due_ns=key) for key in (1, 2, 3)]
    page = page_of(1, 2, 3, aside=True)
    page.gone = None
    for entry in entries:
        entry.page = page
    queue.defer(entries[:2])  # the third has left
    assert keys_of(queue.evict({page: (1, 2, 3)})) == [1, 2]
    assert (queue.deferred, page.left, list(queue)) == (2, 2, [])
    assert keys_of(queue.restore(page, entries, 3)) == [1, 2]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(["spill", "back", "take", "give", "withdraw"]), max_size=40))
def test_a_queue_stays_in_order_whatever_is_on_disk(steps: list[str]) -> None:
    queue = new_queue()
    out: list[Message] = []
    standing: set[int] = set()
    key = 0
    for number, step in enumerate(steps):
        if step == "spill":
            new = [message(key + each) for each in range(1, 4)]
            key += 3
            spill(queue, new, 1)
            standing.update(keys_of(new))
            queue.pages[-1].folded = number % 2 == 0
        elif step == "back":
            for page in queue.wanted(1, 3)[:1]:
                queue.restore(page, [message(each) for each in range(page.first_key, page.last_key + 1)], 0)
        elif step == "take":
            taken = queue.take(2)
            assert keys_of(taken) == sorted(standing)[: len(taken)], "the first there are"
            standing.difference_update(keys_of(taken))
            out += taken
        elif step == "give":
            queue.give_back(out[::2])
            standing.update(keys_of(out[::2]))
            out = out[1::2]
        elif queue.pages:
            page = queue.pages[len(queue.pages) // 2]
            found = next(
                (each for each in range(page.first_key, page.last_key + 1) if page.holds(each)), None
            )
            if found is not None:
                queue.withdraw(page, [found])
                standing.discard(found)
                out.append(message(found))
        assert queue.waiting == len(standing)
        assert keys_of(list(queue)) == sorted(keys_of(list(queue)))
        assert sorted([*keys_of(list(queue)), *(k for k in standing if queue.page_of(k))]) == sorted(standing)
