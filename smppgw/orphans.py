"""Receipts that no message is found for: counted, and passed on as they came or kept, as the configuration says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from smppgw.metrics import Metrics
from smppgw.pdu import peek
from smppgw.pdu.constants import CommandId
from smppgw.settings import InboundSettings
from smppgw.store.api import Store
from smppgw.store.entries import Delivery, Held

NOBODY: Final = ""
"""Whose deliveries are kept, and go nowhere."""

_DATA_SM: Final = int(CommandId.DATA_SM)


class Orphans:
    """Makes deliveries of receipts that are nobody's."""

    def __init__(self, store: Store, metrics: Metrics, logger: Any, settings: InboundSettings) -> None:
        self._store = store
        self._metrics = metrics
        self._log = logger
        self._settings = settings

    def deliveries(
        self, carrier: str, entries: Sequence[Held], why: str, before: Iterable[Delivery], now_ns: int
    ) -> list[Delivery]:
        """Count and log receipts of a carrier; return them as deliveries, as far as they are to be kept at all.

        `before`: deliveries that go to the store together with them. `why`, for the log: "no_id", "unknown",
        "no_room".
        """
        if not entries:
            return []
        self._metrics.receipts_orphaned(carrier).add(len(entries))
        owner = self._settings.orphans_to or NOBODY
        if owner and self._store.waiting_deliveries(owner) >= self._settings.max_kept:
            owner = NOBODY
        kept = entries
        if owner == NOBODY:
            waiting = self._store.waiting_deliveries(NOBODY) + sum(1 for each in before if not each.esme)
            kept = entries[: max(0, self._settings.max_kept - waiting)]
        self._log.warning(
            "receipt_orphaned",
            carrier=carrier,
            count=len(entries),
            why=why,
            passed_on_to=owner or None,
            dropped=len(entries) - len(kept),
        )
        return [
            Delivery(
                owner, "receipt", each.command_id, each.body, tlvs_at(each.command_id, each.body), now_ns
            )
            for each in kept
        ]


def tlvs_at(command_id: int, body: bytes) -> int:
    """Return where the optional parameters of a deliver_sm or data_sm begin that has been read before."""
    match = (peek.DATA if command_id == _DATA_SM else peek.SHORT_MESSAGE).match(body)
    assert match is not None, "it has been read before"
    return match.end() if command_id == _DATA_SM else min(len(body), match.end() + match[6][4])
