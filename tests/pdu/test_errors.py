"""Errors say what is wrong in one line, what to answer, and whether to go on; none tells a password."""

from __future__ import annotations

import pytest

from smppgw.errors import SmppgwError
from smppgw.pdu.constants import CommandStatus as E
from smppgw.pdu.errors import (
    CommandLengthError,
    EncodeError,
    FieldError,
    FrameLengthError,
    PduError,
    TlvError,
    UnknownCommandError,
)


@pytest.mark.parametrize(
    ("fault", "status", "recoverable", "line"),
    [
        (
            CommandLengthError(5, 1024, 7),
            E.ESME_RINVCMDLEN,
            False,
            "command_length is 5; allowed: 16 to 1024 octets",
        ),
        (
            CommandLengthError(774_966_538, 1024),
            E.ESME_RINVCMDLEN,
            False,
            "command_length is 0x2E310D0A; allowed: 16 to 1024 octets",
        ),
        (
            FrameLengthError(40, 41),
            E.ESME_RINVCMDLEN,
            False,
            "command_length is 40, but there are 41 octets",
        ),
        (UnknownCommandError(0x22), E.ESME_RINVCMDID, True, "command_id 0x00000022 is unknown"),
        (FieldError(4, "sm_length", "is short"), E.ESME_RINVCMDLEN, True, "submit_sm: sm_length is short"),
        (
            TlvError(4, "source_port", "is odd", E.ESME_RINVTLVLEN),
            E.ESME_RINVTLVLEN,
            True,
            "submit_sm: source_port is odd",
        ),
        (
            TlvError(0, "source_port", "is odd", E.ESME_RINVTLVLEN),
            E.ESME_RINVTLVLEN,
            True,
            "source_port is odd",
        ),
    ],
)
def test_a_pdu_error_carries_the_answer(fault: PduError, status: E, recoverable: bool, line: str) -> None:
    assert isinstance(fault, SmppgwError)
    assert (fault.command_status, fault.recoverable, str(fault)) == (status, recoverable, line)


def test_an_encode_error_says_field_value_and_what_is_allowed() -> None:
    fault = EncodeError("submit_sm", "esm_class", 256, "an int of 0 to 255")
    assert isinstance(fault, ValueError)
    assert str(fault) == "submit_sm: esm_class is 256; allowed: an int of 0 to 255"


def test_a_long_value_is_shortened_in_the_line() -> None:
    assert len(str(EncodeError("submit_sm", "short_message", b"x" * 1000, "less"))) < 120


def test_a_password_is_in_no_line() -> None:
    assert "secret" not in str(EncodeError("outbind", "password", b"secret", "less"))
