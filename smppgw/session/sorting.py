"""Which frames of a batch are messages for the owner, which answer messages of ours, and which concern the session.

Hot path: one set look-up and one list append for a message, one dict operation more for a response.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final, NamedTuple

from smppgw.pdu.constants import RESPONSE_BIT, CommandId, CommandStatus
from smppgw.pdu.framing import Frame
from smppgw.session.control import Control
from smppgw.session.events import Answered, Event, Late, Responses, Strays
from smppgw.session.window import Window

_GENERIC_NACK: Final = int(CommandId.GENERIC_NACK)


class Batch(NamedTuple):
    """Frames that can be handled together."""

    requests: list[Frame]
    """Messages of the peer."""
    answered: list[Answered]
    """Responses to messages of ours, which wait no longer."""
    late: list[Answered]
    """Responses to messages of ours that have expired."""
    strays: list[Frame]
    """Responses that nobody waits for."""
    control: Frame | None
    """The frame behind them, which may move the state of the session; None at the end."""

    def told(self) -> list[Event]:
        """Return what the owner is told of the responses."""
        events: list[Event] = []
        if self.answered:
            events.append(Responses(self.answered))
        if self.late:
            events.append(Late(self.late))
        if self.strays:
            events.append(Strays(self.strays))
        return events


def next_batch(
    frames: Iterator[Frame], handed_up: Collection[int], window: Window, control: Control
) -> Batch:
    """Sort frames up to the first one that may move the state; `handed_up` are the messages this state allows.

    A generic_nack answers the request of its number, which has failed whatever status it carries (SMPP v3.4 section
    4.3.1). A response of another command than its number's request waits for is a stray: that one goes on waiting.
    So it is for a request that has expired; its first response is late, any other a stray.
    """
    requests: list[Frame] = []
    answered: list[Answered] = []
    late: list[Answered] = []
    strays: list[Frame] = []
    entries = window.entries
    for frame in frames:
        command_id, command_status, sequence_number, octets = frame
        if command_id in handed_up:
            requests.append(frame)
        elif not command_id & RESPONSE_BIT:
            return Batch(requests, answered, late, strays, frame)
        elif (entry := entries.get(sequence_number)) is not None and entry[0] == command_id:
            del entries[sequence_number]
            answered.append((entry[2], command_status, octets, entry[1]))
        elif entry is not None and command_id == _GENERIC_NACK:
            del entries[sequence_number]
            answered.append((entry[2], command_status or CommandStatus.ESME_RUNKNOWNERR, octets, entry[1]))
        elif control.answers(sequence_number, command_id):
            return Batch(requests, answered, late, strays, frame)
        elif (entry := window.expired.get(sequence_number)) and command_id in (entry[0], _GENERIC_NACK):
            del window.expired[sequence_number]
            if command_id == _GENERIC_NACK:
                command_status = command_status or CommandStatus.ESME_RUNKNOWNERR
            late.append((entry[2], command_status, octets, entry[1]))
        else:
            strays.append(frame)
    return Batch(requests, answered, late, strays, None)
