"""Messages that a carrier did not take: which of them are tried again, and when."""

from __future__ import annotations

import heapq
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
    """Messages that wait for their next attempt, or for their last chance of an answer."""

    def __init__(self, max_attempts: int, first_delay: float) -> None:
        """`first_delay` seconds before the second attempt; doubled at each."""
        self._max_attempts = max_attempts
        self._first_delay_ns = int(first_delay * NS)
        self._waiting: list[tuple[int, int, Message, int]] = []

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def next_ns(self) -> int | None:
        """When the next of them is due (monotonic nanoseconds)."""
        return self._waiting[0][0] if self._waiting else None

    def add(self, failures: Iterable[tuple[Message, int]], now_ns: int) -> list[tuple[Message, int]]:
        """Count an attempt that failed with that status; return those that are given up.

        One without a response waits before it is given up, too: a late answer may still come.
        """
        hopeless = []
        for message, command_status in failures:
            message.attempts += 1
            last = message.attempts >= self._max_attempts
            if not is_temporary(command_status) or (last and command_status != NO_RESPONSE):
                hopeless.append((message, command_status))
                continue
            ready_ns = now_ns + (self._first_delay_ns << (message.attempts - 1))
            heapq.heappush(self._waiting, (ready_ns, message.key, message, command_status))
        return hopeless

    def due(self, now_ns: int) -> tuple[list[Message], list[tuple[Message, int]]]:
        """Take out what is due: messages to be sent again, and those that are given up, with their last status."""
        again: list[Message] = []
        hopeless: list[tuple[Message, int]] = []
        while self._waiting and self._waiting[0][0] <= now_ns:
            _, _, message, command_status = heapq.heappop(self._waiting)
            if message.attempts >= self._max_attempts:
                hopeless.append((message, command_status))
            else:
                again.append(message)
        return again, hopeless

    def clear(self) -> list[Message]:
        """Take out everything."""
        messages = [message for _, _, message, _ in self._waiting]
        self._waiting.clear()
        return messages
