"""Takes what ESMEs are owed, receipts and messages from handsets, from the store to their receivers.

Hot path: one pass tops up every receiver's window with one write a connection; answers settle in batches.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, cast

from smppgw import notice as notices
from smppgw.accounts import Account, Link
from smppgw.metrics import Metrics, status_label
from smppgw.pdu.constants import CommandId, CommandStatus, InterfaceVersion
from smppgw.pump import Pump
from smppgw.session.events import Answered
from smppgw.session.timers import NS
from smppgw.store.api import Store
from smppgw.store.entries import Delivery

TRY_AGAIN: Final = frozenset(
    {
        CommandStatus.ESME_RX_T_APPN,
        CommandStatus.ESME_RMSGQFUL,
        CommandStatus.ESME_RTHROTTLED,
        CommandStatus.ESME_RSYSERR,
        CommandStatus.ESME_RUNKNOWNERR,
    }
)
"""Answers of an ESME after which a delivery is sent again; any other error closes it."""

_DELIVER_SM: Final = int(CommandId.DELIVER_SM)

FIRST_RETRY_NS: Final = NS
LONGEST_RETRY_NS: Final = 300 * NS


class Inbound:
    """Sends deliveries to bound receivers."""

    def __init__(
        self,
        store: Store,
        accounts: Mapping[str, Account],
        metrics: Metrics,
        *,
        clock: Callable[[], int],
        on_unreachable: Callable[[Account], None],
    ) -> None:
        """`on_unreachable` hears of an ESME that is owed something and has no receiver bound."""
        self._store = store
        self._accounts = accounts
        self._metrics = metrics
        self._clock = clock
        self._on_unreachable = on_unreachable
        self._pump = Pump(self._top_up, clock)
        self.kick = self._pump.kick
        """Something may be sent: look once this turn of the loop is over."""

    @property
    def in_flight(self) -> int:
        """Deliveries that an ESME has not answered."""
        return sum(account.in_flight() for account in self._accounts.values())

    def on_responses(self, link: Link, answered: Sequence[Answered]) -> None:
        """An ESME answered deliveries."""
        done: list[Delivery] = []
        failures: list[tuple[Delivery, int]] = []
        for context, command_status, _, _ in answered:
            delivery = cast("Delivery", context)
            if command_status:
                failures.append((delivery, command_status))
            else:
                done.append(delivery)
        name = link.account.name
        receipts = sum(1 for delivery in done if delivery.kind == "receipt")
        if receipts:
            self._metrics.delivers(name, "receipt", "ESME_ROK").add(receipts)
        if len(done) > receipts:
            self._metrics.delivers(name, "mo", "ESME_ROK").add(len(done) - receipts)
        later: list[Delivery] = []
        for delivery, command_status in failures:
            self._metrics.delivers(name, delivery.kind, status_label(command_status)).add(1)
            (later if command_status in TRY_AGAIN else done).append(delivery)
        self._store.delivered(done)
        self._retry(later)
        self.kick()

    def on_expired(self, contexts: Sequence[object]) -> None:
        """No answer came in time: send again, later."""
        self._retry(cast("Sequence[Delivery]", contexts))
        self.kick()

    def on_closed(self, unanswered: Sequence[object]) -> None:
        """A connection ended: what was in flight goes to another one, in order."""
        self._store.give_back_deliveries(cast("Sequence[Delivery]", unanswered))
        self.kick()

    def _retry(self, deliveries: Sequence[Delivery]) -> None:
        now_ns = self._clock()
        for delivery in deliveries:
            delay_ns = min(LONGEST_RETRY_NS, FIRST_RETRY_NS << min(delivery.attempts, 16))
            delivery.attempts += 1
            delivery.due_ns = now_ns + delay_ns
            self._pump.at(delivery.due_ns)
        self._store.defer_deliveries(deliveries)

    def _top_up(self) -> None:
        now_ns = self._clock()
        next_ns = self._store.wake(now_ns)
        # What is due, and has no room yet, comes when others leave.
        if next_ns is not None and next_ns > now_ns:
            self._pump.at(next_ns)
        for account in self._accounts.values():
            if self._store.ready_deliveries(account.name):
                self._feed(account, now_ns)

    def _feed(self, account: Account, now_ns: int) -> None:
        links = account.receivers
        if not links:
            self._on_unreachable(account)
            return
        # Even shares, so that one connection of several does not do all the work.
        share = -(-self._store.ready_deliveries(account.name) // len(links))
        for link in links:
            connection = link.connection
            room = 0 if connection.congested else min(connection.session.free, share)
            if room <= 0:
                continue
            batch = self._take(account, room, connection.write_room)
            if not batch:
                return
            if connection.session.peer_version < InterfaceVersion.V3_4:
                requests = self._plain(account, batch)
            else:
                requests = [(each.command_id, each.body, each) for each in batch]
            connection.session.send_requests(requests, now_ns)
            connection.flush()

    def _take(self, account: Account, most: int, octets: int) -> list[Delivery]:
        """Take what waits, at most `octets` of it, or one."""
        batch = self._store.take_deliveries(account.name, most)
        for number, delivery in enumerate(batch):
            octets -= len(delivery.body)
            if octets < 0 and number:
                self._store.give_back_deliveries(batch[number:])
                return batch[:number]
        return batch

    def _plain(self, account: Account, batch: list[Delivery]) -> list[tuple[int, bytes, Delivery]]:
        """What a 3.3 peer can be told; the rest is closed, and counted as what it is: a text too long for it."""
        requests = []
        for delivery in batch:
            body = notices.plain(delivery.command_id, delivery.body, delivery.tlv_at)
            if body is None:
                self._metrics.delivers(account.name, delivery.kind, "ESME_RINVMSGLEN").add(1)
                self._store.delivered([delivery])
            else:
                requests.append((_DELIVER_SM, body, delivery))
        return requests

    def close(self) -> None:
        """Send nothing more; what is in flight is still settled."""
        self._pump.close()
