"""What a carrier's deliver_sm and data_sm are taken for, and what they are understood to say."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw import notice
from smppgw.notice import FromHandset, Notice
from smppgw.pdu import codec
from smppgw.pdu._generated import DataSm, DeliverSm
from smppgw.pdu.constants import CommandId, MessageState, TlvTag
from smppgw.pdu.receipt import Receipt
from smppgw.pdu.text import encode_text
from tests.interop.texts import DATA
from tests.notices import quick_look
from tests.pdu.receipt_texts import OF_PEOPLE, TEXTS

DELIVER_SM: Final = int(CommandId.DELIVER_SM)
DATA_SM: Final = int(CommandId.DATA_SM)

BEHIND_ID: Final = (
    b" sub:001 dlvrd:001 submit date:2611221000 done date:2611221001 stat:DELIVRD err:000 text:Hello"
)
STRAIGHT: Final = b"id:0000001234" + BEHIND_ID
LOOSE: Final = b"id:77 submit date:261122100000 done date:261122100105 stat:UNDELIV err:011"

ID: Final = b"\x00\x1e\x00\x05abcd\x00"
STATE: Final = b"\x04\x27\x00\x01\x02"
EXPIRED: Final = b"\x04\x27\x00\x01\x03"
CODE: Final = b"\x04\x23\x00\x03\x03\x00\x22"
SAR: Final = b"\x02\x0c\x00\x02\x00\x01\x02\x0e\x00\x01\x02\x02\x0f\x00\x01\x01"

HANDSET: Final = b"16665550100"
OURS: Final = b"12065550100"


def tlv(tag: int, value: bytes) -> bytes:
    return tag.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value


def payload(text: bytes) -> bytes:
    return tlv(TlvTag.MESSAGE_PAYLOAD, text)


def deliver(text: bytes = STRAIGHT, tlvs: bytes = b"", *, esm_class: int = 4, data_coding: int = 0) -> bytes:
    """The octets of a deliver_sm behind its header."""
    addresses = b"\0\1\1" + HANDSET + b"\0\1\1" + OURS + b"\0"
    return b"%b%c\0\0\0\0\0\0%c\0%c%b" % (addresses, esm_class, data_coding, len(text), text) + tlvs


def data(tlvs: bytes, *, esm_class: int = 4, data_coding: int = 0) -> bytes:
    """The octets of a data_sm behind its header."""
    return b"\0\1\1" + HANDSET + b"\0\1\1" + OURS + b"\0%c\0%c" % (esm_class, data_coding) + tlvs


def ucs2(text: bytes) -> bytes:
    return text.decode("latin-1").encode("utf-16-be")


class Case(NamedTuple):
    """A PDU, and some of what it says."""

    name: str
    body: bytes
    said: dict[str, Any]
    command_id: int = DELIVER_SM

    def __str__(self) -> str:
        return self.name


def straight(**other: Any) -> dict[str, Any]:
    usual = {
        "carrier_id": b"0000001234",
        "state": 2,
        "stat": "DELIVRD",
        "err": "000",
        "straight": BEHIND_ID,
        "said": None,
        "intermediate": False,
        "flagged": True,
    }
    return {**usual, **other}


def loose(**other: Any) -> dict[str, Any]:
    usual = {
        "carrier_id": b"77",
        "state": 5,
        "stat": "UNDELIV",
        "err": "011",
        "straight": b"",
        "said": Receipt("77", "", "", "261122100000", "261122100105", "UNDELIV", "011", ""),
        "flagged": True,
    }
    return {**usual, **other}


RECEIPTS: Final = (
    Case("straight", deliver(), straight(source=HANDSET, destination=OURS, network_error_code=b"")),
    Case(
        "as sent by one SMSC, octet for octet",
        bytes.fromhex(
            "00 0101 3136363635353530313030 00 0101 3132303635353530313030 00"
            "04 00 00 00 00 00 00 00 00 5e"
            "69643a37372073 75623a30303120646c7672643a303030207375626d697420646174653a32363131323231303030"
            "20646f6e6520646174653a3236313132323130303120737461743a554e44454c4956206572723a30303120746578743a"
            "001e 0003 373700 0427 0001 05 0423 0003 030001"
        ),
        {
            "carrier_id": b"77",
            "state": 5,
            "stat": "UNDELIV",
            "err": "001",
            "network_error_code": b"\x03\x00\x01",
            "said": None,
        },
    ),
    Case(
        "straight with its optional parameters",
        deliver(STRAIGHT, ID + STATE + CODE),
        straight(carrier_id=b"abcd", network_error_code=b"\x03\x00\x22"),
    ),
    Case(
        "optional parameters in another order",
        deliver(STRAIGHT, CODE + STATE + ID),
        straight(carrier_id=b"abcd"),
    ),
    Case(
        "vendor parameters before and after",
        deliver(STRAIGHT, tlv(0x1401, b"x") + ID + tlv(0x14FF, b"")),
        straight(carrier_id=b"abcd"),
    ),
    Case("in Latin-1", deliver(STRAIGHT, data_coding=3), straight(data_coding=3)),
    Case("in a coding of message classes", deliver(STRAIGHT, data_coding=0xF1), straight(data_coding=0xF1)),
    Case("a NUL at its end", deliver(STRAIGHT + b"\0"), straight()),
    Case("an @ of GSM 03.38 in its text", deliver(STRAIGHT + b"\0b"), straight(straight=BEHIND_ID + b"\0b")),
    Case("mode bits", deliver(esm_class=0x07), straight()),
    Case("reply path", deliver(esm_class=0x84), straight()),
    Case("a receipt and intermediate", deliver(esm_class=0x24), straight()),
    Case("intermediate notification", deliver(esm_class=0x20), straight(intermediate=True)),
    Case("intermediate notification with mode bits", deliver(esm_class=0x23), straight(intermediate=True)),
    Case(
        "not yet delivered",
        deliver(STRAIGHT.replace(b"dlvrd:001", b"dlvrd:000").replace(b"DELIVRD", b"ENROUTE")),
        straight(
            state=1,
            stat="ENROUTE",
            intermediate=True,
            straight=BEHIND_ID.replace(b"dlvrd:001", b"dlvrd:000").replace(b"DELIVRD", b"ENROUTE"),
        ),
    ),
    Case("told by its text", deliver(esm_class=0), straight(flagged=False)),
    Case(
        "told by receipted_message_id",
        deliver(b"", ID + STATE, esm_class=0),
        {"carrier_id": b"abcd", "state": 2, "stat": "", "err": "", "said": None, "flagged": True},
    ),
    Case(
        "receipted_message_id beside a person's words",
        deliver(b"Hello", ID, esm_class=0),
        {"carrier_id": b"abcd", "state": 7, "said": None, "flagged": True},
    ),
    Case(
        "message_state beside a text",
        deliver(b"id:77 stat:x", STATE, esm_class=0),
        {"carrier_id": b"77", "state": 2, "stat": "X", "flagged": True},
    ),
    Case("loose, told by its text", deliver(LOOSE, esm_class=0), loose(flagged=False)),
    Case("loose", deliver(LOOSE), loose()),
    Case(
        "message_state before the text",
        deliver(STRAIGHT, EXPIRED),
        straight(
            state=3,
            straight=b"",
            said=Receipt("0000001234", "001", "001", "2611221000", "2611221001", "DELIVRD", "000", "Hello"),
        ),
    ),
    Case("an id of the parameters, the state of the text", deliver(LOOSE, ID), loose(carrier_id=b"abcd")),
    Case("a state of the parameters, the id of the text", deliver(LOOSE, EXPIRED), loose(state=3)),
    Case("a message_state of nowhere", deliver(STRAIGHT, b"\x04\x27\x00\x01\x63"), straight()),
    Case(
        "a message_state of four octets",
        deliver(LOOSE, tlv(TlvTag.MESSAGE_STATE, b"\0\0\0\2")),
        loose(state=2),
    ),
    Case("a message_state of none", deliver(LOOSE, tlv(TlvTag.MESSAGE_STATE, b"")), loose()),
    Case(
        "err by network_error_code",
        deliver(b"id:77 stat:UNDELIV", CODE),
        {"err": "34", "network_error_code": b"\x03\x00\x22"},
    ),
    Case(
        "a network_error_code of two octets",
        deliver(b"id:77 stat:UNDELIV", tlv(TlvTag.NETWORK_ERROR_CODE, b"\0\1")),
        {"err": "", "network_error_code": b""},
    ),
    Case(
        "receipted_message_id without its NUL",
        deliver(b"", tlv(TlvTag.RECEIPTED_MESSAGE_ID, b"abcd")),
        {"carrier_id": b"abcd"},
    ),
    Case(
        "receipted_message_id with NULs and spaces",
        deliver(b"", tlv(TlvTag.RECEIPTED_MESSAGE_ID, b"abcd \0\0\0")),
        {"carrier_id": b"abcd"},
    ),
    Case(
        "receipted_message_id, empty, then filled",
        deliver(b"", b"\x00\x1e\x00\x00" + ID),
        {"carrier_id": b"abcd"},
    ),
    Case(
        "receipted_message_id twice",
        deliver(b"", ID + tlv(TlvTag.RECEIPTED_MESSAGE_ID, b"zz\0")),
        {"carrier_id": b"abcd"},
    ),
    Case(
        "one NUL too many behind the text",
        deliver(STRAIGHT, b"\0" + ID + STATE),
        straight(carrier_id=b"abcd"),
    ),
    Case(
        "one NUL too many, and broken parameters",
        deliver(STRAIGHT, b"\0" + ID + STATE + b"\x14\x01\x00\x09a"),
        straight(carrier_id=b"abcd"),
    ),
    Case(
        "one NUL behind the parameters", deliver(STRAIGHT, ID + STATE + b"\0"), straight(carrier_id=b"abcd")
    ),
    Case(
        "a parameter cut short behind others",
        deliver(STRAIGHT, ID + EXPIRED + b"\x04\x23\x00\x03\x03"),
        straight(
            carrier_id=b"abcd",
            state=3,
            straight=b"",
            said=Receipt("0000001234", "001", "001", "2611221000", "2611221001", "DELIVRD", "000", "Hello"),
        ),
    ),
    Case("a parameter that runs over the end", deliver(STRAIGHT, b"\x00\x1e\x00\x40ab"), straight()),
    Case("a stub of a parameter", deliver(STRAIGHT, b"\x00\x1e"), straight()),
    Case("in message_payload", deliver(b"", payload(STRAIGHT)), straight()),
    Case(
        "in message_payload, told by its text",
        deliver(b"", payload(STRAIGHT), esm_class=0),
        straight(flagged=False),
    ),
    Case("both bodies receipts", deliver(STRAIGHT, payload(LOOSE)), straight()),
    Case("both bodies, the second a receipt", deliver(b"Hello", payload(LOOSE)), loose()),
    Case(
        "both bodies, the second a receipt by itself",
        deliver(b"Hello: you", payload(LOOSE), esm_class=0),
        loose(flagged=False),
    ),
    Case("in a data_sm", data(payload(STRAIGHT)), straight(source=HANDSET, destination=OURS), DATA_SM),
    Case("in a data_sm, told by its text", data(payload(LOOSE), esm_class=0), loose(flagged=False), DATA_SM),
    Case(
        "in a data_sm, by its parameters alone",
        data(ID + STATE),
        {"carrier_id": b"abcd", "state": 2, "said": None},
        DATA_SM,
    ),
    Case("in UCS-2", deliver(ucs2(LOOSE), data_coding=8), loose(data_coding=8)),
    Case(
        "straight in UCS-2",
        deliver(ucs2(STRAIGHT), data_coding=8),
        straight(
            straight=b"",
            said=Receipt("0000001234", "001", "001", "2611221000", "2611221001", "DELIVRD", "000", "Hello"),
        ),
    ),
    Case(
        "in UCS-2, told by its text", deliver(ucs2(LOOSE), esm_class=0, data_coding=8), loose(flagged=False)
    ),
    Case("in UCS-2 with a byte order mark", deliver(b"\xfe\xff" + ucs2(LOOSE), data_coding=8), loose()),
    Case("in UCS-2 with an octet too many", deliver(ucs2(LOOSE) + b"\0", data_coding=8), loose()),
    Case("in UCS-2 of the other order", deliver(LOOSE.decode().encode("utf-16-le"), data_coding=8), loose()),
    Case("in UCS-2 under data_coding 0", deliver(ucs2(LOOSE)), loose(data_coding=0)),
    Case(
        "in UCS-2, the text Chinese",
        deliver(
            ("id:77 stat:UNDELIV err:011 text:" + "您好世界" * 9).encode("utf-16-be"),
            data_coding=8,
        ),
        {
            "carrier_id": b"77",
            "said": Receipt("77", "", "", "", "", "UNDELIV", "011", "您好世界" * 9),
        },
    ),
    Case("ASCII under data_coding 8", deliver(LOOSE, data_coding=8), loose(data_coding=8)),
    Case("ASCII with a NUL under data_coding 8", deliver(LOOSE + b"\0", data_coding=8), loose()),
    Case(
        "straight ASCII under data_coding 8",
        deliver(STRAIGHT, data_coding=8),
        straight(
            straight=b"",
            said=Receipt("0000001234", "001", "001", "2611221000", "2611221001", "DELIVRD", "000", "Hello"),
        ),
    ),
    Case("behind a user data header", deliver(b"\5\0\3\7\1\1" + LOOSE, esm_class=0x44), loose()),
    Case(
        "straight behind a user data header",
        deliver(b"\5\0\3\7\1\1" + STRAIGHT, esm_class=0x44),
        straight(
            straight=b"",
            said=Receipt("0000001234", "001", "001", "2611221000", "2611221001", "DELIVRD", "000", "Hello"),
        ),
    ),
    Case(
        "in UCS-2 behind a user data header",
        deliver(b"\6\x08\4\0\7\1\1" + ucs2(LOOSE), esm_class=0x44, data_coding=8),
        loose(),
    ),
    Case("a user data header that is none", deliver(LOOSE, esm_class=0x44), loose()),
    Case(
        "an id and a number",
        deliver(b"362d9701 2"),
        {
            "carrier_id": b"362d9701",
            "state": 2,
            "stat": "2",
            "said": Receipt("362d9701", "", "", "", "", "2", "", ""),
        },
    ),
    Case(
        "an id and a number in UCS-2",
        deliver(ucs2(b"362d9701 5"), data_coding=8),
        {"carrier_id": b"362d9701", "state": 5},
    ),
    Case(
        "a list with the addresses",
        deliver(HANDSET + b";" + OURS + b";362d9701;EXPIRED"),
        {"carrier_id": b"362d9701", "state": 3, "stat": "EXPIRED"},
    ),
    Case("ACK with an id", deliver(b"ACK/362d9701"), {"carrier_id": b"362d9701", "state": 6}),
    Case(
        "no guess beside an id of the parameters",
        deliver(b"Code 4821 expired", ID),
        {"carrier_id": b"abcd", "state": 7, "said": None},
    ),
    Case(
        "ACK alone",
        deliver(b"ACK/"),
        {"carrier_id": b"", "state": 7, "stat": "", "said": None, "flagged": True},
    ),
    Case("nothing at all", deliver(b""), {"carrier_id": b"", "state": 7, "said": None, "flagged": True}),
    Case(
        "a state without an id",
        deliver(b"sub:001 stat:UNDELIV err:001"),
        {"carrier_id": b"", "state": 5, "err": "001"},
    ),
    Case(
        "an id that is not Latin-1",
        deliver("id:世 stat:UNDELIV err:1".encode("utf-16-be"), data_coding=8),
        {"carrier_id": b"?", "state": 5},
    ),
)


def read(case: Case) -> Notice:
    said = notice.read(case.command_id, case.body)
    assert isinstance(said, Notice)
    return said


@pytest.mark.parametrize("case", RECEIPTS, ids=str)
def test_a_receipt_is_read(case: Case) -> None:
    said = read(case)._asdict()
    assert {name: said[name] for name in case.said} == case.said


USUAL: Final = ("straight", "straight with its optional parameters", "in Latin-1", "not yet delivered")


@pytest.mark.parametrize("case", [case for case in RECEIPTS if case.command_id == DELIVER_SM], ids=str)
def test_the_quick_look_says_what_the_long_one_says(case: Case) -> None:
    quick = quick_look(case.body)
    assert quick is not None or case.name not in USUAL
    broken = [case.body]
    for at in range(0, len(case.body), 3):
        octets = bytearray(case.body)
        octets[at] ^= 0x11
        broken += [bytes(octets), bytes(octets[:-1])]
    for body in broken:
        quick = quick_look(body)
        if quick is not None:
            said = notice.read(DELIVER_SM, body)
            assert isinstance(said, Notice)
            assert quick.items() <= said._asdict().items()


@pytest.mark.parametrize(
    "body",
    [
        deliver(esm_class=0),
        deliver(esm_class=0x20),
        deliver(esm_class=0x44),
        deliver(data_coding=8),
        deliver(LOOSE),
        deliver(STRAIGHT.replace(b"2611221000", b"2611311000")),
        deliver(STRAIGHT.replace(b"dlvrd:001", b"dlvrd:000")),
        deliver(STRAIGHT, ID + EXPIRED),
        deliver(b"", payload(STRAIGHT)),
        deliver()[:-1],
    ],
)
def test_the_quick_look_leaves_alone_what_is_not_usual(body: bytes) -> None:
    assert quick_look(body) is None


@pytest.mark.parametrize(
    "text",
    [
        STRAIGHT.replace(b"sub:001", b"sub:002"),
        STRAIGHT.replace(b"sub:001", b"sub:1"),
        STRAIGHT.replace(b"dlvrd:001", b"dlvrd:000"),
        STRAIGHT.replace(b"DELIVRD", b"UNDELIV"),
        STRAIGHT.replace(b"DELIVRD", b"ODDWORD"),
        STRAIGHT.replace(b"DELIVRD", b"delivrd"),
        STRAIGHT.replace(b"2611221000", b"0000000000"),
        STRAIGHT.replace(b"2611221000", b"2611311000"),
        STRAIGHT.replace(b"2611221000", b"2702291000"),
        STRAIGHT.replace(b"2611221001", b"2613221001"),
        STRAIGHT.replace(b"2611221001", b"2611222401"),
        STRAIGHT.replace(b"2611221001", b"261122100159"),
        STRAIGHT.replace(b"err:000", b"err:00"),
        STRAIGHT.replace(b"err:000", b"err:..."),
        STRAIGHT.replace(b" text:Hello", b""),
        STRAIGHT.replace(b" err", b"  err"),
        b"id:" + BEHIND_ID,
    ],
)
def test_what_would_not_be_right_as_it_stands_is_taken_apart(text: bytes) -> None:
    said = notice.read(DELIVER_SM, deliver(text))
    assert isinstance(said, Notice)
    assert said.straight == b""
    assert said.said is not None


def test_a_stat_word_of_another_state_than_message_state_is_not_right_as_it_stands() -> None:
    text = STRAIGHT.replace(b"dlvrd:001", b"dlvrd:000").replace(b"DELIVRD", b"UNDELIV")
    said = notice.read(DELIVER_SM, deliver(text, EXPIRED))
    assert isinstance(said, Notice)
    assert (said.state, said.stat, said.straight) == (MessageState.EXPIRED, "UNDELIV", b"")


@pytest.mark.parametrize("date", [b"2802291000", b"2604301000", b"2612312359", b"2601010000", b"2602281000"])
def test_a_date_at_the_end_of_a_month_is_right_as_it_stands(date: bytes) -> None:
    text = STRAIGHT.replace(b"2611221000", date)
    said = notice.read(DELIVER_SM, deliver(text))
    assert isinstance(said, Notice)
    assert said.straight == BEHIND_ID.replace(b"2611221000", date)


@pytest.mark.parametrize("text", [text.encode("latin-1") for text in OF_PEOPLE])
@pytest.mark.parametrize(
    "esm_class", [0, 0x01, 0x03, 0x08, 0x10, 0x18, 0x28, 0x30, 0x38, 0x40, 0x43, 0x80, 0xC0]
)
def test_a_message_of_a_handset_is_no_receipt(text: bytes, esm_class: int) -> None:
    for octets, data_coding in ((text, 0), (text.decode("latin-1").encode("utf-16-be"), 8)):
        body = deliver(octets, esm_class=esm_class, data_coding=data_coding)
        concatenated = esm_class & 0x40 != 0
        assert notice.read(DELIVER_SM, body) == FromHandset(HANDSET, OURS, len(body), esm_class, concatenated)


def test_a_part_of_a_long_message_is_known_for_one() -> None:
    body = deliver(b"part", SAR, esm_class=0)
    assert notice.read(DELIVER_SM, body) == FromHandset(HANDSET, OURS, len(body) - len(SAR), 0, True)
    assert notice.read(DATA_SM, data(payload(b"part") + SAR, esm_class=0)) == FromHandset(
        HANDSET, OURS, len(data(b"")), 0, True
    )
    assert notice.read(DATA_SM, data(payload(b"all"), esm_class=0)) == FromHandset(
        HANDSET, OURS, len(data(b"")), 0, False
    )


@pytest.mark.parametrize(
    "tlvs", [STATE, tlv(TlvTag.RECEIPTED_MESSAGE_ID, b"\0"), CODE, b"\x00\x1e\x00\x40ab"]
)
@pytest.mark.parametrize("text", [b"Hello", b"Seen this: 4821 expired"])
def test_an_odd_parameter_makes_no_receipt_of_a_message(text: bytes, tlvs: bytes) -> None:
    assert isinstance(notice.read(DELIVER_SM, deliver(text, tlvs, esm_class=0)), FromHandset)


@pytest.mark.parametrize("group", TEXTS)
def test_every_text_of_a_receipt_is_read_out_of_its_pdu(group: str) -> None:
    for case in TEXTS[group]:
        octets = case.text.encode("latin-1")
        in_ucs2 = case.text.encode("utf-16-be")
        for command_id, body in (
            (DELIVER_SM, deliver(octets)),
            (DELIVER_SM, deliver(b"", payload(octets))),
            (DELIVER_SM, deliver(b"", payload(in_ucs2), data_coding=8)),
            (DATA_SM, data(payload(octets))),
        ):
            said = notice.read(command_id, body)
            assert isinstance(said, Notice)
            assert (said.carrier_id, said.state, said.stat, said.err) == (
                case.receipt.id.encode("latin-1"),
                case.state,
                case.receipt.stat.upper(),
                case.receipt.err,
            )
            assert said.straight or said.said == case.receipt


def test_no_message_that_people_have_sent_is_a_receipt() -> None:
    english = [line.partition("\t")[2] for line in (DATA / "sms_en.tsv").read_text("utf-8").splitlines()]
    chinese = (DATA / "sms_zh.txt").read_text("utf-8").splitlines()
    assert len(english) + len(chinese) > 8000
    for text in english + chinese:
        data_coding, octets = encode_text(text)
        body = deliver(b"", payload(octets), esm_class=0, data_coding=data_coding)
        assert isinstance(notice.read(DELIVER_SM, body), FromHandset), text


@pytest.mark.parametrize("command_id", [DELIVER_SM, DATA_SM])
def test_what_cannot_be_read_is_said_to_be_so(command_id: int) -> None:
    assert notice.read(command_id, b"CMT\0\x01") is None
    assert notice.read(DELIVER_SM, deliver()[:-3]) is None


@given(st.binary(max_size=120), st.binary(max_size=60), st.integers(0, 255), st.integers(0, 255))
@settings(max_examples=400, deadline=None, derandomize=True)
def test_reading_any_text_and_any_parameters_raises_nothing(
    text: bytes, tlvs: bytes, esm_class: int, data_coding: int
) -> None:
    for command_id, body in (
        (DELIVER_SM, deliver(text, tlvs, esm_class=esm_class, data_coding=data_coding)),
        (DATA_SM, data(payload(text) + tlvs, esm_class=esm_class, data_coding=data_coding)),
    ):
        said = notice.read(command_id, body)
        assert said is not None
        if isinstance(said, Notice):
            assert said.state in notice.STATES
        elif esm_class & 0x3C in (0x04, 0x20):
            pytest.fail("a flagged receipt was taken for a message")


@given(st.binary(max_size=200), st.sampled_from([DELIVER_SM, DATA_SM]))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_reading_any_octets_raises_nothing(body: bytes, command_id: int) -> None:
    notice.read(command_id, body)


def test_what_these_tests_write_by_hand_is_what_the_codec_writes() -> None:
    common: dict[str, Any] = {
        "source_addr_ton": 1,
        "source_addr_npi": 1,
        "source_addr": HANDSET,
        "dest_addr_ton": 1,
        "dest_addr_npi": 1,
        "destination_addr": OURS,
        "esm_class": 4,
        "data_coding": 3,
    }
    tlvs = ((int(TlvTag.RECEIPTED_MESSAGE_ID), b"abcd\0"), (int(TlvTag.MESSAGE_STATE), b"\2"))
    deliver_sm = DeliverSm(**common, short_message=STRAIGHT, tlvs=tlvs)
    assert codec.encode(deliver_sm)[16:] == deliver(STRAIGHT, ID + STATE, data_coding=3)
    assert codec.encode(DataSm(**common, tlvs=tlvs))[16:] == data(ID + STATE, data_coding=3)


def test_states_after_which_nothing_comes_are_said_to_be_final() -> None:
    assert MessageState.DELIVERED in notice.FINAL
    assert not notice.FINAL & {MessageState.ENROUTE, MessageState.ACCEPTED, MessageState.UNKNOWN}
    assert set(notice.STATES) == set(MessageState)
