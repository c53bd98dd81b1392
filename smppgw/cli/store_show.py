"""`smppgw store show`: what became of one message."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from typing import Any, Final

from smppgw.cli.contents import Contents
from smppgw.cli.life_story import story
from smppgw.cli.lines import complain, say, say_json
from smppgw.cli.moments import iso
from smppgw.error_classes import words
from smppgw.message_ids import id_of, key_of
from smppgw.pdu.constants import MessageState
from smppgw.store.entries import Message
from smppgw.store.life import Life, life_of

_FAILED: Final = 1
_WRONG_USAGE: Final = 2
_MS_OF_NS: Final = 1_000_000

_STANDS: Final = ("queued", "deferred", "submitted", "ended", "unknown")
"""From the beginning of a message to its end; several parts stand where the first of these says."""
_DELIVERED: Final = MessageState.DELIVERED.name
_OF_EACH: Final = ("text_octets", "text")
"""What differs between the parts of one message."""


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
    document = {**_document(found, Contents(clear=args.clear)), "in_use": in_use}
    if args.json:
        say_json(document)
    else:
        for line in story(document):
            say(line)
    return 0


def word_of(lane: str) -> str:
    """Return what people call a lane: what its name begins with; there is one of each for every sender."""
    return lane.partition("\t")[0]


def _document(found: Life, contents: Contents) -> dict[str, Any]:
    lives = [found, *found.others]
    courses = [_course(life) for life in lives]
    behind = min(range(len(lives)), key=lambda at: _STANDS.index(courses[at]["stands"]))
    told = found.message.message_id if found.message is not None else id_of(found.key, long=True)
    document: dict[str, Any] = {
        "message_id": told.decode("latin-1"),
        "esme": found.esme,
        "accepted": iso(found.accepted_ms),
        **_whole(courses, behind),
    }
    message = lives[behind].message or found.message
    contained = [_content(life.message, contents) for life in lives]
    if message is not None:
        document |= {
            "due": iso(message.due_ns // _MS_OF_NS),
            "expires": iso(message.expires_ns // _MS_OF_NS),
            "lane": word_of(message.lane.name) or None,
            "attempts": message.attempts,
            "registered_delivery": message.registered_delivery,
            **_joined(contained),
        }
    document["parts"] = [
        {**course, **_waits(life.message), **{name: each[name] for name in _OF_EACH if name in each}}
        for life, course, each in zip(lives, courses, contained, strict=True)
        if len(lives) > 1
    ]
    return document


def _course(life: Life) -> dict[str, Any]:
    """Return what has happened to a message, or to one of its parts."""
    course: dict[str, Any] = {
        "stands": _stands(life),
        "state": None,
        "outcome": None,
        "final": iso(life.final_ms),
        "seconds": None,
        "never_sent": life.never_sent,
        "submitted": [
            {"at": iso(at_ms), "carrier": carrier, "carrier_message_id": carrier_id.decode("latin-1")}
            for at_ms, carrier, carrier_id in life.submissions
        ],
    }
    if life.outcome is not None:
        state, error_class, err = life.outcome
        course["state"] = _state(state)
        course["outcome"] = {
            "state": _state(state),
            "class": error_class,
            "words": words(error_class),
            "err": err,
        }
        if life.accepted_ms:
            course["seconds"] = max(0, life.final_ms - life.accepted_ms) / 1000
    elif life.esme:
        course["state"] = MessageState.ENROUTE.name
    return course


def _stands(life: Life) -> str:
    if life.outcome is not None:
        return "ended"
    if not life.esme:
        return "unknown"
    if life.submissions or life.message is None or not life.message.body:
        return "submitted"
    return "deferred" if life.message.due_ns > time.time_ns() else "queued"


def _state(state: int) -> str:
    return MessageState(state).name if state in set(MessageState) else str(state)


def _whole(courses: Sequence[dict[str, Any]], behind: int) -> dict[str, Any]:
    """Return what has happened to all parts together, of which that one stands furthest behind.

    Its outcome is the one that its ESME is told: of the first part that was not delivered.
    """
    if len(courses) == 1:
        return courses[0]
    whole = dict(courses[behind])
    if whole["stands"] == "ended":
        known = [each for each in courses if each["outcome"] is not None]
        first = next((each for each in known if each["state"] != _DELIVERED), known[0])
        whole |= {"state": first["state"], "outcome": first["outcome"], "never_sent": first["never_sent"]}
        last = max(known, key=lambda each: each["final"] or "")
        whole |= {"final": last["final"], "seconds": last["seconds"]}
    whole["submitted"] = sorted(
        (each for course in courses for each in course["submitted"]), key=lambda each: each["at"] or ""
    )
    return whole


def _waits(message: Message | None) -> dict[str, Any]:
    if message is None:
        return {}
    return {"due": iso(message.due_ns // _MS_OF_NS), "attempts": message.attempts}


def _content(message: Message | None, contents: Contents) -> dict[str, Any]:
    """Return what is in a message, as far as the store still has it."""
    if message is None:
        return {}
    if message.body:
        return contents.of(message.command_id, message.body)
    return contents.of_envelope(message.envelope)


def _joined(contained: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what is in all parts together: a text only if all of it is there."""
    joined: dict[str, Any] = {}
    for each in reversed(contained):
        joined |= each
    for name in _OF_EACH:
        pieces = [each[name] for each in contained if name in each]
        if len(pieces) < len(contained):
            joined.pop(name, None)
        else:
            joined[name] = "".join(pieces) if name == "text" else sum(pieces)
    return joined
