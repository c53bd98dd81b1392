"""An ESME that submits as much as its windows take, keeps books, and comes back whenever the gateway does."""

from __future__ import annotations

import asyncio
import math
import time
from typing import Final

from smppgw.pdu._generated import BindTransceiver, DeliverSm, SubmitSm
from smppgw.pdu.codec import decode, encode
from smppgw.pdu.constants import HEADER_OCTETS, CommandId
from smppgw.pdu.framing import Frame
from smppgw.pdu.peek import c_octets_at
from smppgw.pdu.receipt import parse_receipt
from tests.crash.book import Accepted, Book
from tests.crash.messages import from_handset, is_hopeless, serial_in, submit_sm
from tests.crash.wire import Wire, with_body

SYSTEM_ID: Final = "app"
PASSWORD: Final = "secret"
AGAIN_SECONDS: Final = 0.02
"""Between two attempts to bind, and before more is submitted to a gateway that refuses."""


class _Bind:
    """What the load knows of one bind."""

    def __init__(self, life: int) -> None:
        self.life = life
        self.bound = False
        self.waiting = False
        """It was refused, and submits nothing for a moment."""
        self.sequence_number = 1
        self.in_flight: dict[int, tuple[int, float]] = {}
        """Serials by their sequence_number, and when they were sent."""


class Load:
    """Several binds, each with a window; every message has a serial of its own."""

    def __init__(self, book: Book, port: int, *, binds: int, window: int, octets: int) -> None:
        """`octets` is the length of the longest text."""
        self.submitting = True
        self.last = math.inf
        """The serial number of the last message to be submitted."""
        self.quickest = math.inf
        """Seconds from a message to its acceptance, at the least."""
        self._book = book
        self._port = port
        self._binds = binds
        self._window = window
        self._octets = octets
        self._serial = 0
        self._here = asyncio.Event()
        self._wires: set[Wire] = set()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def in_flight(self) -> int:
        """Messages that wait for their answer."""
        return sum(len(wire.state.in_flight) for wire in self._wires)

    def start(self) -> None:
        """Bind, and submit from then on."""
        self._here.set()
        self._tasks = [asyncio.create_task(self._stay_bound()) for _ in range(self._binds)]

    async def close(self) -> None:
        """Go, and do not come back."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def leave(self) -> None:
        """End every bind, and do not bind again before `come_back`."""
        self._here.clear()
        for wire in self._wires:
            wire.close()

    def come_back(self) -> None:
        """Bind again."""
        self._here.set()

    def resume(self) -> None:
        """Submit again."""
        self.submitting = True
        for wire in self._wires:
            self._fill(wire)

    async def _stay_bound(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._here.wait()
            try:
                _, wire = await loop.create_connection(lambda: Wire(self), "127.0.0.1", self._port)
            except OSError:
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            try:
                await asyncio.shield(wire.lost)
            finally:
                wire.close()
                await wire.lost
            await asyncio.sleep(AGAIN_SECONDS)

    # ---- what connections bring -----------------------------------------------------------------------------

    def on_connected(self, wire: Wire) -> None:
        wire.state = _Bind(self._book.life)
        self._wires.add(wire)
        wire.send(
            encode(
                BindTransceiver(
                    sequence_number=1,
                    system_id=SYSTEM_ID.encode(),
                    password=PASSWORD.encode(),
                    interface_version=0x34,
                )
            )
        )

    def on_frame(self, wire: Wire, frame: Frame) -> None:
        command_id, command_status, sequence_number, octets = frame
        bind: _Bind = wire.state
        if command_id == CommandId.SUBMIT_SM_RESP:
            serial, sent_at = bind.in_flight.pop(sequence_number)
            if command_status:
                self._book.refused[serial] = command_status
                self._book.count("refused")
                self._wait(wire)
            else:
                self._book.accepted[serial] = Accepted(c_octets_at(octets, HEADER_OCTETS), bind.life)
                self._book.count("accepted")
                self.quickest = min(self.quickest, time.monotonic() - sent_at)
        elif command_id == CommandId.DELIVER_SM:
            self._take(wire, sequence_number, octets)
        elif command_id == CommandId.BIND_TRANSCEIVER_RESP:
            bind.bound = not command_status
            if command_status:
                wire.close()
        else:
            self._book.oddities.append(f"the ESME got {octets[:HEADER_OCTETS].hex()}")

    def on_read(self, wire: Wire) -> None:
        self._fill(wire)

    def on_lost(self, wire: Wire) -> None:
        self._wires.remove(wire)
        self._book.doubtful.update(serial for serial, _ in wire.state.in_flight.values())

    def _take(self, wire: Wire, sequence_number: int, octets: bytes) -> None:
        wire.send(with_body(CommandId.DELIVER_SM_RESP, sequence_number, b"\0"))
        pdu = decode(octets)
        assert isinstance(pdu, DeliverSm)
        serial = serial_in(pdu.source_addr)
        if not pdu.esm_class:
            if pdu.short_message != from_handset(serial).short_message:
                self._book.oddities.append(
                    f"message {serial} of a handset came to the ESME with another text"
                )
            self._book.replies[serial] += 1
            self._book.count("replied")
            return
        said = parse_receipt(pdu.short_message)
        assert said is not None, pdu
        if (said.stat == "DELIVRD") == is_hopeless(serial):
            self._book.oddities.append(f"the receipt of message {serial} says {said.stat}")
        self._book.reported[serial][said.id.encode()] += 1
        self._book.count("reported")

    # ---- what is submitted ----------------------------------------------------------------------------------

    def _message(self, serial: int) -> SubmitSm:
        return submit_sm(serial, self._octets)

    def _fill(self, wire: Wire) -> None:
        bind: _Bind = wire.state
        if not (self.submitting and bind.bound) or bind.waiting:
            return
        while len(bind.in_flight) < self._window and self._serial < self.last:
            self._serial += 1
            bind.sequence_number += 1
            pdu = self._message(self._serial)
            pdu.sequence_number = bind.sequence_number
            bind.in_flight[bind.sequence_number] = (self._serial, time.monotonic())
            wire.send(encode(pdu))

    def _wait(self, wire: Wire) -> None:
        """Refused: a moment, before more of it."""
        bind: _Bind = wire.state
        if bind.waiting:
            return

        def again() -> None:
            bind.waiting = False
            if wire in self._wires:
                self._fill(wire)

        bind.waiting = True
        asyncio.get_running_loop().call_later(AGAIN_SECONDS, again)
