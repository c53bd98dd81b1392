from __future__ import annotations

import pytest

from smppgw.store import finished
from smppgw.store.finished import Finished


def test_ids_are_known_until_so_many_others_have_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finished, "FINISHED_MOST", 10)
    ids = Finished()
    for number in range(95):
        ids.add([b"%d" % number])
    known = [number for number in range(95) if b"%d" % number in ids]
    assert known == list(range(known[0], 95))
    assert 10 <= len(known) < 20
    assert b"never" not in ids
    ids.add([])
    assert b"94" in ids
