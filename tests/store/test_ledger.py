"""What goes into the ledger, what is there after it is opened again, and what it refuses."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.store.errors import StoreError
from smppgw.store.ledger import Ledger, LedgerFull
from smppgw.store.ledger_reader import LedgerReader
from smppgw.store.rows import Fold, HeldRow, HistoryRow, LedgerState, PageHead, PageRow, SentRow
from tests.store.ledgers import LOG

ANY_OCTETS = bytes(range(256))


def page(number: int, first_key: int = 1, body: bytes = b"body") -> PageRow:
    return PageRow(
        number, "lane:a", first_key, first_key + 9, 10, len(body), 5, 7, {"acme": 10}, b"keys", body
    )


def head(number: int, first_key: int = 1, dead: bytes = b"") -> PageHead:
    return PageHead(number, "lane:a", first_key, first_key + 9, 10, 4, 5, 7, {"acme": 10}, dead)


def sent(carrier_id: bytes, key: int = 1, accepted_ms: int = 1, expires_ms: int = 0) -> SentRow:
    return SentRow("north", carrier_id, key, b"ours", "acme", 1, accepted_ms, expires_ms, 2, ANY_OCTETS)


def held(under: bytes, received_ms: int = 1, body: bytes = b"body") -> HeldRow:
    return HeldRow("north", under, 5, received_ms, body)


def history(at_ms: int, octets: int = 10) -> HistoryRow:
    return HistoryRow(at_ms, at_ms, at_ms, at_ms.to_bytes(8, "little").ljust(octets, b"\0"))


def state_of(path: Path) -> LedgerState:
    ledger = Ledger(path)
    try:
        return ledger.open(LOG)
    finally:
        ledger.close()


def reopened(ledger: Ledger) -> LedgerState:
    ledger.close()
    return ledger.open(LOG)


# ---- opening ------------------------------------------------------------------------------------------------


def test_a_new_ledger_is_empty(path: Path) -> None:
    assert state_of(path) == LedgerState(0, 0, 0, 1, [], [], {}, {})


def test_a_ledger_says_which_log_it_belongs_to(path: Path) -> None:
    assert Ledger.peek(path) is None
    assert not path.exists()
    state_of(path)
    assert Ledger.peek(path) == LOG


def test_its_files_are_for_nobody_else(path: Path, ledger: Ledger) -> None:
    ledger.apply(Fold(1, 1, 1))
    modes = {each.name: each.stat().st_mode & 0o777 for each in path.parent.iterdir()}
    assert modes == {"ledger": 0o600, "ledger-wal": 0o600, "ledger-shm": 0o600}


def test_every_commit_is_synced_and_freed_pages_can_be_given_back(ledger: Ledger) -> None:
    settings_of = {
        name: ledger.connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_size", "auto_vacuum", "journal_mode", "synchronous")
    }
    assert settings_of == {"page_size": 8192, "auto_vacuum": 2, "journal_mode": "wal", "synchronous": 2}


def test_the_ledger_of_another_log_is_refused(path: Path) -> None:
    state_of(path)
    with pytest.raises(StoreError, match=f"belongs to the log {LOG.hex()}, not to ff beside it"):
        Ledger(path).open(b"\xff")


def test_a_ledger_of_another_version_is_refused(path: Path) -> None:
    state_of(path)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 9")
    connection.close()
    with pytest.raises(StoreError, match="version 9, this smppgw knows version 3"):
        Ledger(path).open(LOG)


def test_a_database_of_something_else_is_refused_and_left_alone(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (c)")
    connection.close()
    before = path.read_bytes()
    for call in (lambda: Ledger(path).open(LOG), lambda: Ledger.peek(path), lambda: LedgerReader(path)):
        with pytest.raises(StoreError, match="no ledger of smppgw"):
            call()
    assert path.read_bytes() == before


def overwrite_beginning(path: Path) -> None:
    path.write_bytes(b"x" * 100 + path.read_bytes()[100:])


def cut_in_half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def overwrite_tables(path: Path) -> None:
    octets = path.read_bytes()
    path.write_bytes(octets[:8192] + b"\xa5" * (len(octets) - 8192))


@pytest.mark.parametrize("damage", [overwrite_beginning, cut_in_half, overwrite_tables])
def test_a_damaged_ledger_is_refused_in_one_line(path: Path, damage: Callable[[Path], None]) -> None:
    state_of(path)
    damage(path)
    with pytest.raises(StoreError) as caught:
        Ledger(path).open(LOG)
    assert str(caught.value).startswith(f"{path}: the ledger is damaged (")
    assert "salvage" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_ledger_whose_notes_are_gone_is_damaged(path: Path) -> None:
    state_of(path)
    for name in ("lsn", "log_id"):
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("DELETE FROM meta WHERE name = ?", (name,))
        connection.close()
        with pytest.raises(StoreError, match="the ledger is damaged"):
            Ledger(path).open(LOG)


def test_a_making_that_was_broken_off_is_begun_again(path: Path) -> None:
    path.touch()
    assert Ledger.peek(path) is None
    with pytest.raises(StoreError, match="is empty"):
        LedgerReader(path)
    assert state_of(path).lsn == 0
    assert Ledger.peek(path) == LOG


def test_a_place_where_none_can_be_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be made"):
        Ledger(tmp_path / "nowhere" / "ledger").open(LOG)
    with pytest.raises(StoreError, match="cannot be used"):
        Ledger(tmp_path).open(LOG)


# ---- folds --------------------------------------------------------------------------------------------------


def test_what_was_folded_is_there_when_it_is_opened_again(ledger: Ledger) -> None:
    ledger.apply(
        Fold(
            11, 12, 13,
            pages=[page(2, first_key=100), page(1, first_key=200), page(3, first_key=50)],
            held=[held(ANY_OCTETS), held(b"2", received_ms=9), held(ANY_OCTETS, 10)],
            counters={"accepted": 5, "other": 6},
            quotas={"brand/B1": (739_000, 2_000), "brand/B2": (739_000, 10)},
        )
    )  # fmt: skip
    ledger.apply(Fold(21, 22, 23, counters={"accepted": 7}, quotas={"brand/B1": (739_000, 3_000)}))
    assert reopened(ledger) == LedgerState(
        21, 22, 23, 4,
        [head(3, 50), head(2, 100), head(1, 200)],
        [held(ANY_OCTETS), held(b"2", received_ms=9), held(ANY_OCTETS, 10)],
        {"accepted": 7, "other": 6},
        {"brand/B1": (739_000, 3_000), "brand/B2": (739_000, 10)},
    )  # fmt: skip


def test_the_ledger_of_a_gateway_that_was_killed_has_what_was_folded(path: Path, ledger: Ledger) -> None:
    ledger.apply(Fold(1, 2, 3, pages=[page(1)]))
    copies = path.parent / "copies"
    copies.mkdir()
    for suffix in ("", "-wal"):
        copy = path.with_name(path.name + suffix)
        (copies / copy.name).write_bytes(copy.read_bytes())
    assert state_of(copies / path.name) == LedgerState(1, 2, 3, 2, [head(1)], [], {}, {})


def test_the_number_of_a_page_that_is_gone_is_not_given_again(ledger: Ledger) -> None:
    ledger.apply(Fold(1, 1, 1, pages=[page(7)]))
    ledger.apply(Fold(2, 1, 1, dropped=[7]))
    state = reopened(ledger)
    assert (state.pages, state.next_page) == ([], 8)
    ledger.apply(Fold(3, 1, 1))
    assert reopened(ledger).next_page == 8


def test_the_dead_of_a_page_are_replaced_as_a_whole(ledger: Ledger) -> None:
    ledger.apply(Fold(1, 1, 1, pages=[page(1), page(2, 20)], dead=[(1, b"a" * 8)]))
    ledger.apply(Fold(2, 1, 1, dead=[(1, b"b" * 16), (2, b"c" * 8)]))
    ledger.apply(Fold(3, 1, 1))
    assert reopened(ledger).pages == [head(1, dead=b"b" * 16), head(2, 20, dead=b"c" * 8)]


def test_many_dead_and_dropped_pages_are_found(ledger: Ledger) -> None:
    ledger.apply(Fold(1, 1, 1, pages=[page(number, number) for number in range(1, 701)]))
    ledger.apply(
        Fold(
            2, 1, 1,
            dead=[(number, b"%08d" % number) for number in range(601, 701)],
            dropped=list(range(1, 601)),
        )
    )  # fmt: skip
    assert reopened(ledger).pages == [head(each, each, b"%08d" % each) for each in range(601, 701)]


def test_a_later_message_takes_the_place_of_an_earlier_one_with_its_id(
    ledger: Ledger, reader: LedgerReader
) -> None:
    ledger.apply(Fold(1, 1, 1, sent=[sent(b"1", key=1), sent(b"2", key=2), sent(b"1", key=3)]))
    assert sorted(reader.sent("north", [b"1", b"2"])) == [sent(b"1", key=3), sent(b"2", key=2)]
    ledger.apply(Fold(2, 1, 1, sent=[sent(b"2", key=4)]))
    assert reader.sent("north", [b"2"]) == [sent(b"2", key=4)]


def test_what_is_settled_is_not_found_and_what_comes_anew_with_its_id_is(
    ledger: Ledger, reader: LedgerReader
) -> None:
    ledger.apply(Fold(1, 1, 1, sent=[sent(ANY_OCTETS), sent(b"2"), sent(b"3")]))
    ledger.apply(
        Fold(
            2, 1, 1,
            settled=[("north", ANY_OCTETS), ("north", b"2"), ("south", b"3"), ("north", b"never")],
            sent=[sent(b"2", key=9)],
        )
    )  # fmt: skip
    assert sorted(reader.sent("north", [ANY_OCTETS, b"2", b"3"])) == [sent(b"2", key=9), sent(b"3")]


def test_what_is_released_is_gone_with_all_that_is_under_the_same(ledger: Ledger) -> None:
    ledger.apply(Fold(1, 1, 1, held=[held(b"1"), held(b"2"), held(b"3"), held(b"1", 2)]))
    other = HeldRow("south", b"1", 5, 3, b"")
    ledger.apply(
        Fold(
            2, 1, 1,
            released=[("north", b"1"), ("north", b"2"), ("north", b"never")],
            held=[held(b"1", 5), held(b"3", 6), other],
        )
    )  # fmt: skip
    assert reopened(ledger).held == [held(b"3"), held(b"1", 5), held(b"3", 6), other]


Known = st.tuples(st.sampled_from(["north", "söuth"]), st.binary(max_size=2))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.lists(Known, max_size=8), st.lists(Known, max_size=8)), max_size=4))
def test_correlation_is_a_dict(
    tmp_path_factory: pytest.TempPathFactory, folds: list[tuple[list[tuple[str, bytes]], list[tuple[str, bytes]]]]
) -> None:  # fmt: skip
    path = tmp_path_factory.mktemp("ledger") / "ledger"
    ledger = Ledger(path)
    ledger.open(LOG)
    model: dict[tuple[str, bytes], SentRow] = {}
    key = 0
    asked = {("north", b"")}
    for settled, arriving in folds:
        rows = []
        for carrier, carrier_id in arriving:
            key += 1
            rows.append(
                SentRow(carrier, carrier_id, key, carrier_id[::-1], "äcme\x7f", 255, key, 0, 255, carrier_id)
            )
        for each in settled:
            model.pop(each, None)
        model |= {(row.carrier, row.carrier_id): row for row in rows}
        asked |= {*settled, *arriving}
        ledger.apply(Fold(1, 1, 1, sent=rows, settled=settled))
    reader = LedgerReader(path)
    found = [
        row
        for name in ("north", "söuth")
        for row in reader.sent(name, [carrier_id for carrier, carrier_id in asked if carrier == name])
    ]
    assert sorted(found) == sorted(model.values())
    assert sum(reader.sent_counts().values()) == len(model)
    reader.close()
    ledger.close()


def test_more_rows_than_one_statement_takes_go_in_and_out_again(ledger: Ledger, reader: LedgerReader) -> None:
    rows = [sent(b"%d" % number, key=number) for number in range(1500)]
    ledger.apply(Fold(1, 1, 1, sent=rows))
    assert sorted(reader.sent("north", [row.carrier_id for row in rows])) == sorted(rows)
    ledger.apply(Fold(2, 1, 1, settled=[("north", row.carrier_id) for row in rows[:1400]]))
    assert reader.sent_counts() == {"north": 100}


# ---- a full disk, and other trouble -------------------------------------------------------------------------


def fill(ledger: Ledger) -> None:
    (pages,) = ledger.connection.execute("PRAGMA page_count").fetchone()
    ledger.connection.execute(f"PRAGMA max_page_count = {pages}")


def empty(ledger: Ledger) -> None:
    ledger.connection.execute("PRAGMA max_page_count = 1000000")


def test_a_full_disk_changes_nothing_and_the_fold_can_be_tried_again(
    ledger: Ledger, reader: LedgerReader
) -> None:
    ledger.apply(Fold(1, 1, 1, pages=[page(1)], sent=[sent(b"1")], history=[history(1)]))
    fold = Fold(
        2, 2, 2,
        pages=[page(2, 20, b"x" * 100_000)],
        dropped=[1],
        settled=[("north", b"1")],
        sent=[sent(b"2")],
        history=[history(2)],
        counters={"a": 1},
    )  # fmt: skip
    octets = ledger.octets
    fill(ledger)
    for _ in range(2):
        with pytest.raises(LedgerFull, match="no room on the disk"):
            ledger.apply(fold)
    assert (ledger.octets, ledger.history_octets) == (octets, 10)
    assert reader.sent("north", [b"1", b"2"]) == [sent(b"1")]
    assert reader.pages([1]) == [b"body"]
    assert reopened(ledger) == LedgerState(1, 1, 1, 2, [head(1)], [], {}, {})
    empty(ledger)
    ledger.apply(fold)
    assert reader.sent("north", [b"1", b"2"]) == [sent(b"2")]
    assert ledger.history_octets == 20
    assert reopened(ledger).lsn == 2


def test_a_fold_that_contradicts_the_ledger_is_an_error_and_changes_nothing(ledger: Ledger) -> None:
    ledger.apply(Fold(1, 1, 1, pages=[page(1)]))
    with pytest.raises(StoreError, match=r"UNIQUE constraint failed: page\.id") as caught:
        ledger.apply(Fold(2, 1, 1, counters={"a": 1}, pages=[page(1)]))
    assert not isinstance(caught.value, LedgerFull)
    assert reopened(ledger) == LedgerState(1, 1, 1, 2, [head(1)], [], {}, {})


def test_damage_that_is_met_later_is_an_error(path: Path, ledger: Ledger) -> None:
    ledger.apply(Fold(1, 1, 1, sent=[sent(b"%d" % number) for number in range(2000)]))
    ledger.close()
    (root,) = (
        sqlite3.connect(path).execute("SELECT rootpage FROM sqlite_schema WHERE name = 'sent'").fetchone()
    )
    octets = bytearray(path.read_bytes())
    octets[(root - 1) * 8192 : root * 8192] = b"\xa5" * 8192
    path.write_bytes(octets)
    ledger.open(LOG)
    with pytest.raises(StoreError, match="the ledger is damaged"):
        ledger.apply(Fold(2, 1, 1, sent=[sent(b"new")]))
    reader = LedgerReader(path)
    with pytest.raises(StoreError, match="the ledger is damaged"):
        reader.sent("north", [b"1"])
    reader.close()


# ---- size ---------------------------------------------------------------------------------------------------


def test_its_size_follows_what_is_in_it(path: Path, ledger: Ledger) -> None:
    empty_octets = ledger.octets
    ledger.apply(Fold(1, 1, 1, pages=[page(1, body=b"x" * 1_000_000)]))
    assert empty_octets + 990_000 <= ledger.octets <= empty_octets + 1_100_000
    ledger.apply(Fold(2, 1, 1, dropped=[1]))
    assert ledger.octets <= empty_octets + 3 * 8192
    ledger.prune(history_before_ms=0, sent_before_ms=0, most=1)
    ledger.close()
    assert path.stat().st_size <= empty_octets + 3 * 8192


def test_what_sqlite_logs_is_brought_into_the_file(path: Path, ledger: Ledger) -> None:
    for number in range(1, 10):
        ledger.apply(Fold(number, 1, 1, pages=[page(number, body=b"x" * 3_000_000)]))
    assert path.stat().st_size > 15_000_000
    assert path.with_name("ledger-wal").stat().st_size < 15_000_000


# ---- what grows old -----------------------------------------------------------------------------------------


def test_history_is_pruned_oldest_first_and_only_below_the_moment(
    ledger: Ledger, reader: LedgerReader
) -> None:
    ledger.apply(Fold(1, 1, 1, history=[history(at) for at in (5, 3, 1, 4, 2)]))
    assert ledger.history_octets == 50
    assert ledger.prune(history_before_ms=4, sent_before_ms=0, most=2) == 2
    assert [bool(reader.history(at)) for at in (1, 2, 3, 4, 5)] == [False, False, True, True, True]
    assert ledger.prune(history_before_ms=4, sent_before_ms=0, most=2) == 1
    assert ledger.prune(history_before_ms=4, sent_before_ms=0, most=2) == 0
    assert [bool(reader.history(at)) for at in (3, 4, 5)] == [False, True, True]
    assert ledger.history_octets == 20
    reopened(ledger)
    assert ledger.history_octets == 20


def test_messages_are_pruned_oldest_first_by_their_acceptance_or_the_end_of_their_validity(
    ledger: Ledger, reader: LedgerReader
) -> None:
    rows = [sent(b"d", 1, 40), sent(b"a", 2, 10), sent(b"b", 3, 20), sent(b"c", 4, 30), sent(b"e", 5, 5, 50)]
    ledger.apply(Fold(1, 1, 1, sent=rows))
    left: list[set[bytes]] = []
    for before in (31, 31, 51):
        ledger.prune(history_before_ms=0, sent_before_ms=before, most=2)
        left.append({row.carrier_id for row in reader.sent("north", [b"a", b"b", b"c", b"d", b"e"])})
    assert left == [{b"c", b"d", b"e"}, {b"d", b"e"}, set()]


def test_the_oldest_history_is_trimmed_until_so_much_is_gone(ledger: Ledger, reader: LedgerReader) -> None:
    ledger.apply(Fold(1, 1, 1, history=[history(at, 100) for at in range(600)]))
    ledger.trim_history(30_001)
    assert ledger.history_octets == 29_900
    assert not reader.history(300)
    assert reader.history(301)
    ledger.trim_history(0)
    assert ledger.history_octets == 29_900
    ledger.trim_history(1_000_000)
    assert ledger.history_octets == 0
    assert not reader.history(599)
