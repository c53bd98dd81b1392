"""Takes messages from their lanes to the carriers: who may have how many now, and what each answer means.

Hot path: one pass of `_top_up` fills every window with one write a connection, whatever has happened since the last.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from typing import Final, cast

from smppgw.accounts import Account
from smppgw.carriers import Carrier, Link
from smppgw.metrics import Metrics, status_label
from smppgw.pdu import peek
from smppgw.pdu.constants import HEADER_OCTETS, CommandId, CommandStatus, InterfaceVersion
from smppgw.pump import Pump
from smppgw.routing import Route
from smppgw.session.events import Answered
from smppgw.session.timers import NS
from smppgw.store.api import Store
from smppgw.store.entries import EarlyReceipt, Message

SLOW_DOWN: Final = frozenset({CommandStatus.ESME_RTHROTTLED, CommandStatus.ESME_RMSGQFUL})
"""The carrier wants less: the message stays first in its lane, the bind goes slower."""

RETRY_LATER: Final = frozenset(
    {
        CommandStatus.ESME_RSYSERR,
        CommandStatus.ESME_RINVBNDSTS,
        CommandStatus.ESME_RSUBMITFAIL,
        CommandStatus.ESME_RX_T_APPN,
        CommandStatus.ESME_RDELIVERYFAILURE,
        CommandStatus.ESME_RUNKNOWNERR,
        CommandStatus.ESME_RSERTYPUNAVAIL,
    }
)
"""Temporary errors (SMPP v3.4 section 5.1.3; the policy is `tests/data/spec/statuses.json`)."""

_VENDOR_STATUSES: Final = range(0x400, 0x500)
"""Vendor specific: taken as temporary."""

_NO_RESPONSE: Final = CommandStatus.ESME_RUNKNOWNERR


def is_temporary(command_status: int) -> bool:
    """Return whether another try may go better."""
    return command_status in RETRY_LATER or command_status in _VENDOR_STATUSES


class Dispatch:
    """Sends what stands in the lanes."""

    def __init__(
        self,
        store: Store,
        carriers: Mapping[str, Carrier],
        routes: Sequence[Route],
        accounts: Mapping[str, Account],
        metrics: Metrics,
        *,
        clock: Callable[[], int],
        max_attempts: int,
        retry_delay: float,
        on_undeliverable: Callable[[list[tuple[Message, int]]], None],
        on_early_receipts: Callable[[Carrier, list[tuple[Message, EarlyReceipt]]], None],
    ) -> None:
        self._store = store
        self._carriers = carriers
        self._routes = [
            (route, [carriers[name] for name in route.carriers if name in carriers]) for route in routes
        ]
        self._accounts = accounts
        self._metrics = metrics
        self._clock = clock
        self._max_attempts = max_attempts
        self._retry_delay_ns = int(retry_delay * NS)
        self._on_undeliverable = on_undeliverable
        self._on_early_receipts = on_early_receipts
        self._pump = Pump(self._top_up, clock)
        self.kick = self._pump.kick
        """Something may be sent: look once this turn of the loop is over."""
        self._later: list[tuple[int, int, Message]] = []

    # ---- what may have changed ------------------------------------------------------------------------------

    @property
    def waiting_for_retry(self) -> int:
        """Messages that wait for their next attempt."""
        return len(self._later)

    @property
    def in_flight(self) -> int:
        """Messages that a carrier has not answered, or whose answer is not durable."""
        return sum(carrier.in_flight() for carrier in self._carriers.values())

    def on_closed(self, unanswered: Sequence[object]) -> None:
        """A connection ended: what was in flight goes back to its lane, in order."""
        self._store.give_back(cast("Sequence[Message]", unanswered))
        self.kick()

    def on_expired(self, contexts: Sequence[object]) -> None:
        """No response came in time: the outcome is unknown, the message is tried again."""
        self._settle_failures([(cast("Message", context), _NO_RESPONSE) for context in contexts])

    def on_responses(self, link: Link, answered: Sequence[Answered]) -> None:
        """The carrier answered."""
        done: list[tuple[Message, bytes]] = []
        failures: list[tuple[Message, int]] = []
        read_id = link.carrier.response_id
        observe = self._metrics.submit_response_duration(link.carrier.name).observe
        now_ns = self._clock()
        run_ns, run = 0, 0
        for context, command_status, octets, sent_ns in answered:
            message = cast("Message", context)
            if command_status:
                failures.append((message, command_status))
            else:
                done.append((message, read_id(peek.c_octets_at(octets, HEADER_OCTETS))))
            if sent_ns != run_ns:
                if run:
                    observe((now_ns - run_ns) / NS, run)
                run_ns, run = sent_ns, 0
            run += 1
        observe((now_ns - run_ns) / NS, run)
        if failures:
            self._on_refused(link, failures, now_ns)
        if done:
            self._on_submitted(link, done)
        self.kick()

    def _on_submitted(self, link: Link, done: list[tuple[Message, bytes]]) -> None:
        carrier = link.carrier
        link.unsettled += len(done)

        def durable() -> None:
            link.unsettled -= len(done)
            self._metrics.messages_submitted(carrier.name, "ESME_ROK").add(len(done))
            accounts = self._accounts
            for message, _ in done:
                accounts[message.esme].queued -= 1
            self.kick()

        early = self._store.submitted(carrier.name, done, durable)
        if early:
            self._on_early_receipts(carrier, early)

    def _on_refused(self, link: Link, failures: list[tuple[Message, int]], now_ns: int) -> None:
        throttled: list[Message] = []
        others: list[tuple[Message, int]] = []
        for message, command_status in failures:
            self._metrics.messages_submitted(link.carrier.name, status_label(command_status)).add(1)
            if command_status in SLOW_DOWN:
                throttled.append(message)
            else:
                others.append((message, command_status))
        if throttled:
            link.pace.throttled(now_ns)
            self._metrics.throttled("carrier").add(len(throttled))
            self._store.give_back(throttled)
        self._settle_failures(others)

    def _settle_failures(self, failures: list[tuple[Message, int]]) -> None:
        """Try the temporary ones again later, give the others up."""
        hopeless: list[tuple[Message, int]] = []
        now_ns = self._clock()
        for message, command_status in failures:
            message.attempts += 1
            if is_temporary(command_status) and message.attempts < self._max_attempts:
                ready_ns = now_ns + (self._retry_delay_ns << (message.attempts - 1))
                heapq.heappush(self._later, (ready_ns, message.key, message))
            else:
                hopeless.append((message, command_status))
        if hopeless:
            self._give_up(hopeless)
        if self._later:
            self._pump.at(self._later[0][0])

    def _give_up(self, hopeless: list[tuple[Message, int]]) -> None:
        def durable() -> None:
            for message, _ in hopeless:
                self._accounts[message.esme].queued -= 1

        self._on_undeliverable(hopeless)
        self._store.failed([message for message, _ in hopeless], durable)

    # ---- sending --------------------------------------------------------------------------------------------

    def _top_up(self) -> None:
        now_ns = self._clock()
        while self._later and self._later[0][0] <= now_ns:
            self._store.give_back([heapq.heappop(self._later)[2]])
        if self._later:
            self._pump.at(self._later[0][0])
        for route, carriers in self._routes:
            if not any(map(self._store.waiting, route.lanes)):
                continue
            for carrier in carriers:
                if carrier.up:
                    self._feed(carrier, route, now_ns)
                    break

    def _feed(self, carrier: Carrier, route: Route, now_ns: int) -> None:
        store = self._store
        for link in carrier.transmitters:
            free = link.free
            if free <= 0:
                continue
            if carrier.bucket is not None:
                free = min(free, carrier.bucket.available(now_ns))
                if free == 0:
                    self._pump.at(carrier.bucket.ready_at(now_ns))
                    return
            free = min(free, sum(map(store.waiting, route.lanes)))
            if free == 0:
                return
            granted = link.pace.take(free, now_ns)
            if granted == 0:
                self._pump.at(link.pace.ready_at(now_ns))
                continue
            batch: list[Message] = []
            for lane in route.lanes:
                if len(batch) < granted:
                    batch += store.take(lane, granted - len(batch))
            if carrier.bucket is not None:
                carrier.bucket.take(len(batch), now_ns)
            self._send(link, batch, now_ns)

    def _send(self, link: Link, batch: list[Message], now_ns: int) -> None:
        session = link.connection.session
        if session.peer_version < InterfaceVersion.V3_4:
            requests = self._plain(batch)
        else:
            requests = [(message.command_id, message.body, message) for message in batch]
        session.send_requests(requests, now_ns)
        link.connection.flush()

    def _plain(self, batch: list[Message]) -> list[tuple[int, bytes, Message]]:
        """A 3.3 peer takes no optional parameters and no data_sm: cut the former, give up the latter."""
        hopeless: list[tuple[Message, int]] = []
        plain = []
        for message in batch:
            match = peek.SHORT_MESSAGE.match(message.body)
            if message.command_id != CommandId.SUBMIT_SM or match is None:
                hopeless.append((message, CommandStatus.ESME_RINVCMDID))
                continue
            end = match.end() + match[6][4]
            if match[6][4] == 0 and len(message.body) > end:
                hopeless.append((message, CommandStatus.ESME_RINVMSGLEN))  # its text is in message_payload
                continue
            plain.append((message.command_id, message.body[:end], message))
        if hopeless:
            self._give_up(hopeless)
        return plain

    def close(self) -> None:
        """Send nothing more."""
        self._pump.close()
