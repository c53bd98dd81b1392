"""Log lines: one event name and its fields, as JSON on stderr, with nothing personal in them.

`configure` is called once by the entry point; whoever logs is handed a logger. `Redactor` runs last before a
line is rendered, so that no field can go round it. It goes by the name of a field: an address, a secret, free text
of ours; every other field is taken to come from a peer. Runs of digits as long as a telephone number are masked in
all of them.
"""

from __future__ import annotations

import hashlib
import logging
import re
import secrets
import sys
from collections.abc import Mapping
from typing import Final, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

Level = Literal["debug", "info", "warning", "error"]

ADDRESS_FIELDS: Final = frozenset(
    {"source_addr", "destination_addr", "esme_addr", "address", "number", "numbers", "source", "destination"}
)
"""Their telephone numbers are masked."""
SECRET_FIELDS: Final = frozenset({"password", "text", "short_message", "message_payload", "pdu"})
"""They are not shown at all."""
FREE_TEXT_FIELDS: Final = frozenset({"event", "error", "reason", "exception", "stack", "file", "url"})
"""Sentences of ours and of Python's."""

PEER_CHARACTERS: Final = 64
"""The most that is shown of a field that a peer may have written."""
FREE_TEXT_CHARACTERS: Final = 16_384
"""The most that is shown of a traceback."""

_HIDDEN: Final = "[hidden]"
_DIGITS_OF_AN_ADDRESS: Final = 5
"""From a short code on; a sender of letters with fewer digits is a name."""
_LIKE_A_NUMBER: Final = re.compile(r"\b0x[0-9A-F]{8}\b|(\+?[0-9]{7,})")
"""And, so that they are passed over, what 32 bits are in hexadecimal."""
_HANDLER: Final = "smppgw"


class Redactor:
    """Masks what is personal, hides what is secret, escapes and cuts what peers wrote.

    A telephone number becomes its country, its last two digits and a hash, such as `1*00#5f1d9c3a`: the same for
    the same number as long as the process lives, so that support can follow it, and of no use without the key.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """Return the event as it may be written."""
        return {name: self._shown(name, value) for name, value in event.items()}

    def mask(self, number: str) -> str:
        """Return what may be shown of a telephone number."""
        digits = "".join(character for character in number if character.isdecimal())
        country = ("1" if digits[0] == "1" else digits[:2]) if len(digits) >= 10 else ""
        tag = hashlib.blake2s(digits.encode(), key=self._key, digest_size=4).hexdigest()
        return f"{country}*{digits[-2:]}#{tag}"

    def _shown(self, name: str, value: object) -> object:
        if name in SECRET_FIELDS:
            return _HIDDEN
        if isinstance(value, Mapping):
            return {str(key): self._shown(_inner(name, str(key)), inner) for key, inner in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self._shown(name, inner) for inner in value]
        if value is None or isinstance(value, (bool, int, float)):
            return self._address(str(value)) if name in ADDRESS_FIELDS else value
        text = (
            bytes(value).decode("latin-1")
            if isinstance(value, (bytes, bytearray, memoryview))
            else str(value)
        )
        if name in ADDRESS_FIELDS:
            return self._address(text)
        if name in FREE_TEXT_FIELDS:
            return _escaped(
                self._without_numbers(text)[:FREE_TEXT_CHARACTERS],
                keep="\n" if name in ("exception", "stack") else "",
            )
        return _escaped(self._without_numbers(text)[:PEER_CHARACTERS])

    def _without_numbers(self, text: str) -> str:
        return _LIKE_A_NUMBER.sub(lambda found: self.mask(found[1]) if found[1] else found[0], text)

    def _address(self, text: str) -> str:
        digits = sum(character.isdecimal() for character in text)
        return self.mask(text) if digits >= _DIGITS_OF_AN_ADDRESS else _escaped(text[:PEER_CHARACTERS])


def _inner(name: str, key: str) -> str:
    """Return the name that a value inside a field goes by: the field's own where that is an address's."""
    return name if name in ADDRESS_FIELDS else key


def _escaped(text: str, keep: str = "") -> str:
    """Return the text on one line, with nothing in it that a terminal would act on."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() or character in keep else ascii(character)[1:-1]
        for character in text
    )


def configure(level: Level = "info", *, human: bool = False, file: TextIO | None = None) -> None:
    """Set up structlog, and send what the standard library logs the same way.

    `human` writes for a person at a terminal in place of JSON; `file` is stderr unless it is given.
    """
    output = sys.stderr if file is None else file
    last: list[Processor] = [Redactor(secrets.token_bytes(16))]
    if human:
        plain = structlog.dev.plain_traceback
        last.append(structlog.dev.ConsoleRenderer(colors=False, exception_formatter=plain))
    else:
        last.append(structlog.processors.JSONRenderer())
    first: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*first, *last],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.WriteLoggerFactory(file=output),
        cache_logger_on_first_use=True,
    )
    _redirect_standard_logging(output, first, last)


def _redirect_standard_logging(output: TextIO, first: list[Processor], last: list[Processor]) -> None:
    """Write what asyncio and libraries warn of as lines of ours, through the same redaction."""
    handler = logging.StreamHandler(output)
    handler.name = _HANDLER
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *first],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    for old in [old for old in root.handlers if old.name == _HANDLER]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
