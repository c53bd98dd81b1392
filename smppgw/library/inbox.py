"""What an SMSC has delivered and nobody has asked for yet; it is answered when it is handed out."""

from __future__ import annotations

import asyncio
from collections import deque
from struct import Struct
from typing import Final

from smppgw.library.delivery import Delivery, read_delivery
from smppgw.library.outbox import Outbox
from smppgw.pdu._generated import AlertNotification, DataSm, DeliverSm
from smppgw.pdu.codec import decode
from smppgw.pdu.constants import HEADER_OCTETS, RESPONSE_BIT, CommandStatus
from smppgw.pdu.errors import PduError
from smppgw.pdu.framing import Frame
from smppgw.settings import Alphabet

_pack_header = Struct(">IIII").pack
_NO_MESSAGE_ID: Final = b"\0"
"""The body of deliver_sm_resp (SMPP v3.4 section 4.6.2), and of data_sm_resp from an ESME."""


class Inbox:
    """The deliveries of one bind; the session's inbound window bounds them."""

    __slots__ = ("_alphabet", "_arrived", "_frames", "_outbox", "_over")

    def __init__(self, outbox: Outbox, alphabet: Alphabet) -> None:
        self._outbox = outbox
        self._alphabet = alphabet
        self._frames: deque[Frame] = deque()
        self._arrived = asyncio.Event()
        self._over = False

    def take_in(self, frames: list[Frame]) -> None:
        """Deliveries have arrived."""
        self._frames.extend(frames)
        self._arrived.set()

    def forget(self) -> None:
        """The connection is gone: what was not answered on it will come again."""
        self._frames.clear()

    def end(self) -> None:
        """Nothing will come any more."""
        self._over = True
        self._arrived.set()

    async def take(self) -> Delivery | None:
        """Wait for the next delivery and answer it; None when there will be no more."""
        while True:
            while self._frames:
                delivery = self._hand_out(self._frames.popleft())
                if delivery is not None:
                    return delivery
            if self._over:
                return None
            self._arrived.clear()
            await self._arrived.wait()

    def _hand_out(self, frame: Frame) -> Delivery | None:
        """Read and answer one delivery; one that is broken is refused with the status of its fault."""
        command_id, _, sequence_number, octets = frame
        response_id = command_id | RESPONSE_BIT
        try:
            pdu = decode(octets)
        except PduError as error:
            if command_id != AlertNotification.command_id:
                refusal = _pack_header(HEADER_OCTETS, response_id, error.command_status, sequence_number)
                self._outbox.respond(refusal, fault=True)
            return None
        if isinstance(pdu, AlertNotification):
            return pdu
        assert isinstance(pdu, DeliverSm | DataSm)
        answer = _pack_header(HEADER_OCTETS + 1, response_id, CommandStatus.ESME_ROK, sequence_number)
        self._outbox.respond(answer + _NO_MESSAGE_ID)
        return read_delivery(pdu, alphabet=self._alphabet)
