"""The bodies of pages and of the history in the ledger: records of the log, one behind the other, with a checksum.

SQLite finds what is wrong with its own structure, not with what it was given to keep.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Final
from zlib import crc32

from smppgw.store import columns, record
from smppgw.store.entries import Delivery, Lane, Message
from smppgw.store.errors import StoreError
from smppgw.store.page import Page
from smppgw.store.rows import PageHead, PageRow

_LENGTH: Final = struct.Struct("<I")
_CHECK: Final = struct.Struct("<I")


def joined(chunks: Iterable[bytes]) -> bytes:
    """Put records into one body."""
    body = b"".join([part for chunk in chunks for part in (_LENGTH.pack(len(chunk)), chunk)])
    return _CHECK.pack(crc32(body)) + body


def chunks_of(body: bytes) -> list[bytes]:
    """Return the records of a body. Raises StoreError for one that is not as it was written."""
    if len(body) < _CHECK.size or _CHECK.unpack_from(body)[0] != crc32(memoryview(body)[_CHECK.size :]):
        raise StoreError(
            "the ledger is damaged: a page of it is not as it was written; restore the directory from a copy"
        )
    chunks = []
    at = _CHECK.size
    while at < len(body):
        (length,) = _LENGTH.unpack_from(body, at)
        at += _LENGTH.size
        chunks.append(body[at : at + length])
        at += length
    return chunks


def messages_of(chunks: Sequence[bytes], lane_of: Callable[[str], Lane], epoch_ns: int) -> list[Message]:
    """Read the messages of a page; `lane_of`: see `record.messages_of`."""
    return [message for chunk in chunks for message in record.messages_of(chunk, epoch_ns, lane_of)]


def messages_in(page: Page, chunks: Sequence[bytes], epoch_ns: int) -> list[Message]:
    """Read the messages of a page of one lane, in which they stand now, whatever it was called."""
    lane = page.queue.lane
    return messages_of(chunks, lambda _: lane, epoch_ns)


def deliveries_of(chunks: Sequence[bytes], epoch_ns: int) -> list[Delivery]:
    """Read the deliveries of a page of an ESME."""
    return [delivery for chunk in chunks for delivery in record.deliveries_of(chunk, epoch_ns)]


def row_of(page: Page, chunks: Sequence[bytes], epoch_ns: int) -> PageRow:
    """Return a page as the ledger takes it in."""
    keys = page.keys
    if len(keys) < page.count * len(columns.packed([0])):  # none is to be read back any more
        keys = columns.packed([key for chunk in chunks for key in record.keys_of(chunk)])
    return PageRow(
        id=page.id,
        queue=page.kept_as,
        first_key=page.first_key,
        last_key=page.last_key,
        count=page.count,
        octets=page.octets,
        due_ms=(page.due_ns + epoch_ns) // record.MS if page.aside else 0,
        expires_ms=(page.expires_ns + epoch_ns) // record.MS if page.expires_ns else 0,
        esmes=page.esmes,
        keys=keys,
        body=joined(chunks),
    )


def page_of(head: PageHead, epoch_ns: int) -> Page:
    """Return a page as the ledger remembers it: to be read back from there, without what is dead."""
    page = Page(head.id, head.queue, aside=bool(head.due_ms))
    page.first_key, page.last_key = head.first_key, head.last_key
    page.count, page.octets = head.count, head.octets
    page.due_ns = head.due_ms * record.MS - epoch_ns if head.due_ms else 0
    page.expires_ns = head.expires_ms * record.MS - epoch_ns if head.expires_ms else 0
    page.esmes = head.esmes
    page.chunks = None
    page.folded = True
    if head.dead:
        page.dead = set(columns.unpacked(head.dead))
        page.gone = set(page.dead)
    return page
