"""Receipt texts as operators send them, by what is odd about them, with everything that is to be read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from smppgw.pdu.constants import MessageState
from smppgw.pdu.receipt import Receipt

ENROUTE: Final = MessageState.ENROUTE
DELIVERED: Final = MessageState.DELIVERED
EXPIRED: Final = MessageState.EXPIRED
DELETED: Final = MessageState.DELETED
UNDELIVERABLE: Final = MessageState.UNDELIVERABLE
ACCEPTED: Final = MessageState.ACCEPTED
UNKNOWN: Final = MessageState.UNKNOWN
REJECTED: Final = MessageState.REJECTED
SKIPPED: Final = MessageState.SKIPPED
SCHEDULED: Final = MessageState.SCHEDULED

HEAD: Final = "id:0123456789 sub:001 dlvrd:001 submit date:2611221000 done date:2611221001"
STRAIGHT: Final = f"{HEAD} stat:DELIVRD err:000 text:Hello"
READ: Final = Receipt("0123456789", "001", "001", "2611221000", "2611221001", "DELIVRD", "000", "Hello")


class Case(NamedTuple):
    """A text, and what it says."""

    text: str
    receipt: Receipt
    state: MessageState = DELIVERED


def but(**fields: str) -> Receipt:
    """What STRAIGHT says, with other fields."""
    return READ._replace(**fields)


def only(**fields: str) -> Receipt:
    """What says these fields and no more."""
    return Receipt(**{**dict.fromkeys(Receipt._fields, ""), **fields})


def with_id(message_id: str) -> Case:
    """STRAIGHT with that id."""
    return Case(STRAIGHT.replace("0123456789", message_id), but(id=message_id))


def with_stat(stat: str, state: MessageState) -> Case:
    """STRAIGHT with that stat word."""
    return Case(STRAIGHT.replace("DELIVRD", stat), but(stat=stat), state)


def with_err(err: str) -> Case:
    """STRAIGHT with that err."""
    return Case(STRAIGHT.replace("err:000", f"err:{err}"), but(err=err))


def with_done_date(written: str) -> Case:
    """STRAIGHT with that done date."""
    return Case(STRAIGHT.replace("2611221001", written), but(done_date=written))


def with_text(text: str) -> Case:
    """STRAIGHT with that text."""
    return Case(STRAIGHT.replace("Hello", text), but(text=text))


TEXTS: Final[Mapping[str, tuple[Case, ...]]] = {
    "the form of Appendix B": (
        Case(STRAIGHT, READ),
        Case(STRAIGHT.replace("text:", "Text:"), READ),
        Case(f"{HEAD} stat:UNDELIV err:001 text:", but(stat="UNDELIV", err="001", text=""), UNDELIVERABLE),
        Case(
            "id:77 sub:001 dlvrd:000 submit date:2611221000 done date:2611241000 stat:EXPIRED err:027 text:Your code",
            Receipt("77", "001", "000", "2611221000", "2611241000", "EXPIRED", "027", "Your code"),
            EXPIRED,
        ),
        Case(
            "id:77 sub:003 dlvrd:002 submit date:2611221000 done date:2611221000 stat:DELETED err:000 text:a",
            Receipt("77", "003", "002", "2611221000", "2611221000", "DELETED", "000", "a"),
            DELETED,
        ),
    ),
    "ids": (
        with_id("1"),
        with_id("00000000000000000042"),
        with_id("18446744073709551615"),
        with_id("4a3f01c9"),
        with_id("4A3F01C9"),
        with_id("0x1F-aB.9@s"),
        with_id("550e8400-e29b-41d4-a716-446655440000"),
        with_id("550E8400E29B41D4A716446655440000"),
        with_id("1.20261122.77"),
        with_id("77@smsc-2.example"),
        with_id("ab_cd:ef"),
        with_id("-1"),
        with_id("x" * 64),
        Case(STRAIGHT.replace("id:0123456789", "id:"), but(id="")),
        Case(STRAIGHT.replace("id:", "message_id:"), READ),
        Case(STRAIGHT.replace("id:", "Message ID:"), READ),
        Case(STRAIGHT.replace("id:", "msgid:"), READ),
    ),
    "stat words": (
        with_stat("ENROUTE", ENROUTE),
        with_stat("EXPIRED", EXPIRED),
        with_stat("DELETED", DELETED),
        with_stat("UNDELIV", UNDELIVERABLE),
        with_stat("ACCEPTD", ACCEPTED),
        with_stat("UNKNOWN", UNKNOWN),
        with_stat("REJECTD", REJECTED),
        with_stat("SKIPPED", SKIPPED),
        with_stat("DELIVERD", DELIVERED),
        with_stat("DELIVERED", DELIVERED),
        with_stat("delivrd", DELIVERED),
        with_stat("Undeliv", UNDELIVERABLE),
        with_stat("UNDELIVERED", UNDELIVERABLE),
        with_stat("undeliverable", UNDELIVERABLE),
        with_stat("FAILED", UNDELIVERABLE),
        with_stat("failed", UNDELIVERABLE),
        with_stat("rejected", REJECTED),
        with_stat("ACCEPTED", ACCEPTED),
        with_stat("SCHEDULED", SCHEDULED),
        with_stat("BUFFRED", ENROUTE),
        with_stat("0", SCHEDULED),
        with_stat("1", ENROUTE),
        with_stat("2", DELIVERED),
        with_stat("3", EXPIRED),
        with_stat("5", UNDELIVERABLE),
        with_stat("8", REJECTED),
        with_stat("9", SKIPPED),
        with_stat("10", UNKNOWN),
        with_stat("NOROUTE", UNKNOWN),
        with_stat("VENDOR_WORD-7", UNKNOWN),
        with_stat("DELIVRD(2)", UNKNOWN),
        Case(STRAIGHT.replace("DELIVRD", ""), but(stat=""), UNKNOWN),
    ),
    "err": (
        with_err("0"),
        with_err("11"),
        with_err("034"),
        with_err("4721"),
        with_err("0A1F"),
        with_err("0x22"),
        with_err("ABSENT"),
        with_err("00000027"),
        with_err("null"),
        with_err("..."),
        with_err("-1"),
        with_err("EC_34"),
        Case(STRAIGHT.replace("err:000", "err:"), but(err="")),
        Case(STRAIGHT.replace("err:000", "err: "), but(err="")),
        Case(STRAIGHT.replace("err:000", "ERR: 034"), but(err="034")),
    ),
    "dates": (
        with_done_date("261122100159"),
        with_done_date("202611221001"),
        with_done_date("20261122100159"),
        with_done_date("2026112210015900"),
        with_done_date("261122100100004+"),
        with_done_date("261122100100020-"),
        with_done_date("2611221001+05:30"),
        with_done_date("2026-11-22 10:01:59"),
        with_done_date("2026-11-22T10:01:59Z"),
        with_done_date("2026/11/22 10:01"),
        with_done_date("1795341719"),
        with_done_date("1795341719000"),
        with_done_date("0000000000"),
        with_done_date("000000000000"),
        with_done_date("null"),
        with_done_date(""),
        Case(STRAIGHT.replace("2611221000", ""), but(submit_date="")),
        Case(STRAIGHT.replace("submit date:2611221000 ", ""), but(submit_date="")),
        Case(STRAIGHT.replace(" done date:2611221001", ""), but(done_date="")),
    ),
    "labels": (
        Case(STRAIGHT.replace("submit date", "submitdate").replace("done date", "donedate"), READ),
        Case(STRAIGHT.replace("submit date", "submit_date").replace("done date", "done_date"), READ),
        Case(STRAIGHT.replace("submit date", "submit-date").replace("done date", "Done-Date"), READ),
        Case(STRAIGHT.replace("submit date", "Submit Date").replace("done date", "DONE DATE"), READ),
        Case(STRAIGHT.upper(), but(text="HELLO")),
        Case(STRAIGHT.title(), but(stat="Delivrd")),
        Case(STRAIGHT.replace(":", ": "), but(text=" Hello")),
        Case(STRAIGHT.replace(":", " :"), READ),
        Case(STRAIGHT.replace(":", " : "), but(text=" Hello")),
        Case("Id:77 Stat:Delivered Err:0", only(id="77", stat="Delivered", err="0")),
    ),
    "between the fields": (
        Case(STRAIGHT.replace(" ", "  ").replace("  date", " date"), READ),
        Case(f"  {STRAIGHT}", READ),
        Case("id:77\nsub:001\nstat:EXPIRED\n", only(id="77", sub="001", stat="EXPIRED"), EXPIRED),
        Case("id:77\r\nstat:EXPIRED\r\nerr:3\r\n", only(id="77", stat="EXPIRED", err="3"), EXPIRED),
        Case("id:77\tsub:001\tstat:DELIVRD", only(id="77", sub="001", stat="DELIVRD")),
        Case(
            "id:77,sub:001,dlvrd:001,submit date:2611221000,done date:2611221001,stat:DELIVRD,err:000,text:Hello",
            but(id="77"),
        ),
        Case("id:77; stat:DELIVRD; err:000;", only(id="77", stat="DELIVRD", err="000")),
        Case("id:77|stat:DELIVRD|err:000", only(id="77", stat="DELIVRD", err="000")),
        Case('id:"77" stat:\'UNDELIV\' err:"3"', only(id="77", stat="UNDELIV", err="3"), UNDELIVERABLE),
        Case(STRAIGHT + "\0", READ),
        Case(STRAIGHT + "\0\0\0", READ),
        Case(STRAIGHT.replace(" text:Hello", "\0"), but(text="")),
    ),
    "order": (
        Case(
            "stat:DELIVRD err:000 submit date:2611221000 done date:2611221001 sub:001 dlvrd:001 "
            "id:0123456789 text:Hello",
            READ,
        ),
        Case(
            "err:034 stat:UNDELIV done date:2611221001 id:77",
            only(id="77", stat="UNDELIV", err="034", done_date="2611221001"),
            UNDELIVERABLE,
        ),
        Case(
            "sub:001 dlvrd:000 id:77 stat:REJECTD",
            only(id="77", sub="001", dlvrd="000", stat="REJECTD"),
            REJECTED,
        ),
        Case(
            "id:0123456789 sub:001 dlvrd:001 text:Hello submit date:2611221000 done date:2611221001 "
            "stat:DELIVRD err:000",
            READ,
        ),
        Case("text:Hello id:77 stat:DELIVRD", only(id="77", stat="DELIVRD", text="Hello")),
    ),
    "fields left out": (
        Case(STRAIGHT.replace(" sub:001 dlvrd:001", ""), but(sub="", dlvrd="")),
        Case(STRAIGHT.replace("sub:001 dlvrd:001", "sub:000 dlvrd:000"), but(sub="000", dlvrd="000")),
        Case(STRAIGHT.replace("sub:001 dlvrd:001", "sub:1 dlvrd:1"), but(sub="1", dlvrd="1")),
        Case(STRAIGHT.replace(" text:Hello", ""), but(text="")),
        Case(STRAIGHT.replace(" err:000", ""), but(err="")),
        Case(STRAIGHT.replace(" stat:DELIVRD", ""), but(stat=""), UNKNOWN),
        Case("id:77 stat:UNDELIV", only(id="77", stat="UNDELIV"), UNDELIVERABLE),
        Case(
            "stat:UNDELIV err:001 text:order id: 9",
            only(stat="UNDELIV", err="001", text="order id: 9"),
            UNDELIVERABLE,
        ),
        Case(
            "id:77 submit date:261122100000 done date:261122100105 stat:UNDELIV err:11",
            only(id="77", submit_date="261122100000", done_date="261122100105", stat="UNDELIV", err="11"),
            UNDELIVERABLE,
        ),
        Case("id:77 sub: dlvrd: submit date: done date: stat: err: text:", only(id="77"), UNKNOWN),
    ),
    "fields written twice": (
        Case("id:77 id:78 stat:DELIVRD stat:EXPIRED", only(id="77", stat="DELIVRD")),
        Case("id: sub:001 stat: id:77 stat:DELIVRD", only(id="77", sub="001", stat="DELIVRD")),
        Case("id:77 err: err:034 stat:UNDELIV", only(id="77", err="034", stat="UNDELIV"), UNDELIVERABLE),
        Case("id:77 stat:DELIVRD text: Text:Hello", only(id="77", stat="DELIVRD", text="Hello")),
        Case("id:77 stat:DELIVRD text:Hi Text:Hello", only(id="77", stat="DELIVRD", text="Hi Text:Hello")),
        Case(
            "id:77 done date: done date:2611221001 stat:DELIVRD",
            only(id="77", done_date="2611221001", stat="DELIVRD"),
        ),
    ),
    "the message's own text": (
        with_text(""),
        with_text("see id:5 stat:EXPIRED err:9"),
        with_text("a: b: c\nd"),
        with_text('he said "no", twice'),
        with_text("'"),
        with_text("Dial *100#, reply STOP"),
        with_text("\x1be 5"),
        with_text("é à ü ñ"),
        with_text("text of forty and more characters, not cut at all"),
        with_text("...................."),
    ),
    "fields of their own": (
        Case(STRAIGHT.replace(" text:", " IMSI:310150123456789 MSC:12065550100 text:"), READ),
        Case(STRAIGHT.replace(" stat:", " mccmnc:310260 stat:"), READ),
        Case(STRAIGHT.replace(" stat:", " MCCMNC=310260 stat:"), READ),
        Case(STRAIGHT.replace(" text:", " price:0.0045 currency:USD text:"), READ),
        Case(STRAIGHT.replace("id:", "src:12065550100 id:"), READ),
        Case("id:77;stat:DELIVRD;err:000;imsi:310150123456789", only(id="77", stat="DELIVRD", err="000")),
        Case("id:77 stat:DELIVRD err:000 part:1/3", only(id="77", stat="DELIVRD", err="000")),
    ),
}
"""What `parse_receipt` reads."""

GUESSED: Final = (
    Case("362d9701 2", only(id="362d9701", stat="2")),
    Case("362d9701 5", only(id="362d9701", stat="5"), UNDELIVERABLE),
    Case("2 362d9701", only(id="362d9701", stat="2")),
    Case("5 2", only(id="5", stat="2")),
    Case("362d9701", only(id="362d9701"), UNKNOWN),
    Case("ACK/362d9701", only(id="362d9701", stat="ACCEPTD"), ACCEPTED),
    Case("NACK/362d9701", only(id="362d9701", stat="REJECTD"), REJECTED),
    Case("362d9701,DELIVRD", only(id="362d9701", stat="DELIVRD")),
    Case("362d9701;undeliv;034", only(id="362d9701", stat="undeliv"), UNDELIVERABLE),
    Case("16665550100,362d9701,2611221000,DELIVERED", only(id="362d9701", stat="DELIVERED")),
    Case("DELIVRD 362d9701", only(id="362d9701", stat="DELIVRD")),
    Case("msgid=AB12 status=FAILED", only(id="AB12", stat="FAILED"), UNDELIVERABLE),
    Case('{"id": "AB12", "status": "EXPIRED"}', only(id="AB12", stat="EXPIRED"), EXPIRED),
    Case("2026-11-22 10:00 77001 DELIVERED", only(id="77001", stat="DELIVERED")),
    Case("Message 550e8400-e29b-41d4-a716-446655440000 REJECTED", only(
        id="550e8400-e29b-41d4-a716-446655440000", stat="REJECTED"
    ), REJECTED),
)  # fmt: skip
"""What `guess_receipt` makes of texts in no form that is known, with ADDRESSES."""
ADDRESSES: Final = ("16665550100", "12065550100")

NO_GUESS: Final = (
    "",
    "ACK/",
    "DELIVRD",
    "2",
    "DELIVRD 2",
    "Hello",
    "10:01",
    "1 2 3",
    "16665550100",
    "...",
    "\0",
)
"""What holds no id."""

NO_RECEIPTS: Final = (
    "",
    "Hello",
    "362d9701 2",
    "ACK/",
    "id:5",
    "stat:DELIVRD",
    "id:5 text:hello",
    "sub:001 dlvrd:001",
    "paid:5 thermostat:on",
    "My id is 5, and my stat is fine",
    "submit date:2611221000 done date:2611221001 err:000",
    "text:id: 5 stat: 6",
)
"""What `parse_receipt` does not read."""

OF_PEOPLE: Final = (
    "id:5 my stat:none",
    "id:5 stat:DELIVRD",
    "id:me stat:expired err:oops",
    "id:5 stat:great err:not one",
    "my id:5 stat:DELIVRD err:000",
    f"What is this? {STRAIGHT}",
    f"Fwd: {STRAIGHT}",
    "text:id:5 stat:DELIVRD",
    "submit date:tomorrow done date:never id: stat:tired",
    "id like to cancel stat: now",
    "STOP",
    "Meet at 10:30, err: no, 11:00. id:9",
)
"""What a person may write: never receipts by themselves, whether `parse_receipt` reads them or not."""
