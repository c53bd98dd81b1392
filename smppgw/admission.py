"""What becomes of a request of a bound ESME: refused with the right status, or taken into the store and answered.

Hot path: one batch is one `Store.accept`; a message costs one regular-expression match, one slice, one object. A PDU
out of the ordinary (optional parameters, times, a data_sm, a submit_multi) is decoded in full.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import datetime
from typing import Final, TypeAlias

from smppgw import submission
from smppgw.accounts import SOURCES_REMEMBERED, Account, Link
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
from smppgw.store.api import Store
from smppgw.store.entries import Message
from smppgw.submission import Refusal

Lanes: TypeAlias = tuple[str, ...]

_SUBMIT_SM: Final = int(CommandId.SUBMIT_SM)
_RESPONSE: Final = struct.Struct(">IIII16sx")
"""A header and our message_id of 16 characters with its NUL: submit_sm_resp or data_sm_resp."""
_SHORT_RESPONSE: Final = struct.Struct(">IIII8sx")
_HEADER: Final = struct.Struct(">IIII")
_HIGHEST_PRIORITY: Final = 3

_UNKNOWN_MESSAGE: Final = {
    QuerySm: CommandStatus.ESME_RINVMSGID,
    CancelSm: CommandStatus.ESME_RCANCELFAIL,
    ReplaceSm: CommandStatus.ESME_RINVMSGID,
}
"""What is answered about a message that is not known (SMPP v3.4 section 5.1.3)."""


class _Batch:
    """What has been decided about the requests that arrived together."""

    __slots__ = (
        "account",
        "faults",
        "long_ids",
        "messages",
        "refusals",
        "refused",
        "responses",
        "started_ns",
    )

    def __init__(self, account: Account, started_ns: int, *, long_ids: bool) -> None:
        self.account = account
        self.started_ns = started_ns
        self.long_ids = long_ids
        self.messages: list[Message] = []
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


class Admission:
    """Takes batches of requests from ESMEs."""

    def __init__(
        self,
        router: Router,
        store: Store,
        metrics: Metrics,
        *,
        clock: Callable[[], int],
        wall_clock: Callable[[], datetime],
        on_accepted: Callable[[], None],
    ) -> None:
        self._router = router
        self._store = store
        self._metrics = metrics
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
        long_ids = link.connection.session.peer_version >= InterfaceVersion.V3_4
        batch = _Batch(account, now_ns, long_ids=long_ids)
        messages, responses = batch.messages, batch.responses
        response = _RESPONSE if long_ids else _SHORT_RESPONSE
        room = self._room(account)
        tokens = len(frames)
        if account.bucket is not None:
            # What is no plain submit_sm takes its own: one for each message it asks for, none where it asks for none.
            tokens = account.bucket.take([frame[0] for frame in frames].count(_SUBMIT_SM), now_ns)
        lanes_of = account.lanes
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
                match = peek.SHORT_MESSAGE.match(octets, HEADER_OCTETS)
                if match is None:
                    submission.decoded(octets)
                    raise Refusal(CommandStatus.ESME_RSYSERR)
                source, destination, flags, schedule, validity, tail = match.groups()
                if match.end() + tail[4] != len(octets) or schedule or validity or tail[1] or not destination:
                    self._check(octets)
                lanes = lanes_of.get(source)
                if lanes is None:
                    lanes = self._lanes(account, source, destination)
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
            priority = flags[2]
            lane = lanes[min(_HIGHEST_PRIORITY, priority)]
            messages.append(
                Message(key, message_id, name, lane, command_id, octets[HEADER_OCTETS:], tail[0], now_ns)
            )
        self._finish(link, batch)

    def _finish(self, link: Link, batch: _Batch) -> None:
        account = batch.account
        connection = link.connection
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

    def _check(self, octets: bytes) -> None:
        pdu = submission.decoded(octets)
        assert isinstance(pdu, SubmitSm)
        submission.check(pdu, self._wall_clock())

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

    def _admit_other(self, batch: _Batch, command_id: int, sequence_number: int, octets: bytes) -> None:
        pdu = submission.decoded(octets)
        if isinstance(pdu, DataSm):
            self._require_room(batch)
            self._require_token(batch)
            submission.check(pdu, self._wall_clock())
            lane = self._lane(batch.account, pdu.source_addr, pdu.destination_addr, 0)
            message_id = self._take_in(
                batch, lane, command_id, octets[HEADER_OCTETS:], pdu.registered_delivery
            )
            response = _RESPONSE if batch.long_ids else _SHORT_RESPONSE
            batch.responses.append(
                response.pack(response.size, command_id | RESPONSE_BIT, 0, sequence_number, message_id)
            )
        elif isinstance(pdu, SubmitMulti):
            self._require_room(batch)
            self._require_token(batch, spend=False)
            submission.check(pdu, self._wall_clock())
            self._admit_multi(batch, pdu)
        else:
            # query_sm, cancel_sm and replace_sm know no message yet; the broadcast family is not offered.
            raise Refusal(_UNKNOWN_MESSAGE.get(type(pdu), CommandStatus.ESME_RINVCMDID))

    def _admit_multi(self, batch: _Batch, pdu: SubmitMulti) -> None:
        """Take in one message for each destination, all under one message_id (SMPP v3.4 section 4.5).

        Each is a message of its own to the rate and to the queue; what is above them is in unsuccess_sme.
        """
        account = batch.account
        unsuccess = []
        message_id = b""
        status = int(CommandStatus.ESME_RINVDSTADR)
        for destination in submission.destinations(pdu):
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
            message_id = self._take_in(
                batch, lane, _SUBMIT_SM, destination.body, pdu.registered_delivery, message_id
            )
        if not message_id:
            raise Refusal(status)
        batch.responses.append(
            codec.encode(
                SubmitMultiResp(
                    message_id=message_id, unsuccess_sme=unsuccess, sequence_number=pdu.sequence_number
                )
            )
        )

    def _take_in(
        self,
        batch: _Batch,
        lane: str,
        command_id: int,
        body: bytes,
        registered_delivery: int,
        message_id: bytes = b"",
    ) -> bytes:
        self._key = key = self._key + 1
        if not message_id:
            message_id = b"%016x" % key if batch.long_ids else b"%08x" % (key & 0xFFFF_FFFF)
        batch.messages.append(
            Message(
                key,
                message_id,
                batch.account.name,
                lane,
                command_id,
                body,
                registered_delivery,
                batch.started_ns,
            )
        )
        return message_id
