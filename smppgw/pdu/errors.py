"""What can be wrong with a PDU, and what to answer.

SmppgwError
├── EncodeError                 ours: a field that does not fit; nothing was encoded
└── PduError                    theirs: `command_status` is the answer
    ├── CommandLengthError      the stream is out of step: answer and close
    │   └── FrameLengthError    the same of a frame that was cut elsewhere
    ├── UnknownCommandError     generic_nack, go on
    └── FieldError              a field of the body, go on
        └── TlvError            the optional parameters, go on
"""

from __future__ import annotations

from typing import ClassVar

from smppgw.errors import SmppgwError
from smppgw.pdu.constants import CommandStatus, command_name


class EncodeError(SmppgwError, ValueError):
    """A value of ours that its field cannot carry. Nothing is ever cut to fit."""

    def __init__(self, command: str, field: str, value: object, allowed: str) -> None:
        super().__init__(command, field, value, allowed)
        self.command = command
        self.field = field
        self.value = value
        self.allowed = allowed

    def __str__(self) -> str:
        shown = "withheld" if self.field == "password" else repr(self.value)
        if len(shown) > 60:
            shown = f"{shown[:57]}..."
        return f"{self.command}: {self.field} is {shown}; allowed: {self.allowed}"


class PduError(SmppgwError):
    """Octets of a peer that cannot be accepted.

    `command_status` is what to answer; `recoverable` says whether the stream is still in step, so that the
    session can go on; `field` names the field at fault where there is one.
    """

    recoverable: ClassVar[bool] = True
    command_status: CommandStatus = CommandStatus.ESME_RSYSERR
    field: str | None = None


class CommandLengthError(PduError):
    """A command_length below 16 or above the limit: where the next PDU begins is not known.

    `sequence_number` is what the generic_nack carries: the PDU's own when its header is there, else 0.
    """

    recoverable = False
    command_status = CommandStatus.ESME_RINVCMDLEN
    field = "command_length"

    def __init__(self, command_length: int, limit: int, sequence_number: int = 0) -> None:
        super().__init__(command_length, limit, sequence_number)
        self.command_length = command_length
        self.limit = limit
        self.sequence_number = sequence_number

    def __str__(self) -> str:
        return f"command_length is {_length(self.command_length)}; allowed: 16 to {self.limit} octets"


class FrameLengthError(CommandLengthError):
    """Octets that are not the one frame their command_length says; `limit` is how many there are."""

    def __str__(self) -> str:
        return f"command_length is {_length(self.command_length)}, but there are {self.limit} octets"


def _length(command_length: int) -> str:
    """Return it as it is read best: octets of something else, out of step, tell more in hexadecimal."""
    return str(command_length) if command_length < 1_000_000 else f"0x{command_length:08X}"


class UnknownCommandError(PduError):
    """A command_id this gateway does not know."""

    command_status = CommandStatus.ESME_RINVCMDID
    field = "command_id"

    def __init__(self, command_id: int) -> None:
        super().__init__(command_id)
        self.command_id = command_id

    def __str__(self) -> str:
        return f"command_id 0x{self.command_id:08X} is unknown"


class FieldError(PduError):
    """A mandatory field that runs out, lacks its NUL or is out of bounds."""

    def __init__(
        self,
        command_id: int,
        field: str,
        reason: str,
        command_status: CommandStatus = CommandStatus.ESME_RINVCMDLEN,
    ) -> None:
        super().__init__(command_id, field, reason, command_status)
        self.command_id = command_id
        self.field = field
        self.reason = reason
        self.command_status = command_status

    def __str__(self) -> str:
        what = f"{self.field} {self.reason}"
        return f"{command_name(self.command_id)}: {what}" if self.command_id else what


class TlvError(FieldError):
    """An optional parameter that cannot be read; command_id is 0 where the PDU around it is not known."""
