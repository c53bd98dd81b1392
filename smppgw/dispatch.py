"""Takes messages from their lanes to the carriers: who may have how many now, and what each answer means.

Hot path: one pass of `_top_up` fills every window with one write a connection, whatever has happened since the last.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final, cast

from smppgw.carriers import Carrier, Link
from smppgw.early import EarlyReceipts
from smppgw.error_classes import Meanings
from smppgw.lines import Outlet
from smppgw.metrics import Metrics, status_label
from smppgw.pacing import Pacing
from smppgw.pdu import peek
from smppgw.pdu.constants import HEADER_OCTETS, CommandId, CommandStatus, InterfaceVersion, MessageState
from smppgw.pump import Pump
from smppgw.quotas import Quotas
from smppgw.retries import NO_RESPONSE, Retries, slows_down
from smppgw.session.events import Answered
from smppgw.session.timers import NS
from smppgw.settling import Settling
from smppgw.store.api import Store
from smppgw.store.entries import Delivery, Message, Outcome
from smppgw.submission import with_time_left
from smppgw.throttle.bucket import Bucket
from smppgw.throttle.day_cap import DayCap
from smppgw.throttle.registry import Reason

_MAY_NOT_SEND: Final = Outcome(
    int(MessageState.REJECTED), "permanent_sender", f"{CommandStatus.ESME_RINVSRCADR:03X}"
)

_TOO_LONG: Final = Outcome(int(MessageState.REJECTED), "cap", f"{CommandStatus.ESME_RINVMSGLEN:03X}")


class Dispatch:
    """Sends what stands in the lanes."""

    def __init__(
        self,
        store: Store,
        carriers: Mapping[str, Carrier],
        outlets: Sequence[Outlet],
        pacing: Pacing,
        quotas: Quotas,
        early: EarlyReceipts,
        settling: Settling,
        metrics: Metrics,
        *,
        clock: Callable[[], int],
        max_attempts: int,
        retry_delay: float,
        on_expired: Callable[[list[Message]], None],
        on_deliveries: Callable[[], None],
    ) -> None:
        """`on_expired` gets what was to be sent and whose validity is over.

        `on_deliveries` is called when receipts for ESMEs are durable.
        """
        self._quotas = quotas
        self._on_deliveries = on_deliveries
        self._store = store
        self._carriers = carriers
        self._outlets = [
            (outlet, [carriers[name] for name in outlet.carriers if name in carriers]) for outlet in outlets
        ]
        self._pacing = pacing
        pacing.on_refused = self._refuse
        self._early = early
        self._settling = settling
        self._metrics = metrics
        self._clock = clock
        self._retries = Retries(max_attempts, retry_delay)
        self._give_to_expire = on_expired
        self._pump = Pump(self._top_up, clock)
        self.kick = self._pump.kick
        """Something may be sent: look once this turn of the loop is over."""
        self._turn = 0

    # ---- what may have changed ------------------------------------------------------------------------------

    @property
    def in_flight(self) -> int:
        """Messages that a carrier has not answered, or whose answer is not durable."""
        return sum(carrier.in_flight() for carrier in self._carriers.values())

    def on_closed(self, unanswered: Sequence[object]) -> None:
        """A connection ended: what was in flight goes back to its lane, in order."""
        self._store.give_back(_unsettled(cast("Sequence[Message]", unanswered)))
        self.kick()

    def on_expired(self, contexts: Sequence[object]) -> None:
        """No response came in time: the outcome is unknown, the message is tried again."""
        messages = _unsettled(cast("Sequence[Message]", contexts))
        self._on_failed([(message, NO_RESPONSE) for message in messages])
        self.kick()

    def on_late(self, link: Link, answered: Sequence[Answered]) -> None:
        """Answers to requests whose time was over: one that is good settles its message, if nothing else has.

        The message may stand in its lane again, or aside, or be on its way to a carrier once more.
        """
        done: dict[int, Message] = {}
        written: list[bytes] = []
        for message, command_status, octets, _ in cast("Sequence[tuple[Message, int, bytes, int]]", answered):
            if not command_status and message.body and message.key not in done:
                done[message.key] = message
                written.append(peek.c_octets_at(octets, HEADER_OCTETS))
        if done:
            self._on_submitted(link, list(done.values()), written)

    def on_responses(self, link: Link, answered: Sequence[Answered]) -> None:
        """The carrier answered."""
        done: list[Message] = []
        written: list[bytes] = []
        failures: list[tuple[Message, int]] = []
        observe = self._metrics.submit_response_duration(link.carrier.name).observe
        now_ns = self._clock()
        run_ns, run = 0, 0
        for context, command_status, octets, sent_ns in answered:
            message = cast("Message", context)
            if not message.body:
                pass  # a late answer to an earlier attempt has settled it
            elif command_status:
                failures.append((message, command_status))
            else:
                done.append(message)
                end = octets.find(b"\0", HEADER_OCTETS)
                written.append(octets[HEADER_OCTETS:end] if end > 0 else octets[HEADER_OCTETS:])
            if sent_ns != run_ns:
                if run:
                    observe((now_ns - run_ns) / NS, run)
                run_ns, run = sent_ns, 0
            run += 1
        observe((now_ns - run_ns) / NS, run)
        if failures:
            self._on_refused(link, failures, now_ns)
        if done:
            self._on_submitted(link, done, written)
        self.kick()

    def _on_submitted(self, link: Link, done: list[Message], written: list[bytes]) -> None:
        """The carrier has these, under ids written so; receipts that came before their responses go with them."""
        carrier = link.carrier
        link.unsettled += len(done)
        answered = list(zip(done, carrier.ids.responses(written), strict=True))
        deliveries, finished = self._early.take(carrier, answered, written)

        def durable() -> None:
            link.unsettled -= len(done)
            self._metrics.messages_submitted(carrier.name, "ESME_ROK").add(len(done))
            if deliveries:
                self._on_deliveries()
            self.kick()

        self._store.submitted(carrier.name, answered, deliveries, finished, durable)

    def _on_refused(self, link: Link, failures: list[tuple[Message, int]], now_ns: int) -> None:
        throttled: list[Message] = []
        others: list[tuple[Message, Outcome]] = []
        for message, command_status in failures:
            self._metrics.messages_submitted(link.carrier.name, status_label(command_status)).add(1)
            outcome = _refusal(link.carrier.meanings, command_status)
            if slows_down(outcome):
                throttled.append(message)
            else:
                others.append((message, outcome))
        if throttled:
            link.pace.throttled(now_ns)
            self._metrics.throttled("carrier").add(len(throttled))
            self._store.give_back(throttled)
        self._on_failed(others)

    def _on_failed(self, failures: Sequence[tuple[Message, Outcome]]) -> None:
        """Try the temporary ones again later, give the others up."""
        waiting, hopeless = self._retries.failed(failures, self._clock())
        if waiting:
            self._store.defer(waiting)
            self._pump.at(min([message.due_ns for message in waiting]))
        if hopeless:
            self._give_up(hopeless)

    def _give_up(self, hopeless: list[tuple[Message, Outcome]]) -> None:
        def told(deliveries: list[Delivery]) -> None:
            def durable() -> None:
                if deliveries:
                    self._on_deliveries()
                self.kick()

            self._store.failed(hopeless, deliveries, durable)

        self._settling.own(hopeless, told)

    # ---- sending --------------------------------------------------------------------------------------------

    def _top_up(self) -> None:
        now_ns = self._clock()
        pacing = self._pacing
        next_ns = self._store.wake(now_ns)
        # What is due, and has no room yet, comes when others leave.
        if next_ns is not None and next_ns > now_ns:
            self._pump.at(next_ns)
        self._quotas.look_at_clock()
        pacing.begin(now_ns)
        self._turn += 1
        if self._store.may_leave:
            for name, outlets in self._work().items():
                self._feed(self._carriers[name], outlets, now_ns)
        pacing.end(now_ns)
        asked = pacing.asked()
        if asked:
            self._quotas.top_up(asked)
        if pacing.again:
            self.kick()
        if pacing.next_ns is not None:
            self._pump.at(pacing.next_ns)

    def _work(self) -> dict[str, list[Outlet]]:
        """Return the outlets in which something may be sent, by the carrier that takes it now.

        Outlets that share a carrier take turns, so that the backlog of one is not the wait of another.
        """
        work: dict[str, list[Outlet]] = {}
        turn = self._turn % len(self._outlets)
        for outlet, carriers in (*self._outlets[turn:], *self._outlets[:turn]):
            if outlet.turns or outlet.fresh:
                carrier = next((carrier for carrier in carriers if carrier.up), None)
                if carrier is not None:
                    work.setdefault(carrier.name, []).append(outlet)
        return work

    def _feed(self, carrier: Carrier, outlets: list[Outlet], now_ns: int) -> None:
        kept_back = hungry = False
        window = 0
        for link in carrier.transmitters:
            room = link.free
            window += carrier.settings.window
            for bucket in (carrier.bucket, link.bucket):
                if bucket is not None and room > 0:
                    room = min(room, bucket.available(now_ns))
                    if not room:
                        kept_back = True
                        self._kept_back(bucket, now_ns)
            if room <= 0:
                continue
            slowed = link.pace.limited
            allowed = link.pace.take(room, now_ns) if slowed else room
            if not allowed:
                kept_back = True
                self._pump.at(link.pace.ready_at(now_ns))
                continue
            batch = self._take(outlets, allowed, link.connection.write_room, now_ns)
            hungry = len(batch) < allowed and link.connection.write_room > 0
            if not batch:
                break
            if not slowed:
                link.pace.take(len(batch), now_ns)
            for bucket in (carrier.bucket, link.bucket):
                if bucket is not None:
                    bucket.spend(len(batch), now_ns)
            to_be_sent = self._to_be_sent(batch, now_ns)
            if to_be_sent:
                self._send(link, to_be_sent, now_ns)
        for outlet in outlets:
            # What waits for places in windows alone, and for no more than all of them, has them at the next answers.
            outlet.lingers = not kept_back and len(outlet.fresh) <= window
            outlet.hungry = hungry

    def _kept_back(self, bucket: Bucket, now_ns: int) -> None:
        """A carrier takes no more for now, by what the configuration says it may be sent."""
        self._metrics.throttled("carrier").add(1)
        self._pump.at(bucket.ready_at(now_ns))

    def _take(self, outlets: list[Outlet], most: int, octets: int, now_ns: int) -> list[Message]:
        """Take messages to be sent to one carrier: at most so many, of about so many octets, or one."""
        batch: list[Message] = []
        for place, outlet in enumerate(outlets):
            share = -(-(most - len(batch)) // (len(outlets) - place))
            taken = self._pacing.take(outlet, share, octets, now_ns)
            octets -= sum([len(message.body) for message in taken]) if place + 1 < len(outlets) else 0
            batch += taken
            if octets <= 0:
                break
        return batch

    def _to_be_sent(self, batch: Sequence[Message], now_ns: int) -> Sequence[Message]:
        """Leave out, and end, what has expired, and what has waited for an answer to its last attempt in vain.

        A data_sm with a validity says how much of it is left.
        """
        if not [each for each in batch if each.expires_ns or each.attempts or each.parts > 1]:
            return batch
        # By the time that a carrier says what has become of one, the other parts are known.
        self._settling.parts.learn([each for each in batch if each.parts > 1], _nothing)
        expired: list[Message] = []
        hopeless: list[tuple[Message, Outcome]] = []
        left: list[Message] = []
        for message in batch:
            if message.expires_ns and message.expires_ns <= now_ns:
                expired.append(message)
            elif self._retries.is_spent(message):
                hopeless.append((message, NO_RESPONSE))
            else:
                if message.expires_ns and message.command_id == CommandId.DATA_SM:
                    message.body = with_time_left(message.body, message.expires_ns - now_ns)
                left.append(message)
        if expired:
            self._give_to_expire(expired)
        if hopeless:
            self._give_up(hopeless)
        if len(left) < len(batch):
            self.kick()  # others may take their places
        return left

    def _send(self, link: Link, batch: Sequence[Message], now_ns: int) -> None:
        session = link.connection.session
        if session.peer_version < InterfaceVersion.V3_4:
            requests = self._plain(batch, link.carrier.meanings)
        else:
            requests = [(message.command_id, message.body, message) for message in batch]
        session.send_requests(requests, now_ns)
        link.connection.flush()

    def _plain(self, batch: Sequence[Message], meanings: Meanings) -> list[tuple[int, bytes, Message]]:
        """A 3.3 peer takes no optional parameters and no data_sm: cut the former, give up the latter."""
        hopeless: list[tuple[Message, Outcome]] = []
        plain = []
        for message in batch:
            match = peek.SHORT_MESSAGE.match(message.body)
            if message.command_id != CommandId.SUBMIT_SM or match is None:
                hopeless.append((message, _refusal(meanings, CommandStatus.ESME_RINVCMDID)))
                continue
            end = match.end() + match[6][4]
            if match[6][4] == 0 and len(message.body) > end:  # its text is in message_payload
                hopeless.append((message, _refusal(meanings, CommandStatus.ESME_RINVMSGLEN)))
                continue
            plain.append((message.command_id, message.body[:end], message))
        if hopeless:
            self._give_up(hopeless)
        return plain

    def has_room(self, cap: DayCap) -> None:
        """A cap that was used up may let more leave."""
        self._pacing.has_room(cap)
        self.kick()

    def _refuse(self, refused: Sequence[tuple[Message, Reason | None]]) -> None:
        """End messages that were accepted, and that may not be sent any more: see `Pacing`."""
        for reason, number in Counter(reason for _, reason in refused if reason is not None).items():
            self._metrics.senders_refused(reason).add(number)
        self._give_up([(each, _TOO_LONG if reason is None else _MAY_NOT_SEND) for each, reason in refused])

    def close(self) -> None:
        """Send nothing more; what is in flight is still settled."""
        self._pump.close()
        self._pacing.close()


def _unsettled(messages: Sequence[Message]) -> Sequence[Message]:
    """Leave out those that a late answer has settled."""
    return [message for message in messages if message.body]


def _refusal(meanings: Meanings, command_status: int) -> Outcome:
    return meanings.status(command_status, MessageState.UNDELIVERABLE)


def _nothing() -> None:
    """Nothing waits for what is asked now."""
