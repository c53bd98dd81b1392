"""`submit_many`: messages in, results out, as many on their way as the window takes.

Nothing is taken from the source before there is a slot for it, and nothing is sent while nobody asks for results: what
is held is bounded by the window.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable, Iterator
from itertools import islice
from typing import Any, Final, Generic

from smppgw.errors import SmppgwError
from smppgw.library.outbox import Outbox, Request
from smppgw.library.outcome import MessageT, SubmitResult
from smppgw.pdu._generated import SubmitSm, encode_submit_sm
from smppgw.pdu.constants import HEADER_OCTETS, CommandId
from smppgw.pdu.errors import EncodeError
from smppgw.session.errors import SessionError

_SUBMIT_SM: Final = int(CommandId.SUBMIT_SM)

_new: Final = tuple.__new__  # what a NamedTuple's own __new__ calls, without its keywords

Compose = Callable[[Any], list[SubmitSm]]
"""What makes the submit_sm of a message that is none itself."""


class _Parts:
    """A message on its way in several parts."""

    __slots__ = ("command_status", "error", "left", "message", "message_ids")

    def __init__(self, message: Any, parts: int) -> None:
        self.message = message
        self.left = parts
        self.command_status = 0
        self.message_ids: tuple[str, ...] = ()
        self.error: SmppgwError | None = None


class Pipeline(Generic[MessageT]):
    """One call of `submit_many`; the taker of its requests."""

    command_id = _SUBMIT_SM

    def __init__(self, outbox: Outbox, compose: Compose, until_bound: Callable[[], Awaitable[None]]) -> None:
        self._outbox = outbox
        self._compose = compose
        self._until_bound = until_bound
        self._in_flight = 0
        self._results: list[SubmitResult[MessageT]] = []
        self._failure: Exception | None = None
        self._changed = asyncio.Event()
        self._closed = False

    async def run(
        self, messages: Iterable[MessageT] | AsyncIterable[MessageT]
    ) -> AsyncGenerator[SubmitResult[MessageT], None]:
        """Yield what becomes of each message, in the order of the answers.

        Raises: what the source raises, behind the results of everything taken from it before; ConnectionFailed when
        there is no bind in time.
        """
        source: Iterator[MessageT] | None = None
        feeding: asyncio.Task[None] | None = None
        if isinstance(messages, AsyncIterable):
            feeding = asyncio.ensure_future(self._feed(messages))
        else:
            source = iter(messages)
        self._outbox.join(self)
        try:
            while True:
                if source is not None and self._send_from(source):
                    source = None
                if self._results:
                    results, self._results = self._results, []
                    for result in results:
                        yield result
                    self._changed.set()  # a feeder waits until they have been taken
                elif self._in_flight or (feeding is not None and not feeding.done()):
                    await self._change()
                elif source is not None:
                    await self._until_bound()
                    if not self._outbox.room:
                        await self._change()
                else:
                    break
            if self._failure is not None:
                raise self._failure
        finally:
            self._closed = True
            self._outbox.leave(self)
            if feeding is not None:
                feeding.cancel()

    def _send_from(self, source: Iterator[MessageT]) -> bool:
        """Send as many messages as there are slots for; say whether the source has ended."""
        room = self._outbox.room
        requests: list[Request] = []
        taken = 0
        try:
            for message in islice(source, room):
                taken += 1
                self._prepare(message, requests)
        except Exception as error:  # noqa: BLE001 - the source's own: raised behind the results
            self._failure = error
        self._send(requests)
        return taken < room or self._failure is not None

    async def _feed(self, messages: AsyncIterable[MessageT]) -> None:
        """Send the messages of a source that has to be waited for."""
        try:
            await self._until_room()
            async for message in messages:
                requests: list[Request] = []
                self._prepare(message, requests)
                self._send(requests)
                await self._until_room()
        except Exception as error:  # noqa: BLE001 - as above
            self._failure = error
        finally:
            self._changed.set()

    async def _until_room(self) -> None:
        """Wait until there is a slot and every result has been taken."""
        while self._results or not self._outbox.room:
            await self._until_bound()
            if self._results or not self._outbox.room:
                await self._change()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _prepare(self, message: MessageT, requests: list[Request]) -> None:
        try:
            if isinstance(message, SubmitSm):
                requests.append((_SUBMIT_SM, encode_submit_sm(message)[HEADER_OCTETS:], (self, message)))
                return
            parts = [encode_submit_sm(pdu)[HEADER_OCTETS:] for pdu in self._compose(message)]
        except EncodeError as error:
            self._results.append(SubmitResult(message, None, (), error))
            self._changed.set()
            return
        subject = message if len(parts) == 1 else _Parts(message, len(parts))
        requests.extend((_SUBMIT_SM, body, (self, subject)) for body in parts)

    def _send(self, requests: list[Request]) -> None:
        if requests:
            self._in_flight += len(requests)
            self._outbox.send(requests)

    # ---- what becomes of them -------------------------------------------------------------------------------

    def done(self) -> bool:
        """Whether nobody asks for results any more."""
        return self._closed

    def answered(self, subject: Any, command_status: int, octets: bytes) -> None:
        """One submit_sm has its answer."""
        self._in_flight -= 1
        if command_status:
            message_ids: tuple[str, ...] = ()
        else:
            message_ids = (octets[HEADER_OCTETS : octets.find(0, HEADER_OCTETS)].decode("latin-1"),)
        if type(subject) is _Parts:
            self._part_settled(subject, command_status, message_ids)
        else:
            self._results.append(_new(SubmitResult, (subject, command_status, message_ids, None)))

    def lost(self, subject: Any, error: SessionError) -> None:
        """One submit_sm has none."""
        self._in_flight -= 1
        if type(subject) is _Parts:
            subject.error = error
            self._part_settled(subject, 0, ())
        else:
            self._results.append(SubmitResult(subject, None, (), error))

    def _part_settled(self, parts: _Parts, command_status: int, message_ids: tuple[str, ...]) -> None:
        parts.left -= 1
        parts.command_status = parts.command_status or command_status
        parts.message_ids += message_ids
        if not parts.left:
            status = parts.command_status or (None if parts.error is not None else 0)
            self._results.append(SubmitResult(parts.message, status, parts.message_ids, parts.error))

    def settled(self) -> None:
        """Something has changed: look again."""
        self._changed.set()
