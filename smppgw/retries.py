"""Messages that a carrier did not take: which of them are tried again, and when."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from smppgw.pdu.constants import CommandStatus
from smppgw.session.timers import NS
from smppgw.store.entries import Message

SLOW_DOWN: Final = frozenset({CommandStatus.ESME_RTHROTTLED, CommandStatus.ESME_RMSGQFUL})
"""The carrier wants less: the message stays first in its lane, the bind goes slower."""

NO_RESPONSE: Final = -1
"""In the place of a command_status: none came in time, and whether the carrier has the message is not known."""

_TEMPORARY: Final = frozenset(
    {
        NO_RESPONSE,
        CommandStatus.ESME_RSYSERR,
        CommandStatus.ESME_RINVBNDSTS,
        CommandStatus.ESME_RSUBMITFAIL,
        CommandStatus.ESME_RX_T_APPN,
        CommandStatus.ESME_RDELIVERYFAILURE,
        CommandStatus.ESME_RUNKNOWNERR,
        CommandStatus.ESME_RSERTYPUNAVAIL,
    }
)
"""Errors after which another try may go better (SMPP v3.4 section 5.1.3)."""

_OTHERS_FROM: Final = 0x400
"""Vendor specific and reserved statuses begin here: taken as an unknown, temporary error."""


def is_temporary(command_status: int) -> bool:
    """Return whether another try may go better."""
    return command_status in _TEMPORARY or command_status >= _OTHERS_FROM


class Retries:
    """Decides what becomes of messages whose attempt has failed."""

    def __init__(self, max_attempts: int, first_delay: float) -> None:
        """`first_delay` seconds before the second attempt; doubled at each."""
        self._max_attempts = max_attempts
        self._first_delay_ns = int(first_delay * NS)

    def failed(
        self, failures: Iterable[tuple[Message, int]], now_ns: int
    ) -> tuple[list[Message], list[tuple[Message, int]]]:
        """Count an attempt that failed with that status; return those that wait, and those that are given up.

        The former have the moment of their next attempt as `due_ns`. One without a response waits before it is given
        up, too, as a late answer may still come: it `is_spent` then.
        """
        waiting: list[Message] = []
        hopeless: list[tuple[Message, int]] = []
        for message, command_status in failures:
            message.attempts += 1
            last = self.is_spent(message)
            if not is_temporary(command_status) or (last and command_status != NO_RESPONSE):
                hopeless.append((message, command_status))
                continue
            message.due_ns = now_ns + (self._first_delay_ns << (message.attempts - 1))
            waiting.append(message)
        return waiting, hopeless

    def is_spent(self, message: Message) -> bool:
        """Whether it has had its last attempt."""
        return message.attempts >= self._max_attempts
