"""A thousand ESMEs that are bound and silent: held, and cheap."""

from __future__ import annotations

import asyncio
import re
import socket
import sys
from pathlib import Path

import pytest

from smppgw.pdu.constants import CommandId
from smppgw.session.client import bind_octets
from tests.cli.processes import SMPPGW, config_file, free_port, started
from tests.support import until

BINDS = 1000
MOST_OCTETS = 20 * 1024
"""What one idle bind may add to the resident size of the gateway."""

ENQUIRE_LINK = bytes.fromhex("00000010000000150000000000000007")


def resident_octets(pid: int) -> int:
    found = re.search(r"^VmRSS:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="the resident size is read from /proc")
async def test_a_thousand_idle_binds_are_held_and_cost_less_than_20_kib_each(tmp_path: Path) -> None:
    port = free_port()
    config = config_file(tmp_path, smpp=port, admin=free_port(), smsc=free_port())
    with config.open("a", encoding="utf-8") as file:
        file.write(f'\n[[esme]]\nsystem_id = "crowd"\npassword = "crowd"\nmax_binds = {2 * BINDS}\n')
    bind = bind_octets("trx", system_id="crowd", password="crowd")
    with started(*SMPPGW, "serve", "--config", str(config), "--log-level", "error") as gateway:
        await until(lambda: is_listening(port))
        writers = []

        async def bound() -> asyncio.StreamReader:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writers.append(writer)
            writer.write(bind)
            answer = await reader.readexactly(16)
            assert answer[4:12] == CommandId.BIND_TRANSCEIVER_RESP.to_bytes(4, "big") + bytes(4)
            await reader.readexactly(int.from_bytes(answer[:4], "big") - 16)
            return reader

        await asyncio.gather(*(bound() for _ in range(50)))  # what is made once is made now
        before = resident_octets(gateway.pid)
        readers = []
        for _ in range(BINDS // 50):
            readers += await asyncio.gather(*(bound() for _ in range(50)))
        each = (resident_octets(gateway.pid) - before) / BINDS
        for reader, writer in zip(readers, writers[50:], strict=True):
            writer.write(ENQUIRE_LINK)
            assert (await reader.readexactly(16))[4:8] == CommandId.ENQUIRE_LINK_RESP.to_bytes(4, "big")
        for writer in writers:
            writer.transport.abort()
    assert each < MOST_OCTETS
