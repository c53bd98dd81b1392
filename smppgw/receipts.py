"""What carriers send us: receipts find their message and its ESME, messages of handsets the owner of the number.

Hot path: a batch of deliver_sm becomes one `Store.receive`, and is answered when that is durable.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from smppgw import notice as notices
from smppgw.carriers import Carrier, Link
from smppgw.metrics import Metrics
from smppgw.pdu.constants import HEADER_OCTETS, RESPONSE_BIT, CommandId, CommandStatus, MessageState
from smppgw.pdu.framing import Frame
from smppgw.pdu.receipt import STAT_OF_STATE
from smppgw.routing import Router
from smppgw.session.timers import NS
from smppgw.store.api import Store
from smppgw.store.entries import Delivery, EarlyReceipt, Message

EARLY_SECONDS: Final = 600
"""How long a receipt is held for a message that is not known: ten minutes, by the operators' own practice."""

_DELIVER_SM: Final = int(CommandId.DELIVER_SM)
_ALERT_NOTIFICATION: Final = int(CommandId.ALERT_NOTIFICATION)
_RESPONSE: Final = struct.Struct(">IIIIx")
"""deliver_sm_resp and data_sm_resp: a header and an empty message_id."""
_HEADER: Final = struct.Struct(">IIII")


class Receipts:
    """Takes batches of requests from carriers."""

    def __init__(
        self,
        router: Router,
        store: Store,
        metrics: Metrics,
        logger: Any,
        *,
        clock: Callable[[], int],
        wall_clock: Callable[[], datetime],
        on_deliveries: Callable[[], None],
    ) -> None:
        self._router = router
        self._store = store
        self._metrics = metrics
        self._log = logger
        self._clock = clock
        self._wall_clock = wall_clock
        self._on_deliveries = on_deliveries

    def take_in(self, link: Link, frames: list[Frame]) -> None:
        """Decide about a batch; each request is answered when what it says is durable."""
        carrier = link.carrier
        now_ns = self._clock()
        deliveries: list[Delivery] = []
        early: list[EarlyReceipt] = []
        responses: list[bytes] = []
        refusals: list[bytes] = []
        full = self._store.full
        for command_id, _, sequence_number, octets in frames:
            if command_id == _ALERT_NOTIFICATION:
                self._log.info("alert_notification", carrier=carrier.name)
                continue
            status = 0
            if full:
                status = CommandStatus.ESME_RMSGQFUL
            else:
                body = octets[HEADER_OCTETS:]
                said = notices.read(command_id, body)
                if said is None:
                    status = CommandStatus.ESME_RINVCMDLEN
                elif type(said) is notices.Notice:
                    self._take_receipt(carrier, said, command_id, body, now_ns, deliveries, early)
                else:
                    status = self._take_inbound(carrier, said, command_id, body, deliveries)
            if status:
                refusals.append(
                    _HEADER.pack(HEADER_OCTETS, command_id | RESPONSE_BIT, status, sequence_number)
                )
            else:
                responses.append(_RESPONSE.pack(17, command_id | RESPONSE_BIT, 0, sequence_number))
        if refusals:
            link.connection.session.send_responses(refusals)
        if not responses:
            return

        def durable() -> None:
            link.connection.session.send_responses(responses)
            link.connection.flush()

        if early:
            self._hold(carrier, early)
        self._store.receive(deliveries, durable)
        if deliveries:
            self._on_deliveries()

    def _take_receipt(
        self,
        carrier: Carrier,
        said: notices.Notice,
        command_id: int,
        body: bytes,
        now_ns: int,
        deliveries: list[Delivery],
        early: list[EarlyReceipt],
    ) -> None:
        carrier_id = carrier.receipt_id(said.carrier_id)
        message = self._store.find(carrier.name, carrier_id)
        if message is None:
            early.append(EarlyReceipt(carrier_id, command_id, body, now_ns))
        else:
            self._settle(carrier, carrier_id, message, said, now_ns, deliveries)

    def _settle(
        self,
        carrier: Carrier,
        carrier_id: bytes,
        message: Message,
        said: notices.Notice,
        now_ns: int,
        deliveries: list[Delivery],
    ) -> None:
        """A receipt has found its message."""
        state = said.state
        self._metrics.receipts(carrier.name, STAT_OF_STATE[MessageState(state)]).add(1)
        if state in notices.FINAL:
            self._metrics.delivery_duration(carrier.name).observe((now_ns - message.accepted_ns) / NS)
            self._store.forget(carrier.name, (carrier_id,))
        if notices.wanted(message.registered_delivery, state, intermediate=said.intermediate):
            body, tlv_at = notices.rewritten(said, message.message_id)
            deliveries.append(Delivery(message.esme, "receipt", _DELIVER_SM, body, tlv_at))

    def _take_inbound(
        self,
        carrier: Carrier,
        said: notices.Inbound,
        command_id: int,
        body: bytes,
        deliveries: list[Delivery],
    ) -> int:
        self._metrics.mo(carrier.name).add(1)
        destination = said.destination.decode("latin-1")
        owner = self._router.owner(destination)
        if owner is None:
            self._log.warning("mo_unowned", carrier=carrier.name, destination_addr=destination)
            return CommandStatus.ESME_RX_P_APPN
        deliveries.append(Delivery(owner, "mo", command_id, body, said.tlv_at))
        return CommandStatus.ESME_ROK

    def _hold(self, carrier: Carrier, early: list[EarlyReceipt]) -> None:
        dropped = self._store.hold(carrier.name, early, lambda: None)
        if dropped:
            self._orphaned(carrier.name, dropped)

    def settle_early(self, carrier: Carrier, found: Sequence[tuple[Message, EarlyReceipt]]) -> None:
        """Messages have become known for which receipts were held."""
        deliveries: list[Delivery] = []
        now_ns = self._clock()
        for message, receipt in found:
            said = notices.read(receipt.command_id, receipt.body)
            if isinstance(said, notices.Notice):
                self._settle(carrier, receipt.carrier_id, message, said, now_ns, deliveries)
        if deliveries:
            self._store.receive(deliveries, lambda: None)
            self._on_deliveries()

    def expire_early(self) -> None:
        """Count and forget the receipts that were held long enough; call it now and then."""
        before_ns = self._clock() - EARLY_SECONDS * NS
        for carrier, count in self._store.expire_held(before_ns).items():
            self._orphaned(carrier, count)

    def _orphaned(self, carrier: str, count: int) -> None:
        self._metrics.receipts_orphaned(carrier).add(count)
        self._log.warning("receipt_orphaned", carrier=carrier, count=count)

    def undeliverable(self, failures: Sequence[tuple[Message, int]]) -> None:
        """Messages that no carrier takes: those who asked for it are told (SMPP v3.4 section 5.2.17)."""
        deliveries = []
        for message, command_status in failures:
            state = MessageState.UNDELIVERABLE
            if notices.wanted(message.registered_delivery, state, intermediate=False):
                err = b"%03X" % command_status if command_status <= 0xFFF else b"000"
                body, tlv_at = notices.own(
                    message.command_id, message.message_id, message.body, state, err, self._wall_clock()
                )
                deliveries.append(Delivery(message.esme, "receipt", _DELIVER_SM, body, tlv_at))
        if deliveries:
            self._store.receive(deliveries, lambda: None)
            self._on_deliveries()
