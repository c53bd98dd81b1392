"""Receipts that no message is found for: counted, and passed on as they came or kept, as the configuration says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

from smppgw.metrics import Metrics
from smppgw.pdu import peek
from smppgw.pdu.constants import CommandId
from smppgw.session.timers import NS
from smppgw.settings import InboundSettings
from smppgw.store.api import Store
from smppgw.store.entries import Delivery, Held

NOBODY: Final = ""
"""Whose deliveries are kept, and go nowhere."""

LINE_EVERY_NS: Final = 60 * NS
"""A carrier's receipts of one kind are logged at most this often."""

_DATA_SM: Final = int(CommandId.DATA_SM)


class _Unlogged:
    """What there has been since the last line in the log."""

    __slots__ = ("count", "dropped", "quiet_until_ns")

    def __init__(self, quiet_until_ns: int = 0) -> None:
        self.count = 0
        self.dropped = 0
        self.quiet_until_ns = quiet_until_ns


class Orphans:
    """Makes deliveries of receipts that are nobody's."""

    def __init__(self, store: Store, metrics: Metrics, logger: Any, settings: InboundSettings) -> None:
        self._store = store
        self._metrics = metrics
        self._log = logger
        self._settings = settings
        self._unlogged: defaultdict[tuple[str, str], _Unlogged] = defaultdict(_Unlogged)
        """By carrier and why."""

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
        unlogged = self._unlogged[carrier, why]
        unlogged.count += len(entries)
        unlogged.dropped += len(entries) - len(kept)
        if now_ns >= unlogged.quiet_until_ns:
            self._log.warning(
                "receipt_orphaned",
                carrier=carrier,
                count=unlogged.count,
                why=why,
                passed_on_to=owner or None,
                dropped=unlogged.dropped,
            )
            self._unlogged[carrier, why] = _Unlogged(now_ns + LINE_EVERY_NS)
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
