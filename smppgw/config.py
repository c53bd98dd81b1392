"""Read a configuration file: `load` for those who use it, `check` for those who ask what is wrong with it.

The tables of tiers and of countries, the look-up of operators and the profiles of carriers are files of their own,
which it names.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from smppgw.config_reader import Breach, Problem, TableReader, named
from smppgw.config_registration import country_breaches
from smppgw.config_rules import breaches, profile_breaches
from smppgw.errors import SmppgwError
from smppgw.operators import Operators, OperatorsError
from smppgw.settings import CarrierSettings, Settings
from smppgw.tables import CountryTable, ErrorProfile, TierTable

Table = TypeVar("Table", TierTable, CountryTable, ErrorProfile)

CONFIG_OCTETS = 16 * 1024 * 1024
"""The most that is read of a configuration file."""


class ConfigError(SmppgwError):
    """A configuration that cannot be used, with everything that is wrong with it."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        more = len(self.problems) - 1
        return f"{self.problems[0]}{f' (and {more} more)' if more else ''}"


def load(path: Path) -> Settings:
    """Return what the file says, with its paths made relative to it and its secrets looked up.

    Raises: ConfigError with every problem.
    """
    settings, problems = _read(path)
    if settings is None or problems:
        raise ConfigError(problems)
    return settings


def check(path: Path) -> list[Problem]:
    """Return everything that is wrong with the file; an empty list when it can be used."""
    return _read(path)[1]


def load_profile(path: Path) -> ErrorProfile:
    """Return what a profile of a carrier says. Raises: ConfigError with every problem."""
    profile, problems = _read_table(ErrorProfile, path, profile_breaches)
    if profile is None or problems:
        raise ConfigError(problems)
    return profile


def _read(path: Path) -> tuple[Settings | None, list[Problem]]:
    document = _document(path)
    if isinstance(document, Problem):
        return None, [document]
    reader = TableReader(path)
    settings = reader.read_document(Settings, document)
    gateway = document.get("gateway", {})
    if isinstance(gateway, dict) and "data_dir" not in gateway:
        # It has a default for tests and tools; a gateway that keeps messages must be told where.
        reader.report("[gateway] data_dir", "is missing; expected the directory of the message store")
    problems = reader.problems
    limits = settings.limits
    if limits.tiers is not None:
        tiers, found = _read_table(TierTable, limits.tiers)
        settings = dataclasses.replace(settings, tiers=tiers)
        problems += found
    if limits.countries is not None:
        countries, found = _read_table(CountryTable, limits.countries, country_breaches)
        settings = dataclasses.replace(settings, countries=countries)
        problems += found
    if limits.operators is not None:
        operators, found = _read_operators(limits.operators)
        settings = dataclasses.replace(settings, operators=operators)
        problems += found
    profiles, profile_problems = _read_profiles(path, settings.carriers)
    settings = dataclasses.replace(settings, profiles=profiles)
    problems += profile_problems
    for key, reason in breaches(settings):
        reader.report(key, reason)
    return settings, problems


def _read_table(
    cls: type[Table], path: Path, breaches_of: Callable[[Table], Iterable[Breach]] = lambda _: ()
) -> tuple[Table | None, list[Problem]]:
    """Return what a file says that the configuration names."""
    document = _document(path)
    if isinstance(document, Problem):
        return None, [document]
    reader = TableReader(path)
    table = reader.read_document(cls, document)
    for key, reason in breaches_of(table):
        reader.report(key, reason)
    return table, reader.problems


def _read_operators(path: Path) -> tuple[Operators | None, list[Problem]]:
    try:
        with path.open(encoding="utf-8") as lines:
            return Operators(lines), []
    except OSError as error:
        return None, [Problem(path, "", f"cannot be read: {error.strerror}")]
    except UnicodeDecodeError:
        return None, [Problem(path, "", "is not UTF-8")]
    except OperatorsError as error:
        return None, [Problem(path, error.where, error.reason)]


def _read_profiles(
    path: Path, carriers: Sequence[CarrierSettings]
) -> tuple[dict[str, ErrorProfile], list[Problem]]:
    """Return the profiles by the names of their carriers; a file that several name is read once."""
    files: dict[Path, ErrorProfile | None] = {}
    profiles: dict[str, ErrorProfile] = {}
    problems: list[Problem] = []
    for carrier in carriers:
        if carrier.profile is None:
            continue
        if carrier.profile not in files:
            files[carrier.profile], found = _read_table(ErrorProfile, carrier.profile, profile_breaches)
            if files[carrier.profile] is None:
                # No key of the file can be named, but the one that names the file.
                where = f"{named('carrier', carrier.name)} profile"
                found = [Problem(path, where, f"names {each.file}, which {each.reason}") for each in found]
            problems += found
        profile = files[carrier.profile]
        if profile is not None:
            profiles[carrier.name] = profile
    return profiles, problems


def _document(path: Path) -> dict[str, Any] | Problem:
    """Return the tables of a TOML file, or why there are none."""
    try:
        with path.open("rb") as file:
            octets = file.read(CONFIG_OCTETS + 1)
    except OSError as error:
        return Problem(path, "", f"cannot be read: {error.strerror}")
    if len(octets) > CONFIG_OCTETS:
        return Problem(path, "", f"is longer than {CONFIG_OCTETS} octets")
    try:
        return tomllib.loads(octets.decode())
    except UnicodeDecodeError as error:
        return Problem(path, "", f"is not UTF-8 at octet {error.start}")
    except RecursionError:
        return Problem(path, "", "is nested too deeply; expected tables of keys")
    except (
        ValueError
    ) as error:  # TOMLDecodeError says the line and the column; int() of 5,000 digits does not
        return Problem(path, "", f"is not TOML: {error}")
