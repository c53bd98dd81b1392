"""Series by campaign, for those who ask for them: segments that have left, and what is queued."""

from __future__ import annotations

from collections.abc import Mapping

from smppgw.metrics import OTHER, Metrics
from smppgw.registered import Registered
from smppgw.throttle.limits import Limits


class CampaignSeries:
    """Counts for the first campaigns of the configuration, one series each, and for the others together.

    One that has a series keeps it as long as the process lives, so that there are never more than `most`, and the
    others'.
    """

    def __init__(self, most: int, registered: Registered, limits: Limits, metrics: Metrics) -> None:
        self._most = most
        self._limits = limits
        self._segments, queued = metrics.campaign_series()
        self._named: dict[str, None] = {}
        """Campaigns with series of their own: a set that keeps its order."""
        self._granted: dict[str, int] = {}
        """What the limits of each campaign had granted when they were looked at last."""
        self._queued: dict[str, int] = {}
        queued.read_from(lambda: {(label,): number for label, number in self._queued.items()})
        self._segments(OTHER)
        self.reload(registered)

    @property
    def campaigns(self) -> Mapping[str, str]:
        """The campaign of each number: what `count` wants to know the queues by."""
        return self._registered.campaign_of

    def reload(self, registered: Registered) -> None:
        """Go by another configuration: campaigns that are new have series of their own as far as there is room."""
        self._registered = registered
        for campaign in registered.campaigns:
            if len(self._named) == self._most:
                break
            self._named[campaign] = None
            self._segments(campaign)

    def count(self, queued: Mapping[str, int]) -> None:
        """Bring the series up to date; `queued` are messages by campaign."""
        self._queued = dict.fromkeys((*self._named, OTHER), 0)
        for campaign, messages in queued.items():
            self._queued[self._label(campaign)] += messages
        before, self._granted = self._granted, {}
        for campaign in self._registered.campaigns:
            granted = self._granted[campaign] = self._granted_to(campaign)
            since = before.get(campaign, 0)
            # Limits that were made anew, since their campaign was gone for a while, begin at 0.
            self._segments(self._label(campaign)).add(granted - since if granted >= since else granted)

    def _label(self, campaign: str) -> str:
        return campaign if campaign in self._named else OTHER

    def _granted_to(self, campaign: str) -> int:
        """Return the segments of a campaign that have left: by its own rate, else by those of its numbers."""
        limit = self._limits.campaigns.get(campaign)
        if limit is not None:
            return limit.granted
        numbers = self._limits.numbers
        return sum(
            [numbers[number].granted for number in self._registered.numbers_of[campaign] if number in numbers]
        )
