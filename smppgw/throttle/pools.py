"""Sources that stand for several numbers: which of them a recipient hears from, always the same one."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from hashlib import shake_128
from struct import Struct
from typing import Final, NamedTuple

from smppgw.settings import CampaignSettings, Settings
from smppgw.throttle.nanp import canonical

POINTS: Final = 64
"""Places of each number on the ring."""

PROBES: Final = 5
"""Places of a recipient, of which the one closest before a number decides: that evens out what the ring alone would
not (multi-probe consistent hashing, Appleton and O'Reilly, 2015)."""

_INDEX_BITS: Final = 20
"""Of a point, for the number it belongs to; the rest is the place."""
_INDEX: Final = (1 << _INDEX_BITS) - 1
_TURN: Final = (1 << 64) - 1

_POINTS: Final = Struct(f"<{POINTS}Q")
_PROBES: Final = Struct(f"<{PROBES}Q")


class _Ring:
    """Numbers around a circle: each has places on it that depend on nothing but the number."""

    __slots__ = ("_numbers", "_points")

    def __init__(self, numbers: Iterable[str]) -> None:
        self._numbers = sorted(numbers)
        points = [
            place & ~_INDEX | index
            for index, number in enumerate(self._numbers)
            for place in _POINTS.unpack(shake_128(number.encode()).digest(_POINTS.size))
        ]
        points.sort()
        self._points = array("Q", points)

    def pick(self, recipient: str) -> str:
        points = self._points
        last = len(points)
        nearest = _TURN
        chosen = 0
        for probe in _PROBES.unpack(shake_128(recipient.encode()).digest(_PROBES.size)):
            place = bisect_left(points, probe)
            point = points[place if place < last else 0]
            distance = (point - probe) & _TURN
            if distance < nearest:
                nearest = distance
                chosen = point
        return self._numbers[chosen & _INDEX]


class Pool(NamedTuple):
    """A source that stands for numbers of one campaign."""

    name: str
    """Canonical."""
    campaign: CampaignSettings
    numbers: tuple[str, ...]


def pools_of(settings: Settings) -> Iterator[Pool]:
    """Yield every `[[pool]]`, and every campaign by its id, which is a pool of all its numbers.

    An id that is itself a number of the configuration stands for that number, and one without numbers for none.
    """
    campaigns = {campaign.id: campaign for campaign in settings.campaigns}
    taken = {canonical(each.number) for each in settings.numbers}
    taken.update(canonical(number) for campaign in settings.campaigns for number in campaign.numbers)
    for campaign in settings.campaigns:
        name = canonical(campaign.id)
        if campaign.numbers and name not in taken:
            yield Pool(name, campaign, campaign.numbers)
    for pool in settings.pools:
        campaign = campaigns[pool.campaign]
        yield Pool(canonical(pool.name), campaign, pool.numbers or campaign.numbers)


class Pools:
    """Picks numbers. A ring is made when the first message asks for it: most campaigns are not used so."""

    def __init__(self, settings: Settings) -> None:
        self._numbers = {pool.name: pool.numbers for pool in pools_of(settings)}
        self._rings: dict[str, _Ring] = {}

    def pick(self, name: str, recipient: str) -> str | None:
        """Return the number, canonical, that a recipient hears from; None where there is no such pool.

        It is the same one each time, also after a restart; when a number goes, only its recipients get another.
        """
        name = canonical(name)
        ring = self._rings.get(name)
        if ring is None:
            numbers = self._numbers.get(name)
            if not numbers:
                return None
            ring = self._rings[name] = _Ring({canonical(number) for number in numbers})
        return ring.pick(canonical(recipient))
