"""The asyncio shell around a session: feed it, send what it says, arm one timer, hand its events on."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import time
from collections.abc import Callable
from enum import IntFlag
from typing import Any, Final, Protocol, cast

from smppgw.pdu.constants import MAX_PDU_OCTETS
from smppgw.session import events as ev
from smppgw.session.machine import Session
from smppgw.session.states import SessionState
from smppgw.session.timers import NS

WRITE_BUFFER_OCTETS: Final = 1_048_576
"""Default for `Connection.write_room`; half of it makes a connection `congested`."""

LINGER_SECONDS: Final = 5.0
"""How long a peer may take to read the last octets and to close before the connection is reset."""

_STALLED: Final = "the peer does not read"

Clock = Callable[[], int]
"""Monotonic nanoseconds."""


def reason_of(error: OSError | UnicodeError | OverflowError) -> str:
    """Return in a few words why a connection or a listener could not be made."""
    if isinstance(error, OverflowError):
        return "that is no port"
    if isinstance(error, UnicodeError):
        return "that is no host name"  # it cannot be written in the form of the name service
    if error.errno is None or isinstance(error, (ssl.SSLError, socket.gaierror)):
        return error.strerror or str(error)
    return os.strerror(error.errno)  # asyncio's own text repeats the address


class Hold(IntFlag):
    """Why nothing is read from a peer for now."""

    NONE = 0
    VERDICT = 1
    """A bind waits for its verdict."""
    WRITING = 2
    """The peer does not read what it is owed."""
    OWNER = 4
    """The owner can take nothing."""


class Owner(Protocol):
    """Whoever decides what a connection is for."""

    def on_connected(self, connection: Connection) -> None:
        """The connection is up; nothing has passed on it."""

    def on_event(self, connection: Connection, event: ev.Event) -> None:
        """Something happened; `Closed` comes once and last.

        It may act on this connection or any other, and call `flush` of either. What it raises closes this connection
        and goes to the exception handler of the loop.
        """


class Connection(asyncio.Protocol):
    """One TCP connection that carries one session."""

    __slots__ = (
        "_armed_ns",
        "_clock",
        "_handling",
        "_holds",
        "_linger",
        "_loop",
        "_lost",
        "_owner",
        "_peer_done",
        "_stall",
        "_taken",
        "_timer",
        "_transport",
        "_write_limit",
        "_written",
        "peer_host",
        "session",
    )

    def __init__(
        self,
        session: Session,
        owner: Owner,
        *,
        write_buffer_octets: int = WRITE_BUFFER_OCTETS,
        clock: Clock = time.monotonic_ns,
    ) -> None:
        self.session = session
        self.peer_host = ""
        self._owner = owner
        self._clock = clock
        self._write_limit = write_buffer_octets
        self._loop = asyncio.get_running_loop()
        self._lost: asyncio.Future[None] = self._loop.create_future()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._linger: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None
        self._armed_ns = 0
        self._written = 0
        self._taken = 0
        self._peer_done = False
        self._handling = False
        self._holds = Hold.NONE

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio: the connection is up."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are not of this class
        self._transport.set_write_buffer_limits(high=self._write_limit // 2)
        peer = transport.get_extra_info("peername")
        self.peer_host = str(peer[0]) if peer else ""
        self._handling = True
        try:
            self._owner.on_connected(self)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not leave the connection behind
            self._owner_failed(error)
        self._handling = False
        self.flush()

    def data_received(self, data: bytes) -> None:
        """Asyncio: the peer sent something."""
        self.session.receive_octets(data, self._clock())
        self.flush()

    def eof_received(self) -> bool:
        """Asyncio: the peer will send no more, which ends the session once it has the answers it is owed.

        What is written already still reaches it. TLS knows no such half of a connection.
        """
        transport = self._transport
        if transport is None or not transport.can_write_eof():
            return False
        self._peer_done = self.session.end_of_octets(self._clock())
        self.flush()
        return self._peer_done

    def connection_lost(self, exc: Exception | None) -> None:
        """Asyncio: the connection is gone."""
        self._transport = None
        ended = exc or "the peer closed the connection"
        reason = reason_of(exc) if isinstance(exc, OSError) else str(ended)
        self.session.close(reason)
        self.flush()
        for handle in (self._timer, self._linger, self._stall):
            if handle is not None:
                handle.cancel()
        self._timer = self._linger = self._stall = None
        if not self._lost.done():
            self._lost.set_result(None)

    def when_lost(self, callback: Callable[[Connection], object]) -> None:
        """Have this called once the connection is gone, soon after its owner has been told."""
        self._lost.add_done_callback(lambda _: callback(self))

    async def wait_closed(self) -> None:
        """Wait until the connection is gone and its owner has been told."""
        await asyncio.shield(self._lost)

    def hold(self, why: Hold) -> None:
        """Stop reading from the peer until every reason to is gone."""
        if not self._holds and self._transport is not None:
            self._transport.pause_reading()
        self._holds |= why

    def release(self, why: Hold) -> None:
        """Take one reason away."""
        if self._holds:
            self._holds &= ~why
            if not self._holds and self._transport is not None:
                self._transport.resume_reading()

    def pause_writing(self) -> None:
        """Asyncio: half of the write limit waits. Read no more, so that no more answers are owed.

        A peer that takes nothing for as long as it has for a response is closed.
        """
        self.hold(Hold.WRITING)
        if self._stall is None:
            self._watch()

    def _watch(self) -> None:
        self._taken = self._written - self._buffered
        patience_ns = self.session.settings.timers.response_ns
        if patience_ns:
            self._stall = self._loop.call_later(patience_ns / NS, self._on_stall)

    def _on_stall(self) -> None:
        if self._written - self._buffered > self._taken:
            self._watch()
        else:
            self.abort(_STALLED)

    def resume_writing(self) -> None:
        """Asyncio: the peer has read."""
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None
        self.release(Hold.WRITING)
        self._loop.call_soon(self._tell_writable)  # not from inside a write, where TLS may call this

    def _tell_writable(self) -> None:
        if self.session.state is not SessionState.CLOSED and not self.congested:
            self._hand_on([ev.Writable()])
            self.flush()

    @property
    def congested(self) -> bool:
        """Whether the peer is slow to take what waits for it: hand over no more until `Writable` is told."""
        return bool(self._holds & Hold.WRITING)

    @property
    def write_room(self) -> int:
        """Octets that may be handed over now beside what has been flushed and waits; 0 without a connection."""
        return 0 if self._transport is None else max(0, self._write_limit - self._buffered)

    @property
    def _buffered(self) -> int:
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    def flush(self) -> None:
        """Hand on what happened and write what is to be written; call it after any call to `session`."""
        if self._handling:
            return  # the owner acts on an event of this connection: the loop below goes on
        session = self.session
        self._hand_on(session.take_events())
        transport = self._transport
        if transport is None or self._linger is not None:
            return
        out = session.octets_to_send()
        if out:
            octets = out[0] if len(out) == 1 else b"".join(out)
            self._written += len(octets)
            transport.write(octets)
            if transport.get_write_buffer_size() > self._write_limit + self._window_octets:
                self.abort(_STALLED)
                return
        if session.wants_close:
            self._finish(transport)
            return
        if session.paused:
            self.hold(Hold.VERDICT)
        else:
            self.release(Hold.VERDICT)
        self._arm()

    @property
    def _window_octets(self) -> int:
        """Octets of a full window of the largest messages: they may all be sent before the peer has read one."""
        return self.session.window.size * MAX_PDU_OCTETS

    def _hand_on(self, events: list[ev.Event]) -> None:
        self._handling = True
        while events:
            for event in events:
                try:
                    self._owner.on_event(self, event)
                except Exception as error:  # noqa: BLE001 - the events behind it, and others' connections, go on
                    self._owner_failed(error)
            events = self.session.take_events()
        self._handling = False

    def _finish(self, transport: asyncio.Transport) -> None:
        """Close, in such a way that the last answer arrives.

        A socket that is closed while octets of the peer are unread resets the connection, and what the peer has not
        read is lost. So we say that no more comes, and read, to no purpose, until the peer closes or the time is up.
        """
        self._linger = self._loop.call_later(LINGER_SECONDS, transport.abort)
        if transport.is_closing():
            return
        if (
            self._peer_done or not transport.can_write_eof()
        ):  # nothing is unread; TLS has its own way to say it
            transport.close()
            return
        try:
            transport.write_eof()
        except OSError:
            transport.abort()  # the peer was faster
        else:
            self._holds = Hold.NONE
            transport.resume_reading()

    def _owner_failed(self, error: Exception) -> None:
        context: dict[str, Any] = {
            "message": "the owner of a connection failed, which is closed",
            "exception": error,
            "protocol": self,
        }
        self._loop.call_exception_handler(context)
        self.session.close("an error of ours")

    def abort(self, reason: str) -> None:
        """Drop the connection at once, whatever it is still owed."""
        self.session.close(reason)
        if self._transport is not None:
            self._transport.abort()
        self.flush()

    def _arm(self) -> None:
        """Keep one timer that fires no later than the next deadline.

        A deadline that moves away (it does with nearly every PDU) leaves the timer alone: it fires early, finds
        nothing due and is armed anew.
        """
        deadline_ns = self.session.next_deadline_ns()
        if deadline_ns is None:
            return
        if self._timer is not None:
            if self._armed_ns <= deadline_ns:
                return
            self._timer.cancel()
        self._armed_ns = deadline_ns
        delay = max(0, deadline_ns - self._clock()) / NS
        self._timer = self._loop.call_later(delay, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self.session.handle_timer(self._clock())
        self.flush()
