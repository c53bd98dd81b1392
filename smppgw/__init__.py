"""smppgw: an SMPP gateway, and an asyncio ESME and SMSC as a library.

    from smppgw import Esme, Smsc

What stands in `__all__` is imported when it is asked for: neither the code generator nor a command that only reads a
PDU needs all of it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from smppgw.address import Address
    from smppgw.bound import LATER, BoundEsme
    from smppgw.delivery import DeliveryReceipt, MoMessage
    from smppgw.errors import SmppgwError
    from smppgw.esme import Esme
    from smppgw.outcome import SubmitFailed, SubmitResult, Submitted, Unanswered
    from smppgw.pdu._generated import DeliverSm, SubmitSm
    from smppgw.pdu.constants import CommandStatus, MessageState
    from smppgw.session.errors import BindRefused, ConnectionFailed, NotPermitted
    from smppgw.smsc import Smsc

__all__ = [
    "LATER",
    "Address",
    "BindRefused",
    "BoundEsme",
    "CommandStatus",
    "ConnectionFailed",
    "DeliverSm",
    "DeliveryReceipt",
    "Esme",
    "MessageState",
    "MoMessage",
    "NotPermitted",
    "SmppgwError",
    "Smsc",
    "SubmitFailed",
    "SubmitResult",
    "SubmitSm",
    "Submitted",
    "Unanswered",
]

_HOMES: Final = {
    "smppgw.address": ("Address",),
    "smppgw.bound": ("LATER", "BoundEsme"),
    "smppgw.delivery": ("DeliveryReceipt", "MoMessage"),
    "smppgw.errors": ("SmppgwError",),
    "smppgw.esme": ("Esme",),
    "smppgw.outcome": ("SubmitFailed", "SubmitResult", "Submitted", "Unanswered"),
    "smppgw.pdu._generated": ("DeliverSm", "SubmitSm"),
    "smppgw.pdu.constants": ("CommandStatus", "MessageState"),
    "smppgw.session.errors": ("BindRefused", "ConnectionFailed", "NotPermitted"),
    "smppgw.smsc": ("Smsc",),
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        for home, names in _HOMES.items():
            if name in names:
                return getattr(import_module(home), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
