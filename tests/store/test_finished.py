from __future__ import annotations

import pytest

from smppgw.store import finished
from smppgw.store.finished import Finished


def test_ids_are_known_until_so_many_others_have_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finished, "FINISHED_MOST", 10)
    ids = Finished()
    for number in range(95):
        ids.add([b"%d" % number], [b"to %d" % number])
    known = [number for number in range(95) if ids.envelope(b"%d" % number) == b"to %d" % number]
    assert known == list(range(known[0], 95))
    assert 10 <= len(known) < 20
    assert ids.envelope(b"never") is None
    ids.add([], [])
    assert ids.envelope(b"94") == b"to 94"


def test_an_id_that_is_finished_again_has_the_newer_envelope(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finished, "FINISHED_MOST", 2)
    ids = Finished()
    ids.add([b"1", b"2"], [b"old", b""])
    ids.add([b"1"], [b"new"])
    assert (ids.envelope(b"1"), ids.envelope(b"2")) == (b"new", b"")
