"""What tests with a running gateway share: its settings, the gateway itself, waiting, and a tap on the wire."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, NamedTuple, Self

import structlog
from structlog.testing import LogCapture

from smppgw.carriers import Carrier
from smppgw.gateway import Gateway
from smppgw.library.loopback import LoopbackSettings, LoopbackSmsc
from smppgw.pdu.constants import CommandId
from smppgw.settings import (
    AdminSettings,
    CarrierSettings,
    EsmeSettings,
    GatewaySettings,
    InboundSettings,
    LimitsSettings,
    ListenSettings,
    Settings,
    StoreSettings,
)

WAIT_SECONDS: Final = 20.0
"""How long a test waits for any one thing."""
POLL_SECONDS: Final = 0.005


async def until(condition: Callable[[], object], *, seconds: float = WAIT_SECONDS) -> None:
    """Wait until something is so. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not so within {seconds:g} s")
        await asyncio.sleep(POLL_SECONDS)


def an_esme(system_id: str = "app", **settings: Any) -> EsmeSettings:
    """An `[[esme]]` whose password is "secret"."""
    return EsmeSettings(system_id, **{"password": "secret", "max_binds": 10, **settings})


def a_carrier(port: int, name: str = "carrier", **settings: Any) -> CarrierSettings:
    """A `[[carrier]]` on this host that we bind to as "gateway", "secret", and come back to quickly."""
    usual = {"system_id": "gateway", "password": "secret", "reconnect_min": 0.05, "reconnect_max": 0.2}
    return CarrierSettings(name, "127.0.0.1", port=port, **{**usual, **settings})


def settings_of(
    *esmes: EsmeSettings,
    carriers: tuple[CarrierSettings, ...] = (),
    gateway: GatewaySettings | None = None,
    listen: ListenSettings | None = None,
    **tables: Any,
) -> Settings:
    """The configuration of a gateway on free ports, without limits, that keeps nothing."""
    others: dict[str, Any] = dict.fromkeys(("routes", "brands", "campaigns", "numbers", "pools"), ())
    return Settings(
        gateway=gateway or GatewaySettings(drain_timeout=5.0, retry_delay=0.05),
        listen=listen or ListenSettings(port=0, failed_bind_delay=0.01),
        admin=AdminSettings(port=0),
        esmes=esmes,
        carriers=carriers,
        **{
            **others,
            "limits": LimitsSettings(registration="off"),
            "inbound": InboundSettings(),
            "store": StoreSettings(backend="unsafe-memory"),
            **tables,
        },
    )


@asynccontextmanager
async def running(
    settings: Settings, *, log: LogCapture | None = None, bound: bool = True
) -> AsyncIterator[Gateway]:
    """A gateway until the end of the block, its carriers bound if `bound`; `log` collects what it logs."""
    logger = structlog.wrap_logger(None, processors=[log or LogCapture()])
    gateway = Gateway(settings, logger)
    await gateway.start()
    try:
        if bound:
            await until(lambda: all(map(fully_bound, gateway.carriers.values())))
        yield gateway
    finally:
        await gateway.stop()


def fully_bound(carrier: Carrier) -> bool:
    """Whether every bind of a carrier is up."""
    modes = ("trx",) if carrier.settings.bind == "trx" else ("tx", "rx")
    return all(carrier.sessions(mode) == carrier.settings.binds for mode in modes)


class Tap:
    """A relay of TCP connections that notes every PDU that passes; it knows command_length and nothing else of SMPP.

    `forward` is what went to the target, `back` what came from it: whole frames, in their order.
    """

    def __init__(self, port: int) -> None:
        """`port` is the target's, on this host."""
        self.forward: list[bytes] = []
        self.back: list[bytes] = []
        self._target_port = port
        self._server: asyncio.Server | None = None
        self._relays: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def port(self) -> int:
        """Where to connect to."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await asyncio.gather(*self._relays, return_exceptions=True)

    def cut(self) -> None:
        """Reset every connection there is."""
        for writer in self._writers:
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._relays.add(task)
        self._writers.add(writer)
        with suppress(OSError):
            target_reader, target_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
            self._writers.add(target_writer)
            await asyncio.gather(
                _relay(reader, target_writer, self.forward), _relay(target_reader, writer, self.back)
            )
            target_writer.close()
            self._writers.discard(target_writer)
        writer.close()
        self._writers.discard(writer)
        self._relays.discard(task)


async def _relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, frames: list[bytes]) -> None:
    pending = b""
    try:
        while octets := await reader.read(65536):
            writer.write(octets)
            pending += octets
            while len(pending) >= 4 and len(pending) >= (length := int.from_bytes(pending[:4], "big")):
                frames.append(pending[:length])
                pending = pending[length:]
            await writer.drain()
        if not writer.transport.is_closing():
            writer.write_eof()
    except OSError:  # one side has reset its connection: so do we with the other
        writer.transport.abort()


class Relay(NamedTuple):
    """A gateway between a tap where ESMEs bind, and a loopback SMSC behind another."""

    gateway: Gateway
    smsc: LoopbackSmsc
    at_gateway: Tap
    at_carrier: Tap

    @property
    def port(self) -> int:
        """Where ESMEs bind."""
        return self.at_gateway.port

    def submitted(self) -> list[bytes]:
        """The bodies of the submit_sm that ESMEs have sent."""
        return bodies(self.at_gateway.forward, CommandId.SUBMIT_SM)

    def relayed(self) -> list[bytes]:
        """The bodies of the submit_sm that the carrier has got."""
        return bodies(self.at_carrier.forward, CommandId.SUBMIT_SM)


@asynccontextmanager
async def relay(
    *esmes: EsmeSettings,
    carrier: Mapping[str, Any] | None = None,
    loopback: Mapping[str, Any] | None = None,
    log: LogCapture | None = None,
    **tables: Any,
) -> AsyncIterator[Relay]:
    """A relay for these ESMEs, else for "app"; the mappings are settings of the carrier and of its SMSC."""
    async with (
        LoopbackSmsc(LoopbackSettings(port=0, **(loopback or {}))) as smsc,
        Tap(smsc.port) as at_carrier,
        running(
            settings_of(
                *(esmes or (an_esme(),)),
                carriers=(a_carrier(at_carrier.port, **(carrier or {})),),
                **tables,
            ),
            log=log,
        ) as gateway,
        Tap(gateway.server.port) as at_gateway,
    ):
        yield Relay(gateway, smsc, at_gateway, at_carrier)


def command_id(frame: bytes) -> int:
    """What a PDU is."""
    return int.from_bytes(frame[4:8], "big")


def bodies(frames: list[bytes], wanted_command_id: int) -> list[bytes]:
    """The octets behind the header, of the PDUs of one kind."""
    return [frame[16:] for frame in frames if command_id(frame) == wanted_command_id]
