"""When the validity of messages ends, the soonest first."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from typing import Final

from smppgw.store.entries import Message

_SLACK: Final = 1000
"""So many moments may be kept beside twice as many as there are messages, before they are looked through."""


class Expiries:
    """The moments of messages that live."""

    __slots__ = ("_live", "_moments")

    def __init__(self, live: Mapping[int, Message]) -> None:
        """`live`: the messages there are, by key; it may change."""
        self._live = live
        self._moments: list[tuple[int, int]] = []
        """A heap of (expires_ns, key); also of messages that have ended, or expire at another moment, since."""

    def watch(self, messages: Iterable[Message]) -> None:
        """Note when messages expire, anew where that has changed."""
        moments = [(message.expires_ns, message.key) for message in messages if message.expires_ns]
        if not moments:
            return
        for moment in moments:
            heapq.heappush(self._moments, moment)
        if len(self._moments) > 2 * len(self._live) + _SLACK:
            live = self._live.values()
            self._moments = [(message.expires_ns, message.key) for message in live if message.expires_ns]
            heapq.heapify(self._moments)

    def over(self, now_ns: int) -> list[Message]:
        """Return the messages no carrier has whose validity is over; they are watched on, as they may come back."""
        over: dict[tuple[int, int], Message] = {}
        while self._moments and self._moments[0][0] <= now_ns:
            moment = heapq.heappop(self._moments)
            message = self._live.get(moment[1])
            if message is not None and message.body and message.expires_ns == moment[0]:
                over[moment] = message
        for moment in over:
            heapq.heappush(self._moments, moment)
        return list(over.values())
