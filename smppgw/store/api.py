"""The small protocol between the gateway and whatever keeps its messages.

Everything comes in batches. A method that promises something takes `durable`, which is called once, on the event
loop, when the whole batch is safe: only then may the peer be answered. An implementation may call it before the
method returns. What one call says is kept whole or not at all.

Lanes are chosen by the caller: a `Lane` object each, of which there may be very many. A lane is first in, first out;
what is deferred in it stands aside until its moment. What comes in is handed out at once, as `fresh`; only what cannot
leave then comes to stand in its lane, from whose head the caller takes it. What ESMEs are owed stands in one queue for
each ESME, which are strings; what belongs to nobody, in one named by nothing.

What is held stands on shelves, which are strings chosen by the caller like lanes; several entries may be held under
the same octets.

What may have to be read from disk is asked for with `then`, which is called once, on the event loop, with the answer;
an implementation that has the answer at hand may call it before the method returns.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Protocol, TypeAlias

from smppgw.store.entries import Delivery, Held, Lane, Message, Outcome, Standing

Durable: TypeAlias = Callable[[], None]


class Store(Protocol):
    """Keeps messages and deliveries until they are somebody else's."""

    on_ready: Callable[[], None]
    """Called when more can be taken than could before, from whatever queue, without anybody having given it."""

    # ---- messages on their way out --------------------------------------------------------------------------

    def accept(self, messages: Sequence[Message], durable: Durable) -> None:
        """Take messages in; each is `fresh` once it is durable, or behind others on disk; one with a `due_ns` aside."""

    def fresh(self) -> list[Message]:
        """Hand out what was accepted, and is durable, since this was asked last, in the order of acceptance."""

    def stand(self, messages: Sequence[Message]) -> None:
        """Let messages that were `fresh` stand in their lanes."""

    def roused(self) -> list[Lane]:
        """Return the lanes whose `queue.head` has become other than empty since this was asked last, by whatever.

        And those whose first message was taken out by anything but the caller: another one is the first now.
        """

    @property
    def may_leave(self) -> bool:
        """Whether messages may be taken out of lanes now: what becomes of them could be written."""

    def took(self, messages: Sequence[Message]) -> None:
        """These were taken from the front of their lanes' heads: they are handed out."""

    def give_back(self, messages: Sequence[Message]) -> None:
        """Put messages that were handed out back where they stood: a lane is always in the order of their keys.

        One with a `due_ns`, which was picked, stands aside again.
        """

    def defer(self, messages: Sequence[Message]) -> None:
        """Put messages that were handed out aside until their `due_ns`; their `attempts` are kept with them."""

    def replace(self, messages: Sequence[Message], durable: Durable) -> None:
        """Put messages that were handed out back, with what has changed in them; also aside, with a `due_ns`."""

    def submitted(
        self,
        carrier: str,
        answered: Sequence[tuple[Message, bytes]],
        deliveries: Sequence[Delivery],
        finished: Sequence[tuple[bytes, Outcome]],
        durable: Durable,
    ) -> None:
        """A carrier has these messages, under the ids beside them; one with an empty id will not be found again.

        `deliveries` and `finished`, as in `receive`, come of receipts that were held for them. A message that was
        handed out, then given back or deferred, may be among them: it is then in its lane no more.
        """

    def failed(
        self, ended: Sequence[tuple[Message, Outcome]], deliveries: Sequence[Delivery], durable: Durable
    ) -> None:
        """These messages have come to their end without a carrier; `deliveries` tell their ESMEs."""

    # ---- messages that are asked for ------------------------------------------------------------------------

    def pick(self, keys: Sequence[int], then: Callable[[list[Message]], None]) -> None:
        """Hand out the messages of these keys that stand in a lane, or aside; what a carrier has is left alone.

        As after `take`, they are to be given back, replaced or failed.
        """

    def pick_beginning(
        self, esme: str, beginning: bytes, then: Callable[[list[Message]], None], *, behind: int = 0
    ) -> None:
        """As `pick`, those of an ESME whose body begins so, or does behind at most `behind` octets."""

    def pick_expired(self, now_ns: int, then: Callable[[list[Message]], None]) -> None:
        """As `pick`, those whose validity is over; may be called again and again, `then` also several times."""

    def look_up(self, key: int, then: Callable[[Standing | None], None]) -> None:
        """Say what is known of a message; None for one that never was, or ended too long ago."""

    # ---- what carriers say ----------------------------------------------------------------------------------

    def find(self, carrier: str, carrier_id: bytes) -> Message | None:
        """Return the message that this carrier knows under this id, if it is at hand; `recall` looks further."""

    def recall(self, carrier: str, carrier_ids: Sequence[bytes], then: Callable[[], None]) -> None:
        """Look for messages that are not at hand; when `then` is called, `find` finds those that there are."""

    def finished_envelope(self, carrier: str, carrier_id: bytes) -> bytes | None:
        """Return the envelope of a message of which nothing more is expected under this id, as far as memory goes.

        `finished` has lately named it, or the message asked for no receipt; empty where the envelope is not known.
        """

    def receive(
        self,
        carrier: str,
        deliveries: Sequence[Delivery],
        finished: Sequence[tuple[bytes, Outcome]],
        durable: Durable,
    ) -> None:
        """Take deliveries in; each waits for its ESME once it is durable.

        With them, no more receipts are expected for what `carrier` knows under the ids of `finished`, which have
        come to the outcome beside them.
        """

    # ---- what is held ---------------------------------------------------------------------------------------
    # What these say is durable with the next `receive`, `submitted` or `failed`, in the same piece.

    def hold(self, shelf: str, entries: Sequence[Held], most: int) -> list[Held]:
        """Keep entries; return those that had to make room, the oldest first, where there are more than `most` now.

        Those held under the same leave together.
        """

    def held(self, shelf: str, under: bytes) -> Sequence[Held]:
        """Return what is held under that, the oldest first. To be read only."""

    def shelves(self) -> Collection[str]:
        """Return the shelves on which something is held, those of carriers that are configured no more among them."""

    def holds(self, shelf: str) -> int:
        """How many entries there are on a shelf."""

    def held_before(self, shelf: str, before_ns: int, most: int) -> list[Held]:
        """Return what is held under the same as an entry that came before that moment; about `most`, oldest first."""

    def release(self, shelf: str, under: Sequence[bytes]) -> list[Held]:
        """Return what is held under these, for each the oldest first; it is then held no more."""

    def expire_held(self, shelf: str, before_ns: int) -> list[Held]:
        """As `release`, all that is held under the same as an entry that came before that moment."""

    # ---- what ESMEs are owed --------------------------------------------------------------------------------

    def ready_deliveries(self, esme: str) -> int:
        """How many deliveries `take_deliveries` could hand out now."""

    def take_deliveries(self, esme: str, most: int) -> list[Delivery]:
        """Hand out what waits for an ESME, oldest first, at most `most`."""

    def give_back_deliveries(self, deliveries: Sequence[Delivery]) -> None:
        """Put deliveries that were handed out back where they stood, in the order of their keys."""

    def defer_deliveries(self, deliveries: Sequence[Delivery]) -> None:
        """Put deliveries that were handed out aside until their `due_ns`."""

    def delivered(self, deliveries: Sequence[Delivery], durable: Durable | None = None) -> None:
        """These are done with; where that is not yet durable, they come again after a crash."""

    def owing(self) -> Collection[str]:
        """Return for whom something waits, those whom the configuration has no more among them."""

    # ---- what may be used -----------------------------------------------------------------------------------

    def reserve(self, quota: str, day: int, segments: int, durable: Durable) -> None:
        """Write down that so many segments of a quota, in all, may be used on a day (an ordinal date)."""

    def reserved(self, quota: str) -> tuple[int, int]:
        """Return the day and the segments last written down for a quota; (0, 0) where there were none."""

    # ---- time -----------------------------------------------------------------------------------------------

    def wake(self, now_ns: int) -> int | None:
        """Let what is due stand in its queue again; return when the next is due, None when nothing waits."""

    # ---- what is there --------------------------------------------------------------------------------------

    def lanes(self) -> Collection[Lane]:
        """Return the lanes in which messages stand, or aside."""

    def queued(self, esme: str) -> int:
        """How many messages of an ESME no carrier has yet, wherever they are."""

    def waiting_deliveries(self, esme: str) -> int:
        """How many deliveries wait for an ESME, with those aside, without those handed out."""

    @property
    def highest_key(self) -> int:
        """The highest key that a message has, or had; 0 when there never was one."""

    @property
    def octets(self) -> int:
        """What is kept, in octets."""

    @property
    def full(self) -> bool:
        """Whether the bound of the configuration, or the disk's, is reached: nothing more is accepted."""

    @property
    def stalled(self) -> bool:
        """Whether the store is so slow that nothing should be read from ESMEs for now."""

    @property
    def healthy(self) -> bool:
        """Whether promises can be made."""

    async def open(self) -> None:
        """Recover what an earlier run has left; to be called once, before anything else. Raises: StoreError."""

    async def close(self) -> int:
        """End; return how many messages and deliveries are lost by it (none, where the store is durable)."""
