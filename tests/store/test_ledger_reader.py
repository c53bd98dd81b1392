"""What can be read, while the ledger is written, after it, and by another process."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from smppgw.store.errors import StoreError
from smppgw.store.ledger import Ledger
from smppgw.store.ledger_reader import LedgerReader
from smppgw.store.rows import Fold, HistoryRow, PageRow, SentRow
from tests.store.ledgers import LOG


def page(number: int, queue: str = "lane:a", body: bytes = b"body") -> PageRow:
    return PageRow(number, queue, number, number, 1, len(body), 0, 0, {}, b"keys %d" % number, body)


def sent(carrier: str, carrier_id: bytes) -> SentRow:
    return SentRow(
        carrier, carrier_id, 2**62, bytes(range(256)), 'a"c\\mé', 255, 1_700_000_000_000, 0, 3, carrier_id
    )


def test_bodies_and_keys_come_in_the_order_asked(ledger: Ledger, reader: LedgerReader) -> None:
    ledger.apply(Fold(1, 1, 1, pages=[page(number, body=b"body %d" % number) for number in range(1, 6)]))
    assert reader.pages([5, 1, 3]) == [b"body 5", b"body 1", b"body 3"]
    assert reader.keys([2, 4, 2]) == [b"keys 2", b"keys 4", b"keys 2"]
    assert reader.pages([]) == []


def test_a_page_that_is_not_there_is_an_error(ledger: Ledger, reader: LedgerReader) -> None:
    ledger.apply(Fold(1, 1, 1, pages=[page(1)]))
    with pytest.raises(StoreError, match="page 2 of the ledger is not there"):
        reader.pages([1, 2])


def test_a_message_is_found_by_any_octets_under_its_own_carrier(ledger: Ledger, reader: LedgerReader) -> None:
    ids = [bytes([octet]) for octet in range(256)] + [b"", b"\0\0", b"a\0b", b"\xff\xfe", b"'\""]
    rows = [sent("north", carrier_id) for carrier_id in ids]
    ledger.apply(Fold(1, 1, 1, sent=[*rows, sent("south", b"a")]))
    assert sorted(reader.sent("north", ids)) == sorted(rows)
    assert reader.sent("south", [b"A", b"a", b"b"]) == [sent("south", b"a")]
    assert reader.sent("north", [b"\xc3\xa9", b"\0\0\0"]) == []
    assert reader.sent_counts() == {"north": len(ids), "south": 1}


def test_a_message_that_is_asked_for_twice_is_found_once(ledger: Ledger, reader: LedgerReader) -> None:
    ids = [b"%d" % number for number in range(600)]
    ledger.apply(Fold(1, 1, 1, sent=[sent("north", ids[0])]))
    assert reader.sent("north", ids + ids) == [sent("north", ids[0])]


def test_the_history_of_a_message_is_what_has_its_key_in_it(ledger: Ledger, reader: LedgerReader) -> None:
    key = (7).to_bytes(8, "little")
    rows = [
        HistoryRow(3, 5, 9, b"xx" + key),
        HistoryRow(1, 7, 7, key + b"later in the ledger"),
        HistoryRow(4, 5, 9, b"another key"),
        HistoryRow(5, 8, 9, b"out of its range" + key),
        HistoryRow(6, 5, 6, b"out of its range" + key),
    ]
    ledger.apply(Fold(1, 1, 1, history=rows))
    assert reader.history(7) == rows[:2]
    assert reader.history(0) == []


def test_pages_are_found_by_octets_in_their_bodies(ledger: Ledger, reader: LedgerReader) -> None:
    ledger.apply(
        Fold(
            1, 1, 1,
            pages=[
                page(4, "lane:ä", b"x\0needle\0y"),
                page(2, "lane:a", b"needle"),
                page(3, "lane:b", b"needle"),
                page(1, "lane:a", b"nothing"),
            ],
        )
    )  # fmt: skip
    assert reader.holding(["lane:a", "lane:ä", "lane:none"], b"needle") == [2, 4]
    assert reader.holding(["lane:ä"], b"\0needle\0") == [4]
    assert reader.holding([], b"needle") == []


def test_a_reader_sees_the_last_fold_and_never_half_of_one(path: Path, ledger: Ledger) -> None:
    ledger.apply(Fold(1, 1, 1, pages=[page(1, body=b"%d" % 0)], sent=[sent("north", b"0")]))
    seen: list[tuple[int, ...]] = []
    stop = threading.Event()

    def read() -> None:
        reader = LedgerReader(path)
        while not stop.is_set():
            counts = reader.sent_counts()
            seen.append((counts.get("north", 0), counts.get("south", 0)))
        reader.close()

    thread = threading.Thread(target=read)
    thread.start()
    for number in range(1, 60):
        ledger.apply(
            Fold(
                number, 1, 1,
                sent=[sent("north", b"%d %d" % (number, each)) for each in range(100)]
                + [sent("south", b"%d %d" % (number, each)) for each in range(100)],
            )
        )  # fmt: skip
    stop.set()
    thread.join()
    assert seen
    assert all(north == south + 1 and south % 100 == 0 for north, south in seen), seen
    assert seen == sorted(seen)


def test_a_stopped_ledger_can_be_read_and_is_not_changed(path: Path, ledger: Ledger) -> None:
    ledger.apply(Fold(1, 1, 1, pages=[page(1)]))
    ledger.close()
    before = path.read_bytes()
    reader = LedgerReader(path)
    assert reader.pages([1]) == [b"body"]
    reader.close()
    assert path.read_bytes() == before
    assert all(each.stat().st_mode & 0o777 == 0o600 for each in path.parent.iterdir())
    assert ledger.open(LOG).lsn == 1


def test_another_process_can_read_while_it_is_written(path: Path, ledger: Ledger) -> None:
    ledger.apply(Fold(1, 1, 1, pages=[page(1)], sent=[sent("north", b"1")]))
    program = (
        "import sys; from pathlib import Path; from smppgw.store.ledger_reader import LedgerReader;"
        "print(LedgerReader(Path(sys.argv[1])).sent_counts())"
    )
    read = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True)
    assert read.stdout == "{'north': 1}\n"
    ledger.apply(Fold(2, 1, 1))


def test_a_file_that_is_not_there_is_named(path: Path) -> None:
    with pytest.raises(StoreError, match="ledger: the ledger cannot be used"):
        LedgerReader(path)
    assert not path.exists()


def test_a_key_that_no_message_can_have_is_not_found(reader: LedgerReader) -> None:
    for key in (2**63 - 1, 2**63, 2**64 - 1):
        assert reader.history(key) == []
        assert reader.sent_for(key) == []


def test_what_is_held_stays_as_it_is(ledger: Ledger, reader: LedgerReader) -> None:
    ledger.apply(Fold(1, 1, 1, pages=[page(1)], sent=[sent("north", b"a")]))
    with reader.held():
        before = reader.state()
        ledger.apply(Fold(2, 2, 2, dropped=[1], settled=[("north", b"a")]))
        assert reader.state() == before
        assert (before.lsn, reader.pages([1]), reader.sent_counts()) == (1, [b"body"], {"north": 1})
    assert (reader.state().lsn, reader.sent_counts()) == (2, {})


def test_all_history_is_read_in_its_order(ledger: Ledger, reader: LedgerReader) -> None:
    rows = [HistoryRow(number, number, number, b"%d" % number) for number in range(1, 200)]
    ledger.apply(Fold(1, 1, 1, history=rows))
    assert list(reader.whole_history()) == list(enumerate(rows, 1))


def test_a_message_is_found_by_its_key(ledger: Ledger, reader: LedgerReader) -> None:
    row = sent("north", b"a")
    ledger.apply(Fold(1, 1, 1, sent=[row]))
    assert reader.sent_for(row.key) == [row]
    assert reader.sent_for(row.key + 1) == []


def test_a_ledger_that_is_still_is_read_without_a_trace(path: Path, ledger: Ledger) -> None:
    ledger.apply(Fold(1, 1, 1, pages=[page(1)]))
    ledger.close()
    before = {each.name: each.read_bytes() for each in path.parent.iterdir()}
    reader = LedgerReader(path, still=True)
    reader.check()
    assert (reader.log_id(), reader.state().lsn) == (LOG, 1)
    reader.close()
    assert {each.name: each.read_bytes() for each in path.parent.iterdir()} == before
