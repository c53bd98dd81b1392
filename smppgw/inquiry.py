"""What an ESME asks and orders about messages it has submitted: query_sm, cancel_sm, replace_sm, replace_if_present.

SMPP v3.4 sections 4.8, 4.9 and 4.10. A message of another ESME is as unknown as one that never was. The store may have
to read its disk for any of them: the answer leaves when it has, and what it promises is durable.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeAlias

from smppgw import replacement, submission
from smppgw.accounts import Link
from smppgw.expiry import ENDED_AT_ONCE, OwnReceipts
from smppgw.message_ids import MOST_OF_ONE_ID, ids_of, key_of
from smppgw.metrics import Metrics, status_label
from smppgw.pdu import codec, peek
from smppgw.pdu._generated import CancelSm, QuerySm, QuerySmResp, ReplaceSm
from smppgw.pdu.constants import (
    HEADER_OCTETS,
    RESPONSE_BIT,
    CommandId,
    CommandStatus,
    InterfaceVersion,
    MessageState,
)
from smppgw.pdu.times import format_absolute
from smppgw.routing import digits
from smppgw.senders import Senders
from smppgw.store.api import Store
from smppgw.store.entries import Delivery, Message, Outcome, Standing
from smppgw.submission import NUMBER_TYPE, Refusal

Order: TypeAlias = CancelSm | ReplaceSm
Question: TypeAlias = QuerySm | Order

CANCELLED: Final = Outcome(int(MessageState.DELETED), "permanent_message")

_HEADER: Final = struct.Struct(">IIII")
_LONGEST_SERVICE_TYPE: Final = 5
_SUBMIT_SM: Final = int(CommandId.SUBMIT_SM)


class Inquiry:
    """Answers what ESMEs ask about their messages."""

    def __init__(
        self,
        store: Store,
        metrics: Metrics,
        senders: Senders,
        *,
        clock: Callable[[], int],
        wall_clock: Callable[[], datetime],
        own_receipts: OwnReceipts,
        on_deliveries: Callable[[], None],
        on_returned: Callable[[], None],
    ) -> None:
        """`on_returned` is called when messages stand in their lanes again."""
        self._store = store
        self._metrics = metrics
        self._senders = senders
        self._clock = clock
        self._wall_clock = wall_clock
        self._own_receipts = own_receipts
        self._on_deliveries = on_deliveries
        self._on_returned = on_returned

    def ask(self, link: Link, pdu: Question) -> None:
        """Answer a request, now or later; what can be told from it alone is raised as a Refusal."""
        if isinstance(pdu, QuerySm):
            self._query(link, pdu)
        elif isinstance(pdu, CancelSm):
            self._cancel(link, pdu)
        else:
            self._replace(link, pdu)

    # ---- query_sm -------------------------------------------------------------------------------------------

    def _query(self, link: Link, pdu: QuerySm) -> None:
        """ESME_RINVMSGID for what is not known, ESME_RINVSRCADR for another source; an empty one is "not known".

        Of the messages of a submit_multi, the first is told of. That something is scheduled can be said in v5.0 only.
        """
        key = self._key_of(pdu)

        def then(standing: Standing | None) -> None:
            if standing is None or not _concerns(standing, link, key):
                self._refuse(link, pdu, CommandStatus.ESME_RINVMSGID)
            elif (
                standing.message is not None and pdu.source_addr and not self._is_from(standing.message, pdu)
            ):
                self._refuse(link, pdu, CommandStatus.ESME_RINVSRCADR)
            else:
                response = QuerySmResp(
                    message_id=pdu.message_id,
                    final_date=self._final_date(standing),
                    message_state=self._state(standing, link.connection.session.peer_version),
                    sequence_number=pdu.sequence_number,
                )
                _send(link, codec.encode(response))

        self._store.look_up(key, then)

    def _final_date(self, standing: Standing) -> bytes:
        if not standing.final_ns:
            return b""
        ago = timedelta(microseconds=(self._clock() - standing.final_ns) // 1000)
        return format_absolute(self._wall_clock() - ago)

    def _state(self, standing: Standing, peer_version: int) -> int:
        message = standing.message
        if standing.outcome is not None:
            return standing.outcome.state
        if message is None or message.attempts or message.due_ns <= self._clock():
            return MessageState.ENROUTE
        return MessageState.SCHEDULED if peer_version >= InterfaceVersion.V5_0 else MessageState.ENROUTE

    # ---- cancel_sm ------------------------------------------------------------------------------------------

    def _cancel(self, link: Link, pdu: CancelSm) -> None:
        """ESME_RCANCELFAIL where nothing that is meant is queued any more."""
        if pdu.message_id:
            self._pick(
                link, pdu, CommandStatus.ESME_RCANCELFAIL, lambda messages: self._end(link, pdu, messages)
            )
            return
        if not pdu.destination_addr:
            raise Refusal(CommandStatus.ESME_RINVDSTADR)
        number = self._senders.number_of(pdu.source_addr, pdu.destination_addr)
        addresses = b"".join(
            (
                bytes((pdu.source_addr_ton, pdu.source_addr_npi)) if number is None else NUMBER_TYPE,
                pdu.source_addr if number is None else number,
                bytes((0, pdu.dest_addr_ton, pdu.dest_addr_npi)),
                pdu.destination_addr,
                b"\0",
            )
        )

        def picked(messages: list[Message]) -> None:
            # The first NUL ends service_type; what looks like these addresses further on is something else.
            meant = self._keep(
                messages, lambda each: each.body.startswith(addresses, each.body.find(b"\0") + 1)
            )
            if meant:
                self._end(link, pdu, meant)
            else:
                self._refuse(link, pdu, CommandStatus.ESME_RCANCELFAIL)

        beginning = pdu.service_type + b"\0" + addresses
        behind = 0 if pdu.service_type else _LONGEST_SERVICE_TYPE
        self._store.pick_beginning(link.account.name, beginning, picked, behind=behind)

    def _end(self, link: Link, pdu: CancelSm, messages: list[Message]) -> None:
        told = 0
        parts = [messages[first : first + ENDED_AT_ONCE] for first in range(0, len(messages), ENDED_AT_ONCE)]
        left = len(parts)

        def durable() -> None:
            nonlocal left
            left -= 1
            if left == 0:
                _answer(link, pdu, CommandStatus.ESME_ROK)
                if told:
                    self._on_deliveries()

        def end(ended: list[tuple[Message, Outcome]], deliveries: list[Delivery]) -> None:
            nonlocal told
            told += len(deliveries)
            self._store.failed(ended, deliveries, durable)

        for part in parts:
            ended = [(message, CANCELLED) for message in part]
            self._own_receipts(ended, partial(end, ended))

    # ---- replace_sm -----------------------------------------------------------------------------------------

    def _replace(self, link: Link, pdu: ReplaceSm) -> None:
        """ESME_RREPLACEFAIL where the message is queued no more, ESME_RMSGQFUL while the store takes nothing in."""
        if self._store.full:
            raise Refusal(CommandStatus.ESME_RMSGQFUL)
        now_ns = self._clock()
        when = submission.timing(pdu.schedule_delivery_time, pdu.validity_period, self._wall_clock(), now_ns)
        replacement.text_of(pdu)

        def then(messages: list[Message]) -> None:
            try:
                if any(message.parts > 1 for message in messages):
                    raise Refusal(CommandStatus.ESME_RREPLACEFAIL)  # one text is not the parts of another
                replacements = [replacement.of(message, pdu, when, now_ns) for message in messages]
            except Refusal as refusal:
                self._give_back(messages)
                self._refuse(link, pdu, refusal.command_status)
                return
            for each in replacements:
                each.apply()

            def durable() -> None:
                _answer(link, pdu, CommandStatus.ESME_ROK)
                self._on_returned()

            self._store.replace(messages, durable)

        self._pick(link, pdu, CommandStatus.ESME_RREPLACEFAIL, then)

    def supersede(
        self, new: Message, accepted: Callable[[Message], None], otherwise: Callable[[], None]
    ) -> None:
        """Put a submit_sm in the place of the newest queued one with its source, destination and service_type.

        That is replace_if_present_flag (SMPP v3.4 section 5.2.18). `accepted` is called with the message, which keeps
        its id and its place, once that is durable; `otherwise` where there is none.
        """

        def picked(messages: list[Message]) -> None:
            newest = max((each.key for each in messages if each.command_id == _SUBMIT_SM), default=0)
            replaced = self._keep(messages, lambda each: each.key == newest)
            if not replaced:
                otherwise()
                return
            [old] = replaced
            replacement.by(new, old).apply()

            def durable() -> None:
                accepted(old)
                self._on_returned()

            self._store.replace(replaced, durable)

        match = peek.SHORT_MESSAGE.match(new.body)
        assert match is not None, "it was read before it came here"
        self._store.pick_beginning(new.esme, new.body[: match.end(2) + 1], picked)

    # ---- what they share ------------------------------------------------------------------------------------

    def _key_of(self, pdu: Question) -> int:
        key = key_of(pdu.message_id, self._store.highest_key)
        if key is None:
            raise Refusal(CommandStatus.ESME_RINVMSGID)
        return key

    def _pick(
        self, link: Link, pdu: Order, failure: CommandStatus, then: Callable[[list[Message]], None]
    ) -> None:
        """Hand `then` what is queued under the id of a request; refuse it where there is nothing.

        ESME_RINVMSGID for what is not known, ESME_RINVSRCADR for another source, `failure` for what is no more queued
        or has another destination.
        """
        key = self._key_of(pdu)

        def known(standing: Standing | None) -> None:
            if standing is None or not _concerns(standing, link, key):
                self._refuse(link, pdu, CommandStatus.ESME_RINVMSGID)
            elif standing.message is not None and not self._is_from(standing.message, pdu):
                self._refuse(link, pdu, CommandStatus.ESME_RINVSRCADR)
            else:
                self._store.look_up(key + 1, follow)

        def follow(standing: Standing | None) -> None:
            """Look at the next key: it tells whether others may have been submitted under the same id."""
            message = standing.message if standing is not None else None
            several = standing is not None and (message is None or message.message_id in ids_of(key))
            self._store.pick(range(key, key + MOST_OF_ONE_ID) if several else (key,), picked)

        def picked(messages: list[Message]) -> None:
            meant = self._keep(messages, lambda each: self._is_meant(each, pdu, key))
            if meant:
                then(meant)
            else:
                self._refuse(link, pdu, failure)

        self._store.look_up(key, known)

    def _is_meant(self, message: Message, pdu: Order, key: int) -> bool:
        return (
            message.message_id in ids_of(key)
            and self._is_from(message, pdu)
            and (
                not isinstance(pdu, CancelSm)
                or not pdu.destination_addr
                or _same(pdu.destination_addr, _addresses(message)[1])
            )
        )

    def _is_from(self, message: Message, pdu: Question) -> bool:
        source, destination = _addresses(message)
        return _same(pdu.source_addr, source) or source == self._senders.number_of(
            pdu.source_addr, destination
        )

    def _keep(self, messages: list[Message], wanted: Callable[[Message], bool]) -> list[Message]:
        """Return those that are wanted, and give the others back."""
        kept: list[Message] = []
        others: list[Message] = []
        for message in messages:
            (kept if wanted(message) else others).append(message)
        self._give_back(others)
        return kept

    def _give_back(self, messages: list[Message]) -> None:
        if messages:
            self._store.give_back(messages)
            self._on_returned()

    def _refuse(self, link: Link, pdu: Question, command_status: int) -> None:
        self._metrics.messages_rejected(link.account.name, status_label(command_status)).add()
        _answer(link, pdu, command_status)


def _concerns(standing: Standing, link: Link, key: int) -> bool:
    """Whether this is a message of that ESME, known to it under the id of that key, as far as is known."""
    message = standing.message
    return standing.esme == link.account.name and (message is None or message.message_id in ids_of(key))


def _addresses(message: Message) -> tuple[bytes, bytes]:
    """Return the source and the destination."""
    layout = peek.SHORT_MESSAGE if message.command_id == _SUBMIT_SM else peek.DATA
    match = layout.match(message.body)
    assert match is not None, "it was read when it was accepted"
    return match[1], match[2]


def _same(address: bytes, other: bytes) -> bool:
    return digits(address.decode("latin-1")) == digits(other.decode("latin-1"))


def _answer(link: Link, pdu: Question, command_status: int) -> None:
    """A response of a header alone: each of the three may be one when it refuses, two of them always are."""
    command_id = pdu.command_id | RESPONSE_BIT
    _send(link, _HEADER.pack(HEADER_OCTETS, command_id, command_status, pdu.sequence_number))


def _send(link: Link, response: bytes) -> None:
    link.connection.session.send_responses([response])
    link.connection.flush()
