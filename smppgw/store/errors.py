"""What can go wrong with the store.

SmppgwError
└── StoreError          the store cannot promise what it is asked to
    ├── StoreInUse      another gateway works on the directory
    └── StoreDamaged    what is on the disk is not what was written
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from smppgw.errors import SmppgwError


class StoreError(SmppgwError):
    """The store cannot promise what it is asked to."""

    exit_status: ClassVar[int] = 70
    """What the process ends with: EX_SOFTWARE of sysexits(3)."""


class StoreInUse(StoreError):  # noqa: N818 - reads as a sentence where it is raised
    """Another process has locked the directory of the store."""

    exit_status: ClassVar[int] = 1

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.directory = directory

    def __str__(self) -> str:
        return f"{self.directory} is in use by another gateway"


class StoreDamaged(StoreError):  # noqa: N818
    """What is on the disk is not what was written, and messages may be lost by going on."""

    def __init__(self, path: Path, offset: int, reason: str) -> None:
        """`offset`: in octets from the beginning of the file at `path`, where what is wrong begins."""
        super().__init__(path, offset, reason)
        self.path = path
        self.offset = offset
        self.reason = reason

    def __str__(self) -> str:
        return (
            f"{self.path} is damaged at octet {self.offset}: {self.reason}; restore the directory from a copy, "
            "or give up what cannot be read with `smppgw store salvage --accept-loss`"
        )
