"""Spellings of numbers that tests of ids share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final
from uuid import UUID

AN_ID: Final = 0x65F1A2B3C4

NUMBERS: Final[Mapping[str, Callable[[int], bytes]]] = {
    "hex": lambda n: b"%x" % n,
    "upper": lambda n: b"%X" % n,
    "hex of 12": lambda n: b"%012x" % n,
    "upper of 14": lambda n: b"%014X" % n,
    "dec": lambda n: b"%d" % n,
    "dec of 15": lambda n: b"%015d" % n,
    "uuid": lambda n: str(UUID(int=n)).encode(),
    "upper uuid": lambda n: str(UUID(int=n)).upper().encode(),
    "uuid without hyphens": lambda n: b"%032x" % n,
    "dec of uuid": lambda n: b"%039d" % n,
}
