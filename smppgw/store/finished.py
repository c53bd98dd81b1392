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
        self._now: set[bytes] = set()
        self._before: set[bytes] = set()

    def add(self, carrier_ids: Iterable[bytes]) -> None:
        """Keep ids in mind."""
        self._now.update(carrier_ids)
        if len(self._now) >= FINISHED_MOST:
            self._before, self._now = self._now, set()

    def __contains__(self, carrier_id: bytes) -> bool:
        """Whether an id was finished lately."""
        return carrier_id in self._now or carrier_id in self._before
