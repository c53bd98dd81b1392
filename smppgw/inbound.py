"""Takes what ESMEs are owed, receipts and messages from handsets, from the store to their receivers.

Hot path: one pass tops up every receiver's window with one write a connection; answers settle in batches. With one
receiver, and nothing refused, nothing is asked of a delivery's source (see `in_order`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

from smppgw import telling
from smppgw.accounts import Account, Link
from smppgw.in_order import Slot
from smppgw.metrics import Metrics, status_label
from smppgw.overdue import Overdue
from smppgw.pdu.constants import CommandId, CommandStatus, InterfaceVersion
from smppgw.pump import Pump
from smppgw.session.events import Answered
from smppgw.session.timers import NS
from smppgw.store.api import Store
from smppgw.store.entries import Delivery

SLOW_DOWN: Final = frozenset({CommandStatus.ESME_RMSGQFUL, CommandStatus.ESME_RTHROTTLED})
"""Answers of an ESME that wants less: that bind goes slower for a while."""

TRY_AGAIN: Final = SLOW_DOWN | {
    CommandStatus.ESME_RX_T_APPN,
    CommandStatus.ESME_RSYSERR,
    CommandStatus.ESME_RUNKNOWNERR,
}
"""Answers of an ESME after which a delivery is sent again; any other error closes it."""

FIRST_RETRY_NS: Final = NS
LONGEST_RETRY_NS: Final = 300 * NS

PATIENCE_NS: Final = NS
"""A bind whose window is full is waited for as long as it answers that often; then it holds up only its own sources."""

REFUSALS_LOGGED_EVERY_NS: Final = 60 * NS

_DELIVER_SM: Final = int(CommandId.DELIVER_SM)


class Inbound:
    """Sends deliveries to bound receivers."""

    def __init__(
        self,
        store: Store,
        accounts: Mapping[str, Account],
        metrics: Metrics,
        logger: Any,
        *,
        clock: Callable[[], int],
        retention_days: int,
        on_unreachable: Callable[[Account], None],
    ) -> None:
        """What belongs to nobody is kept for `retention_days`.

        `on_unreachable` hears of an ESME that is owed something and has no receiver bound.
        """
        self._store = store
        self._accounts = accounts
        self._metrics = metrics
        self._log = logger
        self._clock = clock
        self._overdue = Overdue(store, accounts, metrics, retention_days=retention_days)
        self._on_unreachable = on_unreachable
        self._refused: dict[str, Counter[str]] = {}
        """What ESMEs have refused for good since that was last logged, by status."""
        self._refusals_quiet_until_ns: dict[str, int] = {}
        self._pump = Pump(self._top_up, clock)
        self.kick = self._pump.kick
        """Something may be sent: look once this turn of the loop is over."""

    @property
    def in_flight(self) -> int:
        """Deliveries that an ESME has not answered."""
        return sum(account.in_flight() for account in self._accounts.values())

    # ---- what ESMEs say -------------------------------------------------------------------------------------

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
        account = link.account
        name = account.name
        receipts = sum([delivery.kind == "receipt" for delivery in done])
        if receipts:
            self._metrics.delivers(name, "receipt", "ESME_ROK").add(receipts)
        if len(done) > receipts:
            self._metrics.delivers(name, "mo", "ESME_ROK").add(len(done) - receipts)
        now_ns = link.heard_ns = self._clock()
        later = self._refusals(link, failures, done, now_ns) if failures else []
        if later:
            self._follow(account, link, [*done, *later])
        if account.order.tracking:
            account.order.settled(done)
        link.unsettled += len(done)

        def durable() -> None:
            link.unsettled -= len(done)
            self.kick()

        self._store.delivered(done, durable)
        self._retry(account, later, now_ns)
        self.kick()

    def _refusals(
        self, link: Link, failures: Sequence[tuple[Delivery, int]], done: list[Delivery], now_ns: int
    ) -> list[Delivery]:
        """Count what was refused; put what is so for good to what is `done`, return what is tried again."""
        name = link.account.name
        later: list[Delivery] = []
        for delivery, command_status in failures:
            label = status_label(command_status)
            self._metrics.delivers(name, delivery.kind, label).add(1)
            if command_status in TRY_AGAIN:
                later.append(delivery)
            else:
                done.append(delivery)
                self._refused.setdefault(name, Counter())[label] += 1
            if command_status in SLOW_DOWN:
                link.pace.throttled(now_ns)
        self._log_refusals(now_ns)
        return later

    def on_expired(self, contexts: Sequence[object]) -> None:
        """No answer came in time: send again, later."""
        deliveries = cast("Sequence[Delivery]", contexts)
        if deliveries:
            account = self._accounts[deliveries[0].esme]
            if account.links:
                self._follow(account, account.links[0], deliveries)
            self._retry(account, deliveries, self._clock())
        self.kick()

    def on_closed(self, unanswered: Sequence[object]) -> None:
        """A connection ended: what was in flight goes to another one, in order."""
        deliveries = cast("Sequence[Delivery]", unanswered)
        if deliveries:
            order = self._accounts[deliveries[0].esme].order
            if order.tracking:
                order.lost(deliveries)
            self._store.give_back_deliveries(deliveries)
        self.kick()

    def _retry(self, account: Account, deliveries: Sequence[Delivery], now_ns: int) -> None:
        if not deliveries:
            return
        for delivery in deliveries:
            delay_ns = min(LONGEST_RETRY_NS, FIRST_RETRY_NS << min(delivery.attempts, 16))
            delivery.attempts += 1
            delivery.due_ns = now_ns + delay_ns
        account.order.failed(deliveries)
        self._put_aside(deliveries)

    def _put_aside(self, deliveries: Sequence[Delivery]) -> None:
        self._store.defer_deliveries(deliveries)
        self._pump.at(min([delivery.due_ns for delivery in deliveries]))

    def _log_refusals(self, now_ns: int) -> None:
        """Say what has been refused for good, for each ESME once a minute at most."""
        for name in tuple(self._refused):
            if now_ns >= self._refusals_quiet_until_ns.get(name, now_ns):
                self._refusals_quiet_until_ns[name] = now_ns + REFUSALS_LOGGED_EVERY_NS
                statuses = self._refused.pop(name)
                count = statuses.total()
                self._log.warning("delivery_refused", system_id=name, count=count, statuses=dict(statuses))

    # ---- sending --------------------------------------------------------------------------------------------

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
        elif len(links) == 1 and not account.order.waiting:
            account.order.rest()
            self._feed_one(account, links[0], now_ns)
        else:
            self._follow(account)
            self._feed_in_order(account, links, now_ns)

    def _follow(self, account: Account, link: Link | None = None, ended: Sequence[Delivery] = ()) -> None:
        """Have it known what is in flight from which source, with what has ended on a link this very moment."""
        if not account.order.tracking:
            unanswered = [
                (each, _deliveries(each.connection.session.window.contexts())) for each in account.links
            ]
            if link is not None:
                unanswered.append((link, ended))
            account.order.track(unanswered)

    def _feed_one(self, account: Account, link: Link, now_ns: int) -> None:
        connection = link.connection
        room = self._granted(link, min(link.free, self._store.ready_deliveries(account.name)), now_ns)
        if room <= 0:
            return
        batch = self._take(account, room, now_ns)
        octets = connection.write_room
        for number, delivery in enumerate(batch):
            octets -= len(delivery.body)
            if octets < 0 and number:
                self._store.give_back_deliveries(batch[number:])
                batch = batch[:number]
                break
        if batch:
            self._send(link, batch, now_ns)

    def _feed_in_order(self, account: Account, links: Sequence[Link], now_ns: int) -> None:
        ready = self._store.ready_deliveries(account.name)
        slots = [self._slot(link, -(-ready // len(links)), now_ns) for link in links]
        room = sum([slot.free for slot in slots])
        if room <= 0:
            return
        batch = self._take(account, min(ready, room), now_ns)
        aside, decided = account.order.place(batch, slots, now_ns, fits=_fitting(links))
        if aside:
            self._put_aside(aside)
            self.kick()  # others may take their places
        if decided < len(batch):
            self._store.give_back_deliveries(batch[decided:])
        for slot in slots:
            if slot.batch:
                if not slot.bind.pace.limited:
                    slot.bind.pace.take(len(slot.batch), now_ns)
                self._send(slot.bind, slot.batch, now_ns)
            if decided < len(batch) and slot.busy and not slot.free:
                # If it answers no more until then, others need not wait for it.
                self._pump.at(slot.bind.heard_ns + PATIENCE_NS)

    def _slot(self, link: Link, share: int, now_ns: int) -> Slot[Link]:
        connection = link.connection
        if connection.congested:
            return Slot(link, 0, 0)
        free = link.free
        if link.pace.limited:
            return Slot(link, self._granted(link, min(free, share), now_ns), connection.write_room)
        owes = connection.session.in_flight or link.unsettled
        busy = not owes or now_ns - link.heard_ns < PATIENCE_NS
        return Slot(link, free, connection.write_room, busy=busy)

    def _granted(self, link: Link, wanted: int, now_ns: int) -> int:
        """Return how many of these its pace lets go now."""
        if wanted <= 0:
            return 0
        granted = link.pace.take(wanted, now_ns)
        if not granted:
            self._pump.at(link.pace.ready_at(now_ns))
        return granted

    def _take(self, account: Account, most: int, now_ns: int) -> list[Delivery]:
        """Take what waits; what has waited too long is closed."""
        batch = self._store.take_deliveries(account.name, most)
        left = self._overdue.close(account.name, batch, now_ns)
        if len(left) < len(batch):
            self.kick()  # others may take their places
        return left

    def _send(self, link: Link, batch: Sequence[Delivery], now_ns: int) -> None:
        session = link.connection.session
        if not session.in_flight:
            link.heard_ns = now_ns
        if session.peer_version < InterfaceVersion.V3_4:
            requests = self._plain(link.account, batch)
        else:
            requests = [(each.command_id, each.body, each) for each in batch]
        session.send_requests(requests, now_ns)
        link.connection.flush()

    def _plain(self, account: Account, batch: Sequence[Delivery]) -> list[tuple[int, bytes, Delivery]]:
        """What a 3.3 peer can be told; the rest is closed, and counted as what it is: a text too long for it."""
        requests = []
        untold: list[Delivery] = []
        for delivery in batch:
            body = telling.plain(delivery.command_id, delivery.body, delivery.tlv_at)
            if body is None:
                self._metrics.delivers(account.name, delivery.kind, "ESME_RINVMSGLEN").add(1)
                untold.append(delivery)
            else:
                requests.append((_DELIVER_SM, body, delivery))
        if untold:
            if account.order.tracking:
                account.order.settled(untold)
            self._store.delivered(untold)
            self.kick()  # others may take their places
        return requests

    def sweep(self, now_ns: int) -> None:
        """Close some of what has waited too long, and log what was refused; call it now and then."""
        self._overdue.sweep(now_ns)
        self._log_refusals(now_ns)

    def close(self) -> None:
        """Send nothing more; what is in flight is still settled."""
        self._pump.close()


def _deliveries(contexts: Sequence[object]) -> Sequence[Delivery]:
    return cast("Sequence[Delivery]", contexts)


def _fitting(links: Sequence[Link]) -> Callable[[Link, Delivery], bool] | None:
    """Return what says whether a bind can be told something, where one of an ESME's cannot and another one can."""
    old = [link for link in links if link.connection.session.peer_version < InterfaceVersion.V3_4]
    if not old or len(old) == len(links):
        return None

    def fits(link: Link, delivery: Delivery) -> bool:
        return (
            link not in old or telling.plain(delivery.command_id, delivery.body, delivery.tlv_at) is not None
        )

    return fits
