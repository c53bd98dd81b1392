"""Which frames of a batch are messages for the owner, which answer messages of ours, and which concern the session.

Hot path: one set look-up and one list append for a message, one dict operation more for a response.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final, NamedTuple

from smppgw.pdu.constants import RESPONSE_BIT, CommandId, CommandStatus
from smppgw.pdu.framing import Frame
from smppgw.session.control import Control
from smppgw.session.events import Answered
from smppgw.session.window import Window

_GENERIC_NACK: Final = int(CommandId.GENERIC_NACK)


class Batch(NamedTuple):
    """Frames that can be handled together."""

    requests: list[Frame]
    """Messages of the peer."""
    answered: list[Answered]
    """Responses to messages of ours, which wait no longer."""
    strays: list[Frame]
    """Responses that nobody waits for."""
    control: Frame | None
    """The frame behind them, which may move the state of the session; None at the end."""


def next_batch(
    frames: Iterator[Frame], handed_up: Collection[int], window: Window, control: Control
) -> Batch:
    """Sort frames up to the first one that may move the state; `handed_up` are the messages this state allows.

    A generic_nack answers the request of its number, which has failed whatever status it carries (SMPP v3.4 section
    4.3.1). A response of another command than its number's request waits for is a stray: that one goes on waiting.
    """
    requests: list[Frame] = []
    answered: list[Answered] = []
    strays: list[Frame] = []
    entries = window.entries
    for frame in frames:
        command_id, command_status, sequence_number, octets = frame
        if command_id in handed_up:
            requests.append(frame)
        elif not command_id & RESPONSE_BIT:
            return Batch(requests, answered, strays, frame)
        elif (entry := entries.get(sequence_number)) is not None and entry[0] == command_id:
            del entries[sequence_number]
            answered.append((entry[2], command_status, octets, entry[1]))
        elif entry is not None and command_id == _GENERIC_NACK:
            del entries[sequence_number]
            answered.append((entry[2], command_status or CommandStatus.ESME_RUNKNOWNERR, octets, entry[1]))
        elif control.answers(sequence_number, command_id):
            return Batch(requests, answered, strays, frame)
        else:
            strays.append(frame)
    return Batch(requests, answered, strays, None)
