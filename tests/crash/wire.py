"""One SMPP connection of the load or of the sink: whole PDUs in, octets out, and nothing between that keeps books."""

from __future__ import annotations

import asyncio
from struct import Struct
from typing import Any, Protocol

from smppgw.pdu.constants import HEADER_OCTETS, RESPONSE_BIT, CommandId
from smppgw.pdu.framing import Frame, FrameBuffer

MAX_PDU_OCTETS = 70_000
_pack_header = Struct(">IIII").pack


class Owner(Protocol):
    """Who does something with what a connection brings."""

    def on_connected(self, wire: Wire) -> None: ...

    def on_frame(self, wire: Wire, frame: Frame) -> None: ...

    def on_read(self, wire: Wire) -> None:
        """All the frames that arrived together have been handed over."""

    def on_lost(self, wire: Wire) -> None: ...


class Wire(asyncio.Protocol):
    """A connection; what is sent in one turn of the loop leaves in one write."""

    def __init__(self, owner: Owner) -> None:
        self.state: Any = None
        """The owner's own."""
        self.lost = asyncio.get_running_loop().create_future()
        self._owner = owner
        self._frames = FrameBuffer(MAX_PDU_OCTETS)
        self._transport: Any = None
        self._out: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._owner.on_connected(self)

    def data_received(self, data: bytes) -> None:
        self._frames.feed(data)
        for frame in self._frames.take():
            command_id, _, sequence_number, _ = frame
            if command_id in (CommandId.ENQUIRE_LINK, CommandId.UNBIND):
                self.send(header(command_id | RESPONSE_BIT, sequence_number))
            else:
                self._owner.on_frame(self, frame)
        self._owner.on_read(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._owner.on_lost(self)
        self.lost.set_result(None)

    def send(self, octets: bytes) -> None:
        """Send a PDU, or drop it where nobody is there any more."""
        if not self._out:
            asyncio.get_running_loop().call_soon(self._write)
        self._out.append(octets)

    def close(self) -> None:
        """Send what is to be sent, then end the connection."""
        self._write()
        self._transport.close()

    def _write(self) -> None:
        octets = b"".join(self._out)
        self._out.clear()
        if octets and not self._transport.is_closing():
            self._transport.write(octets)


def header(command_id: int, sequence_number: int, command_status: int = 0) -> bytes:
    """A PDU that is a header alone."""
    return _pack_header(HEADER_OCTETS, command_id, command_status, sequence_number)


def with_body(command_id: int, sequence_number: int, body: bytes) -> bytes:
    """A PDU with ESME_ROK and a body."""
    return _pack_header(HEADER_OCTETS + len(body), command_id, 0, sequence_number) + body
