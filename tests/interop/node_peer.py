"""The npm package `smpp` as a peer: a node process that is told what to do and tells what happens, in JSON lines."""

from __future__ import annotations

import asyncio
import json
import shutil
from itertools import count
from pathlib import Path
from typing import Any, Final, Self

import pytest

from tests.support import WAIT_SECONDS, until

SCRIPTS: Final = Path(__file__).parent / "node"
NODE: Final = shutil.which("node")
LINE_OCTETS: Final = 2**22

needs_node: Final = pytest.mark.skipif(
    NODE is None or not (SCRIPTS / "node_modules" / "smpp").is_dir(),
    reason="needs node and its package smpp: npm install --prefix tests/interop/node",
)


class NodePeer:
    """One process; it ends with the block."""

    def __init__(self, script: str) -> None:
        self.events: list[dict[str, Any]] = []
        """What has happened to it, in order."""
        self._script = script
        self._numbers = count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}

    async def __aenter__(self) -> Self:
        assert NODE is not None
        self._process = await asyncio.create_subprocess_exec(
            NODE,
            str(SCRIPTS / self._script),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=LINE_OCTETS,
        )
        self._reading = asyncio.gather(self._read(), self._read_errors())
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                _, errors = await self._reading
        finally:
            if self._process.returncode is None and not self._reading.done():
                self._process.kill()
            status = await self._process.wait()
        assert (status, errors) == (0, ""), errors

    async def ask(self, call: str, **arguments: Any) -> dict[str, Any]:
        """Have something done and return the answer."""
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"call": call, "number": number, **arguments}).encode() + b"\n")
        async with asyncio.timeout(WAIT_SECONDS):
            return await answer

    async def request(self, session: int, command: str, **fields: Any) -> dict[str, Any]:
        """Send a request and return its response, field by field."""
        answer = await self.ask("request", session=session, command=command, fields=fields)
        pdu: dict[str, Any] = answer["pdu"]
        return pdu

    def happened(self, event: str) -> list[dict[str, Any]]:
        """The events of one kind."""
        return [entry for entry in self.events if entry["event"] == event]

    async def until_happened(self, event: str, times: int = 1) -> list[dict[str, Any]]:
        """Wait for events of one kind and return all there are."""
        await until(lambda: len(self.happened(event)) >= times)
        return self.happened(event)

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            said = json.loads(line)
            if "answer" in said:
                self._answers.pop(said["answer"]).set_result(said)
            else:
                self.events.append(said)
        for waiting in self._answers.values():
            waiting.cancel("the process has ended")

    async def _read_errors(self) -> str:
        assert self._process.stderr is not None
        return (await self._process.stderr.read()).decode()
