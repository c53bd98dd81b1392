"""What must hold between the keys of a configuration: names that exist, room that is there.

And between those of a carrier's profile: an error that has one meaning.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from smppgw.config_bounds import PASSWORD_CHARACTERS
from smppgw.config_reader import Breach, named, no_such
from smppgw.config_registration import registration_breaches
from smppgw.error_classes import NO_FAILURE, class_of_stat, plain_err
from smppgw.pdu.constants import InterfaceVersion, status_name
from smppgw.pdu.receipt import state_of_stat
from smppgw.settings import Settings
from smppgw.tables import ErrorProfile

LEAST_SEGMENTS: Final = 8
"""The log keeps three at any time; the ledger needs room beside them."""

PDUS_IN_A_SEGMENT: Final = 8
"""What arrives with one read goes into the log as a whole."""


def breaches(settings: Settings) -> Iterator[Breach]:
    """Yield everything in the tables that does not go together."""
    yield from _peers(settings)
    yield from _inbound(settings)
    yield from _routes(settings)
    yield from registration_breaches(settings)
    store = settings.store
    if store.backend == "wal" and store.max_bytes < LEAST_SEGMENTS * store.segment_bytes:
        allowed = f"at least {LEAST_SEGMENTS} times segment_bytes, {LEAST_SEGMENTS * store.segment_bytes}"
        yield "[store] max_bytes", f"is {store.max_bytes}; expected {allowed}"
    pdu_octets = max([settings.listen.max_pdu_octets, *(each.max_pdu_octets for each in settings.carriers)])
    if store.backend == "wal" and store.segment_bytes < PDUS_IN_A_SEGMENT * pdu_octets:
        allowed = (
            f"at least {PDUS_IN_A_SEGMENT} times the largest max_pdu_octets, {PDUS_IN_A_SEGMENT * pdu_octets}"
        )
        yield "[store] segment_bytes", f"is {store.segment_bytes}; expected {allowed}"


def _peers(settings: Settings) -> Iterator[Breach]:
    if not settings.esmes:
        yield "[[esme]]", "is missing; expected at least one application that may bind"
    if not settings.carriers:
        yield "[[carrier]]", "is missing; expected at least one SMSC to send to"
    for carrier in settings.carriers:
        where = named("carrier", carrier.name)
        if len(carrier.password) > PASSWORD_CHARACTERS and not carrier.long_password:
            allowed = f"at most {PASSWORD_CHARACTERS} (SMPP v3.4 section 5.2.2), or long_password = true"
            yield f"{where} password", f"has {len(carrier.password)} characters; expected {allowed}"
        if carrier.long_messages == "sar" and carrier.interface_version < InterfaceVersion.V3_4:
            yield (
                f"{where} long_messages",
                'is "sar", whose optional parameters SMPP 3.3 does not have; expected "udh" or "whole"',
            )
        if carrier.reconnect_min > carrier.reconnect_max:
            allowed = f"at most reconnect_max, {carrier.reconnect_max} seconds"
            yield f"{where} reconnect_min", f"is {carrier.reconnect_min}; expected {allowed}"


def _inbound(settings: Settings) -> Iterator[Breach]:
    esmes = {esme.system_id for esme in settings.esmes}
    named_there = {
        "default_esme": settings.inbound.default_esme,
        "orphans_to": settings.inbound.orphans_to,
    }
    for key, esme in named_there.items():
        if esme and esme not in esmes:
            yield f"[inbound] {key}", no_such("esme", "system_id", esme)
    owner: dict[str, str] = {}
    for each in settings.esmes:
        for prefix in each.prefixes:
            first = owner.setdefault(prefix, each.system_id)
            if first != each.system_id:
                yield (
                    f"{named('esme', each.system_id)} prefixes",
                    f'has {prefix}, which "{first}" has; expected a prefix of one application',
                )


def _routes(settings: Settings) -> Iterator[Breach]:
    carriers = {carrier.name for carrier in settings.carriers}
    esmes = {esme.system_id for esme in settings.esmes}
    campaigns = {campaign.id for campaign in settings.campaigns}
    for place, route in enumerate(settings.routes, start=1):
        where = named("route", place)
        if not route.carriers:
            yield f"{where} carriers", "names no carrier; expected at least one"
        for carrier in route.carriers:
            if carrier not in carriers:
                yield f"{where} carriers", no_such("carrier", "name", carrier)
        if route.esme is not None and route.esme not in esmes:
            yield f"{where} esme", no_such("esme", "system_id", route.esme)
        if route.campaign is not None and route.campaign not in campaigns:
            yield f"{where} campaign", no_such("campaign", "id", route.campaign)


def profile_breaches(profile: ErrorProfile) -> Iterator[Breach]:
    """Yield everything in a carrier's profile that does not go together."""
    errs = [(place, err, each) for place, each in enumerate(profile.errs, start=1) for err in each.err]
    stats = [(place, stat, each) for place, each in enumerate(profile.stats, start=1) for stat in each.stat]
    statuses = [
        (place, status, each)
        for place, each in enumerate(profile.statuses, start=1)
        for status in each.command_status
    ]
    for place, stat, each in stats:
        fixed = class_of_stat(stat, state_of_stat(stat))
        if fixed in NO_FAILURE and each.class_ != fixed:
            found = f'calls "{stat}" "{each.class_}"'
            yield f"{named('stat', place)} class", f'{found}; expected "{fixed}", which no profile changes'
    yield from _failures_only("err", [(place, each.class_) for place, _, each in errs])
    yield from _failures_only("status", [(place, each.class_) for place, _, each in statuses])
    yield from _one_class("err", "err", [(place, plain_err(err), each.class_) for place, err, each in errs])
    yield from _one_class("stat", "stat", [(place, stat.upper(), each.class_) for place, stat, each in stats])
    named_statuses = [
        (place, status_name(status) if isinstance(status, int) else status, each.class_)
        for place, status, each in statuses
    ]
    yield from _one_class("status", "command_status", named_statuses)


def _failures_only(table: str, meanings: Iterable[tuple[int, str]]) -> Iterator[Breach]:
    """An err is asked after a failure alone, and a command_status is there after a refusal alone."""
    for place, class_ in dict.fromkeys(meanings):
        if class_ in NO_FAILURE:
            yield f"{named(table, place)} class", f'is "{class_}"; expected a class for a failure'


def _one_class(table: str, key: str, meanings: Iterable[tuple[int, str, str]]) -> Iterator[Breach]:
    first: dict[str, tuple[int, str]] = {}
    for place, said, class_ in meanings:
        before, class_before = first.setdefault(said, (place, class_))
        if class_ != class_before:
            found = f'has {said}, which [[{table}]] #{before} calls "{class_before}"'
            yield f"{named(table, place)} {key}", f"{found}; expected one class for each"
