from __future__ import annotations

import pytest

from smppgw.error_classes import Meanings
from smppgw.notice import Words
from smppgw.store.entries import Outcome
from smppgw.tables import ErrMeaning, ErrorProfile
from smppgw.verdicts import Verdict, Verdicts

PROFILE = ErrorProfile((ErrMeaning(("34",), "permanent_number", "a test"),), (), ())


def of(words: Words) -> Verdict:
    verdict = Verdicts(Meanings(PROFILE)).of(words)
    assert verdict
    return verdict


def test_a_delivered_message_is_told_as_such() -> None:
    verdict = of((b"DELIVRD", b"000", b"\x02", None))
    assert verdict.outcome == Outcome(2, "delivered", "000")
    assert verdict.dlvrd == ord("1")
    assert verdict.tail.hex() == "0427000102" + "04230003080000"


def test_a_failure_means_what_the_profile_says_and_keeps_the_carrier_s_code() -> None:
    verdict = of((b"UNDELIV", b"034", None, b"\x03\x00\x22"))
    assert verdict.outcome == Outcome(5, "permanent_number", "034")
    assert verdict.dlvrd == ord("0")
    assert verdict.tail.hex() == "0427000105" + "04230003030022"


@pytest.mark.parametrize(
    "words",
    [
        (b"DELIVRD", b"000", b"\x05", None),  # the parameter says otherwise
        (b"ENROUTE", b"000", b"\x01", None),
        (b"ACCEPTD", b"000", None, None),
        (b"UNKNOWN", b"000", None, None),
        (b"FAILEDX", b"000", None, None),
    ],
)
def test_what_is_not_the_last_word_or_contradicts_itself_is_left_to_others(words: Words) -> None:
    verdicts = Verdicts(Meanings(None))
    assert verdicts.of(words) is False
    assert verdicts.of(words) is False


def test_the_same_words_have_the_same_verdict_however_many_others_there_were() -> None:
    verdicts = Verdicts(Meanings(None))
    first = verdicts.of((b"UNDELIV", b"001", None, None))
    for number in range(5_000):
        verdicts.of((b"UNDELIV", b"%03x" % (number % 4096), None, number.to_bytes(3, "big")))
    assert verdicts.of((b"UNDELIV", b"001", None, None)) == first
