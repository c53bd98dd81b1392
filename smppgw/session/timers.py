"""The timers of a session, as deadlines (SMPP v3.4 section 2.9, v5.0 section 2.7): no clock, no task."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from smppgw.session.control import Control
from smppgw.session.states import SessionState
from smppgw.session.window import Window

NS: Final = 1_000_000_000

_UNINTRODUCED: Final = (SessionState.OPEN, SessionState.OUTBOUND)


@dataclass(frozen=True, slots=True)
class TimerSettings:
    """How long each timer runs, in nanoseconds; 0 switches one off."""

    session_init_ns: int = 10 * NS
    """Until bound: from the connection to the bind, and from a bind of ours to its response."""
    enquire_link_ns: int = 30 * NS
    """From the last octets of the peer to our enquire_link."""
    inactivity_ns: int = 0
    """From the last message, either way, to our unbind."""
    response_ns: int = 30 * NS
    """From a request of ours to its response; it also bounds how long an unbind waits for what is owed."""
    read_ns: int = 30 * NS
    """From the first octet of a PDU to its last."""

    @classmethod
    def of_seconds(
        cls,
        *,
        session_init: float = 10.0,
        enquire_link: float = 30.0,
        inactivity: float = 0.0,
        response: float = 30.0,
        read: float = 30.0,
    ) -> TimerSettings:
        """Make them from seconds."""
        return cls(
            int(session_init * NS),
            int(enquire_link * NS),
            int(inactivity * NS),
            int(response * NS),
            int(read * NS),
        )


class Timer(Enum):
    """The timers; the value of one that ends the session says why."""

    READ = "a PDU was not whole in time"
    CONTROL = "enquire_link, bind or unbind was not answered in time"
    SESSION_INIT = "not bound in time"
    PARTING = "parting"
    RESPONSE = "response"
    INACTIVITY = "inactivity"
    ENQUIRE_LINK = "enquire_link"


class Timers:
    """When things last happened on one session, in monotonic nanoseconds, and when each timer expires."""

    __slots__ = ("message_ns", "opened_ns", "partial_since_ns", "peer_ns", "settings")

    def __init__(self, settings: TimerSettings, now_ns: int) -> None:
        self.settings = settings
        self.opened_ns = now_ns
        """The connection was made."""
        self.peer_ns = now_ns
        """The peer sent octets."""
        self.message_ns = now_ns
        """A message or a response to one passed, either way."""
        self.partial_since_ns: int | None = None
        """The first octet came of a PDU that is not whole yet."""

    def saw_partial(self, now_ns: int, *, pending: bool, after_whole: bool) -> None:
        """Octets were read: `pending`, a PDU is not whole; `after_whole`, and the one before it has just become so."""
        if not pending:
            self.partial_since_ns = None
        elif after_whole or self.partial_since_ns is None:
            self.partial_since_ns = now_ns

    def deadlines(
        self,
        state: SessionState,
        window: Window,
        control: Control,
        *,
        parting_until_ns: int | None,
        verdict_pending: bool,
    ) -> list[tuple[int, Timer]]:
        """Return when each timer that runs now expires. Those that end the session stand first.

        `parting_until_ns`: the session ends once both sides have their answers, at the latest then.
        `verdict_pending`: a bind of the peer waits for its owner.
        """
        deadlines: list[tuple[int, Timer]] = []
        if state is SessionState.CLOSED:
            return deadlines
        settings = self.settings
        control_ns = control.oldest_sent_ns()
        sent_ns = window.oldest_sent_ns()
        if self.partial_since_ns is not None and settings.read_ns:
            deadlines.append((self.partial_since_ns + settings.read_ns, Timer.READ))
        if control_ns is not None and settings.response_ns:
            deadlines.append((control_ns + settings.response_ns, Timer.CONTROL))
        if parting_until_ns is not None:
            deadlines.append((parting_until_ns, Timer.PARTING))
        if sent_ns is not None and settings.response_ns:
            deadlines.append((sent_ns + settings.response_ns, Timer.RESPONSE))
        if state in _UNINTRODUCED:
            if settings.session_init_ns and not verdict_pending:
                since_ns = self.opened_ns if control_ns is None else control_ns
                deadlines.append((since_ns + settings.session_init_ns, Timer.SESSION_INIT))
        elif state is not SessionState.UNBOUND and not control.unbinding:
            if settings.inactivity_ns:
                deadlines.append((self.message_ns + settings.inactivity_ns, Timer.INACTIVITY))
            if settings.enquire_link_ns and not control:
                deadlines.append((self.peer_ns + settings.enquire_link_ns, Timer.ENQUIRE_LINK))
        return deadlines
