"""The examples in docstrings: code that stands four columns further in than the text around it."""

from __future__ import annotations

import inspect
import textwrap
from typing import Any

import smppgw


def examples_of(documented: object) -> list[str]:
    """The blocks of code of a docstring, in order."""
    blocks: list[list[str]] = [[]]
    for line in (inspect.getdoc(documented) or "").splitlines():
        if line.startswith("    ") or (not line and blocks[-1]):
            blocks[-1].append(line)
        elif blocks[-1]:
            blocks.append([])
    return [textwrap.dedent("\n".join(block)).strip() for block in blocks if block]


async def run_example(code: str, **names: Any) -> list[tuple[Any, ...]]:
    """Run it where everything of `smppgw` and these names are known; return what it printed."""
    printed: list[tuple[Any, ...]] = []
    public = {name: getattr(smppgw, name) for name in smppgw.__all__}
    namespace = {**public, **names, "print": lambda *words: printed.append(words)}
    source = "async def example():\n" + textwrap.indent(code, "    ")
    exec(compile(source, "<example>", "exec"), namespace)
    await namespace["example"]()
    return printed
