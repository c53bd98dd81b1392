"""Events are plain values: they compare by what they say and can be matched by position."""

from __future__ import annotations

from typing import get_args

from smppgw.pdu.errors import UnknownCommandError
from smppgw.session import events as ev
from smppgw.session.states import SessionState


def test_events_compare_by_what_they_say() -> None:
    assert ev.Closed("why", [1]) == ev.Closed("why", [1])
    assert ev.Closed("why", [1]) != ev.Closed("why", [])
    assert ev.Requests([]) != ev.Strays([])


def test_an_owner_can_match_every_event() -> None:
    error = UnknownCommandError(0xFF)
    events: list[ev.Event] = [
        ev.Requests([(4, 0, 1, b"")]),
        ev.Responses([("context", 0, b"", 5)]),
        ev.Strays([]),
        ev.Expired(["context"]),
        ev.Late([("context", 0, b"", 5)]),
        ev.Writable(),
        ev.Bound(SessionState.BOUND_RX, b"esme"),
        ev.Refused(5),
        ev.PeerUnbound(),
        ev.Fault(error),
        ev.Closed("why", []),
    ]
    seen: list[object] = []
    for event in events:
        match event:
            case ev.Requests(frames) | ev.Strays(frames):
                seen.append(len(frames))
            case ev.Responses(answered) | ev.Late(answered):
                seen.append(answered[0][0])
            case ev.Expired(contexts):
                seen.append(contexts)
            case ev.Bound(state, peer_system_id):
                seen.append((state, peer_system_id))
            case ev.Refused(command_status):
                seen.append(command_status)
            case ev.Fault(fault):
                seen.append(fault)
            case ev.Closed(reason, unanswered):
                seen.append((reason, unanswered))
            case _:
                seen.append(type(event))
    assert seen == [
        1,
        "context",
        0,
        ["context"],
        "context",
        ev.Writable,
        (SessionState.BOUND_RX, b"esme"),
        5,
        ev.PeerUnbound,
        error,
        ("why", []),
    ]


def test_no_event_has_a_dict() -> None:
    assert all("__slots__" in vars(kind) for kind in get_args(ev.Event))
