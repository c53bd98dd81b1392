"""What carriers are still to say: messages by the ids that carriers gave them.

Memory holds the young ones, until two checkpoints have passed; the others are in the ledger.
"""

from __future__ import annotations

from smppgw.store.entries import Message


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
