"""What is kept and belongs to nobody: messages to numbers that are nobody's, receipts of no known message."""

from __future__ import annotations

from operator import attrgetter
from pathlib import Path
from typing import Final

from smppgw.store.entries import Delivery
from smppgw.store.errors import StoreError
from smppgw.store.inspection import UNREADABLE, Reading, inspect, recovered
from smppgw.store.page_codec import chunks_of, deliveries_of

NOBODY: Final = ""
"""Whom they are owed to."""
_KEY: Final = attrgetter("key")


def kept_of(directory: Path) -> tuple[list[Delivery], bool]:
    """Return what is kept, the oldest first, and whether the store is in use; moments are nanoseconds since 1970.

    Raises: StoreError, OSError.
    """
    return inspect(directory, lambda reading: (_kept(reading), reading.in_use))


def _kept(reading: Reading) -> list[Delivery]:
    state = recovered(reading)
    kept = [delivery for delivery in state.undelivered.values() if delivery.esme == NOBODY]
    queue = state.owed_to(NOBODY)
    try:
        for page in (*queue.pages, *queue.later_pages):
            chunks = page.chunks if page.chunks is not None else chunks_of(*reading.pages([page.id]))
            kept += [each for each in deliveries_of(chunks, state.epoch_ns) if page.holds(each.key)]
    except UNREADABLE as error:
        raise StoreError(f"{reading.directory}: unreadable ({error!r}): run `smppgw store verify`") from error
    return sorted(kept, key=_KEY)
