"""The admin endpoint over real sockets: its pages, its answers to bad requests, its bounds."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from smppgw.admin import CONNECTIONS, HEAD_OCTETS, AdminError, AdminServer
from smppgw.errors import SmppgwError
from smppgw.metrics import Metrics
from smppgw.settings import AdminSettings

LOOPBACK = AdminSettings(port=0)


async def limits_of(name: str | None) -> dict[str, Any]:
    return {"name": name}


async def no_limits(name: str | None) -> None:
    return None


@asynccontextmanager
async def running(**arguments: Any) -> AsyncIterator[AdminServer]:
    options = {
        "metrics": Metrics(),
        "status": lambda: {"name": "gw"},
        "limits": limits_of,
        "ready": list[str],
    } | arguments
    server = AdminServer(LOOPBACK, **options)
    await server.start()
    try:
        yield server
    finally:
        await server.close()


async def exchange(server: AdminServer, request: bytes) -> tuple[str, dict[str, str], bytes]:
    """Send octets; return the status line, the fields by lower-case name, and the body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        writer.write(request)
        answer = await reader.read()
    finally:
        writer.transport.abort()
    head, _, body = answer.partition(b"\r\n\r\n")
    line, *fields = head.decode().split("\r\n")
    return line, {name.lower(): value for name, _, value in (field.partition(": ") for field in fields)}, body


async def get(server: AdminServer, path: str) -> tuple[str, dict[str, str], bytes]:
    return await exchange(server, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(20):
            await test()

    asyncio.run(bounded(), debug=True)


def test_metrics_are_served_as_prometheus_reads_them() -> None:
    async def test() -> None:
        metrics = Metrics()
        metrics.messages_accepted("acme").add(7)
        async with running(metrics=metrics) as server:
            line, fields, body = await get(server, "/metrics")
        assert line == "HTTP/1.1 200 OK"
        assert fields["content-type"].startswith("text/plain; version=")
        samples = [
            sample for family in text_string_to_metric_families(body.decode()) for sample in family.samples
        ]
        assert ("smppgw_messages_accepted_total", 7) in [(sample.name, sample.value) for sample in samples]

    run(test)


def test_livez_is_ok_while_the_loop_runs() -> None:
    async def test() -> None:
        async with running() as server:
            line, fields, body = await get(server, "/livez")
        assert (line, body) == ("HTTP/1.1 200 OK", b"ok")
        assert fields["connection"] == "close"
        assert fields["content-length"] == "2"

    run(test)


def test_readyz_is_ok_when_nothing_speaks_against_it() -> None:
    async def test() -> None:
        async with running() as server:
            line, _, body = await get(server, "/readyz")
        assert (line, body) == ("HTTP/1.1 200 OK", b"ok")

    run(test)


def test_readyz_tells_every_reason_on_a_line_of_its_own() -> None:
    async def test() -> None:
        async with running(ready=lambda: ["draining", "store is full"]) as server:
            line, _, body = await get(server, "/readyz")
        assert (line, body) == ("HTTP/1.1 503 Service Unavailable", b"draining\nstore is full")

    run(test)


def test_status_is_json() -> None:
    async def test() -> None:
        async with running(
            status=lambda: {"name": "gw", "carriers": [{"name": "one", "bound": 2}]}
        ) as server:
            line, fields, body = await get(server, "/status")
        assert line == "HTTP/1.1 200 OK"
        assert fields["content-type"] == "application/json"
        assert json.loads(body) == {
            "name": "gw",
            "carriers": [{"name": "one", "bound": 2}],
            "limits": {"name": None},
        }

    run(test)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/limits", None),
        ("/limits?", None),
        ("/limits?name=reminders", "reminders"),
        ("/limits?name=fall+sale%20%26%20more", "fall sale & more"),
        ("/limits?name=%2B12065550100", "+12065550100"),
        ("/limits?name=", ""),
    ],
)
def test_limits_are_json_of_what_is_asked_for(path: str, name: str | None) -> None:
    async def test() -> None:
        async with running() as server:
            line, fields, body = await get(server, path)
        assert (line, fields["content-type"]) == ("HTTP/1.1 200 OK", "application/json")
        assert json.loads(body) == {"name": name}

    run(test)


def test_what_has_no_limits_is_not_found_and_said_in_one_line() -> None:
    async def test() -> None:
        async with running(limits=no_limits) as server:
            line, _, body = await get(server, "/limits?name=nobody%0Aat%20all" + "x" * 500)
        assert line == "HTTP/1.1 404 Not Found"
        assert body.startswith(b"there is no brand, campaign, pool or number 'nobody\\nat allxxx")
        assert len(body) < 150
        assert b"\n" not in body

    run(test)


@pytest.mark.parametrize("query", ["nmae=x", "name=x&name=y", "name=x&b=c", "x", "&".join(["name=x"] * 1000)])
def test_a_query_that_limits_do_not_know_is_not_found(query: str) -> None:
    async def test() -> None:
        async with running() as server:
            line, _, body = await get(server, f"/limits?{query}")
        assert line == "HTTP/1.1 404 Not Found"
        assert body.startswith(b"there are /limits and /limits?name=")

    run(test)


def test_a_page_that_fails_does_not_tell_the_loop_for_which_number() -> None:
    async def test() -> None:
        async def failing(name: str | None) -> dict[str, Any]:
            return {"a": 1 // 0}

        seen: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: seen.append(context))
        async with running(limits=failing) as server:
            assert (await get(server, "/limits?name=12065550100"))[0].startswith("HTTP/1.1 500 ")
        assert [context["message"] for context in seen] == ["admin page /limits failed"]

    run(test)


def test_a_query_does_not_change_the_page() -> None:
    async def test() -> None:
        async with running() as server:
            assert (await get(server, "/livez?verbose=1"))[2] == b"ok"

    run(test)


def test_head_is_answered_without_a_body() -> None:
    async def test() -> None:
        async with running() as server:
            line, fields, body = await exchange(server, b"HEAD /livez HTTP/1.1\r\n\r\n")
        assert (line, fields["content-length"], body) == ("HTTP/1.1 200 OK", "2", b"")

    run(test)


def test_a_request_that_comes_octet_by_octet_is_answered() -> None:
    async def test() -> None:
        async with running() as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            for octet in b"GET /livez HTTP/1.1\r\n\r\n":
                writer.write(bytes([octet]))
                await writer.drain()
            assert (await reader.read()).endswith(b"\r\n\r\nok")
            writer.transport.abort()

    run(test)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "404 Not Found"),
        (b"GET /metrics/ HTTP/1.1\r\n\r\n", "404 Not Found"),
        (b"GET /../etc/passwd HTTP/1.1\r\n\r\n", "404 Not Found"),
        (b"POST /status HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody", "405 Method Not Allowed"),
        (b"get /livez HTTP/1.1\r\n\r\n", "405 Method Not Allowed"),
        (b"GET /livez\r\n\r\n", "400 Bad Request"),
        (b"GET  /livez HTTP/1.1\r\n\r\n", "400 Bad Request"),
        (b"GET /livez HTTP/2.0\r\n\r\n", "400 Bad Request"),
        (b"GET http://localhost/livez HTTP/1.1\r\n\r\n", "400 Bad Request"),
        (b"\r\n\r\n", "400 Bad Request"),
        (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", "400 Bad Request"),
        (
            b"GET /livez HTTP/1.1\r\nX: " + b"x" * HEAD_OCTETS + b"\r\n\r\n",
            "431 Request Header Fields Too Large",
        ),
        (b"x" * 60_000, "431 Request Header Fields Too Large"),
    ],
    ids=lambda value: str(value[:24]),
)
def test_a_request_it_does_not_serve_is_answered_with_its_status(request_: bytes, status: str) -> None:
    async def test() -> None:
        async with running() as server:
            assert (await exchange(server, request_))[0] == f"HTTP/1.1 {status}"
            assert (await get(server, "/livez"))[2] == b"ok"

    run(test)


def test_a_method_it_does_not_have_is_told_which_it_has() -> None:
    async def test() -> None:
        async with running() as server:
            assert (await exchange(server, b"PUT /livez HTTP/1.1\r\n\r\n"))[1]["allow"] == "GET, HEAD"

    run(test)


def test_a_request_that_ends_too_soon_is_a_bad_request() -> None:
    async def test() -> None:
        async with running() as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(b"GET /livez HT")
            writer.write_eof()
            assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
            writer.transport.abort()

    run(test)


def test_a_request_that_never_ends_is_given_up() -> None:
    async def test() -> None:
        async with running(exchange_seconds=0.05) as server:
            assert (await exchange(server, b"GET /livez"))[0] == "HTTP/1.1 408 Request Timeout"

    run(test)


def test_one_connection_more_than_it_takes_is_told_so_and_a_place_that_is_left_is_given_again() -> None:
    async def test() -> None:
        async with running() as server:
            idle = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(CONNECTIONS)]
            assert (await get(server, "/livez"))[0] == "HTTP/1.1 503 Service Unavailable"
            for _, writer in idle:
                writer.transport.abort()
            while (await get(server, "/livez"))[0] != "HTTP/1.1 200 OK":
                pass

    run(test)


def test_a_page_that_fails_is_told_to_the_asker_and_to_the_loop() -> None:
    async def test() -> None:
        seen: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: seen.append(context))
        async with running(status=lambda: {"a": 1 // 0}) as server:
            assert (await get(server, "/status"))[0] == "HTTP/1.1 500 Internal Server Error"
            assert (await get(server, "/livez"))[2] == b"ok"
        assert [type(context["exception"]) for context in seen] == [ZeroDivisionError]

    run(test)


def test_a_port_in_use_is_an_error_that_names_it() -> None:
    async def test() -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            server = AdminServer(
                AdminSettings(port=port), metrics=Metrics(), status=dict, limits=limits_of, ready=list
            )
            with pytest.raises(AdminError, match=f"127.0.0.1 port {port}: .*in use") as caught:
                await server.start()
        assert isinstance(caught.value, SmppgwError)
        assert caught.value.port == port

    run(test)


def test_closing_ends_connections_and_frees_the_port() -> None:
    async def test() -> None:
        async with running() as server:
            port = server.port
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            assert (await get(server, "/livez"))[2] == b"ok"
        assert await reader.read() == b""
        writer.transport.abort()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)

    run(test)


def test_closing_one_that_never_started_does_nothing() -> None:
    async def test() -> None:
        server = AdminServer(LOOPBACK, metrics=Metrics(), status=dict, limits=limits_of, ready=list)
        await server.close()
        assert server.port == 0

    run(test)
