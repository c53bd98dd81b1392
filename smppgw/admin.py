"""Metrics and health over plain HTTP: `/metrics`, `/livez`, `/readyz`, `/status`, `/limits`.

HTTP/1.1 (RFC 9112) as far as a scrape, a probe and `curl` need it: GET and HEAD, one request on a connection,
bodies ignored. Everything a client can do is bounded in octets, seconds and connections. It has no password:
it belongs on a loopback or a private address.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl

from smppgw.errors import SmppgwError
from smppgw.metrics import CONTENT_TYPE, Metrics
from smppgw.settings import AdminSettings

HEAD_OCTETS: Final = 8_192
"""The longest request line and header fields together."""
EXCHANGE_SECONDS: Final = 10.0
"""How long a request may take to arrive, and an answer to leave."""
CONNECTIONS: Final = 32
"""At a time; one more is answered with 503."""
LINGER_SECONDS: Final = 1.0
LINGER_OCTETS: Final = 65_536
"""What is still read after the answer: to close over unread octets would reset the connection, and the client
could lose the answer."""

_QUERY_FIELDS: Final = 8
"""The most that a query may have."""
_NAME: Final = "name"
_SHOWN: Final = 80
"""Characters of a name that nothing has, of which its asker is told."""

_TEXT: Final = "text/plain; charset=utf-8"
_JSON: Final = "application/json"

Answer = tuple[HTTPStatus, str, bytes]
"""The status, the media type, the body."""


class AdminError(SmppgwError):
    """The admin endpoint cannot listen."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(host, port, reason)
        self.host = host
        self.port = port
        self.reason = reason

    def __str__(self) -> str:
        return f"[admin] cannot listen on {self.host} port {self.port}: {self.reason}"


class AdminServer:
    """The HTTP server of `[admin]`.

    `limits` returns what `/limits` shows, as JSON can write it: of a brand, campaign, pool or number where it is
    given a name, and None where nothing is called so. `status` returns what `/status` shows beside the limits,
    likewise; `ready` the reasons why the gateway is not ready, none when it is. They are called on the event loop, at
    each request.
    """

    def __init__(
        self,
        settings: AdminSettings,
        *,
        metrics: Metrics,
        status: Callable[[], Mapping[str, Any]],
        limits: Callable[[str | None], Awaitable[Mapping[str, Any] | None]],
        ready: Callable[[], list[str]],
        exchange_seconds: float = EXCHANGE_SECONDS,
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._status = status
        self._limits = limits
        self._ready = ready
        self._exchange_seconds = exchange_seconds
        self._pages: Mapping[str, Callable[[str], Awaitable[Answer]]] = {
            "/metrics": self._metrics_page,
            "/livez": self._livez_page,
            "/readyz": self._readyz_page,
            "/status": self._status_page,
            "/limits": self._limits_page,
        }
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """The port that it listens on: the one of the settings, or the one found for 0."""
        if self._server is None:
            return self._settings.port
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Listen.

        Raises: AdminError when the address cannot be had.
        """
        host, port = self._settings.host, self._settings.port
        try:
            self._server = await asyncio.start_server(self._accept, host, port, limit=HEAD_OCTETS)
        except OSError as error:
            raise AdminError(host, port, error.strerror or str(error)) from error

    async def close(self) -> None:
        """Stop listening and end every connection."""
        if self._server is not None:
            self._server.close()
            self._server = None
        connections = tuple(self._connections)
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        full = len(self._connections) >= CONNECTIONS
        connection = asyncio.get_running_loop().create_task(self._serve(reader, writer, full=full))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)
        connection.add_done_callback(lambda _: writer.transport.abort())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, full: bool) -> None:
        if full:
            answer, head_only = _plain(HTTPStatus.SERVICE_UNAVAILABLE, "too many connections"), False
        else:
            answer, head_only = await self._exchange(reader)
        with suppress(OSError):  # TimeoutError is one: the client went away, or does not read
            async with asyncio.timeout(self._exchange_seconds):
                writer.write(_octets(answer, head_only=head_only))
                await writer.drain()
                writer.write_eof()
            async with asyncio.timeout(LINGER_SECONDS):
                left = LINGER_OCTETS
                while left > 0 and (octets := await reader.read(left)):
                    left -= len(octets)

    async def _exchange(self, reader: asyncio.StreamReader) -> tuple[Answer, bool]:
        """Read one request; return its answer, and whether only the head of it was asked for."""
        try:
            async with asyncio.timeout(self._exchange_seconds):
                head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            return _plain(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE), False
        except TimeoutError:
            return _plain(HTTPStatus.REQUEST_TIMEOUT), False
        except (asyncio.IncompleteReadError, OSError):
            return _plain(HTTPStatus.BAD_REQUEST, "the request is not whole"), False
        method, space, rest = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
        target, _, protocol = rest.partition(" ")
        if not space or not target.startswith("/") or protocol not in ("HTTP/1.1", "HTTP/1.0"):
            return _plain(HTTPStatus.BAD_REQUEST, "not a request of HTTP/1.1"), False
        path, _, query = target.partition("?")
        page = self._pages.get(path)
        if page is None:
            return _plain(HTTPStatus.NOT_FOUND, f"there are {', '.join(self._pages)}"), method == "HEAD"
        if method not in ("GET", "HEAD"):
            return _plain(HTTPStatus.METHOD_NOT_ALLOWED, "there are GET and HEAD"), False
        try:
            return await page(query), method == "HEAD"
        except Exception as error:  # noqa: BLE001  the asker is told, and the loop's handler logs what it was
            context = {"message": f"admin page {path} failed", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)
            return _plain(HTTPStatus.INTERNAL_SERVER_ERROR), False

    async def _metrics_page(self, _query: str) -> Answer:
        return HTTPStatus.OK, CONTENT_TYPE, self._metrics.render()

    async def _livez_page(self, _query: str) -> Answer:
        return _plain(HTTPStatus.OK, "ok")

    async def _readyz_page(self, _query: str) -> Answer:
        reasons = self._ready()
        return _plain(
            HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK, "\n".join(reasons) or "ok"
        )

    async def _status_page(self, _query: str) -> Answer:
        return _document({**self._status(), "limits": await self._limits(None)})

    async def _limits_page(self, query: str) -> Answer:
        try:
            fields = parse_qsl(query, keep_blank_values=True, max_num_fields=_QUERY_FIELDS)
        except ValueError:
            fields = [("", "")]
        if not fields:
            name = None
        elif len(fields) == 1 and fields[0][0] == _NAME:
            name = fields[0][1]
        else:
            return _plain(
                HTTPStatus.NOT_FOUND, "there are /limits and /limits?name=NUMBER, CAMPAIGN, POOL or BRAND"
            )
        document = await self._limits(name)
        if document is None:
            return _plain(
                HTTPStatus.NOT_FOUND, f"there is no brand, campaign, pool or number {ascii(name)[:_SHOWN]}"
            )
        return _document(document)


def _document(document: Mapping[str, Any]) -> Answer:
    return HTTPStatus.OK, _JSON, json.dumps(document, indent=2).encode() + b"\n"


def _plain(status: HTTPStatus, text: str = "") -> Answer:
    return status, _TEXT, (text or status.phrase.lower()).encode()


def _octets(answer: Answer, *, head_only: bool) -> bytes:
    """Return an answer as it goes out."""
    status, media_type, body = answer
    allow = "Allow: GET, HEAD\r\n" if status is HTTPStatus.METHOD_NOT_ALLOWED else ""
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        f"Content-Type: {media_type}\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"{allow}"
        "Cache-Control: no-store\r\n"
        "Connection: close\r\n\r\n"
    ).encode()
    return head if head_only else head + body
