"""What becomes of messages that were submitted.

SmppgwError
├── SubmitFailed            the SMSC refused the message, or a part of it
└── SessionError
    └── Unanswered          sent, and no answer: whether it was accepted is not known
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from smppgw.errors import SmppgwError
from smppgw.pdu.constants import command_name, status_name
from smppgw.session.errors import SessionError

MessageT = TypeVar("MessageT")


class SubmitFailed(SmppgwError):  # noqa: N818 - reads as a sentence where it is raised
    """The SMSC answered with an error.

    `message_ids` are those of the parts of a long message that it accepted all the same.
    """

    def __init__(self, command_status: int, message_ids: tuple[str, ...] = ()) -> None:
        super().__init__(command_status, message_ids)
        self.command_status = command_status
        self.message_ids = message_ids

    def __str__(self) -> str:
        partly = f"; {len(self.message_ids)} of its parts were accepted" if self.message_ids else ""
        return f"submit_sm was refused with {status_name(self.command_status)}{partly}"


class Unanswered(SessionError):  # noqa: N818
    """A request was sent and no answer came: who sends it again may send it twice."""

    def __init__(self, command_id: int, reason: str) -> None:
        super().__init__(command_id, reason)
        self.command_id = command_id
        self.reason = reason

    def __str__(self) -> str:
        return f"{command_name(self.command_id)} was sent and not answered: {self.reason}"


@dataclass(frozen=True, slots=True)
class Submitted:
    """A message that the SMSC has accepted."""

    message_ids: tuple[str, ...]
    """The SMSC's id of each part, in their order; one for a message that is not long."""


class SubmitResult(NamedTuple, Generic[MessageT]):
    """What became of one message of `submit_many`."""

    message: MessageT
    """As it was given."""
    command_status: int | None
    """The SMSC's answer, of a long message the first that is an error; None when there is none."""
    message_ids: tuple[str, ...]
    """The SMSC's id of each part that it accepted."""
    error: SmppgwError | None = None
    """Why there is no answer: `Unanswered`, or EncodeError for a message that could not be sent."""

    @property
    def ok(self) -> bool:
        """Whether the whole message was accepted."""
        return self.command_status == 0

    @property
    def message_id(self) -> str:
        """The SMSC's id of the message, of a long one that of its first part; empty when there is none."""
        return self.message_ids[0] if self.message_ids else ""
