"""What carriers send us: receipts find their message and its ESME; messages of handsets are `Handsets`' business.

Hot path: a batch of deliver_sm becomes one `Store.receive`, and is answered when that is durable.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, TypeAlias

from smppgw import notice as notices
from smppgw import telling
from smppgw.carriers import Carrier, Link
from smppgw.early import EarlyReceipts, from_handset
from smppgw.finding import Finding
from smppgw.handsets import Handsets
from smppgw.metrics import Metrics, status_label
from smppgw.notice import Notice
from smppgw.orphans import Orphans
from smppgw.pdu import codec
from smppgw.pdu.constants import HEADER_OCTETS, RESPONSE_BIT, CommandId, CommandStatus
from smppgw.pdu.errors import PduError
from smppgw.pdu.framing import Frame
from smppgw.settling import DELIVER_SM, Settled, Settling
from smppgw.store.api import Store
from smppgw.store.entries import Held, Message

DELIVER_SM_RESP: Final = DELIVER_SM | RESPONSE_BIT
_ALERT_NOTIFICATION: Final = int(CommandId.ALERT_NOTIFICATION)
_RESPONSE: Final = struct.Struct(">IIIIx")
"""deliver_sm_resp and data_sm_resp: a header and an empty message_id."""
_HEADER: Final = struct.Struct(">IIII")

_Received: TypeAlias = tuple[Link, Frame]


class _Batch(Settled):
    """What has been read out of the requests that arrived together."""

    __slots__ = ("alerts", "early", "recalled", "without_id")

    def __init__(self, carrier: str, now_ns: int, *, recalled: bool = False) -> None:
        super().__init__(carrier, now_ns)
        self.recalled = recalled
        """Whether the store has been asked: what `find` does not know now is known to nobody."""
        self.early: list[Held] = []
        self.without_id: list[Held] = []
        self.alerts = 0


class Receipts:
    """Takes batches of requests from carriers."""

    def __init__(
        self,
        store: Store,
        settling: Settling,
        finding: Finding,
        early: EarlyReceipts,
        handsets: Handsets,
        orphans: Orphans,
        metrics: Metrics,
        logger: Any,
        *,
        clock: Callable[[], int],
        on_deliveries: Callable[[], None],
    ) -> None:
        """`on_deliveries` is called when what is to go to ESMEs is durable."""
        self._store = store
        self._settling = settling
        self._finding = finding
        self._early = early
        self._handsets = handsets
        self._orphans = orphans
        self._metrics = metrics
        self._log = logger
        self._clock = clock
        self._on_deliveries = on_deliveries
        self._recalling: defaultdict[str, dict[bytes, list[_Received]]] = defaultdict(dict)
        """By carrier, and the id in receipts about a message that the store looks for: what waits for it."""

    # ---- batches of a carrier -------------------------------------------------------------------------------

    def take_in(self, link: Link, frames: Sequence[Frame]) -> None:
        """Decide about a batch; each request is answered when what it says is durable.

        A receipt whose message is not at hand waits until the store has looked for it, and those behind it that are
        about the same message wait with it.
        """
        self._take_in(link, frames, recalled=False)

    def _take_in(self, link: Link, frames: Sequence[Frame], *, recalled: bool) -> None:
        carrier = link.carrier
        session = link.connection.session
        full = self._store.full
        recalling = self._recalling[carrier.name]
        # Nothing stands in the way: no full store, no receipt that waits for the store, no form of ids to be learnt.
        is_usual = not full and not recalling and carrier.ids.settled
        batch = _Batch(carrier.name, self._clock(), recalled=recalled)
        take_usual = self._usual_taker(batch, carrier)
        responses: list[bytes] = []
        refusals: list[bytes] = []
        missing: list[bytes] = []
        waiting: list[_Received] = []
        for frame in frames:
            command_id, _, sequence_number, octets = frame
            if command_id == _ALERT_NOTIFICATION:
                batch.alerts += 1
                continue
            body = octets[HEADER_OCTETS:]
            if is_usual and command_id == DELIVER_SM and take_usual(body):
                responses.append(_RESPONSE.pack(17, DELIVER_SM_RESP, 0, sequence_number))
                continue
            said = notices.read(command_id, body)
            status = 0
            if full:
                status = CommandStatus.ESME_RMSGQFUL
            elif isinstance(said, Notice):
                written = said.carrier_id
                if written in recalling:
                    recalling[written].append((link, frame))
                    continue
                key, message = self._finding.find(carrier, said)
                if self._must_look(batch, message, carrier, said):
                    missing.append(written)
                    waiting.append((link, frame))
                    recalling[written] = waiting
                    is_usual = False  # what is about the same message waits with it
                    continue
                status = self._take_receipt(batch, carrier, key, message, said, command_id, body)
            elif said is None:
                status = self._why_unreadable(octets)
            else:
                status = self._handsets.take(batch, said, command_id, body)
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

        self._keep(batch, answer if responses or refusals else None)
        self._report(batch)
        if missing:
            self._look(carrier, missing, waiting)

    def _usual_taker(self, batch: _Batch, carrier: Carrier) -> Callable[[bytes], bool]:
        """Return what settles a receipt in which nothing is out of the ordinary, and leaves any other alone.

        Hot path: what it needs is looked up once for the batch.
        """
        read_usual, verdict_of, key_of = notices.read_usual, carrier.verdicts.of, carrier.ids.receipt
        find, settle, name = self._store.find, self._settling.settle_usual, batch.carrier
        least_octets = carrier.ids.least_octets

        def take(body: bytes) -> bool:
            usual = read_usual(body)
            if usual is None:
                return False
            written, straight, words = usual
            verdict = verdict_of(words)
            if not verdict or len(written) < least_octets:
                return False
            key = key_of(written)
            message = find(name, key)
            return message is not None and settle(batch, key, message, straight, verdict)

        return take

    def _must_look(self, batch: _Batch, message: Message | None, carrier: Carrier, said: Notice) -> bool:
        """Whether the store has to be asked before anything can be said of a receipt."""
        if batch.recalled or not said.carrier_id:
            return False
        if message is None:
            return not self._finding.is_repeat(carrier, said)
        return message.parts > 1 and not self._settling.parts.knows(message)

    def _look(self, carrier: Carrier, missing: Sequence[bytes], waiting: list[_Received]) -> None:
        """Have the store look for messages, then take in the receipts that wait for them, in their order."""
        name, find = carrier.name, self._store.find
        keys = self._finding.keys(carrier, missing)

        def recalled() -> None:
            found = [message for key in keys if (message := find(name, key)) is not None]
            known = [key for key in keys if find(name, key) is not None]
            self._settling.parts.learn(
                [message for message in found if message.parts > 1], partial(learnt, known)
            )

        def learnt(known: Sequence[bytes]) -> None:
            # A checkpoint in between may have taken from memory what had been found.
            away = [key for key in known if find(name, key) is None]
            if away:
                self._store.recall(name, away, then)
            else:
                then()

        def then() -> None:
            recalling = self._recalling[name]
            for written in missing:
                del recalling[written]
            for link, received in groupby(waiting, key=itemgetter(0)):
                self._take_in(link, [frame for _, frame in received], recalled=True)

        away = [key for key in keys if find(name, key) is None]
        if away:
            self._store.recall(name, away, recalled)
        else:
            recalled()

    # ---- one receipt ----------------------------------------------------------------------------------------

    def _take_receipt(
        self,
        batch: _Batch,
        carrier: Carrier,
        key: bytes,
        message: Message | None,
        said: Notice,
        command_id: int,
        body: bytes,
    ) -> int:
        """Decide about one; return the command_status that its carrier is told."""
        if message is not None:
            if not said.flagged and not telling.is_about(said, message.envelope):
                return self._handsets.take(batch, from_handset(said, command_id, body), command_id, body)
            if self._handsets.is_overfull(batch, message.esme):
                return CommandStatus.ESME_RMSGQFUL
            self._settling.settle(batch, carrier, key, message, said)
            return 0
        written = said.carrier_id
        if not written:
            batch.without_id.append(Held(b"", command_id, body, batch.now_ns))
        elif key in batch.finished or self._finding.is_repeat(carrier, said):
            batch.repeated += 1
        else:
            batch.early.append(Held(carrier.ids.hold_under(written), command_id, body, batch.now_ns))
        return 0

    def _why_unreadable(self, octets: bytes) -> int:
        """The status for a deliver_sm whose mandatory fields cannot be read: what the codec says of it."""
        try:
            codec.decode(octets)
        except PduError as error:
            self._metrics.pdu_errors("carrier", status_label(error.command_status)).add(1)
            return error.command_status
        return CommandStatus.ESME_RSYSERR

    # ---- what becomes of a batch ----------------------------------------------------------------------------

    def _keep(self, batch: _Batch, answer: Callable[[], None] | None) -> None:
        """Hand the batch to the store; the ESMEs are served, and the carrier answered, when it is durable."""
        name = batch.carrier
        self._settling.count(batch)
        deliveries = batch.deliveries
        if batch.early:
            self._early.hold(batch, batch.early)
        if batch.without_id:
            deliveries += self._orphans.deliveries(name, batch.without_id, "no_id", deliveries, batch.now_ns)
        if answer is None:
            return

        def durable() -> None:
            answer()
            if deliveries:
                self._on_deliveries()

        self._store.receive(name, deliveries, tuple(batch.finished.items()), durable)

    def _report(self, batch: _Batch) -> None:
        """Log what is out of the ordinary: a line for each kind, with its count."""
        name = batch.carrier
        if batch.alerts:
            self._log.info("alert_notification", carrier=name, count=batch.alerts)
        self._handsets.report(batch)
