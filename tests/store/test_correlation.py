from __future__ import annotations

from smppgw.store.correlation import KnownEarlyReceipts, Sent
from tests.store.test_contract import early, message


def test_young_messages_are_found_until_two_checkpoints_have_passed() -> None:
    sent = Sent()
    one = sent.young[b"x"] = message(1)
    for expected in ({b"x": one}, {}):
        assert sent.find(b"x") is one
        assert sent.checkpoint() == (expected, set())
    assert sent.find(b"x") is None


def test_what_finishes_before_a_checkpoint_is_no_matter_of_the_ledger() -> None:
    sent = Sent()
    one = sent.young[b"x"] = message(1)
    assert sent.finish(b"x") is one
    assert sent.finish(b"x") is None
    assert not sent.is_settled(b"x")
    assert sent.checkpoint() == ({}, set())


def test_what_the_ledger_has_is_settled_with_the_next_checkpoint_and_not_believed_until_it_is_through() -> (
    None
):
    sent = Sent()
    sent.young[b"x"] = message(1)
    taken, _ = sent.checkpoint()
    sent.finish(b"x")
    assert taken.keys() == {b"x"}, "what was taken does not change"
    assert sent.is_settled(b"x")
    assert sent.checkpoint() == ({}, {b"x"})
    assert sent.is_settled(b"x"), "the ledger may not have it yet"
    assert sent.checkpoint() == ({}, set())
    assert not sent.is_settled(b"x")


def test_an_early_receipt_goes_to_the_ledger_once() -> None:
    held = KnownEarlyReceipts()
    x, y = early(b"x"), early(b"y")
    held.hold([x])
    assert held.checkpoint() == ([x], [])
    held.hold([y])
    assert held.checkpoint() == ([y], [])
    assert held.checkpoint() == ([], [])
    assert held.release([b"x", b"z"]) == [x]
    assert held.checkpoint() == ([], [b"x"])


def test_an_early_receipt_that_is_released_before_a_checkpoint_is_no_matter_of_the_ledger() -> None:
    held = KnownEarlyReceipts()
    held.hold([early(b"x")])
    held.release([b"x"])
    assert held.checkpoint() == ([], [])


def test_another_receipt_of_an_id_takes_the_place_of_the_one_that_the_ledger_has() -> None:
    held = KnownEarlyReceipts()
    held.take_over(early(b"x", 1))
    assert held.checkpoint() == ([], [])
    newer = early(b"x", 2)
    held.hold([newer])
    assert held.checkpoint() == ([newer], [b"x"])
    held.hold([early(b"x", 3)])
    held.release([b"x"])
    assert held.checkpoint() == ([], [b"x"]), "neither is to come back"


def test_what_expires_or_makes_room_is_forgotten_by_the_ledger_too() -> None:
    held = KnownEarlyReceipts()
    held.take_over(early(b"x", 1))
    assert held.expire(2) == [b"x"]
    assert held.checkpoint() == ([], [b"x"])
