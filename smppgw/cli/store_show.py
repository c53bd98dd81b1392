"""`smppgw store show`: what became of one message."""

from __future__ import annotations

import argparse
import secrets
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from smppgw.cli.lines import complain, one_line, say, say_json, table
from smppgw.logs import Redactor
from smppgw.message_ids import id_of, key_of
from smppgw.pdu.codec import decode
from smppgw.pdu.constants import HEADER_OCTETS, EsmClass, MessageState, TlvTag
from smppgw.pdu.errors import PduError
from smppgw.pdu.text import decode_text
from smppgw.pdu.tlv import tlv_value
from smppgw.pdu.udh import parse_udh
from smppgw.store.entries import Message
from smppgw.store.life import Life, life_of

_FAILED: Final = 1
_WRONG_USAGE: Final = 2
_MS_OF_NS: Final = 1_000_000
_1970: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ADDRESSES: Final = ("source_addr", "destination_addr")


def show(args: argparse.Namespace) -> int:
    """Print the life of a message; its numbers masked and its text only counted, unless it is to be clear."""
    message_id = args.message_id.encode("ascii", "replace")
    if key_of(message_id, (1 << 64) - 1) is None:
        complain(
            f"{args.message_id!r} is no message_id of ours: they are 16 or 8 hexadecimal digits, not all 0"
        )
        return _WRONG_USAGE
    found, in_use = life_of(args.data_dir, lambda newest: key_of(message_id, newest))
    if found is None:
        complain(
            f"no message {args.message_id} is known in {args.data_dir}: it never was, or it is too long ago"
        )
        return _FAILED
    document = {**_document(found, clear=args.clear), "in_use": in_use}
    if args.json:
        say_json(document)
    else:
        for line in table([*_rows(document)]):
            say(line)
    return 0


def _document(found: Life, *, clear: bool) -> dict[str, Any]:
    message = found.message
    told = message.message_id if message is not None else id_of(found.key, long=True)
    document: dict[str, Any] = {
        "message_id": told.decode("latin-1"),
        "esme": found.esme,
        "stands": _stands(found),
        "state": _state(MessageState.ENROUTE if found.outcome is None else found.outcome.state),
        "final": _iso(found.final_ms),
        "submitted": [
            {"at": _iso(at_ms), "carrier": carrier, "carrier_message_id": carrier_id.decode("latin-1")}
            for at_ms, carrier, carrier_id in found.submissions
        ],
    }
    if message is not None:
        document |= {
            "accepted": _iso(message.accepted_ns // _MS_OF_NS),
            "due": _iso(message.due_ns // _MS_OF_NS),
            "expires": _iso(message.expires_ns // _MS_OF_NS),
            "lane": message.lane or None,
            "attempts": message.attempts,
            "registered_delivery": message.registered_delivery,
            **_content(message, clear=clear),
        }
    return document


def _stands(found: Life) -> str:
    if found.outcome is not None:
        return "ended"
    if found.submissions or found.message is None or not found.message.body:
        return "submitted"
    return "deferred" if found.message.due_ns > time.time_ns() else "queued"


def _state(state: int) -> str:
    return MessageState(state).name if state in set(MessageState) else str(state)


def _iso(ms: int) -> str | None:
    """A moment as ISO 8601, UTC; None for none."""
    if not ms:
        return None
    return (_1970 + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _content(message: Message, *, clear: bool) -> dict[str, Any]:
    """Return what is in the PDU; nothing where only its end is still known."""
    if not message.body:
        return {}
    header = [HEADER_OCTETS + len(message.body), message.command_id, 0, 1]
    try:
        pdu: Any = decode(b"".join(number.to_bytes(4, "big") for number in header) + message.body)
    except PduError as error:
        return {"unreadable": f"{len(message.body)} octets: {error}"}
    content: dict[str, Any] = {name: getattr(pdu, name).decode("latin-1") for name in _ADDRESSES}
    if not clear:
        content = dict(Redactor(secrets.token_bytes(16))(None, "", content))
    octets: Any = getattr(pdu, "short_message", b"") or tlv_value(pdu.tlvs, TlvTag.MESSAGE_PAYLOAD) or b""
    content |= {"data_coding": pdu.data_coding, "text_octets": len(octets)}
    if clear:
        content["text"] = decode_text(_without_udh(octets, pdu.esm_class), pdu.data_coding)
    return content


def _without_udh(octets: bytes, esm_class: int) -> bytes:
    if esm_class & EsmClass.UDHI:
        try:
            return octets[parse_udh(octets).octets :]
        except PduError:
            pass
    return octets


# ---- for people ---------------------------------------------------------------------------------------------


def _rows(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    stands = {
        "queued": "queued",
        "deferred": f"waits until {document.get('due')}",
        "submitted": "a carrier has it",
        "ended": f"{document['state']} since {document['final']}",
    }
    yield "message_id", one_line(document["message_id"])
    yield "state", stands[document["stands"]]
    for name in ("esme", "lane", "accepted", "due", "expires"):
        if document.get(name):
            yield name, one_line(document[name])
    if "attempts" in document:
        yield "attempts put off", str(document["attempts"])
        yield "receipt asked for", "yes" if document["registered_delivery"] else "no"
    for name in (*_ADDRESSES, "unreadable"):
        if name in document:
            yield name, one_line(document[name])
    if "text_octets" in document:
        yield "text", f"{document['text_octets']} octets, data_coding {document['data_coding']}"
    if "text" in document:
        yield "", f'"{one_line(document["text"])}"'
    for submission in document["submitted"]:
        told = submission["carrier_message_id"]
        under = f" as {told}" if told else ", without an id"
        yield "submitted", one_line(f"{submission['at']} to {submission['carrier']}{under}")
    if document["in_use"]:
        yield "", "in use by a running gateway"
