from __future__ import annotations

from smppgw.store.page import PAGE_OCTETS, Page
from tests.store.test_contract import message


def page_of(*keys: int) -> Page:
    page = Page(1, "lane:lane")
    page.add(b"octets", [message(key) for key in keys], 1)
    return page


def test_a_page_knows_what_is_in_it() -> None:
    page = Page(1, "lane:lane")
    page.add(b"first", [message(5, expires_ns=70), message(6, esme="other")], 11)
    page.add(b"second", [message(1280, expires_ns=50)], 12)
    assert (page.first_key, page.last_key, page.count, page.octets, page.lsn) == (5, 1280, 3, 11, 12)
    assert (page.expires_ns, page.due_ns, page.esmes) == (50, 0, {"acme": 2, "other": 1})
    assert [key for key in range(2000) if page.holds(key)] == [5, 6, 1280]


def test_what_is_withdrawn_is_not_to_be_read_back() -> None:
    page = page_of(5, 6, 7)
    page.withdraw([6])
    page.withdraw([6, 7])
    assert (page.left, page.holds(5), page.holds(6), page.holds(7)) == (1, True, False, False)
    page.gone = None
    assert (page.left, page.holds(5)) == (0, False)


def test_a_page_is_dead_when_all_in_it_is() -> None:
    page = page_of(5, 6)
    page.bury(5)
    assert not page.is_dead
    page.bury(6)
    assert (page.is_dead, page.dead) == (True, {5, 6})


def test_a_page_is_full_by_entries_or_by_octets_or_once_it_is_to_be_written() -> None:
    def full(entries: int, octets: int) -> bool:
        page = Page(1, "lane:lane")
        page.add(b"x" * octets, [message(key) for key in range(1, entries + 1)], 1)
        return page.is_full(10)

    assert not full(9, PAGE_OCTETS - 1)
    assert full(10, 1)
    assert full(1, PAGE_OCTETS)
    page = page_of(1)
    page.folded = True
    assert page.is_full(10)
