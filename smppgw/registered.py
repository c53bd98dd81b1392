"""Which numbers, campaigns and brands belong together, as the configuration says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from smppgw.settings import BrandSettings, CampaignSettings, PoolSettings, Settings
from smppgw.throttle.nanp import canonical


class Registered(NamedTuple):
    """What is configured of senders, by name; numbers are canonical."""

    brands: Mapping[str, BrandSettings]
    campaigns: Mapping[str, CampaignSettings]
    pools: Mapping[str, PoolSettings]
    campaigns_of: Mapping[str, list[str]]
    """The campaigns of each brand."""
    numbers_of: Mapping[str, tuple[str, ...]]
    """The numbers of each campaign."""
    numbers_of_pool: Mapping[str, tuple[str, ...]]
    campaign_of: Mapping[str, str]
    """The campaign of each number."""
    pools_of: Mapping[str, list[str]]
    """The pools of each campaign."""

    @classmethod
    def of(cls, settings: Settings) -> Registered:
        """Look through a configuration."""
        numbers_of = {campaign.id: tuple(map(canonical, campaign.numbers)) for campaign in settings.campaigns}
        campaigns_of: dict[str, list[str]] = {brand.id: [] for brand in settings.brands}
        for campaign in settings.campaigns:
            campaigns_of.setdefault(campaign.brand, []).append(campaign.id)
        pools_of: dict[str, list[str]] = {}
        for pool in settings.pools:
            pools_of.setdefault(pool.campaign, []).append(pool.name)
        return cls(
            {brand.id: brand for brand in settings.brands},
            {campaign.id: campaign for campaign in settings.campaigns},
            {pool.name: pool for pool in settings.pools},
            campaigns_of,
            numbers_of,
            {
                pool.name: tuple(map(canonical, pool.numbers)) or numbers_of[pool.campaign]
                for pool in settings.pools
            },
            {number: campaign for campaign, numbers in numbers_of.items() for number in numbers},
            pools_of,
        )
