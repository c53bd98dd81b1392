from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from smppgw.accounts import Link
from smppgw.expiry import ENDED_AT_ONCE
from smppgw.inquiry import Inquiry, Question
from smppgw.message_ids import id_of
from smppgw.metrics import Metrics
from smppgw.pdu import codec
from smppgw.pdu._generated import (
    CancelSm,
    CancelSmResp,
    DataSm,
    QuerySm,
    QuerySmResp,
    ReplaceSm,
    ReplaceSmResp,
    SubmitSm,
)
from smppgw.pdu.constants import CommandId, CommandStatus, InterfaceVersion, MessageState, TlvTag
from smppgw.pdu.tlv import make_tlv
from smppgw.store.api import Durable
from smppgw.store.entries import Delivery, Lane, Message, Outcome, Standing
from smppgw.store.memory import MemoryStore
from smppgw.submission import Refusal
from tests.desk import Desk

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
NOW_NS = 5_000_000_000_000
SECOND_NS = 1_000_000_000
KEY = 0x0006_43F2_1234_5678
SOURCE = b"12065550100"
FAILED = Outcome(MessageState.UNDELIVERABLE, "temporary", "011")


class LateStore(MemoryStore):
    """A store that answers, and is durable, only when `catch_up` is called."""

    def __init__(self) -> None:
        super().__init__(1_000_000, clock=lambda: NOW_NS)
        self.late: list[Callable[[], None]] = []

    def catch_up(self) -> None:
        while self.late:
            self.late.pop(0)()

    def _later(self, then: Callable[[Any], None]) -> Callable[[Any], None]:
        return lambda answer: self.late.append(lambda: then(answer))

    def pick(self, keys: Sequence[int], then: Callable[[list[Message]], None]) -> None:
        super().pick(keys, self._later(then))

    def pick_beginning(
        self, esme: str, beginning: bytes, then: Callable[[list[Message]], None], *, behind: int = 0
    ) -> None:
        super().pick_beginning(esme, beginning, self._later(then), behind=behind)

    def look_up(self, key: int, then: Callable[[Standing | None], None]) -> None:
        super().look_up(key, self._later(then))

    def replace(self, messages: Sequence[Message], durable: Durable) -> None:
        super().replace(messages, lambda: self.late.append(durable))

    def failed(
        self, ended: Sequence[tuple[Message, Outcome]], deliveries: Sequence[Delivery], durable: Durable
    ) -> None:
        super().failed(ended, deliveries, lambda: self.late.append(durable))


class Peer:
    """A bound ESME as far as an answer needs one: link, connection and session in one."""

    def __init__(self, name: str = "app", version: int = InterfaceVersion.V3_4) -> None:
        self.name = name
        self.peer_version = version
        self.account = self.connection = self.session = self
        self.answers: list[Any] = []
        self._unsent: list[bytes] = []

    def send_responses(self, responses: Sequence[bytes]) -> None:
        self._unsent += responses

    def flush(self) -> None:
        self.answers += map(codec.decode, self._unsent)
        self._unsent.clear()


class Bench:
    """An Inquiry over a store, and what it asked of others."""

    def __init__(self) -> None:
        self.store = LateStore()
        self.senders = Desk().senders
        self.lane = Lane("lane")
        self.peer = Peer()
        self.metrics = Metrics()
        self.served = 0
        self.returned = 0
        self.inquiry = Inquiry(
            self.store,
            self.metrics,
            self.senders,
            clock=lambda: NOW_NS,
            wall_clock=lambda: NOW,
            own_receipts=self._receipts,
            on_deliveries=self._on_deliveries,
            on_returned=self._on_returned,
        )

    def _receipts(
        self, ended: Sequence[tuple[Message, Outcome]], then: Callable[[list[Delivery]], None]
    ) -> None:
        deliveries = []
        for message, outcome in ended:
            if message.registered_delivery:
                text = b"%s %d" % (message.message_id, outcome.state)
                deliveries.append(Delivery(message.esme, "receipt", CommandId.DELIVER_SM, text, 0, NOW_NS))
        self.store.late.append(lambda: then(deliveries))

    def _on_deliveries(self) -> None:
        self.served += 1

    def _on_returned(self) -> None:
        self.returned += 1

    def accept(
        self, key: int = KEY, message_id: bytes = b"", *, esme: str = "app", data: bool = False, **fields: Any
    ) -> Message:
        """Queue a message; fields are those of its PDU, or of the message."""
        own = {
            name: fields.pop(name) for name in ("due_ns", "expires_ns", "attempts", "parts") if name in fields
        }
        usual = {"source_addr": SOURCE, "destination_addr": b"1666", "registered_delivery": 1}
        pdu: Any = DataSm if data else SubmitSm
        body = codec.encode(pdu(**{**usual, **fields}))[16:]
        message = Message(
            key,
            message_id or id_of(key, long=True),
            esme,
            self.lane,
            pdu.command_id,
            body,
            fields.get("registered_delivery", 1),
            NOW_NS - SECOND_NS,
        )
        for name, value in own.items():
            setattr(message, name, value)
        self.store.accept([message], lambda: None)
        self.store.stand(self.store.fresh())
        return message

    def take(self, most: int) -> list[Message]:
        """Take messages from the front of the lane, as if they were to be sent."""
        queue = self.lane.queue
        taken = [queue.head.popleft() for _ in range(min(most, len(queue.head)))] if queue else []
        self.store.took(taken)
        return taken

    def ask(self, pdu: Question, peer: Peer | None = None) -> Any:
        """Ask, let the store answer, and return the one answer or the status of the refusal."""
        peer = peer or self.peer
        try:
            self.inquiry.ask(cast("Link", peer), pdu)
        except Refusal as refusal:
            return refusal.command_status
        self.store.catch_up()
        [answer] = peer.answers
        peer.answers.clear()
        return answer

    def status(self, pdu: Question, peer: Peer | None = None) -> int:
        answer = self.ask(pdu, peer)
        return answer if isinstance(answer, int) else int(answer.command_status)

    def standing(self, key: int = KEY) -> list[Message]:
        """The messages that can be taken, or stand aside, in the order of their lane."""
        self.store.wake(1 << 62)
        return self.take(100)

    def receipts(self, esme: str = "app") -> list[bytes]:
        return [delivery.body for delivery in self.store.take_deliveries(esme, 100)]


def query(key: int = KEY, source_addr: bytes = SOURCE, **fields: Any) -> QuerySm:
    return QuerySm(
        **{"message_id": id_of(key, long=True), "source_addr": source_addr, "sequence_number": 9, **fields}
    )


def cancel(key: int = KEY, source_addr: bytes = SOURCE, **fields: Any) -> CancelSm:
    return CancelSm(
        **{"message_id": id_of(key, long=True), "source_addr": source_addr, "sequence_number": 9, **fields}
    )


def cancel_all(source_addr: bytes = SOURCE, destination_addr: bytes = b"1666", **fields: Any) -> CancelSm:
    return CancelSm(source_addr=source_addr, destination_addr=destination_addr, **fields)


def replace(key: int = KEY, source_addr: bytes = SOURCE, **fields: Any) -> ReplaceSm:
    usual = {"message_id": id_of(key, long=True), "source_addr": source_addr, "short_message": b"new"}
    return ReplaceSm(**{**usual, "sequence_number": 9, **fields})


EACH = pytest.mark.parametrize("question", [query, cancel, replace])


# ---- which message is meant ---------------------------------------------------------------------------------


@EACH
def test_what_is_not_known_is_an_invalid_message_id(question: Callable[..., Question]) -> None:
    bench = Bench()
    bench.accept()
    for message_id in (b"unknown", b"0" * 16, b"1" * 16):
        assert bench.status(question(message_id=message_id)) == CommandStatus.ESME_RINVMSGID


@EACH
def test_a_message_of_another_esme_is_not_known(question: Callable[..., Question]) -> None:
    bench = Bench()
    bench.accept(esme="shop")
    assert bench.status(question()) == CommandStatus.ESME_RINVMSGID
    assert len(bench.standing()) == 1


@EACH
def test_the_source_must_be_that_of_the_message(question: Callable[..., Question]) -> None:
    bench = Bench()
    bench.accept()
    assert bench.status(question(source_addr=b"12065550199")) == CommandStatus.ESME_RINVSRCADR
    assert len(bench.standing()) == 1


@EACH
@pytest.mark.parametrize("data", [False, True])
def test_sources_compare_by_their_digits_and_ids_in_either_case(
    question: Callable[..., Question], data: bool
) -> None:
    bench = Bench()
    bench.accept(data=data)
    pdu = question(message_id=id_of(KEY, long=True).upper(), source_addr=b"+" + SOURCE)
    assert bench.status(pdu) == CommandStatus.ESME_ROK


@EACH
def test_a_short_id_is_found_by_its_last_digits(question: Callable[..., Question]) -> None:
    bench = Bench()
    short = id_of(KEY, long=False)
    bench.accept(message_id=short)
    assert bench.status(question(message_id=short)) == CommandStatus.ESME_ROK


@EACH
def test_the_refusals_are_counted(question: Callable[..., Question]) -> None:
    bench = Bench()
    bench.status(question())
    assert bench.metrics.messages_rejected("app", "ESME_RINVMSGID").value == 1


# ---- query_sm -----------------------------------------------------------------------------------------------


def test_what_is_queued_or_on_its_way_is_en_route() -> None:
    bench = Bench()
    bench.accept()
    queued = bench.ask(query())
    assert queued == QuerySmResp(
        message_id=id_of(KEY, long=True), message_state=MessageState.ENROUTE, sequence_number=9
    )
    [message] = bench.take(1)
    assert bench.ask(query()) == queued
    bench.store.submitted("carrier", [(message, b"id")], [], [], lambda: None)
    assert bench.ask(query()) == queued


def test_what_is_final_is_told_with_its_date_in_utc() -> None:
    bench = Bench()
    bench.accept()
    [message] = bench.take(1)
    ended_ns = NOW_NS - 90 * SECOND_NS
    bench.store._clock = lambda: ended_ns
    bench.store.submitted("carrier", [(message, b"id")], [], [], lambda: None)
    bench.store.receive("carrier", [], [(b"id", FAILED)], lambda: None)
    answer = bench.ask(query())
    assert answer.message_state == MessageState.UNDELIVERABLE
    assert answer.final_date == (NOW - timedelta(seconds=90)).strftime("%y%m%d%H%M%S").encode() + b"000+"
    assert answer.error_code == 0


@pytest.mark.parametrize(
    ("version", "due_ns", "attempts", "state"),
    [
        (InterfaceVersion.V5_0, NOW_NS + 1, 0, MessageState.SCHEDULED),
        (InterfaceVersion.V3_4, NOW_NS + 1, 0, MessageState.ENROUTE),
        (InterfaceVersion.V5_0, NOW_NS - 1, 0, MessageState.ENROUTE),
        (InterfaceVersion.V5_0, NOW_NS + 1, 1, MessageState.ENROUTE),
    ],
)
def test_only_v5_0_knows_that_a_message_is_scheduled(
    version: int, due_ns: int, attempts: int, state: MessageState
) -> None:
    bench = Bench()
    bench.accept(due_ns=due_ns, attempts=attempts)
    assert bench.ask(query(), Peer(version=version)).message_state == state


def test_a_query_need_not_know_the_source() -> None:
    bench = Bench()
    bench.accept()
    assert bench.status(query(source_addr=b"")) == CommandStatus.ESME_ROK


def test_an_id_that_nobody_was_told_is_not_known() -> None:
    bench = Bench()
    bench.accept(KEY)
    bench.accept(KEY + 1, id_of(KEY, long=True))  # the second of a submit_multi
    assert bench.status(query(KEY + 1)) == CommandStatus.ESME_RINVMSGID
    assert bench.status(cancel(KEY + 1)) == CommandStatus.ESME_RINVMSGID


# ---- cancel_sm ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("due_ns", [0, NOW_NS + 1])
def test_a_queued_message_is_cancelled_and_its_receipt_says_so(due_ns: int) -> None:
    bench = Bench()
    bench.accept(due_ns=due_ns)
    assert bench.ask(cancel()) == CancelSmResp(sequence_number=9)
    assert bench.standing() == []
    assert bench.receipts() == [b"%s %d" % (id_of(KEY, long=True), MessageState.DELETED)]
    assert bench.served == 1
    assert bench.ask(query()).message_state == MessageState.DELETED
    assert bench.status(cancel()) == CommandStatus.ESME_RCANCELFAIL


def test_nobody_is_told_who_did_not_ask_for_it() -> None:
    bench = Bench()
    bench.accept(registered_delivery=0)
    assert bench.status(cancel()) == CommandStatus.ESME_ROK
    assert (bench.receipts(), bench.served) == ([], 0)


def test_a_cancel_is_answered_when_it_is_durable() -> None:
    bench = Bench()
    bench.accept()
    bench.inquiry.ask(cast("Link", bench.peer), cancel())
    for _ in range(4):  # two look-ups, the pick, and what its receipt needs
        bench.store.late.pop(0)()
    assert bench.store.queued("app") == 0
    assert bench.peer.answers == []
    bench.store.catch_up()
    assert bench.peer.answers == [CancelSmResp(sequence_number=9)]


@pytest.mark.parametrize(
    ("order", "status"),
    [(cancel, CommandStatus.ESME_RCANCELFAIL), (replace, CommandStatus.ESME_RREPLACEFAIL)],
)
def test_what_is_on_its_way_or_submitted_stays_as_it_is(
    order: Callable[..., Question], status: CommandStatus
) -> None:
    bench = Bench()
    bench.accept()
    [message] = bench.take(1)
    body = message.body
    assert bench.status(order()) == status
    assert message.body == body
    bench.store.submitted("carrier", [(message, b"id")], [], [], lambda: None)
    assert bench.status(order()) == status
    assert bench.store.find("carrier", b"id") is message


def test_a_destination_that_is_given_must_be_that_of_the_message() -> None:
    bench = Bench()
    bench.accept()
    assert bench.status(cancel(destination_addr=b"1777")) == CommandStatus.ESME_RCANCELFAIL
    assert bench.returned == 1
    assert bench.status(cancel(destination_addr=b"+1666")) == CommandStatus.ESME_ROK


def several(bench: Bench) -> None:
    """Three messages of one submit_multi between two others."""
    bench.accept(KEY - 1)
    for number in range(3):
        bench.accept(KEY + number, id_of(KEY, long=True), destination_addr=b"1666%d" % number)
    bench.accept(KEY + 3)


def test_a_submit_multi_is_cancelled_whole_by_its_one_id() -> None:
    bench = Bench()
    several(bench)
    assert bench.status(cancel()) == CommandStatus.ESME_ROK
    assert [message.key for message in bench.standing()] == [KEY - 1, KEY + 3]


def test_one_destination_of_a_submit_multi_can_be_cancelled() -> None:
    bench = Bench()
    several(bench)
    assert bench.status(cancel(destination_addr=b"16661")) == CommandStatus.ESME_ROK
    assert [message.key for message in bench.standing()] == [KEY - 1, KEY, KEY + 2, KEY + 3]


def test_what_is_left_of_a_submit_multi_can_be_cancelled() -> None:
    bench = Bench()
    several(bench)
    gone = bench.take(3)[1:]
    bench.store.submitted(
        "carrier", [(message, b"%d" % message.key) for message in gone], [], [], lambda: None
    )
    assert bench.status(cancel()) == CommandStatus.ESME_ROK
    assert [message.key for message in bench.standing()] == [KEY + 3]


def split(bench: Bench) -> None:
    """The three parts of one message between two others."""
    bench.accept(KEY - 1)
    for number in range(3):
        bench.accept(KEY + number, id_of(KEY, long=True), parts=3)
    bench.accept(KEY + 3)


def test_a_message_that_we_have_split_is_cancelled_whole() -> None:
    bench = Bench()
    split(bench)
    assert bench.status(cancel()) == CommandStatus.ESME_ROK
    assert [message.key for message in bench.standing()] == [KEY - 1, KEY + 3]


def test_of_a_message_that_we_have_split_the_parts_that_are_left_are_cancelled() -> None:
    bench = Bench()
    split(bench)
    gone = bench.take(2)[1:]
    bench.store.submitted("carrier", [(message, b"id") for message in gone], [], [], lambda: None)
    assert bench.ask(query()).message_state == MessageState.ENROUTE
    assert bench.status(cancel()) == CommandStatus.ESME_ROK
    assert [message.key for message in bench.standing()] == [KEY + 3]


def test_what_is_cancelled_in_pieces_is_answered_once_when_all_of_it_is_durable() -> None:
    bench = Bench()
    count = 2 * ENDED_AT_ONCE + 1
    for key in range(1, count + 1):
        bench.accept(key)
    assert bench.ask(cancel_all()).command_status == CommandStatus.ESME_ROK
    assert bench.served == 1
    assert bench.store.waiting_deliveries("app") == count
    assert bench.store.queued("app") == 0


def accept_for_addresses(bench: Bench) -> None:
    bench.accept(1)
    bench.accept(2, destination_addr=b"1777")
    bench.accept(3, service_type=b"CMT")
    bench.accept(4, source_addr=b"12065550101")
    bench.accept(5, service_type=b"OWN", due_ns=NOW_NS + 1)
    bench.accept(6, esme="shop")
    bench.accept(7, data=True)
    bench.accept(8, dest_addr_ton=1)


@pytest.mark.parametrize(
    ("service_type", "left"),
    [(b"", [2, 4, 6, 8]), (b"CMT", [1, 2, 4, 5, 6, 7, 8])],
)
def test_without_an_id_all_of_these_addresses_are_cancelled(service_type: bytes, left: list[int]) -> None:
    bench = Bench()
    accept_for_addresses(bench)
    assert bench.status(cancel_all(service_type=service_type)) == CommandStatus.ESME_ROK
    assert [message.key for message in bench.standing()] == left


def test_addresses_are_looked_for_only_where_they_stand() -> None:
    bench = Bench()
    # One octet on, and no further than a service_type may reach, it reads as if it came from 1206 and went to 1.
    bench.accept(
        1,
        source_addr=b"",
        dest_addr_ton=ord("1"),
        dest_addr_npi=ord("2"),
        destination_addr=b"06",
        priority_flag=ord("1"),
    )
    assert bench.status(cancel_all(b"1206", b"1")) == CommandStatus.ESME_RCANCELFAIL
    [message] = bench.standing()
    assert message.key == 1


def test_where_nothing_is_queued_for_these_addresses_the_cancel_fails() -> None:
    bench = Bench()
    bench.accept()
    [_] = bench.take(1)
    assert bench.status(cancel_all()) == CommandStatus.ESME_RCANCELFAIL


def test_a_cancel_without_an_id_names_a_destination() -> None:
    bench = Bench()
    bench.accept()
    assert bench.status(cancel_all(destination_addr=b"")) == CommandStatus.ESME_RINVDSTADR
    assert len(bench.standing()) == 1


# ---- replace_sm ---------------------------------------------------------------------------------------------


def test_a_queued_message_is_replaced_and_keeps_its_place() -> None:
    bench = Bench()
    for key in (KEY - 1, KEY, KEY + 1):
        bench.accept(key, short_message=b"old")
    assert bench.ask(replace(registered_delivery=0)) == ReplaceSmResp(sequence_number=9)
    assert bench.returned == 1
    messages = bench.standing()
    assert [message.key for message in messages] == [KEY - 1, KEY, KEY + 1]
    assert [message.body[-3:] for message in messages] == [b"old", b"new", b"old"]
    assert [message.registered_delivery for message in messages] == [1, 0, 1]


def test_a_replacement_may_be_scheduled() -> None:
    bench = Bench()
    bench.accept()
    assert bench.status(replace(schedule_delivery_time=b"000000000100000R")) == CommandStatus.ESME_ROK
    queue = bench.lane.queue
    assert queue is not None
    assert (queue.waiting, queue.deferred) == (0, 1)
    assert bench.store.wake(NOW_NS) == NOW_NS + 60 * SECOND_NS


def test_a_replacement_is_answered_when_it_is_durable() -> None:
    bench = Bench()
    bench.accept()
    bench.inquiry.ask(cast("Link", bench.peer), replace())
    for _ in range(3):  # two look-ups and the pick
        bench.store.late.pop(0)()
    assert bench.peer.answers == []
    bench.store.catch_up()
    assert bench.peer.answers == [ReplaceSmResp(sequence_number=9)]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"short_message": b"x" * 255}, CommandStatus.ESME_RINVMSGLEN),
        ({"tlvs": (make_tlv(TlvTag.MESSAGE_PAYLOAD, b"both"),)}, CommandStatus.ESME_RINVMSGLEN),
        ({"schedule_delivery_time": b"261331100000000+"}, CommandStatus.ESME_RINVSCHED),
        ({"validity_period": b"261122095900000+"}, CommandStatus.ESME_RINVEXPIRY),
    ],
)
def test_a_replacement_that_cannot_be_changes_nothing(fields: dict[str, Any], status: CommandStatus) -> None:
    bench = Bench()
    body = bench.accept(short_message=b"old").body
    assert bench.status(replace(**fields)) == status
    [message] = bench.standing()
    assert message.body == body


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_no_text_takes_the_place_of_a_message_that_we_have_split(gone: int) -> None:
    bench = Bench()
    split(bench)
    taken = bench.take(1 + gone)
    bench.store.give_back(taken[:1])
    assert bench.status(replace()) == CommandStatus.ESME_RREPLACEFAIL
    standing = bench.standing()
    assert [message.key for message in standing] == [KEY - 1, *range(KEY + gone, KEY + 4)]
    assert not [message for message in standing if b"new" in message.body]


def test_nothing_is_replaced_while_the_store_is_full() -> None:
    bench = Bench()
    bench.accept()
    bench.store._max_octets = 1
    assert bench.status(replace()) == CommandStatus.ESME_RMSGQFUL
    assert bench.status(cancel()) == CommandStatus.ESME_ROK


# ---- replace_if_present -------------------------------------------------------------------------------------


def supersede(bench: Bench, **fields: Any) -> tuple[list[int], int]:
    """Submit in the place of another; return the keys of what was replaced, and how often nothing was."""
    other = Bench()
    new = other.accept(1, short_message=b"new", **fields)
    replaced: list[int] = []
    otherwise: list[None] = []
    bench.inquiry.supersede(new, lambda message: replaced.append(message.key), lambda: otherwise.append(None))
    bench.store.catch_up()
    return replaced, len(otherwise)


def test_the_newest_message_of_the_same_addresses_and_service_type_is_replaced() -> None:
    bench = Bench()
    accept_for_addresses(bench)
    bench.accept(9, short_message=b"old")
    bench.accept(10, service_type=b"CMT")
    bench.accept(11, data=True)
    assert supersede(bench) == ([9], 0)
    messages = bench.standing()
    assert [message.key for message in messages] == list(range(1, 12))
    assert [message.key for message in messages if message.body.endswith(b"new")] == [9]


def test_where_there_is_none_it_is_submitted_as_any_other() -> None:
    bench = Bench()
    accept_for_addresses(bench)
    assert supersede(bench, service_type=b"VMN") == ([], 1)
    assert len(bench.standing()) == 8


# ---- pools --------------------------------------------------------------------------------------------------

POOL = b"C1"


def from_pool(bench: Bench, key: int = KEY) -> bytes:
    """Queue a message as admission does that has come from a pool; return its number."""
    number = bench.senders.number_of(POOL, b"1666")
    assert number is not None
    bench.accept(key, source_addr_ton=1, source_addr_npi=1, source_addr=number)
    return number


@EACH
def test_a_message_of_a_pool_is_found_by_the_pool_and_by_its_number(
    question: Callable[..., Question],
) -> None:
    for source in (POOL, None):
        bench = Bench()
        number = from_pool(bench)
        assert bench.status(question(source_addr=source or number)) == CommandStatus.ESME_ROK


@EACH
def test_a_message_of_a_number_is_not_that_of_any_pool(question: Callable[..., Question]) -> None:
    bench = Bench()
    bench.accept(source_addr=b"12065559999")
    assert bench.status(question(source_addr=POOL)) == CommandStatus.ESME_RINVSRCADR


def test_what_has_come_from_a_pool_is_cancelled_by_its_addresses() -> None:
    bench = Bench()
    number = from_pool(bench)
    bench.accept(KEY + 1, source_addr=b"12065559999")
    assert bench.status(cancel_all(source_addr=POOL, source_addr_ton=5)) == CommandStatus.ESME_ROK
    [left] = bench.standing()
    assert left.key == KEY + 1
    assert number in {b"12065550100", b"12065550101", b"12065550102"}
