from __future__ import annotations

import pytest

from smppgw.library.outcome import SubmitFailed, SubmitResult, Unanswered
from smppgw.pdu.constants import CommandId, CommandStatus


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (SubmitFailed(CommandStatus.ESME_RTHROTTLED), "submit_sm was refused with ESME_RTHROTTLED"),
        (
            SubmitFailed(0x499, ("a", "b")),
            "submit_sm was refused with 0x00000499; 2 of its parts were accepted",
        ),
        (Unanswered(CommandId.QUERY_SM, "gone"), "query_sm was sent and not answered: gone"),
    ],
)
def test_an_error_is_one_line_for_a_person(error: Exception, sentence: str) -> None:
    assert str(error) == sentence


def test_a_result_is_well_only_with_the_status_of_success() -> None:
    assert SubmitResult("m", 0, ("1", "2")).ok
    assert SubmitResult("m", 0, ("1", "2")).message_id == "1"
    assert not SubmitResult("m", 0x58, ()).ok
    assert not SubmitResult("m", None, ()).ok
    assert SubmitResult("m", None, ()).message_id == ""
