"""The receipts of the loopback SMSC: made, late as told, delivered to the ESME that submitted, and again if need be."""

from __future__ import annotations

import random
from collections import defaultdict, deque
from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias

from smppgw.library.bound import BoundEsme
from smppgw.library.delay_line import DelayLine
from smppgw.pdu._generated import DeliverSm, SubmitSm
from smppgw.pdu.codec import encode
from smppgw.pdu.constants import (
    HEADER_OCTETS,
    CommandId,
    DataCoding,
    EsmClass,
    MessageState,
    RegisteredDelivery,
    TlvTag,
)
from smppgw.pdu.receipt import format_receipt, receipt_date
from smppgw.session.errors import SessionError

Kind: TypeAlias = Literal["none", "success", "mixed"]

WAITING: Final = 100_000
"""Receipts that have been made and not yet been answered; above it no more messages should be taken."""

_MIX: Final = (
    (0.90, MessageState.DELIVERED),
    (0.95, MessageState.UNDELIVERABLE),
    (0.98, MessageState.EXPIRED),
    (1.00, MessageState.REJECTED),
)
_CAUSES: Final = {
    MessageState.DELIVERED: 0,
    MessageState.UNDELIVERABLE: 1,  # unknown subscriber
    MessageState.EXPIRED: 27,  # absent subscriber
    MessageState.REJECTED: 21,  # facility not supported
}
_GSM: Final = 3
"""network_type of network_error_code (SMPP v3.4 section 5.3.2.31)."""

_TEXT_CODINGS: Final = (DataCoding.DEFAULT, DataCoding.ASCII, DataCoding.LATIN_1)
"""Whose text a receipt in the default alphabet can repeat."""

Due: TypeAlias = tuple[BoundEsme, bytes]
"""Who submitted the message, and the body of its receipt."""


class Receipts:
    """The receipts of every ESME; the taker of their deliver_sm."""

    command_id = int(CommandId.DELIVER_SM)

    def __init__(self, kind: Kind, delay_seconds: float, rng: random.Random) -> None:
        self.made = self.answered_ok = self.refused = 0
        self._kind = kind
        self._rng = rng
        self._late: DelayLine[Due] = DelayLine(delay_seconds, self._deliver)
        self._receivers: defaultdict[str, list[BoundEsme]] = defaultdict(list)
        self._parked: defaultdict[str, deque[Due]] = defaultdict(deque)
        self._minute = 0
        self._date = b""

    @property
    def full(self) -> bool:
        """Whether too many receipts wait for their time, a bind or an answer."""
        return self.made - self.answered_ok - self.refused >= WAITING

    def make(self, esme: BoundEsme, submit: SubmitSm, message_id: str) -> None:
        """Make the receipt of a message that was accepted, if it asked for one of that kind."""
        wanted = submit.registered_delivery & RegisteredDelivery.RECEIPT_MASK
        if self._kind == "none" or not wanted:
            return
        state = self._next_state()
        delivered = state is MessageState.DELIVERED
        if wanted == (RegisteredDelivery.FAILURE if delivered else RegisteredDelivery.SUCCESS):
            return
        self.made += 1
        self._late.put((esme, self._body(submit, message_id.encode("latin-1"), state)))

    def on_bound(self, esme: BoundEsme) -> None:
        """Somebody has bound: what waits for them may go."""
        if esme.receives:
            self._receivers[esme.system_id].append(esme)
            for due in self._parked.pop(esme.system_id, ()):
                self._deliver(due)

    def on_closed(self, esme: BoundEsme) -> None:
        """Somebody is gone."""
        if esme.receives:
            self._receivers[esme.system_id].remove(esme)

    def clear(self) -> None:
        """Forget what is still to be delivered."""
        self._late.clear()
        self._parked.clear()

    def _next_state(self) -> MessageState:
        if self._kind == "success":
            return MessageState.DELIVERED
        drawn = self._rng.random()
        return next(state for limit, state in _MIX if drawn < limit)

    def _body(self, submit: SubmitSm, message_id: bytes, state: MessageState) -> bytes:
        now = datetime.now(UTC)
        if now.minute != self._minute or not self._date:
            self._minute, self._date = now.minute, receipt_date(now)
        repeated = b""
        if submit.data_coding in _TEXT_CODINGS and not submit.esm_class & EsmClass.UDHI:
            repeated = submit.short_message
        cause = _CAUSES[state]
        text = format_receipt(
            message_id,
            submit_date=self._date,
            done_date=self._date,
            state=state,
            err=b"%03d" % cause,
            text=repeated,
        )
        receipt = DeliverSm(
            source_addr_ton=submit.dest_addr_ton,
            source_addr_npi=submit.dest_addr_npi,
            source_addr=submit.destination_addr,
            dest_addr_ton=submit.source_addr_ton,
            dest_addr_npi=submit.source_addr_npi,
            destination_addr=submit.source_addr,
            esm_class=EsmClass.DELIVERY_RECEIPT,
            short_message=text,
            tlvs=(
                (TlvTag.RECEIPTED_MESSAGE_ID, message_id + b"\0"),
                (TlvTag.MESSAGE_STATE, bytes((state,))),
                (TlvTag.NETWORK_ERROR_CODE, bytes((_GSM, cause >> 8, cause & 0xFF))),
            ),
        )
        return encode(receipt)[HEADER_OCTETS:]

    def _deliver(self, due: Due) -> None:
        """Deliver to the bind that submitted, else to another of the same system_id, else when there is one."""
        esme, body = due
        if not (esme.receives and esme.connected):
            other = next((other for other in self._receivers[esme.system_id] if other.connected), None)
            if other is None:
                self._parked[esme.system_id].append(due)
                return
            esme = other
        esme.outbox.put((self.command_id, body, (self, due)))

    # ---- what becomes of them -------------------------------------------------------------------------------

    def done(self) -> bool:
        """They are always to be sent."""
        return False

    def answered(self, _due: Due, command_status: int, _octets: bytes) -> None:
        """The ESME has it, or does not want it."""
        if command_status:
            self.refused += 1
        else:
            self.answered_ok += 1

    def lost(self, due: Due, _error: SessionError) -> None:
        """It goes again, to the next bind."""
        self._deliver(due)

    def settled(self) -> None:
        """There is nothing to look at again."""
