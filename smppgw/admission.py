"""What becomes of a request of a bound ESME: refused with the right status, or taken into the store and answered.

Hot path: one batch is one `Store.accept`; a message costs one regular-expression match, one slice, one object. A PDU
out of the ordinary (optional parameters, times, a data_sm, a submit_multi) is decoded in full.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import datetime
from typing import Final, TypeAlias

from smppgw import submission, telling
from smppgw.accounts import SOURCES_REMEMBERED, Account, Link
from smppgw.inquiry import Inquiry
from smppgw.message_ids import id_of
from smppgw.metrics import Metrics, status_label
from smppgw.pdu import codec, peek
from smppgw.pdu._generated import (
    CancelSm,
    DataSm,
    QuerySm,
    ReplaceSm,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
    UnsuccessSme,
)
from smppgw.pdu.constants import (
    HEADER_OCTETS,
    RESPONSE_BIT,
    CommandId,
    CommandStatus,
    InterfaceVersion,
)
from smppgw.pdu.framing import Frame
from smppgw.routing import Router, digits
from smppgw.session.timers import NS
from smppgw.splitting import SHORT_OCTETS, bodies_of
from smppgw.store.api import Store
from smppgw.store.entries import Message
from smppgw.submission import Refusal, Timing

Lanes: TypeAlias = tuple[str, ...]

_SUBMIT_SM: Final = int(CommandId.SUBMIT_SM)
_RESPONSE: Final = struct.Struct(">IIII16sx")
"""A header and our message_id of 16 characters with its NUL: submit_sm_resp or data_sm_resp."""
_SHORT_RESPONSE: Final = struct.Struct(">IIII8sx")
_HEADER: Final = struct.Struct(">IIII")
_HIGHEST_PRIORITY: Final = 3
REFERENCES: Final = 256
"""Of concatenated messages, one octet."""


class _Batch:
    """What has been decided about the requests that arrived together."""

    __slots__ = (
        "account",
        "faults",
        "link",
        "long_ids",
        "messages",
        "refusals",
        "refused",
        "replacing",
        "responses",
        "started_ns",
    )

    def __init__(self, link: Link, started_ns: int) -> None:
        self.link = link
        self.account = link.account
        self.started_ns = started_ns
        self.long_ids = link.connection.session.peer_version >= InterfaceVersion.V3_4
        self.messages: list[Message] = []
        self.replacing: list[tuple[int, Message]] = []
        """Those that are to replace what is queued, if there is something, with their sequence_number."""
        self.responses: list[bytes] = []
        self.refusals: list[bytes] = []
        self.refused: dict[int, int] = {}
        self.faults = 0

    def refuse(self, command_id: int, sequence_number: int, refusal: Refusal) -> None:
        """Answer one with an error, header only."""
        status = refusal.command_status
        self.refusals.append(_HEADER.pack(HEADER_OCTETS, command_id | RESPONSE_BIT, status, sequence_number))
        self.refused[status] = self.refused.get(status, 0) + 1
        self.faults += refusal.broken

    def answer(self, command_id: int, sequence_number: int, message_id: bytes) -> None:
        """Answer one with its message_id."""
        response = _RESPONSE if self.long_ids else _SHORT_RESPONSE
        self.responses.append(
            response.pack(response.size, command_id | RESPONSE_BIT, 0, sequence_number, message_id)
        )


class Admission:
    """Takes batches of requests from ESMEs."""

    def __init__(
        self,
        router: Router,
        store: Store,
        metrics: Metrics,
        inquiry: Inquiry,
        *,
        clock: Callable[[], int],
        wall_clock: Callable[[], datetime],
        on_accepted: Callable[[], None],
    ) -> None:
        self._router = router
        self._store = store
        self._metrics = metrics
        self._inquiry = inquiry
        self._key = 0
        self._clock = clock
        self._wall_clock = wall_clock
        self._on_accepted = on_accepted
        self._accept_seconds = metrics.accept_duration
        self._throttled = metrics.throttled("esme")
        self.draining = False
        """Whether nothing more is taken in."""

    @property
    def first_key(self) -> int:
        """The key of the next message; to be set before the first one, higher than any of an earlier run."""
        return self._key + 1

    @first_key.setter
    def first_key(self, key: int) -> None:
        self._key = key - 1

    def admit(self, link: Link, frames: list[Frame]) -> None:
        """Decide about a batch; each request gets its answer, an accepted one when the store has it."""
        account = link.account
        now_ns = self._clock()
        batch = _Batch(link, now_ns)
        long_ids, messages, responses = batch.long_ids, batch.messages, batch.responses
        response = _RESPONSE if long_ids else _SHORT_RESPONSE
        room = self._room(account)
        tokens = len(frames)
        if account.bucket is not None:
            # What is no submit_sm takes its own: one for each message it is for, one for a question about any.
            tokens = account.bucket.take([frame[0] for frame in frames].count(_SUBMIT_SM), now_ns)
        lanes_of = account.lanes
        splits = bool(self._router.splits)
        plain_ends, envelope_in = peek.plain_ends, telling.envelope_in
        name = account.name
        for command_id, _, sequence_number, octets in frames:
            try:
                if command_id != _SUBMIT_SM:
                    self._admit_other(batch, command_id, sequence_number, octets)
                    continue
                if room <= len(messages):
                    raise Refusal(self._why_no_room())
                if tokens <= 0:
                    self._throttled.add(1)
                    raise Refusal(CommandStatus.ESME_RTHROTTLED)
                tokens -= 1
                ends = plain_ends(octets)
                if ends is None or (splits and octets[ends[2] + 10] > SHORT_OCTETS):
                    self._admit_checked(batch, sequence_number, octets)
                    continue
                service, source_end, end = ends
                source = octets[service + 3 : source_end]
                lanes = lanes_of.get(source)
                if lanes is None:
                    lanes = self._lanes(account, source, octets[source_end + 3 : end])
                if isinstance(lanes, int):
                    raise Refusal(lanes)
            except Refusal as refusal:
                batch.refuse(command_id, sequence_number, refusal)
                continue
            self._key = key = self._key + 1
            message_id = b"%016x" % key if long_ids else b"%08x" % (key & 0xFFFF_FFFF)
            responses.append(
                response.pack(response.size, command_id | RESPONSE_BIT, 0, sequence_number, message_id)
            )
            priority = octets[end + 3]
            lane = lanes[min(_HIGHEST_PRIORITY, priority)]
            asked = octets[end + 6]
            message = Message(key, message_id, name, lane, command_id, octets[HEADER_OCTETS:], asked, now_ns)
            if asked:
                message.envelope = envelope_in(octets, ends)
            messages.append(message)
        self._finish(batch)
        for sequence_number, message in batch.replacing:
            self._replace_if_present(link, sequence_number, message)

    def _finish(self, batch: _Batch) -> None:
        account = batch.account
        connection = batch.link.connection
        if batch.refusals:
            for status, count in batch.refused.items():
                self._metrics.messages_rejected(account.name, status_label(status)).add(count)
            connection.session.send_responses(batch.refusals, faults=batch.faults)
        if not batch.responses:
            return
        accepted = len(batch.messages)

        def durable() -> None:
            account.accepted.add(accepted)
            connection.session.send_responses(batch.responses)
            connection.flush()
            if accepted:
                self._accept_seconds.observe((self._clock() - batch.started_ns) / NS, accepted)
                self._on_accepted()

        self._store.accept(batch.messages, durable)

    def _room(self, account: Account) -> int:
        if self.draining or self._store.full or not self._store.healthy:
            return 0
        if self._store.waiting_deliveries(account.name) >= account.settings.max_waiting:
            return 0  # one that does not fetch its receipts is to make no more of them
        return account.settings.max_queued - self._store.queued(account.name)

    def _why_no_room(self) -> CommandStatus:
        return CommandStatus.ESME_RSYSERR if self.draining else CommandStatus.ESME_RMSGQFUL

    def _require_room(self, batch: _Batch) -> None:
        if self._room(batch.account) <= len(batch.messages):
            raise Refusal(self._why_no_room())

    def _require_token(self, batch: _Batch, *, spend: bool = True) -> None:
        bucket = batch.account.bucket
        if bucket is None:
            return
        if not (bucket.take(1, batch.started_ns) if spend else bucket.available(batch.started_ns)):
            self._throttled.add(1)
            raise Refusal(CommandStatus.ESME_RTHROTTLED)

    def _lanes(self, account: Account, source: bytes, destination: bytes) -> Lanes | int:
        """Look up, and remember, where messages from this source stand; or the status that refuses them."""
        source_addr = source.decode("latin-1")
        found: Lanes | int | None
        if account.sources and digits(source_addr) not in account.sources:
            found = int(CommandStatus.ESME_RINVSRCADR)
        else:
            found = self._router.lanes(account.settings, source_addr, destination.decode("latin-1"))
        if found is None:
            return int(CommandStatus.ESME_RINVDSTADR)
        if not self._router.needs_destination:
            if len(account.lanes) >= SOURCES_REMEMBERED:
                account.lanes.clear()
            account.lanes[source] = found
        return found

    def _lane(self, account: Account, source: bytes, destination: bytes, priority: int) -> str:
        lanes = account.lanes.get(source) or self._lanes(account, source, destination)
        if isinstance(lanes, int):
            raise Refusal(lanes)
        return lanes[min(priority, _HIGHEST_PRIORITY)]

    def _admit_checked(self, batch: _Batch, sequence_number: int, octets: bytes) -> None:
        """Take in a submit_sm out of the ordinary; there is room for it."""
        pdu = submission.decoded(octets)
        assert isinstance(pdu, SubmitSm)
        when = submission.check(pdu, self._wall_clock(), batch.started_ns)
        lane = self._lane(batch.account, pdu.source_addr, pdu.destination_addr, pdu.priority_flag)
        body = submission.body_of(pdu, octets, when)
        form = self._router.splits.get(lane)
        bodies = [body] if form is None else bodies_of(body, form, (self._key + 1) % REFERENCES)
        if pdu.replace_if_present_flag:
            if len(bodies) > 1:
                raise Refusal(CommandStatus.ESME_RREPLACEFAIL)  # what it would replace is one message
            message = self._message(batch, lane, _SUBMIT_SM, body, pdu.registered_delivery, when)
            batch.replacing.append((sequence_number, message))
            return
        message_id = b""
        for part in bodies:
            message = self._message(batch, lane, _SUBMIT_SM, part, pdu.registered_delivery, when)
            message.parts = len(bodies)
            message_id = self._take_in(batch, message, message_id)
        batch.answer(_SUBMIT_SM, sequence_number, message_id)

    def _replace_if_present(self, link: Link, sequence_number: int, message: Message) -> None:
        """Let a submit_sm replace one that is queued; where there is none, take it in as any other."""

        def accepted(old: Message) -> None:
            batch = _Batch(link, message.accepted_ns)
            batch.answer(_SUBMIT_SM, sequence_number, id_of(old.key, long=batch.long_ids))
            link.account.accepted.add(1)
            link.connection.session.send_responses(batch.responses)
            link.connection.flush()

        def otherwise() -> None:
            batch = _Batch(link, message.accepted_ns)
            try:
                self._require_room(batch)
                batch.answer(_SUBMIT_SM, sequence_number, self._take_in(batch, message))
            except Refusal as refusal:
                batch.refuse(_SUBMIT_SM, sequence_number, refusal)
            self._finish(batch)
            link.connection.flush()

        self._inquiry.supersede(message, accepted, otherwise)

    def _admit_other(self, batch: _Batch, command_id: int, sequence_number: int, octets: bytes) -> None:
        pdu = submission.decoded(octets)
        if isinstance(pdu, DataSm):
            self._require_room(batch)
            self._require_token(batch)
            when = submission.check(pdu, self._wall_clock(), batch.started_ns)
            lane = self._lane(batch.account, pdu.source_addr, pdu.destination_addr, 0)
            body = octets[HEADER_OCTETS:]
            message = self._message(batch, lane, command_id, body, pdu.registered_delivery, when)
            batch.answer(command_id, sequence_number, self._take_in(batch, message))
        elif isinstance(pdu, SubmitMulti):
            self._require_room(batch)
            self._require_token(batch, spend=False)
            self._admit_multi(batch, pdu, submission.check(pdu, self._wall_clock(), batch.started_ns))
        elif isinstance(pdu, QuerySm | CancelSm | ReplaceSm):
            if self.draining or not self._store.healthy:
                raise Refusal(CommandStatus.ESME_RSYSERR)
            self._require_token(batch)
            self._inquiry.ask(batch.link, pdu)
        else:
            raise Refusal(CommandStatus.ESME_RINVCMDID)  # the broadcast family is not offered

    def _admit_multi(self, batch: _Batch, pdu: SubmitMulti, when: Timing) -> None:
        """Take in one message for each destination, all under one message_id (SMPP v3.4 section 4.5).

        Each is a message of its own to the rate and to the queue; what is above them is in unsuccess_sme.
        """
        account = batch.account
        unsuccess = []
        message_id = b""
        status = int(CommandStatus.ESME_RINVDSTADR)
        for destination in submission.destinations(pdu, when):
            ton, npi, address = 0, 0, b""
            try:
                if isinstance(destination, bytes):
                    address = destination
                    raise Refusal(CommandStatus.ESME_RINVDLNAME)
                ton, npi, address = destination.ton, destination.npi, destination.address
                if not address:
                    raise Refusal(CommandStatus.ESME_RINVDSTADR)
                self._require_room(batch)
                lane = self._lane(account, pdu.source_addr, address, pdu.priority_flag)
                self._require_token(batch)
            except Refusal as refusal:
                status = refusal.command_status
                unsuccess.append(UnsuccessSme(ton, npi, address, status))
                continue
            message = self._message(batch, lane, _SUBMIT_SM, destination.body, pdu.registered_delivery, when)
            message_id = self._take_in(batch, message, message_id)
        if not message_id:
            raise Refusal(status)
        batch.responses.append(
            codec.encode(
                SubmitMultiResp(
                    message_id=message_id, unsuccess_sme=unsuccess, sequence_number=pdu.sequence_number
                )
            )
        )

    def _message(
        self,
        batch: _Batch,
        lane: str,
        command_id: int,
        body: bytes,
        registered_delivery: int,
        when: Timing,
    ) -> Message:
        """Make a message that has no key yet."""
        return Message(
            0,
            b"",
            batch.account.name,
            lane,
            command_id,
            body,
            registered_delivery,
            batch.started_ns,
            when.expires_ns,
            when.due_ns,
        )

    def _take_in(self, batch: _Batch, message: Message, message_id: bytes = b"") -> bytes:
        """Give a message its key, and its id unless it shares one; return the id."""
        self._key = message.key = self._key + 1
        message.message_id = message_id or id_of(message.key, long=batch.long_ids)
        batch.messages.append(message)
        return message.message_id
