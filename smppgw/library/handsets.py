"""Messages of handsets (MO) that the loopback SMSC makes up: so many a second, to whoever receives, in turn."""

from __future__ import annotations

import asyncio
from typing import Final

from smppgw.library.address import Address
from smppgw.library.bound import BoundEsme
from smppgw.pdu._generated import DeliverSm
from smppgw.pdu.codec import encode
from smppgw.pdu.constants import HEADER_OCTETS, CommandId
from smppgw.pdu.text import encode_text
from smppgw.session.errors import SessionError

STEP_SECONDS: Final = 0.01
"""Messages that are due within this go together."""


def mo_body(source: str, destination: str, text: str) -> bytes:
    """Return the body of the deliver_sm of a text. Raises: EncodeError when it does not fit in one."""
    data_coding, octets = encode_text(text)
    sender, receiver = Address.of(source), Address.of(destination)
    message = DeliverSm(
        source_addr_ton=sender.ton,
        source_addr_npi=sender.npi,
        source_addr=sender.addr,
        dest_addr_ton=receiver.ton,
        dest_addr_npi=receiver.npi,
        destination_addr=receiver.addr,
        data_coding=data_coding,
        short_message=octets,
    )
    return encode(message)[HEADER_OCTETS:]


class Handsets:
    """Everyone who writes to us; the taker of their messages."""

    command_id = int(CommandId.DELIVER_SM)

    def __init__(self, rate: float, count: int, *, message: bytes, at_once: int) -> None:
        """`rate` a second, 0: none; `count` in all, 0: no end; at most `at_once` without an answer."""
        self.sent = self.answered_ok = 0
        self._rate = rate
        self._count = count
        self._message = message
        self._at_once = at_once
        self._in_flight = 0
        self._receivers: list[BoundEsme] = []
        self._since = 0.0
        self._sent_since = 0
        self._timer: asyncio.TimerHandle | None = None

    def on_bound(self, esme: BoundEsme) -> None:
        """Somebody has bound; with the first one who receives the handsets begin to write."""
        if not esme.receives:
            return
        self._receivers.append(esme)
        if self._rate and self._timer is None:
            self._restart()

    def on_closed(self, esme: BoundEsme) -> None:
        """Somebody is gone; with the last one the handsets stop."""
        if esme.receives:
            self._receivers.remove(esme)
            if not self._receivers:
                self.stop()

    def stop(self) -> None:
        """Write no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _restart(self) -> None:
        self._since = asyncio.get_running_loop().time()
        self._sent_since = 0
        self._arm()

    def _arm(self) -> None:
        step = max(STEP_SECONDS, 1 / self._rate)
        self._timer = asyncio.get_running_loop().call_later(step, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        due = int((asyncio.get_running_loop().time() - self._since) * self._rate) - self._sent_since
        if self._count:
            due = min(due, self._count - self.sent)
        for _ in range(min(due, self._at_once - self._in_flight)):
            receiver = self._receivers[self.sent % len(self._receivers)]
            receiver.outbox.put((self.command_id, self._message, (self, None)))
            self.sent += 1
            self._sent_since += 1
            self._in_flight += 1
        if not self._count or self.sent < self._count:
            self._arm()

    # ---- what becomes of them -------------------------------------------------------------------------------

    def done(self) -> bool:
        """They are always to be sent."""
        return False

    def answered(self, _subject: None, command_status: int, _octets: bytes) -> None:
        """An ESME has one, or does not want it."""
        self._in_flight -= 1
        self.answered_ok += not command_status

    def lost(self, _subject: None, _error: SessionError) -> None:
        """The bind ended first: it is to be sent again."""
        self._in_flight -= 1
        self.sent -= 1
        if self._timer is None and self._receivers:
            self._restart()

    def settled(self) -> None:
        """There is nothing to look at again."""
