"""Receipts that are nobody's leave a trace: a count, a line, and themselves as they came."""

from __future__ import annotations

from typing import Any

import pytest
import structlog
from structlog.testing import LogCapture

from smppgw.metrics import Metrics
from smppgw.orphans import NOBODY, Orphans, tlvs_at
from smppgw.pdu import codec
from smppgw.pdu._generated import DataSm, DeliverSm
from smppgw.pdu.constants import CommandId, TlvTag
from smppgw.pdu.tlv import make_tlv
from smppgw.settings import InboundSettings
from smppgw.store.entries import Delivery, Held
from smppgw.store.memory import MemoryStore

REFERENCE = make_tlv(TlvTag.USER_MESSAGE_REFERENCE, 7)


def held(pdu: codec.Pdu | None = None) -> Held:
    pdu = pdu or DeliverSm(
        source_addr=b"1666", destination_addr=b"1206", esm_class=4, short_message=b"id:77 ?"
    )
    return Held(b"77", pdu.command_id, codec.encode(pdu)[16:], 5)


class Bench:
    """`Orphans` over an empty store."""

    def __init__(self, **inbound: Any) -> None:
        self.store = MemoryStore(1_000_000)
        self.log = LogCapture()
        self.metrics = Metrics()
        logger = structlog.wrap_logger(None, processors=[self.log])
        self.orphans = Orphans(self.store, self.metrics, logger, InboundSettings(**inbound))

    def deliveries(
        self, count: int, why: str = "unknown", before: tuple[Delivery, ...] = ()
    ) -> list[Delivery]:
        return self.orphans.deliveries("carrier", [held() for _ in range(count)], why, before, 9)

    def counted(self) -> int:
        return self.metrics.receipts_orphaned("carrier").value


def test_what_is_nobodys_is_kept_as_it_came() -> None:
    bench = Bench()
    [delivery] = bench.deliveries(1)
    assert (delivery.esme, delivery.kind, delivery.command_id) == (NOBODY, "receipt", CommandId.DELIVER_SM)
    assert delivery.body == held().body
    assert delivery.received_ns == 9


def test_what_is_nobodys_goes_to_whom_the_configuration_names() -> None:
    bench = Bench(orphans_to="desk", max_kept=3)
    deliveries = bench.deliveries(3)
    assert [delivery.esme for delivery in deliveries] == ["desk"] * 3
    assert bench.log.entries[0]["passed_on_to"] == "desk"
    assert bench.log.entries[0]["dropped"] == 0
    bench.store.receive("carrier", deliveries, (), lambda: None)
    assert [delivery.esme for delivery in bench.deliveries(1)] == [""], "too many wait for it"


@pytest.mark.parametrize("why", ["no_id", "unknown", "no_room"])
def test_each_time_is_one_line_and_every_receipt_is_counted(why: str) -> None:
    bench = Bench()
    bench.deliveries(3, why)
    assert bench.counted() == 3
    assert bench.log.entries == [
        {
            "event": "receipt_orphaned",
            "log_level": "warning",
            "carrier": "carrier",
            "count": 3,
            "why": why,
            "passed_on_to": None,
            "dropped": 0,
        }
    ]


def test_nothing_is_said_of_nothing() -> None:
    bench = Bench()
    assert bench.deliveries(0) == []
    assert bench.log.entries == []


def test_no_more_are_kept_than_may_be() -> None:
    bench = Bench(max_kept=5)
    kept = [Delivery(owner, "mo", 5, b"", 0, 1) for owner in (NOBODY, "app", NOBODY)]
    bench.store.receive("carrier", kept, (), lambda: None)
    together = tuple(Delivery(owner, "mo", 5, b"", 0, 1) for owner in (NOBODY, "app"))
    assert len(bench.deliveries(3, before=together)) == 2
    assert bench.log.entries[0]["dropped"] == 1
    assert bench.counted() == 3
    more = tuple(Delivery(NOBODY, "mo", 5, b"", 0, 1) for _ in range(9))
    assert bench.deliveries(3, before=more) == []


@pytest.mark.parametrize(
    "pdu",
    [
        DeliverSm(short_message=b"Hi"),
        DeliverSm(short_message=b"Hi", tlvs=(REFERENCE,)),
        DeliverSm(source_addr=b"1", tlvs=(REFERENCE, REFERENCE)),
        DataSm(source_addr=b"1" * 60),
        DataSm(tlvs=(REFERENCE,)),
    ],
)
def test_optional_parameters_begin_behind_the_text(pdu: Any) -> None:
    octets = codec.encode(pdu)[16:]
    at = tlvs_at(pdu.command_id, octets)
    assert len(octets) - at == 6 * len(pdu.tlvs)
    plain = octets[:at]
    header = (16 + len(plain)).to_bytes(4, "big") + pdu.command_id.to_bytes(4, "big") + bytes(8)
    again: Any = codec.decode(header[:15] + b"\x01" + plain)
    assert again.tlvs == ()
    assert again.source_addr == pdu.source_addr
