"""What each key may hold beyond its type: ranges, lengths, characters.

A bound takes a value of the right type and gives it back, normalised where that is its business, or raises
`UnfitError`. `BOUNDS` is the table; the lengths of SMPP's own fields are those of SMPP v3.4 section 4.1.1
without their NUL.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from smppgw.error_classes import status_number
from smppgw.settings import (
    AdminSettings,
    BrandSettings,
    CampaignSettings,
    CarrierSettings,
    EsmeSettings,
    GatewaySettings,
    InboundSettings,
    LimitsSettings,
    ListenSettings,
    NumberSettings,
    OutbindSettings,
    PoolSettings,
    RouteSettings,
    StoreSettings,
)
from smppgw.tables import (
    BrandTier,
    CampaignRules,
    ClassRate,
    CountryRules,
    ErrMeaning,
    NumberRate,
    StatMeaning,
    StatusMeaning,
)
from smppgw.throttle.nanp import canonical

Bound = Callable[[Any], Any]

PASSWORD_CHARACTERS: Final = 8
"""The longest password of SMPP v3.4 section 5.2.2."""

WORDS_CHARACTERS: Final = 500
"""The longest reason or description."""

_PHONE_NUMBER: Final = re.compile(r"\+?([0-9]{3,15})")
_COUNTRY: Final = re.compile(r"\+?(CA|1[2-9][0-9]{2}|[2-9][0-9]{0,3})")
_DIGITS: Final = re.compile(r"\+?([0-9]{1,20})")
_HOST: Final = re.compile(r"[A-Za-z0-9._:%-]{1,253}")


class UnfitError(ValueError):
    """A value that its key cannot hold. `found` never shows a secret."""

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(found, expected)
        self.found = found
        self.expected = expected

    def __str__(self) -> str:
        return f"{self.found}; expected {self.expected}"


def number(low: float, high: float, unit: str = "", *, above: bool = False) -> Bound:
    """Return the bound `low` to `high`; with `above`, `low` itself is too little."""
    expected = (
        f"{'more than ' if above else ''}{low} {'and at most' if above else 'to'} {high} {unit}".rstrip()
    )

    def check(value: float) -> float:
        if not math.isfinite(value) or not low <= value <= high or (above and value == low):
            raise UnfitError(f"is {value}", expected)
        return value

    return check


def text(low: int, high: int) -> Bound:
    """Return the bound of `low` to `high` printable ASCII characters."""
    expected = f"{low} to {high} printable ASCII characters"

    def check(value: str) -> str:
        if not (value.isascii() and value.isprintable()):
            raise UnfitError("has other characters", expected)
        if not low <= len(value) <= high:
            raise UnfitError(f"has {len(value)} characters", expected)
        return value

    return check


def _matching(pattern: re.Pattern[str], expected: str) -> Bound:
    """Return the bound that keeps what the pattern's last group matched."""

    def check(value: str) -> str:
        found = pattern.fullmatch(value)
        if found is None:
            raise UnfitError(f'is "{value[:40]}"', expected)
        return found[pattern.groups]

    return check


def _each(bound: Bound) -> Bound:
    return lambda values: tuple(bound(value) for value in values)


def _rate(value: float) -> float:
    """So many a second, or 0 for no limit."""
    allowed = f"0 for no limit, or {_LEAST_RATE} to 1000000 a second"
    if value and not (math.isfinite(value) and _LEAST_RATE <= value <= 1_000_000):
        raise UnfitError(f"is {value}", allowed)
    return value


def _segments(value: int | str) -> int | str:
    return value if isinstance(value, str) else int(_POSITIVE(value))


def _sender(value: str) -> str:
    """A telephone number by its digits, or any other source address as it stands."""
    digits = _DIGITS.fullmatch(value)
    return digits[1] if digits else str(_ADDRESS(value))


def _number(value: str) -> str:
    """A telephone number, as numbers are compared."""
    return canonical(str(_PHONE(value)))


def _pool(value: str) -> str:
    """A source address, as they are compared."""
    return canonical(_sender(value))


def _words(value: str) -> str:
    """What people are told, on a line."""
    if not value.isprintable() or len(value) > WORDS_CHARACTERS:
        raise UnfitError("has others or more", f"at most {WORDS_CHARACTERS} printable characters")
    return value


def _status(value: int | str) -> int:
    """A command_status as its number."""
    try:
        return int(_STATUS(status_number(value)))
    except KeyError:
        expected = "a number, or a name of SMPP v5.0 such as ESME_RINVDSTADR"
        raise UnfitError(f'is "{value}"'[:60], expected) from None


_ADDRESS: Final = text(1, 20)
_COUNT: Final = number(1, 1_000_000)
_HOST_NAME: Final = _matching(_HOST, "a host name or an IP address")
_NAME: Final = text(1, 64)
_LEAST_RATE: Final = 0.001
_NUMBER_RATE: Final = number(0.001, 100_000, "segments a second")
_PASSWORD: Final = text(1, PASSWORD_CHARACTERS)
_PDU_OCTETS: Final = number(1_024, 1_048_576, "octets")
_PHONE: Final = _matching(_PHONE_NUMBER, "3 to 15 digits, such as +12065550100")
_POSITIVE: Final = number(1, 1_000_000_000)
_PREFIX: Final = _matching(_DIGITS, "the first digits of a telephone number, such as +1206")
_STATUS: Final = number(1, 0xFFFF_FFFF)
_SYSTEM_ID: Final = text(1, 15)
_TIMEOUT: Final = number(0, 3_600, "seconds", above=True)
_TIMER: Final = number(0, 86_400, "seconds (0: never)")
_WAIT: Final = number(0, 3_600, "seconds")

BOUNDS: Final[Mapping[type, Mapping[str, Bound]]] = MappingProxyType(
    {
        GatewaySettings: {
            "name": _NAME,
            "drain_timeout": _WAIT,
            "max_attempts": number(1, 100),
            "retry_delay": _WAIT,
        },
        ListenSettings: {
            "host": _HOST_NAME,
            "port": number(0, 65_535, "(0: any free port)"),
            "system_id": text(0, 15),
            "max_connections": _COUNT,
            "max_pdu_octets": _PDU_OCTETS,
            "bind_timeout": _TIMEOUT,
            "enquire_link": _TIMER,
            "inactivity": _TIMER,
            "response_timeout": _TIMEOUT,
            "read_timeout": _TIMEOUT,
            "write_buffer_octets": number(65_536, 1_073_741_824, "octets"),
            "failed_bind_delay": number(0, 30, "seconds"),
        },
        AdminSettings: {
            "host": _HOST_NAME,
            "port": number(0, 65_535, "(0: any free port)"),
            "campaign_series": number(0, 10_000, "campaigns"),
        },
        OutbindSettings: {
            "host": _HOST_NAME,
            "port": number(1, 65_535),
            "system_id": text(0, 15),
            "password": text(0, PASSWORD_CHARACTERS),
        },
        EsmeSettings: {
            "system_id": _SYSTEM_ID,
            "password": _PASSWORD,
            "max_binds": number(1, 10_000),
            "window": number(1, 10_000, "requests"),
            "messages_per_second": _rate,
            "sources": _each(_sender),
            "max_queued": _POSITIVE,
            "max_waiting": _POSITIVE,
            "delivery_validity": number(1, 31_536_000, "seconds"),
            "prefixes": _each(_PREFIX),
        },
        CarrierSettings: {
            "name": _NAME,
            "host": _HOST_NAME,
            "system_id": _SYSTEM_ID,
            "password": text(0, 64),
            "port": number(1, 65_535),
            "system_type": text(0, 12),
            "binds": number(1, 100),
            "window": number(1, 10_000, "requests"),
            "messages_per_second": _rate,
            "bind_messages_per_second": _rate,
            "enquire_link": _TIMER,
            "response_timeout": _TIMEOUT,
            "bind_timeout": _TIMEOUT,
            "reconnect_min": _TIMEOUT,
            "reconnect_max": _TIMEOUT,
            "max_pdu_octets": _PDU_OCTETS,
        },
        RouteSettings: {"source": _PREFIX, "destination": _PREFIX},
        BrandSettings: {
            "id": _NAME,
            "reason": _words,
            "tax_id": text(0, 64),
            "segments_per_day": _segments,
        },
        CampaignSettings: {
            "id": _NAME,
            "brand": _NAME,
            "reason": _words,
            "use_case": _words,
            "numbers": _each(_number),
            "segments_per_minute": _segments,
        },
        NumberSettings: {"number": _number, "segments_per_second": _NUMBER_RATE},
        PoolSettings: {"name": _pool, "numbers": _each(_number)},
        LimitsSettings: {"burst_seconds": number(0, 60, "seconds")},
        BrandTier: {"name": _NAME, "segments_per_day": _segments},
        ClassRate: {"segments_per_minute": _POSITIVE},
        NumberRate: {"segments_per_second": _NUMBER_RATE},
        CampaignRules: {"numbers": _POSITIVE},
        CountryRules: {
            "prefix": _matching(_COUNTRY, 'a calling code such as 33, "CA", or 1 and an area code'),
            "min_characters": number(1, 20),
            "max_characters": number(1, 20),
            "forbidden_words": _each(_ADDRESS),
            "forbidden_sources": _each(_PREFIX),
        },
        ErrMeaning: {"err": _each(text(1, 20))},
        StatMeaning: {"stat": _each(text(1, 20))},
        StatusMeaning: {"command_status": _each(_status)},
        InboundSettings: {
            "default_esme": text(0, 15),
            "orphans_to": text(0, 15),
            "hold_receipts": number(1, 86_400, "seconds"),
            "hold_parts": number(1, 86_400, "seconds"),
            "max_held": number(1, 1_000_000),
            "max_kept": number(0, 10_000_000),
        },
        StoreSettings: {
            "retention_days": number(0, 3_650, "days"),
            "checkpoint_seconds": number(0, 3_600, "seconds", above=True),
            "max_bytes": number(1_048_576, 2**50, "octets"),
            "segment_bytes": number(1_048_576, 2**30, "octets"),
        },
    }
)
"""By dataclass and field. A key that is not here is bounded by its type."""
