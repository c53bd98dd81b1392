"""Asking a running gateway's admin endpoint."""

from __future__ import annotations

import argparse
from http import HTTPStatus
from http.client import HTTPException
from typing import Final
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

from smppgw.errors import SmppgwError

_DEFAULT: Final = "http://127.0.0.1:9464"
_SECONDS: Final = 10.0
_ANSWER_OCTETS: Final = 16 * 1024 * 1024
"""The most that is read of an answer."""
_REASON_OCTETS: Final = 200


class AskingError(SmppgwError):
    """What was asked for cannot be had."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(url, reason)
        self.url = url
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.url}: {self.reason}"


def add_admin(parser: argparse.ArgumentParser) -> None:
    """Declare the options of commands that ask."""
    parser.add_argument("--admin", default=_DEFAULT, metavar="URL", help=f"the [admin] endpoint ({_DEFAULT})")
    parser.add_argument("--json", action="store_true", help="print the JSON as it came")


def page_of(admin: str, page: str) -> str:
    """Return the address of a page of an endpoint."""
    return f"{admin.rstrip('/')}/{page}"


def fetch(url: str) -> bytes:
    """Return a page.

    Raises: AskingError, with what the endpoint says where there is nothing of what was asked for.
    """
    if not url.startswith(("http://", "https://")):
        raise AskingError(url, "not an http:// or https:// address")
    try:
        # A proxy of the environment is not asked: the endpoint is on this machine or a private address.
        with build_opener(ProxyHandler({})).open(url, timeout=_SECONDS) as answer:
            return bytes(answer.read(_ANSWER_OCTETS))
    except HTTPError as error:
        raise AskingError(url, _reason(error)) from None
    except URLError as error:
        reason = error.reason
        said = reason.strerror or str(reason) if isinstance(reason, OSError) else str(reason)
        raise AskingError(url, said) from None
    except (HTTPException, OSError, ValueError) as error:
        raise AskingError(url, str(error) or type(error).__name__) from None


def _reason(error: HTTPError) -> str:
    answered = f"answered {error.code} {error.reason}"
    if error.code != HTTPStatus.NOT_FOUND:
        return answered
    with error:
        lines = error.read(_REASON_OCTETS).decode("utf-8", "replace").splitlines()
    return lines[0] if lines else answered
