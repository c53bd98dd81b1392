"""sequence_number: 1 to 0x7FFFFFFF, one up for each request, then 1 again (SMPP v3.4 section 5.1.4)."""

from __future__ import annotations

from smppgw.pdu.constants import SEQUENCE_NUMBER_MAX


def following(sequence_number: int) -> int:
    """Return the number of the request after the one that had `sequence_number`; 0 stands before the first."""
    return sequence_number + 1 if sequence_number < SEQUENCE_NUMBER_MAX else 1
