"""What every figure of CPU time is compared with: one submit_sm made and encoded by smpplib, on this machine, now."""

from __future__ import annotations

import time
from statistics import median
from typing import Any

from smpplib import smpp

TEXT_OCTETS = 80


class _Numbers:
    """What smpplib asks of a client when it makes a PDU."""

    @staticmethod
    def next_sequence() -> int:
        return 1


def smpplib_submit_sm(text: bytes = b"x" * TEXT_OCTETS) -> bytes:
    """Make and encode one submit_sm the way smpplib's own client does."""
    pdu: Any = smpp.make_pdu(
        "submit_sm",
        client=_Numbers,
        source_addr_ton=1,
        source_addr_npi=1,
        source_addr="12065550100",
        dest_addr_ton=1,
        dest_addr_npi=1,
        destination_addr="16665550100",
        registered_delivery=1,
        short_message=text,
    )
    octets: bytes = pdu.generate()
    return octets


def smpplib_encode_seconds(rounds: int = 5, encodings: int = 2000) -> float:
    """Return the CPU seconds of one encoding: the median of a few rounds."""
    took = []
    for _ in range(rounds):
        started = time.process_time()
        for _ in range(encodings):
            smpplib_submit_sm()
        took.append((time.process_time() - started) / encodings)
    return median(took)
