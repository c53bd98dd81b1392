"""Whatever a carrier sends, reading it ends in a receipt, a message or neither, and raises nothing.

What is flagged as a receipt is never a message; what is said of it keeps to its bounds; both ways to read agree.
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from random import Random
from typing import Final

import pytest

from smppgw.notice import STATES, FromHandset, Notice, read
from smppgw.pdu import peek
from smppgw.pdu.constants import CommandId, MessageState
from smppgw.pdu.receipt import Receipt, guess_receipt, is_receipt_alone, parse_receipt
from smppgw.pdu.receipt_dates import read_date
from tests.notices import quick_look
from tests.pdu.receipt_mutations import mutated_pdus, mutated_texts

NOW: Final = datetime(2026, 11, 22, 10, 5, tzinfo=UTC)
SEED: Final = 20261122
CASES: Final = 100_000


@pytest.fixture
def cases(request: pytest.FixtureRequest) -> int:
    """How many mutated texts and PDUs there are, half of them each."""
    return int(request.config.getoption("--fuzz") or CASES)


def test_a_mutated_text_is_read_or_is_none(cases: int) -> None:
    seen = {"read": 0, "guessed": 0, "none": 0, "alone": 0, "dated": 0}
    for octets in islice(mutated_texts(Random(SEED)), cases // 2):
        receipt = parse_receipt(octets)
        text = octets.decode("latin-1")
        if receipt is None:
            receipt = guess_receipt(text)
            seen["guessed" if receipt else "none"] += 1
        else:
            seen["read"] += 1
            seen["alone"] += is_receipt_alone(text, receipt)
        if receipt is not None:
            assert isinstance(receipt, Receipt)
            assert isinstance(receipt.message_state, MessageState)
            assert not set(receipt.id) & set(" \t\r\n\0")
            seen["dated"] += read_date(receipt.done_date, NOW) is not None
    assert all(seen.values()), f"the mutations reach only {seen}"


def test_a_mutated_pdu_is_a_receipt_or_a_message_or_neither(cases: int) -> None:
    seen = {"straight": 0, "said": 0, "nothing": 0, "handset": 0, "none": 0, "usual": 0}
    for command_id, body in islice(mutated_pdus(Random(SEED)), cases // 2):
        said = read(command_id, body)
        match = (peek.DATA if command_id == CommandId.DATA_SM else peek.SHORT_MESSAGE).match(body)
        if said is None:
            seen["none"] += 1
            assert match is None or match.end() + body[match.end() - 1] > len(body)
            continue
        assert match is not None
        esm_class = match[3][0]
        if isinstance(said, FromHandset):
            seen["handset"] += 1
            assert esm_class & 0x1C != 0x04
            assert esm_class & 0x3C != 0x20
            assert said.tlv_at <= len(body)
            continue
        assert isinstance(said, Notice)
        assert said.state in STATES
        assert not (said.straight and said.said)
        assert len(said.network_error_code) in (0, 3)
        if said.straight:
            seen["straight"] += 1
            assert said.carrier_id
            assert said.straight.startswith(b" sub:001 dlvrd:00")
            assert said.stat == STATES[said.state]
        else:
            seen["said" if said.said else "nothing"] += 1
        quick = quick_look(body) if command_id == CommandId.DELIVER_SM else None
        if quick is not None:
            seen["usual"] += 1
            assert quick.items() <= said._asdict().items()
    assert all(seen.values()), f"the mutations reach only {seen}"
