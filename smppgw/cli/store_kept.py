"""`smppgw store kept`: what came for nobody and is kept, messages of handsets and receipts."""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from smppgw import notice as notices
from smppgw.cli.contents import Contents, frame_of
from smppgw.cli.lines import one_line, say, say_json, table
from smppgw.cli.moments import iso, span
from smppgw.notice import Notice
from smppgw.pdu.constants import command_name
from smppgw.store.entries import Delivery
from smppgw.store.kept import kept_of

_MS_OF_NS: Final = 1_000_000
_KINDS: Final = {"mo": "message", "receipt": "receipt"}


def kept(args: argparse.Namespace) -> int:
    """Print what is kept, the newest last; numbers masked and texts only counted, unless they are to be clear."""
    found, in_use = kept_of(args.data_dir)
    newest = found if args.limit is None else found[-args.limit :]
    contents = Contents(clear=args.clear)
    now_ms = time.time_ns() // _MS_OF_NS
    documents = [_document(each, contents, now_ms, clear=args.clear) for each in newest]
    if args.json:
        for document in documents:
            say_json(document)
    else:
        for line in _for_people(found, documents, in_use=in_use):
            say(line)
    return 0


def _document(delivery: Delivery, contents: Contents, now_ms: int, *, clear: bool) -> dict[str, Any]:
    received_ms = delivery.received_ns // _MS_OF_NS
    document = {
        "received": iso(received_ms),
        "kept_seconds": max(0, now_ms - received_ms) / 1000,
        "kind": delivery.kind,
        "command": command_name(delivery.command_id),
        **contents.of(delivery.command_id, delivery.body),
    }
    if delivery.kind == "receipt":
        said = notices.read(delivery.command_id, delivery.body)
        if isinstance(said, Notice):
            document["carrier_message_id"] = said.carrier_id.decode("latin-1")
            document["stat"], document["err"] = notices.STATES[said.state], said.err
    if clear:
        document["pdu"] = frame_of(delivery.command_id, delivery.body).hex()
    return document


# ---- for people ---------------------------------------------------------------------------------------------


def _for_people(
    found: Sequence[Delivery], documents: Sequence[Mapping[str, Any]], *, in_use: bool
) -> Iterator[str]:
    if in_use:
        yield "in use by a running gateway"
    if not found:
        yield "nothing is kept"
        return
    counts = Counter(each.kind for each in found)
    of_each = ", ".join(
        f"{count:,} {_KINDS[kind]}{'' if count == 1 else 's'}" for kind, count in sorted(counts.items())
    )
    which = f"; the newest {len(documents):,}:" if len(documents) < len(found) else ""
    yield f"kept, and nobody's: {of_each}{which}"
    yield ""
    header = ("came", "kept for", "kind", "from", "to", "")
    yield from table([header, *(_row(document) for document in documents)])


def _row(document: Mapping[str, Any]) -> tuple[str, ...]:
    cells = (
        document["received"] or "",
        span(round(document["kept_seconds"] * 1000)),
        _KINDS[document["kind"]],
        document.get("source_addr", "?"),
        document.get("destination_addr", "?"),
        ", ".join(_more(document)),
    )
    return tuple(map(one_line, cells))


def _more(document: Mapping[str, Any]) -> Iterator[str]:
    if "stat" in document:
        yield f"id {document['carrier_message_id']}" if document["carrier_message_id"] else "without an id"
        yield f"stat {document['stat']}"
        if document["err"]:
            yield f"err {document['err']}"
    if "unreadable" in document:
        yield document["unreadable"]
    elif "text" in document:
        yield f'"{document["text"]}"'
    elif document["kind"] == "mo":
        yield f"{document['text_octets']} octets, data_coding {document['data_coding']}"
