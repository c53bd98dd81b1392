"""The session: one sans-I/O machine for both roles.

Octets and `now_ns` (monotonic nanoseconds) go in; octets to send, events and the next deadline come out. It reads no
clock and knows no socket; the tables of `states` decide what is permitted, this file carries it out. Whoever drives it
calls one of its methods, then sends what `octets_to_send` returns, handles what `take_events` returns, calls
`handle_timer` no later than `next_deadline_ns`, and closes the connection when `wants_close` says so.
Hot path: messages and their responses pass in lists, one dict operation each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from smppgw.pdu import codec
from smppgw.pdu.constants import RESPONSE_BIT, CommandId, CommandStatus, InterfaceVersion, command_name
from smppgw.pdu.errors import CommandLengthError, PduError, UnknownCommandError
from smppgw.pdu.framing import Frame, FrameBuffer
from smppgw.pdu.layout import Pdu
from smppgw.session import events as ev
from smppgw.session import handshake
from smppgw.session.control import BIND_RESPONSES
from smppgw.session.errors import NotPermitted
from smppgw.session.outgoing import Outgoing
from smppgw.session.parting import Parting
from smppgw.session.settings import MAX_FAULTS, UNBOUND_PDU_OCTETS, SessionSettings
from smppgw.session.sorting import Batch, next_batch
from smppgw.session.states import BINDS, ONE_WAY, RULES, TRANSITIONS, Action, Role, SessionState
from smppgw.session.timers import Timer, Timers
from smppgw.session.window import Owed, Window


class Session:
    """One SMPP session, seen from one side."""

    __slots__ = (
        "_events",
        "_faults",
        "_framing",
        "_outgoing",
        "_owed",
        "_parting",
        "_rules",
        "_timers",
        "_waiting_bind",
        "peer_version",
        "role",
        "settings",
        "state",
        "wants_close",
    )

    def __init__(self, role: Role, settings: SessionSettings, now_ns: int) -> None:
        self.role = role
        self.settings = settings
        self.peer_version: int = InterfaceVersion.V3_4
        """The version both sides speak, once bound."""
        self.wants_close = False
        """Whether the connection is to be closed once the octets are sent."""
        self._framing = FrameBuffer(min(UNBOUND_PDU_OCTETS, settings.max_pdu_octets))
        self._outgoing = Outgoing(settings.window)
        self._owed = Owed(settings.inbound_window, one_way=role is Role.ESME)
        self._timers = Timers(settings.timers, now_ns)
        self._faults = 0
        self._events: list[ev.Event] = []
        self._waiting_bind: Pdu | None = None
        self._parting: Parting | None = None
        self._enter(SessionState.OPEN)

    def _enter(self, state: SessionState) -> None:
        self.state = state
        self._rules = RULES[self.role, state]

    # ---- what the driver asks -------------------------------------------------------------------------------

    @property
    def bound(self) -> bool:
        """Whether messages may pass."""
        return self._rules.bound

    @property
    def paused(self) -> bool:
        """Whether a bind waits for its verdict: nothing behind it is handled until then."""
        return self._waiting_bind is not None

    @property
    def free(self) -> int:
        """How many messages may be sent now: the room in the window, 0 where the state allows none."""
        sends = self._rules.awaited and not self._outgoing.control.unbinding
        return self._outgoing.window.free if sends else 0

    @property
    def window(self) -> Window:
        """The messages of ours without a response. To be read only."""
        return self._outgoing.window

    @property
    def in_flight(self) -> int:
        """Messages of ours without a response."""
        return len(self._outgoing.window.entries)

    @property
    def owed(self) -> int:
        """Messages of the peer that have been handed up and not yet answered."""
        return self._owed.count

    def octets_to_send(self) -> list[bytes]:
        """Return, and forget, the octets to write, in order."""
        return self._outgoing.take()

    def take_events(self) -> list[ev.Event]:
        """Return, and forget, what has happened, in order. `Closed` comes once and last."""
        events, self._events = self._events, []
        return events

    def receive_octets(self, data: bytes, now_ns: int) -> None:
        """Take what the peer sent. A fault of the peer becomes an answer and an event, never an exception."""
        if self.state is SessionState.CLOSED:
            return
        self._timers.peer_ns = now_ns
        self._framing.feed(data)
        self._process(now_ns)

    def end_of_octets(self, now_ns: int) -> bool:
        """The peer sends no more, but may read on: return whether it is owed answers.

        Then it ends when it has them, or after the response timer. An SMSC is not waited for: it has gone.
        """
        if self.role is Role.ESME or self.state is SessionState.CLOSED or self._owed.count <= 0:
            return False
        parting = self._parting or Parting(now_ns, "the peer closed the connection")
        self._part(replace(parting, answers_come=False))
        return True

    def _process(self, now_ns: int) -> None:
        whole = False
        while self.state is not SessionState.CLOSED and self._waiting_bind is None:
            try:
                # One at a time until bound: what stands behind a bind is judged after its verdict.
                frames = self._framing.take() if self.bound else self._framing.take(1)
            except CommandLengthError as error:
                self._fault(error, nacked=error.sequence_number)
                self.close(str(error))
                return
            if not frames:
                break
            whole = True
            self._handle(frames, now_ns)
        pending = self._framing.pending > 0 and self._waiting_bind is None
        self._timers.saw_partial(now_ns, pending=pending, after_whole=whole)

    def _handle(self, frames: list[Frame], now_ns: int) -> None:
        remaining = iter(frames)
        outgoing = self._outgoing
        while self.state is not SessionState.CLOSED:
            batch = next_batch(remaining, self._rules.handed_up, outgoing.window, outgoing.control)
            self._tell(batch, now_ns)
            if batch.control is None or self.wants_close:
                return
            if batch.control[0] & RESPONSE_BIT:
                self._handle_control_response(batch.control, now_ns)
            else:
                self._handle_control_request(batch.control, now_ns)

    def _tell(self, batch: Batch, now_ns: int) -> None:
        self._events += batch.told()
        if batch.answered:
            self._faults = 0
            self._timers.message_ns = now_ns
        if batch.requests:
            self._timers.message_ns = now_ns
            admitted, excess = self._owed.admit(batch.requests)
            self._outgoing.refuse(excess, CommandStatus.ESME_RTHROTTLED)
            if admitted:
                self._events.append(ev.Requests(admitted))
        self._part_if_settled()

    def _handle_control_response(self, frame: Frame, now_ns: int) -> None:
        command_id, command_status, sequence_number, octets = frame
        self._faults = 0
        awaited = self._outgoing.control.take(sequence_number)
        if awaited in BIND_RESPONSES:
            if command_id == CommandId.GENERIC_NACK or command_status:
                self._events.append(ev.Refused(command_status or CommandStatus.ESME_RBINDFAIL))
            else:
                system_id, self.peer_version = handshake.told(octets, self.settings.interface_version)
                self._become_bound(command_id, system_id, now_ns)
        elif awaited == CommandId.UNBIND_RESP:
            self._part(self._parting or Parting(now_ns, "unbound"))

    def _become_bound(self, response_id: int, peer_system_id: bytes, now_ns: int) -> None:
        self._enter(TRANSITIONS[self.state, CommandId(response_id)])
        self._framing.limit = self.settings.max_pdu_octets
        self._timers.message_ns = now_ns
        self._events.append(ev.Bound(self.state, peer_system_id))

    def _handle_control_request(self, frame: Frame, now_ns: int) -> None:
        command_id, _, sequence_number, _ = frame
        outcome = self._rules.outcomes.get(command_id)
        if outcome is None:
            self._fault(UnknownCommandError(command_id), nacked=sequence_number)
            return
        if outcome.action in (Action.BIND, Action.OUTBIND):
            self._handle_introduction(frame)
            return
        self._faults = 0
        if outcome.action is Action.ENQUIRE:
            self._outgoing.answer(command_id, CommandStatus.ESME_ROK, sequence_number)
        elif outcome.action is Action.UNBIND:
            self._events.append(ev.PeerUnbound())
            self._part(Parting(now_ns, "the peer unbound", sequence_number))
        elif outcome.action is Action.REFUSE:
            self._outgoing.answer(command_id, outcome.status, sequence_number)
        elif outcome.action is Action.NACK:
            self._outgoing.nack(outcome.status, sequence_number)
        if outcome.close and self._parting is None:
            self.close(f"{command_name(command_id)} is not allowed while {self.state.value}")

    def _handle_introduction(self, frame: Frame) -> None:
        """A bind or an outbind: decoded here, decided by the owner."""
        command_id, _, sequence_number, octets = frame
        try:
            pdu = codec.decode(octets)
        except PduError as error:
            if command_id not in ONE_WAY:
                self._outgoing.answer(command_id, error.command_status, sequence_number)
            self._fault(error)
            return
        self._faults = 0
        if command_id != CommandId.OUTBIND:
            self._waiting_bind = pdu
            self._events.append(ev.BindRequested(pdu))
        elif self._outgoing.control.binding:
            self._outgoing.nack(CommandStatus.ESME_RINVBNDSTS, sequence_number)  # ours is on its way
        else:
            self._enter(SessionState.OUTBOUND)
            self._events.append(ev.Outbound(pdu))

    def _part(self, parting: Parting) -> None:
        self._enter(SessionState.UNBOUND)
        self._parting = parting
        self._part_if_settled()

    def _part_if_settled(self, *, timed_out: bool = False) -> None:
        parting = self._parting
        if parting is not None and (timed_out or parting.settled(self._owed.count, self.in_flight)):
            if parting.unbind is not None:
                self._outgoing.answer(CommandId.UNBIND, CommandStatus.ESME_ROK, parting.unbind)
            self.close(parting.reason)

    # ---- what the owner does --------------------------------------------------------------------------------

    def accept_bind(self, system_id: bytes, now_ns: int, *, window: int | None = None) -> None:
        """Answer the bind that waits with ESME_ROK, then handle what stands behind it.

        `window` is this peer's own, both ways, where it differs from that of the settings.
        Raises NotPermitted when no bind waits, EncodeError for a system_id that does not fit.
        """
        bind = self._require_waiting_bind()
        octets, self.peer_version = handshake.accepting(bind, system_id, self.settings.interface_version)
        self._waiting_bind = None
        self._outgoing.octets.append(octets)
        if window is not None:
            self._outgoing.window.size = self._owed.limit = window
        self._become_bound(bind.command_id | RESPONSE_BIT, getattr(bind, "system_id", b""), now_ns)
        self._process(now_ns)

    def refuse_bind(self, command_status: int, now_ns: int, *, close: bool = True) -> None:
        """Answer the bind that waits with an error; the peer may try again unless `close`.

        Raises NotPermitted when no bind waits.
        """
        bind = self._require_waiting_bind()
        self._waiting_bind = None
        self._outgoing.answer(bind.command_id, command_status, bind.sequence_number)
        if close:
            self.close("bind refused")
        else:
            self._process(now_ns)

    def _require_waiting_bind(self) -> Pdu:
        if self._waiting_bind is None:
            raise NotPermitted("a bind response", self.state.value)
        return self._waiting_bind

    def bind(self, octets: bytes, now_ns: int) -> None:
        """Send a bind: a whole encoded PDU whose sequence_number is replaced. ESME role only.

        Raises NotPermitted where the state allows none, or one is outstanding.
        """
        command_id = int.from_bytes(octets[4:8], "big")
        self._require(command_id, BINDS)
        self._outgoing.request(command_id, now_ns, octets)

    def outbind(self, octets: bytes) -> None:
        """Send an outbind, a whole encoded PDU. SMSC role only; the ESME answers with a bind, or closes.

        Raises NotPermitted where the state allows none, or a bind waits for its verdict.
        """
        self._require(CommandId.OUTBIND, ONE_WAY)
        self._outgoing.one_way(CommandId.OUTBIND, octets)
        self._enter(SessionState.OUTBOUND)

    def _require(self, command_id: int, among: frozenset[CommandId]) -> None:
        permitted = self._rules.permitted & among
        if command_id not in permitted or self._outgoing.control or self._waiting_bind is not None:
            raise NotPermitted(command_name(command_id), self.state.value)

    def unbind(self, now_ns: int) -> None:
        """Ask the peer to end the session; it is closed once both sides have their answers, or not in time.

        Nothing happens when the session is not bound, or this has been asked.
        """
        if self.bound and not self._outgoing.control.unbinding:
            self._outgoing.request(CommandId.UNBIND, now_ns)

    def close(self, reason: str) -> None:
        """End the session without more words; nothing happens when it has ended."""
        if self.state is SessionState.CLOSED:
            return
        self._enter(SessionState.CLOSED)
        self.wants_close = True
        self._waiting_bind = None
        self._outgoing.control.clear()
        self._events.append(ev.Closed(reason, self._outgoing.window.clear()))

    def send_requests(self, requests: Sequence[tuple[int, bytes, object]], now_ns: int) -> None:
        """Send messages: (command_id, body octets, context of the owner) each, at most `free` of them.

        Every context comes back exactly once: in `Responses`, in `Expired` (and then perhaps in `Late`), or in
        `Closed`; those of messages that have no response do not. Raises NotPermitted for a command that may not be
        sent now, WindowFull for more than `free`; then nothing is sent.
        """
        if self._outgoing.control.unbinding:
            raise NotPermitted("a message", "unbinding")
        try:
            self._outgoing.messages(requests, self._rules.awaited, now_ns)
        except KeyError as unknown:
            raise NotPermitted(command_name(unknown.args[0]), self.state.value) from None
        if requests:
            self._timers.message_ns = now_ns

    def send_responses(self, responses: Sequence[bytes], *, faults: int = 0) -> None:
        """Answer requests that were handed up: whole encoded responses, one for each.

        `faults` says how many of them answer broken PDUs; too many in a row end the session. A session that has ended
        sends nothing.
        """
        self._owed.count -= len(responses)
        if self.state is SessionState.CLOSED:
            return
        self._outgoing.octets += responses
        self._part_if_settled()
        self._count_faults(faults if faults == len(responses) else faults - self._faults)

    def _fault(self, error: PduError, nacked: int | None = None) -> None:
        if nacked is not None:
            self._outgoing.nack(error.command_status, nacked)
        self._events.append(ev.Fault(error))
        self._count_faults(1)

    def _count_faults(self, more: int) -> None:
        self._faults += more
        if self._faults > MAX_FAULTS:
            self.close(f"more than {MAX_FAULTS} broken PDUs in a row")

    def next_deadline_ns(self) -> int | None:
        """Return when `handle_timer` must next be called (monotonic nanoseconds); None when no timer runs."""
        return min([deadline_ns for deadline_ns, _ in self._deadlines()], default=None)

    def handle_timer(self, now_ns: int) -> None:
        """Do what is due (SMPP v3.4 section 2.9)."""
        for deadline_ns, timer in self._deadlines():
            if deadline_ns <= now_ns and self.state is not SessionState.CLOSED:
                self._expired(timer, now_ns)

    def _deadlines(self) -> list[tuple[int, Timer]]:
        parting, response_ns = self._parting, self.settings.timers.response_ns
        return self._timers.deadlines(
            self.state,
            self._outgoing.window,
            self._outgoing.control,
            parting_until_ns=parting.until_ns(self._owed.count, response_ns) if parting else None,
            verdict_pending=self.paused,
        )

    def _expired(self, timer: Timer, now_ns: int) -> None:
        if timer is Timer.RESPONSE:
            before_ns = now_ns - self.settings.timers.response_ns
            self._events.append(ev.Expired(self._outgoing.window.expire(before_ns)))
            self._part_if_settled()
        elif timer is Timer.ENQUIRE_LINK:
            if not self._outgoing.control.unbinding:  # its inactivity timer may have been due as well
                self._outgoing.request(CommandId.ENQUIRE_LINK, now_ns)
        elif timer is Timer.INACTIVITY:
            self.unbind(now_ns)
        elif timer is Timer.PARTING:
            self._part_if_settled(timed_out=True)
        else:
            self.close(timer.value)
