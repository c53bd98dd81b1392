"""Numbers at the rates that carriers allow, and whether what came from them kept to those."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from smppgw.settings import LimitsSettings

TIERS: Final = Path(__file__).parents[2] / "config" / "tiers" / "us-10dlc.toml"
PRIORITY_OTP: Final = 3
"""The priority_flag of a one-time code; that of a promotional message is 0."""


class Paced(NamedTuple):
    """A number in a campaign of its own, and how many segments a second it may send."""

    number: str
    per_second: float
    class_: str = ""
    """The message class whose rate that is, after the table of tiers; empty: number and campaign state it."""

    @property
    def burst(self) -> float:
        """Segments that may leave at once."""
        return 1 + LimitsSettings().burst_seconds * self.per_second

    @property
    def interval(self) -> float:
        """Seconds between two segments."""
        return 1 / self.per_second

    def tables(self) -> str:
        """Its part of a configuration; a brand of its own, since a sole proprietor (class W) has no other campaign."""
        rate = f'class = "{self.class_}"'
        number = ""
        if not self.class_:
            rate = f"segments_per_minute = {self.per_second * 60:.0f}"
            number = f'[[number]]\nnumber = "{self.number}"\nsegments_per_second = {self.per_second}'
        return f"""
            [[brand]]
            id = "brand-{self.number}"
            status = "approved"
            segments_per_day = "unlimited"
            [[campaign]]
            id = "campaign-{self.number}"
            brand = "brand-{self.number}"
            status = "approved"
            {rate}
            numbers = ["{self.number}"]
            {number}
            """


CLASSES: Final = (
    Paced("12065550101", 75, "A"),
    Paced("12065550102", 40, "C"),
    Paced("12065550103", 4, "E"),
    Paced("12065550104", 1.25, "T"),
    Paced("12065550105", 0.25, "W"),
)
"""AT&T's message classes, and what they allow by what carriers have published."""
FAST: Final = Paced("12065550106", 500)


def configuration(
    folder: Path, numbers: Iterable[Paced], *, smsc: int, port: int = 0, admin: int = 0, window: int
) -> Path:
    """The file of a gateway that sends from these numbers, over one bind to the SMSC at that port."""
    file = folder / "gateway.toml"
    file.write_text(
        f"""
        [gateway]
        data_dir = "data"
        drain_timeout = 0.1
        [listen]
        port = {port}
        [admin]
        port = {admin}
        [[esme]]
        system_id = "app"
        password = "secret"
        max_queued = 1000000
        [[carrier]]
        name = "carrier"
        host = "127.0.0.1"
        port = {smsc}
        system_id = "gateway"
        password = "secret"
        window = {window}
        reconnect_min = 0.05
        reconnect_max = 0.2
        [limits]
        tiers = "{TIERS}"
        {"".join(each.tables() for each in numbers)}
        """,
        "utf-8",
    )
    return file


def most_above(moments: Sequence[float], per_second: float) -> float:
    """Return by how much, at the most, the arrivals of any time were more than its length times the rate.

    `moments` are seconds, in their order. What came at the first moment of a time does not count to it.
    """
    lowest, most = math.inf, 0.0
    for number, moment in enumerate(moments):
        above = number - per_second * moment
        most = max(most, above - lowest)
        lowest = min(lowest, above)
    return most


def rate_of(moments: Sequence[float]) -> float:
    """Return how many came a second, from the first to the last."""
    return (len(moments) - 1) / (moments[-1] - moments[0])
