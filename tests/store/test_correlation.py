from __future__ import annotations

from smppgw.store.correlation import Sent
from tests.store.test_contract import message


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
