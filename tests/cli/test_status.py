from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from tests.cli.run import run

STATUS: dict[str, Any] = {
    "name": "gw",
    "version": "0.1.0",
    "uptime_seconds": 93_784.2,
    "ready": False,
    "not_ready": ["draining"],
    "store": {"backend": "unsafe-memory", "octets": 12_345, "max_octets": 1_000_000},
    "esmes": {
        "acme": {
            "binds": {"tx": 1, "rx": 0, "trx": 2},
            "queued": 7,
            "waiting_deliveries": 3,
            "unanswered_deliveries": 1,
        }
    },
    "carriers": {
        "north": {
            "up": False,
            "binds": {"tx": 0, "rx": 0, "trx": 0},
            "in_flight": 0,
            "slowed_binds": 0,
        }
    },
    "lanes": {"otp": 0, "transactional": 7},
    "retrying": 4,
    "limits": {
        "used_over_seconds": 7.5,
        "brands": [
            {
                "brand": "acme-inc",
                "segments_per_day": 2000,
                "left_today": 0,
                "used_per_second": 0.0,
                "waiting": 0,
                "drain_seconds": 0.0,
            },
            {
                "brand": "idle-inc",
                "segments_per_day": 2000,
                "left_today": 10,
                "used_per_second": None,
                "waiting": 0,
                "drain_seconds": 0.0,
            },
        ],
        "campaigns": [
            {
                "campaign": "reminders",
                "segments_per_second": 1.25,
                "used_per_second": 1.2,
                "waiting": 120,
                "drain_seconds": 96.0,
            },
            {
                "campaign": "idle",
                "segments_per_second": None,
                "used_per_second": None,
                "waiting": 0,
                "drain_seconds": 0.0,
            },
        ],
    },
}


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """An admin endpoint with one answer; yields its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/status" else 404)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_a_glance_says_what_is_up_and_what_waits() -> None:
    with answering(200, json.dumps(STATUS).encode()) as url:
        done = run("status", "--admin", url + "/")
    assert (done.status, done.err) == (0, "")
    lines = [" ".join(line.split()) for line in done.out.splitlines()]
    assert lines == [
        "gw 0.1.0, up 1 d 2 h 3 min 4 s, not ready: draining",
        "store unsafe-memory: 12,345 of 1,000,000 octets",
        "",
        "ESME binds queued deliveries waiting unanswered",
        "acme tx:1 trx:2 7 3 1",
        "",
        "carrier binds in flight slowed binds",
        "north DOWN none 0 0",
        "",
        "lane queued",
        "otp 0",
        "transactional 7",
        "aside until due 4",
        "",
        "limited allowed used a second waiting drained in",
        "brand acme-inc 2,000 a day, 0 left 0 0 0 s",
        "campaign reminders 1.25 a second 1.2 120 1 min 36 s",
    ]


def test_where_nothing_is_limited_nothing_is_said_of_limits() -> None:
    document = {**STATUS, "limits": {**STATUS["limits"], "brands": [], "campaigns": []}}
    with answering(200, json.dumps(document).encode()) as url:
        done = run("status", "--admin", url)
    assert "aside until due" in done.out.splitlines()[-1]


def test_of_many_that_wait_only_the_first_are_shown() -> None:
    campaigns = [STATUS["limits"]["campaigns"][0]] * 100
    document = {**STATUS, "limits": {**STATUS["limits"], "campaigns": campaigns}}
    with answering(200, json.dumps(document).encode()) as url:
        done = run("status", "--admin", url)
    assert done.out.splitlines()[-1] == "and 81 more: smppgw limits"
    assert len(done.out.splitlines()) < 50


def test_json_is_passed_on() -> None:
    with answering(200, json.dumps(STATUS).encode()) as url:
        done = run("status", "--json", "--admin", url)
    assert json.loads(done.out) == STATUS


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (500, b"", "answered 500"),
        (200, b"<html>", "not the status of a gateway"),
        (200, b"{}", "not the status of a gateway"),
        (200, b"[1]", "not the status of a gateway"),
    ],
)
def test_another_answer_is_one_line(status: int, body: bytes, reason: str) -> None:
    with answering(status, body) as url:
        done = run("status", "--admin", url)
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith(f"smppgw: {url}/status: ")
    assert done.err.count("\n") == 1
    assert reason in done.err


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "ftp://127.0.0.1", "file:///etc", "http://[", "x", ""])
def test_nobody_there_is_one_line(url: str) -> None:
    done = run("status", "--admin", url)
    assert (done.status, done.out) == (1, "")
    assert done.err.count("\n") == 1
