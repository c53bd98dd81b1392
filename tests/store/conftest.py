"""A ledger and its reader, for whoever asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from smppgw.store.ledger import Ledger
from smppgw.store.ledger_reader import LedgerReader
from tests.store.ledgers import LOG


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    ledger = Ledger(path)
    ledger.open(LOG)
    yield ledger
    ledger.close()


@pytest.fixture
def reader(path: Path, ledger: Ledger) -> Iterator[LedgerReader]:
    reader = LedgerReader(path)
    yield reader
    reader.close()
