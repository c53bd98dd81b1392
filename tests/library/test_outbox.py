from __future__ import annotations

import asyncio
from typing import Any

import pytest

from smppgw.library.outbox import Outbox
from smppgw.pdu._generated import DeliverSm, QuerySm, SubmitSm, SubmitSmResp
from smppgw.pdu.codec import encode
from smppgw.pdu.errors import PduError
from smppgw.session import events as ev
from smppgw.session.client import bind_octets, binding
from smppgw.session.connection import Connection
from smppgw.session.errors import ConnectionFailed, NotPermitted
from smppgw.session.machine import Session
from smppgw.session.settings import SessionSettings
from smppgw.session.states import MESSAGES, PERMITTED, Role, SessionState

BIND_RESPONSE = b"\0\0\0\x11\x80\0\0\x09\0\0\0\0\0\0\0\x01\0"


class Wire(asyncio.Transport):
    """A transport that keeps every write apart."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes.append(bytes(data))

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0

    def abort(self) -> None:
        pass

    def close(self) -> None:
        pass


class Bound:
    """An outbox on a bound connection, with the wire it writes to; its owner does what `Uplink` does."""

    def __init__(self, window: int = 100) -> None:
        self.outbox = Outbox(
            PERMITTED[Role.ESME, SessionState.BOUND_TRX] & MESSAGES, SessionState.BOUND_TRX.value
        )
        self.wire = Wire()
        self.connection = Connection(Session(Role.ESME, SessionSettings(window=window), 0), self)
        self.connection.connection_made(self.wire)
        self.connection.data_received(BIND_RESPONSE)
        self.wire.writes.clear()

    def on_connected(self, connection: Connection) -> None:
        binding(bind_octets("trx", system_id="app", password=""))(connection.session, 0)

    def on_event(self, connection: Connection, event: ev.Event) -> None:
        match event:
            case ev.Bound():
                self.outbox.open(connection)
            case ev.Responses(answered):
                self.outbox.on_answered(answered)
            case ev.Closed(reason, unanswered):
                self.outbox.close(reason, unanswered)
            case _:
                pass

    def answer(self, *sequence_numbers: int) -> None:
        """The peer answers, all at once."""
        responses = (SubmitSmResp(message_id=b"%d" % n, sequence_number=n) for n in sequence_numbers)
        self.connection.data_received(b"".join(map(encode, responses)))

    def end(self) -> None:
        """The connection is lost."""
        self.connection.connection_lost(None)


async def a_turn_of_the_loop() -> None:
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def test_requests_and_responses_of_one_turn_of_the_loop_leave_in_one_write() -> None:
    here = Bound()
    await a_turn_of_the_loop()
    futures = [here.outbox.request(SubmitSm(short_message=b"x")) for _ in range(50)]
    here.outbox.respond(b"a response")
    assert here.wire.writes == []
    await a_turn_of_the_loop()
    (written,) = here.wire.writes
    assert written.startswith(b"a response")
    assert written.count(b"\x01x") == 50
    here.answer(*range(2, 52))  # the bind was 1
    assert [(await future).message_id for future in futures] == [b"%d" % n for n in range(2, 52)]
    here.end()


async def test_what_waits_leaves_with_the_answers_that_make_room_for_it() -> None:
    here = Bound(window=3)
    futures = [here.outbox.request(SubmitSm()) for _ in range(8)]
    await a_turn_of_the_loop()
    assert (len(here.wire.writes), here.outbox.waiting, here.outbox.room) == (1, 5, 0)
    here.answer(2, 3, 4)
    assert (len(here.wire.writes), here.outbox.waiting) == (2, 2)
    here.answer(5, 6, 7)
    here.answer(8, 9)
    assert all(future.done() for future in futures)
    assert here.outbox.room == 3
    here.end()


async def test_what_a_bind_does_not_allow_is_refused_and_nothing_is_queued() -> None:
    here = Bound()
    with pytest.raises(NotPermitted, match="deliver_sm"):
        here.outbox.request(DeliverSm())
    assert here.outbox.waiting == 0
    here.end()


async def test_a_response_that_cannot_be_read_is_the_error_of_its_request_alone() -> None:
    here = Bound()
    broken, whole = here.outbox.request(QuerySm()), here.outbox.request(SubmitSm())
    await a_turn_of_the_loop()
    here.connection.data_received(b"\0\0\0\x11\x80\0\0\x03\0\0\0\0\0\0\0\x02\0")
    here.answer(3)
    with pytest.raises(PduError):
        await broken
    assert (await whole).message_id == b"3"
    here.end()


async def test_without_a_connection_requests_wait_until_somebody_gives_up_for_them() -> None:
    here = Bound(window=1)
    here.outbox.request(SubmitSm()).add_done_callback(lambda future: future.exception())
    waiting = [here.outbox.request(SubmitSm()) for _ in range(2)]
    waiting[0].cancel()
    await a_turn_of_the_loop()
    here.end()
    here.outbox.respond(b"for nobody")
    assert (here.outbox.connected, here.outbox.waiting, here.outbox.room) == (False, 2, 0)
    here.outbox.give_up(ConnectionFailed("there", "gone"))
    with pytest.raises(ConnectionFailed):
        await waiting[1]
    here.outbox.retire(ConnectionFailed("there", "gone"))
    with pytest.raises(NotPermitted, match="closed"):
        here.outbox.request(SubmitSm())


class Collector:
    """A taker of many."""

    command_id = int(SubmitSm.command_id)

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.finished = False

    def done(self) -> bool:
        return self.finished

    def answered(self, subject: Any, command_status: int, octets: bytes) -> None:
        self.told.append((subject, command_status))

    def lost(self, subject: Any, error: Exception) -> None:
        self.told.append((subject, type(error).__name__))

    def settled(self) -> None:
        self.told.append("settled")


async def test_a_taker_of_many_is_told_of_each_and_once_when_all_is_told() -> None:
    here = Bound(window=2)
    taker = Collector()
    here.outbox.join(taker)
    here.outbox.send([(4, b"\0" * 17, (taker, n)) for n in range(4)])
    here.answer(2, 3)
    assert taker.told == [(0, 0), (1, 0), "settled"]
    taker.told.clear()
    here.outbox.put((4, b"\0" * 17, (taker, 4)))
    here.end()
    here.outbox.leave(taker)
    here.outbox.give_up(ConnectionFailed("there", "gone"))
    assert taker.told == [
        (2, "Unanswered"),
        (3, "Unanswered"),
        "settled",
        (4, "ConnectionFailed"),
    ]


async def test_what_a_taker_has_in_the_queue_is_not_sent_once_it_is_done() -> None:
    here = Bound(window=1)
    taker = Collector()
    here.outbox.send([(4, b"\0" * 17, (taker, n)) for n in range(3)])
    taker.finished = True
    here.answer(2)
    assert (here.outbox.waiting, len(here.wire.writes)) == (0, 1)
    here.end()
