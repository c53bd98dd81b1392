"""What is told of a life that the store knows only in part."""

from __future__ import annotations

from typing import Any

import pytest

from smppgw.cli.life_story import story

LIFE: dict[str, Any] = {
    "message_id": "0" * 15 + "1",
    "esme": "acme",
    "stands": "ended",
    "state": "EXPIRED",
    "accepted": "2026-11-22T10:00:00.000Z",
    "outcome": {"state": "EXPIRED", "class": "expired", "words": "too late", "err": ""},
    "final": "2026-11-22T10:01:00.000Z",
    "seconds": 60.0,
    "never_sent": True,
    "submitted": [],
    "parts": [],
    "in_use": False,
}


def lines(**changed: Any) -> list[str]:
    return [" ".join(line.split()) for line in story({**LIFE, **changed})]


@pytest.mark.parametrize(
    ("err", "why"),
    [
        ("", "EXPIRED, no carrier had it"),
        ("000", "EXPIRED, no carrier had it"),
        ("00B", "EXPIRED, the answer was ESME_RINVDSTADR"),
        ("0FF", "EXPIRED, no answer came in time, or ESME_RUNKNOWNERR"),
        ("no", "EXPIRED, err no"),
    ],
)
def test_what_no_carrier_took_has_the_answer_as_its_reason(err: str, why: str) -> None:
    last = lines(outcome={**LIFE["outcome"], "err": err})[-1]
    assert last == f"not delivered 2026-11-22T10:01:00.000Z after 1 min 0 s: too late ({why})"


def test_what_is_not_known_any_more_is_said() -> None:
    assert lines(accepted=None, seconds=None, never_sent=False)[-3:] == [
        "accepted from acme; when is not known any more",
        "sent when is not known any more, nor to whom",
        "not delivered 2026-11-22T10:01:00.000Z too late (EXPIRED)",
    ]


def test_what_was_sent_twice_is_told_twice() -> None:
    sent = [
        {"at": f"2026-11-22T10:00:0{number}.000Z", "carrier": "sink", "carrier_message_id": told}
        for number, told in enumerate(("", "7"))
    ]
    assert lines(never_sent=False, submitted=sent)[-3:-1] == [
        "sent 2026-11-22T10:00:00.000Z to sink, which gave it no id: no receipt will find it",
        "sent again 2026-11-22T10:00:01.000Z to sink, which calls it 7",
    ]


def test_what_waited_is_told_and_why() -> None:
    due = "2026-11-22T10:00:30.000Z"
    assert f"waited until {due} put off after 2 attempts without success" in lines(due=due, attempts=2)
    scheduled = lines(due=due, attempts=0, stands="deferred", outcome=None)
    assert scheduled[1] == f"state waits until {due}"
    assert scheduled[-1] == f"waits until {due} as its ESME asked"


def test_what_peers_wrote_does_nothing_to_a_terminal() -> None:
    told = lines(source_addr="\x1b[2J", destination_addr="a\nb", text="\r\n", text_octets=2, data_coding=0)
    assert all(line.isprintable() for line in told)
