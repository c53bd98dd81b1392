from __future__ import annotations

from smppgw.cli.lines import one_line, table


def test_a_table_has_its_columns_aligned_and_nothing_behind_the_last() -> None:
    assert list(table([("a", "bbb", ""), ("aaa", "b", "c")])) == ["a    bbb", "aaa  b    c"]


def test_one_line_shows_what_would_end_it_or_move_the_cursor() -> None:
    assert one_line("a\nb\x1b[1m é 在") == "a\\nb\\x1b[1m é 在"
    assert one_line("\udcff") == "\\udcff"
