"""What the files say that a configuration names: tables of tiers, of countries, and what errors of a carrier mean.

Read as `smppgw.settings` says; each figure has its source beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

CampaignClass = Literal["A", "B", "C", "D", "E", "F", "T", "W", "K", "P", "S", "X", "Y", "G", "N", "Z"]
"""AT&T's message class of a campaign."""
NumberType = Literal["long_code", "toll_free", "short_code"]


@dataclass(frozen=True, slots=True)
class BrandTier:
    """One `[[tier]]` of a table of tiers: the day cap of a brand."""

    name: str
    segments_per_day: int | Literal["unlimited"]
    """Segments a day, from 00:00 America/Los_Angeles."""
    source: str
    """Where the figure was found."""


@dataclass(frozen=True, slots=True)
class ClassRate:
    """One `[[class]]` of a table of tiers: the rate of a campaign by its message class."""

    name: CampaignClass
    segments_per_minute: int
    scope: Literal["campaign", "number"]
    """What shares the rate: the whole campaign, or each of its numbers has it."""
    source: str
    """Where the figure was found."""


@dataclass(frozen=True, slots=True)
class NumberRate:
    """One `[[number_rate]]` of a table of tiers: the rate of a number by its type, where it has none of its own."""

    type: NumberType
    segments_per_second: float
    source: str
    """Where the figure was found."""


@dataclass(frozen=True, slots=True)
class CampaignRules:
    """`[campaigns]` of a table of tiers: what holds for every campaign."""

    numbers: int = 49
    """Numbers of one campaign at most, where no `[[pool]]` of it is declared."""
    source: str = ""
    """Where the figure was found."""


@dataclass(frozen=True, slots=True)
class TierTable:
    """The file that `[limits] tiers` names."""

    tiers: tuple[BrandTier, ...] = field(metadata={"key": "tier"})
    classes: tuple[ClassRate, ...] = field(metadata={"key": "class"})
    number_rates: tuple[NumberRate, ...] = field(default=(), metadata={"key": "number_rate"})
    campaigns: CampaignRules = CampaignRules()


@dataclass(frozen=True, slots=True)
class CountryRules:
    """One `[[country]]` of a table of countries: which source addresses may send there."""

    prefix: str
    """Calling code, digits only; the longest that fits a destination decides. Of +1, "CA" for Canada, or the 1 and the
    area code of a country in the Caribbean; what holds for the US is no table's."""
    name: str
    source: str
    """Where the rules were found."""
    alphanumeric: bool = True
    """Whether an address that is no number may send there at all; if so, with so many characters."""
    min_characters: int = 1
    max_characters: int = 11
    characters: Literal["any", "letters_and_digits"] = "any"
    digits_only: bool = True
    """Whether an alphanumeric address (TON 5) may be of digits alone."""
    forbidden_words: tuple[str, ...] = ()
    """Alphanumeric addresses that may not be used, in any case."""
    forbidden_sources: tuple[str, ...] = ()
    """Beginnings of numbers that may not send there, digits only."""


@dataclass(frozen=True, slots=True)
class CountryTable:
    """The file that `[limits] countries` names."""

    countries: tuple[CountryRules, ...] = field(metadata={"key": "country"})


ErrorClass = Literal[
    "delivered",
    "pending",
    "temporary",
    "permanent_number",
    "permanent_sender",
    "permanent_message",
    "opted_out",
    "rate",
    "cap",
    "expired",
    "unknown",
]
"""What became of a message, as retries and lists of numbers go by it."""


@dataclass(frozen=True, slots=True)
class ErrMeaning:
    """One `[[err]]` of a profile: what `err` of a receipt means."""

    err: tuple[str, ...]
    """As the carrier writes it; leading zeros and case do not matter."""
    class_: ErrorClass = field(metadata={"key": "class"})
    source: str
    """Where that was found."""


@dataclass(frozen=True, slots=True)
class StatMeaning:
    """One `[[stat]]` of a profile: what `stat` of a receipt means, where its `err` says nothing."""

    stat: tuple[str, ...]
    """In any case."""
    class_: ErrorClass = field(metadata={"key": "class"})
    source: str


@dataclass(frozen=True, slots=True)
class StatusMeaning:
    """One `[[status]]` of a profile: what a command_status of submit_sm_resp means."""

    command_status: tuple[int | str, ...]
    """Numbers, or names of the specification such as "ESME_RINVDSTADR"."""
    class_: ErrorClass = field(metadata={"key": "class"})
    source: str


@dataclass(frozen=True, slots=True)
class ErrorProfile:
    """The file that `[[carrier]] profile` names."""

    errs: tuple[ErrMeaning, ...] = field(metadata={"key": "err"})
    stats: tuple[StatMeaning, ...] = field(metadata={"key": "stat"})
    statuses: tuple[StatusMeaning, ...] = field(metadata={"key": "status"})
