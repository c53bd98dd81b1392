"""The bounds of one session, and the version two sides agree on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from smppgw.pdu.constants import MAX_PDU_OCTETS, InterfaceVersion
from smppgw.session.timers import TimerSettings

UNBOUND_PDU_OCTETS: Final = 1024
"""command_length before a bind: a bind is at most 112 octets; this leaves room for TLVs nobody expects."""

MAX_FAULTS: Final = 10
"""Broken PDUs in a row after which the connection is closed (SMPP leaves the number to us)."""


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """The bounds of one session."""

    window: int = 100
    """Requests of ours in flight."""
    inbound_window: int = 100
    """Requests of the peer in flight; what is above is answered ESME_RTHROTTLED."""
    max_pdu_octets: int = MAX_PDU_OCTETS
    """The highest command_length accepted once bound."""
    timers: TimerSettings = field(default_factory=TimerSettings)
    interface_version: int = InterfaceVersion.V3_4
    """The highest version we speak."""


def negotiated_version(ours: int, theirs: int) -> int:
    """Return the version both sides speak (SMPP v3.4 section 5.2.4): 3.3 for anything older than 3.4."""
    if theirs < InterfaceVersion.V3_4:
        return InterfaceVersion.V3_3
    return min(ours, InterfaceVersion.V5_0 if theirs >= InterfaceVersion.V5_0 else InterfaceVersion.V3_4)
