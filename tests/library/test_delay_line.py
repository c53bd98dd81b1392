from __future__ import annotations

import asyncio

from smppgw.library.delay_line import DelayLine
from tests.support import until


async def test_what_is_put_in_comes_out_in_order_and_not_before_its_time() -> None:
    loop = asyncio.get_running_loop()
    out: list[tuple[int, float]] = []
    line: DelayLine[int] = DelayLine(0.03, lambda item: out.append((item, loop.time())))
    began = loop.time()
    for item in range(5):
        line.put(item)
    assert (len(line), out) == (5, [])
    await until(lambda: len(out) == 5)
    assert [item for item, _ in out] == [0, 1, 2, 3, 4]
    assert min(at for _, at in out) - began >= 0.028


async def test_without_a_delay_it_comes_out_at_once() -> None:
    out: list[int] = []
    DelayLine(0, out.append).put(1)
    assert out == [1]


async def test_what_a_release_puts_in_comes_out_later() -> None:
    out: list[int] = []

    def release(item: int) -> None:
        out.append(item)
        if item < 3:
            line.put(item + 1)

    line: DelayLine[int] = DelayLine(0.005, release)
    line.put(1)
    await until(lambda: out == [1, 2, 3])
    assert len(line) == 0


async def test_what_is_cleared_never_comes_out() -> None:
    out: list[int] = []
    line: DelayLine[int] = DelayLine(0.001, out.append)
    line.put(1)
    line.clear()
    other: list[int] = []
    DelayLine(0.01, other.append).put(2)
    await until(lambda: other)
    assert out == []
