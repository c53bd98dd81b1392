"""Messages that a carrier did not take: which of them are tried again, and when."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from smppgw.pdu.constants import CommandStatus, MessageState
from smppgw.session.timers import NS
from smppgw.store.entries import Message, Outcome

NO_RESPONSE: Final = Outcome(
    int(MessageState.UNDELIVERABLE), "temporary", f"{CommandStatus.ESME_RUNKNOWNERR:03X}"
)
"""None came in time, and whether the carrier has the message is not known. It is known by being this very object."""

CAP_DELAY_NS: Final = 2 * 3600 * NS
"""Before the second attempt of what met the cap of a day; doubled at each. With the five attempts that are the default
they wait 30 hours in all: longer than the day at whose end there is room again."""

CAP_DELAY_MOST_NS: Final = 24 * 3600 * NS
"""No cap lasts longer."""

_AGAIN: Final = frozenset({"temporary", "rate", "cap", "unknown"})
"""Classes after which another try may go better."""


def slows_down(outcome: Outcome) -> bool:
    """Return whether the carrier wants less: the message stays first in its lane, the bind goes slower."""
    return outcome.error_class == "rate"


class Retries:
    """Decides what becomes of messages whose attempt has failed."""

    def __init__(self, max_attempts: int, first_delay: float) -> None:
        """`first_delay` seconds before the second attempt; doubled at each."""
        self._max_attempts = max_attempts
        self._first_delay_ns = int(first_delay * NS)

    def failed(
        self, failures: Iterable[tuple[Message, Outcome]], now_ns: int
    ) -> tuple[list[Message], list[tuple[Message, Outcome]]]:
        """Count an attempt that failed so; return those that wait, and those that are given up.

        The former have the moment of their next attempt as `due_ns`. One without a response waits before it is given
        up, too, as a late answer may still come: it `is_spent` then.
        """
        waiting: list[Message] = []
        hopeless: list[tuple[Message, Outcome]] = []
        for message, outcome in failures:
            message.attempts += 1
            last = self.is_spent(message)
            if outcome.error_class not in _AGAIN or (last and outcome is not NO_RESPONSE):
                hopeless.append((message, outcome))
                continue
            message.due_ns = now_ns + self._delay_ns(outcome.error_class, message.attempts - 1)
            waiting.append(message)
        return waiting, hopeless

    def _delay_ns(self, error_class: str, doublings: int) -> int:
        delay_ns = self._first_delay_ns << doublings
        if error_class == "cap":
            return max(delay_ns, min(CAP_DELAY_NS << doublings, CAP_DELAY_MOST_NS))
        return delay_ns

    def is_spent(self, message: Message) -> bool:
        """Whether it has had its last attempt."""
        return message.attempts >= self._max_attempts
