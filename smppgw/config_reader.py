"""Read tables of TOML into dataclasses, by their annotations, and tell everything that does not fit."""

from __future__ import annotations

import dataclasses
import difflib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from smppgw.config_bounds import BOUNDS, UnfitError

SECRET_OCTETS = 4_096
"""The most that is read of a file that holds a secret."""

T = TypeVar("T")

Breach = tuple[str, str]
"""A key, and what is wrong there."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a configuration; `str()` is one line."""

    file: Path
    key: str
    """Where: `[listen] port`, `[[esme]] "acme": password`, `[[route]] #2: carriers`; empty: the file."""
    reason: str
    """What stands there, and what would be right."""

    def __str__(self) -> str:
        return ": ".join(filter(None, (str(self.file), self.key, self.reason)))


def named(table: str, name: object) -> str:
    """Return how a repeated table is called in a problem: by its name, or by its place from 1."""
    return f"[[{table}]] {_shown(name)}:" if isinstance(name, str) else f"[[{table}]] #{name}:"


def no_such(table: str, key: str, name: str) -> str:
    """Return what is wrong with a name that no repeated table has."""
    return f'names "{name}"; expected the {key} of a [[{table}]]'


class TableReader:
    """Reads one file's tables and gathers its problems.

    A value that does not fit is reported and replaced, so that the rest is still checked; what was read is
    worth something only while `problems` is empty.
    """

    def __init__(self, file: Path) -> None:
        self.problems: list[Problem] = []
        self._file = file
        self._hints: dict[type, dict[str, Any]] = {}
        """Of a file with 100,000 tables, most of the time would go into asking for these."""

    def report(self, key: str, reason: str) -> None:
        """Note a problem."""
        self.problems.append(Problem(self._file, key, reason))

    def read_document(self, cls: type[T], document: Mapping[str, Any]) -> T:
        """Return the whole file as `cls`: a field is a table or a tuple of repeated tables.

        A field that may be None is not of the file: it keeps its default.
        """
        hints = get_type_hints(cls)
        known: list[str] = []
        values: dict[str, Any] = {}
        for field in _fields(cls):
            key, hint = _key(field), hints[field.name]
            if get_origin(hint) is tuple:
                values[field.name] = self._read_repeated(get_args(hint)[0], document.get(key, []), key)
            elif isinstance(hint, type):
                values[field.name] = self.read_table(hint, document.get(key, {}), f"[{key}]")
            else:
                continue
            known.append(key)
        self._report_unknown("", document, known)
        return cls(**values)

    def read_table(self, cls: type[T], table: object, where: str) -> T:
        """Return one table as `cls`; `where` begins the key of every problem."""
        hints = self._hints.get(cls)
        if hints is None:
            hints = self._hints[cls] = get_type_hints(cls)
        if not isinstance(table, dict):
            self.report(where, f"is {_shown(table)}; expected a table")
            return cls(**{field.name: _stand_in(field, hints[field.name]) for field in _fields(cls)})
        fields = {_key(field): field for field in _fields(cls)}
        self._report_unknown(where, table, fields)
        values = {
            field.name: self._read_field(cls, field, hints[field.name], table, f"{where} {key}".lstrip())
            for key, field in fields.items()
        }
        return cls(**values)

    def _read_repeated(self, cls: type[T], tables: object, key: str) -> tuple[T, ...]:
        if not isinstance(tables, list):
            self.report(f"[[{key}]]", f"is {_shown(tables)}; expected a repeated table, written [[{key}]]")
            return ()
        identity = _key(_fields(cls)[0])
        read: list[T] = []
        seen: set[str] = set()
        for place, table in enumerate(tables, start=1):
            name = table.get(identity) if isinstance(table, dict) else None
            value = self.read_table(cls, table, named(key, name if isinstance(name, str) else place))
            read.append(value)
            normalised = getattr(value, _fields(cls)[0].name)
            if isinstance(normalised, str) and normalised:
                if normalised in seen:
                    self.report(
                        f"{named(key, name)} {identity}", f"stands twice; expected one [[{key}]] of a name"
                    )
                seen.add(normalised)
        return tuple(read)

    def _read_field(
        self, cls: type, field: dataclasses.Field[Any], hint: object, table: dict[str, Any], where: str
    ) -> object:
        if _key(field) not in table:
            if field.default is dataclasses.MISSING:
                self.report(where, "is missing; it has no default")
            return _stand_in(field, hint)
        raw = table[_key(field)]
        nested: Any = next(filter(dataclasses.is_dataclass, get_args(hint)), None)
        if nested is not None:
            return self.read_table(nested, raw, f"{where}:")
        try:
            value = self._secret(raw) if not field.repr else self._convert(hint, raw)
        except UnfitError as error:
            self.report(where, str(error))
            return _stand_in(field, hint)
        bound = BOUNDS.get(cls, {}).get(field.name)
        if bound is None:
            return value
        try:
            return bound(value)
        except UnfitError as error:
            self.report(where, str(error))
            return value

    def _report_unknown(self, where: str, table: Mapping[str, Any], known: Iterable[str]) -> None:
        names = list(known)
        for key in table:
            if key not in names:
                near = difflib.get_close_matches(key, names, n=1)
                hint = f'did you mean "{near[0]}"?' if near else f"known are {', '.join(names)}"
                self.report(f"{where} {key}".lstrip(), f"is not a known key; {hint}")

    def _convert(self, hint: object, raw: object) -> object:
        """Return the value as the annotation wants it."""
        origin = get_origin(hint)
        if hint == IPv4Network | IPv6Network:
            return _network(raw)
        if origin is Literal:
            for option in get_args(hint):
                if type(raw) is type(option) and raw == option:
                    return option
            options = (hex(option) if type(option) is int else _shown(option) for option in get_args(hint))
            raise UnfitError(f"is {_shown(raw)}", " or ".join(options))
        if origin in (Union, UnionType):
            return self._first_that_fits([member for member in get_args(hint) if member is not NoneType], raw)
        if origin is tuple:
            if not isinstance(raw, list):
                raise UnfitError(f"is {_shown(raw)}", "a list, written [ … ]")
            return tuple(self._convert(get_args(hint)[0], element) for element in raw)
        if hint is Path:
            return self._path(raw)
        return _scalar(hint, raw)

    def _first_that_fits(self, members: list[object], raw: object) -> object:
        expected = []
        for member in members:
            try:
                return self._convert(member, raw)
            except UnfitError as error:
                expected.append(error.expected)
        raise UnfitError(f"is {_shown(raw)}", " or ".join(expected))

    def _secret(self, raw: object) -> str:
        """Return a secret that stands here, in the environment or in a file of its own."""
        match raw:
            case str():
                return raw
            case {"env": str(name), **rest} if not rest:
                value = os.environ.get(name)
                if value is None:
                    raise UnfitError(f"names the environment variable {name}", "one that is set")
                return value
            case {"file": str(name), **rest} if not rest:
                return _file_text(self._path(name))
        # What stands here may hold the secret: it is not shown.
        raise UnfitError("is something else", 'a string, { env = "NAME" } or { file = "PATH" }')

    def _path(self, raw: object) -> Path:
        if not isinstance(raw, str) or not raw or "\0" in raw:
            raise UnfitError(f"is {_shown(raw)}", "a path")
        return self._file.parent / raw


def _fields(cls: type) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(cls)


def _key(field: dataclasses.Field[Any]) -> str:
    """Return the name in TOML."""
    return str(field.metadata.get("key", field.name))


def _stand_in(field: dataclasses.Field[Any], hint: Any) -> object:
    """Return what takes the place of a value that is missing or wrong, so that the table can be built."""
    if field.default is not dataclasses.MISSING:
        return field.default
    return () if get_origin(hint) is tuple else "" if get_origin(hint) is not None else hint()


def _scalar(hint: object, raw: object) -> object:
    if type(raw) is hint:  # the very type: to Python a bool is an int
        return raw
    if hint is float and type(raw) is int and abs(raw) < 2**63:
        return float(raw)
    words = {str: "a string", int: "a whole number", float: "a number", bool: "true or false"}
    raise UnfitError(f"is {_shown(raw)}", words[hint])  # type: ignore[index]


def _network(raw: object) -> IPv4Network | IPv6Network:
    expected = 'a network or an address, such as "192.0.2.0/24"'
    if not isinstance(raw, str):
        raise UnfitError(f"is {_shown(raw)}", expected)
    try:
        return ip_network(raw)
    except ValueError as error:
        raise UnfitError(f"is {_shown(raw)} ({error})", expected) from None


def _file_text(path: Path) -> str:
    """Return what a file says, without a newline at its end."""
    try:
        with path.open("rb") as file:
            octets = file.read(SECRET_OCTETS + 1)
        value = octets.decode()
    except OSError as error:
        raise UnfitError(f"names the file {path} ({error.strerror})", "one that can be read") from None
    except UnicodeDecodeError:
        raise UnfitError(f"names the file {path}", "one that holds UTF-8 text") from None
    if len(octets) > SECRET_OCTETS:
        raise UnfitError(f"names the file {path}", f"one of at most {SECRET_OCTETS} octets")
    return value.removesuffix("\n").removesuffix("\r")


def _shown(raw: object) -> str:
    """Return a value as TOML writes it, cut to what fits a line."""
    match raw:
        case bool():
            return "true" if raw else "false"
        case str():
            return f'"{raw[:40]}"' if raw.isprintable() else repr(raw[:40])
        case dict():
            return "a table"
        case list():
            return "a list"
    return str(raw)
