"""The ids of one carrier for which nothing more is expected, as far back as memory is to go."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

FINISHED_MOST: Final = 50_000
"""So many ids make a generation; of the two there are, the older one is forgotten for the next."""


class Finished:
    """At least the newest `FINISHED_MOST` ids, and at most twice as many."""

    __slots__ = ("_before", "_now")

    def __init__(self) -> None:
        self._now: dict[bytes, bytes] = {}
        self._before: dict[bytes, bytes] = {}

    def add(self, finished: Iterable[tuple[bytes, bytes]]) -> None:
        """Keep ids in mind, each with the envelope of its message."""
        self._now.update(finished)
        if len(self._now) >= FINISHED_MOST:
            self._before, self._now = self._now, {}

    def envelope(self, carrier_id: bytes) -> bytes | None:
        """Return the envelope of a message that was finished lately under this id; None where none was."""
        envelope = self._now.get(carrier_id)
        return self._before.get(carrier_id) if envelope is None else envelope
