from __future__ import annotations

import asyncio
import signal

from smppgw.cli.loops import event_loop_factory, on_signal
from tests.cli.processes import SECONDS


def test_uvloop_runs_where_it_is_there() -> None:
    make = event_loop_factory()
    assert make is not None
    loop = make()
    loop.close()
    assert type(loop).__module__.startswith("uvloop")


def test_a_loop_that_knows_no_signals_hears_them_all_the_same() -> None:
    class Loop(asyncio.SelectorEventLoop):
        def add_signal_handler(self, *_: object) -> None:
            raise NotImplementedError

    before = signal.getsignal(signal.SIGTERM)
    try:
        with asyncio.Runner(loop_factory=Loop) as runner:

            async def heard() -> bool:
                event = asyncio.Event()
                on_signal(asyncio.get_running_loop(), signal.SIGTERM, event.set)
                signal.raise_signal(signal.SIGTERM)
                await asyncio.wait_for(event.wait(), SECONDS)
                return True

            assert runner.run(heard())
    finally:
        signal.signal(signal.SIGTERM, before)
