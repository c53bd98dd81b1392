"""The event loop of one asynchronous test."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run_test(
    test: Coroutine[Any, Any, T],
    *,
    seconds: float = 90.0,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> T:
    """Run a test in an event loop of its own; what the loop complains of and what is left running fails it."""
    complaints: list[dict[str, Any]] = []

    async def whole() -> T:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        async with asyncio.timeout(seconds):
            result = await test
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, f"still running at the end: {left}"
        return result

    with asyncio.Runner(debug=True, loop_factory=loop_factory) as runner:
        result = runner.run(whole())
    assert not complaints, complaints
    return result
