"""Receipts that come before the response which tells their message: held, found again, and let go of in time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Final

from smppgw import notice as notices
from smppgw import telling
from smppgw.carriers import Carrier
from smppgw.finding import Finding
from smppgw.handsets import Handsets, Taken
from smppgw.notice import FromHandset, Notice
from smppgw.orphans import Orphans, tlvs_at
from smppgw.session.timers import NS
from smppgw.settings import InboundSettings
from smppgw.settling import Settled, Settling
from smppgw.store.api import Store
from smppgw.store.entries import Delivery, Held, Message, Outcome

EXPIRED_AT_ONCE: Final = 500
"""Receipts whose time is over that are looked at together: the store may have to look for the message of each."""

_SHELF: Final = "receipts/"


def shelf_of(carrier: str) -> str:
    """Return where the receipts of a carrier are held."""
    return _SHELF + carrier


def from_handset(said: Notice, command_id: int, body: bytes) -> FromHandset:
    """Take what only by its text was a receipt for the message of a handset that it is."""
    return FromHandset(said.source, said.destination, tlvs_at(command_id, body), 0, concatenated=False)


class EarlyReceipts:
    """What is held, and what comes of it."""

    def __init__(
        self,
        store: Store,
        carriers: Mapping[str, Carrier],
        finding: Finding,
        settling: Settling,
        handsets: Handsets,
        orphans: Orphans,
        settings: InboundSettings,
        *,
        clock: Callable[[], int],
        on_deliveries: Callable[[], None],
    ) -> None:
        self._store = store
        self._carriers = carriers
        self._finding = finding
        self._settling = settling
        self._handsets = handsets
        self._orphans = orphans
        self._settings = settings
        self._clock = clock
        self._on_deliveries = on_deliveries
        self._looking: set[str] = set()
        """Shelves of whose oldest receipts the store looks for the messages."""

    def hold(self, batch: Taken, entries: Sequence[Held]) -> None:
        """Keep receipts of a batch; what has to make room for them goes with the batch."""
        dropped = self._store.hold(shelf_of(batch.carrier), entries, self._settings.max_held)
        self._part_with(batch, dropped, "no_room")

    def take(
        self, carrier: Carrier, answered: Sequence[tuple[Message, bytes]], written: Sequence[bytes]
    ) -> tuple[list[Delivery], list[tuple[bytes, Outcome]]]:
        """Return what comes of receipts that were held for messages of `answered`, as `Store.submitted` takes it.

        `answered` has the keys beside the messages, `written` the ids as the responses had them.
        """
        shelf = shelf_of(carrier.name)
        if not self._store.holds(shelf):
            return [], []
        meant: dict[bytes, tuple[Message, bytes, bytes]] = {}
        unknown = self._unknown_parts([message for message, _ in answered])
        for (message, key), response in zip(answered, written, strict=True):
            if response and message not in unknown:
                for rank, under in enumerate(carrier.ids.held_under(response)):
                    if rank == 0 or under not in meant:
                        meant[under] = message, key, response if rank == 0 else b""
        batch = Settled(carrier.name, self._clock())
        others: list[Held] = []
        for held in self._store.release(shelf, tuple(meant)):
            message, key, response = meant[held.under]
            said = _read(held)
            envelope = message.envelope or telling.envelope_of(message.command_id, message.body)
            is_sure = response and carrier.ids.tells(response) and _is_sure(carrier, said, response)
            if not (is_sure and said.flagged) and not telling.is_about(said, envelope):
                others.append(held)
                continue
            self._finding.learn(carrier, said.carrier_id, key)
            self._settling.settle(batch, carrier, key, message, said)
        if others:
            self._store.hold(shelf, others, self._settings.max_held)
        self._settling.count(batch)
        if unknown:
            left = [each for each in zip(answered, written, strict=True) if each[0][0] in unknown]
            self._settling.parts.learn(unknown, lambda: self._take_later(carrier, left))
        return batch.deliveries, list(batch.finished.items())

    def _unknown_parts(self, messages: Iterable[Message]) -> Sequence[Message]:
        """Return the parts of long messages of whose other parts the store has yet to tell."""
        parts = self._settling.parts
        split = [message for message in messages if message.parts > 1]
        parts.learn(split, lambda: None)
        return [message for message in split if not parts.knows(message)]

    def _take_later(self, carrier: Carrier, left: Sequence[tuple[tuple[Message, bytes], bytes]]) -> None:
        """Take in what was held for messages that the carrier has by now."""
        deliveries, finished = self.take(
            carrier, [pair for pair, _ in left], [written for _, written in left]
        )
        self._store.receive(carrier.name, deliveries, finished, self._on_deliveries)

    # ---- when their time is over ----------------------------------------------------------------------------

    def expire(self) -> None:
        """Let go of the receipts that were held long enough; call it now and then.

        A response may have come meanwhile that was not known to be theirs: their messages are looked for once more.
        """
        before_ns = self._clock() - int(self._settings.hold_receipts * NS)
        for shelf in self._store.shelves():
            if not shelf.startswith(_SHELF) or shelf in self._looking:
                continue
            old = self._store.held_before(shelf, before_ns, EXPIRED_AT_ONCE)
            carrier = self._carriers.get(shelf.removeprefix(_SHELF))
            if old and carrier is not None:
                self._looking.add(shelf)
                written = {_read(held).carrier_id for held in old}
                keys = self._finding.keys(carrier, written)
                self._store.recall(carrier.name, keys, partial(self._recalled, carrier, old))
            elif old:
                self._let_go(shelf, None, old)

    def _recalled(self, carrier: Carrier, old: Sequence[Held]) -> None:
        found = [self._finding.find(carrier, _read(held), at_last=True)[1] for held in old]
        parts = self._unknown_parts([message for message in found if message is not None])
        self._settling.parts.learn(parts, partial(self._let_go, shelf_of(carrier.name), carrier, old))

    def _let_go(self, shelf: str, carrier: Carrier | None, old: Sequence[Held]) -> None:
        self._looking.discard(shelf)
        batch = Settled(shelf.removeprefix(_SHELF), self._clock())
        orphans: list[Held] = []
        for held in self._store.release(shelf, tuple(dict.fromkeys(held.under for held in old))):
            said = _read(held)
            key, message = b"", None
            if carrier is not None:
                key, message = self._finding.find(carrier, said, at_last=True)
            if message is not None and carrier is not None and said.flagged:
                self._settling.settle(batch, carrier, key, message, said)
            elif carrier is not None and said.flagged and self._finding.is_repeat(carrier, said):
                batch.repeated += 1
            else:
                orphans.append(held)
        self._part_with(batch, orphans, "unknown")
        self._settling.count(batch)
        self._handsets.report(batch)
        self._store.receive(
            batch.carrier, batch.deliveries, tuple(batch.finished.items()), self._on_deliveries
        )

    def _part_with(self, batch: Taken, entries: Sequence[Held], why: str) -> None:
        """Give up receipts; what only its text made look like one is a message of a handset after all."""
        orphans = []
        for held in entries:
            said = _read(held)
            if said.flagged or self._handsets.take(
                batch, from_handset(said, held.command_id, held.body), held.command_id, held.body
            ):
                orphans.append(held)
        deliveries = batch.deliveries
        deliveries += self._orphans.deliveries(batch.carrier, orphans, why, deliveries, batch.now_ns)


def _is_sure(carrier: Carrier, said: Notice, response: bytes) -> bool:
    """Whether the spelling of an id that is held for a response is no guess."""
    return carrier.ids.settled or said.carrier_id == response


def _read(held: Held) -> Notice:
    said = notices.read(held.command_id, held.body)
    assert isinstance(said, Notice), "it was read before it was held"
    return said
