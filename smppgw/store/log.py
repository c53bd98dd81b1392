"""The write-ahead log: what is written to it is on the disk when the call returns.

Every call blocks. One thread writes; another may build spare segments at the same time, and a third forget what is
no longer needed.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from smppgw.store.errors import StoreDamaged, StoreError, StoreInUse
from smppgw.store.files import File, Files
from smppgw.store.frame import (
    FRAME_OVERHEAD,
    LOG_ID_OCTETS,
    SECTOR_OCTETS,
    Frame,
    Scan,
    SegmentHeader,
    encode_frame,
    read_frame,
)
from smppgw.store.segments import (
    SEGMENT_OCTETS,
    Found,
    Survey,
    Torn,
    build_segment,
    new_header,
    read_segment,
    segment_name,
    unfinished,
    write_again,
    write_file,
)

LOCK: Final = "lock"
"""The file in the directory of a log that is locked by the gateway that works on it."""
SPARES: Final = 2
"""Segments that are to stand ready: on a full disk they are what outcomes are still written to."""


class _Open(NamedTuple):
    """A segment that can be written to."""

    header: SegmentHeader
    file: File


class _Sealed(NamedTuple):
    """A segment that is written to no more."""

    path: Path
    header: SegmentHeader
    last_lsn: int


class Log:
    """The segments of one directory: `lock`, `scan`, `begin`, then `write`; `close` at the end."""

    def __init__(
        self,
        files: Files,
        directory: Path,
        *,
        segment_octets: int = SEGMENT_OCTETS,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        """`segment_octets`: the size of those that will be built. `random`: gives that many octets drawn by chance."""
        self._files = files
        self._directory = directory
        self._segment_octets = segment_octets
        self._random = random
        self._lock: File | None = None
        self._failed: OSError | None = None

        self.id: bytes | None = None
        """16 octets, drawn at random when the log was begun; None while there is none."""
        self.first_lsn = 1
        """What the oldest frame begins with, when the log was scanned; the next lsn when there was none."""
        self.last_lsn = 0
        """The lsn of the last record; 0 when there never was one."""
        self.last_batch = 0
        self.torn: Torn | None = None
        """What the last run was writing when it ended."""
        self._found: list[Found] = []
        self._last_used = 0

        self._current: _Open | None = None
        self._at = 0
        self._newest_written = (
            0  # number of the newest segment with frames: without it the numbering would be lost
        )
        self._sealed: deque[_Sealed] = deque()
        self._sealed_octets = 0
        self._counting = threading.Lock()
        self._spares: deque[_Open] = deque()
        self._last_built = 0
        self._building = threading.Lock()

    # ---- what earlier runs have left ------------------------------------------------------------------------

    def lock(self) -> None:
        """Make the directory and keep every other gateway out of it. Raises: StoreInUse; OSError."""
        self._files.make_directory(self._directory)
        self._lock = self._files.lock(self._directory / LOCK)
        if self._lock is None:
            raise StoreInUse(self._directory)

    def scan(self) -> None:
        """Read all segments and judge them; removes nothing, and needs no lock. Raises: StoreDamaged; OSError."""
        survey = Survey(self._files, self._directory)
        self.id = survey.log_id
        self.last_lsn = survey.last_lsn
        self.first_lsn = survey.last_lsn + 1 if survey.first_lsn is None else survey.first_lsn
        self.last_batch = survey.last_batch
        self.torn = survey.torn
        self._found = survey.segments
        self._last_used = survey.numbers[0] - 1 if survey.numbers else 0
        for segment in self._found:
            if segment.has_frames:
                self._newest_written = segment.header.number
            if segment.has_frames or (self.torn is not None and self.torn.path == segment.path):
                self._last_used = segment.header.number

    def frames(self, after_lsn: int) -> Iterator[Frame]:
        """The frames that were found, oldest first, with the records whose lsn is above `after_lsn`.

        Raises: StoreDamaged for what has changed since `scan`; OSError.
        """
        for segment in self._found:
            if not segment.has_frames or segment.last_lsn <= after_lsn:
                continue
            octets = read_segment(self._files, segment.path)[: segment.end]
            scan = Scan(octets, segment.header.seed)
            for span in scan:
                if span.record_count and span.last_lsn > after_lsn:
                    frame = read_frame(octets, span)
                    known = max(0, after_lsn + 1 - frame.first_lsn)
                    yield Frame(frame.batch, frame.first_lsn + known, frame.records[known:])
            if scan.end != segment.end:
                raise StoreDamaged(segment.path, scan.end, "it was well a moment ago")

    def begin(self) -> None:
        """Clear up what the last run has left unfinished, and go on in a fresh segment. Raises: StoreDamaged; OSError.

        When it is cut short, another run may scan and begin again.
        """
        names = self._files.names(self._directory)
        for name in unfinished(names):
            self._files.remove(self._directory / name)
        self._files.sync_directory(self._directory)  # a run that was killed may not have come to it
        if self.torn is not None:
            self._put_aside(self.torn, names)
        for segment in self._found:
            number = segment.header.number
            fits = segment.header.octets == self._segment_octets
            if number <= self._last_used:
                self._seal(_Sealed(segment.path, segment.header, segment.last_lsn))
            if number == self._last_used:
                write_again(self._files, segment)
            if number == self._last_used + len(self._spares) + 1 and fits:
                self._spares.append(_Open(segment.header, self._files.open(segment.path, write=True)))
        if self.id is None:
            self.id = self._random(LOG_ID_OCTETS)
        self._last_built = self._last_used + len(self._spares)
        self._current = self._next_segment()

    def _put_aside(self, torn: Torn, names: Sequence[str]) -> None:
        """Keep a copy of what will be zeros."""
        path = torn.path.with_name(f"torn-{torn.path.stem}-{torn.offset}.bin")
        if path.name in names:  # complete, from a start that was cut short: there may be less to copy now
            return
        octets = read_segment(self._files, torn.path)[torn.offset : torn.offset + torn.octets]
        write_file(self._files, path, lambda file: file.write(octets, 0))

    # ---- writing --------------------------------------------------------------------------------------------

    @property
    def next_lsn(self) -> int:
        """What the next record will have."""
        return self.last_lsn + 1

    @property
    def batch_octets(self) -> int:
        """What fits into a frame, with `RECORD_OVERHEAD` for each record."""
        return self._segment_octets - SECTOR_OCTETS - FRAME_OVERHEAD

    def write(self, records: Sequence[bytes]) -> None:
        """Write them as one frame, durable when this returns; no records make a frame that only marks the end.

        Raises: StoreError for what can never fit into a segment, and for everything after an error of the disk, which
        is final: what a second sync says cannot be believed. OSError.
        """
        current = self._current
        if self._failed is not None:
            raise StoreError(f"nothing is written any more after: {self._failed}") from self._failed
        assert current is not None, "begin comes first"
        batch = self.last_batch + 1
        frame = encode_frame(current.header.seed, batch, self.last_lsn + 1, records)
        try:
            if self._at + len(frame) > current.header.octets:
                if len(frame) > self.batch_octets + FRAME_OVERHEAD:
                    raise StoreError(f"a batch of {len(frame)} octets does not fit into a segment of the log")
                current = self._go_on_after(current)
                frame = encode_frame(current.header.seed, batch, self.last_lsn + 1, records)
            current.file.write(frame, self._at)
            current.file.sync()
        except OSError as error:
            self._failed = error
            raise
        self._at += len(frame)
        self.last_batch = batch
        self.last_lsn += len(records)
        self._newest_written = current.header.number

    # ---- segments -------------------------------------------------------------------------------------------

    @property
    def spares(self) -> int:
        """How many segments stand ready."""
        return len(self._spares)

    @property
    def room(self) -> int:
        """How many octets of frames fit into the current segment and those that stand ready."""
        left = 0 if self._current is None else self._current.header.octets - self._at
        return left + len(self._spares) * (self._segment_octets - SECTOR_OCTETS)

    @property
    def octets(self) -> int:
        """What the segments take on the disk."""
        current = 0 if self._current is None else self._current.header.octets
        return self._sealed_octets + current + len(self._spares) * self._segment_octets

    def build_spare(self) -> bool:
        """Build a segment, if fewer than `SPARES` stand ready; return whether more are wanted. Raises: OSError.

        After an error it may be called again: what was built so far is given up.
        """
        with self._building:
            if len(self._spares) < SPARES:
                self._spares.append(self._build())
            return len(self._spares) < SPARES

    def forget(self, lsn: int) -> None:
        """Remove the segments that hold nothing above `lsn`, as far as that leaves the log one to go on from.

        Raises: OSError, after which nothing is written any more.
        """
        sealed = self._sealed
        try:
            while sealed and sealed[0].last_lsn <= lsn and sealed[0].header.number < self._newest_written:
                self._files.remove(sealed[0].path)
                self._files.sync_directory(self._directory)  # each by itself: a crash must not leave a gap
                with self._counting:
                    self._sealed_octets -= sealed.popleft().header.octets
        except OSError as error:
            self._failed = error
            raise

    def close(self) -> None:
        """Let go of all files, and of the directory. Raises: OSError."""
        if self._current is not None:
            self._current.file.close()
            self._current = None
        while self._spares:
            self._spares.popleft().file.close()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _go_on_after(self, current: _Open) -> _Open:
        following = self._current = self._next_segment()
        current.file.close()
        path = self._directory / segment_name(current.header.number)
        self._seal(_Sealed(path, current.header, self.last_lsn))
        return following

    def _seal(self, segment: _Sealed) -> None:
        with self._counting:
            self._sealed.append(segment)
            self._sealed_octets += segment.header.octets

    def _next_segment(self) -> _Open:
        """Take the segment that stands ready the longest; without one, wait for it to be built."""
        self._at = SECTOR_OCTETS
        try:
            return self._spares.popleft()
        except IndexError:
            with self._building:  # another thread may be at it
                return self._spares.popleft() if self._spares else self._build()

    def _build(self) -> _Open:
        assert self.id is not None, "begin comes first"
        header = new_header(self.id, self._last_built + 1, self._segment_octets, self._random)
        segment = _Open(header, build_segment(self._files, self._directory, header))
        self._last_built = header.number
        return segment
