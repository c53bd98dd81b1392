from __future__ import annotations

import pytest

from smppgw.carriers import id_readers
from smppgw.settings import MessageIdFormat


@pytest.mark.parametrize(
    ("message_id_format", "response", "receipt"),
    [
        ("auto", b"0aF", b"0aF"),
        ("text", b"0aF", b"0aF"),
        ("hex", b"00AF", b"af"),
        ("dec", b"0175", b"175"),
        ("hex-dec", b"AF", b"0000000175"),
        ("dec-hex", b"175", b"0af"),
        ("hex", b"not hexadecimal", b"not hexadecimal"),
    ],
)
def test_ids_of_a_response_and_of_its_receipt_compare_equal(
    message_id_format: MessageIdFormat, response: bytes, receipt: bytes
) -> None:
    of_response, of_receipt = id_readers(message_id_format)
    assert of_response(response) == of_receipt(receipt)


def test_a_text_id_is_taken_to_the_letter() -> None:
    of_response, of_receipt = id_readers("text")
    assert of_response(b"0AF") != of_receipt(b"0af")
