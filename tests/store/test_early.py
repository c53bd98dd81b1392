from __future__ import annotations

from smppgw.store.early import MAX_EARLY, EarlyReceipts
from smppgw.store.entries import EarlyReceipt


def early(carrier_id: bytes, received_ns: int = 0) -> EarlyReceipt:
    return EarlyReceipt(carrier_id, 5, b"body", received_ns)


def test_the_oldest_receipts_make_room() -> None:
    held = EarlyReceipts()
    assert held.hold(early(b"%d" % number) for number in range(MAX_EARLY + 3)) == [b"0", b"1", b"2"]
    assert held.release([b"2", b"3"])[0].carrier_id == b"3"


def test_a_receipt_is_released_once() -> None:
    held = EarlyReceipts()
    held.hold([early(b"x"), early(b"y")])
    assert len(held.release([b"x", b"x", b"z"])) == 1
    assert held.release([b"x"]) == []


def test_the_newest_receipt_of_an_id_is_the_one_that_is_held() -> None:
    held = EarlyReceipts()
    held.hold([early(b"x", 1), early(b"x", 2)])
    [receipt] = held.release([b"x"])
    assert receipt.received_ns == 2


def test_receipts_expire() -> None:
    held = EarlyReceipts()
    held.hold([early(b"a", 10), early(b"b", 20)])
    assert held.expire(10) == []
    assert held.expire(11) == [b"a"]
    assert held.release([b"a", b"b"])[0].carrier_id == b"b"
