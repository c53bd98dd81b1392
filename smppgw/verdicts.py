"""What the words of a usual receipt say, worked out once for each set of words that a carrier uses (hot path).

Nearly every receipt says one of a few things: delivered, or not and why. What follows from that for the store, for the
metrics and for the optional parameters of the ESME's receipt is looked up here by the words as they stand in the PDU.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from smppgw import telling
from smppgw.error_classes import Meanings
from smppgw.notice import FINAL, STATES, Words
from smppgw.pdu.constants import MessageState
from smppgw.pdu.receipt import state_of_stat
from smppgw.store.entries import Outcome

_REMEMBERED: Final = 4096
"""Carriers use some dozens; a peer may make up any number."""


class Verdict(NamedTuple):
    """What follows from a usual receipt."""

    outcome: Outcome
    dlvrd: int
    """The digit that `dlvrd:` must end in, if text and state agree."""
    tail: bytes
    """The optional parameters of the ESME's receipt behind receipted_message_id."""


class Verdicts:
    """The verdicts of one carrier."""

    def __init__(self, meanings: Meanings) -> None:
        self._meanings = meanings
        self._known: dict[Words, Verdict | Literal[False]] = {}

    def of(self, words: Words) -> Verdict | Literal[False]:
        """Return what follows; False where that is not the last word on a message, or its parts disagree."""
        verdict = self._known.get(words)
        if verdict is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            verdict = self._known[words] = self._made(words)
        return verdict

    def _made(self, words: Words) -> Verdict | Literal[False]:
        stat, err, told, code = words
        word = stat.decode("latin-1")
        state = int(state_of_stat(word))
        if STATES[state] != word or state not in FINAL or (told is not None and told[0] != state):
            return False
        said = err.decode("latin-1")
        return Verdict(
            self._meanings.receipt(state, word, said),
            ord("1" if state == MessageState.DELIVERED else "0"),
            telling.state_and_code(state, code or b"", said),
        )
