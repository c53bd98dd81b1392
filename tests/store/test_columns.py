from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.store import columns
from smppgw.store.columns import HEAD, Code, Reader

quick = settings(max_examples=60, deadline=None, derandomize=True)

octets = st.binary(max_size=20)
LARGEST: dict[Code, int] = {"Q": 2**64 - 1, "I": 2**32 - 1, "H": 2**16 - 1, "B": 255}


def reader_of(count: int, written: bytes) -> Reader:
    return Reader(HEAD.pack(1, count) + written)


@quick
@given(st.lists(st.integers(0, 2**64 - 1)))
def test_keys_are_read_as_they_were_written(keys: list[int]) -> None:
    assert columns.unpacked(columns.packed(keys)) == keys


@pytest.mark.parametrize("code", LARGEST)
def test_integers_are_read_as_they_were_written(code: Code) -> None:
    most = LARGEST[code]
    for values in ([most], [0, most, 1], [most] * 5):
        written = columns.integers(code, values) + columns.integers(code, values[::-1])
        reader = reader_of(len(values), written)
        assert reader.integers(code) == values
        assert reader.integers(code) == values[::-1]


def test_integers_are_written_with_the_least_significant_octet_first() -> None:
    assert columns.column("I", [1, 2]) == b"\1\0\0\0\2\0\0\0"


def test_a_column_of_equal_values_is_written_once() -> None:
    assert len(columns.integers("Q", [7] * 500)) == 9
    assert len(columns.names(["a name"] * 500)) == len(columns.names(["a name"]))


@quick
@given(st.lists(st.tuples(st.text(max_size=9), octets), min_size=1, max_size=9))
def test_names_and_strings_are_read_in_their_order(values: list[tuple[str, bytes]]) -> None:
    names, strings = [name for name, _ in values], [string for _, string in values]
    written = (
        columns.name(names[0])
        + columns.strings(strings)
        + columns.names(names)
        + columns.strings(strings[:1] * len(strings))
    )
    reader = reader_of(len(values), written)
    assert reader.name() == names[0]
    assert reader.strings() == strings
    assert reader.names() == names
    assert reader.strings() == strings[:1] * len(strings)
