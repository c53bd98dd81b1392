"""Receipts of one carrier that came before the response that tells us which message they are about."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final

from smppgw.store.entries import EarlyReceipt

MAX_EARLY: Final = 10_000
"""Receipts of one carrier that wait for their response; the oldest is dropped for one more."""


class EarlyReceipts:
    """What is held, by the carrier's id; the newest where there are several of one id."""

    __slots__ = ("held",)

    def __init__(self) -> None:
        self.held: dict[bytes, EarlyReceipt] = {}

    def hold(self, receipts: Iterable[EarlyReceipt]) -> list[bytes]:
        """Keep receipts; return the ids of older ones that had to make room."""
        held = self.held
        for receipt in receipts:
            held[receipt.carrier_id] = receipt
        dropped = list(islice(held, max(0, len(held) - MAX_EARLY)))
        self.release(dropped)
        return dropped

    def release(self, carrier_ids: Iterable[bytes]) -> list[EarlyReceipt]:
        """Take out what is held for these ids."""
        held = self.held
        if not held:
            return []
        return [held.pop(carrier_id) for carrier_id in carrier_ids if carrier_id in held]

    def expire(self, before_ns: int) -> list[bytes]:
        """Drop what came before that moment; return the ids."""
        old = [carrier_id for carrier_id, receipt in self.held.items() if receipt.received_ns < before_ns]
        self.release(old)
        return old
