"""The house: which floor a module stands on, what it may import, how large it may be, where its tests are."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
PACKAGE: Final = ROOT / "smppgw"
TESTS: Final = ROOT / "tests"

MODULE_LINES: Final = 400
GENERATED: Final = "pdu._generated"

FLOORS: Final[Mapping[int, str]] = {
    0: "errors operators settings tables",
    1: """
        carrier_ids error_classes id_spelling in_order joining learnt_ids splitting pdu.* throttle.*
        session session.control session.errors session.events session.handshake session.machine session.outgoing
        session.parting session.sequence session.settings session.sorting session.states session.timers
        session.window
        store store.alarms store.api store.backlog store.checkpoint store.columns store.correlation store.entries
        store.errors store.expiries store.finished store.frame store.fresh store.history store.holding
        store.outcomes store.owed store.page store.page_codec store.queue store.record store.rows store.state
        congestion drain_time promises registered usage
        """,
    2: """
        session.client session.connection session.server
        store.ledger store.ledger_file store.ledger_reader
        store.checkpoints store.committer store.files store.incoming store.log store.memory store.outgoing
        store.recovery store.restore store.salvage store.search store.segments store.shelf store.startup store.tail
        store.wal
        store.inspection store.kept store.ledger_salvage store.life store.rescue store.stats store.verification
        library.*
        admin logs metric_bounds metrics
        """,
    3: """
        accounts admission binding carrier_side carriers dispatch early esme_side expiry finding handsets inbound
        inquiry message_ids notice orphans outbind overdue overview parts pump receipts replacement retries routing
        settling submission telling verdicts drain lines pacing reloading waiting
        backlog_view batch campaign_series limits_look limits_view quotas senders
        """,
    4: "smppgw __main__ cli.* config config_bounds config_reader config_registration config_rules gateway",
}
"""A module imports its own floor or a lower one. Modules by their names below `smppgw`, a package by its own;
`name.*` is a package and everything in it."""

IMPURE: Final = frozenset(
    {
        "asyncio", "logging", "multiprocessing", "os", "prometheus_client", "random", "secrets", "select", "selectors",
        "signal", "socket", "sqlite3", "ssl", "structlog", "subprocess", "threading", "time", "uvloop",
    }
)  # fmt: skip
"""I/O, clocks and chance: not below floor 2."""
CLOCKS: Final = frozenset({"now", "utcnow", "today"})
"""What `datetime` reads the clock with."""

MAY_IMPORT: Final[Mapping[str, frozenset[str]]] = {
    "pdu": frozenset(),
    "throttle": frozenset(),
    "store": frozenset(),
    "session": frozenset({"pdu"}),
}
"""The sibling packages that a package may import."""

DECLARES_PDUS: Final = frozenset({"pdu.fields", "pdu.declarations", "pdu.codegen"})
"""Where construct may be imported: the codec at run time is generated."""
THIRD_PARTY: Final = frozenset({"construct", "prometheus_client", "structlog", "uvloop"})

TESTED_ELSEWHERE: Final[Mapping[str, str]] = {
    "config_bounds": "test_config.py",
    "config_reader": "test_config.py",
    "config_rules": "test_config.py",
    "drain": "test_gateway.py",
    "early": "test_receipts.py",
    "cli.asking": "test_status.py",
    "finding": "test_receipts.py",
    "limits_look": "test_limits_view.py",
    "metric_bounds": "test_metrics.py",
    "registered": "test_limits_view.py",
    "store.restore": "test_outgoing.py",
    "waiting": "test_pacing.py",
}
"""Modules whose tests are another module's. Every other one has its own at the mirrored place."""
NO_TESTS: Final = frozenset(
    {
        "__main__",
        "errors",
        "session.errors",
        "session.events",
        "settings",
        "tables",
        "store.api",
        "store.entries",
        "store.errors",
        "store.rows",
    }
)
"""Words alone: nothing in them can go wrong by itself."""


def module_name(path: Path) -> str:
    """The name below `smppgw`; a package's is its directory's, the root's is `smppgw`."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts) or "smppgw"


MODULES: Final[Mapping[str, Path]] = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}
PLACES: Final[Mapping[str, int]] = {
    place: floor for floor, places in FLOORS.items() for place in places.split()
}
FLOOR_OF: Final[Mapping[str, int]] = {
    name: PLACES[place]
    for name in MODULES
    for place in (name, f"{name.partition('.')[0]}.*")
    if place in PLACES
}

PLACED: Final = tuple(name for name in MODULES if name in FLOOR_OF)

each_module = pytest.mark.parametrize("module", PLACED)
each_pure_module = pytest.mark.parametrize("module", [name for name in PLACED if FLOOR_OF[name] <= 1])
each_module_of_a_package = pytest.mark.parametrize(
    "module", [name for name in PLACED if name.partition(".")[0] in MAY_IMPORT]
)
each_tested_module = pytest.mark.parametrize(
    "module", [name for name in PLACED if MODULES[name].name != "__init__.py" and name not in NO_TESTS]
)


@cache
def tree_of(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def imports_of(tree: ast.AST) -> Iterator[str]:
    """Every module that is imported anywhere in the tree, also inside functions and for type checking."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            module = node.module or ""
            for alias in node.names:
                below = f"{module}.{alias.name}"
                yield below if below.removeprefix("smppgw.") in MODULES else module


def own_imports(tree: ast.AST) -> Iterator[str]:
    """The modules of smppgw that are imported, by their names below it."""
    for name in imports_of(tree):
        if name == "smppgw" or name.startswith("smppgw."):
            yield name.removeprefix("smppgw.")


def foreign_imports(tree: ast.AST) -> Iterator[str]:
    """The top-level packages of everything else."""
    for name in imports_of(tree):
        top = name.partition(".")[0]
        if top != "smppgw":
            yield top


def mutable_state(tree: ast.Module) -> Iterator[str]:
    """Names at the top of a module that hold a list, dict or set, and are not declared Final or Mapping."""
    for node in tree.body:
        if isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            declared = names == ["__all__"]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names = [node.target.id]
            declared = any(word in ast.unparse(node.annotation) for word in ("Final", "Mapping"))
        else:
            continue
        if not declared and node.value is not None and is_mutable(node.value):
            yield from names


def is_mutable(value: ast.expr) -> bool:
    if isinstance(value, ast.Call):
        name = ast.unparse(value.func).rpartition(".")[2]
        return name in {
            "dict",
            "list",
            "set",
            "bytearray",
            "defaultdict",
            "deque",
            "OrderedDict",
            "Counter",
            "count",
        }
    return isinstance(value, (ast.Dict, ast.List, ast.Set, ast.DictComp, ast.ListComp, ast.SetComp))


def test_every_module_has_a_floor_and_every_floor_its_modules() -> None:
    missing = sorted(MODULES.keys() - FLOOR_OF.keys())
    gone = [place for place in PLACES if place.removesuffix(".*") not in MODULES]
    assert not missing, f"modules without a floor, add them to FLOORS: {missing}"
    assert not gone, f"modules in FLOORS that are not there: {gone}"
    assert sum(len(places.split()) for places in FLOORS.values()) == len(PLACES), (
        "a module stands on two floors"
    )


@each_module
def test_a_module_imports_its_own_floor_or_a_lower_one(module: str) -> None:
    higher = {name for name in own_imports(tree_of(module)) if FLOOR_OF.get(name, 0) > FLOOR_OF[module]}
    assert not higher, f"floor {FLOOR_OF[module]}: {module} imports from above: {sorted(higher)}"


@each_pure_module
def test_the_lower_floors_do_no_io_and_read_no_clock(module: str) -> None:
    tree = tree_of(module)
    assert not IMPURE.intersection(foreign_imports(tree))
    read = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute) and n.attr in CLOCKS}
    assert not read, f"{module} reads the clock: {sorted(read)}"


@each_module_of_a_package
def test_packages_keep_to_themselves(module: str) -> None:
    package = module.partition(".")[0]
    others = {name.partition(".")[0] for name in own_imports(tree_of(module))} & MAY_IMPORT.keys() - {package}
    assert others <= MAY_IMPORT[package], f"{module} imports {sorted(others - MAY_IMPORT[package])}"


@each_module
def test_only_what_is_declared_is_imported(module: str) -> None:
    foreign = set(foreign_imports(tree_of(module))) - sys.stdlib_module_names
    assert foreign <= THIRD_PARTY, f"{module} imports {sorted(foreign - THIRD_PARTY)}"
    assert "construct" not in foreign or module in DECLARES_PDUS, f"{module} imports construct"


@each_module
def test_a_module_is_of_a_size_to_read(module: str) -> None:
    lines = len(MODULES[module].read_text(encoding="utf-8").splitlines())
    assert module == GENERATED or lines <= MODULE_LINES, f"{module} has {lines} lines"


@each_module
def test_a_module_keeps_no_state(module: str) -> None:
    assert not list(mutable_state(tree_of(module))), (
        f"{module}: declare it Final, or make it a tuple or a frozenset"
    )


@each_tested_module
def test_a_module_has_its_tests_at_the_mirrored_place(module: str) -> None:
    path = MODULES[module]
    folder = TESTS / path.parent.relative_to(PACKAGE)
    expected = folder / TESTED_ELSEWHERE.get(module, f"test_{path.stem.lstrip('_')}.py")
    assert expected.is_file(), f"{module} has no tests at {expected.relative_to(ROOT)}"


@pytest.mark.parametrize("module", sorted(TESTED_ELSEWHERE.keys() | NO_TESTS))
def test_an_exception_is_of_a_module_that_is_there(module: str) -> None:
    assert module in MODULES


def test_packages_of_tests_are_packages() -> None:
    """Else two test modules of one name in two directories cannot be told apart."""
    folders = {path.parent for path in TESTS.rglob("test_*.py")}
    assert not [str(folder.relative_to(ROOT)) for folder in folders if not (folder / "__init__.py").is_file()]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import smppgw.admin", {"admin"}),
        ("from smppgw import admin", {"admin"}),
        ("from smppgw.pdu import constants as c", {"pdu.constants"}),
        ("from smppgw.pdu.constants import CommandId", {"pdu.constants"}),
        ("import smppgw", {"smppgw"}),
        ("def f():\n    import smppgw.logs", {"logs"}),
        ("import asyncio.events, smppgwx", set()),
    ],
)
def test_the_walk_sees_every_way_to_import(source: str, found: set[str]) -> None:
    assert set(own_imports(ast.parse(source))) == found


@pytest.mark.parametrize(
    "source",
    ["A = {}", "A = []", "A: list[int] = [1]", "A = {n for n in B}", "A = dict(b=1)", "A = it.count()"],
)
def test_the_walk_sees_state(source: str) -> None:
    assert list(mutable_state(ast.parse(source))) == ["A"]


@pytest.mark.parametrize(
    "source",
    [
        "A: Final = {}",
        "A: Mapping[str, int] = {}",
        "A = ()",
        "A = frozenset({1})",
        "__all__ = ['x']",
        "A: int",
    ],
)
def test_the_walk_lets_constants_be(source: str) -> None:
    assert not list(mutable_state(ast.parse(source)))
