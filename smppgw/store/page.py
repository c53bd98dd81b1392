"""A page: entries that stand on disk together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from smppgw.store.columns import packed
from smppgw.store.entries import Delivery, Message

PAGE_ENTRIES: Final = 256
PAGE_OCTETS: Final = 64 * 1024
"""A page is closed when it has that much, whichever comes first."""

LANE: Final = "lane:"
ESME: Final = "esme:"
LANES: Final = "lanes"
"""What the ledger calls a page of whatever lanes: it is in memory, and comes back there at the next start."""

_NONE: Final[frozenset[int]] = frozenset()


class Page:
    """Entries of one queue; or of many, none of which is to be read back while the store is open."""

    __slots__ = (
        "aside",
        "chunks",
        "closed",
        "count",
        "dead",
        "due_ns",
        "esmes",
        "expires_ns",
        "first_key",
        "folded",
        "gone",
        "id",
        "kept_as",
        "keys",
        "last_key",
        "lsn",
        "octets",
        "queue",
    )

    def __init__(self, page_id: int, kept_as: str, *, aside: bool = False) -> None:
        self.id = page_id
        """Its number in the ledger."""
        self.kept_as = kept_as
        """The name of its queue in the ledger."""
        self.queue: Any = None
        """The queue, a `Backlog`, that is to read it back."""
        self.aside = aside
        """Whether what is in it waits for its moment."""
        self.first_key = self.last_key = 0
        self.keys = b""
        """Packed, of all its entries, as long as some are still to be read back: the ranges of pages overlap."""
        self.count = 0
        self.octets = 0
        self.due_ns = self.expires_ns = 0
        """The lowest of its entries that are still to be read back; 0 where none has one."""
        self.esmes: dict[str, int] = {}
        """How many of its entries each ESME has."""
        self.chunks: list[bytes] | None = []
        """Its records while it is in memory; None when they are in the ledger alone."""
        self.closed = False
        """Whether it is being read back: what comes after goes into another."""
        self.lsn = 0
        """It is durable when the log is, up to here."""
        self.folded = False
        """Whether the ledger has it, or is about to."""
        self.gone: Collection[int] | None = _NONE
        """Keys of entries that are not to be read back: they are in memory, or dead. None: that is all of them."""
        self.dead: Collection[int] = _NONE
        """Keys of entries that are no more."""

    @property
    def left(self) -> int:
        """How many entries are still to be read back."""
        return 0 if self.gone is None else self.count - len(self.gone)

    @property
    def is_dead(self) -> bool:
        """Whether nothing in it lives."""
        return len(self.dead) == self.count

    def is_full(self, entries: int) -> bool:
        """Whether nothing more goes into it, if a page is to have so many entries."""
        return self.closed or self.folded or self.count >= entries or self.octets >= PAGE_OCTETS

    def add(self, octets: bytes, entries: Sequence[Message | Delivery], lsn: int) -> None:
        """Put a record of entries at its end."""
        assert self.chunks is not None, "a page that is in memory"
        self.chunks.append(octets)
        self.octets += len(octets)
        keys = [entry.key for entry in entries]
        self.first_key = min(self.first_key or keys[0], *keys)
        self.last_key = max(self.last_key, *keys)
        self.keys += packed(keys)
        self.count += len(entries)
        self.lsn = lsn
        esmes = self.esmes
        for entry in entries:
            esmes[entry.esme] = esmes.get(entry.esme, 0) + 1
            if self.aside:
                self.due_ns = min(self.due_ns or entry.due_ns, entry.due_ns)
            if isinstance(entry, Message) and entry.expires_ns:
                self.expires_ns = min(self.expires_ns or entry.expires_ns, entry.expires_ns)

    def holds(self, key: int) -> bool:
        """Whether an entry of this key may still be read back from here."""
        if self.gone is None or not self.first_key <= key <= self.last_key or key in self.gone:
            return False
        needle = packed([key])
        at = self.keys.find(needle)
        while at % len(needle):  # the end of one key and the beginning of the next
            if at < 0:
                return False
            at = self.keys.find(needle, at + 1)
        return True

    def withdraw(self, keys: Iterable[int]) -> None:
        """Let these entries not be read back."""
        self.gone = {*keys} if not self.gone else {*self.gone, *keys}

    def bury(self, key: int) -> None:
        """This entry is no more."""
        if isinstance(self.dead, set):
            self.dead.add(key)
        else:
            self.dead = {key}
