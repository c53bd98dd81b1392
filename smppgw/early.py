"""Receipts that come before the response which tells their message: held, found again, and let go of in time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from smppgw import notice as notices
from smppgw import telling
from smppgw.carriers import Carrier
from smppgw.handsets import Handsets, Taken
from smppgw.notice import FromHandset, Notice
from smppgw.orphans import Orphans, tlvs_at
from smppgw.session.timers import NS
from smppgw.settings import InboundSettings
from smppgw.settling import Settled, Settling
from smppgw.store.api import Store
from smppgw.store.entries import Delivery, Held, Message, Outcome

SHELF: Final = "receipts/"


def shelf_of(carrier: str) -> str:
    """Return where the receipts of a carrier are held."""
    return SHELF + carrier


def learn(carrier: Carrier, written: bytes, key: bytes, logger: Any) -> None:
    """Have a carrier's ids learn that a receipt with that id was about the message of that key."""
    learnt = carrier.ids.found(written, key)
    if learnt is not None:
        logger.info("carrier_message_id_learnt", carrier=carrier.name, form=learnt)


def from_handset(said: Notice, command_id: int, body: bytes) -> FromHandset:
    """Take what only by its text was a receipt for the message of a handset that it is."""
    return FromHandset(said.source, said.destination, tlvs_at(command_id, body), 0, concatenated=False)


class EarlyReceipts:
    """What is held, and what comes of it."""

    def __init__(
        self,
        store: Store,
        settling: Settling,
        handsets: Handsets,
        orphans: Orphans,
        logger: Any,
        settings: InboundSettings,
        *,
        clock: Callable[[], int],
        on_deliveries: Callable[[], None],
    ) -> None:
        self._store = store
        self._settling = settling
        self._handsets = handsets
        self._orphans = orphans
        self._log = logger
        self._settings = settings
        self._clock = clock
        self._on_deliveries = on_deliveries

    def take(
        self, carrier: Carrier, answered: Sequence[tuple[Message, bytes]], written: Sequence[bytes]
    ) -> tuple[list[Delivery], list[tuple[bytes, Outcome]]]:
        """Return what comes of receipts that were held for messages of `answered`, as `Store.submitted` takes it.

        `answered` has the keys beside the messages, `written` the ids as the responses had them.
        """
        shelf = shelf_of(carrier.name)
        if not self._store.holds(shelf):
            return [], []
        meant: dict[bytes, tuple[Message, bytes, bool]] = {}
        unknown = self._unknown_parts([message for message, _ in answered])
        for (message, key), response in zip(answered, written, strict=True):
            if response and message not in unknown:
                for rank, under in enumerate(carrier.ids.held_under(response)):
                    if rank == 0 or under not in meant:
                        meant[under] = message, key, rank == 0
        batch = Settled(carrier.name, self._clock())
        others: list[Held] = []
        for held in self._store.release(shelf, tuple(meant)):
            message, key, likeliest = meant[held.under]
            said = notices.read(held.command_id, held.body)
            assert isinstance(said, Notice), "it was read before it was held"
            envelope = message.envelope or telling.envelope_of(message.command_id, message.body)
            if not (likeliest and said.flagged) and not telling.is_about(said, envelope):
                others.append(held)
                continue
            learn(carrier, said.carrier_id, key, self._log)
            self._settling.settle(batch, carrier, key, message, said)
        if others:
            self._store.hold(shelf, others, self._settings.max_held)
        self._settling.count(batch)
        if unknown:
            left = [each for each in zip(answered, written, strict=True) if each[0][0] in unknown]
            self._settling.parts.learn(unknown, lambda: self._take_early(carrier, left))
        return batch.deliveries, list(batch.finished.items())

    def _unknown_parts(self, messages: Iterable[Message]) -> Sequence[Message]:
        """Return the parts of long messages of whose other parts the store has yet to tell."""
        parts = self._settling.parts
        split = [message for message in messages if message.parts > 1]
        parts.learn(split, lambda: None)
        return [message for message in split if not parts.knows(message)]

    def _take_early(self, carrier: Carrier, left: Sequence[tuple[tuple[Message, bytes], bytes]]) -> None:
        """Take in what was held for messages that the carrier has by now."""
        deliveries, finished = self.take(
            carrier, [pair for pair, _ in left], [written for _, written in left]
        )
        self._store.receive(carrier.name, deliveries, finished, self._on_deliveries)

    def expire(self) -> None:
        """Let go of the receipts that were held long enough; call it now and then.

        What only its text made look like one is a message of a handset after all.
        """
        for shelf in self._store.shelves():
            if not shelf.startswith(SHELF):
                continue
            name = shelf.removeprefix(SHELF)
            batch = Taken(name, self._clock())
            before_ns = batch.now_ns - int(self._settings.hold_receipts * NS)
            orphans = []
            for held in self._store.expire_held(shelf, before_ns):
                said = notices.read(held.command_id, held.body)
                assert isinstance(said, Notice), "it was read before it was held"
                if said.flagged or self._handsets.take(
                    batch, from_handset(said, held.command_id, held.body), held.command_id, held.body
                ):
                    orphans.append(held)
            deliveries = batch.deliveries
            deliveries += self._orphans.deliveries(name, orphans, "unknown", deliveries, batch.now_ns)
            self._handsets.report(batch)
            if deliveries or orphans:
                self._store.receive(name, deliveries, (), self._on_deliveries)
