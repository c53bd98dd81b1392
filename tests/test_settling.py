"""Each receipt settles its message once, and its ESME hears what it asked for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw import notice
from smppgw.accounts import Account
from smppgw.carriers import Carrier
from smppgw.message_ids import id_of
from smppgw.metrics import Metrics
from smppgw.notice import Notice, read_usual
from smppgw.parts import Parts
from smppgw.pdu import codec
from smppgw.pdu._generated import DeliverSm
from smppgw.pdu.constants import CommandId, MessageState, TlvTag
from smppgw.pdu.receipt import STAT_OF_STATE, format_receipt
from smppgw.pdu.tlv import make_tlv, tlv_value
from smppgw.session.timers import NS
from smppgw.settling import Settled, Settling
from smppgw.store.entries import Delivery, Lane, Message, Outcome, Standing
from smppgw.store.memory import MemoryStore
from smppgw.tables import ErrMeaning, ErrorProfile
from smppgw.telling import envelope_of
from tests.peers import receipt_for, submit_sm
from tests.support import a_carrier, an_esme

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
KEY = 0x0006_43F2_1234_5678
EXPIRED = Outcome(MessageState.EXPIRED, "expired")
REFUSED = Outcome(MessageState.UNDELIVERABLE, "permanent_message", "045")
PROFILE = ErrorProfile(
    errs=(ErrMeaning(("034",), "opted_out", "a test"), ErrMeaning(("5",), "permanent_number", "a test")),
    stats=(),
    statuses=(),
)


def read(delivery: Delivery) -> Any:
    header = (16 + len(delivery.body)).to_bytes(4, "big") + delivery.command_id.to_bytes(4, "big")
    return codec.decode(header + b"\0\0\0\0\0\0\0\x01" + delivery.body)


def stat(delivery: Delivery) -> str:
    text: bytes = read(delivery).short_message
    return text.partition(b"stat:")[2][:7].decode()


class Bench:
    """A Settling over a store with one carrier, whose clock stands at 100 s."""

    def __init__(self, *, profile: ErrorProfile | None = None) -> None:
        self.now_ns = 100 * NS
        self.store = MemoryStore(1_000_000, clock=lambda: self.now_ns, envelope_of=envelope_of)
        self.metrics = Metrics()
        esmes = (an_esme(), an_esme("plain", receipt_data_coding="default"))
        self.settling = Settling(
            {esme.system_id: Account(esme, self.metrics, 0) for esme in esmes},
            Parts(self.store),
            self.metrics,
            clock=lambda: self.now_ns,
            wall_clock=lambda: NOW,
        )
        self.carrier = Carrier(a_carrier(1, message_id="text"), profile, now_ns=0, burst_seconds=0.05)
        self._keys = KEY

    def accept(self, *, parts: int = 1, registered_delivery: int = 1, **fields: Any) -> list[Message]:
        """Take in a message, or the parts of one, 40 s ago."""
        esme = fields.pop("esme", "app")
        body = codec.encode(submit_sm(7, **fields))[16:]
        first = self._keys
        self._keys += parts
        messages = [
            Message(
                key,
                id_of(first, long=True),
                esme,
                Lane("lane"),
                CommandId.SUBMIT_SM,
                body,
                registered_delivery,
                60 * NS,
                parts=parts,
            )
            for key in range(first, first + parts)
        ]
        self.store.accept(messages, lambda: None)
        assert self.store.fresh() == messages
        return messages

    def submit(self, *messages: Message) -> None:
        """The carrier has these, under their keys in decimal."""
        answered = [(message, b"%d" % message.key) for message in messages]
        self.store.submitted("carrier", answered, (), (), lambda: None)

    def sent(self, **fields: Any) -> Message:
        [message] = self.accept(**fields)
        self.submit(message)
        return message

    def say(
        self, message: Message, state: MessageState | bytes, batch: Settled | None = None, **receipt: Any
    ) -> list[Delivery]:
        """Say of a message what its carrier does, without a batch in one of its own; return what its ESME hears."""
        carrier_id = b"%d" % message.key
        if isinstance(state, bytes):
            text = b"id:%b sub:001 dlvrd:000 stat:%b err:000" % (carrier_id, state)
        else:
            text = format_receipt(
                carrier_id,
                submit_date=b"2611221000",
                done_date=b"2611221001",
                state=state,
                err=receipt.pop("err", b"000"),
            )
        pdu = DeliverSm(**{"esm_class": 4, "short_message": text, **receipt})
        said = notice.read(CommandId.DELIVER_SM, codec.encode(pdu)[16:])
        assert isinstance(said, Notice)
        own = batch if batch is not None else Settled("carrier", self.now_ns)
        count = len(own.deliveries)
        self.settling.settle(own, self.carrier, carrier_id, message, said)
        if batch is None:
            self.end(own)
        return own.deliveries[count:]

    def end(self, batch: Settled) -> None:
        self.settling.count(batch)
        self.store.receive("carrier", batch.deliveries, tuple(batch.finished.items()), lambda: None)

    def fail(self, *ended: tuple[Message, Outcome]) -> list[Delivery]:
        """End messages here; return what their ESMEs are to hear."""
        told: list[list[Delivery]] = []
        self.settling.own(ended, told.append)
        [deliveries] = told
        self.store.failed(ended, deliveries, lambda: None)
        return deliveries

    def standing(self, key: int) -> Standing | None:
        found: list[Standing | None] = []
        self.store.look_up(key, found.append)
        return found[0]

    def counted(self) -> dict[str, int]:
        """Return how often each state and class was counted, and how often a repeat was."""
        lines = self.metrics.render().decode().splitlines()
        wanted = ("smppgw_receipts_total{", "smppgw_receipts_repeated_total{")
        return {
            line.rpartition(" ")[0].partition("{")[2].removeprefix('carrier="carrier"').strip(",}"): int(
                float(line.rpartition(" ")[2])
            )
            for line in lines
            if line.startswith(wanted)
        }


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (0, []),
        (0x01, ["DELIVRD", "UNDELIV", "ACCEPTD"]),
        (0x02, ["UNDELIV"]),
        (0x03, ["DELIVRD"]),
        (0x10, ["ENROUTE"]),
        (0x11, ["DELIVRD", "UNDELIV", "ACCEPTD", "ENROUTE"]),
        (0x12, ["UNDELIV", "ENROUTE"]),
        (0x13, ["DELIVRD", "ENROUTE"]),
    ],
)
def test_an_esme_hears_what_it_has_asked_for(asked: int, told: list[str]) -> None:
    bench = Bench()
    heard = []
    for state in ("DELIVERED", "UNDELIVERABLE", "ACCEPTED", "ENROUTE"):
        [message] = bench.accept(registered_delivery=asked)
        heard += bench.say(message, MessageState[state])
    assert [stat(delivery) for delivery in heard] == told


def test_what_is_on_its_way_is_told_and_then_its_end() -> None:
    bench = Bench()
    message = bench.sent(registered_delivery=0x11)
    [enroute] = bench.say(message, MessageState.ENROUTE)
    assert (read(enroute).esm_class, stat(enroute)) == (0x20, "ENROUTE")
    assert bench.store.find("carrier", b"%d" % message.key) is message
    [delivered] = bench.say(message, MessageState.DELIVERED)
    assert (read(delivered).esm_class, stat(delivered)) == (4, "DELIVRD")
    assert bench.store.find("carrier", b"%d" % message.key) is None
    assert bench.counted() == {'class="pending",state="ENROUTE"': 1, 'class="delivered",state="DELIVRD"': 1}


def test_a_notification_flagged_as_intermediate_ends_nothing() -> None:
    bench = Bench()
    message = bench.sent()
    assert bench.say(message, MessageState.UNDELIVERABLE, esm_class=0x20) == []
    assert bench.store.find("carrier", b"%d" % message.key) is message
    [delivery] = bench.say(message, MessageState.DELIVERED)
    assert stat(delivery) == "DELIVRD"


def test_what_is_accepted_is_not_yet_at_its_end() -> None:
    bench = Bench()
    message = bench.sent()
    assert [stat(each) for each in bench.say(message, MessageState.ACCEPTED)] == ["ACCEPTD"]
    assert [stat(each) for each in bench.say(message, MessageState.DELIVERED)] == ["DELIVRD"]


def test_a_state_that_nobody_knows_is_told_and_the_end_is_waited_for() -> None:
    bench = Bench()
    message = bench.sent()
    [odd] = bench.say(message, b"BLURRED")
    assert stat(odd) == "UNKNOWN"
    assert tlv_value(read(odd).tlvs, TlvTag.MESSAGE_STATE) == MessageState.UNKNOWN
    assert bench.standing(message.key) == Standing("app", None, 0, None)
    [last] = bench.say(message, MessageState.REJECTED)
    assert stat(last) == "REJECTD"


@pytest.mark.parametrize("state", [MessageState.ENROUTE, MessageState.ACCEPTED, MessageState.DELIVERED])
def test_what_comes_again_in_the_same_words_is_told_and_counted_once(state: MessageState) -> None:
    bench = Bench()
    message = bench.sent(registered_delivery=0x11)
    batch = Settled("carrier", bench.now_ns)
    told = [bench.say(message, state, batch) for _ in range(3)]
    bench.end(batch)
    assert [len(each) for each in told] == [1, 0, 0]
    counted = bench.counted()
    assert counted.pop("") == 2
    assert list(counted.values()) == [1]


def test_of_two_ends_of_one_message_in_one_read_the_first_counts() -> None:
    bench = Bench()
    message = bench.sent()
    batch = Settled("carrier", bench.now_ns)
    assert len(bench.say(message, MessageState.DELIVERED, batch)) == 1
    assert bench.say(message, MessageState.UNDELIVERABLE, batch) == []
    bench.end(batch)
    assert bench.standing(message.key) == Standing(
        "app", Outcome(MessageState.DELIVERED, "delivered", "000"), bench.now_ns, None
    )


@pytest.mark.parametrize(
    ("state", "err", "error_class"),
    [
        (MessageState.DELIVERED, b"034", "delivered"),
        (MessageState.UNDELIVERABLE, b"034", "opted_out"),
        (MessageState.UNDELIVERABLE, b"005", "permanent_number"),
        (MessageState.UNDELIVERABLE, b"777", "temporary"),
        (MessageState.EXPIRED, b"000", "expired"),
    ],
)
def test_what_a_receipt_means_is_kept_with_its_message_and_counted(
    state: MessageState, err: bytes, error_class: str
) -> None:
    bench = Bench(profile=PROFILE)
    message = bench.sent()
    bench.say(message, state, err=err)
    standing = bench.standing(message.key)
    assert standing is not None
    assert standing.outcome == Outcome(state, error_class, err.decode())
    assert bench.counted() == {f'class="{error_class}",state="{STAT_OF_STATE[state]}"': 1}


def test_how_long_it_took_is_counted_of_ends_alone() -> None:
    bench = Bench()
    message = bench.sent(registered_delivery=0x11)
    bench.say(message, MessageState.ENROUTE)
    bench.say(message, MessageState.DELIVERED)
    lines = bench.metrics.render().decode().splitlines()
    assert 'smppgw_delivery_duration_seconds_sum{carrier="carrier"} 40.0' in lines
    assert 'smppgw_delivery_duration_seconds_count{carrier="carrier"} 1.0' in lines


def test_an_esme_that_wants_all_its_receipts_in_data_coding_0_has_them_so() -> None:
    bench = Bench()
    for esme, told in (("app", 8), ("plain", 0), ("gone", 8)):
        [message] = bench.accept(esme=esme, data_coding=8)
        [carriers] = bench.say(message, MessageState.DELIVERED)
        [message] = bench.accept(esme=esme, data_coding=8)
        [own] = bench.fail((message, EXPIRED))
        assert [read(each).data_coding for each in (carriers, own)] == [told, told]


# ---- the quick way ------------------------------------------------------------------------------------------

FEATURES: dict[str, st.SearchStrategy[Any]] = {
    "word": st.sampled_from([*STAT_OF_STATE.values(), "BLURRED"]),
    "delivered": st.sampled_from([b"0", b"1"]),
    "state": st.sampled_from([2, 3, 5, 7, 8]),
    "asked": st.sampled_from([0, 1, 2, 3, 4, 0x11, 0x12]),
    "parts": st.just(2),
    "data_coding": st.sampled_from([3, 8]),
    "theirs": st.sampled_from([3, 8]),
    "esm_class": st.sampled_from([0, 0x20, 0x44]),
}
"""What may be out of the ordinary."""


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    odd=st.sets(st.sampled_from(sorted(FEATURES)), max_size=2),
    err=st.text("0123456789Aaf_", min_size=3, max_size=3),
    code=st.none() | st.binary(min_size=3, max_size=3),
    text=st.binary(max_size=160).map(lambda octets: octets.replace(b"\0", b".")),
    data=st.data(),
)
def test_the_quick_way_settles_as_the_long_one_or_leaves_it_alone(
    odd: set[str], err: str, code: bytes | None, text: bytes, data: st.DataObject
) -> None:
    def feature(name: str, usual: Any) -> Any:
        return data.draw(FEATURES[name]) if name in odd else usual

    word = feature("word", data.draw(st.sampled_from(["DELIVRD", "UNDELIV"])))
    delivered = feature("delivered", b"1" if word == "DELIVRD" else b"0")
    state = feature("state", None)
    asked, parts = feature("asked", 1), feature("parts", 1)
    data_coding, theirs, esm_class = feature("data_coding", 0), feature("theirs", 0), feature("esm_class", 4)
    tlvs = []
    if state is not None:
        tlvs = [make_tlv(TlvTag.RECEIPTED_MESSAGE_ID, b"77"), make_tlv(TlvTag.MESSAGE_STATE, state)]
        tlvs += [make_tlv(TlvTag.NETWORK_ERROR_CODE, code)] if code is not None else []
    said_text = (
        b"id:77 sub:001 dlvrd:00%b submit date:2611221000 done date:2611221001 stat:%b err:%b text:"
        % (
            delivered,
            word.encode(),
            err.encode(),
        )
    )
    pdu = DeliverSm(
        esm_class=esm_class, data_coding=theirs, short_message=(said_text + text)[:254], tlvs=tuple(tlvs)
    )
    body = codec.encode(pdu)[16:]
    usual = read_usual(body)
    bench = Bench(profile=PROFILE)
    message, *_ = bench.accept(parts=parts, registered_delivery=asked, data_coding=data_coding)
    message.envelope = envelope_of(message.command_id, message.body)
    verdict = bench.carrier.verdicts.of(usual[2]) if usual is not None else None
    if usual is None or not verdict:
        return
    quick, long = Settled("carrier", bench.now_ns), Settled("carrier", bench.now_ns)
    assert not bench.settling.settle_usual(quick, usual[0], message, usual[1], verdict), (
        "nobody has asked yet"
    )
    quick.overfull["app"] = False
    is_settled = bench.settling.settle_usual(quick, usual[0], message, usual[1], verdict)
    said = notice.read(CommandId.DELIVER_SM, body)
    assert isinstance(said, Notice)
    if not is_settled:
        assert (quick.deliveries, quick.finished, quick.outcomes) == ([], {}, [])
        return
    bench.settling.settle(long, bench.carrier, said.carrier_id, message, said)
    assert usual[0] == said.carrier_id
    assert (quick.finished, quick.outcomes) == (long.finished, long.outcomes)
    assert quick.accepted_ns == long.accepted_ns
    assert [(each.esme, each.command_id, each.body, each.tlv_at) for each in quick.deliveries] == [
        (each.esme, each.command_id, each.body, each.tlv_at) for each in long.deliveries
    ]
    assert not bench.settling.settle_usual(quick, usual[0], message, usual[1], verdict), "it has come before"


def test_the_quick_way_takes_what_is_usual() -> None:
    bench = Bench()
    message = bench.sent()
    body = codec.encode(receipt_for(submit_sm(), b"%d" % message.key))[16:]
    usual = read_usual(body)
    assert usual is not None
    verdict = bench.carrier.verdicts.of(usual[2])
    assert verdict
    batch = Settled("carrier", bench.now_ns)
    batch.overfull["app"] = False
    assert bench.settling.settle_usual(batch, usual[0], message, usual[1], verdict)
    assert len(batch.deliveries) == 1


# ---- what has ended here ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (EXPIRED, b"dlvrd:000 submit date:2611220959 done date:2611221000 stat:EXPIRED err:000 text:"),
        (REFUSED, b"dlvrd:000 submit date:2611220959 done date:2611221000 stat:UNDELIV err:045 text:"),
    ],
)
def test_who_asked_for_it_is_told_how_a_message_ended_here(end: Outcome, told: bytes) -> None:
    bench = Bench()
    asked = [bench.accept(registered_delivery=asked)[0] for asked in (1, 0, 2, 3, 0x10)]
    deliveries = bench.fail(*((message, end) for message in asked))
    assert [each.esme for each in deliveries] == ["app", "app"]
    assert [each.received_ns for each in deliveries] == [bench.now_ns] * 2
    for message, delivery in zip((asked[0], asked[2]), deliveries, strict=True):
        pdu = read(delivery)
        assert pdu.short_message == b"id:%b sub:001 %b" % (message.message_id, told)
        assert (pdu.source_addr, pdu.destination_addr) == (b"16660000007", b"12065550100")
        code = int(end.err or "0", 16).to_bytes(2, "big")
        assert tlv_value(pdu.tlvs, TlvTag.NETWORK_ERROR_CODE) == b"\x08" + code


def test_what_has_ended_here_is_told_when_the_store_has_said_what_it_knows() -> None:
    bench = Bench()
    late: list[Any] = []
    bench.settling.parts.unknown_up_to = KEY + 10
    messages = bench.accept(parts=2)
    bench.store.look_up = lambda key, then: late.append(then)  # type: ignore[method-assign,assignment]
    told: list[list[Delivery]] = []
    [alone] = bench.accept()
    bench.settling.own([(messages[1], EXPIRED), (alone, EXPIRED)], told.append)
    assert told == []
    for then in late:
        then(None if then is late[0] else Standing("app", None, 0, messages[1]))
    [[whole, of_one]] = told
    assert b"sub:002 dlvrd:000 " in whole.body
    assert b"sub:001 dlvrd:000 " in of_one.body


# ---- messages that we have split ----------------------------------------------------------------------------


def test_a_split_message_has_one_receipt_when_the_last_part_is_at_its_end() -> None:
    bench = Bench()
    parts = bench.accept(parts=3)
    bench.submit(*parts)
    assert bench.say(parts[2], MessageState.DELIVERED) == []
    assert bench.say(parts[0], MessageState.DELIVERED) == []
    assert bench.say(parts[0], MessageState.DELIVERED) == []
    [delivery] = bench.say(parts[1], MessageState.DELIVERED)
    pdu = read(delivery)
    assert pdu.short_message.startswith(b"id:%b sub:003 dlvrd:003 " % id_of(KEY, long=True))
    assert tlv_value(pdu.tlvs, TlvTag.RECEIPTED_MESSAGE_ID) == id_of(KEY, long=True)


@pytest.mark.parametrize("last", [0, 1])
def test_a_part_that_fails_speaks_for_all_with_its_own_error(last: int) -> None:
    bench = Bench()
    parts = bench.accept(parts=2)
    bench.submit(*parts)
    code = make_tlv(TlvTag.NETWORK_ERROR_CODE, b"\x03\x02\x22")
    none = make_tlv(TlvTag.NETWORK_ERROR_CODE, b"\x03\x00\x00")
    said: list[tuple[Message, MessageState, dict[str, Any]]] = [
        (parts[0], MessageState.UNDELIVERABLE, {"err": b"0a1", "tlvs": (code,)}),
        (parts[1], MessageState.DELIVERED, {"tlvs": (none,)}),
    ]
    first = said[1 - last]
    assert bench.say(first[0], first[1], **first[2]) == []
    [delivery] = bench.say(said[last][0], said[last][1], **said[last][2])
    pdu = read(delivery)
    assert b" sub:002 dlvrd:001 " in pdu.short_message
    assert b" stat:UNDELIV err:0a1 " in pdu.short_message
    assert tlv_value(pdu.tlvs, TlvTag.NETWORK_ERROR_CODE) == b"\x03\x02\x22"


@pytest.mark.parametrize("err", [b"0a1", b"xyz", b"011"])
def test_a_part_that_ends_here_after_one_that_failed_there_tells_of_that_one(err: bytes) -> None:
    bench = Bench()
    parts = bench.accept(parts=2)
    bench.submit(parts[0])
    code = make_tlv(TlvTag.NETWORK_ERROR_CODE, b"\x03\x02\x22")
    assert bench.say(parts[0], MessageState.UNDELIVERABLE, err=err, tlvs=(code,)) == []
    [delivery] = bench.fail((parts[1], EXPIRED))
    pdu = read(delivery)
    assert b" stat:UNDELIV err:%b " % err in pdu.short_message
    assert tlv_value(pdu.tlvs, TlvTag.NETWORK_ERROR_CODE) == b"\x03\x02\x22"


def test_a_part_that_expired_here_before_the_others_were_delivered_tells_of_all() -> None:
    bench = Bench()
    parts = bench.accept(parts=2, registered_delivery=2)
    bench.submit(parts[0])
    assert bench.fail((parts[1], EXPIRED)) == []
    [delivery] = bench.say(parts[0], MessageState.DELIVERED)
    assert b" sub:002 dlvrd:001 " in delivery.body
    assert stat(delivery) == "EXPIRED"


def test_a_split_message_that_ends_here_as_a_whole_has_one_receipt() -> None:
    bench = Bench()
    parts = bench.accept(parts=3)
    [delivery] = bench.fail(*((part, EXPIRED) for part in parts))
    assert b" sub:003 dlvrd:000 " in delivery.body


def test_of_what_happens_on_the_way_the_first_part_is_told() -> None:
    bench = Bench()
    parts = bench.accept(parts=2, registered_delivery=0x11)
    bench.submit(*parts)
    [enroute] = bench.say(parts[0], MessageState.ENROUTE)
    assert stat(enroute) == "ENROUTE"
    assert bench.say(parts[1], MessageState.ENROUTE) == []


def test_who_wants_to_hear_of_failures_hears_of_no_parts_that_arrive() -> None:
    bench = Bench()
    parts = bench.accept(parts=2, registered_delivery=2)
    bench.submit(*parts)
    assert bench.say(parts[0], MessageState.DELIVERED) == []
    assert bench.say(parts[1], MessageState.DELIVERED) == []
