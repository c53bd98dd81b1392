"""The real messages of bench/data that the peers send."""

from __future__ import annotations

from pathlib import Path
from typing import Final

DATA: Final = Path(__file__).parents[2] / "bench" / "data"
SENT: Final = 500
LONG: Final = 40


def texts(language: str) -> list[str]:
    """500 texts in "en" or "zh": the 40 longest, which take several parts, and others evenly spaced, in file order."""
    if language == "en":
        lines = (DATA / "sms_en.tsv").read_text("utf-8").splitlines()
        every = [line.partition("\t")[2] for line in lines]
    else:
        every = (DATA / "sms_zh.txt").read_text("utf-8").splitlines()
    longest = sorted(range(len(every)), key=lambda at: len(every[at]), reverse=True)[:LONG]
    others = [at for at in range(len(every)) if at not in set(longest)]
    wanted = SENT - LONG
    spaced = [others[number * len(others) // wanted] for number in range(wanted)]
    return [every[at] for at in sorted(longest + spaced)]
