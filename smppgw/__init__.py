"""smppgw: an SMPP gateway, and an asyncio ESME and SMSC as a library.

    from smppgw import Esme, Smsc

What stands in `__all__` is imported when it is asked for: neither the code generator nor a command that only reads a
PDU needs all of it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from smppgw.errors import SmppgwError
    from smppgw.library.address import Address
    from smppgw.library.bound import LATER, BoundEsme
    from smppgw.library.delivery import DeliveryReceipt, MoMessage
    from smppgw.library.esme import Esme
    from smppgw.library.outcome import SubmitFailed, SubmitResult, Submitted, Unanswered
    from smppgw.library.smsc import Smsc
    from smppgw.pdu._generated import DeliverSm, SubmitSm
    from smppgw.pdu.constants import CommandStatus, MessageState
    from smppgw.session.errors import BindRefused, ConnectionFailed, NotPermitted

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
    "smppgw.library.address": ("Address",),
    "smppgw.library.bound": ("LATER", "BoundEsme"),
    "smppgw.library.delivery": ("DeliveryReceipt", "MoMessage"),
    "smppgw.errors": ("SmppgwError",),
    "smppgw.library.esme": ("Esme",),
    "smppgw.library.outcome": ("SubmitFailed", "SubmitResult", "Submitted", "Unanswered"),
    "smppgw.pdu._generated": ("DeliverSm", "SubmitSm"),
    "smppgw.pdu.constants": ("CommandStatus", "MessageState"),
    "smppgw.session.errors": ("BindRefused", "ConnectionFailed", "NotPermitted"),
    "smppgw.library.smsc": ("Smsc",),
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        for home, names in _HOMES.items():
            if name in names:
                return getattr(import_module(home), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
