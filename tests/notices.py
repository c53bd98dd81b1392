"""What the quick look at a usual receipt says, in the words of the long one."""

from __future__ import annotations

from typing import Any

from smppgw.notice import DLVRD_AT, STATES, read_usual
from smppgw.pdu.constants import MessageState
from smppgw.pdu.receipt import state_of_stat


def quick_look(body: bytes) -> dict[str, Any] | None:
    """Return fields of a Notice; None for a body that is not usual, or whose parts disagree."""
    usual = read_usual(body)
    if usual is None:
        return None
    written, straight, (stat, err, told, code) = usual
    word = stat.decode()
    state = state_of_stat(word)
    delivered = "1" if state == MessageState.DELIVERED else "0"
    if (
        STATES[state] != word
        or (told is not None and told[0] != state)
        or straight[DLVRD_AT] != ord(delivered)
    ):
        return None
    return {
        "carrier_id": written,
        "state": state,
        "stat": word,
        "err": err.decode(),
        "straight": straight,
        "said": None,
        "network_error_code": code or b"",
        "flagged": True,
    }
