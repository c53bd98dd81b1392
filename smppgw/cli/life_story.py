"""The life of a message, told to people: what is known of it, then what happened and when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

from smppgw.cli.contents import ADDRESSES
from smppgw.cli.lines import one_line, table
from smppgw.cli.meanings import meaning_of
from smppgw.cli.moments import span
from smppgw.pdu.constants import CommandStatus, MessageState, status_name

Event: TypeAlias = tuple[str, str, str]
"""What happened, when, and more of it."""

_DELIVERED: Final = MessageState.DELIVERED.name
_NOT_KNOWN: Final = "when is not known any more"


def story(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a life, which is what `smppgw store show --json` prints."""
    yield from table([(name, one_line(value)) for name, value in _facts(document)])
    yield ""
    yield from table([_on_one_line(event) for event in _course(document)])


def _on_one_line(event: Event) -> Event:
    what, when, more = event
    return one_line(what), one_line(when), one_line(more)


def _facts(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "message_id", document["message_id"]
    yield "state", _stand(document)
    yield "esme", document["esme"]
    for name in (*ADDRESSES, "unreadable"):
        if name in document:
            yield name, document[name]
    if not any(name in document for name in (*ADDRESSES, "unreadable")):
        yield "numbers", "not kept any more"
    if "text_octets" in document:
        yield "text", f"{document['text_octets']} octets, data_coding {document['data_coding']}"
    elif "unreadable" not in document:
        yield "text", "not kept any more"
    if "text" in document:
        yield "", f'"{document["text"]}"'
    if "registered_delivery" in document:
        yield "asked for", meaning_of("registered_delivery", document["registered_delivery"])
    if document.get("expires"):
        yield "valid until", document["expires"]
    if document["in_use"]:
        yield "store", "in use by a running gateway"


def _stand(document: Mapping[str, Any]) -> str:
    outcome = document["outcome"]
    if outcome is not None:
        words = "delivered" if outcome["state"] == _DELIVERED else f"not delivered: {outcome['words']}"
    else:
        words = {
            "queued": "queued",
            "deferred": f"waits until {document.get('due')}",
            "submitted": "on its way: a carrier has it",
        }[document["stands"]]
    parts = document["parts"]
    if not parts:
        return words
    delivered = sum(1 for part in parts if part["state"] == _DELIVERED)
    return f"{words} ({delivered} of {len(parts)} parts delivered)"


def _course(document: Mapping[str, Any]) -> Iterator[Event]:
    parts = document["parts"]
    esme = f"from {document['esme']}" + (f", and split into {len(parts)} parts" if parts else "")
    accepted = document["accepted"]
    yield "accepted", accepted or "", esme if accepted else f"{esme}; {_NOT_KNOWN}"
    if document.get("lane"):
        yield "queued", accepted or "", f"in lane {document['lane']}"
    if not parts:
        yield from _events(document)
    for number, part in enumerate(parts, 1):
        yield "", "", ""
        yield f"part {number}", "", f"{part['text_octets']} octets" if "text_octets" in part else ""
        if part["stands"] == "queued":
            yield "queued", "", "no carrier has it yet"
        yield from _events(part)


def _events(course: Mapping[str, Any]) -> Iterator[Event]:
    """Yield what happened to a message, or to one part, since it was queued."""
    if course["stands"] == "unknown":
        yield "", "", "nothing is known of it any more"
        return
    if course.get("due"):
        tried = course["attempts"]
        why = f"put off after {_times(tried)} without success" if tried else "as its ESME asked"
        yield ("waits until" if course["stands"] == "deferred" else "waited until"), course["due"], why
    for before, each in enumerate(course["submitted"]):
        told = each["carrier_message_id"]
        named = f"which calls it {told}" if told else "which gave it no id: no receipt will find it"
        yield ("sent again" if before else "sent"), each["at"], f"to {each['carrier']}, {named}"
    sent_long_ago = not course["submitted"] and not course["never_sent"]
    if course["stands"] in ("submitted", "ended") and sent_long_ago:
        yield "sent", "", f"{_NOT_KNOWN}, nor to whom"
    if course["outcome"] is not None:
        yield _end(course)
    elif course["stands"] == "submitted":
        yield "on its way", "", "the carrier has not said yet what became of it"


def _times(count: int) -> str:
    return "1 attempt" if count == 1 else f"{count} attempts"


def _end(course: Mapping[str, Any]) -> Event:
    outcome = course["outcome"]
    what = "delivered" if outcome["state"] == _DELIVERED else "not delivered"
    took = f"after {span(round(course['seconds'] * 1000))}: " if course["seconds"] is not None else ""
    return what, course["final"] or "", f"{took}{outcome['words']} ({outcome['state']}{_reason(course)})"


def _reason(course: Mapping[str, Any]) -> str:
    """Return what the carrier gave as its reason; what never was a carrier's has the command_status as `err`."""
    err = course["outcome"]["err"]
    if not course["never_sent"]:
        return f", err {err}" if err else ""
    try:
        status = int(err or "0", 16)
    except ValueError:
        return f", err {err}"
    if status == CommandStatus.ESME_RUNKNOWNERR:
        return f", no answer came in time, or {status_name(status)}"
    return f", the answer was {status_name(status)}" if status else ", no carrier had it"
