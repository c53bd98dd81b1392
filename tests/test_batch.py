from __future__ import annotations

from typing import Any

import pytest

from smppgw.batch import Batch
from smppgw.metrics import Metrics
from smppgw.pdu import codec
from smppgw.pdu._generated import SubmitSmResp, UnsuccessSme
from smppgw.pdu.constants import CommandId, CommandStatus, TlvTag
from smppgw.pdu.tlv import make_tlv
from smppgw.submission import Refusal
from tests.desk import NOW_NS, Desk

STATE = (make_tlv(TlvTag.CONGESTION_STATE, 42),)
SUBMIT_SM = int(CommandId.SUBMIT_SM)


def a_batch(state: int | None = None, *, version: int = 0x50) -> Batch:
    return Batch(Desk(version=version).link, NOW_NS, state)


@pytest.mark.parametrize(("version", "octets"), [(0x33, 8), (0x34, 16), (0x50, 16)])
def test_an_id_is_as_long_as_the_version_allows(version: int, octets: int) -> None:
    batch = a_batch(version=version)
    batch.answer(SUBMIT_SM, 7, b"1" * octets)
    response = codec.decode(batch.responses[0])
    assert (response.message_id, response.sequence_number) == (b"1" * octets, 7)


def test_the_state_of_congestion_stands_behind_the_message_id() -> None:
    batch = a_batch(42)
    batch.answer(SUBMIT_SM, 7, b"1" * 16)
    batch.answer(int(CommandId.DATA_SM), 8, b"2" * 16)
    batch.answer_multi(9, b"3" * 16, [UnsuccessSme(1, 1, b"1666", CommandStatus.ESME_RTHROTTLED)])
    responses: list[Any] = [codec.decode(octets) for octets in batch.responses]
    assert [(each.sequence_number, each.tlvs) for each in responses] == [(7, STATE), (8, STATE), (9, STATE)]
    assert batch.responses[0] == codec.encode(
        SubmitSmResp(message_id=b"1" * 16, tlvs=STATE, sequence_number=7)
    )


def test_an_error_is_a_header_alone() -> None:
    batch = a_batch(99)
    batch.refuse(SUBMIT_SM, 7, Refusal(CommandStatus.ESME_RMSGQFUL))
    assert batch.refusals == [bytes.fromhex("00000010 80000004 00000014 00000007")]


def test_what_is_refused_is_counted_by_its_status_and_by_why() -> None:
    metrics = Metrics()
    batch = a_batch()
    for why in ("number", "number", "brand_day", "esme"):
        batch.refuse(SUBMIT_SM, 1, Refusal(CommandStatus.ESME_RTHROTTLED, why))
    batch.refuse(SUBMIT_SM, 1, Refusal(CommandStatus.ESME_RINVSRCADR, "unregistered"))
    batch.refuse(SUBMIT_SM, 1, Refusal(CommandStatus.ESME_RINVMSGLEN, broken=True))
    batch.note(Refusal(CommandStatus.ESME_RINVSRCADR, "unregistered"))
    batch.count(metrics)
    assert metrics.messages_rejected("app", "ESME_RTHROTTLED").value == 4
    assert metrics.messages_rejected("app", "ESME_RINVSRCADR").value == 1
    assert [metrics.throttled(limit).value for limit in ("number", "campaign", "brand_day", "esme")] == [
        2,
        0,
        1,
        1,
    ]
    assert metrics.senders_refused("unregistered").value == 2
    assert batch.faults == 1
