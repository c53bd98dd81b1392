"""The messages that we have split, and what has become of their parts: an ESME gets one receipt for all of them.

Each part is a message of its own to the store and to the carrier. What has become of one of an earlier run is asked of
the store; of the others it is remembered here, up to a bound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import islice
from typing import Final, NamedTuple

from smppgw.message_ids import key_of
from smppgw.pdu.constants import MessageState
from smppgw.store.api import Store
from smppgw.store.entries import Message, Outcome, Standing
from smppgw.telling import Tally

MAX_REMEMBERED: Final = 50_000
"""Messages some of whose parts have come to their end; of those above it, the oldest are asked of the store again."""

_FORGOTTEN: Final = Outcome(int(MessageState.UNKNOWN), "unknown")
"""Of a part that the store knows no more: the others are not to wait for it."""


class End(NamedTuple):
    """What has become of a part."""

    outcome: Outcome
    network_error_code: bytes
    """Three octets; none where none was said, or the store has been asked, which does not keep it."""


class Whole(NamedTuple):
    """What has become of a message all of whose parts have come to their end."""

    end: End
    """Of the first part that was not delivered; of the first one where all were."""
    tally: Tally


class Parts:
    """Tells when the last part of a message has come to its end, and how."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._ended: dict[int, dict[int, End]] = {}
        """By the key of the first part: the parts that have ended, by their keys."""
        self._learning: dict[int, list[Callable[[], None]]] = {}
        """By the key of the first part: what is to be called when the store has said what it knows."""
        self.unknown_up_to = 0
        """Of messages whose first part has a higher key, everything that has happened is known here."""

    def knows(self, message: Message) -> bool:
        """Whether `note` can say what a part's end means, without `learn`."""
        first = _first_of(message)
        return first > self.unknown_up_to or first in self._ended

    def learn(self, messages: Iterable[Message], then: Callable[[], None]) -> None:
        """Ask the store about the other parts of these; call `then` when they are known."""
        unknown = {_first_of(message): message.parts for message in messages if not self.knows(message)}
        left = len(unknown)
        if not left:
            then()
            return

        def learnt() -> None:
            nonlocal left
            left -= 1
            if left == 0:
                then()

        for first, parts in unknown.items():
            if first in self._learning:
                self._learning[first].append(learnt)
            else:
                self._learning[first] = [learnt]
                self._ask(first, parts)

    def _ask(self, first: int, parts: int) -> None:
        ended: dict[int, End] = {}
        left = parts

        def told(key: int, standing: Standing | None) -> None:
            nonlocal left
            outcome = _FORGOTTEN if standing is None else standing.outcome
            if outcome is not None:
                ended[key] = End(outcome, b"")
            left -= 1
            if left == 0:
                self._ended[first] = ended
                for learnt in self._learning.pop(first):
                    learnt()

        for key in range(first, first + parts):
            self._store.look_up(key, partial(told, key))

    def note(self, message: Message, end: End) -> Whole | None:
        """Take down that a part has come to its end; return what the whole has come to, if that was the last one.

        It is one that this `knows`.
        """
        first = _first_of(message)
        ended = self._ended.setdefault(first, {})
        ended[message.key] = end
        if len(ended) < message.parts:
            self._make_room()
            return None
        del self._ended[first]
        ends = [ended[key] for key in sorted(ended)]
        delivered = [each for each in ends if each.outcome.state == MessageState.DELIVERED]
        others = [each for each in ends if each.outcome.state != MessageState.DELIVERED]
        return Whole((others or delivered)[0], Tally(message.parts, len(delivered)))

    def _make_room(self) -> None:
        for first in list(islice(self._ended, max(0, len(self._ended) - MAX_REMEMBERED))):
            del self._ended[first]
            self.unknown_up_to = max(self.unknown_up_to, first)


def are_known(parts: Parts, messages: Sequence[Message]) -> bool:
    """Whether what becomes of these can be told at once."""
    return all(message.parts == 1 or parts.knows(message) for message in messages)


def speaks_for_all(message: Message) -> bool:
    """Whether what happens on the way to this part is told of the whole: the first one's is."""
    return message.parts == 1 or message.key == _first_of(message)


def _first_of(message: Message) -> int:
    """The key of the first part, after which the whole is called."""
    first = key_of(message.message_id, message.key)
    assert first is not None, "an id of ours"
    return first
