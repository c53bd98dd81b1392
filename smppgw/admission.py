"""What becomes of a request of a bound ESME: refused with the right status, or taken into the store and answered.

Hot path: one batch is one `Store.accept`; a message costs a look at where its fields end, two slices, one object. A
PDU out of the ordinary (optional parameters, times, a data_sm, a submit_multi) is decoded in full.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from smppgw import congestion, submission, telling
from smppgw.accounts import Account, Link
from smppgw.batch import Batch
from smppgw.inquiry import Inquiry
from smppgw.lines import Line
from smppgw.message_ids import id_of
from smppgw.metrics import Metrics
from smppgw.pdu import peek
from smppgw.pdu._generated import CancelSm, DataSm, QuerySm, ReplaceSm, SubmitMulti, SubmitSm, UnsuccessSme
from smppgw.pdu.constants import HEADER_OCTETS, RESPONSE_BIT, CommandId, CommandStatus, InterfaceVersion
from smppgw.pdu.framing import Frame
from smppgw.promises import promise
from smppgw.senders import Place, Senders
from smppgw.session.timers import NS
from smppgw.splitting import SHORT_ASCII_OCTETS, SHORT_OCTETS, bodies_of, segments_in, segments_of
from smppgw.store.api import Store
from smppgw.store.entries import Message
from smppgw.submission import Refusal, Timing

_SUBMIT_SM: Final = int(CommandId.SUBMIT_SM)
_SUBMIT_SM_RESP: Final = _SUBMIT_SM | RESPONSE_BIT
_ASCII: Final = 1
REFERENCES: Final = 256
"""Of concatenated messages, one octet."""


class Admission:
    """Takes batches of requests from ESMEs."""

    def __init__(
        self,
        senders: Senders,
        store: Store,
        metrics: Metrics,
        inquiry: Inquiry,
        *,
        clock: Callable[[], int],
        wall_clock: Callable[[], datetime],
        max_octets: int,
        on_accepted: Callable[[], None],
    ) -> None:
        """`max_octets` is what the store may take."""
        self._senders = senders
        self._store = store
        self._metrics = metrics
        self._inquiry = inquiry
        self._key = 0
        self._clock = clock
        self._wall_clock = wall_clock
        self._max_octets = max_octets
        self._on_accepted = on_accepted
        self._accept_seconds = metrics.accept_duration
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
        batch = self._batch(link, now_ns)
        long_ids, messages, responses = batch.long_ids, batch.messages, batch.responses
        pack, tail = batch.response.pack, batch.tail
        size = batch.response.size + len(tail)
        room = self._room(account)
        tokens = len(frames)
        if account.bucket is not None:
            # What is no submit_sm takes its own: one for each message it is for, one for a question about any.
            tokens = account.bucket.take([frame[0] for frame in frames].count(_SUBMIT_SM), now_ns)
        known, look_up, place = account.senders, self._senders.look_up, self._senders.place
        settings = account.settings
        rejects = settings.over_limit == "reject"
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
                    raise Refusal(CommandStatus.ESME_RTHROTTLED, "esme")
                tokens -= 1
                ends = plain_ends(octets)
                if ends is None:
                    self._admit_checked(batch, sequence_number, octets)
                    continue
                service, source_end, end = ends
                address = octets[service + 1 : source_end]
                sender = known.get(address) or look_up(settings, known, address)
                priority = octets[end + 3]
                body = octets[HEADER_OCTETS:]
                plain = sender.plain
                if plain is not None:
                    line = plain if not priority else sender.line(priority)
                    number = b""
                    counts = line.cap is None or self._senders.counts(octets[source_end + 3 : end])
                else:
                    line, number, counts = place(sender, settings, octets[source_end + 3 : end], priority)
                    if number:
                        body = submission.with_source(body, number)
                segments = 1
                text_octets = octets[end + 10]
                if text_octets > SHORT_OCTETS or (
                    text_octets > SHORT_ASCII_OCTETS and octets[end + 8] == _ASCII
                ):
                    segments = segments_in(octets, end)
                if segments > 1:
                    _require_day(line, segments if counts else 0)
                if rejects:
                    _require_promise(line, segments, segments if counts else 0, now_ns)
                asked = octets[end + 6]
                if segments > 1 and line.splits is not None:
                    whole = _message(batch, _SUBMIT_SM, (line, b"", counts), body, segments, asked, Timing())
                    batch.answer(_SUBMIT_SM, sequence_number, self._take_in(batch, self._parts(line, whole)))
                    continue
            except Refusal as refusal:
                batch.refuse(command_id, sequence_number, refusal)
                continue
            self._key = key = self._key + 1
            message_id = b"%016x" % key if long_ids else b"%08x" % (key & 0xFFFF_FFFF)
            responses.append(pack(size, _SUBMIT_SM_RESP, 0, sequence_number, message_id) + tail)
            message = Message(key, message_id, name, line, _SUBMIT_SM, body, asked, now_ns)
            if segments > 1:
                message.segments = message.day_segments = segments
            if not counts:
                message.day_segments = 0
            if asked and not number:
                message.envelope = envelope_in(octets, ends)
            messages.append(message)
        self._finish(batch)
        for sequence_number, message in batch.replacing:
            self._replace_if_present(link, sequence_number, message)

    def _batch(self, link: Link, now_ns: int) -> Batch:
        said = None
        if link.connection.session.peer_version >= InterfaceVersion.V5_0:
            said = congestion.state_of(link.account.settings, self._store, self._max_octets)
        return Batch(link, now_ns, said)

    def _finish(self, batch: Batch) -> None:
        account = batch.account
        connection = batch.link.connection
        batch.count(self._metrics)
        if batch.refusals:
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

    # ---- what has to be there -------------------------------------------------------------------------------

    def _room(self, account: Account) -> int:
        if self.draining or self._store.full or not self._store.healthy:
            return 0
        if self._store.waiting_deliveries(account.name) >= account.settings.max_waiting:
            return 0  # one that does not fetch its receipts is to make no more of them
        return account.settings.max_queued - self._store.queued(account.name)

    def _why_no_room(self) -> CommandStatus:
        return CommandStatus.ESME_RSYSERR if self.draining else CommandStatus.ESME_RMSGQFUL

    def _require_room(self, batch: Batch) -> None:
        if self._room(batch.account) <= len(batch.messages):
            raise Refusal(self._why_no_room())

    def _place(
        self,
        account: Account,
        pdu: SubmitSm | SubmitMulti | DataSm,
        destination: bytes,
        priority_flag: int = 0,
    ) -> Place:
        address = bytes((pdu.source_addr_ton, pdu.source_addr_npi)) + pdu.source_addr
        sender = account.senders.get(address)
        if sender is None:
            sender = self._senders.look_up(account.settings, account.senders, address)
        return self._senders.place(sender, account.settings, destination, priority_flag)

    # ---- out of the ordinary --------------------------------------------------------------------------------

    def _admit_checked(self, batch: Batch, sequence_number: int, octets: bytes) -> None:
        """Take in a submit_sm out of the ordinary; there is room for it."""
        pdu = submission.decoded(octets)
        assert isinstance(pdu, SubmitSm)
        when = submission.check(pdu, self._wall_clock(), batch.started_ns)
        place = self._place(batch.account, pdu, pdu.destination_addr, pdu.priority_flag)
        body = submission.body_of(pdu, octets, when)
        message = _message(batch, _SUBMIT_SM, place, body, segments_of(pdu), pdu.registered_delivery, when)
        made = self._parts(place[0], message)
        if not pdu.replace_if_present_flag:
            _require_limits(batch, message)
            batch.answer(_SUBMIT_SM, sequence_number, self._take_in(batch, made))
        elif len(made) == 1:
            batch.replacing.append((sequence_number, message))
        else:
            raise Refusal(CommandStatus.ESME_RREPLACEFAIL)  # what it would replace is one message

    def _replace_if_present(self, link: Link, sequence_number: int, message: Message) -> None:
        """Let a submit_sm replace one that is queued; where there is none, take it in as any other."""

        def accepted(old: Message) -> None:
            batch = self._batch(link, message.accepted_ns)
            batch.answer(_SUBMIT_SM, sequence_number, id_of(old.key, long=batch.long_ids))
            link.account.accepted.add(1)
            link.connection.session.send_responses(batch.responses)
            link.connection.flush()

        def otherwise() -> None:
            batch = self._batch(link, message.accepted_ns)
            try:
                self._require_room(batch)
                _require_limits(batch, message)
                batch.answer(_SUBMIT_SM, sequence_number, self._take_in(batch, [message]))
            except Refusal as refusal:
                batch.refuse(_SUBMIT_SM, sequence_number, refusal)
            self._finish(batch)
            link.connection.flush()

        self._inquiry.supersede(message, accepted, otherwise)

    def _admit_other(self, batch: Batch, command_id: int, sequence_number: int, octets: bytes) -> None:
        pdu = submission.decoded(octets)
        if isinstance(pdu, DataSm):
            self._require_room(batch)
            _require_token(batch)
            when = submission.check(pdu, self._wall_clock(), batch.started_ns)
            place = self._place(batch.account, pdu, pdu.destination_addr)
            body = octets[HEADER_OCTETS:]
            message = _message(
                batch, command_id, place, body, segments_of(pdu), pdu.registered_delivery, when
            )
            _require_limits(batch, message)
            batch.answer(command_id, sequence_number, self._take_in(batch, [message]))
        elif isinstance(pdu, SubmitMulti):
            self._require_room(batch)
            _require_token(batch, spend=False)
            self._admit_multi(batch, pdu, submission.check(pdu, self._wall_clock(), batch.started_ns))
        elif isinstance(pdu, QuerySm | CancelSm | ReplaceSm):
            if self.draining or not self._store.healthy:
                raise Refusal(CommandStatus.ESME_RSYSERR)
            _require_token(batch)
            self._inquiry.ask(batch.link, pdu)
        else:
            raise Refusal(CommandStatus.ESME_RINVCMDID)  # the broadcast family is not offered

    def _admit_multi(self, batch: Batch, pdu: SubmitMulti, when: Timing) -> None:
        """Take in one message for each destination, all under one message_id (SMPP v3.4 section 4.5).

        Each is a message of its own to the rate, to its limits and to the queue; what is above them is in
        unsuccess_sme, and so is a destination that the source may not send to.
        """
        unsuccess = []
        message_id = b""
        status = int(CommandStatus.ESME_RINVDSTADR)
        segments = segments_of(pdu)
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
                place = self._place(batch.account, pdu, address, pdu.priority_flag)
                _require_token(batch)
                body = destination.body
                message = _message(batch, _SUBMIT_SM, place, body, segments, pdu.registered_delivery, when)
                _require_limits(batch, message)
            except Refusal as refusal:
                status = refusal.command_status
                batch.note(refusal)
                unsuccess.append(UnsuccessSme(ton, npi, address, status))
                continue
            message_id = self._take_in(batch, [message], message_id)
        if not message_id:
            raise Refusal(status)
        batch.answer_multi(pdu.sequence_number, message_id, unsuccess)

    def _parts(self, line: Line, message: Message) -> list[Message]:
        """Return what is sent in the place of a message: that one alone, where it need not or cannot be split."""
        if message.segments == 1 or line.splits is None:
            return [message]
        bodies = bodies_of(message.body, line.splits, (self._key + 1) % REFERENCES)
        if len(bodies) == 1:
            return [message]
        parts = []
        for body in bodies:
            part = Message(
                0,
                b"",
                message.esme,
                line,
                message.command_id,
                body,
                message.registered_delivery,
                message.accepted_ns,
                message.expires_ns,
                message.due_ns,
                len(bodies),
            )
            part.day_segments = min(1, message.day_segments)
            parts.append(part)
        return parts

    def _take_in(self, batch: Batch, messages: list[Message], message_id: bytes = b"") -> bytes:
        """Give messages their keys, and one id unless they share another's; return the id."""
        for message in messages:
            self._key += 1
            message_id = batch.take_in(self._key, message, message_id)
        return message_id


def _message(
    batch: Batch, command_id: int, place: Place, body: bytes, segments: int, asked: int, when: Timing
) -> Message:
    """Make a message that has no key yet."""
    line, number, counts = place
    message = Message(
        0,
        b"",
        batch.account.name,
        line,
        command_id,
        submission.with_source(body, number) if number else body,
        asked,
        batch.started_ns,
        when.expires_ns,
        when.due_ns,
    )
    message.segments = segments
    message.day_segments = segments if counts else 0
    return message


def _require_token(batch: Batch, *, spend: bool = True) -> None:
    bucket = batch.account.bucket
    if bucket is None:
        return
    if not (bucket.take(1, batch.started_ns) if spend else bucket.available(batch.started_ns)):
        raise Refusal(CommandStatus.ESME_RTHROTTLED, "esme")


def _require_limits(batch: Batch, message: Message) -> None:
    """Refuse what could not leave now, of an ESME that does not queue; what is scheduled is to wait anyway."""
    line = message.lane
    assert isinstance(line, Line)
    _require_day(line, message.day_segments)
    if batch.account.settings.over_limit == "reject" and not message.due_ns:
        _require_promise(line, message.segments, message.day_segments, batch.started_ns)


def _require_promise(line: Line, segments: int, day_segments: int, now_ns: int) -> None:
    limit = promise(line.limits, segments, day_segments, now_ns)
    if limit is not None:
        raise Refusal(CommandStatus.ESME_RTHROTTLED, limit)


def _require_day(line: Line, day_segments: int) -> None:
    """Refuse what is longer than a whole day of its brand: it would never leave, nor would what is behind it."""
    if line.cap is not None and day_segments > line.cap.segments_per_day:
        raise Refusal(CommandStatus.ESME_RINVMSGLEN)
