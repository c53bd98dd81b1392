"""The text of a delivery receipt, as SMPP v3.4 Appendix B shows it and as operators write it.

    id:0123456789 sub:001 dlvrd:001 submit date:2611221000 done date:2611221001 stat:DELIVRD err:000 text:Hi

Appendix B calls the form vendor specific, so reading takes the fields in any order and case, present or not,
and keeps each as it is written. A text in UCS-2 is for the caller to decode first. The TLVs
receipted_message_id and message_state, where a PDU has them, come before what this text says.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime
from itertools import pairwise
from typing import Final, NamedTuple

from smppgw.pdu.constants import MessageState

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

_STATE_OF_WORD: Final[dict[str, MessageState]] = {
    **{state.name: state for state in MessageState},
    **{stat: state for state, stat in STAT_OF_STATE.items() if state is not MessageState.SCHEDULED},
    "BUFFERED": MessageState.ENROUTE,
    "BUFFRED": MessageState.ENROUTE,
    "DELIVERD": MessageState.DELIVERED,
    "FAILED": MessageState.UNDELIVERABLE,
    "UNDELIVERED": MessageState.UNDELIVERABLE,
}
_STATE_OF_STAT: Final = {**_STATE_OF_WORD, **{str(state.value): state for state in MessageState}}
_STAT_OF_ANSWER: Final = {"ACK": "ACCEPTD", "NACK": "REJECTD"}
"""Whether the SMSC has taken it, as some write instead of a state."""

_STRAIGHT: Final = re.compile(
    r"id:([^\s\0]*) sub:(\w*) dlvrd:(\w*) submit date:(\d*) done date:(\d*) stat:(\w*) err:(\w*)"
    r"(?: [Tt]ext:([^\0]*))?\0*",
    re.ASCII,
)

_LABEL: Final = re.compile(
    r"\b(id|sub|dlvrd|submit[ _-]?date|done[ _-]?date|stat|err|text|(?:message|msg)[ _-]?id) ?:", re.ASCII
)
"""In lower case; an underscore before it makes another word of it."""
_FIELD: Final = {
    **{name: name for name in ("id", "sub", "dlvrd", "stat", "err", "text")},
    **{f"submit{between}date": "submit_date" for between in ("", " ", "_", "-")},
    **{f"done{between}date": "done_date" for between in ("", " ", "_", "-")},
    **{f"{word}{between}id": "id" for word in ("message", "msg") for between in ("", " ", "_", "-")},
}
_FOREIGN_LABEL: Final = re.compile(
    r"[\s,;|][A-Za-z_]\w{0,30}[:=]", re.ASCII
)  # bounded: peers choose the text
_DIGITS_ALONE: Final = re.compile(r" ?(\d+) ?$", re.ASCII)
_WORD: Final = re.compile(r"[^\s\0,;|\"']+", re.ASCII)
_AROUND_DATE: Final = " \t\r\n,;|\0\"'"
_ADJOINING: Final = 8
"""So few characters may stand between a `text:` and one that is written a second time."""

_TOKEN: Final = re.compile(r"\d\d?:\d\d(?::\d\d)?|[0-9A-Za-z@._-]+", re.ASCII)
_TOKENS: Final = 64
"""So many words of a text in no known form are looked at."""
_ID_CHARACTERS: Final = range(4, 65)
_MOMENT: Final = re.compile(r"\d\d?:|\d{2,4}-\d\d?-\d\d?|\d{1,2}\.\d\d?\.\d{2,4}", re.ASCII)


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


def guess_receipt(text: str, addresses: Collection[str] = ()) -> Receipt | None:
    """Return what can be made of a text of another form, which a PDU has called a receipt; None where that is no id.

    `362d9701 2`, `ACK/362d9701`, `16665550100;362d9701;DELIVRD`: the first word of four characters and more with a
    digit in it is the id, unless it is a date or one of `addresses`; else the first of two short ones is. A word for
    a state, or else a message_state of one digit, is the stat.
    Raises: nothing.
    """
    tokens = [match[0] for _, match in zip(range(_TOKENS), _TOKEN.finditer(text), strict=False)]
    numbered = [
        token
        for token in tokens
        if any(map(str.isdigit, token)) and token not in addresses and not _MOMENT.match(token)
    ]
    found = next(
        (token for token in numbered if len(token) in _ID_CHARACTERS),
        numbered[0] if len(numbered) == 2 else "",
    )
    if not found:
        return None
    stat = next((token for token in tokens if token.upper() in _STATE_OF_WORD), "")
    if not stat:
        numbered.remove(found)
        stat = next((_STAT_OF_ANSWER[token] for token in tokens if token in _STAT_OF_ANSWER), "") or next(
            (token for token in numbered if len(token) == 1), ""
        )
    return Receipt(found, "", "", "", "", stat, "", "")


def is_receipt_alone(text: str, receipt: Receipt) -> bool:
    """Say whether a text that `parse_receipt` has read is a receipt although nothing else in its PDU says so.

    People quote receipts, and write of ids and states: it has to begin with a label, and to have an id, a state by
    one of its words, and a count, a date or an err; or all of them as Appendix B has them.
    """
    if _STRAIGHT.fullmatch(text) is not None:
        return True
    return (
        any(map(str.isdigit, receipt.id))
        and receipt.stat.upper() in _STATE_OF_WORD
        and any((receipt.sub, receipt.dlvrd, receipt.submit_date, receipt.done_date, receipt.err))
        and _LABEL.match(_lower(text.lstrip())) is not None
    )


def format_receipt(
    message_id: bytes,
    *,
    submit_date: bytes,
    done_date: bytes,
    state: MessageState,
    err: bytes = b"000",
    text: bytes = b"",
    parts: int = 1,
    delivered: int | None = None,
) -> bytes:
    """Return the receipt of a message in the form of Appendix B.

    Dates are of `receipt_date`, `err` three octets; of `text`, in the coding the receipt is sent with, the
    first 20 octets are used, less a GSM escape that would lose its character. `parts` and `delivered` are `sub` and
    `dlvrd`, at most 999; without `delivered` all parts are or none is, by the state.
    Raises: nothing.
    """
    shown = text[:TEXT_OCTETS]
    if delivered is None:
        delivered = parts if state == MessageState.DELIVERED else 0
    return b"id:%b sub:%03d dlvrd:%03d submit date:%b done date:%b stat:%b err:%b text:%b" % (
        message_id,
        parts,
        delivered,
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
    """Return the message_state of a stat word in any case, or of its number; UNKNOWN for one that is not known."""
    state = _STATE_OF_STAT.get(stat)
    return _STATE_OF_STAT.get(stat.upper(), MessageState.UNKNOWN) if state is None else state


_STAT_OCTETS: Final = {state: stat.encode() for state, stat in STAT_OF_STATE.items()}


def _parse_loose(text: str) -> Receipt | None:
    fields: dict[str, str] = {}
    labels = _labels(text)
    if len(labels) < 2:
        return None
    end = len(text)
    labels.append(("", end, end))
    for (name, _, start), (_, end, _) in pairwise(labels):
        if fields.get(name):
            continue
        if name == "text":
            value = text[start:end]
            fields[name] = value.rstrip("\0") if end == len(text) else value.rstrip()
        elif name == "submit_date" or name == "done_date":
            date = _DIGITS_ALONE.match(text, start, end)
            fields[name] = date[1] if date is not None else _date(text[start:end])
        else:
            word = _WORD.search(text, start, end)
            fields[name] = word[0] if word is not None else ""
    if ("id" not in fields and "stat" not in fields) or len(fields) - ("text" in fields) < 2:
        return None
    get = fields.get
    return Receipt(
        get("id", ""),
        get("sub", ""),
        get("dlvrd", ""),
        get("submit_date", ""),
        get("done_date", ""),
        get("stat", ""),
        get("err", ""),
        get("text", ""),
    )


def _date(value: str) -> str:
    foreign = _FOREIGN_LABEL.search(value)
    return (value[: foreign.start()] if foreign else value).strip(_AROUND_DATE)


def _labels(text: str) -> list[tuple[str, int, int]]:
    """Return field, beginning and end of each label, in their order.

    What follows `text:` is the message's own, but for fields that have not come yet and are written without a
    space behind the colon, as no sentence is.
    """
    labels: list[tuple[str, int, int]] = []
    found: set[str] = set()
    for match in _LABEL.finditer(_lower(text)):
        name = _FIELD[match[1]]
        start, end = match.span()
        if "text" in found:
            if name == "text":
                last, _, text_at = labels[-1]
                if last != name or start - text_at > _ADJOINING or text[text_at:start].strip():
                    continue
            elif name in found or text[end : end + 1].isspace():
                continue
        labels.append((name, start, end))
        found.add(name)
    return labels


def _lower(text: str) -> str:
    """Return the text in lower case, as long as before."""
    return text.replace("İ", "i").lower()  # the one character that becomes two
