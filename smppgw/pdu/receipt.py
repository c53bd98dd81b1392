"""The text of a delivery receipt, as SMPP v3.4 Appendix B shows it and as operators write it.

    id:0123456789 sub:001 dlvrd:001 submit date:2611221000 done date:2611221001 stat:DELIVRD err:000 text:Hi

Appendix B calls the form vendor specific, so reading takes the fields in any order and case, present or not,
and keeps each as it is written. A text in UCS-2 is for the caller to decode first. The TLVs
receipted_message_id and message_state, where a PDU has them, come before what this text says.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final, Literal, NamedTuple

from smppgw.pdu.constants import MessageState

ReceiptClass = Literal["delivered", "pending", "temporary", "permanent", "unknown"]

TEXT_OCTETS: Final = 20
"""How much of the message a receipt repeats."""

STAT_OF_STATE: Final[dict[MessageState, str]] = {
    MessageState.SCHEDULED: "ENROUTE",  # v5.0 gives it no word of its own
    MessageState.ENROUTE: "ENROUTE",
    MessageState.DELIVERED: "DELIVRD",
    MessageState.EXPIRED: "EXPIRED",
    MessageState.DELETED: "DELETED",
    MessageState.UNDELIVERABLE: "UNDELIV",
    MessageState.ACCEPTED: "ACCEPTD",
    MessageState.UNKNOWN: "UNKNOWN",
    MessageState.REJECTED: "REJECTD",
    MessageState.SKIPPED: "SKIPPED",
}
"""The word after `stat:`, at most seven characters."""

_STATE_OF_STAT: Final[dict[str, MessageState]] = {
    **{state.name: state for state in MessageState},
    **{stat: state for state, stat in STAT_OF_STATE.items() if state is not MessageState.SCHEDULED},
    "DELIVERD": MessageState.DELIVERED,
    "FAILED": MessageState.UNDELIVERABLE,
}

# UNDELIV alone does not say whether the number or the moment was wrong, so it must not condemn the number.
_CLASS_OF_STATE: Final[dict[MessageState, ReceiptClass]] = {
    MessageState.SCHEDULED: "pending",
    MessageState.ENROUTE: "pending",
    MessageState.DELIVERED: "delivered",
    MessageState.EXPIRED: "temporary",
    MessageState.DELETED: "permanent",
    MessageState.UNDELIVERABLE: "temporary",
    MessageState.ACCEPTED: "pending",
    MessageState.UNKNOWN: "unknown",
    MessageState.REJECTED: "permanent",
    MessageState.SKIPPED: "permanent",
}

_STRAIGHT: Final = re.compile(
    r"id:(\S*) sub:(\w*) dlvrd:(\w*) submit date:(\d*) done date:(\d*) stat:(\w*) err:(\w*)"
    r"(?: [Tt]ext:([^\0]*))?\0*",
    re.ASCII,
)

_LABEL: Final = re.compile(
    r"(?<![A-Za-z0-9_])(id|sub|dlvrd|submit[ _-]?date|done[ _-]?date|stat|err|text) ?:",
    re.ASCII | re.IGNORECASE,
)
_FOREIGN_LABEL: Final = re.compile(r"[\s,;][A-Za-z_]\w{0,30}:", re.ASCII)  # bounded: peers choose the text


class Receipt(NamedTuple):
    """What a receipt says: each field as written, empty when it is not there."""

    id: str
    """The carrier's message_id, in the carrier's own spelling."""
    sub: str
    dlvrd: str
    submit_date: str
    """In the carrier's local time, whatever zone that is."""
    done_date: str
    stat: str
    err: str
    text: str

    @property
    def message_state(self) -> MessageState:
        """The state that `stat` names; UNKNOWN for a word that is not known, or none."""
        return state_of_stat(self.stat)


def parse_receipt(text: bytes | str) -> Receipt | None:
    """Return what a receipt says, or None when the text is none.

    It is one when at least two fields besides `text` are there and one of them is `id` or `stat`. A text that
    somebody wrote can pass that too: where neither esm_class nor a TLV says receipt, ask for more. Octets are
    read as Latin-1. Raises: nothing.
    """
    if not isinstance(text, str):
        text = text.decode("latin-1")
    straight = _STRAIGHT.fullmatch(text)
    if straight is not None:
        return Receipt._make(straight.groups(""))
    return _parse_loose(text)


def format_receipt(
    message_id: bytes,
    *,
    submit_date: bytes,
    done_date: bytes,
    state: MessageState,
    err: bytes = b"000",
    text: bytes = b"",
) -> bytes:
    """Return the receipt of one message in the form of Appendix B.

    Dates are of `receipt_date`, `err` three octets; of `text`, in the coding the receipt is sent with, the
    first 20 octets are used, less a GSM escape that would lose its character.
    Raises: nothing.
    """
    shown = text[:TEXT_OCTETS]
    return b"id:%b sub:001 dlvrd:%b submit date:%b done date:%b stat:%b err:%b text:%b" % (
        message_id,
        b"001" if state == MessageState.DELIVERED else b"000",
        submit_date,
        done_date,
        _STAT_OCTETS[state],
        err,
        shown[:-1] if shown[-1:] == b"\x1b" else shown,
    )


def receipt_date(moment: datetime) -> bytes:
    """Return `YYMMDDhhmm` of a moment, in the zone it has."""
    return b"%02d%02d%02d%02d%02d" % (
        moment.year % 100,
        moment.month,
        moment.day,
        moment.hour,
        moment.minute,
    )


def state_of_stat(stat: str) -> MessageState:
    """Return the message_state of a stat word in any case; UNKNOWN for a word that is not known."""
    state = _STATE_OF_STAT.get(stat)
    return _STATE_OF_STAT.get(stat.upper(), MessageState.UNKNOWN) if state is None else state


def receipt_class(stat: str) -> ReceiptClass:
    """Say by the stat word alone what became of a message.

    "temporary": the number may well be good. "permanent": the message is over; the number may be good too.
    """
    return _CLASS_OF_STATE[state_of_stat(stat)]


_STAT_OCTETS: Final = {state: stat.encode() for state, stat in STAT_OF_STATE.items()}


def _parse_loose(text: str) -> Receipt | None:
    fields: dict[str, str] = {}
    labels = _first_labels(text)
    for at, (name, _, start) in enumerate(labels):
        end = labels[at + 1][1] if at + 1 < len(labels) else len(text)
        value = text[start:end]
        if name == "text":
            fields[name] = value.rstrip("\0") if end == len(text) else value.rstrip()
        elif name.endswith("date"):
            foreign = _FOREIGN_LABEL.search(value)
            fields[name] = (value[: foreign.start()] if foreign else value).strip(" \t\r\n,;\0")
        else:
            words = value.split(None, 1)
            fields[name] = words[0].strip(",;\0") if words else ""
    told = fields.keys() - {"text"}
    if len(told) < 2 or not told & {"id", "stat"}:
        return None
    return Receipt._make(fields.get(name, "") for name in Receipt._fields)


def _first_labels(text: str) -> list[tuple[str, int, int]]:
    """Return field, beginning and end of each label; where one comes twice the first is meant.

    What follows `text:` is the message's own, but for fields that have not come yet and are written without a
    space behind the colon, as no sentence is.
    """
    found: dict[str, tuple[str, int, int]] = {}
    for match in _LABEL.finditer(text):
        name = match[1].lower()
        if name.endswith("date"):
            name = "submit_date" if name.startswith("submit") else "done_date"
        if name not in found and ("text" not in found or not text[match.end() : match.end() + 1].isspace()):
            found[name] = (name, match.start(), match.end())
            if len(found) == len(Receipt._fields):
                break
    return list(found.values())
