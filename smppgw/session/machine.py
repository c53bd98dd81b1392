"""The session: one sans-I/O machine for both roles.

Octets and `now_ns` (monotonic nanoseconds) go in; octets to send, events and the next deadline come out. It reads no
clock and knows no socket; the tables of `states` decide what is permitted, this file carries it out. Whoever drives it
calls one of its methods, then sends what `octets_to_send` returns, handles what `take_events` returns, calls
`handle_timer` no later than `next_deadline_ns`, and closes the connection when `wants_close` says so.

Hot path: messages and their responses pass in lists, one dict operation each.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Final

from smppgw.pdu import codec
from smppgw.pdu.constants import (
    HEADER_OCTETS,
    RESPONSE_BIT,
    CommandId,
    CommandStatus,
    InterfaceVersion,
    TlvTag,
    command_name,
)
from smppgw.pdu.errors import CommandLengthError, PduError, UnknownCommandError
from smppgw.pdu.framing import Frame, FrameBuffer
from smppgw.pdu.tlv import make_tlv, tlv_value
from smppgw.session import events as ev
from smppgw.session.errors import NotPermitted
from smppgw.session.sequence import following
from smppgw.session.settings import SessionSettings, negotiated_version
from smppgw.session.states import (
    BOUND,
    HANDED_UP,
    MESSAGES,
    ONE_WAY,
    OUTCOMES,
    PERMITTED,
    TRANSITIONS,
    Action,
    Role,
    SessionState,
)
from smppgw.session.timers import earliest
from smppgw.session.window import Window

UNBOUND_PDU_OCTETS: Final = 1024
"""command_length before a bind: a bind is at most 112 octets; this leaves room for TLVs nobody expects."""

MAX_FAULTS: Final = 10
"""Broken PDUs in a row after which the connection is closed (SMPP leaves the number to us)."""

_HEADER: Final = struct.Struct(">IIII")
_pack_header = _HEADER.pack
_ENQUIRE_LINK: Final = int(CommandId.ENQUIRE_LINK)
_UNBIND_RESP: Final = int(CommandId.UNBIND_RESP)
_GENERIC_NACK: Final = int(CommandId.GENERIC_NACK)
_BIND_RESPS: Final = frozenset(
    {
        int(CommandId.BIND_TRANSMITTER_RESP),
        int(CommandId.BIND_RECEIVER_RESP),
        int(CommandId.BIND_TRANSCEIVER_RESP),
    }
)


class Session:
    """One SMPP session, seen from one side."""

    __slots__ = (
        "_bind_frame",
        "_close_after_unbind",
        "_control",
        "_events",
        "_faults",
        "_framing",
        "_handed_up",
        "_held_unbind",
        "_inbound",
        "_inbound_limit",
        "_last_message_ns",
        "_last_peer_ns",
        "_out",
        "_outcomes",
        "_partial_since_ns",
        "_peer_role",
        "_sequence",
        "_started_ns",
        "_window",
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
        self.wants_close = False
        self._peer_role = role.peer
        self._framing = FrameBuffer(min(UNBOUND_PDU_OCTETS, settings.max_pdu_octets))
        self._window = Window(settings.window)
        self._control: dict[int, tuple[int, int]] = {}  # enquire_link, bind, unbind: outside the window
        self._sequence = 0
        self._inbound = 0
        self._inbound_limit = settings.inbound_window
        self._faults = 0
        self._out: list[bytes] = []
        self._events: list[ev.Event] = []
        self._bind_frame: Frame | None = None
        self._held_unbind: tuple[int, int] | None = None
        self._partial_since_ns: int | None = None
        self._started_ns = self._last_peer_ns = self._last_message_ns = now_ns
        self._enter(SessionState.OPEN)

    def _enter(self, state: SessionState) -> None:
        self.state = state
        self._outcomes = OUTCOMES[self._peer_role, state]
        self._handed_up = HANDED_UP[self._peer_role, state]

    # ---- what the driver asks -------------------------------------------------------------------------------

    @property
    def bound(self) -> bool:
        """Whether messages may pass."""
        return self.state in BOUND

    @property
    def paused(self) -> bool:
        """Whether a bind waits for its verdict: nothing behind it is handled until then."""
        return self._bind_frame is not None

    @property
    def free(self) -> int:
        """How many more requests the window takes now."""
        return self._window.free

    @property
    def in_flight(self) -> int:
        """Requests of ours without a response."""
        return len(self._window.entries)

    @property
    def owed(self) -> int:
        """Requests of the peer that have been handed up and not yet answered."""
        return self._inbound

    def octets_to_send(self) -> list[bytes]:
        """Return, and forget, the octets to write, in order."""
        out, self._out = self._out, []
        return out

    def take_events(self) -> list[ev.Event]:
        """Return, and forget, what has happened, in order."""
        events, self._events = self._events, []
        return events

    # ---- octets in ------------------------------------------------------------------------------------------

    def receive_octets(self, data: bytes, now_ns: int) -> None:
        """Take what the peer sent. A fault of the peer becomes an answer and an event, never an exception."""
        if self.state is SessionState.CLOSED:
            return
        self._last_peer_ns = now_ns
        self._framing.feed(data)
        self._process(now_ns)

    def connection_lost(self, reason: str) -> None:
        """The connection is gone."""
        self._close(reason)

    def _process(self, now_ns: int) -> None:
        whole = False
        while self.state is not SessionState.CLOSED and self._bind_frame is None:
            try:
                # One at a time until bound: what stands behind a bind is judged after its verdict.
                frames = self._framing.take() if self.state in BOUND else self._framing.take(1)
            except CommandLengthError as error:
                self._nack(error.sequence_number, error.command_status)
                self._events.append(ev.Fault(error))
                self._close(str(error))
                return
            if not frames:
                break
            whole = True
            self._handle(frames, now_ns)
        if self._bind_frame is not None or not self._framing.pending:
            self._partial_since_ns = None
        elif whole or self._partial_since_ns is None:
            self._partial_since_ns = now_ns

    def _handle(self, frames: list[Frame], now_ns: int) -> None:
        entries = self._window.entries
        handed_up = self._handed_up
        requests: list[Frame] = []
        answered: list[ev.Answered] = []
        for frame in frames:
            command_id, command_status, sequence_number, octets = frame
            if command_id in handed_up:
                requests.append(frame)
            elif command_id & RESPONSE_BIT:
                entry = entries.pop(sequence_number, None)
                if entry is not None and entry[0] == command_id:
                    answered.append((entry[2], command_status, octets, entry[1]))
                else:
                    if entry is not None:
                        if command_id == _GENERIC_NACK:
                            failed = command_status or CommandStatus.ESME_RUNKNOWNERR
                            answered.append((entry[2], failed, octets, entry[1]))
                            continue
                        self._put_back(sequence_number, entry)
                    self._handle_control_response(frame)
                    handed_up = self._handed_up
            else:
                self._tell(requests, answered, now_ns)
                requests, answered = [], []
                self._handle_control_request(frame, now_ns)
                handed_up = self._handed_up
        self._tell(requests, answered, now_ns)

    def _tell(self, requests: list[Frame], answered: list[ev.Answered], now_ns: int) -> None:
        if answered:
            self._last_message_ns = now_ns
            self._events.append(ev.Responses(answered))
        if requests:
            self._last_message_ns = now_ns
            owed = len(requests)
            if self.role is Role.ESME:
                owed -= sum(1 for frame in requests if frame[0] in ONE_WAY)
            room = self._inbound_limit - self._inbound
            if owed > room:
                requests, excess = requests[: max(room, 0)], requests[max(room, 0) :]
                for command_id, _, sequence_number, _ in excess:
                    if command_id not in ONE_WAY:
                        self._answer(command_id, CommandStatus.ESME_RTHROTTLED, sequence_number)
                owed = sum(1 for frame in requests if frame[0] not in ONE_WAY)
            self._inbound += owed
            if requests:
                self._events.append(ev.Requests(requests))

    def _put_back(self, sequence_number: int, entry: tuple[int, int, object]) -> None:
        """A response of another command carried this number: the request goes on waiting, in its place."""
        entries = self._window.entries
        entries[sequence_number] = entry
        in_order = sorted(entries.items(), key=lambda item: item[1][1])
        entries.clear()
        entries.update(in_order)

    def _handle_control_response(self, frame: Frame) -> None:
        command_id, command_status, sequence_number, octets = frame
        expected = self._control.get(sequence_number)
        if expected is None or command_id not in (expected[0], _GENERIC_NACK):
            return  # a response nobody waits for (SMPP v3.4 section 2.8): nothing, never a nack for a nack
        del self._control[sequence_number]
        if expected[0] in _BIND_RESPS:
            if command_id == _GENERIC_NACK or command_status:
                self._events.append(ev.Refused(command_status or CommandStatus.ESME_RBINDFAIL))
            else:
                self._bound_by_peer(command_id, octets)
        elif expected[0] == _UNBIND_RESP:
            self._enter(SessionState.UNBOUND)
            self._close("unbound")

    def _bound_by_peer(self, command_id: int, octets: bytes) -> None:
        peer_system_id = b""
        version: int = self.settings.interface_version
        try:
            pdu = codec.decode(octets)
            peer_system_id = getattr(pdu, "system_id", b"")
            told = tlv_value(pdu.tlvs, TlvTag.SC_INTERFACE_VERSION)
            if isinstance(told, int):
                version = told
        except PduError:
            pass  # a bind_resp with an odd body has still bound us (quirk 7)
        self.peer_version = negotiated_version(self.settings.interface_version, version)
        self._become_bound(TRANSITIONS[self.state, CommandId(command_id)], peer_system_id)

    def _become_bound(self, state: SessionState, peer_system_id: bytes) -> None:
        self._enter(state)
        self._framing.limit = self.settings.max_pdu_octets
        self._last_message_ns = self._last_peer_ns
        self._events.append(ev.Bound(state, peer_system_id))

    def _handle_control_request(self, frame: Frame, now_ns: int) -> None:
        command_id, _, sequence_number, octets = frame
        outcome = self._outcomes.get(command_id)
        if outcome is None:
            error = UnknownCommandError(command_id)
            self._nack(sequence_number, error.command_status)
            self._events.append(ev.Fault(error))
            self._count_fault()
            return
        if outcome.action is Action.ENQUIRE:
            self._answer(command_id, CommandStatus.ESME_ROK, sequence_number)
        elif outcome.action in (Action.BIND, Action.OUTBIND):
            self._handle_introduction(frame)
        elif outcome.action is Action.UNBIND:
            self._held_unbind = (sequence_number, now_ns)
            self._events.append(ev.PeerUnbound())
            self._enter(SessionState.UNBOUND)
            self._answer_held_unbind()
        elif outcome.action is Action.REFUSE:
            self._answer(command_id, outcome.status, sequence_number)
        elif outcome.action is Action.NACK:
            self._nack(sequence_number, outcome.status)
        if outcome.close and self._held_unbind is None:
            self._close(f"{command_name(command_id)} is not allowed while {self.state.value}")

    def _handle_introduction(self, frame: Frame) -> None:
        """A bind or an outbind: decoded here, decided by the owner."""
        command_id, _, sequence_number, octets = frame
        try:
            pdu = codec.decode(octets)
        except PduError as error:
            if command_id not in ONE_WAY:
                self._answer(command_id, error.command_status, sequence_number)
            self._events.append(ev.Fault(error))
            self._count_fault()
            return
        if command_id == CommandId.OUTBIND:
            self._enter(SessionState.OUTBOUND)
            self._events.append(ev.Outbound(pdu))
        else:
            self._bind_frame = frame
            self._events.append(ev.BindRequested(pdu))

    def _answer_held_unbind(self) -> None:
        if self._held_unbind is not None and self._inbound <= 0:
            sequence_number, _ = self._held_unbind
            self._held_unbind = None
            self._answer(int(CommandId.UNBIND), CommandStatus.ESME_ROK, sequence_number)
            self._close("the peer unbound")

    # ---- what the owner does --------------------------------------------------------------------------------

    def accept_bind(self, system_id: bytes, now_ns: int, *, window: int | None = None) -> None:
        """Answer the bind that waits with ESME_ROK, then handle what stands behind it.

        A peer that speaks 3.4 or later is told our version (SMPP v3.4 section 4.1.2); an older one gets no TLV.
        `window` is this peer's own, both ways, where it differs from that of the settings.
        """
        if window is not None:
            self._window.size = self._inbound_limit = window
        frame = self._waiting_bind("bind response")
        command_id, _, sequence_number, octets = frame
        pdu = codec.decode(octets)
        theirs = getattr(pdu, "interface_version", InterfaceVersion.V3_3)
        self.peer_version = negotiated_version(self.settings.interface_version, theirs)
        response_id = CommandId(command_id | RESPONSE_BIT)
        tlvs = ()
        if self.peer_version >= InterfaceVersion.V3_4:
            tlvs = (make_tlv(TlvTag.SC_INTERFACE_VERSION, self.settings.interface_version),)
        response = codec.CLASS_BY_ID[response_id](
            system_id=system_id, tlvs=tlvs, sequence_number=sequence_number
        )
        self._out.append(codec.encode(response))
        self._become_bound(TRANSITIONS[self.state, response_id], getattr(pdu, "system_id", b""))
        self._process(now_ns)

    def refuse_bind(self, command_status: int, now_ns: int, *, close: bool = True) -> None:
        """Answer the bind that waits with an error; the peer may try again unless `close`."""
        command_id, _, sequence_number, _ = self._waiting_bind("bind response")
        self._answer(command_id, command_status, sequence_number)
        if close:
            self._close("bind refused")
        else:
            self._process(now_ns)

    def _waiting_bind(self, operation: str) -> Frame:
        frame, self._bind_frame = self._bind_frame, None
        if frame is None or self.state is SessionState.CLOSED:
            raise NotPermitted(operation, self.state.value)
        return frame

    def bind(self, octets: bytes, now_ns: int) -> None:
        """Send a bind: a whole encoded PDU whose sequence_number is replaced. ESME role only."""
        command_id = _HEADER.unpack_from(octets)[1]
        self._require(command_id)
        self._send_control(command_id, octets[HEADER_OCTETS:], now_ns)

    def outbind(self, octets: bytes) -> None:
        """Send an outbind, a whole encoded PDU. SMSC role only; the ESME answers with a bind, or closes."""
        self._require(CommandId.OUTBIND)
        self._sequence = following(self._sequence)
        self._out.append(_pack_header(len(octets), CommandId.OUTBIND, 0, self._sequence))
        self._out.append(octets[HEADER_OCTETS:])
        self._enter(SessionState.OUTBOUND)

    def unbind(self, now_ns: int) -> None:
        """Ask the peer to end the session; it is closed when the peer answers, or does not in time."""
        if self.bound and not any(expected == _UNBIND_RESP for expected, _ in self._control.values()):
            self._send_control(int(CommandId.UNBIND), b"", now_ns)

    def close(self, reason: str) -> None:
        """End the session without more words."""
        self._close(reason)

    def send_requests(self, requests: Iterable[tuple[int, bytes, object]], now_ns: int) -> None:
        """Send messages: (command_id, body octets, context of the owner) each, at most `free` of them.

        Every context comes back exactly once: in `Responses`, in `Expired`, or in `Closed`.
        Raises NotPermitted for a command this state does not allow; nothing of that request is sent.
        """
        entries = self._window.entries
        out = self._out
        permitted = PERMITTED[self.role, self.state]
        sequence_number = self._sequence
        for command_id, body, context in requests:
            if command_id not in permitted:
                self._sequence = sequence_number
                raise NotPermitted(command_name(command_id), self.state.value)
            sequence_number = following(sequence_number)
            while sequence_number in entries:
                sequence_number = following(sequence_number)
            out.append(_pack_header(HEADER_OCTETS + len(body), command_id, 0, sequence_number) + body)
            if command_id not in ONE_WAY:
                entries[sequence_number] = (command_id | RESPONSE_BIT, now_ns, context)
        self._sequence = sequence_number
        self._last_message_ns = now_ns

    def send_responses(self, responses: list[bytes], *, faults: int = 0) -> None:
        """Answer requests that were handed up: whole encoded responses, one for each.

        `faults` says how many of them answer broken PDUs; too many in a row end the session.
        """
        self._inbound -= len(responses)
        if self.state is SessionState.CLOSED:
            return
        self._out.extend(responses)
        if self._held_unbind is not None:
            self._answer_held_unbind()
        if faults == len(responses):
            self._count_fault(faults)
        else:
            self._faults = faults

    # ---- time -----------------------------------------------------------------------------------------------

    def next_deadline_ns(self) -> int | None:
        """Return when `handle_timer` must next be called (monotonic nanoseconds); None when no timer runs."""
        if self.state is SessionState.CLOSED:
            return None
        timers = self.settings.timers
        deadlines: list[int | None] = []
        if self.state in BOUND:
            if timers.enquire_link_ns and not self._control:
                deadlines.append(self._last_peer_ns + timers.enquire_link_ns)
            if timers.inactivity_ns:
                deadlines.append(self._last_message_ns + timers.inactivity_ns)
        elif not self._control and self._bind_frame is None:
            deadlines.append(self._started_ns + timers.session_init_ns)
        for sent_ns in (self._window.oldest_sent_ns(), self._oldest_control_ns(), self._held_since_ns()):
            if sent_ns is not None:
                deadlines.append(sent_ns + timers.response_ns)
        if self._partial_since_ns is not None:
            deadlines.append(self._partial_since_ns + timers.read_ns)
        return earliest(*deadlines)

    def handle_timer(self, now_ns: int) -> None:
        """Do what is due (SMPP v3.4 section 2.9)."""
        if self.state is SessionState.CLOSED:
            return
        timers = self.settings.timers
        response_before_ns = now_ns - timers.response_ns
        oldest_control_ns = self._oldest_control_ns()
        held_since_ns = self._held_since_ns()
        if self._partial_since_ns is not None and now_ns >= self._partial_since_ns + timers.read_ns:
            self._close("a PDU was not whole in time")
        elif oldest_control_ns is not None and oldest_control_ns <= response_before_ns:
            self._close("enquire_link, bind or unbind was not answered in time")
        elif held_since_ns is not None and held_since_ns <= response_before_ns:
            self._inbound = 0
            self._answer_held_unbind()
        elif self.state not in BOUND:
            waiting = not self._control and self._bind_frame is None
            if waiting and now_ns >= self._started_ns + timers.session_init_ns:
                self._close("no bind in time")
        else:
            expired = self._window.expire(response_before_ns)
            if expired:
                self._events.append(ev.Expired(expired))
            if timers.inactivity_ns and now_ns >= self._last_message_ns + timers.inactivity_ns:
                self.unbind(now_ns)
            elif not self._control and timers.enquire_link_ns:
                if now_ns >= self._last_peer_ns + timers.enquire_link_ns:
                    self._send_control(_ENQUIRE_LINK, b"", now_ns)

    def _oldest_control_ns(self) -> int | None:
        return min((sent_ns for _, sent_ns in self._control.values()), default=None)

    def _held_since_ns(self) -> int | None:
        return self._held_unbind[1] if self._held_unbind is not None else None

    # ---- small things ---------------------------------------------------------------------------------------

    def _require(self, command_id: int) -> None:
        if command_id not in PERMITTED[self.role, self.state] or command_id in MESSAGES:
            raise NotPermitted(command_name(command_id), self.state.value)

    def _send_control(self, command_id: int, body: bytes, now_ns: int) -> None:
        self._sequence = following(self._sequence)
        self._control[self._sequence] = (command_id | RESPONSE_BIT, now_ns)
        self._out.append(_pack_header(HEADER_OCTETS + len(body), command_id, 0, self._sequence) + body)

    def _answer(self, command_id: int, command_status: int, sequence_number: int) -> None:
        self._out.append(
            _pack_header(HEADER_OCTETS, command_id | RESPONSE_BIT, command_status, sequence_number)
        )

    def _nack(self, sequence_number: int, command_status: int) -> None:
        self._out.append(_pack_header(HEADER_OCTETS, _GENERIC_NACK, command_status, sequence_number))

    def _count_fault(self, faults: int = 1) -> None:
        self._faults += faults
        if self._faults > MAX_FAULTS:
            self._close(f"more than {MAX_FAULTS} broken PDUs in a row")

    def _close(self, reason: str) -> None:
        if self.state is SessionState.CLOSED:
            return
        self._enter(SessionState.CLOSED)
        self.wants_close = True
        self._bind_frame = None
        self._control.clear()
        self._events.append(ev.Closed(reason, self._window.clear()))
