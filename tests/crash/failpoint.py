"""A moment in the life of the gateway's disk, and what happens there.

Written in five words, as `kill before sync *.log 3` or `EIO at write *.tmp 1`: what happens; whether before or after
the operation, or in its place; the operation, a method of `smppgw.store.files` or `sql`; what its file's name, or the
statement, looks like; and at which such call.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
import threading
import time
from fnmatch import fnmatchcase
from typing import Final, Literal, NamedTuple, NoReturn, cast

REACHED: Final = "failpoint_reached"
"""The event of the line on stderr; its `monotonic` is the moment in seconds."""

When = Literal["before", "at", "after"]


class Failpoint(NamedTuple):
    """What happens, and where."""

    action: str
    """kill: this process; else the name of the error that the operation fails with, and does nothing."""
    when: When
    operation: str
    pattern: str
    nth: int

    @classmethod
    def parse(cls, words: str) -> Failpoint:
        """Read the five words."""
        action, when, operation, pattern, nth = words.split()
        assert when in ("before", "at", "after"), words
        return cls(action, cast("When", when), operation, pattern, int(nth))


class Trap:
    """Counts the calls, in whatever thread they are made, and lets happen what is to."""

    def __init__(self, failpoint: Failpoint | None) -> None:
        self._failpoint = failpoint
        self._calls = 0
        self._lock = threading.Lock()

    def is_sprung(self, operation: str, name: str) -> bool:
        """Count a call; return whether it is the one."""
        point = self._failpoint
        if point is None or point.operation != operation or not fnmatchcase(name, point.pattern):
            return False
        with self._lock:
            self._calls += 1
            return self._calls == point.nth

    def before(self, path: str) -> None:
        """The call is about to be made: die, or fail, if that is when."""
        assert self._failpoint is not None
        if self._failpoint.when == "before":
            self._die(path)
        if self._failpoint.when == "at":
            self._announce(path)
            number = getattr(errno, self._failpoint.action)
            raise OSError(number, os.strerror(number), path)

    def after(self, path: str) -> None:
        """The call has been made: die if that is when."""
        assert self._failpoint is not None
        if self._failpoint.when == "after":
            self._die(path)

    def _die(self, path: str) -> NoReturn:
        self._announce(path)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("still alive")

    def _announce(self, path: str) -> None:
        line = {"event": REACHED, "failpoint": " ".join(map(str, self._failpoint or ())), "path": path}
        sys.stderr.write(json.dumps({**line, "monotonic": time.monotonic()}) + "\n")
        sys.stderr.flush()
