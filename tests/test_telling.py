"""What an ESME reads in a receipt, octet by octet; and what is kept of a message for it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw import notice, telling
from smppgw.notice import FromHandset, Notice
from smppgw.pdu import codec
from smppgw.pdu._generated import DataSm, DeliverSm, SubmitSm
from smppgw.pdu.constants import CommandId, EsmClass, MessageState, TlvTag
from smppgw.pdu.tlv import make_tlv, tlv_value
from smppgw.store.entries import Lane, Message, Outcome
from smppgw.telling import Tally, Told, envelope_of, is_about, passed_on, wanted

STRAIGHT = b"id:0000001234 sub:001 dlvrd:001 submit date:2611221000 done date:2611221001 stat:DELIVRD err:000 text:Hi"
OURS = b"00063a1b2c3d4e5f"
ACCEPTED = datetime(2026, 11, 22, 9, 58, 30, tzinfo=UTC)
NOW = datetime(2026, 11, 22, 10, 3, 59, tzinfo=UTC)
LONG = b"a" * 64
"""An address that a data_sm can carry, and a deliver_sm cannot."""
APPENDIX_B = re.compile(
    r"id:\S+ sub:\d{3} dlvrd:\d{3} submit date:\d{10} done date:\d{10} stat:[A-Z]{7} err:[0-9A-Za-z]{3} text:.*",
    re.DOTALL | re.ASCII,
)
FEW = settings(max_examples=100, deadline=None, derandomize=True)


def body(pdu: codec.Pdu) -> bytes:
    return codec.encode(pdu)[16:]


def decoded(command_id: int, octets: bytes) -> Any:
    header = (16 + len(octets)).to_bytes(4, "big") + command_id.to_bytes(4, "big") + b"\0\0\0\0\0\0\0\x01"
    return codec.decode(header + octets)


def a_message(kind: type[SubmitSm] | type[DataSm] = SubmitSm, **fields: Any) -> Message:
    """Make a message that a carrier has; fields are those of its PDU."""
    usual: dict[str, Any] = {
        "service_type": b"CMT",
        "source_addr_ton": 1,
        "source_addr_npi": 1,
        "source_addr": b"12065550100",
        "dest_addr_ton": 2,
        "dest_addr_npi": 8,
        "destination_addr": b"16665550100",
    }
    octets = body(kind(**{**usual, **fields}))
    message = Message(1, OURS, "app", Lane("lane"), kind.command_id, octets, 1, 0)
    message.envelope = envelope_of(kind.command_id, octets)
    message.body = b""
    return message


def a_notice(text: bytes = STRAIGHT, *, esm_class: int = 4, data_coding: int = 0, tlvs: Any = ()) -> Notice:
    """Read the receipt of a carrier."""
    pdu = DeliverSm(
        source_addr=b"16665550100",
        destination_addr=b"12065550100",
        esm_class=esm_class,
        data_coding=data_coding,
        short_message=text,
        tlvs=tlvs,
    )
    said = notice.read(CommandId.DELIVER_SM, body(pdu))
    assert isinstance(said, Notice)
    return said


def read(told: Told) -> Any:
    """Decode a receipt as its ESME does; what stands before its optional parameters is whole without them."""
    plain = decoded(told.command_id, told.body[: told.tlv_at])
    pdu = decoded(told.command_id, told.body)
    assert plain.tlvs == ()
    if isinstance(pdu, DeliverSm):
        assert plain.short_message == pdu.short_message
    return pdu


def written(
    said: Notice | None = None,
    outcome: Outcome | None = None,
    message: Message | None = None,
    *,
    code: bytes | None = None,
    in_default: bool = False,
    tally: Tally | None = None,
) -> Any:
    """Read what is told in our own words; the outcome is that of what was said."""
    if outcome is None:
        assert said is not None
        outcome = Outcome(said.state, "unknown", said.err)
    if code is None:
        code = said.network_error_code if said is not None else telling.code_of_own(outcome.err)
    return read(
        telling.written(
            message or a_message(),
            outcome,
            said,
            network_error_code=code,
            accepted=ACCEPTED,
            now=NOW,
            in_default=in_default,
            tally=tally,
        )
    )


def the_three(pdu: Any) -> tuple[Any, Any, Any]:
    return (
        tlv_value(pdu.tlvs, TlvTag.RECEIPTED_MESSAGE_ID),
        tlv_value(pdu.tlvs, TlvTag.MESSAGE_STATE),
        tlv_value(pdu.tlvs, TlvTag.NETWORK_ERROR_CODE),
    )


# ---- what is kept of a message ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (SubmitSm, {"short_message": b"Hi"}),
        (SubmitSm, {"short_message": b""}),
        (SubmitSm, {"validity_period": b"000001000000000R", "short_message": b"Hi"}),
        (SubmitSm, {"schedule_delivery_time": b"261122100000000+", "validity_period": b"261123100000000+"}),
        (SubmitSm, {"schedule_delivery_time": b"261122100000000+", "short_message": b"Hi"}),
        (DataSm, {}),
        (DataSm, {"tlvs": (make_tlv(TlvTag.MESSAGE_PAYLOAD, b"Hi"),)}),
        (SubmitSm, {"source_addr": b"", "service_type": b""}),
    ],
)
@pytest.mark.parametrize("data_coding", [0, 3, 4, 8, 0xF6])
def test_an_envelope_is_a_deliver_sm_up_to_its_sm_length(
    kind: type[Any], fields: dict[str, Any], data_coding: int
) -> None:
    message = a_message(kind, data_coding=data_coding, **fields)
    pdu = decoded(CommandId.DELIVER_SM, message.envelope + b"\x02ok")
    assert isinstance(pdu, DeliverSm)
    assert pdu.service_type == fields.get("service_type", b"CMT")
    assert (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr) == (2, 8, b"16665550100")
    assert (pdu.dest_addr_ton, pdu.dest_addr_npi) == (1, 1)
    assert pdu.destination_addr == fields.get("source_addr", b"12065550100")
    assert (pdu.esm_class, pdu.data_coding, pdu.short_message) == (4, data_coding, b"ok")
    assert (pdu.schedule_delivery_time, pdu.validity_period, pdu.registered_delivery) == (b"", b"", 0)


@pytest.mark.parametrize("longer", ["source_addr", "destination_addr"])
@pytest.mark.parametrize("octets", [21, 64])
def test_a_receipt_whose_addresses_fit_no_deliver_sm_is_a_data_sm(longer: str, octets: int) -> None:
    message = a_message(DataSm, data_coding=3, **{longer: b"a" * octets})
    for said in (a_notice(), None):
        outcome = Outcome(MessageState.DELIVERED, "delivered", "000")
        pdu = written(said, outcome, message)
        assert isinstance(pdu, DataSm)
        theirs = "destination_addr" if longer == "source_addr" else "source_addr"
        assert getattr(pdu, theirs) == b"a" * octets
        assert (pdu.esm_class, pdu.data_coding) == (4, 3)
        text = tlv_value(pdu.tlvs, TlvTag.MESSAGE_PAYLOAD)
        assert isinstance(text, bytes)
        assert text.startswith(b"id:" + OURS + b" sub:001 dlvrd:001 ")
        assert the_three(pdu) == (OURS, MessageState.DELIVERED, b"\x08\0\0")
    assert passed_on(message, a_notice(), in_default=False) is None
    assert written(a_notice(esm_class=0x20), None, message).esm_class == 0x20
    assert written(a_notice(), None, message, in_default=True).data_coding == 0


def test_an_address_of_twenty_octets_fits_a_deliver_sm() -> None:
    message = a_message(DataSm, source_addr=b"1" * 20, destination_addr=b"2" * 20)
    pdu = written(a_notice(), None, message)
    assert isinstance(pdu, DeliverSm)
    assert (pdu.source_addr, pdu.destination_addr) == (b"2" * 20, b"1" * 20)


_ADDRESS = st.binary(max_size=20).map(lambda octets: octets.replace(b"\0", b"1"))


@FEW
@given(
    kind=st.sampled_from([SubmitSm, DataSm]),
    service_type=st.sampled_from([b"", b"C", b"CMTXY"]),
    source=_ADDRESS,
    destination=_ADDRESS,
    ton=st.integers(0, 255),
    data_coding=st.integers(0, 255),
    text=st.binary(max_size=200),
    is_long=st.booleans(),
)
def test_every_envelope_makes_a_receipt_that_its_esme_can_read(
    kind: type[Any],
    service_type: bytes,
    source: bytes,
    destination: bytes,
    ton: int,
    data_coding: int,
    text: bytes,
    is_long: bool,
) -> None:
    if is_long and kind is DataSm:
        destination = destination.ljust(40, b"9")
    message = a_message(
        kind,
        service_type=service_type,
        source_addr=source,
        source_addr_ton=ton,
        destination_addr=destination,
        data_coding=data_coding,
        **({"short_message": text} if kind is SubmitSm else {}),
    )
    said = a_notice(STRAIGHT + text.replace(b"\0", b"."))
    as_it_is = passed_on(message, said, in_default=False)
    for pdu in (written(said, None, message), *([read(as_it_is)] if as_it_is is not None else ())):
        assert pdu.service_type == service_type
        assert (pdu.source_addr, pdu.source_addr_ton) == (destination, 2)
        assert (pdu.destination_addr, pdu.dest_addr_ton) == (source, ton)
        assert (pdu.esm_class, pdu.data_coding) == (4, data_coding)
        assert the_three(pdu) == (OURS, MessageState.DELIVERED, b"\x08\0\0")


@pytest.mark.parametrize(
    ("theirs", "ours", "is_it"),
    [
        (b"16665550100", b"16665550100", True),
        (b"+16665550100", b"16665550100", True),
        (b"6665550100", b"+16665550100", True),
        (b"16665550100", b"5550100", True),
        (b"16665550101", b"16665550100", False),
        (b"0100", b"16665550100", False),
        (b"12345", b"12345", True),
        (b"", b"16665550100", False),
    ],
)
def test_a_receipt_comes_from_where_its_message_went(theirs: bytes, ours: bytes, is_it: bool) -> None:
    said = a_notice()._replace(source=theirs)
    assert is_about(said, a_message(destination_addr=ours).envelope) is is_it


# ---- what an ESME has asked for -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "success", "failure"),
    [(0, False, False), (1, True, True), (2, False, True), (3, True, False)],
)
@pytest.mark.parametrize("other_bits", [0, 0x04, 0x08, 0x10])
def test_an_esme_is_told_what_it_asked_for(asked: int, success: bool, failure: bool, other_bits: int) -> None:
    asked |= other_bits
    assert wanted(asked, MessageState.DELIVERED, intermediate=False) is success
    for state in ("EXPIRED", "DELETED", "UNDELIVERABLE", "REJECTED", "UNKNOWN"):
        assert wanted(asked, MessageState[state], intermediate=False) is failure
    for state in MessageState:
        assert wanted(asked, state, intermediate=True) is (other_bits == 0x10)


def test_what_is_accepted_is_no_failure_and_no_success() -> None:
    told = [wanted(asked, MessageState.ACCEPTED, intermediate=False) for asked in (0, 1, 2, 3)]
    assert told == [False, True, False, False]


# ---- a carrier's receipt as it stands -----------------------------------------------------------------------


def test_a_straight_receipt_keeps_every_octet_but_the_id() -> None:
    told = passed_on(a_message(data_coding=3), a_notice(), in_default=False)
    assert told is not None
    pdu = read(told)
    assert told.command_id == CommandId.DELIVER_SM
    assert pdu.short_message == STRAIGHT.replace(b"0000001234", OURS)
    assert (pdu.source_addr, pdu.destination_addr) == (b"16665550100", b"12065550100")
    assert (pdu.esm_class, pdu.data_coding) == (4, 3)
    assert the_three(pdu) == (OURS, MessageState.DELIVERED, b"\x08\0\0")


def test_a_receipt_of_a_message_that_is_still_here_is_passed_on_alike() -> None:
    here, there = a_message(), a_message()
    here.body, here.envelope = body(SubmitSm(source_addr=b"12065550100", destination_addr=b"1666")), b""
    there.envelope = envelope_of(CommandId.SUBMIT_SM, here.body)
    assert passed_on(here, a_notice(), in_default=False) == passed_on(there, a_notice(), in_default=False)


@pytest.mark.parametrize(
    "said",
    [
        a_notice(STRAIGHT.replace(b"2611221000", b"261122100000")),
        a_notice(STRAIGHT.replace(b"dlvrd:001", b"dlvrd:000")),
        a_notice(STRAIGHT.replace(b"sub:001 ", b"")),
        a_notice(STRAIGHT.replace(b"DELIVRD", b"Delivrd")),
        a_notice(STRAIGHT.replace(b"err:000", b"err:0000")),
        a_notice(STRAIGHT.replace(b"DELIVRD", b"ENROUTE").replace(b"dlvrd:001", b"dlvrd:000")),
        a_notice(esm_class=0x20),
        a_notice(STRAIGHT.decode().encode("utf-16-be"), data_coding=8),
        a_notice(b"", tlvs=(make_tlv(TlvTag.RECEIPTED_MESSAGE_ID, b"77"),)),
    ],
)
def test_what_is_not_right_as_it_stands_is_not_passed_on(said: Notice) -> None:
    assert passed_on(a_message(), said, in_default=False) is None


@pytest.mark.parametrize("octets", [254, 255, 260])
def test_a_text_that_is_cut_loses_the_end_of_the_messages_own(octets: int) -> None:
    longer = len(OURS) - len(b"0000001234")
    long = STRAIGHT.ljust(octets - longer, b"x")
    told = passed_on(a_message(), a_notice(long), in_default=False)
    assert told is not None
    text = long.replace(b"0000001234", OURS)
    assert len(text) == octets
    assert read(told).short_message == text[:254]


@pytest.mark.parametrize(
    ("code", "err", "told"),
    [
        (b"\x03\x00\x0b", b"011", b"\x03\x00\x0b"),
        (None, b"011", b"\x08\x00\x0b"),
        (None, b"000", b"\x08\x00\x00"),
        (None, b"0A1", b"\x08\x00\xa1"),
        (None, b"xyz", b"\x08\x00\x00"),
    ],
)
@pytest.mark.parametrize("straight", [True, False])
def test_a_receipt_says_the_error_as_a_network_error_code_where_it_is_one(
    code: bytes | None, err: bytes, told: bytes | None, straight: bool
) -> None:
    text = STRAIGHT.replace(b"DELIVRD", b"UNDELIV").replace(b"dlvrd:001", b"dlvrd:000")
    text = text.replace(b"err:000", b"err:" + err)
    if not straight:
        text = text.replace(b"sub:001 ", b"")
    said = a_notice(text, tlvs=((int(TlvTag.NETWORK_ERROR_CODE), code),) if code else ())
    as_it_is = passed_on(a_message(), said, in_default=False)
    assert (as_it_is is not None) is straight
    for pdu in (written(said), *([read(as_it_is)] if as_it_is is not None else ())):
        assert the_three(pdu) == (OURS, MessageState.UNDELIVERABLE, told)
        assert b" err:" + err + b" " in pdu.short_message


# ---- in our own words ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("submit", "done", "told_submit", "told_done"),
    [
        (b"2611221000", b"2611221001", b"2611221000", b"2611221001"),
        (b"261122100059", b"261122100105", b"2611221000", b"2611221001"),
        (b"202611221000", b"20261122100105", b"2611221000", b"2611221001"),
        (b"26-11-22 10:00:59", b"2026-11-22T10:01:05Z", b"2611221000", b"2611221001"),
        (b"2611221100+0100", b"2611220501-0500", b"2611221000", b"2611221001"),
        (b"261122110000004+", b"261122100100000+", b"2611221000", b"2611221001"),
        (b"1795341600", b"1795341660", b"2611221000", b"2611221001"),
        (b"0000000000", b"0", b"2611220958", b"2611221003"),
        (b"", b"", b"2611220958", b"2611221003"),
        (b"soon", b"9999999999", b"2611220958", b"2611221003"),
        (b"2611221000", b"", b"2611221000", b"2611221003"),
    ],
)
def test_dates_are_of_ten_digits_and_ours_where_the_carrier_gives_none(
    submit: bytes, done: bytes, told_submit: bytes, told_done: bytes
) -> None:
    said = a_notice(b"id:77 submit date:%b done date:%b stat:DELIVRD err:0" % (submit, done))
    dates = b" submit date:%b done date:%b stat:DELIVRD " % (told_submit, told_done)
    assert dates in written(said).short_message


def test_dates_of_our_own_are_utc_when_the_message_was_accepted_and_now() -> None:
    pdu = written(None, Outcome(MessageState.EXPIRED, "expired"))
    assert b" submit date:2611220958 done date:2611221003 stat:EXPIRED err:000 " in pdu.short_message


@pytest.mark.parametrize(
    ("err", "told"),
    [
        ("", b"000"),
        ("7", b"007"),
        ("11", b"011"),
        ("0A1F", b"A1F"),
        ("00000011", b"011"),
        ("abc", b"abc"),
        ("-1", b"000"),
        ("é", b"000"),
    ],
)
def test_an_err_has_three_characters(err: str, told: bytes) -> None:
    pdu = written(a_notice(), Outcome(MessageState.UNDELIVERABLE, "temporary", err))
    assert b" err:%b text:" % told in pdu.short_message


@pytest.mark.parametrize(
    ("state", "tally", "told"),
    [
        (MessageState.DELIVERED, None, b" sub:001 dlvrd:001 "),
        (MessageState.UNDELIVERABLE, None, b" sub:001 dlvrd:000 "),
        (MessageState.ENROUTE, None, b" sub:001 dlvrd:000 "),
        (MessageState.DELIVERED, Tally(3, 3), b" sub:003 dlvrd:003 "),
        (MessageState.EXPIRED, Tally(255, 17), b" sub:255 dlvrd:017 "),
    ],
)
def test_a_receipt_says_of_how_many_messages_it_tells(
    state: MessageState, tally: Tally | None, told: bytes
) -> None:
    assert told in written(a_notice(), Outcome(state, "unknown", "000"), tally=tally).short_message


@pytest.mark.parametrize(
    ("err", "told"),
    [
        ("00B", b"\x08\x00\x0b"),
        ("0FF", b"\x08\x00\xff"),
        ("FFF", b"\x08\x0f\xff"),
        ("045", b"\x08\x00\x45"),
        ("", b"\x08\0\0"),
    ],
)
def test_our_own_receipt_has_its_command_status_for_a_network_error_code(err: str, told: bytes) -> None:
    pdu = written(None, Outcome(MessageState.UNDELIVERABLE, "temporary", err))
    assert the_three(pdu) == (OURS, MessageState.UNDELIVERABLE, told)
    assert b" stat:UNDELIV err:%b text:" % (err or "000").encode() in pdu.short_message
    assert pdu.esm_class == EsmClass.DELIVERY_RECEIPT


def test_a_receipt_of_several_parts_has_the_code_that_goes_with_its_outcome() -> None:
    code = make_tlv(TlvTag.NETWORK_ERROR_CODE, b"\x03\0\0")
    last = a_notice(tlvs=(code,))
    pdu = written(
        last,
        Outcome(MessageState.UNDELIVERABLE, "temporary", "011"),
        code=b"\x03\x00\x0b",
        tally=Tally(2, 1),
    )
    assert the_three(pdu) == (OURS, MessageState.UNDELIVERABLE, b"\x03\x00\x0b")


def test_an_intermediate_notification_is_flagged_so() -> None:
    said = a_notice(STRAIGHT.replace(b"DELIVRD", b"ENROUTE").replace(b"dlvrd:001", b"dlvrd:000"))
    pdu = written(said, message=a_message(data_coding=3))
    assert (pdu.esm_class, pdu.data_coding) == (EsmClass.INTERMEDIATE_NOTIFICATION, 3)
    assert b" stat:ENROUTE " in pdu.short_message
    assert (pdu.protocol_id, pdu.priority_flag, pdu.registered_delivery) == (0, 0, 0)


@pytest.mark.parametrize("in_ucs2", [True, False])
def test_a_message_in_ucs2_gets_its_receipt_in_ucs2(in_ucs2: bool) -> None:
    text = STRAIGHT.decode() + " Zażółć" if in_ucs2 else STRAIGHT.decode() + " caf\xe9"
    octets = text.encode("utf-16-be") if in_ucs2 else text.encode("latin-1")
    said = a_notice(octets, data_coding=8 if in_ucs2 else 3)
    message = a_message(data_coding=8)
    assert passed_on(message, said, in_default=False) is None
    pdu = written(said, message=message)
    assert pdu.data_coding == 8
    told = pdu.short_message.decode("utf-16-be")
    assert told == text.replace("0000001234", OURS.decode())
    assert the_three(pdu) == (OURS, MessageState.DELIVERED, b"\x08\0\0")


@pytest.mark.parametrize("data_coding", [3, 4, 8, 0xF6])
def test_an_esme_may_have_all_its_receipts_in_data_coding_0(data_coding: int) -> None:
    message = a_message(data_coding=data_coding)
    told = passed_on(message, a_notice(), in_default=True)
    assert told is not None
    for pdu in (read(told), written(a_notice(), message=message, in_default=True)):
        assert pdu.data_coding == 0
        assert pdu.short_message == STRAIGHT.replace(b"0000001234", OURS)


def test_a_text_is_not_cut_behind_an_escape() -> None:
    said = a_notice(b"id:77 stat:DELIVRD err:000 text:" + b"x" * 19 + b"\x1b\x65")
    assert written(said).short_message.endswith(b" text:" + b"x" * 19)


_SAID = st.builds(
    lambda stat, err, text, tail: f"id:77 sub:1 stat:{stat} err:{err} done date:2611221001 text:{text}{tail}",
    st.sampled_from(["DELIVRD", "UNDELIV", "ENROUTE", "ACCEPTD", "UNKNOWN", "what"]),
    st.text("0123456789ABCdef", max_size=8),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60),
    st.sampled_from(["", "\U0001f600" * 20, "é" * 20]),
)


@FEW
@given(
    text=_SAID,
    data_coding=st.sampled_from([0, 1, 3, 4, 8]),
    theirs=st.sampled_from([0, 8]),
    in_default=st.booleans(),
    tally=st.none() | st.just(Tally(255, 254)),
    moment=st.datetimes(datetime(2000, 1, 1), datetime(2037, 12, 31)),  # noqa: DTZ001
)
def test_whatever_a_carrier_says_a_receipt_is_one_of_appendix_b_in_at_most_254_octets(
    text: str, data_coding: int, theirs: int, in_default: bool, tally: Tally | None, moment: datetime
) -> None:
    octets = text.encode("utf-16-be") if theirs == 8 else text.encode("latin-1", "replace")
    said = a_notice(octets[:254], data_coding=theirs)
    told = telling.written(
        a_message(data_coding=data_coding),
        Outcome(said.state, "unknown", said.err),
        said,
        network_error_code=said.network_error_code,
        accepted=moment.replace(tzinfo=UTC) - timedelta(days=2),
        now=moment.replace(tzinfo=UTC),
        in_default=in_default,
        tally=tally,
    )
    pdu = read(told)
    assert len(pdu.short_message) <= 254
    assert pdu.data_coding == (0 if in_default else data_coding)
    in_ucs2 = pdu.data_coding == 8
    words = pdu.short_message.decode("utf-16-be" if in_ucs2 else "latin-1")
    again = notice.read(CommandId.DELIVER_SM, told.body)
    assert isinstance(again, Notice)
    assert (again.carrier_id, again.state) == (OURS, said.state)
    assert APPENDIX_B.fullmatch(words)


# ---- for peers of v3.3 --------------------------------------------------------------------------------------


def deliver(text: bytes = STRAIGHT, *, esm_class: int = 4, tlvs: Any = ()) -> bytes:
    return body(
        DeliverSm(
            source_addr=b"16665550100",
            destination_addr=b"12065550100",
            esm_class=esm_class,
            data_coding=3,
            short_message=text,
            tlvs=tlvs,
        )
    )


def data(text: bytes = STRAIGHT, **fields: Any) -> bytes:
    usual: dict[str, Any] = {
        "source_addr": b"16665550100",
        "destination_addr": b"12065550100",
        "esm_class": 4,
        "data_coding": 3,
        "tlvs": (make_tlv(TlvTag.MESSAGE_PAYLOAD, text),),
    }
    return body(DataSm(**{**usual, **fields}))


def plain(command_id: int, octets: bytes) -> Any:
    said = notice.read(command_id, octets)
    tlv_at = said.tlv_at if isinstance(said, FromHandset) else len(octets)
    result = telling.plain(command_id, octets, tlv_at)
    return None if result is None else decoded(CommandId.DELIVER_SM, result)


def test_a_plain_deliver_sm_keeps_its_text_and_loses_its_optional_parameters() -> None:
    octets = deliver(b"Hi", esm_class=0)
    assert telling.plain(CommandId.DELIVER_SM, octets, len(octets)) == octets
    pdu = plain(
        CommandId.DELIVER_SM,
        deliver(b"Hi", esm_class=0, tlvs=(make_tlv(TlvTag.USER_MESSAGE_REFERENCE, 7),)),
    )
    assert (pdu.short_message, pdu.tlvs) == (b"Hi", ())


def test_a_plain_data_sm_is_a_deliver_sm() -> None:
    pdu = plain(CommandId.DATA_SM, data(b"Hi", esm_class=0x40))
    assert (pdu.short_message, pdu.tlvs) == (b"Hi", ())
    assert (pdu.source_addr, pdu.destination_addr) == (b"16665550100", b"12065550100")
    assert (pdu.esm_class, pdu.data_coding) == (0x40, 3)
    assert plain(CommandId.DATA_SM, data(esm_class=0, tlvs=())).short_message == b""


def test_a_payload_becomes_a_plain_text_as_long_as_it_fits() -> None:
    for length in (1, 254, 255):
        text = b"x" * length
        payload = (make_tlv(TlvTag.MESSAGE_PAYLOAD, text),)
        for pdu in (
            plain(CommandId.DELIVER_SM, deliver(b"", esm_class=0, tlvs=payload)),
            plain(CommandId.DATA_SM, data(text, esm_class=0)),
        ):
            assert pdu is None if length > 254 else pdu.short_message == text


def test_what_cannot_be_told_plainly_without_loss_is_not_told() -> None:
    payload = (make_tlv(TlvTag.MESSAGE_PAYLOAD, b"more"),)
    assert plain(CommandId.DELIVER_SM, deliver(b"Hi", esm_class=0, tlvs=payload)) is None
    assert plain(CommandId.DATA_SM, data(b"Hi", esm_class=0, source_addr=LONG)) is None


def test_a_receipt_is_plain_without_its_three_optional_parameters() -> None:
    told = passed_on(a_message(), a_notice(), in_default=False)
    assert told is not None
    result = telling.plain(told.command_id, told.body, told.tlv_at)
    assert result == told.body[: told.tlv_at]
