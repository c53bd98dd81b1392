"""The least that answers an ESME: `python -m bench.responder` prints its port and answers until it is killed.

It looks at nothing but headers, so that a bench of an ESME waits for it as little as Python can make it. It says yes
to everything and gives the sequence_number as message_id.
"""

from __future__ import annotations

import asyncio
from struct import Struct
from typing import cast

try:
    from uvloop import run
except ImportError:  # Windows, PyPy
    from asyncio import run  # type: ignore[assignment]

_header = Struct(">IIII")


class Responder(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._held = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio: somebody is there."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by its class

    def data_received(self, data: bytes) -> None:
        """Asyncio: answer every whole request."""
        data = self._held + data
        at = 0
        answers = []
        pack = _header.pack
        while len(data) - at >= 16:
            length, command_id, _, sequence_number = _header.unpack_from(data, at)
            if at + length > len(data):
                break
            at += length
            if command_id < 0x80000000:
                body = b"" if command_id in (0x06, 0x15) else b"%010d\0" % sequence_number
                answers.append(pack(16 + len(body), command_id | 0x80000000, 0, sequence_number) + body)
        self._held = data[at:]
        assert self._transport is not None
        self._transport.write(b"".join(answers))


async def main() -> None:
    """Listen, say where, and answer."""
    server = await asyncio.get_running_loop().create_server(Responder, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    run(main())
