"""What carriers send us: receipts find their message and its ESME, messages of handsets the owner of the number.

Hot path: a batch of deliver_sm becomes one `Store.receive`, and is answered when that is durable.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, TypeAlias

from smppgw import notice as notices
from smppgw.accounts import Account
from smppgw.carriers import Carrier, Link
from smppgw.metrics import Metrics, status_label
from smppgw.pdu import codec
from smppgw.pdu.constants import HEADER_OCTETS, RESPONSE_BIT, CommandId, CommandStatus, MessageState
from smppgw.pdu.errors import PduError
from smppgw.pdu.framing import Frame
from smppgw.routing import Router
from smppgw.session.timers import NS
from smppgw.store.api import Store
from smppgw.store.entries import Delivery, EarlyReceipt, Message

EARLY_SECONDS: Final = 600
"""How long a receipt is held for a message that is not known: ten minutes, by the operators' own practice."""

UNOWNED_LINE_SECONDS: Final = 60
"""A carrier's messages to numbers that are nobody's are logged at most this often."""

_ALERT_NOTIFICATION: Final = int(CommandId.ALERT_NOTIFICATION)
_RESPONSE: Final = struct.Struct(">IIIIx")
"""deliver_sm_resp and data_sm_resp: a header and an empty message_id."""
_HEADER: Final = struct.Struct(">IIII")

_Received: TypeAlias = tuple[Link, Frame]


class _Batch:
    """What has been read out of the requests that arrived together."""

    __slots__ = (
        "alerts",
        "carrier",
        "deliveries",
        "durations",
        "early",
        "finished",
        "mo",
        "now_ns",
        "overfull",
        "repeated",
        "states",
        "without_id",
    )

    def __init__(self, carrier: Carrier, now_ns: int) -> None:
        self.carrier = carrier
        self.now_ns = now_ns
        self.deliveries: list[Delivery] = []
        self.early: list[EarlyReceipt] = []
        self.overfull: dict[str, bool] = {}
        """Whether an ESME has so much waiting that it gets no more, as far as that was asked."""
        self.finished: dict[bytes, int] = {}
        """The carrier's ids of which nothing more is expected, in their order, with their last message_state."""
        self.states: dict[int, int] = {}
        self.durations: dict[int, int] = {}
        """How many final receipts there are for messages accepted at one moment."""
        self.mo = 0
        self.alerts = 0
        self.repeated = 0
        """Receipts for what another one of the batch has finished."""
        self.without_id = 0


class _Unowned:
    """What one carrier has sent for numbers that are nobody's, and when that was last logged."""

    __slots__ = ("count", "logged_ns")

    def __init__(self) -> None:
        self.count = 0
        self.logged_ns: int | None = None


class Receipts:
    """Takes batches of requests from carriers."""

    def __init__(
        self,
        router: Router,
        store: Store,
        accounts: Mapping[str, Account],
        metrics: Metrics,
        logger: Any,
        *,
        clock: Callable[[], int],
        wall_clock: Callable[[], datetime],
        on_deliveries: Callable[[], None],
    ) -> None:
        self._router = router
        self._store = store
        self._accounts = accounts
        self._metrics = metrics
        self._log = logger
        self._clock = clock
        self._wall_clock = wall_clock
        self.on_deliveries = on_deliveries
        """To be called when deliveries of `early` or `own` are durable."""
        self._unowned: defaultdict[str, _Unowned] = defaultdict(_Unowned)
        self._recalling: defaultdict[str, dict[bytes, list[_Received]]] = defaultdict(dict)
        """By carrier, and its id of a message that the store looks for: the receipts that wait for it."""

    def take_in(self, link: Link, frames: Sequence[Frame]) -> None:
        """Decide about a batch; each request is answered when what it says is durable.

        A receipt whose message is not at hand waits until the store has looked for it, and those behind it that are
        about the same message wait with it.
        """
        self._take_in(link, frames, recalled=False)

    def _take_in(self, link: Link, frames: Sequence[Frame], *, recalled: bool) -> None:
        """Decide about a batch; `recalled` says that what `find` does not know now is known to nobody."""
        carrier = link.carrier
        session = link.connection.session
        batch = _Batch(carrier, self._clock())
        responses: list[bytes] = []
        refusals: list[bytes] = []
        full = self._store.full
        find = self._store.find
        name, read_id = carrier.name, carrier.receipt_id
        recalling = self._recalling[name]
        unknown: list[bytes] = []
        waiting: list[_Received] = []
        for frame in frames:
            command_id, _, sequence_number, octets = frame
            if command_id == _ALERT_NOTIFICATION:
                batch.alerts += 1
                continue
            body = octets[HEADER_OCTETS:]
            said = notices.read(command_id, body)
            status = 0
            if full:
                status = CommandStatus.ESME_RMSGQFUL
            elif isinstance(said, notices.Notice):
                carrier_id = read_id(said.carrier_id)
                if not carrier_id:
                    batch.without_id += 1
                elif carrier_id in recalling:
                    recalling[carrier_id].append((link, frame))
                    continue
                elif (message := find(name, carrier_id)) is None:
                    if not recalled:
                        unknown.append(carrier_id)
                        waiting.append((link, frame))
                        recalling[carrier_id] = waiting
                        continue
                    batch.early.append(EarlyReceipt(carrier_id, command_id, body, batch.now_ns))
                elif carrier_id in batch.finished:
                    batch.repeated += 1
                elif self._is_overfull(batch, message.esme):
                    status = CommandStatus.ESME_RMSGQFUL
                else:
                    self._settle(batch, carrier_id, message, said)
            elif said is None:
                status = self._why_unreadable(octets)
            else:
                status = self._take_from_handset(batch, said, command_id, body)
            if status:
                refusals.append(
                    _HEADER.pack(HEADER_OCTETS, command_id | RESPONSE_BIT, status, sequence_number)
                )
            else:
                responses.append(_RESPONSE.pack(17, command_id | RESPONSE_BIT, 0, sequence_number))
        if refusals:
            session.send_responses(refusals)

        def answer() -> None:
            session.send_responses(responses)
            link.connection.flush()

        if responses or refusals:
            self._keep(batch, answer)
        self._report(batch)
        if unknown:
            self._recall(name, unknown, waiting)

    def _recall(self, carrier: str, carrier_ids: list[bytes], waiting: list[_Received]) -> None:
        """Have the store look for messages, then take in the receipts that wait for them, in their order."""

        def then() -> None:
            recalling = self._recalling[carrier]
            for carrier_id in carrier_ids:
                del recalling[carrier_id]
            for link, received in groupby(waiting, key=itemgetter(0)):
                self._take_in(link, [frame for _, frame in received], recalled=True)

        self._store.recall(carrier, carrier_ids, then)

    def _report(self, batch: _Batch) -> None:
        """Log what is out of the ordinary: a line for each kind, with its count."""
        name = batch.carrier.name
        if batch.alerts:
            self._log.info("alert_notification", carrier=name, count=batch.alerts)
        if batch.repeated:
            self._orphaned(name, batch.repeated)
        if batch.without_id:
            self._metrics.receipts_orphaned(name).add(batch.without_id)
            self._log.warning("receipt_without_id", carrier=name, count=batch.without_id)

    def _keep(self, batch: _Batch, answer: Callable[[], None]) -> None:
        """Hand the batch to the store; the ESMEs are served, and the carrier answered, when it is durable."""
        name = batch.carrier.name
        self._count(batch)
        if batch.mo:
            self._metrics.mo(name).add(batch.mo)
        if batch.early:
            dropped = self._store.hold(name, batch.early)
            if dropped:
                self._orphaned(name, dropped)

        def durable() -> None:
            answer()
            if batch.deliveries:
                self.on_deliveries()

        self._store.receive(name, batch.deliveries, tuple(batch.finished.items()), durable)

    def _count(self, batch: _Batch) -> None:
        """Count the receipts that have found their messages."""
        name = batch.carrier.name
        for state, count in batch.states.items():
            self._metrics.receipts(name, notices.STATES[state]).add(count)
        observe = self._metrics.delivery_duration(name).observe
        for accepted_ns, count in batch.durations.items():
            observe((batch.now_ns - accepted_ns) / NS, count)

    def _settle(self, batch: _Batch, carrier_id: bytes, message: Message, said: notices.Notice) -> None:
        """A receipt has found its message."""
        state = said.state
        batch.states[state] = batch.states.get(state, 0) + 1
        if state in notices.FINAL:
            accepted_ns = message.accepted_ns
            batch.durations[accepted_ns] = batch.durations.get(accepted_ns, 0) + 1
            batch.finished[carrier_id] = state
        if notices.wanted(message.registered_delivery, state, intermediate=said.intermediate):
            command_id, body, tlv_at = notices.rewritten(said, message.message_id)
            batch.deliveries.append(Delivery(message.esme, "receipt", command_id, body, tlv_at))

    def _take_from_handset(
        self, batch: _Batch, said: notices.FromHandset, command_id: int, body: bytes
    ) -> int:
        batch.mo += 1
        destination = said.destination.decode("latin-1")
        owner = self._router.owner(destination)
        if owner is None:
            self._count_unowned(batch, destination)
            return CommandStatus.ESME_RX_P_APPN
        if self._is_overfull(batch, owner):
            return CommandStatus.ESME_RMSGQFUL
        batch.deliveries.append(Delivery(owner, "mo", command_id, body, said.tlv_at))
        return CommandStatus.ESME_ROK

    def _count_unowned(self, batch: _Batch, destination: str) -> None:
        """Log a message that is nobody's, with how many there have been since the last line."""
        unowned = self._unowned[batch.carrier.name]
        unowned.count += 1
        last_ns = unowned.logged_ns
        if last_ns is None or batch.now_ns - last_ns >= UNOWNED_LINE_SECONDS * NS:
            self._log.warning(
                "mo_unowned",
                carrier=batch.carrier.name,
                destination_addr=destination,
                count=unowned.count,
            )
            unowned.count, unowned.logged_ns = 0, batch.now_ns

    def _is_overfull(self, batch: _Batch, esme: str) -> bool:
        """Whether so much waits for this ESME that the carrier is to keep the rest."""
        overfull = batch.overfull.get(esme)
        if overfull is None:
            account = self._accounts.get(esme)  # none for a message of an ESME that is configured no more
            overfull = batch.overfull[esme] = (
                account is not None and self._store.waiting_deliveries(esme) >= account.settings.max_waiting
            )
        return overfull

    def _why_unreadable(self, octets: bytes) -> int:
        """The status for a deliver_sm whose mandatory fields cannot be read: what the codec says of it."""
        try:
            codec.decode(octets)
        except PduError as error:
            self._metrics.pdu_errors("carrier", status_label(error.command_status)).add(1)
            return error.command_status
        return CommandStatus.ESME_RSYSERR

    def early(
        self, carrier: Carrier, answered: Sequence[tuple[Message, bytes]], held: Sequence[EarlyReceipt]
    ) -> tuple[list[Delivery], list[tuple[bytes, int]]]:
        """Return what comes of receipts that were held for messages of `answered`, as `Store.submitted` takes it."""
        batch = _Batch(carrier, self._clock())
        messages = {carrier_id: message for message, carrier_id in answered}
        for receipt in held:
            said = notices.read(receipt.command_id, receipt.body)
            if isinstance(said, notices.Notice):
                self._settle(batch, receipt.carrier_id, messages[receipt.carrier_id], said)
        self._count(batch)
        return batch.deliveries, list(batch.finished.items())

    def expire_early(self) -> None:
        """Count and forget the receipts that were held long enough; call it now and then."""
        before_ns = self._clock() - EARLY_SECONDS * NS
        for carrier, count in self._store.expire_held(before_ns).items():
            self._orphaned(carrier, count)

    def _orphaned(self, carrier: str, count: int) -> None:
        self._metrics.receipts_orphaned(carrier).add(count)
        self._log.warning("receipt_orphaned", carrier=carrier, count=count)

    def own(self, ended: Sequence[tuple[Message, int]], state: MessageState) -> list[Delivery]:
        """Return receipts for those who asked for one, of messages that come to that state here (v3.4 5.2.17).

        Beside each message stands the command_status that has ended it, 0 for none.
        """
        deliveries = []
        for message, command_status in ended:
            if notices.wanted(message.registered_delivery, state, intermediate=False):
                err = b"%03X" % command_status if command_status <= 0xFFF else b"000"
                command_id, body, tlv_at = notices.own(
                    message.command_id, message.message_id, message.body, state, err, self._wall_clock()
                )
                deliveries.append(Delivery(message.esme, "receipt", command_id, body, tlv_at))
        return deliveries
