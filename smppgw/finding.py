"""Which message a receipt is about, by the carrier's id and, where that may mean several, by the addresses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from smppgw import telling
from smppgw.carriers import Carrier
from smppgw.notice import Notice
from smppgw.store.api import Store
from smppgw.store.entries import Message


class Finding:
    """Finds messages as far as they are at hand."""

    def __init__(self, store: Store, logger: Any) -> None:
        self._store = store
        self._log = logger

    def find(self, carrier: Carrier, said: Notice, *, at_last: bool = False) -> tuple[bytes, Message | None]:
        """Return the message that a receipt is about, with the key it is known by.

        A long id decides, and any that needs no learning. For a short one, and for one in another spelling, the
        addresses must agree too; `at_last` a short one is enough.
        """
        find, name, ids, written = self._store.find, carrier.name, carrier.ids, said.carrier_id
        key = ids.receipt(written)
        message = find(name, key) if written else None
        if message is not None and (
            at_last or ids.tells(written) or telling.is_about(said, message.envelope)
        ):
            if not ids.settled and said.flagged:
                self.learn(carrier, written, key)
            return key, message
        if not written or self.is_repeat(carrier, said):
            return key, None
        for other in ids.candidates(written):
            meant = find(name, other)
            if meant is not None and telling.is_about(said, meant.envelope):
                if said.flagged:
                    self.learn(carrier, written, other)
                return other, meant
        return key, None

    def keys(self, carrier: Carrier, written: Iterable[bytes]) -> list[bytes]:
        """Return all the keys by which the messages of these ids may be known."""
        ids = carrier.ids
        return [key for each in written for key in (ids.receipt(each), *ids.candidates(each))]

    def is_repeat(self, carrier: Carrier, said: Notice) -> bool:
        """Whether a receipt is about a message of which nothing more is expected."""
        envelope = self._store.finished_envelope(carrier.name, carrier.ids.receipt(said.carrier_id))
        return envelope is not None and (not envelope or telling.is_about(said, envelope))

    def learn(self, carrier: Carrier, written: bytes, key: bytes) -> None:
        """Have a carrier's ids learn that a receipt with that id was about the message of that key."""
        learnt = carrier.ids.found(written, key)
        if learnt is not None:
            self._log.info("carrier_message_id_learnt", carrier=carrier.name, form=learnt)
