"""The ids of one carrier for which nothing more is expected, as far back as memory is to go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

FINISHED_MOST: Final = 50_000
"""So many ids make a generation; of the two there are, the older one is forgotten for the next."""


class Finished:
    """At least the newest `FINISHED_MOST` ids, and at most twice as many."""

    __slots__ = ("_before", "_new", "_new_ids", "_now")

    def __init__(self) -> None:
        self._now: dict[bytes, bytes] = {}
        self._before: dict[bytes, bytes] = {}
        self._new: list[tuple[Sequence[bytes], Sequence[bytes]]] = []
        """What has been added since somebody asked: nearly all of it, nobody ever asks for (hot path)."""
        self._new_ids = 0

    def add(self, carrier_ids: Sequence[bytes], envelopes: Sequence[bytes]) -> None:
        """Keep ids in mind, each with the envelope of its message beside it."""
        self._new.append((carrier_ids, envelopes))
        self._new_ids += len(carrier_ids)
        if self._new_ids + len(self._now) >= FINISHED_MOST:
            self._look_through()
            self._before, self._now = self._now, {}

    def _look_through(self) -> None:
        for carrier_ids, envelopes in self._new:
            self._now.update(zip(carrier_ids, envelopes, strict=True))
        self._new.clear()
        self._new_ids = 0

    def envelope(self, carrier_id: bytes) -> bytes | None:
        """Return the envelope of a message that was finished lately under this id; None where none was."""
        if self._new:
            self._look_through()
        envelope = self._now.get(carrier_id)
        return self._before.get(carrier_id) if envelope is None else envelope
