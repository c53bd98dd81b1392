"""What carriers are still to say: messages by the ids that carriers gave them, and receipts that came before those.

Of the messages, memory holds the young ones, until two checkpoints have passed; the others are in the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

from smppgw.store.entries import EarlyReceipt, Message

MAX_EARLY: Final = 10_000
"""Receipts of one carrier that wait for their response; the oldest is dropped for one more."""


class Sent:
    """The messages of one carrier that wait for a receipt, by its ids for them."""

    __slots__ = ("_settling", "folded", "settled", "young")

    def __init__(self) -> None:
        self.young: dict[bytes, Message] = {}
        """Those the ledger does not have."""
        self.folded: dict[bytes, Message] = {}
        """Those it has, as far as they are in memory."""
        self.settled: set[bytes] = set()
        """Ids that the ledger has and is to forget."""
        self._settling: set[bytes] = set()
        """Those that it was told to forget last."""

    def find(self, carrier_id: bytes) -> Message | None:
        """Return the message of an id, if it is in memory."""
        return self.young.get(carrier_id) or self.folded.get(carrier_id)

    def finish(self, carrier_id: bytes) -> Message | None:
        """Forget an id; return its message."""
        message = self.young.pop(carrier_id, None)
        if message is None:
            message = self.folded.pop(carrier_id, None)
            if message is not None:
                self.settled.add(carrier_id)
        return message

    def is_settled(self, carrier_id: bytes) -> bool:
        """Whether the ledger may still know an id for which nothing more is expected."""
        return carrier_id in self.settled or carrier_id in self._settling

    def checkpoint(self) -> tuple[dict[bytes, Message], set[bytes]]:
        """Hand out what the ledger is to take in, and what it is to forget."""
        self._settling, self.settled = self.settled, set()
        self.folded, self.young = self.young, {}
        return dict(self.folded), self._settling


class Early:
    """The receipts of one carrier whose message is not known yet."""

    __slots__ = ("folded", "held", "released")

    def __init__(self) -> None:
        self.held: dict[bytes, EarlyReceipt] = {}
        self.folded: set[bytes] = set()
        """Ids of those that the ledger has."""
        self.released: list[bytes] = []
        """Ids that the ledger has and is to forget."""

    def hold(self, receipts: Iterable[EarlyReceipt]) -> list[bytes]:
        """Keep receipts; return the ids of older ones that had to make room."""
        for receipt in receipts:
            self.held[receipt.carrier_id] = receipt
            if receipt.carrier_id in self.folded:  # another one came: the ledger takes it in anew
                self.folded.discard(receipt.carrier_id)
        dropped = list(islice(self.held, max(0, len(self.held) - MAX_EARLY)))
        self.release(dropped)
        return dropped

    def release(self, carrier_ids: Iterable[bytes]) -> list[EarlyReceipt]:
        """Hold receipts no more; return those that were held."""
        found = [receipt for each in carrier_ids if (receipt := self.held.pop(each, None)) is not None]
        for receipt in found:
            if receipt.carrier_id in self.folded:
                self.folded.discard(receipt.carrier_id)
                self.released.append(receipt.carrier_id)
        return found

    def older(self, before_ns: int) -> list[bytes]:
        """Return the ids of receipts that came before that moment."""
        return [carrier_id for carrier_id, receipt in self.held.items() if receipt.received_ns < before_ns]

    def checkpoint(self) -> tuple[Sequence[EarlyReceipt], list[bytes]]:
        """Hand out what the ledger is to take in, and what it is to forget."""
        released, self.released = self.released, []
        new = [receipt for carrier_id, receipt in self.held.items() if carrier_id not in self.folded]
        self.folded.update(self.held)
        return new, released
